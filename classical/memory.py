"""Whether there is room: refused before it is tried, for a process that asks for too much is killed without a word."""

import os

from encoding import InputError

GIGABYTE = 1e9


def check_room(n_bytes: float, what: str) -> None:
    """Refuse what cannot fit into the memory of this machine.

    Raises:
        InputError: more bytes are needed than there are.
    """
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return  # a system that does not say
    if n_bytes > there:
        raise InputError(
            f"{what} need about {n_bytes / GIGABYTE:.3g} GB of memory; this machine has {there / GIGABYTE:.3g} GB: "
            "ask for fewer replicas, a smaller width or batch"
        )
