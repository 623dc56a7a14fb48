"""How the critical width depends on the loss asked for: the line of Fig. 6 of Hertz & Tyrcha 2024.

Read the other way round, it says what loss a network of given width is left with, near the transition from below.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.observables.estimate import NORMAL, Fit, student_fit
from experiments.observables.given import SMALLEST, numbers, reals

Array = NDArray[np.float64]
FEWEST = 3  # losses: two numbers are fitted


class LossAgainstWidth(NamedTuple):
    """The line w_c = intercept + slope * NLL.

    Attributes:
        slope: in units of width per loss; negative, as a lower loss takes a wider network.
        intercept: w_c at loss 0.
        losses: those used, in order, (n,).
        critical_widths: at these, (n,).
        left_out: how many critical widths were NaN (no zero was found), or Fits with an end that could not be told.
    """

    slope: Fit
    intercept: Fit
    losses: Array
    critical_widths: Array
    left_out: int

    def line(self, losses: NDArray[np.floating]) -> Array:
        """The critical width at these losses."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.intercept.best + self.slope.best * reals("losses", losses)


def loss_against_width(losses: Any, critical_widths: Sequence[Fit] | Any) -> LossAgainstWidth:
    """Linear regression of critical widths against the losses they belong to.

        w_c(NLL) = intercept + slope * NLL

    (Hertz & Tyrcha 2024, Sec. IV, Fig. 6.) Plain numbers weigh alike, and their scatter tells the errors (Student's t,
    n - 2 degrees). Fits weigh by 1/s^2, s = (high - low) / (2 * 1.96); the errors then follow from s, raised by
    sqrt(chi^2 / (n - 2)) where the points scatter more than their intervals say. A Fit with an end of NaN is left out
    and counted: it may be off by any amount on that side. The critical widths are taken as independent, although those
    of one set of runs are not: a common shift of all is not in the intervals.

    Args:
        losses: (n,), all different.
        critical_widths: (n,) numbers or Fits; NaN where none was found.

    Raises:
        InputError: shapes that do not match, or fewer than three critical widths (with both ends, if they are Fits).
    """
    x, w_c, error, left_out = _known(losses, critical_widths)
    weight = np.ones(len(x)) if error is None else 1 / error**2
    centre = weight @ x / weight.sum()
    square = weight @ (x - centre) ** 2
    slope, level = weight @ ((x - centre) * w_c) / square, weight @ w_c / weight.sum()
    free = len(x) - 2
    scatter = float(np.sqrt(weight @ (w_c - level - slope * (x - centre)) ** 2 / free))
    scatter, told_by = (scatter, free) if error is None else (max(scatter, 1.0), np.inf)
    spread = scatter * np.sqrt(1 / weight.sum() + centre**2 / square)
    steepness = student_fit(slope, scatter / np.sqrt(square), told_by)
    return LossAgainstWidth(steepness, student_fit(level - slope * centre, spread, told_by), x, w_c, left_out)


def _known(losses: Any, critical_widths: Any) -> tuple[Array, Array, Array | None, int]:
    """Losses in order, the widths known there, their errors or None, and how many are not known."""
    x = numbers(losses, "losses", "n_losses")
    given = numbers(critical_widths, "critical widths", "n_losses", "low best high", may_drop_last=True, missing=True)
    if given.shape not in ((len(x), 1), (len(x), 3)) or len(np.unique(x)) != len(x):
        raise InputError(
            f"losses are different numbers, with a critical width (or its Fit) for each; got {len(x)} and {len(given)}"
        )
    fits = given.shape[1] == 3
    order = [i for i in np.argsort(x) if np.isfinite(given[i]).all()]
    if len(order) < FEWEST:
        ends = " with both ends of their intervals" if fits else ""
        raise InputError(f"a line needs critical widths at {FEWEST} losses{ends}; got {len(order)}")
    known, n_left_out = given[order], len(x) - len(order)
    if not fits:
        return x[order], known[:, 0], None, n_left_out
    error = (known[:, 2] - known[:, 0]) / (2 * NORMAL)
    if not (error > SMALLEST).all():
        raise InputError("a critical width with an interval of no length has no weight: give numbers instead of Fits")
    return x[order], known[:, 1], error, n_left_out
