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
from quantum.machines.manner import asked_manner
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
        twirl, decouple: see `quantum.machines.manner.asked_manner`.
        program: of IBM's, "executor" or "sampler"; "": the newer.
        account: a saved one of IBM's, by name; "": the environment's, or the default one.
        instance: CRN of what is charged; "": the account's.
    """

    backend: str
    shots: int
    chorale: int = 0
    chords: int | None = None
    replica: int = 0
    repeat: int = 0
    machine: str = ""
    twirl: str = ""
    decouple: str = ""
    program: str = ""
    account: str = ""
    instance: str = ""

    def options(self) -> dict[str, Any]:
        """Of the backend, but for who asks."""
        return asked_manner(self.twirl, self.decouple) | ({"program": self.program} if self.program else {})


def submit(
    run: Run,
    wish: Wish,
    journal: Journal,
    *,
    most_seconds: float,
    agreed: bool,
    sequential: bool = False,
    batch: bool = False,
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
        batch: jobs one after the other as a batch of IBM's, whose places in the queue are near each other.
        again: send what failed or was cancelled once more.
        told: gets the price before anything is sent.

    Raises:
        InputError: another system, no such chorale, a price that is not agreed to, above the limit, or averages that
            only jobs one after the other can give.
        ServiceFailed: no answer; the same again goes on.
    """
    excerpt = excerpt_of(run, wish)
    options: dict[str, Any] = wish.options() | ({"mode": "batch"} if batch else {})
    backend = opened(wish.backend, account=wish.account, instance=wish.instance, **options)
    wait = None if sequential else 0
    sampler = JournalSampler(
        backend, journal, task=run.task["key"], place=wish.backend, most_seconds=most_seconds, agreed=agreed, wait=wait
    ).at(wish.repeat)
    sampler.announce = lambda price: told(" with ".join(part for part in (price.words(), backend.manner) if part))
    _check_sequence(excerpt, wish, sampler, sequential)
    if again:
        sampler.again = True
    try:
        excerpt.shown(sampler, wish.shots)
    except NotYet:
        pass
    finally:
        backend.close()
    sent = replace(wish, machine=backend.name, instance=backend.instance)
    path = _note(run, sent, excerpt, sampler.intents[0])
    for intent in sampler.intents:
        row = journal.row(intent)
        yield f"{row.id[:12]}: {row.machine}, job {row.job}, {row.state}"
    yield f"{path}"


def excerpt_of(run: Run, wish: Wish, weights: Any = None) -> Excerpt:
    """The network and the chords.

    Raises:
        InputError: another system, no such chorale, or fewer than two chords.
    """
    if run.task["system"] != "quantum":
        raise InputError(f"{run.path} is a run of {run.task['system']}: circuits are those of quantum")
    system: Any = system_of(run)
    return Excerpt(system, piece_of(run, wish), replica=wish.replica, weights=weights)


def piece_of(run: Run, wish: Wish) -> Chorale:
    """The chords.

    Raises:
        InputError: no such chorale, or fewer than two chords.
    """
    chorales: list[Chorale] = run.chorales()
    if not 0 <= wish.chorale < len(chorales):
        raise InputError(f"the run learned from chorales 0 to {len(chorales) - 1}; got {wish.chorale}")
    piece = chorales[wish.chorale]
    n = len(piece.pitches) if wish.chords is None else wish.chords
    if not 2 <= n <= len(piece.pitches):
        raise InputError(f"an excerpt of {piece.name} has 2 to {len(piece.pitches)} chords; got {n}")
    return replace(piece, pitches=piece.pitches[:n])


def opened(name: str, *, awake: bool = True, account: str = "", instance: str = "", **options: Any) -> Backend:
    """The backend; simulators repeat themselves.

    Args:
        name: of the backend.
        awake: whether it is to take jobs: what is fetched or cancelled asks for no machine that is awake.
        account: see `Wish`.
        instance: see `Wish`.
        options: of the backend.

    Raises:
        InputError: an account, an instance or a batch where there is none; see `quantum.backend_named`.
    """
    if read_name(name).kind == "ibm":
        return backend_named(name, awake=awake, account=account or None, instance=instance or None, **options)
    if awake and (account or instance or "mode" in options):
        what = "an account" if account else "an instance" if instance else "a batch"
        raise InputError(f"{name} is on this computer, and has no use for {what}: leave it out, or take ibm:NAME")
    return backend_named(name, seed=SEED, **options)


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


def read_note(path: Path) -> tuple[Wish, Any]:
    """A submission: what was asked, and the weights it was asked with.

    Raises:
        InputError: a file that is none.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        weights = np.array(told.pop("weights"), np.float64)
        told.pop("intent")
        return Wish(**told), weights
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError(f"{path} is no submission, or a damaged one: move it aside") from None
