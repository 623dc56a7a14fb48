"""The compiled path on the processor: one network a thread, no barrier between them, outside Python's lock."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoding import N_KEYS, Chorale, Transitions, pack
from encoding.threads import Threads
from quantum.channel import Music
from quantum.kernels.laid_out import Real, network
from quantum.kernels.replica import Replica
from quantum.music import played
from quantum.settings import QuantumRNNSettings


class Passed(NamedTuple):
    """What a pass leaves for the way back: the features (R, n_slots, n_f), and where the rest of it stands."""

    features: Tensor
    replicas: list[Replica]


class FastKernel:
    """Passes and learning steps of all replicas of one network, in the precision of its settings."""

    name = "fast"

    def __init__(self, settings: QuantumRNNSettings, slots: Transitions, music: Music, columns: Tensor) -> None:
        """Lay the transitions out for the compiled steps; K reads the `columns` of the features."""
        self._network = network(settings, slots, music, columns.numpy().astype(np.int64))
        self._n_angles = settings.block.ladder.n_angles
        self._places: list[Replica] = []
        self._threads = Threads()

    def step(
        self, flat: Real, batches: NDArray[np.int64], eta: NDArray[np.float64], n: int, frozen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """`n` steps of every replica that is not frozen.

        Args:
            flat: weights, (R, n_weights), moved in place.
            batches: slots of every step, (R, n, p), or (1, 1, n_slots) for the full gradient.
            eta: rates, (R,).
            n: number of steps.
            frozen: replicas that do not move, (R,).

        Returns:
            Losses before each step, (n, R), NaN where frozen; at which of the steps a replica froze, (R,), or -1.
        """
        losses, stopped = np.full((len(flat), n), np.nan), np.full(len(flat), -1)

        def learn(replica: int, place: int) -> None:
            with np.errstate(over="ignore", invalid="ignore"):  # it freezes
                batch, rate = batches[replica % len(batches)], float(eta[replica])
                made = self._places[place].learn(flat[replica], batch, rate, losses[replica])
            stopped[replica] = made if made < n else -1

        self._share(learn, [int(replica) for replica in np.flatnonzero(~frozen)])
        return losses.T, stopped

    def loss(self, flat: Real) -> NDArray[np.float64]:
        """The losses at these weights, (R,), as `step` would see them."""
        losses = np.empty(len(flat))

        def look(replica: int, place: int) -> None:
            losses[replica] = self._places[place].loss(flat[replica])

        self._share(look, range(len(flat)))
        return losses

    def run(self, angles: Tensor) -> Passed:
        """Features of every slot, (R, n_slots, n_f), and what the way back needs; angles (R, n_angles)."""
        replicas = [Replica(self._network, self._n_angles) for _ in angles]
        seen = [replica.play(own.contiguous().numpy()) for replica, own in zip(replicas, angles, strict=True)]
        return Passed(torch.from_numpy(np.stack(seen)), replicas)

    def slope(self, angles: Tensor, passed: Passed, error: Tensor) -> Tensor:
        """dL/d angles, (R, n_angles), from dL/d features, (R, n_slots, n_f)."""
        made = [
            replica.back(own.contiguous().numpy(), wanted.numpy().copy())
            for replica, own, wanted in zip(passed.replicas, angles, error, strict=True)
        ]
        return torch.from_numpy(np.stack(made)).to(angles.dtype)

    def _share(self, run: Callable[[int, int], None], replicas: Sequence[int]) -> None:
        """Run the replicas on threads, each with a place of its own to write on."""
        for _ in range(len(self._places), self._threads.n_places(len(replicas))):
            self._places.append(Replica(self._network, self._n_angles))
        self._threads.share(run, replicas)


def ready(precision: str) -> None:
    """Compile, or load, all there is for a precision: a step of the smallest networks."""
    piece = Chorale(np.full((2, 4), 60, np.int16), "", "", 0)
    for schedule in ("coherent", "measured"):
        settings = QuantumRNNSettings(schedule=schedule, n_history=1, n_layers=1, precision=precision)
        slots = pack([piece])
        music = played([piece], slots, settings.note, getattr(torch, precision).to_complex())
        kernel = FastKernel(settings, slots, music, torch.arange(settings.n_features))
        n_weights = settings.block.ladder.n_angles + N_KEYS * (settings.n_features + 1)
        kernel.step(np.zeros((1, n_weights), precision), np.zeros((1, 1, 1), int), np.ones(1), 1, np.zeros(1, bool))
