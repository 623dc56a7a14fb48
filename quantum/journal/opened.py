"""A file of SQLite that is a journal, opened so that what was written is on the disk before the next line runs."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from encoding import InputError
from quantum.journal.places import VARIABLE
from quantum.journal.tables import ALLOWED, APPLICATION, SCHEMA, UPGRADES, VERSION

PATIENCE = 30.0  # seconds that another process may hold the file
FULL = (errno.ENOSPC, errno.EDQUOT)  # no room on the disk, or none that is left of one's own


def open_journal(path: Path, *, begin: bool = True) -> sqlite3.Connection:
    """The file, made if it is not there.

    Args:
        path: the file.
        begin: whether it may be made.

    Raises:
        InputError: it is no journal, a damaged one, or one of a newer version; or there is none, and none may be made.
        OSError: it cannot be written.
    """
    _check_file(path, begin)
    with in_words(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # what it cost is nobody else's business
        held = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            _prepare(held, path)
        except BaseException:
            held.close()
            raise
        return held


def empty_journal() -> sqlite3.Connection:
    """What is read where no file has been begun: the tables, and nothing in them."""
    held = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _make(held)
    return held


def _check_file(path: Path, begin: bool) -> None:
    if path.is_dir():
        raise InputError(f"a journal is a file; {path} is a folder: name a file (--journal, or {VARIABLE})")
    try:
        empty = not begin and not path.stat().st_size
    except FileNotFoundError:
        empty = True
    if empty:
        raise InputError(f"there is no journal at {path}: submit and train begin one; --journal names another file")


def _prepare(held: sqlite3.Connection, path: Path) -> None:
    _check(held, path)
    held.execute("PRAGMA journal_mode = WAL")
    held.execute("PRAGMA synchronous = FULL")  # a commit returns when the disk has it
    held.execute("PRAGMA fullfsync = ON")  # and on a Mac really
    held.execute("PRAGMA foreign_keys = ON")
    held.execute("BEGIN IMMEDIATE")
    try:
        version = held.execute("PRAGMA user_version").fetchone()[0]
        if not version:
            _make(held)
        elif version < VERSION:
            _upgrade(held, version)
        held.execute("COMMIT")
    except BaseException:
        if held.in_transaction:
            held.execute("ROLLBACK")
        raise


def _check(held: sqlite3.Connection, path: Path) -> None:
    application, version = (held.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    empty = not held.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0]
    if application != APPLICATION and not (empty and not application and not version):
        raise InputError(f"{path} is a database, but no journal of armonica: name another file")
    if version < 0 or (application and not version):
        raise damaged(path, f"version {version}")
    if version > VERSION:
        raise InputError(
            f"{path} was written by a newer armonica (version {version} of the journal; this one knows {VERSION}): "
            "take that one, or another file"
        )


def _make(held: sqlite3.Connection) -> None:
    for statement in _statements(SCHEMA):
        held.execute(statement)
    held.executemany("INSERT INTO allowed VALUES (?, ?)", ALLOWED)
    held.execute(f"PRAGMA application_id = {APPLICATION}")
    held.execute(f"PRAGMA user_version = {VERSION}")


def _upgrade(held: sqlite3.Connection, version: int) -> None:
    for before in range(version, VERSION):
        held.execute(UPGRADES[before])
    held.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> Iterator[str]:
    """One by one, for `executescript` would end the transaction."""
    waiting = ""
    for line in script.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""


def damaged(path: Path, what: object, *, job: str = "") -> InputError:
    """What is said of a journal with contents that nobody wrote."""
    where = f"job {job[:12]}: " if job else ""
    return InputError(f"{path} is a damaged journal ({where}{what}): move it aside, or name another file")


def disk_full(path: object) -> OSError:
    """What is said of a full disk: every change of a journal is whole or is not, and is made before what follows it."""
    return OSError(
        errno.ENOSPC,
        f"the disk is full ({os.strerror(errno.ENOSPC)}); what was written before is safe, and what was sent is found "
        "again by its name: make room, and give the same command",
        path,
    )


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """What SQLite raises, as one line that names the file.

    Raises:
        InputError: no journal, a damaged one, or another process that does not let go.
        OSError: the disk is full, fails, or may not be written.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a rule of the tables: a mistake of ours
    except sqlite3.DatabaseError as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise InputError(f"{path} is held by another process for {PATIENCE:g} s: try again later") from None
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise InputError(f"{path} is no journal, or a damaged one ({error}): name another file") from None
        if code == sqlite3.SQLITE_FULL:
            raise disk_full(str(path)) from None
        number = {sqlite3.SQLITE_IOERR: errno.EIO}
        number |= {code: errno.EACCES for code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)}
        if code not in number and isinstance(error, sqlite3.OperationalError):
            raise damaged(path, error) from None  # a table or a column is gone, a text is none
        if code not in number:
            raise
        raise OSError(number[code], os.strerror(number[code]), str(path)) from None
