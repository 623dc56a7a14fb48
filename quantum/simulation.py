"""Which simulation makes a network's features and their slopes along the angles.

exact         averages over infinitely many shots: the channel, in torch or compiled; with many history qubits, in the
              measured schedule, gate by gate (`quantum.averaged`)
trajectories  sampled kets, unbiased, for histories too large for density matrices (`quantum.trajectories`)
shots         what a number of shots shows, and the gradients that samplers can give (`quantum.shots`, `quantum.rules`)
"""

from typing import Any, Protocol

import numpy as np
from torch import Tensor

from encoding.transitions import Transitions
from quantum.averaged import Averaged
from quantum.channel import Channel, Music
from quantum.kernels import compiled
from quantum.sampled import Cost, Sampled
from quantum.settings import MOST_HISTORY_DENSE, QuantumRNNSettings
from quantum.sources import Source
from quantum.trajectories import Trajectories


class Simulation(Protocol):
    """Features of one network and their slopes.

    Attributes:
        noisy: whether two passes at the same weights differ.
    """

    noisy: bool

    def run(self, angles: Tensor, draw: np.random.Generator, *, sloped: bool) -> Any:
        """A pass, with `features` (1, n_slots, n_f), and what the way back needs; angles (1, n_angles).

        What is drawn for the features is the same whether the slope will be asked for or not.
        """
        ...

    def slope(self, angles: Tensor, passed: Any, error: Tensor, cost: Cost) -> Tensor:
        """dE/d angles, (1, n_angles), from dE/d features or from E itself."""
        ...


class Adjoint:
    """Averages over infinitely many shots, with slopes by the adjoint; what computes them is any exact simulator."""

    noisy = False

    def __init__(self, simulator: Any) -> None:
        self.simulator = simulator

    def run(self, angles: Tensor, draw: np.random.Generator, *, sloped: bool) -> Any:
        """A pass; nothing is drawn."""
        return self.simulator.run(angles)

    def slope(self, angles: Tensor, passed: Any, error: Tensor, cost: Cost) -> Tensor:
        """By the adjoint."""
        return self.simulator.slope(angles, passed, error)


class AdjointOfKets(Adjoint):
    """Sampled kets; the gradient is that of one pass."""

    noisy = True

    def run(self, angles: Tensor, draw: np.random.Generator, *, sloped: bool) -> Any:
        """A pass with outcomes of its own."""
        return self.simulator.run(angles, [draw])


def simulation_of(
    settings: QuantumRNNSettings,
    slots: Transitions,
    music: Music,
    columns: Tensor,
    kernel: str,
    source: Source | None = None,
) -> Simulation:
    """The simulation that the settings ask for.

    Args:
        settings: of the network.
        slots: the transitions.
        music: the same as kets.
        columns: the features that K reads.
        kernel: "fast" or "plain", of exact simulation.
        source: what shows shots; None: our own simulator.
    """
    block, observables = settings.block, settings.observables
    if settings.shots is not None or settings.rule != "adjoint":
        return Sampled(settings, music, source)
    if settings.trajectories is not None:
        return AdjointOfKets(Trajectories(block, music, observables, n_trajectories=settings.trajectories))
    if settings.n_history > MOST_HISTORY_DENSE:
        return Adjoint(Averaged(block, music, observables))
    if kernel == "fast":
        return Adjoint(compiled(settings.precision).FastKernel(settings, slots, music, columns))
    return Adjoint(Channel(block, music, observables))
