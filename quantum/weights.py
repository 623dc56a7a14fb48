"""How large a quantum recurrent network is, and where its weights start.

Groups in their order: R0, J0, R1, J1, ... the rotations and couplings of each layer (and R of closing rotations), all
with period 2 pi, for a turn by 2 pi changes a state by a sign at most; then K, W, h0 of the readout.
"""

import numpy as np
from numpy.typing import NDArray

from encoding import N_KEYS, Purpose, stream
from encoding.layout import Group, lay_out
from encoding.readout import random_readout
from quantum.ladder import ROTATIONS
from quantum.settings import QuantumRNNSettings

PERIOD = 2 * np.pi


def groups(settings: QuantumRNNSettings) -> dict[str, Group]:
    """The groups of weights, in their order."""
    ladder = settings.block.ladder
    turns, shapes = (ladder.n_qubits, len(ROTATIONS[ladder.rotations])), {}
    for layer in range(ladder.n_layers):
        shapes |= {f"R{layer}": turns, f"J{layer}": (len(ladder.edges),)}
    shapes |= {f"R{ladder.n_layers}": turns} if ladder.closing else {}
    angles = list(shapes)
    shapes |= {"K": (N_KEYS, settings.n_features)}
    shapes |= {"W": (N_KEYS, N_KEYS)} if settings.skip else {}
    shapes |= {"h0": (N_KEYS,)}
    return lay_out(shapes, dict.fromkeys(angles, PERIOD))


def part_of_group(group: str) -> str:
    """The part that a group belongs to: angles, K, W or h0."""
    return group if group in ("K", "W", "h0") else "angles"


def start(settings: QuantumRNNSettings, layout: dict[str, Group], seed: int, replica: int) -> NDArray[np.float64]:
    """Angles uniform on the circle, other ones for each replica; K and h_0 zero, or random and the same for all.

    Random ones are those of `encoding.readout`; W starts at 0.
    """
    rng, shared, parts = stream(seed, replica, Purpose.START), random_readout(seed, settings.n_features), []
    for name, group in layout.items():
        if part_of_group(name) == "angles":
            parts.append(rng.uniform(-np.pi, np.pi, group.shape))
        elif name != "W" and settings.readout_start == "random":
            parts.append(shared[name])
        else:
            parts.append(np.zeros(group.shape))
    return np.concatenate([part.ravel() for part in parts])
