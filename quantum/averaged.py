"""The measured schedule gate by gate: one ket a piece, no unitary, where U would be too large to hold.

    psi = U |x> |h>,   |h> = (x)_j RY(pi (1 - <Z_j>)/2) |0>,   f = <psi|P|psi>           (Hertz, talk of 12 June 2024)

As exact as `quantum.channel`, which makes U once for all chords and is faster up to five history qubits.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from quantum.block import Block
from quantum.channel import Measured, Music
from quantum.evolution import evolved, undone


class AveragedPass(NamedTuple):
    """What a pass leaves for the way back: features (R, n_slots, n_f); averages before and kets after each time."""

    features: Tensor
    averages: list[Tensor]
    kets: list[Tensor]


class Averaged:
    """A block of the measured schedule on some music; R replicas of its angles at once.

    Args:
        block: of the measured schedule.
        music: what is played to it.
        observables: "Z" or "ZX".
    """

    def __init__(self, block: Block, music: Music, observables: str = "Z") -> None:
        self.block, self.music = block, music
        self.cell = Measured(block, observables)
        self._blocks = music.blocks()

    def run(self, angles: Tensor) -> AveragedPass:
        """Features of every slot and what the way back needs; angles (R, n_angles)."""
        first, like = self._blocks[0], self.music.states.new_zeros(())
        average = self.cell.begin(len(angles), first.stop - first.start, like)
        averages, kets, features = [], [], []
        for block in self._blocks:
            average = average[:, : block.stop - block.start]
            ket = evolved(self.block.ladder, angles, self._joined(block, average))
            averages.append(average)
            kets.append(ket)
            seen, average = self.cell.read_out(_columns(ket), average.dtype)
            features.append(seen)
        return AveragedPass(torch.cat(features, 1), averages, kets)

    def slope(self, angles: Tensor, played: AveragedPass, error: Tensor) -> Tensor:
        """dL/d angles, (R, n_angles), from dL/d features, (R, n_slots, n_f)."""
        total = torch.zeros_like(angles)
        after = torch.zeros_like(played.averages[-1])
        for block, average, ket in reversed(list(zip(self._blocks, played.averages, played.kets, strict=True))):
            ended = average.shape[1] - after.shape[1]
            after = torch.cat([after, torch.zeros_like(average[:, :ended])], 1)  # pieces that end here
            of_ket = self.cell.of_ket(_columns(ket), error[:, block], after)
            slopes, before = undone(self.block.ladder, angles, ket, of_ket[..., 0].transpose(1, 2))
            total += slopes
            after = self.cell.of_averages(self._apart(block, before), average)
        return total

    def _joined(self, block: slice, average: Tensor) -> Tensor:
        """|x> |h> of every piece, (R, 2^N, b)."""
        ket = self.cell.ket(average)
        return torch.einsum("bd,rbh->rdhb", self.music.states[self.music.chord[block]], ket).flatten(1, 2)

    def _apart(self, block: slice, joined: Tensor) -> Tensor:
        """<x| on what stands before U, (R, b, 2^n_H)."""
        states = self.music.states[self.music.chord[block]].conj()
        split = joined.unflatten(1, (states.shape[1], -1))
        return torch.einsum("bd,rdhb->rbh", states, split)


def _columns(ket: Tensor) -> Tensor:
    """Kets of all pieces, (R, 2^N, b), as matrices of one column, (R, b, 2^N, 1)."""
    return ket.transpose(1, 2)[..., None]
