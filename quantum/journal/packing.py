"""Circuits and counts as bytes: what was sent, and what came back, looked at before it is believed.

An answer may be anything: the text of a web page, half a file, counts of another job. What is kept has the registers,
shapes and shots that were asked for, or is refused.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit import qpy
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from quantum.machines.calls import shots_of


class NoResult(ValueError):
    """What came back is not what was asked for."""


def pack_pubs(pubs: Sequence[SamplerPub]) -> bytes:
    """Circuits (QPY), values of their parameters, and shots."""
    circuits = io.BytesIO()
    qpy.dump([pub.circuit for pub in pubs], circuits)
    arrays = {f"values{i}": pub.parameter_values.as_array(pub.circuit.parameters) for i, pub in enumerate(pubs)}
    arrays |= {"shots": np.array([shots_of(pub) for pub in pubs], np.int64)}
    return _packed(arrays | {"qpy": np.frombuffer(circuits.getvalue(), np.uint8)})


def unpack_pubs(packed: bytes) -> list[SamplerPub]:
    """The same pubs again."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as held:
        circuits: Any = qpy.load(io.BytesIO(held["qpy"].tobytes()))
        given: list[Any] = [(circuit, held[f"values{i}"], int(held["shots"][i])) for i, circuit in enumerate(circuits)]
        return [SamplerPub.coerce(pub) for pub in given]


def pack_result(result: Any, pubs: Sequence[SamplerPub]) -> bytes:
    """The outcomes of every register, each shot.

    Raises:
        NoResult: no result of a sampler, or of other circuits, registers, shapes or shots.
    """
    if not isinstance(result, PrimitiveResult) or len(result) != len(pubs):
        raise NoResult(f"results of {len(pubs)} circuits were asked for; a {type(result).__name__} came")
    arrays = {}
    for i, pub in enumerate(pubs):
        for register in pub.circuit.cregs:
            bits = _bits(result[i], register.name)
            wanted = (*pub.shape, shots_of(pub), register.size)
            if (*bits.shape, bits.num_shots, bits.num_bits) != wanted:
                came = (*bits.shape, bits.num_shots, bits.num_bits)
                raise NoResult(f"register {register.name} of circuit {i} has shots and bits {wanted}; {came} came")
            arrays[f"{i}.{register.name}"] = bits.array
    return _packed(arrays)


def unpack_result(packed: bytes, pubs: Sequence[SamplerPub]) -> PrimitiveResult:
    """The outcomes again, as a sampler hands them back."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as held:
        found = [
            SamplerPubResult(
                DataBin(
                    **{
                        register.name: BitArray(held[f"{i}.{register.name}"], register.size)
                        for register in pub.circuit.cregs
                    },
                    shape=pub.shape,
                ),
                metadata={"shots": shots_of(pub), "circuit_metadata": pub.circuit.metadata},
            )
            for i, pub in enumerate(pubs)
        ]
    return PrimitiveResult(found, metadata={"version": 2})


def _bits(of: Any, name: str) -> BitArray:
    try:
        bits = of.data[name]
    except (AttributeError, KeyError, TypeError):
        raise NoResult(f"the register {name} is not in what came") from None
    if not isinstance(bits, BitArray):
        raise NoResult(f"register {name} holds outcomes, a BitArray; a {type(bits).__name__} came")
    return bits


def _packed(arrays: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
