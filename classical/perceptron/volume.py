"""How much room is left: the logarithm of the volume of weights that do it, for each pattern and output.

    s = (1/alpha) sum_l (1/2) ln det Q(l) + sum_l s_Ising[q(l)] + sum_l <f_0>_bonds(l)

a number of replicas n -> 0 of them, and per replica (Yoshino 2020, with the logarithm that the slides drop). Overlaps
that solve the equations of `breaking` make it stationary. Machines of all overlaps 0 have s = -ln 2: every other
machine gives a certain answer. As the outputs are random, that is ln of the mean volume, which the mean ln, s, cannot
exceed: what does is no solution.

Students of a teacher feel him too: with R, r and the fields of `noisy`,

    (1/n) ln det(Q - R R^T) for bonds,    - eta r beside s_Ising of spins in fields of mean eta

Where there are several solutions Parisi's is the one of the smallest s on random data. Bayes-optimal students, of whom
the teacher is one, are where s is largest: there the data are most probable.
"""

import numpy as np
from numpy.typing import NDArray

from classical.perceptron import hierarchy
from classical.perceptron.hierarchy import KAPPA
from classical.perceptron.layers import couplings, fields_of_spins
from classical.perceptron.profile import Profile, checked_profile

Array = NDArray[np.float64]


def entropy(profile: Profile) -> float:
    """s of a profile, in nats per pattern and output.

        s = (1/alpha) sum_l (1/2) ln det[Q(l) - R(l)^2] + sum_l {s_Ising[q(l)] - eta(l) r(l)} + sum_l <f_0>_bonds(l)

    (Yoshino 2020; R = r = 0 where there is no teacher.)

    Raises:
        InputError: no profile, or a damaged one.

    >>> from classical.perceptron import bayes_optimal, replica_symmetric
    >>> round(entropy(replica_symmetric(2.0, 4)), 6), round(entropy(bayes_optimal(2.0, 4)), 6)  # liquid: -ln 2
    (-0.693147, -0.693147)
    """
    checked_profile("the entropy is that", profile)
    teacher = None if profile.r is None or profile.R is None else (profile.r, profile.R)
    return of_overlaps(profile.alpha, profile.q, profile.Q, profile.m, teacher)


def of_overlaps(alpha: float, q: Array, bonds: Array, m: Array, teacher: tuple[Array, Array] | None = None) -> float:
    """s of any overlaps, whether or not they solve the equations: q, (L + 1, k + 1), Q, (L, k + 1), and (r, R)."""
    r, R = teacher or (np.zeros(len(q)), np.zeros(len(bonds)))
    felt, pulled = couplings(q, bonds), r[:-1] * R * r[1:]
    fields = [hierarchy.taught_fields(own, pull) if teacher else None for own, pull in zip(felt, pulled, strict=True)]
    answers = [hierarchy.bonds(own, m, there) for own, there in zip(felt, fields, strict=True)]
    eps = fields_of_spins(q, bonds, np.array([one.squares for one in answers]))
    push = R * KAPPA * np.array([one.probed if teacher else 0.0 for one in answers])
    eta = r[:-2] * push[:-1] + push[1:] * r[2:]
    room = sum(log_determinant(own, m, its) for own, its in zip(bonds, R, strict=True)) / (2 * alpha)
    spins = sum(of_spins(*one, m) for one in zip(eps, q[1:-1], eta, r[1:-1], strict=True))
    return float(room + spins + sum(one.free for one in answers))


def of_spins(eps: Array, q: Array, eta: float, r: float, m: Array) -> float:
    """s_Ising - eta r of a layer with overlaps q, (k + 1,), and r, in fields eps, (k + 1,), around eta."""
    shares = np.diff(m, prepend=0.0, append=1.0)
    free = hierarchy.spins(eps, m, hierarchy.normal_fields(float(eps[0]), 1.0, mean=eta)).free
    return float(free - eps[-1] / 2 + (shares * eps * q).sum() / 2 - eta * r)


def log_determinant(overlaps: Array, m: Array, R: float = 0.0) -> float:
    """(1/n) ln det(Q - R^2) of a hierarchical matrix Q, n -> 0: ones on its diagonal, Q_i, (k + 1,), beside it.

    Its eigenvalues are G_i = G_(i+1) + m_i (Q_i - Q_(i-1)), G_(k+1) = 1 - Q_k, each 1/m_i - 1/m_(i-1) times, and Q_0
    adds (Q_0 - R^2)/G_1.

    >>> round(log_determinant(np.array([0.5]), np.zeros(0)), 6)  # ln(1 - Q) + Q/(1 - Q)
    0.306853
    """
    least = 1 - overlaps[-1]
    stiffness = least + np.cumsum((m * np.diff(overlaps))[::-1])[::-1]  # G_1 .. G_k
    values = np.append(stiffness, least)
    times = np.diff(1 / np.append(m, 1.0), prepend=0.0)
    return float(times @ np.log(values) + (overlaps[0] - R**2) / values[0])
