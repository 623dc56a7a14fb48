"""Reading music: from a score, as music21 parses it, to four voices that can be asked what they sing at a moment.

Time is counted in quarters from the start of the score, an upbeat included. Grace notes have no length and are never
heard, of a chord in one voice the top note counts, tied notes stay apart, and repeats are not unfolded.
"""

import bisect
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError
from encoding.voices import REST

PARTS = ("Soprano", "Alto", "Tenor", "Bass")
MIDI = (".mid", ".midi")
SUFFIXES = (*MIDI, ".mxl", ".musicxml", ".xml")


@dataclass(frozen=True, eq=False)
class Voice:
    """One part of a score: its notes and rests in order of time, and where its bars begin (in quarters)."""

    onsets: Sequence[float]
    ends: Sequence[float]
    pitches: Sequence[int]
    bars: Sequence[float]
    upbeat: float  # quarters that the first bar lacks; its notes stand at the end of a full bar

    @property
    def end(self) -> float:
        """When the last note ends; rests after it, such as those that fill a bar, are no music."""
        return max((end for end, pitch in zip(self.ends, self.pitches, strict=True) if pitch != REST), default=0)

    def element(self, time: float) -> int | None:
        """The number of the note or rest that sounds at `time`; of several, the first one written."""
        latest = bisect.bisect_right(self.onsets, time)
        return next((k for k in range(latest) if self.ends[k] > time), None)

    def pitch(self, time: float) -> int:
        """The pitch that sounds at `time`, `REST` if none."""
        element = self.element(time)
        return REST if element is None else self.pitches[element]

    def beat(self, time: float) -> float:
        """Quarters from the start of the bar; 0 is the first beat."""
        bar = bisect.bisect_right(self.bars, time) - 1
        if bar < 0:
            return time
        return time - self.bars[bar] + (self.upbeat if bar == 0 else 0)


def score_files(path: Path) -> list[Path]:
    """The MIDI and MusicXML files that a path stands for: itself, or those in the folder, in the order of their names.

    Raises:
        InputError: the file is of another kind, or the folder has none.
    """
    kinds = ", ".join(SUFFIXES)
    if not path.is_dir():
        if path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{path}: expected a file ending in .json, .pkl, {kinds}; got {path.suffix!r}")
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    if not files:
        raise InputError(f"{path}: expected a folder with MIDI or MusicXML files ({kinds}); got none")
    return files


def read_score(path: Path) -> NDArray[np.int16]:
    """What the four voices of a MIDI or MusicXML file sing at every whole quarter, in its own key; shape (n_steps, 4).

    The last step is the one in which the last note ends.
    Voices are the parts whose names begin with Soprano, Alto, Tenor and Bass, else the four parts from top to bottom.

    Raises:
        InputError: music21 cannot read the file, it does not have four parts, or it is shorter than two quarters.
    """
    voices = read_voices(path)
    n_steps = math.ceil(max(voice.end for voice in voices))
    if n_steps < 2:
        raise InputError(f"{path}: expected at least 2 quarters of music; got {n_steps}")
    return np.array([[v.pitch(step) for v in voices] for step in range(n_steps)], dtype=np.int16)


def read_voices(path: Path) -> list[Voice]:
    """Soprano, alto, tenor and bass of the score in a file.

    Raises:
        InputError: music21 cannot read the file, or it does not have four parts.
    """
    with warnings.catch_warnings():  # music21 warns of what a file does not say, such as the name of an instrument
        warnings.simplefilter("ignore")
        parts = list(_parse(path).parts)
        return [_voice(part) for part in _four_parts(parts, path)]


def _parse(path: Path) -> Any:
    """The score, without the pickled copies that music21 would otherwise keep of every file it reads."""
    from music21.converter import Converter
    from music21.stream import Score

    reader = Converter()
    try:
        if path.suffix.lower() in MIDI:
            content = path.read_bytes()
            _check_complete(path, content)
            reader.parseData(content, format="midi")  # from a path, a broken file would be left open
        else:
            reader.parseFileNoPickle(path.resolve())
    except InputError:
        raise
    except Exception as error:  # the parser shows broken files by errors of every kind
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: expected MIDI or MusicXML; music21 cannot read it ({reason})") from error
    if not isinstance(reader.stream, Score):
        raise InputError(f"{path}: expected one score; got {type(reader.stream).__name__}; save each score as a file")
    return reader.stream


def _check_complete(path: Path, content: bytes) -> None:
    """See that every chunk of a MIDI file is as long as it says; music21 passes over what is missing."""
    place = 0
    while place + 8 <= len(content):
        place += 8 + int.from_bytes(content[place + 4 : place + 8], "big")
    if place > len(content):
        raise InputError(f"{path}: expected a whole MIDI file of {place} bytes; got {len(content)}: it is cut short")


def _four_parts(parts: Sequence[Any], path: Path) -> list[Any]:
    """The singers among the parts: by name, else all if they are four."""
    named = [[part for part in parts if (part.partName or "").startswith(name)] for name in PARTS]
    if all(named):
        return [min(same, key=lambda part: len(part.partName)) for same in named]  # Bass, not Bassoon
    if len(parts) != len(PARTS):
        names = ", ".join(str(part.partName) for part in parts) or "none"
        raise InputError(f"{path}: expected 4 parts, one a voice; got {len(parts)} ({names}); write one part a voice")
    return list(parts)


def _voice(part: Any) -> Voice:
    notes = list(part.flatten().notesAndRests)
    onsets = [float(note.offset) for note in notes]
    bars = list(part.getElementsByClass("Measure"))
    return Voice(
        onsets=onsets,
        ends=[onset + float(note.duration.quarterLength) for onset, note in zip(onsets, notes, strict=True)],
        pitches=[max((pitch.midi for pitch in getattr(note, "pitches", ())), default=REST) for note in notes],
        bars=[float(bar.offset) for bar in bars],
        upbeat=_upbeat(bars),
    )


def _upbeat(bars: Sequence[Any]) -> float:
    """What the first bar lacks to be full: 3 quarters where the piece begins on the last beat of four."""
    if not bars:
        return 0.0
    length = bars[1].offset - bars[0].offset if len(bars) > 1 else bars[0].duration.quarterLength
    return max(0.0, float(bars[0].barDuration.quarterLength - length))
