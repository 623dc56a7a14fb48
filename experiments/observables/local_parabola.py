"""A curve drawn smoothly through scattered looks: at each place the parabola that fits the looks around it best.

    s(x) = c_0,    sum_j (1 - d_j^3)^3 (y_j - c_0 - c_1 d_j - c_2 d_j^2)^2 = min,    d_j = |x_j - x| / h < 1

(loess, Cleveland 1979; c_1 goes with the sign of x_j - x.) It is linear in the looks, s = L y, so what noise does to it
is known: independent noise sigma makes s uncertain by sigma (sum_j L_j^2)^1/2.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NEAREST = 7  # looks that a window holds at least: a parabola and something to tell the noise by
CHUNK = 64  # places smoothed at once: bounds the memory


def smoothed(x: Array, y: Array, at: Array, window: float) -> Array:
    """s at the places `at`, (n,), from looks y (N,) at ascending x (N,), N at least seven.

    The window reaches `window` to either side, or to the seventh nearest look if that is farther.
    """
    values = []
    for start in range(0, len(at), CHUNK):
        rows, first, _ = kernel(x, at[start : start + CHUNK], window)
        values.append(rows @ y[first : first + rows.shape[1]])
    return np.concatenate(values)


def kernel(x: Array, at: Array, window: float) -> tuple[Array, int, Array]:
    """The rows of L at the places `at`, (n, k), for the looks first .. first + k - 1; first; and how far each reaches.

    Places far apart need all looks between them: call it for some hundred at a time.
    """
    reach = _reach(x, at, window)
    first, end = np.searchsorted(x, [(at - reach).min(), (at + reach).max()])
    distance = (x[first:end] - at[:, None]) / reach[:, None]
    weight = (1 - np.minimum(np.abs(distance), 1) ** 3) ** 3
    return weight * _parabola(distance, weight), int(first), reach


def scatter(x: Array, y: Array, looks: NDArray[np.intp], window: float) -> tuple[float, float]:
    """Noise sigma of y from what s leaves of some of the looks, and how many free numbers told it.

        sigma^2 = sum r^2 / tr G,    nu = (tr G)^2 / tr G^2,    r = B y,    G = B B^T

    B has the rows of 1 - L at these looks. (Satterthwaite 1946: nu sum r^2 / (sigma^2 tr G) has the mean and variance
    of chi^2 with nu degrees of freedom.)
    """
    rows, first, _ = kernel(x, x[looks], window)
    residual = y[looks] - rows @ y[first : first + rows.shape[1]]
    left = -rows
    left[np.arange(len(looks)), looks - first] += 1
    gram = left @ left.T
    trace = np.trace(gram)
    return float(np.sqrt(residual @ residual / trace)), float(trace**2 / (gram**2).sum())


def _parabola(distance: Array, weight: Array) -> Array:
    """What multiplies weight * y in the constant term of the weighted parabola: (1, d, d^2) times a row of M^-1."""
    moment = [weight.sum(1)]
    power = weight
    for _ in range(4):
        power = power * distance
        moment.append(power.sum(1))
    matrix = np.stack([np.stack(moment[k : k + 3], 1) for k in range(3)], 1)
    unit = np.zeros((len(distance), 3, 1))
    unit[:, 0] = 1
    row = np.linalg.solve(matrix, unit)[:, :, 0]
    return row[:, :1] + distance * (row[:, 1:2] + distance * row[:, 2:])


def _reach(x: Array, at: Array, window: float) -> Array:
    """Half the window: `window`, or the distance to the seventh nearest look if that is larger."""
    first = np.searchsorted(x, at)[:, None] + np.arange(-NEAREST, 1)
    first = np.clip(first, 0, len(x) - NEAREST)
    farthest = np.maximum(at[:, None] - x[first], x[first + NEAREST - 1] - at[:, None]).min(1)
    return np.maximum(window, farthest * (1 + 1e-9))
