"""Results come in: a job is looked at until it has ended, its outcomes are kept, and only then used."""

import time

from qiskit.primitives import PrimitiveResult

from quantum.journal.books import Journal, Row
from quantum.journal.desks import Desk, Patience
from quantum.journal.kept import came, sent
from quantum.journal.owners import now
from quantum.journal.packing import NoResult
from quantum.journal.sending import adopt, send
from quantum.machines.wire import ServiceFailed
from quantum.samplers import SamplerFailed

LONGEST = 60.0  # seconds between two looks


class NotYet(SamplerFailed):
    """A job has not ended: ask again later."""


class JobEnded(SamplerFailed):
    """A job failed or was cancelled: nothing will come of it."""


def collect(
    journal: Journal, desk: Desk, intent: str, patience: Patience, *, wait: float | None = None
) -> PrimitiveResult:
    """The outcomes of an intent, from the journal or, once, from where its job was.

    Args:
        journal: what is kept.
        desk: where its job is.
        intent: its id.
        patience: how long, and how often.
        wait: seconds until it must have ended; None: as long as it takes; 0: one look.

    Raises:
        NotYet: it has not.
        JobEnded: it failed, or was cancelled.
        ServiceFailed: no answer, or results that cannot be read; it can be asked for again.
    """
    began, pause = now(), patience.pause
    while True:
        row = settle(journal, desk, intent, patience)
        if row.state == "done":
            return came(journal, intent)
        if row.state in ("failed", "cancelled"):
            said = f": {row.reason}" if row.reason else ""
            raise JobEnded(f"job {row.called} {_ended(row)}{said}; --again sends another")
        left = float("inf") if wait is None else began + wait - now()
        if left <= 0:
            raise NotYet(f"job {row.called} is {row.state}; armonica collect asks again")
        time.sleep(min(pause, left))
        pause = min(2 * pause, max(LONGEST, patience.pause))


def settle(journal: Journal, desk: Desk, intent: str, patience: Patience) -> Row:
    """One look at an intent: what can be sent is sent, what has ended is kept.

    Raises:
        ServiceFailed: no answer, or results that cannot be read.
    """
    row = journal.row(intent)
    if row.state == "intended":
        row = send(journal, desk, intent, patience)
    if row.state not in ("submitted", "running") or row.job is None:
        return row
    seen = desk.look(row.job)
    if desk.remote and seen.state in ("done", "failed", "cancelled"):
        _close(journal, desk, row, seen.seconds)  # first: nobody looks again at what has ended
    return _kept(journal, desk, row) if seen.state == "done" else journal.moved(intent, seen.state, seen.reason)


def _kept(journal: Journal, desk: Desk, row: Row) -> Row:
    pubs = sent(journal, row.id)
    try:
        return journal.keep(row.id, desk.fetch(row.job or "", pubs))
    except NoResult as error:
        raise ServiceFailed(f"job {row.job} ended, with results that are none: {error}") from None


def _close(journal: Journal, desk: Desk, row: Row, seconds: float | None) -> None:
    """Write down what it cost; where more than one request was made, see whether late jobs turned up."""
    if row.job and seconds is not None:
        journal.charged(row.job, seconds)
    if row.posts > 1:
        adopt(journal, desk, row, desk.find(row.tag))


def _ended(row: Row) -> str:
    return "failed" if row.state == "failed" else "was cancelled"
