"""The picture of a study: its runs, as far as they are there, made into numbers, drawn, and written as CSV."""

from collections.abc import Callable, Sequence
from pathlib import Path

from encoding import InputError
from experiments.figures.aging_curves import aging_curves
from experiments.figures.aging_forms import aging_forms
from experiments.figures.answers import Answer
from experiments.figures.asymptotes import asymptotes
from experiments.figures.batch_noise import batch_noise
from experiments.figures.both_agings import both_agings
from experiments.figures.critical_loss import critical_loss
from experiments.figures.critical_slowing import critical_slowing
from experiments.figures.drawing import draw
from experiments.figures.generalising import generalising
from experiments.figures.learnability import learnability
from experiments.figures.learning_curves import learning_curves
from experiments.figures.overlap_figure import overlap_figure
from experiments.figures.perceptron import perceptron
from experiments.figures.picture import Picture, check_table, write_numbers
from experiments.figures.save import check_picture, save_figure
from experiments.figures.sgd_noise import sgd_noise
from experiments.figures.spin_models import spin_models
from experiments.figures.talk import talk
from experiments.store import Store, load_run
from experiments.study import Study
from experiments.sweep import state_of

FIGURES: dict[str, Callable[[Sequence[Answer], str], Picture]] = {
    "fig2": learning_curves,
    "fig3": asymptotes,
    "fig4": batch_noise,
    "fig5": critical_slowing,
    "fig6": critical_loss,
    "fig7": aging_curves,
    "fig8": sgd_noise,
    "fig9": aging_forms,
    "talk": talk,
    "overlaps": overlap_figure,
    "generalisation": generalising,
    "learnability": learnability,
    "quantum-aging": both_agings,
    "spins": spin_models,
    "perceptron": perceptron,
}


def answers_of(study: Study, store: Store) -> list[Answer]:
    """What the store has of each run that the study asks for.

    Raises:
        InputError: a damaged run.
    """
    answers = []
    for planned in study.planned:
        path = store.folder(planned.task)
        state = state_of(planned, store)
        begun = state.standing is None and (path / "trajectory.jsonl").exists()
        answers.append(Answer(planned, load_run(path) if state.standing else None, "begun" if begun else state.over))
    return answers


def nothing_there(study: Study, store: Store, answers: Sequence[Answer]) -> str:
    """The line that says that not one run can be drawn; empty where one can."""
    if any(answer.run for answer in answers):
        return ""
    begun = sum(answer.over == "begun" for answer in answers)
    more = f" ({begun} begun, without a checkpoint yet)" if begun else ""
    return f"{store.path} has none of the {len(answers)} runs of {study.name} at scale {study.scale}{more}"


def picture_of(study: Study, store: Store) -> Picture:
    """The numbers of the study's figure, from the runs that are in the store; what is missing is among its notes.

    Raises:
        InputError: a damaged run, or no run at all.
    """
    answers = answers_of(study, store)
    if nothing := nothing_there(study, store, answers):
        raise InputError(f"{nothing}: armonica sweep makes them")
    return FIGURES[study.figure](answers, study.name)


def draw_study(study: Study, store: Store, path: Path) -> Picture:
    """Draw the figure as PNG, SVG or PDF, and its numbers as CSV beside it.

    Raises:
        InputError: see `picture_of`; another kind of picture, or somebody else's CSV in its place.
    """
    check_picture(path)
    check_table(path.with_suffix(".csv"))
    picture = picture_of(study, store)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_figure(draw(picture), path)
    write_numbers(picture, path.with_suffix(".csv"))
    return picture
