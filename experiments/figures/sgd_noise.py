"""Fig. 8: the variance of SGD's noise, Gamma, during learning."""

from collections.abc import Sequence

from experiments.figures.answers import TIME, Answer, said, there, told
from experiments.figures.picture import Panel, Picture
from experiments.observables import noise

PANEL = "noise"


def sgd_noise(answers: Sequence[Answer], name: str = "fig8") -> Picture:
    """Gamma against tau, a colour for each width; raw (left) and along the orthogonal group (right)."""
    panels = {
        kind: Panel(title, TIME, "Γ (nats² per slot and weight)", log_x=True)
        for kind, title in (("noise", "raw"), ("tangent", "along the orthogonal group"))
    }
    picture = Picture(name, panels)
    for answer in there(answers, picture):
        looks = answer.trajectory
        for kind in ("noise", "tangent"):
            found = told(picture, said(answer), noise, looks, kind=kind)
            if found is not None and (found.gamma > 0).any():
                seen = found.time > 0
                picture.band(kind, f"w = {answer.setting('width')}", found.time[seen], found.gamma[seen])
    return picture
