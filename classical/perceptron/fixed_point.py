"""Self-consistent equations x = F(x), solved by iterating, and what is said where that does not end.

Plain iteration converges as slowly as the order parameters relax, and at a transition not at all. Anderson's mixing
takes the combination of the last few x that would solve the equations if they were linear,

    x' = x + r - (dX + dR) g,    g = argmin |r - dR g|,    r = F(x) - x              (Anderson 1965; Walker & Ni 2011)

dX and dR being differences of the last x and r. It is mixed only near a solution and only by small steps, and what
leaves the region where F is defined is brought back. Beyond the end of a branch mixing stays where the residual is
least, though there is no solution: if it falls no more, plain iteration goes on from there. Mixing may also find a
solution that plain iteration runs away from, a saddle: small differences from it grow, and it is left along them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding.given import number, whole

Array = NDArray[np.float64]
Parts = Callable[[Array], Array]  # (n,) -> (n_parts, n)

REMEMBERED = 20  # steps
SINGULAR = 1e-9
WORSE = 30.0  # times the best residual so far: mixing has lost its way
NEAR, FARTHEST = 1e-2, 3e-2  # residual from which on it is mixed, and the longest mixed step
LOOKS, SMALL, GROWS = 20, 2e-4, 1.0005  # how often growth is looked at, of what difference, and what factor is one
SETTLED = 1e-4  # change of a factor between two looks, above which it is looked at again
HALVED, STALLED = 0.5, 500  # by how much the residual is to fall, within how many steps; else plain iteration goes on
LEAP, PLAIN, LEAPS = 3e-3, 30, 5  # the step off a saddle, the iterations after it, and how often both are doubled
SURE = 1.002  # a factor that is less is taken for 1 after so many leaps: a small residual does not tell it from that


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
    frail: Callable[[Array], Parts] | None = None,
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
        most: evaluations of F, those included that look at whether differences grow.
        what: is solved, for the message.

    Raises:
        InputError: a tolerance or a number of steps that is none.
        NotConverged: not within `most` evaluations, F of something is not finite, or a saddle that cannot be left.

    >>> found = fixed_point(np.cos, np.array([0.5]))
    >>> bool(abs(found.x[0] - 0.7390851332) < 1e-9), found.n_steps < 30
    (True, True)
    """
    tolerance, most = number("a tolerance", tolerance, above=0, most=1), whole("most", most)
    bring, units, f = within or (lambda new, old: new), unit or np.ones_like, _Counted(update, tolerance, most, what)
    x, xs, rs = np.asarray(start, np.float64), list[Array](), list[Array]()
    best, plain, leaps, stalls, mark = np.inf, 0, 0, 0, _Mark(np.inf, 0)
    while True:
        r, one = f(x) - x, units(x)
        f.residual = residual = float(np.abs(r / one).max(initial=0.0))
        if residual <= tolerance and not plain:
            away = _away(f, x, r, frail(x)) if frail else None
            if away is None or (leaps >= LEAPS and away.growth < SURE):
                return FixedPoint(bring(x + r, x), residual, f.n_steps)
            if leaps == 2 * LEAPS:
                raise NotConverged(
                    f"{what}: a saddle that could not be left: small differences from it grow by {away.growth:.4g} a "
                    "step; start from a solution nearby, or take other levels"
                )
            leaps += 1
            longer = 2 ** min(leaps, LEAPS)
            plain = PLAIN * longer
            x, xs, rs, best = bring(x + away.step * longer, x), [], [], np.inf
            continue
        if residual < HALVED * mark.residual or plain:
            mark = _Mark(residual, f.n_steps)
        elif f.n_steps - mark.at >= STALLED:
            stalls += 1
            plain, mark = STALLED << stalls, _Mark(np.inf, 0)
        plain = max(plain - 1, 0)
        if not residual < min(NEAR, WORSE * best) or plain:
            xs, rs = [], []
        best = min(best, residual)
        xs, rs = [*xs[-REMEMBERED:], x], [*rs[-REMEMBERED:], r]
        x = bring(_next(xs, rs, one), x)


class _Mark(NamedTuple):
    """A residual, and the evaluation at which it was met."""

    residual: float
    at: int


class _Counted:
    """F, evaluated no more often than is allowed."""

    def __init__(self, update: Callable[[Array], Array], tolerance: float, most: int, what: str) -> None:
        self._update, self._tolerance, self._most, self._what = update, tolerance, most, what
        self.n_steps, self.residual = 0, np.inf

    def __call__(self, x: Array) -> Array:
        if self.n_steps == self._most:
            raise NotConverged(self._not_within())
        self.n_steps += 1
        new = self._update(x)
        if not np.isfinite(new).all():
            raise NotConverged(f"{self._what}: numbers are not finite at step {self.n_steps}: start from elsewhere")
        return new

    def _not_within(self) -> str:
        if self.residual <= self._tolerance:
            return f"{self._what}: whether its solution is stable is not known within {self._most} steps: allow more"
        return (
            f"{self._what}: no solution within {self._most} steps, the residual is {self.residual:.2g} where "
            f"{self._tolerance:.2g} was asked for: allow more steps, start from a solution nearby, or ask for less"
        )


class _Away(NamedTuple):
    """A step off a saddle, along what grows, and by how much that grows."""

    step: Array
    growth: float


def _away(f: Callable[[Array], Array], x: Array, r: Array, parted: Parts) -> _Away | None:
    """The way off a saddle; None where differences shrink."""
    parts = parted(np.linspace(0.5, 1.0, x.size))
    before, growth, looks = np.full(len(parts), np.inf), np.full(len(parts), np.inf), 0
    while looks < LOOKS or (np.abs(growth - before)[growth > GROWS] > SETTLED).any():  # at first more grows than later
        sizes = np.abs(parts).max(axis=1, initial=0.0)
        if not (sizes > 0).any():
            return None
        parts = parts * (SMALL / len(parts) / np.where(sizes > 0, sizes, np.inf))[:, None]
        moved = parted(f(x + parts.sum(axis=0)) - x - r)
        half = (parts + moved) / 2  # layers answer each other in turns, which a half step evens out
        before, growth, looks = growth, 2 * np.abs(half).max(axis=1) / (SMALL / len(parts)) - 1, looks + 1
        parts = half
    grown = parts[growth > GROWS]
    if not len(grown):
        return None
    return _Away((grown * (LEAP / np.abs(grown).max(axis=1))[:, None]).sum(axis=0), float(growth.max()))


def _next(xs: list[Array], rs: list[Array], one: Array) -> Array:
    """Where to look after the last x: mixed, if there are more, and then no farther than a short step."""
    if len(xs) == 1:
        return xs[-1] + rs[-1]
    move = _mixed(xs, rs, one) - xs[-1]
    far = max(float(np.abs(move).max(initial=0.0)), FARTHEST)
    return xs[-1] + move * (FARTHEST / far)


def _mixed(xs: list[Array], rs: list[Array], one: Array) -> Array:
    """The next x from the last ones; residuals count in their units."""
    x, r = xs[-1], rs[-1]
    moved, changed = np.diff(np.array(xs), axis=0).T, np.diff(np.array(rs), axis=0).T
    g = np.linalg.lstsq(changed / one[:, None], r / one, rcond=SINGULAR)[0]
    return x + r - (moved + changed) @ g
