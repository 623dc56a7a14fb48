"""An intent gets a job: one, whatever happens on the way.

A request without an answer has made a job, or not. Jobs are found again by their tag, in a list that may lag behind; so
before a second request the list is read until the lag has passed. What turns up beside the first is cancelled.
"""

import time
from collections.abc import Sequence
from typing import NoReturn

from encoding import InputError
from quantum.journal.books import Journal, Row
from quantum.journal.desks import Desk, NoAnswer, Patience, Refused, Seen
from quantum.journal.kept import sent
from quantum.journal.owners import boot, now
from quantum.machines.wire import ServiceFailed

WORTH = ("done", "running", "submitted", "failed", "cancelled")  # of several jobs of one intent, the first of these


def send(journal: Journal, desk: Desk, intent: str, patience: Patience) -> Row:
    """The intent with its job; nothing happens where it has one.

    Raises:
        Busy: another process is at it.
        ServiceFailed: no answer, after some tries: the same again goes on, and finds what was made.
        OSError: the journal cannot be written: no job was asked for after that.
    """
    with journal.leased(intent) as row:
        for turn in range(patience.tries):
            row = journal.row(intent)
            if row.state != "intended":
                return row
            if found := _found(journal, desk, row, patience):
                return adopt(journal, desk, row, found)
            try:
                return _post(journal, desk, row)
            except NoAnswer as error:
                said = str(error)
            except Refused as refused:
                said = str(refused)
                if not refused.later:
                    _give_up(row, f"IBM's service refuses the job: {said}")
                time.sleep(patience.pause * 2**turn)
    _give_up(row, f"no job after {patience.tries} requests: {said}")


def adopt(journal: Journal, desk: Desk, row: Row, found: Sequence[Seen]) -> Row:
    """Take the job that is furthest for the intent's, and cancel the others."""
    best = min(found, key=lambda seen: WORTH.index(seen.state)) if row.job is None else None
    if best is not None:
        row = journal.has_job(row.id, best.job)
    for seen in found:
        if seen.job != row.job:
            journal.has_extra(row.id, seen.job)
            if seen.state in ("submitted", "running"):
                desk.cancel(seen.job)
                seen = desk.look(seen.job)
        if seen.seconds is not None and seen.state in ("done", "failed", "cancelled"):
            journal.charged(seen.job, seen.seconds)
    return journal.row(row.id)


def cancel(journal: Journal, desk: Desk, intent: str, patience: Patience) -> Row:
    """End an intent: its job is cancelled, or, where none was made, the intent.

    Raises:
        InputError: it has ended already.
        ServiceFailed: no answer.
    """
    with journal.leased(intent) as row:
        if row.state == "intended":
            found = _found(journal, desk, row, patience)
            row = adopt(journal, desk, row, found) if found else journal.moved(intent, "cancelled")
    if row.state in ("done", "failed") or (row.state == "cancelled" and row.job):
        raise InputError(f"job {intent[:12]} is {row.state}: nothing is left to cancel")
    if row.job is None:
        return row
    if not desk.remote:
        return journal.moved(intent, "cancelled")  # nothing runs before its result is asked for
    desk.cancel(row.job)
    seen = desk.look(row.job)
    if seen.seconds is not None:
        journal.charged(row.job, seen.seconds)
    return row if seen.state == "done" else journal.moved(intent, seen.state, seen.reason)


def _found(journal: Journal, desk: Desk, row: Row, patience: Patience) -> list[Seen]:
    """Jobs with the intent's tag; none only once the list must know of all that was sent."""
    if not desk.remote:
        return []
    began = now()
    posted = row.posted if row.boot == boot() else began
    while True:
        asked = now()
        journal.still_there(row.id)
        if found := desk.find(row.tag):
            return found
        if not row.posts or asked >= posted + patience.lag:
            return []
        time.sleep(max(0.01, min(patience.pause, posted + patience.lag - now())))


def _post(journal: Journal, desk: Desk, row: Row) -> Row:
    """One request; what is about to happen is on the disk before it."""
    pubs = sent(journal, row.id)
    while wait := journal.about_to_post(row.id, limited=desk.remote):
        time.sleep(wait)
    return journal.has_job(row.id, desk.post(row.tag, pubs, row.bound))


def _give_up(row: Row, said: str) -> NoReturn:
    raise ServiceFailed(f"{said}; job {row.id[:12]} stays in the journal, and the same command goes on with it")
