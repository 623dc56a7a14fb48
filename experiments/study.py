"""A study: the runs that a figure needs, written down as a TOML file, at the scale one can afford.

    figure = "fig5"                 what is drawn from it
    about = "..."                   a sentence
    runs_of = "fig5"                instead of all that follows: the runs of another study

    [common]                        for every run; the scale, and then the run, say more, or something else
    system, rate, schedule, replicas, seed
    settings = {...}                of the system; a list of values is one run for each ("J,M" is one value)
    music = {source, split, first, transpose, excerpt}      first = 0: all
    data = "small" | "mnist" | ...  of a system that learns from digits, see `encoding.digits.load_digits`
    looks = {...}                   see `LOOKS`
    until = {time, loss, steps}

    [smoke] | [laptop] | [paper]    as [common]
    [[smoke.runs]]                  as [common]

Bundled studies have a name, fig2 ... fig9, talk, overlaps, generalisation,
quantum-learnability, quantum-aging, melting, melting-fig7, perceptron, digits; anybody's is named by its path.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from encoding import InputError
from encoding.errors import shown
from encoding.files import expanded
from experiments.asking import check_names, schedule_named
from experiments.figures.needs import check_drawable
from experiments.images import Images
from experiments.looks import NEVER, Cadence, Looks, Union, aging_looks, at, linear, logarithmic, soon
from experiments.store import check_countable
from experiments.task import Music, Task
from experiments.until import Until

MUSIC = ("source", "split", "first", "transpose", "excerpt")
UNTIL = ("time", "loss", "steps")
MOST_STEPS = 10**6  # of a window of single steps
SCALES = ("smoke", "laptop", "paper")
RUN = ("system", "settings", "rate", "schedule", "replicas", "seed", "music", "data", "looks", "until")
LOOKS = {
    "per_decade": "looks at the loss a decade of proper time, from `first` on",
    "first": "proper time of the first look",
    "every": "proper time between further looks at the loss, and at the weights",
    "noise": "looks at the noise a decade",
    "weights": "looks at the weights a decade",
    "aging": "waiting times: noise and weights after each, `lags` a decade of the lag, from `first_lag` on",
    "lags": "looks a decade of the lag",
    "first_lag": "the shortest lag",
    "every_step": "proper times from which the loss is looked at after each of `steps` steps",
    "steps": "steps of such a window",
}


@dataclass(frozen=True)
class Planned:
    """One run of a study: the question, how long it is to be, and the rate it begins with."""

    task: Task
    until: Until
    rate: float


@dataclass(frozen=True, repr=False)
class Study:
    """What a figure needs.

    Attributes:
        name: what it is called.
        figure: what is drawn from it.
        about: what it shows.
        scale: smoke (seconds), laptop (under an hour on two cores), or paper (the published grid).
        planned: its runs, in the order in which they are made.
    """

    name: str
    figure: str
    about: str
    scale: str
    planned: tuple[Planned, ...]

    def __repr__(self) -> str:
        """In one line, without the questions themselves."""
        return f"Study({self.name!r}, figure={self.figure!r}, scale={self.scale!r}, {len(self.planned)} runs)"


def study_names() -> list[str]:
    """The studies that come with armonica."""
    names = [Path(entry.name) for entry in files("experiments.studies").iterdir()]
    return sorted(name.stem for name in names if name.suffix == ".toml")


def is_study(name: str) -> bool:
    """Whether `name` is a bundled study, or the path of a TOML file."""
    return name in study_names() or name.endswith(".toml")


def load_study(name: str, scale: str = "laptop") -> Study:
    """The study called `name` (bundled), or in the file of that name, at a scale.

    Raises:
        InputError: no such study or scale, or a file that says what no study does.
    """
    if scale not in SCALES:
        raise InputError(f"scale is one of {', '.join(SCALES)}; got {scale!r}")
    content, where = _read(name)
    check_names(content, ("figure", "about", "runs_of", "common", *SCALES), f"{where}: a study")
    for word in ("figure", "about"):
        if not isinstance(content.get(word), str):
            raise InputError(f'{where}: a study says {word} = "..."; got {content.get(word)!r}')
    runs, whence = content, where
    if "runs_of" in content:
        runs, whence = _read(str(content["runs_of"]))
        if "runs_of" in runs:
            raise InputError(f"{where}: runs_of names a study with runs of its own; {content['runs_of']} has none")
    if scale not in runs:
        there = [name for name in SCALES if name in runs]
        said = "got the default, 'laptop': say --scale" if scale == "laptop" else f"got {scale!r}"
        raise InputError(f"{whence} has the scales {', '.join(there) or '(none)'}; {said}")
    known: dict[Any, Any] = {}
    planned = tuple(_planned(table, whence, known) for table in _tables(runs, scale, whence))
    if not planned:
        raise InputError(f"{whence} asks for no run at scale {scale}: a list of settings, or of runs, is empty")
    keys = [each.task.key for each in planned]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise InputError(f"{whence} asks twice for {planned[keys.index(twice)].task.settings}: say it once")
    try:
        check_drawable(content["figure"], planned)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return Study(Path(name).stem, content["figure"], content["about"], scale, planned)


def _read(name: str) -> tuple[dict[str, Any], str]:
    """A study as plain data, and what to call it in an error."""
    if name.endswith(".toml"):
        if "\0" in name:
            raise InputError(f"a study is named by a path; got {name!r}")
        path = expanded(name)
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{path} should be a TOML file; it is no text") from None
    elif name in study_names():
        path, text = name, (files("experiments.studies") / f"{name}.toml").read_text("utf-8")
    else:
        raise InputError(f"a study is one of {', '.join(study_names())}, or a path ending in .toml; got {name!r}")
    try:
        return tomllib.loads(text), str(path)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise InputError(f"{path} should be TOML; it is not: {' '.join(str(error).split())[:200]}") from None


def _tables(content: Mapping[str, Any], scale: str, where: str) -> Iterator[dict[str, Any]]:
    """One table for each run: what is common, what the scale says, what the run says, and one point of its grid."""
    at_scale = _table(content[scale], f"{where} [{scale}]", (*RUN, "runs"))
    common = _table(content.get("common", {}), f"{where} [common]", RUN)
    runs = at_scale.get("runs", [{}])
    if not isinstance(runs, list):
        raise InputError(f"{where}: runs are tables, [[{scale}.runs]]; got {runs!r}")
    for run in runs:
        layers = [common, at_scale, _table(run, f"{where} [[{scale}.runs]]", RUN)]
        merged = {name: value for layer in layers for name, value in layer.items() if name not in ("settings", "runs")}
        settings = {name: value for layer in layers for name, value in layer.get("settings", {}).items()}
        grid = [value if isinstance(value, list) else [value] for value in settings.values()]
        for point in product(*grid):
            yield merged | {"settings": dict(zip(settings, point, strict=True))}


def _table(given: Any, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(given, dict) or not isinstance(given.get("settings", {}), dict):
        raise InputError(f"{where} should be a table (and settings another); got {shown(given)}")
    check_names(given, known, where)
    return given


def _planned(table: dict[str, Any], where: str, known: dict[Any, Any]) -> Planned:
    """The task and the end of one run; runs that learn from the same data share it, for loading takes a second."""
    for name in ("system", "rate", "until"):
        if name not in table:
            raise InputError(f"{where}: every run needs system, rate, until; one has no {name}")
    music, until = (
        _table(table.get("music", {}), f"{where} music", MUSIC),
        _table(table["until"], f"{where} until", UNTIL),
    )
    if music and "data" in table:
        raise InputError(f"{where}: a run learns from music or from data; got music {music} and data {table['data']!r}")
    first = music.get("first", 80)
    if isinstance(first, bool) or not isinstance(first, int) or first < 0:
        raise InputError(f"{where}: music.first is a number of chorales, or 0 for all; got {first!r}")
    if isinstance(table["rate"], bool) or not isinstance(table["rate"], int | float):
        raise InputError(f"{where}: rate is a number; got {table['rate']!r}")
    if not isinstance(table.get("schedule", "constant"), str):
        raise InputError(f"{where}: schedule is a word; got {table['schedule']!r}")
    try:
        which = Music(**{**music, "first": first or None})
        images = Images(table["data"]) if "data" in table else None
        planned = Planned(
            Task(
                table["system"],
                table["settings"],
                schedule_named(table.get("schedule", "constant"), table["rate"]),
                known.setdefault(which, which),
                _looks(table.get("looks", {}), table["rate"]),
                table.get("seed", 0),
                table.get("replicas", 1),
                images=images and known.setdefault(images, images),
            ),
            Until(**until),
            float(table["rate"]),
        )
        check_countable(planned.until, planned.rate)
        return planned
    except (TypeError, ValueError, OverflowError) as error:  # an InputError too, which does not know the file
        raise InputError(f"{where}: {error}") from None


def _looks(said: Any, rate: float) -> Looks:
    """The three cadences that a study's `looks` mean."""
    if not isinstance(said, dict):
        raise InputError(f"looks has {', '.join(LOOKS)}; got {shown(said)}")
    check_names(said, tuple(LOOKS), "looks")
    first = soon("looks.first", said.get("first", 0.1))
    loss: list[Cadence] = [logarithmic(first, said.get("per_decade", 20))]
    noise, weights = ([logarithmic(first, said[name])] if name in said else [] for name in ("noise", "weights"))
    if "every" in said:
        loss, weights = [*loss, linear(said["every"])], [*weights, linear(said["every"])]
    if "aging" in said:
        lags = aging_looks(said["aging"], said.get("lags", 10), soon("looks.first_lag", said.get("first_lag", first)))
        noise, weights = [*noise, lags], [*weights, lags]
    if "every_step" in said:
        starts, steps = said["every_step"], said.get("steps", 1000)
        if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
            raise InputError(f"looks.steps is a whole number from 1 to {MOST_STEPS}; got {steps!r:.60}")
        if not isinstance(starts, list) or not starts or any(not _time(start) for start in starts):
            raise InputError(f"looks.every_step is a list of proper times; got {starts!r:.60}")
        loss.append(at(start + k * rate for start in said["every_step"] for k in range(steps + 1)))
    return Looks(_union(loss), _union(noise), _union(weights))


def _time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e300


def _union(cadences: list[Cadence]) -> Cadence:
    if not cadences:
        return NEVER
    return cadences[0] if len(cadences) == 1 else Union(tuple(cadences))
