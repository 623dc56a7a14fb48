"""Fig. 7: how the weights wander after each waiting time, against tau and tau/tau_w; and whether that collapses."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from experiments.figures.answers import Answer, labels, said, say_replicas, there, told
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import PUBLISHED_RATIO, SHORT_TIME, SOURCE
from experiments.observables import (
    Aging,
    Collapse,
    Exponent,
    Scaling,
    TwoTimeCurve,
    aging,
    collapse,
    short_time_exponent,
)

Curve = TypeVar("Curve", bound=TwoTimeCurve)
SINCE = "τ since τ_w"
RATIO = "τ / τ_w"
RARE = 0.002  # p-values below this are not told apart
FEWEST = 8  # looks after a waiting time that make a curve


def aging_of(answer: Answer, picture: Picture) -> list[Aging]:
    """Delta (D where there is no noise) for every waiting time of the run that it has come beyond."""
    return curves_of(answer, picture, lambda waiting: aging(answer.trajectory, waiting))


def curves_of(answer: Answer, picture: Picture, measure: Callable[[float], Curve]) -> list[Curve]:
    """What `measure` makes of every waiting time of the run that it has come beyond."""
    looks = answer.trajectory
    weights = looks.time[looks.weights_look].min(1) if len(looks.weights_look) else np.empty(0)
    curves, asked = [], waiting_times(answer)
    if not asked:
        picture.note(f"{said(answer)}: no waiting times were looked at (looks = {{ aging = [...] }})")
    for waiting in asked:
        after = weights[weights >= waiting * (1 - 1e-9)]  # a step may end a little beyond the time asked for
        if len(after) > FEWEST:
            found = told(picture, f"{said(answer)}, τ_w = {waiting:g}", measure, float(after[0]))
            curves += [found] if found is not None else []
        else:
            picture.note(f"{said(answer)}: not yet far beyond τ_w = {waiting:g}")
    return curves


def waiting_times(answer: Answer) -> list[float]:
    """The waiting times that the run was asked to look at."""
    described = answer.planned.task.look.weights.describe()
    parts = described["of"] if described["kind"] == "union" else [described]
    while any(part["kind"] == "union" for part in parts):
        parts = [inner for part in parts for inner in (part["of"] if part["kind"] == "union" else [part])]
    return sorted({part["since"] for part in parts if part.get("since", 0) > 0})


def aging_curves(answers: Sequence[Answer], name: str = "fig7") -> Picture:
    """Three panels for each width: Delta against tau, against tau/tau_w, and the latter with linear axes."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    say_replicas(picture, runs)
    for answer, label in zip(runs, labels(runs), strict=True):
        curves = aging_of(answer, picture)
        if not curves:
            continue
        panels = [f"{label}: {kind}" for kind in ("τ", "τ/τ_w", "linear")]
        for panel, x, log in zip(panels, (SINCE, RATIO, RATIO), (True, True, False), strict=True):
            axes = "logarithmic" if log else "linear"
            picture.panels[panel] = Panel(f"{label}, {axes}", x, quantity(curves[0]), log_x=log, log_y=log)
        for curve in curves:
            _draw(picture, panels, curve)
        if curves[0].quantity == "Delta":
            _slope(picture, panels[0], curves[0])
        say_collapse(picture, label, curves)
    if not picture.panels:
        picture.panels["none"] = Panel("", SINCE, "Δ", empty="no run has come far enough beyond its waiting times")
    _temperatures(picture, runs)
    return picture


def quantity(curve: Aging) -> str:
    """What the axis of a curve is called: without noise there is D, and no Delta."""
    return "Δ" if curve.quantity == "Delta" else "D (no noise: no Δ)"


def _temperatures(picture: Picture, runs: Sequence[Answer]) -> None:
    """How cold SGD is, beside the paper."""
    cold = dict.fromkeys((answer.planned.rate, answer.setting("batch")) for answer in runs if answer.setting("batch"))
    for eta, p in cold:
        picture.note(f"η/p = {eta / p:.3g} (published: {PUBLISHED_RATIO:.3g}); Γ goes as 1/p, so Δ as p, here {p}")


def _draw(picture: Picture, panels: Sequence[str], curve: Aging) -> None:
    label, (mean, error) = f"τ_w = {curve.waiting:g}", curve.mean()
    for panel, unit in zip(panels, (1.0, curve.waiting, curve.waiting), strict=True):
        picture.add(panel, label, curve.lag / unit, mean, low=mean - error, high=mean + error)


def _slope(picture: Picture, panel: str, curve: Aging) -> None:
    """The published exponent of short times, as a line through the last of the first points."""
    mean, _ = curve.mean()
    early = np.isfinite(mean) & (mean > 0) & (curve.lag < 0.3 * curve.waiting)
    if early.any():
        lag = curve.lag[early]
        line = mean[early][-1] * (lag / lag[-1]) ** SHORT_TIME
        picture.add(panel, f"guide: τ^{SHORT_TIME} ({SOURCE})", lag, line, kind="published")


def say_collapse(
    picture: Picture, label: str, curves: Sequence[TwoTimeCurve]
) -> tuple[Exponent | None, Collapse | None]:
    """Short-time exponent and quality of the collapse, in words; and themselves."""
    last = curves[-1]
    alpha = told(picture, f"{label}, tau_w = {last.waiting:g}", short_time_exponent, last)
    if alpha is not None:
        picture.number(f"{label}: short-time exponent at τ_w = {last.waiting:g}", alpha)
    found = told(picture, f"{label}, collapse", collapse, list(curves))
    for curve in curves:
        if curve.left_out:
            gone = ", ".join(map(str, curve.left_out))
            picture.note(f"{label}, tau_w = {curve.waiting:g}: without replica(s) {gone}, frozen or at rest")
    if found is not None:
        picture.number(f"{label}: μ, with which τ/τ_w^μ brings the curves nearest to each other", found.mu)
        for way, scaling in (("τ", found.lag), ("τ/τ_w", found.ratio)):
            picture.note(f"{label}, against {way}: {verdict(scaling)}")
    return alpha, found


def verdict(scaling: Scaling) -> str:
    """What the score of a collapse means."""
    if scaling.collapses is None:
        return "whether the curves are one function cannot be told"
    told_apart = "not told from one function" if scaling.collapses else "not one function"
    chance = f"p = {scaling.p_value:.2g}" if scaling.p_value >= RARE else f"p < {RARE}"
    return f"{told_apart}: {scaling.spread:.0%} apart, of one function as far or farther with {chance}"
