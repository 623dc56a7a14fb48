"""Where layers freeze, one after the other, as more is learned.

The middle of a deep machine is liquid: q = 0. Beside a frozen layer l the next one is pushed by fields whose strength
goes as alpha q_EA(l)^2, and freezes continuously where that is enough,

    (4 alpha/pi^2) q_EA(l)^2 = 1   at alpha = alpha_g(l + 1),    q_EA(0) = 1: alpha_g(1) = pi^2/4

So the glass wets a machine from its ends. How alpha_g grows with l is fitted as a e^(b l) and as a l^b.

With broken symmetry another solution comes up as alpha grows, in which the states of the first layers are frozen,
q_EA = 1: it does not begin continuously. A transition that would lie on it is none of these, and is refused.
"""

from collections.abc import Callable, Sequence
from math import pi
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

from classical.perceptron.breaking import replica_symmetry_breaking
from classical.perceptron.fixed_point import NotConverged
from classical.perceptron.layers import MOST_LAYERS, Profile, checked_levels, checked_problem
from classical.perceptron.symmetric import bayes_optimal, replica_symmetric
from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.float64]

FIRST = pi**2 / 4
SCENARIOS = ("random", "teacher")
GROWTH, NEXT, MOST_ALPHA = 1.5, 1.001, 1e7  # how the next transition is bracketed, and where that is given up
PRECISION = 1e-9  # of alpha, relative
SMOOTH = 1e-3  # of what is 0 at a transition
SLIDE = (2.7, 1.03)  # alpha_g ~ 2.7(3) e^(1.03(2) l) as printed on the slides of 2021


class Growth(NamedTuple):
    """alpha_g = a e^(b l) and alpha_g = a l^b by least squares of ln alpha_g.

    Attributes:
        exponential, power: (a, b), (2,) each.
        exponential_misfit, power_misfit: root mean square of what is left in ln alpha_g: the smaller holds better.
        exponential_interval, power_interval: ends of the 95 % intervals of (a, b), (2, 2), [low, high]; as if what is
            left were noise, which it is not: points that lie on another curve.
    """

    exponential: Array
    power: Array
    exponential_misfit: float
    power_misfit: float
    exponential_interval: Array
    power_interval: Array


def glass_transitions(
    n_layers: int,
    *,
    scenario: str = "random",
    levels: int | Sequence[float] | ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> Array:
    """alpha_g(1) .. alpha_g(n_layers).

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
    if isinstance(n_layers, bool) or not isinstance(n_layers, int | np.integer) or not 1 <= n_layers <= MOST_LAYERS:
        raise InputError(f"the number of layers is a whole one from 1 to {MOST_LAYERS}; got {shown(n_layers)}")
    m = _checked(scenario, levels)
    found = [FIRST]
    while len(found) < n_layers:
        found.append(_next(len(found), found[-1], scenario, m, tolerance))
    return np.array(found)


def growth(transitions: ArrayLike, *, first: int = 1) -> Growth:
    """How alpha_g(l), l = first, first + 1, ..., grows.

    Args:
        transitions: alpha_g, three or more.
        first: the layer of the first of them.

    Raises:
        InputError: fewer than three transitions, or some that are not above 0; a first layer that is none.

    >>> law = growth(2.7 * np.exp(1.03 * np.arange(1, 6)))
    >>> law.exponential.round(6), bool(law.exponential_misfit < 1e-9)
    (array([2.7 , 1.03]), True)
    """
    alpha = np.asarray(transitions, np.float64)
    if alpha.ndim != 1 or len(alpha) < 3 or not (alpha > 0).all():
        raise InputError(f"a law of growth needs three transitions above 0; got {shown(transitions)}")
    if isinstance(first, bool) or not isinstance(first, int | np.integer) or first < 1:
        raise InputError(f"the first layer is a whole number from 1 on; got {shown(first)}")
    layer = np.arange(first, first + len(alpha), dtype=np.float64)
    (one, misfit, ends), (other, its_misfit, its_ends) = (_line(x, np.log(alpha)) for x in (layer, np.log(layer)))
    return Growth(one, other, misfit, its_misfit, ends, its_ends)


def _line(x: Array, y: Array) -> tuple[Array, float, Array]:
    """(a, b) of y = ln a + b x, the root mean square of what is left, and the ends of their 95 % intervals."""
    design = np.stack([np.ones_like(y), x], axis=1)
    line = np.asarray(np.linalg.lstsq(design, y, rcond=None)[0], np.float64)
    left = y - design @ line
    n_free = len(y) - 2
    errors = np.sqrt((left @ left) / n_free * np.diag(np.linalg.inv(design.T @ design)))
    ends = np.asarray(line + np.outer([-1, 1], errors * stdtrit(n_free, 0.975)), np.float64)
    ends[:, 0], line[0] = np.exp(ends[:, 0]), np.exp(line[0])
    return line, float(np.sqrt((left @ left) / len(y))), ends


def penetration_depth(profile: Profile, *, least: float = 1e-3) -> int:
    """How many spin layers from the input on are frozen: q_EA above `least`, without a gap.

    Raises:
        InputError: `least` that is no overlap.
    """
    if isinstance(least, bool) or not isinstance(least, int | float) or not 0 < least < 1:
        raise InputError(f"an overlap that counts is between 0 and 1; got {shown(least)}")
    frozen = profile.q_ea[1:-1] > least
    return int(np.argmin(frozen)) if not frozen.all() else len(frozen)


def penetration(
    alpha: float,
    *,
    scenario: str = "random",
    levels: int | Sequence[float] | ArrayLike | None = None,
    tolerance: float = 1e-9,
) -> int:
    """How many spin layers from one end are frozen at alpha, in a machine so deep that its middle is liquid.

    That is the number of transitions below alpha; options are those of `glass_transitions`.

    Raises:
        InputError, NotConverged: see `glass_transitions`; alpha that is none.

    >>> penetration(2.0), penetration(25.0)
    (0, 2)
    """
    alpha, _ = checked_problem(alpha, 1)
    m = _checked(scenario, levels)
    if alpha <= FIRST:
        return 0
    n_layers = 1
    while _excess(n_layers, scenario, m, tolerance)(alpha) >= 0:
        n_layers += 1
        if n_layers > MOST_LAYERS:
            raise InputError(f"more than {MOST_LAYERS} layers freeze at alpha = {alpha:g}: take a smaller alpha")
    return n_layers


def _checked(scenario: str, levels: int | Sequence[float] | ArrayLike | None) -> Array | None:
    if scenario not in SCENARIOS:
        raise InputError(f"a scenario is {' or '.join(SCENARIOS)}; got {shown(scenario)}")
    if levels is not None and scenario == "teacher":
        raise InputError("Bayes-optimal students are replica symmetric: leave the levels out")
    return None if levels is None else checked_levels(levels)


def _excess(layer: int, scenario: str, m: Array | None, tolerance: float) -> Callable[[float], float]:
    """4 alpha/pi^2 q_EA(layer)^2 - 1 by alpha, one end of a machine, its layers up to `layer` frozen."""
    below: dict[float, Profile] = {}

    def excess(alpha: float) -> float:
        near = max((one for one in below if one <= alpha), default=None)  # from above a frozen solution would come
        options = {"start": None if near is None else below[near], "tolerance": tolerance, "open_end": True}
        if m is not None:
            found = replica_symmetry_breaking(alpha, layer + 1, m, **options)
        else:
            solve = replica_symmetric if scenario == "random" else bayes_optimal
            found = solve(alpha, layer + 1, **options)
        if found.q_ea[layer] > 0.01:  # a start from what is nearly liquid would take long
            below[alpha] = found
        return 4 * alpha / pi**2 * found.q_ea[layer] ** 2 - 1

    return excess


def _next(layer: int, above: float, scenario: str, m: Array | None, tolerance: float) -> float:
    """alpha_g(layer + 1)."""
    excess = _excess(layer, scenario, m, tolerance)
    low, high = above * NEXT, above * GROWTH
    while excess(high) < 0:
        low, high = high, high * GROWTH
        if high > MOST_ALPHA:
            raise InputError(f"layer {layer + 1} stays liquid up to alpha = {MOST_ALPHA:g}: ask for fewer layers")
    if excess(low) >= 0:
        raise NotConverged(_jumps(layer, low))
    root: Any = brentq(excess, low, high, xtol=PRECISION * high)
    if abs(excess(float(root))) > SMOOTH:
        raise NotConverged(_jumps(layer, float(root)))
    return float(root)


def _jumps(layer: int, alpha: float) -> str:
    return (
        f"layer {layer + 1} does not freeze continuously: the overlaps of the layers before it jump at alpha = "
        f"{alpha:.4g}, where another solution takes over; ask for fewer layers"
    )
