"""Numbers from trajectories and data, with numpy and scipy alone: what learned, and how, is not known here."""

from experiments.observables.baselines import baselines, h0_loss, logistic_loss
from experiments.observables.estimate import Fit
from experiments.observables.irreducible import irreducible_loss
from experiments.observables.loss_noise import LossFluctuations, loss_fluctuations, noise_against_batch
from experiments.observables.markov import markov_loss
from experiments.observables.overlap_distribution import OverlapDistribution, overlap_distribution
from experiments.observables.overlaps import activation_overlap, overlaps
from experiments.observables.reservoir import reservoir_loss
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate
from experiments.observables.ultrametricity import Ultrametricity, ultrametricity
from experiments.observables.units import bits_per_unit_to_nats_per_step, nats_per_step_to_bits_per_unit

__all__ = [
    "Fit",
    "LossFluctuations",
    "OverlapDistribution",
    "Stability",
    "Ultrametricity",
    "activation_overlap",
    "baselines",
    "bits_per_unit_to_nats_per_step",
    "compare_curves",
    "h0_loss",
    "irreducible_loss",
    "largest_stable_rate",
    "logistic_loss",
    "loss_fluctuations",
    "markov_loss",
    "nats_per_step_to_bits_per_unit",
    "noise_against_batch",
    "overlap_distribution",
    "overlaps",
    "reservoir_loss",
    "ultrametricity",
]
