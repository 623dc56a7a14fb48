"""What each figure needs of the runs that it is drawn from, seen before they are made: hours later is too late."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from encoding import InputError
from experiments.looks import NEVER

if TYPE_CHECKING:
    from experiments.study import Planned


class Need(NamedTuple):
    """What one run at least must have, whether one has it, and how it is asked for."""

    what: str
    met: Callable[["Planned"], bool]
    ask: str


def _steps(planned: "Planned") -> bool:
    described = planned.task.look.loss.describe()
    return any(part["kind"] == "at" for part in described.get("of", [described]))


def _waiting(planned: "Planned") -> bool:
    """Whether a cadence of the weights begins anew at a waiting time."""

    def within(described: Mapping) -> bool:
        return described.get("since", 0) > 0 or any(within(part) for part in described.get("of", ()))

    return within(planned.task.look.weights.describe())


WIDTH = Need("the width of deep-rnn", lambda planned: "width" in planned.task.settings, "take fig2 or fig7")
MUSIC = Need("music", lambda planned: planned.task.music is not None, "take a system that learns from chorales")
SIDE = Need(
    "quantum or deep-rnn", lambda planned: planned.task.system in ("quantum", "deep-rnn"), "take fig2, which draws all"
)
PERCEPTRON = Need(
    "deep-perceptron", lambda planned: planned.task.system == "deep-perceptron", "take fig2, which draws all"
)
STEPS = Need("looks after single steps", _steps, "looks = { every_step = [...], steps = 1000 }")
WAITING = Need("looks after waiting times", _waiting, "looks = { aging = [...] }")
NOISE = Need("looks at the noise", lambda planned: planned.task.look.noise != NEVER, "looks = { noise = 10 }")
WEIGHTS = Need("looks at the weights", lambda planned: planned.task.look.weights != NEVER, "looks = { weights = 2 }")
PAIRS = Need("two replicas or more", lambda planned: planned.task.n_replicas > 1, "replicas = 6")

NEEDS: dict[str, tuple[Need, ...]] = {
    "fig2": (),
    "fig3": (),
    "fig4": (STEPS,),
    "fig5": (WIDTH,),
    "fig6": (WIDTH,),
    "fig7": (WAITING,),
    "fig8": (NOISE,),
    "fig9": (WAITING,),
    "talk": (WIDTH,),
    "overlaps": (WEIGHTS, PAIRS),
    "generalisation": (MUSIC, WEIGHTS),
    "learnability": (SIDE, MUSIC),
    "quantum-aging": (SIDE, MUSIC, WAITING),
    "spins": (WEIGHTS,),
    "perceptron": (PERCEPTRON,),
}
ALL = (WIDTH, MUSIC, SIDE, PERCEPTRON)  # what every run must have, where a figure needs it


def check_drawable(figure: str, planned: Sequence["Planned"]) -> None:
    """See that there is such a figure, and that it can be drawn from these runs.

    Raises:
        InputError: no such figure, or the runs lack what it needs.
    """
    if figure not in NEEDS:
        raise InputError(f"a figure is one of {', '.join(NEEDS)}; got {figure!r}")
    for need in NEEDS[figure]:
        without = [each for each in planned if not need.met(each)]
        if len(without) == len(planned) or (without and need in ALL):
            raise InputError(f"{figure} needs {need.what}; {without[0].task.system} has none here: {need.ask}")
