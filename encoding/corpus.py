"""Bach's chorales rebuilt from music21's corpus, chord by chord as in the JSB set.

The score is read at whole quarters along the fact's segments. A note held over a weak beat since half a quarter
before gives way to the note a quarter earlier; where all are silent the last chord goes on; the last chord is held to
the end. Then the chorale is moved to tonic C, and single notes are corrected. Reading takes music21 about 0.1 s a
chorale, so what was read is kept.
"""

import logging
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoding.cache import cache_folder
from encoding.errors import InputError, why_unread
from encoding.facts import Fact, chorale_facts
from encoding.files import replace_file
from encoding.notation import Voice, read_voices
from encoding.voices import REST

RECIPE = 1  # to be raised when the recipe changes, so that what was read by the old one is read again

log = logging.getLogger("armonica")


def load_corpus(split: str, first: int | None, *, progress: bool = False) -> list[tuple[Fact, NDArray[np.int16]]]:
    """Facts and pitches, at tonic C, of the chorales at positions 0 .. first - 1 of a split.

    Chorales that music21 does not have are left out, which the log says once.

    Raises:
        InputError: music21 was installed without its corpus.
    """
    wanted = chorale_facts(split)[:first]
    missing = [fact for fact in wanted if fact.file is None]
    if missing:
        places = ", ".join(str(fact.index) for fact in missing)
        _say_once(f"{len(missing)} of {len(wanted)} chorales are not in music21 and are left out: {split} {places}")
    found = [fact for fact in wanted if fact.file is not None]
    stored = {fact.index: pitches for fact in found if (pitches := _recall(fact)) is not None}
    for fact in _with_progress([fact for fact in found if fact.index not in stored], progress):
        stored[fact.index] = rebuild(fact, read_voices(_corpus_file(fact)))
        _keep(fact, stored[fact.index])
    return [(fact, stored[fact.index]) for fact in found]


def rebuild(fact: Fact, voices: Sequence[Voice]) -> NDArray[np.int16]:
    """The chorale at tonic C from the voices of its score; shape (n_steps, 4)."""
    chords = [_chord(fact, voices, start + k * fact.stride) for start, n in fact.segments for k in range(n)]
    chords += [chords[-1]] * (fact.n_steps - len(chords))
    pitches = np.array(chords, dtype=np.int16)
    pitches[pitches != REST] += fact.transpose or 0
    for step, voice, pitch in fact.corrections:
        pitches[step, voice] = pitch
    return pitches


def _chord(fact: Fact, voices: Sequence[Voice], time: float) -> list[int]:
    """What the four voices sing at `time`; where all are silent, what they sang in the quarters before."""
    while True:
        moments = [time + offset for offset in fact.voice_offset]
        chord = [_sung(voice, at, fact.syncopation) for voice, at in zip(voices, moments, strict=True)]
        if any(pitch != REST for pitch in chord) or any(fact.voice_offset) or time < 1:
            return chord
        time -= 1


def _sung(voice: Voice, time: float, syncopation: bool) -> int:
    """The pitch at `time`, or a quarter earlier where the note began half a quarter before a weak beat (2 or 4)."""
    element = voice.element(time)
    syncopated = element is not None and voice.onsets[element] == time - 0.5 and voice.beat(time) in (1, 3)
    return voice.pitch(time - 1 if syncopation and syncopated else time)


def _corpus_file(fact: Fact) -> Path:
    package = find_spec("music21")  # does not import it
    folder = Path(str(package.origin)).parent if package else Path("music21")
    path = folder / "corpus" / "bach" / str(fact.file)
    if not path.is_file():
        raise InputError(f'expected the chorale {path}; music21 lacks it: reinstall music21, or use source="jsb"')
    return path


def _store(fact: Fact) -> Path:
    """Where the chorale is kept; the name changes with the facts, with the recipe and with music21."""
    name = f"{fact.split}-{fact.index:03d}-{fact.digest[:16]}-{RECIPE}-music21-{version('music21')}.npz"
    return cache_folder() / "chorales" / name


def _recall(fact: Fact) -> NDArray[np.int16] | None:
    """The chorale as read before; None if it never was, or if the file is damaged (the checksums in it tell)."""
    path = _store(fact)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            pitches = arrays["pitches"]
        if pitches.shape == (fact.n_steps, 4) and pitches.dtype == np.dtype("<i2"):
            return pitches.astype(np.int16, copy=False)
        raise ValueError(f"expected {fact.n_steps} steps of 4 voices; got shape {pitches.shape}")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # a damaged archive fails in many ways, and none of them matters
        log.warning("%s cannot be read (%s) and is made again", path, why_unread(error))
        return None


def _keep(fact: Fact, pitches: NDArray[np.int16]) -> None:
    """Store the chorale for next time; a folder that cannot be written costs time, not the chorale."""
    path = _store(fact)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as file:
            np.savez(file, pitches=pitches.astype("<i2"))
    except OSError as error:
        _say_once(f"chorales cannot be kept in {path.parent} ({error.strerror}); name a folder by ARMONICA_CACHE")


def _with_progress(facts: Sequence[Fact], progress: bool) -> Iterable[Fact]:
    """The facts one by one, with a bar on standard error if there is something to wait for."""
    if not (progress and facts):
        return facts
    from rich.console import Console
    from rich.progress import track

    return track(facts, description="reading chorales", console=Console(stderr=True))


@cache
def _say_once(message: str) -> None:
    log.warning(message)
