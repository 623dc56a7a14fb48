"""Entangling ladders: rotations of every qubit, then ZZ couplings along the edges of a graph, layer upon layer.

    layer = prod_(i,j) RZZ_ij(theta_ij) prod_i RX_i(c_i) RZ_i(b_i) RX_i(a_i)         (Li et al., arXiv:2302.03244)
    RZZ(theta) = exp(-i theta/2 Z Z)

The angles play the role of the couplings J_ij. Sign and factor of RZZ are those of PennyLane and Qiskit; Li writes
exp(i theta Z Z), so theta here is -2 theta there. This module says which gates there are, once: templates, circuits
and simulation all read it.

RZ commutes with RZZ. So of the three rotations in front of the couplings the one about Z that any single-qubit gate can
be made to end with, RZ RX RZ, passes through them into the next layer: `rotations="ZX"` leaves it out, with the same
reach for what is read in Z, and 3N instead of 4N angles a layer on a ring.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import NamedTuple

from encoding import InputError
from encoding.errors import shown

TOPOLOGIES = ("ring", "chain", "all-to-all")
ROTATIONS = {"XZX": ("RX", "RZ", "RX"), "ZX": ("RZ", "RX")}
MOST_QUBITS, MOST_LAYERS, MOST_GATES = 1 << 10, 1 << 16, 1 << 20  # beyond them circuits take minutes to be written


class Gate(NamedTuple):
    """One gate: "RX", "RZ" or "RZZ", the qubits it acts on, and the place of its angle."""

    name: str
    qubits: tuple[int, ...]
    angle: int


def edges(n_qubits: int, topology: str = "ring") -> tuple[tuple[int, int], ...]:
    """The pairs of qubits that are coupled, the lower one first but on the edge that closes the ring.

    Two qubits on a ring have one edge, not two.

    Raises:
        InputError: a topology that does not exist, or no qubit.

    >>> edges(4)
    ((0, 1), (1, 2), (2, 3), (3, 0))
    """
    if not isinstance(topology, str) or topology not in TOPOLOGIES:
        raise InputError(f"a topology is one of {', '.join(TOPOLOGIES)}; got {shown(topology, 40)}")
    n = checked_count("a ladder's number of qubits", n_qubits, most=MOST_QUBITS)
    if topology == "all-to-all":
        return tuple((i, j) for i in range(n) for j in range(i + 1, n))
    chain = tuple((i, i + 1) for i in range(n - 1))
    return (*chain, (n - 1, 0)) if topology == "ring" and n > 2 else chain


@dataclass(frozen=True)
class Ladder:
    """Layers of rotations and couplings on a number of qubits.

    Attributes:
        n_qubits: N.
        n_layers: layers one after the other, the analogue of depth.
        topology: "ring", "chain" or "all-to-all".
        closing: whether rotations of every qubit follow the last couplings.
        rotations: "XZX" as in Li et al., or "ZX": without the redundant angle of each qubit and layer.

    Raises:
        InputError: no qubits or layers, or a topology or rotations that do not exist.
    """

    n_qubits: int
    n_layers: int = 1
    topology: str = "ring"
    closing: bool = False
    rotations: str = "XZX"

    def __post_init__(self) -> None:
        edges(self.n_qubits, self.topology)
        layers = checked_count("a ladder's number of layers", self.n_layers, most=MOST_LAYERS)
        object.__setattr__(self, "n_qubits", int(self.n_qubits))
        object.__setattr__(self, "n_layers", layers)
        if not isinstance(self.rotations, str) or self.rotations not in ROTATIONS:
            raise InputError(f"rotations are one of {', '.join(ROTATIONS)}; got {shown(self.rotations, 40)}")
        if not isinstance(self.closing, bool):
            raise InputError(f"closing is True or False; got {shown(self.closing, 40)}")
        if self.n_angles > MOST_GATES:
            raise InputError(f"a ladder has at most {MOST_GATES} gates; got {self.n_angles}: fewer qubits or layers")

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The coupled pairs of qubits."""
        return edges(self.n_qubits, self.topology)

    @property
    def n_angles(self) -> int:
        """L (3N + E), with "ZX" L (2N + E); 3N or 2N more for closing rotations.

        >>> Ladder(4, 3).n_angles, Ladder(4, 3, rotations="ZX").n_angles
        (48, 36)
        """
        rotated = len(ROTATIONS[self.rotations]) * self.n_qubits
        return self.n_layers * (rotated + len(self.edges)) + self.closing * rotated

    def gates(self) -> Iterator[Gate]:
        """The gates in the order in which they act.

        Angles are counted layer by layer: those of qubit 0, of qubit 1, ..., then those of the edges.
        """
        angle = 0
        for layer in range(self.n_layers + self.closing):
            for qubit in range(self.n_qubits):
                for name in ROTATIONS[self.rotations]:
                    yield Gate(name, (qubit,), angle)
                    angle += 1
            for edge in self.edges if layer < self.n_layers else ():
                yield Gate("RZZ", edge, angle)
                angle += 1


def checked_count(what: str, value: object, least: int = 1, most: int = 1 << 31) -> int:
    """A whole number of at least `least` and at most `most`, a plain one: numpy's are written otherwise in keys.

    Raises:
        InputError: anything else; True is none.
    """
    found = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if found is None or not least <= found <= most:
        up_to = f", at most {most}" if found is not None and found > most else ""
        raise InputError(f"{what} is a whole number of at least {least}{up_to}; got {shown(value, 40)}")
    return found
