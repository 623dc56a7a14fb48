"""Two moments of one run: tau_w, up to which the weights learned, and tau_w + tau, when they are looked at again.

A replica that spiked goes on at half the rate: it is looked at at times of its own, and not as long. Whatever is made
of a curve is made of the same replicas at all lags, up to the lag that all of these reach; in between the looks of a
replica its curve is interpolated in ln tau (piecewise cubic, monotone; ln value where all are positive, so that a power
of tau is met exactly).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import is_number
from experiments.observables.estimate import mean_and_error

SAME_LAG = 1e-9  # relative difference of lags that are one


@dataclass(frozen=True, eq=False)
class TwoTimeCurve:
    """A function of tau_w and tau_w + tau, for one tau_w and all looks after it.

    Attributes:
        waiting: tau_w, in proper time; NaN where nobody said it.
        lag: tau > 0, (n,), those of all replicas together.
        value: (n, R); NaN where the replica has no look there that counts.
        group: of weights, a family of groups ("M" for M0, M1, ...), or None for all weights.
        stopped: which replicas were frozen or given up (rate 0) before the run ended, (R,); None: nobody.
    """

    waiting: float
    lag: NDArray[np.float64]
    value: NDArray[np.float64]
    group: str | None
    stopped: NDArray[np.bool_] | None = field(default=None, kw_only=True)

    @property
    def n_replicas(self) -> int:
        """The number of replicas, those without a value included."""
        return self.value.shape[1]

    @property
    def left_out(self) -> tuple[int, ...]:
        """The replicas that do not count, by number; see `lasting`."""
        return tuple(np.flatnonzero(~self.lasting()).tolist())

    def mean(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean over the replicas that count, and its standard error (NaN for fewer than two), each (n,).

        The same replicas at every lag, interpolated in ln tau between their looks; NaN before the first lag that all of
        them have, and after the last.
        """
        values = self._between_looks(self.lasting())
        known = np.isfinite(values).all(1, keepdims=True) & (values.shape[1] > 0)
        return mean_and_error(np.where(known, values, np.nan))

    def lasting(self) -> NDArray[np.bool_]:
        """Which replicas count, (R,).

        Not those without a look at tau_w, nor those at rest (the value never changes, while that of others does), nor
        those that stopped before the lag that all the others share. A replica that is merely slower counts, and what
        all share ends with it. Where all stopped, those count that came at least half as far as the last of them.
        """
        known = np.isfinite(self.value)
        reach = np.where(known, self.lag[:, None], 0.0).max(0, initial=0)
        highest = np.where(known, self.value, -np.inf).max(0, initial=-np.inf)
        lowest = np.where(known, self.value, np.inf).min(0, initial=np.inf)
        moves = (reach > 0) & ((highest > lowest) | (known.sum(0) == 1))
        moves = moves if moves.any() else reach > 0
        going = moves & (True if self.stopped is None else ~self.stopped)
        if not going.any():
            return moves & (reach >= np.where(moves, reach, 0).max(initial=0) / 2)
        return moves & (going | (reach >= reach[going].min() * (1 - SAME_LAG)))

    def shared(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lags (m,) and values (m, R') of the replicas that count, up to the last lag that all of these reach.

        The lags are the looks of the replica with the fewest; the others are interpolated there, in ln tau.

        Raises:
            InputError: nothing is left.
        """
        among = self.lasting()
        values = self._between_looks(among)
        rows = np.isfinite(values).all(1) & (values.shape[1] > 0)
        if rows.any():
            own = np.isfinite(self.value[:, among]) & rows[:, None]
            rows = own[:, own.sum(0).argmin()]
        if not rows.any():
            raise InputError(f"no look after tau_w = {self.waiting:g} is shared by the replicas: let the run go on")
        return self.lag[rows], values[rows]

    def _between_looks(self, among: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Values of the chosen replicas, known from the first of their looks to the last, (n, R')."""
        columns = [_filled(self.lag, self.value[:, replica]) for replica in np.flatnonzero(among)]
        return np.stack(columns, 1) if columns else np.empty((len(self.lag), 0))


def _filled(lag: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """One replica at all lags, NaN outside its looks, (n,)."""
    looks = np.flatnonzero(np.isfinite(value))
    if len(looks) < 2 or looks[-1] - looks[0] == len(looks) - 1:
        return value
    from scipy.interpolate import PchipInterpolator

    filled, inside = value.copy(), slice(looks[0], looks[-1] + 1)
    positive = bool((value[looks] > 0).all())
    known = np.log(value[looks]) if positive else value[looks]
    between = PchipInterpolator(np.log(lag[looks]), known)(np.log(lag[inside]))
    filled[inside] = np.exp(between) if positive else between
    filled[looks] = value[looks]
    return filled


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
    stopped = curve.stopped
    if stopped is not None and (np.shape(stopped) != shapes[1][1:] or np.asarray(stopped).dtype != bool):
        raise InputError(f"a curve says of each replica whether it stopped, or None; got {shown(stopped)}")


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
