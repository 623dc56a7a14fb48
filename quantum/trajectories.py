"""A quantum recurrent network by sampled pure states, where density matrices of the history are too large.

A trajectory carries a ket of H and one outcome at every chord; averaged over trajectories its features are those of the
channel (`quantum.channel`), without bias:

    phi = U |x> |psi_H>,   d drawn with p_d = |<d|phi>|^2,   psi_H' = <d|phi> / sqrt p_d,   f = <phi|P|phi>

coherent: d of D. staggered: d of D and H[0]; the new history is H[1:] and D[0] as it was found. Features are
expectation values of the ket before its outcome is drawn, which scatter less than single shots.

Backwards every sqrt p_d stays what it was: a ket then carries its probability relative to now, and the slope of its
norm is that of ln p_d. What is subtracted from f in it, the mean of the other trajectories of the piece at the same
chord, has no effect on the average, and takes much of the scatter away (a control variate; Williams 1992).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from quantum.block import Block
from quantum.channel import Music, Observables
from quantum.evolution import evolved, undone


class TrajectoryPass(NamedTuple):
    """What a pass leaves for the way back: features (R, n_slots, n_f), averaged; of each time kets, features, outcomes.

    Kets after U are (R, 2^N, b n_trajectories), the trajectories of a piece side by side.
    """

    features: Tensor
    kets: list[Tensor]
    seen: list[Tensor]
    outcomes: list[Tensor]
    norms: list[Tensor]


class Trajectories:
    """A block on some music, by sampled kets; R replicas of its angles at once.

    Args:
        block: of the coherent or staggered schedule.
        music: what is played to it.
        observables: "Z" or "ZX".
        n_trajectories: kets for each piece, at least 2.
    """

    def __init__(self, block: Block, music: Music, observables: str = "Z", *, n_trajectories: int = 8) -> None:
        self.block, self.music, self.n = block, music, n_trajectories
        self.read = Observables(block.n_data, 2**block.n_qubits, observables)
        self.staggered = block.schedule == "staggered"
        self._blocks = music.blocks()

    def run(self, angles: Tensor, draws: Sequence[np.random.Generator]) -> TrajectoryPass:
        """Features of every slot and what the way back needs; outcomes are drawn from the generator of each replica."""
        n_replicas, first = len(angles), self._blocks[0]
        history = self._begin(angles, first.stop - first.start)
        kets, seen, outcomes, norms = [], [], [], []
        for block in self._blocks:
            history = history[:, :, : (block.stop - block.start) * self.n]
            ket = evolved(self.block.ladder, angles, self._joined(block, history))
            features = self._features(ket)
            outcome, norm, history = self._drawn(ket, draws)
            for kept, made in ((kets, ket), (seen, features), (outcomes, outcome), (norms, norm)):
                kept.append(made)
        means = [each.reshape(n_replicas, -1, self.n, each.shape[-1]).mean(2) for each in seen]
        return TrajectoryPass(torch.cat(means, 1), kets, seen, outcomes, norms)

    def slope(self, angles: Tensor, sampled: TrajectoryPass, error: Tensor) -> Tensor:
        """dL/d angles, (R, n_angles), without bias, from dL/d features, (R, n_slots, n_f)."""
        total = torch.zeros_like(angles)
        after = torch.zeros_like(self._begin(angles, 0))
        parts = zip(self._blocks, sampled.kets, sampled.seen, sampled.outcomes, sampled.norms, strict=True)
        for block, ket, seen, outcome, norm in reversed(list(parts)):
            ended = ket.shape[2] - after.shape[2]
            after = torch.cat([after, after.new_zeros((*after.shape[:2], ended))], 2)
            weights = error[:, block].repeat_interleave(self.n, 1) / self.n  # (R, b n, n_f)
            upstream = 2 * self._observed(ket, weights) - 2 * self._baseline(seen, weights)[:, None] * ket
            upstream = upstream + self._put_back(after, outcome, norm)
            slopes, before = undone(self.block.ladder, angles, ket, upstream)
            total += slopes
            after = torch.einsum("rdhc,cd->rhc", before.unflatten(1, self._split), self._chords(block).conj())
        return total

    @property
    def _split(self) -> tuple[int, int]:
        return 2**self.block.n_data, 2**self.block.n_history

    def _begin(self, angles: Tensor, n_pieces: int) -> Tensor:
        """|0>, (R, 2^n_H, n_pieces n)."""
        dtype = torch.complex64 if angles.dtype == torch.float32 else torch.complex128
        history = torch.zeros((len(angles), self._split[1], n_pieces * self.n), dtype=dtype)
        history[:, 0] = 1
        return history

    def _chords(self, block: slice) -> Tensor:
        """Kets of the chords of a time, each n times, (b n, 2^n_D)."""
        return self.music.states[self.music.chord[block]].repeat_interleave(self.n, 0)

    def _joined(self, block: slice, history: Tensor) -> Tensor:
        return torch.einsum("cd,rhc->rdhc", self._chords(block).to(history.dtype), history).flatten(1, 2)

    def _features(self, ket: Tensor) -> Tensor:
        """<phi|P|phi>, (R, b n, n_f)."""
        columns = ket.transpose(1, 2)[..., None]
        return self.read.expectations(columns, columns)

    def _observed(self, ket: Tensor, weights: Tensor) -> Tensor:
        return self.read.observable(weights, ket.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)

    def _baseline(self, seen: Tensor, weights: Tensor) -> Tensor:
        """sum_f w_f times the mean of f over the other trajectories of the piece, (R, b n)."""
        pieces = seen.unflatten(1, (-1, self.n))
        others = (pieces.sum(2, keepdim=True) - pieces) / (self.n - 1)
        return (weights * others.flatten(1, 2)).sum(-1)

    def _drawn(self, ket: Tensor, draws: Sequence[np.random.Generator]) -> tuple[Tensor, Tensor, Tensor]:
        """What is found, (R, b n), the roots of its probability, and the histories that are left."""
        parts = self._parts(ket)  # (R, outcomes, rest, b n)
        p = parts.abs().square().sum(2)
        chance = np.stack([rng.random(ket.shape[2]) for rng in draws])
        reached = p.cumsum(1) >= torch.from_numpy(chance).to(p.dtype)[:, None] * p.sum(1, keepdim=True)
        outcome = reached.to(torch.int64).argmax(1)
        norm = p.gather(1, outcome[:, None])[:, 0].sqrt()
        left = parts.gather(1, outcome[:, None, None].expand(-1, 1, parts.shape[2], -1))[:, 0] / norm[:, None]
        return outcome, norm, self._carried(left, outcome)

    def _parts(self, ket: Tensor) -> Tensor:
        """By what is found: D; in `staggered` D and H[0]."""
        return ket.unflatten(1, (self._split[0] * (2 if self.staggered else 1), -1))

    def _carried(self, left: Tensor, outcome: Tensor) -> Tensor:
        """The history of the next chord: H, or H[1:] and D[0] as it was found."""
        if not self.staggered:
            return left
        found = outcome // self._split[0]  # D[0] leads D and H[0], 2^(n_D + 1) outcomes
        pair = torch.stack([1 - found, found], 1).to(left.dtype)  # (R, 2, b n)
        return (left[:, :, None] * pair[:, None]).flatten(1, 2)

    def _put_back(self, after: Tensor, outcome: Tensor, norm: Tensor) -> Tensor:
        """The adjoint of `_drawn`: V of the next history in its place in the ket, (R, 2^N, b n)."""
        if self.staggered:
            found = (outcome // self._split[0])[:, None, None]
            after = after.unflatten(1, (-1, 2)).gather(2, found.expand(-1, after.shape[1] // 2, 1, -1))[:, :, 0]
        n_outcomes = self._split[0] * (2 if self.staggered else 1)
        whole = after.new_zeros((after.shape[0], n_outcomes, *after.shape[1:]))
        whole.scatter_(1, outcome[:, None, None].expand(-1, 1, *after.shape[1:]), (after / norm[:, None])[:, None])
        return whole.flatten(1, 2)
