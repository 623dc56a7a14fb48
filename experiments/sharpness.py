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

from encoding import InputError
from encoding.rates import rate_of_each
from experiments.abilities import ability, signs, undisturbed
from experiments.differences import along, step_of
from experiments.observables.given import number, whole
from experiments.replay import played, replay, times
from experiments.store import Run
from experiments.system import System
from experiments.trajectory import Trajectory

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
    most = whole("most", most)
    if not number("tolerance", tolerance, above=0) < 1:
        raise InputError(f"tolerance is between 0 and 1; got {tolerance}")
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


class SharpnessAlong(NamedTuple):
    """Sharpness at every look of a run that took weights; every entry (n, R).

    Attributes:
        time: proper times; NaN where a replica was frozen, or went back, and so is all else there.
        rate: eta at the look.
        largest: lambda_max, in nats per squared weight.
        stability: eta lambda_max, stable below 2.
        error: of lambda_max, see `Sharpness`.
        converged: whether the error is within twice the tolerance.
    """

    time: Array
    rate: Array
    largest: Array
    stability: Array
    error: Array
    converged: NDArray[np.bool_]


def sharpness_along(
    run: Run | System, trajectory: Trajectory | None = None, *, tolerance: float = 1e-2, most: int = 200, seed: int = 0
) -> SharpnessAlong:
    """lambda_max and eta lambda_max along a run, with the rates that it had.

    Descent at constant rate sharpens until eta lambda_max = 2 (Cohen et al. 2021); a schedule that halves the rate lets
    lambda_max rise further.

    Args:
        run: of a store, or a system.
        trajectory: of the system.
        tolerance: wanted error, relative to lambda_max.
        most: products H v at each look.
        seed: of the first vectors, the same at every look.

    Raises:
        InputError: as `sharpness` does, or `experiments.replay`.
    """
    system, trajectory = played(run, trajectory)
    looks = [sharpness(system, tolerance=tolerance, most=most, seed=seed) for _ in replay(system, trajectory)]
    time, rate = times(trajectory), trajectory.rate[trajectory.weights_look]
    known = np.isfinite(time)
    largest, error = (np.where(known, [getattr(look, name) for look in looks], np.nan) for name in ("largest", "error"))
    converged = known & [look.converged for look in looks]
    return SharpnessAlong(time, np.where(known, rate, np.nan), largest, rate * largest, error, converged)


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
