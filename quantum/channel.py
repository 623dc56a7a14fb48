"""A quantum recurrent network on given music, exactly: features of every chord, and their slope along the angles.

U does not depend on the music, and what a chord does to the history is a fixed map, made once for each distinct chord:

    A(x) = U (|x> (x) 1_H)                                              (2^N, 2^n_H)
    coherent    rho' = tr_D A rho A^dagger                              (Li et al., arXiv:2302.03244)
    staggered   rho' = A rho A^dagger, D[0] dephased, traced over D[1:] and H[0]; H' = H[1:] + D[0]
    measured    psi = A |h>,  |h> = (x)_j RY(pi (1 - <Z_j>)/2) |0>      (Hertz, talk of 12 June 2024)
    features    <Z>, and <X> if asked for, of what is measured

Backwards goes the adjoint: with O the observable that the loss wants, dL/dA = 2 O A rho and Lambda = A^dagger O A takes
the place of O on the history one chord earlier. Time runs over blocks of all pieces that still sound.
"""

from dataclasses import dataclass
from math import pi
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from quantum.block import Block
from quantum.evolution import slope, unitaries


@dataclass(frozen=True, eq=False)
class Music:
    """Chords packed time-major, as `encoding.transitions` has them.

    Attributes:
        states: the kets of the distinct chords, (n_distinct, 2^n_D).
        chord: which of them sounds in each slot, (n_slots,).
        offsets: first slot of each time, and their number at the end.
    """

    states: Tensor
    chord: Tensor
    offsets: tuple[int, ...]

    def blocks(self) -> list[slice]:
        """The slots of each time."""
        return [slice(a, b) for a, b in zip(self.offsets, self.offsets[1:], strict=False)]


class ChannelPass(NamedTuple):
    """What a pass leaves for the way back: the features (R, n_slots, n_f), U, A, and the histories met."""

    features: Tensor
    unitary: Tensor
    maps: Tensor
    histories: list[Tensor]


class Cell(Protocol):
    """What one chord does to the histories of all pieces and replicas, and back."""

    def begin(self, n_replicas: int, n_pieces: int, like: Tensor) -> Tensor:
        """The histories before the first chord."""
        ...

    def forward(self, maps: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """Features (R, b, n_f) and the next histories; maps (R, b, 2^N, 2^n_H)."""
        ...

    def backward(self, maps: Tensor, history: Tensor, error: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """dL/dA and dL/d history, from dL/d features and dL/d next history."""
        ...


class Channel:
    """A block on some music; R replicas of its angles at once.

    Args:
        block: registers, rotations, ladder, schedule.
        music: what is played to it.
        observables: "Z" or "ZX".
    """

    def __init__(self, block: Block, music: Music, observables: str = "Z") -> None:
        self.block, self.music, self.observables = block, music, observables
        self.cell: Cell = (Measured if block.schedule == "measured" else Carried)(block, observables)
        self._blocks = music.blocks()

    @property
    def n_features(self) -> int:
        """Numbers read at each chord."""
        return len(self.block.measured()) * len(self.observables)

    def run(self, angles: Tensor) -> ChannelPass:
        """Features of every slot, (R, n_slots, n_f), and what the way back needs; angles (R, n_angles)."""
        unitary = unitaries(self.block.ladder, angles.double()).to(self.music.states.dtype)  # rounded U adds up in time
        maps = self.maps(unitary)
        first = self._blocks[0]
        history = self.cell.begin(len(angles), first.stop - first.start, maps)
        features, histories = [], []
        for block in self._blocks:
            history = history[:, : block.stop - block.start]  # pieces are sorted, the longest first
            histories.append(history)
            seen, history = self.cell.forward(maps[:, self.music.chord[block]], history)
            features.append(seen)
        return ChannelPass(torch.cat(features, 1), unitary, maps, histories)

    def slope(self, angles: Tensor, passed: ChannelPass, error: Tensor) -> Tensor:
        """dL/d angles, (R, n_angles), from dL/d features, (R, n_slots, n_f)."""
        of_maps = torch.zeros_like(passed.maps)
        after = torch.zeros_like(passed.histories[-1])
        for block, history in zip(reversed(self._blocks), reversed(passed.histories), strict=True):
            if history.shape[1] > after.shape[1]:  # pieces that end here
                ended = history.shape[1] - after.shape[1]
                after = torch.cat([after, torch.zeros_like(history[:, :ended])], 1)
            chord = self.music.chord[block]
            of_map, after = self.cell.backward(passed.maps[:, chord], history, error[:, block], after)
            of_maps.index_add_(1, chord, of_map)
        return slope(self.block.ladder, angles, passed.unitary, self._back_to_unitary(of_maps))

    def maps(self, unitary: Tensor) -> Tensor:
        """A of every distinct chord, (R, n_distinct, 2^N, 2^n_H)."""
        n = self.block.n_qubits
        columns = unitary.reshape(len(unitary), 2**n, 2**self.block.n_data, -1)
        return torch.einsum("rndh,xd->rxnh", columns, self.music.states.to(unitary.dtype)).contiguous()

    def _back_to_unitary(self, of_maps: Tensor) -> Tensor:
        states = self.music.states.to(of_maps.dtype).conj()
        return torch.einsum("rxnh,xd->rndh", of_maps, states).flatten(2)


class Carried:
    """Coherent and staggered: the history is a density matrix, (R, b, 2^n_H, 2^n_H)."""

    def __init__(self, block: Block, observables: str) -> None:
        self.d, self.h = 2**block.n_data, 2**block.n_history
        self.staggered = block.schedule == "staggered"
        self.read = Observables(block.n_data, self.d * self.h, observables)

    def begin(self, n_replicas: int, n_pieces: int, like: Tensor) -> Tensor:
        """|0><0|."""
        rho = like.new_zeros((n_replicas, n_pieces, self.h, self.h))
        rho[..., 0, 0] = 1
        return rho

    def forward(self, maps: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """A rho A^dagger, read and reduced."""
        moved = maps @ history
        features = self.read.expectations(moved, maps)
        return features, self._reduced(moved, maps)

    def backward(self, maps: Tensor, history: Tensor, error: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """O A, then 2 O A rho and A^dagger O A."""
        observed = self._lifted(after, maps) + self.read.observable(error, maps)
        return 2 * observed @ history, maps.mH @ observed

    def _reduced(self, left: Tensor, right: Tensor) -> Tensor:
        """tr over what is reset of left right^dagger."""
        if not self.staggered:
            return torch.einsum("rbdhi,rbdki->rbhk", self._split(left), self._split(right).conj())
        kept = torch.einsum("rbexhi,rbexki->rbehk", self._shifted(left), self._shifted(right).conj())
        rho = left.new_zeros((*left.shape[:2], self.h // 2, 2, self.h // 2, 2))
        rho[..., 0, :, 0], rho[..., 1, :, 1] = kept[:, :, 0], kept[:, :, 1]
        return rho.reshape(*left.shape[:2], self.h, self.h)

    def _lifted(self, after: Tensor, maps: Tensor) -> Tensor:
        """(1 (x) Lambda) A, Lambda on what is carried."""
        if not self.staggered:
            return torch.einsum("rbhk,rbdki->rbdhi", after, self._split(maps)).reshape(maps.shape)
        half = self.h // 2
        split = after.reshape(*after.shape[:2], half, 2, half, 2)
        kept = torch.stack([split[..., 0, :, 0], split[..., 1, :, 1]], 2)  # (R, b, D[0], H', H')
        return torch.einsum("rbehk,rbexki->rbexhi", kept, self._shifted(maps)).reshape(maps.shape)

    def _split(self, maps: Tensor) -> Tensor:
        return maps.reshape(*maps.shape[:2], self.d, self.h, -1)

    def _shifted(self, maps: Tensor) -> Tensor:
        """D[0]; D[1:] and H[0], which are reset; H[1:]."""
        return maps.reshape(*maps.shape[:2], 2, self.d, self.h // 2, -1)


class Measured:
    """The history is the averages <Z> of the H qubits, (R, b, n_H), as complex numbers without imaginary part."""

    def __init__(self, block: Block, observables: str) -> None:
        self.n_data, self.n_history = block.n_data, block.n_history
        self.read = Observables(block.n_qubits, 2**block.n_qubits, observables)

    def begin(self, n_replicas: int, n_pieces: int, like: Tensor) -> Tensor:
        """Every average is 1: nothing is rotated."""
        return like.new_ones((n_replicas, n_pieces, self.n_history))

    def forward(self, maps: Tensor, history: Tensor) -> tuple[Tensor, Tensor]:
        """psi = A |h>."""
        return self.read_out(maps @ self.ket(history)[..., None], maps.dtype)

    def read_out(self, psi: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Features and the averages of H, of kets (R, b, 2^N, 1)."""
        features = self.read.expectations(psi, psi)
        return features, features[..., self.n_data : self.n_data + self.n_history].to(dtype)

    def backward(self, maps: Tensor, history: Tensor, error: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """dL/dA = 2 O psi <h|, and the slope of |h> in every average."""
        ket = self.ket(history)
        of_psi = self.of_ket(maps @ ket[..., None], error, after)
        return of_psi * ket[..., None, :], self.of_averages((maps.mH @ of_psi)[..., 0], history)

    def of_ket(self, psi: Tensor, error: Tensor, after: Tensor) -> Tensor:
        """2 O psi, (R, b, 2^N, 1), O the observable that the loss wants, now and through the averages."""
        error = error.clone()
        error[..., self.n_data : self.n_data + self.n_history] += after.real
        return 2 * self.read.observable(error, psi)

    def of_averages(self, of_ket: Tensor, history: Tensor) -> Tensor:
        """dL/d averages, from dL/d|h>, (R, b, 2^n_H)."""
        slopes = [(of_ket * self.ket(history, turned=j)).real.sum(-1) for j in range(self.n_history)]
        return torch.stack(slopes, -1).to(of_ket.dtype)

    def ket(self, history: Tensor, turned: int | None = None) -> Tensor:
        """(x)_j (cos a_j/2, sin a_j/2), a = pi (1 - z)/2; with `turned` its slope in z_j."""
        half = pi / 4 * (1 - history.real)
        ket = torch.ones_like(half[..., :1])
        for j in range(self.n_history):
            cos, sin = half[..., j].cos(), half[..., j].sin()
            pair = torch.stack([sin, -cos], -1) * (pi / 4) if j == turned else torch.stack([cos, sin], -1)
            ket = (ket[..., :, None] * pair[..., None, :]).flatten(-2)
        return ket.to(history.dtype)


class Observables:
    """<Z> and <X> of the first `n_read` qubits; features run over Z of all, then X of all."""

    def __init__(self, n_read: int, size: int, observables: str) -> None:
        self.n_read, self.observables = n_read, observables
        state = torch.arange(size)
        n = size.bit_length() - 1
        self.signs = torch.stack([1 - 2 * (state >> (n - 1 - q) & 1) for q in range(n_read)], 1).float()
        self.flipped = [state ^ (1 << (n - 1 - q)) for q in range(n_read)]

    def expectations(self, left: Tensor, right: Tensor) -> Tensor:
        """tr(P left right^dagger), (R, b, n_f), for matrices (R, b, 2^N, columns)."""
        populations = (left * right.conj()).real.sum(-1)
        found = [populations @ self.signs.to(populations.dtype)] if "Z" in self.observables else []
        if "X" in self.observables:
            crossed = [(left * right[:, :, flipped].conj()).real.sum((-2, -1)) for flipped in self.flipped]
            found.append(torch.stack(crossed, -1))
        return torch.cat(found, -1)

    def observable(self, weights: Tensor, maps: Tensor) -> Tensor:
        """sum_f w_f P_f applied to matrices (R, b, 2^N, columns); weights (R, b, n_f)."""
        applied, place = torch.zeros_like(maps), 0
        if "Z" in self.observables:
            diagonal = weights[..., : self.n_read] @ self.signs.to(weights.dtype).T
            applied, place = applied + diagonal[..., None] * maps, self.n_read
        for qubit, flipped in enumerate(self.flipped if "X" in self.observables else ()):
            applied = applied + weights[..., place + qubit, None, None] * maps[:, :, flipped]
        return applied
