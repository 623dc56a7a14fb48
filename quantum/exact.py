"""The limit of infinitely many shots, asked for as shots are: what every sampler and every rule is held to.

    S -> infinity:    f = <Z>, <X>,    by the maps and histories of `quantum.channel`, in complex128

Other than there, angles may differ from chord to chord, and in the measured schedule the history's turns come from
outside: that is what gradients by shifts need (`quantum.rules`).
"""

from math import pi

import numpy as np
import torch
from numpy.typing import ArrayLike

from encoding.memory import check_room
from quantum.block import Block
from quantum.channel import Channel, Music
from quantum.evolution import unitaries
from quantum.needs import channel_bytes
from quantum.sources import Real, Sizes, checked_music, pieces_at

ROOM = 1 << 22  # complex numbers of maps made at once; memory, not numbers, depends on it


class Exact(Sizes):
    """A block on some music, without the scatter of shots: a Source.

    Args:
        block: registers, rotations, ladder, schedule.
        music: what is played to it.
        observables: "Z" or "ZX".

    Raises:
        InputError: no block or music, offsets that are none, or more memory is needed than there is.
    """

    def __init__(self, block: Block, music: Music, observables: str = "Z") -> None:
        super().__init__(block, checked_music(music).offsets, observables)
        check_room(
            channel_bytes(block, music) + 64.0 * ROOM,
            f"exact averages of {block.n_qubits} qubits over {len(music.states)} distinct chords",
            "take fewer qubits or chorales, or Shots",
        )
        double = Music(music.states.to(torch.complex128), music.chord, music.offsets)
        self._channel, self._slots = Channel(block, double, observables), music.blocks()

    def whole(self, angles: ArrayLike, draw: np.random.Generator) -> Real:
        """Features of whole pieces, (V, n_slots, n_f); `draw` is not used.

        Args:
            angles: of the ladder at every chord, (V, n_times, n_angles), in radians.
            draw: where other sources draw their outcomes from.

        Raises:
            InputError: angles of another shape or not finite, or the measured schedule.
        """
        checked = torch.from_numpy(self.checked_whole(angles, draw))
        return np.concatenate([self._played(some) for some in checked.split(self._at_once)])

    def chord(self, time: int, angles: ArrayLike, turns: ArrayLike, draw: np.random.Generator) -> tuple[Real, Real]:
        """Features (V, b, n_f) of the chords of a time, and <Z> of H, (V, b, n_H); `draw` is not used.

        Args:
            time: number of the chord, from 0.
            angles: of the ladder, (V, n_angles), in radians.
            turns: of the RY on H, (V, b, n_H), in radians.
            draw: where other sources draw their outcomes from.

        Raises:
            InputError: arrays of another shape or not finite, no such time, or another schedule than measured.
        """
        given = map(torch.from_numpy, self.checked_chord(time, angles, turns, draw))
        several = zip(*(array.split(self._at_once) for array in given), strict=True)
        seen = np.concatenate([self._moved(time, theta, 1 - 2 * a / pi + 0j)[0].numpy() for theta, a in several])
        return seen, seen[..., self.block.n_data : self.block.n_qubits]

    @property
    def _at_once(self) -> int:
        n_maps = pieces_at(self, 0) + len(self._channel.music.states)  # those that sound, of those of all chords
        each = 2 ** (self.block.n_qubits + self.block.n_history) * n_maps + 4**self.block.n_qubits
        return max(1, ROOM // each)

    def _played(self, angles: torch.Tensor) -> Real:
        history = self._channel.cell.begin(len(angles), pieces_at(self, 0), torch.zeros(0, dtype=torch.complex128))
        seen = []
        for time in range(self.n_times):
            features, history = self._moved(time, angles[:, time], history[:, : pieces_at(self, time)])
            seen.append(features)
        return torch.cat(seen, 1).numpy()

    def _moved(self, time: int, angles: torch.Tensor, history: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self._channel.maps(unitaries(self.block.ladder, angles))
        return self._channel.cell.forward(maps[:, self._channel.music.chord[self._slots[time]]], history)
