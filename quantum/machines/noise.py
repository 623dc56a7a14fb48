"""The noise of a machine, on the qubits that a circuit uses.

Errors of gates, of readout and of waiting belong to the qubits they act on, so what the others of a large machine
suffer changes no outcome: leaving them out is exact, and the model of a few qubits is made in a fraction of a second
where that of 133 takes several, and again as long at every run.
"""

from typing import Any

from qiskit.transpiler import QubitProperties, Target

from encoding import InputError


def reduced_noise(target: Target, used: list[int]) -> Any:
    """Aer's noise model of the used qubits of a machine, which are then counted 0, 1, ... in their order.

    Args:
        target: of the machine, with errors, times, T1 and T2.
        used: its qubits that matter.

    Raises:
        InputError: a qubit that the machine does not have.
    """
    from qiskit_aer.noise import NoiseModel

    return NoiseModel.from_backend(_Snapshot(reduced_target(target, used)))


def reduced_target(target: Target, used: list[int]) -> Target:
    """The part of a machine that acts on some of its qubits, counted 0, 1, ... in their order.

    Raises:
        InputError: a qubit that the machine does not have.
    """
    if any(not 0 <= qubit < target.num_qubits for qubit in used):
        raise InputError(f"the machine has qubits 0 to {target.num_qubits - 1}; got {used!r:.80}")
    known = target.qubit_properties or [QubitProperties()] * target.num_qubits
    small = Target(num_qubits=len(used), dt=target.dt, qubit_properties=[known[qubit] for qubit in used])
    place = {qubit: new for new, qubit in enumerate(used)}
    for name in target.operation_names:
        where = target[name]
        kept = {
            tuple(place[qubit] for qubit in pair): facts
            for pair, facts in where.items()
            if pair is not None and place.keys() >= set(pair)
        }
        if kept or None in where:
            operation = target.operation_from_name(name)
            small.add_instruction(operation, None if None in where else kept, name=name)
    return small


class _Snapshot:
    """As much of a BackendV2 as Aer asks for its noise model."""

    version, name = 2, "snapshot"

    def __init__(self, target: Target) -> None:
        self.target, self.dt = target, target.dt
        self.operation_names = list(target.operation_names)
