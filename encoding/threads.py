"""How many threads the replicas of a fast kernel run on, and the threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from encoding.errors import InputError

MOST_THREADS = 1024
T = TypeVar("T")


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


class Threads:
    """Work shared out over threads that wait for it; the one that asks works too."""

    def __init__(self) -> None:
        self._pool: tuple[int, int, ThreadPoolExecutor] | None = None

    def share(self, run: Callable[[T, int], None], items: Sequence[T]) -> None:
        """`run(item, place)` for every item; no two items have the same place at the same time.

        Places count from 0, and are as many as there are threads: `n_threads`, but no more than items. After Ctrl-C,
        which only the thread that asks hears, none begins another item; one that has begun comes to its end.
        """
        n_places, ended = self.n_places(len(items)), Event()

        def go(place: int) -> None:
            for item in items[place::n_places]:
                if ended.is_set():
                    return
                run(item, place)

        if n_places == 1:
            return go(0)
        pool = self._waiting(n_places - 1)
        shares = [pool.submit(go, place) for place in range(1, n_places)]
        try:
            go(0)
        except BaseException:
            ended.set()
            raise
        finally:
            wait(shares)
        for share in shares:
            share.result()

    @staticmethod
    def n_places(n_items: int) -> int:
        """How many places so many items are shared out over."""
        return max(1, min(n_items, n_threads()))

    def _waiting(self, n: int) -> ThreadPoolExecutor:
        """The same threads as long as their number is; a forked process has none of them."""
        if self._pool is None or self._pool[:2] != (os.getpid(), n):
            self._pool = os.getpid(), n, ThreadPoolExecutor(n, "armonica")
        return self._pool[2]
