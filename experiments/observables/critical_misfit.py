"""Whether a law for 1/tau against w can be true, from the scatter of the replicas at each width.

    chi^2 = sum_w R_w (<1/tau>_w - law(w))^2 / s_w^2,    s_w = phi <1/tau>_w^kappa

The scatter of a few replicas says little about one width, so it is taken to follow a power of the rate (kappa = 0: the
same everywhere, 1: relative), phi and kappa by the likelihood of the variances s^2 seen at all widths (chi^2 of R_w - 1
degrees; Davidian & Carroll 1987). The law is fitted again with these weights, and chi^2 / (n - 3) compared with F.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.observables.critical_power import fit_powers

Array = NDArray[np.float64]
KAPPAS = np.linspace(0, 2, 41)
EXACT = 1e-9  # of a rate: a scatter below is rounding
LEAST_FREE = 3  # numbers that tell the scatter: two are fitted to it


class Misfit(NamedTuple):
    """Of the parabola and of the power law.

    Attributes:
        quadratic: how often replicas on a parabola leave so much, or more; NaN where they tell no scatter.
        power: likewise of a (w - w_c)^nu; NaN also where it has no zero.
        aic_difference: of the parabola less the power law, both of three numbers: above 0 the power law is better, 2
            a little, 10 clearly.
    """

    quadratic: float
    power: float
    aic_difference: float


def misfit(w: Array, times: list[Array], power: Array) -> Misfit:
    """Of both laws.

    Args:
        w: widths in order, (n,).
        times: 1/tau of the replicas at each.
        power: (a, w_c, nu) of the power law.
    """
    mean, count = np.array([each.mean() for each in times]), np.array([len(each) for each in times])
    free = int((count - 1).sum())
    told = free >= LEAST_FREE
    deviation = _scatter(times, mean, count - 1) if told else mean
    weight = count / np.maximum(deviation, EXACT * mean) ** 2
    squares = [_of_parabola(w, mean, weight), _of_power(w, mean, weight, power)]
    if told:
        quadratic, other = (_chance(each, len(w) - 3, free - 1) for each in squares)
        return Misfit(quadratic, other, squares[0] - squares[1])
    return Misfit(np.nan, np.nan, float(len(w) * np.log(squares[0] / squares[1])) if min(squares) > 0 else np.nan)


def _scatter(times: list[Array], mean: Array, free: NDArray[np.int64]) -> Array:
    """phi <1/tau>^kappa at each width, by the greatest likelihood."""
    variance = np.array([each.var(ddof=1) if len(each) > 1 else 0.0 for each in times])
    shape = (mean / mean.max()) ** (2 * KAPPAS[:, None])  # (n_kappas, n)
    square = (free * variance / shape).sum(1) / free.sum()
    square = np.maximum(square, (EXACT * mean.max()) ** 2)
    best = int(np.argmin(free.sum() * np.log(square) + (free * np.log(shape)).sum(1)))
    return np.sqrt(square[best] * shape[best])


def _of_parabola(w: Array, mean: Array, weight: Array) -> float:
    """Least chi^2 of any parabola."""
    root, x = np.sqrt(weight), (w - w.mean()) / np.ptp(w)
    design = np.vander(x, 3) * root[:, None]
    found = np.linalg.lstsq(design, mean * root, rcond=None)[0]
    return float(((mean * root - design @ found) ** 2).sum())


def _of_power(w: Array, mean: Array, weight: Array, start: Array) -> float:
    """Least chi^2 of a power of w - w_c, NaN where that lies at infinity."""
    a, w_c, nu = fit_powers(w, mean[None], weight, start=start)[0]
    if not np.isfinite([a, w_c, nu]).all():
        return np.nan
    return float((weight * (mean - a * (w - w_c) ** nu) ** 2).sum())


def _chance(squares: float, n: int, n_free: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(n, n_free, squares / n)) if np.isfinite(squares) else np.nan
