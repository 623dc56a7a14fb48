"""Whether curves of different waiting times are one function, once time is counted in the right unit.

    value(tau_w, tau) = f(tau / tau_w^mu)        mu = 0: stationary;  mu = 1: pure aging;  0 < mu < 1: sub-aging

Curves are laid over one another as ln value against ln(tau / tau_w^mu), each replica interpolated (piecewise cubic,
monotone between looks) onto a common grid. What is left between them,

    V = mean over the grid of the variance, over curves, of <ln value>_replicas,

is compared with V0, what it would be if all were one function and only the scatter of the replicas set them apart:
score = V / <V0>, about 1 for a collapse. V0 is drawn by a bootstrap of the deviations of the replicas with Gaussian
weights g, the same in all curves (one run makes them all), and a chi-square for an error known from R replicas only
(a curve without some of the replicas has its own R, and nu the smallest):

    V0 = V[sum_r g_r (ln value_r - <ln value>)] / [R (R - 1)] * nu / chi^2_nu,    nu = (R - 1) * 2 <V>^2 / var V
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, checked_seed
from encoding.errors import shown
from experiments.observables.estimate import BOOTSTRAPS, CONFIDENCE, UNTOLD, Fit, quantile_fit
from experiments.observables.jackknife import jackknife
from experiments.observables.two_times import TwoTimeCurve, check_curve_of_ratio, checked_window

N_GRID = 64  # places in ln x where curves are compared
N_TRIED = 29  # exponents mu, before the best is refined
STEP = 0.05  # of mu, to either side of the best, for the error
MU = (-0.8, 2.0)
OVERLAP = 0.5  # part of the shorter of two neighbouring curves that the longer must cover, in ln x
FEWEST = 3  # replicas that can refuse a collapse
APART = 1e9  # V of curves that overlap too little


class Line(NamedTuple):
    """ln value of some `replicas` as a function of ln tau, known from `first` to `last`; `wait` is ln tau_w."""

    curve: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    first: float
    last: float
    wait: float
    replicas: NDArray[np.bool_]


class Scaling(NamedTuple):
    """How well curves fall on one function of tau / tau_w^mu.

    Attributes:
        mu: the exponent.
        spread: sqrt(V), the rms deviation between the curves: 0.05 for 5 %.
        score: V / <V0>; NaN for a single replica.
        null: 2.5, 50 and 97.5 % quantiles of the score if they are one function; NaN below three replicas. (One
            difference between two of them tells <V0> so badly that scores up to 600 would pass.)
        p_value: how often a collapse has such a score, or a larger one; NaN below three replicas.
        collapses: whether p_value is at least 0.05; None below three replicas, and where curves overlap too little.
    """

    mu: float
    spread: float
    score: float
    null: Fit
    p_value: float
    collapses: bool | None


class Collapse(NamedTuple):
    """The three ways to lay the curves over one another.

    Attributes:
        lag: as functions of tau.
        ratio: of tau / tau_w.
        fitted: of tau / tau_w^mu with the best mu; its null does not know that mu was fitted, so it is a little wide.
        mu: with its 95 % interval over replicas; NaN for an end that cannot be told: of a single replica, beyond -0.8
            or 2, or of a best mu there.
        n_replicas: how many counted in every curve.
        left_out: the replicas that did not count in some curve, by number: frozen, at rest, or without a look at its
            tau_w (`TwoTimeCurve.lasting`). The other curves keep them.
    """

    lag: Scaling
    ratio: Scaling
    fitted: Scaling
    mu: Fit
    n_replicas: int
    left_out: tuple[int, ...]


def collapse(curves: Sequence[TwoTimeCurve], *, window: tuple[float, float] = (0.0, np.inf), seed: int = 0) -> Collapse:
    """How well curves fall on one function of tau, of tau / tau_w, and of tau / tau_w^mu with mu fitted.

    Args:
        curves: of one run and one quantity, for different tau_w > 0.
        window: which x = tau / tau_w of each curve count.
        seed: of the draws of the null.

    Raises:
        InputError: fewer than two waiting times, other replicas, fewer than 4 looks with positive values in the window,
            or curves that do not overlap.
    """
    lines = _lines(curves, window)
    rng = np.random.Generator(np.random.Philox(key=[checked_seed(seed), len(lines)]))
    mu = _mu_fit(lines)
    lag, ratio, fitted = (_scaling(lines, each, rng) for each in (0.0, 1.0, mu.best))
    counted = np.array([line.replicas for line in lines])
    return Collapse(lag, ratio, fitted, mu, int(counted.sum(1).min()), tuple(np.flatnonzero(~counted.all(0)).tolist()))


def _lines(curves: Sequence[TwoTimeCurve], window: tuple[float, float]) -> list[Line]:
    """The curves in logarithms, each of the replicas that count in it, in order of tau_w."""
    from scipy.interpolate import PchipInterpolator

    _check(curves)
    low, high = checked_window(window)
    lines = []
    for curve in sorted(curves, key=lambda curve: curve.waiting):
        lag, value = curve.shared()
        x = lag / curve.waiting
        good = (x >= low) & (x <= high) & (value > 0).all(1)
        if good.sum() < 4:
            raise InputError(
                f"a collapse needs 4 looks of each curve in the window, positive for all replicas; got {good.sum()} at "
                f"tau_w = {curve.waiting:g}: look more often, or take a wider window"
            )
        x = np.log(lag[good])
        laid = PchipInterpolator(x, np.log(value[good]))
        lines.append(Line(laid, x[0], x[-1], float(np.log(curve.waiting)), curve.lasting()))
    return lines


def _check(curves: Sequence[TwoTimeCurve]) -> None:
    if not isinstance(curves, list | tuple) or len(curves) < 2:
        raise InputError(f"a collapse compares a list of two curves or more; got {shown(curves)}")
    for curve in curves:
        check_curve_of_ratio(curve)
    waiting = sorted(curve.waiting for curve in curves)
    if min(np.diff(waiting)) <= 1e-6 * waiting[0]:
        raise InputError(f"a collapse compares different waiting times; got {', '.join(f'{w:g}' for w in waiting)}")
    kinds = {
        (type(curve).__name__, getattr(curve, "quantity", None), curve.group, curve.n_replicas) for curve in curves
    }
    if len(kinds) > 1:
        raise InputError("a collapse compares one quantity, of one group and the same replicas; got several")


def _laid(lines: Sequence[Line], mu: float) -> NDArray[np.float64] | None:
    """ln value of each curve on a grid of ln(tau / tau_w^mu), (n_curves, N_GRID, R).

    NaN beyond its looks, and for replicas that do not count in it.

    None where neighbours overlap too little to be compared.
    """
    ends = [(line.first - mu * line.wait, line.last - mu * line.wait) for line in lines]
    for (low, high), (next_low, next_high) in pairwise(ends):
        if min(high, next_high) - max(low, next_low) < OVERLAP * min(high - low, next_high - next_low):
            return None
    lows, highs = np.sort(np.array(ends).T)
    grid = np.linspace(lows[1], highs[-2], N_GRID)  # where at least two curves are known
    laid = np.full((len(lines), N_GRID, len(lines[0].replicas)), np.nan)
    for place, (line, (low, high)) in enumerate(zip(lines, ends, strict=True)):
        inside = (grid >= low) & (grid <= high)
        laid[place][np.ix_(inside, line.replicas)] = line.curve(grid[inside] + mu * line.wait)
    return laid


def _mean(laid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the replicas of each curve, (n_curves, N_GRID); NaN beyond its looks."""
    known = np.isfinite(laid)
    n = known.sum(2)
    return np.where(known, laid, 0).sum(2) / np.where(n > 0, n, np.nan)


def _variance(laid: NDArray[np.float64]) -> NDArray[np.float64]:
    """V: the variance over curves, averaged over the grid; (n_curves, N_GRID, ...) -> (...)."""
    known = np.isfinite(laid)
    n = known.sum(0)
    mean = np.where(known, laid, 0).sum(0) / np.maximum(n, 1)
    squares = (np.where(known, laid - mean, 0) ** 2).sum(0) / np.maximum(n - 1, 1)
    return squares.sum(0) / (n > 1).sum(0)


def _left(laid: NDArray[np.float64] | None) -> float:
    """V of the mean over replicas."""
    return APART if laid is None else float(_variance(_mean(laid)))


def _mu_fit(lines: Sequence[Line]) -> Fit:
    """The mu of the smallest V, with what it moves by as one replica is left out: V is a parabola near its minimum.

    An end beyond the mu that were tried is NaN; both are where the smallest V is at the edge of them, for no minimum.
    """
    best = _best_mu(lines)
    if not MU[0] + STEP < best < MU[1] - STEP:
        return Fit(np.nan, best, np.nan)
    nearby = [_laid(lines, best + step) for step in (-STEP, 0.0, STEP)]
    counted = np.array([line.replicas for line in lines])

    def vertex(chosen: NDArray[np.int64]) -> float:
        if not counted[:, chosen].any(1).all():
            return np.nan
        low, here, high = (_left(None if laid is None else laid[:, :, chosen]) for laid in nearby)
        curvature = low - 2 * here + high
        return STEP * (low - high) / (2 * curvature) if curvature > 0 and max(low, high) < APART else np.nan

    moved = jackknife(len(counted.T), lambda chosen: np.array([vertex(chosen)]))[0]
    low, high = best + moved.low - moved.best, best + moved.high - moved.best
    return Fit(low if low > MU[0] else np.nan, best, high if high < MU[1] else np.nan)


def _best_mu(lines: Sequence[Line]) -> float:
    """The mu of the smallest V, among those at which neighbours overlap."""
    from scipy.optimize import minimize_scalar

    tried = np.linspace(*MU, N_TRIED)
    at = [_left(_laid(lines, mu)) for mu in tried]
    if min(at) == APART:
        raise InputError("the curves do not overlap, whatever mu: take waiting times closer to one another")
    best = int(np.argmin(at))
    bounds = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
    found: Any = minimize_scalar(
        lambda mu: _left(_laid(lines, mu)), bounds=bounds, method="bounded", options={"xatol": 1e-5}
    )
    return float(found.x)


def _scaling(lines: Sequence[Line], mu: float, rng: np.random.Generator) -> Scaling:
    """V at this mu beside what the scatter of the replicas makes of it."""
    laid = _laid(lines, mu)
    if laid is None:
        return Scaling(mu, np.nan, np.nan, UNTOLD, np.nan, None)
    left, n_replicas = _left(laid), min(int(line.replicas.sum()) for line in lines)
    if n_replicas < 2:
        return Scaling(mu, float(np.sqrt(left)), np.nan, UNTOLD, np.nan, None)
    drawn = _chance(laid, rng)
    usual = float(drawn.mean())
    if usual == 0:
        raise InputError("a collapse is judged by the scatter of the replicas; got replicas that are all the same")
    if n_replicas < FEWEST:
        return Scaling(mu, float(np.sqrt(left)), left / usual, UNTOLD, np.nan, None)
    freedom = (n_replicas - 1) * 2 * usual**2 / drawn.var()  # Satterthwaite: of how many squares V0 is the sum
    scores = drawn / usual * freedom / rng.chisquare(freedom, BOOTSTRAPS)
    p_value = float((1 + (scores >= left / usual).sum()) / (1 + BOOTSTRAPS))
    null = quantile_fit(float(np.median(scores)), scores)
    return Scaling(mu, float(np.sqrt(left)), left / usual, null, p_value, p_value >= 1 - CONFIDENCE)


def _chance(laid: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """V of one function, as the replicas scatter, before the chi-square, (BOOTSTRAPS,)."""
    mean, n = _mean(laid)[:, :, None], np.isfinite(laid).sum(2, keepdims=True)
    apart = np.where(np.isfinite(laid), laid - mean, 0) / np.sqrt(np.maximum(n * (n - 1), 1))
    drawn = apart @ rng.standard_normal((laid.shape[2], BOOTSTRAPS))
    return _variance(np.where(n > 0, drawn, np.nan))
