"""Circuits apart from their angles: those of one structure are one circuit of Qiskit's, with parameters.

A batch of angles, the shifted circuits of a gradient, a training loop: all play the same gates on the same wires. The
gates are converted and made ready for the machine once, and the angles go along as an array, a row a circuit.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pennylane as qp
from numpy.typing import NDArray
from pennylane.ops import Adjoint, Conditional, Controlled, MeasurementValue, MidMeasure
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import ParameterVector

from encoding.errors import shown
from quantum.device.refused import Refused
from quantum.gate_steps import detached, gate_steps
from quantum.gates import GATES
from quantum.into_qiskit import write_steps

Operations = Sequence[Any]
Places = Mapping[Hashable, int]  # wire -> qubit
MIDDLE, END = "mid", "meas"  # classical registers
MOST_IN_CONDITION = 6
SILENT = qp.Barrier, qp.Identity, qp.GlobalPhase


def middle_of(operations: Operations, asked: Sequence[Any]) -> list[int]:
    """Hashes of the measurements in the middle that are written down: all but resets whose outcome nobody asks for.

    Args:
        operations: of the circuit.
        asked: values of measurements in the middle that it returns.
    """
    read = {one.hash for value in asked for one in value.measurements}
    read |= {one.hash for gate in operations if isinstance(gate, Conditional) for one in gate.meas_val.measurements}
    made = [gate for gate in operations if isinstance(gate, MidMeasure)]
    if len({gate.hash for gate in made}) < len(made):
        raise Refused("a measurement happens once; this circuit has the same one twice: call qp.measure again")
    if read - {gate.hash for gate in made}:
        raise Refused("the circuit asks for a measurement that another circuit made")
    return [gate.hash for gate in made if gate.hash in read or not gate.reset]


def structure_of(operations: Operations, places: Places, middle: Sequence[int]) -> tuple[Hashable, ...]:
    """What tells circuits apart that are not the same for all angles."""
    bits = {key: place for place, key in enumerate(middle)}
    return tuple(_mark(operation, places, bits) for operation in operations)


def angles_of(operations: Operations, rows: int) -> NDArray[np.float64]:
    """The angles of a circuit, (rows, n_angles).

    Raises:
        Refused: they are not finite.
    """
    numbers = [angle for operation in operations for angle in _angles(operation)]
    try:
        found = np.array(numbers, np.float64)[None]
    except (
        TypeError,
        ValueError,
        RuntimeError,
        OverflowError,
    ):  # batches, or tensors that remember where they came from
        found = np.zeros(0)
    if found.ndim != 2:
        columns = [_column(operation, angle) for operation in operations for angle in _angles(operation)]
        found = np.stack(np.broadcast_arrays(*columns), -1).reshape(-1, len(numbers))
    if not np.isfinite(found).all():
        for operation in operations:
            for angle in _angles(operation):
                _column(operation, angle)
    return np.broadcast_to(found, (rows, len(numbers)))


def template_of(
    operations: Operations, places: Places, middle: Sequence[int], measured: Sequence[Hashable]
) -> QuantumCircuit:
    """The circuit with a parameter for every angle.

    Args:
        operations: gates that Qiskit has, and measurements in the middle.
        places: the qubit of each wire.
        middle: hashes of the measurements that are written down.
        measured: wires that are measured at the end, in their order.
    """
    parameters = ParameterVector("angle", sum(1 for gate in operations for _ in _angles(gate)))
    numbers = iter(parameters)
    written = QuantumCircuit(max(len(places), 1))
    register = ClassicalRegister(len(middle), MIDDLE)
    if middle:
        written.add_register(register)
    with qp.QueuingManager.stop_recording():
        steps = [
            step
            for operation in operations
            if not isinstance(operation, qp.GlobalPhase)  # seen by nobody
            for step in gate_steps(operation, angles=lambda gate: [next(numbers) for _ in gate.data])
        ]
    at: dict[Hashable, Any] = {wire: written.qubits[place] for wire, place in places.items()}
    write_steps(written, steps, at, dict(zip(middle, register, strict=True)))
    if measured:
        ends = ClassicalRegister(len(measured), END)
        written.add_register(ends)
        written.measure([at[wire] for wire in measured], ends)
    return written


def _angles(operation: Any) -> Iterator[Any]:
    while isinstance(operation, Conditional | Adjoint) or (
        isinstance(operation, Controlled) and type(operation) not in GATES
    ):
        operation = operation.base
    if type(operation) in GATES:
        yield from operation.data


def _column(operation: Any, angle: Any) -> NDArray[np.float64]:
    """An angle of an operation, as numbers."""
    try:
        found = np.asarray(detached([angle])[0], np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.array(np.nan)
    if not np.isfinite(found).all():
        name, wires = operation.name, list(operation.wires)
        raise Refused(f"an angle is a finite number; {name} on wires {wires} has {shown(angle, 60)}")
    return found


def _mark(operation: Any, places: Places, bits: Mapping[int, int]) -> Hashable:
    """An operation without its angles."""
    kind, where = type(operation), [places[wire] for wire in operation.wires]
    if kind in GATES:
        return (kind.__name__, *where)
    if isinstance(operation, MidMeasure):
        return (kind.__name__, *where, operation.reset, bits.get(operation.hash, -1))
    if isinstance(operation, Conditional):
        return ("if", _condition(operation, bits), _mark(operation.base, places, bits))
    if isinstance(operation, qp.QubitUnitary):
        return (kind.__name__, *where, np.asarray(detached(operation.data)[0], np.complex128).tobytes())
    if isinstance(operation, Controlled):
        values = tuple(map(bool, operation.control_values))
        return (
            "control",
            values,
            tuple(places[w] for w in operation.control_wires),
            _mark(operation.base, places, bits),
        )
    if isinstance(operation, Adjoint):
        return ("adjoint", _mark(operation.base, places, bits))
    if kind not in SILENT:
        raise Refused(f"{operation.name} on wires {list(operation.wires)} is to be decomposed first: take qp.execute")
    return (kind.__name__, *where)


def _condition(operation: Conditional, bits: Mapping[int, int]) -> Hashable:
    """Bits, and at which of their outcomes it is true."""
    value: MeasurementValue = operation.meas_val
    if len(value.measurements) > MOST_IN_CONDITION:
        of = f"{operation.base.name} on wires {list(operation.base.wires)} has one on {len(value.measurements)}"
        raise Refused(f"a condition is on up to {MOST_IN_CONDITION} measurements; {of}")
    return tuple(bits[one.hash] for one in value.measurements), tuple(bool(true) for _, true in value.items())
