"""A `Picture` on matplotlib's axes, with what it says in words below."""

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.picture import Look, Panel, Picture, Series
from experiments.figures.style import BLACK, GREY, MORE, dress, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = 3.6, 3.0  # of a panel
LETTERS, NOTE = 16, 0.16  # of a note: letters an inch, inches a line
PLAIN = 300.0  # a logarithmic axis that spans less has plain numbers
RINGS = "osD^v"  # published points
DOTS: tuple[Any, ...] = (":", (0, (1, 1, 4, 1)), (0, (5, 2)), "-.", (0, (9, 2)), (0, (1, 4)), "-")  # horizontal lines
TICKS = 6  # numbers on an axis of a panel
SMALL, LARGE = -3, 4  # powers of ten beyond which a factor stands at the end of the axis
UNNAMED = ("reach", "limit")
BESIDE = 2.0  # inches
CROWD = 7  # names in a legend: more stand beside the panel
TITLE, LEGEND, SAID = 40, 34, 30  # letters across a panel


def draw(picture: Picture) -> "Figure":
    """The figure of these numbers; what is missing, and the estimates, are written below it."""
    n = len(picture.panels)
    across = min(n, picture.across)
    down = -(-n // across)
    looks = _looks(picture)
    crowded = any(_aside(panel, _names(picture.in_panel(name), looks)) for name, panel in picture.panels.items())
    width = (INCHES[0] + BESIDE * crowded) * across + 0.4
    notes = [part for line in picture.lines() for part in wrap(line, int(LETTERS * width), subsequent_indent="   ")]
    figure = new_figure(width, INCHES[1] * down + NOTE * len(notes))
    grid = np.atleast_1d(figure.subplots(down, across)).ravel()
    for axes in grid[n:]:
        axes.set_visible(False)
    for axes, (name, panel) in zip(grid, picture.panels.items(), strict=False):
        _draw_panel(axes, panel, picture.in_panel(name), looks)
    if notes:
        figure.supxlabel("\n".join(notes), fontsize=7, color=GREY, x=0.01, ha="left")
    return figure


def _looks(picture: Picture) -> dict[str, Look]:
    """A colour for each name of a curve or its points, the same in all panels."""
    coloured = [one for one in picture.series if one.kind not in ("published", "floor", "wall", "named")]
    names = dict.fromkeys(one.colour or one.name for one in coloured)
    return {name: Look(MORE[place % len(MORE)]) for place, name in enumerate(names)} | picture.looks


def _names(series: list[Series], looks: Mapping[str, Look]) -> list[str]:
    """What stands in a legend, each name once."""
    spoken = (one.name for one in series if one.kind not in UNNAMED)
    return [name for name in dict.fromkeys(spoken) if not looks.get(name, Look(BLACK)).quiet]


def _draw_panel(axes: "Axes", panel: Panel, series: list[Series], looks: Mapping[str, Look]) -> None:
    dress(axes)
    axes.set_title("\n".join(wrap(panel.title, TITLE)), loc="left", fontsize=10, color=BLACK)
    axes.set_xlabel(panel.x, fontsize=9)
    axes.set_ylabel(panel.y, fontsize=9)
    if not series:
        said = "\n".join(wrap(panel.empty, SAID))
        axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=9)
        axes.set(xticks=[], yticks=[])
        return
    rings = [one.name for one in series if one.kind == "published" and len(one.x) == 1]
    floors = list(dict.fromkeys(one.name for one in series if one.kind == "floor"))
    fitted = {one.colour or one.name for one in series if one.kind == "fit"}
    for one in series:
        look = looks.get(one.colour or one.name, Look(BLACK))
        mark = RINGS[rings.index(one.name) % len(RINGS)] if one.name in rings else look.mark
        dots = DOTS[floors.index(one.name) % len(DOTS)] if one.name in floors else ":"
        pale = one.kind == "line" and (one.colour or one.name) in fitted  # the dashes of its fit lie on it
        _draw_one(axes, one, look.colour, mark=mark, dots=dots, line=look.line, pale=pale)
    _scale(axes, panel, series)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(reversed(labels), reversed(handles), strict=True))
    said = [name for name in _names(series, looks) if name in once]
    shown = ["\n".join(wrap(name, LEGEND)) for name in said]
    aside = {"loc": "upper left", "bbox_to_anchor": (1, 1), "borderaxespad": 0.2} if _aside(panel, said) else {}
    axes.legend([once[name] for name in said], shown, frameon=False, fontsize=7, **aside)


def _aside(panel: Panel, names: list[str]) -> bool:
    """Whether the legend of these names stands beside its panel."""
    return len(names) > CROWD or (panel.aside and bool(names))


def _scale(axes: "Axes", panel: Panel, series: list[Series]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, SymmetricalLogLocator

    points = [one for one in series if one.kind == "points"]
    whole = bool(points) and all((one.x == np.round(one.x)).all() for one in points)  # widths and depths
    drawn = {axes.xaxis: [one.x for one in series], axes.yaxis: [one.y for one in series]}
    for log, axis in ((panel.log_x, axes.xaxis), (panel.log_y, axes.yaxis)):
        if not log or not any((each > 0).any() for each in drawn[axis]):
            axis.set_major_locator(
                MaxNLocator(TICKS, steps=[1, 2, 5, 10], integer=whole and axis is axes.xaxis, min_n_ticks=1)
            )
            which = "x" if axis is axes.xaxis else "y"
            axes.ticklabel_format(axis=which, scilimits=(SMALL, LARGE), useOffset=False, useMathText=True)
            axis.get_offset_text().set_fontsize(8)
            continue
        if axis is axes.xaxis and panel.linear:
            axes.set_xscale("symlog", linthresh=panel.linear, linscale=0.5)
            axes.set_xlim(left=min(0.0, *(one.x.min() for one in series)))
            if axes.get_xlim()[1] < PLAIN * panel.linear:
                axis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=panel.linear, subs=(1, 2, 5)))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            continue
        (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
        ends = axes.get_xlim() if axis is axes.xaxis else axes.get_ylim()
        if ends[1] < PLAIN * ends[0]:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
    if panel.zero:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))


def _draw_one(axes: "Axes", one: Series, colour: str, *, mark: str, dots: Any, line: str, pale: bool) -> None:
    if one.kind == "floor":
        axes.axhline(float(one.y[0]), color=GREY, linestyle=dots, linewidth=1.2, label=one.name)
    elif one.kind == "wall":
        axes.axvline(float(one.x[0]), color=GREY, linestyle="-.", linewidth=1.2, label=one.name)
    elif one.kind == "reach":
        axes.plot(one.x, one.y, color=colour, linewidth=0.9)
    elif one.kind == "published" and len(one.x) == 1:
        axes.plot(one.x, one.y, mark, color=BLACK, markerfacecolor="none", markersize=7, label=one.name)
    elif one.kind == "published":
        axes.plot(one.x, one.y, color=BLACK, linestyle="-.", linewidth=1, label=one.name)
    elif one.kind == "guide":
        axes.plot(one.x, one.y, color=colour, linestyle=":", linewidth=1.2, label=one.name)
    elif one.kind == "fit":
        axes.plot(one.x, one.y, color=colour, linestyle="--", linewidth=1.1, zorder=3, label=one.name)
    elif one.kind == "points":
        bars = None if one.low is None or one.high is None else np.maximum([one.y - one.low, one.high - one.y], 0)
        bars = None if bars is None else np.nan_to_num(bars)
        axes.errorbar(one.x, one.y, yerr=bars, fmt=mark, color=colour, markersize=4, elinewidth=0.9, label=one.name)
    elif one.kind == "named":
        axes.plot([], [], " ", label=one.name)
    elif one.kind == "limit":
        axes.plot(one.x, one.y, "v", color=colour, markerfacecolor="none", markersize=5)
    elif one.kind == "steps":
        _stairs(axes, one, colour)
    else:
        thick, alpha = (0.6, 1.0) if one.kind == "extra" else (3.0, 0.4) if pale else (1.4, 1.0)
        axes.plot(one.x, one.y, color=colour, linestyle=line, linewidth=thick, alpha=alpha, label=one.name)
        if one.low is not None and one.high is not None:
            axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.2, linewidth=0)


def _stairs(axes: "Axes", one: Series, colour: str) -> None:
    """A histogram, every bin from its one edge to the other."""
    edges = one.x if one.x_end is None else np.append(one.x, one.x_end[-1])
    axes.stairs(one.y, edges, color=colour, linewidth=1.4, label=one.name)
    if one.low is not None and one.high is not None:
        low, high = (np.append(end, end[-1]) for end in (one.low, one.high))
        axes.fill_between(edges, low, high, color=colour, alpha=0.2, linewidth=0, step="post")
