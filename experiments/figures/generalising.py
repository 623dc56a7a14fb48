"""Loss on music that was not learned from, along the run: it rises while the network learns to play."""

from collections.abc import Sequence

import numpy as np

from experiments.figures.answers import NLL, TIME, Answer, draw_floor, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import bits_per_unit_to_nats_per_step, h0_loss, logistic_loss
from experiments.replay import generalisation

NATS = "nats per time step"


def generalising(answers: Sequence[Answer], name: str = "generalisation") -> Picture:
    """NLL of what is learned, of the valid and of the test split against tau, for each width in bits and in nats."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    for answer in runs:
        found = told(picture, said(answer), generalisation, answer.run)
        if found is None:
            continue
        width, looks = f"w = {answer.setting('width')}", answer.trajectory
        picture.panels[width] = Panel(width, TIME, NLL, log_x=True)
        picture.panels[f"{width}: nats"] = Panel(width, TIME, f"NLL ({NATS})", log_x=True)
        seen = looks.weights_look[looks.time[looks.weights_look, 0] > 0]
        late = np.isin(looks.weights_look, seen)
        for split, bits in {"learned": looks.loss[seen], **{k: v[late] for k, v in found.bits.items()}}.items():
            picture.band(width, split, looks.time[seen, 0], bits)
            picture.band(f"{width}: nats", split, looks.time[seen, 0], bits_per_unit_to_nats_per_step(bits))
        _baselines(picture, width, answer)
    draw_floor(picture, runs)
    if not picture.panels:
        picture.panels["none"] = Panel("", TIME, NLL)
    return picture


def _baselines(picture: Picture, panel: str, answer: Answer) -> None:
    """What output biases alone, and a logistic regression from chord to chord, reach on the valid split."""
    music = answer.planned.task.music
    if music is None:
        return
    learned, valid = music.chorales, music.other_split("valid").load()
    for name, loss in (("h₀", h0_loss), ("W and h₀", logistic_loss)):
        picture.add(panel, f"{name} on valid", 0.0, loss(learned, valid), kind="floor")
