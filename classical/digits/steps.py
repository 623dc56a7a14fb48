"""Steps of one digit classifier, compiled: what `classical.digits.layers` does with torch, product by product.

    h_k = s_(k-1) J^(k) + b_k,    d_(k-1)^T = (J^(k) d_k^T) phi'(h_(k-1))^T
    v <- m v + s_(k-1)^T d_k,     w <- w - rate v

The products are those of `classical.kernels.tile`, whose right factor has rows of whole vectors: J^(k) itself going
forward, d_k^T going back, so that no J is ever transposed. Velocities and weights move some rows at a time, while these
are at hand: a step reads and writes them once. Of the last layer, whose ten columns are no whole vectors, there is a
padded copy. All sums run in a fixed order; no fastmath.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from classical.kernels.tile import ADDRESS, FRESH, NOTHING, gemm, padded

F = np.float32
OPTIONS = {"boundscheck": False, "nogil": True, "error_model": "numpy", "cache": True}
ROWS = 20  # of velocities that move together: 40 kB of 512 columns
pad = njit(padded)


class Plan(NamedTuple):
    """What does not change from step to step.

    Attributes:
        sizes: N_0 .. N_L; the hidden ones in whole vectors.
        bonds, biases: where each J^(k) and b_k begins among the weights; a bias at -1 is none.
        inputs: of all images, (n, N_0), and their labels, (n,).
        binary: steps rather than ReLUs.
        margin, momentum: of the hinge, and of the velocity.
    """

    sizes: NDArray[np.int64]
    bonds: NDArray[np.int64]
    biases: NDArray[np.int64]
    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]  # read-only
    binary: bool
    margin: float
    momentum: float


@njit(**OPTIONS)
def learn(address, plan, flat, velocity, images, ends, rate):
    """A step for each batch images[ends[i]:ends[i + 1]]; the mean hinge of each before it. At rate 0 none moves."""
    n_layers, most = len(plan.bonds), np.max(np.diff(ends))
    fields = [np.zeros((most, pad(n)), F) for n in plan.sizes]
    states = [np.zeros((most, pad(n)), F) for n in plan.sizes]
    turned = [np.zeros((n, pad(most)), F) for n in plan.sizes]  # states, transposed
    errors = [np.zeros((most, pad(n)), F) for n in plan.sizes]
    back = [np.zeros((pad(n), pad(most)), F) for n in plan.sizes]  # errors, transposed
    last = np.zeros((plan.sizes[-2], pad(plan.sizes[-1])), F)
    costs = np.empty(len(ends) - 1)
    for step in range(len(costs)):
        batch = images[ends[step] : ends[step + 1]]
        n = len(batch)
        for row in range(n):
            states[0][row, : plan.sizes[0]] = plan.inputs[batch[row]]
        for k in range(n_layers):
            _forward(address, plan, flat, last, states, fields, k, n)
        costs[step] = _hinge(plan, batch, fields[n_layers], errors[n_layers], back[n_layers])
        if rate > 0:
            for k in range(n_layers):
                _turn(states[k], turned[k], n)
            for k in range(n_layers - 1, 0, -1):
                right = last if k == n_layers - 1 else _matrix(plan, flat, k)
                gemm(address, right, 0, back[k + 1], back[k], 0, back[k], plan.sizes[k], plan.sizes[k + 1], FRESH)
                _through(plan.binary, fields[k], errors[k], back[k], n)
            for k in range(n_layers):
                _move(address, plan, flat, velocity, turned[k], errors[k + 1], k, n, F(rate))
    return costs


@njit(inline="always")
def _matrix(plan, flat, k):
    """J^(k+1), (N_k, N_(k+1)), of a flat vector."""
    n, m = plan.sizes[k], plan.sizes[k + 1]
    return flat[plan.bonds[k] : plan.bonds[k] + n * m].reshape(n, m)


@njit(**OPTIONS)
def _forward(address, plan, flat, last, states, fields, k, n):
    """The fields of a layer, and its states."""
    bonds, field, n_out, final = _matrix(plan, flat, k), fields[k + 1], plan.sizes[k + 1], k + 1 == len(plan.bonds)
    if final:
        for row in range(len(last)):
            last[row, :n_out] = bonds[row]
    there = FRESH
    if plan.biases[k] >= 0:
        there = NOTHING
        for row in range(n):
            field[row, :n_out] = flat[plan.biases[k] : plan.biases[k] + n_out]
    gemm(address, states[k], 0, last if final else bonds, field, 0, field, n, plan.sizes[k], there)
    if not final:
        for row in range(n):
            h, s = field[row], states[k + 1][row]
            for j in range(n_out):
                if plan.binary:
                    s[j] = F(1) if h[j] >= F(0) else F(-1) if h[j] < F(0) else h[j]  # what is no number stays so
                else:
                    s[j] = F(0) if h[j] < F(0) else h[j]


@njit(**OPTIONS)
def _hinge(plan, batch, scores, errors, back):
    """The mean hinge of a batch, and its slopes: `classical.digits.cost`."""
    n, n_classes, total = len(batch), plan.sizes[-1], 0.0
    back[:] = F(0)
    for row in range(n):
        right, cost, pull = plan.labels[batch[row]], 0.0, 0.0
        for i in range(n_classes):
            short = np.float64(scores[row, i]) - np.float64(scores[row, right]) + plan.margin
            if i == right or short < 0:
                short = 0.0
            cost += short * short
            short *= 2 / (n_classes * n)
            pull += short
            errors[row, i] = F(short)
        errors[row, right] = F(-pull)
        total += cost / n_classes
        for i in range(n_classes):
            back[i, row] = errors[row, i]
    return total / n


@njit(**OPTIONS)
def _turn(rows, columns, n):
    """Transposed; columns of images that are not there are not read."""
    for j in range(columns.shape[0]):
        for row in range(n):
            columns[j, row] = rows[row, j]


@njit(**OPTIONS)
def _through(binary, field, errors, back, n):
    """Errors of states made errors of their fields, both ways round."""
    for row in range(n):
        h, d = field[row], errors[row]
        for j in range(back.shape[0]):
            d[j] = back[j, row] * F((abs(h[j]) < F(1)) if binary else (h[j] > F(0)))
    for j in range(back.shape[0]):
        for row in range(n):
            back[j, row] = errors[row, j]


@njit(**OPTIONS)
def _move(address, plan, flat, velocity, turned, errors, k, n, rate):
    """v <- m v + s^T d, w <- w - rate v, some rows at a time."""
    w, v, m = _matrix(plan, flat, k), _matrix(plan, velocity, k), F(plan.momentum)
    whole = w.shape[1] == errors.shape[1]
    part = np.empty((ROWS, errors.shape[1]), F)
    for start in range(0, len(w), ROWS):
        count = min(ROWS, len(w) - start)
        if whole:
            for i in range(start, start + count):
                _scale(v[i], m)
            gemm(address, turned, start, errors, v, start, v, count, n, NOTHING)
        else:
            gemm(address, turned, start, errors, part, 0, part, count, n, FRESH)
            for i in range(count):
                for j in range(w.shape[1]):
                    v[start + i, j] = m * v[start + i, j] + part[i, j]
        for i in range(start, start + count):
            _descend(w[i], v[i], rate)
    if plan.biases[k] >= 0:
        place = slice(plan.biases[k], plan.biases[k] + w.shape[1])
        b, u = flat[place], velocity[place]
        _scale(u, m)
        for row in range(n):
            for j in range(len(u)):
                u[j] += errors[row, j]
        _descend(b, u, rate)


@njit(**OPTIONS)
def _scale(v, m):
    for j in range(len(v)):
        v[j] *= m


@njit(**OPTIONS)
def _descend(w, v, rate):
    for j in range(len(w)):
        w[j] -= rate * v[j]


def ready() -> None:
    """Compile all there is."""
    whole = np.int64
    plan = Plan(
        np.array([3, 16, 10], whole), np.array([0, 48], whole), np.array([-1, 208], whole),
        np.zeros((2, 3), F), np.zeros(2, whole), True, 1.0, 0.5,
    )  # fmt: skip
    plan.labels.flags.writeable = False  # as those of Digits: another type to Numba
    flat = np.zeros(218, F)
    learn(ADDRESS, plan, flat, flat.copy(), np.arange(2), np.array([0, 2]), 0.1)
