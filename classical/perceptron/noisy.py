"""Students of a teacher whose data they see with errors: overlap r with the truth at input and output.

Students agree with each other at the boundaries, q(0) = q(L) = 1, and with the teacher by r(0) = r(L) = r_b. With
lambda^r(l) = r(l-1) R(l) r(l) the fields at the first level, and the pull of the teacher on bonds and spins, are

    P_0(u) = 2 N(u; 0, lambda_0) H(-lambda^r u/sqrt(lambda_0 (lambda_0 - lambda^r^2)))
    kappa  = sqrt(2/pi) int N(u; 0, lambda_0 - lambda^r^2) f_0'(u) du,      R(l) = G_1 alpha r(l-1) r(l) kappa(l)
    eta(l) = r(l-1) R(l) kappa(l) + R(l+1) r(l+1) kappa(l+1),               r(l) = <f_0'> of spins in fields of mean eta

beside the equations of `breaking`. At r_b = 1 students are as near to the teacher as to each other:
r = q, R = Q, the Bayes-optimal solution. At r_b = 0 they learn random data.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag

from classical.perceptron import hierarchy
from classical.perceptron.bond_overlaps import bond_overlaps
from classical.perceptron.fixed_point import Parts
from classical.perceptron.layers import Shape, couplings, fields_of_spins
from classical.perceptron.profile import Profile, checked_levels, checked_problem
from classical.perceptron.solving import FAR_OFF, HIGH, LIQUID, LOW, STABLE, branch, solved
from classical.perceptron.symmetric import LIQUID_START, most_probable
from encoding import InputError
from encoding.given import number

Array = NDArray[np.float64]

FIRST_LEAST, FIRST_MOST, TAUGHT = 0.2, 0.6, 0.5  # of the first overlaps, and of those with the teacher


def noisy_teacher(
    r: float,
    alpha: float,
    depth: int,
    levels: int | Sequence[float] | ArrayLike | None = None,
    *,
    start: Profile | str | None = None,
    tolerance: float = 1e-7,
    most: int = 5000,
) -> Profile:
    """Overlaps of students with each other, at all levels, and with the teacher.

        R(l) = G_1 alpha r(l-1) r(l) kappa(l),    r(l) = <f_0'> in fields of mean eta(l)    (Yoshino, seminar 2021)

    Args:
        r: overlap of the data with those of the teacher, 0 to 1.
        alpha: patterns over width, M/N.
        depth: layers of weights, L.
        levels: the number k of steps, or m_1 .. m_k; None: replica symmetry.
        start: "low", overlaps of 0.2 to 0.6; at r = 1 also "high", "liquid" and "stable", see `bayes_optimal`; or a
            solution nearby, of as many levels, with a teacher. None: "stable" at r = 1, else "low".
        tolerance: of the equations, in overlaps.
        most: iterations.

    Raises:
        InputError: r outside [0, 1], alpha or a depth that is none, levels out of order, or a start of another shape.
        NotConverged: no solution within `most` iterations, or layers that freeze.

    >>> student = noisy_teacher(0.9, 1.0, 1)
    >>> student.Q[0].round(3), student.R.round(3)
    (array([0.519]), array([0.399]))
    """
    known = number("r, the overlap of the data with the teacher's,", r, least=0, most=1)
    alpha, depth = checked_problem(alpha, depth)
    m = np.zeros(0) if levels is None else checked_levels(levels)
    layout, sure = Taught(Shape(depth, len(m) + 1), Shape(depth, 1), known), known == 1
    start = (STABLE if sure else LOW) if start is None else start

    def solve(start: Profile | str) -> Profile:
        return solved(
            lambda x: taught_update(x, layout, alpha, m),
            layout,
            layout.first(start),
            alpha=alpha,
            m=m,
            tolerance=tolerance,
            most=most,
            what=f"a teacher seen with overlap {known:g} at alpha = {alpha:g}, L = {depth}, {len(m)} steps",
            jams=not sure,
        )

    if sure and isinstance(start, str) and start == STABLE:
        return most_probable(solve, depth)
    return solve(start)


class Taught(NamedTuple):
    """How overlaps of students with each other, then those with their teacher, are laid out as one vector x.

    Attributes:
        students: with each other, at all levels.
        teacher: with the teacher, at the one level there is.
        r: of the data with the teacher's.
    """

    students: Shape
    teacher: Shape
    r: float

    def split(self, x: Array) -> tuple[Array, Array]:
        """The part of the students, and that of the teacher."""
        return x[: self.students.size], x[self.students.size :]

    def apart(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """q, (L + 1, k + 1), Q, (L, k + 1), r, (L + 1,), and R, (L,)."""
        own, its = self.split(x)
        near, with_teacher = self.teacher.apart(its, self.r)
        return *self.students.apart(own), near[:, 0], with_teacher[:, 0]

    def named(self, x: Array) -> dict[str, Array]:
        """The same, as a `Profile` calls them."""
        return dict(zip("qQrR", self.apart(x), strict=True))

    def within(self, new: Array, old: Array) -> Array:
        """`new`, brought into the region of overlaps; see `Shape`."""
        (own, its), (own_old, its_old) = self.split(new), self.split(old)
        return np.concatenate([self.students.within(own, own_old), self.teacher.within(its, its_old)])

    def unit(self, x: Array) -> Array:
        """In which residuals are measured."""
        own, its = self.split(x)
        return np.concatenate([self.students.unit(own), self.teacher.unit(its)])

    def frail(self, x: Array) -> Parts:
        """Parts that might grow: small overlaps with the teacher are of first order among themselves alone."""
        own, its = self.split(x)
        of_students, of_teacher = self.students.frail(own), self.teacher.frail(its)

        def parts(v: Array) -> Array:
            among, with_teacher = self.split(v)
            return np.asarray(block_diag(of_students(among), of_teacher(with_teacher)))

        return parts

    def first(self, start: Profile | str) -> Array:
        """First overlaps, on a branch or of a solution nearby; those with the teacher are the less, the less is known.

        Raises:
            InputError: no such branch, a solution with other layers or levels, or one without a teacher.
        """
        least = FIRST_LEAST if self.students.n_levels > 1 else FIRST_MOST
        branches = {LOW: self._alike(least, FIRST_MOST, TAUGHT * self.r)}
        if self.r == 1:
            branches |= {each: self._alike(x, x, x) for each, x in ((LIQUID, LIQUID_START), (HIGH, FAR_OFF))}
        found = branch(start, branches, self.students, *([STABLE] if self.r == 1 else []))
        if isinstance(start, str):
            return found
        if start.r is None or start.R is None:
            raise InputError("a start for students has overlaps with a teacher; got one without")
        return np.concatenate([found, self.teacher.together(start.r[1:-1, None], start.R[:, None])])

    def _alike(self, least: float, most: float, taught: float) -> Array:
        """The same overlaps in all layers."""
        return np.concatenate([self.students.start(least, most), self.teacher.start(taught, taught)])


def taught_update(x: Array, layout: Taught, alpha: float, m: Array) -> Array:
    """What all layers answer to overlaps x."""
    students, teacher, r = layout
    n = students.n_bonds
    q, bonds, near, with_teacher = layout.apart(x)
    answer, kappa = _bonds(couplings(q, bonds)[:n], (near[:-1] * with_teacher * near[1:])[:n], m)
    answer, kappa = students.unfolded(answer, len(bonds)), students.unfolded(kappa, len(bonds))
    push = with_teacher * kappa
    eta = (near[:-2] * push[:-1] + push[1:] * near[2:])[: students.n_spins]
    inner, means = _spins(fields_of_spins(q, bonds, answer)[: students.n_spins], eta, m)
    new, _ = students.apart(students.together(inner, bonds))
    known = teacher.apart(teacher.together(means, with_teacher), r)[0][:, 0]
    load, pull = (alpha * new[:-1] * new[1:] * answer)[:n], (alpha * known[:-1] * known[1:] * kappa)[:n]
    found = [bond_overlaps(own, m, its) for own, its in zip(load, pull, strict=True)]
    own = students.together(inner, np.array([one.Q for one in found]))
    return np.concatenate([own, teacher.together(means, np.array([one.R for one in found]))])


def _bonds(felt: Array, pulled: Array, m: Array) -> tuple[Array, Array]:
    """K of layers that feel lambda, (n, k + 1), and lambda^r, (n,), and their kappa, (n,)."""
    fields = [hierarchy.taught_fields(own, pull) for own, pull in zip(felt, pulled, strict=True)]
    answers = [hierarchy.bonds(own, m, there) for own, there in zip(felt, fields, strict=True)]
    return np.array([one.squares for one in answers]), hierarchy.KAPPA * np.array([one.probed for one in answers])


def _spins(spread: Array, eta: Array, m: Array) -> tuple[Array, Array]:
    """q of layers that feel eps, (n, k + 1), around eta, and their r, (n,)."""
    fields = [hierarchy.normal_fields(own[0], 1.0, mean=mean) for own, mean in zip(spread, eta, strict=True)]
    answers = [hierarchy.spins(own, m, there) for own, there in zip(spread, fields, strict=True)]
    return np.array([one.squares for one in answers]), np.array([one.mean for one in answers])
