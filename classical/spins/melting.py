"""Where the spins of a network melt: the first temperature, from above, at which the paramagnet is not stable.

    I - M = I - beta J + beta^2 D,    D = diag(sum_j J_ij^2)                     (Barney, Winer & Galitski 2024, (23))

has a positive least eigenvalue above T_c, which vanishes there. For any vector v the parabola

    p_v(beta) = v.(I - M) v = 1 - beta a + beta^2 b,    a = v.J v,    b = v.D v,    |v| = 1

lies above that eigenvalue, so its first root lies beyond beta_c, and beta_c is the least of all first roots. The
eigenvector at one beta gives a parabola, whose root is the next beta: beta falls towards beta_c, the error squared
every time. Where no parabola has a root, nothing melts; then the lowest point of each leads to the next, down to the
minimum of the eigenvalue, which is where the paper reads T_c off before training, for there a zero is only touched.

Vectors are found by Lanczos' method, products with the blocks alone. Where bonds go between two sides only, as in a
chain of layers, the singular vectors of E^(-1/2) B E^(-1/2), B from one side to the other, E = 1 + beta^2 D, are asked
for instead: half the size, and half the steps. Small systems are diagonalised, all of a stack at once.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classical.spins.bonds import Bonds, checked_bonds, one_system
from classical.spins.lanczos import SMALL, guess, largest
from classical.spins.onsager import KINDS, linear_tap
from encoding import InputError
from encoding.errors import shown
from encoding.given import number

Array = NDArray[np.floating]

CLOSE = 1e-10  # relative, of two betas that follow each other
TOUCH = 1e-6  # the same at a minimum, near which an eigenvalue does not tell more
STEPS = 200
ROUGH, COARSE, FINE = 1e-2, 1e-6, 1e-12  # relative, of an eigenvalue
WIDE = 1e-3  # a step, over beta, above which a coarse vector does


class Melting(NamedTuple):
    """Where systems melt, each array (...) like the bonds.

    Attributes:
        temperature: T_c; where nothing melts, the T of the lowest eigenvalue.
        least: the least eigenvalue of I - M there: 0 where it melts, else the minimum over T.
        melts: whether the eigenvalue comes to zero.
        mode: its eigenvector, (..., N), of length 1; its sign is that of its largest entry, positive.
    """

    temperature: Array
    least: Array
    melts: NDArray[np.bool_]
    mode: Array

    def __repr__(self) -> str:
        """Temperatures, and how many systems melt."""
        shown_t = np.array2string(np.asarray(self.temperature), precision=6, threshold=6)
        return f"<Melting: T = {shown_t}, {int(np.sum(self.melts))} of {np.size(self.melts)} melt>"


def melting_temperature(bonds: Bonds) -> Melting:
    """The melting temperature of each system, by the SK Onsager term.

    Args:
        bonds: of one system, or of many.

    Raises:
        InputError: no bonds, or bonds that are all zero.

    >>> from classical.spins import chain
    >>> bool(melting_temperature(chain([[[3.0]]])).melts)  # 1 - 3 beta + 9 beta^2 > 0
    False
    """
    if not checked_bonds(bonds).squares.any(-1).all():
        raise InputError("a system whose bonds are all 0 is a paramagnet at every temperature: nothing melts")
    if bonds.n_spins <= SMALL:
        return _of_small(bonds)
    found, start = [], None
    for which in np.ndindex(bonds.shape):
        found.append(_of_large(bonds.one(which), start))
        start = found[-1][3]  # look after look, a run changes little
    parts = [np.reshape(np.array(part), (*bonds.shape, *np.shape(part[0]))) for part in zip(*found, strict=True)]
    return Melting(*parts)


def least_eigenvalue(bonds: Bonds, beta: float, *, onsager: str = "sk") -> float:
    """The least eigenvalue of I - M of one system.

    Args:
        bonds: of one system.
        beta: 1/T.
        onsager: `"sk"`, or `"rotational"` (dense matrices).

    Raises:
        InputError: see `classical.spins.onsager`.
    """
    bonds, beta = one_system(bonds), number("beta", beta, least=0)
    if onsager not in KINDS:
        raise InputError(f"an Onsager term is one of {', '.join(KINDS)}; got {shown(onsager)}")
    if onsager == "rotational" or bonds.n_spins <= SMALL:
        return float(np.linalg.eigvalsh(linear_tap(bonds, beta, kind=onsager))[0])
    return _lowest(bonds, beta, None)[0]


def _next(a: Array, b: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The first root of 1 - beta a + beta^2 b where there is one, else its lowest point; and whether."""
    inside = a**2 - 4 * b
    root = 2 / (a + np.sqrt(np.maximum(inside, 0)))
    return np.where(inside >= 0, root, a / (2 * b)), inside >= 0


# Small systems: whole matrices, all at once


def _of_small(bonds: Bonds) -> Melting:
    """All of a stack; each is left alone once it is found, so that who stands beside it changes nothing."""
    n = bonds.n_spins
    j, d = bonds.dense().reshape(-1, n, n), bonds.squares.reshape(-1, n)
    beta = 1 / np.linalg.eigvalsh(j)[:, -1]  # I - M is positive there: beta J is below 1
    least, melts, mode = np.zeros(len(j)), np.zeros(len(j), bool), np.zeros((len(j), n))
    going = np.arange(len(j))
    for _ in range(STEPS):
        diagonal = 1 + beta[going, None] ** 2 * d[going]
        values, vectors = np.linalg.eigh(np.eye(n) * diagonal[:, None, :] - beta[going, None, None] * j[going])
        v = vectors[..., 0]
        new, rooted = _next(np.vecdot(v, np.matvec(j[going], v)), np.vecdot(v**2, d[going]))
        least[going], melts[going], mode[going] = np.where(rooted, 0.0, values[:, 0]), rooted, v
        still = np.abs(new - beta[going]) > CLOSE * beta[going]
        beta[going] = new
        going = going[still]
        if not len(going):
            break
    shape = bonds.shape
    return Melting(
        (1 / beta).reshape(shape), least.reshape(shape), melts.reshape(shape), _signed(mode).reshape(*shape, n)
    )


def _signed(v: Array) -> Array:
    first = np.take_along_axis(v, np.abs(v).argmax(-1)[..., None], -1)
    return v * np.sign(first)


# Large ones: one after the other, by products with the blocks


def _of_large(bonds: Bonds, start: Array | None) -> tuple[Array, Array, NDArray[np.bool_], Array]:
    d = bonds.squares
    v = _top(bonds, start)
    beta, rooted = _first(bonds, d, v)
    tolerance = ROUGH
    for _ in range(STEPS):
        v = _softest(bonds, beta, v, tolerance) if bonds.sides is not None else _lowest(bonds, beta, v, tolerance)[1]
        new, now = _first(bonds, d, v)
        if rooted and not now and tolerance <= FINE:  # a root cannot be lost but by rounding, at a touch
            break
        before, beta, rooted = beta, new, now
        change = abs(beta - before) / beta
        if change <= CLOSE and tolerance <= FINE:
            break
        tolerance = float(np.clip(change**2 / 10, FINE, ROUGH))  # no vector needs to be better than its beta
    if rooted:
        return np.array(1 / beta), np.array(0.0), np.array(True), _signed(v)
    least, beta, v = _bottom(bonds, d, beta, v)
    return np.array(1 / beta), np.array(least), np.array(False), _signed(v)


def _first(bonds: Bonds, d: Array, v: Array) -> tuple[float, bool]:
    beta, rooted = _next(v @ bonds.apply(v), v**2 @ d)
    return float(beta), bool(rooted)


def _bottom(bonds: Bonds, d: Array, beta: float, v: Array) -> tuple[float, float, Array]:
    """The minimum of the least eigenvalue over beta: the zero of its slope 2 beta b - a, by secants.

    A secant that does not fall towards a minimum gives way to the lowest point of the parabola, which always does.
    """
    before, slope_before, tolerance = np.nan, np.nan, COARSE
    for _ in range(STEPS):
        value, v = _lowest(bonds, beta, v, tolerance)
        a, b = v @ bonds.apply(v), v**2 @ d
        slope = 2 * beta * b - a
        rise = (slope - slope_before) / (beta - before)
        step = -slope / (rise if rise > 0 else 2 * b)
        if abs(step) <= TOUCH * beta and tolerance <= FINE:
            break
        before, slope_before, beta = beta, slope, float(beta + np.clip(step, -beta / 2, beta / 2))
        tolerance = FINE if abs(step) < WIDE * beta else COARSE
    return value, beta, v


def _top(bonds: Bonds, start: Array | None) -> Array:
    """The eigenvector of the largest eigenvalue of J, roughly: where the search begins."""
    first = guess(bonds.n_spins) if start is None else start
    return largest(bonds.n_spins, bonds.apply, first, tolerance=ROUGH)[1]


def _lowest(bonds: Bonds, beta: float, start: Array | None, tolerance: float = FINE) -> tuple[float, Array]:
    """The least eigenvalue of I - M and its vector; the tolerance is relative to the largest entry of I - M."""
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
