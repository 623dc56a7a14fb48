"""Numbers from trajectories and data, with numpy and scipy alone: what learned, and how, is not known here."""

from experiments.observables.aging import Aging, Noise, aging, noise
from experiments.observables.aging_fits import AgingFit, compare_forms, fit_aging
from experiments.observables.collapse import Collapse, Scaling, collapse
from experiments.observables.correlation import Correlation, two_time_correlation
from experiments.observables.critical_width import CriticalWidth, critical_width
from experiments.observables.displacement import Displacement, displacement, displacement_by_group
from experiments.observables.estimate import Fit
from experiments.observables.irreducible import irreducible_loss
from experiments.observables.learning_times import LearningTime, learning_time
from experiments.observables.loss_against_width import LossAgainstWidth, loss_against_width
from experiments.observables.power_law import PowerLaw, power_law
from experiments.observables.short_times import short_time_exponent
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate
from experiments.observables.two_times import TwoTimeCurve

__all__ = [
    "Aging",
    "AgingFit",
    "Collapse",
    "Correlation",
    "CriticalWidth",
    "Displacement",
    "Fit",
    "LearningTime",
    "LossAgainstWidth",
    "Noise",
    "PowerLaw",
    "Scaling",
    "Stability",
    "TwoTimeCurve",
    "aging",
    "collapse",
    "compare_curves",
    "compare_forms",
    "critical_width",
    "displacement",
    "displacement_by_group",
    "fit_aging",
    "irreducible_loss",
    "largest_stable_rate",
    "learning_time",
    "loss_against_width",
    "noise",
    "power_law",
    "short_time_exponent",
    "two_time_correlation",
]
