"""How many threads the replicas of the fast kernel run on."""

import os

from encoding.errors import InputError

MOST_THREADS = 1024


def n_threads() -> int:
    """As many as ARMONICA_THREADS says, else the cores that this process may run on.

    Raises:
        InputError: ARMONICA_THREADS is no whole number from 1 to 1024.
    """
    said = os.environ.get("ARMONICA_THREADS", "")
    if not said:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (said.isascii() and said.isdecimal()) or len(said) > 9 or not 1 <= int(said) <= MOST_THREADS:
        raise InputError(f"ARMONICA_THREADS is a whole number from 1 to {MOST_THREADS}; got {said!r}")
    return int(said)
