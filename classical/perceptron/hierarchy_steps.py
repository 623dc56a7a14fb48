"""Parisi's recursion compiled: functions down the levels, weights of fields up again.

    f_(i-1)(h) = (1/m_i) ln int Dz exp[m_i f_i(h + s_i z)],    f'_(i-1)(h) = <f'_i(h + s_i z)> with these weights

on a grid h_j = scale sinh(j spacing). Between its points f is the cubic that has f and f' of two neighbours, f' the one
through four points. The way up transposes the same numbers: P_i(j) are the weights with which values at the grid count
at level i, so that averages of one and the same f' are exact derivatives of one and the same sum.
"""

import numpy as np
from numba import njit

OPTIONS = {"boundscheck": False, "nogil": True, "error_model": "numpy", "cache": True}
NOTHING = 1e-18  # of all weight


@njit(**OPTIONS)
def stencil(y, scale, spacing, half):
    """The grid point left of y, and the weights of the four points around it."""
    t = np.arcsinh(y / scale) / spacing
    j = min(max(int(np.floor(t)), 1 - half), half - 2)
    u = t - j
    below = -u * (u - 1) * (u - 2) / 6
    left = (u + 1) * (u - 1) * (u - 2) / 2
    right = -(u + 1) * u * (u - 2) / 2
    above = (u + 1) * u * (u - 1) / 6
    return j + half, below, left, right, above


@njit(**OPTIONS)
def between(y, a, h, f, slope):
    """f(y) by the cubic between h[a] and h[a + 1]."""
    width = h[a + 1] - h[a]
    x = (y - h[a]) / width
    rise, start, end = f[a + 1] - f[a], slope[a] * width, slope[a + 1] * width
    return f[a] + x * (start + x * (3 * rise - 2 * start - end + x * (start + end - 2 * rise)))


@njit(**OPTIONS)
def descend(scale, spacing, last, last_slope, steps, m, z, weight, n_nodes):
    """f and f' at all levels, (k + 1, n), from those at the last one.

    steps, m: of levels 1 .. k at [1:]; z, weight: nodes of each level, (k + 1, most), the first n_nodes[i] of them.
    """
    k, n = len(steps) - 1, len(last)
    half = (n - 1) // 2
    h = scale * np.sinh(np.arange(-half, half + 1) * spacing)
    f, slope = np.empty((k + 1, n)), np.empty((k + 1, n))
    f[k], slope[k] = last, last_slope
    exponent, slopes = np.empty(z.shape[1]), np.empty(z.shape[1])
    for i in range(k, 0, -1):
        for j in range(n):
            largest = -np.inf
            for c in range(n_nodes[i]):
                y = h[j] + steps[i] * z[i, c]
                a, w0, w1, w2, w3 = stencil(y, scale, spacing, half)
                exponent[c] = m[i] * between(y, a, h, f[i], slope[i])
                slopes[c] = w0 * slope[i, a - 1] + w1 * slope[i, a] + w2 * slope[i, a + 1] + w3 * slope[i, a + 2]
                largest = max(largest, exponent[c])
            total, sloped = 0.0, 0.0
            for c in range(n_nodes[i]):
                share = weight[i, c] * np.exp(exponent[c] - largest)
                total += share
                sloped += share * slopes[c]
            f[i - 1, j] = (largest + np.log(total)) / m[i]
            slope[i - 1, j] = sloped / total
    return f, slope


@njit(**OPTIONS)
def ascend(scale, spacing, f, slope, steps, m, z, weight, n_nodes, first, first_weight):
    """Weights at level 0 of fields `first`, then <(f_i')^2> at all levels, (k + 1,), and <f_0'>."""
    k, n = len(steps) - 1, f.shape[1]
    half = (n - 1) // 2
    h = scale * np.sinh(np.arange(-half, half + 1) * spacing)
    squares, p, mean = np.zeros(k + 1), np.zeros(n), 0.0
    for c in range(len(first)):
        a, w0, w1, w2, w3 = stencil(first[c], scale, spacing, half)
        there = w0 * slope[0, a - 1] + w1 * slope[0, a] + w2 * slope[0, a + 1] + w3 * slope[0, a + 2]
        mean += first_weight[c] * there
        squares[0] += first_weight[c] * there**2  # of small fields the squares are not those of the grid
        p[a - 1] += first_weight[c] * w0
        p[a] += first_weight[c] * w1
        p[a + 1] += first_weight[c] * w2
        p[a + 2] += first_weight[c] * w3
    share = np.empty(z.shape[1])
    for i in range(1, k + 1):
        following = np.zeros(n)
        for j in range(n):
            if abs(p[j]) < NOTHING:  # weights between points are of both signs
                continue
            largest, total = -np.inf, 0.0
            for c in range(n_nodes[i]):
                y = h[j] + steps[i] * z[i, c]
                a, w0, w1, w2, w3 = stencil(y, scale, spacing, half)
                share[c] = m[i] * between(y, a, h, f[i], slope[i])
                largest = max(largest, share[c])
            for c in range(n_nodes[i]):
                share[c] = weight[i, c] * np.exp(share[c] - largest)
                total += share[c]
            for c in range(n_nodes[i]):
                a, w0, w1, w2, w3 = stencil(h[j] + steps[i] * z[i, c], scale, spacing, half)
                part = p[j] * share[c] / total
                following[a - 1] += part * w0
                following[a] += part * w1
                following[a + 1] += part * w2
                following[a + 2] += part * w3
        p = following
        squares[i] = (p * slope[i] ** 2).sum()
    return squares, mean


@njit(**OPTIONS)
def read(scale, spacing, values, y):
    """Values between the points of the grid, (n_y,)."""
    half = (len(values) - 1) // 2
    found = np.empty(len(y))
    for c in range(len(y)):
        a, w0, w1, w2, w3 = stencil(y[c], scale, spacing, half)
        found[c] = w0 * values[a - 1] + w1 * values[a] + w2 * values[a + 1] + w3 * values[a + 2]
    return found


def ready() -> None:
    """Compile all there is."""
    one, table, level = np.zeros(2), np.ones((2, 1)), np.ones(2, np.int64)
    grid = np.zeros(9)
    f, slope = descend(1.0, 0.5, grid, grid, one, one + 0.5, table, table, level)
    ascend(1.0, 0.5, f, slope, one, one + 0.5, table, table, level, np.zeros(1), np.ones(1))
    read(1.0, 0.5, grid, np.zeros(1))
