"""A readout that is drawn once and then frozen: the same for every network that is compared.

    H(t) = K f(t) + h_0,    K_ij ~ N(0, 1/n_f),    h_i ~ N(0, 1)

so that fields of features of order 1 are of order 1. Any two systems of equal seed and number of features n_f, and all
replicas of each, have the same numbers.
"""

import numpy as np
from numpy.typing import NDArray

from encoding.pianoroll import N_KEYS
from encoding.randomness import Purpose, stream


def random_readout(seed: int, n_features: int) -> dict[str, NDArray[np.float64]]:
    """K (54, n_features) and h_0 (54,), a function of the two numbers alone.

    >>> [round(float(part.std()), 1) for part in random_readout(0, 100).values()]
    [0.1, 1.0]
    """
    shared = stream(seed, 0, Purpose.READOUT)
    matrix = shared.standard_normal((N_KEYS, n_features)) / np.sqrt(n_features)
    return {"K": matrix, "h0": shared.standard_normal(N_KEYS)}
