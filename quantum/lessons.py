"""What all replicas of a quantum network learn: music as its settings have it, and what simulates it.

Whatever is shown by shots has an exact twin: the same music by averages over infinitely many, for what is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from encoding.layout import Group
from encoding.transitions import Piece, Transitions
from quantum.music import chord_angles, played
from quantum.needs import check_fits
from quantum.settings import QuantumRNNSettings
from quantum.simulation import Simulation, simulation_of
from quantum.sources import Source
from quantum.weights import groups

EXACTLY: dict[str, Any] = {"shots": None, "rule": "adjoint"}


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is the same for all replicas.

    Attributes:
        settings: of the network.
        layout: of its weights.
        chorales: the music.
        slots: its transitions.
        kernel: "fast" or "plain", of exact simulation.
        simulation: makes features and their slopes.
        columns: which features K reads.
        inputs: of W, (n_slots, 54).
        targets: (n_slots, 54), of +-1.
    """

    settings: QuantumRNNSettings
    layout: dict[str, Group]
    chorales: list[Piece]
    slots: Transitions
    kernel: str
    simulation: Simulation
    columns: Tensor
    inputs: Tensor
    targets: Tensor

    @property
    def n_slots(self) -> int:
        """Transitions there are."""
        return self.slots.n_slots

    @property
    def n_angles(self) -> int:
        """Angles, the first of the weights."""
        return self.settings.block.ladder.n_angles

    @property
    def compiled(self) -> Any:
        """The kernel that makes whole steps of it, `quantum.kernels.cpu.FastKernel`; None, as for those of Adam."""
        kernel = getattr(self.simulation, "simulator", None)
        return kernel if self.settings.optimizer == "sgd" and hasattr(kernel, "step") else None

    def learns(self, part: str) -> bool:
        """Whether a part, angles, K, W or h0, moves."""
        return part in self.settings.learned


def lesson_of(
    settings: QuantumRNNSettings,
    chorales: list[Piece],
    slots: Transitions,
    kernel: str,
    *,
    n_replicas: int,
    sampler: Any = None,
) -> Lesson:
    """What all replicas learn.

    Args:
        settings: of the network.
        chorales: the music.
        slots: its transitions.
        kernel: "fast" or "plain", of exact simulation.
        n_replicas: how many there are to be.
        sampler: what draws shots, see `quantum.samplers`; None: our own simulator.

    Raises:
        InputError: more memory is needed than there is.
    """
    music = played(chorales, slots, settings.note, getattr(torch, settings.precision).to_complex())
    check_fits(settings, music, slots, n_replicas, kernel)
    source = None if sampler is None else _circuits(settings, chorales, slots, sampler)
    columns, real = feature_columns(settings), music.states.real.dtype
    simulation = simulation_of(settings, slots, music, columns, kernel, source)
    inputs, targets = (torch.from_numpy(part).to(real) for part in (slots.inputs, slots.targets))
    return Lesson(settings, groups(settings), chorales, slots, kernel, simulation, columns, inputs, targets)


def exact_twin(lesson: Lesson, n_replicas: int) -> Lesson:
    """The same without shots: itself, where there are none.

    Raises:
        InputError: more memory is needed than there is.
    """
    if lesson.settings.shots is None and lesson.settings.rule == "adjoint":
        return lesson
    settings = replace(lesson.settings, **EXACTLY)
    return lesson_of(settings, lesson.chorales, lesson.slots, "plain", n_replicas=n_replicas)


def feature_columns(settings: QuantumRNNSettings) -> Tensor:
    """Which of the simulation's features K reads."""
    each = len(settings.block.measured())
    n = {"first": 1, "data": settings.n_data, "all": each}[settings.read]
    return torch.cat([torch.arange(n) + k * each for k in range(len(settings.observables))])


def _circuits(settings: QuantumRNNSettings, chorales: Sequence[Piece], slots: Transitions, sampler: Any) -> Source:
    """Circuits of the music on the sampler that was asked for."""
    from quantum.samplers import Sampler  # who learns by simulation needs no Qiskit

    assert settings.shots is not None
    chords = chord_angles(chorales, slots, settings.note)
    return Sampler(settings.block, chords, sampler, settings.shots, observables=settings.observables)
