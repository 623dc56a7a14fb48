"""One replica's pass over the music it learns: features, fields, loss, and dE/dw of any batch of slots.

K, W and h_0 read features as a classical readout does: their slopes are products of numbers already there. Those along
the angles come from the simulation (`quantum.simulation`): by the adjoint, or from what further shots show.
"""

from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoding.layout import Group
from quantum.lessons import Lesson
from quantum.readout import Readout, bits, errors
from quantum.weights import part_of_group

Array = NDArray[np.floating]


class Pass:
    """All music heard once by a network of these weights.

    Attributes:
        features: what K reads, (n_slots, n_features).
        fields: H, (n_slots, 54).
    """

    def __init__(self, lesson: Lesson, weights: Array, draw: np.random.Generator, *, sloped: bool = True) -> None:
        """Weights (n_weights,); what is sampled is drawn from `draw`; whether a gradient will be asked for."""
        self.lesson = lesson
        self._angles = torch.from_numpy(weights[None, : lesson.n_angles])
        self.readout = readout_of(lesson.layout, weights)
        self._passed = lesson.simulation.run(self._angles, draw, sloped=sloped and lesson.learns("angles"))
        self.features = self._passed.features[0][:, lesson.columns]
        self.fields = self.readout.fields(self.features, lesson.inputs)

    def loss(self) -> float:
        """Mean NLL per output unit per time step, in bits."""
        return float(bits(self.lesson.targets, self.fields).mean(dtype=torch.float64))

    def gradient(self, batch: NDArray[np.int64]) -> Array:
        """dE/dw, (n_weights,), E the mean cost of the slots of a batch, in nats; 0 for what is not learned."""
        lesson = self.lesson
        share = torch.from_numpy(np.bincount(batch, minlength=lesson.n_slots) / len(batch)).to(lesson.targets.dtype)
        error = errors(lesson.targets, self.fields) * share[:, None]
        made = {"K": error.T @ self.features, "h0": error.sum(0)}
        if self.readout.w is not None:
            made["W"] = error.T @ lesson.inputs
        gradient = np.zeros(max(group.slice.stop for group in lesson.layout.values()), lesson.settings.precision)
        for name, group in lesson.layout.items():
            if name in made and lesson.learns(name):
                gradient[group.slice] = made[name].flatten().numpy()
        if lesson.learns("angles"):
            gradient[: lesson.n_angles] = self.angle_slope(error, share)
        return gradient

    def angle_slope(self, error: Tensor, share: Tensor) -> Array:
        """dE/d angles, (n_angles,), from dE/dH of every slot; E = sum_mu share_mu E_mu."""
        of_features = torch.zeros_like(self._passed.features)
        of_features[0][:, self.lesson.columns] = error @ self.readout.k

        def cost(features: Tensor) -> Tensor:
            """E in nats, of features (n_slots, n_f)."""
            fields = self.readout.fields(features[:, self.lesson.columns], self.lesson.inputs)
            return (bits(self.lesson.targets, fields).sum(-1) * share).sum(-1) * log(2)

        return self.lesson.simulation.slope(self._angles, self._passed, of_features, cost)[0].numpy()

    def measures(self) -> dict[str, float]:
        """Frame-level accuracy TP / (TP + FP + FN), and the share of chords that are right in every key."""
        said, true = self.fields > 0, self.lesson.targets > 0
        right = (said & true).sum() / (said | true).sum().clamp(min=1)
        return {"accuracy": float(right), "chords": float((said == true).all(-1).to(torch.float64).mean())}


def readout_of(layout: dict[str, Group], weights: Array) -> Readout:
    """K, W and h_0 among the weights of a replica; not a copy."""
    views = {
        name: torch.from_numpy(weights[group.slice]).reshape(group.shape)
        for name, group in layout.items()
        if part_of_group(name) != "angles"
    }
    return Readout(views["K"], views.get("W"), views["h0"])
