"""Fig. 5: inverse learning times against width, with the parabolas whose zeros are the critical widths."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import Answer, by, floor_of, there, told, with_widths
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import CRITICAL_WIDTHS, LOSSES, SOURCE
from experiments.observables import CriticalWidth, critical_width, learning_time
from experiments.observables.estimate import mean_and_error

INVERSE_TIME = "1/τ"
WIDTH = "width w"


class Times(NamedTuple):
    """First passages of all widths of one depth through one loss: widths (n,), inverse (n, R), NaN: not reached."""

    widths: NDArray[np.int64]
    inverse: NDArray[np.float64]


def inverse_times(group: Sequence[Answer], loss: float, picture: Picture, *, floor: float = 0.0) -> Times:
    """1/tau(NLL - floor) of every replica of every width; what is not reached is noted."""
    most = max(answer.trajectory.n_replicas for answer in group)
    widths, rows = [], []
    for answer in group:
        width, depth = answer.setting("width"), answer.setting("depth")
        found = told(picture, f"d = {depth}, w = {width}", learning_time, answer.trajectory, loss, floor=floor)
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
    with_widths(answers, picture.name)
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
        picture.panels[panel] = Panel(panel, WIDTH, INVERSE_TIME, zero=True)
        for (_, loss), (times, critical) in ((key, value) for key, value in found.items() if key[0] == depth):
            _points(picture, panel, f"NLL {loss:g}", times)
            if critical is not None:
                _parabola(picture, panel, f"NLL {loss:g}", critical)
                _say(picture, f"w_c({loss:g}), d = {depth}", critical)
        widest = max(times.widths.max() for (d, _), (times, _) in found.items() if d == depth)
        if widest > CRITICAL_WIDTHS.get(depth, np.inf):  # else it would squeeze the panel
            picture.add(panel, f"{SOURCE}, NLL 0.01", CRITICAL_WIDTHS[depth], 0.0, kind="published")
    if not picture.panels:
        picture.panels["none"] = Panel("", WIDTH, INVERSE_TIME)
    _above_the_floor(picture, [answer for answer in answers if answer.run])
    return picture


def _above_the_floor(picture: Picture, runs: Sequence[Answer]) -> None:
    """Critical widths of NLL - floor: what is left of the loss that can be learned at all."""
    floor = floor_of(runs)
    for depth, group in by(runs, "depth") if floor else ():
        for loss in LOSSES:
            quiet = Picture("", {})  # who did not arrive was said before
            times = inverse_times(group, loss, quiet, floor=floor or 0.0)
            critical = told(quiet, "", critical_width, *times)
            if critical is not None:
                _say(picture, f"w_c of NLL - floor = {loss:g}, d = {depth}", critical)


def _say(picture: Picture, what: str, critical: CriticalWidth) -> None:
    """Both critical widths, those above 0."""
    for law, fit in (("parabola", critical.quadratic), ("power law", critical.power)):
        if fit.best > 0:
            picture.number(f"{what}, {law}", fit)
        else:
            picture.note(f"{what}, {law}: no critical width above 0 can be told: learn at smaller widths")
    for law, rejected, chance in (
        ("parabola", critical.quadratic_rejected, critical.misfit.quadratic),
        ("power law", critical.power_rejected, critical.misfit.power),
    ):
        if rejected:
            picture.note(f"{what}, {law} rejected (p = {chance:.2g}): its interval, which takes it to be true, is not")
    if critical.power.best > 0:
        picture.number(f"{what}, exponent", critical.nu)


def _points(picture: Picture, panel: str, name: str, times: Times) -> None:
    mean, error = mean_and_error(times.inverse)
    picture.add(panel, name, times.widths, mean, low=mean - error, high=mean + error, kind="points")


def _parabola(picture: Picture, panel: str, name: str, critical: CriticalWidth) -> None:
    """From the critical width, if there is one, to the greatest width."""
    w_c = critical.quadratic.best
    start = w_c if np.isfinite(w_c) and w_c > 0 else critical.widths[0]
    widths = np.linspace(start, critical.widths[-1], 101)
    picture.add(panel, f"{name}: parabola", widths, critical.quadratic_curve(widths), kind="fit", colour=name)
