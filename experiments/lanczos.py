"""The largest eigenvalue of symmetric matrices known only by their products with vectors, one matrix a replica.

Of all vectors in the span of v, H v, ..., H^(k-1) v the one of largest value theta is taken (Lanczos 1950). If v was
drawn from the n-dimensional sphere,

    P[lambda_max - theta > eps (lambda_max - lambda_min)] <= 1.648 sqrt(n) exp[-sqrt(eps) (2 k - 1)]

(Kuczynski & Wozniakowski 1992), which says how much may be missed. A small residual alone would not: it tells that some
eigenvalue is near, and that may be the second. All vectors are kept and each new one is made orthogonal to them twice,
because products known to a few digits, as differences of gradients are, would soon bring the old ones back.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CHANCE = 0.01  # that more is missed than said
NOTHING = 1e-12  # of a product: what is left of it when the span is exhausted
GROWTH = 1.1  # of the span between two looks at its best vector


class Top(NamedTuple):
    """Unit vectors of large value, (R, N), and by how much theta may be below the largest one, (R,)."""

    vector: Array
    missed: Array


class _Span(NamedTuple):
    """Orthonormal vectors (R, k, N), 0 where there are no more; their matrix elements (R, k, k); what leads out."""

    vectors: Array
    elements: Array
    length: Array
    exhausted: NDArray[np.bool_]


def largest(product: Callable[[Array], Array], start: Array, tolerance: float, most: int) -> Top:
    """Vectors of the largest values, from as few products as make both `missed` and the residual small.

    Args:
        product: with (R, N), of all R matrices.
        start: normal numbers (R, N); 0 for what a matrix does not act on.
        tolerance: wanted of `missed` and of |H v - theta v|, relative to theta, for every replica.
        most: products; the memory is that of as many vectors.
    """
    n_free, looked = np.count_nonzero(start, axis=1), 0.0
    top = Top(np.zeros_like(start), np.zeros(len(start)))
    for span in _spans(product, start, n_free, most):
        k = span.vectors.shape[1]
        last = k == most or span.exhausted.all()
        if last or k >= GROWTH * looked:
            looked = k
            values, best = _best(span)
            missed = np.where(span.exhausted, 0, _missed(values[:, -1] - values[:, 0], n_free, k))
            top = Top(_unit(np.einsum("rk,rkn->rn", best, span.vectors)), missed)
            error = np.maximum(missed, span.length * np.abs(best[:, -1]))
            if last or (error <= tolerance * np.abs(values[:, -1])).all():
                break
    return top


def _spans(product: Callable[[Array], Array], start: Array, n_free: NDArray[np.intp], most: int) -> Iterator[_Span]:
    """Larger by one product each."""
    most = max(min(most, int(n_free.max())), 1)
    vectors, elements = np.zeros((len(start), most, start.shape[1])), np.zeros((len(start), most, most))
    fresh = _unit(start)
    for k in range(most):
        vectors[:, k] = fresh
        known, image = vectors[:, : k + 1], product(fresh)
        elements[:, k, : k + 1] = elements[:, : k + 1, k] = np.einsum("rkn,rn->rk", known, image)
        rest = _beside(_beside(image, known), known)
        length = np.linalg.norm(rest, axis=1)
        exhausted = (length <= NOTHING * np.linalg.norm(image, axis=1)) | (n_free <= k + 1)
        yield _Span(known, elements[:, : k + 1, : k + 1], np.where(exhausted, 0, length), exhausted)
        fresh = np.where(exhausted[:, None], 0, _unit(rest))


def _best(span: _Span) -> tuple[Array, Array]:
    """Values in the span, ascending, and the coefficients of the largest, none of a vector that is 0; both (R, k)."""
    elements = span.elements.copy()
    n = np.arange(elements.shape[1])
    missing = ~span.vectors.any(-1)
    low = -1 - 4 * np.abs(elements).sum((-2, -1))
    elements[:, n, n] = np.where(missing, low[:, None], elements[:, n, n])
    values, vectors = np.linalg.eigh(elements)
    return values, vectors[..., -1]


def _missed(width: Array, n_free: NDArray[np.intp], k: int) -> Array:
    """lambda_max - theta at most, for a spectrum seen to be so wide, which is too narrow by as much at either end."""
    eps = (np.log(1.648 * np.sqrt(np.maximum(n_free, 1)) / CHANCE) / (2 * k - 1)) ** 2
    return np.where(eps < 0.5, width * eps / np.where(eps < 0.5, 1 - 2 * eps, 1), np.inf)


def _beside(v: Array, known: Array) -> Array:
    """What is left of `v` (R, N) beside orthonormal vectors (R, k, N)."""
    return v - np.einsum("rk,rkn->rn", np.einsum("rkn,rn->rk", known, v), known)


def _unit(v: Array) -> Array:
    """`v` divided by its length; 0 where it is."""
    length = np.linalg.norm(v, axis=1, keepdims=True)
    return v * np.where(length > 0, 1 / np.where(length > 0, length, 1), 0)
