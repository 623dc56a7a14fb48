"""How much can be stored: where layers jam, 1 - lambda -> 0, and what no machine can exceed.

As layers jam, with 1 - Q(l), 1 - q(l) and D(l) = 1 - lambda(l) of one order, the equations of replica symmetry become

    D(l) = (1 - q(l-1)) + (1 - Q(l)) + (1 - q(l)),        1 - Q(l) = D(l) sqrt(2/alpha)
    1 - q(l) = (2/sqrt(pi)) [1/D(l)^2 + 1/D(l+1)^2]^(-1/2)

for K -> 1/(2 D^2) and 1 - q -> sqrt(2/(pi eps)). One layer has no spins to jam: alpha_J = 2 (Cover 1965, Gardner 1988).
Two layers have 1 - q = sqrt(2/pi) D, so that sqrt(2/alpha) = 1 - sqrt(2/pi). Three have 1 - q = (4/sqrt(5 pi)) D(1),
more than D(1): no alpha jams them. Nor any deeper machine: 1 - q(1) <= D(1) asks for 1 - q(2) < 0.92 (1 - q(1)), and
that for D(3) < 1 - q(2); nor a part of one, for spins pressed from one side only have 1 - q = (2/sqrt(pi)) D > D.

That is more than there is. A unit with N inputs can answer M of them in (e alpha)^N ways at most (Cover 1965), the L N
units of a machine together in exp[L N^2 ln(e alpha)], and 2^(N M) are asked for:

    alpha ln 2 <= L ln(e alpha)

bounds what can be stored, by some L ln L: neither e^(const L), as the slides expect, nor without end. With one step of
broken symmetry (`jammed`) all machines jam before.
"""

from math import exp, inf, log, pi, sqrt
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import lambertw

from classical.perceptron.breaking import ONE_LAYER
from classical.perceptron.jammed import jammed_states
from classical.perceptron.profile import checked_depth
from encoding import InputError
from encoding.errors import shown

PRECISION = 1e-9  # of alpha, relative
LESS = 0.9  # of alpha, as long as there are no states


def jamming(depth: int, steps: int = 0) -> float:
    """alpha_J beyond which L layers have no solution.

        replica symmetry: sqrt(2/alpha_J) = 1 - sqrt(2/pi) for L = 2;    one step: Sigma(alpha_J) = 0 of `jammed_states`
        (Gardner 1988; as in Krauth & Mezard 1989)

    Args:
        depth: L.
        steps: 0, replica symmetry: infinity where it has a solution at any alpha. 1, one step of broken symmetry: where
            the complexity of jammed states is 0. One layer jams at 2 in both.

    Raises:
        InputError: a depth that is none, or other steps.
        NotConverged: see `jammed_states`.

    >>> jamming(1), round(jamming(2), 4), jamming(3)
    (2.0, 48.9588, inf)
    >>> round(jamming(2, 1), 4), round(jamming(3, 1), 4)
    (8.7353, 15.6279)
    """
    depth = checked_depth(depth)
    if not isinstance(steps, int | np.integer) or isinstance(steps, bool) or steps not in (0, 1):
        raise InputError(f"jamming is known with 0 or 1 steps of replica symmetry breaking; got {shown(steps)}")
    if depth == 1:
        return ONE_LAYER
    if steps == 0:
        return 2 / (1 - sqrt(2 / pi)) ** 2 if depth == 2 else inf
    states = _States(depth)
    none = some = storage_bound(depth)
    while states.complexity(some) < 0:
        none, some = some, LESS * some
    root: Any = brentq(states.complexity, some, none, xtol=PRECISION * none)
    return float(root)


class _States:
    """Jammed states at one alpha after another, each found from those before."""

    def __init__(self, depth: int) -> None:
        self._depth, self._last = depth, None

    def complexity(self, alpha: float) -> float:
        self._last = jammed_states(alpha, self._depth, start=self._last)
        return self._last.complexity


def storage_bound(depth: int) -> float:
    """The alpha that no machine of L layers exceeds on random data.

        alpha ln 2 = L ln(e alpha)                                                               (counting, Cover 1965)

    Raises:
        InputError: a depth that is none.

    >>> [round(storage_bound(depth), 2) for depth in (1, 2, 4, 20)]
    [3.05, 9.33, 24.15, 178.44]
    """
    c = log(2) / checked_depth(depth)  # c alpha = 1 + ln alpha, the larger root
    return float(-np.real(lambertw(-c * exp(-1), -1)) / c)
