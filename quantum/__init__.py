"""Quantum recurrent circuits that learn chorales: templates, exact simulation, gradients, samplers, machines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantum.checks import (
        carries_memory,
        cell_carries_memory,
        effective_parameters,
        is_trace_preserving,
        reduced,
        reduced_angles,
    )
    from quantum.conversion import from_qiskit, to_qiskit
    from quantum.dense import evolved, unitary, unitary_and_slopes
    from quantum.ladder import Ladder, edges

__all__ = [
    "Ladder",
    "carries_memory",
    "cell_carries_memory",
    "edges",
    "effective_parameters",
    "evolved",
    "from_qiskit",
    "is_trace_preserving",
    "reduced",
    "reduced_angles",
    "to_qiskit",
    "unitary",
    "unitary_and_slopes",
]

_HOMES = {
    "Ladder": "quantum.ladder",
    "carries_memory": "quantum.checks",
    "cell_carries_memory": "quantum.checks",
    "edges": "quantum.ladder",
    "effective_parameters": "quantum.checks",
    "evolved": "quantum.dense",
    "from_qiskit": "quantum.conversion",
    "is_trace_preserving": "quantum.checks",
    "reduced": "quantum.checks",
    "reduced_angles": "quantum.checks",
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
