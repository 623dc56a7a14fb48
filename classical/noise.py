"""The noise of stochastic gradient descent: how much the gradient differs from slot to slot.

    Gamma = (1/p) < var_mu(dE_mu/dw_ij) >_ij                     (Hertz & Tyrcha 2024, eq. 6)

With per-slot gradients g_ij(mu) = delta_i(mu) x_j(mu), the mean of the squares over n slots is (delta^2)^T (x^2) / n:
two matrix products give the variance of every weight.

An orthogonal M moves only along G - M G^T M; the rest of its gradient G is taken back by the polar factor. The
`tangent` noise is that of (G - M G^T M)/2, entry by entry [delta_i mu_j - (M mu)_i (M^T delta)_j]/2.

Where M is unitary, G is projected on complex matrices first (`classical.unitary`). With delta and mu as complex numbers
its A + iB is delta_i mu_j^* / 2, and the tangent part that with M^dagger for M^T. A and B stand twice among the four
entries of the real matrix, so that their mean variance is half that of A + iB, 1/8 of that of delta_i mu_j^*.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.unitary import as_complex, complex_matrix

if TYPE_CHECKING:
    from classical.kernels.plain import Pass, PlainKernel
    from classical.settings import DeepRNNSettings


def slot_variance(left: Tensor, right: Tensor) -> Tensor:
    """< var_mu(left_i right_j^*) >_ij over slots mu, (R,); `left` (R, n, a), `right` (R, n, b) or (n, b)."""
    n = left.shape[1]
    mean = (left.mT @ right.conj()) / n
    mean_square = (_square(left).mT @ _square(right)) / n
    return _average(mean_square - _square(mean))


def tangent_variance(left: Tensor, right: Tensor, matrix: Tensor) -> Tensor:
    """The same for the part of the gradient along the orthogonal or unitary group at `matrix` (R, w, w)."""
    n = left.shape[1]
    image, pull = right @ matrix.mT, left @ matrix.conj()  # M mu and M^dagger delta, (R, n, w)
    mean = (left.mT @ right.conj() - image.mT @ pull.conj()) / (2 * n)
    squares = _square(left).mT @ _square(right) + _square(image).mT @ _square(pull)
    mixed = _real((left * image.conj()).mT @ (right.conj() * pull))
    return _average((squares - 2 * mixed) / (4 * n) - _square(mean))


def _square(numbers: Tensor) -> Tensor:
    """|z|^2."""
    return numbers.real.square() + numbers.imag.square() if numbers.is_complex() else numbers.square()


def _real(numbers: Tensor) -> Tensor:
    return numbers.real if numbers.is_complex() else numbers


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
    pairs = kernel.factors(now, None if batch is None else torch.from_numpy(batch))
    pairs["h0"] = pairs["K"][0], torch.ones(pairs["K"][0].shape[1], 1, dtype=kernel.dtype)
    weights = kernel.views(flat)
    variances = [
        _variance(settings, name, pairs[name], weights[name], tangent and settings.kept_orthogonal(name))
        for name in kernel.layout
    ]
    population = 1.0 if settings.replacement else (n - p) / max(n - 1, 1)  # without replacement a batch is less noisy
    return torch.stack(variances, 1).to(torch.float64).numpy() / p * population


def _variance(
    settings: "DeepRNNSettings", name: str, pair: tuple[Tensor, Tensor], matrix: Tensor, tangent: bool
) -> Tensor:
    """Of one group of weights, the mean over its entries, (R,)."""
    left, right = pair
    shared = 1
    if settings.is_complex(name):
        left, right, matrix, shared = as_complex(left), as_complex(right), complex_matrix(matrix), 8
    return (tangent_variance(left, right, matrix) if tangent else slot_variance(left, right)) / shared
