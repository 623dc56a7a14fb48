"""Are the replicas the leaves of a tree? Then of the three sides of every triangle the two longest are equal.

Under broken replica symmetry states branch like a family tree, and q_ab >= min(q_ac, q_cb) for all of them (Mezard,
Parisi, Sourlas, Toulouse & Virasoro 1984): every triangle is isosceles with its base the shortest side. How far
triangles are from that is counted after Katzgraber & Hartmann (2009).

A small number alone says little: points on a line have smaller gaps than distances dealt out at random. So it is also
held against clouds of points as far spread along as many axes, whose axes are turned at random; and, as replicas that
learned unequally far have triangles with two long sides without any tree, against replicas around one state, each as
near to it as it is.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import checked_seed
from encoding.given import whole
from experiments.observables.estimate import (
    BOOTSTRAPS,
    CONFIDENCE,
    MOST_DRAWS,
    UNTOLD,
    Fit,
    quantile_fit,
    student_fit,
)
from experiments.observables.given import room_for
from experiments.observables.jackknife import left_out
from experiments.observables.overlap_distribution import SAME, replica_pairs

FEWEST = 5  # replicas of which one can be left out
ROUNDS = 100  # of the fit of one state
BYTES = 250  # of a triangle: its corners as Python's and as numpy's numbers, its sides, gaps


class Ultrametricity(NamedTuple):
    """How far triangles of replicas are from isosceles, and how far they would be by chance.

    Attributes:
        statistic: K, 0 where the space is ultrametric; its interval from leaving out each replica in turn.
        dealt: K of the same distances dealt out to the pairs at random: its mean, and the middle 95 % of it.
        turned: K of clouds with the same principal variances, turned at random: likewise.
        one_state: K of replicas around one state, each as near to it as it is, likewise.
        p_dealt: share of deals with a K as low.
        p_turned: share of turned clouds with a K as low.
        p_one_state: share of these with a K as low.
        n_triples: number of triangles.
        closer: whether triangles are closer to isosceles than by any of these chances, with 95 % confidence; None where
            all distances are equal (replica symmetry), from which nothing can be told.
    """

    statistic: Fit
    dealt: Fit
    turned: Fit
    one_state: Fit
    p_dealt: float
    p_turned: float
    p_one_state: float
    n_triples: int
    closer: bool | None

    def __str__(self) -> str:
        """To read: `K = 0.06 (0.04 .. 0.09), by chance 0.59 (0.52 .. 0.67), ...: closer to a tree than by chance`."""
        if self.closer is None:
            return "all distances are equal: whether the replicas form a tree cannot be told"
        verdict = "closer" if self.closer else "no closer"
        chances = f"{self.dealt}, {self.turned} or {self.one_state}"
        return f"K = {self.statistic}, by chance {chances}: {verdict} to a tree than by chance"


class _Triangles(NamedTuple):
    """Replicas (n_triples, 3) of every triangle, the pairs that are its sides (n_triples, 3), and replicas of pairs."""

    corners: NDArray[np.int64]
    sides: NDArray[np.int64]
    ends: NDArray[np.int64]
    n_replicas: int


def ultrametricity(q: ArrayLike, *, seed: int = 0, n_draws: int = BOOTSTRAPS) -> Ultrametricity:
    """Test of ultrametricity on all triples of replicas.

        K = < (d_max - d_mid) / sigma_d >_triples,    d = 1 - q    (Katzgraber & Hartmann 2009)

    sigma_d is the standard deviation of all distances; (1 - q)/2 for d gives the same K. Of few replicas sigma_d is too
    small and K too large, by a fifth for 6 replicas in a cloud; so from five replicas on all K, those by chance too,
    are R K - (R - 1) <K without one> (Quenouille 1956). The interval is the jackknife's, Student's t; of a cloud it
    held .995 of planted truths below 8 replicas (careful), .99 to .95 from 8 to 16. Four replicas have none.

    The first chance: the same distances, dealt out to the pairs at random. The second: 2d taken for squared distances
    of points, whose Gram matrix keeps its eigenvalues while its eigenvectors are drawn anew; it tells a tree from a
    mere line or cloud. Both take the replicas as exchangeable, which those that learned unequally far are not: around
    one state, with noise of .3 to 1.5 by replica, ten of them passed both in 70 to 80 %. Hence the third: q_ab =
    c_a c_b with the c that come nearest, and what the pairs deviate by dealt out anew. With it these pass in 2 to 8 %,
    trees of two levels in 97 % (ten replicas; half of six). A state and its mirror image, c = +-1, are one state here.
    A K well below all three is not yet a K of zero: read its interval too.

    Args:
        q: overlaps, (R, R), symmetric; the diagonal is not used. Normalised ones, for lengths must not differ.
        seed: of the draws.
        n_draws: how many of each kind.

    Raises:
        InputError: fewer than 4 replicas (a single triangle has nothing to be compared with), or no such matrix.
    """
    _, _, pairs, n_replicas = replica_pairs(q, at_least=4)
    n_draws, seed = whole("n_draws", n_draws, least=2, most=MOST_DRAWS), checked_seed(seed)
    distance, n_triples = 1 - pairs, n_replicas * (n_replicas - 1) * (n_replicas - 2) // 6
    with room_for(BYTES * n_triples, f"a test of {n_triples} triangles"):
        triangles = _triangles(n_replicas)
    if np.ptp(distance) <= SAME * np.abs(pairs).max():
        return Ultrametricity(UNTOLD, UNTOLD, UNTOLD, UNTOLD, np.nan, np.nan, np.nan, n_triples, None)
    statistic = _with_interval(distance, triangles)
    rng = np.random.Generator(np.random.Philox(key=[seed, n_replicas], counter=[0, 0, 0, 1]))
    dealt = np.array([_k(rng.permutation(distance), triangles) for _ in range(n_draws)])
    others = (draws(distance, rng, n_replicas, n_draws) for draws in (_turned, _around_one_state))
    drawn = [dealt, *(np.array([_k(cloud, triangles) for cloud in each]) for each in others)]
    chances = [float((1 + np.sum(each <= statistic.best + SAME)) / (1 + n_draws)) for each in drawn]
    closer = max(chances) < 1 - CONFIDENCE
    of_deals, of_clouds, of_stars = (quantile_fit(each.mean(), each) for each in drawn)
    p_dealt, p_turned, p_star = chances
    return Ultrametricity(statistic, of_deals, of_clouds, of_stars, p_dealt, p_turned, p_star, n_triples, closer)


def _triangles(n_replicas: int) -> _Triangles:
    first, second = np.triu_indices(n_replicas, 1)
    pair = np.zeros((n_replicas, n_replicas), int)
    pair[first, second] = np.arange(len(first))
    corners = np.array(list(combinations(range(n_replicas), 3)))
    sides = pair[corners[:, [0, 0, 1]], corners[:, [1, 2, 2]]]
    return _Triangles(corners, sides, np.stack([first, second], 1), n_replicas)


def _gaps(sides: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longest less middle side of each triangle, (n_triples,)."""
    one, two, three = sides.T
    longer, shorter = np.maximum(one, two), np.minimum(one, two)
    return np.maximum(longer, three) - np.maximum(shorter, np.minimum(longer, three))


def _k(distance: NDArray[np.float64], triangles: _Triangles) -> float:
    """K without its bias, where there are replicas enough."""
    whole, without = _k_of_all(distance, triangles)
    n = triangles.n_replicas
    return max(float(left_out(whole, without)[0]), 0.0) if n >= FEWEST else whole


def _with_interval(distance: NDArray[np.float64], triangles: _Triangles) -> Fit:
    """K and what it moves by as one replica is left out; never below 0."""
    best, n = _k(distance, triangles), triangles.n_replicas
    if n < FEWEST:
        return Fit(np.nan, best, np.nan)
    _, without = _k_of_all(distance, triangles)
    fit = student_fit(best, float(left_out(best, without)[1]), n - 1)
    return Fit(max(fit.low, 0.0), best, fit.high)


def _k_of_all(distance: NDArray[np.float64], triangles: _Triangles) -> tuple[float, NDArray[np.float64]]:
    """K of all replicas, and of all but each, (R,)."""
    n, apart = triangles.n_replicas, distance - distance.mean()
    gap = _means(_gaps(distance[triangles.sides]), triangles.corners, n)
    spread = np.sqrt(np.maximum(_means(apart**2, triangles.ends, n) - _means(apart, triangles.ends, n) ** 2, 0))
    told = spread > SAME * np.abs(distance).max()  # all distances equal: a tree of one level
    k = np.where(told, gap / np.where(told, spread, 1.0), 0.0)
    return float(k[0]), k[1:]


def _means(values: NDArray[np.float64], of: NDArray[np.int64], n_replicas: int) -> NDArray[np.float64]:
    """Mean of the values of all triangles (or pairs), then of those that each replica is not in, (1 + R,)."""
    own, counts = np.bincount(of.ravel(), np.repeat(values, of.shape[1]), n_replicas), np.bincount(of.ravel())
    return np.append(values.mean(), (values.sum() - own) / np.maximum(len(values) - counts, 1))


def _turned(
    distance: NDArray[np.float64], rng: np.random.Generator, n_replicas: int, n_draws: int
) -> Iterator[NDArray[np.float64]]:
    """Distances of clouds whose Gram matrix G = -(1 - 1/R) d (1 - 1/R) has new eigenvectors, each (n_pairs,)."""
    d, (first, second) = _square(distance, n_replicas), np.triu_indices(n_replicas, 1)
    about_centre = np.linalg.qr(np.eye(n_replicas)[:, 1:] - 1 / n_replicas)[0]  # (R, R - 1), orthogonal to (1 .. 1)
    variances = np.linalg.eigvalsh(-about_centre.T @ d @ about_centre)
    for _ in range(n_draws):
        axes = about_centre @ np.linalg.qr(rng.normal(size=(n_replicas - 1, n_replicas - 1)))[0]
        gram = (axes * variances) @ axes.T
        yield (gram[first, first] + gram[second, second]) / 2 - gram[first, second]


def _around_one_state(
    distance: NDArray[np.float64], rng: np.random.Generator, n_replicas: int, n_draws: int
) -> Iterator[NDArray[np.float64]]:
    """1 - c_a c_b with what the pairs deviate from it dealt out anew, each (n_pairs,)."""
    first, second = np.triu_indices(n_replicas, 1)
    near = _nearness(1 - _square(distance, n_replicas))
    star = 1 - near[first] * near[second]
    rest = (distance - star) * np.sqrt(len(distance) / (len(distance) - n_replicas))  # R numbers were fitted
    for _ in range(n_draws):
        yield star + rng.permutation(rest)


def _nearness(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """c of the nearest q_ab = c_a c_b off the diagonal, (R,): principal factors (Harman 1976)."""
    q, found = q.copy(), np.zeros(len(q))
    np.fill_diagonal(q, np.abs(q - np.diag(np.diag(q))).max(1))
    for _ in range(ROUNDS):
        values, axes = np.linalg.eigh(q)
        found = np.sqrt(max(values[-1], 0.0)) * axes[:, -1]
        np.fill_diagonal(q, found**2)
    return found


def _square(pairs: NDArray[np.float64], n_replicas: int) -> NDArray[np.float64]:
    """Numbers of the pairs as a symmetric matrix, 0 on the diagonal."""
    d = np.zeros((n_replicas, n_replicas))
    d[np.triu_indices(n_replicas, 1)] = pairs
    return d + d.T
