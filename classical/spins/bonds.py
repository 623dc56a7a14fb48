"""Bonds between Ising spins: neurons are spins, weights are couplings, layers are blocks.

    H(sigma) = -(1/2) sum_ij J_ij sigma_i sigma_j,    J symmetric, J_ii = 0         (Barney, Winer & Galitski 2024, (3))

A layered network couples layer k-1 to layer k by its weights J^(k), so that J is block tridiagonal (4). A recurrent one
has bonds within its layers as well, M + M^T without the diagonal, and W goes past the layers. Kept are the blocks that
there are; the whole matrix is made only where somebody asks for it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.spins.blocks import Pair, check_within, checked_block, checked_pair
from encoding import InputError
from encoding.errors import shown
from encoding.given import number, real_numbers
from encoding.memory import check_room

Array = NDArray[np.floating]

MOST_BETA = 1e100  # its square is a number


class Bonds:
    """Couplings between layers of spins, of one system or of many at once.

    Attributes:
        blocks: (a, b) with a <= b -> J between the spins of layers a and b, (..., N_a, N_b); within a layer, a = b,
            symmetric with a diagonal of zeros.
        sizes: N_k, spins of each layer.
        shape: the leading axes that all blocks have in common, () for one system.
    """

    def __init__(self, blocks: Mapping[Pair, ArrayLike]) -> None:
        """Bonds of the given blocks; layers are numbered from 0, and every layer has a block.

        Raises:
            InputError: blocks that do not fit together, that are masked, not finite or beyond 1e305, or within a layer
                not square, not symmetric, or with bonds of a spin to itself.
        """
        if not isinstance(blocks, Mapping) or not blocks:
            raise InputError(
                "bonds are blocks by pairs of layers, {(0, 1): J}, or {(0, 0): J} of one symmetric matrix; "
                f"got {shown(blocks)}"
            )
        self.blocks = {checked_pair(key): checked_block(key, block) for key, block in blocks.items()}
        self.shape = next(iter(self.blocks.values())).shape[:-2]
        self.sizes = self._sizes()
        for (a, b), block in self.blocks.items():
            if a == b:
                check_within(a, block)

    def _sizes(self) -> tuple[int, ...]:
        found: dict[int, int] = {}
        for (a, b), block in self.blocks.items():
            if block.shape[:-2] != self.shape:
                raise InputError(f"blocks are of as many systems each: {self.shape} here, {block.shape[:-2]} there")
            for layer, size in ((a, block.shape[-2]), (b, block.shape[-1])):
                if found.setdefault(layer, size) != size:
                    raise InputError(
                        f"layer {layer} has {found[layer]} spins in one block and {size} in another: blocks (a, b) are "
                        "of shape (..., N_a, N_b)"
                    )
        if sorted(found) != list(range(len(found))):
            raise InputError(f"layers are numbered 0, 1, ... and each has bonds; got {sorted(found)}")
        return tuple(found[layer] for layer in sorted(found))

    def __repr__(self) -> str:
        """Which layers are coupled, without the numbers."""
        many = f"{' x '.join(map(str, self.shape))} systems, " if self.shape else ""
        coupled = ", ".join(f"{a}-{b}" for a, b in self.blocks)
        return f"<Bonds: {many}layers of {', '.join(map(str, self.sizes))} spins, coupled {coupled}>"

    @property
    def n_spins(self) -> int:
        """N, all spins."""
        return sum(self.sizes)

    @cached_property
    def places(self) -> list[slice]:
        """Where the spins of each layer stand among all, as in (2)."""
        ends = np.cumsum(self.sizes)
        return [slice(int(end) - size, int(end)) for end, size in zip(ends, self.sizes, strict=True)]

    @cached_property
    def single(self) -> dict[Pair, NDArray[np.float32]]:
        """The blocks in single precision, in which they are read in half the time."""
        return {pair: block.astype(np.float32) for pair, block in self.blocks.items()}

    @cached_property
    def squares(self) -> Array:
        """D_i = sum_j J_ij^2, (..., N)."""
        found = np.zeros((*self.shape, self.n_spins))
        for (a, b), block in self.blocks.items():
            square = block**2
            found[..., self.places[a]] += square.sum(-1)
            if a != b:
                found[..., self.places[b]] += square.sum(-2)
        return found

    @cached_property
    def degree(self) -> NDArray[np.int64]:
        """The most bonds that any spin has, (...): with three or fewer `melting` knows none."""
        found = np.zeros((*self.shape, self.n_spins), np.int64)
        for (a, b), block in self.blocks.items():
            found[..., self.places[a]] += np.count_nonzero(block, -1)
            if a != b:
                found[..., self.places[b]] += np.count_nonzero(block, -2)
        return found.max(-1)

    @cached_property
    def largest(self) -> Array:
        """The largest |J_ij| of each system, (...)."""
        return np.max([np.abs(block).max((-2, -1)) for block in self.blocks.values()], axis=0)

    def over(self, unit: float, *, least: float = 0.0) -> "Bonds":
        """The same in another unit, J / unit, and 0 where that is less than `least`."""
        blocks = {pair: block / unit for pair, block in self.blocks.items()}
        for block in blocks.values():
            block[np.abs(block) < least] = 0
        return _of(blocks, self)

    @cached_property
    def sides(self) -> NDArray[np.bool_] | None:
        """Which layers stand on the second side, (n_layers,), where bonds go between two sides only; else None."""
        side = {0: False}
        waiting = [0]
        while waiting:
            here = waiting.pop()
            for a, b in self.blocks:
                if here in (a, b):
                    there = b if here == a else a
                    if there not in side:
                        waiting.append(there)
                    if side.setdefault(there, not side[here]) == side[here]:
                        return None
        whole = len(side) == len(self.sizes)
        return np.array([side[layer] for layer in range(len(self.sizes))]) if whole else None

    @property
    def is_chain(self) -> bool:
        """Whether every layer is coupled to the next and to no other."""
        return sorted(self.blocks) == [(k, k + 1) for k in range(len(self.sizes) - 1)]

    def apply(self, spins: ArrayLike) -> Array:
        """Local fields h = J sigma, (..., N) of (..., N).

        Raises:
            InputError: another number of spins, no numbers, or rows of several lengths.
        """
        sigma = real_numbers(spins)
        if sigma is None or not sigma.ndim or sigma.shape[-1] != self.n_spins:
            raise InputError(f"spins are numbers, of shape (..., {self.n_spins}); got {shown(spins)}")
        field = np.zeros(np.broadcast_shapes((*self.shape, self.n_spins), sigma.shape))
        for (a, b), block in self.blocks.items():
            field[..., self.places[a]] += np.matvec(block, sigma[..., self.places[b]])
            if a != b:
                field[..., self.places[b]] += np.vecmat(sigma[..., self.places[a]], block)
        return field

    def squared(self) -> "Bonds":
        """J_ij^2 in the place of J_ij."""
        return Bonds({pair: block**2 for pair, block in self.blocks.items()})

    def dense(self) -> Array:
        """J as a matrix (4), (..., N, N).

        Raises:
            InputError: there is no room for it.
        """
        n = self.n_spins
        check_room(8.0 * n**2 * np.prod(self.shape, initial=1), f"dense bonds of {n} spins", "keep the blocks")
        whole = np.zeros((*self.shape, n, n))
        for (a, b), block in self.blocks.items():
            whole[..., self.places[a], self.places[b]] = block
            whole[..., self.places[b], self.places[a]] = block.swapaxes(-1, -2)
        return whole

    def one(self, which: Any) -> "Bonds":
        """The bonds of one system of many: `which` counts along the leading axes.

        Raises:
            InputError: there are not so many, or `which` is no whole number, or one for each axis.
        """
        place = which if isinstance(which, tuple) else (which,)
        known = all(isinstance(each, Integral) and not isinstance(each, bool) for each in place)
        if not known or len(place) > len(self.shape):
            raise InputError(
                f"a system is named by whole numbers, one for each of the axes {self.shape}; got {shown(which)}"
            )
        try:
            return _of({pair: block[place] for pair, block in self.blocks.items()}, self)
        except IndexError:
            raise InputError(
                f"a system is named by whole numbers, one for each of the axes {self.shape}; got {shown(which)}"
            ) from None


def _of(blocks: dict[Pair, Array], known: Bonds) -> Bonds:
    """Bonds between the layers of others, of blocks that need not be looked at again."""
    made = object.__new__(Bonds)
    made.blocks, made.sizes = blocks, known.sizes
    made.shape = next(iter(blocks.values())).shape[:-2]
    return made


def chain(weights: Sequence[ArrayLike]) -> Bonds:
    """Bonds of a layered network (1), (4): layer k-1 is coupled to layer k by J^(k).

    Args:
        weights: J^(1) .. J^(L), each (..., N_(k-1), N_k); of networks that keep them as (N_k, N_(k-1)), transposed.

    Raises:
        InputError: no weights, or layers that do not fit.

    >>> chain([[[1.0, 2.0]], [[3.0], [0.0]]]).dense().tolist()
    [[0.0, 1.0, 2.0, 0.0], [1.0, 0.0, 0.0, 3.0], [2.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0]]
    """
    if isinstance(weights, str | bytes | Mapping) or not isinstance(weights, Sequence) or not len(weights):
        raise InputError(f"weights are a list of matrices, one for each pair of layers; got {shown(weights)}")
    return Bonds({(k, k + 1): block for k, block in enumerate(weights)})


def checked_bonds(bonds: Any) -> Bonds:
    """Bonds, and nothing else.

    Raises:
        InputError: something else.
    """
    if not isinstance(bonds, Bonds):
        raise InputError(f"bonds are made by Bonds or chain (classical.spins); got a {type(bonds).__name__}")
    return bonds


def one_system(bonds: Any) -> Bonds:
    """Bonds of one system alone.

    Raises:
        InputError: of several, or no bonds.
    """
    if checked_bonds(bonds).shape:
        raise InputError(f"this is told of one system at a time; got {bonds.shape} of them: take bonds.one(which)")
    return bonds


def checked_beta(bonds: Bonds, beta: float) -> float:
    """An inverse temperature at which beta J is a number, and its square.

    Raises:
        InputError: it is negative, or it or the bonds are too large.
    """
    beta, largest = number("beta", beta, least=0, most=MOST_BETA), float(bonds.largest.max())
    if max(beta, 1.0) * largest > MOST_BETA:
        raise InputError(f"J and beta J are at most {MOST_BETA:g}; got beta = {beta:g}, J = {largest:g}: divide J")
    return beta
