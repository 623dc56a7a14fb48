"""Numbers from trajectories and data, with numpy and scipy alone: what learned, and how, is not known here."""

from experiments.observables.estimate import Fit
from experiments.observables.fluctuations import fluctuation_dissipation
from experiments.observables.irreducible import irreducible_loss
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate

__all__ = ["Fit", "Stability", "compare_curves", "fluctuation_dissipation", "irreducible_loss", "largest_stable_rate"]
