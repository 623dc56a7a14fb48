"""What `armonica audit` prints: an encoding's table, for the notes as they are sung and for all alike.

Named encodings are audited by the command; one's own by `audit_lines` and `draw_clock`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from encoding import InputError
from encoding.audit import Audit, alike, audit, frequencies, spelled
from encoding.clock import ENCODINGS, encoding_named, of_voices
from encoding.decoding import checked_axes
from encoding.files import expanded
from encoding.qubits import Encoding
from encoding.transitions import Piece

VOICES = {"soprano": 0, "alto": 1, "tenor": 2, "bass": 3, "all": None}
FEW = 8  # lines of aliases
SAME = 1e-9


def check_words(name: str, voice: str, axes: str, path: Path) -> None:
    """See that an audit can be made and drawn, before chorales are read for it.

    Raises:
        InputError: an encoding, a voice, axes, or a place for a picture that are not there.
    """
    from experiments.figures.save import check_picture

    encoding_named(name)
    _number(voice)
    checked_axes(axes)
    check_picture(path)
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is no folder: make it, or name another place for the picture (--out)")


def audited_encoding(name: str, chorales: Sequence[Piece], voice: str) -> Encoding:
    """The encoding of a voice by name; a compass spans what that voice sings, or all voices do.

    Raises:
        InputError: a name or a voice that is not there.
    """
    number = _number(voice)
    if name != "compass":
        return of_voices(name)[0]
    pitches = np.concatenate([chorale.pitches for chorale in chorales])
    if number is not None:
        return of_voices(name, pitches)[number]
    sung = pitches[pitches >= 0]
    return ENCODINGS["compass"](int(sung.min()), int(sung.max()))


def audit_lines(
    encoding: Encoding, chorales: Sequence[Piece], voice: str = "all", *, axes: str = "ZX"
) -> Iterator[str]:
    """The table, line by line: notes as frequent as in the chorales beside all alike.

    Args:
        encoding: what is audited.
        chorales: whose notes are counted.
        voice: "soprano", "alto", "tenor", "bass" or "all".
        axes: along which shots are measured.

    Raises:
        InputError: no such voice, or notes that the encoding is not made for.
    """
    notes, share = frequencies(chorales, _number(voice))
    both = [audit(encoding, notes.tolist(), prior, axes=axes) for prior in (share, None)]
    asked = f"{len(notes)} notes of {'all voices' if voice == 'all' else 'the ' + voice}"
    yield f"{encoding.name}: {asked} in {len(chorales)} chorales, on {encoding.n_qubits} qubit(s)"
    yield _row("", "as sung", "all alike")
    for label, number in _rows(axes, encoding.n_qubits):
        yield _row(label, *(number(made) for made in both))
    if None in both[1].shots.values():
        yield from _never_lines(encoding, notes.tolist(), axes)
    yield from _alias_lines(both[0])


def _number(voice: str) -> int | None:
    if voice not in VOICES:
        raise InputError(f"voices are {', '.join(VOICES)}; got {voice!r:.40}")
    return VOICES[voice]


def _rows(axes: str, n_qubits: int) -> Iterator[tuple[str, Any]]:
    yield "names told apart", lambda made: str(made.n_names)
    yield "entropy of the notes, bits", lambda made: f"{made.note_entropy:.3f}"
    yield "entropy of the names, bits", lambda made: f"{made.name_entropy:.3f}"
    yield "information accessible, bits, at least", lambda made: f"{made.information.low:.4f}"
    yield "Holevo's bound, bits", lambda made: f"{made.information.high:.4f}"
    yield "right by chance", lambda made: f"{made.chance:.4f}"
    yield "right from one copy, at best", lambda made: f"{made.best.low:.4f}"
    for n in (1, 2, 4, 8, 16, 32, 64):
        yield f"pretty good measurement, {n} cop{'y' if n == 1 else 'ies'}", lambda made, n=n: f"{made.success[n]:.4f}"
    drawn = " (drawn)" if n_qubits * len(axes) > 2 else ""
    for error in (0.05, 0.01, 0.001):
        label = f"shots along {', '.join(axes)}, wrong in {100 * error:g} %{drawn}"
        yield label, lambda made, error=error: _shots(made.shots[error])


def _never_lines(encoding: Encoding, notes: list[int], axes: str) -> Iterator[str]:
    """Why no number of shots is enough, and what would help."""
    pairs = alike(encoding, notes, axes=axes)
    if pairs:
        first, second = map(spelled, pairs[0])
        yield f"never: along {', '.join(axes)} {len(pairs)} pairs of notes look the same, {first} and {second} first"
    if pairs and not alike(encoding, notes, axes="XYZ"):
        yield "along X, Y, Z all are told apart: --axes XYZ"


def _shots(n: int | None) -> str:
    return "never" if n is None else str(n)


def _row(label: str, *numbers: str) -> str:
    return f"{label:50}" + "".join(f"{number:>12}" for number in numbers)


def _alias_lines(made: Audit) -> Iterator[str]:
    if not made.aliases:
        yield "aliases: none"
        return
    others: dict[tuple[int, bool], list[str]] = defaultdict(list)
    for alias in made.aliases:
        others[alias.first, alias.declared].append(spelled(alias.second))
    hidden = len(made.undeclared)
    same = sum(alias.fidelity > 1 - SAME for alias in made.undeclared)
    told = f", and {same} of these can never be told apart" if same else ""
    yield f"aliases, fidelity .99 or more: {len(made.aliases)} pairs, {hidden} of them not declared{told}"
    for (first, declared), seconds in sorted(others.items(), key=lambda entry: entry[0][1])[:FEW]:
        yield f"  {spelled(first)} looks like {', '.join(seconds)}{'' if declared else ' (not declared)'}"
    if len(others) > FEW:
        yield f"  and so {len(others) - FEW} notes more"


def draw_clock(encoding: Encoding, chorales: Sequence[Piece], path: str | Path, voice: str = "all") -> None:
    """The clock of an encoding with the notes of a voice, as a picture: .png, .svg or .pdf.

    Raises:
        InputError: no such voice, notes that the encoding is not made for, or no picture's name.
    """
    from experiments.figures.clock_face import clock_face
    from experiments.figures.save import check_picture, save_figure

    path = expanded(path)
    check_picture(path)
    notes, share = frequencies(chorales, _number(voice))
    whose = f"{'all voices' if voice == 'all' else voice} of {len(chorales)} chorales"
    save_figure(clock_face(encoding, notes.tolist(), share, whose=whose), path)
