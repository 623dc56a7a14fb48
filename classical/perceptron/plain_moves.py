"""Monte Carlo moves as one would write them down first: change a weight, let all patterns through the whole machine.

The compiled moves (`classical.perceptron.moves`) make the same machines, to the last bit.
"""

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.bits import LARGEST
from classical.perceptron.patterns import Patterns, Weights, last_spins
from classical.perceptron.proposals import Proposals


class PlainMoves:
    """Moves of one machine at a time, in numpy."""

    name = "plain"

    def __init__(self, patterns: Patterns) -> None:
        """Moves of machines that learn these patterns."""
        self._patterns = patterns

    def begin(self, weights: Weights) -> None:
        """Nothing is remembered of a machine but its weights."""

    def wrong(self, weights: Weights, memory: None) -> int:
        """How many output spins are wrong."""
        return int((last_spins(weights, self._patterns.inputs) != self._patterns.outputs).sum())

    def go(self, weights: Weights, memory: None, given: Proposals, place: int = 0) -> None:
        """Make these moves: `weights` (L, N, N) change in place."""
        wrong, flat = self.wrong(weights, memory), weights.reshape(-1)
        for site, kick, allowed in zip(given.site, given.kick, given.allowed, strict=True):
            before = np.int32(flat[site])
            flat[site] = moved(before, kick, given.keeps)
            after = self.wrong(weights, memory)
            if after - wrong <= allowed:
                wrong = after
            else:
                flat[site] = before


def moved(weight: np.integer | Weights, kick: float | NDArray[np.float64], keeps: float) -> NDArray[np.int32]:
    """J' = c J + s x as a whole number."""
    return np.clip(np.rint(keeps * weight + kick), -LARGEST, LARGEST).astype(np.int32)
