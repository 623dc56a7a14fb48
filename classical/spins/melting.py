"""Where the spins of a network melt: the first temperature, from above, at which the paramagnet is not stable.

    I - M = I - beta J + beta^2 D,    D = diag(sum_j J_ij^2)                     (Barney, Winer & Galitski 2024, (23))

has a positive least eigenvalue above T_c, which vanishes there. For any vector v the parabola

    p_v(beta) = v.(I - M) v = 1 - beta a + beta^2 b,    a = v.J v,    b = v.D v,    |v| = 1

lies above that eigenvalue, so its first root lies beyond beta_c, and beta_c is the least of all first roots. The
eigenvector at one beta gives a parabola, whose root is the next beta: beta falls towards beta_c, the error squared
every time. Where nothing melts, slopes 2 beta b - a lead down to the minimum of the eigenvalue, which is where the
paper reads T_c off before training, for there a zero is only touched.

Both are local, so the eigenvalue is looked at on a grid first, ten betas a decade from 1/lambda_max(J), where it is
still positive, to a hundred times that: from the first that is negative the roots go down, else from every dip of the
grid. What happens between two points of the grid without a dip, or below a hundredth of lambda_max(J), is not seen.

Vectors are found by Lanczos' method, products with the blocks alone. Where bonds go between two sides only, as in a
chain of layers, the singular vectors of E^(-1/2) B E^(-1/2), B from one side to the other, E = 1 + beta^2 D, are asked
for instead: half the size, and half the steps. Small systems are diagonalised.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classical.spins.bonds import MOST_BETA, Bonds, checked_bonds, one_system
from classical.spins.lanczos import SMALL, guess, largest
from classical.spins.onsager import KINDS, linear_tap
from encoding import InputError
from encoding.errors import shown
from encoding.given import number

Array = NDArray[np.floating]

PER_DECADE, REACH = 10, 100.0  # betas of the grid, and its last over its first
CLOSE = 1e-10  # relative, of two betas that follow each other
TOUCH = 1e-6  # the same at a minimum, near which an eigenvalue does not tell more
STEPS = 200
ROUGH, COARSE, FINE = 1e-2, 1e-6, 1e-12  # relative, of an eigenvalue
SIGN = 1e-4  # the same, where its sign is asked for
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


class Found(NamedTuple):
    """One zero, or one minimum, of the least eigenvalue: beta, its value, whether it is a zero, the vector."""

    beta: float
    least: float
    melts: bool
    mode: Array


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
    largest_bond = checked_bonds(bonds).largest
    if not largest_bond.all():
        raise InputError("a system whose bonds are all 0 is a paramagnet at every temperature: nothing melts")
    unit = np.exp2(np.floor(np.log2(largest_bond)))  # a power of two, in which squares neither overflow nor vanish
    found = [_of_one(bonds.one(which).over(float(unit[which]))) for which in np.ndindex(bonds.shape)]
    temperature = np.array([1 / each.beta for each in found]).reshape(bonds.shape) * unit
    least, melts = (np.array(part).reshape(bonds.shape) for part in list(zip(*found, strict=True))[1:3])
    mode = np.array([_signed(each.mode) for each in found]).reshape(*bonds.shape, bonds.n_spins)
    return Melting(temperature, least, melts, mode)


def least_eigenvalue(bonds: Bonds, beta: float, *, onsager: str = "sk") -> float:
    """The least eigenvalue of I - M of one system.

    Args:
        bonds: of one system.
        beta: 1/T.
        onsager: `"sk"`, or `"rotational"` (dense matrices).

    Raises:
        InputError: see `classical.spins.onsager`.
    """
    bonds, beta = one_system(bonds), number("beta", beta, least=0, most=MOST_BETA)
    if onsager not in KINDS:
        raise InputError(f"an Onsager term is one of {', '.join(KINDS)}; got {shown(onsager)}")
    if onsager == "rotational" or bonds.n_spins <= SMALL:
        return float(np.linalg.eigvalsh(linear_tap(bonds, beta, kind=onsager))[0])
    return _lowest(bonds, beta, None, FINE)[0]


def _signed(v: Array) -> Array:
    return v * np.sign(v[np.abs(v).argmax()])


def _of_one(bonds: Bonds) -> Found:
    """The first zero; else the lowest minimum."""
    betas, values, vectors = _grid(bonds)
    negative = [place for place, value in enumerate(values) if value < 0]
    if negative:
        return _zero(bonds, betas[negative[0]], vectors[negative[0]])
    dips = [
        place
        for place, value in enumerate(values)
        if value <= min(values[max(place - 1, 0)], values[min(place + 1, len(values) - 1)])
    ]
    found = [_bottom(bonds, betas[place], vectors[place]) for place in dips]
    hidden = [each for each in found if each.melts]
    return min(hidden, key=lambda each: each.beta) if hidden else min(found, key=lambda each: each.least)


def _grid(bonds: Bonds) -> tuple[list[float], list[float], list[Array]]:
    """Betas up to the first at which the least eigenvalue is negative, the eigenvalues, and their vectors."""
    n = round(PER_DECADE * np.log10(REACH)) + 1
    first = 1 / _top(bonds)
    betas, values, vectors = [], [], []
    v: Array | None = None
    for beta in first * np.geomspace(1, REACH, n):
        value, v = _soft(bonds, float(beta), v, SIGN)
        betas.append(float(beta))
        values.append(value)
        vectors.append(v)
        if value < 0:
            break
    return betas, values, vectors


def _zero(bonds: Bonds, beta: float, v: Array) -> Found:
    """Down to a zero of the least eigenvalue, from a vector whose parabola is negative somewhere."""
    beta, tolerance = _first_root(bonds, v) or beta, COARSE
    for _ in range(STEPS):
        _, v = _soft(bonds, beta, v, tolerance)
        root = _first_root(bonds, v)
        if root is None:  # a root cannot be lost but by rounding, at a touch
            break
        change, beta = abs(root - beta) / root, root
        if change <= CLOSE and tolerance <= FINE:
            break
        tolerance = float(np.clip(change**2 / 10, FINE, COARSE))  # no vector needs to be better than its beta
    return Found(beta, 0.0, True, v)


def _bottom(bonds: Bonds, beta: float, v: Array) -> Found:
    """The minimum of the least eigenvalue near `beta`: the zero of its slope 2 beta b - a, by secants.

    A secant that does not fall towards a minimum gives way to the lowest point of the parabola, which always does. If a
    parabola on the way has a root, there is a zero, and that is found.
    """
    before, slope_before, tolerance, value = 0.0, 0.0, COARSE, np.inf
    for _ in range(STEPS):
        value, v = _lowest(bonds, beta, v, tolerance)
        if _first_root(bonds, v) is not None:
            return _zero(bonds, beta, v)
        a, b = _parabola(bonds, v)
        slope = 2 * beta * b - a
        rise = (slope - slope_before) / (beta - before) if before and beta != before else 0.0
        step = -slope / rise if rise > 0 else -slope / (2 * b) if b > 0 else 0.0
        if abs(step) <= TOUCH * beta and tolerance <= FINE:
            break
        before, slope_before, beta = beta, slope, float(beta + np.clip(step, -beta / 2, beta / 2))
        tolerance = FINE if abs(step) < WIDE * beta else COARSE
    return Found(beta, value, False, v)


def _parabola(bonds: Bonds, v: Array) -> tuple[float, float]:
    """a and b of p_v."""
    return float(v @ bonds.apply(v)), float(v**2 @ bonds.squares)


def _first_root(bonds: Bonds, v: Array) -> float | None:
    """The first root of 1 - beta a + beta^2 b, where there is one above 0."""
    a, b = _parabola(bonds, v)
    inside = a**2 - 4 * b
    return 2 / (a + float(np.sqrt(inside))) if inside >= 0 and a > 0 else None


def _soft(bonds: Bonds, beta: float, start: Array | None, tolerance: float) -> tuple[float, Array]:
    """A vector of length 1 that is the softest at `beta`, and v.(I - M) v: negative where the least eigenvalue is."""
    if bonds.n_spins <= SMALL or bonds.sides is None:
        return _lowest(bonds, beta, start, tolerance)
    v = _softest(bonds, beta, guess(bonds.n_spins) if start is None else start, tolerance)
    a, b = _parabola(bonds, v)
    return 1 - beta * a + beta**2 * b, v


def _top(bonds: Bonds) -> float:
    """The largest eigenvalue of J, from above."""
    if bonds.n_spins <= SMALL:
        return float(np.linalg.eigvalsh(bonds.dense())[-1])
    return largest(bonds.n_spins, bonds.apply, guess(bonds.n_spins), tolerance=ROUGH)[0] * (1 + ROUGH)


def _lowest(bonds: Bonds, beta: float, start: Array | None, tolerance: float) -> tuple[float, Array]:
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
