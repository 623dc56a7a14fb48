"""Records that outlive the process: in memory, or in one SQLite file.

A committed row is in the hands of the operating system, so SIGKILL loses nothing; a power cut may, which no test makes.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Ledger:
    """Records by kind and name, in the order in which they were first written; who changes several holds `lock`."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.lock = threading.RLock()
        self._rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._rows.execute("PRAGMA synchronous = OFF")
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS records"
            " (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, name TEXT, record TEXT, UNIQUE (kind, name))"
        )

    def write(self, kind: str, name: str, record: Any) -> None:
        """Write a record, or over one."""
        with self.lock:
            self._rows.execute(
                "INSERT INTO records (kind, name, record) VALUES (?, ?, ?)"
                " ON CONFLICT (kind, name) DO UPDATE SET record = excluded.record",
                (kind, name, json.dumps(record)),
            )

    def read(self, kind: str, name: str) -> Any:
        """The record, or None."""
        with self.lock:
            row = self._rows.execute("SELECT record FROM records WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        return None if row is None else json.loads(row[0])

    def every(self, kind: str) -> list[Record]:
        """All records of a kind, the oldest first."""
        with self.lock:
            rows = self._rows.execute("SELECT record FROM records WHERE kind = ? ORDER BY number", (kind,)).fetchall()
        return [json.loads(record) for (record,) in rows]

    def strike(self, kind: str, name: str) -> None:
        """Delete a record."""
        with self.lock:
            self._rows.execute("DELETE FROM records WHERE kind = ? AND name = ?", (kind, name))

    @contextmanager
    def changing(self, kind: str, name: str) -> Iterator[Record | None]:
        """A record to be changed while nobody else reads or writes; None if there is none."""
        with self.lock:
            record = self.read(kind, name)
            yield record
            if record is not None:
                self.write(kind, name, record)

    def close(self) -> None:
        with self.lock:
            self._rows.close()
