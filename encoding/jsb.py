"""The JSB chorales: Bach's chorales quarter by quarter, each step the set of pitches that sound.

A public file without a licence (Boulanger-Lewandowski et al. 2012; from github.com/czhuang/JSB-Chorales-dataset): the
splits train, valid and test, each a list of chorales, each a list of steps, each a list of at most four MIDI pitches.
It exists as JSON and as pickle; `encoding/unpickling.py` reads the pickle without running it.
"""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from encoding.cache import cache_folder
from encoding.errors import InputError
from encoding.facts import Fact, chorale_facts
from encoding.files import expanded, replace_file
from encoding.pianoroll import HIGHEST, LOWEST
from encoding.unpickling import read_pickle
from encoding.voices import N_VOICES

URL = "https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master/jsb-chorales-quarter.json"
SHA256 = "2db9329f1881a1d3f49703ec556bf1d6f84b4f6c1d702c156536e93cf31e1c91"
TIMEOUT = 20  # seconds without an answer
LARGEST = 4_000_000  # bytes; the file has a tenth of that

Chords = list[list[int]]

log = logging.getLogger("armonica")


def read_jsb(path: Path, split: str) -> list[Chords]:
    """The chorales of a split: at each step the pitches that sound, rising and each once.

    Raises:
        InputError: the file is missing, broken or of another schema, or a chorale breaks the rules above, and where.
    """
    splits = _read(path)
    if not isinstance(splits, dict) or not isinstance(splits.get(split), list | tuple):
        got = _named(splits, split) if isinstance(splits, dict) else f"a {type(splits).__name__}"
        raise InputError(f"{path}: expected a list of chorales named {split!r}; got {got}")
    if not splits[split]:
        raise InputError(f"{path}: expected chorales in {split}; got none")
    return [_chorale(chorale, f"{path}: {split} {index}") for index, chorale in enumerate(splits[split])]


def _named(splits: dict[Any, Any], split: str) -> str:
    """What a file has instead of a list called `split`."""
    if split in splits:
        return f"{split} as a {type(splits[split]).__name__}"
    names = ", ".join(name[:40] for name in list(map(str, splits))[:5])
    return f"the splits {names}{', ...' if len(splits) > 5 else ''}" if splits else "no split"


def facts_of(split: str, chorales: Sequence[Chords]) -> list[Fact]:
    """The facts of the chorales if this is the JSB set (all lengths of the split agree), else their lengths only."""
    facts = chorale_facts(split)
    if [fact.n_steps for fact in facts] == [len(chords) for chords in chorales]:
        return list(facts)
    return [Fact(split, index, len(chords)) for index, chords in enumerate(chorales)]


def jsb_file() -> Path:
    """The JSB file: the one that ARMONICA_JSB names, else the one in the cache, fetched if it is not there.

    Raises:
        InputError: it could not be fetched, or what came is not the file that is known.
    """
    named = os.environ.get("ARMONICA_JSB")
    if named:
        return expanded(named)
    path = cache_folder() / "jsb-chorales-quarter.json"
    if not (path.is_file() and _digest(path.read_bytes()) == SHA256):
        _fetch(path)
    return path


def _fetch(path: Path) -> None:
    """Fetch the public file once, and keep it only if its fingerprint is the one expected."""
    from urllib.request import urlopen

    log.info("fetching %s", URL)
    advice = "set ARMONICA_JSB to a copy of jsb-chorales-quarter.json"
    try:
        with urlopen(URL, timeout=TIMEOUT) as answer:
            content = answer.read(LARGEST)
    except Exception as error:  # URLError, HTTPException, TimeoutError, ssl.SSLError ...
        raise InputError(f"the JSB file could not be fetched from {URL} ({error}); {advice}") from error
    if _digest(content) != SHA256:
        raise InputError(f"expected SHA-256 {SHA256[:12]}... from {URL}; got {_digest(content)[:12]}...; {advice}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as file:
        file.write(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> Any:
    """What the file holds, JSON or pickle by its ending."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the JSB file cannot be read ({error.strerror}); check the path") from error
    if path.suffix.lower() in (".pkl", ".pickle"):
        return read_pickle(content, path)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected JSON; {error}; is the file complete?") from error


def _chorale(chorale: Any, where: str) -> Chords:
    if not isinstance(chorale, list | tuple):
        raise InputError(f"{where}: expected a list of steps; got {_short(chorale)}")
    if len(chorale) < 2:
        raise InputError(f"{where}: expected at least 2 steps; got {len(chorale)}")
    return [_chord(chord, f"{where}, step {step}") for step, chord in enumerate(chorale)]


def _chord(chord: Any, where: str) -> list[int]:
    if not isinstance(chord, list | tuple):
        raise InputError(f"{where}: expected a list of pitches; got {_short(chord)}")
    pitches = sorted({_pitch(pitch, where) for pitch in chord})
    if len(pitches) > N_VOICES:
        raise InputError(f"{where}: expected at most {N_VOICES} pitches, one a voice; got {len(pitches)}: {pitches}")
    return pitches


def _pitch(pitch: Any, where: str) -> int:
    if not isinstance(pitch, int) or isinstance(pitch, bool):
        raise InputError(f"{where}: expected whole numbers as pitches; got {_short(pitch)}")
    if not LOWEST <= pitch <= HIGHEST:
        raise InputError(f"{where}: expected pitches {LOWEST}..{HIGHEST}; got {pitch}")
    return pitch


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
