"""The pictures that a single run gives."""

from pathlib import Path

from experiments.figures.learning_curve import learning_curve
from experiments.figures.save import save_figure
from experiments.figures.style import new_figure
from experiments.store import Run

BITS = "bits per output unit per time step"


def draw_learning_curve(run: Run, path: Path) -> None:
    """Loss against proper time, with the floor that the data set (cost nll), as PNG, SVG or PDF.

    Raises:
        InputError: nothing to draw, or an unknown kind of picture.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    floor = run.task["irreducible_loss"] if run.unit == BITS else None
    trajectory = run.trajectory
    learning_curve(
        axes,
        trajectory.time,
        trajectory.loss,
        floor=floor,
        label=_named(run),
        loss_label=f"NLL ({run.unit})" if run.unit == BITS else f"loss ({run.unit})",
        linear_loss=bool((trajectory.loss < 0).any()),
    )
    save_figure(figure, path)


SAID = {"depth": "depth", "width": "width", "rule": "rule", "batch": "p =", "n_spins": "N ="}


def _named(run: Run) -> str:
    """What the run is: system, the settings that shape its curve, and the rate."""
    settings, schedule = run.task["settings"], run.task["schedule"]
    words = [f"{word} {settings[name]}" for name, word in SAID.items() if settings.get(name) is not None]
    words += [f"η = {schedule['rate']:g}"] if "rate" in schedule else []
    return f"{run.task['system']}: {', '.join(words[:2])}\n{', '.join(words[2:])}".strip()
