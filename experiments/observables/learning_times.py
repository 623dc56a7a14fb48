"""How long it takes to learn: the proper time at which the loss first passes a given level.

A learning curve is noisy (minibatches) and now and then spikes (rates near instability), so what passes the level is
the curve drawn smoothly through the looks. Near the learnability transition these times diverge; their inverses
against the width are Fig. 5 of Hertz & Tyrcha 2024.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.observables.estimate import Fit, mean_fit
from experiments.observables.given import number, trajectory_of

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory

Array = NDArray[np.float64]
SMOOTHING = 0.1  # in ln tau: looks within 10 % of a time
NEAREST = 7  # looks that a window holds at least: a parabola and something to tell the noise by
WIDEST = 1e3  # window, in ln tau: more than all numbers span
SPIKE = 6  # deviations above the median of five looks
FINE = 33  # places between two looks
CHUNK = 256  # places smoothed at once: bounds the memory


class LearningTime(NamedTuple):
    """First passage of each of R replicas through a loss.

    Attributes:
        loss: the level, in the unit of the system.
        time: proper time of the passage, (R,); NaN where it was not reached.
        error: standard error of each from the scatter of the looks about the smooth curve, (R,).
        reached: (R,).
        until: last proper time at which the replica was seen, (R,); NaN if never.
    """

    loss: float
    time: Array
    error: Array
    reached: NDArray[np.bool_]
    until: Array

    @property
    def inverse(self) -> Array:
        """1 / time, (R,); NaN where not reached."""
        return 1 / self.time

    def mean(self) -> Fit:
        """The mean over the replicas that arrived, with Student's interval of the mean, t s / sqrt(R).

        No interval from a single replica, nor where a replica did not arrive: then the mean is of the fast ones alone
        and lies below that of all. NaN where none arrived.
        """
        times = self.time[self.reached]
        if not len(times):
            return Fit(np.nan, np.nan, np.nan)
        if len(times) < len(self.time) or len(times) == 1:
            return Fit(np.nan, float(times.mean()), np.nan)
        return mean_fit(times)


def learning_time(
    trajectory: "Trajectory", loss: float, *, floor: float = 0.0, smoothing: float = SMOOTHING
) -> LearningTime:
    """The first passage of the smoothed learning curve through `loss`, for each replica.

        tau(loss) = min{tau : s(ln tau) = ln loss},    s the smoothed ln(NLL - floor)

    (Hertz & Tyrcha 2024, Sec. IV.) s is a local parabola in ln tau, weighted by the tricube of the distance (loess,
    Cleveland 1979); the window reaches `smoothing` to either side, or to the seventh nearest look if that is farther,
    so a curve that is curved in the logarithms is not flattened. Left out are spikes (looks more than six deviations
    above the median of five), time 0, superseded looks and those that are not finite. A look at or below the floor,
    where there is no logarithm, counts as a tenth of the level: below any crossing, and not so far that it bends the
    curve before it. (Left out, a curve whose end is all below its floor would never arrive.) The errors take the noise
    of different looks to be independent.

    Args:
        trajectory: of R replicas.
        loss: the level that NLL - floor is to pass, above 0.
        floor: subtracted from the loss, e.g. the irreducible loss, or the energy of a ground state.
        smoothing: half the width of the window in ln tau, above 0.

    Raises:
        InputError: settings out of range; a curve that lies below the level from its first look on, or passes it with
            fewer than seven looks.
    """
    trajectory = trajectory_of("trajectory", trajectory)
    level = np.log(number("loss", loss, above=0))
    floor, smoothing = number("floor", floor), number("smoothing", smoothing, above=0, most=WIDEST)
    n_replicas = trajectory.n_replicas
    time, error, until = (np.full(n_replicas, np.nan) for _ in range(3))
    for replica in range(n_replicas):
        seen = trajectory.valid[:, replica] & (trajectory.time[:, replica] > 0)
        seen &= np.isfinite(trajectory.loss[:, replica])
        if seen.any():
            x, excess = np.log(trajectory.time[seen, replica]), trajectory.loss[seen, replica] - floor
            until[replica] = np.exp(x[-1])
            y = np.log(np.where(excess > 0, excess, loss / 10))
            time[replica], error[replica] = _first_passage(x, y, level, smoothing)
    return LearningTime(float(loss), time, error, np.isfinite(time), until)


def _first_passage(x: Array, y: Array, level: float, smoothing: float) -> tuple[float, float]:
    """Proper time at which the smooth curve passes, and its standard error; NaN where it does not."""
    calm = ~_spikes(y)
    x, y = x[calm], y[calm]
    if len(x) < NEAREST:
        if y.min() > level:
            return np.nan, np.nan
        raise InputError(f"a passage is told from at least {NEAREST} looks; got {len(x)}: look more often")
    smooth, _, _ = _loess(x, y, x, smoothing)
    below = smooth <= level
    if below[0]:
        raise InputError(
            f"the loss is below {np.exp(level):g} from the first look on (tau = {np.exp(x[0]):g}): look earlier, or "
            "ask for a lower loss"
        )
    if not below.any():
        return np.nan, np.nan
    after = int(below.argmax())
    fine = np.linspace(x[after - 1], x[after], FINE)
    values, norm, _ = _loess(x, y, fine, smoothing)
    k = max(int((values <= level).argmax()), 1)
    slope = (values[k] - values[k - 1]) / (fine[1] - fine[0])
    passage = fine[k] + (level - values[k]) / slope
    tau = np.exp(passage)
    return float(tau), float(tau * _noise(x, y, passage, smoothing) * norm[k] / abs(slope))


def _spikes(y: Array) -> NDArray[np.bool_]:
    """Looks far above the median of five; none on a curve that falls steadily.

    Second differences tell the noise whatever the slope: those of independent numbers have the variance 6 sigma^2.
    """
    if len(y) < 5:
        return np.zeros(len(y), bool)
    median = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(y, 2, mode="edge"), 5), 1)
    deviation = 1.4826 * np.median(np.abs(np.diff(y, 2))) / np.sqrt(6)
    return y - median > SPIKE * deviation


def _noise(x: Array, y: Array, passage: float, smoothing: float) -> float:
    """Standard deviation of ln loss about the smooth curve, from the looks within a factor e of the passage.

    With s = L y the expected sum of squared residuals is sigma^2 sum_i (1 - 2 L_ii + sum_j L_ij^2).
    """
    near = x[np.abs(x - passage) < 1]
    near = near if len(near) >= NEAREST else x[np.sort(np.argsort(np.abs(x - passage))[:NEAREST])]
    smooth, norm, own = _loess(x, y, near, smoothing)
    residual = y[np.searchsorted(x, near)] - smooth
    return float(np.sqrt((residual**2).sum() / (1 - 2 * own + norm**2).sum()))


def _loess(x: Array, y: Array, at: Array, smoothing: float) -> tuple[Array, Array, Array]:
    """The local parabola at `at`: value sum_j L_j y_j, norm sqrt(sum_j L_j^2), and L of the nearest look."""
    parts = list(_loess_parts(x, y, at, smoothing))
    value, norm, own = (np.concatenate(column) for column in zip(*parts, strict=True))
    return value, norm, own


def _loess_parts(x: Array, y: Array, at: Array, smoothing: float) -> Iterator[tuple[Array, Array, Array]]:
    for start in range(0, len(at), CHUNK):
        places = at[start : start + CHUNK]
        reach = _reach(x, places, smoothing)
        low, high = np.searchsorted(x, [(places - reach).min(), (places + reach).max()])
        distance = (x[low:high] - places[:, None]) / reach[:, None]
        weight = (1 - np.minimum(np.abs(distance), 1) ** 3) ** 3
        kernel = weight * _parabola(distance, weight)
        own = np.abs(distance).argmin(1)
        yield kernel @ y[low:high], np.sqrt((kernel**2).sum(1)), kernel[np.arange(len(places)), own]


def _parabola(distance: Array, weight: Array) -> Array:
    """What multiplies weight * y in the constant term of the weighted parabola: (1, d, d^2) times a row of M^-1."""
    moment = [weight.sum(1)]
    power = weight
    for _ in range(4):
        power = power * distance
        moment.append(power.sum(1))
    matrix = np.stack([np.stack(moment[k : k + 3], 1) for k in range(3)], 1)
    unit = np.zeros((len(distance), 3, 1))
    unit[:, 0] = 1
    row = np.linalg.solve(matrix, unit)[:, :, 0]
    return row[:, :1] + distance * (row[:, 1:2] + distance * row[:, 2:])


def _reach(x: Array, at: Array, smoothing: float) -> Array:
    """Half the window: `smoothing`, or the distance to the seventh nearest look if that is larger."""
    first = np.searchsorted(x, at)[:, None] + np.arange(-NEAREST, 1)
    first = np.clip(first, 0, len(x) - NEAREST)
    farthest = np.maximum(at[:, None] - x[first], x[first + NEAREST - 1] - at[:, None]).min(1)
    return np.maximum(smoothing, farthest * (1 + 1e-9))
