"""A figure as numbers first: panels and series, which are drawn, tested and written as CSV alike."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.files import replace_file
from experiments.figures.style import BLACK, COLOURS, GREY, dress, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADER = "figure,panel,series,x,y,low,high"
INCHES = 3.6, 3.0  # of a panel
ACROSS = 3  # panels in a row
LETTERS, NOTE = 19, 0.16  # of a note: letters an inch, inches a line


class Panel(NamedTuple):
    """One pair of axes: title, labels with units, and whether an axis is logarithmic."""

    title: str
    x: str
    y: str
    log_x: bool = False
    log_y: bool = False


class Series(NamedTuple):
    """One curve or set of points.

    Attributes:
        panel: where it is drawn.
        name: in the legend and the CSV; series of one name have one colour in all panels.
        x, y: (n,).
        low, high: ends of the error band or bars, (n,), or None.
        kind: "line", "points", "fit" (dashed), "published" (black, open), "floor" (grey, dotted), "extra" (thin).
        colour: the name whose colour it takes, its own if empty.
    """

    panel: str
    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    kind: str = "line"
    colour: str = ""


@dataclass
class Picture:
    """All that a figure shows.

    Attributes:
        name: fig2 ... .
        panels: by name, in order.
        series: what is drawn.
        notes: what is missing, flagged or could not be told, a line each.
    """

    name: str
    panels: dict[str, Panel]
    series: list[Series] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        panel: str,
        name: str,
        x: ArrayLike,
        y: ArrayLike,
        *,
        low: ArrayLike | None = None,
        high: ArrayLike | None = None,
        kind: str = "line",
        colour: str = "",
    ) -> None:
        """One more series; what is not finite is left out of it, and a series of which nothing is left."""
        x, y = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, np.float64)) for value in (x, y)))
        known = np.isfinite(x) & np.isfinite(y)

        def kept(end: ArrayLike | None) -> NDArray[np.float64] | None:
            return None if end is None else np.broadcast_to(np.asarray(end, np.float64), y.shape)[known]

        if known.any():
            self.series.append(Series(panel, name, x[known], y[known], kept(low), kept(high), kind, colour))

    def band(self, panel: str, name: str, x: ArrayLike, values: NDArray[np.float64], *, kind: str = "line") -> None:
        """The mean over replicas (the last axis), and a band of one standard error on either side."""
        known = np.isfinite(values)
        n = known.sum(-1)
        mean = np.where(known, values, 0).sum(-1) / np.where(n, n, np.nan)
        spread = np.where(known, values - mean[..., None], 0)
        error = np.sqrt((spread**2).sum(-1) / np.where(n > 1, n * (n - 1), np.nan))
        self.add(panel, name, x, mean, low=mean - error, high=mean + error, kind=kind)

    def note(self, line: str) -> None:
        """One more thing to say, once."""
        if line not in self.notes:
            self.notes.append(line)


def draw(picture: Picture) -> "Figure":
    """The figure of these numbers; what is missing is written below it."""
    n = len(picture.panels)
    across = min(n, ACROSS)
    down = -(-n // across)
    width = INCHES[0] * across + 0.4
    notes = [part for note in picture.notes for part in wrap(note, int(LETTERS * width), subsequent_indent="   ")]
    figure = new_figure(width, INCHES[1] * down + NOTE * len(notes))
    grid = np.atleast_1d(figure.subplots(down, across)).ravel()
    for axes in grid[n:]:
        axes.set_visible(False)
    colours = _colours(picture.series)
    for axes, (name, panel) in zip(grid, picture.panels.items(), strict=False):
        _draw_panel(axes, panel, [one for one in picture.series if one.panel == name], colours)
    if notes:
        figure.supxlabel("\n".join(notes), fontsize=7, color=GREY, x=0.01, ha="left")
    return figure


def write_numbers(picture: Picture, path: Path) -> None:
    """What the figure shows, as CSV: figure, panel, series, x, y and the ends of its error.

    Raises:
        InputError: a file that is no such table lies there.
    """
    if path.exists() and not path.is_dir() and not path.read_bytes().startswith(HEADER.encode()):
        raise InputError(f"{path} is no table of a figure, and is left as it is: give the picture another name (--out)")
    lines = [HEADER]
    for one in picture.series:
        ends = [np.full(len(one.x), np.nan) if end is None else end for end in (one.low, one.high)]
        words = f"{picture.name},{_cell(one.panel)},{_cell(one.name)},"
        lines += [words + ",".join(map(_number, row)) for row in zip(one.x, one.y, *ends, strict=True)]
    with replace_file(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def _number(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


def _cell(text: str) -> str:
    return f'"{text}"' if "," in text else text


def _colours(series: Iterable[Series]) -> dict[str, str]:
    """A colour for each name of a curve or its points, the same in all panels."""
    coloured = [one for one in series if one.kind not in ("published", "floor")]
    names = dict.fromkeys(one.colour or one.name for one in coloured)
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}


def _draw_panel(axes: "Axes", panel: Panel, series: list[Series], colours: dict[str, str]) -> None:
    from matplotlib.ticker import MaxNLocator

    dress(axes)
    axes.set_title(panel.title, loc="left", fontsize=10, color=BLACK)
    axes.set_xlabel(panel.x, fontsize=9)
    axes.set_ylabel(panel.y, fontsize=9)
    if not series:
        axes.text(0.5, 0.5, "no runs yet", transform=axes.transAxes, ha="center", color=GREY)
        return
    for one in series:
        _draw_one(axes, one, colours.get(one.colour or one.name, BLACK))
    if panel.log_x:
        axes.set_xscale("log")
    elif all((one.x == np.round(one.x)).all() for one in series if one.kind == "points"):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # widths and depths
    if panel.log_y:
        axes.set_yscale("log")
    axes.legend(frameon=False, fontsize=7)


def _draw_one(axes: "Axes", one: Series, colour: str) -> None:
    if one.kind == "floor":
        axes.axhline(float(one.y[0]), color=GREY, linestyle=":", linewidth=1.2, label=one.name)
    elif one.kind == "published" and len(one.x) == 1:
        axes.plot(one.x, one.y, "o", color=BLACK, markerfacecolor="none", markersize=7, label=one.name)
    elif one.kind == "published":
        axes.plot(one.x, one.y, color=BLACK, linestyle="-.", linewidth=1, label=one.name)
    elif one.kind == "fit":
        axes.plot(one.x, one.y, color=colour, linestyle="--", linewidth=1, label=one.name)
    elif one.kind == "points":
        bars = None if one.low is None or one.high is None else np.maximum([one.y - one.low, one.high - one.y], 0)
        bars = None if bars is None else np.nan_to_num(bars)
        axes.errorbar(one.x, one.y, yerr=bars, fmt="o", color=colour, markersize=4, elinewidth=0.9, label=one.name)
    else:
        axes.plot(one.x, one.y, color=colour, linewidth=0.6 if one.kind == "extra" else 1.4, label=one.name)
        if one.low is not None and one.high is not None:
            axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.2, linewidth=0)
