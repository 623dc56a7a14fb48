"""The journal itself: a row an intent, written and synced before anything is sent, and never taken back."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from encoding import InputError
from encoding.errors import shown
from quantum.journal.held import Held
from quantum.journal.money import Price, check_limit
from quantum.journal.opened import damaged
from quantum.journal.owners import Owner, boot, may_be_alive, now, read_owner
from quantum.journal.places import journal_path
from quantum.journal.rows import Row, add_job, all_rows, find_row, move, on_the_wall, read_row
from quantum.journal.tables import SPENT

MOST_POSTS, MINUTE = 5, 60.0  # IBM's limit: 5 requests for jobs a minute
MOST_NAMES = 4  # in a line


class Busy(InputError):
    """Another process is at this job."""


class Journal(Held):
    """A journal of jobs.

    Args:
        path: the file; None: `ARMONICA_JOURNAL`, or one in the user's data folder.
        begin: whether one is begun where there is none, by the first that is written down.

    Raises:
        InputError: the file is no journal, a damaged one, one of a newer armonica, or on another machine's disk; there
            is none, and none is to be begun.
        OSError: it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, begin: bool = True) -> None:
        super().__init__(journal_path(path), begin=begin)
        self.owner = Owner()

    def intend(self, intent: str, who: dict[str, Any], price: Price, pubs: bytes, *, limit: float) -> Row:
        """Write an intent down, or find it.

        Args:
            intent: its id.
            who: task, step, evaluation, place, machine, instance, charges, and about, for people.
            price: what it will cost.
            pubs: the circuits that will be sent.
            limit: seconds that all of the journal may cost.

        Raises:
            InputError: it would cost more than the limit leaves.
        """
        with self._changing() as rows:
            if find_row(rows, intent) is None:
                bound = check_limit(price, rows.execute(SPENT).fetchone()[0], limit) if who["charges"] else 0
                entry = who | price.counts() | {"id": intent, "bound": bound, "pubs": pubs, "state": "intended"}
                entry |= {"made": on_the_wall(), "changed": on_the_wall()}
                places = ", ".join(f":{name}" for name in entry)
                rows.execute(f"INSERT INTO intents ({', '.join(entry)}) VALUES ({places})", entry)
            return read_row(rows, intent)

    def find(self, intent: str) -> Row | None:
        """The row of an intent, or None."""
        with self._reading() as rows:
            return find_row(rows, intent)

    def row(self, intent: str) -> Row:
        """The row of an intent that is there."""
        with self._reading() as rows:
            return read_row(rows, intent)

    def rows(self, *states: str, task: str | None = None) -> list[Row]:
        """Rows in some states, or all, the oldest first."""
        with self._reading() as rows:
            found = all_rows(rows)
        return [row for row in found if (not states or row.state in states) and task in (None, row.task)]

    def named(self, beginning: str) -> Row:
        """The row whose id, or whose job's name, is this or begins so.

        Raises:
            InputError: there is none, or more than one.
        """
        found = [row for row in self.rows() if beginning and row.is_called(beginning)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise InputError(f"{self.path} has no job {shown(beginning)}: armonica jobs lists them")
        names = [row.id[:12] if row.id.startswith(beginning) else row.called for row in found[:MOST_NAMES]]
        known = ", ".join(names + ["..."] * (len(found) > MOST_NAMES))
        raise InputError(f"{len(found)} jobs begin with {shown(beginning)}: {known}; say more of the one that is meant")

    def pubs(self, intent: str) -> bytes:
        """The circuits that are sent."""
        return self._blob("pubs", intent)

    def result(self, intent: str) -> bytes:
        """The outcomes of what is done."""
        return self._blob("result", intent)

    def spent(self) -> float:
        """Seconds of machines that are charged: used, or, where that is not known yet, allowed for."""
        with self._reading() as rows:
            return float(rows.execute(SPENT).fetchone()[0])

    def used(self, intent: str) -> float | None:
        """Seconds charged for all jobs of an intent; None: not known yet."""
        with self._reading() as rows:
            seconds = [used for (used,) in rows.execute("SELECT used FROM jobs WHERE intent = ?", (intent,))]
        return None if None in seconds else float(sum(seconds))

    def extras(self, intent: str) -> list[str]:
        """Jobs that were made beside the one that counts."""
        with self._reading() as rows:
            return [job for (job,) in rows.execute("SELECT job FROM jobs WHERE intent = ? AND extra", (intent,))]

    @contextmanager
    def leased(self, intent: str) -> Iterator[Row]:
        """An intent for this process alone.

        Raises:
            Busy: another process is at it, and may be alive.
        """
        with self._changing() as rows:
            row = read_row(rows, intent)
            if row.owner and row.owner != self.owner.words() and may_be_alive(owner := self._owner(row), row.heard):
                raise Busy(f"job {intent[:12]} is being sent by process {owner.pid}: wait for it")
            rows.execute("UPDATE intents SET owner = ?, heard = ? WHERE id = ?", (self.owner.words(), now(), intent))
        try:
            yield self.row(intent)
        finally:
            self._let_go(intent)

    def about_to_post(self, intent: str, *, limited: bool) -> float:
        """Write down that a job is about to be asked for; 0, or the seconds to wait before that, and nothing written.

        Raises:
            Busy: somebody else has taken it over.
        """
        with self._changing() as rows:
            self._check_own(rows, intent)
            start, at = boot(), now()
            recent = [
                when
                for (when,) in rows.execute("SELECT at FROM posts WHERE boot = ? ORDER BY at", (start,))
                if at - when < MINUTE
            ]
            if limited and len(recent) >= MOST_POSTS:
                return MINUTE - (at - recent[-MOST_POSTS])
            if limited:
                rows.execute("DELETE FROM posts WHERE boot != ? OR at < ?", (start, at - MINUTE))
                rows.execute("INSERT INTO posts VALUES (?, ?)", (start, at))
            rows.execute(
                "UPDATE intents SET posts = posts + 1, boot = ?, posted = ?, heard = ?, changed = ? WHERE id = ?",
                (start, at, at, on_the_wall(), intent),
            )
            return 0.0

    def still_there(self, intent: str) -> None:
        """Tell others that this process is at it.

        Raises:
            Busy: somebody else has taken it over.
        """
        with self._changing() as rows:
            self._check_own(rows, intent)
            rows.execute("UPDATE intents SET heard = ? WHERE id = ?", (now(), intent))

    def has_job(self, intent: str, job: str, state: str = "submitted") -> Row:
        """A job was made for it, or found."""
        with self._changing() as rows:
            add_job(rows, intent, job, extra=False)
            rows.execute("UPDATE intents SET job = ? WHERE id = ? AND job IS NOT ?", (job, intent, job))
            return move(rows, intent, state)

    def has_extra(self, intent: str, job: str) -> None:
        """A job was made beside it, which counts only as money."""
        with self._changing() as rows:
            add_job(rows, intent, job, extra=True)

    def charged(self, job: str, seconds: float) -> None:
        """What a job has cost."""
        with self._changing() as rows:
            rows.execute("UPDATE jobs SET used = ? WHERE job = ?", (seconds, job))

    def moved(self, intent: str, state: str, reason: str = "") -> Row:
        """Another state; the tables know which may follow which. Back to where it has been is no change."""
        with self._changing() as rows:
            return move(rows, intent, state, reason)

    def keep(self, intent: str, result: bytes) -> Row:
        """The outcomes, on the disk before anybody uses them; what another process kept or cancelled first stays so."""
        with self._changing() as rows:
            if read_row(rows, intent).state not in ("done", "failed", "cancelled"):
                rows.execute(
                    "UPDATE intents SET result = ?, state = 'done', changed = ? WHERE id = ?",
                    (result, on_the_wall(), intent),
                )
            return read_row(rows, intent)

    def again(self, intent: str, *, limit: float, instance: str = "") -> Row:
        """Ask for what failed or was cancelled once more, under another tag, in this instance.

        Raises:
            InputError: it has neither failed nor been cancelled, or would cost more than the limit leaves.
        """
        with self._changing() as rows:
            row = read_row(rows, intent)
            if row.state not in ("failed", "cancelled"):
                raise InputError(f"job {intent[:12]} is {row.state}: only what failed or was cancelled is sent again")
            price = Price(1, row.circuits, row.shots, row.depth, row.pairs, row.estimate)
            bound = check_limit(price, rows.execute(SPENT).fetchone()[0], limit) if row.charges else 0
            rows.execute(
                "UPDATE intents SET state = 'intended', attempt = attempt + 1, posts = 0, job = NULL, reason = '', "
                "bound = ?, instance = ?, changed = ? WHERE id = ?",
                (bound, instance, on_the_wall(), intent),
            )
            return read_row(rows, intent)

    # Inside

    def _blob(self, what: str, intent: str) -> bytes:
        with self._reading() as rows:
            entry = rows.execute(f"SELECT {what} FROM intents WHERE id = ?", (intent,)).fetchone()
        if entry is None or entry[0] is None:
            raise InputError(f"{self.path} has no {what} of job {intent[:12]}")
        return entry[0]

    def _owner(self, row: Row) -> Owner:
        try:
            return read_owner(row.owner)
        except ValueError:
            raise damaged(self.path, "its owner is none", job=row.id) from None

    def _check_own(self, rows: sqlite3.Connection, intent: str) -> None:
        if read_row(rows, intent).owner != self.owner.words():
            raise Busy(f"job {intent[:12]} was taken over by another process")

    def _let_go(self, intent: str) -> None:
        try:
            with self._changing() as rows:
                rows.execute("UPDATE intents SET owner = '' WHERE id = ? AND owner = ?", (intent, self.owner.words()))
        except (OSError, InputError, sqlite3.Error):
            pass  # the owner dies with its process, and what went wrong before it is what matters
