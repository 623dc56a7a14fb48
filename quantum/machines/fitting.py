"""Circuits made ready for a machine: its own gates, where they stand, and not too many of them.

How deep a circuit may be is set by the errors of its gates: the share of runs in which none of them erred,

    F = prod_g (1 - e_g),

falls exponentially in their number, and where it is gone only noise comes back.
"""

from typing import Any

from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.circuit import ControlFlowOp
from qiskit.exceptions import QiskitError

from encoding import InputError
from encoding.errors import shown
from quantum.folding import checked_circuit
from quantum.ladder import checked_count
from quantum.machines.abilities import TRANSPARENT, Abilities, check_needs, needs_of

LEAST_FIDELITY = 0.01


class PassManager:
    """What turns circuits into those of a machine, and refuses in a line what it cannot run.

    Args:
        name: of the machine.
        can: its abilities.
        target: its Target; None: circuits stay as they are.
        optimization_level: 0 to 3, as Qiskit counts.
        seed: of the transpiler's own draws; the same seed, the same circuit.

    Raises:
        InputError: a level that does not exist, or no seed.
    """

    def __init__(self, name: str, can: Abilities, target: Any, *, optimization_level: int = 1, seed: int = 0) -> None:
        level = checked_count("an optimization level", optimization_level, 0, 3)
        self._name, self._can = name, can
        seed = checked_count("the transpiler's seed", seed, 0)
        self.passes = target and generate_preset_pass_manager(level, target=target, seed_transpiler=seed)

    def run(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """The circuit in the gates of the machine.

        Raises:
            InputError: it is too wide, or asks for what the machine does not do.
        """
        check_needs(needs_of(checked_circuit(circuit)), self._can, self._name)
        if self.passes is None:
            return circuit
        try:
            return self.passes.run(circuit)
        except QiskitError as error:
            raise InputError(f"the circuit cannot be made ready for {self._name}: {shown(str(error), 160)}") from None


def check_gates(circuit: QuantumCircuit, target: Any, name: str) -> None:
    """Refuse a circuit that was not made ready for a machine: its noise is that of its own gates.

    Raises:
        InputError: more qubits than the machine has, or a gate that is none of its own where it stands.
    """
    if circuit.num_qubits > target.num_qubits:
        raise InputError(f"{name} has {target.num_qubits} qubits; the circuit has {circuit.num_qubits}")
    foreign = _foreign(circuit, target, list(range(circuit.num_qubits)))
    if foreign:
        raise InputError(
            f"{foreign} is no gate of {name}: make the circuit ready with backend.pass_manager().run(circuit)"
        )


def check_depth(circuit: QuantumCircuit, target: Any, name: str, least: float) -> None:
    """Refuse a circuit so deep that hardly a run is without error.

    Raises:
        InputError: fewer than a share `least` of the runs have no gate that errs.
    """
    left = fidelity(circuit, target)
    if left < least:
        n_pairs = sum(len(step.qubits) == 2 and step.name not in TRANSPARENT for step in circuit.data)
        raise InputError(
            f"the circuit is too deep for {name}: of {n_pairs} gates of two qubits and the others none errs in "
            f"{left:.2g} of the runs, at least {least:g} is wanted: fewer chords or layers, or least_fidelity=0"
        )


def fidelity(circuit: QuantumCircuit, target: Any) -> float:
    """F = prod (1 - e) over all gates and resets, as the target knows their errors; readout is not counted."""
    return _product(circuit, target, list(range(circuit.num_qubits)))


def _product(circuit: QuantumCircuit, target: Any, where: list[int]) -> float:
    left = 1.0
    for step in circuit.data:
        place = [where[circuit.find_bit(qubit).index] for qubit in step.qubits]
        if isinstance(step.operation, ControlFlowOp):
            left *= min(_product(body, target, place) for body in step.operation.blocks)
        elif step.name not in (*TRANSPARENT, "measure") and step.name in target:
            known = (target[step.name] or {}).get(tuple(place))
            left *= 1 - (getattr(known, "error", None) or 0.0)
    return left


def _foreign(circuit: QuantumCircuit, target: Any, where: list[int]) -> str:
    """The first operation that the target does not have, in words; "" where there is none."""
    for step in circuit.data:
        place = [where[circuit.find_bit(qubit).index] for qubit in step.qubits]
        if isinstance(step.operation, ControlFlowOp):
            if inside := next(
                (found for body in step.operation.blocks if (found := _foreign(body, target, place))), ""
            ):
                return inside
        elif step.name not in TRANSPARENT and not target.instruction_supported(step.name, tuple(place)):
            return f"{step.name} on {', '.join(map(str, place))}"
    return ""
