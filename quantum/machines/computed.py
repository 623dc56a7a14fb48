"""Shots on this machine without Aer: drawn from the exact law of the outcomes, or by PennyLane's devices."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives import BitArray
from qiskit.primitives.containers.sampler_pub import SamplerPub

from quantum.machines.abilities import Abilities, check_needs, needs_of
from quantum.machines.calls import circuits_in, register_bits, shots_of
from quantum.machines.law import MOST_QUBITS, outcome_law
from quantum.machines.used import compacted

EXACT = Abilities(MOST_QUBITS)
PENNYLANE = Abilities(24, midway=False, reset=False, decides=False)
Outcomes = NDArray[np.bool_]  # (S, n_clbits)


def play_exactly(pub: SamplerPub, seed: int) -> dict[str, BitArray]:
    """Shots of a pub from the law of its outcomes."""
    draw = np.random.default_rng(seed)
    return _each(pub, lambda circuit: _drawn(circuit, shots_of(pub), draw))


def play_on_pennylane(device: str) -> Callable[[SamplerPub, int], dict[str, BitArray]]:
    """What draws the shots of a pub on a device of PennyLane's, by its name."""

    def play(pub: SamplerPub, seed: int) -> dict[str, BitArray]:
        seeds = iter(np.random.default_rng(seed).integers(1, 1 << 31, size=circuits_in(pub)))
        return _each(pub, lambda circuit: _sampled(device, circuit, shots_of(pub), int(next(seeds))))

    return play


def checker(name: str, can: Abilities) -> Callable[[list[SamplerPub]], None]:
    """What refuses circuits that a simulator here does not play."""

    def check(pubs: list[SamplerPub]) -> None:
        for pub in pubs:
            check_needs(needs_of(pub.circuit), can, name)

    return check


def _each(pub: SamplerPub, play: Callable[[QuantumCircuit], Outcomes]) -> dict[str, BitArray]:
    """The registers of a pub, its circuits played one after the other."""
    bound = np.asarray(pub.parameter_values.bind_all(pub.circuit), dtype=object)
    shots = np.array([play(compacted(circuit)[0]) for circuit in bound.ravel().tolist()])
    ordered = compacted(pub.circuit)[0]
    return register_bits(ordered, shots.reshape(bound.size, shots_of(pub), ordered.num_clbits), bound.shape)


def _drawn(circuit: QuantumCircuit, shots: int, draw: np.random.Generator) -> Outcomes:
    law = outcome_law(circuit)
    weights = np.array(list(law.values()))
    found = draw.permutation(np.repeat(np.arange(len(law)), draw.multinomial(shots, weights / weights.sum())))
    bits = np.array([[key >> place & 1 for place in range(circuit.num_clbits)] for key in law], np.bool_)
    return bits[found]


def _sampled(device: str, circuit: QuantumCircuit, shots: int, seed: int) -> Outcomes:
    """Gates by PennyLane, read in Z; measurements at the end say which bit is which qubit."""
    import pennylane as qp

    from quantum.out_of_qiskit import from_qiskit

    gates = circuit.copy_empty_like()
    places = {}
    for step in circuit.data:
        if step.name == "measure":
            places[circuit.find_bit(step.clbits[0]).index] = circuit.find_bit(step.qubits[0]).index
        else:
            gates.append(step)
    play, wires = from_qiskit(gates, wires=range(circuit.num_qubits)), list(range(circuit.num_qubits))

    @qp.set_shots(shots)
    @qp.qnode(qp.device(device, wires=wires, seed=seed))
    def read():
        play()
        return qp.sample(wires=wires)

    found = np.asarray(read()).reshape(shots, circuit.num_qubits)
    bits = np.zeros((shots, circuit.num_clbits), np.bool_)
    for bit, qubit in places.items():
        bits[:, bit] = found[:, qubit]
    return bits
