"""How many parameters a classical and a quantum network need for the same music, and how learning slows down there.

For each music, and each treatment of the readout: NLL - floor against tau; the inverse of the time at which it passes
theta against the effective parameters M, with the zero of a parabola, and of a power law

    1/tau(NLL - floor = theta) = a (M - M_c)^nu                      (as Fig. 5 of Hertz & Tyrcha 2024, M for w)

for either system by itself, each theta over its largest 1/tau, so that all can be seen to vanish; the same times in
units of the tangent kernel at the start; and NLL - floor at the end beside what simple machines reach. M is the rank of
dH/dx on the music, the largest that there can be is the number of constraints.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import NO_FLOOR, TIME, Answer, draw_curve, say_replicas, there
from experiments.figures.of_run import BITS
from experiments.figures.picture import Look, Panel, Picture
from experiments.figures.style import BLUE, GREEN, PURPLE, VERMILION, shades
from experiments.figures.times_of_sizes import PARABOLA, POWER, THETAS, Passage, fits_of, passages_of, refuted
from experiments.observables.estimate import mean_and_error
from experiments.side_by_side import SIZES, Line, Match, baselines_of, counted, matches, named, nobody, said_of

PARAMETERS = "effective parameters M (rank of dH/dx)"
LOOKS = {"quantum": (BLUE, "o"), "classical": (VERMILION, "s"), "unitary": (GREEN, "^")}
OTHERS = PURPLE, "D"
LAWS = "dashed: the parabola through 1/τ, from its zero on; bars across: range of M over replicas"
FEW = 4  # curves of one line that are all in the legend
OPEN = "open triangles: not arrived"
LATE = "open triangles: sizes of whom no replica arrived, at the 1/τ of their last look, which theirs is below"
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


def learned_by(
    answers: Sequence[Answer], name: str, hears: Callable[[str], None] = nobody
) -> tuple[Picture, list[Learned]]:
    """The picture, and the numbers that it was made of; `hears` gets what is measured next."""
    picture = Picture(name, {}, across=len(KINDS))
    runs = there(answers, picture, named=said_of)
    say_replicas(picture, runs)
    found = []
    for match in matches(runs, picture, hears):
        passages = {line.label: list(passages_of(match, line, picture)) for line in match.lines}
        found.append(Learned(match, baselines_of(match), passages))
        _draw(picture, found[-1])
    if not picture.panels:
        picture.panels["none"] = Panel("", TIME, "NLL - floor", empty="no run can be measured yet")
    if any(one.kind == "fit" for one in picture.series):
        picture.note(LAWS)
    if any(one.kind == "limit" for one in picture.series):
        picture.note(LATE)
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
    relative = "1/τ, over the largest of its θ"
    picture.panels[times] = Panel("inverse learning times", PARAMETERS, relative, zero=True, empty=slow)
    kernel = "1/(τ × rate of the tangent kernel)"
    picture.panels[rates] = Panel("in units of the kernel", PARAMETERS, kernel, log_y=True, empty=slow)
    picture.panels[losses] = Panel("at the end", PARAMETERS, above, log_y=True)
    for line in match.lines:
        _curves(picture, curves, line)
        for passage in learned.passages[line.label]:
            _times(picture, match, line, passage)
        _losses(picture, losses, line)
        _say(picture, match, line)
    _baselines(picture, losses, learned)
    if any(one.kind == "limit" for one in picture.in_panel(times)):
        picture.add(times, OPEN, 0.0, 0.0, kind="named")
    shown = {one.panel for one in picture.series}
    for n in sorted({machine.constraints for line in match.lines for machine in line.machines}):
        for panel in shown & {times, rates, losses}:
            picture.add(panel, f"{n} constraints", n, 0.0, kind="wall")


def _baselines(picture: Picture, panel: str, learned: Learned) -> None:
    """What simple machines reach, above the floor of the readout; what lies below it is in the legend alone."""
    floor = min(machine.floor for line in learned.match.lines for machine in line.machines)
    for baseline, loss in learned.baselines.items():
        name, above = f"{baseline}: {loss:.4f}", loss - floor
        if above > NO_FLOOR:
            picture.add(panel, name, 0.0, above, kind="floor")
        else:
            picture.add(panel, f"below this axis: {name}", 0.0, above, kind="named")
    picture.note(f"{learned.match.label}: the floor of the readout is {floor:.4f} {BITS}")


def _say(picture: Picture, match: Match, line: Line) -> None:
    """Whose rank it is."""
    where = sorted({machine.where for machine in line.machines})
    sizes = ", ".join(map(counted, line.machines))
    setting = SIZES[line.machines[0].answer.planned.task.system]
    picture.note(
        f"{match.label}, {line.label}: M/constraints; M is the rank {' or '.join(where)}, the median over replicas; "
        f"coordinates of core + readout by {setting} {sizes}"
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
    ends = [mean_and_error(machine.last - machine.floor) for machine in line.machines]
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
    largest = float(np.nanmax(mean_and_error(passage.inverse)[0]))
    for panel, values in ((times, passage.inverse / largest), (rates, passage.scaled)):
        mean, error = mean_and_error(values)
        picture.add(panel, name, passage.median, mean, low=mean - error, high=mean + error, kind="points")
        for rank, y in zip(passage.rank, mean, strict=True):
            _reach(picture, panel, name, rank, y)
    picture.note(f"{match.label}, {name}: the largest 1/τ is {largest:.3g}")
    if len(passage.silent):
        m, end = passage.silent.T
        picture.add(times, f"{name}: not arrived", m, 1 / (end * largest), kind="limit", colour=name)
    if passage.critical is not None:
        if f"M_c, {PARABOLA}" in fits_of(passage):
            _parabola(picture, times, name, passage, largest)
        _fits(picture, f"{match.label}, {name}", passage)


def _parabola(picture: Picture, panel: str, name: str, passage: Passage, largest: float) -> None:
    critical = passage.critical
    assert critical is not None
    m = np.linspace(critical.quadratic.best, critical.widths[-1], 101)
    picture.add(panel, f"{name}: parabola", m, critical.quadratic_curve(m) / largest, kind="fit", colour=name)


def _fits(picture: Picture, what: str, passage: Passage) -> None:
    told_ones, critical = fits_of(passage), passage.critical
    assert critical is not None
    for law, fit in told_ones.items():
        picture.number(f"{what}: {law}", fit)
    untold = [f"a {law}" for law in (PARABOLA, POWER) if f"M_c, {law}" not in told_ones]
    if untold:
        span = f"{critical.widths[0]:g} to {critical.widths[-1]:g}"
        picture.note(f"{what}: M from {span} gives no zero of 1/τ with an interval by {' or '.join(untold)}")
    for law, why in refuted(passage).items():
        picture.note(f"{what}: {law} rejected ({why}): its interval, which takes it to be true, is not")
