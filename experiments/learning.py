"""Learning, whatever it is that learns: make steps, look now and then, write down what happened.

A System is an ensemble of replicas. Between looks it is asked for many steps at once; how they are cut into pieces (by
the clock, for checkpoints and progress) changes no number.
"""

import json
import logging
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, inf
from numbers import Integral
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.layout import Group
from experiments.looks import NEAR, Cadence, Looks
from experiments.recording import Record, Recorder
from experiments.schedules import Schedule, State, constant
from experiments.trajectory import Row, Trajectory

log = logging.getLogger("armonica")

NUMBER = int | float | np.integer | np.floating
FAR = 1 << 30  # steps, beyond any piece


@runtime_checkable
class System(Protocol):
    """Anything that learns: `n_replicas` machines, side by side, from the same data (see docs: the System protocol).

    It may also have `measure()` and `measure_noise()`, recorded at looks, and what `experiments.abilities` names:
    outputs, activations, gradient, loss_on, which some measurements ask for.
    """

    n_replicas: int

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """Make n moves at `rate`, a number or (n_replicas,); the losses before each, (n, n_replicas)."""
        ...

    def loss(self) -> NDArray[np.float64]:
        """The losses now, (n_replicas,)."""
        ...

    def noise(self) -> NDArray[np.float64]:
        """Gamma by group, (n_replicas, n_groups)."""
        ...

    def weights(self) -> NDArray[np.floating]:
        """A copy of the weights, (n_replicas, n_weights)."""
        ...

    def put(self, weights: ArrayLike) -> None:
        """Set the weights."""
        ...

    def layout(self) -> dict[str, Group]:
        """Group -> slice, shape, period."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Arrays to go on from, bit for bit; replicas along the first axis of each."""
        ...

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from a `state()`."""
        ...

    def clone(self, seed: int) -> "System":
        """A copy in the same state that goes on with other noise."""
        ...


@dataclass(frozen=True)
class Until:
    """When to stop: at the first of these that is reached. How long is not what: a longer run goes on from a shorter.

    Attributes:
        steps: number of updates.
        time: proper time, reached by every replica that still moves.
        loss: reached, at one look, by every replica that still moves.
    """

    steps: int | None = None
    time: float | None = None
    loss: float | None = None

    def __post_init__(self) -> None:
        """Refuse a run without an end.

        Raises:
            InputError: no end, or one that is not a number >= 0.
        """
        given = {name: value for name in ("steps", "time", "loss") if (value := getattr(self, name)) is not None}
        if not given:
            raise InputError("until: give steps, time or loss; got none, and the run would never end")
        for name, value in given.items():
            number = isinstance(value, NUMBER) and not isinstance(value, bool)
            if not number or not -inf < value < inf or (name != "loss" and value < 0):
                least = "" if name == "loss" else " of at least 0"
                raise InputError(f"until: {name} is a finite number{least}; got {value!r}")
        if not isinstance(self.steps, Integral | None):
            raise InputError(f"until: steps is a whole number; got {self.steps!r}")

    def met(self, step: int, time: NDArray[np.float64], loss: NDArray[np.float64]) -> bool:
        """Whether a run is to stop: its step, and time and last looked loss of the replicas that still move."""
        if self.steps is not None and step >= self.steps:
            return True
        if not len(time):
            return False
        in_time = self.time is not None and bool((time * (1 + NEAR) >= self.time).all())
        return in_time or (self.loss is not None and bool((loss <= self.loss).all()))


class Progress(NamedTuple):
    """What a callback sees, a few times a second: where the run stands, each array (n_replicas,)."""

    step: int
    time: NDArray[np.float64]
    loss: NDArray[np.float64]
    rate: NDArray[np.float64]


Callback = Callable[[Progress], bool | None]


class NothingMoves(InputError):
    """No replica moves any more, frozen or given up by the schedule; `trajectory` holds what was recorded."""

    def __init__(
        self, frozen_at: NDArray[np.int64], given_up: NDArray[np.bool_], trajectory: Trajectory, advice: str
    ) -> None:
        """Say at which steps, and which of the two it was."""
        steps = [str(step) for step in frozen_at[~given_up]]
        what = [f"{len(steps)} became non-finite, at step {', '.join(steps)}"] if steps else []
        what += [f"{given_up.sum()} was given up: it spikes at any rate"] if given_up.any() else []
        super().__init__(
            f"a loss that stays finite was expected; of {len(frozen_at)} replica(s) {' and '.join(what)}. The last "
            f"finite state is kept: {advice}"
        )
        self.trajectory = trajectory


def learn(
    system: System,
    schedule: Schedule | float,
    look: Looks | None = None,
    *,
    until: Until | float,
    checkpoint: Recorder | None = None,
    callback: Callback | None = None,
) -> Trajectory:
    """Let `system` learn until `until`, looking now and then.

    Args:
        system: moved in place.
        schedule: a number is a constant rate.
        look: when to write down loss, noise and weights; by default the loss, 20 times a decade of proper time.
        until: a number is a proper time.
        checkpoint: where the run is written; None keeps it in memory. A run found there is gone on with.
        callback: called between pieces of about a quarter of a second; the run stops (to be continued) where it
            returns True.

    Returns:
        All looks of the run, from its beginning.

    Raises:
        InputError: the run found at `checkpoint` is another system's, schedule's or cadence's, or damaged; or it could
            never end, for its looks do before its loss is reached.
        NothingMoves: no replica is left whose loss is finite; it carries the trajectory until then.
    """
    _check_system(system)
    schedule = constant(float(schedule)) if isinstance(schedule, NUMBER) else schedule
    until = Until(time=float(until)) if isinstance(until, NUMBER) else until
    look, checkpoint = Looks() if look is None else look, Record() if checkpoint is None else checkpoint
    kinds = (("schedule", schedule, Schedule), ("look", look, Looks), ("until", until, Until))
    for name, value, kind in (*kinds, ("checkpoint", checkpoint, Recorder)):
        if not isinstance(value, kind):
            raise InputError(f"{name} should be a {kind.__name__} (see experiments.learn); got {type(value).__name__}")
    if callback is not None and not callable(callback):
        raise InputError(f"callback is a function of Progress; got {type(callback).__name__}")
    learner = Learner(system, schedule, look, until, checkpoint)
    learner.run(callback)
    trajectory = learner.recorder.trajectory()
    if learner.step > 0 and not learner.able.any():
        advice = "start anew with a lower rate"
        advice += "" if schedule.listens else ", or with a schedule that halves it at spikes (halve_at_spikes)"
        raise NothingMoves(learner.frozen_at, learner.rate == 0, trajectory, advice)
    return trajectory


def _check_system(system: object) -> None:
    """Refuse what does not keep the promises of a System, as far as can be seen from outside."""
    promised = ("step", "loss", "noise", "weights", "put", "layout", "state", "restore", "clone")
    missing = [name for name in promised if not callable(getattr(system, name, None))]
    missing += [] if isinstance(getattr(system, "n_replicas", None), Integral) else ["n_replicas"]
    if missing:
        raise InputError(f"a System has {', '.join(promised)}; {type(system).__name__} lacks {', '.join(missing)}")


class Learner:
    """A run in progress. All that it needs to go on lies in the arrays that `checkpoint` names."""

    piece_seconds = 0.25
    forever = -1  # steps_left of a schedule that is never asked again

    def __init__(self, system: System, schedule: Schedule, look: Looks, until: Until, recorder: Recorder) -> None:
        """A run at its beginning, or where the recorder left it."""
        self.system, self.schedule, self.look, self.until, self.recorder = system, schedule, look, until, recorder
        n = system.n_replicas
        self.step, self.steps_left = 0, 0
        self.rate, self.since_step, self.since_time = np.zeros(n), np.zeros(n, np.int64), np.zeros(n)
        self.heard = np.empty((0, n))
        self.last_loss, self.frozen_at = system.loss(), np.full(n, -1)
        self.schedule_state, self.kept_time = schedule.start(n), np.zeros(n)
        self.kept: State = system.state() if schedule.listens else {}  # large, so only where it can be asked for
        saved = recorder.begin(system)
        if saved is None:
            self._write(noise=True, weights=True)
        else:
            self._restore(saved)

    @property
    def time(self) -> NDArray[np.float64]:
        """Proper time of each replica: tau = n * rate since the rate last changed, not an accumulated sum."""
        return self.since_time + (self.step - self.since_step) * self.rate

    def run(self, callback: Callback | None) -> None:
        """Go on until the end, or until the callback says stop; the last state is checkpointed either way."""
        pace, stopped = 1, False
        while not (stopped or self._ended()):
            if self.steps_left == 0:
                self._ask()
            started, n = clock.monotonic(), min(pace, self._steps_to_next_stop())
            self._advance(n)
            self.recorder.maybe_save(self.checkpoint)
            progress = Progress(self.step, self.time, self.last_loss.copy(), self.rate.copy())
            stopped = bool(callback and callback(progress))
            pace = _next_pace(n, clock.monotonic() - started, self.piece_seconds)
        self.recorder.save(self.checkpoint())

    # The schedule

    def _ask(self) -> None:
        """Give the schedule the losses since it was last asked, and that of now; do what it orders."""
        heard = np.concatenate([self.heard, self._present_loss()[None]]) if self.schedule.listens else self.heard
        order, self.schedule_state = self.schedule(self.schedule_state, heard)
        now, rewind = self.time, order.rewind
        if rewind.any():
            self.system.restore(_mixed(rewind, self.kept, self.system.state()))
            self.frozen_at = np.where(rewind, np.where(order.rate > 0, -1, self.step), self.frozen_at)
            now = np.where(rewind, self.kept_time, now)
        changed = rewind | (order.rate != self.rate)
        self.since_step = np.where(changed, self.step, self.since_step)
        self.since_time = np.where(changed, now, self.since_time)
        for replica in np.flatnonzero((order.rate == 0) & (self.rate > 0)):
            log.warning("replica %d is given up at step %d: it spikes at any rate", replica, self.step)
        self.rate = np.array(order.rate, np.float64)
        self.heard, self.steps_left = self.heard[:0], order.n_steps or self.forever
        if order.keep.any():
            self.kept = _mixed(order.keep, self.system.state(), self.kept)
            self.kept_time = np.where(order.keep, now, self.kept_time)
        if rewind.any():
            self._write(noise=False, weights=False)

    # Moving and looking

    def _advance(self, n: int) -> None:
        """Make n steps, at the end of which there may be a look."""
        before, moving = self.time, self.moving
        losses = self.system.step(self.rate, n)
        self._freeze(losses)
        self.step += n
        if self.steps_left != self.forever:
            self.steps_left -= n
            self.heard = np.concatenate([self.heard, losses]) if self.schedule.listens else self.heard
        self.last_loss = losses[-1]
        moving &= self.frozen_at < 0  # one that froze in this piece has no look: rows know nothing of pieces
        due = [_due(cadence, before[moving], self.time[moving]) for cadence in self.look.cadences]
        if any(due):
            self._write(noise=due[1], weights=due[2])

    def _freeze(self, losses: NDArray[np.float64]) -> None:
        """Note at which step a replica stopped being finite."""
        newly = ~np.isfinite(losses).all(0) & (self.frozen_at < 0)
        at_step = self.step + np.isfinite(losses).argmin(0)
        self.frozen_at = np.where(newly, at_step, self.frozen_at)
        for replica in np.flatnonzero(newly):
            log.warning(
                "replica %d became non-finite at step %d: it stays at its last finite state", replica, at_step[replica]
            )

    @property
    def moving(self) -> NDArray[np.bool_]:
        """Which replicas still move."""
        return (self.frozen_at < 0) & (self.rate > 0)

    @property
    def able(self) -> NDArray[np.bool_]:
        """Which replicas move, or may be sent back and move again."""
        return self.moving | ((self.rate > 0) & self.schedule.listens)

    def _write(self, *, noise: bool, weights: bool) -> None:
        """One row: the losses always, the rest where it is due."""
        self.last_loss = self._present_loss()
        row: Row = {"step": self.step, "time": self.time, "rate": self.rate, "loss": self.last_loss}
        if noise:
            row["noise"] = self.system.noise()
        measured = {}
        for due, name in ((True, "measure"), (noise, "measure_noise")):
            if due and hasattr(self.system, name):
                measured |= getattr(self.system, name)()
        if measured:
            row["measured"] = measured
        self.recorder.append(row, self.system.weights() if weights else None)

    def _present_loss(self) -> NDArray[np.float64]:
        """The loss of each replica as it is now, NaN where it is frozen, (n_replicas,)."""
        loss = self.system.loss()
        self._freeze(loss[None])
        return np.where(self.frozen_at < 0, loss, np.nan)

    def _steps_to_next_stop(self) -> int:
        """Steps until the next look, the next question to the schedule, or the end; at least 1."""
        steps = [FAR, *([self.steps_left] if self.steps_left > 0 else [])]
        if self.until.steps is not None:
            steps.append(self.until.steps - self.step)
        for time, rate in zip(self.time[self.moving].tolist(), self.rate[self.moving].tolist(), strict=True):
            stops = [cadence.after(time) for cadence in self.look.cadences]
            if self.until.time is not None and self.until.time > time * (1 + NEAR):
                stops.append(self.until.time)
            steps += [_steps_between(time, stop, rate) for stop in stops if stop < inf]
        return min(steps)

    def _ended(self) -> bool:
        """Whether the end is reached, or no replica will ever move again."""
        if self.step > 0 and not self.able.any():
            return True
        going = self.frozen_at < 0
        return self.until.met(self.step, self.time[going], self.recorder.last_looked_loss()[going])

    # Going on

    def checkpoint(self) -> dict[str, NDArray[Any]]:
        """Everything a resumed run needs."""
        own = {name: np.array(getattr(self, name)) for name in self._saved} | {"asked": np.array(self._asked())}
        parts = {"learner": own, "system": self.system.state(), "schedule": self.schedule_state}
        if self.schedule.listens:
            parts["kept"] = self.kept
        return {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}

    def _asked(self) -> str:
        """Schedule and looks in words: a run goes on only by its own."""
        return json.dumps({"schedule": self.schedule.describe(), "look": self.look.describe()}, sort_keys=True)

    _saved = (
        "step",
        "steps_left",
        "rate",
        "since_step",
        "since_time",
        "heard",
        "last_loss",
        "frozen_at",
        "kept_time",
    )

    def _restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        own = part(saved, "learner")
        if str(own["asked"]) != self._asked():
            raise InputError(f"the run learned by {own['asked']}; got {self._asked()}: begin another, or ask the same")
        for name in self._saved:
            setattr(self, name, int(own[name]) if name in ("step", "steps_left") else own[name])
        self.schedule_state = part(saved, "schedule")
        self.kept = part(saved, "kept") or self.kept
        self.system.restore(part(saved, "system"))


def part(saved: Mapping[str, NDArray[Any]], of: str) -> dict[str, NDArray[Any]]:
    """The arrays of one part of a checkpoint: learner, system, schedule, kept."""
    return {name.split(".", 1)[1]: value for name, value in saved.items() if name.startswith(of + ".")}


def _mixed(which: NDArray[np.bool_], state: State, other: State) -> State:
    """`state` for the replicas `which`, `other` for the rest."""
    return {
        name: np.where(which.reshape(-1, *[1] * (array.ndim - 1)), array, other[name]) for name, array in state.items()
    }


def _due(cadence: Cadence, before: NDArray[np.float64], now: NDArray[np.float64]) -> bool:
    """Whether a replica has reached a look since `before`."""
    return any(time * (1 + NEAR) >= cadence.after(start) for start, time in zip(before, now, strict=True))


def _steps_between(time: float, stop: float, rate: float) -> int:
    """Whole steps from `time` until `stop` is reached."""
    ahead = stop - time - NEAR * stop
    return max(1, ceil(ahead / rate)) if ahead < FAR * rate else FAR


def _next_pace(n: int, seconds: float, wanted: float) -> int:
    """How many steps make a piece of the wanted length, growing at most fourfold."""
    return max(1, min(4 * n, int(n * wanted / max(seconds, 1e-6))))
