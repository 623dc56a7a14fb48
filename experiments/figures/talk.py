"""The talk's panels: learning times and their inverses by loss, and times of the widest network of each depth."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import Answer, by, by_width, there, with_widths
from experiments.figures.critical_slowing import INVERSE_TIME, WIDTH, inverse_times, one_of_a_kind
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import LOSSES
from experiments.observables.estimate import mean_and_error

DEEPER = "deeper"


def talk(answers: Sequence[Answer], name: str = "talk") -> Picture:
    """Times and inverse times against width for each depth, a colour for each NLL; times of the widest by depth."""
    picture = Picture(name, {})
    with_widths(answers, name)
    runs = there(answers, picture)
    for label, group in by_width(runs):
        panels = [f"{what} {label.removeprefix('d = ')}" for what in ("times", "inverse")]
        picture.panels[panels[0]] = Panel(f"learning times, {label}", WIDTH, "τ", log_y=True)
        picture.panels[panels[1]] = Panel(f"inverse learning times, {label}", WIDTH, INVERSE_TIME, zero=True)
        for loss in LOSSES:
            times = inverse_times(label, one_of_a_kind(group), loss, picture)
            for panel, values in zip(panels, (1 / times.inverse, times.inverse), strict=True):
                picture.cannot(panel, f"no run has come to NLL {LOSSES[0]} yet")
                if values.size:
                    y, error = mean_and_error(values)
                    picture.add(panel, f"NLL {loss:g}", times.widths, y, low=y - error, high=y + error, kind="points")
    _widest(picture, runs)
    return picture


def _widest(picture: Picture, runs: Sequence[Answer]) -> None:
    """Times of the widest network of each depth; which these are stands in the title."""
    widest = {depth: max(group, key=lambda answer: answer.setting("width")) for depth, group in by(runs, "depth")}
    which = ", ".join(f"d = {depth}, w = {answer.setting('width')}" for depth, answer in widest.items())
    picture.panels[DEEPER] = Panel(f"the widest of each depth: {which}", "depth d", "τ", log_y=True)
    for loss in LOSSES:
        rows = [1 / inverse_times("", [answer], loss, Picture("", {})).inverse.ravel() for answer in widest.values()]
        y, error = np.array([mean_and_error(row) for row in rows]).reshape(len(rows), 2).T
        picture.add(DEEPER, f"NLL {loss:g}", list(widest), y, low=y - error, high=y + error, kind="points")
