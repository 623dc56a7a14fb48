"""Least squares for y = a (w - w_c)^nu with all three free, for many sets of numbers at once.

Every y is known above w_c, so w_c = w_1 - e^u lies below the smallest width and u is free. Levenberg & Marquardt's
steps (Marquardt 1963) are taken for all sets side by side, from the best place of a grid.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
POWERS = (0.05, 10.0)
BELOW = (1e-4, 3.0)  # w_1 - w_c in spans of the widths: beyond, nothing tells a power from an exponential
MOVES = 60
STILL = 1e-6


def fit_powers(w: Array, means: Array, count: NDArray[np.number], *, start: Array | None = None) -> Array:
    """(a, w_c, nu) of each of B sets, (B, 3); infinite where the best lies at the edge of the search.

    Args:
        w: widths in order, (n,).
        means: y, (B, n).
        count: weights of the widths, (n,).
        start: (a, w_c, nu) to start from; None: the best of a grid, of the first set.
    """
    span = w[-1] - w[0]
    x, root = (w - w[0]) / span, np.sqrt(count / count.mean())
    scale = np.abs(means).max()
    y = means / scale * root
    place = _grid(x, y[0], root) if start is None else _inward(start, w, scale)
    places = _descend(np.tile(place, (len(y), 1)), x, y, root)
    u, nu = places[:, 1], places[:, 2]
    far = (u >= np.log(BELOW[1]) - STILL) | (nu >= POWERS[1] - STILL)
    w_c = np.where(far, -np.inf, w[0] - span * np.exp(u))
    with np.errstate(over="ignore"):
        a = np.exp(places[:, 0] + np.log(scale) - nu * np.log(span))
    return np.stack([np.where(far, -np.inf, a), w_c, np.where(far, np.inf, nu)], 1)


def _inward(start: Array, w: Array, scale: float) -> Array:
    """(ln a, u, nu) in units of the span and the scale, of what may lie at infinity."""
    span = w[-1] - w[0]
    if not np.isfinite(start).all():
        return np.array([0.0, 0.0, 1.0])
    a, w_c, nu = start
    return np.array([np.log(a / scale) + nu * np.log(span), np.log((w[0] - w_c) / span), nu])


def _grid(x: Array, y: Array, root: Array) -> Array:
    """The best of a grid in u and nu; a follows, as y is linear in it."""
    u, nu = np.meshgrid(np.linspace(np.log(BELOW[0]), np.log(BELOW[1]), 40), np.geomspace(0.1, 9, 40), indexing="ij")
    basis = np.exp(nu[..., None] * np.log(x + np.exp(u)[..., None])) * root
    size = (basis**2).sum(-1)
    overlap = basis @ y
    k = np.unravel_index(np.argmax(np.maximum(overlap, 0) ** 2 / size), u.shape)
    return np.array([np.log(max(overlap[k] / size[k], 1e-12)), u[k], nu[k]])


def _model(places: Array, x: Array, root: Array) -> tuple[Array, Array]:
    """Values (B, n) and w - w_c in spans."""
    z = x + np.exp(places[:, 1:2])
    return np.exp(places[:, :1] + places[:, 2:] * np.log(z)) * root, z


def _descend(places: Array, x: Array, y: Array, root: Array) -> Array:
    """Marquardt's steps, until none moves."""
    places = places.copy()
    low = np.array([-40.0, np.log(BELOW[0]), POWERS[0]])
    high = np.array([40.0, np.log(BELOW[1]), POWERS[1]])
    damping = np.full(len(y), 1e-3)
    active = np.arange(len(y))
    for _ in range(MOVES):
        now = places[active]
        model, z = _model(now, x, root)
        left = y[active] - model
        slopes = np.stack([model, model * now[:, 2:] * np.exp(now[:, 1:2]) / z, model * np.log(z)], 1)
        curvature = slopes @ slopes.transpose(0, 2, 1)
        diagonal = np.einsum("bii->bi", curvature)
        diagonal += damping[active, None] * diagonal + 1e-12
        step = np.linalg.solve(curvature, slopes @ left[:, :, None])[:, :, 0]
        trial = np.clip(now + np.clip(step, -1, 1), low, high)
        better = ((y[active] - _model(trial, x, root)[0]) ** 2).sum(1) <= (left**2).sum(1)
        places[active[better]] = trial[better]
        damping[active] = np.where(better, damping[active] / 5, np.minimum(damping[active] * 5, 1e8))
        still = better & (np.abs(trial - now).max(1) < STILL) | (damping[active] >= 1e8)
        active = active[~still]
        if not len(active):
            break
    return places
