"""The same ladder with a quarter fewer angles: the last rotation about Z of every qubit passes through the couplings.

Euler's angles write a qubit's three rotations about Z, X, Z, and RZ commutes with RZZ:

    RX(c) RZ(b) RX(a) = RZ(gamma) RX(beta) RZ(alpha),      RZ_i(gamma) RZZ_ij(theta) = RZZ_ij(theta) RZ_i(gamma)

So RZ(gamma) moves into the rotations of the next layer. After the last layer it is not seen by a readout in Z; a data
qubit is reset, and forgets it; a history qubit takes it along to the first rotation of the next chord, where

    [RZ(gamma) RX(beta) RZ(alpha)] RZ(gamma_L) = RZ(gamma) RX(beta) RZ(alpha + gamma_L),

alpha alone changes, so that gamma_L is known before it is used. At the first chord H is |0>, where RZ is a phase. In
"staggered" every history qubit takes it along to the role one place on; D[0], which joins H as its measurement left it,
has none left, for RZ is a phase there too. In "measured" nothing is carried but averages of Z.
"""

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from quantum.block import Block
from quantum.dense import Amplitudes, checked_angles
from quantum.ladder import Ladder

Angles = NDArray[np.float64]
LadderOrBlock = TypeVar("LadderOrBlock", Ladder, Block)


def reduced(whole: LadderOrBlock) -> LadderOrBlock:
    """The ladder, or the block with its ladder, without redundant rotations, of the same reach when read in Z.

    On a ring 3N instead of 4N angles a layer; with `reduced_angles` the outputs are the same.

    >>> ladder = Ladder(6, 2)
    >>> ladder.n_angles, reduced(ladder).n_angles
    (48, 36)
    """
    if isinstance(whole, Block):
        return replace(whole, ladder=reduced(whole.ladder))
    return replace(_checked(whole), rotations="ZX")


def reduced_angles(whole: Ladder | Block, angles: ArrayLike) -> Angles:
    """Angles with which `reduced(whole)`, read in Z, gives the outputs that the whole gives with these.

    For a block they hold at every chord, in its schedule; for a ladder by itself once. They do not for a readout in X.

    Args:
        whole: ladder or block with rotations "XZX"; the angles of a "ZX" ladder are returned as they are.
        angles: radians, (..., n_angles).

    Returns:
        Radians, (..., n_angles of the reduced ladder).

    Raises:
        InputError: neither ladder nor block, or angles of another shape.
    """
    ladder = _checked(whole.ladder if isinstance(whole, Block) else whole)
    theta = checked_angles(ladder, angles)
    if ladder.rotations == "ZX":
        return theta.copy()
    shape = (*theta.shape[:-1], ladder.n_qubits)
    passed, layers = np.zeros(shape), []
    for rotations, couplings in _layers(ladder, theta):
        alpha, beta, gamma = _zxz(rotations.reshape(*shape, 3))
        layers += [np.stack([alpha + passed, beta], -1), couplings]
        passed = gamma
    if isinstance(whole, Block):
        layers[0][..., 0] += _carried(whole, passed)
    return np.concatenate([part.reshape(*shape[:-1], -1) for part in layers], -1)


def _carried(block: Block, gamma: Angles) -> Angles:
    """What each qubit of the next chord has of the last one's gamma, (..., N), by its place in D + H."""
    carried = np.zeros_like(gamma)
    if block.schedule == "coherent":
        carried[..., block.n_data :] = gamma[..., block.n_data :]
    elif block.schedule == "staggered":
        carried[..., block.n_data : -1] = gamma[..., block.n_data + 1 :]
    return carried


def _checked(ladder: object) -> Ladder:
    if not isinstance(ladder, Ladder):
        raise InputError(f"what is reduced is a Ladder or a Block; got {ladder!r:.40}")
    return ladder


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
