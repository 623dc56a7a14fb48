"""Fig. 3: the loss at long times, and its power law NLL_inf + A tau^-gamma."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import NLL, TIME, Answer, draw_floor, floor_of, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import ASYMPTOTES, SOURCE
from experiments.observables import power_law

PANEL = "loss"


def asymptotes(answers: Sequence[Answer], name: str = "fig3") -> Picture:
    """NLL against tau for each width, with the fitted power law; the published asymptotes as horizontal lines."""
    picture = Picture(name, {PANEL: Panel("", TIME, NLL, log_x=True, log_y=True)})
    runs = there(answers, picture)
    floor = floor_of(runs)
    for answer in runs:
        looks, label = answer.trajectory, f"w = {answer.setting('width')}"
        seen = looks.time[:, 0] > 0
        picture.band(PANEL, label, looks.time[seen, 0], looks.loss[seen])
        law = told(picture, said(answer), power_law, looks, floor=floor)
        if law is not None:
            tau = np.geomspace(*law.window, 61)
            picture.add(PANEL, f"{label}: power law", tau, law.curve(tau), kind="fit", colour=label)
            flag = ": below the floor" if law.below_floor else ""
            picture.note(f"{label}: NLL_inf {law.loss_inf}{flag}, exponent {law.gamma}, from tau = {law.window[0]:.3g}")
        if answer.setting("depth") == 2 and answer.setting("width") in ASYMPTOTES:
            limit, gamma = ASYMPTOTES[answer.setting("width")]
            ends = [looks.time[seen, 0].max() / 2, looks.time[seen, 0].max()]
            picture.add(PANEL, f"{SOURCE}, {label}: {limit} (exponent {gamma})", ends, [limit] * 2, kind="published")
    draw_floor(picture, runs)
    return picture
