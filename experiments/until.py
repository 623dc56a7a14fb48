"""When a run is to stop: at a time, a number of steps, or a loss."""

from dataclasses import dataclass
from math import inf
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.looks import NEAR

NUMBER = int | float | np.integer | np.floating


@dataclass(frozen=True)
class Until:
    """When to stop: at the first of these that is reached. How long is not what: a longer run goes on from a shorter.

    Attributes:
        steps: number of updates.
        time: proper time, reached by every replica that still moves.
        loss: reached, at one look, by every replica that still moves.
    """

    steps: int | None = None
    time: float | None = None
    loss: float | None = None

    def __post_init__(self) -> None:
        """Refuse a run without an end.

        Raises:
            InputError: no end, or one that is not a number >= 0.
        """
        given = {name: value for name in ("steps", "time", "loss") if (value := getattr(self, name)) is not None}
        if not given:
            raise InputError("until: give steps, time or loss; got none, and the run would never end")
        for name, value in given.items():
            number = isinstance(value, NUMBER) and not isinstance(value, bool)
            if not number or not -inf < value < inf or (name != "loss" and value < 0):
                least = "" if name == "loss" else " of at least 0"
                raise InputError(f"until: {name} is a finite number{least}; got {value!r}")
        if not isinstance(self.steps, Integral | None):
            raise InputError(f"until: steps is a whole number; got {self.steps!r}")

    def met(self, step: int, time: NDArray[np.float64], loss: NDArray[np.float64]) -> bool:
        """Whether a run is to stop: its step, and time and last looked loss of the replicas that still move."""
        if self.steps is not None and step >= self.steps:
            return True
        if not len(time):
            return False
        in_time = self.time is not None and bool((time * (1 + NEAR) >= self.time).all())
        return in_time or (self.loss is not None and bool((loss <= self.loss).all()))
