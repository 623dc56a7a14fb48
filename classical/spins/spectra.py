"""Spectra of bonds: the bulk that random matrices have, and the few eigenvalues that learning pulls out of it.

normalised first level spacing    (e_1 - e_0) / median(e_(i+1) - e_i)              (Barney, Winer & Galitski 2024)
gap ratio                         r_i = min(s_i, s_(i+1)) / max(s_i, s_(i+1)),    s_i = e_(i+1) - e_i
<r> = .5307 in the Gaussian orthogonal ensemble, 2 ln 2 - 1 = .3863 of levels that
know nothing of each other                        (Atas et al., PRL 110, 084101, 2013)
Marchenko & Pastur (1967)         of X^T X, X (n, p) of independent entries of variance C/n: y = p/n,
rho(x) = [(x_+ - x)(x - x_-)]^(1/2) / (2 pi C y x),    x_+- = C (1 +- y^(1/2))^2
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.spins.bonds import Bonds, checked_bonds
from classical.spins.lanczos import SMALL, guess, largest
from encoding import InputError
from encoding.errors import shown
from encoding.given import number, real_numbers

Array = NDArray[np.floating]

BULK = 1e-12  # of the largest level
TINIEST, HUGEST = 1e-100, 1e100  # of entries
MIDDLE = 0.5  # of the levels, those of a gap ratio: at the ends of a spectrum levels are few and far between


class Tail(NamedTuple):
    """What lies beyond the bulk of a random matrix.

    Attributes:
        variance: C of the bulk.
        edge: largest eigenvalue x_+ of X^T X that a random matrix has, for n to infinity.
        beyond: the eigenvalues above it, the largest first.
    """

    variance: float
    edge: float
    beyond: Array


def spectrum(bonds: Bonds) -> Array:
    """The eigenvalues of J, ascending, (..., N).

    Raises:
        InputError: no bonds, or no room for the matrix.
    """
    return np.linalg.eigvalsh(checked_bonds(bonds).dense())


def largest_eigenvalue(bonds: Bonds) -> Array:
    """lambda_max(J) of each system, (...); of large ones by Lanczos' method.

    Raises:
        InputError: no bonds.
    """
    if checked_bonds(bonds).n_spins <= SMALL:
        return np.array(np.linalg.eigvalsh(bonds.dense())[..., -1])
    found = [_largest(bonds.one(which)) for which in np.ndindex(bonds.shape)]
    return np.reshape(np.array(found), bonds.shape)


def _largest(bonds: Bonds) -> float:
    return largest(bonds.n_spins, bonds.apply, guess(bonds.n_spins))[0]


def first_spacing(levels: ArrayLike) -> Array:
    """(e_1 - e_0) over the median spacing, (...).

    Args:
        levels: eigenvalues of I - M, ascending, (..., N).

    Raises:
        InputError: fewer than three levels, levels that do not ascend, or half of them the same.

    >>> first_spacing([0.0, 3.0, 4.0, 5.0])
    array(3.)
    """
    given = _ascending(levels)
    spacing = np.diff(given)
    typical = np.median(spacing, -1)
    if np.any(typical <= BULK * np.ptp(given, -1)):
        raise InputError("half of the levels are the same to rounding, and have no typical spacing: leave them out")
    return np.array(spacing[..., 0] / typical)


def gap_ratio(levels: ArrayLike) -> Array:
    """<r> over the middle half of the levels, (...).

    Args:
        levels: eigenvalues, ascending, (..., N).

    Raises:
        InputError: fewer than three levels, levels that do not ascend, or three of the middle half that are the same,
            as zeros of a low rank are.

    >>> gap_ratio([0.0, 1.0, 3.0, 4.0, 6.0])
    array(0.5)
    """
    given = _ascending(levels)
    spacing = np.diff(given)
    below, above = spacing[..., :-1], spacing[..., 1:]
    larger = np.maximum(below, above)
    n = larger.shape[-1]
    cut = int(n * (1 - MIDDLE) / 2)
    if np.any(larger[..., cut : n - cut] <= BULK * np.ptp(given, -1)[..., None]):
        raise InputError("three levels of the middle are the same to rounding, and have no ratio: leave them out")
    ratio = np.divide(np.minimum(below, above), larger, out=np.ones_like(larger), where=larger > 0)
    return np.array(ratio[..., cut : n - cut].mean(-1))


def marchenko_pastur(x: ArrayLike, ratio: float, variance: float = 1.0) -> Array:
    """The density rho(x) of the eigenvalues of X^T X that are not 0 by rank; its integral is min(1, 1/y).

    Args:
        x: eigenvalues.
        ratio: y = p/n.
        variance: C; entries of X have C/n.

    Raises:
        InputError: a ratio or a variance that is not positive.
    """
    y, c = number("ratio", ratio, above=0), number("variance", variance, above=0)
    x = _numbers(x)
    low, high = c * (1 - np.sqrt(y)) ** 2, c * (1 + np.sqrt(y)) ** 2
    inside = np.maximum((high - x) * (x - low), 0)
    return np.divide(np.sqrt(inside), 2 * np.pi * c * y * x, out=np.zeros_like(x), where=inside > 0)


def outside_bulk(block: ArrayLike, *, variance: float | None = None) -> Tail:
    """The eigenvalues of X^T X beyond the Marchenko-Pastur edge, X being one block of bonds.

    The largest eigenvalue of a random matrix scatters around the edge by some n^(-2/3) of it: one or two just beyond
    are nothing.

    Args:
        block: J^(k), (N_(k-1), N_k); rows and columns of zeros, units without bonds, do not count.
        variance: C of its entries times N_(k-1); None: that of the median eigenvalue, which few large ones do not move.

    Raises:
        InputError: no matrix, or one whose entries are not finite or all 0, the largest not between 1e-100 and
            1e100, or of a rank so low that it has no bulk.
    """
    x = _numbers(block)
    if x.ndim != 2 or not x.size or not np.isfinite(x).all() or not x.any():
        raise InputError(f"a block of bonds is a matrix of finite numbers, not all 0; got shape {x.shape}")
    n, size = len(x), float(np.abs(x).max())
    if not TINIEST < size < HUGEST:
        raise InputError(
            f"the largest entry of a block is between {TINIEST:g} and {HUGEST:g}; got {size:g}: rescale the block"
        )
    x = x[x.any(1)][:, x.any(0)]
    levels = np.linalg.svd(x, compute_uv=False) ** 2
    if np.median(levels) < BULK * levels[0]:
        raise InputError("the matrix has no bulk: half of its levels are 0 to rounding, for its rank is low")
    ratio = x.shape[1] / x.shape[0]
    share = len(x) / n  # of C/n, the variance of entries, in C/n' of the n' rows that there are
    wide = np.median(levels) / _median(ratio) / share
    c = float(wide) if variance is None else number("variance", variance, above=0)
    edge = share * c * (1 + np.sqrt(ratio)) ** 2
    return Tail(c, edge, levels[levels > edge])


def _median(ratio: float) -> float:
    """The median of the eigenvalues of X^T X that are not 0 by rank, for C = 1."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    angle = np.linspace(0, np.pi, 4001)  # x = middle - half cos: the square roots at both ends become smooth
    x = (low + high) / 2 - (high - low) / 2 * np.cos(angle)
    weight = np.divide(np.sin(angle) ** 2, x, out=np.zeros_like(x), where=x > 0)
    below = np.concatenate([[0], np.cumsum((weight[1:] + weight[:-1]) / 2)])
    return float(np.interp(below[-1] / 2, below, x))


def _ascending(levels: ArrayLike) -> Array:
    given = _numbers(levels)
    if not given.ndim or given.shape[-1] < 3 or not np.isfinite(given).all() or (np.diff(given) < 0).any():
        raise InputError(f"levels ascend, at least three of them, (..., N); got shape {given.shape}")
    return given


def _numbers(values: ArrayLike) -> Array:
    """An array of real numbers.

    Raises:
        InputError: something else.
    """
    given = real_numbers(values)
    if given is None:
        raise InputError(f"real numbers are wanted here; got {shown(values)}")
    return given
