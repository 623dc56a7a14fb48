"""How learning slows down: a power of the proper time, towards what is left for ever.

Glassy systems relax without a time scale of their own, and below the critical width something remains unlearned:

    NLL(tau) = NLL_inf + A tau^-gamma    (Hertz & Tyrcha 2024, Sec. III: 0.1265 and gamma = 0.52 at d = 2, w = 30)

The three numbers are strongly correlated (a smaller gamma with a lower NLL_inf draws almost the same curve), so errors
out of a covariance matrix would be too small. At a given gamma the rest is a straight line in tau^-gamma, and the whole
profile of the misfit costs one sum for each gamma (variable projection, Golub & Pereyra 1973).
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import number
from experiments.observables.estimate import Fit, student, student_fit
from experiments.observables.given import trajectory_of
from experiments.observables.jackknife import left_out
from experiments.observables.power_squares import GAMMAS, ZOOMS, least_squares, misfit, moments
from experiments.observables.power_window import SHORTEST, asymptotic, common_looks

if TYPE_CHECKING:
    from experiments.trajectory import Trajectory

Array = NDArray[np.float64]
ROUGH = 1  # zooms that are enough for weights, and for what a fit leaves: the misfit is flat at its minimum
SURE = 0.999  # that a curve falls at all


class PowerLaw(NamedTuple):
    """NLL_inf + A tau^-gamma, each with its 95 % interval.

    Attributes:
        loss_inf: NLL_inf, what is left for ever.
        amplitude: A, in the unit of the loss times that of tau^gamma.
        gamma: the exponent.
        window: first and last proper time that were fitted.
        n_looks: looks in the window.
        scatter: root mean square of what the fit leaves, relative to the loss.
        below_floor: whether the best NLL_inf lies below the floor given; None without a floor.
        cut_by: the replicas that stopped before the others ended, by number: the window ends with the first of them.
            Leave them out to fit on.
    """

    loss_inf: Fit
    amplitude: Fit
    gamma: Fit
    window: tuple[float, float]
    n_looks: int
    scatter: float
    below_floor: bool | None
    cut_by: tuple[int, ...]

    def curve(self, tau: NDArray[np.floating]) -> Array:
        """The fitted loss at proper times above 0."""
        return self.loss_inf.best + self.amplitude.best * np.asarray(tau, float) ** -self.gamma.best


def power_law(
    trajectory: "Trajectory", window: tuple[float, float] | None = None, *, floor: float | None = None
) -> PowerLaw:
    """NLL_inf + A tau^-gamma fitted to the mean curve of the replicas.

        sum_looks [(NLL - NLL_inf - A tau^-gamma) / NLL_fit]^2 = min,    0.01 < gamma < 10

    (relative deviations, as the noise of learning grows with the loss; plain ones if losses are not positive). With
    several replicas the intervals come from leaving each out in turn (the jackknife, Student's t with R - 1 degrees,
    in the logarithms of A and gamma). With one they come from the scatter: all curves whose misfit is below
    chi^2_min [1 + t^2 / (n - 3)], a region in (NLL_inf, A, gamma) that is not an ellipse; t^2 is raised by
    (1 + rho) / (1 - rho) where a residual is correlated by rho > 0 with the next. An end of NaN cannot be told.

    Args:
        trajectory: replicas that never were seen are an error; where looks differ, the others are interpolated at
            those of the replica with the fewest.
        window: first and last proper time, cut to what all replicas have seen. None: the longest one that ends at the
            last look and whose beginning obeys the law of its rest: the fit without the first eighth, quarter or half
            of the looks leaves no less, by an F-test at 95 % (Chow 1960) or within 0.2 % of the loss. Where a
            beginning had to go, twice that is cut. The intervals take the law to hold in the window: a correction
            that hides in the noise of the looks is not in them. With a transient .3 exp(-tau/15) before .12 + .8
            tau^-.6, seen by one replica from 10 to 1000, they held .96 of the truths at a noise of 0.5 % a look, .90 at
            1 % (.93 of those with both ends), and .05 at 3 %: there the transient passes for a part of the law, so
            average over replicas, or give the window.
        floor: the irreducible loss, to flag an NLL_inf below it.

    Raises:
        InputError: fewer than ten looks, times within a factor three, no visible decay, no sign of where it ends, or
            no such window.
    """
    trajectory = trajectory_of("trajectory", trajectory)
    first, last = (0.0, np.inf) if window is None else _ends(window)
    floor = None if floor is None else number("floor", floor)
    tau, losses, cut_by = common_looks(trajectory, first, last)
    losses = losses / (unit := _power_of_two(losses))
    mean = losses.mean(1)
    start = asymptotic(tau, mean, residuals) if window is None else 0
    tau, losses, mean = tau[start:], losses[start:], mean[start:]
    best, weight = _weighted_fit(tau, mean)
    _refuse_the_flat(tau, mean, best, weight)
    fits = _jackknife(tau, losses, best, weight) if losses.shape[1] > 1 else _profile(tau, mean, best, weight)
    scatter = float(np.sqrt(np.mean(_relative(tau, mean, best) ** 2)))
    below = None if floor is None else bool(unit * best[0] < floor)
    loss_inf, amplitude = (Fit(*(unit * float(value) for value in fit)) for fit in fits[:2])
    used = float(tau[0]), float(tau[-1])
    return PowerLaw(loss_inf, amplitude, fits[2], used, len(tau), scatter, below, cut_by)


def _power_of_two(losses: Array) -> float:
    """The size of the largest loss, in units of which no square overflows; dividing by it rounds nothing."""
    return 2.0 ** float(np.frexp(np.abs(losses).max())[1] - 1)


def residuals(tau: Array, loss: Array) -> Array | None:
    """What the best power law leaves of one curve, relative to the fit; None if it does not fall."""
    best, _ = _weighted_fit(tau, loss, ROUGH)
    return _relative(tau, loss, best) if best[1] > 0 else None


def _ends(window: tuple[float, float]) -> tuple[float, float]:
    try:
        first, last = (float(end) for end in window)
    except (TypeError, ValueError, OverflowError):
        first, last = np.nan, np.nan
    if not (0 <= first and SHORTEST * first <= last):
        raise InputError(f"window is (first, last) proper time, a factor {SHORTEST} apart or more; got {shown(window)}")
    return first, last


def _model(tau: Array, best: Array) -> Array:
    return best[0] + best[1] * tau ** -best[2]


def _relative(tau: Array, loss: Array, best: Array) -> Array:
    model = _model(tau, best)
    return (loss - model) / (model if (model > 0).all() else np.sqrt(np.mean(loss**2)))


def _weighted_fit(tau: Array, loss: Array, zooms: int = ZOOMS) -> tuple[Array, Array]:
    """(NLL_inf, A, gamma) and the weights, 1 / model^2 of the round before: those of the noisy loss would pull down."""
    best, weight = np.zeros(3), np.ones(len(tau))
    for fineness in (ROUGH, ROUGH, zooms):
        best = least_squares(tau, loss[:, None], weight, fineness)[:, 0]
        model = _model(tau, best)
        weight = 1 / model**2 if (model > 0).all() and (loss > 0).all() else np.ones(len(tau))
    return best, weight


def _at_an_edge(gamma: Array | float) -> bool:
    return bool(np.any(np.asarray(gamma) <= GAMMAS[0] * 1.001) or np.any(np.asarray(gamma) >= GAMMAS[-1] / 1.001))


def _refuse_the_flat(tau: Array, mean: Array, best: Array, weight: Array) -> None:
    from scipy.special import fdtri

    n, window = len(tau), f"between tau = {tau[0]:g} and {tau[-1]:g}"
    left = float(weight @ (mean - _model(tau, best)) ** 2)
    constant = float(weight @ (mean - weight @ mean / weight.sum()) ** 2)
    if best[1] <= 0 or constant - left <= 2 * left / (n - 3) * fdtri(2, n - 3, SURE) or constant < 1e-20:
        raise InputError(f"the loss does not visibly fall {window}: choose an earlier window")
    if _at_an_edge(best[2]):
        what = "does not bend" if best[2] < 1 else "falls at once"
        raise InputError(f"the loss {what} {window}: no power law can be told, learn longer or choose another window")


def _jackknife(tau: Array, losses: Array, best: Array, weight: Array) -> tuple[Fit, Fit, Fit]:
    """From leaving out each replica in turn."""
    n_replicas = losses.shape[1]
    without = (losses.sum(1, keepdims=True) - losses) / (n_replicas - 1)
    drawn = least_squares(tau, without, weight)
    if _at_an_edge(drawn[2]) or (drawn[1] <= 0).any():
        loss_inf, amplitude, gamma = (Fit(np.nan, float(value), np.nan) for value in best)
        return loss_inf, amplitude, gamma
    drawn[1:], centre = np.log(drawn[1:]), np.array([best[0], *np.log(best[1:])])
    _, errors = left_out(centre, drawn)
    loss_inf, *logs = (student_fit(c, e, n_replicas - 1) for c, e in zip(centre, errors, strict=True))
    amplitude, gamma = (Fit(*(float(np.exp(end)) for end in log)) for log in logs)
    return loss_inf, amplitude, gamma


def _profile(tau: Array, loss: Array, best: Array, weight: Array) -> tuple[Fit, Fit, Fit]:
    """Ends of the region of small misfit: at each gamma it is a parabola in NLL_inf, and one in A."""
    n, unit = len(tau), float(np.exp(np.log(tau).mean()))
    t, y = tau / unit, loss[:, None]
    remains = np.sqrt(weight) * (loss - _model(tau, best))
    rho = max(float(remains[1:] @ remains[:-1]) / max(float(remains @ remains), 1e-300), 0.0)
    most = float(remains @ remains) * (1 + student(n - 3) ** 2 * (1 + rho) / (1 - rho) / (n - 3))
    fine = _inside(t, y, weight, best[2], most)
    centre, square, product = (each[0] for each in moments(t, y, weight, fine[None]))
    room = np.sqrt(np.maximum(most - misfit(t, y, weight, fine[None])[0], 0))
    slope, level = product / square, weight @ loss / weight.sum()
    inf, half = level - slope * centre, room * np.sqrt(1 / weight.sum() + centre**2 / square)
    scale, half_slope = unit**fine, room / np.sqrt(square)
    slow, fast = fine[0] <= GAMMAS[0] * 1.001, fine[-1] >= GAMMAS[-1] / 1.001
    ends = [(inf - half).min(), (inf + half).max()]
    sizes = [(scale * (slope - half_slope)).min(), (scale * (slope + half_slope)).max()]
    return (
        Fit(np.nan if slow else float(ends[0]), float(best[0]), float(ends[1])),
        Fit(*(np.nan if slow or fast else float(value) for value in (sizes[0], best[1], sizes[1]))),
        Fit(np.nan if slow else float(fine[0]), float(best[2]), np.nan if fast else float(fine[-1])),
    )


def _inside(t: Array, y: Array, weight: Array, best: float, most: float) -> Array:
    """The gammas whose misfit is at most `most`, from end to end, (201,)."""
    ends = []
    for edge in (GAMMAS[0], GAMMAS[-1]):
        inside, outside = np.log(best), np.log(edge)
        if misfit(t, y, weight, np.full((1, 1), edge))[0, 0] <= most:
            inside = outside
        for _ in range(6):
            trial = np.linspace(inside, outside, 12)
            beyond = misfit(t, y, weight, np.exp(trial)[None])[0] > most
            beyond[0] = False
            k = max(int(beyond.argmax()), 1) if beyond.any() else len(trial) - 1
            inside, outside = trial[k - 1], trial[k]
        ends.append(np.exp(outside))
    return np.geomspace(min(ends[0], best), max(ends[1], best), 201)
