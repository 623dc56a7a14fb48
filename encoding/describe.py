"""What a set of chorales is, in numbers: how long, how high, how varied, in which keys, and where it comes from."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding.chorales import Chorale, sha256
from encoding.errors import InputError
from encoding.voices import REST

VOICES = ("soprano", "alto", "tenor", "bass")
TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MUSIC21 = (
    "music21's corpus, read from the installed package. Bach's notes are in the public domain; the encodings are "
    "distributed with music21 by permission of the encoders, and that permission is not passed on. This project "
    "therefore ships facts about them only."
)
JSB = (
    "JSB chorales in quarter notes, a public file without a licence: Boulanger-Lewandowski, Bengio and Vincent 2012, "
    "from github.com/czhuang/JSB-Chorales-dataset. Not shipped with this project."
)
OWN = "A file or folder of your own; its licence is not known here."


def describe(chorales: Sequence[Chorale]) -> dict[str, Any]:
    """The numbers of a set of chorales, as plain values fit for JSON.

    A chord is the set of pitches that sound at a step. `original_tonics` are known for chorales of the JSB set. The
    mode is not known: `last_chords` counts the third above the bass of the last chord, and pieces in minor often end
    in major.

    Raises:
        InputError: there is no chorale.
    """
    if not chorales:
        raise InputError("expected at least one chorale to describe; got none")
    return {
        "n_chorales": len(chorales),
        "n_steps": sum(chorale.n_steps for chorale in chorales),
        "n_transitions": sum(chorale.n_transitions for chorale in chorales),
        "lengths": _lengths(chorales),
        **_compass(np.concatenate([chorale.pitches for chorale in chorales])),
        "original_tonics": dict(Counter(map(_tonic, chorales)).most_common()),
        "last_chords": dict(Counter(_third(chorale.pitches[-1]) for chorale in chorales).most_common()),
        "sources": {chorale.source: licence(chorale.source) for chorale in chorales},
        "sha256": sha256(chorales),
    }


def licence(source: str) -> str:
    """Where chorales of this source come from, and under which terms."""
    return {"music21": MUSIC21, "jsb": JSB}.get(source, OWN)


def _lengths(chorales: Sequence[Chorale]) -> dict[str, float]:
    lengths = [chorale.n_steps for chorale in chorales]
    return {"min": min(lengths), "median": float(np.median(lengths)), "max": max(lengths)}


def _compass(pitches: NDArray[np.int16]) -> dict[str, Any]:
    """How high the voices sing and how many chords they form; `pitches` of all chorales, (n_steps, 4)."""
    silent = pitches == REST
    chords = {frozenset(chord) - {REST} for chord in pitches.tolist()} - {frozenset()}
    return {
        "pitch_range": _range(pitches),
        "pitch_ranges": {name: _range(pitches[:, voice]) for voice, name in enumerate(VOICES)},
        "n_pitches": len(np.unique(pitches[~silent])),
        "n_chords": len(chords),
        "n_rests": int(silent.sum()),
        "n_silent_steps": int(silent.all(axis=1).sum()),
    }


def _range(pitches: NDArray[np.int16]) -> list[int] | None:
    """Lowest and highest pitch; None where nothing sounds."""
    sounding = pitches[pitches != REST]
    return [int(sounding.min()), int(sounding.max())] if len(sounding) else None


def _tonic(chorale: Chorale) -> str:
    return "unknown" if chorale.tonic is None else TONICS[chorale.tonic]


def _third(chord: NDArray[np.int16]) -> str:
    """Whether a chord has a major or a minor third above its lowest pitch; "other" with none, both or silence."""
    sounding = [int(pitch) for pitch in chord if pitch != REST]
    above = {(pitch - min(sounding)) % 12 for pitch in sounding}
    return {(True, False): "major", (False, True): "minor"}.get((4 in above, 3 in above), "other")
