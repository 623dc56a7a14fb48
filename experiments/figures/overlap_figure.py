"""P(q): overlaps between replicas, of weights and of hidden activations, and whether triples are ultrametric."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import TIME, Answer, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import activation_overlap, overlap_distribution, overlaps, ultrametricity
from experiments.replay import activations_at

KINDS = ("raw", "matched", "kernel")


def overlap_figure(answers: Sequence[Answer], name: str = "overlaps") -> Picture:
    """P(q) at the last look for the weights and three overlaps of the activations; their means along the run."""
    panels = {kind: Panel(f"P(q), {title}", "q", "P(q)") for kind, title in _titles()}
    panels["time"] = Panel("mean overlap of weights", TIME, "<q>", log_x=True)
    picture = Picture(name, panels)
    for answer in there(answers, picture):
        label, looks = f"w = {answer.setting('width')}", answer.trajectory
        if answer.run is None or not len(looks.weights) or looks.n_replicas < 2:
            picture.note(f"{said(answer)}: P(q) needs weights of two replicas or more")
            continue
        _one(picture, "weights", label, overlaps(np.asarray(looks.weights[-1])))
        active = told(picture, said(answer), activations_at, answer.run)
        for kind in KINDS if active is not None else ():
            q = told(picture, said(answer), activation_overlap, active, kind=kind)
            if q is not None:
                _one(picture, kind, label, q)
        _along(picture, label, answer)
    return picture


def _titles() -> list[tuple[str, str]]:
    words = {"raw": "unit by unit", "matched": "units matched", "kernel": "any rotation"}
    return [("weights", "weights"), *((kind, f"activations, {words[kind]}") for kind in KINDS)]


def _one(picture: Picture, panel: str, label: str, q: NDArray[np.float64]) -> None:
    """The histogram of one overlap, and what the triples say."""
    found = told(picture, f"{label}, {panel}", overlap_distribution, q, bins=_bins(q))
    if found is None:
        return
    centres = (found.edges[1:] + found.edges[:-1]) / 2
    picture.add(panel, label, centres, found.density, low=found.low, high=found.high)
    tree: Any = told(picture, f"{label}, {panel}", ultrametricity, q)
    picture.note(f"{label}, {panel}: <q> {found.mean}; {'' if tree is None else tree}")


def _bins(q: NDArray[np.float64]) -> int:
    """A bin for about ten pairs, at least five."""
    return int(np.clip(q.shape[0] * (q.shape[0] - 1) / 20, 5, 40))


def _along(picture: Picture, label: str, answer: Answer) -> None:
    looks = answer.trajectory
    times = looks.time[looks.weights_look, 0]
    pairs = np.triu_indices(looks.n_replicas, 1)
    means = [np.mean(overlaps(np.asarray(row))[pairs]) for row in looks.weights]
    seen = times > 0
    picture.add("time", label, times[seen], np.array(means)[seen])
