"""Parisi's recursion compiled: functions down the levels, weights of fields up again.

    f_(i-1)(h) = (1/m_i) ln int Dz exp[m_i f_i(h + s_i z)],    f'_(i-1)(h) = <f'_i(h + s_i z)> with these weights

on a grid h_j = scale sinh(j spacing). What is averaged at h lies around the maximum of m f(y) - (y - h)^2/2s^2, which
is far from h where a wall is hard; there the nodes are, equally spaced in arcsinh(y/scale), so that they are dense
where f has its layer. Between grid points f is the cubic that has f and f' of two neighbours, f' the quintic through
six points.

The way up transposes the numbers of the way down, which are kept: P_i(j) are the weights with which values at the grid
count at level i, so that averages of one and the same f' are exact derivatives of one and the same sum.
"""

import numpy as np
from numba import njit

OPTIONS = {"boundscheck": False, "nogil": True, "error_model": "numpy", "cache": True}
NOTHING = 1e-18  # of all weight
REACH, BULK = 6.0, 4.0  # of the nodes, in widths of what is averaged, and where most of it is
COARSEST = 1.0  # spacing of nodes in these widths: the rule is exact to exp(-2 pi^2/spacing^2)
LAYERED = 0.3  # spacing in arcsinh(y/scale): f' has poles at a distance 1, exact to exp(-2 pi/spacing)


@njit(**OPTIONS)
def shares(u):
    """The weights of the six points around a place, u spacings right of the third (Lagrange)."""
    a, b, c, d, e = u + 2, u + 1, u - 1, u - 2, u - 3
    ab, de, bc = a * b, d * e, b * c
    return (
        -bc * u * de / 120,
        a * u * c * de / 24,
        -ab * c * de / 12,
        ab * u * de / 12,
        -ab * u * c * e / 24,
        ab * u * c * d / 120,
    )


@njit(**OPTIONS)
def at(values, a, u):
    """A value between the points."""
    w0, w1, w2, w3, w4, w5 = shares(u)
    left = w0 * values[a - 2] + w1 * values[a - 1] + w2 * values[a]
    return left + w3 * values[a + 1] + w4 * values[a + 2] + w5 * values[a + 3]


@njit(**OPTIONS)
def put(p, a, u, part):
    """The transpose: weight that lies between the points."""
    w0, w1, w2, w3, w4, w5 = shares(u)
    p[a - 2] += part * w0
    p[a - 1] += part * w1
    p[a] += part * w2
    p[a + 1] += part * w3
    p[a + 2] += part * w4
    p[a + 3] += part * w5


@njit(**OPTIONS)
def left_of(t, n):
    """The grid point left of t, in spacings from the first, with two more on its left and three on its right."""
    return min(max(int(np.floor(t)), 2), n - 4)


@njit(**OPTIONS)
def cubics(h, f, slope):
    """Of f between neighbours, in powers of y - h_a: the cubic that has f and f' of both, (n, 3) from the first on."""
    c = np.zeros((len(h), 3))
    for a in range(len(h) - 1):
        width = h[a + 1] - h[a]
        mean, start, end = (f[a + 1] - f[a]) / width, slope[a], slope[a + 1]
        c[a, 0] = start
        c[a, 1] = (3 * mean - 2 * start - end) / width
        c[a, 2] = (start + end - 2 * mean) / (width * width)
    return c


@njit(**OPTIONS)
def quintics(values):
    """Between points, in powers of u: the quintic through six of them, (n, 5) from the first power on."""
    n = len(values)
    c = np.zeros((n, 5))
    for a in range(2, n - 3):
        v0, v1, v2, v3, v4, v5 = values[a - 2 : a + 4]
        c[a, 0] = v0 / 20 - v1 / 2 - v2 / 3 + v3 - v4 / 4 + v5 / 30
        c[a, 1] = -v0 / 24 + 2 * v1 / 3 - 5 * v2 / 4 + 2 * v3 / 3 - v4 / 24
        c[a, 2] = -v0 / 24 - v1 / 24 + 5 * v2 / 12 - 7 * v3 / 12 + 7 * v4 / 24 - v5 / 24
        c[a, 3] = v0 / 24 - v1 / 6 + v2 / 4 - v3 / 6 + v4 / 24
        c[a, 4] = -v0 / 120 + v1 / 24 - v2 / 12 + v3 / 12 - v4 / 24 + v5 / 120
    return c


@njit(**OPTIONS)
def window(y0, step, m, concave, peak, scale, spacing, h, slope):
    """Where nodes for y0 begin, in spacings from the first grid point; how far apart, and how many they are.

    Where f is concave, what is averaged has one maximum, right of the grid point `peak`, and is no wider than the step.
    """
    n = len(h)
    if concave:
        pull = m * step * step
        low, high = h[peak] - pull * slope[peak], h[peak + 1] - pull * slope[peak + 1]
        width = h[peak + 1] - h[peak]
        steep = max((high - low) / width, 1.0)
        centre, left = h[peak] + (y0 - low) / (high - low) * width, step / np.sqrt(steep)
        b = left_of(np.arcsinh((centre + REACH * step) / scale) / spacing + (n - 1) // 2, n)
        flat = 1 - pull * (slope[b + 1] - slope[b]) / (h[b + 1] - h[b])
        right = step / np.sqrt(max(flat, 1.0))
        near, far = centre - BULK * left, centre + BULK * right
        first, last = centre - REACH * left, centre + REACH * right
    else:
        left = right = step
        first, last = y0 - (REACH + m * step) * step, y0 + (REACH + m * step) * step
        near, far = first + (REACH - BULK) * step, last - (REACH - BULK) * step
    apart = COARSEST * min(left / np.sqrt(near**2 + scale**2), right / np.sqrt(far**2 + scale**2))
    begin, end = np.arcsinh(first / scale), np.arcsinh(last / scale)
    count = int(np.ceil((end - begin) / min(apart, LAYERED))) + 1
    return begin / spacing + (n - 1) // 2, (end - begin) / (count - 1) / spacing, count


@njit(**OPTIONS)
def average(y0, step, m, begin, apart, count, scale, spacing, h, f, rise, slope, bend, share):
    """f and f' one level lower at y0; the shares of the nodes are written down."""
    n, largest, narrow = len(h), -np.inf, 0.5 / (step * step)
    t = (begin - (n - 1) // 2) * spacing
    first_up, first_down, ratio = np.exp(t) * scale / 2, np.exp(-t) * scale / 2, np.exp(apart * spacing)
    inverse = 1 / ratio
    up, down = first_up, first_down
    for c in range(count):
        y, a = up - down, left_of(begin + c * apart, n)
        x = y - h[a]
        share[c] = m * (f[a] + x * (rise[a, 0] + x * (rise[a, 1] + x * rise[a, 2]))) - narrow * (y - y0) ** 2
        largest = max(largest, share[c])
        up, down = up * ratio, down * inverse
    total, sloped = 0.0, 0.0
    up, down = first_up, first_down
    for c in range(count):
        place = begin + c * apart
        a = left_of(place, n)
        u = place - a
        share[c] = (up + down) * np.exp(share[c] - largest)
        total += share[c]
        higher = bend[a, 1] + u * (bend[a, 2] + u * (bend[a, 3] + u * bend[a, 4]))
        sloped += share[c] * (slope[a] + u * (bend[a, 0] + u * higher))
        up, down = up * ratio, down * inverse
    for c in range(count):
        share[c] /= total
    return (largest + np.log(total * apart * spacing / (step * np.sqrt(2 * np.pi)))) / m, sloped / total


@njit(**OPTIONS)
def descend(scale, spacing, h, last, last_slope, concave, steps, m):
    """f and f' at all levels, (k + 1, n), from those at the last one.

    And of each row where its nodes begin, how far apart they are, and where their shares are in what is kept.
    """
    k, n = len(steps) - 1, len(h)
    half, used, kept = (n - 1) // 2, 0, np.empty(32 * n * (k + 1))
    f, slope, begin, apart = np.empty((4, k + 1, n))
    where = np.zeros((k + 1, n + 1), np.int64)
    f[k], slope[k] = last, last_slope
    for i in range(k, 0, -1):
        if steps[i] == 0:
            f[i - 1], slope[i - 1] = f[i], slope[i]
            continue
        peak, pull, where[i, 0] = 2, m[i] * steps[i] ** 2, used
        rise, bend = cubics(h, f[i], slope[i]), quintics(slope[i])
        for j in range(n):
            if concave or j >= half:  # or else it is the mirror of another row
                while concave and peak < n - 4 and h[peak + 1] - pull * slope[i, peak + 1] < h[j]:
                    peak += 1
                place, gap, count = window(h[j], steps[i], m[i], concave, peak, scale, spacing, h, slope[i])
                if used + count > len(kept):
                    kept = np.concatenate((kept, np.empty(len(kept) + count)))
                f[i - 1, j], slope[i - 1, j] = average(
                    h[j], steps[i], m[i], place, gap, count, scale, spacing, h, f[i], rise, slope[i], bend, kept[used:]
                )
                begin[i, j], apart[i, j], used = place, gap, used + count
            where[i, j + 1] = used
        if not concave:
            f[i - 1, :half], slope[i - 1, :half] = f[i - 1, :half:-1], -slope[i - 1, :half:-1]
    return f, slope, begin, apart, where, kept


@njit(**OPTIONS)
def ascend(p, slope, concave, steps, begin, apart, where, kept, squares):
    """<(f_i')^2> at levels 1 .. k, into `squares`, from the weights p at level 0, (n,), and what `descend` kept."""
    n = len(p)
    for i in range(1, len(steps)):
        if steps[i] == 0:
            squares[i] = squares[i - 1]
            continue
        following = np.zeros(n)
        for j in range(n):
            if abs(p[j]) < NOTHING:  # weights between points are of both signs
                continue
            row = n - 1 - j if not concave and j < (n - 1) // 2 else j
            for c in range(where[i, row + 1] - where[i, row]):
                place = begin[i, row] + c * apart[i, row]
                place = n - 1 - place if row != j else place
                a = left_of(place, n)
                put(following, a, place - a, p[j] * kept[where[i, row] + c])
        p = following
        squares[i] = (p * slope[i] ** 2).sum()


@njit(**OPTIONS)
def answer(scale, spacing, last, last_slope, concave, steps, m, first, first_weight):
    """<(f_i')^2> at all levels, (k + 1,), <f_0'>, <f_0>, and f_0' on the grid, (n,).

    steps, m: of levels 1 .. k at [1:], step 0 where nothing is between two levels; first: fields at level 0, with their
    weights; concave: whether f is, or else even, with |f'| <= 1.
    """
    n = len(last)
    half = (n - 1) // 2
    h = scale * np.sinh(np.arange(-half, half + 1) * spacing)
    f, slope, begin, apart, where, kept = descend(scale, spacing, h, last, last_slope, concave, steps, m)
    rise, squares, p, mean, free = cubics(h, f[0], slope[0]), np.zeros(len(steps)), np.zeros(n), 0.0, 0.0
    for c in range(len(first)):
        place = np.arcsinh(first[c] / scale) / spacing + half
        a = left_of(place, n)
        there, x = at(slope[0], a, place - a), first[c] - h[a]
        mean += first_weight[c] * there
        free += first_weight[c] * (f[0, a] + x * (rise[a, 0] + x * (rise[a, 1] + x * rise[a, 2])))
        squares[0] += first_weight[c] * there**2  # of small fields the squares are not those of the grid
        put(p, a, place - a, first_weight[c])
    ascend(p, slope, concave, steps, begin, apart, where, kept, squares)
    return squares, mean, free, slope[0]


@njit(**OPTIONS)
def read(scale, spacing, values, y):
    """Values between the points of the grid, (n_y,)."""
    n, found = len(values), np.empty(len(y))
    for c in range(len(y)):
        place = np.arcsinh(y[c] / scale) / spacing + (n - 1) // 2
        a = left_of(place, n)
        found[c] = at(values, a, place - a)
    return found


def ready() -> None:
    """Compile all there is."""
    one, grid = np.zeros(2), np.zeros(9)
    answer(1.0, 0.5, grid, grid, True, one, one + 0.5, np.zeros(1), np.ones(1))
    read(1.0, 0.5, grid, np.zeros(1))
