"""Four voices as something to hear and to read: MIDI, MusicXML and sound.

A chorale is an int array (n_steps, 4) of MIDI pitches in the order soprano, alto, tenor, bass; -1 is a rest, and a step
is a quarter note. Such data do not know whether two equal quarters are one held note or two struck ones. With
`held=True` equal neighbours become one longer note inside a bar of four quarters, counted from the first step, and are
struck anew at the bar line; with `held=False` every quarter is struck. The same notes give the same bytes: no file
holds a date.
"""

import os
import struct
import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.engraving import engrave
from encoding.errors import InputError
from encoding.files import replace_file
from encoding.synthesis import glass_armonica

MADE_BY = b"armonica"
VOICES = ("Soprano", "Alto", "Tenor", "Bass")
QUARTERS_IN_A_BAR = 4
TICKS = 480  # MIDI ticks in a quarter
CHOIR_AAHS = 52  # General MIDI program, counted from 0


class Note(NamedTuple):
    """One note, or rest, of one voice."""

    start: int  # quarters from the beginning
    length: int  # quarters
    pitch: int  # MIDI number; negative: a rest


def voice_notes(voice: ArrayLike, *, held: bool = True) -> list[Note]:
    """Read the quarters of one voice as notes and rests, in order, without gaps.

    Args:
        voice: pitches (n_steps,), one a quarter.
        held: join equal neighbours inside a bar.

    >>> voice_notes([60, 60, 62, -1])
    [Note(start=0, length=2, pitch=60), Note(start=2, length=1, pitch=62), Note(start=3, length=1, pitch=-1)]
    """
    pitches = np.maximum(np.asarray(voice, dtype=np.int64), -1)  # (n_steps,)
    begins = np.ones(len(pitches), dtype=bool)
    if held:
        begins[1:] = pitches[1:] != pitches[:-1]
        begins[::QUARTERS_IN_A_BAR] = True
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=len(pitches))
    return [Note(int(s), int(n), int(pitches[s])) for s, n in zip(starts, lengths, strict=True)]


def checked_pitches(pitches: ArrayLike) -> NDArray[np.int64]:
    """Return the pitches as int64 (n_steps, 4), or say in one line what is wrong with them.

    Raises:
        InputError: not whole numbers, not four voices, no step, or a pitch above 127 or below -1.
    """
    try:
        array = np.asarray(pitches)
    except ValueError:
        raise InputError("a chorale has 4 pitches at every step; got rows of different lengths") from None
    if array.ndim != 2 or array.shape[1] != len(VOICES):
        raise InputError(f"a chorale has 4 voices: pitches of shape (n_steps, 4); got shape {array.shape}")
    if len(array) == 0:
        raise InputError("a chorale needs at least one step; got pitches of shape (0, 4)")
    if array.dtype.kind not in "iu":
        raise InputError(f"pitches are whole MIDI numbers, an array of ints; got dtype {array.dtype}")
    wrong = (array > 127) | ((array < -1) if array.dtype.kind == "i" else False)
    if wrong.any():
        step, voice = np.argwhere(wrong)[0]
        raise InputError(
            f"a pitch is a MIDI number 0..127, or -1 for a rest; got {array[step, voice]}"
            f" at step {step}, {VOICES[voice].lower()}"
        )
    return array.astype(np.int64)


def _check_tempo(tempo: float) -> None:
    if not 4 <= tempo <= 960:  # MIDI holds no quarter longer than 16.7 s; NaN fails too
        raise InputError(f"the tempo lies between 4 and 960 quarters per minute; got {tempo}")


def write_wav(
    path: str | os.PathLike[str],
    pitches: ArrayLike,
    *,
    tempo: float = 80,
    sample_rate: int = 44100,
    held: bool = True,
) -> None:
    """Write the chorale as sound: 16-bit stereo, played on a glass armonica.

    Args:
        path: the file to write.
        pitches: MIDI numbers (n_steps, 4), -1 for a rest.
        tempo: quarters per minute.
        sample_rate: samples per second.
        held: join equal neighbours inside a bar.

    Raises:
        InputError: pitches, tempo or sample rate are not what they should be.
        OSError: the file cannot be written.
    """
    array = checked_pitches(pitches)
    _check_tempo(tempo)
    if sample_rate not in range(8000, 192001):
        raise InputError(f"the sample rate is a whole number between 8000 and 192000 per second; got {sample_rate}")
    voices = [voice_notes(voice, held=held) for voice in array.T]
    sound = glass_armonica(voices, quarter=60 / tempo, sample_rate=sample_rate)  # (n_samples, 2)
    samples = np.round(sound * 32767).astype("<i2")
    with replace_file(path) as file, wave.open(file, "wb") as recording:
        recording.setparams((2, 2, int(sample_rate), len(samples), "NONE", "not compressed"))
        recording.writeframes(samples.tobytes())


def is_our_midi(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one that `write_midi` wrote: the text in its first track says so.

    Raises:
        OSError: it cannot be read.
    """
    begins = Path(path).read_bytes()[:200]
    return begins.startswith(b"MThd") and MADE_BY in begins


def write_midi(path: str | os.PathLike[str], pitches: ArrayLike, *, tempo: float = 80, held: bool = True) -> None:
    """Write the chorale as a Standard MIDI File of format 1: a track for the tempo, then one a voice, sung by a choir.

    Args:
        path: the file to write.
        pitches: MIDI numbers (n_steps, 4), -1 for a rest.
        tempo: quarters per minute.
        held: join equal neighbours inside a bar.

    Raises:
        InputError: pitches or tempo are not what they should be.
        OSError: the file cannot be written.
    """
    array = checked_pitches(pitches)
    _check_tempo(tempo)
    quarter = struct.pack(">I", round(60e6 / tempo))[1:]  # microseconds, 3 bytes
    conductor = b"\x00\xff\x51\x03" + quarter + b"\x00\xff\x58\x04\x04\x02\x18\x08"  # tempo; four quarters in a bar
    conductor += b"\x00\xff\x01" + bytes([len(MADE_BY)]) + MADE_BY  # a text
    tracks = [_track(conductor, 0)]
    tracks += [_voice_track(channel, voice, held) for channel, voice in enumerate(array.T)]
    header = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), TICKS)
    with replace_file(path) as file:
        file.write(header + b"".join(tracks))


def _voice_track(channel: int, voice: NDArray[np.int64], held: bool) -> bytes:
    """One voice on its own channel: name, instrument, then note on and note off for every note."""
    name = VOICES[channel].encode()
    events = b"\x00\xff\x03" + bytes([len(name)]) + name + bytes([0, 0xC0 | channel, CHOIR_AAHS])
    rest = 0  # ticks since the last event
    for note in voice_notes(voice, held=held):
        ticks = note.length * TICKS
        if note.pitch < 0:
            rest += ticks
            continue
        events += _quantity(rest) + bytes([0x90 | channel, note.pitch, 80])
        events += _quantity(ticks) + bytes([0x80 | channel, note.pitch, 0])
        rest = 0
    return _track(events, rest)


def _track(events: bytes, rest: int) -> bytes:
    body = events + _quantity(rest) + b"\xff\x2f\x00"  # end of track, after the last rest
    return b"MTrk" + struct.pack(">I", len(body)) + body


def _quantity(number: int) -> bytes:
    """MIDI's variable-length quantity: seven bits a byte, the highest bit set on all but the last.

    >>> _quantity(480).hex()
    '8360'
    """
    septets = [number & 0x7F]
    while number := number >> 7:
        septets.append(number & 0x7F | 0x80)
    return bytes(reversed(septets))


def write_musicxml(
    path: str | os.PathLike[str], pitches: ArrayLike, *, title: str = "", tempo: float = 80, held: bool = True
) -> None:
    """Write the chorale as a MusicXML score of four staves, in the key signature that needs fewest accidentals.

    Args:
        path: the file to write, `*.musicxml`.
        pitches: MIDI numbers (n_steps, 4), -1 for a rest.
        title: printed above the score, if not empty.
        tempo: quarters per minute.
        held: join equal neighbours inside a bar.

    Raises:
        InputError: pitches, tempo or title are not what they should be.
        OSError: the file cannot be written.
    """
    array = checked_pitches(pitches)
    _check_tempo(tempo)
    if not title.isprintable():
        raise InputError(f"the title is one printable line; got {title!r}")
    xml = engrave([voice_notes(voice, held=held) for voice in array.T], VOICES, title=title, tempo=tempo)
    with replace_file(path) as file:
        file.write(xml)
