"""Numbers from trajectories and data, with numpy alone: what learned, and how, is not known here."""

from experiments.observables.irreducible import irreducible_loss
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate

__all__ = ["Stability", "compare_curves", "irreducible_loss", "largest_stable_rate"]
