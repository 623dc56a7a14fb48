"""A learning run at a terminal: a live bar, a clean stop at Ctrl-C, a table at the end."""

import logging
import signal
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from experiments.abilities import Sampling
from experiments.figures.of_run import draw_learning_curve
from experiments.learner import FAR
from experiments.learner import Progress as Standing
from experiments.observables import largest_stable_rate
from experiments.rate_scan import RateScan, check_losses, compare_scan, scan_curves, verdict
from experiments.rate_scan_files import check_target, write_scan
from experiments.store import Run, Store
from experiments.system import System
from experiments.task import Task
from experiments.until import Until

CONSOLE = Console(stderr=True)
LONGEST = 365 * 86400.0
ROSE = 0.2  # so much of the first loss above it, at any look, is called a rise
QUIET_SECONDS = 15.0  # between lines where there is no live terminal
FIRST_SECONDS = 3.0  # until the first of them, which then tells something


class Stop:
    """Which signal asked to stop: once is a wish, met after the present piece; twice, a KeyboardInterrupt."""

    signal = 0
    also: Callable[[], None] | None = None  # to be told of the first

    def __call__(self, number: int, frame: Any) -> None:
        """What happens at Ctrl-C and at SIGTERM."""
        if self.signal:
            raise KeyboardInterrupt
        self.signal = number
        if self.also:
            self.also()


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Ctrl-C and SIGTERM are wishes while this lasts."""
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Words(logging.Handler):
    """What the library has to say, a line each, above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it."""
        CONSOLE.print(record.getMessage(), highlight=False, soft_wrap=True)


@contextmanager
def warnings_shown() -> Iterator[None]:
    """What the library says to its log is shown while this lasts."""
    log, handler = logging.getLogger("armonica"), Words()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class Bar:
    """Proper time, loss and the time left; a live bar on a terminal, a line now and then elsewhere."""

    def __init__(self, until: Until, stop: Stop) -> None:
        """A bar for a run that ends at `until`, or when `stop` is asked for."""
        self.until, self.stop = until, stop
        self.live = CONSOLE.is_terminal
        columns = (BarColumn(), TextColumn("{task.description}"))
        self.progress = Progress(*columns, console=CONSOLE, transient=True, disable=not self.live)
        self.task = self.progress.add_task("starting", total=1.0)
        self.started, self.first_share = clock.monotonic(), None
        self.said = self.started - QUIET_SECONDS + FIRST_SECONDS
        self.last: Standing | None = None

    def __call__(self, standing: Standing) -> bool:
        """Show where the run stands; True where it should stop."""
        self.last, share = standing, self._share(standing)
        self.first_share = share if self.first_share is None else self.first_share
        line = self._line(standing, share)
        self.progress.update(self.task, completed=share, description=line)
        now = clock.monotonic()
        if not self.live and now - self.said > QUIET_SECONDS:
            self.said = now
            CONSOLE.print(line, highlight=False, soft_wrap=True)
        return bool(self.stop.signal)

    def restart(self) -> None:
        """From the beginning, for another run that ends alike."""
        self.started, self.first_share = clock.monotonic(), None

    def _share(self, standing: Standing) -> float:
        """How much of the run is done, by time or by steps; 0 where only a loss is aimed at."""
        if self.until.time:
            return min(1.0, float(np.min(standing.time)) / self.until.time)
        return min(1.0, standing.step / self.until.steps) if self.until.steps else 0.0

    def _line(self, standing: Standing, share: float) -> str:
        aim = f" / {self.until.time:g}" if self.until.time else ""
        loss = standing.loss[np.isfinite(standing.loss)]
        shown = f"{loss.mean():.4f}" if len(loss) else "not finite"
        return f"τ {float(np.min(standing.time)):.1f}{aim}  step {standing.step}  loss {shown}  {self._left(share)}"

    def _left(self, share: float) -> str:
        done = share - (self.first_share or 0.0)
        if done <= 0 or share >= 1:
            return ""
        seconds = (clock.monotonic() - self.started) * (1 - share) / done
        if seconds > LONGEST:
            return "more than a year left"
        return f"{int(seconds // 3600)}:{int(seconds // 60 % 60):02}:{int(seconds % 60):02} left"


def run_session(
    store: Store,
    task: Task,
    *,
    until: Until,
    save_every: float,
    kernel: str | None,
    device: str,
    allow_other_kernel: bool,
) -> int:
    """Learn with a bar, then report; Ctrl-C stops after the present piece, with everything saved.

    Returns:
        The exit code: 0, or 128 + the signal that stopped it.
    """
    with warnings_shown(), stoppable() as stop:
        bar = Bar(until, stop)
        with bar.progress:
            run = store.learn(
                task,
                until=until,
                callback=bar,
                save_every=save_every,
                kernel=kernel,
                device=device,
                allow_other_kernel=allow_other_kernel,
                begun=lambda path, system: _announce(path, system, task, until),
            )
    _report(run, bar.last)
    return 128 + stop.signal if stop.signal else 0


def scan_session(store: Store, scan: RateScan, picture: Path, **how: Any) -> int:
    """Learn at every rate with a bar, compare, and draw; the exit code as that of `run_session`."""
    check_target(picture)
    curves, until = [], Until(time=scan.until)
    with warnings_shown(), stoppable() as stop:
        check_losses(scan, how.get("kernel"), how.get("device", "cpu"))
        bar = Bar(until, stop)
        with bar.progress:
            for rate, curve in zip(sorted(set(scan.rates)), scan_curves(scan, store, bar, **how), strict=True):
                if stop.signal:
                    return 128 + stop.signal
                CONSOLE.print(f"rate {rate:g}: {curve.n_looks} looks", highlight=False)
                curves.append(curve)
                bar.restart()
    compared = compare_scan(scan, curves)
    write_scan(scan, compared, picture)
    console = Console(width=200) if not CONSOLE.is_terminal else Console()
    console.print(f"against rate {min(scan.rates):g}, from τ = {scan.since:g} to {scan.until:g}:", highlight=False)
    for each in compared:
        console.print(verdict(each), highlight=False, soft_wrap=True)
    largest = largest_stable_rate(compared)
    said = f"{largest:g}" if largest else f"none of them; {min(scan.rates):g} is the smallest seen"
    console.print(f"largest rate within {100 * scan.tolerance:g} %: {said}", highlight=False, soft_wrap=True)
    console.print(f"picture: {picture}; numbers: {picture.with_suffix('.json')}", highlight=False, soft_wrap=True)
    return 0


def _announce(path: Path, system: System, task: Task, until: Until) -> None:
    """Say where the run lies, and what its circuits would cost where a number of shots is taken of each."""
    CONSOLE.print(f"run {path}", highlight=False, soft_wrap=True)
    plan = system.plan() if isinstance(system, Sampling) else None
    if plan is None:
        return
    shots = "exact averages" if plan.shots is None else f"{plan.shots:,} shots"
    each = f"{plan.circuits:,} circuits in {plan.jobs:,} job(s) one after the other, {shots}"
    CONSOLE.print(f"a step of a replica takes {each}", highlight=False, soft_wrap=True)
    rate = getattr(task.schedule, "rate", None)
    steps = until.steps if until.time is None or not rate else min(until.steps or FAR, ceil(until.time / rate))
    if steps:
        total = f"{plan.circuits * steps * task.n_replicas:,} circuits; looks at loss and noise come on top"
        CONSOLE.print(f"{steps:,} steps of {task.n_replicas} replica(s): {total}", highlight=False, soft_wrap=True)


def _report(run: Run, now: Standing | None) -> None:
    """Draw the learning curve; print the last look, and where the run stands now."""
    trajectory, picture = run.trajectory, run.path / "learning_curve.png"
    drawable = bool((np.isfinite(trajectory.loss) & (trajectory.time > 0)).any())
    if drawable:
        draw_learning_curve(run, picture)
    table = Table(title=f"{run.task['system']} at its last look: loss in {run.unit}")
    for heading in ("replica", "step", "τ", "rate", "loss", *_scalars(run)):
        table.add_column(heading, justify="right")
    for replica in range(trajectory.n_replicas):
        last = np.flatnonzero(trajectory.valid[:, replica])[-1]
        numbers = [trajectory.time[last, replica], trajectory.rate[last, replica], trajectory.loss[last, replica]]
        rest = [trajectory.measured[name][last, replica] for name in _scalars(run)]
        table.add_row(str(replica), str(trajectory.step[last]), *(f"{number:.4g}" for number in [*numbers, *rest]))
    console = Console()
    console.print(table)
    if now is not None:
        console.print(f"now at step {now.step}, τ = {np.min(now.time):.6g}", highlight=False, soft_wrap=True)
    start, highest = trajectory.loss[0], np.nanmax(trajectory.loss, axis=0)
    if (highest > start + ROSE * np.abs(start)).any():
        rose = f"{highest.max():.4g}, from {start.max():.4g} at the start"
        console.print(f"the loss rose to {rose}: the rate is too large", highlight=False, soft_wrap=True)
    console.print(f"looks and checkpoint: {run.path}", highlight=False, soft_wrap=True)
    shown = f"picture: {picture}" if drawable else "no picture: the run has not come to its first look after time 0"
    console.print(shown, highlight=False, soft_wrap=True)


def _scalars(run: Run) -> list[str]:
    return [name for name, values in run.trajectory.measured.items() if values.ndim == 2]
