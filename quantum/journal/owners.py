"""Who is at a job: a process, known from all others even where its number is used again, and whether it still lives.

Clocks of the wall go backwards, and a laptop is moved through time zones. What is measured here is the time since this
machine was started, together with which start it was: both only go forwards.
"""

import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

EXPIRY = 300.0  # seconds after which an owner whose life cannot be seen is taken for dead


def boot() -> str:
    """Which start of this machine it is."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # not Linux: one second is the unit in which this is known
        return f"started {round((time.time() - time.monotonic()) / 60)}"


def now() -> float:
    """Seconds since this machine was started."""
    return time.monotonic()


@dataclass(frozen=True)
class Owner:
    """A journal that is open in a process.

    Attributes:
        pid: number of the process.
        born: when it was started, in the system's own unit; "" where that is not known.
        where: the namespace in which numbers of processes count: those of a container mean nothing outside.
        boot: start of the machine.
        mark: tells two journals of one process apart.
    """

    pid: int = field(default_factory=os.getpid)
    born: str = field(default_factory=lambda: _born(os.getpid()))
    where: str = field(default_factory=lambda: _where())
    boot: str = field(default_factory=boot)
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def words(self) -> str:
        """As it is written down."""
        return "|".join((str(self.pid), self.born, self.where, self.boot, self.mark))


def read_owner(words: str) -> Owner:
    """The owner that was written down."""
    pid, born, where, start, mark = words.split("|")
    return Owner(int(pid), born, where, start, mark)


def may_be_alive(owner: Owner, since: float) -> bool:
    """Whether somebody may still be at it.

    Args:
        owner: who it was.
        since: when it was last heard of, on the clock of `now`.
    """
    if owner.boot != boot():
        return False
    if owner.where == _where() and owner.pid != os.getpid():
        return _runs(owner.pid) and owner.born in ("", _born(owner.pid))
    return now() - since < EXPIRY  # in another container, or another journal of this process


def _runs(pid: int) -> bool:
    if sys.platform == "win32":  # a signal of 0 would end it there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return _state(pid) != "Z"  # killed, and nobody has looked at it yet


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _state(pid: int) -> str:
    return next(iter(_stat(pid)), "")


def _born(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""  # the 22nd of proc(5)


def _where() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
