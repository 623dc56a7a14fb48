"""A figure as numbers first: panels, series and estimates, which are drawn, tested and written as CSV alike."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.files import replace_file
from experiments.observables import Fit
from experiments.observables.estimate import mean_and_error

HEADER = "figure,panel,series,x,y,low,high,x_end"
BEFORE = "figure,panel,series,x,y,low,high"  # tables of older versions, which may be written anew
STANDARD_ERROR = "bars and bands: one standard error over replicas"


class Panel(NamedTuple):
    """One pair of axes: title, labels with units, logarithmic axes, whether y shows 0, what is said if it is empty.

    `aside`: the legend stands beside the panel even where it is short. `linear`: of a logarithmic x, where it begins to
    be so; it is linear from 0 up to there, and shows 0. 0: it does not.
    """

    title: str
    x: str
    y: str
    log_x: bool = False
    log_y: bool = False
    zero: bool = False
    empty: str = "no runs yet"
    aside: bool = False
    linear: float = 0.0


class Series(NamedTuple):
    """One curve or set of points.

    Attributes:
        panel: where it is drawn.
        name: in the legend and the CSV; series of one name have one colour in all panels.
        x, y: (n,); of steps x is where each bin begins.
        low, high: ends of the error band or bars, (n,), or None.
        kind: "line", "steps", "points", "fit" (dashed), "guide" (dotted), "published" (black), "floor" (grey,
            horizontal), "wall" (grey, vertical), "extra" (thin), "reach" (a bar from one x to the other, at one y),
            "limit" (open triangles: y is below), "named" (in the legend alone).
        colour: the name whose colour it takes, its own if empty.
        x_end: of steps: where each bin ends, (n,).
    """

    panel: str
    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    kind: str = "line"
    colour: str = ""
    x_end: NDArray[np.float64] | None = None


class Look(NamedTuple):
    """How the series of one name look, where they are not to take the next colour; the quiet are in no legend."""

    colour: str
    mark: str = "o"
    quiet: bool = False
    line: str = "-"


@dataclass
class Picture:
    """All that a figure shows.

    Attributes:
        name: fig2 ... .
        panels: by name, in order.
        series: what is drawn.
        numbers: estimates that belong to it, by name, with 95 % intervals.
        notes: what is missing, flagged or could not be told, a line each.
        errors: what bars and bands are.
        looks: of series by name.
        across: panels in a row.
    """

    name: str
    panels: dict[str, Panel]
    series: list[Series] = field(default_factory=list)
    numbers: dict[str, Fit] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    errors: str = STANDARD_ERROR
    looks: dict[str, Look] = field(default_factory=dict)
    across: int = 3

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

    def band(self, panel: str, name: str, x: ArrayLike, values: NDArray[np.float64]) -> None:
        """The mean over replicas (the last axis), and a band of one standard error on either side."""
        mean, error = mean_and_error(values)
        self.add(panel, name, x, mean, low=mean - error, high=mean + error)

    def steps(self, panel: str, name: str, edges: ArrayLike, y: ArrayLike, *, low: ArrayLike, high: ArrayLike) -> None:
        """A histogram: `edges` of its bins, (n + 1,), and its heights with the ends of their intervals, (n,) each."""
        ends, (height, least, most) = np.asarray(edges, np.float64), (np.asarray(one, float) for one in (y, low, high))
        self.series.append(Series(panel, name, ends[:-1], height, least, most, "steps", "", ends[1:]))

    def cannot(self, panel: str, reason: str) -> None:
        """Why a panel stays empty, if it does; the first reason is kept."""
        if self.panels[panel].empty == Panel("", "", "").empty:
            self.panels[panel] = self.panels[panel]._replace(empty=reason)

    def part(self, panels: Sequence[str], *, across: int = 2) -> "Picture":
        """Some of the panels by themselves, without what is said in words."""
        shown = [one for one in self.series if one.panel in panels]
        kept = {name: self.panels[name] for name in panels}
        return Picture(self.name, kept, shown, looks=self.looks, across=across)

    def in_panel(self, name: str) -> list[Series]:
        """The series of one panel, in order."""
        return [one for one in self.series if one.panel == name]

    def number(self, name: str, fit: Fit) -> None:
        """One more estimate."""
        self.numbers[name] = fit

    def note(self, line: str) -> None:
        """One more thing to say, once."""
        if line not in self.notes:
            self.notes.append(line)

    def lines(self) -> Iterator[str]:
        """All that is said in words: what is missing or flagged, the estimates, what bars are."""
        yield from self.notes
        for name, fit in self.numbers.items():
            yield f"{name}: {shown(fit)}"
        if self.numbers:
            yield "in brackets: 95 % intervals; nan: an end that cannot be told"
        if any(one.low is not None for one in self.series):
            yield self.errors


def shown(fit: Fit) -> str:
    """An estimate to three digits.

    >>> shown(Fit(-0.02287, 0.01624, 1234.5))
    '0.0162 (-0.0229 .. 1234)'
    """
    low, best, high = (f"{end:.0f}" if 1000 <= abs(end) < 1e6 else f"{end:.3g}" for end in fit)
    return f"{best} ({low} .. {high})"


def write_numbers(picture: Picture, path: Path) -> None:
    """What the figure shows, as CSV: x, y and the ends of its error; estimates as panel `numbers`, without an x.

    A bin of a histogram reaches from x to x_end, which is empty elsewhere.

    Raises:
        InputError: a file that is no such table lies there.
    """
    check_table(path)
    with replace_file(path) as file:
        file.write(("\n".join([HEADER, *_rows(picture)]) + "\n").encode())


def check_table(
    path: Path,
    *,
    begins: str | tuple[str, ...] = (f"{HEADER}\n", f"{BEFORE}\n"),
    of: str = "figure",
    beside: str = "picture",
) -> None:
    """See that a table of numbers may be written there.

    Args:
        path: of the table.
        begins: how the first line of such a table may begin.
        of: what it is a table of.
        beside: what it lies beside, and is named after.

    Raises:
        InputError: a folder, or a file that is no such table.
    """
    if path.is_dir():
        raise InputError(f"{path} is to be a table, and is a folder: give the {beside} another name (--out)")
    first = path.read_bytes().split(b"\n", 1)[0] if path.exists() else None
    if first is not None and not (first.decode("utf-8", "replace").rstrip() + "\n").startswith(begins):
        raise InputError(f"{path} is no table of a {of}, and is left as it is: give the {beside} another name (--out)")


def _rows(picture: Picture) -> Iterable[str]:
    for one in picture.series:
        ends = [np.full(len(one.x), np.nan) if end is None else end for end in (one.low, one.high, one.x_end)]
        words = f"{picture.name},{_cell(one.panel)},{_cell(one.name)},"
        for row in zip(one.x, one.y, *ends, strict=True):
            yield words + ",".join(map(_number, row))
    for name, fit in picture.numbers.items():
        yield f"{picture.name},numbers,{_cell(name)},,{','.join(map(_number, (fit.best, fit.low, fit.high)))},"


def _number(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


def _cell(text: str) -> str:
    return f'"{text}"' if "," in text else text
