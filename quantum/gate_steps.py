"""PennyLane's operations, one after the other, as gates that Qiskit has; what has no counterpart is decomposed."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pennylane as qp
from pennylane.ops import Adjoint, Conditional, Controlled, MeasurementValue, MidMeasure
from qiskit.circuit import Gate
from qiskit.circuit.library import IGate, UnitaryGate
from qiskit.exceptions import QiskitError

from encoding import InputError
from quantum.gates import GATES

Operator = qp.operation.Operator
# numpy's arrays of any library's; PennyLane binds it while it runs, unseen by a type checker
detached = getattr(qp.math, "unwrap")  # noqa: B009


class Step(NamedTuple):
    """One gate on its wires, or what is no gate (a measurement, a barrier, a phase), and on which outcomes."""

    what: Gate | Operator
    wires: tuple[Hashable, ...]
    when: MeasurementValue | None


def numbers(operation: Operator) -> list[Any]:
    """The angles of an operation as plain numbers."""
    return [float(angle) for angle in detached(operation.data)]


Angles = Callable[[Operator], list[Any]]  # those of a gate that has a counterpart, as numbers or as Qiskit's parameters


def gate_steps(
    operation: Operator, when: MeasurementValue | None = None, *, angles: Angles = numbers
) -> Iterator[Step]:
    """An operation as gates that Qiskit has, measurements, barriers and phases.

    Raises:
        InputError: what has no counterpart and is not made of what has one.
    """
    wires = tuple(operation.wires)
    if isinstance(operation, Conditional):
        both = operation.meas_val if when is None else when & operation.meas_val
        yield from gate_steps(operation.base, both, angles=angles)
    elif isinstance(operation, MidMeasure):
        if operation.postselect is not None or when is not None:
            what = "a postselected measurement" if when is None else "a measurement on a condition"
            raise InputError(f"{what} has no counterpart in Qiskit; got one on wires {list(wires)}")
        yield Step(operation, wires, None)
    elif isinstance(operation, qp.GlobalPhase):
        if when is None:  # the phase of a branch is seen by nobody
            yield Step(operation, wires, None)
    elif isinstance(operation, qp.Barrier):
        yield Step(operation, wires, when)
    elif isinstance(operation, qp.Identity):
        yield from (Step(IGate(), (wire,), when) for wire in wires)
    elif found := _counterpart(operation, angles):
        yield Step(*found, when)
    elif operation.has_decomposition and not isinstance(operation, qp.WireCut):
        for part in operation.decomposition():
            yield from gate_steps(part, when, angles=angles)
    else:
        yield Step(*_as_matrix(operation), when)


def _counterpart(operation: Operator, angles: Angles) -> tuple[Any, tuple[Hashable, ...]] | None:
    """The gate of Qiskit that does the same, and its wires in Qiskit's order; None if there is none."""
    if type(operation) in GATES:
        return GATES[type(operation)](*angles(operation)), tuple(operation.wires)
    if isinstance(operation, qp.QubitUnitary):
        return _as_matrix(operation)
    if isinstance(operation, Adjoint) and (base := _counterpart(operation.base, angles)):
        return base[0].inverse(), base[1]
    if isinstance(operation, Controlled) and (base := _counterpart(operation.base, angles)):
        at_one = sum(bool(value) << place for place, value in enumerate(operation.control_values))
        gate = base[0].control(len(operation.control_wires), ctrl_state=at_one, annotated=False)
        return gate, (*operation.control_wires, *base[1])
    return None


def matrix_of(operation: Operator) -> Any:
    """The matrix of an operation, or of each of a batch.

    Raises:
        InputError: it has none.
    """
    try:
        return np.asarray(detached([operation.matrix()])[0], np.complex128)
    except (qp.exceptions.MatrixUndefinedError, ValueError):
        raise InputError(_without(operation)) from None


def check_unitary(operation: Operator, matrix: Any) -> None:
    """Refuse an operation that is no gate: its matrix, or one of a batch, is not unitary, or not finite.

    Raises:
        InputError: U U^dagger is not 1, or wires that are no qubits.
    """
    if matrix.shape[-1] != 2 ** len(operation.wires):
        raise InputError(_without(operation))
    turned = matrix @ matrix.conj().swapaxes(-1, -2)
    if not np.allclose(turned, np.eye(matrix.shape[-1]), atol=1e-6):
        raise InputError(f"{operation.name} on wires {list(operation.wires)} is no gate: its matrix is not unitary")


def _as_matrix(operation: Operator) -> tuple[Any, tuple[Hashable, ...]]:
    """A gate with the operation's matrix; its first wire is Qiskit's last."""
    matrix = matrix_of(operation)
    check_unitary(operation, matrix)
    try:
        return UnitaryGate(matrix), tuple(reversed(operation.wires))
    except (QiskitError, ValueError):
        raise InputError(_without(operation)) from None


def _without(operation: Operator) -> str:
    return f"{operation.name} on wires {list(operation.wires)} is neither a gate of Qiskit nor made of such gates"
