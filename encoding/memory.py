"""Whether there is room: refused before it is tried, for a process that asks for too much is killed without a word."""

import os
from math import inf
from pathlib import Path

from encoding.errors import InputError

GIGABYTE = 1e9
CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")
USED = Path("/proc/self/statm")  # in pages: address space, resident, ...
REFUSED = ("can't allocate memory", "can't start new thread")  # as torch and Python say that there was none


def check_room(n_bytes: float, what: str, instead: str = "ask for fewer replicas, or a smaller size") -> None:
    """Refuse what cannot fit into the memory of this machine, beside what this process has already.

    Args:
        n_bytes: that are needed.
        what: needs them, in the plural.
        instead: what the user can do.

    Raises:
        InputError: more bytes are needed than this process may still have.
    """
    addressed, resident = _used()
    there = min(_installed() - resident, _allowed_by_limit() - addressed, _allowed_by_group() - resident)
    if n_bytes > there:
        raise InputError(
            f"{what} need about {n_bytes / GIGABYTE:.3g} GB of memory; this process may have "
            f"{max(there, 0) / GIGABYTE:.3g} GB more: {instead}"
        )


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory was refused: torch has no class of its own for that on the processor."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(said in str(error) for said in REFUSED)
    )


def _used() -> tuple[float, float]:
    """What this process has: address space and resident memory; nothing where the system does not say."""
    try:
        addressed, resident, *_ = USED.read_text().split()
        page = os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0.0, 0.0
    return float(addressed) * page, float(resident) * page


def _installed() -> float:
    """What is built in; infinite where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return inf


def _allowed_by_limit() -> float:
    """What `ulimit -v` allows."""
    try:
        import resource
    except ImportError:
        return inf
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return inf if limit == resource.RLIM_INFINITY else limit


def _allowed_by_group() -> float:
    """What the control group of a container allows."""
    try:
        said = CONTROL_GROUP.read_text().strip()
    except OSError:
        return inf
    return float(said) if said.isdigit() else inf
