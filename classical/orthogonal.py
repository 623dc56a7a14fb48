"""Orthogonal matrices: random ones to start from, and the nearest one after every learning step.

The nearest orthogonal matrix to X is its polar factor U V^T, where X = U S V^T: "all singular values set to 1" (Hertz &
Tyrcha 2024, Appendix B). All functions take stacks (..., n, n) and treat each matrix on its own, so that a replica's
result does not depend on which others stand beside it.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoding import InputError

POLAR_METHODS = ("newton-schulz", "svd")


def random_orthogonal(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """An orthogonal (n, n) matrix, uniform in the Haar measure: Q of a Gaussian matrix, signs fixed by R's diagonal."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


def polar_factor(matrices: Tensor, method: str = "newton-schulz") -> Tensor:
    """The orthogonal matrix nearest to each of `matrices` (..., n, n), to rounding.

    `newton-schulz` iterates X <- 3/2 X - 1/2 X X^T X, which squares the distance from orthogonality at every step: two
    products instead of a singular value decomposition. It starts only from matrices whose X X^T - 1 has Frobenius norm
    below 1, where it is sure to converge (any learning step of sensible size); the others take the SVD, the same matrix
    to rounding. A matrix with an entry that is not finite comes back as NaN.

    Raises:
        InputError: an unknown method.
    """
    if method not in POLAR_METHODS:
        raise InputError(f"polar factor by one of {', '.join(POLAR_METHODS)}; got {method!r}")
    stack = matrices.reshape(-1, *matrices.shape[-2:])
    finite = torch.isfinite(stack).all(-1).all(-1)
    if method == "svd":
        return _by_svd(stack, finite).reshape(matrices.shape)
    near = _distance(stack) < 1
    result = _newton_schulz(torch.where(near[:, None, None], stack, 0.0), near)
    if not bool(near.all()):
        result[~near] = _by_svd(stack[~near], finite[~near])
    return result.reshape(matrices.shape)


def nearly_polar_factor(stack: Tensor, n_iterations: int) -> tuple[Tensor, Tensor]:
    """The same by `n_iterations` of Newton and Schulz, whatever comes: for graphs, in which nothing can be asked.

    Returns:
        The matrices (R, n, n); which of them are orthogonal to rounding, or not finite at all, (R,).
    """
    one = torch.eye(stack.shape[-1], dtype=stack.dtype, device=stack.device)
    enough = torch.finfo(stack.dtype).eps ** 0.5
    finite = torch.isfinite(stack).all(-1).all(-1)
    near = _distance(stack) < 1
    stack = torch.where(near[:, None, None], stack, one)
    largest = near.to(stack.dtype)
    for _ in range(n_iterations):
        error = stack @ stack.mT - one
        largest = error.abs().amax((-2, -1))
        stack = stack - 0.5 * (error @ stack)
    return torch.where(finite[:, None, None], stack, torch.nan), ~finite | (near & (largest <= enough))


def _distance(stack: Tensor) -> Tensor:
    """Frobenius norm of X X^T - 1 for each matrix; NaN compares as far."""
    one = torch.eye(stack.shape[-1], dtype=stack.dtype, device=stack.device)
    return (stack @ stack.mT - one).square().sum((-2, -1)).sqrt()


def _newton_schulz(stack: Tensor, active: Tensor) -> Tensor:
    """Iterate each active matrix until the error, squared once more, is below rounding."""
    enough = torch.finfo(stack.dtype).eps ** 0.5
    one = torch.eye(stack.shape[-1], dtype=stack.dtype, device=stack.device)
    for _ in range(100):  # a singular value s grows by 3/2 a step at least, until s is about 1
        if not bool(active.any()):
            break
        error = stack @ stack.mT - one
        better = stack - 0.5 * (error @ stack)
        stack = torch.where(active[:, None, None], better, stack)
        active = active & (error.abs().amax((-2, -1)) > enough)
    return stack


def _by_svd(stack: Tensor, finite: Tensor) -> Tensor:
    """One by one: rounding in a product of stacks depends on how many matrices stand in them."""
    result = torch.full_like(stack, torch.nan)
    for which in torch.nonzero(finite).flatten().tolist():
        u, _, vh = torch.linalg.svd(stack[which])
        result[which] = u @ vh
    return result
