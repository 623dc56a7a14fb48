"""Circuits without shots: the law of the outcomes, as Aer or the exact law of all branches gives it.

    ket                 p(bits) = |<bits|psi>|^2                          gates alone
    density matrix      p(bits) = <bits|rho|bits>                         resets, or noise
    branches            p(bits) = tr rho_bits (`quantum.machines.law`)    measured in the middle, and decided

With noise the law is what infinitely many shots would show, errors of reading included: p -> (x)_q M_q p, where
M_q[true, seen] is that of qubit q.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from encoding.memory import check_room
from quantum.device.outcomes import Outcomes
from quantum.device.places import Place
from quantum.device.questions import Played
from quantum.device.refused import Refused
from quantum.device.structures import END, MIDDLE
from quantum.machines.abilities import check_needs, needs_of
from quantum.machines.aer import AER, MOST_DENSITY_QUBITS, checked, cores
from quantum.machines.law import MOST_QUBITS, outcome_law
from quantum.machines.noise import reduced_noise
from quantum.machines.used import compacted

Law = NDArray[np.float64]  # (rows, outcomes), bit k of an outcome the k-th that is read


def exact_outcomes(one: Played, circuit: QuantumCircuit, place: Place) -> Outcomes:
    """All outcomes of a circuit, with their probabilities.

    Args:
        one: the circuit as it was asked for.
        circuit: the same, made ready for the place.
        place: where it is played.

    Raises:
        Refused: a place that shows shots, or a circuit whose law it does not give.
    """
    if place.name not in ("exact", "aer") and not place.name.startswith("aer:noise="):
        instead = "qp.set_shots(qnode, 1000), or backend='aer'"
        raise Refused(f"{place.name} shows shots, and the circuit has none: {instead}")
    noise = place.backend.target if place.backend is not None else None
    if place.name == "exact" or any(step.name == "measure" and not _at_end(circuit, step) for step in circuit.data):
        if noise is not None:
            raise Refused(f"{place.name} measures in the middle with shots only: say how many, or take backend='aer'")
        return _branches(one, circuit)
    return _at_once(one, circuit, noise)


def _at_once(one: Played, circuit: QuantumCircuit, target: Any) -> Outcomes:
    """What is read at the end only."""
    import qiskit_aer  # noqa: F401  # gives circuits what they save

    small, used = compacted(circuit)
    needs = needs_of(small)
    check_needs(needs, AER, "aer")
    mixed = target is not None or needs.reset
    if mixed and (one.ket or small.num_qubits > MOST_DENSITY_QUBITS):
        what = "resets" if target is None else "noise"
        raise Refused(f"without shots a circuit with {what} has up to {MOST_DENSITY_QUBITS} qubits, and no state")
    noise = None if target is None else reduced_noise(target, used)
    body, qubits = _without_end(small)
    check_room(32.0 * len(one.angles) * 2 ** (2 * body.num_qubits if mixed else body.num_qubits), "exact averages")
    if one.ket:
        return Outcomes({}, {}, np.ones((len(one.angles), 1)), _kets(body, used, one.angles, len(one.places)))
    body.save_probabilities(qubits)  # type: ignore[attr-defined]  # Aer's, put there by its import
    law = np.array(_run(body, one.angles, "density_matrix" if mixed else "statevector", noise, "probabilities"))
    for place, misread in enumerate(_misreadings(noise, qubits)):
        law = _misread(law, place, misread)
    index = np.arange(law.shape[1])[None]
    bits = {wire: (index >> place & 1).astype(np.uint8) for place, wire in enumerate(one.measured)}
    return Outcomes(bits, {}, law)


def _kets(body: QuantumCircuit, used: list[int], angles: NDArray[Any], n: int) -> NDArray[np.complex128]:
    """States in PennyLane's order, the first wire counting most, of a body on the used ones of n qubits."""
    whole = QuantumCircuit(n)
    whole.compose(body, qubits=used, inplace=True)
    whole.save_statevector()  # type: ignore[attr-defined]  # Aer's, put there by its import
    kets = np.array([np.asarray(ket) for ket in _run(whole, angles, "statevector", None, "statevector")])
    return kets.reshape(-1, *(2,) * n).transpose(0, *range(n, 0, -1)).reshape(-1, 2**n)


def _run(body: QuantumCircuit, angles: NDArray[Any], method: str, noise: Any, what: str) -> list[Any]:
    """What was saved, of every set of angles."""
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method=method, noise_model=noise, **cores())
    columns = {parameter: angles[:, parameter.index].tolist() for parameter in body.parameters}
    found = checked(simulator.run(body, shots=1, parameter_binds=[columns] if columns else None).result())
    saved = [found.data(k)[what] for k in range(len(found.results))]
    return saved * (len(angles) // len(saved))


def _branches(one: Played, circuit: QuantumCircuit) -> Outcomes:
    """The law of all that is written down, measurements in the middle included."""
    columns = [parameter.index for parameter in circuit.parameters]
    if one.ket:
        raise Refused("a circuit that is measured in the middle, or played by exact, has no state: take qp.probs")
    if circuit.num_qubits > MOST_QUBITS:
        what = f"measured in the middle, or played by exact, has up to {MOST_QUBITS} qubits"
        raise Refused(f"without shots a circuit {what}; got {circuit.num_qubits}: qp.set_shots(qnode, 1000)")
    laws = [outcome_law(circuit.assign_parameters(row[columns])) for row in one.angles]
    keys = sorted({key for law in laws for key in law})
    weights = np.array([[law.get(key, 0.0) for key in keys] for law in laws])
    bits = np.array([[key >> k & 1 for key in keys] for k in range(circuit.num_clbits)], np.uint8)
    first = {register.name: circuit.find_bit(register[0]).index for register in circuit.cregs}
    ends = {wire: bits[first[END] + k][None] for k, wire in enumerate(one.measured)}
    return Outcomes(ends, {key: bits[first[MIDDLE] + k][None] for k, key in enumerate(one.middle)}, weights)


def _at_end(circuit: QuantumCircuit, step: Any) -> bool:
    return circuit.find_bit(step.clbits[0]).registers[0][0].name == END


def _without_end(circuit: QuantumCircuit) -> tuple[QuantumCircuit, list[int]]:
    """The circuit before it is read, and the qubit of every bit that is."""
    body = circuit.copy_empty_like()
    read: dict[int, int] = {}
    for step in circuit.data:
        if step.name == "measure":
            read[circuit.find_bit(step.clbits[0]).registers[0][1]] = circuit.find_bit(step.qubits[0]).index
        else:
            body.append(step)
    return body, [read[k] for k in sorted(read)]


def _misreadings(noise: Any, qubits: Sequence[int]) -> list[NDArray[np.float64]]:
    """M[true, seen] of each qubit that is read; without noise, none."""
    if noise is None:
        return []
    known = {
        tuple(where): np.array(error["probabilities"])
        for error in noise.to_dict()["errors"]
        if error["type"] == "roerror"
        for where in error["gate_qubits"]
    }
    return [known.get((qubit,), np.eye(2)) for qubit in qubits]


def _misread(law: Law, place: int, misread: NDArray[np.float64]) -> Law:
    """The law of what is seen, from that of what is, of one bit.

    >>> _misread(np.array([[1.0, 0.0]]), 0, np.array([[0.75, 0.25], [0.0, 1.0]]))
    array([[0.75, 0.25]])
    """
    parts = law.reshape(len(law), -1, 2, 2**place)  # the bit, and those that count less
    return np.einsum("rabc,bs->rasc", parts, misread).reshape(law.shape)
