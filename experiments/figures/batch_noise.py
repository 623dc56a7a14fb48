"""Fig. 4: the loss after each of many steps late in learning, for several sizes of the minibatch."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import Answer, draw_floor, labels, loss_label, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import loss_fluctuations

PANEL = "loss"


def batch_noise(answers: Sequence[Answer], name: str = "fig4") -> Picture:
    """NLL step by step for each p (the first replica), and how much it fluctuates (all replicas)."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    picture.panels[PANEL] = Panel("", "step", loss_label(runs))
    for answer, label in zip(runs, labels(runs), strict=True):
        looks = answer.trajectory
        window = _last_window(looks.step)
        picture.add(PANEL, label, looks.step[window] - looks.step[window][0], looks.loss[window, 0])
        found = told(picture, said(answer), loss_fluctuations, looks.loss[window])
        if found is not None:
            for replica, (mean, deviation) in enumerate(zip(found.mean, found.deviation, strict=True)):
                picture.number(f"{label}, replica {replica}: mean", mean)
                picture.number(f"{label}, replica {replica}: deviation", deviation)
        start = looks.time[window][0, 0]
        picture.note(f"{label}: steps from τ = {start:.4g}")
    draw_floor(picture, runs)
    return picture


def _last_window(step: np.ndarray) -> np.ndarray:
    """The looks of the longest stretch of single steps that ends last."""
    breaks = np.flatnonzero(np.diff(step) > 1) + 1
    stretches = [part for part in np.split(np.arange(len(step)), breaks) if len(part) > 2]
    return stretches[-1] if stretches else np.arange(len(step))
