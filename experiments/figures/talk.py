"""The talk's panels: learning times and their inverses by loss, and deeper is faster."""

from collections.abc import Sequence

from experiments.figures.answers import Answer, by, there, told
from experiments.figures.critical_slowing import INVERSE_TIME, WIDTH, inverse_times, mean_times
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import LOSSES
from experiments.observables import learning_time


def talk(answers: Sequence[Answer], name: str = "talk") -> Picture:
    """Times and inverse times against width for each depth, a colour for each NLL; times of the widest by depth."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    for depth, group in by(runs, "depth"):
        picture.panels[f"times {depth}"] = Panel(f"learning times, d = {depth}", WIDTH, "τ", log_y=True)
        picture.panels[f"inverse {depth}"] = Panel(f"inverse learning times, d = {depth}", WIDTH, INVERSE_TIME)
        for loss in LOSSES:
            times = inverse_times(group, loss, picture)
            inverse, error = mean_times(times)
            for panel, y, far in (("times", 1 / inverse, error / inverse**2), ("inverse", inverse, error)):
                panel, name = f"{panel} {depth}", f"NLL {loss:g}"
                picture.add(panel, name, times.widths, y, low=y - far, high=y + far, kind="points")
    picture.panels["deeper"] = Panel("deeper is faster: the widest of each depth", "depth d", "τ", log_y=True)
    widest = {depth: group[-1] for depth, group in by(runs, "depth")}
    for loss in LOSSES:
        _by_depth(picture, widest, loss)
    return picture


def _by_depth(picture: Picture, widest: dict[int, Answer], loss: float) -> None:
    means = {}
    for depth, answer in widest.items():
        found = told(picture, f"d = {depth}, NLL {loss:g}", learning_time, answer.trajectory, loss)
        if found is not None and found.reached.any():
            means[depth] = found.mean()
    ends = ([getattr(mean, end) for mean in means.values()] for end in ("best", "low", "high"))
    best, low, high = ends
    if means:
        picture.add("deeper", f"NLL {loss:g}", list(means), best, low=low, high=high, kind="points")
