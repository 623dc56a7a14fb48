"""The error of anything that is computed from all replicas together, by leaving out one at a time.

    sigma^2 = (R - 1)/R sum_r (theta_(-r) - mean theta_(-r))^2        (Tukey 1958; Efron & Tibshirani 1993, eq. 11.5)

with the quantile of Student's t for R - 1 degrees of freedom, for replicas are few: exact for means of normal numbers.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from experiments.observables.estimate import CONFIDENCE, Fit

Statistic = Callable[[NDArray[np.int64]], NDArray[np.floating]]


def jackknife(n_replicas: int, statistic: Statistic) -> list[Fit]:
    """Fits of the numbers `statistic(chosen)`, (k,), of all replicas; NaN ends where there is only one.

    Args:
        n_replicas: R.
        statistic: of the chosen replicas, by their numbers.
    """
    replicas = np.arange(n_replicas)
    best = np.asarray(statistic(replicas), np.float64)
    if n_replicas < 2:
        return [Fit(np.nan, float(each), np.nan) for each in best]
    without = np.array([statistic(np.delete(replicas, replica)) for replica in replicas], np.float64)
    error = np.sqrt((n_replicas - 1) * ((without - without.mean(0)) ** 2).mean(0))
    reach = student(n_replicas - 1) * error
    return [Fit(float(b - r), float(b), float(b + r)) for b, r in zip(best, reach, strict=True)]


def student(freedom: int) -> float:
    """How many standard errors hold 95 %, for an error known from so many degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
