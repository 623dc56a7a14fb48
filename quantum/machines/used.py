"""Circuits without what does nothing: idle qubits of a large machine, and decisions with nothing to decide.

A simulator pays for every qubit of a machine, in its noise even where none of them moves; and branches that are empty
either way have been seen to hang it.
"""

from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, ControlFlowOp, QuantumRegister
from qiskit.circuit.library import Barrier

from quantum.machines.abilities import TRANSPARENT


def without_empty_branches(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit without decisions that do nothing either way: a simulator may hang on them.

    >>> circuit = QuantumCircuit(1, 1)
    >>> with circuit.if_test((circuit.clbits[0], 1)):
    ...     pass
    >>> without_empty_branches(circuit).size()
    0
    """
    if not any(isinstance(step.operation, ControlFlowOp) for step in circuit.data):
        return circuit
    left = circuit.copy_empty_like()
    for step in circuit.data:
        if not isinstance(step.operation, ControlFlowOp):
            left.append(step)
            continue
        bodies = [without_empty_branches(body) for body in step.operation.blocks]
        if step.name != "if_else" or any(body.data for body in bodies):
            filled = [body if body.data else _still(body) for body in bodies]
            left.append(step.replace(operation=step.operation.replace_blocks(filled)))
    return left


def _still(body: QuantumCircuit) -> QuantumCircuit:
    """A branch in which nothing happens, but which is not empty."""
    still = body.copy_empty_like()
    if body.num_qubits:
        still.append(Barrier(body.num_qubits), body.qubits)
    return still


def compacted(circuit: QuantumCircuit) -> tuple[QuantumCircuit, list[int]]:
    """The circuit on its used qubits alone, and which these are, in their order; bits and registers stay."""
    acting = [step for step in circuit.data if step.name not in TRANSPARENT]
    used = sorted({circuit.find_bit(qubit).index for step in acting for qubit in step.qubits}) or [0]
    if len(used) == circuit.num_qubits:
        return circuit, used
    small = QuantumCircuit(QuantumRegister(len(used), "used"), list(_loose(circuit)), *circuit.cregs)
    small.metadata, small.global_phase = circuit.metadata, circuit.global_phase
    places = {circuit.qubits[index]: small.qubits[place] for place, index in enumerate(used)}
    for step in circuit.data:
        if step.name != "barrier" and places.keys() >= set(step.qubits):  # a delay of an idle qubit is seen by nobody
            small.append(step.replace(qubits=[places[qubit] for qubit in step.qubits]))
    return small, used


def _loose(circuit: QuantumCircuit) -> list[Clbit]:
    """Bits in no register."""
    return [bit for bit in circuit.clbits if not circuit.find_bit(bit).registers]
