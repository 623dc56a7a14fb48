"""Loss on music that was not learned from, along the run: it rises while the network learns to play."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import Chorale
from encoding.chorales import SPLITS
from experiments.figures.answers import (
    NLL,
    TIME,
    Answer,
    draw_curve,
    draw_floor,
    labels,
    said,
    say_replicas,
    there,
    told,
)
from experiments.figures.picture import Panel, Picture
from experiments.observables import bits_per_unit_to_nats_per_step, h0_loss, logistic_loss
from experiments.replay import generalisation
from experiments.task import Music

NATS = "nats per time step"


def generalising(answers: Sequence[Answer], name: str = "generalisation") -> Picture:
    """NLL of what is learned, of the valid and of the test split against tau, for each width in bits and in nats."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    say_replicas(picture, runs)
    lines: dict[Music, dict[str, float]] = {}
    for answer, label in zip(runs, labels(runs), strict=True):
        music = answer.planned.task.music
        if music is None:
            picture.note(f"{said(answer)}: learned from no music")
            continue
        found = told(picture, said(answer), generalisation, answer.run, splits=_others(music))
        if found is None:
            continue
        if music not in lines:
            lines[music] = _baselines(music)
        rows = answer.trajectory.weights_look
        curves = {"learned": answer.trajectory.loss[rows], **found.bits}
        _one(picture, label, answer.trajectory.time[rows], curves, lines[music])
    draw_floor(picture, runs)
    if not picture.panels:
        picture.panels["none"] = Panel("", TIME, NLL, empty="no run learned from music with other splits")
    return picture


def _one(
    picture: Picture, label: str, time: NDArray[np.float64], curves: Mapping[str, Any], lines: Mapping[str, float]
) -> None:
    """Two panels of one run, in bits per unit and in nats per time step, with the baselines in both."""
    for panel, unit, y in ((label, "bits", NLL), (f"{label}: nats", "nats", f"NLL ({NATS})")):
        picture.panels[panel] = Panel(f"{label}, in {unit}", TIME, y, log_x=True)
        scale = float(bits_per_unit_to_nats_per_step(1.0)) if unit == "nats" else 1.0
        for split, bits in curves.items():
            draw_curve(picture, panel, split, time, scale * bits)
        for baseline, loss in lines.items():
            picture.add(panel, baseline, 0.0, scale * loss, kind="floor")


def _others(music: Music) -> dict[str, list[Chorale]]:
    """The other splits, all of their chorales; of a trial on excerpts as few of them."""
    few = music.first if music.excerpt else None
    return {split: replace(music.other_split(split), first=few).chorales for split in SPLITS if split != music.split}


def _baselines(music: Music) -> dict[str, float]:
    """What output biases alone, and a logistic regression from chord to chord, reach on another split."""
    split, other = next(iter(_others(music).items()))
    fits = {"h₀": h0_loss, "W and h₀": logistic_loss}
    return {f"{name} alone, on {split}": loss(music.chorales, other) for name, loss in fits.items()}
