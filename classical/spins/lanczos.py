"""The largest eigenvalue of a symmetric matrix that is known by its products, by ARPACK's restarted Lanczos method.

One matrix at a time, exact products, and a dozen vectors whatever the precision: what hundreds of temperatures of large
systems want. (`experiments.lanczos` is for many matrices side by side whose products are known to a few digits, and
says how much it may have missed.) It ends when the residual is small, so the start is a vector that has a part of
everything, or one found at a temperature nearby.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from encoding import InputError, Purpose, stream

Array = NDArray[np.floating]

SMALL = 400  # rows: below, a whole matrix is diagonalised as fast
VECTORS = 12  # of a Krylov space; more make fewer restarts and more of everything else


def operator_of(n: int, product: Callable[[Array], Array], precision: Any = np.float64) -> Any:
    """A symmetric matrix (n, n) by its product with a vector."""
    kind: Any = LinearOperator  # its stub knows the class only by its shape
    return kind((n, n), matvec=lambda v: product(v.ravel()), dtype=precision)


def guess(n: int) -> Array:
    """A first vector that knows nothing, always the same."""
    return stream(0, 0, Purpose.PROBE).standard_normal(n)


def largest(n: int, product: Callable[[Array], Array], start: Array, *, tolerance: float = 0.0) -> tuple[float, Array]:
    """The largest eigenvalue and its vector; `start` is a guess, `tolerance` relative (0: rounding).

    It is found in the precision of `start`.

    Raises:
        InputError: it is not found in ARPACK's number of restarts, ten a row.
    """
    if n <= VECTORS:
        values, vectors = np.linalg.eigh(np.stack([product(column) for column in np.eye(n)]))
        return float(values[-1]), vectors[:, -1]
    solve: Any = eigsh
    try:
        matrix = operator_of(n, product, start.dtype)
        values, vectors = solve(matrix, k=1, which="LA", v0=start, tol=tolerance, ncv=min(VECTORS, n))
    except ArpackError:
        raise InputError(
            f"the largest eigenvalue of {n} rows was not found in {10 * n} restarts: are bonds of very different sizes?"
        ) from None
    return float(values[0]), vectors[:, 0]
