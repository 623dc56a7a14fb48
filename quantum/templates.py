"""The clock and the ladder as PennyLane operations.

    ClockEmbedding     prod_voices prod_k R_k(angle_k)                          on D = |0...0>
    EntanglingLadder   prod_(i,j) RZZ_ij prod_i RX_i RZ_i RX_i, layer upon layer        (Li et al., arXiv:2302.03244)

RZZ is PennyLane's IsingZZ, exp(-i theta/2 Z Z). Which gates there are is said in `quantum.ladder`.

They have no matrix of their own, so that devices play their gates; `qp.matrix` multiplies those of the gates, 16 4^N
bytes each, and stops at no number of wires: beyond 12 ask for states (`quantum.evolved`) or a device.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pennylane as qp
from pennylane.operation import Operation

from encoding.qubits import Encoding, Rotation
from quantum.block import CLOCK, checked_rotations, embedding, n_voices_of
from quantum.given import checked_angles
from quantum.ladder import Ladder
from quantum.wires import checked_wires

GATES = {"RX": qp.RX, "RY": qp.RY, "RZ": qp.RZ, "RZZ": qp.IsingZZ}


class Template(Operation):
    """An operation that is its decomposition: gradients, adjoint and matrix are those of its gates."""

    @property
    def grad_method(self) -> None:
        """None: it is decomposed before it is differentiated."""

    @property
    def num_params(self) -> int:
        """Arrays that it is given."""
        return len(self.ndim_params)


class ClockEmbedding(Template):
    """A chord on its qubits: every voice's rotations, voice by voice.

    Args:
        angles: of `Encoding(chord)`, (n_voices, n_rotations) or, broadcast, (B, n_voices, n_rotations), in radians.
        wires: those of the first voice, of the second, ...
        rotations: of one voice, axis and qubit of each angle, or the `Encoding` that has them.

    Raises:
        InputError: a wire twice, wires that make no whole number of voices, angles of another shape, or rotations that
            do not exist.

    >>> print(qp.draw(ClockEmbedding([[0.0], [1.57]], [0, 1]).decomposition)())
    0: ──RY(0.00)─┤
    1: ──RY(1.57)─┤
    """

    resource_keys = frozenset({"n_voices", "rotations"})

    def __init__(self, angles: Any, wires: Any, rotations: Sequence[Rotation] | Encoding = CLOCK):
        rotations, wires = checked_rotations(rotations), checked_wires(wires)
        angles = checked_angles("angles of a chord, (n_voices, n_rotations)", angles, self.shape(len(wires), rotations))
        self._hyperparameters = {"rotations": rotations}
        super().__init__(angles, wires=wires)

    @property
    def ndim_params(self) -> tuple[int]:
        """Axes of the angles, without that of broadcasting."""
        return (2,)

    @property
    def resource_params(self) -> dict[str, Any]:
        """What decides how many gates there are."""
        return {"n_voices": n_voices_of(len(self.wires), self.hyperparameters["rotations"]), **self.hyperparameters}

    @staticmethod
    def shape(n_wires: int, rotations: Sequence[Rotation] | Encoding = CLOCK) -> tuple[int, int]:
        """Shape of the angles, (n_voices, n_rotations).

        >>> ClockEmbedding.shape(4)
        (4, 1)
        """
        rotations = checked_rotations(rotations)
        return n_voices_of(n_wires, rotations), len(rotations)

    # PennyLane hands parameters, wires and hyperparameters by name; its base class is typed for any of them
    @staticmethod
    def compute_decomposition(angles: Any, wires: Any, rotations: tuple[Rotation, ...]) -> list[Operation]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One rotation an angle."""
        n = len(rotations)
        steps = embedding(angles.shape[-2], rotations)
        return [GATES[axis](angles[..., place // n, place % n], wires=[wires[i]]) for axis, (i,), _, place in steps]


class EntanglingLadder(Template):
    """Rotations of every qubit, then ZZ couplings along the edges of a graph, layer upon layer: a `Ladder`.

    Args:
        angles: (n_angles,) or, broadcast, (B, n_angles), in radians, in the order of `Ladder.gates`.
        wires: the qubits.
        n_layers: number of layers.
        topology: "ring", "chain" or "all-to-all".
        closing: whether rotations of every qubit follow the last couplings.
        rotations: "XZX", or "ZX" without the redundant angle of each qubit and layer.

    Raises:
        InputError: a wire twice, angles of another shape, or a ladder that does not exist.

    >>> print(qp.draw(EntanglingLadder([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], ["D", "H"]).decomposition)())
    D: ──RX(0.10)──RZ(0.20)──RX(0.30)─╭IsingZZ(0.70)─┤
    H: ──RX(0.40)──RZ(0.50)──RX(0.60)─╰IsingZZ(0.70)─┤
    """

    resource_keys = frozenset({"ladder"})

    def __init__(
        self,
        angles: Any,
        wires: Any,
        n_layers: int = 1,
        topology: str = "ring",
        closing: bool = False,
        rotations: str = "XZX",
    ):
        wires = checked_wires(wires)
        ladder = Ladder(len(wires), n_layers, topology, closing, rotations)
        angles = checked_angles(
            f"angles of a ladder of {n_layers} layer(s) on {len(wires)} wires", angles, (ladder.n_angles,)
        )
        self._hyperparameters = {
            "n_layers": n_layers,
            "topology": topology,
            "closing": closing,
            "rotations": rotations,
        }
        super().__init__(angles, wires=wires)

    @property
    def ndim_params(self) -> tuple[int]:
        """Axes of the angles, without that of broadcasting."""
        return (1,)

    @property
    def resource_params(self) -> dict[str, Any]:
        """What decides how many gates there are."""
        return {"ladder": Ladder(len(self.wires), **self.hyperparameters)}

    @staticmethod
    def shape(n_wires: int, n_layers: int = 1, **options: Any) -> tuple[int]:
        """Shape of the angles, (n_angles,); options as for the operation.

        >>> EntanglingLadder.shape(4, 3), EntanglingLadder.shape(4, 3, rotations="ZX")
        ((48,), (36,))
        """
        return (Ladder(n_wires, n_layers, **options).n_angles,)

    # PennyLane hands parameters, wires and hyperparameters by name; its base class is typed for any of them
    @staticmethod
    def compute_decomposition(angles: Any, wires: Any, **ladder: Any) -> list[Operation]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One gate an angle."""
        gates = Ladder(len(wires), **ladder).gates()
        return [GATES[name](angles[..., angle], wires=[wires[i] for i in qubits]) for name, qubits, angle in gates]


def _gates_of_voices(n_voices: int, rotations: tuple[Rotation, ...]) -> dict[Any, int]:
    return {GATES[axis]: n_voices * n for axis, n in Counter(axis for axis, _ in rotations).items()}


def _gates_of_ladder(ladder: Ladder) -> dict[Any, int]:
    return {GATES[name]: n for name, n in Counter(gate.name for gate in ladder.gates()).items()}


# The graph-based decomposition queues what the other one lists.
qp.add_decomps(ClockEmbedding, qp.register_resources(_gates_of_voices, ClockEmbedding.compute_decomposition))
qp.add_decomps(EntanglingLadder, qp.register_resources(_gates_of_ladder, EntanglingLadder.compute_decomposition))
