"""Make what a study lacks: run after run, in this process or in several, stopped and started at any time.

Every run is a folder of the store, so a sweep has no state of its own: it looks at what is there, and makes the rest.
"""

import time as clock
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from typing import NamedTuple

import numpy as np

from encoding import InputError
from experiments.learner import Callback, Progress
from experiments.learning import NothingMoves
from experiments.run_folder import Busy
from experiments.store import Store, standing
from experiments.study import Planned, Study
from experiments.task import read_task

MEASURED = 0.3  # seconds of steps that an estimate rests on


class State(NamedTuple):
    """Where one run of a study stands.

    Attributes:
        planned: the run.
        standing: where it is, None if it has not begun.
        over: "done", "diverged" (nothing moves any more), "busy" (another process was at it), or "" where there is
            something left to do.
    """

    planned: Planned
    standing: Progress | None
    over: str


class Estimate(NamedTuple):
    """What is left of one run: steps, and seconds by a short measurement; a loss may be reached before that."""

    state: State
    steps: float
    seconds: float


def states(study: Study, store: Store) -> list[State]:
    """Where each run of the study stands in the store.

    Raises:
        InputError: a run there is damaged.
    """
    return [state_of(planned, store) for planned in study.planned]


def state_of(planned: Planned, store: Store) -> State:
    """Where one run stands.

    Raises:
        InputError: it is damaged.
    """
    path = store.folder(planned.task)
    now = standing(path, planned.task.key)
    if now is None:
        return State(planned, None, "")
    read_task(path)  # a run that cannot be read is not done
    moving = np.isfinite(now.loss)
    able = now.rate > 0 if getattr(planned.task.schedule, "listens", False) else moving
    if now.step > 0 and not able.any():
        return State(planned, now, "diverged")
    return State(planned, now, "done" if planned.until.met(now.step, now.time[moving], now.loss[moving]) else "")


def estimate(state: State) -> Estimate:
    """Steps and seconds that a run still takes, at most: its rate may fall (more steps), its loss be reached sooner.

    Raises:
        InputError: the run has no end but a loss, so no number of steps can be told.
    """
    until = state.planned.until
    if state.over:
        return Estimate(state, 0.0, 0.0)
    step, time, rate = 0, 0.0, state.planned.rate
    if state.standing is not None:
        moving = state.standing.rate > 0
        step, time = state.standing.step, float(np.min(state.standing.time[moving]))
        rate = float(np.min(state.standing.rate[moving]))
    ends = [] if until.time is None else [(until.time - time) / rate]
    ends += [] if until.steps is None else [until.steps - step]
    if not ends:
        raise InputError("an estimate needs an end in proper time or steps; the run ends at a loss alone: add a time")
    steps = max(0.0, float(min(ends)))
    return Estimate(state, steps, steps * _seconds_a_step(state))


def _seconds_a_step(state: State) -> float:
    """Measured on a fresh system of the run, after the first steps (which compile)."""
    system = state.planned.task.build()
    system.step(0.0, 2)
    n, started = 0, clock.perf_counter()
    while n == 0 or clock.perf_counter() - started < MEASURED:
        system.step(state.planned.rate, 4)
        n += 4
    return (clock.perf_counter() - started) / n


def make(planned: Planned, store: Store, *, callback: Callback | None = None) -> str:
    """Learn one run until its end, from where it stands.

    Returns:
        "done", "diverged", "busy" (another process learns it), or "" where the callback stopped it.

    Raises:
        InputError: see `Store.learn`.
    """
    try:
        store.learn(planned.task, until=planned.until, callback=callback)
    except NothingMoves:
        return "diverged"
    except Busy:
        return "busy"
    return state_of(planned, store).over


def sweep(
    study: Study,
    store: Store,
    *,
    executor: Executor | None = None,
    callback: Callable[[State], Callback | None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[State]:
    """Make the runs that are missing, one after the other or in an executor's processes; each one's state at its end.

    Args:
        study: what is needed.
        store: where the runs are.
        executor: any of `concurrent.futures`' kind (of dask, of a cluster); None: this process. Where its processes
            were not made ready by `begin_worker`, a run that has begun goes on to its end when `stop` says so.
        callback: for a run that begins here, the callback of its learning (not with an executor).
        stop: whether to begin no more runs.

    Raises:
        InputError: see `Store.learn`; in an executor, when that run's turn has come.
    """
    todo = [state for state in states(study, store) if not state.over]
    if executor is None:
        for state in todo:
            if stop():
                return
            over = make(state.planned, store, callback=callback(state) if callback else None)
            yield state_of(state.planned, store)._replace(over=over)
    else:
        yield from _everywhere(todo, store, executor, stop)


def _everywhere(todo: Sequence[State], store: Store, executor: Executor, stop: Callable[[], bool]) -> Iterator[State]:
    """All runs in the executor; those not begun are called off once `stop` says so, or one cannot be made."""
    asked: dict[Future[str], Planned] = {
        executor.submit(_make_there, state.planned, store): state.planned for state in todo
    }
    try:
        for future in as_completed(asked):
            if stop():
                return
            yield state_of(asked[future], store)._replace(over=future.result())
    finally:
        for future in asked:
            future.cancel()


STOPPED = None  # an event of the worker's pool, see `begin_worker`


def _make_there(planned: Planned, store: Store) -> str:
    """In a worker: make a run, unless the sweep was told to stop."""
    return "" if _heard() else make(planned, store, callback=_heard)


def _heard(now: Progress | None = None) -> bool:
    return STOPPED is not None and STOPPED.is_set()


def begin_worker(stopped, threads: int, parent: int) -> None:
    """Ready a process of a pool: it stops when `stopped` is set, not at Ctrl-C, and ends when its parent is gone."""
    import os
    import signal
    import threading

    global STOPPED
    STOPPED = stopped
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["ARMONICA_THREADS"] = str(threads)

    def watch() -> None:
        while os.getppid() == parent:
            clock.sleep(1.0)
        os._exit(1)  # killed at any line, a run loses nothing

    threading.Thread(target=watch, daemon=True).start()
