"""How long it takes to learn: the proper time at which the loss first passes a given level.

A learning curve is noisy (minibatches) and now and then spikes (rates near instability), so what passes the level is
the curve drawn smoothly through the looks. Near the learnability transition these times diverge; their inverses
against the width are Fig. 5 of Hertz & Tyrcha 2024.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.given import number
from experiments.observables.estimate import NORMAL, Fit, mean_fit, student
from experiments.observables.given import trajectory_of
from experiments.observables.local_parabola import NEAREST, kernel, scatter, smoothed
from experiments.observables.looks_seen import seen_looks

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory

Array = NDArray[np.float64]
SMOOTHING = 0.1  # in ln tau: looks within 10 % of a time
DOUBLINGS = 4  # of a window too narrow for the noise: from 10 % to a factor of five
SHARP = 3  # standard errors of the passage in a window that is wide enough
FINEST, WIDEST = 1e-9, 1e3  # in ln tau: places nearer than this are one; more than all numbers span
SPIKE = 6  # deviations above the median of five looks
FINE = 33  # places between two looks
DENSE = 10  # places in a window, to either side, are enough to see where the curve passes
SOME, ENOUGH = 12, 64  # looks that tell the noise
BEYOND = 500.0  # exp of this many errors is still finite


class LearningTime(NamedTuple):
    """First passage of each of R replicas through a loss.

    Attributes:
        loss: the level, in the unit of the system.
        time: proper time of the passage, (R,); NaN where it was not reached.
        error: standard error of each from the scatter of the looks about the smooth curve, (R,): 1.96 of them reach to
            the end of a 95 % interval. Infinite where the curve does not fall over the window; NaN where not reached.
        reached: (R,).
        until: last proper time at which the replica was seen, (R,); NaN if never.
        smoothing: half the width of the window used, in ln tau, (R,); NaN where not reached.
    """

    loss: float
    time: Array
    error: Array
    reached: NDArray[np.bool_]
    until: Array
    smoothing: Array

    @property
    def inverse(self) -> Array:
        """1 / time, (R,); NaN where not reached."""
        return 1 / self.time

    def mean(self) -> Fit:
        """The mean over the replicas that arrived, with Student's interval of the mean, t s / sqrt(R).

        No interval from a single replica, nor where a replica did not arrive: then the mean is of the fast ones alone
        and lies below that of all. NaN where none arrived. Student's interval is for times that scatter evenly: of
        log-normal ones it held .94 for a deviation of .3 in ln tau, .92 for .5, .87 for .8 and .79 for 1.2, with 3, 5
        or 10 replicas alike, and lay too low where it did not. Near a critical width take `geometric_mean`.
        """
        return self._mean_of(self.time[self.reached])

    def geometric_mean(self) -> Fit:
        """exp <ln tau> over the replicas that arrived, the typical time, with Student's interval of <ln tau>.

        Of log-normal times that is their median, and the interval holds it in 95 %, however skewed they are. No
        interval where `mean` has none.
        """
        return Fit(*(float(np.exp(each)) for each in self._mean_of(np.log(self.time[self.reached]))))

    def _mean_of(self, values: Array) -> Fit:
        """Of a number for each replica that arrived."""
        if not len(values):
            return Fit(np.nan, np.nan, np.nan)
        if len(values) < len(self.time) or len(values) == 1:
            return Fit(np.nan, float(values.mean()), np.nan)
        return mean_fit(values)


def learning_time(
    trajectory: "Trajectory", loss: float, *, floor: float = 0.0, smoothing: float = SMOOTHING
) -> LearningTime:
    """The first passage of the smoothed learning curve through `loss`, for each replica.

        tau(loss) = min{tau : s(ln tau) = ln loss},    s the smoothed ln(NLL - floor)

    (Hertz & Tyrcha 2024, Sec. IV.) s is a local parabola in ln tau (`local_parabola`). The window reaches `smoothing`
    to either side, or to the seventh nearest look if that is farther, so a curve that is curved in the logarithms is
    not flattened. But a curve that still shows the noise passes a level several times, the first time too early. So for
    each replica the window is doubled, at most four times (by default to a factor of five), until

        e = sigma (sum_j L_j^2)^1/2 / |slope| <= window / 3,    slope = [s(+) - s(-)] / distance

    where s = sum_j L_j y_j, sigma is the scatter of y about s, and (+), (-) are the ends of the window. (A noisy curve
    passes most often where noise made it steep: the slope at the passage itself would give too small an error.) The
    error is tau [exp(1.96 t e) - 1] / 1.96, t being Student's quantile over 1.96, for few looks tell sigma: about
    tau e, and 1.96 of it hold the upper end of the interval tau exp(+-1.96 t e) where e is large.

    Independent noise, Gaussian in ln NLL, of 1 to 30 % at 10, 20 or 80 looks a decade, on powers, exponentials and
    .12 + .8 tau^-.6 down to .15: the intervals held .91 to .98 of the truths, the bias being below half an error; .87
    where the level is 13 % below a plateau with a noise of 30 %. Correlated noise makes them too short, for it looks
    like the curve: with rho = .3 from look to look they held .81 to .86, with rho = .6 .45 to .67, with rho = .9 .11 to
    .34; then take the error from the scatter of replicas (`mean`). s is the typical loss, a mean of logarithms: noise
    of relative size n that is symmetric in the loss itself makes times early by n^2 / (2 |slope|) in ln tau. Many looks
    make the error smaller than that: .77 held for n = .3 at 80 looks a decade, on .12 + .8 tau^-.6 down to .15.

    Left out are spikes (looks more than six deviations above the median of five), time 0, superseded looks (all but the
    last of those at one time) and those that are not finite. A look at or below the floor, where there is no logarithm,
    counts as a tenth of the level: below any crossing, and not so far that it bends the curve before it. (Left out, a
    curve whose end is all below its floor would never arrive.)

    Args:
        trajectory: of R replicas.
        loss: the level that NLL - floor is to pass, above 0.
        floor: subtracted from the loss, e.g. the irreducible loss, or the energy of a ground state.
        smoothing: half the width of the narrowest window in ln tau, above 0.

    Raises:
        InputError: settings out of range; a curve that lies below the level from its first look on, by more than its
            noise explains, or passes it with fewer than seven looks.
    """
    trajectory = trajectory_of("trajectory", trajectory)
    level = np.log(_checked_level(loss))
    floor, smoothing = number("floor", floor), number("smoothing", smoothing, above=0, most=WIDEST)
    time, error, until, window = (np.full(trajectory.n_replicas, np.nan) for _ in range(4))
    for replica in range(trajectory.n_replicas):
        tau, seen = seen_looks(trajectory, replica)
        if len(tau):
            x, excess = np.log(tau), seen - floor
            until[replica] = tau[-1]
            y = np.log(np.where(excess > 0, excess, loss / 10))
            time[replica], error[replica], window[replica] = _first_passage(x, y, level, smoothing)
    return LearningTime(float(loss), time, error, np.isfinite(time), until, window)


def _checked_level(loss: float) -> float:
    """A level above 0; where energies below 0 were meant, what to do."""
    try:
        return number("loss", loss, above=0)
    except InputError as refused:
        raise InputError(f"{refused}: a level is that of loss - floor; give a floor below all losses") from None


class _Passage(NamedTuple):
    """Of one replica, in ln tau: where (-inf: before the first look, inf: not yet), standard error, what told it."""

    at: float
    error: float = np.nan
    n_free: float = np.nan
    window: float = np.nan


def _first_passage(x: Array, y: Array, level: float, smoothing: float) -> tuple[float, float, float]:
    """Proper time at which the smooth curve passes, its standard error and the window; NaN where it does not."""
    calm = ~_spikes(y)
    x, y = x[calm], y[calm]
    if len(x) < NEAREST:
        if y.min() > level:
            return np.nan, np.nan, np.nan
        raise InputError(f"a passage is told from at least {NEAREST} looks; got {len(x)}: look more often")
    found = _clear_passage(x, y, level, smoothing)
    if found.at == -np.inf:
        raise InputError(
            f"the loss is below {np.exp(level):g} from the first look on (tau = {np.exp(x[0]):g}): look earlier, or "
            "ask for a lower loss"
        )
    if found.at == np.inf:
        return np.nan, np.nan, np.nan
    half = student(found.n_free) * found.error
    tau, wide = np.exp(found.at), np.expm1(half) / NORMAL if half < BEYOND else np.inf
    return float(tau), float(tau * wide), found.window


def _clear_passage(x: Array, y: Array, level: float, smoothing: float) -> _Passage:
    """The passage in the narrowest window that is wide enough for the noise, or in the widest that knows one."""
    found = _Passage(-np.inf)
    for window in np.minimum(smoothing * 2.0 ** np.arange(DOUBLINGS + 1), 2 * (x[-1] - x[0])):
        at = _passage(x, y, level, window)
        if at == np.inf:
            return _Passage(at)
        if at == -np.inf:
            if np.isfinite(found.at):
                break  # too close to the first look for so wide a window
            continue
        found = _Passage(at, *_error(x, y, at, window))
        if found.error <= found.window / SHARP:
            break
    return found


def _passage(x: Array, y: Array, level: float, window: float) -> float:
    """Where the smooth curve first passes: -inf if before the first look, inf if not until the last."""
    places = _thinned(x, window / DENSE)
    below = smoothed(x, y, places, window) <= level
    if below.all() or (below[0] and _begins_below(x, y, level, window)):
        return -np.inf
    above = int((~below).argmax())
    if not below[above:].any():
        return np.inf
    after = above + int(below[above:].argmax())
    fine = np.linspace(places[after - 1], places[after], FINE)
    values = smoothed(x, y, fine, window)
    k = int((values[1:-1] <= level).argmax()) + 1 if (values[1:-1] <= level).any() else FINE - 1
    slope = (values[k] - values[k - 1]) / (fine[1] - fine[0])
    return float(fine[k] + (level - values[k]) / slope)


def _begins_below(x: Array, y: Array, level: float, window: float) -> bool:
    """Whether the curve is below the level at the first look, by more than the noise explains."""
    rows, first, _ = kernel(x, x[:1], window)
    noise, n_free = scatter(x, y, _around(x, x[0]), window)
    below = level - rows[0] @ y[first : first + rows.shape[1]]
    return bool(below > student(n_free) * noise * np.linalg.norm(rows))


def _thinned(x: Array, gap: float) -> Array:
    """Of ascending places the first in each stretch of length `gap`, and the last of all."""
    first = np.diff(np.floor((x - x[0]) / max(gap, FINEST)), prepend=-1) > 0
    first[-1] = True
    return x[first]


def _error(x: Array, y: Array, at: float, window: float) -> tuple[float, float, float]:
    """Standard error of a passage in ln tau, how many free numbers told the noise, and half the window."""
    rows, _, reach = kernel(x, np.array([at]), window)
    ends = np.clip([at - reach[0], at + reach[0]], x[0], x[-1])
    before, after = smoothed(x, y, ends, window)
    noise, n_free = scatter(x, y, _around(x, at), window)
    fall = (before - after) / (ends[1] - ends[0])
    error = noise * np.linalg.norm(rows) / fall if fall > 0 else np.inf
    return float(error), n_free, float(reach[0])


def _around(x: Array, at: float) -> NDArray[np.intp]:
    """The looks that tell the noise: within a factor e, or the twelve nearest; every second, third ... of very many."""
    distance = np.abs(x - at)
    near = np.flatnonzero(distance <= max(1, np.sort(distance)[:SOME][-1]))
    return near[:: -(-len(near) // ENOUGH)]


def _spikes(y: Array) -> NDArray[np.bool_]:
    """Looks far above the median of five; none on a curve that falls steadily.

    Second differences tell the noise whatever the slope: those of independent numbers have the variance 6 sigma^2.
    """
    if len(y) < 5:
        return np.zeros(len(y), bool)
    median = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(y, 2, mode="edge"), 5), 1)
    deviation = 1.4826 * np.median(np.abs(np.diff(y, 2))) / np.sqrt(6)
    return y - median > SPIKE * deviation
