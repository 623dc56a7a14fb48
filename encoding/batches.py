"""Batches of time slots, drawn by seed, replica and step alone: the same whoever learns beside, and on going on."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError
from encoding.randomness import Purpose, stream


class Batches(Protocol):
    """Settings that say how a batch is drawn."""

    @property
    def batch(self) -> int | None:
        """How many slots; None: all."""
        ...

    @property
    def replacement(self) -> bool:
        """Whether a slot may come twice."""
        ...


def draw(
    settings: Batches,
    n_slots: int,
    n: int,
    seed: NDArray[np.int64],
    replica: NDArray[np.int64],
    step: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Slots of the next `n` steps, (R, n, p), or all of them for the full gradient, (1, 1, n_slots).

    Args:
        settings: with the size p of a batch, and whether a slot may come twice.
        n_slots: transitions there are.
        n: steps.
        seed: of each replica, (R,).
        replica: the number of each, (R,).
        step: that each has reached, (R,): its first batch is for it.
    """
    p = settings.batch
    if p is None:
        return np.arange(n_slots)[None, None]
    drawn = np.empty((len(replica), n, p), np.int64)
    for r, ahead in np.ndindex(len(replica), n):
        rng = stream(int(seed[r]), int(replica[r]), Purpose.BATCH, int(step[r]) + ahead)
        drawn[r, ahead] = rng.integers(n_slots, size=p) if settings.replacement else rng.permutation(n_slots)[:p]
    return drawn


def check_batch(settings: Batches, n_slots: int) -> None:
    """Refuse a batch without replacement that is larger than all there is.

    Raises:
        InputError: it is.
    """
    size = settings.batch
    if size is not None and not settings.replacement and size > n_slots:
        raise InputError(f"a batch without replacement has at most the {n_slots} slots there are; got {size}")
