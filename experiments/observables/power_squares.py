"""Least squares for NLL_inf + A tau^-gamma, many curves at once.

At a given gamma it is a straight line in tau^-gamma, so the misfit as a function of gamma costs one sum for each.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
GAMMAS = np.geomspace(0.01, 10, 61)  # where the least misfit is first looked for
ZOOMS = 4  # each makes the bracket 20 times finer


def moments(tau: Array, losses: Array, weight: Array, gammas: Array) -> tuple[Array, ...]:
    """Of b = tau^-gamma and B curves: <b>, sum w (b - <b>)^2, sum w b (y - <y>); gammas (B, G), or (1, G) for all."""
    basis = np.exp(-gammas * np.log(tau)[:, None, None])
    centre = np.tensordot(weight, basis, 1) / weight.sum()
    basis = basis - centre
    y = losses - weight @ losses / weight.sum()
    square = np.asarray(np.tensordot(weight, basis * basis, 1), float)
    basis = np.broadcast_to(basis, (*losses.shape, basis.shape[2]))
    return centre, square, np.einsum("nbg,nb->bg", basis, weight[:, None] * y)


def misfit(tau: Array, losses: Array, weight: Array, gammas: Array) -> Array:
    """Least sum of squares at each gamma, (B, G), by NLL_inf and A."""
    _, square, product = moments(tau, losses, weight, gammas)
    y = losses - weight @ losses / weight.sum()
    return np.maximum((weight @ y**2)[:, None] - product**2 / square, 0)


def least_squares(tau: Array, losses: Array, weight: Array, zooms: int = ZOOMS) -> Array:
    """(NLL_inf, A, gamma) of B curves, (3, B)."""
    unit = float(np.exp(np.log(tau).mean()))  # tau in units of the middle of the window: powers near 1
    t, n_curves = tau / unit, losses.shape[1]
    gammas = np.broadcast_to(GAMMAS, (n_curves, len(GAMMAS)))
    for _ in range(zooms):
        k = np.clip(misfit(t, losses, weight, gammas).argmin(1), 1, gammas.shape[1] - 2)
        rows = np.arange(n_curves)
        gammas = np.linspace(gammas[rows, k - 1], gammas[rows, k + 1], 41, axis=1)
    k = misfit(t, losses, weight, gammas).argmin(1)
    gamma = gammas[np.arange(n_curves), k]
    centre, square, product = (each[:, 0] for each in moments(t, losses, weight, gamma[:, None]))
    amplitude = product / square
    return np.stack([weight @ losses / weight.sum() - amplitude * centre, amplitude * unit**gamma, gamma])
