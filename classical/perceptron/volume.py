"""How much room is left: the logarithm of the volume of weights that do it, for each pattern and output.

    s = (1/alpha) sum_l (1/2) ln det Q(l) + sum_l s_Ising[q(l)] + sum_l <f_0>_bonds(l)

a number of replicas n -> 0 of them, and per replica (Yoshino 2020, with the logarithm that the slides drop). Overlaps
that solve the equations of `breaking` make it stationary. Machines of all overlaps 0 have s = -ln 2: every other
machine gives a certain answer. As the outputs are random, that is ln of the mean volume, which the mean ln, s, cannot
exceed: what does is no solution.

Where there are several solutions Parisi's is the one of the smallest s.
"""

import numpy as np
from numpy.typing import NDArray

from classical.perceptron import hierarchy
from classical.perceptron.layers import Profile, couplings, fields_of_spins
from encoding import InputError

Array = NDArray[np.float64]


def entropy(profile: Profile) -> float:
    """s of a profile on random data, in nats per pattern and output.

        s = (1/alpha) sum_l (1/2) ln det Q(l) + sum_l s_Ising[q(l)] + sum_l <f_0>_bonds(l)                (Yoshino 2020)

    Raises:
        InputError: a profile with a teacher.

    >>> from classical.perceptron import replica_symmetric
    >>> round(entropy(replica_symmetric(2.0, 4)), 6)  # liquid: -ln 2
    -0.693147
    """
    if profile.r is not None or profile.R is not None:
        raise InputError("the entropy is that of random data; got a profile with a teacher")
    return of_overlaps(profile.alpha, profile.q, profile.Q, profile.m)


def of_overlaps(alpha: float, q: Array, bonds: Array, m: Array) -> float:
    """s of any overlaps q, (L + 1, k + 1), and Q, (L, k + 1), whether or not they solve the equations."""
    answers = [hierarchy.bonds(felt, m) for felt in couplings(q, bonds)]
    fields = fields_of_spins(q, bonds, np.array([one.squares for one in answers]))
    shares = np.diff(m, prepend=0.0, append=1.0)
    walls = sum(one.free for one in answers)
    spins = sum(
        hierarchy.spins(own, m).free - own[-1] / 2 + (shares * own * here).sum() / 2
        for own, here in zip(fields, q[1:-1], strict=True)
    )
    return float(walls + spins + sum(log_determinant(own, m) for own in bonds) / (2 * alpha))


def log_determinant(overlaps: Array, m: Array) -> float:
    """(1/n) ln det of a hierarchical matrix, n -> 0: ones on its diagonal, Q_i, (k + 1,), beside it.

    Its eigenvalues are G_i = G_(i+1) + m_i (Q_i - Q_(i-1)), G_(k+1) = 1 - Q_k, each 1/m_i - 1/m_(i-1) times, and Q_0
    adds Q_0/G_1.

    >>> round(log_determinant(np.array([0.5]), np.zeros(0)), 6)  # ln(1 - Q) + Q/(1 - Q)
    0.306853
    """
    least = 1 - overlaps[-1]
    stiffness = least + np.cumsum((m * np.diff(overlaps))[::-1])[::-1]  # G_1 .. G_k
    values = np.append(stiffness, least)
    times = np.diff(1 / np.append(m, 1.0), prepend=0.0)
    return float(times @ np.log(values) + overlaps[0] / values[0])
