"""The question that a run answers: which system learns which music, how, and how it is looked at.

The key of a Task is a fingerprint of everything that fixes the numbers: system, settings, data, schedule, looks, seed,
number of replicas, physics version, sampler. Not in it: how long (a longer run goes on from the shorter), the kernel,
the device.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any

from encoding import Chorale, InputError, load_chorales
from encoding.chorales import sha256
from encoding.digits import Digits
from encoding.errors import shown
from encoding.files import expanded
from experiments.checkpoints import FORMAT
from experiments.images import Images
from experiments.looks import Looks
from experiments.observables import irreducible_loss
from experiments.run_files import read_json, write_json
from experiments.schedules import Schedule, constant
from experiments.system import System
from experiments.systems import asked_settings, family, plain_settings, typed_settings
from experiments.until import NUMBER


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

    @cached_property
    def chorales(self) -> list[Chorale]:
        """The chorales as they were when first asked for."""
        return self.load()


@dataclass(frozen=True, eq=False)
class Task:
    """One question: this system, these settings, this music, this schedule, this seed.

    Attributes:
        system: a name of `experiments.systems`.
        settings: of the system; defaults are filled in.
        music: what is learned, None where the system does not learn from chorales; loaded, it is `chorales`.
        schedule: a number is a constant rate.
        look: when losses, noise and weights are written down.
        seed, n_replicas: of the ensemble.
        sampler: what evaluates circuits; "exact" for classical systems.
        images: what is learned by a system that learns from digits, None where it does not; loaded, it is `digits`.
    """

    system: str
    settings: Mapping[str, Any]
    schedule: Schedule | float
    music: Music | None = field(default_factory=Music)
    look: Looks = field(default_factory=Looks)
    seed: int = 0
    n_replicas: int = 1
    sampler: str = "exact"
    images: Images | None = None

    chorales: list[Chorale] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the question, and fill in what it leaves open.

        Raises:
            InputError: an unknown system or setting, a seed below 0 or above 2^63 - 1, fewer than 1 replica, or data of
                another kind than the system learns from.
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
        self._find_data()

    def _find_data(self) -> None:
        """Load what the system learns from, and nothing else."""
        learns_from = family(self.system).learns_from
        if learns_from != "chorales":
            object.__setattr__(self, "music", None)
        elif not isinstance(self.music, Music):
            raise InputError(f"{self.system} learns from a Music; got {type(self.music).__name__}")
        if learns_from == "digits":
            object.__setattr__(self, "images", Images() if self.images is None else self.images)
        if self.images is not None and (learns_from != "digits" or not isinstance(self.images, Images)):
            raise InputError(f"{self.system} learns from {learns_from}; got {shown(self.images)} as images")
        object.__setattr__(self, "chorales", self.music.chorales if self.music else None)

    @property
    def digits(self) -> Digits | None:
        """The digits that are learned from."""
        return self.images.digits if self.images else None

    @property
    def data_sha256(self) -> str | None:
        """Fingerprint of the music's notes, or of images and labels."""
        if self.images:
            return self.images.digits.sha256
        return sha256(self.chorales) if self.chorales else None

    def question(self) -> dict[str, Any]:
        """What is hashed, as plain data."""
        schedule = constant(self.schedule) if isinstance(self.schedule, int | float) else self.schedule
        return {
            "system": self.system,
            "settings": asked_settings(typed_settings(self.system, self.settings)),
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
        data = self.chorales if self.digits is None else self.digits
        return kind.build(data, typed, seed=self.seed, n_replicas=self.n_replicas, kernel=kernel, device=device)


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


def write_task(path: Path, task: Task) -> None:
    """The question beside its answer; written once."""
    music = asdict(task.music) if task.music else None
    floor = irreducible_loss(task.chorales) if task.chorales else None
    content = {"format": FORMAT, "key": task.key, **task.question(), "music": music, "irreducible_loss": floor}
    content |= {"images": asdict(task.images)} if task.images else {}
    if path.exists():
        there = read_task(path.parent)
        if there["key"] != task.key:
            raise InputError(f"{path} should ask the question {task.key}; it asks {there.get('key')}: move it aside")
        return
    write_json(path, content)


def read_task(folder: Path) -> dict[str, Any]:
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
    images = task.get("images", {"source": ""})  # older runs say nothing of images
    if not isinstance(images, dict) or set(images) != {"source"} or not isinstance(images["source"], str):
        raise InputError(f"{path} should name the digits by their source; it has {shown(images)}")
    return task


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
