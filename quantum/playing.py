"""A quantum network plays: it hears chords as four voices, one by one, and sings keys."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from encoding import Standardisation
from encoding.closed_loop import checked_roll, closed_loop
from encoding.hearing import voices_heard
from encoding.memory import check_room
from quantum.channel import Channel, Music
from quantum.evolution import unitaries
from quantum.lessons import Lesson
from quantum.music import chord_states
from quantum.needs import matrix_bytes
from quantum.passes import Array, readout_of
from quantum.readout import Readout
from quantum.settings import QuantumRNNSettings


class Player:
    """Replicas of a quantum network at fixed weights; nothing here learns."""

    def __init__(
        self,
        settings: QuantumRNNSettings,
        angles: Tensor,
        readouts: Sequence[Readout],
        columns: Tensor,
        standardisation: Standardisation,
    ) -> None:
        """Networks of the given angles, (n_replicas, n_angles), and readouts; K reads the features `columns`."""
        self.settings, self.standardisation = settings, standardisation
        self._angles, self._readouts, self._columns = angles, readouts, columns

    @property
    def n_replicas(self) -> int:
        """How many networks."""
        return len(self._readouts)

    def outputs(self, roll: ArrayLike) -> NDArray[np.floating]:
        """O(t) for each chord of a piano roll (n_steps, 54) of +-1, (n_replicas, n_steps, 54)."""
        chords = list(checked_roll(roll).astype(np.float32))
        heard = [_Ear(self, replica) for replica in range(self.n_replicas)]
        return np.stack([[ear(chords[: t + 1]) for t in range(len(chords))] for ear in heard])

    def continue_piece(
        self,
        opening: ArrayLike,
        n_steps: int,
        *,
        replica: int = 0,
        choose: str = "likeliest",
        seed: int = 0,
        sung: ArrayLike | None = None,
    ) -> NDArray[np.float32]:
        """Hear the opening chords, then feed each output back as the next input: see `encoding.closed_loop`.

        Of a chord the four highest notes are heard, given to voices by least movement (`encoding.voices`); `sung` are
        the voices of the opening, (n_opening, 4), where they are known.
        """
        options = {"n_replicas": self.n_replicas, "choose": choose, "seed": seed}
        ear = _Ear(self, replica if replica in range(self.n_replicas) else 0, sung)
        return closed_loop(opening, n_steps, ear, replica=replica, **options)

    @cached_property
    def unitaries(self) -> Tensor:
        """U of all networks, (n_replicas, 2^N, 2^N), made when the first chord is heard.

        Raises:
            InputError: more memory is needed than there is.
        """
        block, n = self.settings.block, self.n_replicas
        needed = matrix_bytes(block, n, 2 * self._angles.element_size())
        check_room(needed, f"{n} unitaries of {block.n_qubits} qubits", "play fewer replicas, or fewer history qubits")
        return unitaries(block.ladder, self._angles)

    def channel_of(self, states: Tensor) -> Channel:
        """The channel of one chord."""
        music = Music(states, torch.zeros(1, dtype=torch.int64), (0, 1))
        return Channel(self.settings.block, music, self.settings.observables)


def player_of(lesson: Lesson, flat: Array) -> Player:
    """The networks of some weights, (n_replicas, n_weights), which are copied; they hear as those that learned."""
    angles = torch.from_numpy(flat[:, : lesson.n_angles].copy())
    readouts = [readout_of(lesson.layout, own).copied() for own in flat]
    return Player(lesson.settings, angles, readouts, lesson.columns, lesson.slots.standardisation)


class _Ear:
    """One network that hears a piece chord by chord, and remembers."""

    def __init__(self, player: Player, replica: int, sung: ArrayLike | None = None) -> None:
        self.player, self.replica, self.sung = player, replica, sung
        self.history: Tensor | None = None

    def __call__(self, chords: Sequence[NDArray[np.float32]]) -> NDArray[np.floating]:
        player, readout = self.player, self.player._readouts[self.replica]
        unitary = player.unitaries[self.replica : self.replica + 1]
        ket = torch.from_numpy(chord_states(player.settings.note, voices_heard(chords, self.sung))).to(unitary.dtype)
        channel = player.channel_of(ket)
        maps = channel.maps(unitary)
        history = channel.cell.begin(1, 1, maps) if self.history is None else self.history
        features, self.history = channel.cell.forward(maps, history)
        inputs = torch.from_numpy(player.standardisation(chords[-1])).to(features.dtype)
        return readout.fields(features[0][:, player._columns], inputs[None])[0].tanh().numpy()
