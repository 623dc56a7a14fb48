"""What a chord does to the history, A(x) = U (|x> (x) 1_H), for all distinct chords at once, and back, compiled.

A row of U or of A is all amplitudes in the order (h, i, d): history after, history before, data state after, sixteen
of these side by side, real parts and then imaginary parts. So A = sum_d |x>_d U_d and dL/dU_d = sum_x <x|_d dL/dA are
plain products of real matrices with long rows. |x> is real for a clock without phases; else i U joins.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from quantum.kernels.gates import BOTH, evolve, undo
from quantum.kernels.vectors import KEPT, LANES, OPTIONS, fma, load, number, splat, store

PIECE = 8 * BOTH  # of a row: with the other factor's it stays in the first-level cache


class Sizes(NamedTuple):
    """Numbers of qubits and states."""

    n_data: int
    n_history: int
    n: int  # of all qubits, 2^N
    data: int  # of the data register, 2^n_D
    history: int  # of the history register, 2^n_H
    groups: int  # of sixteen data states, 2^n_D / 16
    sectors: int  # of the carried density matrix: 1, or 2 where D[0] was measured
    kept: int  # states in a sector, 2^n_H / sectors
    row: int  # length of a row of U or of A
    n_read: int  # qubits that are measured: all, or those of the data register
    reads_x: bool


class Chords(NamedTuple):
    """Kets of the distinct chords and their transposes, real and imaginary parts; no imaginary ones where all are 0."""

    re: NDArray  # (n_distinct, 2^n_D)
    im: NDArray  # (n_distinct, 2^n_D), or none
    re_t: NDArray  # (2^n_D, n_distinct)
    im_t: NDArray  # (2^n_D, n_distinct), or none


@njit(**OPTIONS)
def place_of(data, groups):
    """Where a data state stands: the first qubit says which half of sixteen, the last three which of eight."""
    first, rest = data // (8 * groups), data % (8 * groups)
    return rest // 8 * BOTH + 8 * first + rest % 8


@njit(**KEPT)
def product(s, b, c, fresh):
    """c[m] = (0 or c[m]) + sum_k s[m, k] b[k], for rows of the same length, a whole number of amplitudes."""
    n, n_k, length, last = s.shape[0], s.shape[1], b.shape[1], s.shape[0] - 1
    flat_b, flat_c = b.reshape(-1), c.reshape(-1)
    for start in range(0, length, PIECE):
        for m in range(0, n, 4):
            m1, m2, m3 = min(m + 1, last), min(m + 2, last), min(m + 3, last)  # the last row again, should it be one
            for place in range(start, min(start + PIECE, length), BOTH):
                p0, p1 = m * length + place, m1 * length + place
                p2, p3 = m2 * length + place, m3 * length + place
                if fresh:
                    a0 = a1 = a2 = a3 = c0 = c1 = c2 = c3 = number(load(flat_b, place), 0.0)
                else:
                    a0, a1 = load(flat_c, p0), load(flat_c, p1)
                    a2, a3 = load(flat_c, p2), load(flat_c, p3)
                    c0, c1 = load(flat_c, p0 + LANES), load(flat_c, p1 + LANES)
                    c2, c3 = load(flat_c, p2 + LANES), load(flat_c, p3 + LANES)
                for k in range(n_k):
                    x, y = load(flat_b, k * length + place), load(flat_b, k * length + place + LANES)
                    one, two = splat(s[m, k]), splat(s[m1, k])
                    a0, a1 = fma(one, x, a0), fma(two, x, a1)
                    c0, c1 = fma(one, y, c0), fma(two, y, c1)
                    one, two = splat(s[m2, k]), splat(s[m3, k])
                    a2, a3 = fma(one, x, a2), fma(two, x, a3)
                    c2, c3 = fma(one, y, c2), fma(two, y, c3)
                store(flat_c, p0, a0)
                store(flat_c, p1, a1)
                store(flat_c, p2, a2)
                store(flat_c, p3, a3)
                store(flat_c, p0 + LANES, c0)
                store(flat_c, p1 + LANES, c1)
                store(flat_c, p2 + LANES, c2)
                store(flat_c, p3 + LANES, c3)


@njit(**KEPT)
def set_unitary(sizes, ladder, turns, phases, columns, u):
    """U in blocks of its columns, `columns` (2^N / 16, 2^N * 32), and row by row of data states, u (2^n_D, row).

    Gates act in double precision: what U lacks of being unitary would grow with every chord.
    """
    for block in range(len(columns)):
        evolve(ladder, turns, phases, block, columns[block])
        _spread(sizes, columns[block], block, u)


@njit(**KEPT)
def undo_unitary(sizes, ladder, gates, columns, u, p, v):
    """From dL/dU row by row to the sums that `angle_slopes` wants; `columns` stays as it is, p and v are room."""
    for k in range(len(gates.spins)):
        gates.spins[k] = 0
    for k in range(len(gates.rows)):
        gates.rows[k] = 0
    for block in range(len(columns)):
        for k in range(len(p)):
            p[k] = columns[block, k]
        _gather(sizes, u, block, v)
        undo(ladder, gates, p, v)


def times_i(rows: NDArray) -> NDArray:
    """i times the amplitudes of some rows."""
    parts = rows.reshape(-1, 2, LANES)
    return np.stack([-parts[:, 1], parts[:, 0]], 1).reshape(rows.shape)


@njit(**OPTIONS)
def _spread(sizes, w, block, u):
    """Sixteen columns (d, i) of U into the rows u[d]."""
    for lane in range(LANES):
        column = block * LANES + lane
        row, before = column // sizes.history, column % sizes.history
        for h in range(sizes.history):
            start = (h * sizes.history + before) * sizes.groups * BOTH
            for data in range(sizes.data):
                into, out = start + place_of(data, sizes.groups), (data * sizes.history + h) * BOTH + lane
                u[row, into], u[row, into + LANES] = w[out], w[out + LANES]


@njit(**OPTIONS)
def _gather(sizes, u, block, w):
    """The way back of `_spread`."""
    for lane in range(LANES):
        column = block * LANES + lane
        row, before = column // sizes.history, column % sizes.history
        for h in range(sizes.history):
            start = (h * sizes.history + before) * sizes.groups * BOTH
            for data in range(sizes.data):
                out, into = start + place_of(data, sizes.groups), (data * sizes.history + h) * BOTH + lane
                w[into], w[into + LANES] = u[row, out], u[row, out + LANES]
