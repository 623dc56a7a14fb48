"""Measurements that follow each other, as one: a simulator then looks at a ket once, not once for every qubit.

The outcome of n qubits is one draw from 2^n probabilities, for which the ket is summed once; n single ones sum it, draw
and project n times. Measurements and resets of other qubits commute, and so do gates elsewhere, so that those of one
step of a recurrent circuit come together whatever order they were written in.
"""

from dataclasses import dataclass, field
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, Gate, Instruction, Qubit

MOST_RESET = 3  # Aer resets n qubits by a matrix of 2^n x 2^n


@dataclass
class Waiting:
    """Measurements and resets that nothing has come after yet."""

    measured: dict[Qubit, Clbit] = field(default_factory=dict)
    reset: list[Qubit] = field(default_factory=list)

    def takes(self, step: Any) -> bool:
        """Whether a measurement, or a reset, can happen together with those that wait: measured first, then reset."""
        if step.name == "reset":
            return step.qubits[0] not in self.reset
        meets = step.qubits[0] in self.measured or step.qubits[0] in self.reset
        return not meets and step.clbits[0] not in self.measured.values()

    def add(self, step: Any) -> None:
        """One more."""
        if step.name == "reset":
            self.reset.append(step.qubits[0])
        else:
            self.measured[step.qubits[0]] = step.clbits[0]

    def passes(self, step: Any) -> bool:
        """Whether a step can go before all that wait: a gate on other qubits."""
        return isinstance(step.operation, Gate) and not {*self.measured, *self.reset} & set(step.qubits)

    def write(self, circuit: QuantumCircuit) -> None:
        """Let all that wait happen."""
        if self.measured:
            n = len(self.measured)
            circuit.append(Instruction("measure", n, n, []), list(self.measured), list(self.measured.values()))
        for first in range(0, len(self.reset), MOST_RESET):
            some = self.reset[first : first + MOST_RESET]
            circuit.append(Instruction("reset", len(some), 0, []), some)
        self.measured, self.reset = {}, []


def gathered(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit, in which what is measured or reset one after the other is so at once, as Aer alone can.

    >>> circuit = QuantumCircuit(2, 2)
    >>> for qubit in (0, 1):
    ...     _ = circuit.measure(qubit, qubit), circuit.reset(qubit)
    >>> [(step.name, len(step.qubits)) for step in gathered(circuit).data]
    [('measure', 2), ('reset', 2)]
    """
    left, waiting = circuit.copy_empty_like(), Waiting()
    for step in circuit.data:
        if step.name in ("measure", "reset"):
            if not waiting.takes(step):
                waiting.write(left)
            waiting.add(step)
            continue
        if not waiting.passes(step):
            waiting.write(left)
        left.append(step)
    waiting.write(left)
    return left
