"""Fig. 6: the loss against the critical width, by linear regression of the widths on the losses."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import NLL, Answer, draw_floor, there, told
from experiments.figures.critical_slowing import Passage, critical_widths
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import CRITICAL_WIDTHS, SOURCE
from experiments.observables import loss_against_width

PANEL = "loss"
FEWEST = 3  # losses that make a line


def critical_loss(answers: Sequence[Answer], name: str = "fig6") -> Picture:
    """NLL against w_c(NLL), a colour for each depth, and the line of each."""
    nothing = "at these widths no critical width above 0 can be told"
    picture = Picture(name, {PANEL: Panel("", "critical width w_c", NLL, empty=nothing)})
    found = list(critical_widths(answers, picture))
    for label in dict.fromkeys(passage.label for passage in found):
        _one(picture, label, [passage for passage in found if passage.label == label])
    drawn = any(one.kind == "points" for one in picture.series)
    for depth, width in CRITICAL_WIDTHS.items():
        if drawn and any(depth == answer.setting("depth") for answer in answers):
            picture.add(PANEL, f"{SOURCE}, d = {depth}", width, 0.01, kind="published")
    if drawn:
        draw_floor(picture, there(answers, picture))
    return picture


def _one(picture: Picture, label: str, found: Sequence[Passage]) -> None:
    """Critical widths of one series of runs, and the line through them."""
    known = {each.loss: each.critical.quadratic for each in found if each.critical is not None}
    fits = {loss: width for loss, width in known.items() if width.best > 0}
    if not fits:
        picture.note(f"{label}: no critical width above 0 can be told, so there is no line")
        return
    for loss, width in fits.items():
        picture.number(f"w_c({loss:g}), {label}", width)
        picture.add(PANEL, f"{label}: 95 %", [width.low, width.high], [loss, loss], kind="extra", colour=label)
    picture.add(PANEL, label, [width.best for width in fits.values()], list(fits), kind="points")
    closed = {loss: width for loss, width in fits.items() if np.isfinite(width.low + width.high)}
    if len(closed) < len(fits):
        picture.note(f"{label}: critical widths with an open interval are left out of the regression")
    if len(closed) < FEWEST:
        picture.note(f"{label}: a line takes {FEWEST} critical widths with closed intervals; there are {len(closed)}")
        return
    losses = np.array(list(closed))
    line = told(picture, label, loss_against_width, losses, list(closed.values()))
    if line is not None:
        ends = np.array([0.0, losses.max()])
        picture.add(PANEL, f"{label}: regression", line.line(ends), ends, kind="fit", colour=label)
        picture.number(f"{label}: w_c at NLL 0", line.intercept)
