"""What an evaluation is called, so that a step that is repeated after a crash asks for its own job and no other.

    id = SHA-256(task, step, evaluation, place, shots, logical parameters)

Logical parameters are angles, chords and bases as the physics has them. The circuit that is sent depends on the day's
calibration and on the version of a transpiler; a name made from it would be new tomorrow, and the job paid twice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import shown

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
    """SHA-256 of what a circuit does, branches included; not of its name."""
    digest = hashlib.sha256()
    registers = [(register.name, register.size) for register in circuit.cregs]
    _add(digest, f"{circuit.num_qubits} {circuit.num_clbits} {registers} {circuit.global_phase}".encode())
    for step in circuit.data:
        places = [circuit.find_bit(bit).index for bit in (*step.qubits, *step.clbits)]
        blocks = [circuit_digest(body) for body in getattr(step.operation, "blocks", ())]
        parameters = [] if blocks else [str(parameter) for parameter in step.operation.params]
        condition = getattr(step.operation, "condition", None)
        _add(digest, f"{step.name} {places} {parameters} {blocks} {_bits_of(circuit, condition)}".encode())
    return digest.hexdigest()


def _bits_of(circuit: QuantumCircuit, condition: Any) -> str:
    if not isinstance(condition, tuple):
        return "" if condition is None else repr(type(condition))
    where, value = condition
    bits = [where] if not hasattr(where, "size") else list(where)
    return f"{[circuit.find_bit(bit).index for bit in bits]} {int(value)}"


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
