"""The width below which a level cannot be learned: where the inverse learning time vanishes.

Learning takes ever longer as the width comes down to the critical one, like the slowing down of spin glasses on the
Almeida-Thouless line. Hertz & Tyrcha 2024 (Sec. IV, Fig. 5) draw a parabola through 1/tau against w and take its zero;
the alternative leaves the power open, 1/tau = a (w - w_c)^nu.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, checked_seed
from encoding.given import whole
from experiments.observables.critical_misfit import Misfit, misfit
from experiments.observables.critical_power import fit_powers
from experiments.observables.estimate import BOOTSTRAPS, CONFIDENCE, MOST_DRAWS, NORMAL, Fit, quantile_fit, student
from experiments.observables.given import SMALLEST, numbers, reals

Array = NDArray[np.float64]
FEWEST = 4  # widths: three numbers are fitted
FAR = 20  # spans of the widths below the smallest: a zero beyond is one of rounding
LEAST_DRAWS = 100  # for the quantiles of 2.5 %


class CriticalWidth(NamedTuple):
    """Where 1/tau vanishes, by two laws.

    Attributes:
        quadratic: w_c, where the parabola crosses zero on its rising branch; NaN where it does not.
        power: w_c of a (w - w_c)^nu.
        nu: the exponent.
        amplitude: a.
        coefficients: c of the parabola c_0 + c_1 w + c_2 w^2, (3,).
        widths: those with at least one time, in order, (n,).
        inverse_times: mean 1/tau at each, (n,).
        left_out: how many of the values given were NaN (not reached).
        misfit: of both laws: p-values from the scatter of the replicas, and the difference of their AIC.
    """

    quadratic: Fit
    power: Fit
    nu: Fit
    amplitude: Fit
    coefficients: Array
    widths: Array
    inverse_times: Array
    left_out: int
    misfit: Misfit

    @property
    def quadratic_rejected(self) -> bool:
        """Whether no parabola explains the times, with 95 % confidence: then the interval of its zero holds nothing."""
        return self.misfit.quadratic < 1 - CONFIDENCE

    @property
    def power_rejected(self) -> bool:
        """Whether no power law explains the times, with 95 % confidence."""
        return self.misfit.power < 1 - CONFIDENCE

    def __str__(self) -> str:
        """To read: `w_c = 64.2 (61.0 .. 67.9) by a parabola (rejected, p = 0.001), ... by a power law, nu = ...`."""
        laws = (self.misfit.quadratic, self.quadratic_rejected), (self.misfit.power, self.power_rejected)
        parabola, power = (f" (rejected, p = {p:.2g})" if rejected else "" for p, rejected in laws)
        return f"w_c = {self.quadratic} by a parabola{parabola}, {self.power} by a power law{power}, nu = {self.nu}"

    def quadratic_curve(self, widths: NDArray[np.floating]) -> Array:
        """The parabola, also where it is negative."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.polynomial.polynomial.polyval(reals("widths", widths), self.coefficients), float)

    def power_curve(self, widths: NDArray[np.floating]) -> Array:
        """a (w - w_c)^nu, and 0 below w_c."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.amplitude.best * np.maximum(reals("widths", widths) - self.power.best, 0) ** self.nu.best


def critical_width(widths: Any, inverse_times: Any, *, seed: int = 0, n_draws: int = BOOTSTRAPS) -> CriticalWidth:
    """w_c from 1/tau against w: by the zero of a parabola and by a power law with a free exponent.

        1/tau = c_0 + c_1 w + c_2 w^2    and    1/tau = a (w - w_c)^nu

    (Hertz & Tyrcha 2024, Fig. 5.) Both are least squares over all replicas at all widths. The intervals are quantiles
    of bootstraps: over the replicas of each width where each has two or more (those of different widths being
    independent), else over the residuals of the fit, as if the scatter were the same everywhere. As resampling few
    numbers gives too little scatter, deviations are stretched by sqrt(n/(n - p)), n numbers with p means, and by
    Student's t over the normal one; with two replicas the intervals still hold the truth in some 90 % only. Replicas
    that did not arrive are left out, which raises 1/tau where others did: give widths that all replicas learn. An end
    of NaN cannot be told; all three are NaN where the law has no zero.

    An interval takes its law to be true. Of rates that go as (w - w_c)^nu the parabola crosses zero elsewhere: with 5
    replicas that scatter by 5 % its interval held w_c in .00 of 200 cases for nu = .7 and .04 for nu = 1.5, that of the
    power in .92 and .93. So `misfit` says whether a parabola, and a power, can be true at all; it rejected the parabola
    in .94 and .98 of these cases (.65 and .86 of 3 replicas, .35 and .55 where they scatter by 10 %), and in .04 to .06
    where it was true (two replicas: up to .10). Not rejected is not proved. nu = 2 is a parabola that touches zero and
    does not cross it: there only the power has an answer.

    With a single replica nothing tells the scatter, so no law is rejected, and where it is relative (5 or 10 % of
    1/tau) the residuals, taken as alike everywhere, mislead: the intervals of nu held .75 to .88 for nu from .7 to 2
    (of w_c still .95 to .99), that of a parabola's zero is often not told. Let two or more learn.

    Args:
        widths: (n,), all different.
        inverse_times: 1/tau, (n, R) or (n,), above 0; NaN where not reached.
        seed: of the bootstraps.
        n_draws: number of bootstraps.

    Raises:
        InputError: shapes that do not match, values not above 0, or fewer than four widths with times.
    """
    w, times, left_out = _sorted(widths, inverse_times)
    rng = np.random.Generator(np.random.Philox(key=[checked_seed(seed), len(w)]))
    n_draws = whole("n_draws", n_draws, least=LEAST_DRAWS, most=MOST_DRAWS)
    mean, count = np.array([each.mean() for each in times]), np.array([len(each) for each in times])
    design, power = _design(w, count), fit_powers(w, mean[None], count)[0]
    parabola = design @ mean
    drawn = _draws(rng, w, times, parabola, power, n_draws)
    quadratic = quantile_fit(_roots(parabola[None], w)[0], _roots(drawn[0] @ design.T, w))
    powers = fit_powers(w, drawn[1], count, start=power)
    amplitude, w_c, nu = (quantile_fit(power[k], powers[:, k]) for k in range(3))
    centred, told = _about_zero(parabola, w.mean()), misfit(w, times, power)
    return CriticalWidth(quadratic, w_c, nu, amplitude, centred, w, mean, left_out, told)


def _sorted(widths: Any, inverse_times: Any) -> tuple[Array, list[Array], int]:
    """Widths in order, the times known at each, and how many are not."""
    w = numbers(widths, "widths", "n_widths")
    rates = numbers(inverse_times, "inverse times", "n_widths", "n_replicas", may_drop_last=True, missing=True)
    if len(w) != len(rates) or len(np.unique(w)) != len(w):
        raise InputError(
            f"widths are different numbers, and inverse_times has a row for each; got {len(w)} and {len(rates)}"
        )
    known = np.isfinite(rates)
    if (rates[known] <= SMALLEST).any():
        raise InputError(
            f"inverse times are above 0 (by {SMALLEST:g}), NaN where not reached; got {rates[known].min():g}"
        )
    order = [i for i in np.argsort(w) if known[i].any()]
    if len(order) < FEWEST:
        raise InputError(f"a critical width needs times at {FEWEST} widths; got {len(order)}: learn at more widths")
    return w[order], [rates[i, known[i]] for i in order], int((~known).sum())


def _design(w: Array, count: NDArray[np.int64]) -> Array:
    """What makes coefficients in powers of w - <w> out of the means at each width, (3, n)."""
    vander = np.vander(w - w.mean(), 3, increasing=True)
    return np.linalg.pinv(vander * np.sqrt(count)[:, None]) * np.sqrt(count)


def _roots(coefficients: Array, w: Array) -> Array:
    """Zeros on the rising branch, of (B, 3) parabolas about <w>; minus infinity where there is none."""
    c, b, a = coefficients.T
    inside = b**2 - 4 * a * c
    root = np.sqrt(np.where(inside > 0, inside, 0.0))
    # The slope at (-b + root) / (2 a) is +root. For b > 0 the other form has no difference of like numbers, nor a = 0.
    steep = b + root > 0
    safe = np.where(steep, -2 * c / np.where(steep, b + root, 1.0), 0.0)
    flat = np.where(a != 0, (root - b) / np.where(a != 0, 2 * a, 1.0), -np.inf)
    zero = np.where(b > 0, safe, flat) + w.mean()
    farthest = w[0] - FAR * (w[-1] - w[0])
    return np.where((inside > 0) & (farthest < zero) & (zero < w[-1]), zero, -np.inf)


def _about_zero(c: Array, centre: float) -> Array:
    """Coefficients in powers of w, of a parabola in powers of w - centre."""
    return np.array([c[0] - c[1] * centre + c[2] * centre**2, c[1] - 2 * c[2] * centre, c[2]])


def _draws(
    rng: np.random.Generator, w: Array, times: list[Array], parabola: Array, power: Array, n_draws: int
) -> tuple[Array, Array]:
    """Means at each width for the parabola and for the power, (n_draws, n) each."""
    if min(map(len, times)) > 1:
        drawn = _draw_replicas(rng, times, n_draws)
        return drawn, drawn
    law = np.polynomial.polynomial.polyval(w - w.mean(), parabola)
    other = power[0] * (w - power[1]) ** power[2] if np.isfinite(power).all() else law
    return _draw_residuals(rng, law, times, n_draws), _draw_residuals(rng, other, times, n_draws)


def _draw_replicas(rng: np.random.Generator, times: list[Array], n_draws: int) -> Array:
    """Means at each width of resampled replicas, (n_draws, n), with the scatter that few replicas hide put back."""
    widen = student(_degrees(times)) / NORMAL
    columns = []
    for each in times:
        chosen = each[rng.integers(len(each), size=(n_draws, len(each)))].mean(1)
        columns.append(each.mean() + (chosen - each.mean()) * widen * np.sqrt(len(each) / (len(each) - 1)))
    return np.stack(columns, 1)


def _degrees(times: list[Array]) -> float:
    """How many numbers tell the scatter, where some widths scatter more (Satterthwaite 1946, unbiased for few)."""
    free = np.array([len(each) - 1 for each in times])
    part = np.array([len(each) * each.var(ddof=1) for each in times])
    if not part.any():
        return float(free.sum())
    return max(float(part.sum() ** 2 / (part**2 / (free + 2)).sum() - 2), 1.0)


def _draw_residuals(rng: np.random.Generator, law: Array, times: list[Array], n_draws: int) -> Array:
    """Means at each width of the law with resampled residuals, (n_draws, n)."""
    left = np.concatenate([each - expected for each, expected in zip(times, law, strict=True)])
    n = len(left)
    left = (left - left.mean()) * np.sqrt(n / (n - 3)) * student(n - 3) / NORMAL
    return np.stack(
        [
            expected + left[rng.integers(n, size=(n_draws, len(each)))].mean(1)
            for each, expected in zip(times, law, strict=True)
        ],
        1,
    )
