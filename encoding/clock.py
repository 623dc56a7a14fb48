"""Notes as hours on a clock: the twelve pitch classes on one circle of the Bloch sphere.

    |k> = RY(k pi/6) |0> = cos(k pi/12) |0> + sin(k pi/12) |1>,    k = pitch mod 12    (Hertz, talk of 12 June 2024)

The Bloch vector of hour k is (sin(k pi/6), 0, cos(k pi/6)): C points up to |0>, F sharp down to |1>. Octave and rest
need a place of their own, and the talk leaves it open; four schemes are named here, and any function from pitch to
angles makes another (`encoding.qubits.Encoding`).
"""

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError, shown
from encoding.pianoroll import HIGHEST, LOWEST
from encoding.qubits import MIDI, Angles, Encoding, checked_pitches
from encoding.voices import N_VOICES, REST

HOUR = np.pi / 6
RESTS = ("axis", "noon")


def pitch_class(*, rest: str = "axis") -> Encoding:
    """RY(k pi/6), the octave dropped, as in the talk.

    Args:
        rest: `"axis"`: silence is the state |+i> on the axis of the clock, at fidelity 1/2 to every hour (one RZ more);
            `"noon"`: silence is the state of C, as where nothing is rotated.
    """
    if not isinstance(rest, str) or rest not in RESTS:
        raise InputError(f"rest is one of {', '.join(RESTS)}; got {shown(rest, 40)}")
    if rest == "noon":
        return Encoding(
            "pitch-class", _hours_with_rests_at_noon, notes=(*MIDI, REST), same=lambda p: 0 if p == REST else p % 12
        )
    return Encoding(
        "pitch-class",
        lambda pitch: _with_rest(pitch, (pitch % 12 * HOUR, 0 * pitch), (np.pi / 2, np.pi / 2)),
        (("RY", 0), ("RZ", 0)),
        (*MIDI, REST),
        lambda pitch: REST if pitch == REST else pitch % 12,
    )


def _hours_with_rests_at_noon(pitch: NDArray[np.int64]) -> Angles:
    return np.where(pitch == REST, 0, pitch % 12)[..., None] * HOUR


def octave_phase() -> Encoding:
    """RY(k pi/6), then RZ((octave - 3) pi/6), octave = pitch // 12; silence at RY(pi/2) RZ(-pi/12), between octaves.

    C and F sharp stand at the poles, where a phase is not seen; and since RZ(pi) takes hour k to 12 - k, pitches six
    octaves apart share states. Both are declared.
    """
    return Encoding(
        "octave-phase",
        lambda pitch: _with_rest(pitch, (pitch % 12 * HOUR, (pitch // 12 - 3) * HOUR), (np.pi / 2, -np.pi / 12)),
        (("RY", 0), ("RZ", 0)),
        (*MIDI, REST),
        _seen_of_a_phase,
    )


def octave_qubit() -> Encoding:
    """Two clocks: RY(k pi/6) on the first qubit, RY(octave pi/6) on the second; silence |+i>|0>. No two notes alias."""
    return Encoding(
        "octave-qubit",
        lambda pitch: _with_rest(
            pitch, (pitch % 12 * HOUR, 0 * pitch, pitch // 12 * HOUR), (np.pi / 2, np.pi / 2, 0.0)
        ),
        (("RY", 0), ("RZ", 0), ("RY", 1)),
        (*MIDI, REST),
    )


def compass(lowest: int = LOWEST, highest: int = HIGHEST) -> Encoding:
    """A voice's whole range on one dial: RY(2 pi (pitch - lowest) / n), n the number of its notes and one for silence.

    Raises:
        InputError: no MIDI numbers, or the highest below the lowest.
    """
    low, high = (int(checked_pitches(pitch)) for pitch in (lowest, highest))
    if not 0 <= low <= high:
        raise InputError(f"a compass goes from a pitch up to another; got {low}..{high}")
    n = high - low + 2
    return Encoding(
        "compass",
        lambda pitch: np.where(pitch == REST, n - 1, pitch - low)[..., None] * (2 * np.pi / n),
        notes=(*range(low, high + 1), REST),
    )


ENCODINGS: dict[str, Callable[..., Encoding]] = {
    "pitch-class": pitch_class,
    "octave-phase": octave_phase,
    "octave-qubit": octave_qubit,
    "compass": compass,
}


def encoding_named(name: str, **options: Any) -> Encoding:
    """An encoding by name, with its options.

    Raises:
        InputError: a name or an option that is not there.
    """
    if not isinstance(name, str) or name not in ENCODINGS:
        raise InputError(f"encodings are {', '.join(ENCODINGS)}; got {shown(name, 40)}")
    try:
        return ENCODINGS[name](**options)
    except TypeError as error:
        raise InputError(f"encoding {name!r} has other options: {error}") from None


def of_voices(name: str, pitches: ArrayLike | None = None, **options: Any) -> tuple[Encoding, ...]:
    """An encoding for each of the four voices; with `pitches` (n_chords, 4) a compass is each voice's own.

    Raises:
        InputError: as `encoding_named`; another number of voices; a voice that never sings.
    """
    if pitches is None or name != "compass":
        return (encoding_named(name, **options),) * N_VOICES
    chords = checked_pitches(pitches)
    if chords.ndim != 2 or chords.shape[1] != N_VOICES:
        raise InputError(f"chords have {N_VOICES} voices, (n_chords, {N_VOICES}); got shape {chords.shape}")
    sung = [voice[voice != REST] for voice in chords.T]
    if not all(map(len, sung)):
        raise InputError("a compass is that of a voice that sings; got one that is silent throughout")
    return tuple(compass(int(voice.min()), int(voice.max())) for voice in sung)


def hour(pitches: ArrayLike) -> NDArray[np.int64]:
    """Hour and pitch class: pitch mod 12, C at 0; `REST` stays.

    >>> hour([60, 61, 71, REST]).tolist()
    [0, 1, 11, -1]
    """
    asked = checked_pitches(pitches)
    return np.where(asked == REST, REST, asked % 12)


def octave(pitches: ArrayLike) -> NDArray[np.int64]:
    """Octave of MIDI numbers, pitch // 12 (middle C is in octave 5 here, C4 to musicians); `REST` stays."""
    asked = checked_pitches(pitches)
    return np.where(asked == REST, REST, asked // 12)


def _seen_of_a_phase(pitch: int) -> Hashable:
    """What octave-phase shows: at the poles the hour alone, elsewhere six octaves; half a turn mirrors the hour."""
    if pitch == REST:
        return REST
    k, (turns, phase) = pitch % 12, divmod(pitch // 12 - 3, 6)
    return (k, "pole") if k in (0, 6) else (k if turns % 2 == 0 else 12 - k, phase)


def _with_rest(pitch: NDArray[np.int64], angles: tuple[Any, ...], silence: tuple[float, ...]) -> Angles:
    sung = np.stack([np.asarray(angle, np.float64) for angle in angles], -1)
    return np.where((pitch == REST)[..., None], silence, sung)
