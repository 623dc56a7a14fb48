"""How stable a chain of layers is, layer by layer: the determinant of I - M without the matrix.

    S_0 = E_0,    S_k = E_k - beta^2 J^(k)T S_(k-1)^-1 J^(k),    ln det(I - M) = sum_k ln det S_k

with E = 1 + beta^2 diag(sum_j J_ij^2). (Barney, Winer & Galitski 2024, (26) and (27), write chi_k = -S_k, which are
negative definite above the transition; the determinant is that of the -chi_k.) I - M is positive exactly where every
S_k is, and each is told by its Cholesky factor: the cost is sum N_k^3 instead of (sum N_k)^3.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky

from classical.spins.bonds import Bonds, checked_beta, one_system
from encoding import InputError
from encoding.memory import check_room


def log_determinant(bonds: Bonds, beta: float) -> float:
    """ln det(I - M) of a chain of layers; -inf where I - M is not positive, below the transition.

    Args:
        bonds: of one system, a chain.
        beta: 1/T.

    Raises:
        InputError: bonds that are no chain, or a negative beta.

    >>> from classical.spins import chain
    >>> round(np.exp(log_determinant(chain([[[1.0]]]), 0.5)).item(), 9)  # 1.25^2 - .5^2
    1.3125
    """
    beta = checked_beta(one_system(bonds), beta)
    if not bonds.is_chain:
        raise InputError(f"the recursion goes along a chain of layers; got {bonds}: take numpy.linalg.slogdet")
    check_room(24.0 * max(bonds.sizes) ** 2, f"blocks of {max(bonds.sizes)} spins")
    diagonal, total = 1 + beta**2 * bonds.squares, 0.0
    pivot = np.diag(diagonal[bonds.places[0]])
    for k in range(len(bonds.sizes)):
        try:
            factor = cholesky(pivot, lower=True)
        except LinAlgError:
            return -np.inf
        total += 2 * float(np.log(np.diagonal(factor)).sum())
        if k + 1 < len(bonds.sizes):
            block = bonds.blocks[k, k + 1]
            pivot = np.diag(diagonal[bonds.places[k + 1]]) - beta**2 * block.T @ cho_solve((factor, True), block)
    return total
