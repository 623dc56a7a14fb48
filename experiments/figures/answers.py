"""The runs of a study as a figure wants them: those that are there, sorted, and what is missing said."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from encoding import InputError
from experiments.figures.of_run import BITS
from experiments.figures.picture import Picture
from experiments.store import Run
from experiments.study import Planned
from experiments.trajectory import Trajectory

T = TypeVar("T")
TIME = "learning time τ"
NLL = f"NLL ({BITS})"


class Answer(NamedTuple):
    """A run that a study asks for, and what there is of it: None if it has not begun."""

    planned: Planned
    run: Run | None

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
        elif not ended(answer):
            picture.note(f"not ended: {said(answer)}")
    begun = [answer for answer in answers if answer.run is not None]
    return sorted(begun, key=lambda answer: [answer.setting(name) or 0 for name in ("depth", "width", "batch")])


def ended(answer: Answer) -> bool:
    """Whether the run has come to the end that the study asks for, as far as its looks tell."""
    looks, until = answer.trajectory, answer.planned.until
    moving = looks.valid[-1]
    if not moving.any():
        return True
    in_time = until.time is not None and looks.time[-1, moving].min() >= 0.9 * until.time
    return in_time or until.met(int(looks.step[-1]), looks.time[-1, moving], looks.loss[-1, moving])


def said(answer: Answer) -> str:
    """A run in short: d = 2, w = 90, p = 300."""
    words = {"depth": "d", "width": "w", "batch": "p", "n_spins": "N"}
    shown = [f"{word} = {answer.setting(name)}" for name, word in words.items() if answer.setting(name) is not None]
    return ", ".join(shown) or answer.planned.task.system


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
        if floor is not None and panel.y == NLL:
            picture.add(name, f"floor {floor:.5f}", 0.0, floor, kind="floor")


def told(picture: Picture, what: str, estimator: Callable[..., T], *of: Any, **how: Any) -> T | None:
    """What an estimator says of its arguments; where it refuses, None, and its reason is noted."""
    try:
        return estimator(*of, **how)
    except InputError as refused:
        picture.note(f"{what}: {refused}")
        return None
