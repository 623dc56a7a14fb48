"""Overlaps of machines layer by layer, and how layers hang together.

A network of depth L and width N learns M = alpha N patterns (Yoshino, SciPost Phys. Core 2, 005 (2020)):

    S_l,i = sgn( N^-1/2 sum_j J_l,ij S_(l-1),j ),   l = 1 .. L

Spin layers l = 0 .. L carry overlaps q(l) of the S of two machines that learned the same, with q(0) = q(L) = 1, for
input and output are given; bond layers l = 1 .. L carry overlaps Q(l) of their J. Where replica symmetry is broken
there are levels i = 0 .. k, q_0 <= .. <= q_k, and 0 < m_1 < .. < m_k < 1: the share m_(i+1) - m_i of pairs has overlap
q_i (m_0 = 0, m_(k+1) = 1). A bond layer feels lambda_i(l) = q_i(l-1) Q_i(l) q_i(l) and answers with K_i; a spin layer
feels

    eps_i(l) = q_i(l-1) Q_i(l) K_i(l) + Q_i(l+1) q_i(l+1) K_i(l+1)

from below and from above. Where machines are so deep that their middle is liquid, q = 0, one end is all there is to be
looked at: the other is `open`, q(L) = 0.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FROZEN = 1 - 1e-13  # an overlap beyond cannot be told from 1
LESS = 0.5  # of a distance between overlaps, kept in one step
NEAREST = 1e-6  # distance from 1 that is measured like larger ones
MET, FREE = 1e-4, 1e-3  # a distance of overlaps that are looked at as equal, and from 1 where there is room to part
START = 0.5  # from higher ones students may find their teacher, a solution of its own


class Shape(NamedTuple):
    """How overlaps of layers are laid out as one vector x: q(1 .. L-1), then Q(1 .. L), levels last.

    Input and output are alike, so that q(l) = q(L - l) and Q(l) = Q(L + 1 - l): x has the first half of them, unless
    one end is open.
    """

    depth: int
    n_levels: int
    open: bool = False

    @property
    def n_spins(self) -> int:
        """Inner spin layers in x."""
        return self.depth - 1 if self.open else self.depth // 2

    @property
    def n_bonds(self) -> int:
        """Bond layers in x."""
        return self.depth if self.open else (self.depth + 1) // 2

    @property
    def size(self) -> int:
        """Numbers in x."""
        return (self.n_spins + self.n_bonds) * self.n_levels

    def unfolded(self, half: Array, n_layers: int) -> Array:
        """All layers, from those in x."""
        return np.concatenate([half, half[: n_layers - len(half)][::-1]])

    def apart(self, x: Array, edge: float = 1.0) -> tuple[Array, Array]:
        """q with its boundaries, (L + 1, k + 1), and Q, (L, k + 1)."""
        rows = x.reshape(-1, self.n_levels)
        given = np.full((1, self.n_levels), edge)
        end = np.zeros_like(given) if self.open else given
        inner = self.unfolded(rows[: self.n_spins], self.depth - 1)
        return np.concatenate([given, inner, end]), self.unfolded(rows[self.n_spins :], self.depth)

    def named(self, x: Array) -> dict[str, Array]:
        """The same, as a `Profile` calls them."""
        q, bonds = self.apart(x)
        return {"q": q, "Q": bonds}

    def together(self, q: Array, bonds: Array) -> Array:
        """The vector of inner q and of Q, one layer a row; of the layers that x has no row for none need be given."""
        q, bonds = np.reshape(q, (-1, self.n_levels)), np.reshape(bonds, (-1, self.n_levels))
        return np.concatenate([q[: self.n_spins], bonds[: self.n_bonds]]).ravel()

    def within(self, new: Array, old: Array) -> Array:
        """`new`, unless it has left the region of overlaps, 0 <= q_0 <= .. <= q_k <= 1.

        Of the distances between neighbours there none becomes less than a part of what it was: levels that are to meet
        come nearer and nearer, and may part again.
        """
        was, now = (np.diff(x.reshape(-1, self.n_levels), prepend=0.0, append=1.0) for x in (old, new))
        kept = np.maximum(now, LESS * np.maximum(was, 0.0))
        return np.cumsum(kept / kept.sum(-1, keepdims=True), axis=-1)[:, :-1].ravel()

    def unit(self, x: Array) -> Array:
        """1 - x: overlaps near 1 are to be right in their distance from it."""
        return 1 - x + NEAREST

    def frail(self, x: Array) -> Callable[[Array], Array]:
        """Of differences from x those parts that part equal levels, or overlaps from 0, where none is near 1.

        Levels that are equal in all layers stay so, whatever else happens: each of them is a part. The others are one.
        """
        rows = x.reshape(-1, self.n_levels)
        met = (np.diff(rows, prepend=0.0) < MET) & (rows[:, -1:] < 1 - FREE)
        alone = np.flatnonzero(met.all(axis=0))
        each = [met & (np.arange(self.n_levels) == level) for level in alone]
        each = np.array([*each, met & ~met.all(axis=0)])  # (n_parts, n_layers, n_levels)

        def parts(v: Array) -> Array:
            apart = np.diff(v.reshape(-1, self.n_levels), prepend=0.0)
            return np.cumsum(np.where(each, apart, 0.0), axis=-1).reshape(len(each), x.size)

        return parts

    def start(self, low: float = START, high: float = START) -> Array:
        """Overlaps from `low` to `high` over the levels, the same in all layers."""
        return np.tile(np.linspace(low, high, self.n_levels), self.n_spins + self.n_bonds)


def fields_of_spins(q: Array, bonds: Array, answer: Array) -> Array:
    """eps of the inner spin layers, (L - 1, k + 1), from q (L + 1, ..), Q and K (L, ..)."""
    push = bonds * answer
    return np.maximum(q[:-2] * push[:-1] + push[1:] * q[2:], 0.0)


def couplings(q: Array, bonds: Array) -> Array:
    """lambda of the bond layers, (L, k + 1)."""
    return np.clip(q[:-1] * bonds * q[1:], 0.0, FROZEN)
