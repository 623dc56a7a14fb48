"""A network whose features are what S shots show, and whose angles learn from nothing else.

The parameter-shift rule gives the slope of every feature, and dE/df of the shots seen turns it into that of E: without
bias but for what shots do to dE/df, O(1/S). SPSA compares E itself, as the shots show it, at angles shifted all at once
(Spall 1992): it goes down the mean of what `loss` says, also where S = 1 and the network is stochastic.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantum.channel import Music
from quantum.exact import Exact
from quantum.rules import Plan, circuits_of, parameter_shift, spsa
from quantum.settings import QuantumRNNSettings
from quantum.shots import Shots
from quantum.sources import Sizes, Source, chord_by_chord, features_of, pieces_at

Cost = Callable[[Tensor], Tensor]


class Shown(NamedTuple):
    """Features, (1, n_slots, n_f)."""

    features: Tensor


class Sampled:
    """Features and slopes from shots; with `shots` None from exact averages, by the same rules.

    Args:
        settings: with shots and rule.
        music: what is played.
        source: what shows shots, such as a `quantum.samplers.Sampler`; None: our own simulator.
    """

    def __init__(self, settings: QuantumRNNSettings, music: Music, source: Source | None = None) -> None:
        self.settings = settings
        asked = settings.block, music, settings.observables
        own = Exact(*asked) if settings.shots is None else Shots(*asked, settings.shots)
        self.source: Source = own if source is None else source
        self.noisy = settings.shots is not None or settings.rule == "spsa"

    def plan(self) -> Plan:
        """Circuits, jobs and shots of one step: a pass, and the rule's."""
        return plan_of_step(self.settings, self.source)

    def run(self, angles: Tensor, draw: np.random.Generator) -> Shown:
        """What the shots of one pass show."""
        seen = features_of(self.source, angles.numpy(), draw)
        return Shown(torch.from_numpy(seen).to(angles.dtype))

    def slope(self, angles: Tensor, passed: Shown, error: Tensor, cost: Cost, draw: np.random.Generator) -> Tensor:
        """dE/d angles by the rule of the settings."""
        settings, own = self.settings, angles[0].numpy().astype(np.float64)
        if settings.rule == "parameter-shift":
            wanted = error[0].numpy().astype(np.float64)
            made = parameter_shift(self.source, own, lambda seen: wanted, draw).gradient
        else:

            def loss(features: NDArray[np.float64]) -> float:
                return float(cost(torch.from_numpy(features).to(angles.dtype)))

            made = spsa(self.source, loss, own, settings.spsa_shift, draw, n=settings.spsa_pairs)
        return torch.from_numpy(made).to(angles.dtype)[None]


def plan_of_step(settings: QuantumRNNSettings, source: Source | Sizes) -> Plan:
    """Circuits, jobs and shots of one step, before anything runs: those of a pass, and those of the rule."""
    rule = circuits_of(settings.rule, source, n=settings.spsa_pairs)
    chords = chord_by_chord(source)
    circuits = (source.n_slots if chords else pieces_at(source, 0)) * len(source.observables)
    shots = None if rule.shots is None else rule.shots + circuits * (source.shots or 0)
    return Plan(rule.circuits + circuits, 2 * rule.jobs, shots)
