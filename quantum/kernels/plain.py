"""Steps of every simulation that is not compiled, and passes of all replicas for what is looked at now and then.

A step is a pass over all music (`quantum.passes`), then w <- w - eta g: g is dE/dw of the batch, or what Adam makes of
it. Replicas run one a thread, each by itself, so that none changes another.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from encoding import Purpose
from encoding.ensemble import Ensemble
from encoding.threads import Threads
from quantum.adam import Adam
from quantum.lessons import Lesson
from quantum.noise import drawn_again, over_slots
from quantum.passes import Array, Pass

T = TypeVar("T")


class PlainKernel:
    """Passes and learning steps of all replicas of one network, by any simulation.

    Args:
        lesson: what they learn.
        ensemble: the replicas; what is sampled is drawn from their streams.
        adam: what it remembers of them; None: they go down their gradients.
    """

    name = "plain"

    def __init__(self, lesson: Lesson, ensemble: Ensemble, adam: Adam | None = None) -> None:
        self.lesson, self._ensemble, self._adam, self._threads = lesson, ensemble, adam, Threads()

    def step(
        self, flat: Array, batches: NDArray[np.int64], eta: NDArray[np.float64], n: int, frozen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The next step of every replica that is not frozen; as `quantum.kernels.cpu.FastKernel.step` with n = 1."""
        assert n == 1  # what is sampled is drawn anew at every step of the ensemble
        losses, stopped, moving = (
            np.full((1, len(flat)), np.nan),
            np.full(len(flat), -1),
            np.flatnonzero(~frozen).tolist(),
        )

        def seen(r: int, now: Pass) -> tuple[float, Array]:
            return now.loss(), now.gradient(batches[r % len(batches), 0])

        for r, (loss, gradient) in zip(moving, self.each(flat, seen, moving, sloped=True), strict=True):
            losses[0, r] = loss
            stopped[r] = -1 if eta[r] == 0 or self._moved(flat, r, eta[r], gradient) else 0
        return losses, stopped

    def loss(self, flat: Array) -> NDArray[np.float64]:
        """The losses at these weights, (R,), of the samples that the next step will draw."""
        return np.array(self.each(flat, lambda r, now: now.loss()))

    def each(
        self,
        flat: Array,
        look: Callable[[int, Pass], T],
        replicas: Sequence[int] | None = None,
        *,
        sloped: bool = False,
    ) -> list[T]:
        """What `look` makes of a pass of every replica, or of some, at these weights.

        `sloped`: it asks for gradients, whose shots are then part of the pass.
        """
        every = range(len(flat)) if replicas is None else replicas
        return self._shared(every, lambda r: look(r, self.now(flat, r, sloped=sloped)))

    def now(self, flat: Array, r: int, *, sloped: bool = True) -> Pass:
        """A pass of one replica over all music."""
        return Pass(self.lesson, flat[r], self._ensemble.stream(r, Purpose.OUTCOME), sloped=sloped)

    def gammas(self, flat: Array, *, batch: bool) -> NDArray[np.float64]:
        """Gamma of each group, (R, n_groups), from batch and samples together, or with all slots from samples alone."""
        lesson = self.lesson
        if lesson.simulation.noisy:
            return np.array(self._shared(range(len(flat)), lambda r: self._scatter(flat, r, batch=batch)))
        if lesson.settings.batch is None or not batch:
            return np.zeros((len(flat), len(lesson.layout)))
        probes = self._ensemble
        return np.array(self.each(flat, lambda r, now: over_slots(now, probes.stream(r, Purpose.PROBE)), sloped=True))

    def _scatter(self, flat: Array, r: int, *, batch: bool) -> NDArray[np.float64]:
        return drawn_again(self.lesson, flat[r], self._ensemble.stream(r, Purpose.PROBE), batch=batch)

    def _moved(self, flat: Array, r: int, eta: float, gradient: Array) -> bool:
        """Whether a replica has moved: it stays where it would leave the finite numbers."""
        with np.errstate(over="ignore", invalid="ignore"):
            down = gradient if self._adam is None else self._adam.direction(r, gradient)
            moved = (flat[r] - eta * down).astype(flat.dtype)
        if finite := bool(np.isfinite(moved).all()):
            flat[r] = moved
        return finite

    def _shared(self, replicas: Sequence[int], made: Callable[[int], T]) -> list[T]:
        """What is made of replicas, in their order; one a thread."""
        found: dict[int, T] = {}
        self._threads.share(lambda r, place: found.update({r: made(r)}), replicas)
        return [found[r] for r in replicas]
