"""Logistic regression of the next chord: the best that a read-out can do with what it is given.

    H_i = sum_j B_ji x_j,   p(S_i = +1) = sigmoid(2 H_i)
    E = sum_slots sum_i ln[1 + exp(-2 S_i H_i)] + (ridge / 2) sum_ij B_ij^2      (nats)

E is convex, and splits into one problem a key. Newton's method solves all of them side by side, each with its own
curvature: rare keys have a curvature hundreds of times smaller than frequent ones, which is what a gradient method
waits for. Equal inputs are merged first: chords return often.
"""

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import is_number, number
from experiments.observables.given import numbers

RIDGE_ELSEWHERE = 10.0  # nats; of .1, 1, 10, 30, 100 the best for a fourth of the paper's 80 learned from the others
MOST_STEPS = 200
HALVINGS = 50
RIDGES = (1e-9, 1e100)  # nats: less leaves the curvature singular


def with_one(inputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """The inputs and a constant 1, whose weight is h_0, (n_slots, n_inputs + 1)."""
    return np.hstack([inputs, np.ones((len(inputs), 1))]).astype(np.float64)


def fit_logistic(
    inputs: NDArray[np.floating], targets: NDArray[np.floating], *, ridge: float, tolerance: float = 1e-8
) -> NDArray[np.float64]:
    """The weights B of lowest E, (n_inputs, n_outputs).

    Args:
        inputs: (n_slots, n_inputs).
        targets: +-1, (n_slots, n_outputs).
        ridge: in nats; positive, for a key that can be told without error has its optimum at infinity.
        tolerance: nats per slot by which E of a key may lie above its minimum.

    Raises:
        InputError: no numbers, other shapes, or a ridge or a tolerance that is not positive.
    """
    if not is_number(ridge) or not RIDGES[0] <= float(ridge) <= RIDGES[1]:
        raise InputError(f"the ridge is positive, {RIDGES[0]:g} or more (as good as none); got {shown(ridge)}")
    tolerance = number("tolerance (in nats per slot)", tolerance, above=0)
    inputs, targets = _slots(inputs, targets)
    x, times, sounds = _merged(inputs, targets)
    weights = np.zeros((x.shape[1], sounds.shape[1]))
    open_keys = np.arange(sounds.shape[1])
    for _ in range(MOST_STEPS):
        move, gain = _newton(x, times, sounds[:, open_keys], weights[:, open_keys], ridge)
        weights[:, open_keys] -= _shortened(x, times, sounds[:, open_keys], weights[:, open_keys], ridge, move, gain)
        open_keys = open_keys[gain / 2 > tolerance * len(inputs)]
        if not len(open_keys):
            break
    return weights


def logistic_nll(inputs: NDArray[np.floating], targets: NDArray[np.floating], weights: NDArray[np.float64]) -> float:
    """NLL in bits per output unit per slot.

    Raises:
        InputError: no numbers, or other shapes.
    """
    inputs, targets = _slots(inputs, targets)
    weights = numbers(weights, "weights", "n_inputs", "n_outputs")
    if weights.shape != (inputs.shape[1], targets.shape[1]):
        raise InputError(f"weights are of {inputs.shape[1]} inputs and {targets.shape[1]} outputs; got {weights.shape}")
    return float(np.logaddexp(0, -2 * targets * (inputs @ weights)).mean() / np.log(2))


def _slots(inputs: NDArray[np.floating], targets: NDArray[np.floating]) -> tuple[NDArray, NDArray]:
    """What is known in each slot, and what followed."""
    x, y = numbers(inputs, "inputs", "n_slots", "n_inputs"), numbers(targets, "targets", "n_slots", "n_outputs")
    if len(x) != len(y):
        raise InputError(f"inputs and targets are of the same slots; got {len(x)} and {len(y)}")
    return x, y


def _merged(inputs, targets) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Different inputs, how often each came, and how often each key sounded after it."""
    different, which = np.unique(inputs, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    starts = np.searchsorted(which.ravel()[order], np.arange(len(different)))
    sounds = np.add.reduceat((targets[order] > 0).astype(float), starts, axis=0)
    return different.astype(np.float64), np.bincount(which.ravel()).astype(float), sounds


def _energy(x, times, sounds, weights, ridge) -> NDArray[np.float64]:
    """E of every key, (n_outputs,)."""
    field = 2 * x @ weights
    return (times[:, None] * np.logaddexp(0, field) - sounds * field).sum(0) + ridge / 2 * (weights**2).sum(0)


def _newton(x, times, sounds, weights, ridge) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Newton's move and twice the gain that the curvature promises, (n_inputs, n_outputs) and (n_outputs,)."""
    from scipy.special import expit

    chance = expit(2 * x @ weights)
    slope = 2 * x.T @ (times[:, None] * chance - sounds) + ridge * weights
    bend = 4 * times[:, None] * chance * (1 - chance)
    curvature = np.stack([(x * column[:, None]).T @ x for column in bend.T])
    curvature[:, range(len(slope)), range(len(slope))] += ridge
    move = np.linalg.solve(curvature, slope.T[:, :, None])[:, :, 0].T
    return move, (slope * move).sum(0)


def _shortened(x, times, sounds, weights, ridge, move, gain) -> NDArray[np.float64]:
    """The move, halved key by key until E falls."""
    before = _energy(x, times, sounds, weights, ridge)
    size = np.ones(len(gain))
    for _ in range(HALVINGS):
        rises = _energy(x, times, sounds, weights - size * move, ridge) > before - 1e-4 * size * gain + 1e-11 * before
        if not rises.any():
            break
        size[rises] /= 2
    return size * move
