"""P(q): overlaps between replicas, of weights and of hidden activations, and whether triples are ultrametric."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import TIME, Answer, labels, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import activation_overlap, overlap_distribution, overlaps, ultrametricity
from experiments.replay import activations_at

TREES = ("weights", "kernel")  # normalised overlaps that no numbering of hidden units changes, or the plainest
KINDS = ("raw", "matched", "kernel")


def overlap_figure(answers: Sequence[Answer], name: str = "overlaps") -> Picture:
    """P(q) at the last look for the weights and three overlaps of the activations; their means along the run."""
    panels = {kind: Panel(f"P(q), {title}", "q", "P(q)") for kind, title in _titles()}
    panels["time"] = Panel("mean overlap of weights", TIME, "<q>", log_x=True)
    picture = Picture(name, panels, errors="bands: 95 % intervals by resampling replicas")
    runs = there(answers, picture)
    for answer, label in zip(runs, labels(runs), strict=True):
        looks = answer.trajectory
        if answer.run is None or not len(looks.weights) or looks.n_replicas < 2:
            picture.note(f"{said(answer)}: P(q) needs weights of two replicas or more")
            continue
        _one(picture, "weights", label, overlaps(np.asarray(looks.weights[-1])))
        if "J0" in looks.layout:
            q = told(picture, said(answer), activation_overlap, _input_weights(answer), kind="matched")
            if q is not None:
                _one(picture, "J0", label, q)
        active = told(picture, said(answer), activations_at, answer.run)
        for kind in KINDS if active is not None else ():
            q = told(picture, said(answer), activation_overlap, active, kind=kind)
            if q is not None:
                _one(picture, kind, label, q)
        _along(picture, label, answer)
    return picture


def _titles() -> list[tuple[str, str]]:
    words = {"raw": "unit by unit", "matched": "units matched", "kernel": "any rotation"}
    return [
        ("weights", "all weights"),
        ("J0", "J0, hidden units matched"),
        *((kind, f"activations, {words[kind]}") for kind in KINDS),
    ]


def _one(picture: Picture, panel: str, label: str, q: NDArray[np.float64]) -> None:
    """The histogram of one overlap, and what the triples say."""
    found = told(picture, f"{label}, {panel}", overlap_distribution, q, bins=_bins(q))
    if found is None:
        return
    centres = (found.edges[1:] + found.edges[:-1]) / 2
    picture.add(panel, label, centres, found.density, low=found.low, high=found.high, kind="steps")
    picture.number(f"{label}: <q>, {picture.panels[panel].title.removeprefix('P(q), ')}", found.mean)
    if panel in TREES:
        tree: Any = told(picture, f"{label}, {panel}", ultrametricity, q)
        if tree is not None:
            picture.note(f"{label}, {picture.panels[panel].title.removeprefix('P(q), ')}: {tree}")


def _bins(q: NDArray[np.float64]) -> int:
    """A bin for about ten pairs, at least five."""
    return int(np.clip(q.shape[0] * (q.shape[0] - 1) / 20, 5, 40))


def _along(picture: Picture, label: str, answer: Answer) -> None:
    looks = answer.trajectory
    times = looks.time[looks.weights_look].max(1)
    pairs = np.triu_indices(looks.n_replicas, 1)
    means = [np.mean(overlaps(np.asarray(row))[pairs]) for row in looks.weights]
    seen = times > 0
    picture.add("time", label, times[seen], np.array(means)[seen])


def _input_weights(answer: Answer) -> NDArray[np.float64]:
    """J0 at the last look with inputs for samples, (R, 54, w): its rows are hidden units, which can be matched."""
    group, rows = answer.trajectory.layout["J0"], np.asarray(answer.trajectory.weights[-1], float)
    return rows[:, group.slice].reshape(len(rows), *group.shape).transpose(0, 2, 1)
