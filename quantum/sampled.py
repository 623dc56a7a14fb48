"""A network whose features are what S shots show, and whose angles learn from nothing else.

The parameter-shift rule gives the slope of every feature, and dE/df of the shots seen turns it into that of E: without
bias but for what shots do to dE/df, O(1/S). SPSA compares E itself, as the shots show it, at angles shifted all at once
(Spall 1992): it goes down the mean of what `loss` says, also where S = 1 and the network is stochastic.

A step is one job, or, chord by chord, a job a chord: the shots at the angles themselves, by which the loss is told and
K, W and h_0 learn, are part of what the rule asks for.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantum.channel import Music
from quantum.exact import Exact
from quantum.rules import Pairs, Plan, circuits_of, directions, pairs_shown
from quantum.settings import QuantumRNNSettings
from quantum.shifts import Shifts, shifts_shown
from quantum.shots import Shots
from quantum.sources import Sizes, Source, chord_by_chord, features_of, pieces_at

Cost = Callable[[Tensor], Tensor]


class Shown(NamedTuple):
    """What shots have shown.

    Attributes:
        features: at the angles, (1, n_slots, n_f).
        apart: at other angles, as the rule wants them; None: nobody asks for a slope.
    """

    features: Tensor
    apart: Shifts | Pairs | None


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
        """Circuits, jobs and shots of one step."""
        return plan_of_step(self.settings, self.source)

    def run(self, angles: Tensor, draw: np.random.Generator, *, sloped: bool) -> Shown:
        """What the shots of one pass show, and in the same job what the rule asks for; angles (1, n_angles)."""
        own, settings, apart = angles.numpy().astype(np.float64), self.settings, None
        # drawn also where no pair is played, so that the shots at the angles are those of the step
        signs = directions(own.shape[1], draw, n=settings.spsa_pairs) if settings.rule == "spsa" else None
        if not sloped:
            seen = features_of(self.source, own, draw)[0]
        elif signs is None:
            seen, *_ = apart = shifts_shown(self.source, own[0], draw)
        else:
            seen, *_ = apart = pairs_shown(self.source, own[0], settings.spsa_shift, signs, draw, centre=True)
        return Shown(torch.from_numpy(seen)[None].to(angles.dtype), apart)

    def slope(self, angles: Tensor, passed: Shown, error: Tensor, cost: Cost) -> Tensor:
        """dE/d angles by the rule of the settings, from what the pass has shown."""

        def loss(features: NDArray[np.float64]) -> float:
            return float(cost(torch.from_numpy(features).to(angles.dtype)))

        assert passed.apart is not None, "a pass that was asked for no slope"
        apart = passed.apart
        made = apart.gradient(loss) if isinstance(apart, Pairs) else apart.gradient(error[0].numpy().astype(np.float64))
        return torch.from_numpy(made).to(angles.dtype)[None]


def plan_of_step(settings: QuantumRNNSettings, source: Source | Sizes) -> Plan:
    """Circuits, jobs and shots of one step, before anything runs: what the rule asks for, and the angles themselves.

    The parameter-shift rule has these among its own; where no angle is learned nothing else is asked for.
    """
    rule, angles = circuits_of(settings.rule, source, n=settings.spsa_pairs), "angles" in settings.learned
    pass_alone = (source.n_slots if chord_by_chord(source) else pieces_at(source, 0)) * len(source.observables)
    circuits = rule.circuits * angles + pass_alone * (settings.rule == "spsa" or not angles)
    return Plan(circuits, rule.jobs, None if source.shots is None else circuits * source.shots)
