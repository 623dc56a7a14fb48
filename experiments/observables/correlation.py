"""What the weights remember of a waiting time: the overlap of the machine with what it was.

    C(tau_w, tau_w + tau) = w(tau_w) . w(tau_w + tau) / (|w(tau_w)| |w(tau_w + tau)|)

In a glass C falls to a plateau q_EA, then further, the later the longer it has aged (Cugliandolo & Kurchan 1993). `raw`
leaves out the norms, and divides by the number of weights instead: what the spherical p-spin model calls C. Angles
have no length; for them it is the overlap of the unit vectors that they are,

    C(tau_w, tau_w + tau) = <cos(2 pi [w(tau_w + tau) - w(tau_w)] / period)>
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.given import flag
from experiments.observables.given import trajectory_of
from experiments.observables.moments import chosen_groups, moments, snapshots
from experiments.observables.two_times import TwoTimeCurve

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory


@dataclass(frozen=True, eq=False)
class Correlation(TwoTimeCurve):
    """C(tau_w, tau_w + tau).

    Attributes:
        raw: whether it is the mean of the products, without the norms.
        periodic: whether it is the mean of the cosines of what angles turned by.
    """

    raw: bool
    periodic: bool = False


def two_time_correlation(
    trajectory: "Trajectory",
    waiting: float,
    *,
    group: str | None = None,
    raw: bool = False,
    periodic: bool = False,
) -> Correlation:
    """Overlap of the weights with what they were at `waiting`, for every look after it.

    Args:
        trajectory: with weights.
        waiting: tau_w, the proper time of a look of the weights (within 1e-6 of it).
        group: of weights: a name, the letter of a family, or None for all.
        raw: the mean of the products, not divided by the norms. (NaN otherwise where all weights are 0.)
        periodic: of angles, the mean cosine of what they turned by; all groups must have a period.

    Raises:
        InputError: no such look or group, none after it, or periodic where a group has no period.
    """
    trajectory, raw = trajectory_of("trajectory", trajectory), flag("raw", raw)
    if flag("periodic", periodic):
        return _of_angles(trajectory, waiting, group, raw)
    slices = [trajectory.layout[name].slice for name in chosen_groups(trajectory.layout, group)]
    moment = moments(trajectory, waiting)
    start = next(snapshots(trajectory, moment.start[None])).astype(np.float64)
    own = _products(start, start, slices)
    value = np.empty(moment.rows.shape)
    for k, now in enumerate(snapshots(trajectory, moment.rows)):
        now = now.astype(np.float64)
        value[k] = _products(start, now, slices)
        if not raw:
            norm = np.sqrt(own) * np.sqrt(_products(now, now, slices))
            value[k] /= np.where(norm > 0, norm, np.nan)
    n_weights = sum(each.stop - each.start for each in slices)
    value = value / n_weights if raw else value
    return Correlation(moment.waiting, moment.lag, value, group, raw, stopped=moment.stopped)


def _of_angles(trajectory: "Trajectory", waiting: float, group: str | None, raw: bool) -> Correlation:
    """Mean cosine of the differences, each in units of its period over 2 pi."""
    names = chosen_groups(trajectory.layout, group)
    straight = [name for name in names if trajectory.layout[name].period is None]
    if straight or raw:
        why = "raw is for weights" if raw else f"{', '.join(straight)} has no period: name a group of angles"
        raise InputError(f"a periodic correlation is of angles; {why}")
    moment = moments(trajectory, waiting)
    start = next(snapshots(trajectory, moment.start[None]))
    slices = [(trajectory.layout[name].slice, trajectory.layout[name].period or 1.0) for name in names]
    value = np.zeros(moment.rows.shape)
    for k, now in enumerate(snapshots(trajectory, moment.rows)):
        for each, period in slices:
            value[k] += _cosines(now[:, each], start[:, each], period)
    n_weights = sum(each.stop - each.start for each, _ in slices)
    return Correlation(
        moment.waiting, moment.lag, value / n_weights, group, raw=False, periodic=True, stopped=moment.stopped
    )


def _cosines(now: NDArray[np.floating], start: NDArray[np.floating], period: float) -> NDArray[np.float64]:
    """Sum of the cosines of what angles turned by, (R,)."""
    with np.errstate(invalid="ignore", over="ignore"):  # a replica that diverged is not finite
        return np.cos(2 * np.pi / period * np.subtract(now, start, dtype=np.float64)).sum(1)


def _products(a: NDArray[np.float64], b: NDArray[np.float64], slices: list[slice]) -> NDArray[np.float64]:
    """Sum over the chosen weights of the products, (R,)."""
    with np.errstate(invalid="ignore", over="ignore"):  # a replica that diverged is not finite
        return np.sum([np.vecdot(a[:, each], b[:, each]) for each in slices], axis=0)
