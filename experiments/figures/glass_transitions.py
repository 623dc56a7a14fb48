"""Where the layers of a deep perceptron freeze, one after the other, and how fast that grows with depth."""

from typing import NamedTuple

import numpy as np

from classical.perceptron import Growth, glass_transitions, growth
from experiments.figures.picture import Look, Panel, Picture
from experiments.figures.published import GLASS_LAW, GLASS_TRANSITIONS, SEMINAR
from experiments.figures.style import GREY
from experiments.observables import Fit

LAYER, ALPHA = "spin layer l", r"$\alpha_g(l)$"
TOLERANCE = 1e-7
FITTED = 8  # layers; beyond, transitions come together
LAWS = ("exponential", "power")


class Scenario(NamedTuple):
    """What is solved, how it is called, and for how many layers."""

    name: str
    scenario: str
    steps: int | None
    n_layers: int


SCENARIOS = (
    Scenario("random data, symmetric", "random", None, 20),
    Scenario("random data, k = 2", "random", 2, 4),
    Scenario("random data, k = 5", "random", 5, 3),
    Scenario("students of a teacher", "teacher", None, 16),
)


def glass_transition_lines(name: str = "perceptron-transitions") -> Picture:
    """alpha_g(l) with its exponential, and with its power law, beside the slide's."""
    picture = Picture(
        name,
        {
            "exponential": Panel("against an exponential", LAYER, ALPHA, log_y=True),
            "power": Panel("against a power law", LAYER, ALPHA, log_x=True, log_y=True),
        },
    )
    for one in SCENARIOS:
        found = glass_transitions(one.n_layers, scenario=one.scenario, levels=one.steps, tolerance=TOLERANCE)
        layers, law = np.arange(1, len(found) + 1), growth(found[:FITTED])
        for panel in LAWS:
            picture.add(panel, one.name, layers, found, kind="points")
        fine = np.linspace(1, min(layers[-1], FITTED), 60)
        (a, b), (c, d) = law.exponential, law.power
        picture.add("exponential", f"{one.name}: fit", fine, a * np.exp(b * fine), kind="fit", colour=one.name)
        picture.add("power", f"{one.name}: fit", fine, c * fine**d, kind="fit", colour=one.name)
        picture.looks[f"{one.name}: fit"] = Look(GREY, quiet=True)
        _say(picture, one.name, law)
    fine = np.linspace(1, FITTED, 60)
    for panel in LAWS:
        amplitude, rate = GLASS_LAW
        picture.add(panel, "slide: 2.7 exp(1.03 l)", fine, amplitude * np.exp(rate * fine), kind="published")
        for layer, alpha in GLASS_TRANSITIONS.items():
            picture.add(panel, f"slide: {alpha:g}", layer, alpha, kind="published")
    picture.note(
        f"Dashed: least squares in ln α, up to l = {FITTED}. Intervals take what is left for noise, which it is not."
    )
    picture.note("Further on transitions come together: beyond the last one glass fills a machine of any depth.")
    picture.note("With broken symmetry states of the first layers may freeze before: docs/perceptron.md says where.")
    picture.note(f"Slides: {SEMINAR}. The first transition is at π²/4 = {np.pi**2 / 4:.4f} in all scenarios.")
    return picture


def _say(picture: Picture, name: str, law: Growth) -> None:
    for what, line, misfit, (low, high) in (
        ("b of exp(b l)", law.exponential, law.exponential_misfit, law.exponential_interval),
        ("b of l^b", law.power, law.power_misfit, law.power_interval),
    ):
        fit = Fit(low[1], line[1], high[1])
        picture.number(f"{name}: {what}, left in ln α {misfit:.2g}", fit)
