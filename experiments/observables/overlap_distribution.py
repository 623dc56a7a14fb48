"""P(q): how the overlaps between replicas are distributed.

One peak says that all replicas fell into one state (or into states equally far from each other), a broad P(q) that
the states are of many degrees of likeness, as under broken replica symmetry (Parisi 1983).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from experiments.observables.estimate import (
    BOOTSTRAPS,
    CONFIDENCE,
    NORMAL,
    UNTOLD,
    Fit,
    quantile_fit,
    resampled,
    student,
)
from experiments.observables.given import numbers, room_for
from experiments.observables.jackknife import jackknife

SAME = 1e-9  # overlaps closer than this share of the largest are one
FEWEST = 4  # replicas: two pairs that share none
FEWEST_DRAWN = 5  # replicas: of four, every eighteenth draw is of one pair alone, and quantiles of 2.5 % tell nothing
MOST_BINS = 10**5
NEARLY = 1 - 1e-12  # of an overlap: the artanh of 1 is infinite


class OverlapDistribution(NamedTuple):
    """P(q) of the pairs of different replicas.

    Attributes:
        edges: of the bins, (n_bins + 1,).
        density: P(q), normalised to 1, (n_bins,).
        low: lower end of its 95 % interval, (n_bins,); NaN where it cannot be told.
        high: the upper end, (n_bins,); above 0 in an empty bin too.
        mean: of q over the pairs; no ends for fewer than five replicas.
        deviation: the standard deviation of q between two replicas drawn at random; NaN for fewer than four.
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
        deviation^2 = < (q_ab - q_cd)^2 / 2 >,    a, b, c, d all different    (U-statistic, Hoeffding 1948)

    Pairs that share a replica are not independent: their scatter about their own mean is too small, so pairs of
    pairs without a common replica tell the deviation. The three errors:

    - of the mean, from drawing replicas with replacement (pairs of a replica with its own copy are left out). Where
      all overlaps lie within [-1, 1] it is taken in z = artanh <q> (Fisher 1921), so that it lies there too. Where
      pairs are independent all the same (replicas in one state), it is too wide, by up to sqrt(3). It takes five
      replicas; of 5 to 12 it held .88 to .95 of planted truths, all of those where pairs are independent. Where q is
      skewed it is too narrow, and lies too low: of q_ab = z_a z_b with log-normal z it held .87 to .90 for a deviation
      of .5 in ln z, .69, .75 and .82 of 5, 10 and 20 replicas for 1.
    - of the deviation, in its logarithm, from leaving out each replica in turn. Held .97 to .93 of planted truths for
      6 to 20 replicas; where q takes two values only, +-q_0 of an up-down symmetry, but .64 (6 replicas) and .79 (12).
      It takes five replicas, no one of which makes all the difference.
    - of the density, from as many independent pairs as leaving out replicas tells (at least R/2, at most all), with
      Jeffreys' interval for a share of so many (after Korn & Graubard 1998). Careful: it held .99 to 1 for
      6 replicas, .95 to 1 for 20. That bins of equal width are set by the pairs themselves is not in it.

    Two or three replicas have no interval at all: NaN.

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

    def mean(who: NDArray[np.int64]) -> NDArray[np.float64]:
        times = np.bincount(who, minlength=n_replicas)
        share = times[first] * times[second]
        return np.array(share @ pairs / share.sum() if share.any() else np.nan)

    drawn = resampled(n_replicas, mean, seed=seed, n_draws=n_draws)
    n_bins = len(edges) - 1
    with room_for(24.0 * len(pairs) * n_bins, f"P(q) of {len(pairs)} pairs in {n_bins} bins"):
        shares = (place[:, None] == np.arange(n_bins)).astype(np.float64)  # (n_pairs, n_bins)
        low, high = _share_interval(shares, first, second, n_replicas) / np.diff(edges)
    return OverlapDistribution(
        edges,
        shares.mean(0) / np.diff(edges),
        low,
        high,
        replica_fit(float(pairs.mean()), drawn, n_replicas, bounded=bool((np.abs(pairs) <= 1).all())),
        _deviation(first, second, pairs, n_replicas),
    )


def replica_fit(best: float, drawn: NDArray[np.float64], n_replicas: int, *, bounded: bool = False) -> Fit:
    """`best` with an interval from resampled replicas, wider where these are few.

    Quantiles of a resampled mean are those of a Gaussian whose variance is (n - 1)/n of the true one; Student's t and
    that factor are put back on both sides (Hesterberg 2015, Sec. 4.2); of what is bounded by -1 and 1, in its artanh.
    """
    if n_replicas < FEWEST_DRAWN:
        return Fit(np.nan, best, np.nan)
    fit = quantile_fit(best, drawn)
    if fit.low == fit.high:
        return fit
    wider = np.sqrt(n_replicas / (n_replicas - 1)) * student(n_replicas - 1) / NORMAL
    if not bounded:
        return Fit(float(best - wider * (best - fit.low)), fit.best, float(best + wider * (fit.high - best)))
    low, z, high = np.arctanh(np.clip(fit, -NEARLY, NEARLY))
    return Fit(float(np.tanh(z - wider * (z - low))), fit.best, float(np.tanh(z + wider * (high - z))))


def _deviation(first: NDArray[np.intp], second: NDArray[np.intp], pairs: NDArray[np.float64], n_replicas: int) -> Fit:
    """Of pairs without a common replica, with the jackknife in its logarithm."""
    if n_replicas < FEWEST:
        return UNTOLD
    if np.ptp(pairs) <= SAME * np.abs(pairs).max():
        return Fit(0.0, 0.0, 0.0)
    q = np.zeros((n_replicas, n_replicas))
    q[first, second] = q[second, first] = pairs - pairs.mean()

    def log_variance(who: NDArray[np.int64]) -> NDArray[np.float64]:
        variance = _unshared_variance(q[np.ix_(who, who)])
        return np.array([np.log(variance) if variance > SAME * np.ptp(pairs) ** 2 else np.nan])

    if n_replicas == FEWEST:
        return Fit(np.nan, float(np.sqrt(_unshared_variance(q))), np.nan)
    return Fit(*(float(np.exp(each / 2)) for each in jackknife(n_replicas, log_variance)[0]))


def _unshared_variance(q: NDArray[np.float64]) -> float:
    """< (q_ab - q_cd)^2 / 2 > over all pairs of pairs without a common replica; q is symmetric, 0 on the diagonal.

    sum q_ab q_cd = (sum q_ab)^2 - sum_a (sum_b q_ab)^2 + sum q_ab^2, the first and last sum over pairs a < b.
    """
    n, whole, squares = len(q), q.sum() / 2, (q**2).sum() / 2
    n_pairs = n * (n - 1) / 2
    product = whole**2 - (q.sum(1) ** 2).sum() + squares
    return float(squares / n_pairs - product / (n_pairs * (n - 2) * (n - 3) / 2))


def _share_interval(
    shares: NDArray[np.float64], first: NDArray[np.intp], second: NDArray[np.intp], n_replicas: int
) -> NDArray[np.float64]:
    """Both ends of the share of each bin, (2, n_bins), `shares` being 1 where a pair lies in a bin, else 0."""
    n_pairs, n_bins = shares.shape
    if n_replicas < FEWEST:
        return np.full((2, n_bins), np.nan)
    from scipy.special import betaincinv

    total, own = shares.sum(0), np.zeros((n_replicas, n_bins))
    np.add.at(own, first, shares)
    np.add.at(own, second, shares)
    without = (total - own) / (n_pairs - n_replicas + 1)
    share, variance = total / n_pairs, (n_replicas - 1) * without.var(0)
    known = np.clip(share * (1 - share) / np.maximum(variance, 1e-300), n_replicas / 2, n_pairs)
    known = known * (NORMAL / student(n_replicas - 1)) ** 2  # its error is known from R replicas only
    ends = [betaincinv(share * known + 0.5, (1 - share) * known + 0.5, (1 + s * CONFIDENCE) / 2) for s in (-1, 1)]
    return np.array([np.where(share > 0, ends[0], 0.0), np.where(share < 1, ends[1], 1.0)])


def replica_pairs(
    q: ArrayLike, *, at_least: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], int]:
    """Both replicas of every pair a < b, its overlap, and the number of replicas.

    Raises:
        InputError: no symmetric square matrix of finite overlaps, or too few replicas.
    """
    given = numbers(q, "overlaps q", "n_replicas", "n_replicas")
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
    if isinstance(bins, int | np.integer) and not isinstance(bins, bool) and 1 <= bins <= MOST_BINS:
        if high - low <= SAME * max(abs(low), abs(high)):
            low, high = low - 0.5, high + 0.5
        return np.linspace(low, high, int(bins) + 1)
    if not isinstance(bins, Sequence | np.ndarray) or isinstance(bins, str | bytes):
        raise InputError(f"bins are their number, at least 1, or their edges; got {shown(bins)}")
    edges = numbers(bins, "edges of bins", "n_bins + 1")
    if len(edges) < 2 or (np.diff(edges) <= 0).any() or low < edges[0] or high > edges[-1]:
        raise InputError(f"edges of bins increase and hold all overlaps, {low:.4g} .. {high:.4g}; got {shown(bins)}")
    return edges
