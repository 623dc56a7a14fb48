"""What S shots show of a quantum recurrent network, drawn by our own simulator.

A shot is a ket that meets one outcome at every chord, so the outcomes of a piece have the joint law of the circuit's:

    phi = A(x) |psi_H>,    d drawn with p_d = |<d|phi>|^2,    |psi_H'> = <d|phi> / sqrt p_d,    f = average of (-1)^d
    coherent    d of D
    staggered   d of D and H[0], which is reset unread; the new history is H[1:] and D[0] as found
    measured    S = 1: d of all, the new history is H as found. S > 1: counts of S shots, multinomial, at each chord

<X> takes S further shots, read in X throughout. D is reset after it is read, and sum_d <d|phi><phi|d> is the same
trace over D in every basis: the history does not notice. Kets are complex64: what rounding adds to a probability, some
1e-6, hides below the scatter 1/sqrt S of any number of shots that can be paid.
"""

from collections.abc import Iterator
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.memory import check_room
from quantum.block import Block
from quantum.channel import Music
from quantum.evolution import unitaries
from quantum.needs import matrix_bytes
from quantum.sources import Real, Sizes, checked_music, pieces_at

ROOM = 1 << 23  # complex64 of kets at once, 64 MB; memory, not numbers, depends on it
Kets = NDArray[np.complex64]


class Shots(Sizes):
    """A block on some music, seen in S shots in each basis: a Source.

    Many variants, as of a gradient by shifts, take minutes in one call; Ctrl-C ends it within a chord, for kets are
    moved in parts of 64 MB. What was drawn is lost.

    Args:
        block: registers, rotations, ladder, schedule.
        music: what is played to it.
        observables: "Z" or "ZX".
        shots: S, in each basis.

    Raises:
        InputError: no block or music, shots below 1, an X that no shot shows (see `Sizes`), or a U for which there is
            no room.
    """

    def __init__(self, block: Block, music: Music, observables: str, shots: int) -> None:
        if shots is None:
            raise InputError("a number of shots is a whole number of at least 1; averages without scatter are Exact's")
        super().__init__(block, checked_music(music).offsets, observables, shots)
        check_room(
            matrix_bytes(block, number=8) + 16.0 * ROOM,
            f"shots of {block.n_qubits} qubits, by a dense U,",
            "take fewer qubits, or a Sampler, whose circuits need none",
        )
        assert self.shots is not None
        self._shots = self.shots
        self._chords: Kets = music.states.numpy().astype(np.complex64)
        self._slots, self._which = music.blocks(), music.chord.numpy()
        self._n, self._d, self._h = (2**n for n in (block.n_qubits, block.n_data, block.n_history))
        # of a gradient by shifts all angles but one chord's are the same again and again
        self._unitary = lru_cache(max(1, 2 * ROOM // self._n**2))(partial(_unitary, block))

    def whole(self, angles: ArrayLike, draw: np.random.Generator) -> Real:
        """Averages of the outcomes of whole pieces, (V, n_slots, n_f).

        Args:
            angles: of the ladder at every chord, (V, n_times, n_angles), in radians.
            draw: outcomes are drawn from it, variant after variant, shot after shot.

        Raises:
            InputError: angles of another shape or not finite; `measured` with more than one shot.
        """
        checked = self.checked_whole(angles, draw)
        each = zip(self.observables, _apart(draw, len(self.observables)), strict=True)
        return np.concatenate([self._averages(checked, own, basis) for basis, own in each], 2)

    def chord(self, time: int, angles: ArrayLike, turns: ArrayLike, draw: np.random.Generator) -> tuple[Real, Real]:
        """Averages of the outcomes of one chord, (V, b, n_f), and those of H in Z, (V, b, n_H).

        Args:
            time: number of the chord, from 0.
            angles: of the ladder, (V, n_angles), in radians.
            turns: of the RY on H, (V, b, n_H), in radians.
            draw: outcomes are drawn from it.

        Raises:
            InputError: arrays of another shape or not finite, no such time, or another schedule than measured.
        """
        checked, turns = self.checked_chord(time, angles, turns, draw)
        chords = self._chords[self._which[self._slots[time]]]
        kets = (chords[:, :, None] * _turned(turns)[:, :, None, :]).reshape(*turns.shape[:2], self._n)  # (V, b, 2^N)
        seen = []
        for basis, own in zip(self.observables, _apart(draw, len(self.observables)), strict=True):
            ket = np.empty_like(kets)
            for unitary, alike in self._distinct(checked, basis):
                ket[alike] = kets[alike] @ unitary
            seen.append(self._counted(ket, own))
        features = np.concatenate(seen, 2)
        return features, features[..., self.block.n_data : self.block.n_qubits]

    def _averages(self, angles: Real, draw: np.random.Generator, basis: str) -> Real:
        """Of every shot of every variant; a few at a time, drawn in the same order however many fit."""
        total = np.zeros((len(angles), self.n_slots, len(self.block.measured())))
        n, few = len(angles) * self._shots, max(1, ROOM // (pieces_at(self, 0) * self._n))
        for first in range(0, n, few):
            variant = np.arange(first, min(n, first + few)) // self._shots
            known, begins = np.unique(variant, return_index=True)
            chance = draw.random((len(variant), self.n_slots))
            ones = self._ones(angles[known], variant - variant[0], chance, basis)
            total[known] += 1.0 * np.add.reduceat(ones, begins, axis=0, dtype=np.int64)
        return 1 - 2 * total / self._shots

    def _ones(self, angles: Real, variant: NDArray[np.intp], chance: Real, basis: str) -> NDArray[np.bool_]:
        """Which qubits are found in 1 in every run, (runs, n_slots, n_measured)."""
        n = len(self.block.measured())
        history = np.zeros((len(variant), pieces_at(self, 0), self._h), np.complex64)
        history[..., 0] = 1
        seen = np.empty((len(variant), self.n_slots, n), np.bool_)
        for time, slots in enumerate(self._slots):
            heard = self._which[slots]
            ket = self._moved(angles[:, time], variant, self._chords[heard], history[:, : len(heard)], basis)
            outcome, history = self._drawn(ket, chance[:, slots])
            read = outcome >> 1 if self.block.schedule == "staggered" else outcome
            seen[:, slots] = read[..., None] >> np.arange(n)[::-1] & 1
        return seen

    def _moved(self, angles: Real, variant: NDArray[np.intp], chords: Kets, history: Kets, basis: str) -> Kets:
        """A(x)|psi_H> of every run and piece, (runs, b, 2^N); runs of the same angles in one product."""
        ket = np.empty((*history.shape[:2], self._n), np.complex64)
        for unitary, alike in self._distinct(angles, basis):
            runs = slice(None) if alike.all() else np.flatnonzero(alike[variant])  # of a shift few are alike
            for piece, chord in enumerate(chords):
                a = (chord @ unitary.reshape(self._d, -1)).reshape(self._h, self._n)
                ket[runs, piece] = history[runs, piece] @ a
        return ket

    def _distinct(self, angles: Real, basis: str) -> Iterator[tuple[Kets, NDArray[np.bool_]]]:
        """U of angles that differ, and which variants have them."""
        distinct, which = np.unique(angles, axis=0, return_inverse=True)
        for number, theta in enumerate(distinct):
            yield self._unitary(theta.tobytes(), basis), which.ravel() == number

    def _drawn(self, ket: Kets, chance: Real) -> tuple[NDArray[np.intp], Kets]:
        """What is found, (runs, b), and the histories that are left."""
        n_outcomes = {"coherent": self._d, "staggered": 2 * self._d, "measured": self._n}[self.block.schedule]
        parts = ket.reshape(*ket.shape[:2], n_outcomes, -1)
        reached = (parts.real**2 + parts.imag**2).sum(-1, dtype=np.float64).cumsum(-1)
        outcome = (reached > chance[..., None] * reached[..., -1:]).argmax(-1)
        left = np.take_along_axis(parts, outcome[..., None, None], 2)[:, :, 0]
        left = left / np.sqrt((left.real**2 + left.imag**2).sum(-1, keepdims=True))
        if self.block.schedule == "coherent":
            return outcome, left
        if self.block.schedule == "staggered":  # H[1:] and D[0] as it was found, the leading bit of D
            found = np.stack([outcome < self._d, outcome >= self._d], -1)
            return outcome, (left[..., :, None] * found[..., None, :]).reshape(*outcome.shape, -1)
        return outcome, np.eye(self._h, dtype=np.complex64)[outcome % self._h]

    def _counted(self, ket: Kets, draw: np.random.Generator) -> Real:
        """Averages over S shots of kets (b, 2^N), (b, N)."""
        p = (ket.real**2 + ket.imag**2).astype(np.float64)
        counts = draw.multinomial(self._shots, p / p.sum(-1, keepdims=True))
        ones = np.arange(self._n)[:, None] >> np.arange(self.block.n_qubits)[::-1] & 1
        return 1 - 2 * (counts @ ones) / self._shots


def _unitary(block: Block, theta: bytes, basis: str) -> Kets:
    """U transposed, (2^N, 2^N): kets stand in rows. With "X" what is measured is turned so that Z reads X."""
    n, angles = 2**block.n_qubits, torch.from_numpy(_near_0(np.frombuffer(theta)).astype(np.float32))[None]
    unitary: Kets = unitaries(block.ladder, angles)[0].T.numpy()
    for qubit in range(len(block.measured())) if basis == "X" else ():
        up, down = np.moveaxis(unitary.reshape(n, 2**qubit, 2, -1), 2, 0)
        unitary = np.stack([up + down, up - down], 2) / np.float32(np.sqrt(2))
    return np.ascontiguousarray(unitary.reshape(n, n), np.complex64)


def _near_0(angles: Real) -> Real:
    """The same gates by angles within 2 pi, whose digits single precision keeps: all have the period 4 pi."""
    return np.where(abs(angles) <= 2 * np.pi, angles, 2 * np.arctan2(np.sin(angles / 2), np.cos(angles / 2)))


def _apart(draw: np.random.Generator, n: int) -> list[np.random.Generator]:
    """n generators: what the first variants of a call show does not depend on how many follow them."""
    keys = draw.integers(1 << 64, size=(n, 2), dtype=np.uint64)
    return [np.random.Generator(np.random.Philox(key=key)) for key in keys]


def _turned(turns: Real) -> Kets:
    """(x)_j RY(a_j)|0>, (V, b, n_H) -> (V, b, 2^n_H)."""
    pairs: Kets = np.stack([np.cos(turns / 2), np.sin(turns / 2)], -1).astype(np.complex64)  # (V, b, n_H, 2)
    ket: Kets = pairs[..., 0, :]
    for j in range(1, pairs.shape[2]):
        ket = (ket[..., :, None] * pairs[..., j, None, :]).reshape(*turns.shape[:2], -1)
    return ket
