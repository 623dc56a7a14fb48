"""Fig. 3: the loss at long times, and its power law NLL_inf + A tau^-gamma."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import (
    TIME,
    Answer,
    draw_curve,
    draw_floor,
    floor_of,
    labels,
    loss_label,
    said,
    there,
    told,
)
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import ASYMPTOTES, SOURCE
from experiments.observables import power_law

PANEL = "loss"


def asymptotes(answers: Sequence[Answer], name: str = "fig3") -> Picture:
    """NLL against tau for each width, with the fitted power law; the published asymptotes as horizontal lines."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    picture.panels[PANEL] = Panel("", TIME, loss_label(runs), log_x=True, log_y=True)
    floor = floor_of(runs)
    for answer, label in zip(runs, labels(runs), strict=True):
        looks = answer.trajectory
        seen = looks.time[:, 0] > 0
        draw_curve(picture, PANEL, label, looks.time, looks.loss)
        law = told(picture, said(answer), power_law, looks, floor=floor)
        if law is not None:
            tau = np.geomspace(*law.window, 61)
            picture.add(PANEL, f"{label}: power law", tau, law.curve(tau), kind="fit", colour=label)
            picture.number(f"{label}: NLL_inf, τ > {law.window[0]:.3g}", law.loss_inf)
            picture.number(f"{label}: exponent", law.gamma)
            if law.below_floor:
                picture.note(f"{label}: NLL_inf lies below the floor {floor:.5f}, which no machine can reach")
        if answer.setting("depth") == 2 and answer.setting("width") in ASYMPTOTES:
            limit, gamma = ASYMPTOTES[answer.setting("width")]
            ends = [looks.time[seen, 0].max() / 2, looks.time[seen, 0].max()]
            picture.add(PANEL, f"{SOURCE}, {label}: {limit} (exponent {gamma})", ends, [limit] * 2, kind="published")
    draw_floor(picture, runs)
    return picture
