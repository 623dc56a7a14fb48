"""Chords as points of a hypercube: one +-1 component for each key of the piano, rescaled for the network.

S_i = +1 where key i sounds, -1 where it is silent (Hertz & Tyrcha 2024, Appendix A); 54 keys, MIDI 43 (G2) to 96 (C7).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError

LOWEST, HIGHEST = 43, 96
N_KEYS = HIGHEST - LOWEST + 1
STANDARDISATIONS = ("global", "component", "scalar")


def multi_hot(pitches: NDArray[np.integer]) -> NDArray[np.float32]:
    """The piano roll of a chorale: +1 for each sounding key, -1 for the others, (n_steps, 54).

    Args:
        pitches: MIDI numbers of the voices, (n_steps, n_voices); negative where a voice rests.

    Raises:
        InputError: a pitch lies outside 43..96, or these are no pitches.

    >>> multi_hot(np.array([[60, 55, 52, 48]])).sum()
    np.float32(-46.0)
    """
    pitches = np.asarray(pitches)
    if pitches.ndim != 2 or not np.issubdtype(pitches.dtype, np.integer):
        raise InputError(f"pitches are whole numbers (n_steps, n_voices); got {pitches.dtype} {pitches.shape}")
    step, voice = np.nonzero(pitches >= 0)
    sounding = pitches[step, voice]
    outside = (sounding < LOWEST) | (sounding > HIGHEST)
    if outside.any():
        first = int(np.argmax(outside))
        raise InputError(
            f"pitches lie in {LOWEST}..{HIGHEST}; got {sounding[first]} at step {step[first]}: "
            "in C they fit (transpose=True); in their own keys some do not"
        )
    roll = np.full((len(pitches), N_KEYS), -1, np.float32)
    roll[step, sounding - LOWEST] = 1
    return roll


def sounding_pitches(roll: NDArray[np.floating]) -> list[tuple[int, ...]]:
    """The pitches that sound at each step of a piano roll (n_steps, 54), from low to high."""
    return [tuple(int(key) + LOWEST for key in np.flatnonzero(chord > 0)) for chord in roll]


@dataclass(frozen=True, eq=False)
class Standardisation:
    """The affine map that gives the inputs zero mean and unit variance: S = (S_0 - mean) / deviation, each (54,)."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def __call__(self, roll: NDArray[np.floating]) -> NDArray[np.float64]:
        """The rescaled chords, same shape as `roll` (n_steps, 54)."""
        return (roll - self.mean) / self.deviation


def standardise(rolls: Sequence[NDArray[np.floating]], how: str = "global") -> Standardisation:
    """Mean and deviation over all chords of `rolls`; the paper's "zero mean and unit variance" can be read three ways.

    `global`: each key's own mean, one deviation s for all, s^2 the mean of the 54 variances. `component`: each key's
    own mean and deviation; a key that never changes keeps deviation 1. `scalar`: one mean and one deviation for all
    entries.

    Raises:
        InputError: `how` is none of these.
    """
    chords = np.concatenate([np.asarray(roll, np.float64) for roll in rolls])  # (n_chords, 54)
    mean, variance = chords.mean(0), chords.var(0)
    if how == "global":
        return Standardisation(mean, np.full(N_KEYS, _positive(np.sqrt(variance.mean()))))
    if how == "component":
        return Standardisation(mean, _positive(np.sqrt(variance)))
    if how == "scalar":
        return Standardisation(np.full(N_KEYS, chords.mean()), np.full(N_KEYS, _positive(chords.std())))
    raise InputError(f"standardisation is one of {', '.join(STANDARDISATIONS)}; got {how!r}")


def _positive(deviation):
    return np.where(deviation > 0, deviation, 1.0)
