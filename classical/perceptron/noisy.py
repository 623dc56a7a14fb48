"""Students of a teacher whose data they see with errors: overlap r with the truth at input and output.

Students agree with each other at the boundaries, q(0) = q(L) = 1, and with the teacher by r(0) = r(L) = r_b. With
lambda^r(l) = r(l-1) R(l) r(l) the fields at the first level, and the pull of the teacher on bonds and spins, are

    P_0(u) = 2 N(u; 0, lambda_0) H(-lambda^r u/sqrt(lambda_0 (lambda_0 - lambda^r^2)))
    kappa  = sqrt(2/pi) int N(u; 0, lambda_0 - lambda^r^2) f_0'(u) du,      R(l) = G_1 alpha r(l-1) r(l) kappa(l)
    eta(l) = r(l-1) R(l) kappa(l) + R(l+1) r(l+1) kappa(l+1),               r(l) = <f_0'> of spins in fields of mean eta

beside the equations of `breaking`. At r_b = 1 students are as near to the teacher as to each other:
r = q, R = Q, the Bayes-optimal solution. At r_b = 0 they learn random data.
"""

from collections.abc import Callable, Sequence
from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag

from classical.perceptron import hierarchy
from classical.perceptron.bond_overlaps import bond_overlaps
from classical.perceptron.fixed_point import fixed_point
from classical.perceptron.layers import Profile, Shape, checked_levels, checked_problem, couplings, fields_of_spins
from classical.perceptron.symmetric import check_not_jammed, started
from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.float64]

KAPPA = sqrt(2 / pi)
LOW, HIGH, TAUGHT = 0.2, 0.6, 0.5  # of the first overlaps, and of those with the teacher


def noisy_teacher(
    r: float,
    alpha: float,
    depth: int,
    levels: int | Sequence[float] | ArrayLike | None = None,
    *,
    start: Profile | None = None,
    tolerance: float = 1e-7,
    most: int = 5000,
) -> Profile:
    """Overlaps of students with each other, at all levels, and with the teacher.

    Args:
        r: overlap of the data with those of the teacher, 0 to 1.
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        levels: the number k of steps, or m_1 .. m_k; None: replica symmetry.
        start: a solution nearby, of as many levels, with a teacher.
        tolerance: of the equations, in overlaps.
        most: iterations.

    Raises:
        InputError: r outside [0, 1], alpha or a depth that is none, levels out of order, or a start of another shape.
        NotConverged: no solution within `most` iterations, or layers that freeze.
    """
    if isinstance(r, bool) or not isinstance(r, int | float | np.number) or not 0 <= r <= 1:
        raise InputError(f"r, the overlap of the data with the teacher's, is from 0 to 1; got {shown(r)}")
    alpha, depth = checked_problem(alpha, depth)
    m = np.zeros(0) if levels is None else checked_levels(levels)
    students, taught = Shape(depth, len(m) + 1), Shape(depth, 1)
    n = students.n_bonds

    def update(x: Array) -> Array:
        q, bonds = students.apart(x[: students.size])
        near, with_teacher = (part[:, 0] for part in taught.apart(x[students.size :], float(r)))
        felt, pulled = couplings(q, bonds)[:n], (near[:-1] * with_teacher * near[1:])[:n]
        fields = [hierarchy.taught_fields(own, pull) for own, pull in zip(felt, pulled, strict=True)]
        answers = [hierarchy.bonds(own, m, there) for own, there in zip(felt, fields, strict=True)]
        answer = students.unfolded(np.array([one.squares for one in answers]), depth)
        kappa = KAPPA * students.unfolded(np.array([one.probed for one in answers]), depth)
        push = with_teacher * kappa
        eta = (near[:-2] * push[:-1] + push[1:] * near[2:])[: students.n_spins]
        spread = fields_of_spins(q, bonds, answer)[: students.n_spins]
        spins = [
            hierarchy.spins(own, m, hierarchy.normal_fields(own[0], 1.0, mean=mean))
            for own, mean in zip(spread, eta, strict=True)
        ]
        inner, means = np.array([one.squares for one in spins]), np.array([one.mean for one in spins])
        new, _ = students.apart(students.together(inner, bonds))
        known = taught.apart(taught.together(means, with_teacher), float(r))[0][:, 0]
        load, pull = (alpha * new[:-1] * new[1:] * answer)[:n], (alpha * known[:-1] * known[1:] * kappa)[:n]
        found = [bond_overlaps(own, m, its) for own, its in zip(load, pull, strict=True)]
        own = students.together(inner, np.array([one.Q for one in found]))
        return np.concatenate([own, taught.together(means, np.array([one.R for one in found]))])

    def within(new: Array, old: Array) -> Array:
        own = students.within(new[: students.size], old[: students.size])
        return np.concatenate([own, taught.within(new[students.size :], old[students.size :])])

    def frail(x: Array) -> Callable[[Array], Array]:
        of_students, of_teacher = students.frail(x[: students.size]), taught.frail(x[students.size :])

        def parts(v: Array) -> Array:  # small overlaps with the teacher are of first order among themselves alone
            return np.asarray(block_diag(of_students(v[: students.size]), of_teacher(v[students.size :])))

        return parts

    def unit(x: Array) -> Array:
        return np.concatenate([students.unit(x[: students.size]), taught.unit(x[students.size :])])

    what = f"a teacher seen with overlap {r:g} at alpha = {alpha:g}, L = {depth}, {len(m)} steps"
    if start is None:
        low = LOW if len(m) else HIGH
        first = np.concatenate([students.start(low, HIGH), taught.start(TAUGHT * r, TAUGHT * r)])
    else:
        if start.r is None or start.R is None:
            raise InputError("a start for students has overlaps with a teacher; got one without")
        with_it = taught.together(start.r[1:-1, None], start.R[:, None])
        first = np.concatenate([started(start, students), with_it])
    found = fixed_point(update, first, within=within, frail=frail, unit=unit, tolerance=tolerance, most=most, what=what)
    q, bonds = students.apart(found.x[: students.size])
    near, with_teacher = taught.apart(found.x[students.size :], float(r))
    check_not_jammed(q, bonds, what)
    return Profile(alpha, q, bonds, m, found.residual, found.n_steps, near[:, 0], with_teacher[:, 0])
