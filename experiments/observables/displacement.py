"""How far the weights wander after a waiting time: a glass that has aged longer moves more slowly.

    D(tau_w, tau_w + tau) = <[w_ij(tau_w + tau) - w_ij(tau_w)]^2>_ij        (Hertz & Tyrcha 2024, eq. 5)

Weights are kept in single precision, so D below (6e-8 w)^2 is rounding; differences and sums are in double precision.
"""

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


class Displacement(TwoTimeCurve):
    """D(tau_w, tau_w + tau) in the unit of the weights squared; `waiting`, `lag` (n,), `value` (n, R), `group`."""


def displacement(
    trajectory: "Trajectory", waiting: float, *, group: str | None = None, periodic: bool = False
) -> Displacement:
    """Mean-square displacement of the weights since the look at `waiting`, for every look after it (eq. 5).

    Args:
        trajectory: with weights.
        waiting: tau_w, the proper time of a look of the weights (within 1e-6 of it).
        group: of weights: a name ("M0"), the letter of a family ("M": M0, M1, ...), or None for all.
        periodic: groups with a period (angles) by the distance around the circle: differences wrapped into
            (-period/2, period/2].

    Raises:
        InputError: no such look or group, none after it, or periodic where nothing has a period.
    """
    trajectory, periodic = trajectory_of("trajectory", trajectory), flag("periodic", periodic)
    groups = [trajectory.layout[name] for name in chosen_groups(trajectory.layout, group)]
    if periodic and all(each.period is None for each in groups):
        raise InputError(f"no weights of {group or 'this run'} have a period: leave periodic out")
    moment = moments(trajectory, waiting)
    start = next(snapshots(trajectory, moment.start[None]))
    n_weights = sum(each.slice.stop - each.slice.start for each in groups)
    value = np.zeros(moment.rows.shape)
    for k, now in enumerate(snapshots(trajectory, moment.rows)):
        for each in groups:
            value[k] += _squares(now[:, each.slice], start[:, each.slice], each.period if periodic else None)
    return Displacement(moment.waiting, moment.lag, value / n_weights, group, stopped=moment.stopped)


def displacement_by_group(
    trajectory: "Trajectory", waiting: float, *, periodic: bool = False
) -> dict[str, Displacement]:
    """`displacement` of each group of weights by itself; `periodic` is for those that have a period.

    Raises:
        InputError: no such look.
    """
    trajectory, periodic = trajectory_of("trajectory", trajectory), flag("periodic", periodic)
    return {
        name: displacement(trajectory, waiting, group=name, periodic=periodic and each.period is not None)
        for name, each in trajectory.layout.items()
    }


def _squares(now: NDArray[np.floating], start: NDArray[np.floating], period: float | None) -> NDArray[np.float64]:
    """Sum over the weights of the squared difference, (R,)."""
    with np.errstate(invalid="ignore", over="ignore"):  # a replica that diverged is not finite
        difference = np.subtract(now, start, dtype=np.float64)
        if period is not None:
            difference -= period * np.round(difference / period)
        return np.vecdot(difference, difference)
