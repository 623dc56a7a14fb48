"""Where layers freeze, one after the other, as more is learned.

The middle of a deep machine is liquid: q = 0. Beside a frozen layer l the next one is pushed by fields whose strength
goes as alpha q_EA(l)^2, and freezes continuously where that is enough,

    (4 alpha/pi^2) q_EA(l)^2 = 1   at alpha = alpha_g(l + 1),    q_EA(0) = 1: alpha_g(1) = pi^2/4

So the glass wets a machine from its ends. How alpha_g grows with l is fitted as a e^(b l) and as a l^b. In the end it
grows no more: beyond some alpha there is glass in the middle of a machine however deep, and the last layers freeze
almost together.

With broken symmetry another solution comes up as alpha grows, in which the states of the first layers are frozen,
q_EA = 1: it does not begin continuously. A transition that would lie on it is none of these, and is refused.
"""

from collections.abc import Sequence
from math import inf, pi
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from classical.perceptron.breaking import has_frozen_states, replica_symmetry_breaking
from classical.perceptron.fixed_point import NotConverged
from classical.perceptron.profile import MOST_LAYERS, Profile, checked_levels, checked_problem, checked_profile
from classical.perceptron.solving import LOW, NEAR_TRANSITIONS, SLACK
from classical.perceptron.symmetric import bayes_optimal, replica_symmetric
from encoding import InputError
from encoding.errors import shown
from encoding.given import number, whole

Array = NDArray[np.float64]

FIRST = pi**2 / 4
SCENARIOS = ("random", "teacher")
GROWTH, NEXT, LAST = 1.5, 1.001, 1e7  # how the next transition is bracketed, and where that is given up
PRECISION = 1e-9  # of alpha, relative
COARSEST = 1e-5  # tolerance of overlaps: 1e-3 moves alpha_g by a few parts in a thousand, and 0.1 loses it
LEVEL = 1e-6  # change from layer to layer, relative, that is none: all deeper ones are alike
SMOOTH = 1e-3  # of what is 0 at a transition


def glass_transitions(
    n_layers: int,
    *,
    scenario: str = "random",
    levels: int | Sequence[float] | ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> Array:
    """alpha_g(1) .. alpha_g(n_layers), where layers freeze one after the other.

        (4 alpha/pi^2) q_EA(l)^2 = 1   at alpha = alpha_g(l + 1)                          (after Yoshino, seminar 2021)

    Args:
        n_layers: how many.
        scenario: "random" data, or a "teacher" and Bayes-optimal students.
        levels: steps of replica symmetry breaking on random data; None: replica symmetry.
        tolerance: of the overlaps.

    Raises:
        InputError: no layer, no such scenario, levels for students, or levels out of order.
        NotConverged: a layer that does not freeze continuously; see the solvers.

    >>> np.round(glass_transitions(2), 3)
    array([ 2.467, 21.012])
    """
    n_layers = whole("n_layers", n_layers, most=MOST_LAYERS)
    asked, found = _asked(scenario, levels, tolerance), [FIRST]
    while len(found) < n_layers:
        found.append(_next(len(found), found[-1], asked))
    return np.array(found)


def penetration_depth(profile: Profile, *, least: float = 1e-3) -> int:
    """How many spin layers from the input on are frozen: q_EA above `least`, without a gap.

    Raises:
        InputError: no profile, or `least` that is no overlap.
    """
    checked_profile("a penetration depth is that", profile)
    frozen = profile.q_ea[1:-1] > number("least", least, above=0, most=1)
    return int(np.argmin(frozen)) if not frozen.all() else len(frozen)


def penetration(
    alpha: float,
    *,
    scenario: str = "random",
    levels: int | Sequence[float] | ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> float:
    """How many spin layers from one end are frozen at alpha, in a machine so deep that its middle is liquid.

    That is the number of transitions below alpha, alpha_g(l) < alpha (Yoshino, seminar 2021): a whole number, or
    infinity, where alpha is beyond them all and overlaps no longer fall with depth.

    Args:
        alpha: patterns over width, M/N.
        scenario: "random" data, or a "teacher" and Bayes-optimal students.
        levels: steps of replica symmetry breaking on random data; None: replica symmetry.
        tolerance: of the overlaps.

    Raises:
        InputError: alpha that is none, no such scenario, levels for students, or levels out of order.
        NotConverged: alpha where overlaps have jumped to another solution, with frozen states; see the solvers.

    >>> penetration(2.0), penetration(25.0), penetration(50000)
    (0, 2, inf)
    """
    alpha, _ = checked_problem(alpha, 1)
    asked, last = _asked(scenario, levels, tolerance), inf
    if alpha <= FIRST:
        return 0
    for n_layers in range(1, MOST_LAYERS):
        end = asked.end(alpha, n_layers)
        if asked.jumped(end):
            raise NotConverged(
                f"how many layers are frozen at alpha = {alpha:g} cannot be counted: overlaps have jumped to another "
                "solution, in which the states of the first layer are frozen; take a smaller alpha"
            )
        excess = _excess(end, n_layers)
        if excess < 0:
            return n_layers
        if last - excess < max(LEVEL, SLACK * asked.tolerance) * excess:
            return inf
        last = excess
    raise InputError(f"{MOST_LAYERS} layers and more freeze at alpha = {alpha:g}: take a smaller alpha")


class _Asked(NamedTuple):
    """Which machines: their scenario, levels if symmetry is broken, and the tolerance of their overlaps."""

    scenario: str
    m: Array | None
    tolerance: float

    def end(self, alpha: float, layer: int, start: Profile | None = None) -> Profile:
        """One end of a machine at alpha, in which layers up to `layer` may be frozen."""
        options = {"start": start or LOW, "tolerance": self.tolerance, "most": NEAR_TRANSITIONS, "open_end": True}
        if self.m is not None:
            return replica_symmetry_breaking(alpha, layer + 1, self.m, **options)
        solve = replica_symmetric if self.scenario == "random" else bayes_optimal
        return solve(alpha, layer + 1, **options)

    def jumped(self, end: Profile) -> bool:
        """Whether it is the solution with frozen states; overlaps that rise without levels do so continuously."""
        return self.m is not None and has_frozen_states(end)


def _asked(scenario: str, levels: int | Sequence[float] | ArrayLike | None, tolerance: float) -> _Asked:
    tolerance = number("tolerance", tolerance, above=0, most=COARSEST)
    if not isinstance(scenario, str) or scenario not in SCENARIOS:
        raise InputError(f"a scenario is {' or '.join(SCENARIOS)}; got {shown(scenario)}")
    if levels is not None and scenario == "teacher":
        raise InputError("Bayes-optimal students are replica symmetric: leave the levels out")
    return _Asked(scenario, None if levels is None else checked_levels(levels), tolerance)


def _excess(end: Profile, layer: int) -> float:
    """4 alpha/pi^2 q_EA(layer)^2 - 1: above 0 the next layer freezes."""
    return float(4 * end.alpha / pi**2 * end.q_ea[layer] ** 2 - 1)


class _Ends:
    """One end of a machine at one alpha after another, its layers up to `layer` frozen."""

    def __init__(self, layer: int, asked: _Asked) -> None:
        self._layer, self._asked, self._below = layer, asked, dict[float, Profile]()

    def at(self, alpha: float) -> Profile:
        near = max((one for one in self._below if one <= alpha), default=None)  # from above a frozen one would come
        end = self._asked.end(alpha, self._layer, None if near is None else self._below[near])
        if end.q_ea[self._layer] > 0.01:  # a start from what is nearly liquid would take long
            self._below[alpha] = end
        return end

    def excess(self, alpha: float) -> float:
        return _excess(self.at(alpha), self._layer)


def _next(layer: int, above: float, asked: _Asked) -> float:
    """alpha_g(layer + 1)."""
    ends = _Ends(layer, asked)
    low, high = above * NEXT, above * GROWTH
    while ends.excess(high) < 0:
        low, high = high, high * GROWTH
        if high > LAST:
            raise InputError(f"layer {layer + 1} stays liquid up to alpha = {LAST:g}: ask for fewer layers")
    if ends.excess(low) >= 0:
        raise NotConverged(_jumps(layer, low))
    root: Any = brentq(ends.excess, low, high, xtol=PRECISION * high)
    found = float(root)
    if abs(ends.excess(found)) > SMOOTH or asked.jumped(ends.at(found)):
        raise NotConverged(_jumps(layer, found))
    return found


def _jumps(layer: int, alpha: float) -> str:
    return (
        f"layer {layer + 1} does not freeze continuously: the overlaps of the layers before it jump, and at alpha = "
        f"{alpha:.4g} another solution has taken over; ask for fewer layers"
    )
