"""Two moments of one run: tau_w, up to which the weights learned, and tau_w + tau, when they are looked at again.

Replicas may have times of their own (one that spikes learns more slowly), so looks are brought together by proper time,
not by row. A look counts for a replica only where it lies on the path that was kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.layout import Group
from experiments.observables.estimate import mean_and_error
from experiments.observables.given import is_number

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory

SAME_LOOK = 1e-9  # relative difference of proper times at one look: what rounding leaves of n * rate
MEANT = 1e-6  # relative distance from a look at which a waiting time still means it


@dataclass(frozen=True, eq=False)
class TwoTimeCurve:
    """A function of tau_w and tau_w + tau, for one tau_w and all looks after it.

    Attributes:
        waiting: tau_w, in proper time; NaN where nobody said it.
        lag: tau > 0, (n,).
        value: (n, R); NaN where the replica has no look there that counts.
        group: of weights, a family of groups ("M" for M0, M1, ...), or None for all weights.
    """

    waiting: float
    lag: NDArray[np.float64]
    value: NDArray[np.float64]
    group: str | None

    @property
    def n_replicas(self) -> int:
        """The number of replicas, those without a value included."""
        return self.value.shape[1]

    def mean(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean over the replicas that have a value, and its standard error (NaN for fewer than two), each (n,)."""
        return mean_and_error(self.value)

    def lasting(self) -> NDArray[np.bool_]:
        """Which replicas reach half the longest lag; the others were frozen, or given up, (R,)."""
        last = np.where(np.isfinite(self.value), self.lag[:, None], 0).max(0, initial=0)
        return (last > 0) & (last >= last.max(initial=0) / 2)

    def shared(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lags (m,) and values (m, R') of the lasting replicas, at the looks that all of these have.

        Raises:
            InputError: nothing is left.
        """
        values = self.value[:, self.lasting()]
        rows = np.isfinite(values).all(1) & (values.shape[1] > 0)
        if not rows.any():
            raise InputError(f"no look after tau_w = {self.waiting:g} is shared by the replicas: let the run go on")
        return self.lag[rows], values[rows]


def check_curve(curve: object) -> None:
    """Refuse what is no curve with lags and replicas.

    Raises:
        InputError: something else, or shapes that do not belong together.
    """
    if not isinstance(curve, TwoTimeCurve):
        raise InputError(f"a curve comes from displacement, aging or two_time_correlation; got {type(curve).__name__}")
    if not is_number(curve.waiting):
        raise InputError(f"the waiting time of a curve is a number; got {shown(curve.waiting)}")
    if any(not isinstance(each, np.ndarray) or each.dtype.kind not in "iuf" for each in (curve.lag, curve.value)):
        raise InputError(f"a curve has arrays of numbers; got lags {shown(curve.lag)}, values {shown(curve.value)}")
    shapes = np.shape(curve.lag), np.shape(curve.value)
    if len(shapes[0]) != 1 or len(shapes[1]) != 2 or shapes[0][0] != shapes[1][0]:
        raise InputError(f"a curve has lags (n,) and values (n, n_replicas); got {shapes[0]} and {shapes[1]}")
    if not (np.diff(curve.lag) > 0).all() or not (np.asarray(curve.lag) > 0).all():
        raise InputError("the lags of a curve are positive and increase; got others, or NaN")


def check_curve_of_ratio(curve: object) -> None:
    """Refuse what has no tau / tau_w.

    Raises:
        InputError: no curve, or a waiting time of 0.
    """
    check_curve(curve)
    waiting = getattr(curve, "waiting", np.nan)
    if not 0 < waiting < np.inf:
        raise InputError(f"tau / tau_w of a curve needs a waiting time above 0; got {waiting:g}: say it, or look later")


def checked_window(window: tuple[float, float]) -> tuple[float, float]:
    """The lowest and the highest x = tau / tau_w, as numbers.

    Raises:
        InputError: something else, or not in order.
    """
    pair = isinstance(window, tuple | list) and len(window) == 2 and all(map(is_number, window))
    if not pair or not 0 <= window[0] < window[1]:
        raise InputError(f"a window is (lowest, highest) x = tau / tau_w, in order and at least 0; got {shown(window)}")
    return float(window[0]), float(window[1])


class Moments(NamedTuple):
    """One tau_w and the looks after it; rows of the weights by replica, -1 where it has none.

    Attributes:
        waiting: tau_w as it was looked at.
        lag: (n,), those of all replicas together.
        start: the row at tau_w, (R,).
        rows: those after it, (n, R).
    """

    waiting: float
    lag: NDArray[np.float64]
    start: NDArray[np.int64]
    rows: NDArray[np.int64]


def moments(trajectory: "Trajectory", waiting: float) -> Moments:
    """The look of the weights at `waiting`, and all after it.

    Raises:
        InputError: no weights were looked at there (the nearest looks are named), or none after it.
    """
    if not is_number(waiting) or not isfinite(waiting) or waiting < 0:
        raise InputError(f"a waiting time is a proper time, a number of at least 0; got {shown(waiting)}")
    looks = trajectory.weights_look
    if len(looks) == 0:
        raise InputError("the run kept no weights: learn with Looks(weights=aging_looks(...))")
    time, row = align(trajectory.time[looks], trajectory.valid[looks])
    at = _nearest(time, float(waiting))
    started = row[at] >= 0
    later = row[at + 1 :]
    counting = (later[:, started] >= 0).any(1)
    if not counting.any():
        raise InputError(f"no weights were looked at after tau_w = {waiting:g}: let the run go on")
    rows = np.where(started, later, -1)[counting]
    return Moments(float(time[at]), time[at + 1 :][counting] - time[at], row[at], rows)


def align(time: NDArray[np.float64], known: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Proper times of all replicas on one axis (n,), and the row where each replica is there, -1 if none, (n, R).

    Args:
        time: (n_rows, R).
        known: which of them count, (n_rows, R).
    """
    rows, replicas = np.nonzero(known & np.isfinite(time))
    flat = time[rows, replicas]
    order = np.argsort(flat, kind="stable")
    flat, rows, replicas = flat[order], rows[order], replicas[order]
    new = np.diff(flat, prepend=-np.inf) > SAME_LOOK * np.abs(flat)
    place = np.full((int(new.sum()), time.shape[1]), -1, np.int64)
    place[np.cumsum(new) - 1, replicas] = rows
    return flat[new], place


def _nearest(time: NDArray[np.float64], waiting: float) -> int:
    """The place of the look that `waiting` means."""
    if len(time) == 0:
        raise InputError("no look of the weights counts: every replica is frozen, or went back to before it")
    at = int(np.abs(time - waiting).argmin())
    if abs(time[at] - waiting) > MEANT * waiting:
        near = np.sort(time[np.argsort(np.abs(time - waiting))[:3]])
        raise InputError(
            f"the weights were not looked at when tau_w = {waiting:g}; the nearest looks are at "
            f"{', '.join(f'{each:.10g}' for each in near)}: take one of them"
        )
    return at


def chosen_groups(layout: dict[str, Group], group: str | None) -> list[str]:
    """The groups of weights that `group` means: all (None), one by name, or a family ("M" for M0, M1, ...).

    Raises:
        InputError: there is none.
    """
    if group is None:
        return list(layout)
    if isinstance(group, str) and group in layout:
        return [group]
    letter = group if isinstance(group, str) and group else None
    family = [name for name in layout if letter and re.fullmatch(re.escape(letter) + r"\d+", name)]
    if not family:
        raise InputError(f"a group of weights is one of {', '.join(layout)}, their letter, or None; got {shown(group)}")
    return family


def snapshots(trajectory: "Trajectory", rows: NDArray[np.int64]) -> Iterator[NDArray[np.floating]]:
    """The weights at each of `rows` (n, R), one look after the other, (R, n_weights); NaN where a replica has none."""
    weights = trajectory.weights
    for places in rows:
        if (places == places[0]).all() and places[0] >= 0:
            yield weights[places[0]]
        else:
            snapshot = np.full(weights.shape[1:], np.nan, weights.dtype)
            for replica in np.flatnonzero(places >= 0):
                snapshot[replica] = weights[places[replica], replica]
            yield snapshot
