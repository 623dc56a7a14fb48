"""From features to fields and to the loss, by the affine readout of the classical network (Hertz & Tyrcha 2024).

    H(t) = K f(t) + W S(t) + h_0,    E = sum_i ln[1 + exp(-2 S_i(t+1) H_i(t))]    (nats a time slot; B1)

-dE/dH = S - tanh H. Losses are reported in bits per output unit, E / (54 ln 2).
"""

from math import log
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import softplus


class Readout(NamedTuple):
    """K (54, n_f), W (54, 54) or None, and h_0 (54,) of one replica."""

    k: Tensor
    w: Tensor | None
    h0: Tensor

    def copied(self) -> "Readout":
        """The same numbers in memory of their own."""
        return Readout(self.k.clone(), None if self.w is None else self.w.clone(), self.h0.clone())

    def fields(self, features: Tensor, inputs: Tensor) -> Tensor:
        """H of every slot, (n_slots, 54)."""
        fields = features @ self.k.T + self.h0
        return fields if self.w is None else fields + inputs @ self.w.T


def bits(targets: Tensor, fields: Tensor) -> Tensor:
    """NLL per output unit, in bits, of each slot and output."""
    return softplus(-2 * targets * fields) / log(2)


def errors(targets: Tensor, fields: Tensor) -> Tensor:
    """dE/dH = tanh H - S, in nats."""
    return fields.tanh() - targets
