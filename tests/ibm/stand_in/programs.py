"""What a job asks for, in both wire formats, and its answer from Aer.

    "sampler"   PUBs of circuit, angles, shots in the JSON of RuntimeEncoder       -> PrimitiveResult in the same
    "executor"  a quantum program of schema v2.0: circuits, arguments, shots       -> arrays of bits, schema v2.0

The time it takes on the machine is invented, but everything that speaks of it agrees: 1 s, and 250 us for each shot.
"""

import json
from datetime import UTC, datetime
from math import prod
from typing import Any, NamedTuple

from stand_in.machines import Machine

STARTING = 1.0  # s
PER_SHOT = 250e-6  # s
DEFAULT_SHOTS = 4096


class Outcome(NamedTuple):
    """Results as they are sent, and the seconds that they took on the machine."""

    results: str
    seconds: float


class Unknown(ValueError):
    """A program, or a version of one, that is not spoken here."""


def run(program: str, params: dict[str, Any], machine: Machine, seed: int) -> Outcome:
    """The answer to a job; the same seed gives the same counts."""
    if program not in PROGRAMS:
        raise Unknown(f"programs are {', '.join(PROGRAMS)}; got {program!r}")
    return PROGRAMS[program](params, machine, seed)


def seconds(n_shots: int) -> float:
    """Charged for so many shots, all circuits together."""
    return round(STARTING + PER_SHOT * n_shots, 6)


def _sampler(params: dict[str, Any], machine: Machine, seed: int) -> Outcome:
    from qiskit.primitives.containers.sampler_pub import SamplerPub
    from qiskit_aer.primitives import SamplerV2
    from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder

    decoded = json.loads(json.dumps(params), cls=RuntimeDecoder)
    shots = decoded.get("options", {}).get("default_shots") or DEFAULT_SHOTS
    pubs = [SamplerPub.coerce(tuple(pub), shots) for pub in decoded["pubs"]]
    result = SamplerV2.from_backend(machine.simulator(), seed=seed).run(pubs).result()
    taken = seconds(sum((pub.shots or shots) * prod(pub.shape) for pub in pubs))
    return Outcome(json.dumps(result, cls=RuntimeEncoder), taken)


def _executor(params: dict[str, Any], machine: Machine, seed: int) -> Outcome:
    from qiskit_ibm_runtime.fake_provider.executor.run_quantum_program import run_quantum_program
    from qiskit_ibm_runtime.options_models.simulator import SimulatorOptions
    from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

    if params.get("schema_version") != "v2.0":
        raise Unknown(f"executor speaks schema v2.0; got {params.get('schema_version')!r}")
    converter = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"]
    program, _ = converter.decoder(converter.model.model_validate(params))
    for item in program.items:
        if hasattr(item, "samplex"):
            item.samplex.finalize()  # its randomness is drawn here, not where it was sent
    started = datetime.now(UTC)
    exact_angles = SimulatorOptions(seed_simulator=seed, angle_decimals=15)  # 5 by default: angles are rounded
    result = run_quantum_program(machine.simulator(), program, exact_angles)
    taken = seconds(program.shots * sum(prod(item.shape) for item in program.items))
    return Outcome(_arrays(result, program, started), taken)


def _arrays(result: Any, program: Any, started: datetime) -> str:
    from ibm_quantum_schemas.common import CompressedTensorModel
    from ibm_quantum_schemas.executor import version_2_0 as schema
    from qiskit_ibm_runtime.quantum_program.converters.converters_2_0 import passthrough_data_to_2_0

    data = [
        {"results": {name: CompressedTensorModel.from_numpy(bits) for name, bits in item.items()}, "metadata": {}}
        for item in result
    ]
    chunk = {"start": started, "stop": datetime.now(UTC), "parts": []}
    model = schema.QuantumProgramResultModel(
        data=data,  # type: ignore[arg-type]  # pydantic makes models of the dictionaries
        metadata={"chunk_timing": [chunk]},  # type: ignore[arg-type]  # here too
        passthrough_data=passthrough_data_to_2_0(result.passthrough_data),
        semantic_role=program._semantic_role,
    )
    return model.model_dump_json()


PROGRAMS = {"sampler": _sampler, "executor": _executor}
