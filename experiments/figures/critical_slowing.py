"""Fig. 5: inverse learning times against width, with the parabolas whose zeros are the critical widths."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import Answer, by, there, told
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import CRITICAL_WIDTHS, LOSSES, SOURCE
from experiments.observables import CriticalWidth, critical_width, learning_time

INVERSE_TIME = "1/τ"
WIDTH = "width w"


class Times(NamedTuple):
    """First passages of all widths of one depth through one loss: widths (n,), inverse (n, R), NaN: not reached."""

    widths: NDArray[np.int64]
    inverse: NDArray[np.float64]


def inverse_times(group: Sequence[Answer], loss: float, picture: Picture) -> Times:
    """1/tau of every replica of every width; what is not reached is noted."""
    most = max(answer.trajectory.n_replicas for answer in group)
    widths, rows = [], []
    for answer in group:
        width, depth = answer.setting("width"), answer.setting("depth")
        found = told(picture, f"d = {depth}, w = {width}", learning_time, answer.trajectory, loss)
        row = np.full(most, np.nan)
        if found is not None:
            row[: len(found.inverse)] = found.inverse
            late = int((~found.reached).sum())
            if late and found.reached.any():
                picture.note(f"d = {depth}, w = {width}: {late} replica(s) did not come to {loss:g} and are left out")
        widths.append(width)
        rows.append(row)
    return Times(np.array(widths), np.array(rows))


def critical_widths(
    answers: Sequence[Answer], picture: Picture
) -> dict[tuple[int, float], tuple[Times, CriticalWidth | None]]:
    """For every depth and loss that any replica reached: the times, and w_c where it can be told."""
    found = {}
    for depth, group in by(there(answers, picture), "depth"):
        for loss in LOSSES:
            times = inverse_times(group, loss, picture)
            if np.isfinite(times.inverse).any():
                critical = told(picture, f"d = {depth}, NLL {loss:g}", critical_width, *times)
                found[depth, loss] = times, critical
    return found


def critical_slowing(answers: Sequence[Answer], name: str = "fig5") -> Picture:
    """1/tau against w, a panel for each depth, a colour for each NLL; the published w_c at NLL .01 on the axis."""
    picture = Picture(name, {})
    found = critical_widths(answers, picture)
    for depth in dict.fromkeys(depth for depth, _ in found):
        panel = f"d = {depth}"
        picture.panels[panel] = Panel(panel, WIDTH, INVERSE_TIME)
        for (_, loss), (times, critical) in ((key, value) for key, value in found.items() if key[0] == depth):
            _points(picture, panel, f"NLL {loss:g}", times)
            if critical is not None:
                _parabola(picture, panel, f"NLL {loss:g}", critical)
                picture.note(_said(depth, loss, critical))
        widest = max(times.widths.max() for (d, _), (times, _) in found.items() if d == depth)
        if widest > CRITICAL_WIDTHS.get(depth, np.inf):  # else it would squeeze the panel
            picture.add(panel, f"{SOURCE}, NLL 0.01", CRITICAL_WIDTHS[depth], 0.0, kind="published")
    if not picture.panels:
        picture.panels["none"] = Panel("", WIDTH, INVERSE_TIME)
    return picture


def _said(depth: int, loss: float, critical: CriticalWidth) -> str:
    """Both critical widths in words."""
    parabola = (
        f"{critical.quadratic} by the parabola" if np.isfinite(critical.quadratic.best) else "no zero of the parabola"
    )
    power = f"{critical.power} with exponent {critical.nu}" if np.isfinite(critical.power.best) else "no power law"
    return f"w_c({loss:g}), d = {depth}: {parabola}; {power}"


def mean_times(times: Times) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean 1/tau over replicas at each width, (n,), and its standard error (NaN for a single one)."""
    known = np.isfinite(times.inverse)
    n = np.maximum(known.sum(1), 1)
    mean = np.where(known, times.inverse, 0).sum(1) / np.where(known.any(1), n, np.nan)
    spread = (np.where(known, times.inverse - mean[:, None], 0) ** 2).sum(1)
    return mean, np.sqrt(spread / np.where(n > 1, n * (n - 1), np.nan))


def _points(picture: Picture, panel: str, name: str, times: Times) -> None:
    mean, error = mean_times(times)
    picture.add(panel, name, times.widths, mean, low=mean - error, high=mean + error, kind="points")


def _parabola(picture: Picture, panel: str, name: str, critical: CriticalWidth) -> None:
    """From the critical width, if there is one, to the greatest width."""
    w_c = critical.quadratic.best
    start = w_c if np.isfinite(w_c) and w_c > 0 else critical.widths[0]
    widths = np.linspace(start, critical.widths[-1], 101)
    picture.add(panel, f"{name}: parabola", widths, critical.quadratic_curve(widths), kind="fit", colour=name)
