"""The squared hinge for ten classes: the score of the right digit is to lie above all others by a margin.

    E = (1/10) sum_{i != y} max(0, Delta - s_y + s_i)^2                     (Weston & Watkins 1999, squared)

as torch.nn.MultiMarginLoss(p=2, margin=Delta) has it, for one image; a batch takes the mean. Barney, Winer & Galitski
(2024) call theirs the L2 multi-class hinge and give the margin; which of the hinges of that name it is they do not say.
"""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


def hinge(scores: Scores, labels: NDArray[np.int64], margin: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """E of each image, (n,), and its slopes dE/ds, (n, 10).

    Args:
        scores: of each digit, (n, 10).
        labels: the right ones, (n,).
        margin: Delta.

    >>> hinge(np.array([[0.0, 4.0, 1.0]], "f4"), np.array([1]), 5.0)
    (array([1.66666667]), array([[ 0.66666667, -2.        ,  1.33333333]]))
    """
    images, right = np.arange(len(scores)), np.asarray(scores, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # a network that has left the finite numbers is noticed later
        short = right - right[images, labels][:, None]
        short += margin
        np.maximum(short, 0, out=short)
        short[images, labels] = 0
        cost = np.vecdot(short, short) / short.shape[1]
        short *= 2 / short.shape[1]
        short[images, labels] = -short.sum(1)
    return cost, short
