"""Are the replicas the leaves of a tree? Then of the three sides of every triangle the two longest are equal.

Under broken replica symmetry states branch like a family tree, and q_ab >= min(q_ac, q_cb) for all of them (Mezard,
Parisi, Sourlas, Toulouse & Virasoro 1984): every triangle is isosceles with its base the shortest side. How far
triangles are from that is counted after Katzgraber & Hartmann (2009).

A small number alone says little: points on a line have smaller gaps than distances dealt out at random. So it is also
held against clouds of points as far spread along as many axes, whose axes are turned at random.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, checked_seed
from experiments.observables.estimate import BOOTSTRAPS, CONFIDENCE, Fit, quantile_fit, resampled
from experiments.observables.overlap_distribution import SAME, replica_fit, replica_pairs

UNTOLD = Fit(np.nan, np.nan, np.nan)


class Ultrametricity(NamedTuple):
    """How far triangles of replicas are from isosceles, and how far they would be by chance.

    Attributes:
        statistic: K, 0 where the space is ultrametric; its interval from resampled replicas.
        dealt: K of the same distances dealt out to the pairs at random: its mean, and the middle 95 % of it.
        turned: K of clouds with the same principal variances, turned at random: likewise.
        p_dealt: share of deals with a K as low.
        p_turned: share of turned clouds with a K as low.
        n_triples: number of triangles.
        closer: whether triangles are closer to isosceles than by either chance, with 95 % confidence; None where all
            distances are equal (replica symmetry), from which nothing can be told.
    """

    statistic: Fit
    dealt: Fit
    turned: Fit
    p_dealt: float
    p_turned: float
    n_triples: int
    closer: bool | None

    def __str__(self) -> str:
        """To read: `K = 0.06 (0.04 .. 0.09), by chance 0.59 (0.52 .. 0.67) or ...: closer to a tree than by chance`."""
        if self.closer is None:
            return "all distances are equal: whether the replicas form a tree cannot be told"
        verdict = "closer" if self.closer else "no closer"
        return f"K = {self.statistic}, by chance {self.dealt} or {self.turned}: {verdict} to a tree than by chance"


def ultrametricity(q: ArrayLike, *, seed: int = 0, n_draws: int = BOOTSTRAPS) -> Ultrametricity:
    """Test of ultrametricity on all triples of replicas.

        K = < (d_max - d_mid) / sigma_d >_triples,    d = 1 - q    (Katzgraber & Hartmann 2009)

    sigma_d is the standard deviation of all distances; (1 - q)/2 for d gives the same K. The first chance: the same
    distances, dealt out to the pairs at random. The second: 2d taken for squared distances of points, whose Gram matrix
    keeps its eigenvalues while its eigenvectors are drawn anew; it tells a tree from a mere line or cloud. A K well
    below both is not yet a K of zero: read its interval too, which needs about seven replicas, else NaN.

    Args:
        q: overlaps, (R, R), symmetric; the diagonal is not used. Normalised ones, for lengths must not differ.
        seed: of the draws.
        n_draws: how many of each kind.

    Raises:
        InputError: fewer than 4 replicas (a single triangle has nothing to be compared with), or no such matrix.
    """
    first, second, pairs, n_replicas = replica_pairs(q, at_least=4)
    if isinstance(n_draws, bool) or not isinstance(n_draws, int | np.integer) or n_draws < 2:
        raise InputError(f"the number of draws is a whole number of at least 2; got {n_draws!r}")
    seed, distance = checked_seed(seed), 1 - pairs
    triples, sides = _triangles(n_replicas)
    if np.ptp(distance) <= SAME * np.abs(pairs).max():
        return Ultrametricity(UNTOLD, UNTOLD, UNTOLD, np.nan, np.nan, len(triples), None)
    gaps = _gaps(distance[sides])

    def of_sample(who: NDArray[np.int64]) -> NDArray[np.float64]:
        times = np.bincount(who, minlength=n_replicas).astype(float)
        return _statistic(gaps, times[triples].prod(1), distance, times[first] * times[second])

    best = _k(distance, sides)
    low, _, high = replica_fit(best, resampled(n_replicas, of_sample, seed=seed, n_draws=n_draws), n_replicas)
    rng = np.random.Generator(np.random.Philox(key=[seed, n_replicas], counter=[0, 0, 0, 1]))
    dealt = np.array([_k(rng.permutation(distance), sides) for _ in range(n_draws)])
    turned = np.array([_k(cloud, sides) for cloud in _turned(distance, rng, n_replicas, n_draws)])
    p_dealt, p_turned = (float((1 + np.sum(drawn <= best + SAME)) / (1 + n_draws)) for drawn in (dealt, turned))
    by_chance = quantile_fit(dealt.mean(), dealt), quantile_fit(turned.mean(), turned)
    closer = max(p_dealt, p_turned) < 1 - CONFIDENCE
    statistic = Fit(float(np.maximum(low, 0.0)), best, high)
    return Ultrametricity(statistic, *by_chance, p_dealt, p_turned, len(triples), closer)


def _triangles(n_replicas: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The replicas of every triangle and the pairs that are its sides, (n_triples, 3) both."""
    first, second = np.triu_indices(n_replicas, 1)
    pair = np.zeros((n_replicas, n_replicas), int)
    pair[first, second] = np.arange(len(first))
    triples = np.array(list(combinations(range(n_replicas), 3)))
    return triples, pair[triples[:, [0, 0, 1]], triples[:, [1, 2, 2]]]


def _gaps(sides: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longest less middle side of each triangle, (n_triples,)."""
    one, two, three = sides.T
    longer, shorter = np.maximum(one, two), np.minimum(one, two)
    return np.maximum(longer, three) - np.maximum(shorter, np.minimum(longer, three))


def _k(distance: NDArray[np.float64], sides: NDArray[np.int64]) -> float:
    """K; 0 where all distances are equal, which a tree of one level allows."""
    spread = distance.std()
    return float(_gaps(distance[sides]).mean() / spread) if spread > SAME * np.abs(distance).max() else 0.0


def _statistic(
    gaps: NDArray[np.float64],
    triple_share: NDArray[np.float64],
    distance: NDArray[np.float64],
    pair_share: NDArray[np.float64],
) -> NDArray[np.float64]:
    """K with triples and pairs counted so many times each; NaN where no three replicas, or one distance, are left."""
    if not triple_share.any():
        return np.array(np.nan)
    mean = pair_share @ distance / pair_share.sum()
    spread = np.sqrt(pair_share @ (distance - mean) ** 2 / pair_share.sum())
    if spread <= SAME * np.abs(distance).max():
        return np.array(np.nan)
    return triple_share @ gaps / triple_share.sum() / spread


def _turned(
    distance: NDArray[np.float64], rng: np.random.Generator, n_replicas: int, n_draws: int
) -> Iterator[NDArray[np.float64]]:
    """Distances of clouds whose Gram matrix G = -(1 - 1/R) d (1 - 1/R) has new eigenvectors, each (n_pairs,)."""
    d = np.zeros((n_replicas, n_replicas))
    first, second = np.triu_indices(n_replicas, 1)
    d[first, second] = distance
    about_centre = np.linalg.qr(np.eye(n_replicas)[:, 1:] - 1 / n_replicas)[0]  # (R, R - 1), orthogonal to (1 .. 1)
    variances = np.linalg.eigvalsh(-about_centre.T @ (d + d.T) @ about_centre)
    for _ in range(n_draws):
        axes = about_centre @ np.linalg.qr(rng.normal(size=(n_replicas - 1, n_replicas - 1)))[0]
        gram = (axes * variances) @ axes.T
        yield (gram[first, first] + gram[second, second]) / 2 - gram[first, second]
