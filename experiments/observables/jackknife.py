"""The error of anything that is computed from all replicas together, by leaving out one at a time.

    sigma^2 = (R - 1)/R sum_r (theta_(-r) - mean theta_(-r))^2        (Tukey 1958; Efron & Tibshirani 1993, eq. 11.5)

with the quantile of Student's t for R - 1 degrees of freedom, for replicas are few: exact for means of normal numbers.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from experiments.observables.estimate import Fit, student_fit

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
    return [student_fit(each, spread, n_replicas - 1) for each, spread in zip(best, error, strict=True)]
