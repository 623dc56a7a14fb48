"""A number and its error, which travel together."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, checked_seed
from encoding.errors import shown
from encoding.given import is_number, whole

CONFIDENCE = 0.95
NORMAL = 1.959963984540054  # the quantile (1 + CONFIDENCE) / 2 of a normal number: half the interval, in errors
BOOTSTRAPS = 1000
MOST_DRAWS = 10**5  # tell the quantile of 2.5 % to 2 %; more take hours


class Fit(NamedTuple):
    """An estimate with the ends of its 95 % confidence interval; NaN at an end that cannot be told."""

    low: float
    best: float
    high: float

    def holds(self, truth: float) -> bool:
        """Whether the interval holds `truth`.

        Raises:
            InputError: that is no number.
        """
        if not is_number(truth):
            raise InputError(f"truth is a number; got {shown(truth)}")
        return bool(self.low <= truth <= self.high)

    def __str__(self) -> str:
        """To read: `64.2 (61.0 .. 67.9)`."""
        return f"{self.best:.4g} ({self.low:.4g} .. {self.high:.4g})"


UNTOLD = Fit(np.nan, np.nan, np.nan)


def quantile_fit(best: float, drawn: NDArray[np.floating]) -> Fit:
    """`best` with the central 95 % of what resampling gave.

    The ends are draws themselves. A draw at infinity lies beyond its own end, a NaN beyond either; where more than
    2.5 % lie beyond an end, that end is NaN. `UNTOLD` where `best` is not finite.
    """
    if not np.isfinite(best):
        return UNTOLD
    place = int((1 - CONFIDENCE) / 2 * len(drawn))
    unknown = np.isnan(drawn)
    low = np.sort(np.where(unknown, -np.inf, drawn))[place]
    high = np.sort(np.where(unknown, np.inf, drawn))[-1 - place]
    low, high = (float(end) if np.isfinite(end) else np.nan for end in (low, high))
    return Fit(low, float(best), high)


def mean_and_error(values: NDArray[np.floating], axis: int = -1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean over the values that are known (finite) along `axis`, and its standard error.

    NaN for a mean of nothing, and for the error of fewer than two.
    """
    known = np.isfinite(values)
    n = known.sum(axis, keepdims=True)
    mean = np.where(known, values, 0).sum(axis, keepdims=True) / np.where(n > 0, n, np.nan)
    squares = (np.where(known, values - mean, 0) ** 2).sum(axis, keepdims=True)
    error = np.sqrt(squares / np.where(n > 1, n * (n - 1), np.nan))
    return mean.squeeze(axis), error.squeeze(axis)


def mean_fit(values: NDArray[np.floating]) -> Fit:
    """Mean of independent values with Student's interval; NaN at both ends for a single one."""
    n = len(values)
    return student_fit(values.mean(), values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan, n - 1)


def resampled(
    n: int, statistic: Callable[[NDArray[np.int64]], NDArray[np.floating]], *, seed: int = 0, n_draws: int = BOOTSTRAPS
) -> NDArray[np.float64]:
    """`statistic(chosen)` for draws of n out of n with replacement (Efron 1979), (n_draws, ...).

    Raises:
        InputError: fewer than two things to draw from, no seed, or no number of draws.
    """
    n_draws = whole("n_draws", n_draws, most=MOST_DRAWS)
    if n < 2:
        raise InputError(f"a bootstrap needs at least two replicas (or points); got {n}")
    rng = np.random.Generator(np.random.Philox(key=[checked_seed(seed), n]))
    return np.array([statistic(rng.integers(n, size=n)) for _ in range(n_draws)], np.float64)


def student(n_free: float) -> float:
    """Half the 95 % interval in standard errors, if n_free numbers told the error (Student 1908); NaN below one.

    `NORMAL` for infinitely many.
    """
    from scipy.special import stdtrit

    if n_free == np.inf:
        return NORMAL
    return float(stdtrit(n_free, (1 + CONFIDENCE) / 2)) if n_free >= 1 else np.nan


def student_fit(best: float, error: float, n_free: float) -> Fit:
    """`best` +- t errors, with Student's t for an error told by n_free numbers."""
    half = student(n_free) * error
    return Fit(float(best - half), float(best), float(best + half))
