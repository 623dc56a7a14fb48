"""What is in the journal, in lines; and how a job is ended.

Nothing here plays a network, so neither torch nor PennyLane is loaded.
"""

from collections.abc import Iterator

from encoding.errors import counted
from experiments.opening import opened, unused
from quantum.jobs import Journal, Row, desk_of, settle
from quantum.journal.desks import Desk, Patience
from quantum.journal.sending import cancel

WAITING = ("submitted", "running")


def job_lines(journal: Journal, *, look: bool = False, account: str = "", instance: str = "") -> Iterator[str]:
    """A line a job, the oldest first, and what all have cost.

    Args:
        journal: what is listed.
        look: ask the machines about those that have not ended; nothing is computed here.
        account: a saved one of IBM's; "": the environment's, or the default one.
        instance: CRN; "": that which each was sent for.

    Raises:
        ServiceFailed: no answer.
    """
    desks: dict[tuple[str, str], Desk] = {}
    rows = journal.rows()
    for row in rows:
        if look and row.charges and row.state in WAITING:  # what is of this computer is made by who collects it
            where = row.machine, instance or row.instance
            if where not in desks:
                desks[where] = desk_of(opened(where[0], awake=False, account=account, instance=where[1]))
            desk = desks[where]
            yield job_line(journal, settle(journal, desk, row.id, Patience()), desk)
        else:
            yield job_line(journal, row)
    if (account or instance) and not desks:
        yield unused(account, instance)
    yield f"{counted(len(rows), 'job')}, {journal.spent():g} s of machines used or set aside ({journal.path})"


def job_line(journal: Journal, row: Row, desk: Desk | None = None) -> str:
    """How a job stands."""
    used = journal.used(row.id) if row.job else None
    cost = "free" if not row.charges else f"some {row.estimate:.3g} s" if used is None else f"{used:g} s"
    extras = journal.extras(row.id)
    waiting = getattr(desk, "queue", lambda job: None)(row.job) if row.state == "submitted" else None
    parts = [row.id[:12], row.state, row.machine, (row.job or "no job yet") if row.charges else "", _of(row)]
    parts += [counted(row.circuits, "circuit"), counted(row.shots, "shot"), cost]
    parts += [f"number {waiting} in the queue" if waiting is not None else "", row.reason]
    parts += ["made when it is collected" if row.state == "submitted" and not row.charges else ""]
    parts += [f"{len(extras)} made beside it and cancelled" if extras else "", _minute(row.changed)]
    return ", ".join(part for part in parts if part)


def _of(row: Row) -> str:
    """Run, music and step; of what nobody described, the key of its task."""
    about = row.about or f"task {row.task[:12]}, step {row.step}"
    return f"{about}, job {row.evaluation + 1}" if row.evaluation else about


def _minute(changed: str) -> str:
    """When, as far as people ask.

    >>> _minute("2026-11-22T00:50:53+00:00")
    '2026-11-22 00:50 UTC'
    """
    return f"{changed[:16].replace('T', ' ')} UTC"


def cancel_job(journal: Journal, name: str, *, account: str = "", instance: str = "") -> str:
    """End a job; the line that says how it stands then.

    Raises:
        InputError: there is no such job, or it has ended.
        ServiceFailed: no answer.
    """
    row = journal.named(name)
    desk = desk_of(opened(row.machine, awake=False, account=account, instance=instance or row.instance))
    line = job_line(journal, cancel(journal, desk, row.id, Patience()))
    return f"{line} ({unused(account, instance)})" if (account or instance) and not row.charges else line
