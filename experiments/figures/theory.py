"""Figures of theory alone: they compute themselves and need no runs."""

from importlib import import_module
from pathlib import Path

from classical.perceptron import NotConverged
from encoding import InputError
from experiments.figures.drawing import draw
from experiments.figures.picture import Picture, check_table, write_numbers
from experiments.figures.save import check_picture, save_figure

THEORY = {
    "perceptron-profiles": ("glass_profiles", "glass_profiles"),
    "perceptron-transitions": ("glass_transitions", "glass_transition_lines"),
    "perceptron-states": ("glass_states", "glass_states"),
    "perceptron-teacher": ("glass_teacher", "glass_teacher"),
    "spin-transition": ("spin_transition", "spin_transition"),
}


def theory_picture(name: str) -> Picture:
    """The numbers of a figure of theory.

    Raises:
        InputError: there is no such figure.
    """
    if name not in THEORY:
        raise InputError(f"a figure of theory is one of {', '.join(THEORY)}; got {name!r}")
    module, function = THEORY[name]
    return getattr(import_module(f"experiments.figures.{module}"), function)(name)


def draw_theory(name: str, path: Path) -> Picture:
    """Compute a figure of theory, draw it as PNG, SVG or PDF, and its numbers as CSV beside it.

    Raises:
        InputError: see `theory_picture`; another kind of picture, or somebody else's CSV in its place; equations that
            have no solution.
    """
    check_picture(path)
    check_table(path.with_suffix(".csv"))
    try:
        picture = theory_picture(name)
    except NotConverged as told:
        raise InputError(f"{name} cannot be drawn: {told}") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    save_figure(draw(picture), path)
    write_numbers(picture, path.with_suffix(".csv"))
    return picture
