"""Overlaps of weights on a sphere that are pushed apart, level by level.

A layer of bonds, |J|^2 = N, feels R_i at level i. With 1/G the stiffness,

    Q_0 = R_0 G_1^2 + R^2,   Q_i - Q_(i-1) = (R_i - R_(i-1)) G_i G_(i+1),   1/G_(i+1) = 1/G_i + m_i (R_i - R_(i-1))

and G_1 is such that Q_k = 1 - G_(k+1), the sphere. R = G_1 T is the overlap with a teacher who pulls with T; 0 without.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Array = NDArray[np.float64]

LEAST = 1e-16  # of G_1
PRECISION = 1e-30  # of it: relative to G_1 brentq knows no other end than rounding


class BondOverlaps(NamedTuple):
    """Q_i, (k + 1,); the stiffness G_i, i = 1 .. k + 1; the overlap R with the teacher."""

    Q: Array
    G: Array
    R: float


def bond_overlaps(load: Array, m: Array, pull: float = 0.0) -> BondOverlaps:
    """Q_i from R_i, (k + 1,), m, (k,), and the pull T of a teacher.

    >>> bond_overlaps(np.array([2.0]), np.zeros(0)).Q  # Q/(1 - Q)^2 = 2
    array([0.5])
    """
    if not np.isfinite(load).all():  # of averages that overflowed: whoever iterates sees it and ends
        nothing = np.full(len(load), np.nan)
        return BondOverlaps(nothing, nothing, np.nan)
    rises = np.maximum(np.diff(load), 0.0)
    stiffer = np.concatenate([[0.0], np.cumsum(m * rises)])

    def at(first: float) -> BondOverlaps:
        g = 1 / (1 / first + stiffer)
        teacher = first * pull
        steps = np.concatenate([[load[0] * first**2 + teacher**2], rises * g[:-1] * g[1:]])
        return BondOverlaps(np.cumsum(steps), g, teacher)

    def on_the_sphere(first: float) -> BondOverlaps:
        found = at(first)
        found.Q[-1] = 1 - found.G[-1]  # the sum of the steps has the rounding of 1
        return found

    def beyond_the_sphere(first: float) -> float:
        found = at(first)
        return found.Q[-1] + found.G[-1] - 1

    if beyond_the_sphere(1.0) <= 0:  # nothing pushes: Q = 0, G = 1
        return at(1.0)
    least = min(LEAST, 0.5 / np.sqrt(1 + load[-1] + pull**2))  # where Q_k < 1/4: from R_k and T, for no G exceeds G_1
    root: Any = brentq(beyond_the_sphere, least, 1.0, xtol=PRECISION)
    return on_the_sphere(root)
