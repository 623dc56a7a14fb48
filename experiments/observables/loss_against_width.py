"""How the critical width depends on the loss asked for: the line of Fig. 6 of Hertz & Tyrcha 2024.

Read the other way round, it says what loss a network of given width is left with, near the transition from below.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.observables.estimate import Fit, student, student_fit
from experiments.observables.given import number, numbers

Array = NDArray[np.float64]
FEWEST = 3  # losses: two numbers are fitted


class LossAgainstWidth(NamedTuple):
    """The line w_c = intercept + slope * NLL.

    Attributes:
        slope: in units of width per loss; negative, as a lower loss takes a wider network.
        intercept: w_c at loss 0.
        zero: the same: w_c extrapolated to loss 0.
        at_floor: w_c extrapolated to the floor given; None without one.
        losses: those used, in order, (n,).
        critical_widths: at these, (n,).
        left_out: how many critical widths were NaN (no zero was found).
    """

    slope: Fit
    intercept: Fit
    at_floor: Fit | None
    losses: Array
    critical_widths: Array
    left_out: int

    @property
    def zero(self) -> Fit:
        """The critical width extrapolated to loss 0."""
        return self.intercept

    def line(self, losses: NDArray[np.floating]) -> Array:
        """The critical width at these losses."""
        return self.intercept.best + self.slope.best * np.asarray(losses, float)


def loss_against_width(
    losses: Any, critical_widths: Sequence[Fit] | Any, *, floor: float | None = None
) -> LossAgainstWidth:
    """Linear regression of critical widths against the losses they belong to.

        w_c(NLL) = intercept + slope * NLL

    (Hertz & Tyrcha 2024, Sec. IV, Fig. 6.) Plain numbers weigh alike, and their scatter tells the errors (Student's t,
    n - 2 degrees). Fits weigh by 1/s^2, s a quarter of the length of the interval (in units of 1.96/2 errors); the
    errors then follow from s, raised by sqrt(chi^2/(n - 2)) where the points scatter more than their intervals say.
    The critical widths are taken as independent, although those of one set of runs are not: a common shift of all is
    not in the intervals.

    Args:
        losses: (n,), all different.
        critical_widths: (n,) numbers or Fits; NaN where none was found.
        floor: a loss to extrapolate to, e.g. the irreducible one.

    Raises:
        InputError: shapes that do not match, fewer than three critical widths, or a Fit without an interval.
    """
    x, w_c, error, left_out = _known(losses, critical_widths)
    weight = np.ones(len(x)) if error is None else 1 / error**2
    centre = weight @ x / weight.sum()
    square = weight @ (x - centre) ** 2
    slope, level = weight @ ((x - centre) * w_c) / square, weight @ w_c / weight.sum()
    free = len(x) - 2
    scatter = float(np.sqrt(weight @ (w_c - level - slope * (x - centre)) ** 2 / free))
    scatter, told_by = (scatter, free) if error is None else (max(scatter, 1.0), 10**9)

    def at(loss: float) -> Fit:
        spread = scatter * np.sqrt(1 / weight.sum() + (loss - centre) ** 2 / square)
        return student_fit(level + slope * (loss - centre), spread, told_by)

    at_floor = None if floor is None else at(number("floor", floor))
    return LossAgainstWidth(student_fit(slope, scatter / np.sqrt(square), told_by), at(0.0), at_floor, x, w_c, left_out)


def _known(losses: Any, critical_widths: Any) -> tuple[Array, Array, Array | None, int]:
    """Losses in order, the widths known there, their errors or None, and how many are not known."""
    x, given = numbers("losses", losses, 1), numbers("critical_widths", critical_widths, 1, 2)
    if given.shape not in ((len(x),), (len(x), 3)) or np.isnan(x).any() or len(np.unique(x)) != len(x):
        raise InputError(
            "losses are different numbers, with a critical width (or its Fit) for each; "
            f"got {x.shape} and {given.shape}"
        )
    best = given if given.ndim == 1 else given[:, 1]
    order = [i for i in np.argsort(x) if np.isfinite(best[i])]
    if len(order) < FEWEST:
        raise InputError(f"a line needs critical widths at {FEWEST} losses; got {len(order)}")
    error = None
    if given.ndim == 2:
        error = (given[order, 2] - given[order, 0]) / (2 * student(10**9))
        if not (error > 0).all():
            raise InputError(
                "a critical width without an interval has no weight: leave it out, or give numbers instead of Fits"
            )
    return x[order], best[order], error, len(x) - len(order)
