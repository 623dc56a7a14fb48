"""Overlaps of two machines layer by layer, whatever their hidden units are called (Yoshino, seminar 2021).

    q^2 = (1/N) sum_ij q_ij^2 - 1/alpha,   q_ij = (1/M) sum_mu S_i^mu(a) S_j^mu(b),   1/alpha = N/M

Hidden units can be permuted, and turned over together with the weights that leave them: sum_ij q_ij^2 stays the same.
N/M is what the squares of independent spins sum up to by chance. With K_mu,nu = sum_i S_i^mu S_i^nu, how alike a
machine finds two patterns, the same is

    q^2 = (1/(N M^2)) sum_(mu != nu) K_mu,nu(a) K_mu,nu(b)

so that q^2 is no more than the geometric mean of both machines' overlaps with themselves. These are 1 - 1/M for spins
that are independent, but more where narrow layers say the same thing several times: then q^2 exceeds 1. Normalised, it
is the cosine of the angle between both K, 1 for machines that tell patterns apart alike.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import flag, real_numbers


def pair_overlap(a: NDArray[np.integer], b: NDArray[np.integer], *, normalised: bool = False) -> NDArray[np.float64]:
    """q^2 of a layer of two machines, whatever their units are called.

        q^2 = (1/N) sum_ij q_ij^2 - N/M,   q_ij = (1/M) sum_mu S_i^mu(a) S_j^mu(b)            (Yoshino, seminar 2021)

    Args:
        a: spins +-1 of one machine, (..., M, N).
        b: those of the other, for the same patterns.
        normalised: divided by both overlaps of a machine with itself, as geometric mean; NaN where a machine finds no
            two patterns alike in anything.

    Returns:
        q^2, (...).

    Raises:
        InputError: other numbers of patterns or of units, or what is no spin.

    >>> spins = 2 * np.random.default_rng(0).integers(0, 2, (320, 10)) - 1
    >>> round(float(pair_overlap(spins, -spins[:, ::-1])), 2)
    1.0
    >>> round(float(pair_overlap(spins[:160], spins[160:])), 2)
    0.0
    """
    one, other, normalised = _spins(a), _spins(b), flag("normalised", normalised)
    if min(one.ndim, other.ndim) < 2 or one.shape[-2:] != other.shape[-2:]:
        raise InputError(
            f"layers have spins of as many patterns and units, (.., M, N); got {one.shape} and {other.shape}"
        )
    q2 = _overlap(one, other)
    if not normalised:
        return q2
    own = _overlap(one, one) * _overlap(other, other)
    return q2 / np.sqrt(np.where(own > 0, own, np.nan))


def _spins(given: object) -> NDArray[Any]:
    spins: NDArray[Any] | None = None
    if isinstance(given, np.ndarray) and given.dtype.kind in "iu" and not np.ma.is_masked(given):
        spins = given  # not copied: single bytes would become eight
    else:
        spins = real_numbers(given)
    if spins is None or not (np.abs(spins) == 1).all():
        raise InputError(f"spins are an array of +1 and -1, (.., M, N); got {shown(given)}")
    return spins


def _overlap(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    n_patterns, width = a.shape[-2:]
    alike = np.swapaxes(a, -1, -2).astype(np.float64) @ b.astype(np.float64)  # (..., N, N), whole numbers
    return ((alike**2).sum((-2, -1)) - n_patterns * width**2) / (width * n_patterns**2)
