"""RZZ at any angle from RZZ between 0 and pi/2: what machines with fractional gates can turn by.

    theta = n pi + r, |r| <= pi/2,       RZZ(theta) = RZZ(pi)^n RZZ(r)
    RZZ(pi) = -i Z Z = i RZ(pi) RZ(pi),  RZZ(-r) = X_1 RZZ(r) X_1

Z turns are free on these machines, and X is one pulse. Both are in their gate sets, so that a circuit which was
transpiled once with parameters can be bound and folded again and again, and stays as the machine wants it.
"""

import math
from typing import Any

from qiskit.circuit import CircuitInstruction, ControlFlowOp, ParameterExpression, QuantumCircuit, Qubit
from qiskit.circuit.library import RZGate, RZZGate, XGate

from encoding import InputError
from encoding.errors import shown


def fractional(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same unitary, global phase included, with every RZZ angle in [0, pi/2].

    A circuit without RZZ, as one transpiled for a machine whose own gate is another, comes back as it is. Branches of
    control flow are rewritten too. What stands inside a composite gate is not seen: `circuit.decompose()`.
    Angles must be numbers: bind them first. (For one circuit with many values of its parameters there is
    `convert_to_rzz_valid_pub` in qiskit_ibm_runtime, without global phase and control flow.)

    Raises:
        InputError: an RZZ whose angle is an unbound parameter.

    >>> circuit = QuantumCircuit(2)
    >>> _ = circuit.rzz(-2.0, 0, 1)
    >>> [(gate.name, *gate.params) for gate in fractional(circuit).data]
    [('rz', 3.14), ('rz', 3.14), ('rzz', 1.14)]
    """
    folded = checked_circuit(circuit).copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            operation = operation.replace_blocks([fractional(branch) for branch in operation.blocks])
            folded.append(instruction.replace(operation=operation))
        elif operation.name == "rzz":
            _fold(folded, operation.params[0], instruction.qubits)
        else:
            folded.append(instruction)
    return folded


def checked_circuit(circuit: Any) -> QuantumCircuit:
    """A circuit of Qiskit's.

    Raises:
        InputError: anything else.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise InputError(f"a circuit is a QuantumCircuit; got {shown(circuit)}")
    return circuit


def _fold(circuit: QuantumCircuit, angle: Any, pair: tuple[Qubit, ...]) -> None:
    if isinstance(angle, ParameterExpression):
        raise InputError(f"angles are numbers before they are folded: assign_parameters; got RZZ({angle})")
    rest = math.remainder(angle, math.pi)
    n = round((angle - rest) / math.pi)
    if n % 2:
        for qubit in pair:
            circuit.append(CircuitInstruction(RZGate(math.pi), (qubit,)))
    # (-i Z Z)^n = (-i)^n, or (-i)^n (Z Z) = -(-i)^n RZ(pi) RZ(pi)
    circuit.global_phase += -(n % 4) * math.pi / 2 + (n % 2) * math.pi
    flips = [CircuitInstruction(XGate(), pair[:1])] if rest < 0 else []
    for instruction in (*flips, CircuitInstruction(RZZGate(abs(rest)), pair), *flips):
        circuit.append(instruction)
