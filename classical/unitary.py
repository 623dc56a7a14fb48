"""Complex networks as real ones of twice the units: unitary matrices in the place of orthogonal ones.

    u + iv = tanh Re z + i tanh Im z,    z(t) = J S(t) + M [u + iv](t-1),    M = A + iB unitary

With real parts in front of the imaginary ones, a complex matrix is the real one

    [[A, -B], [B, A]],

which commutes with I = [[0, -1], [1, 0]], the multiplication by i; it is orthogonal where A + iB is unitary. So U(w) is
a subgroup of O(2w), of dimension w^2 instead of w(2w - 1), and everything else is as for a real network of 2w units.
The part of a gradient along these matrices is

    P(G) = (G - I G I)/2

(for G that commutes with I, I G I = -G; for one that anticommutes, +G). The polar factor of a matrix that commutes with
I does so too: it is unique, and I X I^T = X. Lengths, and so eta and Gamma, are those of the real matrix, in which A
and B stand twice.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def complex_linear(matrices: Tensor) -> Tensor:
    """P(G) for each of `matrices` (..., 2 m, 2 n): the nearest that commute with the multiplication by i."""
    upper, lower = matrices.chunk(2, -2)
    (a, b), (c, d) = upper.chunk(2, -1), lower.chunk(2, -1)
    real, imaginary = (a + d) / 2, (c - b) / 2
    return torch.cat([torch.cat([real, -imaginary], -1), torch.cat([imaginary, real], -1)], -2)


def as_complex(vectors: Tensor) -> Tensor:
    """Real parts in front of the imaginary ones, (..., 2n), as complex numbers (..., n)."""
    return torch.complex(*vectors.chunk(2, -1))


def complex_matrix(matrices: Tensor) -> Tensor:
    """A + iB of each of `matrices` (..., 2m, 2n), as (..., m, n)."""
    return as_complex(matrices[..., : matrices.shape[-1] // 2].mT).mT


def random_unitary(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """A unitary matrix of n complex units as a real (2n, 2n), uniform in the Haar measure.

    Q of a complex Gaussian matrix, phases fixed by R's diagonal (Mezzadri 2007, math-ph/0609050).
    """
    real, imaginary = rng.standard_normal((2, n, n))
    q, r = np.linalg.qr(real + 1j * imaginary)
    q = q * (np.diag(r) / abs(np.diag(r)))
    return np.block([[q.real, -q.imag], [q.imag, q.real]])
