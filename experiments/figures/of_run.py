"""The pictures that a single run gives."""

from pathlib import Path

from experiments.figures.learning_curve import learning_curve
from experiments.figures.save import save_figure
from experiments.figures.style import new_figure
from experiments.store import Run

BITS = "bits per output unit per time step"


def draw_learning_curve(run: Run, path: Path) -> None:
    """Loss against learning time, with the floor that the data set (cost nll), as PNG, SVG or PDF.

    Raises:
        InputError: nothing to draw, or an unknown kind of picture.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    floor = run.task["irreducible_loss"] if run.unit == BITS else None
    settings = run.task["settings"]
    label = ", ".join(f"{name} {settings[name]}" for name in ("depth", "width", "rule") if name in settings)
    trajectory = run.trajectory
    learning_curve(
        axes,
        trajectory.time,
        trajectory.loss,
        floor=floor,
        label=label or run.task["system"],
        loss_label=f"NLL ({run.unit})" if run.unit == BITS else f"loss ({run.unit})",
        linear_loss=bool((trajectory.loss < 0).any()),
    )
    save_figure(figure, path)
