"""Layers of a digit classifier, and where their weights start."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classical.digits.settings import DigitSettings
from encoding import Purpose, stream
from encoding.digits import N_DIGITS
from encoding.layout import Group, lay_out


def layer_sizes(settings: DigitSettings, n_pixels: int) -> tuple[int, ...]:
    """N_0 .. N_L: pixels, hidden units, digits."""
    return n_pixels, *settings.hidden, N_DIGITS


def groups_of(settings: DigitSettings, sizes: Sequence[int]) -> dict[str, Group]:
    """J1 .. JL, each (N_(k-1), N_k), then, where there are biases, b1 .. bL."""
    pairs = list(pairwise(sizes))
    shapes: dict[str, tuple[int, ...]] = {f"J{k}": pair for k, pair in enumerate(pairs, 1)}
    if settings.biases:
        shapes |= {f"b{k}": (n,) for k, (_, n) in enumerate(pairs, 1)}
    return lay_out(shapes)


def start(layout: dict[str, Group], settings: DigitSettings, seed: int, replica: int) -> NDArray[np.float32]:
    """The start of one replica: J^(k) normal of variance C/N_(k-1) (He et al. 2015), biases 0."""
    rng, flat = stream(seed, replica, Purpose.START), np.zeros(sum(np.prod(g.shape) for g in layout.values()), "f4")
    for name, group in layout.items():
        if name[0] == "J":
            scale = np.sqrt(settings.variance / group.shape[0])
            flat[group.slice] = scale * rng.standard_normal(group.shape).ravel()
    return flat
