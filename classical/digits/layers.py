"""Forward and back through the layers of a digit classifier, by hand and in buffers that are used again.

    h_k = s_(k-1) J^(k) + b_k,    s_k = phi(h_k),    scores s_L = h_L                  (Barney, Winer & Galitski 2024)
    d_L = dE/ds_L,    d_(k-1) = (d_k J^(k)^T) phi'(h_(k-1)),    dE/dJ^(k) = s_(k-1)^T d_k

phi is ReLU (30), or the sign, +1 at 0 (28), which goes back as the hard tanh, of slope 1 between -1 and 1 (29). Here
s_0 are the inputs of a batch, a row for each image. v <- m v + dE/dJ is one product that adds to what is there, so that
no gradient is ever written down apart.

Single precision: a product over at most 1000 terms is good to some 1e-5 of its size, where the gradients of two batches
differ by as much as they are large.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Weights(NamedTuple):
    """J^(k), (N_(k-1), N_k), and b_k, (N_k,) or none, as views of one flat vector."""

    bonds: list[Tensor]
    biases: list[Tensor]


class Layers:
    """Buffers for batches of at most `n` images, with a pass forward and one back.

    Attributes:
        fields: h_1 .. h_L of the last pass, each (n, N_k); of ReLUs s_k, which has the same slopes.
        states: s_0 .. s_(L-1) of the last pass.
        errors: d_1 .. d_L.
    """

    def __init__(self, sizes: Sequence[int], n: int, activation: str) -> None:
        """Buffers; nothing has passed yet."""
        self._binary = activation == "binary"
        self._fields = [torch.empty(n, size) for size in sizes[1:]]
        self._states = [torch.empty(n, size) for size in sizes[1:-1]] if self._binary else self._fields[:-1]
        self._errors = [torch.empty(n, size) for size in sizes[1:]]

    def forward(self, weights: Weights, inputs: Tensor) -> Tensor:
        """Scores s_L of a batch, (n, 10), in a buffer: they hold until the next pass."""
        n = len(inputs)
        self.fields, self.errors = [[part[:n] for part in parts] for parts in (self._fields, self._errors)]
        self.states = [inputs, *(state[:n] for state in self._states)]
        for k, bonds in enumerate(weights.bonds):
            if weights.biases:
                torch.addmm(weights.biases[k], self.states[k], bonds, out=self.fields[k])
            else:
                torch.mm(self.states[k], bonds, out=self.fields[k])
            if k + 1 < len(weights.bonds):
                self._activate(k)
        return self.fields[-1]

    def _activate(self, k: int) -> None:
        if self._binary:
            torch.sign(self.fields[k], out=self.states[k + 1])
            self.states[k + 1].add_(0.5).sign_()  # +1 at 0; NaN stays NaN
        else:
            self.fields[k].clamp_(min=0)

    def back(self, weights: Weights, slopes: Tensor) -> None:
        """The errors d_L .. d_1 of the last pass, from dE/ds_L."""
        self.errors[-1].copy_(slopes)
        for k in range(len(weights.bonds) - 1, 0, -1):
            torch.mm(self.errors[k], weights.bonds[k].T, out=self.errors[k - 1])
            field = self.fields[k - 1]
            self.errors[k - 1].mul_(field.abs() < 1 if self._binary else field > 0)

    def add_gradient(self, into: Weights, keep: float) -> None:
        """into <- keep * into + the gradient, summed over the images of the last pass."""
        for bonds, state, error in zip(into.bonds, self.states, self.errors, strict=True):
            torch.addmm(bonds, state.T, error, beta=keep, out=bonds)
        for bias, error in zip(into.biases, self.errors, strict=False):  # there may be none
            bias.mul_(keep).add_(error.sum(0))
