"""States within states: Parisi's q(x) in each layer of a deep perceptron, x the share of pairs that are less alike."""

import numpy as np
from numpy.typing import NDArray

from classical.perceptron import Profile, replica_symmetry_breaking
from experiments.figures.picture import Panel, Picture

SHOWN = ((20.0, 6, 10), (50.0, 8, 10), (4000.0, 20, 5))  # alpha, L, k
LEAST = 1e-3  # of an overlap that is shown
MOST = 10  # layers in a panel


def glass_states(name: str = "perceptron-states") -> Picture:
    """q(x, l) of all layers that are frozen, near the first transitions and far beyond them."""
    picture = Picture(name, {})
    for alpha, depth, k in SHOWN:
        panel = f"{alpha:g}"
        picture.panels[panel] = Panel(f"α = {alpha:g}, L = {depth}, k = {k}", "x", "q(x)", zero=True)
        found = replica_symmetry_breaking(alpha, depth, k, tolerance=1e-6)
        for layer in _frozen(found):
            picture.add(panel, f"l = {layer}", *stairs(found, layer))
    picture.note("k steps at x = (i - 1/2)/k. Layers l and L - l are alike. A jump to q = 1: states of frozen spins.")
    return picture


def stairs(profile: Profile, layer: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and q(x) of a layer, both ends of each step, (2k + 2,) each."""
    edges = np.concatenate([[0.0], profile.m, [1.0]])
    return np.repeat(edges, 2)[1:-1], np.repeat(profile.q[layer], 2)


def _frozen(profile: Profile) -> list[int]:
    """Layers of the first half, no more than can be told apart."""
    half = range(1, profile.depth // 2 + 1)
    return [layer for layer in half if profile.q_ea[layer] > LEAST][:MOST]
