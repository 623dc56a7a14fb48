"""Numbers from trajectories and data, with numpy and scipy alone: what learned, and how, is not known here."""

from experiments.observables.critical_width import CriticalWidth, critical_width
from experiments.observables.estimate import Fit
from experiments.observables.irreducible import irreducible_loss
from experiments.observables.learning_times import LearningTime, learning_time
from experiments.observables.loss_against_width import LossAgainstWidth, loss_against_width
from experiments.observables.power_law import PowerLaw, power_law
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate

__all__ = [
    "CriticalWidth",
    "Fit",
    "LearningTime",
    "LossAgainstWidth",
    "PowerLaw",
    "Stability",
    "compare_curves",
    "critical_width",
    "irreducible_loss",
    "largest_stable_rate",
    "learning_time",
    "loss_against_width",
    "power_law",
]
