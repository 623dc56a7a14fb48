"""Fig. 2: learning curves, a panel for each depth, and the widest network of each depth beside the others."""

from collections.abc import Sequence

from experiments.figures.answers import NLL, TIME, Answer, by, draw_floor, there
from experiments.figures.picture import Panel, Picture


def learning_curves(answers: Sequence[Answer], name: str = "fig2") -> Picture:
    """NLL against tau by width, one panel a depth; in the last panel the widest of each depth (Fig. 2 d)."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    for depth, group in by(runs, "depth"):
        if len(group) > 1:
            panel = f"d = {depth}"
            picture.panels[panel] = Panel(panel, TIME, NLL, log_x=True)
            for answer in group:
                _curve(picture, panel, f"w = {answer.setting('width')}", answer)
    picture.panels["deeper"] = Panel("the widest of each depth", TIME, NLL, log_x=True)
    for depth, group in by(runs, "depth"):
        _curve(picture, "deeper", f"d = {depth}, w = {group[-1].setting('width')}", group[-1])
    draw_floor(picture, runs)
    return picture


def _curve(picture: Picture, panel: str, name: str, answer: Answer) -> None:
    """The mean over replicas, where they share their times; else a thin line for each."""
    looks = answer.trajectory
    seen = looks.time[:, 0] > 0
    if (looks.time == looks.time[:, :1]).all():
        picture.band(panel, name, looks.time[seen, 0], looks.loss[seen])
        return
    for replica in range(looks.n_replicas):
        picture.add(panel, name, looks.time[seen, replica], looks.loss[seen, replica], kind="extra")
