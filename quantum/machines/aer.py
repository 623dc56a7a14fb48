"""Shots on Aer, without noise or with that of a machine.

How a circuit is simulated follows from what it costs:

    trajectories        a ket for every shot, S 2^N: whatever branches, for every shot then goes a way of its own
    density matrix      4^N once, then S draws: noise or resets, nothing measured before the end, and 4^N <= 256 S
    statevector         2^N once, then S draws: neither noise nor resets nor branches

(256 is where the two took the same time, for 3 to 9 qubits with noise.) Where Aer fails it hands back a result all the
same, whose counts of zeros a sampler takes for outcomes; here it raises.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp, ParameterExpression
from qiskit.primitives import BitArray
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding.errors import cut
from encoding.memory import check_room
from encoding.threads import n_threads
from quantum.machines.abilities import Abilities, check_needs, needs_of
from quantum.machines.calls import circuits_in, shots_of
from quantum.machines.fitting import check_gates
from quantum.machines.gathered import gathered
from quantum.machines.noise import reduced_noise
from quantum.machines.used import compacted, without_empty_branches
from quantum.samplers import SamplerFailed

MOST_DENSITY_QUBITS, WORTH_A_SHOT = 12, 256
MOST_QUBITS = 30
GATE = 2e-6  # seconds of a gate on a few qubits, of one shot
AER = Abilities(MOST_QUBITS)
BOUND = ("p", "r", "rx", "rxx", "ry", "ryy", "rz", "rzx", "rzz", "u", "u1", "u2", "u3")  # whose parameters Aer binds


def method_for(circuit: QuantumCircuit, shots: int, *, noisy: bool) -> str:
    """How Aer is to simulate a circuit, by cost: "statevector" or "density_matrix".

    >>> circuit = QuantumCircuit(2, 2)
    >>> circuit.h(0), circuit.cx(0, 1), circuit.measure([0, 1], [0, 1])
    (...)
    >>> method_for(circuit, 1000, noisy=True), method_for(circuit, 1000, noisy=False)
    ('density_matrix', 'statevector')
    """
    needs = needs_of(circuit)
    mixed = (noisy or needs.reset) and not needs.branches
    small = needs.n_qubits <= MOST_DENSITY_QUBITS and 4**needs.n_qubits <= WORTH_A_SHOT * shots
    return "density_matrix" if mixed and small else "statevector"


def seconds_of(pub: SamplerPub, *, noisy: bool) -> float:
    """How long a pub takes, roughly, so that nobody waits unasked.

        circuits x shots x gates x GATE (1 + 2^N / 200)         as trajectories
        circuits x gates x GATE 4^N / 200                       as a density matrix

    GATE is that of one busy core (`tests/benchmarks/noisy_shots.py` measures such shots).
    """
    circuit, used = compacted(pub.circuit)
    gates, shots, wide = circuits_in(pub) * circuit.size(), shots_of(pub), 2 ** len(used)
    if method_for(circuit, shots, noisy=noisy) == "density_matrix":
        return gates * GATE * (1 + wide**2 / 200)
    return gates * GATE * (1 + wide / 200) * (shots if noisy or needs_of(circuit).branches else 1)


def cores() -> dict[str, int]:
    """Threads of Aer's: as many as the library may use (ARMONICA_THREADS); torch waits while Aer runs."""
    return {"max_parallel_threads": n_threads(), "max_parallel_experiments": 1, "max_parallel_shots": 0}


def checked(result: Any) -> Any:
    """A simulator's result, if it succeeded.

    Raises:
        SamplerFailed: it did not, in all circuits or in one.
    """
    failed = [one.status for one in result.results if not one.success]
    if not result.success or failed:
        said = cut(failed[0] if failed else result.status, 200)
        raise SamplerFailed(f"the simulator did not succeed: {said or 'it did not say why'}")
    return result


class Checked:
    """A simulator whose results are looked at before anybody counts.

    Args:
        run: of the simulator.
    """

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run

    def run(self, circuits: Any, **options: Any) -> "Checked":
        """A job that is done.

        Raises:
            SamplerFailed: the simulator did not succeed.
        """
        self._found = checked(self._run(circuits, **options).result())
        return self

    def result(self) -> Any:
        """What was found."""
        return self._found


def player(target: Any = None) -> Callable[[SamplerPub, int], dict[str, BitArray]]:
    """What draws the shots of a pub on Aer, with the noise of a machine or without."""
    models: dict[tuple[int, ...], Any] = {}

    def play(pub: SamplerPub, seed: int) -> dict[str, BitArray]:
        circuit, used = compacted(without_empty_branches(pub.circuit))
        if target is not None and tuple(used) not in models:
            models[tuple(used)] = reduced_noise(target, used)
        return _run(circuit, pub, seed, models.get(tuple(used)))

    return play


def checker(name: str, can: Abilities, target: Any = None) -> Callable[[list[SamplerPub]], None]:
    """What refuses circuits that Aer, or the machine whose noise it has, does not play."""

    def check(pubs: list[SamplerPub]) -> None:
        for pub in pubs:
            needs = needs_of(pub.circuit)
            check_needs(needs, can, name)
            if target is not None:
                check_gates(pub.circuit, target, name)
            check_needs(needs, AER, name)
            check_room(2 * 16.0 * 2**needs.n_qubits, f"kets of {needs.n_qubits} qubits")
            check_room(64.0 * shots_of(pub) * circuits_in(pub), f"{pub.shots} shots of {circuits_in(pub)} circuits")

    return check


def bound_by_aer(circuit: QuantumCircuit) -> bool:
    """Whether Aer itself puts the right numbers into the parameters of a circuit.

    Of controlled gates it leaves them out without a word (its issues #2323, #2403), and of those after a decision it
    takes others (#1849).

    >>> from qiskit.circuit import Parameter
    >>> circuit = QuantumCircuit(2)
    >>> circuit.rx(Parameter("a"), 0)
    <...>
    >>> bound_by_aer(circuit)
    True
    >>> circuit.cp(Parameter("b"), 0, 1)
    <...>
    >>> bound_by_aer(circuit)
    False
    """
    return not any(
        isinstance(step.operation, ControlFlowOp)
        or (step.name not in BOUND and any(isinstance(number, ParameterExpression) for number in step.operation.params))
        for step in circuit.data
    )


def _run(circuit: QuantumCircuit, pub: SamplerPub, seed: int, noise: Any) -> dict[str, BitArray]:
    from qiskit_aer import AerSimulator
    from qiskit_aer.primitives import SamplerV2

    method, fused = method_for(circuit, shots_of(pub), noisy=noise is not None), {}
    if noise is None and needs_of(circuit).branches:
        circuit, fused = gathered(circuit), {"fusion_threshold": 1}  # each a third faster a shot
    simulator: Any = Checked(AerSimulator(method=method, noise_model=noise, **cores(), **fused).run)
    sampler = SamplerV2(seed=seed)
    sampler._backend = simulator  # a run and its result are all that it asks for
    names = [register.name for register in circuit.cregs if register.size]
    if circuit.parameters and not bound_by_aer(circuit):
        each = pub.parameter_values.bind_all(circuit)
        bound: Any = [(one, None, pub.shots) for one in each.ravel().tolist()]
        parts: Any = sampler.run(bound).result()
        arrays = {name: np.array([part.data[name].array for part in parts]) for name in names}
        sizes = {register.name: register.size for register in circuit.cregs}
        return {name: BitArray(one.reshape(*each.shape, *one.shape[1:]), sizes[name]) for name, one in arrays.items()}
    values = pub.parameter_values.as_array(circuit.parameters) if circuit.parameters else None
    asked: Any = (circuit, values, pub.shots)
    data = sampler.run([asked]).result()[0].data
    return {name: data[name] for name in names}
