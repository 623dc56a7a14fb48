"""Learning networks as spin models: from glass to hidden order (Barney, Winer & Galitski 2024, Figs. 4 to 9).

Weights are bonds. Against the learning time, from its start on: the loss (and the error of a classifier), where the
spins melt, the largest eigenvalue of the bonds, the first level spacing of I - M. At the first look at weights and at
the last: the least eigenvalue of I - M against beta, the spectra of the bonds and of I - M at T_c; and how the weights
age, where the run looked at that. Classifiers alone are drawn against epochs.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classical.digits import DigitClassifier
from classical.spins import Bonds, least_eigenvalue, outside_bulk, spectrum, transition_temperature
from experiments.figures.aging_curves import RATIO, aging_of, quantity, waiting_times
from experiments.figures.answers import TIME, Answer, draw_curve, labels, loss_label, said, say_replicas, there, told
from experiments.figures.picture import Look, Panel, Picture
from experiments.figures.style import MORE
from experiments.melting import MeltingCurve, bonds_of, levels_at, melting_along
from experiments.observables import Fit
from experiments.observables.estimate import mean_and_error
from experiments.observables.log_slope import log_slope
from experiments.store import system_of

Array = NDArray[np.floating]

BETAS = np.linspace(0.05, 1.6, 48)  # times T at the start
BINS = 60
LEVELS = 3000  # spins: more have no spectrum here
DECADE = 10.0
FEWEST = 5  # looks that tell an exponent
CANNOT_MELT = 3  # bonds a spin (`classical.spins.melting`)
ERROR = "error"  # what a classifier measures
TOUCH = "thin in the panel of T_c: nothing melts, T is where the least eigenvalue of I - M is least"


class Clock(NamedTuple):
    """What time is told in, how far it is linear, and a unit of it in proper time for each run.

    `proper`: how far proper time is linear.
    """

    label: str
    linear: float
    units: list[float]
    proper: float

    def at(self, time: float) -> str:
        """A moment in words."""
        return f"τ = {time:.4g}" if self.label == TIME else f"{time:.4g} {self.label}"


def spin_models(answers: Sequence[Answer], name: str = "spins") -> Picture:
    """Four or five panels for all runs, and three or four for each: eigenvalues and spectra before and after, aging."""
    picture = Picture(name, {}, across=2)
    runs = there(answers, picture)
    say_replicas(picture, runs)
    clock = _clock(runs)
    _frame(picture, runs, clock)
    for colour, answer, label, unit in zip(cycle(MORE), runs, _named(runs), clock.units):
        picture.looks[label] = Look(colour)
        found = told(picture, label, melting_along, answer.run)
        if found is not None:
            found = found._replace(time=found.time / unit)
            _curves(picture, label, answer, found, unit)
            _say(picture, label, found, clock)
            told(picture, label, _first_and_last, picture, label, answer, found, clock)
        _aging(picture, label, answer)
    return picture


def _clock(runs: Sequence[Answer]) -> Clock:
    """Epochs where all runs have them, else proper time."""
    systems = [system_of(answer.run, 0) for answer in runs if answer.run is not None]
    first = [float(np.min(time, where=time > 0, initial=np.inf)) for time in (run.trajectory.time for run in runs)]
    decade = float(10 ** np.floor(np.log10(min(first, default=1.0))))  # an axis has its ticks there
    proper = decade if np.isfinite(decade) else 1.0
    steps: list[int] = [system.steps_per_epoch for system in systems if isinstance(system, DigitClassifier)]
    if runs and len(steps) == len(runs):
        units = [answer.planned.rate * each for answer, each in zip(runs, steps, strict=True)]
        return Clock("epochs", 1.0, units, proper)
    return Clock(TIME, proper, [1.0] * len(runs), proper)


def _named(runs: Sequence[Answer]) -> list[str]:
    """System and size; where that is not enough, what else these runs differ in."""
    short = [f"{_kind(answer)}, {said(answer)}" for answer in runs]
    named = []
    for place, name in enumerate(short):
        kin = [other for other, each in enumerate(short) if each == name]
        longer = labels([runs[other] for other in kin])[kin.index(place)]
        named.append(name if len(kin) == 1 else f"{name}, {longer}")
    return named


def _kind(answer: Answer) -> str:
    """The system; of deep-rnn, which has two kinds of recurrent weights, that kind."""
    system = answer.planned.task.system
    return str(answer.setting("recurrent") or "orthogonal") if system == "deep-rnn" else system


def _frame(picture: Picture, runs: Sequence[Answer], clock: Clock) -> None:
    shown = {"loss": ("while they learn", loss_label(runs) if runs else "loss")}
    if any(ERROR in answer.trajectory.measured for answer in runs):
        shown["error"] = "error on data not learned", "share of wrong answers"
    shown["melting"] = "where the spins melt", "T_c"
    shown["largest"] = "the largest eigenvalue of the bonds", "λ_max(J)"
    shown["spacing"] = "the first level spacing", "s_0 / s_typ of I - M at T_c"
    for name, (title, y) in shown.items():
        picture.panels[name] = Panel(title, clock.label, y, log_x=True, log_y=True, aside=True, linear=clock.linear)
    if clock.label != TIME:
        again = Panel("the same against proper time", TIME, "T_c", log_x=True, log_y=True, linear=clock.proper)
        picture.panels["proper"] = again._replace(aside=True)


def _curves(picture: Picture, label: str, answer: Answer, found: MeltingCurve, unit: float) -> None:
    looks = answer.trajectory
    draw_curve(picture, "loss", label, looks.time / unit, looks.loss, start=True)
    if ERROR in looks.measured:
        draw_curve(picture, "error", label, looks.time / unit, looks.measured[ERROR], start=True)
    draw_curve(picture, "largest", label, found.time, found.largest, start=True)
    draw_curve(picture, "spacing", label, found.time, found.spacing, start=True)
    if found.degree > CANNOT_MELT:
        _melting(picture, "melting", label, found)
    if "proper" in picture.panels:
        _melting(picture, "proper", label, found._replace(time=found.time * unit))
    if answer.setting("variance"):
        _expected(picture, answer)


def _melting(picture: Picture, panel: str, label: str, found: MeltingCurve) -> None:
    """T_c where all replicas melt; thin, T at the minimum, where one does not."""
    known = np.isfinite(found.temperature)
    all_melt = np.all(found.melts | ~known, axis=1)
    melted = np.where(all_melt[:, None], found.temperature, np.nan)
    draw_curve(picture, panel, label, found.time, melted, start=True)
    if not all_melt.all():
        picture.note(TOUCH)
        mean = mean_and_error(found.temperature)[0]
        without = f"{label}: T of the least eigenvalue"
        picture.looks[without] = picture.looks[label]._replace(quiet=bool(all_melt.any()))
        picture.add(panel, without, _look_times(found), mean, kind="extra", colour=label)


def _expected(picture: Picture, answer: Answer) -> None:
    """T_c of fresh weights, by theory."""
    assert answer.run is not None
    bonds = bonds_of(system_of(answer.run, 0))
    if bonds.is_chain:
        t = transition_temperature(bonds.sizes, answer.setting("variance"))
        name = f"fresh weights: T_c = {t:.4f}"
        if not any(one.name == name for one in picture.series):
            picture.add("melting", name, 0.0, t, kind="floor")


def _look_times(found: MeltingCurve) -> Array:
    """(n,): the time of each look, the same for all replicas that are not frozen; NaN without any."""
    known = np.isfinite(found.time)
    return np.where(known.any(1), np.max(found.time, axis=1, where=known, initial=-np.inf), np.nan)


def _say(picture: Picture, label: str, found: MeltingCurve, clock: Clock) -> None:
    """T_c and what is as large at the beginning and at the end, and exponents."""
    time = _look_times(found)
    if found.refused:
        (look, replica), why = next(iter(found.refused.items()))
        when = f"the first replica {replica} at {clock.at(float(time[look]))}"
        picture.note(f"{label}: {len(found.refused)} machines without a T_c, {when}: {why}")
    looks = np.flatnonzero(np.isfinite(found.temperature).any(1))
    if not len(looks):
        return
    ends = looks[[0, -1]]
    if found.degree <= CANNOT_MELT:
        picture.note(
            f"{label}: N = {found.n_spins} spins; with {found.degree} bonds at most nothing melts (linear TAP)"
        )
        return
    first, last = (f"{np.nanmean(found.temperature[k]):.4g} at {clock.at(float(time[k]))}" for k in ends)
    melt = " and ".join(f"{int(found.melts[k].sum())}" for k in ends)
    of = int(np.isfinite(found.temperature[ends[-1]]).sum())
    picture.note(f"{label}: N = {found.n_spins} spins, T = {first}, {last}; {melt} of {of} replicas melt")
    square = np.where(np.isfinite(found.temperature), found.square, np.nan)
    moved = np.nanmax(np.abs(square / square[looks[0]] - 1))
    picture.note(f"{label}: the largest D, -λ_min(R), is never further than {moved:.1%} from that at the start")
    exponents = list(_exponents(found))
    for low, high, alpha in exponents:
        picture.number(f"{label}: T_c ~ t^α from {clock.at(low)} to {clock.at(high)}: α", alpha)
    if not exponents:
        picture.note(f"{label}: no exponent of T_c, which wants {FEWEST} looks in a decade at which all spins melt")


def _exponents(found: MeltingCurve) -> Iterator[tuple[float, float, Fit]]:
    """alpha of T_c over the last decade of time in which all replicas are known, and over the one before."""
    time = _look_times(found)
    told = np.isfinite(found.temperature).all(1) & found.melts.all(1)
    end = float(np.max(time, where=told, initial=0.0))
    for high in (end, end / DECADE):
        inside = (time > high / DECADE) & (time <= high) & told
        if inside.sum() >= FEWEST:
            yield float(time[inside][0]), float(time[inside][-1]), log_slope(time[inside], found.temperature[inside])


def _first_and_last(picture: Picture, label: str, answer: Answer, found: MeltingCurve, clock: Clock) -> None:
    """Eigenvalues and spectra at the first look at weights and at the last."""
    if answer.run is None:
        return
    system, kept = system_of(answer.run, 0), np.flatnonzero(np.isfinite(found.temperature).all(1))
    if not kept.size:
        picture.note(f"{label}: no spectra, which want a look at which every replica has a T_c")
        return
    panels = {kind: f"{label}: {kind}" for kind in ("β", "J", "M")}
    picture.panels[panels["β"]] = Panel(f"{label}: replica 0", "β", "least eigenvalue of I - M")
    picture.panels[panels["J"]] = Panel(f"{label}: all replicas", "eigenvalue of J", "density", log_y=True)
    picture.panels[panels["M"]] = Panel(f"{label}: at T_c, all", "eigenvalue of I - M", "density", log_y=True)
    beta = BETAS / float(found.temperature[kept[0], 0])
    levels: dict[str, dict[str, Array]] = {"J": {}, "M": {}}
    for look in dict.fromkeys((kept[0], kept[-1])):
        when = clock.at(found.time[look, 0])
        bonds = bonds_of(system, np.asarray(answer.trajectory.weights[look]))
        picture.add(panels["β"], when, beta, [least_eigenvalue(bonds.one(0), each) for each in beta])
        if bonds.n_spins <= LEVELS:
            levels["J"][when] = spectrum(bonds).ravel()
            levels["M"][when] = np.concatenate(levels_at(bonds, found.temperature[look]))
        if answer.setting("variance") and bonds.is_chain:
            picture.note(
                f"{label}: eigenvalues 5 % or more beyond Marchenko and Pastur's edge at {when}: {_tails(bonds)}"
            )
    for kind, one in levels.items():
        _densities(picture, panels[kind], one)
    picture.add(panels["β"], "0", 0.0, 0.0, kind="floor")


def _tails(bonds: Bonds) -> str:
    """How many eigenvalues of X^T X lie 5 % or more beyond the bulk, layer by layer, of the first system."""
    tails = [outside_bulk(block) for block in bonds.one(0).blocks.values()]
    return ", ".join(str(int((tail.beyond > 1.05 * tail.edge).sum())) for tail in tails)


def _densities(picture: Picture, panel: str, levels: dict[str, Array]) -> None:
    """Histograms with the same bins."""
    if not levels:
        return
    edges = np.histogram_bin_edges(np.concatenate(list(levels.values())), BINS)
    for when, values in levels.items():
        heights = np.histogram(values, edges, density=True)[0]
        heights = np.where(heights > 0, heights, np.nan)
        picture.steps(panel, when, edges, heights, low=heights, high=heights)


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
