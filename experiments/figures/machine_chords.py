"""A network chord by chord as a machine played it: NLL with its scatter, and how far features are from exact ones."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.figures.drawing import BESIDE, draw
from experiments.figures.picture import Look, Panel, Picture, write_numbers
from experiments.figures.save import check_picture, save_figure
from experiments.figures.style import BLACK, BLUE, GREEN, PURPLE, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.hardware_results import Collected

MARKS = ((BLUE, "o"), (GREEN, "s"), (PURPLE, "D"))  # of what stands beside the machine


def machine_picture(collected: "Collected") -> Picture:
    """The numbers of all that played the excerpt."""
    panels = {
        "NLL": Panel("NLL of each chord, foretold from those before it", "chord", "NLL (bits per unit and step)"),
        "far": Panel("The same, less that of exact averages", "chord", "NLL - exact (bits per unit and step)"),
        "features": Panel("Largest deviation of a feature from exact averages", "chord", "|f - f exact|", zero=True),
    }
    picture = Picture("machine", panels, across=3, errors="bars: one standard error, of shots alone (jackknife)")
    exact, machine = collected.exact, collected.machine
    chords = np.arange(len(exact.features)) + 2
    picture.add("NLL", exact.where, chords, exact.found.chords)
    picture.add("far", exact.where, chords, 0 * chords)
    picture.looks[exact.where] = Look(BLACK)
    others = [one for one in collected.played if one not in (exact, machine)]
    for one, (colour, mark) in [*zip(others, MARKS, strict=False), (machine, (VERMILION, "^"))]:
        value, error = one.found.chords, one.found.chord_errors
        for panel, seen in (("NLL", value), ("far", value - exact.found.chords)):
            low, high = (None, None) if error is None else (seen - error, seen + error)
            picture.add(panel, one.where, chords, seen, low=low, high=high, kind="points")
        picture.add("features", one.where, chords, abs(one.features - exact.features).max(1), kind="points")
        picture.looks[one.where] = Look(colour, mark)
    for line in collected.left_out:
        picture.note(line)
    return picture


def drawn_machine(picture: Picture) -> "Figure":
    """The panels, and beside them one legend for all: names look the same in each, and none covers a point."""
    figure, names = draw(picture), {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        names |= dict(zip(labels, handles, strict=True))
        if (own := axes.get_legend()) is not None:
            own.remove()
    width, height = figure.get_size_inches()
    figure.set_size_inches(width + BESIDE, height)
    figure.legend(names.values(), names.keys(), loc="outside right upper", frameon=False, fontsize=8)
    return figure


def draw_machine(collected: "Collected", path: Path) -> list[Path]:
    """Draw it, with its numbers as CSV beside it; the files.

    Raises:
        InputError: no kind of picture, or another file lies there.
    """
    check_picture(path)
    picture = machine_picture(collected)
    write_numbers(picture, path.with_suffix(".csv"))
    save_figure(drawn_machine(picture), path)
    return [path, path.with_suffix(".csv")]
