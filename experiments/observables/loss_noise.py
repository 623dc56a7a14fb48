"""How the loss flickers under stochastic gradient descent (Hertz & Tyrcha 2024, Fig. 4).

At a constant rate the weights diffuse about their way downhill, and the loss seen at each step with them. The loss
remembers some steps back, so that n steps are worth n / (2 tau_int) independent ones (Sokal 1997):

    tau_int = 1/2 + sum_{t=1}^{W} rho(t),   W >= 5 tau_int,        error of a mean = s sqrt(2 tau_int / n)
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import number
from experiments.observables.estimate import NORMAL, UNTOLD, Fit, mean_fit, student
from experiments.observables.given import entries, numbers

N_INDEPENDENT = 50  # fewer independent losses than this do not show how wide they scatter, nor how long they remember
N_REMOVED = 2  # mean and slope
ROUNDING = 1e-12
INDEPENDENT = 0.5  # tau_int of losses without memory
LEAST_WINDOW = 2.0  # times `window`: lags that are always summed
MOST_WINDOW = 1e6


class LossFluctuations(NamedTuple):
    """Mean and scatter of the loss, one `Fit` a replica.

    Attributes:
        mean: over the steps, in the unit of the loss.
        deviation: standard deviation about the linear trend, in the unit of the loss; 0 where nothing flickers.
        relative: deviation / mean; NaN where the mean is not positive.
        correlation_time: tau_int, in steps: 1/2 for losses without memory; NaN where nothing flickers.
    """

    mean: tuple[Fit, ...]
    deviation: tuple[Fit, ...]
    relative: tuple[Fit, ...]
    correlation_time: tuple[Fit, ...]


def loss_fluctuations(losses: ArrayLike, *, window: float = 5.0) -> LossFluctuations:
    """Mean, standard deviation and correlation time of the losses seen step by step at constant rate.

        s^2 = sum_t [L(t) - trend(t)]^2 / (n - 4 tau_int)

    The trend is a straight line, fitted; it takes two of n / (2 tau_int) independent numbers, and its part in rho is
    put back (Wolff 2004). The error of s is that of the mean of the squares, with their own correlation time, so that
    the losses need not be Gaussian; that of tau_int is tau_int sqrt((4W + 2)/n) (Madras & Sokal 1988).

    Args:
        losses: (n_steps, R), or (n_steps,) of one replica, as `step(rate, n_steps)` of a system returns them.
        window: W / tau_int; 5 after Sokal, more for memories that are no exponential.

    Raises:
        InputError: no finite numbers, or fewer than 50 * 2 tau_int steps.
    """
    series = numbers(losses, "losses", "n_steps", "n_replicas", may_drop_last=True)
    window = number("window (in correlation times, 5 is usual)", window, least=1, most=MOST_WINDOW)
    fits = [_flicker(column, window) for column in series.T]
    return LossFluctuations(*(tuple(each) for each in zip(*fits, strict=True)))


def noise_against_batch(batch: ArrayLike, losses: Sequence[ArrayLike], *, window: float = 5.0) -> Fit:
    """Exponent of the standard deviation of the loss against batch size: -1/2 where slots add up independently.

        ln s_p = constant + exponent * ln p

    Fitted for each replica by weighted least squares; the interval is Student's over replicas. For a single replica it
    is that of the fit, wider by sqrt(chi^2 / (n_batches - 2)) where the points lie off the line.

    Args:
        batch: sizes p, (n_batches,), at least two different ones.
        losses: for each p the losses at constant rate, (n_steps, R) or (n_steps,); the same replicas for all p.
        window: as for `loss_fluctuations`.

    Raises:
        InputError: other shapes, sizes that are not positive, losses that do not flicker or are too short.
    """
    p, losses = numbers(batch, "batch sizes", "n_batches"), entries("losses", losses)
    if (p <= 0).any() or len(np.unique(p)) < 2 or len(p) != len(losses):
        raise InputError(
            "batch sizes are positive, at least two of them different, each with its losses; "
            f"got sizes {shown(p.tolist())} and {len(losses)} losses"
        )
    seen = [loss_fluctuations(each, window=window).deviation for each in losses]
    if len({len(each) for each in seen}) > 1:
        raise InputError(f"the same replicas for all batch sizes; got {[len(each) for each in seen]}")
    low, best, high = np.moveaxis(np.array(seen), 2, 0)  # (n_batches, R)
    if (low <= 0).any():
        raise InputError("losses that do not flicker have no noise (full gradient?): leave that batch size out")
    fits = [_slope(np.log(p), np.log(s), np.log(up / down)) for s, up, down in zip(best.T, high.T, low.T, strict=True)]
    return mean_fit(np.array([fit.best for fit in fits])) if len(fits) > 1 else fits[0]


def integrated_time(residual: NDArray[np.float64], *, window: float, n_removed: int) -> tuple[float, int]:
    """tau_int and W of a series of which `n_removed` modes (mean, slope) were taken out, in steps."""
    n = len(residual)
    power = np.abs(np.fft.rfft(residual, 2 * n)) ** 2
    rho = np.fft.irfft(power)[:n]
    rho = rho / rho[0]
    first, _ = _windowed(rho, window)
    return _windowed(rho + n_removed * 2 * first / n, window)


def _windowed(rho: NDArray[np.float64], window: float) -> tuple[float, int]:
    """Sum of rho up to the first W that is `window` times it, and so far that losses that alternate are seen to."""
    tau = np.cumsum(rho) - rho[0] / 2
    enough = np.arange(1, len(rho)) >= window * np.maximum(tau[1:], LEAST_WINDOW)
    last = 1 + int(np.argmax(enough)) if enough.any() else len(rho) - 1
    return max(float(tau[last]), 1 / len(rho)), last


def _flicker(loss: NDArray[np.float64], window: float) -> tuple[Fit, Fit, Fit, Fit]:
    """Mean, deviation, relative deviation and correlation time of one replica."""
    n, mean, x = len(loss), float(loss.mean()), _about_trend(loss)
    if not x.any():
        still = Fit(0.0, 0.0, 0.0)
        return Fit(mean, mean, mean), still, still if mean > 0 else UNTOLD, UNTOLD
    tau, last = integrated_time(x, window=window, n_removed=N_REMOVED)
    if n < N_INDEPENDENT * 2 * tau:
        raise InputError(
            f"losses remember some {2 * tau:.0f} steps (or bend), so that {n} steps are too few: take at least "
            f"{ceil(N_INDEPENDENT * 2 * tau)}, at constant rate, late in learning"
        )
    s = float(np.sqrt(x @ x / (n - N_REMOVED * 2 * tau)))
    squares = x**2 / (2 * s**2)  # ln s to first order
    flat = _half_width(x, tau)
    deviation = _scaled(s, _half_width(squares, window=window))
    relative = _scaled(s / mean, _half_width(squares - x / mean, window=window)) if mean > 0 else UNTOLD
    reach = NORMAL * max(tau, INDEPENDENT) * np.sqrt((4 * last + 2) / n)
    known = Fit(tau - reach, tau, tau + reach)
    return Fit(mean - flat, mean, mean + flat), deviation, relative, known


def _about_trend(loss: NDArray[np.float64]) -> NDArray[np.float64]:
    """Losses less their straight line; exactly zero where only rounding is left."""
    if len(loss) < N_INDEPENDENT:
        raise InputError(f"the scatter of losses needs at least {N_INDEPENDENT} steps; got {len(loss)}: take more")
    x = loss - loss.mean()
    clock = np.arange(len(x)) - (len(x) - 1) / 2
    x = x - clock * (clock @ x) / (clock @ clock)
    return x if np.abs(x).max() > ROUNDING * np.abs(loss).max() else np.zeros_like(x)


def _half_width(x: NDArray[np.float64], tau: float | None = None, *, window: float = 5.0) -> float:
    """Half the 95 % interval of the mean of a series with memory."""
    x = x - x.mean()
    if tau is None:
        tau, _ = integrated_time(x, window=window, n_removed=1)
    n_independent = max(
        len(x) / (2 * max(tau, INDEPENDENT)), N_REMOVED + 2
    )  # alternating losses: none the better for it
    return float(student(n_independent - N_REMOVED) * x.std() / np.sqrt(n_independent))


def _scaled(best: float, log_error: float) -> Fit:
    """An interval that is symmetric in the logarithm, for what is positive."""
    return Fit(float(best * np.exp(-log_error)), best, float(best * np.exp(log_error)))


def _slope(x: NDArray[np.float64], y: NDArray[np.float64], width: NDArray[np.float64]) -> Fit:
    """Weighted straight line; `width` is that of the 95 % intervals of y."""
    error = width / (2 * NORMAL)
    weight = 1 / error**2
    centre = x - np.average(x, weights=weight)
    slope = float((weight * centre) @ y / ((weight * centre) @ centre))
    off = y - np.average(y, weights=weight) - slope * centre
    chi2 = (weight @ off**2) / (len(x) - 2) if len(x) > 2 else 1.0
    half = float(NORMAL * np.sqrt(max(chi2, 1.0) / ((weight * centre) @ centre)))
    return Fit(slope - half, slope, slope + half)
