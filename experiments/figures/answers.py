"""The runs of a study as a figure wants them: those that are there, sorted, and what is missing said."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.figures.of_run import BITS
from experiments.figures.picture import Picture
from experiments.store import Run
from experiments.study import Planned
from experiments.trajectory import Trajectory

T = TypeVar("T")
WORDS = {"depth": "d", "width": "w", "batch": "p", "n_spins": "N"}
NO_FLOOR = 1e-6  # bits: a few chords without equal histories
TIME = "learning time τ"
NLL = f"NLL ({BITS})"


class Answer(NamedTuple):
    """A run that a study asks for, what there is of it (None: not begun), and `experiments.sweep.State.over`."""

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


def there(answers: Sequence[Answer], picture: Picture) -> list[Answer]:
    """Those that have begun, by depth and width; the others are noted as missing."""
    for answer in answers:
        if answer.run is None:
            picture.note(f"missing: {said(answer)}")
        elif answer.over != "done":
            picture.note(f"{answer.over or 'not ended'}: {said(answer)}, τ = {np.nanmax(answer.trajectory.time):.4g}")
        elif lost := int((~answer.trajectory.valid[-1]).sum()):
            picture.note(f"{said(answer)}: {lost} of {answer.trajectory.n_replicas} replicas are frozen")
    begun = [answer for answer in answers if answer.run is not None]
    return sorted(begun, key=lambda answer: [answer.setting(name) or 0 for name in ("depth", "width", "batch")])


def said(answer: Answer) -> str:
    """A run in short: d = 2, w = 90, p = 300."""
    shown = [f"{word} = {answer.setting(name)}" for name, word in WORDS.items() if answer.setting(name) is not None]
    return ", ".join(shown) or answer.planned.task.system


def labels(answers: Sequence[Answer]) -> list[str]:
    """A short name for each run: the settings (and the rate) in which these runs differ."""
    settings = [dict(answer.planned.task.settings) | {"rate": answer.planned.rate} for answer in answers]
    names = dict.fromkeys(name for each in settings for name in each)
    differ = [name for name in names if len({str(each.get(name)) for each in settings}) > 1]
    shown = [[f"{WORDS.get(name, name)} = {each[name]}" for name in differ if name in each] for each in settings]
    return [", ".join(words) or said(answer) for words, answer in zip(shown, answers, strict=True)]


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


def draw_curve(picture: Picture, panel: str, name: str, time: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    """The mean over replicas with its error, where they share their times (n, R); else a thin line for each."""
    seen = np.isfinite(time).any(1) & (np.nan_to_num(time) > 0).any(1)
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
