"""Fig. 8: the variance of SGD's noise, Gamma, during learning."""

from collections.abc import Sequence

from experiments.figures.answers import TIME, Answer, labels, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import noise

PANEL = "noise"


def sgd_noise(answers: Sequence[Answer], name: str = "fig8") -> Picture:
    """Gamma against tau, a colour for each width; raw (left) and along the orthogonal group (right)."""
    panels = {
        kind: Panel(title, TIME, "Γ = variance / p (nats²)", log_x=True)
        for kind, title in (("noise", "raw"), ("tangent", "along the orthogonal group"))
    }
    picture = Picture(name, panels)
    runs = there(answers, picture)
    for answer, label in zip(runs, labels(runs), strict=True):
        looks = answer.trajectory
        for kind in ("noise", "tangent"):
            found = told(picture, said(answer), noise, looks, kind=kind)
            if found is not None and (found.gamma > 0).any():
                seen = found.time > 0
                picture.band(kind, label, found.time[seen], found.gamma[seen])
        if answer.setting("batch"):
            picture.note(f"{label}: p = {answer.setting('batch')}")
    return picture
