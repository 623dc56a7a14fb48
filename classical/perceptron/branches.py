"""Where a machine has two solutions, and which of them it is in.

Students of a teacher: beside the solution that grows out of small overlaps there is one with q close to 1 in all
layers, from some alpha on, and beyond another only that is left. In between the entropies of both tell in which of
them students are who have as long as they like (as in perceptrons with binary weights: Gyorgyi 1990); the others keep
them from it.

Random data: states of the first layers freeze. As a share 1 - m_k of pairs is then the same machine, with m_k -> 1
where it begins, the entropy does not jump, while overlaps do (as in models with random first-order transitions).
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from classical.perceptron.breaking import frozen, has_frozen_states, replica_symmetry_breaking
from classical.perceptron.fixed_point import NotConverged
from classical.perceptron.profile import Profile, checked_depth, checked_levels
from classical.perceptron.solving import HIGH, LOW, NEAR_TRANSITIONS
from classical.perceptron.symmetric import bayes_optimal, from_below
from classical.perceptron.volume import entropy
from encoding import InputError
from encoding.errors import shown

SHALLOWEST = 3  # layers, of which the middle one sees neither input nor output
BEGINS, FREEZES = 2.0, 12.0  # alpha at which two solutions are looked for first, and frozen states
STEP, LAST = 1.15, 5e4  # factor from one alpha to the next, and where that is given up
JUMP = 0.1  # of q(1), by which states freeze; levels that part, or do not yet, differ by less
APART = 1e-3  # q(1) of two solutions that are not one; at the ends of a branch they differ by .1 and more
PRECISION = 1e-4  # of the ends of a branch, relative: iteration slows down there


class Coexistence(NamedTuple):
    """alpha from which on there are two solutions, at which their entropies are equal, and from which on only one.

    `last` is infinite where there still are two at alpha = 50,000. The ends are known to a part in 10,000.
    """

    first: float
    equal: float
    last: float


def coexistence(depth: int) -> Coexistence:
    """Between which alpha students of a teacher have two solutions; from `equal` on the high one is Bayes optimal.

        s_high = s_low at `equal`                                                                    (`entropy`)

    Raises:
        InputError: a depth that is none, or less than three layers, which have one solution at any alpha.
        NotConverged: see `bayes_optimal`; or entropies are equal beyond alpha = 50,000.

    >>> [round(alpha, 1) for alpha in coexistence(3)]
    [11.5, 16.4, 27.8]
    """
    depth = checked_depth(depth)
    if depth < SHALLOWEST:
        raise InputError(f"two solutions coexist in {SHALLOWEST} layers or more; got {depth}")
    two = BEGINS
    while not _gap(two, depth):
        two *= STEP
    first = _edge(lambda alpha: _gap(alpha, depth), two / STEP, two)
    one, last = two, inf
    while one < LAST and _gap(one, depth):
        two, one = one, min(one * STEP, LAST)
    if not _gap(one, depth):
        last = _edge(lambda alpha: not _gap(alpha, depth), two, one)
    ends = first * (1 + PRECISION), min(last * (1 - PRECISION), LAST)
    if _difference(ends[1], depth) < 0:
        raise NotConverged(f"{depth} layers: entropies are equal beyond alpha = {LAST:g} only; take fewer layers")
    inside: Any = brentq(lambda alpha: _difference(alpha, depth), *ends)
    return Coexistence(first, float(inside), last)


def state_freezing(depth: int, levels: int | Sequence[float] | ArrayLike = 10, *, tolerance: float = 1e-7) -> float:
    """alpha beyond which, on random data, frozen states of the first and last layers have the smaller entropy.

        s_frozen = s_low, with q_k(1) = Q_k(1) = 1 on the frozen branch                              (`entropy`)

    It depends on m_k, near which the share of pairs begins that are the same: of 20 layers it is 53 with k = 1 and 38
    with k = 20. Deep machines, and many steps, take a minute.

    Args:
        depth: layers of weights, L.
        levels: the number k of steps, or m_1 .. m_k.
        tolerance: of the overlaps.

    Raises:
        InputError: a depth that is none, or less than three layers; levels out of order.
        NotConverged: there are no frozen states where they are looked for; see `replica_symmetry_breaking`.
    """
    depth, m = checked_depth(depth), checked_levels(levels)
    if depth < SHALLOWEST:
        raise InputError(f"states of the first layers freeze in {SHALLOWEST} layers or more; got {depth}")

    solve = partial(replica_symmetry_breaking, depth=depth, levels=m, tolerance=tolerance, most=NEAR_TRANSITIONS)

    @cache
    def less(alpha: float) -> bool:
        low = solve(alpha)
        if has_frozen_states(low):  # all there is
            return True
        high = solve(alpha, start=frozen(low, 1, len(m)))
        return high.q_ea[1] > low.q_ea[1] + JUMP and entropy(high) < entropy(low)

    above = FREEZES
    while less(above / STEP):
        above /= STEP
    while not less(above):
        above *= STEP
        if above > LAST:
            raise NotConverged(f"{depth} layers: no frozen states up to alpha = {LAST:g}")
    return _edge(less, above / STEP, above)


def continued(
    solve: Callable[..., Profile], alphas: Sequence[float], *, start: Profile | str | None = None, **options: object
) -> list[Profile]:
    """Solutions at one alpha after another, each started from the one before: a branch, as long as it goes.

    Up and down again a branch that jumps on its way shows hysteresis. A branch is followed also where it is no longer
    the stable one, from the second alpha on.

    Args:
        solve: such as `replica_symmetric` with its depth bound: called as solve(alpha, start=..., **options).
        alphas: in the order in which they are gone through.
        start: of the first; None: that of the solver.
        options: of `solve`.

    Raises:
        InputError: no solver, or alphas that are no list.
        NotConverged: see `solve`.
    """
    if not callable(solve):
        raise InputError(f"what is continued is a solver, called as solve(alpha, start=...); got {shown(solve)}")
    if isinstance(alphas, str | bytes) or not np.iterable(alphas):
        raise InputError(f"alphas come in a list; got {shown(alphas)}")
    found: list[Profile] = []
    for alpha in alphas:
        near = found[-1] if found else start
        found.append(solve(alpha, **options, **({} if near is None else {"start": near})))
    return found


def _gap(alpha: float, depth: int) -> bool:
    low, high = (_one(alpha, depth, branch) for branch in (LOW, HIGH))
    return bool(high.q_ea[1] - low.q_ea[1] > APART)


def _difference(alpha: float, depth: int) -> float:
    below = from_below(lambda branch: _one(alpha, depth, branch), depth)
    return entropy(_one(alpha, depth, HIGH)) - entropy(below)


def _one(alpha: float, depth: int, branch: str) -> Profile:
    return bayes_optimal(alpha, depth, start=branch)


def _edge(beyond: Callable[[float], bool], low: float, high: float) -> float:
    """alpha between `low` and `high` above which `beyond` holds, by halving."""
    while high > low * (1 + PRECISION):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return (low + high) / 2
