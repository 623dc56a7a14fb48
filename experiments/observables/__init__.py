"""Numbers from trajectories and data, with numpy and scipy alone: what learned, and how, is not known here."""

from experiments.observables.aging import Aging, Noise, aging, aging_by_group, noise
from experiments.observables.aging_fits import AgingFit, Comparison, compare_forms, fit_aging
from experiments.observables.baselines import baselines, h0_loss, logistic_loss
from experiments.observables.collapse import Collapse, Scaling, collapse
from experiments.observables.correlation import Correlation, two_time_correlation
from experiments.observables.critical_misfit import Misfit
from experiments.observables.critical_width import CriticalWidth, critical_width
from experiments.observables.displacement import Displacement, displacement, displacement_by_group
from experiments.observables.estimate import Fit
from experiments.observables.fluctuations import fluctuation_dissipation
from experiments.observables.irreducible import irreducible_loss
from experiments.observables.learning_times import LearningTime, learning_time
from experiments.observables.loss_against_width import LossAgainstWidth, loss_against_width
from experiments.observables.loss_noise import LossFluctuations, loss_fluctuations, noise_against_batch
from experiments.observables.markov import markov_loss
from experiments.observables.overlap_distribution import OverlapDistribution, overlap_distribution
from experiments.observables.overlaps import activation_overlap, overlaps
from experiments.observables.power_law import PowerLaw, power_law
from experiments.observables.readout_floor import readout_floor
from experiments.observables.reservoir import reservoir_loss
from experiments.observables.short_times import Exponent, short_time_exponent
from experiments.observables.stability import Stability, compare_curves, largest_stable_rate
from experiments.observables.two_times import TwoTimeCurve
from experiments.observables.ultrametricity import Ultrametricity, ultrametricity
from experiments.observables.units import bits_per_unit_to_nats_per_step, nats_per_step_to_bits_per_unit

__all__ = [
    "Aging",
    "AgingFit",
    "Collapse",
    "Comparison",
    "Correlation",
    "CriticalWidth",
    "Displacement",
    "Exponent",
    "Fit",
    "LearningTime",
    "LossAgainstWidth",
    "LossFluctuations",
    "Misfit",
    "Noise",
    "OverlapDistribution",
    "PowerLaw",
    "Scaling",
    "Stability",
    "TwoTimeCurve",
    "Ultrametricity",
    "activation_overlap",
    "aging",
    "aging_by_group",
    "baselines",
    "bits_per_unit_to_nats_per_step",
    "collapse",
    "compare_curves",
    "compare_forms",
    "critical_width",
    "displacement",
    "displacement_by_group",
    "fit_aging",
    "fluctuation_dissipation",
    "h0_loss",
    "irreducible_loss",
    "largest_stable_rate",
    "learning_time",
    "logistic_loss",
    "loss_against_width",
    "loss_fluctuations",
    "markov_loss",
    "nats_per_step_to_bits_per_unit",
    "noise",
    "noise_against_batch",
    "overlap_distribution",
    "overlaps",
    "power_law",
    "readout_floor",
    "reservoir_loss",
    "short_time_exponent",
    "two_time_correlation",
    "ultrametricity",
]
