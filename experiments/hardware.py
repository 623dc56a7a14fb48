"""From a trained network to a machine and back: circuits of an excerpt, sent through the journal, and what came.

What was asked, and the weights it was asked with, stay in the run's folder (`experiments.submission`). Collecting sends
nothing that was not agreed to.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from encoding import Chorale, InputError
from experiments.opening import opened
from experiments.store import Run, system_of
from experiments.submission import Wish, write_note
from quantum.excerpts import Excerpt
from quantum.jobs import Journal, JournalSampler, NotYet, Price
from quantum.samplers import Sampler
from quantum.sources import chord_by_chord


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
    sampler.about, sampler.again = f"{named_run(run)}, {music_of(run, wish)}", again
    sampler.announce = lambda price: told(" with ".join(part for part in (price.words(), backend.manner) if part))
    if chord_by_chord(_checked_sequence(excerpt, wish, sampler, sequential)):
        sampler.whole = lambda first: first.times(excerpt.n_times - sampler.evaluation)
    found = replace(wish, machine=backend.name, instance=backend.instance)
    sampler.begin = lambda first: write_note(run, found, excerpt.weights, first) if not sampler.intents else None
    try:
        excerpt.shown(sampler, wish.shots)
    except NotYet:
        pass
    finally:
        backend.close()
    first = journal.row(sampler.intents[0])  # the least busy machine is another one by now
    sent = replace(wish, machine=first.machine, instance=backend.instance)
    path = write_note(run, sent, excerpt.weights, first.id)
    for intent in sampler.intents:
        row = journal.row(intent)
        job = f", job {row.job}" if row.charges else ""
        yield f"{row.id[:12]}: {row.machine}{job}, {row.state}"
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


def named_run(run: Run) -> str:
    """A run in the words of the journal."""
    return f"run {run.task['key'][:12]}"


def music_of(run: Run, wish: Wish) -> str:
    """What is played, in words."""
    again = f", repeat {wish.repeat}" if wish.repeat else ""
    return f"chorale {wish.chorale}, chords 1 to {len(piece_of(run, wish).pitches)}{again}"


def check_seconds(what: str, seconds: float | None) -> None:
    """Refuse a time that is none; None: no end.

    Raises:
        InputError: NaN, or less than 0.
    """
    if seconds is not None and not seconds >= 0:
        raise InputError(f"{what} is in seconds, at least 0; got {seconds:g}")


def _checked_sequence(excerpt: Excerpt, wish: Wish, sampler: JournalSampler, sequential: bool) -> Sampler:
    """What asks for the shots; refused, with their price, are T jobs in sequence where they were not asked for."""
    source = excerpt.source(sampler, wish.shots)
    if sequential or not chord_by_chord(source):
        return source
    price: Price = sampler.price(source.pubs_of_a_chord(), jobs=source.n_times)
    raise InputError(
        f"in the measured schedule averages over {wish.shots} shots come back from chord to chord: {price.words()}, "
        "one after the other, each waiting in the queue; --sequential sends them so, --shots 1 is one circuit"
    )
