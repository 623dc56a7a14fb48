"""The softest directions of a system of spins: vectors to the least eigenvalue of I - M = I - beta J + beta^2 D.

Vectors are found by Lanczos' method, products with the blocks alone. Where bonds go between two sides only, as in a
chain of layers, the singular vectors of E^(-1/2) B E^(-1/2), B from one side to the other, E = 1 + beta^2 D, are asked
for instead: half the size, and half the steps. Small systems are diagonalised.
"""

import numpy as np
from numpy.typing import NDArray

from classical.spins.bonds import Bonds
from classical.spins.lanczos import SMALL, guess, largest
from classical.spins.onsager import linear_tap

Array = NDArray[np.floating]

ROUGH = 1e-2  # relative, of an eigenvalue


def parabola(bonds: Bonds, v: Array) -> tuple[float, float]:
    """a = v.J v and b = v.D v, |v| = 1: v.(I - M) v = 1 - beta a + beta^2 b."""
    return float(v @ bonds.apply(v)), float(v**2 @ bonds.squares)


def soft(bonds: Bonds, beta: float, start: Array | None, tolerance: float) -> tuple[float, Array]:
    """A vector of length 1 that is the softest at `beta`, and v.(I - M) v: negative where the least eigenvalue is."""
    if bonds.n_spins <= SMALL or bonds.sides is None:
        return lowest(bonds, beta, start, tolerance)
    v = _softest(bonds, beta, guess(bonds.n_spins) if start is None else start, tolerance)
    a, b = parabola(bonds, v)
    return 1 - beta * a + beta**2 * b, v


def largest_roughly(bonds: Bonds) -> float:
    """The largest eigenvalue of J, from above."""
    if bonds.n_spins <= SMALL:
        return float(np.linalg.eigvalsh(bonds.dense())[-1])
    return largest(bonds.n_spins, bonds.apply, guess(bonds.n_spins), tolerance=ROUGH)[0] * (1 + ROUGH)


def lowest(bonds: Bonds, beta: float, start: Array | None, tolerance: float) -> tuple[float, Array]:
    """The least eigenvalue of I - M and its vector; the tolerance is relative to the largest entry of I - M."""
    if bonds.n_spins <= SMALL:
        values, vectors = np.linalg.eigh(linear_tap(bonds, beta))
        return float(values[0]), vectors[:, 0]
    diagonal = 1 + beta**2 * bonds.squares
    above = float(diagonal.max())  # so that what is asked for is not near 0, where no relative error is small

    def product(v: Array) -> Array:
        return beta * bonds.apply(v) + (above - diagonal) * v

    first = guess(bonds.n_spins) if start is None else start
    value, vector = largest(bonds.n_spins, product, first, tolerance=tolerance)
    return above - value, vector


def _softest(bonds: Bonds, beta: float, start: Array, tolerance: float) -> Array:
    """v with (E - beta J) v as close to 0 as v.E v = 1 allows, E = 1 + beta^2 D, of bonds between two sides.

    With u = E^(1/2) v it is the pair of singular vectors to the largest singular value of E^(-1/2) B E^(-1/2).
    """
    assert bonds.sides is not None
    scale = 1 / np.sqrt(1 + beta**2 * bonds.squares)
    smaller = bool(2 * np.sum(np.array(bonds.sizes)[bonds.sides]) <= bonds.n_spins)
    own = bonds.sides == smaller  # layers of the side with fewer spins

    def across(u: Array, there: NDArray[np.bool_]) -> Array:
        """J between the sides, scaled, of what stands on the side that is not `there`; what is there stays zero."""
        return scale * _half(bonds, scale * u, there)

    place = np.repeat(own, bonds.sizes)
    whole = np.zeros(len(place))

    def there_and_back(part: Array) -> Array:
        whole[place] = part
        return across(across(whole, ~own), own)[place]

    whole[place] = largest(int(place.sum()), there_and_back, (start / scale)[place], tolerance=tolerance)[1]
    other = across(whole, ~own)
    v = scale * (whole + other / np.linalg.norm(other))
    return v / np.linalg.norm(v)


def _half(bonds: Bonds, u: Array, there: NDArray[np.bool_]) -> Array:
    """J u on the layers `there`, where u is zero: each block is gone through once."""
    field = np.zeros(len(u))
    for (a, b), block in bonds.blocks.items():
        if there[a]:
            field[bonds.places[a]] += block @ u[bonds.places[b]]
        else:
            field[bonds.places[b]] += u[bonds.places[a]] @ block
    return field
