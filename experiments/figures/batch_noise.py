"""Fig. 4: the loss after each of many steps late in learning, for several sizes of the minibatch."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import NLL, Answer, draw_floor, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import loss_fluctuations

PANEL = "loss"


def batch_noise(answers: Sequence[Answer], name: str = "fig4") -> Picture:
    """NLL step by step for each p (the first replica), and how much it fluctuates (all replicas)."""
    picture = Picture(name, {PANEL: Panel("", "step", NLL)})
    runs = there(answers, picture)
    for answer in runs:
        looks = answer.trajectory
        window = _last_window(looks.step)
        label = f"p = {answer.setting('batch')}"
        picture.add(PANEL, label, looks.step[window] - looks.step[window][0], looks.loss[window, 0])
        found = told(picture, said(answer), loss_fluctuations, looks.loss[window])
        if found is not None:
            picture.note(f"{label}: mean {found.mean}, deviation {found.deviation}")
    draw_floor(picture, runs)
    return picture


def _last_window(step: np.ndarray) -> np.ndarray:
    """The looks of the longest stretch of single steps that ends last."""
    breaks = np.flatnonzero(np.diff(step) > 1) + 1
    stretches = [part for part in np.split(np.arange(len(step)), breaks) if len(part) > 2]
    return stretches[-1] if stretches else np.arange(len(step))
