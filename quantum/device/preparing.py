"""Circuits before they run: what is refused, and what is decomposed into gates that Qiskit has."""

from collections.abc import Iterator
from copy import copy
from typing import Any

import pennylane as qp
from pennylane.measurements import (
    ClassicalShadowMP,
    CountsMP,
    ExpectationMP,
    MeasurementProcess,
    MeasurementTransform,
    ProbabilityMP,
    SampleMeasurement,
    SampleMP,
    StateMeasurement,
    VarianceMP,
)
from pennylane.operation import StatePrepBase
from pennylane.ops import Adjoint, Conditional, Controlled, MidMeasure
from pennylane.tape import QuantumScript
from pennylane.transforms import broadcast_expand
from pennylane.wires import Wires

from encoding.errors import shown
from quantum.device.refused import NAME, Refused
from quantum.gate_steps import check_unitary, matrix_of
from quantum.gates import GATES

PLAIN = (qp.QubitUnitary, qp.Barrier, qp.Identity, qp.GlobalPhase, MidMeasure)
BOTH = (ExpectationMP, VarianceMP, ProbabilityMP)  # with shots and without


@qp.transform
def in_own_gates(tape: QuantumScript, wires: Wires | None = None) -> Any:
    """The same circuit in gates that Qiskit has; what cannot be played is refused.

    Args:
        tape: the circuit.
        wires: of the device; None: any.

    Raises:
        Refused: wires that the device does not have, a measurement or an operation that it does not do.
    """
    check_wires(tape, wires)
    if isinstance(tape.shots.total_shots, bool):
        raise Refused(f"shots are a whole number of at least 1; got {tape.shots.total_shots}")
    if tape.batch_size == 0:
        raise Refused("a batch has at least one set of angles; got an empty one")
    for asked in tape.measurements:
        check_measurement(asked, bool(tape.shots))
    with qp.QueuingManager.stop_recording():
        own = [least for operation in tape.operations for least in own_operations(operation)]
    if tape.batch_size is not None and any(_is_one_at_a_time(operation) for operation in own):
        expanded: Any = broadcast_expand(tape)
        tapes, gathered = expanded
        each: Any = [in_own_gates(one, wires) for one in tapes]
        return [few[0] for few, _ in each], gathered
    changed = len(own) != len(tape.operations) or any(a is not b for a, b in zip(own, tape.operations, strict=True))
    named = [_named(asked, wires) for asked in tape.measurements]
    if changed or named != tape.measurements:
        tape = tape.copy(operations=own, measurements=named)
    return (tape,), _first


@qp.transform
def as_deferred(tape: QuantumScript) -> Any:
    """The same circuit, if PennyLane can put off what it measures in the middle (`qp.defer_measurements`).

    Raises:
        Refused: it postselects, or has a condition within a condition, of which PennyLane would lose the inner one.
    """
    for operation in tape.operations:
        if isinstance(operation, MidMeasure) and operation.postselect is not None:
            raise Refused(_postselects(operation))
        if isinstance(operation, Conditional) and isinstance(operation.base, Conditional):
            name, wires = operation.base.base.name, list(operation.wires)
            raise Refused(
                f"{name} on wires {wires} is under two conditions, which cannot be deferred: combine them by &"
            )
    return (tape,), _first


def own_operations(operation: Any) -> Iterator[Any]:
    """An operation, or what it is made of, as far down as to gates that Qiskit has.

    Raises:
        Refused: postselection, or what is neither such a gate nor made of some.
    """
    if is_own(operation):
        if isinstance(operation, MidMeasure) and operation.postselect is not None:
            raise Refused(_postselects(operation))
        yield operation
    elif isinstance(operation, Conditional):
        for part in own_operations(operation.base):
            if isinstance(part, MidMeasure):
                raise Refused(f"a measurement on a condition is not played; got one on wires {list(part.wires)}")
            yield Conditional(operation.meas_val, part)
    elif operation.has_decomposition:
        for part in _parts(operation):
            yield from own_operations(part)
    elif isinstance(operation, StatePrepBase) and operation.batch_size is not None:
        yield operation  # one set of angles at a time
    else:
        matrix = matrix_of(operation)
        check_unitary(operation, matrix)
        yield qp.QubitUnitary(matrix, operation.wires)


def _postselects(measured: MidMeasure) -> str:
    where = list(measured.wires)
    return f"{NAME} does not postselect; got a measurement on wires {where} with {measured.postselect}"


def _parts(operation: Any) -> list[Any]:
    """What an operation is made of."""
    if isinstance(operation, Controlled) and isinstance(operation.base, qp.QubitUnitary):
        check_unitary(operation.base, matrix_of(operation.base))  # of what is no gate PennyLane's parts have NaN
    try:
        return operation.decomposition()
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:  # numbers that do not go with the operation
        said = " ".join(str(error).split())[:160]
        raise Refused(f"{operation.name} on wires {list(operation.wires)} is not made of gates: {said}") from None


def is_own(operation: Any) -> bool:
    """Whether Qiskit has a gate that does the same, or it is no gate.

    >>> is_own(qp.IsingZZ(0.1, [0, 1])), is_own(qp.Rot(0.1, 0.2, 0.3, 0)), is_own(qp.adjoint(qp.S(0)))
    (True, False, True)
    """
    if type(operation) in GATES or isinstance(operation, PLAIN):
        return True
    if isinstance(operation, Conditional):
        return is_own(operation.base) and not isinstance(operation.base, MidMeasure)
    if isinstance(operation, Adjoint | Controlled):
        return type(operation.base) in GATES or (
            isinstance(operation.base, Adjoint | Controlled) and is_own(operation.base)
        )
    return False


def check_wires(tape: QuantumScript, wires: Wires | None) -> None:
    """Refuse wires that the device does not have."""
    if wires is not None and (extra := [wire for wire in tape.wires if wire not in wires]):
        raise Refused(f"{NAME} has wires {shown(list(wires))}; the circuit also has {shown(extra)}")


def check_measurement(asked: MeasurementProcess, shots: bool) -> None:
    """Refuse a measurement that is not read from shots, or from none."""
    kind = type(asked).__name__.removesuffix("MP")
    if isinstance(asked, MeasurementTransform | ClassicalShadowMP):
        raise Refused(f"{NAME} does not measure {shown(asked)} ({kind})")
    if isinstance(asked, BOTH):
        return
    if shots and not isinstance(asked, SampleMeasurement):
        raise Refused(f"Measurement {shown(asked)} not accepted with finite shots on {NAME}: it is known without shots")
    if not shots and not isinstance(asked, StateMeasurement):
        word = "qp.sample" if isinstance(asked, SampleMP) else "qp.counts" if isinstance(asked, CountsMP) else kind
        raise Refused(f"{word} is read from shots, and the circuit has none: qp.set_shots(qnode, 1000)")


def _named(asked: MeasurementProcess, wires: Wires | None) -> MeasurementProcess:
    """A measurement of all wires, with those of the device."""
    if wires is None or asked.obs is not None or asked.mv is not None or asked.wires:
        return asked
    found = copy(asked)
    found._wires = wires  # as PennyLane's own validate_device_wires does
    return found


def _is_one_at_a_time(operation: Any) -> bool:
    """Whether a batch of it is not one gate with an array of angles."""
    base = operation.base if isinstance(operation, Conditional) else operation
    return base.batch_size is not None and isinstance(base, qp.QubitUnitary | StatePrepBase)


def _first(results: Any) -> Any:
    return results[0]
