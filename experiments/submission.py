"""A submission on disk, `hardware/ID.json` in the run's folder: what was asked, and the weights it was asked with.

So a run that has learned on meanwhile does not change the question. ID begins the name of the first job, which is
worked out again when results are fetched; that and a digest of the whole file tell what was edited from what was sent.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.asked import later
from encoding.errors import shown
from encoding.files import replace_file
from experiments.store import Run
from quantum.jobs import Journal, Row
from quantum.machines.manner import asked_manner

RESULT = ".result.json"  # what came, beside the submission
MOST_NAMES = 4  # in a line


@dataclass(frozen=True, kw_only=True)
class Way:
    """In which manner a machine is asked, and who asks it.

    Attributes:
        twirl, decouple: see `quantum.machines.manner.asked_manner`.
        program: of IBM's, "executor" or "sampler"; "": the newer.
        account: a saved one of IBM's, by name; "": the environment's, or the default one.
        instance: CRN of what is charged; "": the account's.
    """

    twirl: str = later("")
    decouple: str = later("")
    program: str = ""
    account: str = ""
    instance: str = ""

    def options(self) -> dict[str, Any]:
        """Of the backend, but for who asks."""
        return asked_manner(self.twirl, self.decouple) | ({"program": self.program} if self.program else {})


@dataclass(frozen=True)
class Wish(Way):
    """What is to be played where.

    Attributes:
        backend: its name; `machine` the one that was found.
        shots: S, in each basis.
        chorale: number of the chorale that was learned from.
        chords: of its beginning; None: all.
        replica: which network.
        repeat: the same once more, with other shots.
    """

    backend: str
    shots: int
    chorale: int = 0
    chords: int | None = None
    replica: int = 0
    repeat: int = 0
    machine: str = ""


@dataclass(frozen=True)
class Note:
    """A submission that was read.

    Attributes:
        wish: what was asked.
        weights: of the replica, (n_weights,).
        intent: name of its first job.
    """

    wish: Wish
    weights: NDArray[np.float64]
    intent: str


def submissions(run: Run) -> list[Path]:
    """The run's submissions, by name.

    Raises:
        InputError: nothing was submitted.
    """
    paths = sorted((run.path / "hardware").glob("*.json"))
    paths = [path for path in paths if not path.name.endswith(RESULT)]
    if not paths:
        raise InputError(f"nothing of {run.path} was sent anywhere: armonica submit does")
    return paths


def submissions_named(run: Run, journal: Journal, names: Sequence[str]) -> list[Path]:
    """Those of the run's submissions whose names, or whose first jobs' names, are these or begin so; without names all.

    Raises:
        InputError: nothing was submitted, or a name of none, or of more than one.
    """
    paths, rows = submissions(run), journal.rows()
    found = [[path for path in paths if _is_named(path, rows, name)] for name in names]
    for name, some in zip(names, found, strict=True):
        if len(some) != 1:
            of = {row.about for row in rows if row.about and name and row.is_called(name)} if not some else set()
            known = ", ".join(path.stem for path in (some or paths)[:MOST_NAMES])
            more = ", ..." if len(some or paths) > MOST_NAMES else ""
            has = f"{len(some)} submissions that begin with" if some else "no submission"
            also = f" (there is a job of {', '.join(of)})" if of else ""
            raise InputError(f"{run.path} has {has} {shown(name)}{also}: {known}{more}")
    return list(dict.fromkeys(path for (path,) in found)) if names else paths


def write_note(run: Run, wish: Wish, weights: NDArray[np.floating], intent: str) -> Path:
    """Write a submission into the run's folder.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    path = run.path / "hardware" / f"{intent[:12]}.json"
    path.parent.mkdir(exist_ok=True)
    told = asdict(wish) | {"intent": intent, "weights": [float(weight) for weight in weights]}
    with replace_file(path) as file:
        file.write((json.dumps(told | {"digest": _digest(told)}) + "\n").encode())
    return path


def read_note(path: Path) -> Note:
    """A submission from its file.

    Raises:
        InputError: a file that is none, or one that was edited.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        digest = told.pop("digest", None)  # of an older armonica there is none
        whole = _digest(told)
        weights, intent = np.array(told.pop("weights"), np.float64), told.pop("intent")
        wish = Wish(**told)
        if not _is_wish(wish) or not isinstance(intent, str) or weights.ndim != 1 or not np.isfinite(weights).all():
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(f"{path} is no submission, or a damaged one: move it aside") from None
    if digest not in (None, whole):
        raise edited(path)
    return Note(wish, weights, intent)


def edited(path: Path) -> InputError:
    """What is said of a file whose question is not the one that was sent."""
    return InputError(
        f"{path} does not ask what was sent under its name: it was edited, or is of another armonica; move it "
        "aside, and armonica submit asks anew"
    )


def _is_named(path: Path, rows: Sequence[Row], name: str) -> bool:
    jobs = (row for row in rows if row.id.startswith(path.stem))  # its first one
    return bool(name) and (path.stem.startswith(name) or any(row.is_called(name) for row in jobs))


def _is_wish(wish: Wish) -> bool:
    """Whether all entries are of their kinds."""
    entries: list[tuple[Any, Any]] = [(getattr(wish, field.name), field.type) for field in fields(wish)]
    return all(isinstance(value, kind) and not isinstance(value, bool) for value, kind in entries)


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
