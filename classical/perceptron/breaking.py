"""Machines that learned the same random data fall into states within states: k steps of replica symmetry breaking.

Each layer answers its fields with a hierarchy of averages (`hierarchy`); bonds take their overlaps from what they feel
on a sphere (`bond_overlaps`), R_i(l) = alpha q_i(l-1) q_i(l) K_i(l); spins are their own answer. The levels m_i are a
grid: (i - 1/2)/k, unless others are given. As k grows the steps become Parisi's continuous q(x).

Beside the solution that begins at small overlaps there are others, where the states of some layers are frozen, q_i = 1
from a level i on: as binary weights do, spins then have isolated states, a share 1 - m_i of pairs being the same. Which
level it is is decided by s, which Parisi's solution makes smallest (`volume`); so is whether layers are frozen at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.perceptron import hierarchy
from classical.perceptron.bond_overlaps import bond_overlaps
from classical.perceptron.fixed_point import NotConverged
from classical.perceptron.layers import Shape, couplings, fields_of_spins
from classical.perceptron.profile import Profile, checked_levels, checked_problem, checked_profile
from classical.perceptron.solving import LOW, STABLE, branch, solved
from classical.perceptron.volume import entropy
from encoding import InputError
from encoding.given import flag, whole

Array = NDArray[np.float64]

FIRST_LEAST, FIRST_MOST = 0.1, 0.5  # of the first overlaps: from higher ones a state may freeze
ONE_LAYER = 2.0  # alpha at which it jams (Gardner 1988)
NEARLY = 1 - 1e-7  # overlaps that are to freeze
STATES_FROZEN = 1 - 1e-3  # q_EA(1) of frozen states is nearer to 1, that of others far less


def replica_symmetry_breaking(
    alpha: float,
    depth: int,
    levels: int | Sequence[float] | ArrayLike = 10,
    *,
    start: Profile | str = LOW,
    tolerance: float = 1e-7,
    most: int = 5000,
    open_end: bool = False,
) -> Profile:
    """Overlaps at all levels of machines that learned the same random inputs and outputs.

    Args:
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        levels: the number k of steps, or m_1 .. m_k.
        start: "low", overlaps from 0.1 to 0.5; "stable", the solution of the smallest entropy of this and those with
            frozen states that are reached from it, of the first layers or of all, which takes some 2 k times as long;
            or a solution nearby, of as many levels, whose branch is followed. What is not found within `most`
            iterations is left out of what "stable" compares.
        tolerance: of the equations, in overlaps. The averages have some 1e-6.
        most: iterations.
        open_end: q(L) = 0: one end of a machine whose middle is liquid.

    Raises:
        InputError: alpha or a depth that is none, levels out of order, or a start of another shape.
        NotConverged: no solution within `most` iterations, or layers that jam.
    """
    alpha, depth = checked_problem(alpha, depth)
    m = checked_levels(levels)
    if depth == 1 and alpha >= ONE_LAYER:
        raise NotConverged(
            f"{len(m)} steps of replica symmetry breaking at alpha = {alpha:g}, L = 1: there is no solution from the "
            f"jamming transition at {ONE_LAYER:g} on; take a smaller alpha"
        )
    shape = Shape(depth, len(m) + 1, flag("open_end", open_end))

    def update(x: Array) -> Array:
        q, bonds = shape.apart(x)
        felt = couplings(q, bonds)[: shape.n_bonds]
        answer = shape.unfolded(np.array([hierarchy.bonds(own, m).squares for own in felt]), depth)
        fields = fields_of_spins(q, bonds, answer)[: shape.n_spins]
        spins = np.array([hierarchy.spins(own, m).squares for own in fields])
        new, _ = shape.apart(shape.together(spins, bonds))
        load = (alpha * new[:-1] * new[1:] * answer)[: shape.n_bonds]
        return shape.together(spins, np.array([bond_overlaps(own, m).Q for own in load]))

    def solve(start: Profile | str) -> Profile:
        return solved(
            update,
            shape,
            branch(start, {LOW: shape.start(FIRST_LEAST, FIRST_MOST)}, shape, STABLE),
            alpha=alpha,
            m=m,
            tolerance=tolerance,
            most=most,
            what=f"{len(m)} steps of replica symmetry breaking at alpha = {alpha:g}, L = {depth}",
        )

    if isinstance(start, str) and start == STABLE:
        return _stable(solve, shape)
    return solve(start)


def frozen(profile: Profile, layers: int, level: int) -> Profile:
    """A start for a solution in which states are frozen: overlaps of the first and the last layers, from a level i on.

    Raises:
        InputError: no profile, or no such layers or level.
    """
    checked_profile("states to freeze are those", profile)
    if not len(profile.m):
        raise InputError("states to freeze are those of a profile with levels; got one without")
    depth = profile.depth
    layers = whole("the number of frozen layers", layers, most=_half(depth))
    level = whole("the level from which states are frozen", level, most=len(profile.m))
    q, bonds = profile.q.copy(), profile.Q.copy()
    ends = np.r_[:layers, depth - layers : depth]
    for overlaps, rows in ((bonds, ends), (q, np.r_[1 : layers + 1, depth - layers : depth])):
        overlaps[rows, level:] = np.maximum(overlaps[rows, level:], NEARLY)
    return replace(profile, q=q, Q=bonds)


def has_frozen_states(profile: Profile) -> bool:
    """Whether it is a solution in which the states of the first layer are frozen."""
    return bool(profile.q_ea[1] > STATES_FROZEN)


def _half(depth: int) -> int:
    """How many layers from one end there are, the other end being alike."""
    return max(depth // 2, 1)


def _stable(solve: Callable[[Profile | str], Profile], shape: Shape) -> Profile:
    """The solution of the smallest entropy, of this and those frozen from some level on, in the first layers or all."""
    low = solve(LOW)
    found = [low]
    for layers, level in product(dict.fromkeys((1, _half(shape.depth))), range(1, shape.n_levels)):
        try:
            found.append(solve(frozen(low, layers, level)))
        except NotConverged:  # no solution there
            continue
    return min(found, key=entropy)
