"""Fig. 2: learning curves, a panel for each depth, and the widest network of each depth beside the others."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import (
    TIME,
    Answer,
    by,
    draw_curve,
    draw_floor,
    labels,
    loss_label,
    said,
    say_replicas,
    there,
    told,
)
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import EXPONENTS, SOURCE
from experiments.observables import learning_time

HIGH, LOW = 0.1, 0.02  # NLL between which the exponents were published


def learning_curves(answers: Sequence[Answer], name: str = "fig2") -> Picture:
    """NLL against tau by width, one panel a depth; in the last panel the widest of each depth (Fig. 2 d).

    A run has one name and one colour in all panels.
    """
    picture = Picture(name, {})
    runs = there(answers, picture)
    say_replicas(picture, runs)
    depths = list(by(runs, "depth"))
    widest: list[tuple[str, Answer]] = []
    for depth, group in depths:
        panel = "" if depth is None else f"d = {depth}"
        picture.panels[panel] = Panel(panel, TIME, loss_label(group), log_x=True)
        named = list(zip(labels(group, always=("depth", "width")), group, strict=True))
        for label, answer in named:
            _curve(picture, panel, label, answer)
        widest += named[-1:]
    if len(depths) > 1:
        picture.panels["deeper"] = Panel("the widest of each depth", TIME, loss_label(runs), log_x=True)
        for label, answer in widest:
            _curve(picture, "deeper", label, answer)
    draw_floor(picture, runs)
    return picture


def _curve(picture: Picture, panel: str, name: str, answer: Answer) -> None:
    looks = answer.trajectory
    draw_curve(picture, panel, name, looks.time, looks.loss)
    gamma = EXPONENTS.get((answer.setting("depth"), answer.setting("width")))
    found = told(picture, said(answer), learning_time, looks, HIGH) if gamma else None
    if gamma and found is not None and found.reached.any():
        tau = np.geomspace(1, (HIGH / LOW) ** (1 / gamma), 21)
        line = HIGH * tau**-gamma
        picture.add(panel, f"{SOURCE}: τ^-{gamma}", found.mean().best * tau, line, kind="published")
