"""Numbers from trajectories and data, with numpy alone: what learned, and how, is not known here."""

from experiments.observables.irreducible import irreducible_loss

__all__ = ["irreducible_loss"]
