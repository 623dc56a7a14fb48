"""Who learns side by side: which replicas there are, and how far each has come.

Every draw of a replica is a function of (seed, number, step): who learns beside it changes nothing.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding.batches import Batches, draw
from encoding.randomness import Purpose, checked_seed, stream
from encoding.rates import checked_replicas


class Ensemble:
    """The replicas of one system that learns.

    Attributes:
        n_replicas: R.
        replica: the number of each, (R,).
        seed: of each, (R,).
        step: that each has reached, (R,).
        stopped: the step at which each left the finite numbers, (R,); -1 where it has not.
    """

    def __init__(self, seed: int, n_replicas: int, first: int = 0) -> None:
        """None has moved.

        Args:
            seed: of all.
            n_replicas: how many.
            first: number of the first one.

        Raises:
            InputError: a seed, a count or a number that is none.
        """
        seed, first = checked_seed(seed), checked_seed(first, "first_replica")
        self.n_replicas = checked_replicas(n_replicas)
        self.replica = np.arange(first, first + self.n_replicas)
        self.seed = np.full(self.n_replicas, seed)
        self.step = np.zeros(self.n_replicas, np.int64)
        self.stopped = np.full(self.n_replicas, -1)

    @property
    def frozen(self) -> NDArray[np.bool_]:
        """Which do not move any more, (R,)."""
        return self.stopped >= 0

    def stream(self, r: int, purpose: Purpose) -> np.random.Generator:
        """What replica number `r` of these draws from at the step it has reached."""
        return stream(int(self.seed[r]), int(self.replica[r]), purpose, int(self.step[r]))

    def batches(self, settings: Batches, n_slots: int, n: int) -> NDArray[np.int64]:
        """Slots of the next `n` steps, (R, n, p), or all of them, (1, 1, n_slots): see `encoding.batches`."""
        return draw(settings, n_slots, n, self.seed, self.replica, self.step)

    def advance(self, n: int, stopped: NDArray[np.integer]) -> None:
        """`n` steps were made; `stopped` says at which of them a replica left the finite numbers, (R,), or -1."""
        self.stopped = np.where(stopped >= 0, self.step + stopped, self.stopped)
        self.step += n

    def thaw(self) -> None:
        """All move again: their weights were set anew."""
        self.stopped[:] = -1

    def reseed(self, seed: int) -> None:
        """Go on with the draws of another seed.

        Raises:
            InputError: no seed.
        """
        self.seed = np.full(self.n_replicas, checked_seed(seed))

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it, copied."""
        own = {"step": self.step, "seed": self.seed, "replica": self.replica, "frozen": self.stopped}
        return {name: array.copy() for name, array in own.items()}

    def restore(self, given: dict[str, NDArray[Any]]) -> None:
        """Go on from a `state()` that was looked at (`encoding.given.checked_state`)."""
        self.step, self.seed = given["step"], given["seed"]
        self.replica, self.stopped = given["replica"], given["frozen"]
