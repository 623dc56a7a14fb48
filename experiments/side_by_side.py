"""Runs of two systems that learned the same music, put side by side: what is the same for both, and what differs.

The same for both are the music, what is heard of it, and the readout H = K f + h_0, whose n_f features lie between -1
and 1; where the whole piano roll S is heard, by J_0 or by W, it is H = K f + W S + h_0. So a match is one music, one
way to treat the readout (frozen, or learned), and the roll or no roll; in it each system has a line of machines that
differ in size alone. Where machines on one music differ in what they hear or read, they are not matched, and the label
says in what. What the size is worth on this music is the rank of dH/dx
(`experiments.effective_rank`); what can be learned at all is the floor.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.effective_rank import effective_parameters_on_data, kernel_rate
from experiments.figures.answers import WORDS, Answer, asked_of, said, told, word
from experiments.figures.picture import Picture
from experiments.observables import (
    h0_loss,
    irreducible_loss,
    logistic_loss,
    reservoir_loss,
)
from experiments.same_readout import constraints_of, floor_of, given_to, heard_by, hears_roll, part_of
from experiments.store import system_of
from experiments.system import System
from experiments.task import Music, Task

Array = NDArray[np.float64]

SIZES = {"quantum": "n_layers", "deep-rnn": "width"}  # the setting that makes a system larger
NAMES = {"quantum": "quantum", "deep-rnn": "classical"}
SYSTEMS = ("quantum", "classical", "unitary")
SERIES = {(): "readout frozen", ("h0",): "h₀ learned", ("K",): "K learned", ("K", "h0"): "K and h₀ learned"}
READOUT = ("K", "W", "h0")
ROUNDING = 1e-5  # bits: of float32 in an NLL near its floor
SEEDS = range(3)  # of reservoirs
CHORDS = (1, 2)  # heard, of machines that remember no more


class Machine(NamedTuple):
    """One run, of R replicas.

    Attributes:
        answer: its question and its looks.
        size: layers, or width.
        rank: effective parameters on its music, (R,).
        constraints: the largest rank that any machine with this readout can have on this music.
        n_coordinates: what it learns along.
        n_readout: of them the entries of K, W and h_0; the others are of the core.
        where: the weights whose rank it is, "at the start" or "at the end".
        rate: mean eigenvalue of the tangent kernel at the start over the number of slots, (R,), in 1/tau.
        n_features: that K reads.
        floor: the least NLL that any machine with this readout has, in bits per unit.
    """

    answer: Answer
    size: int
    rank: NDArray[np.int64]
    constraints: int
    n_coordinates: int
    n_readout: int
    where: str
    rate: Array
    n_features: int
    floor: float

    @property
    def last(self) -> Array:
        """NLL at the last look of each replica, (R,); NaN where there is none."""
        looks = self.answer.trajectory
        seen = np.where(looks.valid, looks.loss, np.nan)
        rows = np.where(np.isfinite(seen), np.arange(len(seen))[:, None], 0).max(0)
        return seen[rows, range(seen.shape[1])]


class Line(NamedTuple):
    """Machines that differ in size (and seed) alone, the smallest first."""

    label: str
    machines: list[Machine]


class Match(NamedTuple):
    """What learned one music with one kind of readout."""

    music: str
    series: str
    lines: list[Line]

    @property
    def label(self) -> str:
        """To read: `2 excerpts of 8 chords, readout frozen`."""
        return f"{self.music}, {self.series}"


def nobody(line: str) -> None:
    """Hears what is going on, and says nothing."""


def matches(runs: Sequence[Answer], picture: Picture, hears: Callable[[str], None] = nobody) -> list[Match]:
    """The runs by music and by what is learned of the readout, then by system; what cannot be measured is noted.

    `hears` gets what is measured next.
    """
    floors: dict[Any, float] = {}
    found = []
    every = [answer.planned.task.music for answer in runs]
    for music in dict.fromkeys(every):
        here = [answer for answer in runs if answer.planned.task.music == music]
        fair = [answer for answer in here if told(picture, said_of(answer), check_nll, answer) is not None]
        for series, group in _alike(fair):
            lines = [
                Line(label, machines)
                for label, runs in _lines(group)
                if (machines := _measured(runs, floors, picture, hears))
            ]
            found += [Match(music_said(music, every), series, lines)] if lines else []
    return found


def check_nll(answer: Answer) -> Answer:
    """A run whose loss is the NLL.

    Raises:
        InputError: it learns by another cost, which has no floor here.
    """
    cost = answer.planned.task.settings.get("cost", "nll")
    if cost != "nll":
        raise InputError(f"its cost is {cost}, and what is compared is the NLL: it is left out")
    return answer


def _alike(runs: Sequence[Answer]) -> list[tuple[str, list[Answer]]]:
    """Runs that may be matched, under the name of their series; with what they hear and read where that differs."""
    groups: dict[tuple[str, str], list[Answer]] = {}
    for answer in runs:
        groups.setdefault((series_of(answer), str(given_to(answer.planned.task))), []).append(answer)
    named = []
    for (series, _), group in groups.items():
        own = given_to(group[0].planned.task)
        rivals = [given_to(each[0].planned.task) for (other, _), each in groups.items() if other == series]
        differ = [f"{name} {own[name]}" for name in own if len({str(each[name]) for each in rivals}) > 1]
        named.append((", ".join([series, *differ]), group))
    return named


def series_of(answer: Answer) -> str:
    """What of K and h_0 is learned, and whether the piano roll is heard, in words."""
    learned = answer.planned.task.settings["learned"]
    said = SERIES[tuple(part for part in ("K", "h0") if part in learned)]
    return f"{said}, roll heard" if hears_roll(answer.planned.task) else said


def music_said(music: Music | None, every: Sequence[Music | None]) -> str:
    """Which chorales, in short where all are of one source."""
    if music is None:
        return "no music"
    if len({(each.source, each.split, each.transpose) for each in every if each}) > 1:
        return word("music", music)
    n = len(music.chorales)
    return f"{n} chorales" if music.excerpt is None else f"{n} excerpts of {music.excerpt} chords"


def _lines(group: Sequence[Answer]) -> list[tuple[str, list[Answer]]]:
    """Runs that differ in size and seed alone, under the name of their system and what else tells the lines apart."""
    alike: dict[tuple[str, str], list[Answer]] = {}
    for answer in group:
        alike.setdefault((_name(answer), str(_else(answer))), []).append(answer)
    lines = []
    for (name, _), runs in alike.items():
        rivals = [_else(each[0]) for (other, _), each in alike.items() if other == name]
        own = _else(runs[0])
        differ = [key for key in own if len({str(each.get(key)) for each in rivals}) > 1]
        lines.append((", ".join([name, *(word(key, own[key]) for key in differ)]), _one_of_a_kind(runs)))
    return sorted(lines, key=lambda line: line[0] != "quantum")


def _name(answer: Answer) -> str:
    task = answer.planned.task
    return "unitary" if task.settings.get("recurrent") == "unitary" else NAMES[task.system]


def _else(answer: Answer) -> dict[str, Any]:
    return asked_of(answer, but=(SIZES[answer.planned.task.system], "seed"))


def _one_of_a_kind(runs: Sequence[Answer]) -> list[Answer]:
    """By size; of runs with the same size and seed, whose first replicas are the same, the one with the most."""
    kept: dict[tuple[int, int], Answer] = {}
    for answer in runs:
        which = size_of(answer), answer.planned.task.seed
        if which not in kept or answer.trajectory.n_replicas > kept[which].trajectory.n_replicas:
            kept[which] = answer
    return [kept[which] for which in sorted(kept)]


def size_of(answer: Answer) -> int:
    """Layers of circuits, or the width."""
    return int(answer.setting(SIZES[answer.planned.task.system]))


def named(line: Line, machine: Machine) -> str:
    """To read: `quantum, L = 2 (M = 27/40)`."""
    size = WORDS[SIZES[machine.answer.planned.task.system]]
    seeds = {each.answer.planned.task.seed for each in line.machines}
    seed = f", seed {machine.answer.planned.task.seed}" if len(seeds) > 1 else ""
    return f"{line.label}, {size} = {machine.size}{seed} (M = {np.median(machine.rank):g}/{machine.constraints})"


def counted(machine: Machine) -> str:
    """What it learns along, those of the core and those of the readout apart: `4: 30 + 218`."""
    return f"{machine.size}: {machine.n_coordinates - machine.n_readout} + {machine.n_readout}"


def said_of(answer: Answer) -> str:
    """A run in short, whether it is there or not: `quantum, readout frozen, 2 excerpts of 8 chords, L = 2, n_H = 1`."""
    music = answer.planned.task.music
    return f"{_name(answer)}, {series_of(answer)}, {music_said(music, [music])}, {said(answer)}"


def _measured(
    runs: Sequence[Answer], floors: dict[Any, float], picture: Picture, hears: Callable[[str], None]
) -> list[Machine]:
    hears(f"measuring {len(runs)} runs: {said_of(runs[0])} and larger")
    found = [told(picture, said_of(answer), machine_of, answer, floors) for answer in runs]
    for machine, unclear in [each for each in found if each]:
        if unclear:
            picture.note(f"{said_of(machine.answer)}: no gap of three decades tells the rank {sorted(machine.rank)}")
        if (lowest := np.nanmin(machine.last, initial=np.inf)) < machine.floor - ROUNDING:
            picture.note(f"flagged: {said_of(machine.answer)}: NLL {lowest:.6f}, below the floor {machine.floor:.6f}")
    return [each[0] for each in found if each]


def machine_of(answer: Answer, floors: dict[Any, float] | None = None) -> tuple[Machine, bool]:
    """What a run is worth on its music, and whether its rank is a matter of taste.

    The rank is that at the start where K is random and frozen, for there nothing is special about these weights; else
    that at the end, for K = 0 at the start hides all that is behind it.

    Raises:
        InputError: see `effective_parameters_on_data`, or a run that is damaged.
    """
    task = answer.planned.task
    start = task.build("plain")
    random = "K" not in task.settings["learned"] and bool(part_of(start, "K").any())
    there = start if random or answer.run is None else system_of(answer.run)
    found, rate = effective_parameters_on_data(there), kernel_rate(start)
    floor = floor_of(task, start, {} if floors is None else floors)
    where, n_features = "at the start" if there is start else "at the end", part_of(start, "K").shape[1]
    most = constraints_of(task, n_features)
    counts = found.n_coordinates, n_readout(task, start)
    machine = Machine(answer, size_of(answer), found.rank, most, *counts, where, rate, n_features, floor)
    return machine, not found.clear.all()


def n_readout(task: Task, start: System) -> int:
    """How many entries of K, W and h_0 learn."""
    parts = [name for name in READOUT if name in task.settings["learned"] and (name != "W" or task.settings["skip"])]
    return sum(int(np.prod(start.layout()[name].shape)) for name in parts)


def baselines_of(match: Match) -> Mapping[str, float]:
    """What machines reach that do not learn to remember, in bits per unit; with the floor of equal histories."""
    machine = match.lines[0].machines[0]
    chorales, heard = machine.answer.planned.task.chorales or [], heard_by(machine.answer.planned.task)
    n = machine.n_features
    lines = {"h₀ alone": h0_loss(chorales), "W and h₀ alone": logistic_loss(chorales)}
    lines[f"reservoir of {n} units"] = float(np.mean([reservoir_loss(chorales, n, seed=seed) for seed in SEEDS]))
    words = {k: f"floor, {k} chord{'s' if k > 1 else ''} heard" for k in CHORDS}
    lines |= {words[k]: irreducible_loss(chorales, k, encoding=heard) for k in CHORDS}
    return lines | {"irreducible loss": irreducible_loss(chorales, encoding=heard)}
