"""From Qiskit to PennyLane, with resets that reset and measurements that can be fed forward.

A reset is a measurement that nobody reads, and a flip if it says 1: `qp.measure(wire, reset=True)`. (PennyLane's own
`qp.from_qiskit` leaves resets out with a warning: after X and a reset it finds <Z> = -1.) A bit that was never written
reads 0.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pennylane as qp
from pennylane.ops import Adjoint, MeasurementValue
from pennylane.tape import make_qscript
from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, ControlledGate, IfElseOp, Qubit
from qiskit.circuit.classical import expr
from qiskit.circuit.library import Barrier
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from encoding import InputError
from quantum.conditions import bits_of, value_of
from quantum.gates import ADJOINTS, OF_QISKIT
from quantum.registers import registers_of

Wires = dict[Qubit, Hashable]
Values = dict[Clbit, MeasurementValue]  # of the bits that were written
Quantum = Callable[[], tuple[MeasurementValue | None, ...]]


def from_qiskit(circuit: QuantumCircuit, *, wires: Sequence[Hashable] | None = None) -> Quantum:
    """The quantum function that does what a QuantumCircuit does; `qp.tape.make_qscript` makes a tape of it.

    Called within a QNode it returns what was measured last into each classical bit, None where nothing was. Names and
    sizes of the registers are kept for `to_qiskit(from_qiskit(circuit))`; a tape or a QNode has none.

    Args:
        circuit: gates, measurements, resets, barriers, and if_test on bits, registers and expressions of them.
        wires: a label for each qubit; None: those that `to_qiskit` kept in the metadata, or 0, 1, ...

    Raises:
        InputError: other control flow, a measurement within an if_test, parameters without numbers, or an operation
            that is no unitary.

    >>> circuit = QuantumCircuit(1)
    >>> circuit.x(0), circuit.reset(0)
    (...)
    >>> play = from_qiskit(circuit)
    >>> @qp.qnode(qp.device("default.qubit"))
    ... def z():
    ...     play()
    ...     return qp.expval(qp.Z(0))
    >>> float(z())
    1.0
    """
    if not isinstance(circuit, QuantumCircuit):
        raise InputError(f"from_qiskit takes a QuantumCircuit; got {circuit!r:.60}")
    if circuit.parameters or circuit.num_vars or circuit.num_stretches:
        names = ", ".join(
            str(one.name) for one in (*circuit.parameters, *circuit.iter_vars(), *circuit.iter_stretches())
        )
        raise InputError(f"a circuit is converted with numbers for its parameters and no variables; got {names:.80}")
    labels = dict(zip(circuit.qubits, _labels(circuit, wires), strict=True))

    def play() -> tuple[MeasurementValue | None, ...]:
        values: Values = {}
        _play(circuit, labels, values, None)
        return tuple(values.get(bit) for bit in circuit.clbits)

    make_qscript(play)()  # refuse now, not when a QNode calls it
    # a function may carry what it was made from; a checker knows functions without attributes
    play.registers = registers_of(circuit, labels.values())  # pyright: ignore[reportFunctionMemberAccess]
    return play


def _labels(circuit: QuantumCircuit, wires: Sequence[Hashable] | None) -> list[Hashable]:
    """Labels that are asked for, or kept; a transpiler's circuit has qubits in another order than its labels."""
    n = circuit.num_qubits
    if wires is not None:
        if len(wires) != n or len(set(wires)) < n:
            raise InputError(f"a circuit of {n} qubits has {n} different wires; got {list(wires)!r:.80}")
        return list(wires)
    kept = (circuit.metadata or {}).get("wires", ())
    named = circuit.layout is None and len(kept) == n and all(isinstance(wire, int | str) for wire in kept)
    return list(kept) if named else list(range(n))


def _play(circuit: QuantumCircuit, labels: Wires, values: Values, when: MeasurementValue | None) -> None:
    """Queue the operations of a circuit, or of a branch of one."""
    if circuit.global_phase and when is None:  # the phase of a branch is seen by nobody
        qp.GlobalPhase(-float(circuit.global_phase))
    done = set()
    for place, step in enumerate(circuit.data):
        where = [labels[qubit] for qubit in step.qubits]
        if step.name in ("measure", "reset") and place not in done:
            if when is not None:
                raise InputError(f"a {step.name} within an if_test has no counterpart in PennyLane; got one on {where}")
            then = _reset_after(circuit, place) if step.name == "measure" else place
            seen = qp.measure(where[0], reset=then is not None)
            values |= dict.fromkeys(step.clbits, seen)
            done.add(then)
        elif isinstance(step.operation, IfElseOp):
            _choose(step, labels, values, when)
        elif step.name not in ("measure", "reset"):
            _apply(step, labels, values, when)


def _reset_after(circuit: QuantumCircuit, place: int) -> int | None:
    """The place of a reset that comes next on the qubit measured here."""
    (qubit,) = circuit.data[place].qubits
    for later in range(place + 1, len(circuit.data)):
        if qubit in circuit.data[later].qubits:
            return later if circuit.data[later].name == "reset" else None
    return None


def _choose(step: Any, labels: Wires, values: Values, when: MeasurementValue | None) -> None:
    """Both branches of an if_test, each on its condition."""
    holds = _condition(step.operation.condition, values)
    for body, sign in zip(step.operation.blocks, (holds, _not(holds)), strict=False):
        if sign is False:
            continue
        both = when if sign is True else sign if when is None else when & sign
        inside = dict(zip(body.qubits, (labels[qubit] for qubit in step.qubits), strict=True))
        bits = zip(body.clbits, step.clbits, strict=True)
        _play(body, inside, {inner: values[outer] for inner, outer in bits if outer in values}, both)


def _not(holds: MeasurementValue | bool) -> MeasurementValue | bool:
    return not holds if isinstance(holds, bool) else ~holds


def _condition(condition: Any, values: Values) -> MeasurementValue | bool:
    """(bit, value), (register, value) or an expression, as a function of what was measured."""
    tree = condition if isinstance(condition, expr.Expr) else expr.lift(condition[0])
    wanted = None if isinstance(condition, expr.Expr) else int(condition[1])
    bits = [bit for var in expr.iter_vars(tree) for bit in bits_of(var)]
    written = [bit for bit in dict.fromkeys(bits) if bit in values]

    def holds(*outcomes: int) -> bool:
        value = value_of(tree, dict(zip(written, map(int, outcomes), strict=True)))
        return bool(value) if wanted is None else value == wanted

    if not written:
        return holds()
    return MeasurementValue([values[bit].measurements[0] for bit in written], holds)


def _apply(step: Any, labels: Wires, values: Values, when: MeasurementValue | None) -> None:
    """A gate: PennyLane's own, made of others, or a matrix."""
    gate, where = step.operation, [labels[qubit] for qubit in step.qubits]
    kind = getattr(gate, "base_class", type(gate))
    closed = not isinstance(gate, ControlledGate) or gate.ctrl_state == 2**gate.num_ctrl_qubits - 1
    angles = [float(angle) for angle in gate.params] if kind in OF_QISKIT else []
    if isinstance(gate, Barrier):
        if when is None:
            qp.Barrier(where)
    elif kind in OF_QISKIT and closed:
        _queue(lambda: OF_QISKIT[kind](*angles, wires=where), when)
    elif kind in ADJOINTS:
        _queue(lambda: Adjoint(ADJOINTS[kind](wires=where)), when)
    elif gate.name != "unitary" and getattr(gate, "definition", None) is not None and not step.clbits:
        _play(gate.definition, dict(zip(gate.definition.qubits, where, strict=True)), {}, when)
    else:
        matrix = _matrix(step, where)
        _queue(lambda: qp.QubitUnitary(matrix, wires=where[::-1]), when)


def _queue(operation: Callable[[], Any], when: MeasurementValue | None) -> None:
    play: Any = operation if when is None else qp.cond(when, operation)
    play()


def _matrix(step: Any, where: list[Hashable]) -> Any:
    """Of a gate that has nothing but a matrix; a delay or control flow has none."""
    try:
        if step.clbits or step.name == "delay":
            raise QiskitError
        return Operator(step.operation).data
    except QiskitError:
        raise InputError(f"{step.name} on wires {where} has no counterpart in PennyLane") from None
