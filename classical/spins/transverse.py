"""Quantum spins: the same bonds in a transverse field, in the static approximation.

    H = -(1/2) sum_ij J_ij sigma^z_i sigma^z_j - Gamma sum_i sigma^x_i

A spin alone answers a static field along z with b = tanh(beta Gamma) / Gamma, beta as Gamma -> 0. Put in the place of
beta in the linearised TAP equations (the outlook of Barney, Winer & Galitski 2024), the susceptibility is

    chi = b (I - b J + b^2 D)^-1,    D_ii = sum_j J_ij^2

and the paramagnet ends where b(T, Gamma) = 1/T_c, T_c that of the classical spins:

    T_c(Gamma) = Gamma / arctanh(Gamma / T_c),    none for Gamma >= T_c.

What it misses: the reaction of a quantum spin on itself is retarded, and only its static part is kept. Against exact
susceptibilities the error is O(J^3) as Gamma -> 0, O(J^2) else. For the Sherrington-Kirkpatrick model it says
Gamma_c = J at T = 0, where the literature has about 1.5 J.
"""

from math import atanh, inf, tanh
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.spins.bonds import MOST_BETA, Bonds, checked_beta, one_system
from classical.spins.melting import melting_temperature
from encoding import InputError
from encoding.given import number

Array = NDArray[np.floating]


def static_susceptibility(bonds: Bonds, beta: float, field: float) -> Array:
    """chi_ij = d<sigma^z_i> / dh_j in the static approximation, (N, N).

    Refused is what lies below a melting point. A glass of finitely many spins has none, its least eigenvalue only comes
    near 0: below the temperature of `melting_temperature` the paramagnet that answers here is not to be believed.

    Args:
        bonds: of one system.
        beta: 1/T; infinite for the ground state, with a field.
        field: Gamma.

    Raises:
        InputError: several systems, a negative beta or field, no paramagnet there.
    """
    b, bonds = free_response(beta, field), one_system(bonds)
    checked_beta(bonds, b)
    matrix = np.diag(1 + b**2 * bonds.squares) - b * bonds.dense()
    melt = melting_temperature(bonds) if bonds.largest else None
    if melt and melt.melts and b * melt.temperature >= 1:  # far below, the Onsager term makes I - M positive again
        raise InputError(f"there is no paramagnet at beta = {beta:g}, Gamma = {field:g}: it answers without bound")
    return b * np.linalg.inv(matrix)


def transverse_melting(temperature: ArrayLike, field: float) -> float:
    """T_c in a transverse field of spins whose classical T_c is `temperature`; 0 where there is none.

    Args:
        temperature: T_c at Gamma = 0 (`melting_temperature`).
        field: Gamma, in the same unit.

    Raises:
        InputError: a temperature that is not positive, or a negative field.

    >>> transverse_melting(1.0, 0.0), transverse_melting(1.0, 1.0)
    (1.0, 0.0)
    >>> round(transverse_melting(1.0, 0.5), 6)
    0.910239
    """
    t = number("temperature", _scalar(temperature), above=0)
    gamma = number("field", field, least=0)
    if gamma >= t:
        return 0.0
    return gamma / atanh(gamma / t) if gamma / t > 0 else t


def _scalar(value: Any) -> Any:
    """An array of one number, as `melting_temperature` gives it of one system, as that number."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def free_response(beta: float, field: float) -> float:
    """b = tanh(beta Gamma) / Gamma, what a spin alone answers to a field along z, in 1/field.

    Args:
        beta: 1/T; infinite for the ground state, with a field.
        field: Gamma.

    Raises:
        InputError: a negative beta or field, or both without an end.
    """
    gamma = number("field", field, least=0)
    beta = inf if isinstance(beta, float) and beta == inf and gamma else number("beta", beta, least=0, most=MOST_BETA)
    return tanh(beta * gamma) / gamma if gamma else beta
