"""The Onsager term: what a spin feels of itself, by way of its neighbours, and what must not be counted.

In the paramagnet the Thouless-Anderson-Palmer equations are linear: (I - M) m = 0, I - M = E - beta J, E diagonal.
What E is depends on the ensemble that the bonds are from:

    "sk"          E_i = 1 + beta^2 sum_j J_ij^2                      independent bonds (Thouless, Anderson, Palmer 1977)
    "rotational"  E_k such that (1/N_k) tr_k (E - beta J)^-1 = 1     bonds in random directions (Parisi & Potters 1995),
                                                                     one E for each layer k

The second says that a free spin answers as a spin does, <sigma_i^2> = 1. In one layer it is E = 1 + beta R(beta), R the
R-transform of the spectrum of J; for independent bonds both agree. For M + M^T with M orthogonal (Haar) it gives
E = (1 + 4 beta^2)^(1/2): the least eigenvalue E - 2 beta falls for ever and is never 0, no glass at any temperature.
There "sk" says 1 - 2 beta + 2 beta^2, whose minimum at T = 2 is none of that ensemble.

The spectrum is that of one finite system: the solution has E > beta J always, and close to a transition the least
eigenvalue of I - M falls to 1/N and stays there, the pole of a single eigenvalue. A zero is therefore never found by
"rotational"; a least eigenvalue below a few 1/N says that one mode carries what a layer has.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from classical.spins.bonds import Bonds, one_system
from encoding import InputError
from encoding.errors import shown
from encoding.given import number

Array = NDArray[np.floating]

KINDS = ("sk", "rotational")
CLOSE = 1e-12  # of 1: how well the mean diagonal of the inverse is met
SWEEPS = 200


def onsager_term(bonds: Bonds, beta: float, kind: str = "sk") -> Array:
    """E, the diagonal of I - M, (N,).

    Args:
        bonds: of one system.
        beta: 1/T.
        kind: `"sk"` or `"rotational"`.

    Raises:
        InputError: a kind that does not exist, a negative beta, several systems.
    """
    bonds, beta = one_system(bonds), number("beta", beta, least=0)
    if kind not in KINDS:
        raise InputError(f"an Onsager term is one of {', '.join(KINDS)}; got {shown(kind)}")
    return 1 + beta**2 * bonds.squares if kind == "sk" else _rotational(bonds, beta)


def linear_tap(bonds: Bonds, beta: float, *, kind: str = "sk") -> Array:
    """I - M of the linearised TAP equations (23), a dense matrix (N, N).

    Raises:
        InputError: see `onsager_term`.

    >>> from classical.spins import chain
    >>> linear_tap(chain([[[2.0]]]), 0.5).tolist()
    [[2.0, -1.0], [-1.0, 2.0]]
    """
    diagonal = onsager_term(bonds, beta, kind)
    return np.diag(diagonal) - beta * bonds.dense()


def _rotational(bonds: Bonds, beta: float) -> Array:
    """One layer after the other is set right, until all are: each by a root of a function that only falls."""
    dense, layers = beta * bonds.dense(), bonds.places
    diagonal = np.full(bonds.n_spins, 1 + np.abs(dense).sum(1).max())
    for _ in range(SWEEPS):
        worst = 0.0
        for place in layers:
            inverse = np.linalg.inv(np.diag(diagonal) - dense)
            worst = max(worst, abs(np.diagonal(inverse)[place].mean() - 1))
            diagonal[place] += _shift(inverse[place, place])
        if worst < CLOSE:
            return diagonal
    raise InputError(f"the rotational Onsager term does not converge at beta = {beta:g}: {worst:.2g} off its condition")


def _shift(inverse: Array) -> float:
    """How much E of a layer is to grow, so that the mean diagonal of its part of the inverse, (G^-1 + x)^-1, is 1."""
    poles = np.linalg.eigvalsh(inverse)  # g of (g^-1 + x)^-1
    least = -1 / poles[-1]  # there the largest of them diverges

    def excess(x: float) -> float:
        return float((poles / (1 + x * poles)).mean()) - 1

    low, high = least * (1 - 1e-14), 1.0
    while excess(high) > 0:
        high *= 2
    root: Any = brentq(excess, low, high, xtol=1e-15)
    return float(root)
