"""The noise of stochastic gradient descent: how much the gradient differs from slot to slot.

    Gamma = (1/p) < var_mu(dE_mu/dw_ij) >_ij                     (Hertz & Tyrcha 2024, eq. 6)

With per-slot gradients g_ij(mu) = delta_i(mu) x_j(mu), the mean of the squares over n slots is (delta^2)^T (x^2) / n:
two matrix products give the variance of every weight.

An orthogonal M moves only along G - M G^T M; the rest of its gradient G is taken back by the polar factor. The
`tangent` noise is that of (G - M G^T M)/2, entry by entry [delta_i mu_j - (M mu)_i (M^T delta)_j]/2.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.bptt import factors

if TYPE_CHECKING:
    from classical.kernels.plain import Pass, PlainKernel


def slot_variance(left: Tensor, right: Tensor) -> Tensor:
    """< var_mu(left_i right_j) >_ij over slots mu, (R,); `left` (R, n, a), `right` (R, n, b) or (n, b)."""
    n = left.shape[1]
    mean = (left.mT @ right) / n
    mean_square = (left.square().mT @ right.square()) / n
    return _average(mean_square - mean.square())


def tangent_variance(left: Tensor, right: Tensor, orthogonal: Tensor) -> Tensor:
    """The same for the part of the gradient along the orthogonal group at `orthogonal` (R, w, w)."""
    n = left.shape[1]
    image, pull = right @ orthogonal.mT, left @ orthogonal  # M mu and M^T delta, (R, n, w)
    mean = (left.mT @ right - image.mT @ pull) / (2 * n)
    squares = left.square().mT @ right.square() + image.square().mT @ pull.square()
    mixed = (left * image).mT @ (right * pull)
    return _average((squares - 2 * mixed) / (4 * n) - mean.square())


def _average(variances: Tensor) -> Tensor:
    """Mean over the entries; rounding can leave a vanishing variance below zero."""
    return torch.clamp(variances.mean((-2, -1)), min=0)


def gamma(
    kernel: "PlainKernel", flat: NDArray[np.floating], now: "Pass", batch: NDArray[np.int64] | None, *, tangent: bool
) -> NDArray[np.float64]:
    """Gamma of eq. (6) for each group of weights, (R, n_groups).

    Args:
        kernel: whose slots and settings are meant; a batch of p slots is drawn for each step.
        flat: weights, (R, n_weights).
        now: activities and errors at these weights.
        batch: slots that the variance runs over, (R, p), or None for all.
        tangent: for what is kept orthogonal, only the part along the orthogonal group.
    """
    settings, n = kernel.settings, kernel.slots.inputs.shape[0]
    p = settings.batch or n
    pairs = factors(kernel.slots, now.layers, now.error, now.deltas, None if batch is None else torch.from_numpy(batch))
    pairs["h0"] = pairs["K"][0], torch.ones(pairs["K"][0].shape[1], 1, dtype=kernel.dtype)
    weights = kernel.views(flat)
    variances = [
        tangent_variance(*pairs[name], weights[name])
        if tangent and settings.kept_orthogonal(name)
        else slot_variance(*pairs[name])
        for name in kernel.layout
    ]
    population = 1.0 if settings.replacement else (n - p) / max(n - 1, 1)  # without replacement a batch is less noisy
    return torch.stack(variances, 1).to(torch.float64).numpy() / p * population
