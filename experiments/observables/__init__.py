"""Numbers from trajectories and data, with numpy and scipy alone: what learned, and how, is not known here."""

from experiments.observables.aging import Aging, Noise, aging, noise
from experiments.observables.correlation import Correlation, two_time_correlation
from experiments.observables.displacement import Displacement, displacement, displacement_by_group
from experiments.observables.estimate import Fit
from experiments.observables.irreducible import irreducible_loss
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate
from experiments.observables.two_times import TwoTimeCurve

__all__ = [
    "Aging",
    "Correlation",
    "Displacement",
    "Fit",
    "Noise",
    "Stability",
    "TwoTimeCurve",
    "aging",
    "compare_curves",
    "displacement",
    "displacement_by_group",
    "irreducible_loss",
    "largest_stable_rate",
    "noise",
    "two_time_correlation",
]
