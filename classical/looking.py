"""What is looked at now and then, one replica after the other.

So a look takes the memory of one network however many there are, and its numbers are the same bit for bit whatever
replicas stand beside.
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.bptt import exact_deltas
from classical.costs import COSTS
from classical.kernels.plain import Pass, PlainKernel
from classical.noise import gamma


def one_by_one(flat: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    """Each replica's weights as an ensemble of one, (1, n_weights), views."""
    return [flat[replica : replica + 1] for replica in range(len(flat))]


def measures(plain: PlainKernel, flat: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
    """Accuracy, share of right chords and, with another cost than it, the NLL, (n_replicas,) each: `DeepRNN.measure`.

    Args:
        plain: whose transitions and cost are meant.
        flat: weights, (n_replicas, n_weights).
    """
    seen = [_measured(plain, own) for own in one_by_one(flat)]
    return {name: torch.cat([each[name] for each in seen]).to(torch.float64).numpy() for name in seen[0]}


def _measured(plain: PlainKernel, flat: NDArray[np.floating]) -> dict[str, Tensor]:
    _, output = plain.run(flat)
    targets = plain.slots.targets
    said, true = output > 0, targets > 0
    right = (said & true).sum((-2, -1)) / (said | true).sum((-2, -1)).clamp(min=1)
    measured = {"accuracy": right, "chords": (said == true).all(-1).to(torch.float64).mean(-1)}
    if plain.settings.cost != "nll":
        measured["nll"] = COSTS["nll"].value(targets, output).mean((-2, -1), dtype=torch.float64)
    return measured


def stacked(flat: NDArray[np.floating], look: Callable[[NDArray[np.floating]], Tensor]) -> NDArray[np.floating]:
    """What `look` makes of each replica's weights (1, n_weights), replicas along the first axis."""
    return np.concatenate([look(own).numpy() for own in one_by_one(flat)])


def downhill(plain: PlainKernel, flat: NDArray[np.floating]) -> Tensor:
    """-dE/dw by exact backpropagation over all slots, whatever the rule and the batch, (n_replicas, n_weights)."""
    data, weights = plain.slots, plain.views(flat)
    layers, output = plain.run(flat)
    error = COSTS[plain.settings.cost].error(data.targets, output)
    return plain.direction(Pass(layers, output, error, exact_deltas(weights, data, layers, error)), None)


def gammas(
    plain: PlainKernel,
    flat: NDArray[np.floating],
    pasts: Iterable[NDArray[np.floating]],
    batch: NDArray[np.int64] | None,
    *,
    tangent: bool,
) -> NDArray[np.float64]:
    """Gamma of eq. (6) for each group of weights, (n_replicas, n_groups): `DeepRNN.noise`.

    Args:
        plain: whose slots and settings are meant.
        flat: weights, (n_replicas, n_weights).
        pasts: what each replica remembers, an ensemble of one each.
        batch: slots that the variance runs over, (n_replicas, p), or None for all.
        tangent: for what is kept orthogonal, only the part along the orthogonal group.
    """
    seen = []
    for replica, (own, past) in enumerate(zip(one_by_one(flat), pasts, strict=True)):
        mine = None if batch is None else batch[replica : replica + 1]
        seen.append(gamma(plain, own, plain.pass_through(own, past), mine, tangent=tangent))
    return np.concatenate(seen)
