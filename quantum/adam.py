"""Adam, for circuits that gradient flow takes too long to learn (Kingma & Ba, arXiv:1412.6980).

    m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2,   w <- w - eta m^ / (sqrt(v^) + eps)

with m^ = m / (1 - b1^t), v^ = v / (1 - b2^t), b1 = .9, b2 = .999, eps = 1e-8. eta is the length of a step for every
weight, not a time: sum of eta is no proper time of gradient flow.
"""

import numpy as np
from numpy.typing import NDArray

BETA = 0.9, 0.999
EPSILON = 1e-8


class Adam:
    """What is remembered of the gradients of every replica.

    Attributes:
        past: m and v, (R, 2, n_weights).
        moved: steps since the start, (R,).
    """

    def __init__(self, n_replicas: int, n_weights: int, precision: str) -> None:
        """Nothing remembered."""
        self.past = np.zeros((n_replicas, 2, n_weights), precision)
        self.moved = np.zeros(n_replicas, np.int64)

    def forget(self) -> None:
        """Begin again, as if nothing had been seen."""
        self.past, self.moved = np.zeros_like(self.past), np.zeros_like(self.moved)

    def direction(self, r: int, gradient: NDArray[np.floating]) -> NDArray[np.floating]:
        """What replica `r` goes down in place of its gradient, (n_weights,)."""
        self.moved[r] += 1
        hats = []
        for past, beta, power in zip(self.past[r], BETA, (1, 2), strict=True):
            past[:] = beta * past + (1 - beta) * gradient**power
            hats.append(past / (1 - beta ** int(self.moved[r])))
        return hats[0] / (np.sqrt(hats[1]) + EPSILON)
