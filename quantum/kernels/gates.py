"""The unitary of a ladder and the slope of a loss along its angles, compiled: what `quantum.evolution` does in torch.

U stands in blocks of sixteen columns, which no gate mixes: a block goes through all layers while it is in the cache.
The three rotations of a qubit are one matrix ((p, q), (-q*, p*)), all couplings of a layer one phase a row. Backwards,
with C = tr_rest(P V^dagger) after the rotations of a qubit and s = Im tr(sigma C), the slope along the last rotation is
half the component of s on its axis; undone, the rotation turns s, and the one before comes next. All in double
precision.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

import math
from typing import NamedTuple

from numba import njit
from numpy.typing import NDArray

from quantum.kernels.vectors import KEPT, LANES, OPTIONS, fma, fms, load, mul, splat, store

BOTH = 2 * LANES  # real and imaginary parts of an amplitude, one behind the other
X, Z = 0, 2  # axes of rotations


class Ladder(NamedTuple):
    """A `quantum.Ladder` in numbers."""

    n_qubits: int
    n_layers: int  # with couplings
    n_turned: int  # with rotations: one more if closing
    axes: NDArray  # of the rotations of a qubit, X or Z
    signs: NDArray  # Z_i Z_j of each edge on every row, (E, 2^N)


class Gates(NamedTuple):
    """The gates at some angles, and the sums that their slopes are made of."""

    turns: NDArray  # p and q of every qubit, (n_turned * N, 4)
    phases: NDArray  # cosines and sines of every row, (n_layers * 2^N, 2)
    spins: NDArray  # Im tr(sigma C), lane by lane, (n_turned * N * 3 * 16,)
    rows: NDArray  # Im <row| P V^dagger |row>, lane by lane, (n_layers * 2^N * 16,)


@njit(**OPTIONS)
def per_layer(ladder):
    """Angles of a layer."""
    return len(ladder.axes) * ladder.n_qubits + len(ladder.signs)


@njit(**KEPT)
def set_gates(ladder, angles, turns, phases):
    """The matrices and phases of all layers."""
    n_axes, place, n = len(ladder.axes), 0, 1 << ladder.n_qubits
    for layer in range(ladder.n_turned):
        for qubit in range(ladder.n_qubits):
            pr, pi, qr, qi = 1.0, 0.0, 0.0, 0.0
            for k in range(n_axes):
                half = 0.5 * angles[place + k]
                c, s = math.cos(half), math.sin(half)
                if ladder.axes[k] == Z:  # exp(-i half) on the upper row
                    pr, pi, qr, qi = c * pr + s * pi, c * pi - s * pr, c * qr + s * qi, c * qi - s * qr
                else:  # upper row c (p, q) - i s (-q*, p*)
                    pr, pi, qr, qi = c * pr + s * qi, c * pi + s * qr, c * qr - s * pi, c * qi - s * pr
            k = layer * ladder.n_qubits + qubit
            turns[k, 0], turns[k, 1], turns[k, 2], turns[k, 3] = pr, pi, qr, qi
            place += n_axes
        if layer < ladder.n_layers:
            for row in range(n):
                total = 0.0
                for edge in range(len(ladder.signs)):
                    total += ladder.signs[edge, row] * angles[place + edge]
                k = layer * n + row
                phases[k, 0], phases[k, 1] = math.cos(total / 2), -math.sin(total / 2)
            place += len(ladder.signs)


@njit(**OPTIONS)
def _turn(w, n, apart, turns, which, sign):
    """((p, q), (-q*, p*)) on pairs of rows `apart`; with sign -1 its inverse."""
    p_r, p_i = splat(turns[which, 0]), splat(sign * turns[which, 1])
    q_r, q_i = splat(sign * turns[which, 2]), splat(sign * turns[which, 3])
    for start in range(0, n, 2 * apart):
        for row in range(start, start + apart):
            up, down = row * BOTH, (row + apart) * BOTH
            ar, ai = load(w, up), load(w, up + LANES)
            br, bi = load(w, down), load(w, down + LANES)
            store(w, up, fms(q_i, bi, fma(q_r, br, fms(p_i, ai, mul(p_r, ar)))))
            store(w, up + LANES, fma(q_i, br, fma(q_r, bi, fma(p_i, ar, mul(p_r, ai)))))
            store(w, down, fms(q_i, ai, fms(q_r, ar, fma(p_i, bi, mul(p_r, br)))))
            store(w, down + LANES, fma(q_i, ar, fms(q_r, ai, fms(p_i, br, mul(p_r, bi)))))


@njit(**OPTIONS)
def _phase(w, n, phases, first, sign):
    """Every row times its phase, or with sign -1 its inverse."""
    for row in range(n):
        place = row * BOTH
        c, s = splat(phases[first + row, 0]), splat(sign * phases[first + row, 1])
        re, im = load(w, place), load(w, place + LANES)
        store(w, place, fms(s, im, mul(c, re)))
        store(w, place + LANES, fma(s, re, mul(c, im)))


@njit(**OPTIONS)
def evolve(ladder, turns, phases, block, w):
    """Block number `block` of U's columns, into w (2^N * 32)."""
    n, one = 1 << ladder.n_qubits, w.dtype.type(1)
    for place in range(len(w)):
        w[place] = 0
    for lane in range(LANES):
        w[(block * LANES + lane) * BOTH + lane] = 1
    for layer in range(ladder.n_turned):
        for qubit in range(ladder.n_qubits):
            _turn(w, n, n >> (qubit + 1), turns, layer * ladder.n_qubits + qubit, one)
        if layer < ladder.n_layers:
            _phase(w, n, phases, layer * n, one)


@njit(**OPTIONS)
def undo(ladder, gates, p, v):
    """Both blocks p of U and v of dL/dU go backwards through all gates; what is met is added to `spins` and `rows`."""
    n, minus = 1 << ladder.n_qubits, p.dtype.type(-1)
    for layer in range(ladder.n_turned - 1, -1, -1):
        first = layer * ladder.n_qubits
        if layer < ladder.n_layers:
            _add_rows(p, v, n, gates.rows, layer * n * LANES)
            for w in (p, v):
                _phase(w, n, gates.phases, layer * n, minus)
        for qubit in range(ladder.n_qubits):
            _add_spin(p, v, n, n >> (qubit + 1), gates.spins, (first + qubit) * 3 * LANES)
        for qubit in range(ladder.n_qubits):
            for w in (p, v):
                _turn(w, n, n >> (qubit + 1), gates.turns, first + qubit, minus)


@njit(**OPTIONS)
def _add_rows(p, v, n, sums, start):
    """Im(P conj V) of every row."""
    for row in range(n):
        place, into = row * BOTH, start + row * LANES
        total = fma(load(p, place + LANES), load(v, place), load(sums, into))
        store(sums, into, fms(load(p, place), load(v, place + LANES), total))


@njit(**OPTIONS)
def _add_spin(p, v, n, apart, sums, start):
    """Im tr(X C) = Im(C01 + C10), Im tr(Y C) = Re(C01 - C10), Im tr(Z C) = Im(C00 - C11)."""
    x, y, z = load(sums, start), load(sums, start + LANES), load(sums, start + 2 * LANES)
    for first in range(0, n, 2 * apart):
        for row in range(first, first + apart):
            up, down = row * BOTH, (row + apart) * BOTH
            ar, ai = load(p, up), load(p, up + LANES)
            br, bi = load(p, down), load(p, down + LANES)
            cr, ci = load(v, up), load(v, up + LANES)
            dr, di = load(v, down), load(v, down + LANES)
            x = fms(br, ci, fma(bi, cr, fms(ar, di, fma(ai, dr, x))))
            y = fms(bi, ci, fms(br, cr, fma(ai, di, fma(ar, dr, y))))
            z = fma(br, di, fms(bi, dr, fms(ar, ci, fma(ai, cr, z))))
    store(sums, start, x)
    store(sums, start + LANES, y)
    store(sums, start + 2 * LANES, z)


@njit(**KEPT)
def angle_slopes(ladder, angles, gates, made):
    """dL/d angles from the sums, for dL = 2 Re tr(V^dagger dU)."""
    n_axes, size, n = len(ladder.axes), per_layer(ladder), 1 << ladder.n_qubits
    for layer in range(ladder.n_turned):
        for qubit in range(ladder.n_qubits):
            _rotation_slopes(ladder, angles, gates.spins, layer, qubit, layer * size + qubit * n_axes, made)
        start = layer * size + n_axes * ladder.n_qubits
        for edge in range(len(ladder.signs) if layer < ladder.n_layers else 0):
            total = 0.0
            for row in range(n):
                total += ladder.signs[edge, row] * _summed(gates.rows, (layer * n + row) * LANES)
            made[start + edge] = total


@njit(**OPTIONS)
def _rotation_slopes(ladder, angles, spins, layer, qubit, place, made):
    start = (layer * ladder.n_qubits + qubit) * 3 * LANES
    x, y, z = _summed(spins, start), _summed(spins, start + LANES), _summed(spins, start + 2 * LANES)
    for k in range(len(ladder.axes) - 1, -1, -1):
        angle = angles[place + k]
        c, s = math.cos(angle), math.sin(angle)
        if ladder.axes[k] == Z:
            made[place + k] = z
            x, y = c * x + s * y, c * y - s * x
        else:
            made[place + k] = x
            y, z = c * y + s * z, c * z - s * y


@njit(**OPTIONS)
def _summed(lanes, start):
    total = 0.0
    for lane in range(LANES):
        total += lanes[start + lane]
    return total
