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

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from classical.perceptron.fixed_point import NotConverged, fixed_point
from classical.perceptron.gaussian import nodes, pressure
from classical.perceptron.layers import Profile, Shape, checked_problem, couplings, fields_of_spins
from encoding import InputError

Array = NDArray[np.float64]

APART, LOW, HIGH = 0.25, 0.1, 0.5  # by which levels of a start are parted, and towards which overlaps
JAMMED = 1 - 1e-10
FAR = 300.0  # fields beyond which cosh is too large to be squared
LEAST = 1e-12  # of lambda and eps, below which all answers are those at zero


def replica_symmetric(
    alpha: float,
    depth: int,
    *,
    start: Profile | None = None,
    tolerance: float = 1e-10,
    most: int = 20000,
    open_end: bool = False,
) -> Profile:
    """Overlaps of machines that learned the same random inputs and outputs, all pairs alike.

    Args:
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        start: a solution nearby; None: all overlaps 0.5.
        tolerance: of the equations, in overlaps.
        most: iterations.
        open_end: q(L) = 0: one end of a machine whose middle is liquid.

    Raises:
        InputError: alpha or a depth that is none, or a start of another shape.
        NotConverged: no solution, as beyond alpha = 2 for one layer.

    >>> round(float(replica_symmetric(1.9, 1).Q[0, 0]), 5)
    0.97087
    """
    return _solved(alpha, depth, start, tolerance, most, _of_random, "replica symmetry", open_end)


def bayes_optimal(
    alpha: float,
    depth: int,
    *,
    start: Profile | None = None,
    tolerance: float = 1e-10,
    most: int = 20000,
    open_end: bool = False,
) -> Profile:
    """Overlaps of students with each other, and as much with their teacher: r = q, R = Q.

    Args:
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        start: a solution nearby; None: all overlaps 0.5.
        tolerance: of the equations, in overlaps.
        most: iterations.
        open_end: q(L) = 0: one end of a machine whose middle is liquid.

    Raises:
        InputError: alpha or a depth that is none, or a start of another shape.
        NotConverged: no solution within `most` iterations.

    >>> student = bayes_optimal(100, 1)
    >>> round(float(generalisation_error(student)) * 100, 3)  # alpha eps -> 0.625 (Gyorgyi & Tishby 1990)
    0.625
    """
    found = _solved(alpha, depth, start, tolerance, most, _of_teacher, "Bayes-optimal students", open_end)
    return Profile(found.alpha, found.q, found.Q, found.m, found.residual, found.n_steps, found.q_ea, found.Q[:, -1])


def generalisation_error(student: Profile) -> float:
    """The chance that one layer of a student answers otherwise than its teacher's, arccos(R)/pi, given equal inputs.

    Of the last layer; the student is a perceptron where it is the only one.

    Raises:
        InputError: a profile without a teacher.
    """
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
    z, weight = nodes(
        np.ones_like(field)
    )  # the layer, as narrow as 1/sqrt(eps), is at z = -sqrt(eps), and counts little
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


def _solved(
    alpha: float,
    depth: int,
    start: Profile | None,
    tolerance: float,
    most: int,
    bonds_of: Callable[[Array], Array],
    what: str,
    open_end: bool,
) -> Profile:
    alpha, depth = checked_problem(alpha, depth)
    shape, what = Shape(depth, 1, open_end), f"{what} at alpha = {alpha:g}, L = {depth}"
    answer, spins = (hard_core, frozen_spins) if bonds_of is _of_random else (hard_core_taught, taught_spins)

    def update(x: Array) -> Array:
        q, bonds = shape.apart(x)
        pushed = answer(couplings(q, bonds))
        load = alpha * q[:-1] * q[1:] * pushed
        return shape.together(spins(fields_of_spins(q, bonds, pushed)), bonds_of(load))

    first = shape.start() if start is None else started(start, shape)
    found = fixed_point(
        update,
        first,
        within=shape.within,
        frail=shape.frail,
        unit=shape.unit,
        tolerance=tolerance,
        most=most,
        what=what,
    )
    q, bonds = shape.apart(found.x)
    check_not_jammed(q, bonds, what)
    return Profile(alpha, q, bonds, np.zeros(0), found.residual, found.n_steps)


def check_not_jammed(q: Array, bonds: Array, what: str) -> None:
    """Refuse what looks like a solution because the overlaps cannot come nearer to 1.

    Raises:
        NotConverged: lambda = 1 in some layer, to rounding.
    """
    frozen = np.flatnonzero(couplings(q, bonds)[:, -1] > JAMMED)
    if frozen.size:
        raise NotConverged(
            f"{what}: layer {', '.join(map(str, frozen + 1))} freezes, 1 - lambda < {1 - JAMMED:.0e}: there is no "
            "solution beyond the jamming transition; take a smaller alpha"
        )


def started(start: Profile, shape: Shape) -> Array:
    """The vector of a solution that another is to be found from.

    Raises:
        InputError: it has other layers or levels.
    """
    if not isinstance(start, Profile) or (start.depth, start.q.shape[1]) != (shape.depth, shape.n_levels):
        got = f"{start.depth} and {start.q.shape[1]}" if isinstance(start, Profile) else repr(start)[:40]
        raise InputError(f"a start has {shape.depth} layers and {shape.n_levels} levels; got {got}")
    x = shape.together(start.q[1:-1], start.Q)
    return x + APART * (
        shape.start(LOW, HIGH) - x
    )  # levels that are equal, or 0, stay so, whether or not that is stable
