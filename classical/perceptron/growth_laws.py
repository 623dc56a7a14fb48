"""How alpha_g grows with l: fitted as a e^(b l) and as a l^b."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from encoding import InputError
from encoding.errors import shown
from encoding.given import real_numbers, whole

Array = NDArray[np.float64]


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


def growth(transitions: ArrayLike, *, first: int = 1) -> Growth:
    """How alpha_g(l), l = first, first + 1, ..., grows.

    Args:
        transitions: alpha_g, three or more.
        first: the layer of the first of them.

    Raises:
        InputError: fewer than three transitions, or some that are no numbers above 0; a first layer that is none.

    >>> law = growth(2.7 * np.exp(1.03 * np.arange(1, 6)))
    >>> law.exponential.round(6), bool(law.exponential_misfit < 1e-9)
    (array([2.7 , 1.03]), True)
    """
    alpha = real_numbers(transitions)
    if alpha is None or alpha.ndim != 1 or len(alpha) < 3 or not (np.isfinite(alpha) & (alpha > 0)).all():
        raise InputError(f"a law of growth needs three transitions above 0, or more; got {shown(transitions)}")
    first = whole("first", first)
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
