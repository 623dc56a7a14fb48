"""Where layers freeze, one after the other, as more is learned.

The middle of a deep machine is liquid: q = 0. Beside a frozen layer l the next one is pushed by fields whose strength
goes as alpha q_EA(l)^2, and freezes continuously where that is enough,

    (4 alpha/pi^2) q_EA(l)^2 = 1   at alpha = alpha_g(l + 1),    q_EA(0) = 1: alpha_g(1) = pi^2/4

So the glass wets a machine from its ends. How alpha_g grows with l is fitted as a e^(b l) and as a l^b.
"""

from collections.abc import Sequence
from math import pi
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from classical.perceptron.breaking import replica_symmetry_breaking
from classical.perceptron.layers import MOST_LAYERS, Profile, checked_levels
from classical.perceptron.symmetric import bayes_optimal, replica_symmetric
from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.float64]

FIRST = pi**2 / 4
SCENARIOS = ("random", "teacher")
GROWTH, MOST_ALPHA = 1.5, 1e7  # how the next transition is bracketed, and where that is given up
PRECISION = 1e-9  # of alpha, relative


class Growth(NamedTuple):
    """alpha_g = a e^(b l) and alpha_g = a l^b by least squares of ln alpha_g.

    Attributes:
        exponential, power: (a, b), (2,) each.
        exponential_misfit, power_misfit: root mean square of what is left in ln alpha_g: the smaller holds better.
    """

    exponential: Array
    power: Array
    exponential_misfit: float
    power_misfit: float


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
        NotConverged: see the solvers.

    >>> np.round(glass_transitions(2), 3)
    array([ 2.467, 21.012])
    """
    if isinstance(n_layers, bool) or not isinstance(n_layers, int | np.integer) or not 1 <= n_layers <= MOST_LAYERS:
        raise InputError(f"the number of layers is a whole one from 1 to {MOST_LAYERS}; got {shown(n_layers)}")
    if scenario not in SCENARIOS:
        raise InputError(f"a scenario is {' or '.join(SCENARIOS)}; got {shown(scenario)}")
    if levels is not None and scenario == "teacher":
        raise InputError("Bayes-optimal students are replica symmetric: leave the levels out")
    m = None if levels is None else checked_levels(levels)
    found = [FIRST]
    while len(found) < n_layers:
        found.append(_next(len(found), found[-1], scenario, m, tolerance))
    return np.array(found)


def growth(transitions: ArrayLike) -> Growth:
    """How alpha_g(l), l = 1, 2, ..., grows.

    Raises:
        InputError: fewer than three transitions, or some that are not above 0.

    >>> round(float(growth(2.7 * np.exp(1.03 * np.arange(1, 6))).exponential[1]), 6)
    1.03
    """
    alpha = np.asarray(transitions, np.float64)
    if alpha.ndim != 1 or len(alpha) < 3 or not (alpha > 0).all():
        raise InputError(f"a law of growth needs three transitions above 0; got {shown(transitions)}")
    layer, y = np.arange(1, len(alpha) + 1), np.log(alpha)
    fits = [np.polynomial.polynomial.polyfit(x, y, 1, full=True) for x in (layer, np.log(layer))]
    (exponential, one), (power, other) = fits
    misfits = [float(np.sqrt(left[0].sum() / len(y))) for left in (one, other)]
    laws = [np.array([np.exp(line[0]), line[1]]) for line in (exponential, power)]
    return Growth(laws[0], laws[1], *misfits)


def penetration_depth(profile: Profile, *, least: float = 1e-3) -> int:
    """How many spin layers from the input on are frozen: q_EA above `least`, without a gap.

    Raises:
        InputError: `least` that is no overlap.
    """
    if isinstance(least, bool) or not isinstance(least, int | float) or not 0 < least < 1:
        raise InputError(f"an overlap that counts is between 0 and 1; got {shown(least)}")
    frozen = profile.q_ea[1:-1] > least
    return int(np.argmin(frozen)) if not frozen.all() else len(frozen)


def _next(layer: int, above: float, scenario: str, m: Array | None, tolerance: float) -> float:
    """alpha_g(layer + 1): one end of a machine, its layers up to `layer` frozen."""
    last: dict[str, Profile] = {}

    def excess(alpha: float) -> float:
        options = {"start": last.get("one"), "tolerance": tolerance, "open_end": True}
        if m is not None:
            found = replica_symmetry_breaking(alpha, layer + 1, m, **options)
        else:
            solve = replica_symmetric if scenario == "random" else bayes_optimal
            found = solve(alpha, layer + 1, **options)
        if found.q_ea[layer] > 0.01:  # a start from what is nearly liquid would take long
            last["one"] = found
        return 4 * alpha / pi**2 * found.q_ea[layer] ** 2 - 1

    low, high = above * GROWTH, above * GROWTH
    while excess(high) < 0:
        low, high = high, high * GROWTH
        if high > MOST_ALPHA:
            raise InputError(f"layer {layer + 1} stays liquid up to alpha = {MOST_ALPHA:g}: ask for fewer layers")
    if low == high:
        low = above * 1.001
    root: Any = brentq(excess, low, high, xtol=PRECISION * high)
    return float(root)
