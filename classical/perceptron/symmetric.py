"""Machines whose replicas are all alike, on random data; and students who know how their teacher was made.

Random inputs and outputs, replica symmetry (Gardner 1988 for one layer; Yoshino 2020):

    Q/(1 - Q)^2 = alpha q(l-1) q(l) K(lambda),    K = 1/(1 - lambda) int Dz [G/H]^2(-sqrt(lambda/(1 - lambda)) z)
    q = int Dz tanh^2(sqrt(eps) z)

Teacher and student, Bayes optimal (a student overlaps with the teacher as with another student):

    Q/(1 - Q) = alpha q(l-1) q(l) K(lambda),   K = 2/(1 - lambda) int Dz H(x) [G/H]^2(x)
    x = -sqrt(lambda/(1 - lambda)) z
    q = int Dz tanh^2(eps + sqrt(eps) z)

with lambda and eps of `layers`. Both are iterated to a fixed point. At alpha beyond which layers freeze (lambda -> 1)
replica symmetry has no solution: alpha = 2 for one layer.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from classical.perceptron.fixed_point import NotConverged
from classical.perceptron.gaussian import nodes, pressure
from classical.perceptron.layers import Shape, couplings, fields_of_spins
from classical.perceptron.profile import Profile, checked_problem, checked_profile
from classical.perceptron.solving import FAR_OFF, HIGH, LIQUID, LOW, STABLE, branch, solved
from classical.perceptron.volume import entropy
from encoding import InputError
from encoding.given import flag

Array = NDArray[np.float64]

FAR = 300.0  # fields beyond which cosh is too large to be squared
LIQUID_START, NOTHING = 0.02, 1e-6  # overlaps from which the middle of a deep machine stays liquid if it can, and none
LEAST = 1e-12  # of lambda and eps, below which all answers are those at zero


def replica_symmetric(
    alpha: float,
    depth: int,
    *,
    start: Profile | str = LOW,
    tolerance: float = 1e-10,
    most: int = 20000,
    open_end: bool = False,
) -> Profile:
    """Overlaps of machines that learned the same random inputs and outputs, all pairs alike.

    Args:
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        start: "low", from overlaps 0.5; "liquid", from overlaps 0.02, which differ in deep machines, see `penetration`;
            or a solution nearby.
        tolerance: of the equations, in overlaps.
        most: iterations.
        open_end: q(L) = 0: one end of a machine whose middle is liquid.

    Raises:
        InputError: alpha or a depth that is none, or a start of another shape.
        NotConverged: no solution, as beyond alpha = 2 for one layer.

    >>> round(float(replica_symmetric(1.9, 1).Q[0, 0]), 5)
    0.97087
    """
    return _solver(RANDOM, alpha, depth, open_end, tolerance, most)(start)


def bayes_optimal(
    alpha: float,
    depth: int,
    *,
    start: Profile | str = STABLE,
    tolerance: float = 1e-10,
    most: int = 20000,
    open_end: bool = False,
) -> Profile:
    """Overlaps of students with each other, and as much with their teacher: r = q, R = Q.

    In three layers or more there is a second solution where alpha is large, with q close to 1: students have found all
    that their teacher hides. Of the two that of the larger entropy is Bayes optimal; see `coexistence`.

    Args:
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        start: "stable", the solution of the largest entropy, of those found within `most` iterations; "low", that
            which is reached from overlaps 0.5; "high", from overlaps near 1; "liquid", from overlaps 0.02, which is
            another than "low" in deep machines, see `penetration`; or a solution nearby, whose branch is followed as
            long as it goes.
        tolerance: of the equations, in overlaps.
        most: iterations.
        open_end: q(L) = 0: one end of a machine whose middle is liquid, as it is on the low branch; "stable" is that.

    Raises:
        InputError: alpha or a depth that is none, or a start of another shape.
        NotConverged: no solution within `most` iterations, or lambda so near 1 that rounding leaves no digits of it.

    >>> student = bayes_optimal(100, 1)
    >>> round(float(generalisation_error(student)) * 100, 3)  # alpha eps -> 0.625 (Gyorgyi & Tishby 1990)
    0.625
    >>> [round(float(bayes_optimal(20, 3, start=branch).q_ea[1]), 3) for branch in ("low", "high")]
    [0.779, 1.0]
    """
    solve = _solver(TEACHER, alpha, depth, open_end, tolerance, most)
    if isinstance(start, str) and start == STABLE:
        return solve(LOW) if open_end else most_probable(solve, depth)
    return solve(start)


def most_probable(solve: Callable[[str], Profile], depth: int) -> Profile:
    """The solution of the largest entropy."""
    return max(solve(HIGH), from_below(solve, depth), key=entropy)


def from_below(solve: Callable[[str], Profile], depth: int) -> Profile:
    """Of the solutions that students reach who have not found all, that of the larger entropy."""
    low = solve(LOW)
    if low.q_ea[depth // 2] < NOTHING:
        return low
    try:
        return max(low, solve(LIQUID), key=entropy)
    except NotConverged:  # on its long way to the first, layer by layer
        return low


def generalisation_error(student: Profile) -> float:
    """The chance that one layer of a student answers otherwise than its teacher's, arccos(R)/pi, given equal inputs.

    Of the last layer; the student is a perceptron where it is the only one.

    Raises:
        InputError: a profile without a teacher.
    """
    checked_profile("the generalisation error is that", student)
    if student.R is None:
        raise InputError("a profile without a teacher has no generalisation error: take bayes_optimal")
    return float(np.arccos(student.R[-1]) / np.pi)


def hard_core(coupling: Array) -> Array:
    """K of machines that all meet the constraint, random data."""
    wall, _, weight = _walls(coupling)
    return (weight * wall**2).sum(-1) / (1 - coupling)


def hard_core_taught(coupling: Array) -> Array:
    """K where the constraint is that of a teacher, who meets it: each side counts by its chance H(x)."""
    wall, x, weight = _walls(coupling)
    return 2 * (weight * np.exp(log_ndtr(-x)) * wall**2).sum(-1) / (1 - coupling)


def frozen_spins(field: Array) -> Array:
    """q = int Dz tanh^2(sqrt(eps) z)."""
    h, weight = _fields(field)
    return _near_one(field, (weight * np.tanh(h) ** 2).sum(-1), (weight / np.cosh(np.clip(h, -FAR, FAR)) ** 2).sum(-1))


def taught_spins(field: Array) -> Array:
    """q = int Dz tanh^2(eps + sqrt(eps) z)."""
    z, weight = nodes(np.ones_like(field))  # the layer, 1/sqrt(eps) wide, is at z = -sqrt(eps), and counts little
    h = field[..., None] + np.sqrt(field)[..., None] * z
    return _near_one(field, (weight * np.tanh(h) ** 2).sum(-1), (weight / np.cosh(np.clip(h, -FAR, FAR)) ** 2).sum(-1))


def _near_one(field: Array, q: Array, rest: Array) -> Array:
    """q, where fields are strong from 1 - q, which keeps its digits."""
    return np.where(field > 1, 1 - rest, q)


def _walls(coupling: Array) -> tuple[Array, Array, Array]:
    """G/H(x), x and the weights of int Dz, x = -sqrt(lambda/(1 - lambda)) z."""
    slope = np.sqrt(coupling / (1 - coupling))
    z, weight = nodes(1 / np.maximum(slope, LEAST))
    x = -slope[..., None] * z
    return pressure(x), x, weight


def _fields(field: Array) -> tuple[Array, Array]:
    """h = sqrt(eps) z and the weights of int Dz."""
    scale = np.sqrt(field)
    z, weight = nodes(1 / np.maximum(scale, LEAST))
    return scale[..., None] * z, weight


def _of_random(load: Array) -> Array:
    """Q/(1 - Q)^2 = load, solved so that 1 - Q keeps its digits."""
    return 1 - 2 / (1 + np.sqrt(1 + 4 * load))


def _of_teacher(load: Array) -> Array:
    return load / (1 + load)


class Rule(NamedTuple):
    """Which machines they are, and what their layers answer: K of lambda, q of eps, Q of alpha q(l-1) q(l) K."""

    name: str
    answer: Callable[[Array], Array]
    spins: Callable[[Array], Array]
    bonds: Callable[[Array], Array]


RANDOM = Rule("replica symmetry", hard_core, frozen_spins, _of_random)
TEACHER = Rule("Bayes-optimal students", hard_core_taught, taught_spins, _of_teacher)


def _solver(
    rule: Rule, alpha: float, depth: int, open_end: bool, tolerance: float, most: int
) -> Callable[[Profile | str], Profile]:
    """What solves the equations of these machines, from a start."""
    alpha, depth = checked_problem(alpha, depth)
    shape, taught = Shape(depth, 1, flag("open_end", open_end)), rule is TEACHER
    branches = {LOW: shape.start(), LIQUID: shape.start(LIQUID_START, LIQUID_START)}
    if taught and not open_end:
        branches[HIGH] = shape.start(FAR_OFF, FAR_OFF)

    def update(x: Array) -> Array:
        q, bonds = shape.apart(x)
        pushed = rule.answer(couplings(q, bonds))
        load = alpha * q[:-1] * q[1:] * pushed
        return shape.together(rule.spins(fields_of_spins(q, bonds, pushed)), rule.bonds(load))

    def solve(start: Profile | str) -> Profile:
        found = solved(
            update,
            shape,
            branch(start, branches, shape, *([STABLE] if taught else [])),
            alpha=alpha,
            m=np.zeros(0),
            tolerance=tolerance,
            most=most,
            what=f"{rule.name} at alpha = {alpha:g}, L = {depth}",
            jams=not taught,
        )
        return replace(found, r=found.q_ea, R=found.Q[:, -1]) if taught else found

    return solve
