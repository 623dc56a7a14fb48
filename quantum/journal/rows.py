"""Rows of the journal, and the few sentences of SQL that are said about one; each inside somebody's transaction."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from encoding import InputError
from quantum.journal.identity import tag_of


@dataclass(frozen=True)
class Row:
    """An intent as it stands; `quantum.journal.tables` says what the entries are."""

    id: str
    task: str
    step: int
    evaluation: int
    place: str
    machine: str
    instance: str
    charges: bool
    circuits: int
    shots: int
    depth: int
    pairs: int
    estimate: float
    bound: int
    state: str
    attempt: int
    posts: int
    boot: str
    posted: float
    owner: str
    heard: float
    job: str | None
    reason: str
    made: str
    changed: str
    about: str

    @property
    def tag(self) -> str:
        """What its job is found by."""
        return tag_of(self.id, self.attempt)

    @property
    def called(self) -> str:
        """What people call it: its name at the service, or, where it has none, the beginning of its id."""
        return self.job if self.job and self.charges else self.id[:12]

    def is_called(self, beginning: str) -> bool:
        """Whether its id, or its name at the service, begins so."""
        return self.id.startswith(beginning) or (self.job or "").startswith(beginning)


PLAIN = ", ".join(Row.__dataclass_fields__)  # all but the two that are large: circuits and outcomes


def find_row(held: sqlite3.Connection, intent: str) -> Row | None:
    """The row of an intent, or None."""
    entry = held.execute(f"SELECT {PLAIN} FROM intents WHERE id = ?", (intent,)).fetchone()
    return None if entry is None else Row(*entry)


def read_row(held: sqlite3.Connection, intent: str) -> Row:
    """The row of an intent.

    Raises:
        InputError: there is none.
    """
    row = find_row(held, intent)
    if row is None:
        raise InputError(f"the journal has no job {intent[:12]}: armonica jobs lists them")
    return row


def all_rows(held: sqlite3.Connection) -> list[Row]:
    """All rows, the oldest first."""
    return [Row(*entry) for entry in held.execute(f"SELECT {PLAIN} FROM intents ORDER BY rowid")]


def add_job(held: sqlite3.Connection, intent: str, job: str, *, extra: bool) -> None:
    """A job that was made for an intent; what it may cost is set aside."""
    held.execute(
        "INSERT INTO jobs (job, intent, extra, bound) SELECT ?, id, ?, bound FROM intents WHERE id = ? "
        "ON CONFLICT (job) DO UPDATE SET intent = excluded.intent, extra = excluded.extra",
        (job, int(extra), intent),
    )


def move(held: sqlite3.Connection, intent: str, state: str, reason: str = "") -> Row:
    """Another state; what is done stays so, and a machine that queues a running job anew changes nothing."""
    before = read_row(held, intent).state
    if before not in (state, "done") and (before, state) != ("running", "submitted"):
        held.execute(
            "UPDATE intents SET state = ?, reason = ?, changed = ? WHERE id = ?",
            (state, reason, on_the_wall(), intent),
        )
    return read_row(held, intent)


def on_the_wall() -> str:
    """The time as people tell it; nothing depends on it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
