"""P(q): how the overlaps between replicas are distributed.

One peak says that all replicas fell into one state (or into states equally far from each other), a broad P(q) that
the states are of many degrees of likeness, as under broken replica symmetry (Parisi 1983).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from experiments.observables.estimate import BOOTSTRAPS, CONFIDENCE, Fit, quantile_fit, resampled
from experiments.observables.given import finite_numbers

GAUSSIAN = 1.96  # standard deviations on either side: 95 %
SAME = 1e-9  # overlaps closer than this share of the largest are one


class OverlapDistribution(NamedTuple):
    """P(q) of the pairs of different replicas.

    Attributes:
        edges: of the bins, (n_bins + 1,).
        density: P(q), normalised to 1, (n_bins,).
        low: lower end of its 95 % interval, (n_bins,); NaN where it cannot be told.
        high: the upper end, (n_bins,).
        mean: of q over the pairs.
        deviation: its standard deviation over the pairs.
    """

    edges: NDArray[np.float64]
    density: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: Fit
    deviation: Fit


def overlap_distribution(
    q: ArrayLike, *, bins: int | Sequence[float] | NDArray[np.floating] = 20, seed: int = 0, n_draws: int = BOOTSTRAPS
) -> OverlapDistribution:
    """Distribution of the overlaps between different replicas, with errors.

        P(q) = 2 / (R (R - 1)) sum_{a<b} delta(q - q_ab)

    Pairs that share a replica are not independent. So replicas are drawn with replacement, and pairs of a replica with
    its own copy are left out. Where pairs are independent all the same (overlaps that only scatter, as of replicas in
    one state), the interval is too wide, by up to sqrt(3); it is never too narrow for that reason. Two or three
    replicas have no interval: NaN.

    Args:
        q: overlaps, (R, R), symmetric; the diagonal is not used.
        bins: their number between the lowest and the highest overlap, or their edges, increasing.
        seed: of the resampling.
        n_draws: number of resamplings.

    Raises:
        InputError: fewer than two replicas, a matrix that is not symmetric or holds NaN, edges that leave pairs out.
    """
    first, second, pairs, n_replicas = replica_pairs(q, at_least=2)
    edges = _edges(pairs, bins)
    place = np.clip(np.searchsorted(edges, pairs, side="right") - 1, 0, len(edges) - 2)

    def measured(times: NDArray[np.integer]) -> NDArray[np.float64]:
        """Mean, deviation, then the density, of replicas taken so many times each."""
        share = (times[first] * times[second]).astype(float)
        if not share.any():
            return np.full(len(edges) + 1, np.nan)
        share /= share.sum()
        mean = share @ pairs
        density = np.bincount(place, share, len(edges) - 1) / np.diff(edges)
        return np.array([mean, np.sqrt(share @ (pairs - mean) ** 2), *density])

    best = measured(np.ones(n_replicas, int))
    drawn = resampled(
        n_replicas, lambda who: measured(np.bincount(who, minlength=n_replicas)), seed=seed, n_draws=n_draws
    )
    fits = [replica_fit(value, column, n_replicas) for value, column in zip(best, drawn.T, strict=True)]
    fits[1:] = [Fit(np.maximum(fit.low, 0.0), fit.best, fit.high) for fit in fits[1:]]
    low, density, high = np.array(fits[2:]).T
    return OverlapDistribution(edges, density, low, high, fits[0], fits[1])


def replica_fit(best: float, drawn: NDArray[np.float64], n_replicas: int) -> Fit:
    """`best` with an interval from resampled replicas, wider where these are few.

    Quantiles of a resampled mean are those of a Gaussian whose variance is (n - 1)/n of the true one; Student's t and
    that factor are put back on both sides (Hesterberg 2015, Sec. 4.2).
    """
    from scipy.special import stdtrit

    fit = quantile_fit(best, drawn)
    wider = np.sqrt(n_replicas / (n_replicas - 1)) * stdtrit(n_replicas - 1, (1 + CONFIDENCE) / 2) / GAUSSIAN
    return Fit(float(best - wider * (best - fit.low)), fit.best, float(best + wider * (fit.high - best)))


def replica_pairs(
    q: ArrayLike, *, at_least: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], int]:
    """Both replicas of every pair a < b, its overlap, and the number of replicas.

    Raises:
        InputError: no symmetric square matrix of finite overlaps, or too few replicas.
    """
    given = finite_numbers(q, "overlaps", "n_replicas", "n_replicas")
    if given.shape[0] != given.shape[1]:
        raise InputError(f"overlaps are a square matrix (n_replicas, n_replicas); got shape {given.shape}")
    if not np.allclose(given, given.T, rtol=1e-6, atol=SAME * np.abs(given).max()):
        raise InputError("overlaps are symmetric, q_ab = q_ba; got a matrix that is not")
    if len(given) < at_least:
        raise InputError(f"this needs at least {at_least} replicas; got {len(given)}: let more of them learn")
    first, second = np.triu_indices(len(given), 1)
    return first, second, given[first, second], len(given)


def _edges(pairs: NDArray[np.float64], bins: object) -> NDArray[np.float64]:
    """Edges of equal bins over all pairs, or those that were given."""
    low, high = pairs.min(), pairs.max()
    if isinstance(bins, int | np.integer) and not isinstance(bins, bool) and bins >= 1:
        if high - low <= SAME * max(abs(low), abs(high)):
            low, high = low - 0.5, high + 0.5
        return np.linspace(low, high, int(bins) + 1)
    if isinstance(bins, str) or np.ndim(np.array(bins, object)) != 1:
        raise InputError(f"bins are their number, at least 1, or their edges; got {bins!r}")
    edges = finite_numbers(list(bins), "edges of bins", "n_bins + 1")  # type: ignore[call-overload]
    if len(edges) < 2 or (np.diff(edges) <= 0).any() or low < edges[0] or high > edges[-1]:
        raise InputError(f"edges of bins increase and hold all overlaps, {low:.4g} .. {high:.4g}; got {bins}")
    return edges
