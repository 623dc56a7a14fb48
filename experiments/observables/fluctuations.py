"""Fluctuation and dissipation: how a system answers a small force, against how it moves by itself.

    chi = X D / (2 T)             X = 1 in equilibrium; X < 1 in an aging glass, at effective temperature T / X

(Cugliandolo & Kurchan 1993). D is the mean-square displacement since tau_w and chi the response to a field that is
switched on at tau_w, at the same lags; equivalently chi against C has the slope -X / T where D = 2 [C(0) - C(tau)].
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from experiments.observables.aging import Aging
from experiments.observables.correlation import Correlation
from experiments.observables.displacement import Displacement
from experiments.observables.estimate import Fit
from experiments.observables.given import SMALLEST, numbers
from experiments.observables.jackknife import jackknife
from experiments.observables.two_times import TwoTimeCurve, check_curve

Curve = TwoTimeCurve | ArrayLike
SAME = 1e-6  # relative difference of lags and waiting times that are one


def fluctuation_dissipation(response: Curve, displacement: Curve, temperature: ArrayLike) -> Fit:
    """X, the slope of chi against D / (2 T) over the given lags, with a free intercept.

    Curves are averaged over replicas before the slope is taken (noise in D would flatten it); bias and error come from
    leaving out each replica in turn (jackknife, Student's t). X(C) of an aging system is the slope over a window:
    give the rows of that window only.

    Args:
        response: chi, (n_lags, R), or the curve of it.
        displacement: D, (n_lags, R), or the curve, of the same lags, tau_w and group.
        temperature: T, a number or (R,). For SGD eta Gamma / 2: its steps have the variance eta^2 Gamma.

    Returns:
        X with its 95 % interval; the ends are NaN for a single replica.

    Raises:
        InputError: other shapes, entries that are not finite, fewer than 3 lags, D that does not change, T <= 0; curves
            of other lags, waiting times or groups, or one in the place of the other.
    """
    chi, half = _curves(response, displacement, temperature)

    def slope(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.array([_slope(*(each[:, chosen].mean(1) for each in (chi, half)))])

    return jackknife(chi.shape[1], slope, unbiased=True)[0]


def _curves(
    response: Curve, displacement: Curve, temperature: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """chi and D / (2 T), (n_lags, R) each."""
    _refuse_strangers(response, displacement)
    chi = numbers(getattr(response, "value", response), "response chi and D", "n_lags", "n_replicas")
    far = numbers(getattr(displacement, "value", displacement), "displacements D", "n_lags", "n_replicas")
    if chi.shape != far.shape or len(chi) < 3:
        raise InputError(f"chi and D are of shape (n_lags, R), at least 3 lags; got {chi.shape} and {far.shape}")
    heat = numbers(temperature, "temperature", "n_replicas", may_drop_last=True)
    if len(heat) not in (1, chi.shape[1]) or (heat <= SMALLEST).any():
        raise InputError(f"temperature is positive, a number or one a replica; got {shown(temperature)}")
    if (np.ptp(far, 0) == 0).any():
        raise InputError("D changes with the lag; got a replica that does not move: X is a slope")
    return chi, far / (2 * heat)


def _refuse_strangers(response: object, displacement: object) -> None:
    """Refuse curves that do not belong together; plain numbers say nothing about it."""
    if isinstance(response, Displacement | Aging | Correlation):
        raise InputError(f"the response chi comes first, then D; got {type(response).__name__} in the place of chi")
    if isinstance(displacement, TwoTimeCurve) and not (
        isinstance(displacement, Displacement) or (isinstance(displacement, Aging) and displacement.quantity == "D")
    ):
        raise InputError(f"D is a displacement; got {type(displacement).__name__}: D in the unit of the weights")
    if not (isinstance(response, TwoTimeCurve) and isinstance(displacement, TwoTimeCurve)):
        return
    check_curve(response)
    check_curve(displacement)
    if response.lag.shape != displacement.lag.shape or not np.allclose(response.lag, displacement.lag, rtol=SAME):
        raise InputError("response chi and displacement D are compared at the same lags; got others")
    if not np.isclose(response.waiting, displacement.waiting, rtol=SAME, equal_nan=True):
        waits = f"{response.waiting:g} and {displacement.waiting:g}"
        raise InputError(f"response chi and displacement D are of one waiting time; got tau_w = {waits}")
    if response.group != displacement.group:
        groups = f"{shown(response.group)} and {shown(displacement.group)}"
        raise InputError(f"response chi and displacement D are of one group of weights; got {groups}")


def _slope(y: NDArray[np.float64], x: NDArray[np.float64]) -> float:
    """Of the straight line of least squares."""
    x = x - x.mean()
    return float(x @ y / (x @ x))
