"""Machines that learned the same random data fall into states within states: k steps of replica symmetry breaking.

Each layer answers its fields with a hierarchy of averages (`hierarchy`); bonds take their overlaps from what they feel
on a sphere (`bond_overlaps`), R_i(l) = alpha q_i(l-1) q_i(l) K_i(l); spins are their own answer. The levels m_i are a
grid: (i - 1/2)/k, unless others are given. As k grows the steps become Parisi's continuous q(x).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.perceptron import hierarchy
from classical.perceptron.bond_overlaps import bond_overlaps
from classical.perceptron.layers import Profile, Shape, checked_levels, checked_problem, couplings, fields_of_spins
from classical.perceptron.solving import solved, started

Array = NDArray[np.float64]

LOW, HIGH = 0.1, 0.5  # of the first overlaps: from higher ones a state may freeze into a solution of its own


def replica_symmetry_breaking(
    alpha: float,
    depth: int,
    levels: int | Sequence[float] | ArrayLike = 10,
    *,
    start: Profile | None = None,
    tolerance: float = 1e-7,
    most: int = 5000,
    open_end: bool = False,
) -> Profile:
    """Overlaps at all levels of machines that learned the same random inputs and outputs.

    Args:
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        levels: the number k of steps, or m_1 .. m_k.
        start: a solution nearby, of as many levels; None: overlaps from 0.1 to 0.5.
        tolerance: of the equations, in overlaps. The averages have some 1e-6.
        most: iterations.
        open_end: q(L) = 0: one end of a machine whose middle is liquid.

    Raises:
        InputError: alpha or a depth that is none, levels out of order, or a start of another shape.
        NotConverged: no solution within `most` iterations, or layers that freeze.
    """
    alpha, depth = checked_problem(alpha, depth)
    m = checked_levels(levels)
    shape = Shape(depth, len(m) + 1, open_end)

    def update(x: Array) -> Array:
        q, bonds = shape.apart(x)
        felt = couplings(q, bonds)[: shape.n_bonds]
        answer = shape.unfolded(np.array([hierarchy.bonds(own, m).squares for own in felt]), depth)
        fields = fields_of_spins(q, bonds, answer)[: shape.n_spins]
        spins = np.array([hierarchy.spins(own, m).squares for own in fields])
        new, _ = shape.apart(shape.together(spins, bonds))
        load = (alpha * new[:-1] * new[1:] * answer)[: shape.n_bonds]
        return shape.together(spins, np.array([bond_overlaps(own, m).Q for own in load]))

    what = f"{len(m)} steps of replica symmetry breaking at alpha = {alpha:g}, L = {depth}"
    first = shape.start(LOW, HIGH) if start is None else started(start, shape)
    return solved(update, shape, first, alpha=alpha, m=m, tolerance=tolerance, most=most, what=what)
