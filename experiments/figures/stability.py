"""How far learning curves of larger rates lie from that of a small one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from encoding.errors import InputError
from experiments.figures.learning_curve import TIME_LABEL
from experiments.figures.style import FAINT, dress, next_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from experiments.observables.stability import Stability


def stability(axes: "Axes", compared: Sequence["Stability"], *, reference: float, tolerance: float) -> None:
    """Draw the deviation of each rate in per cent, with bars of one standard error, and the tolerance as a band.

    Args:
        axes: where to draw.
        compared: one for each rate.
        reference: the small rate that all are compared with.
        tolerance: allowed deviation, 0.02 for 2 %.

    Raises:
        InputError: nothing to draw.
    """
    if not compared:
        raise InputError("stability needs at least one rate beside the reference; got none")
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    dress(axes)
    axes.axhspan(-100 * tolerance, 100 * tolerance, color=FAINT, linewidth=0)
    for each in compared:
        drawn = np.isfinite(each.deviation)
        axes.errorbar(
            each.time[drawn],
            100 * np.expm1(each.deviation[drawn]),
            yerr=100 * np.nan_to_num(each.error[drawn]),
            color=next_colour(axes),
            linewidth=1.4,
            elinewidth=0.8,
            label=f"η = {each.rate:g}",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: f"{time:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(TIME_LABEL)
    axes.set_ylabel(f"loss against η = {reference:g} (%)")
    axes.legend(frameon=False, fontsize=9)
