"""The scan for the largest rate that is still small: one run a rate, kept in a store, so it can be gone on with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.images import Images
from experiments.learner import Callback
from experiments.learning import NothingMoves
from experiments.looks import NEAR, SOONEST, Looks, Union, at, logarithmic
from experiments.observables.stability import Stability, compare_curves
from experiments.store import Store, check_countable
from experiments.task import Music, Task
from experiments.trajectory import Trajectory
from experiments.until import Until


@dataclass(frozen=True)
class RateScan:
    """One question at several rates; the smallest is the reference.

    Attributes:
        system, settings, music, images, seed, n_replicas: as in a Task.
        rates: at least two, different.
        since, until: proper times between which curves are compared; every run is looked at when it comes there, and
            the reference is learned a little further, so that the last look of each can be compared.
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
    images: Images | None = None

    def __post_init__(self) -> None:
        """Refuse a scan that compares nothing.

        Raises:
            InputError: fewer than two rates, or times that leave nothing to compare.
        """
        if len(set(self.rates)) < 2:
            raise InputError(f"a scan compares at least two rates; got {list(self.rates)}")
        if not 0 < self.tolerance < 1:
            raise InputError(f"tolerance is a positive number below 1, 0.02 for 2 %; got {self.tolerance}")
        if not 0 < self.since < self.until:
            raise InputError(f"curves are compared from a time above 0 to a later one; got {self.since}, {self.until}")
        if self.since < SOONEST:
            raise InputError(f"since is a proper time of at least {SOONEST:g}; got {self.since}")
        if max(self.rates) > (self.until - self.since) / 10:
            span = f"from time {self.since:g} to {self.until:g}"
            raise InputError(f"every rate makes at least ten steps {span}; got {max(self.rates):g}")
        for rate in self.rates:
            if rate > 0:
                check_countable(Until(time=self.end_of(rate)), rate)

    def end_of(self, rate: float) -> float:
        """Proper time until which this rate learns; the reference beyond all last looks, by a step of the largest."""
        return self.until + max(self.rates) if rate == min(self.rates) else self.until

    def tasks(self) -> list[Task]:
        """A task for each rate, rising."""
        ends = at([self.until, self.end_of(min(self.rates))])
        look = Looks(Union((logarithmic(first=self.since, per_decade=20), ends)))
        return [
            Task(self.system, self.settings, rate, self.music, look, self.seed, self.n_replicas, images=self.images)
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
    for rate, task in zip(sorted(set(scan.rates)), scan.tasks(), strict=True):
        try:
            yield store.learn(task, until=Until(time=scan.end_of(rate)), callback=callback, **how).trajectory
        except NothingMoves as stopped:
            yield stopped.trajectory


def compare_scan(scan: RateScan, curves: Sequence[Trajectory]) -> list[Stability]:
    """Every rate but the smallest, compared with it from `since` to the first look at or after `until`.

    What a run of the store learned beyond that is not looked at: the answer is the same whether it is there or not.

    Raises:
        InputError: the smallest rate itself diverges.
    """
    rates = sorted(set(scan.rates))
    (time, loss), *others = (_looked(curve, scan.end_of(rate)) for rate, curve in zip(rates, curves, strict=True))
    if not np.isfinite(loss).all():
        raise InputError(f"the reference is a rate that does not diverge; got {rates[0]:g}: take a smaller one")
    options = {"since": scan.since * (1 - NEAR), "tolerance": scan.tolerance}
    return [compare_curves(rate, *curve, time, loss, **options) for rate, curve in zip(rates[1:], others, strict=True)]


def check_losses(scan: RateScan, kernel: str | None = None, device: str = "cpu") -> None:
    """See, before anything is learned, that the system has a loss whose logarithm can be compared.

    Raises:
        InputError: an energy, or a loss that is not positive.
    """
    system = scan.tasks()[0].build(kernel, device)
    unit = str(getattr(system, "unit", "no unit"))
    if "energy" in unit or (system.loss() <= 0).any():
        raise InputError(f"curves are compared by the logarithms of losses, which must be positive; got {unit}")


def _looked(curve: Trajectory, end: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times (n,) and losses (n, n_replicas) of the looks up to the first one at or after `end`."""
    time = curve.time[:, 0]
    n = int(np.searchsorted(time, end * (1 - NEAR))) + 1
    return time[:n], curve.loss[:n]


def verdict(each: Stability) -> str:
    """What the comparison says, in a line."""
    worst = int(np.argmax(np.abs(each.deviation)))
    error = f" ± {100 * each.error[worst]:.2g}" if np.isfinite(each.error[worst]) else ""
    far = f"{100 * np.expm1(each.deviation[worst]):+.2f}{error} %" if np.isfinite(each.deviation[worst]) else "diverges"
    judged = "within, 95 % sure" if each.surely else "within" if each.within else "too large"
    return f"rate {each.rate:g}: at most {far}, at τ = {each.time[worst]:.3g} of {each.time[-1]:.3g}: {judged}"
