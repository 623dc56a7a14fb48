"""Theory beside machines: what replicas say of infinitely wide ones that learned as many patterns for each weight."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from classical.perceptron import NotConverged, bayes_optimal, noisy_teacher, replica_symmetry_breaking
from experiments.figures.picture import Look, Panel, Picture

THEORY = "theory"
STEPS, TOLERANCE = 5, 1e-6
CAVEAT = (
    "theory: N and M to infinity, in equilibrium, outputs each by itself; machines have some spins, go on for some "
    "sweeps, and share hidden layers: profiles are to be compared in shape only"
)


def theory_panel() -> Panel:
    """Where `draw_theory_of` draws."""
    return Panel("theory, N → ∞: teacher and student", "layer l", "r(l)² (random data: q(l)²)")


def draw_theory_of(picture: Picture, settings: Mapping[str, Any], colour: str) -> None:
    """The profile of machines of these settings, once for all widths and starts; what has no solution is noted."""
    name, solve = _question(settings)
    if settings["temperature"] or any(one.panel == THEORY and one.name == name for one in picture.series):
        return
    picture.looks[name] = Look(colour)
    try:
        profile = solve()
    except NotConverged as told:
        picture.note(f"theory: {told}")
        return
    seen = profile.q_ea if profile.r is None else profile.r
    picture.add(THEORY, name, np.arange(1, profile.depth + 1), seen[1:] ** 2)


def _question(settings: Mapping[str, Any]) -> tuple[str, Any]:
    """What a profile is called, and what solves it."""
    alpha, depth, r = settings["alpha"], settings["depth"], settings["r"]
    name = f"α = {alpha:g}, L = {depth}"
    if settings["scenario"] == "random":
        solve: Any = partial(replica_symmetry_breaking, alpha, depth, STEPS, tolerance=TOLERANCE)
        return f"{name}, random data", solve
    if r == 1:
        return name, partial(bayes_optimal, alpha, depth)
    return f"{name}, r = {r:g}", partial(noisy_teacher, r, alpha, depth, STEPS, tolerance=TOLERANCE)
