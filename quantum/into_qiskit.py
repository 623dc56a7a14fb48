"""From PennyLane to Qiskit, measurements in the middle included: measured, reset, and fed forward.

The wire that is leftmost in PennyLane's ket is qubit 0, which is rightmost in Qiskit's: the unitaries are equal after
`reverse_bits`. Every measurement in the middle has a classical bit of its own, so that what is fed forward is what was
measured then; but what is measured to be reset and read by nobody is a reset, without a bit. A condition on several
measurements is spelled out, outcome by outcome, whatever expression it came from.
"""

from collections.abc import Hashable, Iterable, Sequence
from contextlib import nullcontext
from functools import reduce
from itertools import groupby, product
from typing import Any, NamedTuple

import numpy as np
import pennylane as qp
from pennylane.measurements import CountsMP, ProbabilityMP, SampleMP
from pennylane.ops import MeasurementValue, MidMeasure
from pennylane.pytrees import flatten
from pennylane.queuing import AnnotatedQueue
from pennylane.tape import QuantumScript
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Clbit, Qubit
from qiskit.circuit.classical import expr

from encoding import InputError
from quantum.gate_steps import Step, gate_steps, numbers
from quantum.registers import Registers

MOST_MEASURED = 6  # measurements in one condition: 64 outcomes to spell out
SAMPLED = CountsMP, ProbabilityMP, SampleMP

Tape = QuantumScript
Operator = qp.operation.Operator


class Condition(NamedTuple):
    """Bits, and the outcomes at which something is done."""

    bits: tuple[Clbit, ...]
    outcomes: frozenset[tuple[int, ...]]

    def opposite(self) -> "Condition":
        """All other outcomes of the same bits."""
        return Condition(self.bits, frozenset(product((0, 1), repeat=len(self.bits))) - self.outcomes)


ALWAYS = Condition((), frozenset([()]))


def to_qiskit(
    circuit: Any, *arguments: Any, wire_order: Sequence[Hashable] | None = None, **keywords: Any
) -> QuantumCircuit:
    """The QuantumCircuit that does what a PennyLane circuit does.

    Operations without a counterpart are decomposed. Measurements in the middle go to the classical register `mid`, in
    their order; samples, counts and probabilities of wires at the end to `meas`. What `from_qiskit` made goes back to
    the registers that it came from. A measurement that resets is read where a condition, a measurement at the end or
    what a quantum function returns has its value; otherwise it is a reset alone. Expectation values and states are no
    gates and are left out: ask an estimator for them. Angles are numbers; gradients and shots stay behind.

    Args:
        circuit: a tape, a QNode or a quantum function.
        arguments: what a QNode or a function is called with.
        wire_order: wires in the order of the qubits; None: as those of the QNode's device, 0 .. n-1 where the wires are
            these, or else as they appear. Labels are kept in `metadata["wires"]`.
        keywords: more of what it is called with.

    Raises:
        InputError: postselection, noise, a batch of angles, or what else has no counterpart, with its wires.

    >>> def again():
    ...     qp.X("voice")
    ...     heard = qp.measure("voice", reset=True)
    ...     qp.cond(heard, qp.RY)(0.5, "voice")
    >>> [one.operation.name for one in to_qiskit(again)]
    ['x', 'measure', 'reset', 'if_else']
    """
    with qp.QueuingManager.stop_recording():
        tape, of_device, returned = _recorded(circuit, arguments, keywords)
        kept: Registers | None = getattr(circuit, "registers", None) if wire_order is None else None
        wires = list(kept.wires) if kept else _ordered(tape, of_device if wire_order is None else list(wire_order))
        steps = [step for operation in tape.operations for step in gate_steps(operation)]
    written = (kept or Registers((), _names(wires), ())).empty(wires)
    at = dict(zip(wires, written.qubits, strict=True))
    bits = _bits(written, steps, _values([one.mv for one in tape.measurements]), _values(returned))
    write_steps(written, steps, at, bits)
    _measure_at_the_end(written, tape, at)
    return written


def write_steps(
    written: QuantumCircuit, steps: Iterable[Step], at: dict[Hashable, Qubit], bits: dict[int, Clbit]
) -> None:
    """Put steps into a circuit, those under a condition into the branches of an if.

    Args:
        written: the circuit, with its bits.
        steps: of `quantum.gate_steps`.
        at: where each wire is.
        bits: where each measurement that is read is written down, by its hash.

    Raises:
        InputError: a condition on what is not written down, or on too much.
    """
    before, otherwise = ALWAYS, nullcontext()
    for condition, group in groupby(steps, lambda step: _condition(step, bits)):
        if condition == ALWAYS:
            _write(written, group, at, bits)
        elif condition == before.opposite():
            with otherwise:
                _write(written, group, at, bits)
            condition = ALWAYS  # a third branch would be an if of its own
        elif condition.outcomes:
            with written.if_test(_expression(condition)) as otherwise:
                _write(written, group, at, bits)
        before = condition


def _recorded(circuit: Any, arguments: tuple, keywords: dict[str, Any]) -> tuple[Tape, list[Hashable] | None, Any]:
    """A tape with one number for each angle, the wires of a QNode's device if it names them, a function's answer."""
    of_device = returned = None
    if isinstance(circuit, Tape):
        tape = circuit
    elif isinstance(circuit, qp.QNode):
        try:
            tape = qp.workflow.construct_tape(circuit)(*arguments, **keywords)
        except ValueError as error:
            raise InputError(f"a QNode is converted where its transforms leave one tape: {error!s:.120}") from None
        of_device = list(circuit.device.wires) if circuit.device.wires else None
    elif callable(circuit):
        with AnnotatedQueue() as queue:
            returned = circuit(*arguments, **keywords)
        tape = Tape.from_queue(queue)
    else:
        raise InputError(f"a circuit is a tape, a QNode or a quantum function; got {circuit!r:.60}")
    if any(operation.batch_size is not None for operation in tape.operations):
        raise InputError("a circuit has one number for each angle; got a batch of them: convert one at a time")
    return tape, of_device, returned


def _ordered(tape: Tape, asked: list[Hashable] | None) -> list[Hashable]:
    used = list(tape.wires)
    if asked is None:
        return list(range(len(used))) if set(used) == set(range(len(used))) else used
    if len(set(asked)) < len(asked) or not set(used) <= set(asked):
        raise InputError(f"wire_order has every wire once, {used}; got {asked!r:.80}")
    return asked


def _names(wires: list[Hashable]) -> tuple[tuple[str, int], ...]:
    """One register, or one a wire, called as the wire, where wires have names."""
    names = [str(wire) for wire in wires]
    if all(isinstance(wire, int) for wire in wires) or len({*names, "mid", "meas", ""}) < len(names) + 3:
        return (("q", len(wires)),)
    return tuple((name, 1) for name in names)


def _bits(
    written: QuantumCircuit, steps: list[Step], asked: list[MeasurementValue], returned: list[MeasurementValue]
) -> dict[int, Clbit]:
    """A bit for every measurement in the middle that is read, in their order: as it was, or one of `mid`."""
    measured = [step.what for step in steps if isinstance(step.what, MidMeasure)]
    if len({one.hash for one in measured}) < len(measured):
        raise InputError("a measurement happens once; this circuit has the same one twice: call qp.measure again")
    conditions = [step.when for step in steps if step.when is not None]
    read = {one.hash for value in (*conditions, *asked, *returned) if value is not None for one in value.measurements}
    measured = [one for one in measured if one.hash in read or not one.reset]
    kept = zip(returned, written.clbits, strict=False)  # what a circuit of Qiskit's returns is bit after bit
    bits = {value.measurements[0].hash: bit for value, bit in kept if value is not None}
    if others := [one.hash for one in measured if one.hash not in bits]:
        taken = [register.name for register in written.cregs]
        register = ClassicalRegister(len(others), "mid" + "_" * sum(name.startswith("mid") for name in taken))
        written.add_register(register)
        bits |= dict(zip(others, register, strict=True))
    return {one.hash: bits[one.hash] for one in measured}


def _values(nested: Any) -> list[Any]:
    """What was measured in the middle, and None for what is no such value, in lists within lists."""
    leaves = flatten(nested, is_leaf=lambda leaf: isinstance(leaf, MeasurementValue))[0]
    return [leaf if isinstance(leaf, MeasurementValue) else None for leaf in leaves]


def _condition(step: Step, bits: dict[int, Clbit]) -> Condition:
    """The outcomes at which the expression of a step is true."""
    if step.when is None:
        return ALWAYS
    measured = step.when.measurements
    if len(measured) > MOST_MEASURED or any(one.hash not in bits for one in measured):
        raise InputError(
            f"a condition is on up to {MOST_MEASURED} measurements of this circuit; got one on {len(measured)} for "
            f"wires {list(step.wires)}"
        )
    order = np.argsort([list(bits).index(one.hash) for one in measured])  # PennyLane's own order is drawn
    try:
        holds = frozenset(tuple(outcome[k] for k in order) for outcome, value in step.when.items() if value)
    except Exception as error:  # the expression is the user's
        raise InputError(f"a condition is true or false at every outcome; got {error!r:.80}") from None
    condition = Condition(tuple(bits[measured[k].hash] for k in order), holds)
    return condition if condition.opposite().outcomes else ALWAYS


def _expression(condition: Condition) -> Any:
    """One bit and its value, or the sum over outcomes of products over bits."""
    bits, outcomes = condition
    if len(bits) == 1:
        return bits[0], next(iter(outcomes))[0]
    products = (
        [expr.lift(bit) if value else expr.logic_not(bit) for bit, value in zip(bits, outcome, strict=True)]
        for outcome in sorted(outcomes)
    )
    return reduce(expr.logic_or, (reduce(expr.logic_and, factors) for factors in products))


def _write(written: QuantumCircuit, steps: Iterable[Step], at: dict[Hashable, Qubit], bits: dict[int, Clbit]) -> None:
    for what, wires, _ in steps:
        qubits = [at[wire] for wire in wires]
        if isinstance(what, MidMeasure):
            if what.hash in bits:
                written.measure(qubits, [bits[what.hash]])
            if what.reset:
                written.reset(qubits)
        elif isinstance(what, qp.Barrier):
            written.barrier(qubits or None)
        elif isinstance(what, qp.GlobalPhase):
            written.global_phase -= numbers(what)[0]
        else:
            written.append(what, qubits)


def _measure_at_the_end(written: QuantumCircuit, tape: Tape, at: dict[Hashable, Qubit]) -> None:
    """Wires whose samples, counts or probabilities the circuit returns, into `meas`."""
    asked = [one for one in tape.measurements if isinstance(one, SAMPLED) and one.mv is None]
    if of := [one.obs for one in asked if one.obs is not None]:
        raise InputError(f"samples, counts and probabilities are those of wires here, without {of[0]!r:.60}")
    every: list[list[Any]] = [list(one.wires) or list(at) for one in asked]
    if wires := list(dict.fromkeys(wire for some in every for wire in some)):
        register = ClassicalRegister(len(wires), "meas")
        written.add_register(register)
        written.measure([at[wire] for wire in wires], register)
