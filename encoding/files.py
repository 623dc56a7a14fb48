"""Files that appear whole or not at all: written aside in the same folder, synced, then put in place by one rename."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from encoding.errors import InputError

_CANNOT_SYNC_A_FOLDER = {errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM}  # some network file systems


@contextmanager
def replace_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new binary file that takes the place of `path` when the block ends well.

        with replace_file("chorale.mid") as file:
            file.write(content)

    A reader sees the old content or the new, never half of it, even if the power fails in between. If the block raises,
    `path` is as it was and nothing is left beside it; a process killed inside the block leaves a hidden `*.part` file.
    Where `path` is a link, what it points to is replaced, and the link stays.

    Args:
        path: the file to create or replace; its folder must exist.

    Raises:
        OSError: the folder is missing or cannot be written, the disk is full, or `path` is a folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    part = target.parent / f".{secrets.token_hex(8)}.part"  # unique: two writers of one path do not mix
    file = _open_new(part, target)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(part)):
            error.filename, error.filename2 = str(target), None
        raise
    _sync_folder(target.parent)


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path, with ~ as the home folder.

    Raises:
        InputError: no path, or the home of nobody that is known.
    """
    if not isinstance(path, str | os.PathLike) or not str(path):
        raise InputError(f"a path is a text that names a file or folder; got {path!r}")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{path}: there is no such user, and no home folder of theirs; give the whole path") from None


def _open_new(part: Path, target: Path) -> BinaryIO:
    """Open `part`, naming `target` in the error, for it is the name the user knows."""
    try:
        return open(part, "xb")
    except OSError as error:
        error.filename = str(target)
        raise


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power failure, where the system can sync a folder."""
    if os.name == "nt":  # Windows cannot open a folder as a file
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC_A_FOLDER:
            raise
