"""How the loss falls with proper time, on two logarithmic axes: the picture in which learning slows down.

A logarithmic axis has no place for time 0, nor for a loss that is not positive and finite (a frozen replica): those are
skipped.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError
from experiments.figures.style import BLACK, dress, next_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TIME_LABEL = "proper time τ = Σ η"
LOSS_LABEL = "NLL (bits per output unit per time step)"


def learning_curve(
    axes: "Axes",
    time: ArrayLike,
    loss: ArrayLike,
    *,
    floor: float | None = None,
    published: float | tuple[ArrayLike, ArrayLike] | None = None,
    label: str | None = None,
    loss_label: str = LOSS_LABEL,
    linear_loss: bool = False,
) -> None:
    """Draw the loss against proper time: the median of the replicas, in a band from the least to the greatest.

    Replicas whose times differ (one of them slowed down after a spike) have no common median: each is drawn as a line.

    Args:
        axes: where to draw; call again with another `label` to compare.
        time: proper time of the looks, (n_looks,) or (n_looks, n_replicas).
        loss: (n_looks, n_replicas), or (n_looks,) for one replica, in bits per output unit per time step.
        floor: loss below which no machine can come, drawn as a dashed line.
        published: results of others: one loss (a dotted line), or time and loss (circles).
        label: name in the legend.
        loss_label: name and unit of the loss.
        linear_loss: a linear axis for the loss: for energies, which may be negative.

    Raises:
        InputError: shapes do not fit, or there is nothing to draw on logarithmic axes.
    """
    times, losses = _columns(time, loss, linear_loss)
    axes.set_xscale("log")
    if not linear_loss:
        _make_logarithmic(axes)
    dress(axes)
    _draw_replicas(axes, times, losses, label)
    if published is not None:
        _draw_published(axes, published)
    if floor is not None and (floor > 0 or linear_loss):  # a logarithmic axis has no place for 0
        axes.axhline(floor, color=BLACK, linestyle="--", linewidth=1, label="irreducible loss")
    axes.set_xlabel(TIME_LABEL)
    axes.set_ylabel(loss_label)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize=9)


def _columns(
    time: ArrayLike, loss: ArrayLike, linear_loss: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time and loss as (n_looks, n_replicas) each, NaN where the axes have no place."""
    times, losses = np.asarray(time, dtype=np.float64), np.asarray(loss, dtype=np.float64)
    columns = losses[:, None] if losses.ndim == 1 else losses
    rows = times[:, None] if times.ndim == 1 else times
    if columns.ndim != 2 or rows.shape not in (columns.shape, (len(columns), 1)):
        raise InputError(
            "a learning curve needs time (n_looks,) or (n_looks, n_replicas) and loss (n_looks, n_replicas);"
            f" got {times.shape} and {losses.shape}"
        )
    rows = np.broadcast_to(rows, columns.shape)
    drawable = (rows > 0) & ((columns > 0) | linear_loss) & np.isfinite(rows) & np.isfinite(columns)
    if not drawable.any():
        raise InputError("a learning curve needs a look at a time above 0 with a positive, finite loss; got none")
    return rows, np.where(drawable, columns, np.nan)


def _make_logarithmic(axes: "Axes") -> None:
    """A logarithmic axis for the loss; losses span a decade or so and are written 0.2, not 2 x 10^-1."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""  # matplotlib decides which ticks have a name

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(Plain())
    axes.yaxis.set_minor_formatter(Plain())


def _draw_replicas(axes: "Axes", times: NDArray, losses: NDArray, label: str | None) -> None:
    """One line: the only replica, or the median with its band. One line each: replicas with times of their own."""
    colour, n = next_colour(axes), losses.shape[1]
    label = f"{label}\n(median and range of {n} replicas)" if label and n > 1 else label
    if not (times == times[:, :1]).all():
        for replica, (time, loss) in enumerate(zip(times.T, losses.T, strict=True)):
            drawn = np.isfinite(loss)
            axes.plot(time[drawn], loss[drawn], color=colour, lw=1, alpha=0.7, label=None if replica else label)
        return
    drawn = np.isfinite(losses).any(axis=1)
    time, seen = times[drawn, 0], losses[drawn]
    axes.plot(time, np.nanmedian(seen, axis=1), color=colour, linewidth=1.8, label=label)
    if losses.shape[1] > 1:
        band = np.nanmin(seen, axis=1), np.nanmax(seen, axis=1)
        axes.fill_between(time, *band, color=colour, alpha=0.2, linewidth=0)


def _draw_published(axes: "Axes", published: float | tuple[ArrayLike, ArrayLike]) -> None:
    if isinstance(published, tuple):
        time, loss = _columns(*published)
        drawn = np.isfinite(loss[:, 0])
        axes.plot(time[drawn, 0], loss[drawn, 0], "o", color=BLACK, markerfacecolor="none", ms=5, label="published")
    else:
        axes.axhline(published, color=BLACK, linestyle=":", linewidth=1.2, label="published")
