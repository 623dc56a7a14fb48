"""What a job costs, before it is sent.

    seconds = 2 + sum over circuits of S (250 us + duration of the circuit)

(IBM's guide, "Workload usage": the overhead of a job, and for every shot the delay between shots and the circuit.) The
machine is told to end the job at twice the estimate and a second, and that is what is set aside: the sum of what is set
aside, or was used where that is known, never exceeds the limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import counted
from quantum.machines.abilities import TRANSPARENT
from quantum.machines.calls import circuits_in, shots_of

OVERHEAD, DELAY = 2.0, 250e-6  # seconds: of a job, between two shots
UNKNOWN = {1: 60e-9, 2: 500e-9}  # seconds of gates whose duration the machine does not say
READOUT = 3e-6
MOST_SECONDS = 60.0  # a limit that is set when nothing is said


@dataclass(frozen=True)
class Price:
    """What will be sent, and what it will cost.

    Attributes:
        jobs: one after the other.
        circuits: with numbers for parameters.
        shots: of all circuits.
        depth: of the deepest.
        pairs: gates of two qubits, of the circuit that has most.
        seconds: of the machine, estimated.
        charged: whether they are paid for; else, those that a machine of IBM's would take.
    """

    jobs: int
    circuits: int
    shots: int
    depth: int
    pairs: int
    seconds: float
    charged: bool = True

    def counts(self) -> dict[str, Any]:
        """As a row of the journal has them."""
        return {
            "circuits": self.circuits,
            "shots": self.shots,
            "depth": self.depth,
            "pairs": self.pairs,
            "estimate": self.seconds,
        }

    def size(self) -> tuple[int, int]:
        """Circuits and shots, which no transpiler changes."""
        return self.circuits, self.shots

    def words(self) -> str:
        """In a line.

        >>> Price(1, 2, 2000, 30, 12, 2.5).words()
        '1 job(s), 2 circuit(s), 2000 shots, depth 30, 12 gates of two qubits, some 2.5 s of the machine'
        >>> Price(1, 1, 50, 3, 1, 2.01, charged=False).words()
        '1 job(s), 1 circuit(s), 50 shots, depth 3, 1 gate of two qubits, nothing is charged (a machine: some 2.01 s)'
        """
        seconds = f"some {self.seconds:.3g} s"
        return (
            f"{self.jobs} job(s), {self.circuits} circuit(s), {self.shots} shots, depth {self.depth}, "
            f"{counted(self.pairs, 'gate')} of two qubits, "
            + (f"{seconds} of the machine" if self.charged else f"nothing is charged (a machine: {seconds})")
        )

    def times(self, n: int) -> "Price":
        """Of n such jobs, one after the other."""
        return replace(
            self, jobs=n * self.jobs, circuits=n * self.circuits, shots=n * self.shots, seconds=n * self.seconds
        )


def price_of(pubs: Sequence[SamplerPub], target: Any = None, *, charged: bool = True) -> Price:
    """What a job of these circuits costs.

    Args:
        pubs: with shots.
        target: of the machine, which knows how long its gates take; None: usual durations.
        charged: whether it is paid for.
    """
    shots = [circuits_in(pub) * shots_of(pub) for pub in pubs]
    each = [duration(pub.circuit, target) for pub in pubs]
    seconds = OVERHEAD + sum(n * (DELAY + length) for n, length in zip(shots, each, strict=True))
    return Price(
        1,
        sum(map(circuits_in, pubs)),
        sum(shots),
        max(pub.circuit.depth() for pub in pubs),
        max(pairs_in(pub.circuit) for pub in pubs),
        seconds,
        charged,
    )


def check_limit(price: Price, spent: float, limit: float) -> int:
    """Seconds after which the machine is to end the job; of several the last one, when the others took their estimate.

    Raises:
        InputError: what is left of the limit is less than the estimate.
    """
    each = price.seconds / price.jobs
    bound = min(ceil(2 * each) + 1, floor(limit - spent - (price.jobs - 1) * each))
    if bound < each:
        raise InputError(
            f"{price.words()}; of the limit of {limit:g} s the journal has spent or set aside {spent:.3g} s: nothing "
            "was sent; a higher limit is --max-seconds"
        )
    return bound


def duration(circuit: QuantumCircuit, target: Any = None) -> float:
    """Seconds of a shot: the longest way through the circuit."""
    return max(_ends(circuit, target, list(range(circuit.num_qubits))), default=0.0)


def pairs_in(circuit: QuantumCircuit) -> int:
    """Gates of two qubits, of control flow in the longer branch."""
    n = 0
    for step in circuit.data:
        if isinstance(step.operation, ControlFlowOp):
            n += max(map(pairs_in, step.operation.blocks))
        elif len(step.qubits) == 2 and step.name not in TRANSPARENT:
            n += 1
    return n


def _ends(circuit: QuantumCircuit, target: Any, where: list[int]) -> list[float]:
    """When each qubit and each bit is done."""
    ends = dict.fromkeys((*circuit.qubits, *circuit.clbits), 0.0)
    for step in circuit.data:
        wires, places = (*step.qubits, *step.clbits), [where[circuit.find_bit(qubit).index] for qubit in step.qubits]
        if isinstance(step.operation, ControlFlowOp):
            takes = max(max(_ends(body, target, places), default=0.0) for body in step.operation.blocks)
        else:
            takes = _takes(step.name, places, target)
        end = max((ends[wire] for wire in wires), default=0.0) + takes
        ends.update(dict.fromkeys(wires, end))
    return list(ends.values())


def _takes(name: str, places: list[int], target: Any) -> float:
    if name in TRANSPARENT:
        return 0.0
    known = target[name].get(tuple(places)) if target is not None and name in target and target[name] else None
    said = getattr(known, "duration", None)
    return said if said is not None else READOUT if name in ("measure", "reset") else UNKNOWN.get(len(places), 0.0)
