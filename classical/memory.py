"""Whether there is room: refused before it is tried, for a process that asks for too much is killed without a word."""

import os
from math import inf
from pathlib import Path

from encoding import InputError

GIGABYTE = 1e9
CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


def check_room(n_bytes: float, what: str) -> None:
    """Refuse what cannot fit into the memory of this machine.

    Raises:
        InputError: more bytes are needed than this process may have.
    """
    there = min(_installed(), _allowed_by_limit(), _allowed_by_group())
    if n_bytes > there:
        raise InputError(
            f"{what} need about {n_bytes / GIGABYTE:.3g} GB of memory; this process may have "
            f"{there / GIGABYTE:.3g} GB: ask for fewer replicas, or a smaller size"
        )


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
