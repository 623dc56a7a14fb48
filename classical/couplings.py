"""The deep recurrent network as a spin model: which weights couple which layers of neurons.

Layers are the inputs, the d hidden layers and the outputs, 0 .. d+1. With H = -(1/2) sum_ij J_ij sigma_i sigma_j,

    (0, 1)          J_0 / s          (l, l+1)    J_l          (d, d+1)    K          (0, d+1)    W / s
    (l, l)          M_(l-1) + (M_(l-1))^T without its diagonal

for a neuron acts on itself a step later, and at equal times only the symmetric part of M counts: -sigma.M sigma. Inputs
are rescaled, S = (S_0 - mean)/s, so a key S_0 = +-1 is bound by the weight over s; what the mean does is a field, as
h_0 is, and no bond. Clock inputs are not rescaled. (After Barney, Winer & Galitski 2024, who have layers alone.)
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from encoding.layout import Group

Array = NDArray[np.floating]
Blocks = dict[tuple[int, int], Array]


def couplings(weights: Array, layout: Mapping[str, Group], depth: int, deviation: Array | float) -> Blocks:
    """Blocks by pairs of layers, each (..., N_a, N_b), of weights (..., n_weights).

    Args:
        weights: flat, as `DeepRNN.weights` gives them.
        layout: where the groups stand.
        depth: number of hidden layers d.
        deviation: s of each input, (n_inputs,) or a number.
    """
    part = {
        name: weights[..., group.slice].reshape(*weights.shape[:-1], *group.shape) for name, group in layout.items()
    }
    scale = np.reshape(deviation, (-1, 1))
    blocks: Blocks = {(0, 1): part["J0"].swapaxes(-1, -2) / scale}
    for layer in range(1, depth + 1):
        blocks[layer, layer] = _hollow(part[f"M{layer - 1}"])
        if layer < depth:
            blocks[layer, layer + 1] = part[f"J{layer}"].swapaxes(-1, -2)
    n_units, n_read = part["M0"].shape[-1], part["K"].shape[-1]
    read = np.zeros((*weights.shape[:-1], n_units, part["K"].shape[-2]), weights.dtype)
    read[..., :n_read, :] = part["K"].swapaxes(-1, -2)
    blocks[depth, depth + 1] = read
    if "W" in part:
        blocks[0, depth + 1] = part["W"].swapaxes(-1, -2) / scale
    return blocks


def _hollow(m: Array) -> Array:
    """M + M^T without the diagonal."""
    symmetric = m + m.swapaxes(-1, -2)
    return symmetric * (1 - np.eye(m.shape[-1], dtype=m.dtype))
