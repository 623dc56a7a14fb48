"""What students of a deep perceptron know of their teacher, layer by layer, and of each other (Yoshino's talk, 2021).

Runs that differ in nothing but their seeds are samples of one question: curves are means over samples (over replicas
of one sample first), bands one standard error. Beside them stands what theory says of infinitely wide machines.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.machine import DeepPerceptron
from experiments.figures.answers import Answer, loss_label, there
from experiments.figures.perceptron_theory import CAVEAT, THEORY, draw_theory_of, theory_panel
from experiments.figures.picture import Look, Panel, Picture
from experiments.figures.style import MORE
from experiments.observables.estimate import mean_and_error
from experiments.store import system_of

SAMPLE = ("disorder", "seed")  # what makes another sample of the same question
SWEEPS = "sweeps"
LETTERS = {"depth": "L", "width": "N", "alpha": "α", "temperature": "T", "delta": "δ"}
ALWAYS = ("alpha", "width", "depth", "start")
PANELS = {
    "training": Panel("teacher and student, training patterns", "layer l", "r²(l)"),
    "test": Panel("teacher and student, other patterns", "layer l", "r²(l)"),
    "students": Panel("two students, training patterns", "layer l", "q²(l)"),
    "alike": Panel("two students, normalised", "layer l", "q²(l), normalised"),
    "r_test": Panel("generalisation", SWEEPS, "r_test", log_x=True),
    "depth": Panel("generalisation at the end", "depth L", "r_test"),
    "loss": Panel("energy", SWEEPS, "E/(4NM)", log_x=True),
    THEORY: theory_panel(),
}
MEASURED = {"training": "r2", "test": "r2_test"}


class Samples(NamedTuple):
    """Runs of one question, what it is called, and what it is called but for where students start."""

    label: str
    without_start: str
    runs: list[Answer]


def perceptron(answers: Sequence[Answer], name: str = "perceptron") -> Picture:
    """Profiles r²(l) and q²(l) at the last look that all samples have come to; r_test and the energy up to it."""
    colours: dict[str, str] = {}
    picture = Picture(name, dict(PANELS), errors="bands and bars: one standard error over samples")
    runs = there(answers, picture, named=lambda answer: ", ".join(_words(_settings(answer))))
    picture.panels["loss"] = PANELS["loss"]._replace(y=loss_label(runs) if runs else PANELS["loss"].y)
    for samples in _questions(runs):
        picture.looks[samples.label] = _look(samples, colours)
        looks = min(len(answer.trajectory.step) for answer in samples.runs)
        _profiles(picture, samples, looks)
        told = _along(picture, samples, looks)
        n_replicas = samples.runs[0].trajectory.n_replicas
        picture.note(f"{samples.label}: {len(samples.runs)} samples of {n_replicas} replicas{told}")
        draw_theory_of(picture, _settings(samples.runs[0]), colours[samples.without_start])
    if any(one.panel == THEORY for one in picture.series):
        picture.note(CAVEAT)
    return picture


def _look(samples: Samples, colours: dict[str, str]) -> Look:
    """One colour for students of both starts; those that unlearn are dashed, or crosses."""
    colour = colours.setdefault(samples.without_start, MORE[len(colours) % len(MORE)])
    unlearning = samples.runs[0].setting("start") == "unlearning"
    return Look(colour, mark="x", line="--") if unlearning else Look(colour)


def _profiles(picture: Picture, samples: Samples, looks: int) -> None:
    """The overlaps of all layers at the last look that all have come to."""
    for panel, measured in MEASURED.items():
        rows = [answer.trajectory.measured.get(measured) for answer in samples.runs]
        known = [row[looks - 1].mean(0) for row in rows if row is not None]  # (L,)
        _profile(picture, panel, samples.label, known, "random data have no teacher")
    pairs = [_students(answer, looks) for answer in samples.runs if answer.trajectory.n_replicas > 1]
    found = [students for students in pairs if students is not None]
    if len(found) < len(pairs):
        picture.note(
            f"{samples.label}: two students are compared as they are at the end, in the {len(found)} of {len(pairs)} "
            "runs that ended at the last look of all"
        )
    if found or not pairs:
        for panel, normalised in (("students", False), ("alike", True)):
            known = [_between(students, normalised) for students in found]
            _profile(picture, panel, samples.label, known, "overlaps of students need two replicas or more")


def _profile(picture: Picture, panel: str, label: str, known: list[NDArray[np.float64]], without: str) -> None:
    """The mean of the profiles of samples."""
    if not known:
        picture.cannot(panel, without)
        return
    picture.band(panel, label, np.arange(1, len(known[0]) + 1), np.transpose(known))


def _students(answer: Answer, looks: int) -> DeepPerceptron | None:
    """The machines of a run as its checkpoint has them; None where that is of another time than this many looks."""
    assert answer.run is not None
    students = system_of(answer.run)
    assert isinstance(students, DeepPerceptron)
    at = answer.trajectory.step[looks - 1]
    return students if (students.state()["step"] == at).all() else None


def _between(students: DeepPerceptron, normalised: bool) -> NDArray[np.float64]:
    """q² of the replicas of a run, averaged over pairs, (L,)."""
    pairs = np.triu_indices(students.n_replicas, 1)
    return students.overlaps(normalised=normalised)[pairs].mean(0)


def _along(picture: Picture, samples: Samples, looks: int) -> str:
    """Means along the runs, as far as all have come; r_test at the end in words."""
    times = [np.nanmax(answer.trajectory.time[:looks], axis=1) for answer in samples.runs]
    time = np.mean(times, axis=0)
    seen = time > 0
    loss = np.array([answer.trajectory.loss[:looks].mean(1) for answer in samples.runs])
    picture.band("loss", samples.label, time[seen], loss.T[seen])
    rows = [answer.trajectory.measured.get("r_test") for answer in samples.runs]
    tests = np.array([row[:looks].mean(1) for row in rows if row is not None])
    if not len(tests):
        for panel in ("r_test", "depth"):
            picture.cannot(panel, "random data have no teacher")
        return ""
    picture.band("r_test", samples.label, time[seen], tests.T[seen])
    mean, error = mean_and_error(tests[:, -1])
    depth = samples.runs[0].setting("depth")
    picture.add("depth", samples.label, depth, mean, low=mean - error, high=mean + error, kind="points")
    return f", r_test = {mean:.3f} ± {error:.3f} after {time[-1]:g} sweeps"


def _questions(runs: Sequence[Answer]) -> Iterator[Samples]:
    """The runs by what they were asked, samples together."""
    alike: dict[str, list[Answer]] = {}
    for answer in runs:
        asked = {name: value for name, value in _settings(answer).items() if name not in SAMPLE}
        alike.setdefault(str(sorted(asked.items())), []).append(answer)
    groups = list(alike.values())
    first = [_settings(group[0]) for group in groups]
    differ = [name for name in (first[0] if first else ()) if len({str(each.get(name)) for each in first}) > 1]
    for group in groups:
        settings = _settings(group[0])
        shown = {name: settings[name] for name in settings if name in (*ALWAYS, *differ) and name not in SAMPLE}
        without = {name: value for name, value in shown.items() if name != "start"}
        yield Samples(", ".join(_words(shown)), ", ".join(_words(without)), group)


def _settings(answer: Answer) -> dict[str, object]:
    """All that a run was asked: settings, rate and seed."""
    task = answer.planned.task
    return dict(task.settings) | {"rate": answer.planned.rate, "seed": task.seed}


def _words(settings: dict[str, object]) -> list[str]:
    """Settings in short."""
    order = [*ALWAYS, *(name for name in settings if name not in ALWAYS)]
    named = [(LETTERS.get(name, name), settings[name]) for name in order if name in settings]
    return [str(value) if name == "start" else f"{name} = {_number(value)}" for name, value in named]


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
