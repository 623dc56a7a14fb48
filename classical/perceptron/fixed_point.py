"""Self-consistent equations x = F(x), solved by iterating, and what is said where that does not end.

Plain iteration converges as slowly as the order parameters relax, and at a transition not at all. Anderson's mixing
takes the combination of the last few x that would solve the equations if they were linear,

    x' = x + r - (dX + dR) g,    g = argmin |r - dR g|,    r = F(x) - x              (Anderson 1965; Walker & Ni 2011)

dX and dR being differences of the last x and r. It is mixed only near a solution and only by small steps, and what
leaves the region where F is defined is brought back. Mixing may also find a solution that plain iteration runs away
from, a saddle: small differences from it grow, and it is left along them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.float64]

REMEMBERED = 20  # steps
SINGULAR = 1e-9
WORSE = 30.0  # times the best residual so far: mixing has lost its way
NEAR, FARTHEST = 1e-2, 3e-2  # residual from which on it is mixed, and the longest mixed step
LOOKS, SMALL, GROWS = 20, 2e-4, 1.0005  # how often growth is looked at, of what difference, and what factor is one
LEAP, PLAIN, LEAPS = 3e-3, 30, 5  # the step off a saddle, the iterations after it, and how often it is tried


class NotConverged(ArithmeticError):
    """Equations that were not solved: the line says how far from a solution it ended."""


class FixedPoint(NamedTuple):
    """x with |F(x) - x| <= residual, in the largest component and its unit, after so many evaluations of F."""

    x: Array
    residual: float
    n_steps: int


def fixed_point(
    update: Callable[[Array], Array],
    start: Array,
    *,
    within: Callable[[Array, Array], Array] | None = None,
    frail: Callable[[Array], Callable[[Array], Array]] | None = None,
    unit: Callable[[Array], Array] | None = None,
    tolerance: float = 1e-10,
    most: int = 20000,
    what: str = "the equations",
) -> FixedPoint:
    """Solve x = F(x).

    Args:
        update: F.
        start: a first x.
        within: brings a new x, given the old one, into the region where F is defined; None: it is everywhere.
        frail: of an x, the function that takes from differences, (n,), the parts that stay apart under F and might
            grow, (n_parts, n): at each level where overlaps are equal they part. None: nobody looks.
        unit: of each component, at x, in which its residual is measured; None: 1.
        tolerance: of the largest component of F(x) - x.
        most: evaluations of F.
        what: is solved, for the message.

    Raises:
        InputError: a tolerance or a number of steps that is none.
        NotConverged: not within `most` evaluations.

    >>> found = fixed_point(np.cos, np.array([0.5]))
    >>> bool(abs(found.x[0] - 0.7390851332) < 1e-9), found.n_steps < 30
    (True, True)
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 < tolerance < 1:
        raise InputError(f"a tolerance is between 0 and 1; got {shown(tolerance)}")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"the most steps are a whole number from 1 on; got {shown(most)}")
    bring, units = within or (lambda new, old: new), unit or np.ones_like
    x, xs, rs = np.asarray(start, np.float64), list[Array](), list[Array]()
    best, step, plain, leaps, residual = np.inf, 0, 0, 0, np.inf
    while step < most:
        step += 1
        r, one = update(x) - x, units(x)
        residual = float(np.abs(r / one).max(initial=0.0))
        if residual <= tolerance and not plain:
            away = _away(update, x, r, frail(x)) if frail and leaps < LEAPS else None
            if away is None:
                return FixedPoint(bring(x + r, x), residual, step)
            leaps, step, plain = leaps + 1, step + LOOKS, PLAIN * 2**leaps
            x, xs, rs, best = bring(x + away * 2**leaps, x), [], [], np.inf
            continue
        plain = max(plain - 1, 0)
        if not residual < min(NEAR, WORSE * best) or plain:
            xs, rs = [], []
        best = min(best, residual)
        xs, rs = [*xs[-REMEMBERED:], x], [*rs[-REMEMBERED:], r]
        move = _mixed(xs, rs, one) - x if len(xs) > 1 else r
        far = max(float(np.abs(move).max(initial=0.0)), FARTHEST)
        x = bring(x + move * (FARTHEST / far) if len(xs) > 1 else x + r, x)
    raise NotConverged(
        f"{what}: no solution within {most} steps, the residual is {residual:.2g} where {tolerance:.2g} was asked for: "
        "allow more steps, start from a solution nearby, or ask for less"
    )


def _away(update: Callable[[Array], Array], x: Array, r: Array, frail: Callable[[Array], Array]) -> Array | None:
    """A step off a saddle, along what grows; None where differences shrink."""
    parts = frail(np.linspace(0.5, 1.0, x.size))
    growth = np.zeros(len(parts))
    for _ in range(LOOKS):
        sizes = np.abs(parts).max(axis=1, initial=0.0)
        if not (sizes > 0).any() or not np.isfinite(sizes).all():
            return None
        parts = parts * (SMALL / len(parts) / np.where(sizes > 0, sizes, np.inf))[:, None]
        moved = frail(update(x + parts.sum(axis=0)) - x - r)
        half = (parts + moved) / 2  # layers answer each other in turns, which a half step evens out
        growth, parts = 2 * np.abs(half).max(axis=1) / (SMALL / len(parts)) - 1, half
    grown = parts[growth > GROWS]
    return (grown * (LEAP / np.abs(grown).max(axis=1))[:, None]).sum(axis=0) if len(grown) else None


def _mixed(xs: list[Array], rs: list[Array], one: Array) -> Array:
    """The next x from the last ones; residuals count in their units."""
    x, r = xs[-1], rs[-1]
    moved, changed = np.diff(np.array(xs), axis=0).T, np.diff(np.array(rs), axis=0).T
    g = np.linalg.lstsq(changed / one[:, None], r / one, rcond=SINGULAR)[0]
    return x + r - (moved + changed) @ g
