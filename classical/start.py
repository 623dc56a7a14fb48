"""How large a deep recurrent network is, and where its weights start."""

import numpy as np
from numpy.typing import NDArray

from classical.orthogonal import random_orthogonal
from encoding import N_KEYS, Purpose, stream
from encoding.layout import Group, lay_out


def n_parameters(depth: float, width: float) -> float:
    """The number of weights as the paper counts them, each M with w(w-1)/2 for it is orthogonal.

    >>> [round(n_parameters(d, w), -1) for d, w in ((1, 110.21), (2, 64.192), (5, 35.735))]
    [20890.0, 18080.0, 15040.0]
    """
    recurrent = depth * width * (width - 1) / 2
    return N_KEYS * width + (depth - 1) * width**2 + recurrent + N_KEYS * width + N_KEYS**2 + N_KEYS


def groups(depth: int, width: int) -> dict[str, Group]:
    """The groups of weights in their order: J0.., M0.., K, W, h0."""
    forward = [(f"J{layer}", (width, width if layer else N_KEYS)) for layer in range(depth)]
    recurrent = [(f"M{layer}", (width, width)) for layer in range(depth)]
    return lay_out(dict([*forward, *recurrent, ("K", (N_KEYS, width)), ("W", (N_KEYS, N_KEYS)), ("h0", (N_KEYS,))]))


def start(layout: dict[str, Group], seed: int, replica: int) -> NDArray[np.float64]:
    """The published start of one replica: J_0 Gaussian of variance 0.1/54, J_l and M_l orthogonal, K = W = h_0 = 0."""
    rng, parts = stream(seed, replica, Purpose.START), []
    for name, group in layout.items():
        if name == "J0":
            parts.append(rng.standard_normal(group.shape) * np.sqrt(0.1 / N_KEYS))
        elif name[0] in "JM":
            parts.append(random_orthogonal(rng, group.shape[0]))
        else:
            parts.append(np.zeros(group.shape))
    return np.concatenate([part.ravel() for part in parts])
