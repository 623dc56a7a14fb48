"""Sharpness: the largest curvature of the landscape where a machine stands.

    lambda_max = largest eigenvalue of H = d^2 E / dw dw;   descent at rate eta is stable where eta lambda_max < 2

(Cohen et al. 2021: descent by the full gradient drives eta lambda_max up to 2, and it stays there.) E is the mean cost
of a time slot in nats, that which eta goes with. Products H v are differences of gradients (`experiments.differences`).
Power iteration by itself finds the eigenvalue of largest modulus, which may be negative; here each iteration takes the
best vector in the span of the last one, its residual and the last change (Knyazev 2001): it climbs to lambda_max.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.rates import rate_of_each
from encoding import InputError
from experiments.abilities import ability, signs, undisturbed
from experiments.differences import along, step_of
from experiments.learning import System

Array = NDArray[np.float64]


class Sharpness(NamedTuple):
    """The largest curvature of each replica; every entry (R,), NaN where the gradient is not finite.

    Attributes:
        largest: lambda_max, in nats per squared weight.
        stability: eta lambda_max, stable below 2; NaN without a rate.
        error: an eigenvalue lies within |H v - lambda v| of lambda_max; plus what differences of twice the step change.
        converged: whether the error is within twice the tolerance. If not, the largest curvature may be larger still.
    """

    largest: Array
    stability: Array
    error: Array
    converged: NDArray[np.bool_]


def sharpness(
    system: System, rate: ArrayLike | None = None, *, tolerance: float = 1e-2, most: int = 200, seed: int = 0
) -> Sharpness:
    """Largest eigenvalue of the Hessian of E at the weights of `system`, which is left as it was, bit for bit.

    Args:
        system: one with a `gradient()`; every weight counts as free.
        rate: eta, a number or one a replica.
        tolerance: wanted error, relative to lambda_max. In float32 not much below 1e-2.
        most: iterations, a product H v each.
        seed: of the first vectors.

    Raises:
        InputError: the system has no `gradient`, or moves the weights it is given; tolerance or most not positive.
    """
    gradient = ability(system, "gradient")
    if not 0 < tolerance < 1 or isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"tolerance is between 0 and 1, most a whole number of at least 1; got {tolerance}, {most!r}")
    eta = np.full(system.n_replicas, np.nan) if rate is None else rate_of_each(rate, 1, system.n_replicas)
    with undisturbed(system):
        at, step = system.weights().astype(np.float64), step_of(system)
        v = signs(seed, at.shape)
        v = _climb(lambda v: np.nan_to_num(along(system, gradient, at, v, step)), v, tolerance, most)
        near, far = (along(system, gradient, at, v, times * step) for times in (1, 2))
    largest, farther = _dot(v, near), _dot(v, far)
    residual = np.linalg.norm(near - largest[:, None] * v, axis=1)
    error = residual + np.abs(largest - farther)
    return Sharpness(largest, eta * largest, error, error <= 2 * tolerance * np.abs(largest))


def _climb(product: Callable[[Array], Array], v: Array, tolerance: float, most: int) -> Array:
    """Unit vectors of the largest eigenvalues of symmetric matrices known by their products, (R, N)."""
    v = _unit(product(v))  # none of the weights that are not learned, which have no gradient
    image, change, changed = product(v), np.zeros_like(v), np.zeros_like(v)
    for _ in range(most):
        value = _dot(v, image)
        residual = image - value[:, None] * v
        if (np.linalg.norm(residual, axis=1) <= tolerance * np.abs(value)).all():
            break
        fresh = _unit(_without(_without(residual, v, change), v, change))
        plane = np.stack([v, change, fresh], 1)  # (R, 3, N), orthonormal or 0
        images = np.stack([image, changed, product(fresh)], 1)
        best = _best(plane, images)  # (R, 3)
        v, image = (np.einsum("rk,rkn->rn", best, vectors) for vectors in (plane, images))
        best[:, 0] = 0
        change, changed = (np.einsum("rk,rkn->rn", best, vectors) for vectors in (plane, images))
        v, image = _scaled(v, image)
        along_v = _dot(change, v)[:, None]
        change, changed = _scaled(change - along_v * v, changed - along_v * image)
    return v


def _best(plane: Array, images: Array) -> Array:
    """Coefficients of the vector of largest eigenvalue in the plane, (R, 3); none of a vector that is 0."""
    small = plane @ images.mT
    small = (small + small.mT) / 2
    missing = ~plane.any(-1)  # (R, 3)
    low = -1 - 4 * np.abs(small).sum((-2, -1))
    small[:, [0, 1, 2], [0, 1, 2]] = np.where(missing, low[:, None], np.einsum("rkk->rk", small))
    return np.linalg.eigh(small)[1][..., -1]


def _dot(a: Array, b: Array) -> Array:
    return np.einsum("rn,rn->r", a, b)


def _unit(v: Array) -> Array:
    return _scaled(v, v)[0]


def _scaled(v: Array, image: Array) -> tuple[Array, Array]:
    """Both divided by |v|; 0 where v is."""
    length = np.linalg.norm(v, axis=1, keepdims=True)
    scale = np.where(length > 0, 1 / np.where(length > 0, length, 1), 0)
    return v * scale, image * scale


def _without(v: Array, *others: Array) -> Array:
    """What is left of `v` beside unit vectors."""
    for other in others:
        v = v - _dot(v, other)[:, None] * other
    return v
