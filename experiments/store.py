"""Answers: a Store is a folder of runs by the key of their Task.

Running a study again does only what is missing; merging two machines is copying folders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from encoding import Chorale, InputError
from encoding.chorales import sha256
from encoding.digits import Digits
from encoding.files import expanded
from experiments.checkpoints import good_checkpoint, has_checkpoint, vouch
from experiments.images import Images
from experiments.learner import Callback, Progress, part
from experiments.learning import learn
from experiments.observables import irreducible_loss
from experiments.run_files import read_json, read_trajectory
from experiments.run_folder import RunFolder
from experiments.system import System
from experiments.systems import family, typed_settings
from experiments.task import Music, Task, read_task, write_task
from experiments.trajectory import Trajectory
from experiments.until import NUMBER, Until

MOST_STEPS = 1 << 62  # of a run


@dataclass(frozen=True)
class Run:
    """A run as it lies on disk: what was asked, and what happened."""

    path: Path
    task: dict[str, Any]
    trajectory: Trajectory
    unit: str

    def __repr__(self) -> str:
        """Where it lies, what learned, and how far."""
        return f"<Run: {self.path}, {self.task['system']}, {self.task['n_replicas']} replica(s), {self.trajectory!r}>"

    def chorales(self) -> list[Chorale]:
        """The music that was learned from, as `irreducible_loss` and the baselines take it.

        Raises:
            InputError: the system learned from none, or its source gives other notes now.
        """
        if self.task["music"] is None:
            raise InputError(f"{self.path}: {self.task['system']} learned from no music")
        music = Music(**self.task["music"])
        found = music.load()
        if sha256(found) != self.task["data"]:
            raise InputError(f"{self.path} learned from other notes than {music} gives now: give the same data again")
        return found

    def digits(self) -> Digits:
        """The digits that were learned from.

        Raises:
            InputError: the system learned from none, or their source gives others now.
        """
        if self.task.get("images") is None:
            raise InputError(f"{self.path}: {self.task['system']} learned from no digits")
        images = Images(**self.task["images"])
        if images.digits.sha256 != self.task["data"]:
            raise InputError(f"{self.path} learned from other digits than {images} gives now: give the same data again")
        return images.digits


class Store:
    """A folder of runs, one folder a key."""

    def __init__(self, path: str | Path = "runs") -> None:
        """The store at `path`, made when something is first learned."""
        self.path = expanded(path)

    def folder(self, task: Task) -> Path:
        """Where the run of this task lies, or will."""
        return self.path / task.key

    def learn(
        self,
        task: Task,
        *,
        until: Until | float,
        callback: Callback | None = None,
        save_every: float = 30.0,
        kernel: str | None = None,
        device: str = "cpu",
        allow_other_kernel: bool = False,
        begun: Callable[[Path, System], None] | None = None,
    ) -> Run:
        """Learn until `until`, from where the run of this task stands.

        Args:
            task: the question.
            until: when to stop; a number is a proper time.
            callback: see `experiments.learn`.
            save_every: seconds between checkpoints, the first of which come sooner.
            kernel: what computes, no part of the question; None: the best that can run on the device.
            device: where: `"cpu"`, `"cuda"`, ...
            allow_other_kernel: go on even where another kernel made the run so far.
            begun: told the folder and the system as soon as it stands; before, nothing is written.

        Raises:
            InputError: see `experiments.learn` and `experiments.run_folder`.
            OSError: the disk is full, or the store cannot be written.
        """
        until = Until(time=float(until)) if isinstance(until, NUMBER) else until
        _check_reachable(task, until)
        system, path = task.build(kernel, device), self.folder(task)
        system.loss()  # what cannot be computed leaves no folder behind
        if begun:
            begun(path, system)
        path.mkdir(parents=True, exist_ok=True)
        write_task(path / "task.json", task)
        name = getattr(system, "kernel", "plain")
        recorder = RunFolder(
            path, key=task.key, save_every=save_every, kernel=name, allow_other_kernel=allow_other_kernel
        )
        try:
            learn(system, task.schedule, task.look, until=until, checkpoint=recorder, callback=callback)
        finally:
            recorder.close()
        return load_run(path)

    def runs(self) -> list[Path]:
        """The folders of all runs, oldest first."""
        tasks = self.path.glob("*/task.json")
        return [path.parent for path in sorted(tasks, key=lambda path: path.stat().st_mtime)]

    def find(self, name: str) -> Path:
        """The run called `name`: a path, a key or the beginning of one, or "latest".

        Raises:
            InputError: there is none, or more than one.
        """
        if str(name) and (expanded(name) / "task.json").exists():
            return expanded(name)
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"a store is a folder of runs; {self.path} is a file")
        name, runs = str(name), [path for path in self.runs() if _has_rows(path)]
        if name == "latest" and runs:
            return max(runs, key=_learned_at)
        found = [path for path in runs if path.name.startswith(name)]
        if len(found) == 1:
            return found[0]
        for place in (self.path / name, expanded(name)) if name else ():
            _check_folder(place)
        there = ", ".join(path.name for path in runs[-5:]) or "no run"
        which = f"{len(found)} runs begin so" if found else f"the store {self.path} holds {there}"
        raise InputError(f"a run is a folder, a key of the store, or 'latest'; got {name!r}: {which}")


def load_run(path: str | Path) -> Run:
    """The run in a folder, whether it has ended or not.

    Raises:
        InputError: no run is there, or it is damaged, of another version, or no folder.
    """
    folder = expanded(path)
    _check_folder(folder)
    task = read_task(folder)
    vouch(folder, task["key"])
    described = read_json(folder / "layout.json")
    return Run(folder, task, read_trajectory(folder), str(described.get("unit", "")))


def standing(path: Path, key: str) -> Progress | None:
    """Where the run in a folder stands, by its newest checkpoint; None if it has not begun.

    `loss` is that of its last look, NaN where a replica is frozen or given up.

    Raises:
        InputError: the run is damaged, or another.
    """
    _check_folder(path)
    if not has_checkpoint(path):
        return None
    own = part(good_checkpoint(path, key, weights=False)[1], "learner")
    step = int(own["step"])
    trajectory = read_trajectory(path)
    looked = trajectory.loss[np.flatnonzero(trajectory.step <= step)[-1]]
    moving = (own["frozen_at"] < 0) & (own["rate"] > 0)
    time = own["since_time"] + (step - own["since_step"]) * own["rate"]
    return Progress(step, time, np.where(moving, looked, np.nan), own["rate"])


def system_of(run: Run, look: int | None = None) -> System:
    """The system of a run: as its last checkpoint left it, or with the weights of its `look`-th look at them.

    Raises:
        InputError: no checkpoint yet, no such look, or music or digits that are not the same any more.
    """
    task = run.task
    data = run.chorales() if task["music"] else run.digits() if "images" in task else None
    kind, settings = family(task["system"]), typed_settings(task["system"], task["settings"])
    if task["physics"] != kind.physics:
        raise InputError(f"{run.path} has equations of version {task['physics']}; this armonica has {kind.physics}")
    seed, n_replicas = task["seed"], task["n_replicas"]
    system = kind.build(data, settings, seed=seed, n_replicas=n_replicas, kernel="plain")
    if look is None:
        system.restore(part(good_checkpoint(run.path, run.task["key"])[1], "system"))
    elif not -len(run.trajectory.weights) <= look < len(run.trajectory.weights):
        raise InputError(f"{run.path} took its weights at {len(run.trajectory.weights)} looks; got look {look}")
    else:
        system.put(run.trajectory.weights[look])
    return system


def check_countable(until: Until, rate: float) -> None:
    """Refuse a run of more steps than can be counted at `rate`, its highest.

    Raises:
        InputError: no end comes within 2^62 steps.
    """
    by_time = inf if until.time is None else until.time / rate
    steps = min(by_time, inf if until.steps is None else until.steps)
    if until.loss is None and steps > MOST_STEPS:
        asked = f"{until.steps} steps" if until.time is None else f"time {until.time:g} at rate {rate:g}"
        raise InputError(f"a run ends within 2^62 steps; got {asked}: ask for less, or for a larger rate")


def _check_folder(path: Path) -> None:
    """Refuse a file in the place of a run."""
    if path.exists() and not path.is_dir():
        raise InputError(f"a run is a folder; {path} is a file: move it aside")


def _has_rows(path: Path) -> bool:
    """Whether anything was learned there; a process that is killed early leaves a folder without.

    A checkpoint without the rows that it vouches for is a run too, a damaged one.
    """
    rows = path / "trajectory.jsonl"
    return has_checkpoint(path) or (rows.exists() and rows.stat().st_size > 0)


def _highest_rate(schedule: dict[str, Any]) -> float:
    """The highest rate of a schedule, as it describes itself; 1 where it does not say."""
    return max([schedule.get("rate", 1.0)] if "rates" not in schedule else schedule["rates"])


def _check_reachable(task: Task, until: Until) -> None:
    """Refuse a run that could never end: too many steps, or a loss, and nothing else, below what the music sets."""
    check_countable(until, _highest_rate(task.question()["schedule"]))
    learns_nll = task.chorales is not None and task.settings.get("cost") == "nll"
    if learns_nll and until.loss is not None and until.time is None and until.steps is None:
        floor = irreducible_loss(task.chorales or [])
        if until.loss < floor:
            raise InputError(f"no machine comes below {floor:.5f} on these chorales; got until loss {until.loss:g}")


def _learned_at(path: Path) -> float:
    """When the run last went on; looking at it is not learning."""
    files = (path / name for name in ("task.json", "trajectory.jsonl", "checkpoint.npz"))
    return max(file.stat().st_mtime for file in files if file.exists())
