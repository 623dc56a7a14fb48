"""Names and sizes of a QuantumCircuit's registers, kept while its gates are PennyLane's, which knows wires alone."""

from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

Sizes = tuple[tuple[str, int], ...]


class Registers(NamedTuple):
    """The wires of all qubits, idle ones too; quantum and classical registers in a row, name and size of each."""

    wires: tuple[Hashable, ...]
    quantum: Sizes
    classical: Sizes

    def empty(self, wires: list[Hashable]) -> QuantumCircuit:
        """A circuit with these registers and nothing in them."""
        circuit = QuantumCircuit(*(QuantumRegister(size, name) for name, size in self.quantum))
        circuit.metadata = {"wires": wires}
        for name, size in self.classical:
            circuit.add_register(ClassicalRegister(size, name))
        return circuit


def registers_of(circuit: QuantumCircuit, wires: Iterable[Hashable]) -> Registers | None:
    """Those of a circuit whose registers hold every qubit and every bit once, in their order; else None."""
    for registers, all_of_it in ((circuit.qregs, circuit.qubits), (circuit.cregs, circuit.clbits)):
        if [one for register in registers for one in register] != list(all_of_it):
            return None
    return Registers(tuple(wires), _sizes(circuit.qregs), _sizes(circuit.cregs))


def _sizes(registers: Iterable[Any]) -> Sizes:
    return tuple((register.name, register.size) for register in registers)
