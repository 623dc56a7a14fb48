"""How many parameters a classical and a quantum network need for the same music, and how learning slows down there.

For each music, and each treatment of the readout: NLL - floor against tau; the inverse of the time at which it passes
theta against the effective parameters M, with the zero of a parabola, and of a power law

    1/tau(NLL - floor = theta) = a (M - M_c)^nu                      (as Fig. 5 of Hertz & Tyrcha 2024, M for w)

for either system by itself; the same times in units of the tangent kernel at the start; and the NLL at the end beside
what simple machines reach. M is the rank of dH/dx on the music, the largest that there can be is the number of
constraints.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import NLL, TIME, Answer, draw_curve, say_replicas, there
from experiments.figures.critical_slowing import INVERSE_TIME
from experiments.figures.picture import Look, Panel, Picture
from experiments.figures.style import BLUE, GREEN, PURPLE, VERMILION, shades
from experiments.figures.times_of_sizes import THETAS, Passage, fits_of, passages_of
from experiments.observables import CriticalWidth
from experiments.observables.estimate import mean_and_error
from experiments.side_by_side import SIZES, Line, Match, baselines_of, matches, named, said_of

PARAMETERS = "effective parameters M (rank of dH/dx)"
LOOKS = {"quantum": (BLUE, "o"), "classical": (VERMILION, "s"), "unitary": (GREEN, "^")}
OTHERS = PURPLE, "D"
LAWS = "dashed: the parabola through 1/τ, from its zero on; bars across: range of M over replicas"
FEW = 4  # curves of one line that are all in the legend
SHADES = "shades: sizes between the smallest and the largest of a line, the larger the deeper"
KINDS = ("curves", "times", "rates", "losses")


class Learned(NamedTuple):
    """All that is told of one match."""

    match: Match
    baselines: Mapping[str, float]
    passages: dict[str, list[Passage]]


def learnability(answers: Sequence[Answer], name: str = "quantum-learnability") -> Picture:
    """Four panels for each music and each treatment of the readout: curves, times, times by the kernel, losses."""
    return learned_by(answers, name)[0]


def learned_by(answers: Sequence[Answer], name: str) -> tuple[Picture, list[Learned]]:
    """The picture, and the numbers that it was made of."""
    picture = Picture(name, {}, across=len(KINDS))
    runs = there(answers, picture, named=said_of)
    say_replicas(picture, runs)
    found = []
    for match in matches(runs, picture):
        passages = {line.label: list(passages_of(match, line, picture)) for line in match.lines}
        found.append(Learned(match, baselines_of(match), passages))
        _draw(picture, found[-1])
    if not picture.panels:
        picture.panels["none"] = Panel("", TIME, "NLL - floor", empty="no run can be measured yet")
    if any(one.kind == "fit" for one in picture.series):
        picture.note(LAWS)
    if any(look.quiet for look in picture.looks.values()):
        picture.note(SHADES)
    return picture, found


def panels_of(match: Match) -> list[str]:
    """The names of its four panels."""
    return [f"{match.label}: {kind}" for kind in KINDS]


def _draw(picture: Picture, learned: Learned) -> None:
    match = learned.match
    curves, times, rates, losses = panels_of(match)
    above = "NLL - floor (bits per unit and step)"
    picture.panels[curves] = Panel(match.label, TIME, above, log_x=True, log_y=True)
    slow = f"no run has come to NLL - floor = {THETAS[0]}"
    picture.panels[times] = Panel("inverse learning times", PARAMETERS, INVERSE_TIME, zero=True, empty=slow)
    kernel = "1/(τ × rate of the tangent kernel)"
    picture.panels[rates] = Panel("in units of the kernel", PARAMETERS, kernel, zero=True, empty=slow)
    picture.panels[losses] = Panel("at the end", PARAMETERS, NLL)
    for line in match.lines:
        _curves(picture, curves, line)
        for passage in learned.passages[line.label]:
            _times(picture, match, line, passage)
        _losses(picture, losses, line)
        _say(picture, match, line)
    for baseline, loss in learned.baselines.items():
        picture.add(losses, baseline, 0.0, loss, kind="floor")
    for floor in sorted({machine.floor for line in match.lines for machine in line.machines}):
        picture.add(losses, f"floor of the readout {floor:.4f}", 0.0, floor, kind="floor")
    shown = {one.panel for one in picture.series}
    for n in sorted({machine.constraints for line in match.lines for machine in line.machines}):
        for panel in shown & {times, rates, losses}:
            picture.add(panel, f"{n} constraints", n, 0.0, kind="wall")


def _say(picture: Picture, match: Match, line: Line) -> None:
    """Whose rank it is."""
    where = sorted({machine.where for machine in line.machines})
    sizes = ", ".join(f"{machine.size}: {machine.n_coordinates}" for machine in line.machines)
    setting = SIZES[line.machines[0].answer.planned.task.system]
    picture.note(
        f"{match.label}, {line.label}: M/constraints; M is the rank {' or '.join(where)}, the median over replicas; "
        f"coordinates by {setting} {sizes}"
    )


def _look(line: Line, place: int, n: int) -> Look:
    colour, mark = LOOKS.get(line.label.split(",")[0], OTHERS)
    return Look(shades(colour, n)[place], mark)


def _curves(picture: Picture, panel: str, line: Line) -> None:
    for place, machine in enumerate(line.machines):
        name, looks = named(line, machine), machine.answer.trajectory
        above = np.where(looks.loss > machine.floor, looks.loss - machine.floor, np.nan)
        draw_curve(picture, panel, name, looks.time, above)
        between = len(line.machines) > FEW and 0 < place < len(line.machines) - 1
        picture.looks[name] = _look(line, place, len(line.machines))._replace(quiet=between)


def _losses(picture: Picture, panel: str, line: Line) -> None:
    rank = np.array([np.median(machine.rank) for machine in line.machines])
    ends = [mean_and_error(machine.last) for machine in line.machines]
    mean, error = np.array(ends).T
    picture.add(panel, line.label, rank, mean, low=mean - error, high=mean + error, kind="points")
    picture.looks[line.label] = _look(line, 0, 1)
    for machine, y in zip(line.machines, mean, strict=True):
        _reach(picture, panel, line.label, machine.rank, y)


def _reach(picture: Picture, panel: str, name: str, rank: NDArray, y: float) -> None:
    """The range of M over replicas, where there is one."""
    ends = np.array([np.nanmin(rank), np.nanmax(rank)])
    if np.ptp(ends) > 0:
        picture.add(panel, f"{name}: range of M", ends, y, kind="reach", colour=name)


def _times(picture: Picture, match: Match, line: Line, passage: Passage) -> None:
    """The points of one theta in both units, the parabola, and what it says."""
    _, times, rates, _ = panels_of(match)
    name = f"{line.label}, θ = {passage.theta:g}"
    picture.looks[name] = _look(line, len(THETAS) - 1 - THETAS.index(passage.theta), len(THETAS))
    for panel, values in ((times, passage.inverse), (rates, passage.scaled)):
        mean, error = mean_and_error(values)
        picture.add(panel, name, passage.median, mean, low=mean - error, high=mean + error, kind="points")
        for rank, y in zip(passage.rank, mean, strict=True):
            _reach(picture, panel, name, rank, y)
    if passage.critical is not None:
        if "M_c, parabola" in fits_of(passage.critical):
            _parabola(picture, times, name, passage.critical)
        _fits(picture, f"{match.label}, {name}", passage.critical)


def _parabola(picture: Picture, panel: str, name: str, critical: CriticalWidth) -> None:
    m = np.linspace(critical.quadratic.best, critical.widths[-1], 101)
    picture.add(panel, f"{name}: parabola", m, critical.quadratic_curve(m), kind="fit", colour=name)


def _fits(picture: Picture, what: str, critical: CriticalWidth) -> None:
    told_ones = fits_of(critical)
    for law, fit in told_ones.items():
        picture.number(f"{what}: {law}", fit)
    untold = [f"a {law}" for law in ("parabola", "power law") if f"M_c, {law}" not in told_ones]
    if untold:
        span = f"{critical.widths[0]:g} to {critical.widths[-1]:g}"
        picture.note(f"{what}: M from {span} gives no zero of 1/τ with an interval by {' or '.join(untold)}")
    rejected = {"parabola": critical.quadratic_rejected, "power law": critical.power_rejected}
    chances = {"parabola": critical.misfit.quadratic, "power law": critical.misfit.power}
    for law in (law for law, is_so in rejected.items() if is_so):
        picture.note(
            f"{what}: {law} rejected (p = {chances[law]:.2g}): its interval, which takes it to be true, is not"
        )
