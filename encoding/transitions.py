"""What a network sees: all transitions chord -> next chord, packed time-major.

The chorales are sorted by length, longest first, so that at time t the chorales still sounding are the first b_t ones
and the slots of time t are the block offsets[t] : offsets[t + 1]. No padding: a recurrent step is one product with a
block that shrinks.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError, shown
from encoding.pianoroll import Standardisation, multi_hot, standardise


class Piece(Protocol):
    """Anything with the pitches of four voices, (n_steps, 4)."""

    @property
    def pitches(self) -> NDArray[np.int16]:
        """MIDI numbers, -1 where a voice rests."""
        ...


@dataclass(frozen=True, eq=False)
class Transitions:
    """Inputs S(t) and targets S_0(t + 1) of every transition; a slot is one transition of one chorale.

    Attributes:
        inputs: rescaled chords, (n_slots, 54) float32.
        targets: the chord that follows, +-1, (n_slots, 54) float32.
        offsets: first slot of each time, and their number at the end, (n_times + 1,).
        order: which chorale stands in which column, longest first, (n_chorales,).
        standardisation: the map that rescaled the inputs.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    offsets: NDArray[np.int64]
    order: NDArray[np.int64]
    standardisation: Standardisation

    @property
    def n_slots(self) -> int:
        """The number of transitions."""
        return len(self.inputs)

    @property
    def n_times(self) -> int:
        """The number of transitions of the longest chorale."""
        return len(self.offsets) - 1

    @property
    def batch_sizes(self) -> NDArray[np.int64]:
        """How many chorales still sound at each time, (n_times,)."""
        return np.diff(self.offsets)

    @cached_property
    def chorale(self) -> NDArray[np.int64]:
        """The chorale of each slot, as numbered before sorting, (n_slots,)."""
        return np.concatenate([self.order[:size] for size in self.batch_sizes])

    @cached_property
    def time(self) -> NDArray[np.int64]:
        """The time of each slot within its chorale, (n_slots,)."""
        return np.repeat(np.arange(self.n_times), self.batch_sizes)

    def sung(self, chorales: Sequence[Piece]) -> NDArray[np.int16]:
        """Pitches of the four voices at each slot, (n_slots, 4), of the chorales that were packed."""
        return np.array([chorales[c].pitches[t] for c, t in zip(self.chorale, self.time, strict=True)])

    @cached_property
    def sha256(self) -> str:
        """A fingerprint of what is learned: inputs, targets, boundaries."""
        digest = hashlib.sha256()
        for array, kind in ((self.inputs, "<f4"), (self.targets, "<f4"), (self.offsets, "<i8")):
            digest.update(np.ascontiguousarray(array, kind).tobytes())
        return digest.hexdigest()


def pack(chorales: Sequence[Piece], standardisation: str | Standardisation = "global") -> Transitions:
    """All transitions of `chorales`, packed time-major.

    Args:
        chorales: each with at least two chords.
        standardisation: how inputs are rescaled, or the map itself (validation data take that of the training data).
            Mean and variance run over the inputs, that is, all chords but the last of each chorale.

    Raises:
        InputError: no chorale, one shorter than two chords, or an unknown standardisation.
    """
    chorales = checked_pieces(chorales)
    rolls = [_roll(number, chorale) for number, chorale in enumerate(chorales)]
    short = [number for number, roll in enumerate(rolls) if len(roll) < 2]
    if short:
        raise InputError(
            f"a chorale has at least 2 chords; chorale {short[0]} has {len(rolls[short[0]])}: leave it out"
        )
    if isinstance(standardisation, str):
        standardisation = standardise([roll[:-1] for roll in rolls], standardisation)
    lengths = np.array([len(roll) - 1 for roll in rolls])
    order = np.argsort(-lengths, kind="stable")
    sounding = [order[lengths[order] > time] for time in range(lengths.max())]
    inputs = np.array([rolls[which][time] for time, block in enumerate(sounding) for which in block])
    targets = np.array([rolls[which][time + 1] for time, block in enumerate(sounding) for which in block])
    offsets = np.concatenate([[0], np.cumsum([len(block) for block in sounding])])
    return Transitions(standardisation(inputs).astype(np.float32), targets, offsets, order, standardisation)


def checked_pieces(chorales: Sequence[Piece]) -> list[Piece]:
    """The pieces as a list.

    Raises:
        InputError: none, or something that has no pitches.
    """
    pieces = [] if isinstance(chorales, str) or not isinstance(chorales, Iterable) else list(chorales)
    wrong = [piece for piece in pieces if not hasattr(piece, "pitches")]
    if not pieces or wrong:
        came = shown(wrong[0] if wrong else chorales) if wrong or not isinstance(chorales, list | tuple) else "none"
        raise InputError(f"a network learns from at least one chorale; got {came}")
    return pieces


def _roll(number: int, chorale: Piece) -> NDArray[np.float32]:
    """Its piano roll; what is wrong is said with its name."""
    try:
        return multi_hot(chorale.pitches)
    except InputError as error:
        raise InputError(f"{getattr(chorale, 'name', f'chorale {number}')}: {error}") from None
