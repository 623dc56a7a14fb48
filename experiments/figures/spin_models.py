"""Learning networks as spin models: from glass to hidden order (Barney, Winer & Galitski 2024, Figs. 4 to 9).

Weights are bonds. Against the learning time: the loss (and the error of a classifier), where the spins melt, the
largest eigenvalue of the bonds, the first level spacing of I - M. At the first look at weights and at the last: the
least eigenvalue of I - M against beta, the spectra of the bonds and of I - M at T_c; and how the weights age, where the
run looked at that.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from classical.spins import Bonds, least_eigenvalue, linear_tap, spectrum
from experiments.figures.aging_curves import RATIO, aging_of, quantity, waiting_times
from experiments.figures.answers import TIME, Answer, draw_curve, labels, loss_label, said, say_replicas, there, told
from experiments.figures.picture import Panel, Picture
from experiments.melting import MeltingCurve, bonds_of, melting_along
from experiments.observables import Fit
from experiments.observables.log_slope import log_slope
from experiments.store import system_of

BETAS = np.linspace(0.05, 1.6, 32)  # times T at the start
BINS = 60
LEVELS = 3000  # spins: more have no spectrum here
DECADE = 10.0
FEWEST = 5  # looks that tell an exponent
KINDS = {"deep-rnn": "orthogonal"}
ERROR = "error"  # what a classifier measures
TOUCH = "where nothing melts, T_c is drawn where the least eigenvalue of I - M is least"


def spin_models(answers: Sequence[Answer], name: str = "spins") -> Picture:
    """Four panels for all runs, and four for each: eigenvalues and spectra before and after, and aging."""
    picture = Picture(name, {}, across=2)
    runs = there(answers, picture)
    say_replicas(picture, runs)
    _frame(picture, runs)
    for answer, label in zip(runs, _named(runs), strict=True):
        found = told(picture, label, melting_along, answer.run)
        if found is not None:
            _curves(picture, label, answer, found)
            told(picture, label, _first_and_last, picture, label, answer, found)
        _aging(picture, label, answer)
    return picture


def _named(runs: Sequence[Answer]) -> list[str]:
    """System and size; where that is not enough, what else these runs differ in."""
    short = [f"{KINDS.get(_kind(answer), _kind(answer))}, {said(answer)}" for answer in runs]
    named = []
    for place, name in enumerate(short):
        kin = [other for other, each in enumerate(short) if each == name]
        longer = labels([runs[other] for other in kin])[kin.index(place)]
        named.append(name if len(kin) == 1 else f"{name}, {longer}")
    return named


def _kind(answer: Answer) -> str:
    return "unitary" if answer.setting("recurrent") == "unitary" else answer.planned.task.system


def _frame(picture: Picture, runs: Sequence[Answer]) -> None:
    shown = {"loss": ("while they learn", loss_label(runs) if runs else "loss")}
    if any(ERROR in answer.trajectory.measured for answer in runs):
        shown["error"] = "error on digits not learned", "share of wrong answers"
    shown["melting"] = "where the spins melt", "T_c"
    shown["largest"] = "what pulls", "λ_max(J)"
    shown["spacing"] = "alone", "s_0 / s_typ of I - M at T_c"
    for name, (title, y) in shown.items():
        picture.panels[name] = Panel(title, TIME, y, log_x=True, log_y=True, aside=True)


def _curves(picture: Picture, label: str, answer: Answer, found: MeltingCurve) -> None:
    looks = answer.trajectory
    draw_curve(picture, "loss", label, looks.time, looks.loss)
    if ERROR in looks.measured:
        draw_curve(picture, "error", label, looks.time, looks.measured[ERROR])
    for panel, values in (("melting", found.temperature), ("largest", found.largest), ("spacing", found.spacing)):
        draw_curve(picture, panel, label, found.time, values)
    if not found.melts.all():
        picture.note(TOUCH)
    first, last = (f"{np.nanmean(found.temperature[k]):.4g} at τ = {found.time[k, 0]:.4g}" for k in (0, -1))
    picture.note(f"{label}: N = {found.n_spins} spins, T_c = {first}, {last}")
    for low, high, alpha in _exponents(found):
        picture.number(f"{label}: T_c ~ τ^α, τ = {low:.3g} to {high:.3g}: α", alpha)


def _exponents(found: MeltingCurve) -> Iterator[tuple[float, float, Fit]]:
    """alpha of T_c over the last decade of time, and over the one before."""
    time = found.time[:, 0]
    end = np.nanmax(time)
    for high in (end, end / DECADE):
        inside = (time > high / DECADE) & (time <= high) & np.isfinite(found.temperature).all(1) & found.melts.all(1)
        if inside.sum() >= FEWEST:
            yield float(time[inside][0]), float(time[inside][-1]), log_slope(time[inside], found.temperature[inside])


def _first_and_last(picture: Picture, label: str, answer: Answer, found: MeltingCurve) -> None:
    """Eigenvalues and spectra at the first look at weights and at the last, of all replicas together."""
    if answer.run is None:
        return
    system, kept = system_of(answer.run, 0), np.flatnonzero(np.isfinite(found.temperature).all(1))
    panels = {kind: f"{label}: {kind}" for kind in ("β", "J", "M")}
    picture.panels[panels["β"]] = Panel(f"{label}: stability", "β", "least eigenvalue of I - M")
    picture.panels[panels["J"]] = Panel(f"{label}: bonds", "eigenvalue of J", "density", log_y=True)
    picture.panels[panels["M"]] = Panel(f"{label}: at T_c", "eigenvalue of I - M", "density", log_y=True)
    beta = BETAS / float(found.temperature[kept[0], 0])
    for look in dict.fromkeys((kept[0], kept[-1])):
        when, temperature = f"τ = {found.time[look, 0]:.4g}", found.temperature[look]
        bonds = bonds_of(system, np.asarray(answer.trajectory.weights[look]))
        one = bonds.one(0)
        picture.add(panels["β"], when, beta, [least_eigenvalue(one, each) for each in beta])
        if bonds.n_spins <= LEVELS:
            _density(picture, panels["J"], when, spectrum(bonds).ravel())
            _density(picture, panels["M"], when, _levels(bonds, temperature))
    picture.add(panels["β"], "0", 0.0, 0.0, kind="floor")


def _levels(bonds: Bonds, temperature: NDArray[np.floating]) -> NDArray[np.floating]:
    """Levels of I - M of the spins that have bonds, each system at its own T."""
    found = []
    for r, t in enumerate(temperature):
        bound = bonds.squares[r] > 0
        found.append(np.linalg.eigvalsh(linear_tap(bonds.one(r), 1 / float(t))[np.ix_(bound, bound)]))
    return np.concatenate(found)


def _density(picture: Picture, panel: str, name: str, levels: NDArray[np.floating]) -> None:
    heights, edges = np.histogram(levels, BINS, density=True)
    heights = np.where(heights > 0, heights, np.nan)
    picture.steps(panel, name, edges, heights, low=heights, high=heights)


def _aging(picture: Picture, label: str, answer: Answer) -> None:
    if not waiting_times(answer):
        return
    curves = aging_of(answer, picture)
    if curves:
        panel = f"{label}: aging"
        picture.panels[panel] = Panel(panel, RATIO, quantity(curves[0]), log_x=True, log_y=True)
        for curve in curves:
            mean, error = curve.mean()
            x = curve.lag / curve.waiting
            picture.add(panel, f"τ_w = {curve.waiting:g}", x, mean, low=mean - error, high=mean + error)
