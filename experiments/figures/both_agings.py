"""Aging of a quantum and of a classical network: whether their motion is a function of tau/tau_w.

For each run what moves inside (the angles of a circuit, J and M of the classical network) in units of its noise,

    Delta(tau_w, tau_w + tau) = int dD / Gamma                                           (Hertz & Tyrcha 2024, eq. 7)

or D itself where the gradient has no noise; of angles also by the distance around the circle, which saturates at
pi^2/3; and, in every gauge the same, the displacement of the function,

    D_f(tau_w, tau_w + tau) = < [H(tau_w + tau) - H(tau_w)]^2 >                       (mean over outputs and time slots)
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from encoding.layout import lay_out
from experiments.figures.aging_curves import RATIO, curves_of, quantity, say_collapse
from experiments.figures.answers import Answer, say_replicas, there
from experiments.figures.picture import Panel, Picture
from experiments.observables import Aging, Collapse, Exponent, TwoTimeCurve, aging
from experiments.replay import function_displacement
from experiments.side_by_side import READOUT, Line, Machine, Match, matches, named, nobody, said_of
from experiments.store import system_of
from experiments.trajectory import Trajectory

PLAIN, PERIODIC, FUNCTION, ALL = "as numbers", "around the circle", "the function", "all that is learned"
INSIDE = {"quantum": "angles", "deep-rnn": "J and M"}


class Aged(NamedTuple):
    """What is told of one run and one way to measure how far it went.

    Attributes:
        match, line, machine: whose it is.
        way: PLAIN, PERIODIC, ALL or FUNCTION.
        quantity: what the curves are: Delta, D or D_f.
        curves: one for each waiting time.
        alpha: short-time exponent at the last waiting time.
        collapse: against tau, tau/tau_w, tau/tau_w^mu.
    """

    match: Match
    line: Line
    machine: Machine
    way: str
    quantity: str
    curves: Sequence[TwoTimeCurve]
    alpha: Exponent | None
    collapse: Collapse | None


def both_agings(answers: Sequence[Answer], name: str = "quantum-aging") -> Picture:
    """Two panels for each run, against tau/tau_w: what moves inside (dashed: around the circle), and the function."""
    return aged_by(answers, name)[0]


def aged_by(answers: Sequence[Answer], name: str, hears: Callable[[str], None] = nobody) -> tuple[Picture, list[Aged]]:
    """The picture, and the numbers that it was made of; `hears` gets what is measured next."""
    picture = Picture(name, {}, across=4)
    runs = there(answers, picture, named=said_of)
    say_replicas(picture, runs)
    found = [
        one
        for match in matches(runs, picture, hears)
        for line in match.lines
        for machine in line.machines
        for one in _of(match, line, machine, picture)
    ]
    if not picture.panels:
        picture.panels["none"] = Panel("", RATIO, "Δ", empty="no run has come far enough beyond its waiting times")
    return picture, found


def label_of(aged: Aged) -> str:
    """Which run, and what of it."""
    return f"{aged.match.label}, {named(aged.line, aged.machine)}: {aged.way}"


def panel_of(aged: Aged) -> str:
    """The name of its panel: angles around the circle are drawn beside the same angles as numbers."""
    return label_of(aged).replace(PERIODIC, PLAIN)


def _of(match: Match, line: Line, machine: Machine, picture: Picture) -> Iterator[Aged]:
    for way, measure in _ways(machine):
        curves = curves_of(machine.answer, picture, measure)
        if not curves:
            continue
        first = curves[0]
        what = quantity(first) if isinstance(first, Aging) else "D_f"
        aged = Aged(match, line, machine, way, what, curves, None, None)
        _draw(picture, aged)
        alpha, collapse = say_collapse(picture, label_of(aged), curves)
        yield aged._replace(alpha=alpha, collapse=collapse)
    for name, fit in list(picture.numbers.items()):
        if not np.isfinite(fit).all():
            del picture.numbers[name]
            picture.note(f"{name}: no interval can be told")


def _ways(machine: Machine) -> Iterator[tuple[str, Callable[[float], TwoTimeCurve]]]:
    """How far a run went since a waiting time, in each way that it has."""
    answer = machine.answer
    looks, learned = answer.trajectory, answer.planned.task.settings["learned"]
    inside = only(looks, [name for name in looks.layout if name not in READOUT])
    inside_named = f"{INSIDE[answer.planned.task.system]} {PLAIN}"
    yield inside_named, lambda waiting: aging(inside, waiting)
    if all(group.period for group in inside.layout.values()):
        yield f"angles {PERIODIC}", lambda waiting: aging(inside, waiting, periodic=True)
    if set(learned) & set(READOUT):
        every = only(looks, [name for name in looks.layout if name not in READOUT or name in learned])
        yield ALL, lambda waiting: aging(every, waiting)
    system = system_of(answer.run, 0) if answer.run else None
    if system is not None:
        yield FUNCTION, lambda waiting: function_displacement(system, looks, waiting=waiting)


def only(trajectory: Trajectory, groups: Sequence[str]) -> Trajectory:
    """The same looks at some groups of weights alone: what is frozen would only dilute D."""
    kept = {name: trajectory.layout[name] for name in groups}
    periods = {name: group.period for name, group in kept.items() if group.period is not None}
    columns = np.concatenate([np.arange(group.slice.start, group.slice.stop) for group in kept.values()])
    places = [list(trajectory.layout).index(name) for name in groups]
    return replace(
        trajectory,
        weights=np.asarray(trajectory.weights)[:, :, columns],
        noise=trajectory.noise[:, :, places],
        layout=lay_out({name: group.shape for name, group in kept.items()}, periods),
        measured={},
    )


def _draw(picture: Picture, aged: Aged) -> None:
    panel, around = panel_of(aged), PERIODIC in aged.way
    if panel not in picture.panels:
        title = f"{named(aged.line, aged.machine)}: {aged.way}"
        picture.panels[panel] = Panel(title, RATIO, aged.quantity, log_x=True, log_y=True)
    for curve in aged.curves:
        (mean, error), label = curve.mean(), f"τ_w = {curve.waiting:g}"
        x = curve.lag / curve.waiting
        if around:
            picture.add(panel, f"{label}, {PERIODIC}", x, mean, kind="fit", colour=label)
        else:
            picture.add(panel, label, x, mean, low=mean - error, high=mean + error)
