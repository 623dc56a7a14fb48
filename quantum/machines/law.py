"""The law of the outcomes of a circuit, exactly, measurements and decisions in the middle included.

Every outcome that is written down opens a branch of its own, whose density matrix carries its probability as a trace:

    measure     rho -> |d><d| rho |d><d|,    d = 0, 1           reset   rho -> sum_d |0><d| rho |d><0|
    if_test     the branches whose bits say so                  p(bits) = tr rho_bits

A density matrix has 4^N entries, and there are as many branches as outcomes: for small circuits, which is what others
are held to. The features of a recurrent circuit need no law of all outcomes: `quantum.exact.Exact` takes averages.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, IfElseOp, Qubit
from qiskit.circuit.classical import expr
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from encoding import InputError
from encoding.memory import check_room
from quantum.conditions import value_of
from quantum.machines.abilities import TRANSPARENT

MOST_QUBITS, MOST_BRANCHES = 10, 1 << 16
Matrix = NDArray[np.complex128]
Branches = dict[int, Matrix]  # what was written down, bit i the i-th of the circuit -> rho, (2,) * 2N


def outcome_law(circuit: QuantumCircuit) -> dict[int, float]:
    """Probabilities of all that a circuit can write down; bit i of the key is the i-th classical bit.

    Args:
        circuit: with numbers for its angles; gates, measurements, resets and if_test.

    Raises:
        InputError: unbound parameters, more than 10 qubits or 65536 outcomes, or other control flow.

    >>> circuit = QuantumCircuit(1, 2)
    >>> circuit.ry(np.pi / 3, 0), circuit.measure(0, 0), circuit.reset(0), circuit.measure(0, 1)
    (...)
    >>> outcome_law(circuit)
    {0: 0.75, 1: 0.25}
    """
    n = circuit.num_qubits
    if circuit.parameters:
        raise InputError(f"a law is that of numbers; got {circuit.num_parameters} unbound parameters")
    if n > MOST_QUBITS:
        raise InputError(f"exact has {MOST_QUBITS} qubits; the circuit takes {n}: take aer, or Exact for features")
    rho = np.zeros((2,) * (2 * n), np.complex128)
    rho[(0,) * (2 * n)] = 1
    qubits = {qubit: place for place, qubit in enumerate(circuit.qubits)}
    bits = {bit: place for place, bit in enumerate(circuit.clbits)}
    left = _played(circuit, qubits, bits, {0: rho})
    weights = {key: float(np.trace(one.reshape(2**n, 2**n)).real) for key, one in sorted(left.items())}
    return {key: weight for key, weight in weights.items() if weight > 1e-15}


def _played(circuit: QuantumCircuit, qubits: dict[Qubit, int], bits: dict[Clbit, int], now: Branches) -> Branches:
    for step in circuit.data:
        where = [qubits[qubit] for qubit in step.qubits]
        if step.name == "measure":
            now = _measured(now, where[0], bits[step.clbits[0]])
        elif step.name == "reset":
            now = {key: _reset(rho, where[0]) for key, rho in now.items()}
        elif isinstance(step.operation, IfElseOp):
            now = _chosen(step, where, bits, now)
        elif step.name not in TRANSPARENT:
            gate = _matrix(step)
            now = {key: _applied(gate, rho, where) for key, rho in now.items()}
    return now


def _applied(gate: Matrix, rho: Matrix, where: list[int]) -> Matrix:
    """U rho U^dagger; Qiskit's matrices have the first qubit last."""
    k, n = len(where), rho.ndim // 2
    u = gate.reshape((2,) * (2 * k))
    for matrix, axes in ((u, where[::-1]), (u.conj(), [n + qubit for qubit in where[::-1]])):
        rho = np.moveaxis(np.tensordot(matrix, rho, (range(k, 2 * k), axes)), range(k), axes)
    return rho


def _measured(now: Branches, qubit: int, bit: int) -> Branches:
    """Every branch in two, by what is found."""
    check_room(32.0 * sum(rho.size for rho in now.values()), "all outcomes of the circuit")
    found: Branches = {}
    for key, rho in now.items():
        for outcome in (0, 1):
            part = np.zeros_like(rho)
            here = _both(rho, qubit, outcome)
            part[here] = rho[here]
            if np.trace(part.reshape(2 ** (rho.ndim // 2), -1)).real > 1e-15:
                new = key & ~(1 << bit) | outcome << bit
                found[new] = found[new] + part if new in found else part
    if len(found) > MOST_BRANCHES:
        raise InputError(f"exact follows {MOST_BRANCHES} outcomes; the circuit has more: take aer, or fewer chords")
    return found


def _reset(rho: Matrix, qubit: int) -> Matrix:
    """|0><0| there, whatever it was."""
    empty = np.zeros_like(rho)
    empty[_both(rho, qubit, 0)] = rho[_both(rho, qubit, 0)] + rho[_both(rho, qubit, 1)]
    return empty


def _both(rho: Matrix, qubit: int, value: int) -> tuple[Any, ...]:
    """Where row and column have the qubit in a value."""
    n = rho.ndim // 2
    return tuple(value if axis in (qubit, n + qubit) else slice(None) for axis in range(2 * n))


def _chosen(step: Any, where: list[int], bits: dict[Clbit, int], now: Branches) -> Branches:
    """Each branch by the body that its bits choose."""
    condition, found = step.operation.condition, {}
    for place, body in enumerate(step.operation.blocks):
        of_body = {key: rho for key, rho in now.items() if _holds(condition, key, bits) == (place == 0)}
        inside = dict(zip(body.qubits, where, strict=True))
        outer = {inner: bits[bit] for inner, bit in zip(body.clbits, step.clbits, strict=True)}
        found |= _merged(found, _played(body, inside, outer, of_body))
        now = {key: rho for key, rho in now.items() if _holds(condition, key, bits) != (place == 0)}
    return found | _merged(found, now)


def _merged(found: Branches, more: Branches) -> Branches:
    """Branches that wrote down the same are one."""
    return {key: found[key] + rho if key in found else rho for key, rho in more.items()}


def _holds(condition: Any, key: int, bits: dict[Clbit, int]) -> bool:
    outcome = {bit: key >> place & 1 for bit, place in bits.items()}
    if isinstance(condition, expr.Expr):
        return bool(value_of(condition, outcome))
    return value_of(expr.lift(condition[0]), outcome) == int(condition[1])


def _matrix(step: Any) -> Matrix:
    try:
        if step.clbits:
            raise QiskitError
        return np.asarray(Operator(step.operation).data)
    except (QiskitError, TypeError):
        raise InputError(f"exact plays gates, measurements, resets and if_test; got {step.name}") from None
