"""The looks of a run at two times: tau_w, and all after it.

Replicas may have times of their own (one that spikes learns more slowly), so looks are brought together by proper time,
not by row. A look counts for a replica only where it lies on the path that was kept; of two at the same time the later
one, for the earlier was superseded.
"""

import re
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import is_number
from encoding.layout import Group

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory

SAME_LOOK = 1e-9  # relative difference of proper times at one look: what rounding leaves of n * rate
MEANT = 1e-6  # relative distance from a look at which a waiting time still means it
BESIDE = 0.01  # of tau_w: how far from it a replica may have its own look, where a step of its own does not meet it


class Moments(NamedTuple):
    """One tau_w and the looks after it; rows of the weights by replica, -1 where it has none.

    Attributes:
        waiting: tau_w as it was looked at.
        lag: (n,), those of all replicas together.
        start: the row at tau_w, (R,).
        rows: those after it, (n, R).
        stopped: which replicas were frozen or given up before the run ended, (R,).
    """

    waiting: float
    lag: NDArray[np.float64]
    start: NDArray[np.int64]
    rows: NDArray[np.int64]
    stopped: NDArray[np.bool_]


def moments(trajectory: "Trajectory", waiting: float) -> Moments:
    """The look of the weights at `waiting`, and all after it.

    A replica whose own steps miss tau_w begins at its nearest look, within 1 % of tau_w, and its lags count from there.

    Raises:
        InputError: no weights were looked at there (the nearest looks are named), or none after it.
    """
    if not is_number(waiting) or not isfinite(waiting) or waiting < 0:
        raise InputError(f"a waiting time is a proper time, a number of at least 0; got {shown(waiting)}")
    looks = trajectory.weights_look
    if len(looks) == 0:
        raise InputError("the run kept no weights: learn with Looks(weights=aging_looks(...))")
    own, known = trajectory.time[looks], trajectory.valid[looks]
    time, row = align(own, known)
    tau_w = float(time[_nearest(time, float(waiting))])
    time, row = align(own + _shift(own, known, tau_w), known)
    at = int(np.abs(time - tau_w).argmin())
    started = row[at] >= 0
    later = row[at + 1 :]
    counting = (later[:, started] >= 0).any(1)
    if not counting.any():
        raise InputError(f"no weights were looked at after tau_w = {waiting:g}: let the run go on")
    rows = np.where(started, later, -1)[counting]
    return Moments(tau_w, time[at + 1 :][counting] - tau_w, row[at], rows, stopped_replicas(trajectory))


def _shift(time: NDArray[np.float64], known: NDArray[np.bool_], tau_w: float) -> NDArray[np.float64]:
    """What is added to the times of each replica, so that its look nearest to tau_w is there; NaN if none is, (R,)."""
    apart = np.where(known & np.isfinite(time), tau_w - time, np.inf)
    nearest = apart[np.abs(apart).argmin(0), np.arange(time.shape[1])]
    nearest = np.where(np.abs(nearest) <= SAME_LOOK * tau_w, 0.0, nearest)
    return np.where(np.abs(nearest) <= BESIDE * tau_w, nearest, np.nan)


def stopped_replicas(trajectory: "Trajectory") -> NDArray[np.bool_]:
    """Which replicas do not learn at the end: frozen (the last look does not count), or given up (rate 0), (R,)."""
    return ~trajectory.valid[-1] | (trajectory.rate[-1] == 0)


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
    place[np.cumsum(new) - 1, replicas] = rows  # of several at one time the last: the order is a stable one
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
