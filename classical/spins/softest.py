"""The softest direction of a system of spins: the vector to the least eigenvalue of I - M = I - beta J + beta^2 D.

With E = 1 + beta^2 D an eigenvalue mu, and v, solve

    (E - mu - beta J) v = 0

For a mu near it, below all E_i, v is found as E_mu^(-1/2) u, E_mu = E - mu, where u belongs to the largest eigenvalue
of beta E_mu^(-1/2) J E_mu^(-1/2), which is 1 if mu is right; v.(I - M) v is the next mu. From above mu falls to the
least eigenvalue, its error squared every time, and spins with strong bonds count no more than others do.

Vectors are found by Lanczos' method, products with the blocks alone. Where bonds go between two sides only, as in a
chain of layers, they are joined of the singular vectors of the block between the sides: half the size, and half the
steps. Coarse ones are looked for in single precision. Small systems are diagonalised, unless their E_i differ too much.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from classical.spins.bonds import Bonds
from classical.spins.lanczos import SMALL, guess, largest
from classical.spins.onsager import linear_tap
from encoding import InputError

Array = NDArray[np.floating]

ROUGH = 1e-2  # relative, of an eigenvalue
DOUBLE = 1e-5  # tolerances below are none of single precision
ROUNDS, NEARLY, NEARER = 30, 0.9, 0.1  # of the search for mu; the most of the least E_i it begins at; of what is left
MILD = 1e4  # of the largest E_i: beyond, rounding takes too much from a whole matrix
EPS = 10 * float(np.finfo(float).eps)


def parabola(bonds: Bonds, v: Array) -> tuple[float, float]:
    """a = v.J v and b = v.D v, |v| = 1: v.(I - M) v = 1 - beta a + beta^2 b."""
    return float(v @ bonds.apply(v)), float(v**2 @ bonds.squares)


def largest_roughly(bonds: Bonds) -> tuple[float, Array]:
    """The largest eigenvalue of J, from above, and nearly its vector."""
    if bonds.n_spins <= SMALL:
        values, vectors = np.linalg.eigh(bonds.dense())
        return float(values[-1]), vectors[:, -1]
    v = _softest(bonds, np.ones(bonds.n_spins), guess(bonds.n_spins), ROUGH)
    return parabola(bonds, v)[0] * (1 + ROUGH), v


def lowest(
    bonds: Bonds, beta: float, tolerance: float, *, start: Array | None = None, shift: float = 0.0
) -> tuple[float, Array]:
    """The least eigenvalue mu of I - M and its vector v.

    |(I - M) v - mu v| is at most the tolerance times the least E_i of spins that have bonds, or as little as rounding
    leaves; the error of mu is that, squared, over its distance from the next eigenvalue.

    Args:
        bonds: of one system.
        beta: 1/T.
        tolerance: see above.
        start: a vector nearby, whose branch is followed where another comes as low: then mu is an eigenvalue, not
            always the least; None: a vector that has a part of everything.
        shift: a value near mu, without a start.

    Raises:
        InputError: it is not found.
    """
    free, stiffest = bonds.squares == 0, 1 + beta**2 * float(bonds.squares.max())
    if bonds.n_spins <= SMALL and stiffest <= MILD:
        values, vectors = np.linalg.eigh(linear_tap(bonds, beta))
        return float(values[0]), vectors[:, 0]
    mu, v = (np.inf, free) if free.all() else _of_bound(bonds, beta, ~free, tolerance, start, shift)
    return (mu, v) if mu <= 1 or not free.any() else (1.0, free / np.sqrt(free.sum()))


def _of_bound(
    bonds: Bonds, beta: float, bound: NDArray[np.bool_], tolerance: float, start: Array | None, shift: float
) -> tuple[float, Array]:
    """The same of the spins that have bonds.

    Another v, of mu' < mu, may have been missed for one that belongs to mu where mu was looked for from s on: then
    (s - mu')/(E' - s) < (s - mu)/(E - s), E and E' those of the spins where they are, so that mu - mu' is less than
    (s - mu) ((max E - s)/(min E - s) - 1).
    """
    v = bound * (guess(bonds.n_spins) if start is None or not start[bound].any() else start)
    v = v / np.linalg.norm(v)
    diagonal = 1 + beta**2 * bonds.squares
    least, stiffest = float(diagonal[bound].min()), float(diagonal.max())
    stiff = np.where(bound, diagonal, least)
    s = min(shift if start is None else float(v @ _product(bonds, beta, diagonal, v)), NEARLY * least)
    for k in range(ROUNDS):
        found = _softest(bonds, stiff - s, v, max(tolerance / 2 ** (k + 1), EPS))
        felt = _product(bonds, beta, diagonal, found)
        mu = float(found @ felt)
        if mu < least:
            missed = abs(s - mu) * ((stiffest - s) / (least - s) - 1)
            error = max(missed, float(np.linalg.norm(felt - mu * found)))
            if error <= tolerance * least or abs(s - mu) <= EPS * least:
                return mu, found
            s, v = mu, v if start is None and missed > tolerance * least else found  # from afar another may come first
        elif least - s <= tolerance * least:  # between them, for v.(E - s - beta J) v >= 0 for all v
            return least, np.eye(1, bonds.n_spins, int(np.argmin(stiff)))[0]
        else:  # strong bonds alone were felt
            s = least - (least - s) * NEARER
    raise InputError(f"the least eigenvalue was not found in {ROUNDS} rounds: are bonds of very different sizes?")


def _product(bonds: Bonds, beta: float, diagonal: Array, v: Array) -> Array:
    """(I - M) v."""
    return diagonal * v - beta * bonds.apply(v)


def _softest(bonds: Bonds, stiff: Array, start: Array, tolerance: float) -> Array:
    """v of length 1 with v.J v as large as v.E v = 1 allows, E `stiff`, all above 0."""
    kind, blocks = (np.float64, bonds.blocks) if tolerance < DOUBLE else (np.float32, bonds.single)
    scale = np.sqrt(stiff.max() / stiff)  # at least 1, so that the eigenvalue is no less than that of J
    weight, first = scale.astype(kind), (start / scale).astype(kind)

    def pushed(u: Array, there: NDArray[np.bool_] | None = None) -> Array:
        """Scaled J of u, (N,); on the layers `there` alone if only others have any."""
        field, felt = np.zeros_like(u), weight * u
        for (a, b), block in blocks.items():
            one, other = bonds.places[a], bonds.places[b]
            if there is None or there[a]:
                field[one] += block @ felt[other]
            if a != b and (there is None or there[b]):
                field[other] += felt[one] @ block
        return weight * field

    if bonds.sides is None:
        found = largest(bonds.n_spins, pushed, first, tolerance=tolerance)[1]
    else:
        found = _joined(bonds.sizes, bonds.sides, pushed, first, tolerance)
    v = scale * found
    return v / np.linalg.norm(v)


def _joined(
    sizes: tuple[int, ...], sides: NDArray[np.bool_], pushed: Callable[..., Array], first: Array, tolerance: float
) -> Array:
    """The vector to the largest eigenvalue of bonds between two sides: singular vectors, each of length 1."""
    own = sides == bool(2 * np.sum(np.array(sizes)[sides]) <= np.sum(sizes))  # layers of the side with fewer spins
    place, whole = np.repeat(own, sizes), np.zeros_like(first)

    def there_and_back(part: Array) -> Array:
        whole[place] = part
        return pushed(pushed(whole, ~own), own)[place]

    whole[place] = largest(int(place.sum()), there_and_back, first[place], tolerance=tolerance)[1]
    other = pushed(whole, ~own).astype(np.float64)
    return whole + other / np.linalg.norm(other)
