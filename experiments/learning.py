"""Learning, whatever it is that learns: make steps, look now and then, write down what happened.

A System is an ensemble of replicas. Between looks it is asked for many steps at once; how they are cut into pieces (by
the clock, for checkpoints and progress) changes no number.
"""

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.learner import Callback, Learner
from experiments.looks import Looks
from experiments.recording import Record, Recorder
from experiments.schedules import Schedule, constant
from experiments.system import System, check_system
from experiments.trajectory import Trajectory
from experiments.until import NUMBER, Until


class NothingMoves(InputError):
    """No replica moves any more, frozen or given up by the schedule; `trajectory` holds what was recorded."""

    def __init__(
        self,
        frozen_at: NDArray[np.int64],
        given_up: NDArray[np.bool_],
        trajectory: Trajectory,
        advice: str,
        frozen_means: str,
    ) -> None:
        """Say at which steps, and which of the two it was."""
        steps = [str(step) for step in frozen_at[~given_up]]
        what = [f"{len(steps)} {frozen_means}, at step {', '.join(steps)}"] if steps else []
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
    check_system(system)
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
        raise NothingMoves(learner.frozen_at, learner.rate == 0, trajectory, advice, learner.frozen_means)
    return trajectory
