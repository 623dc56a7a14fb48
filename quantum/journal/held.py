"""The file of a journal as everybody holds it: one change at a time, each on the disk when it ends.

Every change is one transaction that begins by locking the file (BEGIN IMMEDIATE), so that of two processes one comes
second and sees what the first has done. A file that is not there is made by the first change, not before: what is
refused leaves none behind.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Self

from quantum.journal.opened import empty_journal, in_words, open_journal


class Held:
    """A file of SQLite that is open, or will be made.

    Args:
        path: the file.
        begin: whether it may be made, by the first change.

    Raises:
        InputError: the file is no journal, or one of a newer armonica.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, *, begin: bool = True) -> None:
        self.path: Path = path
        self._lock, self._begun = RLock(), not begin or path.exists()
        self._held = open_journal(path, begin=begin) if self._begun else empty_journal()

    def begin(self) -> None:
        """Make the file, if it is not there.

        Raises:
            InputError: it is no journal, or one of a newer armonica.
            OSError: it cannot be written.
        """
        with self._lock:
            if not self._begun:
                nothing, self._held, self._begun = self._held, open_journal(self.path), True
                nothing.close()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes beside; on the disk when it ends."""
        with self._lock, in_words(self.path):
            self.begin()
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
            if not self._begun and self.path.exists():  # another process has begun it
                self.begin()
            yield self._held

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._begun = True  # and is not opened again
            self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_held"):
            self._held.close()
