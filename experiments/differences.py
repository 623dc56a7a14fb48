"""Derivatives with respect to the weights, along one direction a replica, for systems that only know how to be `put`.

    d f(w + x v) / dx at x = 0  =  [f(w + s v) - f(w - s v)] / (2 s) + O(s^2 f''') + O(u f / s),    |v| = 1

The step s = u^(1/3)/10 max(1, rms w), u being the rounding unit of the weights, is 5e-4 in float32 and 6e-7 in float64.
It balances both errors where f changes its course over a length of a tenth, as the gradient of a network with many
inputs does. Twice the step makes the first error four times as large and the second half as large: what changes then is
a measure of both.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.system import System

FREE = 0.1  # of a step: weights found farther than this from where they were put are not free


def step_of(system: System) -> NDArray[np.float64]:
    """The step s of each replica, (R,), at its weights now."""
    weights = system.weights()
    unit = float(np.finfo(weights.dtype).eps)
    return 0.1 * unit ** (1 / 3) * np.maximum(1, np.sqrt(np.mean(weights.astype(np.float64) ** 2, 1)))


def along(
    system: System,
    f: Callable[[], NDArray[np.floating]],
    at: NDArray[np.float64],
    direction: NDArray[np.float64],
    step: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Derivative of `f` along `direction`, (R, ...), NaN where `f` is not finite; leaves the weights elsewhere.

    Args:
        system: the one that `f` looks at.
        f: measured at its weights, (R, ...).
        at: weights, (R, N).
        direction: (R, N), of any length; the derivative grows in proportion.
        step: (R,), see `step_of`.

    Raises:
        InputError: the system does not keep the weights that are put.
    """
    length = np.linalg.norm(direction, axis=1)
    shift = direction * (step / np.where(length > 0, length, 1))[:, None]
    ahead, behind = _there(system, f, at + shift, step), _there(system, f, at - shift, step)
    scale = length / (2 * step)
    return (ahead - behind) * scale.reshape(-1, *[1] * (ahead.ndim - 1))


def _there(
    system: System, f: Callable[[], NDArray[np.floating]], weights: NDArray[np.float64], step: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`f` at these weights."""
    system.put(weights)
    found = system.weights().astype(np.float64)
    if (np.linalg.norm(found - weights, axis=1) > FREE * step).any():
        kind = type(system).__name__
        raise InputError(f"a derivative wants weights that stay where they are put; {kind} moved them (onto a sphere?)")
    values = f().astype(np.float64)
    lost = ~np.isfinite(values).reshape(len(values), -1).all(1)
    values[lost] = np.nan
    return values
