"""What the levels of a solution mean: how pairs of machines overlap, and that their states are marginally stable.

With x the share of pairs that overlap less, q(x) = q_i for m_i <= x < m_(i+1), m_0 = 0 and m_(k+1) = 1, and
P(q) = dx/dq = sum_i (m_(i+1) - m_i) delta(q - q_i)                                                   (Parisi 1980)

Where q(x) rises continuously from 0 there is a direction without restoring force. From small overlaps Q of the first
bonds, and q of the first spins, R = alpha q K_0, Q = G_1^2 R, eps = K_0 Q, q = chi^2 eps lead back to

    q = (sqrt(alpha) G_1 chi K_0)^2 q,    G_1 = 1 - <Q>,  chi = 1 - <q>

so that sqrt(alpha) G_1 chi K_0 = 1. G_1 and chi are the linear responses of bonds and of spins, <..> the mean over
pairs of machines; one layer deeper all is of higher order, as long as overlaps begin at 0 there.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.perceptron import hierarchy
from classical.perceptron.layers import couplings
from classical.perceptron.profile import Profile, checked_profile
from encoding import InputError
from encoding.errors import shown
from encoding.given import number, real_numbers, whole

Array = NDArray[np.float64]

LIQUID = 0.01  # an overlap at the lowest level beyond which deeper layers take part
DEEP = 3  # layers, from which on input and output have first layers of their own


def overlap_function(profile: Profile, layer: int, x: ArrayLike) -> Array:
    """q(x, l) of a spin layer: the overlap than which the share x of pairs has a smaller one.

    Args:
        profile: a solution.
        layer: l, 0 (input) to L (output).
        x: from 0 to 1, any shape.

    Raises:
        InputError: no such layer, or x outside [0, 1].

    >>> from classical.perceptron import replica_symmetry_breaking
    >>> broken = replica_symmetry_breaking(20, 4, 2)
    >>> overlap_function(broken, 1, [0.1, 0.5, 0.9]).round(3)
    array([0.097, 0.359, 0.62 ])
    """
    _check_layer(profile, layer)
    share = real_numbers(x)
    if share is None or not ((share >= 0) & (share <= 1)).all():
        raise InputError(f"x is a share of pairs, from 0 to 1; got {shown(x)}")
    return profile.q[layer][np.searchsorted(profile.m, share, side="right")]


def overlap_distribution(profile: Profile, layer: int, *, equal: float = 1e-4) -> tuple[Array, Array]:
    """P(q) of a spin layer: the overlaps that occur, rising, and the share of pairs with each.

    Args:
        profile: a solution.
        layer: l, 0 (input) to L (output).
        equal: levels no further apart count as one.

    Raises:
        InputError: no profile, no such layer, or `equal` that is no difference of overlaps.

    >>> from classical.perceptron import replica_symmetric
    >>> overlap_distribution(replica_symmetric(5.0, 4), 0)  # the input is known to all
    (array([1.]), array([1.]))
    """
    _check_layer(profile, layer)
    equal = number("equal", equal, least=0, most=1)
    q, shares = profile.q[layer], profile.shares
    begins = np.flatnonzero(np.diff(q, prepend=-np.inf) > equal)
    weight = np.add.reduceat(shares, begins)
    return np.add.reduceat(shares * q, begins) / weight, weight


def marginality(profile: Profile) -> float:
    """sqrt(alpha) G_1 chi K_0 of the first layer: 1 where q(x) rises continuously from 0, less in a liquid.

    With k steps q_0 is not quite 0, and this is 1 to some 1/k^2.

    Raises:
        InputError: no profile, fewer than three layers, a teacher, or the second layer frozen at all levels.

    >>> from classical.perceptron import replica_symmetric
    >>> round(marginality(replica_symmetric(1.0, 4)) ** 2, 6)  # 4 alpha/pi^2
    0.405285
    """
    checked_profile("marginality is that", profile)
    if profile.depth < DEEP or profile.r is not None or profile.R is not None:
        raise InputError(f"marginality is that of {DEEP} layers or more on random data; got {_said(profile)}")
    if profile.q[2, 0] > LIQUID and profile.depth > DEEP:
        raise InputError(
            f"marginality needs overlaps that begin at 0 in the second layer; got {profile.q[2, 0]:.3g}: take more "
            "steps k, or a smaller alpha"
        )
    push = hierarchy.bonds(couplings(profile.q, profile.Q)[0], profile.m).squares[0]
    stiffness, response = 1 - profile.Q[0] @ profile.shares, 1 - profile.mean_q[1]
    return float(np.sqrt(profile.alpha) * stiffness * response * push)


def _check_layer(profile: Profile, layer: Any) -> None:
    checked_profile("overlaps are those", profile)
    whole("a spin layer", layer, least=0, most=profile.depth)


def _said(profile: Profile) -> str:
    return f"{profile.depth}" if profile.r is None and profile.R is None else "a profile with a teacher"
