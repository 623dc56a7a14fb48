"""What is learned: the cost of one transition, and its slope.

For targets S = +-1 and output fields H (Hertz & Tyrcha 2024, eq. B1), summed over the 54 outputs of a time slot mu:

    nll       E_mu = sum_i ln[1 + exp(-2 S_i H_i)]           (nats; the paper's)      eps = S - tanh H
    squared   E_mu = sum_i (S_i - tanh H_i)^2 / 2                                     eps = (S - tanh H)(1 - tanh^2 H)
    hinge     E_mu = sum_i max(0, 1 - S_i H_i)                                        eps = S where S H < 1, else 0

eps = -dE/dH is the target error that is propagated backwards. `nll` is reported in bits, E/(54 ln 2), the others as
E/54.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Cost:
    """A cost by its two functions of (targets, fields), entry by entry, and the unit it is reported in."""

    value: Callable[[Tensor, Tensor], Tensor]
    error: Callable[[Tensor, Tensor], Tensor]
    unit: str


def _squared_error(targets: Tensor, fields: Tensor) -> Tensor:
    outputs = fields.tanh()
    return (targets - outputs) * (1 - outputs * outputs)


COSTS = {
    "nll": Cost(
        lambda targets, fields: softplus(-2 * targets * fields) / log(2),
        lambda targets, fields: targets - fields.tanh(),
        "bits per output unit per time step",
    ),
    "squared": Cost(
        lambda targets, fields: (targets - fields.tanh()).square() / 2,
        _squared_error,
        "half squared error per output unit per time step",
    ),
    "hinge": Cost(
        lambda targets, fields: torch.relu(1 - targets * fields),
        lambda targets, fields: targets * (targets * fields < 1),
        "hinge loss per output unit per time step",
    ),
}
