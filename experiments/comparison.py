"""Classical and quantum learnability on one page: what two studies tell, as numbers, pictures and music."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from encoding import InputError
from encoding.files import replace_file
from experiments.figures.answers import Answer, asked_of
from experiments.figures.both_agings import Aged, aged_by
from experiments.figures.learnability import Learned, learned_by
from experiments.figures.of_study import answers_of, nothing_there
from experiments.figures.picture import Picture
from experiments.figures.times_of_sizes import Passage, fits_of
from experiments.observables import Fit
from experiments.observables.estimate import mean_fit
from experiments.side_by_side import SIZES, Line, Machine, Match, nobody
from experiments.store import Store
from experiments.study import Study, load_study

HEADER = "music,series,system,size,theta,quantity,value,low,high"
NOISE = ("batch", "replacement", "probes", "noise_over", "rate", "rates")
FIGURES = {"learnability": "learnability", "aging": "quantum-aging"}


class Number(NamedTuple):
    """One line of the table: whose number it is, what, and its 95 % interval (NaN: none).

    `size` and `theta` are empty where a number belongs to all sizes, or to no level of the loss.
    """

    music: str
    series: str
    system: str
    size: str
    theta: str
    quantity: str
    value: Fit


class Comparison(NamedTuple):
    """All that is on the page but the music.

    Attributes:
        studies: what was asked for, learnability first.
        pictures: of each, None where it has no run yet.
        learned, aged: what they were made of.
        answers: the runs of both.
        numbers: the table.
        notes: which study has no run.
    """

    studies: tuple[Study, Study]
    pictures: tuple[Picture | None, Picture | None]
    learned: list[Learned]
    aged: list[Aged]
    answers: list[Answer]
    numbers: list[Number]
    notes: list[str]


def asked_for(learnability: str, aging: str, scale: str) -> tuple[Study, Study]:
    """The two studies, seen to be of the figures that the page is made of.

    Raises:
        InputError: no such study or scale, or one that is drawn otherwise.
    """
    studies = load_study(learnability, scale), load_study(aging, scale)
    for study, (option, figure) in zip(studies, FIGURES.items(), strict=True):
        if study.figure != figure:
            raise InputError(f'--{option} takes a study with figure = "{figure}"; {study.name} has {study.figure!r}')
    return studies


def compared(studies: tuple[Study, Study], store: Store, hears: Callable[[str], None] = nobody) -> Comparison:
    """What the runs in the store tell; what is missing is among the notes.

    Args:
        studies: of learnability, and of aging.
        store: where the runs are.
        hears: gets which machines are being measured, which takes minutes.

    Raises:
        InputError: a damaged run, or no run of either study.
    """
    if store.path.exists() and not store.path.is_dir():
        raise InputError(f"a store is a folder of runs; {store.path} is a file")
    answers = [answers_of(study, store) for study in studies]
    missing = [nothing_there(study, store, each) for study, each in zip(studies, answers, strict=True)]
    if all(missing):
        raise InputError(f"{missing[0]}, nor any of {studies[1].name}: armonica sweep makes them")
    first = None if missing[0] else learned_by(answers[0], studies[0].name, hears)
    second = None if missing[1] else aged_by(answers[1], studies[1].name, hears)
    learned, aged = first[1] if first else [], second[1] if second else []
    pictures = first[0] if first else None, second[0] if second else None
    notes = [
        f"nothing of {study.name} is there yet: armonica sweep {study.name} --scale {study.scale}"
        for study, none in zip(studies, missing, strict=True)
        if none
    ]
    numbers = [*_of_learning(learned), *_of_aging(aged, learned)]
    return Comparison(studies, pictures, learned, aged, answers[0] + answers[1], numbers, notes)


def write_table(numbers: Sequence[Number], path: Path) -> None:
    """The numbers as CSV, an empty cell where there is none."""
    rows = [HEADER, *(",".join(_cells(number)) for number in numbers)]
    with replace_file(path) as file:
        file.write(("\n".join(rows) + "\n").encode())


def _cells(number: Number) -> Iterator[str]:
    for text in number[:6]:
        yield f'"{text}"' if "," in text else text
    for value in (number.value.best, number.value.low, number.value.high):
        yield "" if np.isnan(value) else repr(float(value))


def _alone(value: float) -> Fit:
    """A number without an interval."""
    return Fit(np.nan, float(value), np.nan)


def _of_learning(learned: Sequence[Learned]) -> Iterator[Number]:
    for each in learned:
        match = each.match
        for line in match.lines:
            yield from _of_line(match, line)
            for quantity, loss in each.baselines.items():
                yield Number(match.music, match.series, line.label, "", "", quantity, _alone(loss))
            for passage in each.passages[line.label]:
                theta = f"{passage.theta:g}"
                yield from _of_times(match, line, passage)
                for quantity, fit in fits_of(passage).items():
                    yield Number(match.music, match.series, line.label, "", theta, quantity, fit)
                if passage.critical:
                    chances = passage.critical.misfit.quadratic, passage.critical.misfit.power
                    for law, chance in zip(("parabola", "power law"), chances, strict=True):
                        what = f"p of the {law}"
                        yield Number(match.music, match.series, line.label, "", theta, what, _alone(chance))


def _of_times(match: Match, line: Line, passage: Passage) -> Iterator[Number]:
    """1/tau of each size, also in units of the tangent kernel, over the replicas that arrived."""
    for machine, inverse, scaled in zip(passage.machines, passage.inverse, passage.scaled, strict=True):
        whose = match.music, match.series, line.label, str(machine.size), f"{passage.theta:g}"
        for quantity, values in (("1/τ", inverse), ("1/(τ × rate of the tangent kernel)", scaled)):
            if (seen := values[np.isfinite(values)]).size:
                yield Number(*whose, quantity, mean_fit(seen))


def _of_line(match: Match, line: Line) -> Iterator[Number]:
    """Of each size its parameters and losses; then the best of all."""
    whose = match.music, match.series, line.label
    for machine in line.machines:
        size, seen = str(machine.size), machine.last[np.isfinite(machine.last)]
        rank = Fit(float(machine.rank.min()), float(np.median(machine.rank)), float(machine.rank.max()))
        yield Number(*whose, size, "", "effective parameters M (median; range)", rank)
        core = machine.n_coordinates - machine.n_readout
        yield Number(*whose, size, "", "coordinates of the core", _alone(core))
        yield Number(*whose, size, "", "coordinates of the readout", _alone(machine.n_readout))
        yield Number(*whose, size, "", "rate of the tangent kernel", mean_fit(machine.rate))
        if len(seen):
            yield Number(*whose, size, "", "NLL at the end", mean_fit(seen))
    losses = np.concatenate([machine.last for machine in line.machines])
    if np.isfinite(losses).any():
        yield Number(*whose, "", "", "best NLL", _alone(np.nanmin(losses)))
    yield Number(*whose, "", "", "floor of the readout", _alone(min(machine.floor for machine in line.machines)))
    yield Number(*whose, "", "", "constraints", _alone(max(machine.constraints for machine in line.machines)))


class Critical(NamedTuple):
    """M_c of a system on the music of a run, and the theta at which it was told."""

    number: Fit
    theta: float

    def ratio(self, aged: Aged) -> Fit:
        """M / M_c of a run, with the interval that M_c has; NaN for an end where M_c may be 0."""
        m, ends = float(np.median(aged.machine.rank)), (self.number.high, self.number.best, self.number.low)
        return Fit(*(m / end if end > 0 else np.nan for end in ends))


def critical_number(aged: Aged, learned: Sequence[Learned]) -> Critical | None:
    """M_c by a power law at the smallest loss that tells it, else by a parabola; None: not told.

    That of the same music, the same settings but size and batch, and the same treatment of the readout; laws that the
    scatter rejects tell nothing.
    """
    passages = [
        passage
        for each in learned
        for line in each.match.lines
        if asked_alike(line.machines[0]) == asked_alike(aged.machine)
        for passage in each.passages[line.label]
        if passage.critical
    ]
    for law in ("power law", "parabola"):
        for passage in reversed(passages):
            fit = fits_of(passage).get(f"M_c, {law}")
            if fit is not None:
                return Critical(fit, passage.theta)
    return None


def asked_alike(machine: Machine) -> dict[str, Any]:
    """What two runs share whose sizes lie on one axis: all but size, seed, and what makes the noise of a step."""
    return asked_of(machine.answer, but=(SIZES[machine.answer.planned.task.system], "seed", *NOISE))


def _of_aging(aged: Sequence[Aged], learned: Sequence[Learned]) -> Iterator[Number]:
    for each in aged:
        yield from _of_one(each, critical_number(each, learned))


def _of_one(each: Aged, critical: Critical | None) -> Iterator[Number]:
    """Of one run in one way: M / M_c, exponents, and the collapses with their null values."""

    def number(quantity: str, fit: Fit) -> Number:
        whose = each.match.music, each.match.series, each.line.label, str(each.machine.size), ""
        return Number(*whose, f"aging, {each.way}: {quantity}", fit)

    if critical is not None:
        yield number(f"M / M_c (θ = {critical.theta:g})", critical.ratio(each))
    if each.alpha is not None:
        yield number("short-time exponent", Fit(*each.alpha))
    if each.collapse is not None:
        yield number("μ", each.collapse.mu)
        for way, scaling in (("τ", each.collapse.lag), ("τ/τ_w", each.collapse.ratio)):
            yield number(f"score of a collapse against {way}", _alone(scaling.score))
            yield number(f"null score against {way} (median; 95 %)", scaling.null)
            yield number(f"spread against {way}", _alone(scaling.spread))
            yield number(f"p of a collapse against {way}", _alone(scaling.p_value))
