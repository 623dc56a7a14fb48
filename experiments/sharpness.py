"""Sharpness: the largest curvature of the landscape where a machine stands.

    lambda_max = largest eigenvalue of H = d^2 E / dw dw;   descent at rate eta is stable where eta lambda_max < 2

(Cohen et al. 2021: descent by the full gradient drives eta lambda_max up to 2, and it stays there.) E is the mean cost
of a time slot in nats, that which eta goes with. Products H v are differences of gradients (`experiments.differences`).
Power iteration finds the eigenvalue of largest modulus, which may be negative, and slowly where the next is near; here
the best vector in the span of all products is taken (`experiments.lanczos`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, checked_seed
from encoding.given import number, whole
from encoding.rates import rate_of_each
from experiments.abilities import ability, undisturbed
from experiments.differences import along, step_of
from experiments.lanczos import largest as top_of
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
        error: of lambda_max, which is larger by more than this in one case of a hundred at most: what the products may
            have missed, or the residual |H v - lambda v| if that is larger; plus what differences of twice the step
            change. Of eigenvalues nearer to each other than the error, any may have been found.
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
        most: products H v, two gradients each; kept in memory as so many copies of the weights in float64. Some 40 to
            100 are needed for the default tolerance, and more as its inverse square root.
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

        def product(v: Array) -> Array:
            return np.nan_to_num(along(system, gradient, at, v, step))

        start = _normal(seed, at.shape)
        start[product(start) == 0] = 0  # weights that are not learned have no gradient
        v, missed = top_of(product, start, tolerance, most)
        near, far = (along(system, gradient, at, v, times * step) for times in (1, 2))
    largest, farther = _dot(v, near), _dot(v, far)
    residual = np.linalg.norm(near - largest[:, None] * v, axis=1)
    error = np.maximum(residual, missed) + np.abs(largest - farther)
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


def _normal(seed: int, shape: tuple[int, ...]) -> Array:
    """A direction drawn from the sphere, for each replica."""
    return np.random.Generator(np.random.Philox(key=[checked_seed(seed), shape[-1]])).standard_normal(shape)


def _dot(a: Array, b: Array) -> Array:
    return np.einsum("rn,rn->r", a, b)
