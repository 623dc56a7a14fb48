"""Where features come from when nobody may look inside: shots, ours or a machine's, in the place of a state.

    f = (1/S) sum_s (outcome +-1 of shot s),    Var f = (1 - <Z>^2)/S

The data are known in advance, so what is asked for is many variants of the angles at once. A circuit holds a whole
piece where what crosses from chord to chord stays inside a shot: `coherent`, `staggered`, and `measured` with S = 1.
`measured` with S > 1 re-encodes averages over shots, which do not exist inside one: it is played chord by chord, one
job after the other (Hertz, talk of 12 June 2024). Slots are packed time-major as `quantum.channel.Music` has them.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from quantum.block import Block, checked_block, reencoded
from quantum.given import checked_numbers
from quantum.ladder import checked_count

Real = NDArray[np.float64]
OBSERVABLES = ("Z", "ZX")


class Source(Protocol):
    """What shows features of some music: `quantum.exact.Exact`, `quantum.shots.Shots`, `quantum.samplers.Sampler`."""

    @property
    def block(self) -> Block:
        """Registers, rotations, ladder, schedule."""
        ...

    @property
    def offsets(self) -> tuple[int, ...]:
        """First slot of each time, and their number at the end."""
        ...

    @property
    def observables(self) -> str:
        """Bases that are read, "Z" or "ZX"; each takes shots of its own."""
        ...

    @property
    def shots(self) -> int | None:
        """S in each basis; None where averages are exact."""
        ...

    @property
    def n_features(self) -> int:
        """Numbers read at each chord: Z of all that is measured, then X."""
        ...

    @property
    def n_slots(self) -> int:
        """Chords of all pieces."""
        ...

    @property
    def n_times(self) -> int:
        """Chords of the longest piece."""
        ...

    def whole(self, angles: Real, draw: np.random.Generator) -> Real:
        """Features (V, n_slots, n_f) of whole pieces; angles (V, n_times, n_angles), those of each chord."""
        ...

    def chord(self, time: int, angles: Real, turns: Real, draw: np.random.Generator) -> tuple[Real, Real]:
        """Features (V, b, n_f) and averages of H (V, b, n_H) of the b chords of a time.

        Angles (V, n_angles); turns (V, b, n_H) are those of the RY that re-encode the history.
        """
        ...


class Sizes:
    """How much is asked of a source, which decides what it costs: `quantum.rules.circuits_of` prices it.

    Attributes:
        block: registers, rotations, ladder, schedule.
        offsets: first slot of each time, and their number at the end; pieces end, none begins.
        observables: "Z" or "ZX".
        shots: S in each basis; None: averages are exact.

    Raises:
        InputError: no block, offsets that are none, shots below 1, or an X that no shot can show: in `staggered`, where
            D[0] lives on as it was read in Z, and in `measured` with one shot, where H does.

    >>> from quantum import Ladder
    >>> Sizes(Block(Ladder(3), n_data=2, schedule="coherent"), (0, 2, 3), "ZX", 100).n_features
    4
    """

    def __init__(self, block: Block, offsets: ArrayLike, observables: str = "Z", shots: int | None = None) -> None:
        self.block, self.offsets, self.shots = checked_block(block), _checked_offsets(offsets), shots
        if not isinstance(observables, str) or observables not in OBSERVABLES:
            raise InputError(f"observables are one of {', '.join(OBSERVABLES)}; got {shown(observables, 40)}")
        self.observables = observables
        if shots is not None:
            self.shots = checked_count("the number of shots in each basis", shots)
            _check_x(block, observables, shots)

    @property
    def n_features(self) -> int:
        """Numbers read at each chord."""
        return len(self.block.measured()) * len(self.observables)

    @property
    def n_slots(self) -> int:
        """Chords of all pieces."""
        return self.offsets[-1]

    @property
    def n_times(self) -> int:
        """Chords of the longest piece."""
        return len(self.offsets) - 1

    def checked_whole(self, angles: ArrayLike, draw: Any) -> Real:
        """Angles (V, n_times, n_angles) of whole pieces, finite.

        Raises:
            InputError: other shapes, or averages that come back from chord to chord.
        """
        if chord_by_chord(self):
            raise InputError(
                "averages over shots come back from chord to chord in the measured schedule: ask chord by chord "
                "(features_of does), or for one shot"
            )
        check_draw(draw)
        return checked_numbers(
            "angles of the ladder at every chord", angles, (_first(angles), self.n_times, self.block.ladder.n_angles)
        )

    def checked_chord(self, time: int, angles: ArrayLike, turns: ArrayLike, draw: Any) -> tuple[Real, Real]:
        """Angles (V, n_angles) and turns (V, b, n_H) of one chord, finite.

        Raises:
            InputError: other shapes, a time that is none, or another schedule than `measured`.
        """
        if self.block.schedule != "measured":
            raise InputError(f"chords are played one by one in the measured schedule; here it is {self.block.schedule}")
        check_draw(draw)
        b = pieces_at(self, checked_count("the time of a chord", time, 0, self.n_times - 1))
        n = _first(angles)
        return (
            checked_numbers("angles of the ladder", angles, (n, self.block.ladder.n_angles)),
            checked_numbers("turns of the history", turns, (n, b, self.block.n_history)),
        )


def chord_by_chord(source: Source | Sizes) -> bool:
    """Whether chords are played one job after another, averages over shots coming back in between."""
    return source.block.schedule == "measured" and source.shots != 1


def pieces_at(source: Source | Sizes, time: int) -> int:
    """How many pieces still sound at a time."""
    return source.offsets[time + 1] - source.offsets[time]


def features_of(source: Source, angles: ArrayLike, draw: np.random.Generator) -> Real:
    """Features of all slots, (V, n_slots, n_f), of V variants of the angles, (V, n_angles), the same at every chord.

    Raises:
        InputError: no source, angles of another shape, or not finite.
    """
    check_source(source)
    variants: Real = checked_numbers("angles of the ladder", angles, (_first(angles), source.block.ladder.n_angles))
    if not chord_by_chord(source):
        return source.whole(np.repeat(variants[:, None], source.n_times, 1), draw)
    averages, seen = np.ones((len(variants), pieces_at(source, 0), source.block.n_history)), []
    for time in range(source.n_times):
        turns = reencoded(averages[:, : pieces_at(source, time)])
        features, averages = source.chord(time, variants, turns, draw)
        seen.append(features)
    return np.concatenate(seen, 1)


def check_draw(draw: Any) -> None:
    """Refuse what draws no numbers.

    Raises:
        InputError: anything but a Generator.
    """
    if not isinstance(draw, np.random.Generator):
        raise InputError(f"draw is a numpy.random.Generator, as encoding.stream makes it; got {shown(draw, 40)}")


def check_source(source: Any) -> Any:
    """What says how much it shows: a source, or the `Sizes` of one.

    Raises:
        InputError: anything else, a block by itself too.
    """
    if isinstance(source, type) or not all(hasattr(source, name) for name in ("block", "offsets", "observables")):
        raise InputError(f"a source is an Exact, Shots or Sampler, or its Sizes; got {shown(source)}")
    return source


def checked_music(music: Any) -> Any:
    """What a simulation plays.

    Raises:
        InputError: anything but a Music, a list of chorales too.
    """
    if isinstance(music, type) or not all(hasattr(music, name) for name in ("states", "chord", "offsets")):
        raise InputError(f"music is a quantum.channel.Music, such as quantum.music.played gives; got {shown(music)}")
    return music


def _check_x(block: Block, observables: str, shots: int) -> None:
    if "X" not in observables or block.schedule == "coherent" or (block.schedule == "measured" and shots > 1):
        return
    kept = (
        "D[0], read in Z, goes on as history"
        if block.schedule == "staggered"
        else "of one shot H is re-encoded as read"
    )
    raise InputError(f"shots show no X in the {block.schedule} schedule: {kept}; ask for observables='Z'")


def _checked_offsets(given: ArrayLike) -> tuple[int, ...]:
    """Offsets of times whose pieces get fewer, never more."""
    try:
        offsets = np.asarray(given)
    except (TypeError, ValueError):
        offsets = np.empty(0)
    sizes = np.diff(offsets) if offsets.ndim == 1 and offsets.dtype.kind in "iu" else np.empty(0)
    if not len(sizes) or offsets[0] != 0 or sizes.min() < 1 or np.diff(sizes).max(initial=0) > 0:
        raise InputError(f"offsets are those of pieces packed time-major, such as (0, 2, 4, 5); got {shown(given)}")
    return tuple(map(int, offsets))


def _first(angles: Any) -> int:
    """The number of variants that an array says, at least 1."""
    try:
        return max(1, len(angles))
    except TypeError:
        return 1
