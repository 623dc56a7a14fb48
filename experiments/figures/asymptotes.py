"""Fig. 3: the loss at long times, and its power law NLL_inf + A tau^-gamma."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import (
    NLL,
    TIME,
    Answer,
    draw_curve,
    draw_floor,
    floor_of,
    labels,
    loss_label,
    said,
    say_replicas,
    there,
    told,
)
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import ASYMPTOTES, SOURCE
from experiments.observables import power_law

PANEL = "loss"


def asymptotes(answers: Sequence[Answer], name: str = "fig3") -> Picture:
    """NLL against tau for each width, with the fitted power law; the published asymptotes as horizontal lines.

    Losses that may be negative, as energies, have a linear axis.
    """
    picture = Picture(name, {})
    runs = there(answers, picture)
    positive = all(bool((answer.trajectory.loss[answer.trajectory.valid] > 0).all()) for answer in runs)
    picture.panels[PANEL] = Panel("", TIME, loss_label(runs), log_x=True, log_y=positive)
    say_replicas(picture, runs)
    floor, limit = floor_of(runs), "NLL_inf" if loss_label(runs) == NLL else "asymptote"
    for answer, label in zip(runs, labels(runs), strict=True):
        looks = answer.trajectory
        draw_curve(picture, PANEL, label, looks.time, looks.loss)
        law = told(picture, said(answer), power_law, looks, floor=floor)
        if law is not None:
            tau = np.geomspace(*law.window, 61)
            picture.add(PANEL, f"{label}: fit", tau, law.curve(tau), kind="fit", colour=label)
            window = f"fitted from τ = {law.window[0]:.3g} to {law.window[1]:.3g}"
            picture.number(f"{label}, {window}: {limit}", law.loss_inf)
            picture.number(f"{label}, {window}: exponent γ", law.gamma)
            if floor is not None and law.loss_inf.high < floor:
                picture.note(f"{label}: NLL_inf lies below the floor {floor:.5f}, which no machine can reach")
        _published(picture, answer, label)
    draw_floor(picture, runs)
    if any(one.kind == "fit" for one in picture.series):
        picture.note(f"dashed: {limit} + A τ^-γ where it was fitted")
    return picture


def _published(picture: Picture, answer: Answer, label: str) -> None:
    """The published asymptote of this width, over the last half of our times."""
    if answer.setting("depth") == 2 and answer.setting("width") in ASYMPTOTES:
        limit, gamma = ASYMPTOTES[answer.setting("width")]
        last = float(np.nanmax(answer.trajectory.time))
        name = f"{SOURCE}, {label}: {limit} (exponent {gamma})"
        picture.add(PANEL, name, [last / 2, last], [limit] * 2, kind="published")
