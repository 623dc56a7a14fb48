"""Where a journal lies: on a disk of this machine, one for all runs of a user, so that all that is spent adds up."""

import os
from pathlib import Path

from encoding import InputError
from encoding.files import expanded

VARIABLE = "ARMONICA_JOURNAL"
FAR = (  # file systems whose locks and syncs SQLite cannot rely on (sqlite.org/wal.html)
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "pvfs2"),
    *("fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.davfs2", "davfs", "ncpfs", "vboxsf"),
)
MOUNTS = Path("/proc/self/mountinfo")


def journal_path(path: str | os.PathLike[str] | None = None) -> Path:
    """The file of the journal: as given, or ARMONICA_JOURNAL, or in the user's data folder.

    Raises:
        InputError: on a file system of another machine, where that can be seen.
    """
    named = path if path is not None else os.environ.get(VARIABLE) or None
    if named is None:
        from platformdirs import user_data_path

        named = user_data_path("armonica") / "jobs.sqlite"
    found = expanded(named)
    kind = file_system(found)
    if kind in FAR:
        raise InputError(
            f"{found} is on {kind}, a file system of another machine, where a journal may be lost: name a file on a "
            f"local disk (--journal, or {VARIABLE})"
        )
    return found


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system that a path is on, as Linux names it; "" where it cannot be seen."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    here, best, kind = os.path.realpath(path), "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point, said = before.split()[4].replace("\\040", " "), after.split()[0]
        within = here == point or here.startswith(point.rstrip("/") + "/")
        if within and len(point) >= len(best):  # of two mounts at one place the later one is seen
            best, kind = point, said
    return kind
