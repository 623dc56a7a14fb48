"""The file of a journal as everybody holds it: one change at a time, each on the disk when it ends.

Every change is one transaction that begins by locking the file (BEGIN IMMEDIATE), so that of two processes one comes
second and sees what the first has done.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Self

from quantum.journal.opened import in_words, open_journal


class Held:
    """A file of SQLite that is open.

    Args:
        path: the file.
        begin: whether it may be made.

    Raises:
        InputError: the file is no journal, or one of a newer armonica.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, *, begin: bool = True) -> None:
        self.path: Path = path
        self._lock, self._held = RLock(), open_journal(path, begin=begin)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes beside; on the disk when it ends."""
        with self._lock, in_words(self.path):
            self._held.execute("BEGIN IMMEDIATE")
            try:
                yield self._held
                self._held.execute("COMMIT")
            except BaseException:
                if self._held.in_transaction:
                    self._held.execute("ROLLBACK")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Rows as they are, for one thread at a time."""
        with self._lock, in_words(self.path):
            yield self._held

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_held"):
            self._held.close()
