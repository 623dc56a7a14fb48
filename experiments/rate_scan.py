"""The scan for the largest rate that is still small: one run a rate, kept in a store, so it can be gone on with."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from encoding import InputError
from encoding.files import replace_file
from experiments.figures.save import save_figure
from experiments.figures.stability import stability
from experiments.figures.style import new_figure
from experiments.learning import Callback, NothingMoves, Until
from experiments.looks import Looks, logarithmic
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate
from experiments.store import Store
from experiments.task import Music, Task
from experiments.trajectory import Trajectory


@dataclass(frozen=True)
class RateScan:
    """One question at several rates; the smallest is the reference.

    Attributes:
        system, settings, music, seed, n_replicas: as in a Task.
        rates: at least two, different.
        until: proper time of every run.
        since: proper time from which curves are compared.
        tolerance: allowed deviation, 0.02 for 2 %.
    """

    system: str
    settings: Mapping[str, Any]
    music: Music | None
    rates: tuple[float, ...]
    until: float
    since: float = 2.0
    tolerance: float = 0.02
    seed: int = 0
    n_replicas: int = 4

    def __post_init__(self) -> None:
        """Refuse a scan that compares nothing.

        Raises:
            InputError: fewer than two rates, or times that leave nothing to compare.
        """
        if len(set(self.rates)) < 2:
            raise InputError(f"a scan compares at least two rates; got {list(self.rates)}")
        if not 0 < self.tolerance < inf:
            raise InputError(f"tolerance is a positive number, 0.02 for 2 %; got {self.tolerance}")
        if not 0 < self.since < self.until:
            raise InputError(f"curves are compared from a time above 0 to a later one; got {self.since}, {self.until}")

        if max(self.rates) > (self.until - self.since) / 10:
            span = f"from time {self.since:g} to {self.until:g}"
            raise InputError(f"every rate makes at least ten steps {span}; got {max(self.rates):g}")

    def tasks(self) -> list[Task]:
        """A task for each rate, rising."""
        look = Looks(logarithmic(first=self.since, per_decade=20))
        return [
            Task(self.system, self.settings, rate, self.music, look, self.seed, self.n_replicas)
            for rate in sorted(set(self.rates))
        ]


def scan_curves(scan: RateScan, store: Store, callback: Callback | None = None, **how: Any) -> Iterator[Trajectory]:
    """The curve of every rate, rising; learned where that was not done before. A run that diverges gives what it has.

    Args:
        scan: the rates.
        store: where the runs are.
        callback: see `experiments.learn`.
        how: other arguments of `Store.learn`.

    Raises:
        InputError: see `Store.learn`.
    """
    for task in scan.tasks():
        try:
            yield store.learn(task, until=Until(time=scan.until), callback=callback, **how).trajectory
        except NothingMoves as stopped:
            yield stopped.trajectory


def compare_scan(scan: RateScan, curves: Sequence[Trajectory]) -> list[Stability]:
    """Every rate but the smallest, compared with it.

    Raises:
        InputError: the smallest rate itself diverges.
    """
    reference, *others = curves
    rates = sorted(set(scan.rates))
    if not np.isfinite(reference.loss).all():
        raise InputError(f"the reference is a rate that does not diverge; got {rates[0]:g}: take a smaller one")
    return [
        compare_curves(
            rate,
            curve.time[:, 0],
            curve.loss,
            reference.time[:, 0],
            reference.loss,
            since=scan.since,
            tolerance=scan.tolerance,
        )
        for rate, curve in zip(rates[1:], others, strict=True)
    ]


def check_target(picture: Path) -> None:
    """See, before anything is learned, that the picture and the JSON beside it can be written and lose nobody's file.

    Raises:
        InputError: no kind of picture, a folder, or a JSON file that is no scan.
    """
    if picture.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"a figure is written as .png, .svg or .pdf; got {picture.name!r}")
    numbers = picture.with_suffix(".json")
    if picture.is_dir() or numbers.is_dir():
        raise InputError(f"{picture} and {numbers} are to be files; one of them is a folder")
    if numbers.exists() and b'"largest_stable_rate"' not in numbers.read_bytes():
        raise InputError(f"{numbers} is no scan of rates, and is left as it is: give the picture another name (--out)")
    picture.parent.mkdir(parents=True, exist_ok=True)


def write_scan(scan: RateScan, compared: list[Stability], picture: Path) -> None:
    """The picture, and the numbers beside it as JSON."""
    figure = new_figure()
    reference = min(scan.rates)
    stability(figure.add_subplot(), compared, reference=reference, tolerance=scan.tolerance)
    save_figure(figure, picture)
    content = {
        "system": scan.system,
        "settings": dict(scan.settings),
        "reference": reference,
        "tolerance": scan.tolerance,
        "n_replicas": scan.n_replicas,
        "largest_stable_rate": largest_stable_rate(compared),
        "rates": [{name: _plain(value) for name, value in each._asdict().items()} for each in compared],
    }
    with replace_file(picture.with_suffix(".json")) as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())


def verdict(each: Stability) -> str:
    """What the comparison says, in a line."""
    worst = int(np.argmax(np.abs(each.deviation)))
    error = f" ± {100 * each.error[worst]:.2g}" if np.isfinite(each.error[worst]) else ""
    far = f"{100 * np.expm1(each.deviation[worst]):+.2f}{error} %" if np.isfinite(each.deviation[worst]) else "diverges"
    judged = "within, 95 % sure" if each.surely else "within" if each.within else "too large"
    return f"rate {each.rate:g}: at most {far}, at τ = {each.time[worst]:.3g} of {each.time[-1]:.3g}: {judged}"


def _plain(value: Any) -> Any:
    """Arrays as lists, what is not finite as null."""
    if isinstance(value, np.ndarray):
        return [_plain(entry) for entry in value.tolist()]
    return None if isinstance(value, float) and not np.isfinite(value) else value
