"""When machines of several sizes pass a loss, and at which number of effective parameters that would take for ever."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.figures.answers import told
from experiments.figures.picture import Picture
from experiments.observables import CriticalWidth, Fit, critical_width, learning_time
from experiments.observables.critical_width import FEWEST
from experiments.side_by_side import Line, Machine, Match, named

Array = NDArray[np.float64]

PARABOLA, POWER = "parabola", "power law"
AT_BOUND = 0.98  # of the smallest M that arrived
THETAS = (0.05, 0.02, 0.01, 0.005)  # bits per unit above the floor


class Passage(NamedTuple):
    """First passages of a line of machines through one NLL - floor.

    Attributes:
        theta: NLL - floor.
        machines: those that were to pass it, (n,).
        rank: of each machine and replica, (n, R), NaN beyond its replicas.
        inverse: 1/tau, (n, R); NaN where not reached.
        scaled: 1/(tau rate), rate being that of the tangent kernel, (n, R).
        critical: M_c and nu, where they can be told.
        silent: M of whom no replica arrived, and the last tau of the last of them, (m, 2).
    """

    theta: float
    machines: list[Machine]
    rank: Array
    inverse: Array
    scaled: Array
    critical: CriticalWidth | None
    silent: Array

    @property
    def median(self) -> Array:
        """M of each machine, (n,)."""
        return np.nanmedian(self.rank, 1)


def passages_of(match: Match, line: Line, picture: Picture) -> Iterator[Passage]:
    """The times through every theta that any replica reached."""
    for theta in THETAS:
        machines, inverse = [], []
        for machine in line.machines:
            what = f"{match.label}, {named(line, machine)}"
            times = _inverse(machine, theta, what, picture)
            if times is not None:
                machines.append(machine)
                inverse.append(times)
        rows = [each.rank for each in machines], inverse, [each.rate for each in machines]
        rank, times, rate = (_padded(each) for each in rows)
        if np.isfinite(times).any():
            what = f"{match.label}, {line.label}, θ = {theta:g}"
            critical = _critical(what, picture, rank, times)
            ends = np.array([machine.answer.trajectory.time[-1].max() for machine in machines])
            silent = _silent(rank, times, ends)
            yield Passage(theta, machines, rank, times, times / rate, critical, silent)


def _inverse(machine: Machine, theta: float, what: str, picture: Picture) -> Array | None:
    """1/tau of each replica; None where the run was to end before, or tells no time. Who did not arrive is noted."""
    if (machine.answer.planned.until.loss or 0.0) > machine.floor + theta:
        return None
    found = told(
        picture, f"{what}, θ = {theta:g}", learning_time, machine.answer.trajectory, theta, floor=machine.floor
    )
    if found is None:
        return None
    late = int((~found.reached).sum())
    if late and found.reached.any():
        picture.note(f"{what}: {late} replica(s) did not come to θ = {theta:g} and are left out")
    return found.inverse


def _padded(rows: Sequence[NDArray]) -> Array:
    """Rows of replicas as one table, NaN where there are fewer."""
    most = max(map(len, rows), default=0)
    table = np.full((len(rows), most), np.nan)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def _critical(what: str, picture: Picture, rank: Array, inverse: Array) -> CriticalWidth | None:
    """M_c and nu; None, and why, where they cannot be told."""
    different, times = pooled(rank, inverse)
    known = np.isfinite(times).any(1)
    if known.sum() < FEWEST:
        picture.note(f"{what}: M_c needs times at {FEWEST} different M; got {int(known.sum())}")
        return None
    return told(picture, what, critical_width, different, times)


def pooled(rank: Array, inverse: Array) -> tuple[Array, Array]:
    """Machines of one M, which were made larger for nothing, as replicas of one: M (m,) and 1/tau (m, R')."""
    median = np.nanmedian(rank, 1)
    different = np.unique(median)
    return different, _padded([inverse[median == each].ravel() for each in different])


def _silent(rank: Array, inverse: Array, ends: Array) -> Array:
    """M at which nobody arrived, and until when the last of them was waited for, (m, 2)."""
    median = np.nanmedian(rank, 1)
    quiet = [m for m in np.unique(median) if not np.isfinite(inverse[median == m]).any()]
    return np.array([(m, ends[median == m].max()) for m in quiet]).reshape(-1, 2)


def fits_of(passage: Passage) -> dict[str, Fit]:
    """M_c by both laws and nu: those that have an interval above 0, and whose law nothing speaks against.

    Against a law speak the scatter of the replicas, and machines that did not arrive when it says that they had.
    The power law has no times below M_c, so its M_c is below the smallest M that arrived: one that lies there says
    where the sizes began, and is not told; nor is its exponent.
    """
    found: dict[str, Fit] = {}
    critical = passage.critical
    if critical is None:
        return found
    against = refuted(passage)
    if _positive(critical.quadratic) and PARABOLA not in against:
        found["M_c, parabola"] = critical.quadratic
    inside = critical.power.best < AT_BOUND * critical.widths[0]
    if _positive(critical.power) and inside and POWER not in against:
        found |= {"M_c, power law": critical.power, "exponent ν": critical.nu}
    return found


def refuted(passage: Passage) -> dict[str, str]:
    """The laws that something speaks against, and what.

    Machines that did not arrive are in no fit. A law is wrong about one where its M lies above the whole interval of
    M_c, and the law has it arrive before the end of the run.
    """
    critical = passage.critical
    found: dict[str, str] = {}
    if critical is None:
        return found
    misfit = critical.misfit
    laws = (
        (PARABOLA, critical.quadratic_rejected, misfit.quadratic, critical.quadratic, critical.quadratic_curve),
        (POWER, critical.power_rejected, misfit.power, critical.power, critical.power_curve),
    )
    for law, rejected, chance, zero, curve in laws:
        early = [m for m, end in passage.silent if m > zero.high and float(curve(np.array([m]))[0]) > 1 / end]
        if rejected:
            found[law] = f"p = {chance:.2g}"
        elif early:
            found[law] = f"M = {', '.join(f'{m:g}' for m in early)} did not arrive"
    return found


def _positive(fit: Fit) -> bool:
    return bool(np.isfinite(fit).all()) and fit.low > 0
