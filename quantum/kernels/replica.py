"""One network's pass over all music, its way back, and its learning steps: what is called, and where it is written."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import N_KEYS
from quantum.kernels.gates import BOTH, Gates, angle_slopes, set_gates
from quantum.kernels.laid_out import Network, Real, carved
from quantum.kernels.maps import product, set_unitary, times_i, undo_unitary
from quantum.kernels.readout import errors_of, readout_slopes
from quantum.kernels.steps import back_carried, back_measured, play_carried, play_measured
from quantum.kernels.vectors import LANES

LN2 = np.log(2)
DOUBLE = np.dtype(np.float64)


class Replica:
    """Room for one network at a time; what `play` leaves there is what `back` finds."""

    def __init__(self, network: Network, n_angles: int) -> None:
        """Room, all zero."""
        self.network, self.n_angles = network, n_angles
        self._measured = network.sizes.n_read > network.sizes.n_data
        self._room = carved(network.targets.dtype, **_shapes(network)) | carved(DOUBLE, **_of_gates(network))
        self._gates = Gates(*(self._room[name] for name in Gates._fields))
        self._totals = np.zeros(LANES)
        self.features = self._room["features"]

    def play(self, angles: Real) -> Real:
        """Features of every slot, (n_slots, n_f); not a copy."""
        net, a = self.network, self._room
        set_gates(net.ladder, angles.astype(DOUBLE), a["turns"], a["phases"])
        set_unitary(net.sizes, net.ladder, a["turns"], a["phases"], a["columns"], a["u"])
        product(net.kets, a["u"], a["maps"], True)
        if len(net.kets_i):
            product(net.kets_i, times_i(a["u"]), a["maps"], False)
        where = net.sizes, net.chord, net.offsets, a["maps"].reshape(-1), net.signs, a["histories"], self.features
        if self._measured:
            play_measured(*where, a["moved"], a["kets"], a["lanes"], a["sums"])
        else:
            play_carried(*where, a["moved"], a["lanes"], a["sums"])
        return self.features

    def back(self, angles: Real, of_features: Real) -> NDArray[np.float64]:
        """dL/d angles, (n_angles,), from dL/d features, which is written on; `play` came before, at these angles."""
        net, a, made = self.network, self._room, np.empty(self.n_angles)
        of_maps = a["of_maps"].reshape(-1)
        where = net.sizes, net.chord, net.offsets, a["maps"].reshape(-1), net.signs, a["histories"], of_features
        if self._measured:
            room = a["moved"], a["observed"], a["after"], a["diagonal"], a["kets"], a["lanes"], a["sums"]
            back_measured(*where, of_maps, *room)
        else:
            back_carried(*where, of_maps, a["observed"], a["after"], a["diagonal"], a["sums"])
        product(net.kets_t, a["of_maps"], a["u"], True)
        if len(net.kets_i):
            product(net.kets_i_t, a["of_maps"], a["spare"], True)
            a["u"][...] -= times_i(a["spare"])
        undo_unitary(net.sizes, net.ladder, self._gates, a["columns"], a["u"], a["p"], a["v"])
        angle_slopes(net.ladder, angles.astype(DOUBLE), self._gates, made)
        return made

    def loss(self, flat: Real) -> float:
        """Mean NLL per output unit per time step, in bits, at these weights."""
        self.play(flat[: self.n_angles])
        net, a = self.network, self._room
        self._set_weights(flat)
        read = a["weights"], net.columns, self.features, net.inputs, net.targets
        total = errors_of(*read, N_KEYS, a["errors"], a["sums"], self._totals)
        return total / (len(net.targets) * N_KEYS * LN2)

    def gradient(self, flat: Real, batch: NDArray[np.int64]) -> NDArray[np.float64]:
        """dE/dw of the mean over a batch of slots, in nats, (n_weights,); `loss` came before, at these weights."""
        net, a, made = self.network, self._room, np.zeros(len(flat))
        share = (np.bincount(batch, minlength=len(net.targets)) / len(batch)).astype(flat.dtype)
        read = a["weights"], net.columns, self.features, net.inputs, a["errors"], share
        readout_slopes(*read, a["slopes"], a["of_features"], a["lanes"], a["sums"], a["read"])
        for name, part, rows in self._parts(made):
            if name in net.learned:
                part[...] = a["slopes"][rows, :N_KEYS].T
        if "angles" in net.learned:
            made[: self.n_angles] = self.back(flat[: self.n_angles], a["of_features"])
        return made

    def learn(self, flat: Real, batches: NDArray[np.int64], eta: float, losses: NDArray[np.float64]) -> int:
        """Steps, as many as `losses` has places; flat holds the weights, and in the end the last finite ones.

        Args:
            flat: (n_weights,), moved in place.
            batches: slots of every step, (n_steps, p), or (1, n) for the full gradient.
            eta: the rate.
            losses: those seen before each move are written there.

        Returns:
            How many steps were made: fewer than asked for, where the next would leave the finite numbers.
        """
        for step in range(len(losses)):
            losses[step] = self.loss(flat)
            if eta > 0:
                moved = (flat - eta * self.gradient(flat, batches[step % len(batches)])).astype(flat.dtype)
                if not np.isfinite(moved).all():
                    return step
                flat[:] = moved
        return len(losses)

    def _set_weights(self, flat: Real) -> None:
        """K, W and h_0, transposed."""
        for _, part, rows in self._parts(flat):
            self._room["weights"][rows, :N_KEYS] = part.T

    def _parts(self, flat: Real) -> list[tuple[str, Real, slice]]:
        """K, W and h_0 among the weights, and the rows of their transposes."""
        parts, place, row = [], self.n_angles, 0
        for name, n in (("K", len(self.network.columns)), ("W", self.network.inputs.shape[1]), ("h0", 1)):
            parts.append((name, flat[place : place + N_KEYS * n].reshape(N_KEYS, n), slice(row, row + n)))
            place, row = place + N_KEYS * n, row + n
        return parts


def _shapes(network: Network) -> dict[str, Any]:
    sizes = network.sizes
    n_slots, n_distinct, wide = len(network.chord), len(network.kets), network.targets.shape[1]
    n_features, n_rows = sizes.n_read * (1 + sizes.reads_x), len(network.columns) + network.inputs.shape[1] + 1
    of_slot = sizes.n_history if sizes.n_read > sizes.n_data else 2 * sizes.sectors * sizes.kept**2
    most = -(-max(n_features, sizes.history) // 8) * 8  # numbers folded at once
    return {
        "u": (sizes.data, sizes.row),  # and row by row; then dL/dU
        "spare": (sizes.data if len(network.kets_i) else 0, sizes.row),
        "maps": (n_distinct, sizes.row),  # A of every chord
        "of_maps": (n_distinct, sizes.row),  # dL/dA, halved
        "histories": (n_slots * of_slot,),  # density matrices or averages before every slot
        "features": (n_slots, n_features),
        "of_features": (n_slots, n_features),
        "moved": (sizes.row,),  # A rho, or psi
        "observed": (sizes.row,),  # O A, or O psi
        "after": (max(4 * sizes.kept**2, sizes.n_history),),  # Lambda for both values of D[0], or dL/d averages
        "diagonal": (sizes.data,),  # of O
        "kets": (3, max(8, sizes.history)),  # |h>, its slope, dL/d|h>
        "errors": (n_slots, wide),  # dE/dH
        "weights": (n_rows, wide),  # K, W and h_0, transposed
        "slopes": (n_rows, wide),
        "lanes": (most * LANES,),
        "sums": (LANES,),
        "read": (1, most),
    }


def _of_gates(network: Network) -> dict[str, Any]:
    sizes, ladder = network.sizes, network.ladder
    return {
        "turns": (ladder.n_turned * ladder.n_qubits, 4),
        "phases": (ladder.n_layers * sizes.n, 2),
        "spins": (ladder.n_turned * ladder.n_qubits * 3 * LANES,),
        "rows": (ladder.n_layers * sizes.n * LANES,),
        "columns": (sizes.n // LANES, sizes.n * BOTH),  # U in blocks of its columns
        "p": (sizes.n * BOTH,),  # a block of U, and of dL/dU, on the way back
        "v": (sizes.n * BOTH,),
    }
