"""A run in progress: pieces of many steps, cut where a look, a question to the schedule or the end comes.

How pieces are cut further (by the clock, for checkpoints and progress) changes no number.
"""

import json
import logging
import time as clock
from collections.abc import Callable, Mapping
from math import ceil, inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.looks import NEAR, Cadence, Looks
from experiments.recording import Recorder
from experiments.schedules import Schedule, State
from experiments.system import System
from experiments.trajectory import Row
from experiments.until import Until

log = logging.getLogger("armonica")

FAR = 1 << 30  # steps, beyond any piece


class Progress(NamedTuple):
    """What a callback sees, a few times a second: where the run stands, each array (n_replicas,)."""

    step: int
    time: NDArray[np.float64]
    loss: NDArray[np.float64]
    rate: NDArray[np.float64]


Callback = Callable[[Progress], bool | None]


class Learner:
    """A run in progress. All that it needs to go on lies in the arrays that `checkpoint` names."""

    piece_seconds = 0.25
    forever = -1  # steps_left of a schedule that is never asked again

    def __init__(self, system: System, schedule: Schedule, look: Looks, until: Until, recorder: Recorder) -> None:
        """A run at its beginning, or where the recorder left it."""
        self.frozen_means: str = getattr(system, "frozen_means", "became non-finite")
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
                "replica %d %s, at step %d: it stays at its last finite state",
                replica,
                self.frozen_means,
                at_step[replica],
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
