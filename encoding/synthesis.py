"""The sound of a glass armonica: wetted glass bowls, rubbed at the rim, one bowl a pitch.

A finger on glass sticks and slips once a period, so that the tone is nearly a pure sine with a few weak partials; it
takes about a tenth of a second to speak, trembles as the bowl turns, and rings on when the finger has left it.

    sound(t) = sum_notes  loudness(t) [1 + m sin(2 pi r t)] sum_k a_k sin(2 pi k f t),    f = 440 Hz 2^((pitch - 69)/12)

Time t runs from the beginning of the piece in all notes, so that a bowl touched again while it rings goes on in phase.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from encoding.score import Note

RELEASE = 1.6  # seconds a bowl rings after the finger has left it
PEAK = 10 ** (-3 / 20)  # -3 dBFS
PARTIALS = (1.0, 2.003, 3.01, 4.02)  # k, in units of the fundamental f: glass is a little stiff
TREMOLO_DEPTH = 0.07
TREMOLO_RATES = (5.3, 4.9, 4.6, 4.3)  # Hz, soprano to bass
PLACES = (-0.5, -0.17, 0.17, 0.5)  # soprano to bass; -1 is left, 1 is right


def glass_armonica(voices: Sequence[Sequence["Note"]], *, quarter: float, sample_rate: int) -> NDArray[np.float64]:
    """Play four voices: (n_samples, 2), left and right, with its highest peak at -3 dBFS (or silence).

    Args:
        voices: notes and rests of each voice, soprano first; starts and lengths in quarters.
        quarter: length of a quarter (s).
        sample_rate: samples per second.

    Returns:
        The notes and the ringing of the last ones: end of the last note + RELEASE seconds.
    """
    end = max(note.start + note.length for voice in voices for note in voice)
    n_samples = round(end * quarter * sample_rate) + round(RELEASE * sample_rate)
    sound = np.zeros((n_samples + 1, 2))  # one more, for the rounding of start and length
    for voice, notes in enumerate(voices):
        for note in notes:
            if note.pitch < 0:
                continue
            tone, first = _tone(note, voice, quarter, sample_rate)
            sound[first : first + len(tone)] += tone[:, None] * _placement(voice)
    loudest = np.abs(sound).max()
    return sound[:-1] * (PEAK / loudest if loudest > 0 else 1.0)


def _tone(note: "Note", voice: int, quarter: float, sample_rate: int) -> tuple[NDArray[np.float64], int]:
    """One note with its ringing, and the number of its first sample."""
    first = round(note.start * quarter * sample_rate)
    n_held = round(note.length * quarter * sample_rate)
    n_samples = n_held + round(RELEASE * sample_rate)
    time = (first + np.arange(n_samples)) / sample_rate  # s, from the beginning of the piece
    tone = _bowl(note.pitch, time, sample_rate)
    tone *= 1 + TREMOLO_DEPTH * np.sin(2 * np.pi * (TREMOLO_RATES[voice] * time + voice / 4))
    speaking, ringing = _speaking(note.pitch, sample_rate)[:n_samples], _ringing(sample_rate)
    tone[: len(speaking)] *= speaking
    tone[n_held:] *= ringing
    return tone, first


def _speaking(pitch: int, sample_rate: int) -> NDArray[np.float64]:
    """The loudness of a bowl from 0 to 1 while it begins to speak: 80 ms for high bowls, 150 ms for low ones."""
    attack = np.clip(0.15 - 0.07 * (pitch - 40) / 40, 0.08, 0.15)  # s
    return np.sin(np.linspace(0, np.pi / 2, round(attack * sample_rate))) ** 2


def _ringing(sample_rate: int) -> NDArray[np.float64]:
    """The loudness from 1 to 0 in the RELEASE seconds after the finger has left the bowl."""
    part = np.linspace(0, 1, round(RELEASE * sample_rate))
    return np.exp(-5 * part) * np.cos(np.pi / 2 * part) ** 2


def _bowl(pitch: int, time: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """The tone of one bowl; large bowls have stronger partials, or a small loudspeaker would lose them."""
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    size = np.clip((72 - pitch) / 36, 0, 1)
    tone = np.zeros_like(time)
    for number, partial in enumerate(PARTIALS):
        if partial * frequency < 0.45 * sample_rate:  # above, it would come back as an alias
            strength = 2 ** (size / 2) if number == 0 else (0.10 + 0.25 * size) / 2.2 ** (number - 1)
            cycles = partial * frequency * time
            turn = (cycles - np.floor(cycles)).astype(np.float32)  # float32 sines are several times faster
            tone += strength * np.sin(np.float32(2 * np.pi) * turn)
    return tone


def _placement(voice: int) -> NDArray[np.float64]:
    """Left and right gains of equal total power, (2,)."""
    angle = np.pi / 4 * (1 + PLACES[voice])
    return np.array([np.cos(angle), np.sin(angle)])
