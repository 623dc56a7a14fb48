"""Averages over a Gaussian of functions that change within a narrow layer around zero.

    int Dz g(z),    Dz = exp(-z^2/2) dz / sqrt(2 pi)

Where weights freeze (1 - lambda -> 0) g goes from one behaviour to another within sqrt((1 - lambda)/lambda) of zero,
and Gauss-Hermite nodes miss it. Nodes z = s sinh(t), equally spaced in t, have both scales: s at the centre, 1 outside;
the trapezoidal rule then converges as exp(-const/spacing).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx

Array = NDArray[np.float64]

NODES, REACH = 241, 10.0
NARROW, WIDE = 1e-12, 1.0  # layers: no function here has narrower ones, and wider ones need no care


def nodes(layer: Array, centre: Array | float = 0.0) -> tuple[Array, Array]:
    """Nodes and weights of int Dz for functions with a layer of this width around a centre, (..., NODES) each.

    >>> z, weight = nodes(np.array([1.0, 1e-6]))
    >>> np.round((weight * z**2).sum(-1), 12)
    array([1., 1.])
    """
    s, middle = np.clip(layer, NARROW, WIDE)[..., None], np.clip(centre, -REACH, REACH)[..., None]
    first, last = np.arcsinh((-REACH - middle) / s), np.arcsinh((REACH - middle) / s)
    beside = s * np.sinh(first + (last - first) * np.linspace(0, 1, NODES))
    z, spacing = middle + beside, (last - first) / (NODES - 1)
    return z, spacing * np.hypot(s, beside) * gauss(z)


def gauss(x: Array) -> Array:
    """The density G(x) = exp(-x^2/2)/sqrt(2 pi)."""
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def pressure(x: Array) -> Array:
    """G(x)/H(x), H(x) = P(z > x): how strongly a wall at x pushes; x beyond, 0 far inside.

    >>> float(np.round(pressure(np.array(0.0)), 6))  # sqrt(2/pi)
    0.797885
    """
    with np.errstate(over="ignore"):  # erfcx of what is far inside is infinite, and the pressure 0
        return np.sqrt(2 / np.pi) / erfcx(x / np.sqrt(2))
