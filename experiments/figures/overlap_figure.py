"""P(q): overlaps between replicas, of weights and of hidden activations, and whether triples are ultrametric."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.figures.answers import TIME, Answer, labels, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import activation_overlap, overlap_distribution, overlaps, ultrametricity
from experiments.replay import activations_at

TREES = ("weights", "kernel")  # normalised overlaps that no numbering of hidden units changes, or the plainest
TREE = (
    "K: by how much the two longest sides of triangles of replicas differ, in standard deviations of all sides, 0 on a "
    "tree; by chance: the same sides dealt out at random, or points as far spread without a tree"
)
DRAWS = 400  # of the bootstrap at each look
KINDS = ("raw", "matched", "kernel")


def overlap_figure(answers: Sequence[Answer], name: str = "overlaps") -> Picture:
    """P(q) at the last look for the weights and three overlaps of the activations; their means along the run."""
    panels = {kind: Panel(f"P(q), {title}", "q", "P(q)") for kind, title in _titles()}
    panels["time"] = Panel("mean overlap of all weights", TIME, "<q>", log_x=True)
    picture = Picture(name, panels, errors="bands: 95 % intervals over replicas; <q> takes five of them or more")
    runs = there(answers, picture)
    for answer, label in zip(runs, labels(runs), strict=True):
        looks = answer.trajectory
        if answer.run is None or not len(looks.weights) or looks.n_replicas < 2:
            picture.note(f"{said(answer)}: P(q) needs weights of two replicas or more")
            for panel in panels:
                picture.cannot(panel, "P(q) needs weights of two replicas or more")
            continue
        last = float(np.nanmax(looks.time[looks.weights_look[-1]]))
        picture.note(f"{label}: P(q) of {looks.n_replicas} replicas at τ = {last:.4g}, the last look at weights")
        _one(picture, "weights", label, overlaps(np.asarray(looks.weights[-1])))
        if "J0" in looks.layout:
            q = told(picture, said(answer), activation_overlap, _input_weights(answer), kind="matched")
            if q is not None:
                _one(picture, "J0", label, q)
        else:
            picture.cannot("J0", f"{answer.planned.task.system} has no hidden units")
        active = _activations(picture, answer)
        for kind in KINDS if active is not None else ():
            q = told(picture, said(answer), activation_overlap, active, kind=kind)
            if q is not None:
                _one(picture, kind, label, q)
        _along(picture, label, answer)
    if any("K = " in note for note in picture.notes):
        picture.note(TREE)
    return picture


def _activations(picture: Picture, answer: Answer) -> NDArray[np.floating] | None:
    """Hidden activations at the last look, None for a system without any, which is said in the panels."""
    active = None
    try:
        active = activations_at(answer.run) if answer.run else None
    except InputError as refused:
        system = answer.planned.task.system
        known = "J0" in answer.trajectory.layout
        picture.note(f"{said(answer)}: {refused}" if known else f"{system} has no hidden activations")
        for kind in KINDS:
            picture.cannot(kind, f"{system}: no activations can be told" if known else f"{system} has no activations")
    return active


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
    picture.steps(panel, label, found.edges, found.density, low=found.low, high=found.high)
    picture.number(f"{label}: <q>, {picture.panels[panel].title.removeprefix('P(q), ')}", found.mean)
    if panel in TREES:
        tree: Any = told(picture, f"{label}, {panel}", ultrametricity, q)
        if tree is not None:
            picture.note(f"{label}, {picture.panels[panel].title.removeprefix('P(q), ')}: {tree}")


def _bins(q: NDArray[np.float64]) -> int:
    """A bin for about ten pairs, at least five."""
    return int(np.clip(q.shape[0] * (q.shape[0] - 1) / 20, 5, 40))


def _along(picture: Picture, label: str, answer: Answer) -> None:
    """<q> at every look at weights; its interval, where there are replicas enough."""
    looks = answer.trajectory
    times = np.nanmax(looks.time[looks.weights_look], axis=1)
    means = [overlap_distribution(overlaps(np.asarray(row)), bins=1, n_draws=DRAWS).mean for row in looks.weights]
    low, best, high = np.array(means).T
    seen = times > 0
    picture.add("time", label, times[seen], best[seen], low=low[seen], high=high[seen])


def _input_weights(answer: Answer) -> NDArray[np.float64]:
    """J0 at the last look with inputs for samples, (R, 54, w): its rows are hidden units, which can be matched."""
    group, rows = answer.trajectory.layout["J0"], np.asarray(answer.trajectory.weights[-1], float)
    return rows[:, group.slice].reshape(len(rows), *group.shape).transpose(0, 2, 1)
