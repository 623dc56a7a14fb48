"""Measured, compiled: all qubits are measured, and averages come back as rotations of the history.

    psi = A |h>,    |h> = (x)_j (cos a_j/2, sin a_j/2),    a_j = pi (1 - <Z_j>)/2,    f = <psi| P |psi>
    dL/dA += 2 O psi <h|,    dL/d<Z_j> = 2 Re <psi| O A |dh/d<Z_j>>

The factor 2 of dL/dA waits until the end, as in `carried`.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

import math

from numba import njit

from quantum.kernels.gates import BOTH
from quantum.kernels.observables import folded
from quantum.kernels.vectors import LANES, OPTIONS, add, fma, load, mul, number, splat, store

QUARTER = math.pi / 4


@njit(**OPTIONS)
def set_ket(sizes, averages, first, turned, kets, row):
    """|h> of the averages from `first` on, or its slope in the one numbered `turned`, into kets[row]; -1 for none."""
    for state in range(sizes.history):
        value = 1.0
        for j in range(sizes.n_history):
            half, down = QUARTER * (1 - float(averages[first + j])), state & sizes.history >> (j + 1)
            if j == turned:
                value *= -QUARTER * math.cos(half) if down else QUARTER * math.sin(half)
            else:
                value *= math.sin(half) if down else math.cos(half)
        kets[row, state] = value


@njit(**OPTIONS)
def set_psi(sizes, a, chord, kets, psi):
    """A |h>, flat in the order (h, d)."""
    step, base = sizes.groups * BOTH, chord * sizes.row
    for h in range(sizes.history):
        for place in range(0, step, LANES):
            start = base + h * sizes.history * step + place
            total = number(load(a, start), 0.0)
            for i in range(sizes.history):
                total = fma(splat(kets[0, i]), load(a, start + i * step), total)
            store(psi, h * step + place, total)


@njit(**OPTIONS)
def set_observed(sizes, error, slot, psi, weights, out):
    """O psi, but for the X of the data qubits; `weights` is what is diagonal in the data states."""
    step = sizes.groups * BOTH
    for h in range(sizes.history):
        diagonal = float(0)
        for j in range(sizes.n_history):
            w = float(error[slot, sizes.n_data + j])
            diagonal += -w if h & sizes.history >> (j + 1) else w
        for place in range(0, step, LANES):
            value = load(psi, h * step + place)
            total = mul(add(load(weights, place // BOTH * LANES), number(value, diagonal)), value)
            for j in range(sizes.n_history if sizes.reads_x else 0):
                other = load(psi, (h ^ sizes.history >> (j + 1)) * step + place)
                total = fma(splat(error[slot, sizes.n_read + sizes.n_data + j]), other, total)
            store(out, h * step + place, total)


@njit(**OPTIONS)
def back(sizes, a, chord, observed, kets, of_maps, lanes, sums):
    """dL/dA gets O psi <h|; half of dL/d|h>, Re A^dagger O psi, goes into kets[2]."""
    step, base = sizes.groups * BOTH, chord * sizes.row
    for i in range(sizes.history):
        total, factor = number(load(a, base), 0.0), splat(kets[0, i])
        for h in range(sizes.history):
            for place in range(0, step, LANES):
                there = base + (h * sizes.history + i) * step + place
                value = load(observed, h * step + place)
                total = fma(load(a, there), value, total)
                store(of_maps, there, fma(value, factor, load(of_maps, there)))
        store(lanes, i * LANES, total)
    folded(lanes, sizes.history, sums, kets, 2)


@njit(**OPTIONS)
def set_after(sizes, averages, first, kets, after):
    """dL/d averages, from what `back` leaves."""
    for j in range(sizes.n_history):
        set_ket(sizes, averages, first, j, kets, 1)
        total = 0.0
        for state in range(sizes.history):
            total += float(kets[1, state]) * float(kets[2, state])
        after[j] = 2 * total
