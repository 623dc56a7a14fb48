"""Fig. 6: the loss against the critical width, by linear regression of the widths on the losses."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import NLL, Answer, draw_floor, there, told
from experiments.figures.critical_slowing import critical_widths
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import CRITICAL_WIDTHS, SOURCE
from experiments.observables import loss_against_width

PANEL = "loss"


def critical_loss(answers: Sequence[Answer], name: str = "fig6") -> Picture:
    """NLL against w_c(NLL), a colour for each depth, and the line of each."""
    picture = Picture(name, {PANEL: Panel("", "critical width w_c", NLL)})
    found = {key: critical for key, (_, critical) in critical_widths(answers, picture).items() if critical is not None}
    for depth in dict.fromkeys(depth for depth, _ in found):
        own = {
            loss: each.quadratic for (d, loss), each in found.items() if d == depth and np.isfinite(each.quadratic.best)
        }
        losses, widths = np.array(list(own)), list(own.values())
        for loss, width in own.items():
            picture.note(f"w_c({loss:g}), d = {depth}: {width}")
        picture.add(PANEL, f"d = {depth}", [width.best for width in widths], losses, kind="points")
        line = told(picture, f"d = {depth}", loss_against_width, losses, widths)
        if line is not None:
            ends = np.array([0.0, losses.max()])
            at = line.intercept.best + line.slope.best * ends
            picture.add(PANEL, f"d = {depth}: regression", at, ends, kind="fit", colour=f"d = {depth}")
            picture.note(f"d = {depth}: w_c at NLL 0: {line.intercept}")
    for depth, width in CRITICAL_WIDTHS.items():
        if any(depth == answer.setting("depth") for answer in answers):
            picture.add(PANEL, f"{SOURCE}, d = {depth}", width, 0.01, kind="published")
    draw_floor(picture, there(answers, picture))
    return picture
