"""The exponent of a power law without an offset: the slope of ln y against ln x, with its interval.

    y ~ x^alpha:    alpha = sum_k (ln x_k - <ln x>) ln y_k / sum_k (ln x_k - <ln x>)^2

of the mean over replicas; the interval is that of leaving each replica out in turn (the jackknife), or for a single one
that of the scatter of the points around the line, as if they were independent (looks at one run are not: too narrow).
"""

import numpy as np
from numpy.typing import NDArray

from experiments.observables.estimate import Fit, student
from experiments.observables.jackknife import jackknife

Array = NDArray[np.floating]


def log_slope(x: Array, y: Array) -> Fit:
    """alpha of y (n, R) against x (n,), both positive; NaN where a mean is not."""
    rise = np.log(x) - np.log(x).mean()

    def slope(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        mean = y[:, chosen].mean(1)
        return np.array([rise @ np.log(mean) / (rise @ rise) if (mean > 0).all() else np.nan])

    fit = jackknife(y.shape[1], slope)[0]
    return fit if y.shape[1] > 1 else _from_scatter(rise, np.log(y[:, 0]), fit.best)


def _from_scatter(x: Array, y: Array, slope: float) -> Fit:
    """The interval of the slope of a line through points with independent errors; x has mean 0."""
    rest = y - y.mean() - slope * x
    freedom = len(x) - 2
    reach = student(freedom) * np.sqrt(rest @ rest / freedom / (x @ x))
    return Fit(float(slope - reach), slope, float(slope + reach))
