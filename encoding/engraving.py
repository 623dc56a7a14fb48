"""A score on four staves: clefs, key signature and spelling of the notes, written as MusicXML by music21.

MIDI numbers do not say whether 66 is F sharp or G flat. The key signature is the one that leaves fewest accidentals; a
note is then spelled from the twelve places on the line of fifths that harmony in this key uses, from three fifths below
the tonic of the major key (in C: E flat) to eight above (G sharp).
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from music21.note import GeneralNote
    from music21.stream.base import Part, Score

    from encoding.score import Note

LINE_OF_FIFTHS = "CGDAEBF"


def engrave(voices: Sequence[Sequence["Note"]], names: Sequence[str], *, title: str, tempo: float) -> bytes:
    """The MusicXML of some voices, without dates, so that the same notes give the same bytes.

    Args:
        voices: notes and rests of each voice, highest voice first.
        names: one for each voice.
        title: printed above the score, if not empty.
        tempo: quarters per minute.
    """
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    xml = GeneralObjectExporter(_score(voices, names, title, tempo)).parse()
    unwanted = rb"\s*<encoding-date>.*?</encoding-date>|\s*<creator\b.*?</creator>"  # music21 calls itself the composer
    if not title:
        unwanted += rb"|\s*<movement-title>.*?</movement-title>"  # it would print "Music21 Fragment"
    return re.sub(unwanted, b"", xml)


def key_signature(pitches: Sequence[int]) -> int:
    """The number of sharps (negative: flats) that leaves fewest notes with an accidental; the smallest if several do.

    >>> key_signature([67, 69, 71, 72, 74, 76, 78])  # G major
    1
    """
    candidates = sorted(range(-5, 7), key=abs)
    scales = [{7 * (sharps + fifth) % 12 for fifth in range(-1, 6)} for sharps in candidates]
    outside = [sum(pitch % 12 not in scale for pitch in pitches) for scale in scales]
    return candidates[int(np.argmin(outside))]


def spelling(pitch: int, sharps: int) -> tuple[str, int]:
    """The name and octave of a MIDI pitch in a key of so many sharps; E flat is written `E-`, as music21 does.

    >>> spelling(65, 0), spelling(65, 3)
    (('F', 4), ('E#', 4))
    """
    lowest = sharps - 3
    fifths = lowest + (7 * pitch - lowest) % 12  # the place with this pitch class among the twelve from `lowest` on
    alter = (fifths + 1) // 7
    octave = (pitch - alter) // 12 - 1
    return LINE_OF_FIFTHS[fifths % 7] + "#" * alter + "-" * -alter, octave


def _score(voices: Sequence[Sequence["Note"]], names: Sequence[str], title: str, tempo: float) -> "Score":
    from music21.metadata import Metadata
    from music21.stream.base import Score
    from music21.tempo import MetronomeMark

    sharps = key_signature([note.pitch for voice in voices for note in voice if note.pitch >= 0])
    score = Score(id="chorale")
    score.insert(0, Metadata(movementName=title or None))
    for name, voice in zip(names, voices, strict=True):
        score.insert(0, _part(name, voice, sharps))
    score.parts[0].insert(0, MetronomeMark(number=tempo))
    return score


def _part(name: str, voice: Sequence["Note"], sharps: int) -> "Part":
    """One staff. The identities are set because music21 would draw them at random."""
    from music21 import clef, instrument, key, meter
    from music21.stream.base import Part

    singers = instrument.Choir()
    singers.partId, singers.instrumentId = name, f"{name}-choir"
    staff = {"Tenor": clef.Treble8vbClef, "Bass": clef.BassClef}.get(name, clef.TrebleClef)
    part = Part(id=name)
    part.partName = name
    part.partAbbreviation = name[0]
    for beginning in (singers, staff(), key.KeySignature(sharps), meter.TimeSignature("4/4")):
        part.insert(0, beginning)
    for note in voice:
        part.insert(note.start, _symbol(note, sharps))
    return part


def _symbol(note: "Note", sharps: int) -> "GeneralNote":
    from music21.note import Note, Rest
    from music21.pitch import Pitch

    if note.pitch < 0:
        return Rest(quarterLength=note.length)
    name, octave = spelling(note.pitch, sharps)
    return Note(Pitch(name, octave=octave), quarterLength=note.length)
