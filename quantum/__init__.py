"""Quantum recurrent circuits that learn chorales: templates, exact simulation, gradients, samplers, machines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantum.backends import Backend, backend_named
    from quantum.block import Block
    from quantum.checks import (
        block_cell,
        carries_memory,
        cell_carries_memory,
        effective_parameters,
        is_trace_preserving,
        reduced,
        reduced_angles,
    )
    from quantum.circuits import block_circuit, circuit_unitary, clock_circuit, ladder_circuit, recurrent_circuit
    from quantum.conversion import from_qiskit, to_qiskit
    from quantum.dense import evolved, unitary, unitary_and_slopes
    from quantum.exact import Exact
    from quantum.folding import fractional
    from quantum.jobs import Journal, JournalSampler
    from quantum.ladder import Ladder, edges
    from quantum.machines.law import outcome_law
    from quantum.recurrence import RecurrentBlock, recurrent
    from quantum.rnn import QuantumRNN
    from quantum.rules import circuits_of, parameter_shift, spsa
    from quantum.samplers import Sampler, SamplerFailed
    from quantum.settings import QuantumRNNSettings
    from quantum.shots import Shots
    from quantum.sources import Sizes, Source, features_of
    from quantum.templates import ClockEmbedding, EntanglingLadder

__all__ = [
    "Backend",
    "Block",
    "ClockEmbedding",
    "EntanglingLadder",
    "Exact",
    "Journal",
    "JournalSampler",
    "Ladder",
    "QuantumRNN",
    "QuantumRNNSettings",
    "RecurrentBlock",
    "Sampler",
    "SamplerFailed",
    "Shots",
    "Sizes",
    "Source",
    "backend_named",
    "block_cell",
    "block_circuit",
    "carries_memory",
    "cell_carries_memory",
    "circuit_unitary",
    "circuits_of",
    "clock_circuit",
    "edges",
    "effective_parameters",
    "evolved",
    "features_of",
    "fractional",
    "from_qiskit",
    "is_trace_preserving",
    "ladder_circuit",
    "outcome_law",
    "parameter_shift",
    "recurrent",
    "recurrent_circuit",
    "reduced",
    "reduced_angles",
    "spsa",
    "to_qiskit",
    "unitary",
    "unitary_and_slopes",
]

_HOMES = {
    "Backend": "quantum.backends",
    "Block": "quantum.block",
    "ClockEmbedding": "quantum.templates",
    "EntanglingLadder": "quantum.templates",
    "Exact": "quantum.exact",
    "Journal": "quantum.jobs",
    "JournalSampler": "quantum.jobs",
    "Ladder": "quantum.ladder",
    "QuantumRNN": "quantum.rnn",
    "QuantumRNNSettings": "quantum.settings",
    "RecurrentBlock": "quantum.recurrence",
    "Sampler": "quantum.samplers",
    "SamplerFailed": "quantum.samplers",
    "Shots": "quantum.shots",
    "Sizes": "quantum.sources",
    "Source": "quantum.sources",
    "backend_named": "quantum.backends",
    "block_cell": "quantum.checks",
    "block_circuit": "quantum.circuits",
    "carries_memory": "quantum.checks",
    "cell_carries_memory": "quantum.checks",
    "circuit_unitary": "quantum.circuits",
    "circuits_of": "quantum.rules",
    "clock_circuit": "quantum.circuits",
    "edges": "quantum.ladder",
    "effective_parameters": "quantum.checks",
    "evolved": "quantum.dense",
    "features_of": "quantum.sources",
    "fractional": "quantum.folding",
    "from_qiskit": "quantum.conversion",
    "is_trace_preserving": "quantum.checks",
    "ladder_circuit": "quantum.circuits",
    "outcome_law": "quantum.machines.law",
    "parameter_shift": "quantum.rules",
    "recurrent": "quantum.recurrence",
    "recurrent_circuit": "quantum.circuits",
    "reduced": "quantum.checks",
    "reduced_angles": "quantum.checks",
    "spsa": "quantum.rules",
    "to_qiskit": "quantum.conversion",
    "unitary": "quantum.dense",
    "unitary_and_slopes": "quantum.dense",
}


def __getattr__(name: str):
    """Load what is asked for, when it is asked for (PEP 562): `import quantum` loads neither PennyLane nor Qiskit."""
    if name not in _HOMES:
        raise AttributeError(f"module 'quantum' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What there is, loaded or not."""
    return sorted({*globals(), *__all__})
