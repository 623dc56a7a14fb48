"""Fig. 5: inverse learning times against width, with the parabolas whose zeros are the critical widths."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import Answer, by_width, floor_of, there, told, with_widths
from experiments.figures.picture import Panel, Picture
from experiments.figures.published import CRITICAL_WIDTHS, LOSSES, SOURCE
from experiments.observables import CriticalWidth, critical_width, learning_time
from experiments.observables.estimate import mean_and_error

INVERSE_TIME = "1/τ"
WIDTH = "width w"
POWER = "power law a (w - w_c)^ν"
LAWS = "dashed: the parabola through 1/τ, from its zero on; the power law a (w - w_c)^ν is fitted, and not drawn"


class Times(NamedTuple):
    """First passages of the widths of one series through one loss: widths (n,), inverse (n, R), NaN: not reached."""

    widths: NDArray[np.int64]
    inverse: NDArray[np.float64]


class Passage(NamedTuple):
    """Times of one series of runs (that differ in width alone) through one loss, and w_c where it can be told."""

    label: str
    depth: int
    loss: float
    times: Times
    critical: CriticalWidth | None


def inverse_times(label: str, group: Sequence[Answer], loss: float, picture: Picture, *, floor: float = 0.0) -> Times:
    """1/tau(NLL - floor) of every replica of every width; what is not reached is noted.

    Replicas of several seeds stand side by side. A run that was to end at a higher loss was not asked for this one.
    """
    rows: dict[int, list[NDArray[np.float64]]] = {}
    for answer in group:
        if (answer.planned.until.loss or 0.0) > loss * (1 + 1e-9):
            continue
        width = answer.setting("width")
        found = told(picture, f"{label}, w = {width}", learning_time, answer.trajectory, loss, floor=floor)
        if found is None:
            continue
        late = int((~found.reached).sum())
        if late and found.reached.any():
            picture.note(f"{label}, w = {width}: {late} replica(s) did not come to {loss:g} and are left out")
        rows.setdefault(width, []).append(found.inverse)
    joined = [np.concatenate(parts) for parts in rows.values()]
    most = max(map(len, joined), default=0)
    inverse = [np.pad(row, (0, most - len(row)), constant_values=np.nan) for row in joined]
    return Times(np.array(list(rows), np.int64), np.array(inverse).reshape(len(joined), most))


def one_of_a_kind(group: Sequence[Answer]) -> list[Answer]:
    """Of runs with the same width and seed, whose first replicas are the same, the one with the most."""
    kept: dict[tuple[int, int], Answer] = {}
    for answer in group:
        which = answer.setting("width"), answer.planned.task.seed
        if which not in kept or answer.trajectory.n_replicas > kept[which].trajectory.n_replicas:
            kept[which] = answer
    return list(kept.values())


def critical_widths(answers: Sequence[Answer], picture: Picture) -> Iterator[Passage]:
    """For every series of runs and every loss that any replica reached: the times, and w_c where it can be told."""
    with_widths(answers, picture.name)
    for label, group in by_width(there(answers, picture)):
        for loss in LOSSES:
            times = inverse_times(label, one_of_a_kind(group), loss, picture)
            if np.isfinite(times.inverse).any():
                critical = told(picture, f"{label}, NLL {loss:g}", critical_width, *times)
                yield Passage(label, group[0].setting("depth"), loss, times, critical)


def critical_slowing(answers: Sequence[Answer], name: str = "fig5") -> Picture:
    """1/tau against w, a panel for each depth, a colour for each NLL; the published w_c at NLL .01 on the axis.

    Runs that differ in more than depth, width and seed (batch, rate, music) have panels of their own.
    """
    picture = Picture(name, {})
    for label, depth, loss, times, critical in critical_widths(answers, picture):
        if label not in picture.panels:
            picture.panels[label] = Panel(label, WIDTH, INVERSE_TIME, zero=True)
            if times.widths.max() > CRITICAL_WIDTHS.get(depth, np.inf):  # else it would squeeze the panel
                picture.add(label, f"{SOURCE}, NLL 0.01", CRITICAL_WIDTHS[depth], 0.0, kind="published")
        _points(picture, label, f"NLL {loss:g}", times)
        if critical is not None:
            _parabola(picture, label, f"NLL {loss:g}", critical)
            _say(picture, f"w_c({loss:g}), {label}", critical)
    if not picture.panels:
        picture.panels["none"] = Panel("", WIDTH, INVERSE_TIME, empty=f"no run has come to NLL {LOSSES[0]} yet")
    _above_the_floor(picture, [answer for answer in answers if answer.run])
    if any(one.kind == "fit" for one in picture.series):
        picture.note(LAWS)
    return picture


def _above_the_floor(picture: Picture, runs: Sequence[Answer]) -> None:
    """Critical widths of NLL - floor: what is left of the loss that can be learned at all."""
    for label, group in by_width(runs):
        floor = floor_of(group)
        for loss in LOSSES if floor else ():
            quiet = Picture("", {})  # who did not arrive was said before
            times = inverse_times(label, one_of_a_kind(group), loss, quiet, floor=floor or 0.0)
            critical = told(quiet, "", critical_width, *times)
            if critical is not None:
                _say(picture, f"w_c of NLL - floor = {loss:g}, {label}", critical)


def _say(picture: Picture, what: str, critical: CriticalWidth) -> None:
    """Both critical widths, those above 0."""
    for law, fit in (("parabola", critical.quadratic), (POWER, critical.power)):
        if fit.best > 0:
            picture.number(f"{what}, {law}", fit)
        else:
            span = f"{critical.widths[0]:g} to {critical.widths[-1]:g}"
            picture.note(f"{what}, {law}: widths {span} tell no zero of 1/τ above width 0")
    for law, rejected, chance in (
        ("parabola", critical.quadratic_rejected, critical.misfit.quadratic),
        ("power law", critical.power_rejected, critical.misfit.power),
    ):
        if rejected:
            picture.note(f"{what}, {law} rejected (p = {chance:.2g}): its interval, which takes it to be true, is not")
    if critical.power.best > 0:
        picture.number(f"{what}, exponent ν", critical.nu)


def _points(picture: Picture, panel: str, name: str, times: Times) -> None:
    mean, error = mean_and_error(times.inverse)
    picture.add(panel, name, times.widths, mean, low=mean - error, high=mean + error, kind="points")


def _parabola(picture: Picture, panel: str, name: str, critical: CriticalWidth) -> None:
    """From the critical width, if there is one, to the greatest width."""
    w_c = critical.quadratic.best
    start = w_c if np.isfinite(w_c) and w_c > 0 else critical.widths[0]
    widths = np.linspace(start, critical.widths[-1], 101)
    picture.add(panel, f"{name}: parabola", widths, critical.quadratic_curve(widths), kind="fit", colour=name)
