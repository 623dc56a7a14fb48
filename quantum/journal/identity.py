"""What an evaluation is called, so that a step that is repeated after a crash asks for its own job and no other.

    id = SHA-256(task, step, evaluation, place, shots, logical parameters)

Logical parameters are angles, chords and bases as the physics has them. The circuit that is sent depends on the day's
calibration and on the version of a transpiler; a name made from it would be new tomorrow, and the job paid twice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Clbit, ControlledGate, Gate, Instruction, SwitchCaseOp
from qiskit.circuit.classical import expr
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import shown

OF_USERS = (Gate, Instruction, ControlledGate)  # what `to_gate`, `to_instruction` and `control` make
Logical = Mapping[str, Any]  # name -> text, number or array


def intent_id(
    task: str, step: int, evaluation: int, place: str, shots: Sequence[int], logical: Sequence[Logical]
) -> str:
    """The id of an evaluation, 64 hexadecimal digits.

    Args:
        task: key of the question.
        step: of the run.
        evaluation: its number within the step.
        place: the backend as it was asked for.
        shots: of each circuit.
        logical: parameters of each circuit, by name.

    Raises:
        InputError: parameters that are not finite, or are neither text nor numbers.

    >>> one = intent_id("task", 0, 0, "aer", [100], [{"theta": [0.0, 1.0]}])
    >>> one == intent_id("task", 0, 0, "aer", [100], [{"theta": np.array([-0.0, 1])}])
    True
    >>> one == intent_id("task", 0, 1, "aer", [100], [{"theta": [0.0, 1.0]}])
    False
    """
    digest = hashlib.sha256()
    for part in ("armonica 1", task, str(step), str(evaluation), place, str(list(map(int, shots))), str(len(logical))):
        _add(digest, part.encode())
    for each in logical:
        _add(digest, str(len(each)).encode())
        for name in sorted(each):
            _add(digest, name.encode())
            _add(digest, _canonical(name, each[name]))
    return digest.hexdigest()


def tag_of(intent: str, attempt: int = 0) -> str:
    """The tag that goes with the job; a job that failed and is asked for again has another."""
    return f"armonica-{intent[:48]}" + (f"-{attempt}" if attempt else "")


def given_logical(pub: SamplerPub) -> Logical:
    """The parameters of a circuit of which nothing else is known: the circuit as it was given, and its values."""
    values = pub.parameter_values.as_array(pub.circuit.parameters) if pub.circuit.num_parameters else np.zeros(0)
    return {"circuit": circuit_digest(pub.circuit), "values": values, "shape": str(pub.shape)}


def circuit_digest(circuit: QuantumCircuit) -> str:
    """SHA-256 of what a circuit does, branches and what they depend on included; not of its name, nor of its gates'."""
    digest = hashlib.sha256()
    registers = [(register.name, register.size) for register in circuit.cregs]
    _add(digest, f"{circuit.num_qubits} {circuit.num_clbits} {registers} {circuit.global_phase}".encode())
    for step in circuit.data:
        places = [circuit.find_bit(bit).index for bit in (*step.qubits, *step.clbits)]
        blocks = [circuit_digest(body) for body in getattr(step.operation, "blocks", ())]
        given = [one for one in step.operation.params if not isinstance(one, QuantumCircuit)]
        for part in (_kind(step.operation), places, blocks, *map(_given, given), _decided(circuit, step.operation)):
            _add(digest, part if isinstance(part, bytes) else str(part).encode())
    return digest.hexdigest()


def _kind(operation: Any) -> str:
    """The name of a gate of Qiskit's; what a gate of the user's does, for names of those are counted in a process."""
    if type(operation) not in OF_USERS:
        return operation.name
    if operation.definition is None:
        raise InputError(f"gate {operation.name} has no definition, so nothing tells it from others: give it one")
    if isinstance(operation, ControlledGate):  # its definition leaves the state of the controls out
        controls, base = f"{operation.num_ctrl_qubits} {operation.ctrl_state}", operation.base_gate
        assert base is not None  # of a gate with a definition
        return f"{controls} {_kind(base)} {list(map(_given, base.params))}"
    return circuit_digest(operation.definition)


def _given(parameter: Any) -> bytes:
    """An angle, an expression, or a matrix, number for number."""
    if isinstance(parameter, np.ndarray):
        return str(parameter.shape).encode() + np.ascontiguousarray(parameter, np.complex128).tobytes()
    return str(parameter).encode()


def _decided(circuit: QuantumCircuit, operation: Any) -> str:
    """What an if, a loop or a switch depends on; nothing of other operations."""
    if isinstance(operation, SwitchCaseOp):
        labels = [list(map(str, values)) for values, _ in operation.cases_specifier()]
        return f"{_value(circuit, operation.target)} {labels}"
    condition = getattr(operation, "condition", None)
    if isinstance(condition, tuple):
        return f"{_value(circuit, condition[0])} {int(condition[1])}"
    return "" if condition is None else _value(circuit, condition)


def _value(circuit: QuantumCircuit, node: Any) -> str:
    """A classical value by its places in the circuit: a bit, a register, or an expression of them."""
    if isinstance(node, Clbit):
        return f"bit {circuit.find_bit(node).index}"
    if isinstance(node, ClassicalRegister):
        return f"register {[circuit.find_bit(bit).index for bit in node]}"
    if isinstance(node, expr.Var):
        return node.name if node.standalone else _value(circuit, node.var)
    if isinstance(node, expr.Value):
        return f"{node.value!r} {node.type}"
    names = [name for name in ("operand", "left", "right", "target", "index") if hasattr(node, name)]
    if not names:
        raise InputError(f"a condition is an expression of bits and registers; got {shown(node)}")
    op = getattr(getattr(node, "op", None), "name", type(node).__name__)
    return f"{op}({', '.join(_value(circuit, getattr(node, name)) for name in names)}) {node.type}"


def _canonical(name: str, value: Any) -> bytes:
    """Numbers as doubles with their shape, -0 as 0; text as it is."""
    if isinstance(value, str):
        return b"t" + value.encode()
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"a logical parameter is a text or numbers; got {name} = {shown(value)}") from None
    if not np.isfinite(array).all():
        raise InputError(f"a logical parameter is finite; got NaN or infinity in {name}")
    return b"n" + str(array.shape).encode() + (array + 0.0).astype("<f8").tobytes()


def _add(digest: Any, part: bytes) -> None:
    """With its length, so that no two lists of parts read the same."""
    digest.update(len(part).to_bytes(8, "big") + part)
