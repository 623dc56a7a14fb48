"""Quantum recurrent circuits that learn chorales: templates, exact simulation, gradients, samplers, machines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantum.block import Block
    from quantum.circuits import block_circuit, clock_circuit, ladder_circuit, recurrent_circuit, unitary
    from quantum.folding import fractional
    from quantum.ladder import Ladder
    from quantum.recurrence import RecurrentBlock, recurrent
    from quantum.templates import ClockEmbedding, EntanglingLadder

__all__ = [
    "Block",
    "ClockEmbedding",
    "EntanglingLadder",
    "Ladder",
    "RecurrentBlock",
    "block_circuit",
    "clock_circuit",
    "fractional",
    "ladder_circuit",
    "recurrent",
    "recurrent_circuit",
    "unitary",
]

_HOMES = {
    "Block": "quantum.block",
    "ClockEmbedding": "quantum.templates",
    "EntanglingLadder": "quantum.templates",
    "Ladder": "quantum.ladder",
    "RecurrentBlock": "quantum.recurrence",
    "block_circuit": "quantum.circuits",
    "clock_circuit": "quantum.circuits",
    "fractional": "quantum.folding",
    "ladder_circuit": "quantum.circuits",
    "recurrent": "quantum.recurrence",
    "recurrent_circuit": "quantum.circuits",
    "unitary": "quantum.circuits",
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
