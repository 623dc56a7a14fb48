"""From a trained network to a machine and back: circuits of an excerpt, sent through the journal, and what came.

A submission is a file in the run's folder, `hardware/ID.json`: what was asked, and the weights it was asked with, so
that a run that has learned on meanwhile does not change the question. Collecting sends nothing that was not agreed to.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from encoding import Chorale, InputError
from encoding.files import replace_file
from experiments.store import Run, system_of
from quantum.backends import Backend, backend_named
from quantum.excerpts import Excerpt
from quantum.jobs import Journal, JournalSampler, NotYet, Price
from quantum.journal.packing import unpack_pubs, unpack_result
from quantum.machines.names import read_name
from quantum.sources import chord_by_chord

SEED = 0  # of simulators; a machine takes none


@dataclass(frozen=True)
class Wish:
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


def submit(
    run: Run,
    wish: Wish,
    journal: Journal,
    *,
    most_seconds: float,
    agreed: bool,
    sequential: bool = False,
    again: bool = False,
    told: Callable[[str], None] = print,
) -> Iterator[str]:
    """Send the circuits of an excerpt; lines that say what was sent.

    Args:
        run: of a quantum network.
        wish: what is to be played where.
        journal: where it is written down.
        most_seconds: of machines, of all of the journal.
        agreed: to the price.
        sequential: averages of a chord are waited for before the next one is sent, where the schedule needs it.
        again: send what failed or was cancelled once more.
        told: gets the price before anything is sent.

    Raises:
        InputError: another system, no such chorale, a price that is not agreed to, above the limit, or averages that
            only jobs one after the other can give.
        ServiceFailed: no answer; the same again goes on.
    """
    excerpt, backend = excerpt_of(run, wish), opened(wish.backend)
    wait = None if sequential else 0
    sampler = JournalSampler(
        backend, journal, task=run.task["key"], place=wish.backend, most_seconds=most_seconds, agreed=agreed, wait=wait
    ).at(wish.repeat)
    sampler.announce = lambda price: told(price.words())
    _check_sequence(excerpt, wish, sampler, sequential)
    if again:
        sampler.again = True
    try:
        excerpt.shown(sampler, wish.shots)
    except NotYet:
        pass
    path = _note(run, replace(wish, machine=backend.name), excerpt, sampler.intents[0])
    for intent in sampler.intents:
        row = journal.row(intent)
        yield f"{row.id[:12]}: {row.machine}, job {row.job}, {row.state}"
    yield f"{path}"


def collect(run: Run, journal: Journal, *, wait: float | None = 0) -> Iterator[str]:
    """Fetch what has come of the run's submissions; a line each, NLL beside that of exact averages.

    Args:
        run: whose submissions.
        journal: where they are written down.
        wait: seconds for each; None: as long as it takes.

    Raises:
        InputError: nothing was submitted, or a file that is no submission.
        ServiceFailed: no answer.
    """
    paths = sorted((run.path / "hardware").glob("*.json"))
    paths = [path for path in paths if not path.name.endswith(".result.json")]
    if not paths:
        raise InputError(f"nothing of {run.path} was sent anywhere: armonica submit does")
    for path in paths:
        yield _collected(run, path, journal, wait)


def excerpt_of(run: Run, wish: Wish, weights: Any = None) -> Excerpt:
    """The network and the chords.

    Raises:
        InputError: another system, no such chorale, or fewer than two chords.
    """
    if run.task["system"] != "quantum":
        raise InputError(f"{run.path} is a run of {run.task['system']}: circuits are those of quantum")
    chorales: list[Chorale] = run.chorales()
    if not 0 <= wish.chorale < len(chorales):
        raise InputError(f"the run learned from chorales 0 to {len(chorales) - 1}; got {wish.chorale}")
    piece = chorales[wish.chorale]
    n = len(piece.pitches) if wish.chords is None else wish.chords
    if not 2 <= n <= len(piece.pitches):
        raise InputError(f"an excerpt of {piece.name} has 2 to {len(piece.pitches)} chords; got {n}")
    system: Any = system_of(run)
    return Excerpt(system, replace(piece, pitches=piece.pitches[:n]), replica=wish.replica, weights=weights)


def opened(name: str, *, awake: bool = True) -> Backend:
    """The backend; simulators repeat themselves. What is fetched or cancelled asks for no machine that is awake."""
    return backend_named(name, awake=awake) if read_name(name).kind == "ibm" else backend_named(name, seed=SEED)


def _check_sequence(excerpt: Excerpt, wish: Wish, sampler: JournalSampler, sequential: bool) -> None:
    """Refuse T jobs in sequence where they were not asked for, with their price."""
    source = excerpt.source(sampler, wish.shots)
    if sequential or not chord_by_chord(source):
        return
    price: Price = sampler.price(source.pubs_of_a_chord(), jobs=source.n_times)
    raise InputError(
        f"in the measured schedule averages over {wish.shots} shots come back from chord to chord: {price.words()}, "
        "one after the other, each waiting in the queue; --sequential sends them so, --shots 1 is one circuit"
    )


def _note(run: Run, wish: Wish, excerpt: Excerpt, intent: str) -> Path:
    """Write the submission into the run's folder."""
    path = run.path / "hardware" / f"{intent[:12]}.json"
    path.parent.mkdir(exist_ok=True)
    told = asdict(wish) | {"intent": intent, "weights": [float(weight) for weight in excerpt.weights]}
    with replace_file(path) as file:
        file.write((json.dumps(told) + "\n").encode())
    return path


def _collected(run: Run, path: Path, journal: Journal, wait: float | None) -> str:
    wish, weights = _read(path)
    excerpt = excerpt_of(run, wish, weights)
    sampler = JournalSampler(
        opened(wish.machine, awake=False), journal, task=run.task["key"], place=wish.backend, most_seconds=0, wait=wait
    ).at(wish.repeat)
    name = f"{path.stem}: {wish.machine}, chorale {wish.chorale}, {excerpt.n_times} chords, {wish.shots} shots"
    try:
        features = excerpt.shown(sampler, wish.shots)
    except NotYet as error:
        return f"{name}: {error}"
    results = [unpack_result(journal.result(one), unpack_pubs(journal.pubs(one))) for one in sampler.intents]
    found, exact = excerpt.estimate(features, results, wish.shots), excerpt.exact()
    told = {"nll": found.value, "error": found.error, "exact": excerpt.nll(exact), "features": features.tolist()}
    told |= {"exact_features": exact.tolist(), "jobs": [journal.row(one).job for one in sampler.intents]}
    with replace_file(path.with_suffix(".result.json")) as file:
        file.write((json.dumps(told) + "\n").encode())
    bar = "" if found.error is None else f" +- {found.error:.2g}"
    return f"{name}: NLL {found.value:.5f}{bar}, with exact averages {told['exact']:.5f} (bits per unit and step)"


def _read(path: Path) -> tuple[Wish, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        weights = np.array(told.pop("weights"), np.float64)
        told.pop("intent")
        return Wish(**told), weights
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError(f"{path} is no submission, or a damaged one: move it aside") from None
