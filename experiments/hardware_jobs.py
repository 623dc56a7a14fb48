"""What is in the journal, in lines; and how a job is ended."""

from collections.abc import Iterator

from experiments.hardware import opened
from quantum.jobs import Journal, Row, desk_of, settle
from quantum.journal.desks import Desk, Patience
from quantum.journal.sending import cancel

WAITING = ("intended", "submitted", "running")


def job_lines(journal: Journal, *, look: bool = False) -> Iterator[str]:
    """A line a job, the oldest first, and what all have cost.

    Args:
        journal: what is listed.
        look: ask the machines about those that have not ended.

    Raises:
        ServiceFailed: no answer.
    """
    desks: dict[str, Desk] = {}
    for row in journal.rows():
        if look and row.state in WAITING[1:]:
            desk = desks.setdefault(row.machine, desk_of(opened(row.machine, awake=False)))
            yield job_line(journal, settle(journal, desk, row.id, Patience()), desk)
        else:
            yield job_line(journal, row)
    yield f"{len(journal.rows())} jobs, {journal.spent():g} s of machines used or set aside ({journal.path})"


def job_line(journal: Journal, row: Row, desk: Desk | None = None) -> str:
    """How a job stands."""
    used = journal.used(row.id) if row.job else None
    cost = "free" if not row.charges else f"some {row.estimate:.3g} s" if used is None else f"{used:g} s"
    extras = journal.extras(row.id)
    waiting = getattr(desk, "queue", lambda job: None)(row.job) if row.state == "submitted" else None
    parts = [row.id[:12], row.state, row.machine, row.job or "no job yet", f"{row.circuits} circuits"]
    parts += [f"{row.shots} shots", cost, f"number {waiting} in the queue" if waiting is not None else "", row.reason]
    parts += [f"{len(extras)} made beside it and cancelled" if extras else "", row.changed]
    return ", ".join(part for part in parts if part)


def cancel_job(journal: Journal, name: str) -> str:
    """End a job; the line that says how it stands then.

    Raises:
        InputError: there is no such job, or it has ended.
        ServiceFailed: no answer.
    """
    row = journal.named(name)
    desk = desk_of(opened(row.machine, awake=False))
    return job_line(journal, cancel(journal, desk, row.id, Patience()))
