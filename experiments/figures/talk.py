"""The talk's panels: learning times and their inverses by loss, and deeper is faster."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import Answer, by, there, with_widths
from experiments.figures.critical_slowing import INVERSE_TIME, WIDTH, inverse_times
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import LOSSES
from experiments.observables.estimate import mean_and_error


def talk(answers: Sequence[Answer], name: str = "talk") -> Picture:
    """Times and inverse times against width for each depth, a colour for each NLL; times of the widest by depth."""
    picture = Picture(name, {})
    with_widths(answers, name)
    runs = there(answers, picture)
    for depth, group in by(runs, "depth"):
        picture.panels[f"times {depth}"] = Panel(f"learning times, d = {depth}", WIDTH, "τ", log_y=True)
        picture.panels[f"inverse {depth}"] = Panel(
            f"inverse learning times, d = {depth}", WIDTH, INVERSE_TIME, zero=True
        )
        for loss in LOSSES:
            times = inverse_times(group, loss, picture)
            for panel, values in ((f"times {depth}", 1 / times.inverse), (f"inverse {depth}", times.inverse)):
                y, error = mean_and_error(values)
                picture.add(panel, f"NLL {loss:g}", times.widths, y, low=y - error, high=y + error, kind="points")
    picture.panels["deeper"] = Panel("deeper is faster: the widest of each depth", "depth d", "τ", log_y=True)
    widest = {depth: group[-1] for depth, group in by(runs, "depth")}
    for loss in LOSSES:
        _by_depth(picture, widest, loss)
    return picture


def _by_depth(picture: Picture, widest: dict[int, Answer], loss: float) -> None:
    """Times of the widest network of each depth."""
    rows = [inverse_times([answer], loss, picture).inverse[0] for answer in widest.values()]
    most = max(map(len, rows))
    y, error = mean_and_error(np.array([np.pad(1 / row, (0, most - len(row)), constant_values=np.nan) for row in rows]))
    picture.add("deeper", f"NLL {loss:g}", list(widest), y, low=y - error, high=y + error, kind="points")
