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

import numpy as np
from numpy.typing import NDArray

from classical.spins.bonds import Bonds, checked_beta, one_system
from encoding import InputError
from encoding.errors import shown

Array = NDArray[np.floating]

KINDS = ("sk", "rotational")
CLOSE = 1e-11  # of 1: how well the mean diagonal of the inverse is met
STEPS = 200
NEAR = 0.25  # a Newton decrement below which whole steps converge


def onsager_term(bonds: Bonds, beta: float, kind: str = "sk") -> Array:
    """E, the diagonal of I - M, (N,).

    Args:
        bonds: of one system.
        beta: 1/T.
        kind: `"sk"` or `"rotational"`.

    Raises:
        InputError: a kind that does not exist, a negative beta, several systems.
    """
    bonds = one_system(bonds)
    beta = checked_beta(bonds, beta)
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
    diagonal, whole = onsager_term(bonds, beta, kind), bonds.dense()
    return np.diag(diagonal) - beta * whole


def _rotational(bonds: Bonds, beta: float) -> Array:
    """E of every spin: the minimum of sum_k N_k E_k - ln det(E - beta J), which is convex, by Newton's steps.

    Its gradient is N_k - tr_k A^-1, its Hessian sum over the spins of two layers of (A^-1)_ij^2, A = E - beta J. A step
    is shortened while far from the end, as for any barrier (Nesterov & Nemirovskii 1994), so that A stays positive.
    """
    coupled, layers = beta * bonds.dense(), bonds.places
    member = np.array([[place.start <= i < place.stop for i in range(bonds.n_spins)] for place in layers], float)
    sizes, e = member.sum(1), np.full(len(layers), 1 + np.abs(coupled).sum(1).max())
    for _ in range(STEPS):
        try:
            inverse = np.linalg.inv(np.diag(e @ member) - coupled)
            gradient = sizes - member @ np.diagonal(inverse)
            if np.abs(gradient / sizes).max() < CLOSE:
                return e @ member
            step = np.linalg.solve(member @ inverse**2 @ member.T, gradient)
        except np.linalg.LinAlgError:
            raise InputError(
                f"the rotational Onsager term is lost in rounding at beta = {beta:g}: take a smaller beta"
            ) from None
        decrement = float(np.sqrt(max(gradient @ step, 0.0)))
        e = e - step / (1 + decrement if decrement > NEAR else 1)
    off = np.abs(gradient / sizes).max()
    raise InputError(f"the rotational Onsager term does not converge at beta = {beta:g}: {off:.2g} off its condition")
