"""Fig. 8: the variance of SGD's noise, Gamma, during learning."""

from collections.abc import Sequence

from experiments.figures.answers import TIME, Answer, labels, said, say_replicas, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import noise

PANEL = "noise"


def sgd_noise(answers: Sequence[Answer], name: str = "fig8") -> Picture:
    """Gamma against tau, a colour for each width; raw (left) and along the orthogonal group (right)."""
    panels = {
        kind: Panel(title, TIME, "Γ = variance / p (nats²)", log_x=True, log_y=True)
        for kind, title in (("noise", "raw"), ("tangent", "along the orthogonal group"))
    }
    picture = Picture(name, panels)
    runs = there(answers, picture)
    say_replicas(picture, runs)
    for answer, label in zip(runs, labels(runs), strict=True):
        for kind in panels:
            _one(picture, kind, label, answer)
    sizes = [answer.setting("batch") for answer in runs if answer.setting("batch")]
    if sizes and len(set(sizes)) == 1:
        picture.note(f"p = {sizes[0]}")
    return picture


def _one(picture: Picture, kind: str, label: str, answer: Answer) -> None:
    """Gamma of one kind; where it is 0 all along there is nothing to draw on a logarithmic axis."""
    found = told(picture, said(answer), noise, answer.trajectory, kind=kind)
    if found is None:
        picture.cannot(kind, "this noise was not measured" if kind == "noise" else "no tangent noise was measured")
    elif (found.gamma > 0).any():
        seen = found.time > 0
        picture.band(kind, label, found.time[seen], found.gamma[seen])
    else:
        picture.cannot(kind, "learned without noise: Γ = 0")
        picture.note(f"{label}: Γ = 0, learned without noise")
