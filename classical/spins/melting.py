"""Where the spins of a network melt: the first temperature, from above, at which the paramagnet is not stable.

    I - M = I - beta J + beta^2 D,    D = diag(sum_j J_ij^2)                     (Barney, Winer & Galitski 2024, (23))

has a positive least eigenvalue above T_c, which vanishes there. For any vector v the parabola

    p_v(beta) = v.(I - M) v = 1 - beta a + beta^2 b,    a = v.J v,    b = v.D v,    |v| = 1

lies above that eigenvalue, so its first root lies beyond beta_c, and beta_c is the least of all first roots. The
eigenvector at one beta gives a parabola, whose root is the next beta: beta falls towards beta_c, the error squared
every time. Where nothing melts, slopes 2 beta b - a lead down to the minimum of the eigenvalue, which is where the
paper reads T_c off before training, for there a zero is only touched.

Both are local, so the eigenvalue is looked at on a grid first, ten betas a decade from 1/lambda_max(J), where it is
still positive, to the first that is negative or to where it can fall no more, and where none is negative also
downwards: for all v, p_v(t beta) = 1 - t + t p_v(beta) + t (t - 1) beta^2 b, min D <= b <= max D. From every dip of
the grid, from its last point if another vector is the softest there, and from the first of all roots of its vectors one
goes down, and the least is taken, if nothing is found below it in the end. What happens between two points of the grid
without a dip, or below a millionth of lambda_max(J), is not seen.

The term beta^2 D is meant for many weak bonds at each spin. Where there are at most z of them,

    v.(I - M) v >= sum_bonds (1/z + x^2)(v_i^2 + v_j^2) - 2 x v_i v_j >= sum_bonds (1/z + x^2 - |x|)(v_i^2 + v_j^2)

x = beta J_ij, and x^2 - |x| >= -1/4: with z <= 3 these equations know no melting, whatever the bonds, and with z = 4
they touch it where all are equal, at T = 2 J. Of spins with few bonds that says little: the square lattice orders at
T = 2.27 J.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classical.spins.bonds import Bonds, checked_beta, checked_bonds, one_system
from classical.spins.onsager import KINDS, linear_tap
from classical.spins.softest import largest_roughly, lowest, parabola
from classical.spins.span import Span
from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.floating]

PER_DECADE, REACH = 10, 1e6  # betas of the grid, and its last over its first
CLOSE = 1e-10  # relative, of two betas that follow each other
TOUCHES = 1e-13  # relative, of a^2 - 4 b: to rounding 0
TOUCH = 1e-6  # the same at a minimum, near which an eigenvalue does not tell more
EPS = 10 * float(np.finfo(float).eps)
STEPS = 200
NONE = 1e-30  # of the largest bond: at no beta of the grid more than rounding
COARSE, FINE = 1e-4, 1e-9  # residual of an eigenvector, over the least E_i; the eigenvalue's is squared
SIGN = 3e-3  # the same, on the grid
SAME, ROUNDING = 1e-9, 1e-14  # of two minima, and of two values of an eigenvalue
WIDE = 1e-3  # a step, over beta, above which a coarse vector does
ALIKE = 0.9  # |v.v'| of two points of the grid: one direction, which goes on
UNSETTLED = f"the melting temperature was not found within {STEPS} steps: are bonds of very different sizes?"


class Melting(NamedTuple):
    """Where systems melt, each array (...) like the bonds.

    Attributes:
        temperature: T_c; where nothing melts, the T of the lowest eigenvalue.
        least: the least eigenvalue of I - M there: 0 where it melts, else the minimum over T.
        melts: whether the eigenvalue comes to zero, above a millionth of lambda_max(J).
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
        InputError: no bonds, bonds that are all zero, or no temperature found in as many steps as there are.

    >>> from classical.spins import chain
    >>> bool(melting_temperature(chain([[[3.0]]])).melts)  # 1 - 3 beta + 9 beta^2 > 0
    False
    """
    largest_bond = checked_bonds(bonds).largest
    if not largest_bond.all():
        raise InputError("a system whose bonds are all 0 is a paramagnet at every temperature: nothing melts")
    unit = np.exp2(np.floor(np.log2(largest_bond)))  # a power of two, in which squares neither overflow nor vanish
    found = [_of_one(bonds.one(which).over(float(unit[which]), least=NONE)) for which in np.ndindex(bonds.shape)]
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
    bonds = one_system(bonds)
    beta = checked_beta(bonds, beta)
    if onsager not in KINDS:
        raise InputError(f"an Onsager term is one of {', '.join(KINDS)}; got {shown(onsager)}")
    if onsager == "rotational":
        return float(np.linalg.eigvalsh(linear_tap(bonds, beta, kind=onsager))[0])
    return lowest(bonds, beta, FINE)[0]


def _signed(v: Array) -> Array:
    return v * np.sign(v[np.abs(v).argmax()])


def _of_one(bonds: Bonds) -> Found:
    """The first zero; else the lowest minimum, of those as low that at the highest temperature."""
    betas, values, vectors, known = _grid(bonds)
    n, stiffest = len(values) - (values[-1] < 0), float(bonds.squares.max())
    rounding = [EPS * beta**2 * stiffest for beta in betas]
    felt = [value < 1 - error for value, error in zip(values, rounding, strict=True)]  # by spins that are not free
    dips = [place for place in range(n) if felt[place] and _dips(values, vectors, place)]
    found = [_bottom(bonds, betas[place], known) for place in dips]
    roots = [(root, v) for v in vectors if (root := _first_root(bonds, v)) is not None]
    if roots:
        found.append(_zero(bonds, *min(roots, key=lambda each: each[0])))
    for _ in range(STEPS):
        best = _first(found)
        value, v = lowest(bonds, best.beta, SIGN, shift=best.least)
        if value >= best.least - 2 * SIGN:
            return best
        found.append(
            _zero(bonds, best.beta, v) if _first_root(bonds, v) is not None else _bottom(bonds, best.beta, known)
        )
    raise InputError(UNSETTLED)


def _first(found: list[Found]) -> Found:
    """The first zero; else the lowest minimum, of those as low that at the highest temperature."""
    zeros = [each for each in found if each.melts]
    least = min(each.least for each in found)
    return min(zeros or (each for each in found if each.least <= least + SAME), key=lambda each: each.beta)


def _dips(values: list[float], vectors: list[Array], place: int) -> bool:
    """Whether a point of the grid is no higher than its neighbours, or the next one, negative, is so by another vector.

    Of the first point and of the last only one neighbour counts.
    """
    if place + 1 < len(values) and values[place + 1] < 0:
        return abs(float(vectors[place] @ vectors[place + 1])) < ALIKE
    return values[place] <= min(values[max(place - 1, 0)], values[min(place + 1, len(values) - 1)])


def _grid(bonds: Bonds) -> tuple[list[float], list[float], list[Array], Span]:
    """Betas up to the first at which the least eigenvalue is negative, the eigenvalues, their vectors and their span.

    Where it can be no less than what was found, further up or down, it ends.
    """
    n = round(PER_DECADE * np.log10(REACH)) + 1
    (top, v), squares = largest_roughly(bonds), bonds.squares[bonds.squares > 0]
    softest, stiffest = float(squares.min()), float(squares.max())
    betas, values, vectors, known = [], [], [], Span(bonds, v)

    def unsure(beta: float) -> float:
        """What a value may be too high, if its vector is the softest."""
        return 2 * SIGN * (1 + beta**2 * softest)

    for beta in np.geomspace(1, REACH, n) / top:
        if values and _least_above(betas[-1], values[-1] - unsure(betas[-1]), softest) > min(values):
            break
        value, v = lowest(bonds, float(beta), SIGN, shift=known.least(float(beta)))
        known.add(v)
        betas.append(float(beta))
        values.append(value)
        vectors.append(v)
        if value < 0:
            return betas, values, vectors, known
    finer = 10 ** (1 / PER_DECADE)
    while betas[0] * REACH * top > 1:
        if max(1 - betas[0] * top, _least_below(betas[0], values[0] - unsure(betas[0]), stiffest)) >= min(values):
            break
        value, v = lowest(bonds, betas[0] / finer, SIGN, shift=known.least(betas[0] / finer))
        known.add(v)
        betas, values, vectors = [betas[0] / finer, *betas], [value, *values], [v, *vectors]
    return betas, values, vectors, known


def _least_above(beta: float, value: float, softest: float) -> float:
    """What the least eigenvalue is not below at t beta, t >= 1, given its value at beta and the least D.

    p_v(t beta) = 1 - t + t p_v(beta) + t (t - 1) beta^2 b for every v, and b >= min D.
    """
    stiff = beta**2 * softest
    t = max(1.0, (1 + stiff - value) / (2 * stiff))
    return t * value + (t - 1) * (t * stiff - 1)


def _least_below(beta: float, value: float, stiffest: float) -> float:
    """The same at t beta, t <= 1, where b <= max D."""
    stiff = beta**2 * stiffest
    t = min(1.0, max(0.0, (1 + stiff - value) / (2 * stiff)))
    return 1 - t + t * value - t * (1 - t) * stiff


def _zero(bonds: Bonds, beta: float, v: Array) -> Found:
    """Down to a zero of the least eigenvalue, from a vector whose parabola is negative somewhere."""
    beta, tolerance, before = _first_root(bonds, v) or beta, COARSE, np.inf
    for _ in range(STEPS):
        _, v = lowest(bonds, beta, tolerance, start=v)
        root = _first_root(bonds, v)
        if root is None:  # a root cannot be lost but by rounding, at a touch
            break
        change, beta = abs(root - beta) / root, root
        if tolerance <= FINE and (change <= CLOSE or before <= change <= TOUCH):  # near a touch rounding moves it
            break
        before = change
        tolerance = float(np.clip(change**2 / 10, FINE, COARSE))  # no vector needs to be better than its beta
    else:
        raise InputError(UNSETTLED)
    return Found(beta, 0.0, True, v)


def _bottom(bonds: Bonds, beta: float, known: Span) -> Found:
    """The minimum of the least eigenvalue near `beta`: where its slope 2 beta b - a is 0.

    Vectors found so far span directions among which the minimum is told by small matrices, as near as they come to the
    true vector; that at this beta joins them. If a parabola on the way has a root, there is a zero, and that is found.
    """
    tolerance, last = COARSE, np.inf
    beta, v = known.lowest_near(beta)
    for _ in range(STEPS):
        value, v = lowest(bonds, beta, tolerance, start=v)
        if _first_root(bonds, v) is not None:
            return _zero(bonds, beta, v)
        known.add(v)
        following, v = known.lowest_near(beta)
        flat = abs(following - beta) <= TOUCH * beta or abs(value - last) <= ROUNDING
        if flat and tolerance <= FINE:
            return Found(beta, value, False, v)
        last, tolerance = value, FINE if abs(following - beta) < WIDE * beta else COARSE
        beta = following
    raise InputError(UNSETTLED)


def _first_root(bonds: Bonds, v: Array) -> float | None:
    """The first root of 1 - beta a + beta^2 b, where there is one above 0; one that is touched to rounding counts."""
    a, b = parabola(bonds, v)
    inside = a**2 - 4 * b
    if a <= 0 or inside < -TOUCHES * a**2:
        return None
    return 2 / (a + float(np.sqrt(max(inside, 0.0))))
