"""A sweep at a terminal: what is missing, how long it may take, and a line for every run that ends."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress

import numpy as np

from encoding import InputError
from experiments.asking import fewer_than_asked
from experiments.figures.answers import SIZES, word
from experiments.session import CONSOLE, Bar, stoppable, warnings_shown
from experiments.store import Store
from experiments.study import Planned, Study
from experiments.sweep import State, begin_worker, estimate, states, sweep
from experiments.systems import family
from experiments.task import Music

MOST_JOBS = 1024
MINUTE = 60.0


def described(planned: Planned, study: Study) -> str:
    """A run in words: the system and the settings that differ within its runs of the study, or are always said."""
    settings = planned.task.settings
    kin = [other.task.settings for other in study.planned if other.task.system == planned.task.system]
    differ = [
        name for name, value in settings.items() if name in SIZES or any(other.get(name) != value for other in kin)
    ]
    words = [f"{name} {_said(settings[name])}" for name in differ if settings[name] is not None]
    words += [word("music", planned.task.music)] if len(musics(study)) > 1 else []
    return f"{planned.task.system} {', '.join(words)}, {planned.task.n_replicas} replica(s), rate {planned.rate:g}"


def _said(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def dry_run(study: Study, store: Store) -> None:
    """Say how many runs, how many steps and about how many hours are missing; nothing is learned."""
    there = states(study, store)
    steps = seconds = 0.0
    for state in there:
        left = estimate(state)
        steps, seconds = steps + left.steps, seconds + left.seconds
        shown = state.over or f"{left.steps:.3g} steps, {_duration(left.seconds)}"
        print(f"{store.folder(state.planned.task).name}  {described(state.planned, study)}: {shown}", flush=True)
    for line in filter(None, (fewer_than_asked(music) for music in musics(study))):
        print(line)
    missing = sum(not state.over for state in there)
    if not missing:
        print(f"{study.name} at scale {study.scale}: nothing is missing of its {len(there)} runs")
        return
    print(
        f"{study.name} at scale {study.scale}: {missing} of {len(there)} runs missing, {steps:.3g} steps, "
        f"about {_duration(seconds)} of steps alone, one run after the other; looks and compilation come on top, and a "
        "loss aimed at may end a run sooner"
    )


def musics(study: Study) -> list[Music]:
    """What the runs of a study learn from, each once."""
    return list(dict.fromkeys(each.task.music for each in study.planned if each.task.music is not None))


def sweep_session(study: Study, store: Store, *, jobs: int = 1) -> int:
    """Make the missing runs with a bar; Ctrl-C stops after the present piece, with everything saved.

    Returns:
        The exit code: 0, or 128 + the signal that stopped it; 1 if a run diverged.
    """
    if not 1 <= jobs <= MOST_JOBS:
        raise InputError(f"jobs is a number of processes, from 1 to {MOST_JOBS}; got {jobs}")
    there = states(study, store)
    todo = [state for state in there if not state.over]
    _say(f"{study.name} at scale {study.scale}: {len(there)} runs, {len(todo)} to make or go on with, in {store.path}")
    with warnings_shown(), stoppable() as stop:
        made = 0
        for state in _alone(study, store, stop) if jobs == 1 else _beside(study, store, stop, jobs):
            made += 1
            _say(f"[{made}/{len(todo)}] {_result(state, study)}")
    if stop.signal:
        return 128 + stop.signal
    diverged = [state for state in states(study, store) if state.over == "diverged"]
    for state in diverged:
        means = getattr(family(state.planned.task.system), "frozen_means", None)  # it has not diverged: spikes are none
        over, cure = (means, "a lower rate") if means else ("diverged", 'a lower rate, or schedule = "spikes"')
        _say(f"{over}: {described(state.planned, study)}: {cure}")
    return 1 if diverged else 0


def _alone(study, store, stop):
    """In this process, a bar for each run."""
    bars: list[Bar] = []

    def begin(state: State) -> Bar:
        _say(f"{store.folder(state.planned.task).name}  {described(state.planned, study)}")
        for bar in bars:
            bar.progress.stop()
        bars.append(Bar(state.planned.until, stop))
        bars[-1].progress.start()
        return bars[-1]

    try:
        for state in sweep(study, store, callback=begin, stop=lambda: bool(stop.signal)):
            bars[-1].progress.stop()
            yield state
    finally:
        for bar in bars:
            bar.progress.stop()


def _beside(study, store, stop, jobs):
    """In `jobs` processes, which share the cores."""
    context = multiprocessing.get_context("spawn")
    stopped = context.Event()
    stop.also = stopped.set
    threads = max(1, (os.cpu_count() or 1) // jobs)
    try:
        with (
            _said_now_and_then(study, store),
            ProcessPoolExecutor(jobs, context, begin_worker, (stopped, threads, os.getpid())) as executor,
        ):
            try:
                yield from sweep(study, store, executor=executor, stop=lambda: bool(stop.signal))
            finally:
                stopped.set()  # whatever ended the sweep: nobody is waited for longer than a piece of a run
    except BrokenProcessPool:
        raise InputError(
            "a process of the sweep was killed (was memory short?); nothing is lost: the same command goes on, with "
            "fewer jobs if need be"
        ) from None


@contextmanager
def _said_now_and_then(study: Study, store: Store) -> Iterator[None]:
    """A line a minute on the runs that other processes are at, as far as their checkpoints tell."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(MINUTE):
            with suppress(InputError, OSError):  # a checkpoint may be put in place at this moment
                going = [state for state in states(study, store) if state.standing is not None and not state.over]
                for state in going:
                    _say(_result(state, study).replace("stopped, to be gone on with", "under way"))

    told = threading.Thread(target=watch, daemon=True)
    told.start()
    try:
        yield
    finally:
        over.set()
        told.join()


def _result(state: State, study: Study) -> str:
    now = state.standing
    if now is None:
        return f"{described(state.planned, study)}: not begun"
    known = now.loss[np.isfinite(now.loss)]
    loss = f", loss {known.mean():.4g}" if len(known) else ""
    how = {"busy": "left to the process that is at it", "": "stopped, to be gone on with"}.get(state.over, state.over)
    return f"{described(state.planned, study)}: {how} at τ = {np.min(now.time):.6g}, step {now.step}{loss}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _say(line: str) -> None:
    CONSOLE.print(line, highlight=False, soft_wrap=True, markup=False)
