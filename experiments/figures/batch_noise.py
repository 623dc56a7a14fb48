"""Fig. 4: the loss after each of many steps late in learning, for several sizes of the minibatch, and about a line."""

from collections.abc import Sequence

import numpy as np

from encoding import InputError
from experiments.figures.answers import Answer, draw_floor, labels, loss_label, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import loss_fluctuations

PANEL, ABOUT = "loss", "about its trend"
FEWEST = 50  # single steps, which one can see fluctuate


def batch_noise(answers: Sequence[Answer], name: str = "fig4") -> Picture:
    """NLL step by step for each p (the first replica), and how much it fluctuates (all replicas).

    Raises:
        InputError: no run was looked at after every step.
    """
    picture = Picture(name, {})
    runs = there(answers, picture)
    picture.panels[PANEL] = Panel("replica 0 of each run", "step", loss_label(runs))
    picture.panels[ABOUT] = Panel("the same, about a straight line", "step", f"{loss_label(runs)} - line")
    longest = 0
    for answer, label in zip(runs, labels(runs), strict=True):
        window = _last_window(answer.trajectory.step)
        longest = max(longest, len(window))
        if len(window) >= FEWEST:
            _steps(picture, answer, label, window)
        else:
            picture.note(f"{label}: looked at after {len(window)} single steps; {FEWEST} or more are drawn")
    if runs and longest < FEWEST:
        raise InputError(
            f"{name} shows losses after each of {FEWEST} single steps or more; got {longest}: ask for "
            "looks = { every_step = [...], steps = 1000 }"
        )
    draw_floor(picture, runs)
    return picture


def _steps(picture: Picture, answer: Answer, label: str, window: np.ndarray) -> None:
    """The losses of one run in a window of single steps, and their scatter."""
    looks = answer.trajectory
    step, loss = looks.step[window] - looks.step[window][0], looks.loss[window, 0]
    picture.add(PANEL, label, step, loss)
    if np.isfinite(loss).all():
        picture.add(ABOUT, label, step, loss - np.polyval(np.polyfit(step, loss, 1), step))
    picture.note(f"{label}: {len(window) - 1} steps from τ = {looks.time[window][0, 0]:.4g}")
    found = told(picture, said(answer), loss_fluctuations, looks.loss[window])
    if found is not None:
        for replica, (mean, deviation) in enumerate(zip(found.mean, found.deviation, strict=True)):
            picture.number(f"{label}, replica {replica}: mean", mean)
            picture.number(f"{label}, replica {replica}: deviation", deviation)


def _last_window(step: np.ndarray) -> np.ndarray:
    """The looks of the last stretch of single steps; of stretches of too few steps, the longest."""
    breaks = np.flatnonzero(np.diff(step) > 1) + 1
    stretches = np.split(np.arange(len(step)), breaks)
    long = [part for part in stretches if len(part) >= FEWEST]
    return long[-1] if long else max(stretches, key=len)
