"""Gamma, how much the gradient of a step scatters, for each group of weights.

    Gamma = < Var(g_i) >_i,   g the gradient of a step        (1/p <var_mu dE_mu/dw_i>_i; Hertz & Tyrcha 2024, eq. 6)

Where features are exact only the batch is drawn, and the variance over slots says it all. Where they are sampled, by
shots or by kets, a step's gradient is drawn again and again; with all slots in each, that is shot noise alone.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantum.lessons import Lesson
from quantum.passes import Array, Pass
from quantum.readout import errors
from quantum.weights import part_of_group


def over_slots(seen: Pass, signs: np.random.Generator) -> NDArray[np.float64]:
    """Gamma of every group from the variance over slots, (n_groups,).

    For K, W and h_0 it is exact. For angles the mean of the squares over the n slots is that of
    (sum_mu s_mu dE_mu/dw_i)^2 / n over random signs s_mu = +-1, `probes` of them: without bias, with a relative error
    of about sqrt(2 / probes) / sqrt(number of angles).
    """
    lesson, settings = seen.lesson, seen.lesson.settings
    n, p = lesson.n_slots, settings.batch or 1
    error = errors(lesson.targets, seen.fields)
    factors = {"K": seen.features, "W": lesson.inputs, "h0": torch.ones(n, 1, dtype=error.dtype)}
    angles = _angle_variance(seen, error, signs) if lesson.learns("angles") else np.zeros(lesson.n_angles)
    found = []
    for name, group in lesson.layout.items():
        if part_of_group(name) == "angles":
            found.append(float(angles[group.slice].mean()))
        else:
            found.append(_variance(error, factors[name]) if lesson.learns(name) else 0.0)
    population = 1.0 if settings.replacement else (n - p) / max(n - 1, 1)
    return np.maximum(found, 0) / p * population


def drawn_again(lesson: Lesson, weights: Array, draw: np.random.Generator, *, batch: bool) -> NDArray[np.float64]:
    """Gamma of every group from `probes` gradients, each with its own samples, and with `batch` its own batch.

    The relative error is about sqrt(2 / probes) / sqrt(number of weights of the group) where they scatter apart.
    """
    settings, made = lesson.settings, []
    for _ in range(max(settings.probes, 2)):
        slots = np.arange(lesson.n_slots)
        if batch and settings.batch is not None:
            p = settings.batch
            slots = draw.integers(len(slots), size=p) if settings.replacement else draw.permutation(slots)[:p]
        made.append(Pass(lesson, weights, draw).gradient(slots).astype(np.float64))
    variance = np.var(made, axis=0, ddof=1)
    return np.array([variance[group.slice].mean() for group in lesson.layout.values()])


def _angle_variance(seen: Pass, error: Tensor, signs: np.random.Generator) -> NDArray[np.float64]:
    """var_mu(dE_mu/da) of every angle."""
    n, probes = len(error), seen.lesson.settings.probes
    squares, equal = np.zeros(seen.lesson.n_angles), torch.ones(n, dtype=error.dtype)
    for _ in range(probes):
        drawn = torch.from_numpy(signs.choice([-1.0, 1.0], n)).to(error.dtype)
        squares += seen.angle_slope(error * drawn[:, None], drawn).astype(np.float64) ** 2
    mean = seen.angle_slope(error, equal).astype(np.float64) / n
    return squares / (probes * n) - mean**2


def _variance(left: Tensor, right: Tensor) -> float:
    """< var_mu(left_i right_j) >_ij over slots."""
    n = len(left)
    mean = left.T @ right / n
    return float((left.square().T @ right.square() / n - mean.square()).mean(dtype=torch.float64))
