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
        fits = {loss: each.quadratic for (d, loss), each in found.items() if d == depth and each.quadratic.best > 0}
        for loss, width in fits.items():
            picture.number(f"w_c({loss:g}), d = {depth}", width)
            ends = [width.low, width.high]
            picture.add(PANEL, f"d = {depth}: 95 %", ends, [loss, loss], kind="extra", colour=f"d = {depth}")
        picture.add(PANEL, f"d = {depth}", [width.best for width in fits.values()], list(fits), kind="points")
        told_ends = {loss: width for loss, width in fits.items() if np.isfinite(width.low + width.high)}
        if len(told_ends) < len(fits):
            picture.note(f"d = {depth}: critical widths with an open interval are left out of the regression")
        losses, widths = np.array(list(told_ends)), list(told_ends.values())
        line = told(picture, f"d = {depth}", loss_against_width, losses, widths)
        if line is not None:
            ends = np.array([0.0, losses.max()])
            picture.add(PANEL, f"d = {depth}: regression", line.line(ends), ends, kind="fit", colour=f"d = {depth}")
            picture.number(f"d = {depth}: w_c at NLL 0", line.intercept)
    for depth, width in CRITICAL_WIDTHS.items():
        if any(depth == answer.setting("depth") for answer in answers):
            picture.add(PANEL, f"{SOURCE}, d = {depth}", width, 0.01, kind="published")
    draw_floor(picture, there(answers, picture))
    return picture
