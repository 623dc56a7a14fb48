"""Which part of a learning curve is asymptotic: the longest end of it that one law describes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.observables.estimate import CONFIDENCE
from experiments.observables.looks_seen import seen_looks
from experiments.observables.moments import stopped_replicas

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory

Array = NDArray[np.float64]
FEWEST = 10  # looks: three numbers are fitted
SHORTEST = 3  # last time over first
STEP = 1.25  # between the windows tried
BEYOND = 2
PARTS = (1 / 8, 1 / 4, 1 / 2)  # of a window's looks, tried against the rest
SMALL = 0.002  # deviations from the law that no figure would show


def common_looks(trajectory: "Trajectory", first: float, last: float) -> tuple[Array, Array, tuple[int, ...]]:
    """Proper times (n,) and losses (n, R) between `first` and `last`, as far as all replicas were seen.

    And the replicas that stopped (frozen, or given up) before the others ended, and end the window there.

    Raises:
        InputError: a replica that was never seen there, fewer than ten looks, or times within a factor three.
    """
    curves = []
    for replica in range(trajectory.n_replicas):
        curves.append(seen_looks(trajectory, replica))
        if not len(curves[-1][0]):
            raise InputError(f"replica {replica} has no looks after time 0: leave it out")
    first = max(first, *(time[0] for time, _ in curves), 0.0)
    cut_by = _stopped_before(trajectory, np.array([time[-1] for time, _ in curves]), last)
    last = min(last, *(time[-1] for time, _ in curves), np.inf)
    inside = [time[(time >= first * (1 - 1e-9)) & (time <= last * (1 + 1e-9))] for time, _ in curves]
    tau = min(inside, key=len)
    if not _long_enough(tau):
        span = f"{tau[0]:g} to {tau[-1]:g}" if len(tau) else f"{first:g} to {last:g}"
        raise InputError(
            f"a power law needs {FEWEST} looks over a factor {SHORTEST} in proper time; got {len(tau)} over {span}: "
            "learn longer, look more often, or choose a longer window"
            + (f" (replica {cut_by[0]} stopped: leave it out)" if cut_by else "")
        )
    return tau, np.stack([np.interp(np.log(tau), np.log(time), loss) for time, loss in curves], 1), cut_by


def _stopped_before(trajectory: "Trajectory", ends: Array, last: float) -> tuple[int, ...]:
    """The stopped replicas that were seen neither to `last` nor as far as those that go on."""
    stopped = stopped_replicas(trajectory)
    others = ends.max() if stopped.all() else ends[~stopped].min()
    return tuple(np.flatnonzero(stopped & (ends < min(last, others) * (1 - 1e-9))).tolist())


def asymptotic(tau: Array, loss: Array, residuals: Callable[[Array, Array], Array | None]) -> int:
    """Where the longest window begins whose beginning obeys the law of its rest.

    If anything had to be cut for this, a factor of two in tau is cut beyond: the last of a transient is below the
    noise of single looks but not below the error of a fit.

    Raises:
        InputError: there is none.
    """
    wanted, start = tau[0], 0
    while _long_enough(tau[start:]):
        if _obeys(tau[start:], loss[start:], residuals):
            beyond = int(np.searchsorted(tau, BEYOND * tau[start])) if start else 0
            return beyond if _long_enough(tau[beyond:]) else start
        wanted *= STEP
        start = max(int(np.searchsorted(tau, wanted)), start + 1)
    raise InputError(
        f"no window that ends at tau = {tau[-1]:g} falls by one power law from its beginning on: learn longer, or "
        "choose the window"
    )


def _long_enough(tau: Array) -> bool:
    return len(tau) >= FEWEST and bool(tau[-1] >= SHORTEST * tau[0] * (1 - 1e-9))


def _obeys(tau: Array, loss: Array, residuals: Callable[[Array, Array], Array | None]) -> bool:
    """Whether the first looks add to the misfit no more than noise would.

    F = [(S - S_rest)/m] / [S_rest/(n - m - 3)],    S of n looks, S_rest of the fit without the first m
    """
    from scipy.special import fdtri

    left = residuals(tau, loss)
    if left is None:
        return False
    for part in PARTS:
        cut = max(round(part * len(tau)), 1)
        free = len(tau) - cut - 3
        rest = residuals(tau[cut:], loss[cut:]) if free > 0 else None
        if rest is None:
            continue
        more = (left @ left - rest @ rest) / cut
        if more > max(fdtri(cut, free, CONFIDENCE) * float(rest @ rest) / free, SMALL**2):
            return False
    return True
