"""How large a deep recurrent network is, and where its weights start."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classical.orthogonal import random_orthogonal
from classical.settings import GROUPS, DeepRNNSettings
from classical.unitary import random_unitary
from encoding import N_KEYS, Purpose, stream
from encoding.layout import Group, lay_out
from encoding.readout import random_readout

DRIVE = 0.1  # variance of J_0 S at the start, summed over the inputs of a chord


def n_parameters(
    depth: float,
    width: float,
    *,
    n_inputs: int = N_KEYS,
    n_features: float | None = None,
    skip: bool = True,
    recurrent: str = "orthogonal",
    learned: Sequence[str] = GROUPS,
) -> float:
    """The number of weights as the paper counts them, each M with w(w-1)/2 for it is orthogonal.

    Where M is unitary, width counts complex units: w^2 for each M, 2 w^2 for each J_l, two rows of J_0 and two columns
    of K for each unit. `learned` names the groups that are counted: ("J", "M") is the core without its readout.

    >>> [round(n_parameters(d, w), -1) for d, w in ((1, 110.21), (2, 64.192), (5, 35.735))]
    [20890.0, 18080.0, 15040.0]
    >>> [n_parameters(1, 8, n_inputs=8, recurrent=kind, learned=("J", "M")) for kind in ("orthogonal", "unitary")]
    [92.0, 192.0]
    """
    of_complex = recurrent == "unitary"
    n_units = 2 * width if of_complex else width
    counts = {
        "J": n_inputs * n_units + (depth - 1) * width**2 * (2 if of_complex else 1),
        "M": depth * (width**2 if of_complex else width * (width - 1) / 2),
        "K": N_KEYS * (n_units if n_features is None else n_features),
        "W": N_KEYS * n_inputs if skip else 0,
        "h0": N_KEYS,
    }
    return float(sum(counts[group] for group in learned))


def groups(
    depth: int, n_units: int, *, n_inputs: int = N_KEYS, n_features: int | None = None, skip: bool = True
) -> dict[str, Group]:
    """The groups of weights in their order: J0.., M0.., K, W (where it is on), h0."""
    n_read = n_units if n_features is None else n_features
    forward = [(f"J{layer}", (n_units, n_units if layer else n_inputs)) for layer in range(depth)]
    recurrent = [(f"M{layer}", (n_units, n_units)) for layer in range(depth)]
    direct = [("W", (N_KEYS, n_inputs))] if skip else []
    return lay_out(dict([*forward, *recurrent, ("K", (N_KEYS, n_read)), *direct, ("h0", (N_KEYS,))]))


def groups_of(settings: DeepRNNSettings) -> dict[str, Group]:
    """The groups of weights of a network with these settings."""
    sizes = {"n_inputs": settings.n_inputs, "n_features": settings.n_features, "skip": settings.skip}
    return groups(settings.depth, settings.n_units, **sizes)


def start(layout: dict[str, Group], settings: DeepRNNSettings, seed: int, replica: int) -> NDArray[np.float64]:
    """The start of one replica; where nothing else is set the published one.

    J_0 is Gaussian, of variance 0.1/54 for a piano roll, of 0.1/(4 n_qubits) for the clock of each voice: the mean
    square of a chord's inputs, summed over them, is 54 and 4 n_qubits, so that J_0 S has the variance 0.1 with both.
    J_l and M_l are orthogonal, or unitary. K = h_0 = 0, or those of `encoding.readout`; W = 0.
    """
    rng, parts = stream(seed, replica, Purpose.START), []
    readout = random_readout(seed, settings.n_read) if settings.readout_start == "random" else {}
    clock = settings.clock
    for name, group in layout.items():
        if name == "J0":
            parts.append(rng.standard_normal(group.shape) * np.sqrt(DRIVE / (clock.power if clock else N_KEYS)))
        elif settings.is_complex(name):
            parts.append(random_unitary(rng, group.shape[0] // 2))
        elif name[0] in "JM":
            parts.append(random_orthogonal(rng, group.shape[0]))
        else:
            parts.append(readout.get(name, np.zeros(group.shape)))
    return np.concatenate([part.ravel() for part in parts])
