"""Self-consistent equations x = F(x), solved by iterating, and what is said where that does not end.

Plain iteration converges as slowly as the order parameters relax, and at a transition not at all. Anderson's mixing
takes the combination of the last few x that would solve the equations if they were linear,

    x' = x + r - (dX + dR) g,    g = argmin |r - dR g|,    r = F(x) - x              (Anderson 1965; Walker & Ni 2011)

dX and dR being differences of the last x and r. It is mixed only near a solution and only by small steps. A step that
leaves the region where F is defined is not made: from there plain iteration goes on. Mixing may also find a solution
that plain iteration runs away from, a saddle: small differences from it grow, and it is left along them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.float64]

REMEMBERED = 6  # steps
SINGULAR = 1e-11
WORSE = 30.0  # times the best residual so far: mixing has lost its way
LOOKS, GROWS, LEAP = 12, 1.003, 3e-3  # how often growth is looked at, by what factor it is one, and the step off
NEAR, FARTHEST = 1e-2, 3e-2  # residual from which on it is mixed, and the longest mixed step


class NotConverged(ArithmeticError):
    """Equations that were not solved: the line says how far from a solution it ended."""


class FixedPoint(NamedTuple):
    """x with |F(x) - x| <= residual, in the largest component, after so many evaluations of F."""

    x: Array
    residual: float
    n_steps: int


def fixed_point(
    update: Callable[[Array], Array],
    start: Array,
    *,
    inside: Callable[[Array], bool],
    nudge: Callable[[Array], Array] | None = None,
    tolerance: float = 1e-10,
    most: int = 20000,
    what: str = "the equations",
) -> FixedPoint:
    """Solve x = F(x).

    Args:
        update: F.
        start: a first x.
        inside: whether F is defined at x.
        nudge: a direction in which x is pushed to see whether it comes back, its entries at most 1; x less a little of
            it is inside. None: nobody looks.
        tolerance: of the largest component of F(x) - x.
        most: evaluations of F.
        what: is solved, for the message.

    Raises:
        InputError: a tolerance or a number of steps that is none.
        NotConverged: not within `most` evaluations.

    >>> found = fixed_point(np.cos, np.array([0.5]), inside=lambda x: True)
    >>> bool(abs(found.x[0] - 0.7390851332) < 1e-9), found.n_steps < 30
    (True, True)
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 < tolerance < 1:
        raise InputError(f"a tolerance is between 0 and 1; got {shown(tolerance)}")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"the most steps are a whole number from 1 on; got {shown(most)}")
    x, xs, rs = np.asarray(start, np.float64), list[Array](), list[Array]()
    best, peak, step, left = np.inf, np.inf, 0, None
    while step < most:
        step += 1
        r = update(x) - x
        residual = float(np.abs(r).max(initial=0.0))
        if residual <= tolerance:
            back = left is not None and float(np.abs(x - left).max(initial=0.0)) < LEAP
            away = _away(update, x, r, tolerance, nudge(x)) if nudge and not back else None
            if away is None or not inside(x + away):
                return FixedPoint(x + r, residual, step)
            left, x, xs, rs, best, peak, step = x, x + away, [], [], np.inf, 0.0, step + LOOKS
            continue
        peak = max(peak, residual) if left is not None else np.inf
        if not residual < min(NEAR, WORSE * best, peak / 2):  # off a saddle residuals grow first
            xs, rs = [], []
        best = min(best, residual)
        xs, rs = [*xs[-REMEMBERED:], x], [*rs[-REMEMBERED:], r]
        mixed = _mixed(xs, rs)
        if inside(mixed) and np.abs(mixed - x - r).max(initial=0.0) <= FARTHEST:
            x = mixed
        else:
            x, xs, rs = x + r, [], []
    raise NotConverged(
        f"{what}: no solution within {most} steps, the residual is {residual:.2g} where {tolerance:.2g} was asked for: "
        "allow more steps, start from a solution nearby, or ask for less"
    )


def _away(update: Callable[[Array], Array], x: Array, r: Array, tolerance: float, direction: Array) -> Array | None:
    """A step off a saddle, along what grows; None where differences shrink."""
    small = max(np.sqrt(tolerance), 100 * tolerance)
    v, growth = direction * small, 0.0
    for _ in range(LOOKS):
        before, moved = float(np.abs(v).max(initial=0.0)), x + r - update(x - v)
        after = float(np.abs(moved).max(initial=0.0))
        if not 0 < after < np.inf:
            return None
        growth = after / before
        v = moved * (small / after)
    return -v * (LEAP / small) if growth > GROWS else None


def _mixed(xs: list[Array], rs: list[Array]) -> Array:
    """The next x from the last ones."""
    x, r = xs[-1], rs[-1]
    if len(xs) < 2:
        return x + r
    moved, changed = np.diff(np.array(xs), axis=0).T, np.diff(np.array(rs), axis=0).T
    g = np.linalg.lstsq(changed, r, rcond=SINGULAR)[0]
    return x + r - (moved + changed) @ g
