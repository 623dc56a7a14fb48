"""The same ladder with a quarter fewer angles: the last rotation about Z of every qubit passes through the couplings.

Euler's angles write a qubit's three rotations about Z, X, Z, and RZ commutes with RZZ:

    RX(c) RZ(b) RX(a) = RZ(gamma) RX(beta) RZ(alpha),      RZ_i(gamma) RZZ_ij(theta) = RZZ_ij(theta) RZ_i(gamma)

So RZ(gamma) moves into the rotations of the next layer. After the last layer it is not seen by a readout in Z; a data
qubit is reset, and forgets it; a history qubit takes it along to the first rotation of the next chord, where

    [RZ(gamma) RX(beta) RZ(alpha)] RZ(gamma_L) = RZ(gamma) RX(beta) RZ(alpha + gamma_L),

alpha alone changes, so that gamma_L is known before it is used. At the first chord H is |0>, where RZ is a phase.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from quantum.dense import Amplitudes, checked_angles
from quantum.ladder import Ladder, checked_count

Angles = NDArray[np.float64]


def reduced(ladder: Ladder) -> Ladder:
    """The ladder without redundant rotations, of the same reach when read in Z.

    On a ring 3N instead of 4N angles a layer; with `reduced_angles` the outputs are the same.

    >>> ladder = Ladder(6, 2)
    >>> ladder.n_angles, reduced(ladder).n_angles
    (48, 36)
    """
    return replace(ladder, rotations="ZX")


def reduced_angles(ladder: Ladder, angles: ArrayLike, *, n_data: int) -> Angles:
    """Angles with which `reduced(ladder)`, read in Z, gives the outputs that the ladder gives with these.

    It holds at every chord where the data qubits are prepared anew and the history qubits carried coherently from
    |0...0> on; with n_data = N for a ladder by itself, and where all qubits are measured at every chord. It does not
    hold where the roles of the qubits change (staggered), nor for a readout in X.

    Args:
        ladder: the ladder, with rotations "XZX"; those of a "ZX" ladder are returned as they are.
        angles: radians, (..., n_angles).
        n_data: number of data qubits, the first ones; the others carry the history.

    Returns:
        Radians, (..., n_angles of the reduced ladder).

    Raises:
        InputError: angles of another shape, or more data qubits than qubits.
    """
    theta = checked_angles(ladder, angles)
    if checked_count("n_data, the number of data qubits,", n_data) > ladder.n_qubits:
        raise InputError(f"data qubits are at most the ladder's {ladder.n_qubits}; got {n_data=}")
    if ladder.rotations == "ZX":
        return theta.copy()
    shape = (*theta.shape[:-1], ladder.n_qubits)
    passed, layers = np.zeros(shape), []
    for rotations, couplings in _layers(ladder, theta):
        alpha, beta, gamma = _zxz(rotations.reshape(*shape, 3))
        layers += [np.stack([alpha + passed, beta], -1), couplings]
        passed = gamma
    layers[0][..., n_data:, 0] += passed[..., n_data:]
    return np.concatenate([part.reshape(*shape[:-1], -1) for part in layers], -1)


def _layers(ladder: Ladder, theta: Angles) -> list[tuple[Angles, Angles]]:
    """Rotations and couplings, layer by layer; closing rotations have no couplings after them."""
    n_rotated, n_coupled = 3 * ladder.n_qubits, len(ladder.edges)
    starts = range(0, ladder.n_angles, n_rotated + n_coupled)
    cuts = [(k, k + n_rotated, k + n_rotated + n_coupled) for k in starts]
    return [(theta[..., a:b], theta[..., b:c]) for a, b, c in cuts]


def _zxz(rotations: Angles) -> tuple[Angles, Angles, Angles]:
    """alpha, beta, gamma of RX(c) RZ(b) RX(a) = RZ(gamma) RX(beta) RZ(alpha), for (..., 3) a, b, c.

        <0|.|0> = cos(beta/2) exp(-i (alpha + gamma)/2),    <1|.|0> = -i sin(beta/2) exp(i (gamma - alpha)/2)

    Where cosine or sine vanish one combination is free, and 0 (or rounding) does.
    """
    half_a, half_b, half_c = np.moveaxis(rotations / 2, -1, 0)
    phase: Amplitudes = np.exp(1j * half_b)
    ca, sa, cc, sc = np.cos(half_a), np.sin(half_a), np.cos(half_c), np.sin(half_c)
    stays = cc * ca / phase - sc * sa * phase
    flips = -1j * (sc * ca / phase + cc * sa * phase)
    half_sum, half_difference = -np.angle(stays), np.angle(1j * flips)
    return half_sum - half_difference, 2 * np.arctan2(abs(flips), abs(stays)), half_sum + half_difference
