"""A network plays by itself: it hears an opening, then its own outputs, chord after chord."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError
from encoding.pianoroll import HIGHEST, LOWEST, N_KEYS
from encoding.randomness import Purpose, checked_seed, stream
from encoding.voices import N_VOICES

WAYS = ("likeliest", "sample", "four")

Hears = Callable[[Sequence[NDArray[np.float32]]], NDArray[np.floating]]


def closed_loop(
    opening: ArrayLike,
    n_steps: int,
    hears: Hears,
    *,
    n_replicas: int,
    replica: int = 0,
    choose: str = "likeliest",
    seed: int = 0,
) -> NDArray[np.float32]:
    """Hear the opening chords, then feed each output back as the next input.

    Args:
        opening: a piano roll of +-1, (n_opening, 54), at least one chord.
        n_steps: chords wanted in all, opening included.
        hears: called at every step with all chords so far, (54,) each; gives O(t) of the last, (54,).
        n_replicas: of the network.
        replica: which of them plays.
        choose: `"likeliest"`: S_i = sign O_i; `"sample"`: S_i = +1 with probability (1 + O_i)/2;
            `"four"`: as likeliest, but no more than the four surest, for four voices.
        seed: of the draws, where there are any.

    Returns:
        The piece as a piano roll, (n_steps, 54).

    Raises:
        InputError: no opening, fewer steps than it has, or an unknown way to choose.
    """
    roll, seed = checked_roll(opening), checked_seed(seed)
    for name, count in (("n_steps", n_steps), ("replica", replica)):
        if isinstance(count, bool) or not isinstance(count, int | np.integer):
            raise InputError(f"{name} is a whole number; got {count!r}")
    if choose not in WAYS:
        raise InputError(f"choose is one of {', '.join(WAYS)}; got {choose!r}")
    if n_steps < len(roll):
        raise InputError(f"n_steps counts the {len(roll)} chords of the opening too; got {n_steps}")
    if not 0 <= replica < n_replicas:
        raise InputError(f"replica is one of 0 to {n_replicas - 1}; got {replica}")
    chords = list(roll.astype(np.float32))
    for step in range(n_steps - 1):
        output = hears(chords[: step + 1])
        if step + 1 >= len(roll):
            chords.append(next_chord(output, choose, stream(seed, replica, Purpose.MUSIC, step)))
    return np.stack(chords)


def checked_roll(roll: ArrayLike) -> NDArray[Any]:
    """A piano roll of +-1, (n_steps, 54).

    Raises:
        InputError: anything else.
    """
    array = np.asarray(roll)
    if array.ndim != 2 or array.shape[1:] != (N_KEYS,) or not len(array) or not np.isin(array, (-1, 1)).all():
        raise InputError(
            f"a piano roll has +1 or -1 for each of the {N_KEYS} keys {LOWEST}..{HIGHEST} at 1 step or more; "
            f"got shape {array.shape}"
        )
    return array


def next_chord(output: NDArray[np.floating], choose: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """The chord, (54,) of +-1, that an output O(t) asks for; see `closed_loop` for the ways to choose."""
    if choose == "four":
        surest = np.argsort(-output, kind="stable")[:N_VOICES]
        sounds = np.isin(np.arange(N_KEYS), surest) & (output > 0)
    else:
        sounds = output > 0 if choose == "likeliest" else rng.random(N_KEYS) < (1 + output) / 2
    return np.where(sounds, 1, -1).astype(np.float32)
