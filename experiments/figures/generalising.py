"""Loss on music that was not learned from, along the run: it rises while the network learns to play."""

from collections.abc import Sequence
from dataclasses import replace

from encoding import Chorale
from encoding.chorales import SPLITS
from experiments.figures.answers import NLL, TIME, Answer, draw_curve, draw_floor, labels, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import bits_per_unit_to_nats_per_step, h0_loss, logistic_loss
from experiments.replay import generalisation
from experiments.task import Music

NATS = "nats per time step"


def generalising(answers: Sequence[Answer], name: str = "generalisation") -> Picture:
    """NLL of what is learned, of the valid and of the test split against tau, for each width in bits and in nats."""
    picture = Picture(name, {})
    runs = there(answers, picture)
    lines: dict[Music, dict[str, float]] = {}
    for answer, label in zip(runs, labels(runs), strict=True):
        music = answer.planned.task.music
        if music is None:
            picture.note(f"{said(answer)}: learned from no music")
            continue
        found = told(picture, said(answer), generalisation, answer.run, splits=_others(music))
        if found is None:
            continue
        looks = answer.trajectory
        picture.panels[label] = Panel(label, TIME, NLL, log_x=True)
        picture.panels[f"{label}: nats"] = Panel(label, TIME, f"NLL ({NATS})", log_x=True)
        rows = looks.weights_look
        for split, bits in {"learned": looks.loss[rows], **found.bits}.items():
            draw_curve(picture, label, split, looks.time[rows], bits)
            draw_curve(picture, f"{label}: nats", split, looks.time[rows], bits_per_unit_to_nats_per_step(bits))
        if music not in lines:
            lines[music] = _baselines(music)
        for name, loss in lines[music].items():
            picture.add(label, name, 0.0, loss, kind="floor")
    draw_floor(picture, runs)
    if not picture.panels:
        picture.panels["none"] = Panel("", TIME, NLL)
    return picture


def _others(music: Music) -> dict[str, list[Chorale]]:
    """The other splits, all of their chorales; of a trial on excerpts as few of them."""
    few = music.first if music.excerpt else None
    return {split: replace(music.other_split(split), first=few).chorales for split in SPLITS if split != music.split}


def _baselines(music: Music) -> dict[str, float]:
    """What output biases alone, and a logistic regression from chord to chord, reach on another split."""
    split, other = next(iter(_others(music).items()))
    fits = {"h₀": h0_loss, "W and h₀": logistic_loss}
    return {f"{name} on {split}": loss(music.chorales, other) for name, loss in fits.items()}
