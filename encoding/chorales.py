"""Bach's chorales: four voices, one chord a quarter note.

With no argument `load_chorales` gives the 78 of the paper's 80 chorales that music21 has; `"jsb"` reads the public
JSB file, and a path reads a copy of it, MIDI or MusicXML.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError
from encoding.facts import SPLITS, Fact
from encoding.files import expanded
from encoding.pianoroll import HIGHEST, LOWEST
from encoding.voices import REST, assign_voices

__all__ = ["REST", "Chorale", "load_chorales", "sha256"]


@dataclass(frozen=True, eq=False)
class Chorale:
    """A piece for soprano, alto, tenor and bass, one chord a quarter note.

    Attributes:
        pitches: MIDI pitches of S, A, T, B, `REST` where a voice is silent; shape (n_steps, 4), read-only.
        name: the number in the catalogue of Bach's works if known, such as "BWV 190.7".
        source: where it was loaded from.
        index: its position in its split.
        tonic: pitch class of the original key's tonic (0 is C), None if unknown.

    Raises:
        InputError: pitches are not whole numbers 0..127 or `REST`, of shape (n_steps, 4), with at least 2 steps.
    """

    pitches: NDArray[np.int16]
    name: str
    source: str
    index: int
    tonic: int | None = None

    def __post_init__(self) -> None:
        given = np.asarray(self.pitches)
        if given.ndim != 2 or given.shape[1] != 4:
            raise InputError(f"a chorale has 4 voices; got pitches of shape {given.shape}; expected (n_steps, 4)")
        if len(given) < 2:
            raise InputError(f"a chorale has at least 2 steps, for one transition; got {len(given)} in {self.name}")
        if not np.issubdtype(given.dtype, np.integer):
            raise InputError(f"pitches are whole numbers; got {given.dtype} in {self.name}")
        wrong = given[(given != REST) & ((given < 0) | (given > 127))]
        if len(wrong):
            raise InputError(f"pitches are MIDI numbers 0..127, or {REST} for silence; got {wrong[0]} in {self.name}")
        pitches = np.array(given, dtype=np.int16, order="C")  # a copy, so that nobody else can change it
        pitches.flags.writeable = False
        object.__setattr__(self, "pitches", pitches)

    def __repr__(self) -> str:
        """Which piece, without its notes."""
        return f"<Chorale {self.name}, {self.n_steps} steps, from {self.source}>"

    @property
    def n_steps(self) -> int:
        """Length in quarters."""
        return len(self.pitches)

    @property
    def n_transitions(self) -> int:
        """Pairs of neighbouring chords, which are what is learnt."""
        return self.n_steps - 1


def load_chorales(
    source: str | PathLike[str] = "music21",
    split: str = "train",
    *,
    first: int | None = 80,
    transpose: bool = True,
    excerpt: int | None = None,
    progress: bool = False,
) -> list[Chorale]:
    """Chorales at positions 0 .. first - 1 of a split; by default those that the paper trains on (Hertz & Tyrcha 2024).

    With music21 the default gives 78 chorales, since it lacks those at positions 25 and 28; the log says so once.

    Args:
        source: "music21": its corpus, read as the JSB set has it, no network. "jsb": the public JSB file, found by the
            environment variable ARMONICA_JSB, else in the cache, else fetched once. Or a path: a JSB file (.json, .pkl,
            .pickle), one MIDI or MusicXML file, or a folder of these in the order of their names.
        split: "train", "valid" or "test", in the order of the JSB file. MIDI and MusicXML files are "train" only.
        first: how many positions of the split; None for all.
        transpose: True gives pitches at tonic C, all in 43..96; False the original keys. The key of scores from a path
            is not known: they are left as they are, and True only checks that they lie in 43..96.
        excerpt: keep the first `excerpt` steps of each chorale (at least 2); shorter chorales stay whole.
        progress: show a bar on standard error while scores are read (about 0.1 s each, once; then they are cached).

    Raises:
        InputError: an unknown source or split, a file that is missing or not as expected, a key that is not known.

    >>> load_chorales("jsb", "training")
    Traceback (most recent call last):
    ...
    encoding.errors.InputError: unknown split 'training': expected one of train, valid, test
    """
    _check_request(split, first, excerpt, transpose)
    place = str(source) if source in ("music21", "jsb") else str(expanded(source))
    if place == "music21":
        chorales = _from_corpus(split, first, transpose, progress)
    elif place == "jsb" or Path(place).suffix.lower() in (".json", ".pkl", ".pickle"):
        chorales = _from_jsb(place, split, first, transpose)
    else:
        chorales = _from_scores(Path(place), split, first, transpose)
    return chorales if excerpt is None else [replace(c, pitches=c.pitches[:excerpt]) for c in chorales]


def sha256(chorales: Iterable[Chorale]) -> str:
    """Fingerprint of the pitches and of where chorales begin, and of nothing else; the same on every machine."""
    digest = hashlib.sha256()
    for chorale in chorales:
        digest.update(chorale.n_steps.to_bytes(8, "little"))
        digest.update(chorale.pitches.astype("<i2").tobytes())
    return digest.hexdigest()


def _check_request(split: str, first: int | None, excerpt: int | None, transpose: bool) -> None:
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")
    if not isinstance(transpose, bool):
        raise InputError(f"transpose is True or False; got {transpose!r}")
    for name, value, least in (("first", first, 1), ("excerpt", excerpt, 2)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise InputError(f"{name} is a whole number of at least {least}, or None for all; got {value!r}")


def _from_corpus(split: str, first: int | None, transpose: bool, progress: bool) -> list[Chorale]:
    from encoding.corpus import load_corpus

    found = load_corpus(split, first, progress=progress)
    return [_known(fact, pitches, "music21", transpose) for fact, pitches in found]


def _from_jsb(place: str, split: str, first: int | None, transpose: bool) -> list[Chorale]:
    from encoding.jsb import facts_of, jsb_file, read_jsb

    path = jsb_file() if place == "jsb" else Path(place)
    chorales = read_jsb(path, split)
    facts = facts_of(split, chorales)[:first]
    unknown = [fact.place for fact in facts if fact.transpose is None]
    if unknown and not transpose:
        what = f"{', '.join(unknown[:4])}{', ...' if len(unknown) > 4 else ''}"
        raise InputError(f'{path}: the original key of {what} is not known; use transpose=True, or source="music21"')
    return [
        _known(fact, assign_voices(chords), place, transpose)
        for fact, chords in zip(facts, chorales[:first], strict=True)
    ]


def _known(fact: Fact, pitches: NDArray[np.int16], source: str, transpose: bool) -> Chorale:
    """A chorale of the JSB set, from its pitches at tonic C."""
    up = fact.transpose
    if not transpose and up is not None:
        pitches = np.where(pitches == REST, REST, pitches - up)
    return Chorale(pitches, fact.name, source, fact.index, None if up is None else -up % 12)


def _from_scores(path: Path, split: str, first: int | None, transpose: bool) -> list[Chorale]:
    from encoding.notation import read_score, score_files

    if not path.exists():
        raise InputError(
            f'unknown source {str(path)!r}: expected "music21", "jsb", or the path of a JSB file (.json, .pkl), '
            "of a MIDI or MusicXML file or of a folder of these; there is no such file"
        )
    files = score_files(path)
    if split != "train":
        raise InputError(f'{path}: MIDI and MusicXML files form one split, "train"; got split={split!r}')
    scores = [(file, read_score(file)) for file in files[:first]]
    if transpose:
        for file, pitches in scores:
            _check_compass(file, pitches)
    return [Chorale(pitches, file.stem, str(path), index) for index, (file, pitches) in enumerate(scores)]


def _check_compass(file: Path, pitches: NDArray[np.int16]) -> None:
    outside = np.argwhere((pitches != REST) & ((pitches < LOWEST) | (pitches > HIGHEST)))
    if len(outside):
        step, voice = outside[0]
        raise InputError(
            f"{file}: expected pitches {LOWEST}..{HIGHEST}; got {pitches[step, voice]} at step {step} in voice "
            f"{'SATB'[voice]}; transpose the score, or use transpose=False to keep its key"
        )
