"""Whether what a fit leaves of the mean of the replicas is more than their scatter makes of it.

Looks of one run are correlated, so the number of looks says nothing about how much there is to explain. But replicas
are independent: with P, which takes away what the parameters can describe, the mean of R replicas that obey the law
leaves

    V = <(P m)^2>_looks,    <V> = tr C,    var V = 2 tr C^2,    C = P cov P / R     (cov: of a replica, from R of them)

which is close to <V> chi^2_m / m with m = 2 <V>^2 / var V (Satterthwaite 1946), while <V> itself is known from
(R - 1) m squares. V / <V> is therefore compared with F of m and (R - 1) m degrees of freedom.
"""

import numpy as np
from numpy.typing import NDArray

FEWEST = 3  # replicas: a difference of two tells no scatter
SMALL = 1e-14  # <V> of relative deviations that is rounding


def chance_of(left: NDArray[np.float64], apart: NDArray[np.float64], slopes: NDArray[np.float64]) -> float:
    """How often a true law leaves as much, or more; NaN below three replicas, or where they do not scatter.

    Args:
        left: what the fit leaves of the mean, (n,).
        apart: deviations of the replicas from their mean, (n, R).
        slopes: derivatives of the fit by its parameters, (n, k).
    """
    from scipy.special import fdtrc

    n_replicas = apart.shape[1]
    if n_replicas < FEWEST:
        return np.nan
    described = np.linalg.qr(slopes)[0]
    apart = apart - described @ (described.T @ apart)
    between = apart.T @ apart / (n_replicas * (n_replicas - 1))  # its traces are those of C
    usual, squares = float(np.trace(between)), float((between**2).sum())
    if usual <= SMALL * len(left):
        return np.nan
    freedom = usual**2 / squares
    return float(fdtrc(freedom, (n_replicas - 1) * freedom, float(left @ left) / usual))
