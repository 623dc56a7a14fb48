"""The aging function fitted in x = tau / tau_w, one of `aging_forms` or several compared.

Least squares of the mean over replicas; intervals by leaving out one replica at a time; whether the form can be true
from the scatter of the replicas (`misfit`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import is_number
from experiments.observables.aging_forms import (
    FORMS,
    Form,
    akaike,
    amplitudes,
    around,
    at_an_end,
    best_shape,
    counted_from,
    slopes,
)
from experiments.observables.estimate import CONFIDENCE, Fit
from experiments.observables.given import entries, is_word, reals
from experiments.observables.jackknife import jackknife
from experiments.observables.misfit import chance_of
from experiments.observables.two_times import TwoTimeCurve, check_curve_of_ratio, checked_window

LEAST_RANGE = 1.5  # last x over first x: in less every form is a straight line
SPARE = 3  # looks more than parameters


class AgingFit(NamedTuple):
    """A form fitted to a curve in x = tau / tau_w.

    Attributes:
        form: one of `FORMS`.
        parameters: name -> value with its 95 % interval over replicas (NaN ends for a single one). With an onset above
            0 also the `offset`, the value of the curve there (in `logarithm` and `near_plateau` it is a part of a).
        window: the first and last x that were used.
        onset: x where the aging regime was taken to begin.
        n_looks: how many looks lie in the window.
        deviation: root mean square of (curve - fit) / curve.
        aic: Akaike's criterion corrected for few looks, n ln(mean square) + 2k + 2k(k+1)/(n-k-1), lower is better. It
            takes deviations at different looks as independent, which they are not: differences are exaggerated.
        p_value: how often replicas that obey the form scatter so that their mean deviates as much; below 0.05 the form
            is rejected. NaN below three replicas.
        n_replicas: how many counted.
        left_out: the others, by number: see `TwoTimeCurve.lasting`.
    """

    form: str
    parameters: dict[str, Fit]
    window: tuple[float, float]
    onset: float
    n_looks: int
    deviation: float
    aic: float
    p_value: float
    n_replicas: int
    left_out: tuple[int, ...]

    @property
    def rejected(self) -> bool:
        """Whether the scatter of the replicas does not explain what the fit leaves, with 95 % confidence."""
        return self.p_value < 1 - CONFIDENCE

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The fitted curve at x = tau / tau_w, its offset included, (n,)."""
        form = counted_from(self.onset, FORMS[self.form])
        best = [each.best for each in self.parameters.values()]
        shape = best[len(form.names) - 1] if form.shapes else 0.0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # before the onset a power is no number
            basis = form.basis(reals("x", x) - self.onset, shape)
        return np.tensordot(best[: len(basis)], np.array(basis), 1)


class Comparison(list[AgingFit]):
    """Forms fitted to the same looks, lowest AIC first."""

    @property
    def best(self) -> AgingFit | None:
        """The form with the fewest parameters among those that are not rejected; None where that is not one.

        None too below three replicas: then nothing tells a deviation from scatter.
        """
        tied = self.tied
        return tied[0] if len(tied) == 1 else None

    @property
    def tied(self) -> list[AgingFit]:
        """The forms that are not rejected, of the fewest parameters that do: these looks do not tell them apart."""
        stand = [fit for fit in self if not fit.rejected and not np.isnan(fit.p_value)]
        fewest = min((_n_free(fit) for fit in stand), default=0)
        return [fit for fit in stand if _n_free(fit) == fewest]


def fit_aging(curve: TwoTimeCurve, form: str, window: tuple[float, float], *, onset: float = 0.0) -> AgingFit:
    """Fit one of the `FORMS` to a curve in x = tau / tau_w.

    Replicas that were halved count too, up to the lag that all share; `left_out` names those that do not.

    Args:
        curve: of displacement, aging or correlation.
        form: "power", "logarithm", "spherical" or "near_plateau".
        window: lowest and highest x, in units of tau_w.
        onset: where the aging regime begins: x is counted from there, and the curve from its value there, which is
            fitted too: offset + A (x - onset)^alpha. (Hertz & Tyrcha take 0.6 for the power law. A power below 1
            begins with an infinite slope, so the value cannot be read off between two looks.)

    Raises:
        InputError: another form, a window with too few looks or too narrow to tell, a curve of 0 there, or a shape at
            the end of what is searched (the window cannot tell it).
    """
    if not is_word(form, tuple(FORMS)):
        raise InputError(f"the form of an aging function is one of {', '.join(FORMS)}; got {shown(form)}")
    kind = counted_from(_checked_onset(onset), FORMS[form])
    x, value = _in_window(curve, window, onset, len(kind.names))
    n_replicas = value.shape[1]
    first = best_shape(kind, x, value.mean(1), kind.shapes)
    if at_an_end(first, kind.shapes):
        raise InputError(f"these looks do not tell {kind.names[-1]} of the form {form}: take more, or another form")

    def parameters(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        y = value[:, chosen].mean(1)
        shape = first if len(chosen) == n_replicas else best_shape(kind, x, y, around(first, kind.shapes))
        linear = amplitudes(kind, x, y, shape)[0]
        return np.append(linear, [shape, shape / linear[-1]]) if kind.shapes else linear

    fits = jackknife(n_replicas, parameters)
    named = dict(zip(kind.names, fits, strict=False))
    if form == "spherical":
        named["D_inf"] = _inverse(fits[-1])
    mean_square = amplitudes(kind, x, value.mean(1), first)[1]
    aic = akaike(mean_square, len(x), len(kind.names) + 1)
    used, chance = (float(x[0] + onset), float(x[-1] + onset)), _chance(kind, x, value, first)
    deviation = float(np.sqrt(mean_square))
    return AgingFit(form, named, used, float(onset), len(x), deviation, aic, chance, n_replicas, curve.left_out)


def compare_forms(
    curve: TwoTimeCurve, window: tuple[float, float], *, forms: tuple[str, ...] = tuple(FORMS), onset: float = 0.0
) -> Comparison:
    """Several forms fitted to the same looks, lowest AIC first; those that cannot be told are left out.

    The order alone chooses nothing: neighbouring looks are correlated, and of 25 of them the true form comes first in
    half of all runs only. `best` and `tied` go by the scatter of the replicas: a form is out where that does not
    explain what it leaves (`misfit`), and a parameter more has to be needed. With an onset above 0 the plateau form is
    the power, and is compared once.

    Raises:
        InputError: as `fit_aging` does, if it does so for all of them.
    """
    fits, refused = Comparison(), InputError(f"at least one form is compared, of {', '.join(FORMS)}; got none")
    wanted = entries("forms", forms)
    same = _checked_onset(onset) > 0 and any(is_word(form, ("power",)) for form in wanted)
    for form in wanted:
        if same and is_word(form, ("near_plateau",)):
            continue
        try:
            fits.append(fit_aging(curve, form, window, onset=onset))
        except InputError as error:
            refused = error
    if not fits:
        raise refused
    fits.sort(key=lambda fit: fit.aic)
    return fits


def _n_free(fit: AgingFit) -> int:
    return len(counted_from(fit.onset, FORMS[fit.form]).names)


def _checked_onset(onset: float) -> float:
    if not is_number(onset) or not 0 <= onset < np.inf:
        raise InputError(f"the onset is a number of at least 0, in units of tau_w; got {shown(onset)}")
    return float(onset)


def _in_window(
    curve: TwoTimeCurve, window: tuple[float, float], onset: float, n_parameters: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x - onset (n,) and the curve (n, R), in the window after the onset; refused where they cannot tell a form."""
    check_curve_of_ratio(curve)
    low, high = checked_window(window)
    lag, value = curve.shared()
    x = lag / curve.waiting
    if onset >= x[-1]:
        raise InputError(f"the onset lies among the looks, x from {x[0]:g} to {x[-1]:g}; got {onset:g}")
    inside = (x >= low * (1 - 1e-9)) & (x <= high * (1 + 1e-9)) & (x > onset * (1 + 1e-9))
    x, value, n_wanted = x[inside], value[inside], n_parameters + SPARE
    if len(x) < n_wanted or x[-1] < LEAST_RANGE * x[0]:
        got = f"{len(x)} looks" + (f" from x = {x[0]:g} to {x[-1]:g}" if len(x) else "")
        raise InputError(
            f"a window for this form holds {n_wanted} looks or more, and the last x is {LEAST_RANGE} times the first; "
            f"got {got}: take a wider window, or learn longer"
        )
    if not (value.mean(1) > 0).all():
        raise InputError("an aging function is positive in its window; got a mean of 0 or below: begin it later")
    return x - onset, value


def _chance(kind: Form, x: NDArray[np.float64], value: NDArray[np.float64], shape: float) -> float:
    """How often the scatter of the replicas leaves as much of their mean as this fit."""
    mean = value.mean(1)
    linear = amplitudes(kind, x, mean, shape)[0]
    left = 1 - np.tensordot(linear, np.array(kind.basis(x, shape)), 1) / mean
    return chance_of(left, value / mean[:, None] - 1, slopes(kind, x, mean, shape))


def _inverse(fit: Fit) -> Fit:
    """1 / a number that may be 0 or below, where it is infinite."""
    low, best, high = (1 / each if each > 0 else np.nan if np.isnan(each) else np.inf for each in fit)
    return Fit(high, best, low)
