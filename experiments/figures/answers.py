"""The runs of a study as a figure wants them: those that are there, sorted, and what is missing said."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.figures.of_run import BITS
from experiments.figures.picture import Picture
from experiments.images import Images
from experiments.store import Run
from experiments.study import Planned
from experiments.task import Music
from experiments.trajectory import Trajectory

T = TypeVar("T")
WORDS = {"depth": "d", "width": "w", "batch": "p", "n_spins": "N", "rate": "η", "n_layers": "L", "n_history": "n_H"}
SIZES = ("depth", "width", "n_spins", "n_layers", "n_history", "batch")
SOURCES = ("music21", "jsb")
NO_FLOOR = 1e-6  # bits: a few chords without equal histories
TIME = "learning time τ"
NLL = f"NLL ({BITS})"


class Answer(NamedTuple):
    """A run that a study asks for, what there is of it (None: not begun), and `experiments.sweep.State.over`.

    `over` is "begun" where rows lie there without a checkpoint.
    """

    planned: Planned
    run: Run | None
    over: str = "done"

    def setting(self, name: str) -> Any:
        """A setting of its system, None where the system has no such."""
        return self.planned.task.settings.get(name)

    @property
    def trajectory(self) -> Trajectory:
        """Its looks.

        Raises:
            InputError: it has not begun.
        """
        if self.run is None:
            raise InputError(f"the run {self.planned.task.key} has not begun: armonica sweep")
        return self.run.trajectory


def there(answers: Sequence[Answer], picture: Picture, *, named: Callable[[Answer], str] | None = None) -> list[Answer]:
    """Those that have begun, by depth and width; the others are noted as missing, by the names that `named` gives."""
    named = named or said
    for answer in answers:
        if answer.run is None:
            begun = ", begun but without a checkpoint, so that nothing of it is drawn" if answer.over == "begun" else ""
            picture.note(f"missing: {named(answer)}{begun}")
        elif answer.over != "done":
            picture.note(f"{answer.over or 'not ended'}: {named(answer)}, τ = {np.nanmax(answer.trajectory.time):.4g}")
        elif lost := int((~answer.trajectory.valid[-1]).sum()):
            picture.note(f"{named(answer)}: {lost} of {answer.trajectory.n_replicas} replicas are frozen")
    begun = [answer for answer in answers if answer.run is not None]
    return sorted(begun, key=lambda answer: [answer.setting(name) or 0 for name in SIZES])


def said(answer: Answer) -> str:
    """A run in short: d = 2, w = 90, p = 300."""
    known = {name: answer.setting(name) for name in WORDS}
    shown = [word(name, value) for name, value in known.items() if value is not None]
    return ", ".join(shown) or answer.planned.task.system


def labels(answers: Sequence[Answer], *, always: Sequence[str] = ()) -> list[str]:
    """A short name for each run: the settings, and what else of the question, in which these runs differ.

    Args:
        answers: the runs.
        always: settings that are said even where all have the same.
    """
    asked = [asked_of(answer) for answer in answers]
    names = dict.fromkeys(name for each in asked for name in each)
    differ = [name for name in names if name in always or len({str(each.get(name)) for each in asked}) > 1]
    shown = [[word(name, each[name]) for name in differ if name in each] for each in asked]
    return [", ".join(words) or said(answer) for words, answer in zip(shown, answers, strict=True)]


def asked_of(answer: Answer, *, but: Sequence[str] = ()) -> dict[str, Any]:
    """What a curve depends on, by name: settings, rate, how the rate changes ("rates"), music, seed."""
    task = answer.planned.task
    schedule = getattr(task.schedule, "describe", dict)()
    whole = dict(task.settings) | {
        "rate": answer.planned.rate,
        "rates": schedule.get("kind", ""),  # "schedule" is a setting of the quantum network
        "music": task.music,
        "images": task.images,
        "seed": task.seed,
    }
    return {name: value for name, value in whole.items() if name not in but}


def word(name: str, value: Any) -> str:
    """One setting in short."""
    if name == "batch" and value is None:
        return "full gradient"
    if isinstance(value, Images):
        return Path(value.source).name
    if isinstance(value, Music):
        parts = [value.source if value.source in SOURCES else Path(value.source).name, value.split]
        parts += [] if value.first is None else [f"first {value.first}"]
        parts += [] if value.excerpt is None else [f"{value.excerpt} chords of each"]
        return " ".join([*parts, *([] if value.transpose else ["in their own keys"])])
    if name == "rates":
        return f"schedule {value}"
    return f"{WORDS.get(name, name)} = {value}"


def by_width(answers: Sequence[Answer]) -> Iterator[tuple[str, list[Answer]]]:
    """Runs that one curve against the width may join: all else that they were asked is the same, but seeds.

    Yields:
        "d = 2", with more words where the runs of one depth differ otherwise; and the runs.
    """
    for depth, group in by(answers, "depth"):
        alike: dict[str, list[Answer]] = {}
        for answer in group:
            alike.setdefault(str(asked_of(answer, but=("width", "seed"))), []).append(answer)
        first = [runs[0] for runs in alike.values()]
        asked = [asked_of(answer, but=("width", "seed")) for answer in first]
        differ = [name for name in asked[0] if len({str(each.get(name)) for each in asked}) > 1]
        for runs, each in zip(alike.values(), asked, strict=True):
            yield ", ".join([f"d = {depth}", *(word(name, each[name]) for name in differ if name in each)]), runs


def say_replicas(picture: Picture, runs: Sequence[Answer]) -> None:
    """How many replicas the curves are means of."""
    each = sorted({answer.trajectory.n_replicas for answer in runs})
    if each:
        picture.note(f"R = {', '.join(map(str, each))} replicas of each run: curves are their mean")


def loss_label(answers: Sequence[Answer]) -> str:
    """What the loss of these runs is called, with its unit."""
    units = {answer.run.unit for answer in answers if answer.run}
    return NLL if units <= {BITS} else f"loss ({', '.join(sorted(units))})"


def with_widths(answers: Sequence[Answer], figure: str) -> None:
    """Refuse systems that have no width, where a figure is about widths.

    Raises:
        InputError: there is one.
    """
    other = [answer.planned.task.system for answer in answers if answer.setting("width") is None]
    if other:
        raise InputError(f"{figure} is drawn against the width of deep-rnn; got {other[0]}: take fig2 or fig7")


def by(answers: Sequence[Answer], setting: str) -> Iterator[tuple[Any, list[Answer]]]:
    """The answers in groups of one value of a setting each, in order."""
    for value in dict.fromkeys(answer.setting(setting) for answer in answers):
        yield value, [answer for answer in answers if answer.setting(setting) == value]


def floor_of(answers: Sequence[Answer]) -> float | None:
    """The irreducible loss of the data, where all runs have the same and the loss is the NLL."""
    floors = {answer.run.task["irreducible_loss"] for answer in answers if answer.run and answer.run.unit == BITS}
    return floors.pop() if len(floors) == 1 else None


def draw_floor(picture: Picture, answers: Sequence[Answer]) -> None:
    """The irreducible loss in every panel that shows the NLL in bits."""
    floor = floor_of(answers)
    for name, panel in picture.panels.items():
        if floor is not None and floor > NO_FLOOR and panel.y == NLL:
            picture.add(name, f"floor {floor:.5f}", 0.0, floor, kind="floor")


def draw_curve(
    picture: Picture,
    panel: str,
    name: str,
    time: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    start: bool = False,
) -> None:
    """The mean over replicas with its error, where they share their times (n, R); else a thin line for each.

    `start`: whether time 0 is shown, which a logarithmic axis does not have.
    """
    seen = np.isfinite(time).any(1) & (start | (np.nan_to_num(time) > 0).any(1))
    time, values = time[seen], values[seen]
    first = np.nanmax(time, 1, keepdims=True) if len(time) else time
    if (np.isclose(time, first, rtol=1e-9, atol=0) | np.isnan(time)).all():
        picture.band(panel, name, first[:, 0] if len(time) else [], values)
        return
    for replica in range(values.shape[1]):
        picture.add(panel, name, time[:, replica], values[:, replica], kind="extra")


def told(picture: Picture, what: str, estimator: Callable[..., T], *of: Any, **how: Any) -> T | None:
    """What an estimator says of its arguments; where it refuses, None, and its reason is noted."""
    try:
        return estimator(*of, **how)
    except InputError as refused:
        picture.note(f"{what}: {refused}")
        return None
