"""The error of anything that is computed from all replicas together, by leaving out one at a time.

    sigma^2 = (R - 1)/R sum_r (theta_(-r) - mean theta_(-r))^2        (Tukey 1958; Efron & Tibshirani 1993, eq. 11.5)

with the quantile of Student's t for R - 1 degrees of freedom, for replicas are few: exact for means of normal numbers.
What is not linear in means has a bias of order 1/R, which the same numbers tell (Quenouille 1956).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.observables.estimate import Fit, student_fit

Statistic = Callable[[NDArray[np.int64]], NDArray[np.floating]]


def jackknife(n_replicas: int, statistic: Statistic, *, unbiased: bool = False) -> list[Fit]:
    """Fits of the numbers `statistic(chosen)`, (k,), of all replicas; NaN ends where there is only one.

    Args:
        n_replicas: R.
        statistic: of the chosen replicas, by their numbers.
        unbiased: less the bias of order 1/R.
    """
    replicas = np.arange(n_replicas)
    best = np.asarray(statistic(replicas), np.float64)
    if n_replicas < 2:
        return [Fit(np.nan, float(each), np.nan) for each in best]
    without = np.array([statistic(np.delete(replicas, replica)) for replica in replicas], np.float64)
    corrected, error = left_out(best, without, axis=0)
    best = corrected if unbiased else best
    return [student_fit(each, spread, n_replicas - 1) for each, spread in zip(best, error, strict=True)]


def left_out(
    best: ArrayLike, without: NDArray[np.floating], *, axis: int = -1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """R theta - (R - 1) mean theta_(-r), without the bias of order 1/R, and the standard error.

    Args:
        best: theta, of all.
        without: theta_(-r), the replicas along `axis`.
        axis: of the replicas.
    """
    n = without.shape[axis]
    bias = (n - 1) * (without.mean(axis) - best)
    return np.asarray(best - bias, np.float64), np.asarray(np.sqrt((n - 1) * without.var(axis)), np.float64)
