"""<Z> and <X> of what is measured, and the observable sum_f w_f P_f that a loss makes of them, compiled.

A feature is summed lane by lane, over sixteen data states side by side, and all of them are folded at the end. The X of
a data qubit takes a lane to another one, or one group of sixteen to another.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from numba import njit

from quantum.kernels.gates import BOTH
from quantum.kernels.vectors import (
    LANES,
    OPTIONS,
    add,
    fma,
    half_sums,
    load,
    mul,
    number,
    splat,
    store,
    swap1,
    swap2,
    swap4,
    swap8,
)  # fmt: skip


@njit(**OPTIONS)
def read_data(sizes, x, y, start, n_rows, signs, lanes):
    """Lanes of <Z_q>, then <X_q>, of the data qubits: sums of x conj(P y) over rows of all data states.

    x and y are flat, y from `start` on; signs are (-1)^(bit q) of each data state, (n_data * 16 groups,) flat.
    """
    step = sizes.groups * BOTH
    for q in range(sizes.n_data):
        store(lanes, q * LANES, number(load(x, 0), 0.0))
    for group in range(sizes.groups):
        total = number(load(x, 0), 0.0)
        for row in range(n_rows):
            place = row * step + group * BOTH
            total = fma(load(x, place), load(y, start + place), total)
            total = fma(load(x, place + LANES), load(y, start + place + LANES), total)
        for q in range(sizes.n_data):
            sign = load(signs, (q * sizes.groups + group) * LANES)
            store(lanes, q * LANES, fma(sign, total, load(lanes, q * LANES)))
    if sizes.reads_x:
        _read_flips(sizes, x, y, start, n_rows, lanes)


@njit(**OPTIONS)
def _read_flips(sizes, x, y, start, n_rows, lanes):
    step, first, last = sizes.groups * BOTH, sizes.n_read * LANES, (sizes.n_read + sizes.n_data - 1) * LANES
    s8 = s4 = s2 = s1 = number(load(x, 0), 0.0)
    for place in range(0, n_rows * step, LANES):
        one, other = load(x, place), load(y, start + place)
        s8, s4 = fma(one, swap8(other), s8), fma(one, swap4(other), s4)
        s2, s1 = fma(one, swap2(other), s2), fma(one, swap1(other), s1)
    store(lanes, first, s8)
    store(lanes, last - 2 * LANES, s4)
    store(lanes, last - LANES, s2)
    store(lanes, last, s1)
    for q in range(1, sizes.n_data - 3):  # from one group to another
        total, flip = number(load(x, 0), 0.0), BOTH << (sizes.n_data - 4 - q)
        for place in range(0, n_rows * step, LANES):
            total = fma(load(x, place), load(y, start + (place ^ flip)), total)
        store(lanes, first + q * LANES, total)


@njit(**OPTIONS)
def read_history(sizes, psi, lanes):
    """Lanes of <Z_j>, then <X_j>, of the history qubits, from amplitudes in the order (h, d)."""
    step = sizes.groups * BOTH
    for j in range(sizes.n_history):
        bit = sizes.history >> (j + 1)
        z = x = number(load(psi, 0), 0.0)
        for h in range(sizes.history):
            sign = number(z, -1.0 if h & bit else 1.0)
            for place in range(h * step, (h + 1) * step, LANES):
                value = load(psi, place)
                z = fma(mul(sign, value), value, z)
                if sizes.reads_x:
                    x = fma(value, load(psi, place + ((h ^ bit) - h) * step), x)
        store(lanes, (sizes.n_data + j) * LANES, z)
        if sizes.reads_x:
            store(lanes, (sizes.n_read + sizes.n_data + j) * LANES, x)


@njit(**OPTIONS)
def folded(lanes, n, sums, out, row):
    """The sums of n rows of sixteen lanes, into out[row]; there is room for whole eights of them."""
    for first in range(0, n, 8):
        p = first * LANES
        store(sums, 0, half_sums(
            load(lanes, p), load(lanes, p + 16), load(lanes, p + 32), load(lanes, p + 48),
            load(lanes, p + 64), load(lanes, p + 80), load(lanes, p + 96), load(lanes, p + 112),
        ))  # fmt: skip
        for k in range(first, min(first + 8, n)):
            out[row, k] = sums[2 * (k - first)] + sums[2 * (k - first) + 1]


@njit(**OPTIONS)
def set_diagonal(sizes, error, slot, signs, weights):
    """sum_q w_q Z_q over the data qubits, for each data state; w is error[slot]."""
    for group in range(sizes.groups):
        total = number(load(signs, 0), 0.0)
        for q in range(sizes.n_data):
            total = fma(splat(error[slot, q]), load(signs, (q * sizes.groups + group) * LANES), total)
        store(weights, group * LANES, total)


@njit(**OPTIONS)
def add_flips(sizes, error, slot, y, start, n_rows, out):
    """out + sum_q w_q X_q y over the data qubits, for n_rows of all data states; y is flat, from `start` on."""
    w, last = sizes.n_read, sizes.n_read + sizes.n_data - 1
    w8, w4 = splat(error[slot, w]), splat(error[slot, last - 2])
    w2, w1 = splat(error[slot, last - 1]), splat(error[slot, last])
    for place in range(0, n_rows * sizes.groups * BOTH, LANES):
        value = load(y, start + place)
        one = fma(w8, swap8(value), mul(w4, swap4(value)))
        other = fma(w2, swap2(value), mul(w1, swap1(value)))
        total = add(load(out, place), add(one, other))
        for q in range(1, sizes.n_data - 3):
            total = fma(splat(error[slot, w + q]), load(y, start + (place ^ BOTH << (sizes.n_data - 4 - q))), total)
        store(out, place, total)
