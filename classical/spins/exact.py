"""Few quantum spins, exactly: what they answer to a static field along z, to hold approximations to.

    chi_ij = int_0^beta dt <sigma^z_i(t) sigma^z_j> = sum_nm <n|s_i|m><m|s_j|n> w_nm / Z,
    w_nm = (exp(-beta E_n) - exp(-beta E_m)) / (E_m - E_n),    beta exp(-beta E_n) where they are equal
    beta -> infinity:    chi_ij = 2 <0| s_i (H - E_0)^-1 s_j |0>

of H in `classical.spins.transverse`. No field along z: <s_i> = 0.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg

from classical.spins.bonds import Bonds, checked_beta, one_system
from classical.spins.lanczos import largest, operator_of
from encoding import InputError
from encoding.given import number
from encoding.memory import check_room

Array = NDArray[np.floating]

MOST_THERMAL, MOST_GROUND = 11, 14  # spins
EQUAL = 1e-9  # difference of two energies, over the largest, that are one


def thermal_susceptibility(bonds: Bonds, beta: float, field: float) -> Array:
    """chi_ij at temperature 1/beta, by diagonalisation of all 2^N states, (N, N).

    Args:
        bonds: of one system of at most 11 spins.
        beta: 1/T.
        field: Gamma.

    Raises:
        InputError: more spins, a negative beta or field, or no room.
    """
    bonds = _few(bonds, MOST_THERMAL)
    beta, gamma = checked_beta(bonds, beta), number("field", field, least=0)
    check_room((5 + bonds.n_spins) * 8.0 * 4**bonds.n_spins, f"all states of {bonds.n_spins} spins")
    energies, states = np.linalg.eigh(_hamiltonian(bonds, gamma).toarray())
    boltzmann = np.exp(-beta * (energies - energies[0]))
    gap = energies[None, :] - energies[:, None]
    same = np.abs(gap) <= EQUAL * max(1.0, float(np.abs(energies).max()))
    slope = (boltzmann[:, None] - boltzmann[None, :]) / np.where(same, 1, gap)
    weight = np.where(same, beta * boltzmann[:, None], slope)
    between = [states.T @ (signs[:, None] * states) for signs in _signs(bonds.n_spins)]
    return np.array([[(one * two * weight).sum() for two in between] for one in between]) / boltzmann.sum()


def ground_susceptibility(bonds: Bonds, field: float) -> Array:
    """chi_ij of the ground state, by Lanczos' method and conjugate gradients, (N, N).

    Args:
        bonds: of one system of at most 14 spins.
        field: Gamma, positive: without it the ground state is a pair, and answers without bound.

    Raises:
        InputError: more spins, or no field.
    """
    bonds, gamma = _few(bonds, MOST_GROUND), number("field", field, above=0)
    h = _hamiltonian(bonds, gamma)
    n = 2**bonds.n_spins
    energy, ground = largest(n, lambda v: -(h @ v), np.ones(n))  # it has no sign: all off-diagonal entries are -Gamma

    def above(v: Array) -> Array:
        return h @ v + energy * v + ground * (ground @ v)

    lifted = operator_of(n, above)
    flipped = [signs * ground for signs in _signs(bonds.n_spins)]
    answers = []
    for one in flipped:
        answer, failed = cg(lifted, one, rtol=1e-12, atol=0)
        if failed:
            raise InputError(f"the ground state at Gamma = {gamma:g} is too close to the next: take a larger field")
        answers.append(answer)
    return 2 * np.array(flipped) @ np.array(answers).T


def _few(bonds: Bonds, most: int) -> Bonds:
    if one_system(bonds).n_spins > most:
        raise InputError(f"exactly, at most {most} spins; got {bonds.n_spins}: take static_susceptibility")
    return bonds


def _signs(n: int) -> Array:
    """sigma^z of every spin in every state, (N, 2^N)."""
    bits = (np.arange(2**n)[None] >> np.arange(n)[:, None]) & 1
    return 1.0 - 2.0 * bits


def _hamiltonian(bonds: Bonds, gamma: float) -> csr_array:
    signs = _signs(bonds.n_spins)
    diagonal = -0.5 * np.vecdot(signs.T, bonds.apply(signs.T))
    n = len(diagonal)
    states = np.arange(n)
    rows = np.tile(states, bonds.n_spins)
    columns = np.concatenate([states ^ (1 << spin) for spin in range(bonds.n_spins)])
    flips = csr_array((np.full(len(rows), -gamma), (rows, columns)), shape=(n, n))
    return csr_array(diags_array(diagonal) + flips)
