"""Four voices as bars over time, as on the paper roll of a mechanical piano.

Equal neighbours in a bar are drawn as one note, as they are heard (`encoding.score`). Where voices are in unison, they
share the height of the bar, the lower voice below, so that all of them can be seen; before and after that a note has it
for itself.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.score import QUARTERS_IN_A_BAR, VOICES, checked_pitches, voice_notes
from experiments.figures.style import BLACK, BLUE, FAINT, GREEN, ORANGE, VERMILION, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VOICE_COLOURS = (VERMILION, ORANGE, GREEN, BLUE)  # soprano to bass
HEIGHT = 0.9  # of a bar, in semitones
SHORT = 16  # steps of an excerpt whose quarters are all marked
NAMES = {0: "C", 4: "E", 7: "G"}  # the names on the axis


def piano_roll(axes: "Axes", pitches: ArrayLike, *, title: str = "", seed_steps: int = 0) -> None:
    """Draw four voices over time.

    Args:
        axes: where to draw.
        pitches: MIDI numbers (n_steps, 4) of soprano, alto, tenor, bass; -1 for a rest; one step is a quarter note.
        title: written above, if not empty.
        seed_steps: this many chords at the beginning were given, not generated; shaded.

    Raises:
        InputError: the pitches are not four voices of MIDI numbers.
    """
    array = checked_pitches(pitches)
    dress(axes)
    if seed_steps > 0:
        axes.axvspan(0, seed_steps, color=FAINT, linewidth=0)
    for voice in reversed(range(len(VOICES))):  # soprano last, so that legends and containers read from below
        _draw_voice(axes, array, voice)
    _mark_time(axes, len(array))
    _mark_pitch(axes, *_range(array))
    _mark_voices(axes, seed_steps)
    axes.set_title(title, loc="left", fontsize=10, color=BLACK)


def compare_rolls(
    figure: "Figure", original: ArrayLike, generated: ArrayLike, *, seed_steps: int = 0, name: str = "original"
) -> None:
    """Draw what Bach wrote above what the machine sang, with the same limits.

    Args:
        figure: an empty figure.
        original: pitches (n_steps, 4).
        generated: pitches (n_steps, 4), with as many steps or others.
        seed_steps: this many chords at the beginning were given to the machine.
        name: written above the original.

    Raises:
        InputError: the pitches are not four voices of MIDI numbers.
    """
    rolls = [(name, original), ("what the network plays (voices by least movement)", generated)]
    stack_rolls(figure, rolls, seed_steps=seed_steps)


def stack_rolls(figure: "Figure", rolls: Sequence[tuple[str, ArrayLike]], *, seed_steps: int = 0) -> None:
    """Draw several pieces one above the other, with the same limits.

    Args:
        figure: an empty figure.
        rolls: the title of each, and its pitches (n_steps, 4); two or more.
        seed_steps: this many chords at the beginning were given, not generated.

    Raises:
        InputError: the pitches are not four voices of MIDI numbers.
    """
    pieces = [checked_pitches(pitches) for _, pitches in rolls]
    every = figure.subplots(len(rolls), 1, sharex=True, sharey=True)
    for axes, (title, _), array in zip(every, rolls, pieces, strict=True):
        piano_roll(axes, array, title=title, seed_steps=seed_steps)
        if len(array) < max(map(len, pieces)):
            axes.axvline(len(array), color=BLACK, linestyle=":", linewidth=1)  # the end
    _mark_time(every[-1], max(map(len, pieces)))
    _mark_pitch(every[-1], *_range(np.concatenate(pieces)))
    for axes in every[:-1]:
        axes.set_xlabel("")
    for axes in every[1:]:
        axes.get_legend().remove()  # the same as above


class Piece(NamedTuple):
    """A part of a note in which the same number of voices sing its pitch.

    Attributes:
        start: in quarters.
        length: in quarters.
        pitch: MIDI number.
        place: of the voice among those in unison, counted from below.
        n: how many these are, itself included.
        begins: whether it is the first of its note.
    """

    start: int
    length: int
    pitch: int
    place: int
    n: int
    begins: bool

    @property
    def height(self) -> float:
        """Of its bar, in semitones."""
        return HEIGHT / self.n

    @property
    def middle(self) -> float:
        """Of its bar, as a MIDI number."""
        return self.pitch + self.height * (self.place - (self.n - 1) / 2)


def _draw_voice(axes: "Axes", pitches: NDArray[np.int64], number: int) -> None:
    pieces = _pieces(pitches, number)
    axes.barh(
        [piece.middle for piece in pieces],
        [piece.length for piece in pieces],
        left=[piece.start for piece in pieces],
        height=[piece.height for piece in pieces],
        color=VOICE_COLOURS[number],
        linewidth=0,  # an edge would be as thick as the share of a voice
        label=VOICES[number].lower(),
    )
    struck = [piece for piece in pieces if piece.begins]
    low, high = ([piece.middle + side * piece.height / 2 for piece in struck] for side in (-1, 1))
    axes.vlines([piece.start for piece in struck], low, high, color="white", linewidth=0.8)


def _pieces(pitches: NDArray[np.int64], number: int) -> list[Piece]:
    """The notes of a voice, cut where a unison begins or ends."""
    unison = pitches == pitches[:, number, None]  # (n_steps, 4)
    shares = list(zip(unison[:, number + 1 :].sum(1).tolist(), unison.sum(1).tolist(), strict=True))
    pieces: list[Piece] = []
    for note in voice_notes(pitches[:, number]):
        steps = range(note.start, note.start + note.length) if note.pitch >= 0 else ()
        for (place, n), alike in groupby(steps, key=shares.__getitem__):
            first, *rest = alike
            pieces.append(Piece(first, 1 + len(rest), note.pitch, place, n, first == note.start))
    return pieces


def _mark_time(axes: "Axes", n_steps: int) -> None:
    """Ticks on every quarter of an excerpt, on bar lines of a chorale: on every one, if it is of usual length."""
    bars = QUARTERS_IN_A_BAR * max(1, round(n_steps / 48))
    axes.set_xticks(range(0, n_steps + 1, 1 if n_steps <= SHORT else bars))
    axes.set_xlim(0, n_steps)
    axes.set_xlabel("time (quarter notes)")
    axes.grid(axis="x", color=FAINT, linewidth=0.6)


def _mark_voices(axes: "Axes", seed_steps: int) -> None:
    """The legend, above the axes and to the right."""
    from matplotlib.patches import Patch

    entries = [Patch(color=colour, label=name.lower()) for name, colour in zip(VOICES, VOICE_COLOURS, strict=True)]
    if seed_steps > 0:
        entries.append(Patch(color=FAINT, label="opening, given"))
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": len(entries)}
    axes.legend(handles=entries, **place, frameon=False, fontsize=9, handlelength=1, columnspacing=1.2)


def _mark_pitch(axes: "Axes", lowest: int, highest: int) -> None:
    ticks = [pitch for pitch in range(lowest, highest + 1) if pitch % 12 in NAMES]
    axes.set_yticks(ticks, [f"{NAMES[pitch % 12]}{pitch // 12 - 1}" for pitch in ticks])
    axes.set_ylim(lowest - 1, highest + 1)
    axes.set_ylabel("pitch")
    axes.grid(axis="y", color=FAINT, linewidth=0.6)


def _range(pitches: NDArray[np.int64]) -> tuple[int, int]:
    """Lowest and highest pitch, rounded outwards to a C, E or G, so that there is a name at both ends."""
    sounding = pitches[pitches >= 0]
    if sounding.size == 0:
        return 48, 72
    lowest, highest = int(sounding.min()), int(sounding.max())
    while lowest % 12 not in NAMES:
        lowest -= 1
    while highest % 12 not in NAMES:
        highest += 1
    return lowest, highest
