"""All music played to one quantum network, and the way back, compiled.

Pieces are played one after the other, chord after chord; every sum runs in a fixed order, so no number depends on
threads, on how steps are grouped, or on other replicas. `quantum.channel` is the slow twin.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from numba import njit

from quantum.kernels import averaged, carried
from quantum.kernels.observables import add_flips, folded, read_data, read_history, set_diagonal
from quantum.kernels.vectors import KEPT, OPTIONS


@njit(**OPTIONS)
def _slot(offsets, time, piece):
    """Where a piece stands at a time, or -1 where it has ended."""
    if time + 1 >= len(offsets) or offsets[time] + piece >= offsets[time + 1]:
        return -1
    return offsets[time] + piece


@njit(**OPTIONS)
def _clear(flat, start, stop):
    for place in range(start, stop):
        flat[place] = 0


@njit(**KEPT)
def play_carried(sizes, chord, offsets, maps, signs, histories, features, moved, lanes, sums):
    """Features of every slot, and the density matrix before each, in flat `histories`."""
    size, n_rows = 2 * sizes.sectors * sizes.kept**2, sizes.history**2
    for piece in range(offsets[1] - offsets[0]):
        _clear(histories, piece * size, (piece + 1) * size)
        histories[piece * size] = 1
        for time in range(len(offsets) - 1):
            slot, later = _slot(offsets, time, piece), _slot(offsets, time + 1, piece)
            if slot < 0:
                break
            carried.push(sizes, maps, chord[slot], histories, slot * size, moved, 0, False)
            read_data(sizes, moved, maps, chord[slot] * sizes.row, n_rows, signs, lanes)
            folded(lanes, features.shape[1], sums, features, slot)
            if later >= 0:
                carried.reduce(sizes, moved, maps, chord[slot], histories, later * size, sums)


@njit(**KEPT)
def back_carried(
    sizes, chord, offsets, maps, signs, histories, of_features, of_maps, observed, after, diagonal, sums
):  # fmt: skip
    """dL/dA of every chord, halved, from dL/d features; `after` is room for Lambda."""
    size, n_rows = 2 * sizes.sectors * sizes.kept**2, sizes.history**2
    _clear(of_maps, 0, len(of_maps))
    for piece in range(offsets[1] - offsets[0]):
        _clear(after, 0, len(after))
        for time in range(len(offsets) - 2, -1, -1):
            slot = _slot(offsets, time, piece)
            if slot < 0:
                continue
            set_diagonal(sizes, of_features, slot, signs, diagonal)
            carried.lift(sizes, maps, chord[slot], after, diagonal, observed)
            if sizes.reads_x:
                add_flips(sizes, of_features, slot, maps, chord[slot] * sizes.row, n_rows, observed)
            carried.push(sizes, observed, 0, histories, slot * size, of_maps, chord[slot], True)
            if time > 0:
                carried.back(sizes, maps, chord[slot], observed, after, sums)


@njit(**KEPT)
def play_measured(sizes, chord, offsets, maps, signs, histories, features, moved, kets, lanes, sums):
    """Features of every slot, and the averages before each, in flat `histories`."""
    n_h = sizes.n_history
    for piece in range(offsets[1] - offsets[0]):
        for j in range(n_h):
            histories[piece * n_h + j] = 1
        for time in range(len(offsets) - 1):
            slot, later = _slot(offsets, time, piece), _slot(offsets, time + 1, piece)
            if slot < 0:
                break
            averaged.set_ket(sizes, histories, slot * n_h, -1, kets, 0)
            averaged.set_psi(sizes, maps, chord[slot], kets, moved)
            read_data(sizes, moved, moved, 0, sizes.history, signs, lanes)
            read_history(sizes, moved, lanes)
            folded(lanes, features.shape[1], sums, features, slot)
            for j in range(n_h if later >= 0 else 0):
                histories[later * n_h + j] = features[slot, sizes.n_data + j]


@njit(**KEPT)
def back_measured(
    sizes, chord, offsets, maps, signs, histories, of_features, of_maps, moved, observed, after, diagonal, kets, lanes,
    sums,
):  # fmt: skip
    """dL/dA of every chord, halved, from dL/d features, which is written on; `after` is room for dL/d averages."""
    n_h = sizes.n_history
    _clear(of_maps, 0, len(of_maps))
    for piece in range(offsets[1] - offsets[0]):
        _clear(after, 0, len(after))
        for time in range(len(offsets) - 2, -1, -1):
            slot = _slot(offsets, time, piece)
            if slot < 0:
                continue
            for j in range(n_h):
                of_features[slot, sizes.n_data + j] += after[j]
            averaged.set_ket(sizes, histories, slot * n_h, -1, kets, 0)
            averaged.set_psi(sizes, maps, chord[slot], kets, moved)
            set_diagonal(sizes, of_features, slot, signs, diagonal)
            averaged.set_observed(sizes, of_features, slot, moved, diagonal, observed)
            if sizes.reads_x:
                add_flips(sizes, of_features, slot, moved, 0, sizes.history, observed)
            averaged.back(sizes, maps, chord[slot], observed, kets, of_maps, lanes, sums)
            averaged.set_after(sizes, histories, slot * n_h, kets, after)
