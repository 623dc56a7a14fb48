"""Questions and answers: a Task is a frozen question, a Store a folder of runs by the key of their Task.

The key is a fingerprint of everything that fixes the numbers: system, settings, data, schedule, looks, seed, number of
replicas, physics version, sampler. Not in it: how long (a longer run goes on from the shorter), the kernel, the device.
Running a study again does only what is missing; merging two machines is copying folders.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from encoding import Chorale, InputError, load_chorales
from encoding.chorales import sha256
from encoding.files import expanded
from experiments.checkpoints import FORMAT, good_checkpoint, vouch
from experiments.learning import NUMBER, Callback, System, Until, learn, part
from experiments.looks import Looks
from experiments.observables import irreducible_loss
from experiments.run_files import read_json, read_trajectory, write_json
from experiments.run_folder import RunFolder
from experiments.schedules import Schedule, constant
from experiments.systems import family, plain_settings, typed_settings
from experiments.trajectory import Trajectory


@dataclass(frozen=True)
class Music:
    """Which chorales: the arguments of `encoding.load_chorales`. The default is the paper's 80 (78 from music21)."""

    source: str = "music21"
    split: str = "train"
    first: int | None = 80
    transpose: bool = True
    excerpt: int | None = None

    def __post_init__(self) -> None:
        """A file is named by its full path: the run can be gone on with from any folder."""
        object.__setattr__(self, "source", os.fspath(expanded(self.source)))
        path = Path(self.source)
        if path.exists():
            object.__setattr__(self, "source", str(path.resolve()))

    def other_split(self, split: str) -> "Music":
        """All chorales of another split of the same source."""
        return replace(self, split=split, first=None)

    def load(self, *, progress: bool = False) -> list[Chorale]:
        """The chorales themselves."""
        return load_chorales(**asdict(self), progress=progress)


@dataclass(frozen=True, eq=False)
class Task:
    """One question: this system, these settings, this music, this schedule, this seed.

    Attributes:
        system: a name of `experiments.systems`.
        settings: of the system; defaults are filled in.
        music: what is learned, None where the system learns from nothing; loaded, it is `chorales`.
        schedule: a number is a constant rate.
        look: when losses, noise and weights are written down.
        seed, n_replicas: of the ensemble.
        sampler: what evaluates circuits; "exact" for classical systems.
    """

    system: str
    settings: Mapping[str, Any]
    schedule: Schedule | float
    music: Music | None = field(default_factory=Music)
    look: Looks = field(default_factory=Looks)
    seed: int = 0
    n_replicas: int = 1
    sampler: str = "exact"

    chorales: list[Chorale] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the question, and fill in what it leaves open.

        Raises:
            InputError: an unknown system or setting, a seed below 0 or above 2^63 - 1, fewer than 1 replica.
        """
        settings = plain_settings(typed_settings(self.system, self.settings))
        object.__setattr__(self, "settings", settings)
        if isinstance(self.schedule, NUMBER):
            object.__setattr__(self, "schedule", constant(float(self.schedule)))
        for name, least in (("seed", 0), ("n_replicas", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) < 2**63:
                raise InputError(f"{name} is a whole number of at least {least}, below 2^63; got {value!r}")
            object.__setattr__(self, name, int(value))
        for name, value, kind in (("schedule", self.schedule, Schedule), ("look", self.look, Looks)):
            if not isinstance(value, kind):
                raise InputError(f"{name} should be a {kind.__name__}; got {type(value).__name__}")
        if family(self.system).learns_from == "nothing":
            object.__setattr__(self, "music", None)
        elif not isinstance(self.music, Music):
            raise InputError(f"{self.system} learns from a Music; got {type(self.music).__name__}")
        object.__setattr__(self, "chorales", self.music.load() if self.music else None)

    @property
    def data_sha256(self) -> str | None:
        """Fingerprint of the music's notes."""
        return sha256(self.chorales) if self.chorales else None

    def question(self) -> dict[str, Any]:
        """What is hashed, as plain data."""
        schedule = constant(self.schedule) if isinstance(self.schedule, int | float) else self.schedule
        return {
            "system": self.system,
            "settings": dict(self.settings),
            "data": self.data_sha256,
            "schedule": schedule.describe(),
            "look": self.look.describe(),
            "seed": self.seed,
            "n_replicas": self.n_replicas,
            "physics": family(self.system).physics,
            "sampler": self.sampler,
        }

    @property
    def key(self) -> str:
        """The first 16 hexadecimal digits of the question's SHA-256; 1 and 1.0 are the same number."""
        return _key(self.question())

    def build(self, kernel: str | None = None, device: str = "cpu") -> System:
        """The system at its start; `kernel` None: the best that can run on the device."""
        kind = family(self.system)
        typed = typed_settings(self.system, self.settings)
        return kind.build(
            self.chorales, typed, seed=self.seed, n_replicas=self.n_replicas, kernel=kernel, device=device
        )


@dataclass(frozen=True)
class Run:
    """A run as it lies on disk: what was asked, and what happened."""

    path: Path
    task: dict[str, Any]
    trajectory: Trajectory
    unit: str


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
    ) -> Run:
        """Learn until `until`, from where the run of this task stands.

        Args:
            task: the question.
            until: when to stop; a number is a proper time.
            callback: see `experiments.learn`.
            save_every: seconds between checkpoints.
            kernel: what computes, no part of the question; None: the best that can run on the device.
            device: where: `"cpu"`, `"cuda"`, ...
            allow_other_kernel: go on even where another kernel made the run so far.

        Raises:
            InputError: see `experiments.learn` and `experiments.run_folder`.
            OSError: the disk is full, or the store cannot be written.
        """
        until = Until(time=float(until)) if isinstance(until, NUMBER) else until
        _check_reachable(task, until)
        system, path = task.build(kernel, device), self.folder(task)
        path.mkdir(parents=True, exist_ok=True)
        _write_task(path / "task.json", task)
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
        name, runs = str(name), self.runs()
        if name == "latest" and runs:
            return max(runs, key=_learned_at)
        found = [path for path in runs if path.name.startswith(name)]
        if len(found) == 1:
            return found[0]
        there = ", ".join(path.name for path in runs[-5:]) or "no run"
        which = f"{len(found)} runs begin so" if found else f"the store {self.path} holds {there}"
        raise InputError(f"a run is a folder, a key of the store, or 'latest'; got {name!r}: {which}")


def load_run(path: str | Path) -> Run:
    """The run in a folder, whether it has ended or not.

    Raises:
        InputError: no run is there, or it is damaged or of another version.
    """
    folder = expanded(path)
    task = _read_task(folder)
    vouch(folder, task["key"])
    described = read_json(folder / "layout.json")
    return Run(folder, task, read_trajectory(folder), str(described.get("unit", "")))


QUESTION = ("system", "settings", "data", "schedule", "look", "seed", "n_replicas", "physics", "sampler")
ASKED = {
    "key": str,
    "sampler": str,
    "system": str,
    "settings": dict,
    "schedule": dict,
    "look": dict,
    "seed": int,
    "n_replicas": int,
    "physics": int,
    "music": (dict, type(None)),
    "data": (str, type(None)),
    "irreducible_loss": (int, float, type(None)),
}


def _check_reachable(task: Task, until: Until) -> None:
    """Refuse a run that could never end: a loss, and nothing else, below what the music sets."""
    learns_nll = task.chorales is not None and task.settings.get("cost") == "nll"
    if learns_nll and until.loss is not None and until.time is None and until.steps is None:
        floor = irreducible_loss(task.chorales or [])
        if until.loss < floor:
            raise InputError(f"no machine comes below {floor:.5f} on these chorales; got until loss {until.loss:g}")


def _read_task(folder: Path) -> dict[str, Any]:
    """The task.json of a run, as `_write_task` writes it.

    Raises:
        InputError: it is damaged, of another version, or was changed.
    """
    path = folder / "task.json"
    task = read_json(path)
    if task.get("format") != FORMAT:
        raise InputError(
            f"{folder} is a run of format {task.get('format')}; this armonica reads and writes format {FORMAT}: move "
            "it aside"
        )
    for name, kind in ASKED.items():
        if name not in task or not isinstance(task[name], kind):
            raise InputError(f"{path} should say {name!r}; it has {task.get(name, 'nothing')!r}")
    key = _key({name: task[name] for name in QUESTION})
    if key != task["key"]:
        raise InputError(f"{path} asks the question {key}, under the key {task['key']}: it was not written so")
    named = {entry.name for entry in fields(Music)}
    if task["music"] is not None and (set(task["music"]) != named or not isinstance(task["music"]["source"], str)):
        raise InputError(f"{path} should name the music by {', '.join(sorted(named))}; it has {task['music']}")
    return task


def system_of(run: Run, look: int | None = None) -> System:
    """The system of a run: as its last checkpoint left it, or with the weights of its `look`-th look at them.

    Raises:
        InputError: no checkpoint yet, no such look, or music that is not the same any more.
    """
    task = run.task
    music = Music(**task["music"]) if task["music"] else None
    chorales = music.load() if music else None
    if chorales and sha256(chorales) != task["data"]:
        raise InputError(f"{run.path} learned from other notes than {music} gives now: give the same data again")
    kind, settings = family(task["system"]), typed_settings(task["system"], task["settings"])
    if task["physics"] != kind.physics:
        raise InputError(f"{run.path} has equations of version {task['physics']}; this armonica has {kind.physics}")
    seed, n_replicas = task["seed"], task["n_replicas"]
    system = kind.build(chorales, settings, seed=seed, n_replicas=n_replicas, kernel="plain")
    if look is None:
        system.restore(part(good_checkpoint(run.path, run.task["key"])[1], "system"))
    elif not -len(run.trajectory.weights) <= look < len(run.trajectory.weights):
        raise InputError(f"{run.path} took its weights at {len(run.trajectory.weights)} looks; got look {look}")
    else:
        system.put(run.trajectory.weights[look])
    return system


def _write_task(path: Path, task: Task) -> None:
    """The question beside its answer; written once."""
    music = asdict(task.music) if task.music else None
    floor = irreducible_loss(task.chorales) if task.chorales else None
    content = {"format": FORMAT, "key": task.key, **task.question(), "music": music, "irreducible_loss": floor}
    if path.exists():
        there = _read_task(path.parent)
        if there["key"] != task.key:
            raise InputError(f"{path} should ask the question {task.key}; it asks {there.get('key')}: move it aside")
        return
    write_json(path, content)


def _learned_at(path: Path) -> float:
    """When the run last went on; looking at it is not learning."""
    files = (path / name for name in ("task.json", "trajectory.jsonl", "checkpoint.npz"))
    return max(file.stat().st_mtime for file in files if file.exists())


def _key(question: Mapping[str, Any]) -> str:
    text = json.dumps(_normal(question), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _normal(value: Any) -> Any:
    """The same number is the same text: whole floats as integers, tuples as lists."""
    if isinstance(value, Mapping):
        return {name: _normal(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
