"""The steps of all replicas on one device of torch's, in one stack; on a graphics card one step is a CUDA graph.

A learning step is some thousand small products, one a time step, layer and direction. A card does each in less time
than Python takes to ask for it: so one step is captured once, and then replayed with a single call. What a step reads
and writes stays in the same places on the device; only the slots of the batch are copied there for each step. On a
processor the same step runs eagerly, which is how it is tested where there is no card.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.kernels.plain import EVERY, PlainKernel
from classical.orthogonal import nearly_polar_factor
from classical.settings import DeepRNNSettings
from encoding import InputError, Transitions
from encoding.layout import Group
from encoding.memory import GIGABYTE

ITERATIONS = 5  # of Newton and Schulz: |X X^T - 1| < 0.3 is rounding after four, and is then squared once more
WARM_UP = 3  # steps before a capture, as torch asks for


class Places(NamedTuple):
    """What a step reads and writes, on the device; R replicas."""

    weights: Tensor  # (R, n_weights)
    past: Tensor  # (R, 2, d, n, w), or (R, 0, ...)
    batch: Tensor  # (R, p) slots, or (R, 0) for the full gradient
    eta: Tensor  # (R, 1)
    still: Tensor  # (R,) bool: frozen, before or in this call
    made: Tensor  # (R,) steps made in this call
    far: Tensor  # (R,) bool: a matrix was too far from orthogonal for the iteration
    losses: Tensor  # (R,) before the step, NaN where still


class GraphKernel:
    """Steps of all replicas on one device, in single or double precision."""

    def __init__(
        self, data: Transitions, settings: DeepRNNSettings, layout: dict[str, Group], device: torch.device
    ) -> None:
        """The transitions on the device."""
        self.settings, self.device, self.name = settings, device, f"graph on {device.type}"
        self._plain = PlainKernel(data, settings, layout, device)
        self._places: Places | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    def memory(self, past: NDArray[np.floating]) -> Tensor:
        """What the rule remembers, on the device."""
        with self._full_memory_said(len(past)):
            return torch.from_numpy(past.copy()).to(self.device)

    def past(self, memory: Tensor, of: slice = EVERY) -> NDArray[np.floating]:
        """The deltas of the last two steps, latest first, (R, 2, d, n_slots, w); (R, 0, ...) for the exact rule."""
        return memory[of].cpu().numpy().copy()

    def step(
        self,
        flat: NDArray[np.floating],
        memory: Tensor,
        batches: NDArray[np.int64],
        eta: NDArray[np.float64],
        n: int,
        frozen: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """`n` steps of every replica that is not frozen; arguments and result as those of `PlainKernel.step`."""
        with self._full_memory_said(len(flat)):
            places, losses = self._made(flat, memory, batches, eta, n, frozen)
            flat[:] = places.weights.cpu().numpy()
            memory.copy_(places.past)
            made = places.made.cpu().numpy()
        return losses, np.where((made < n) & ~frozen, made, -1)

    def loss(self, flat: NDArray[np.floating]) -> NDArray[np.float64]:
        """The losses at these weights, (R,)."""
        with self._full_memory_said(len(flat)):
            return self._plain.value(self._plain.forward(torch.from_numpy(flat).to(self.device))[1]).cpu().numpy()

    @contextmanager
    def _full_memory_said(self, n_replicas: int) -> Iterator[None]:
        """A card without room in one line."""
        try:
            yield
        except torch.cuda.OutOfMemoryError:
            free = torch.cuda.mem_get_info(self.device)[0] / GIGABYTE
            raise InputError(
                f"{n_replicas} replica(s) do not fit into the memory of {self.device}, which has {free:.3g} GB left: "
                "ask for fewer replicas, or run some of them elsewhere (first_replica)"
            ) from None

    def _made(self, flat, memory, batches, eta, n, frozen) -> tuple[Places, NDArray[np.float64]]:
        """The places after n steps, and the losses before each; arguments as those of `step`."""
        chosen = None if self.settings.batch is None else torch.from_numpy(batches).to(self.device)
        exactly = self.settings.polar != "newton-schulz"
        while True:
            places = self._ready(flat, memory, eta, frozen)
            losses = self._run(places, chosen, n, exactly=exactly)
            if not bool(places.far.any()):
                return places, losses
            exactly = True  # rare: all these steps again, with decompositions where they are needed

    def _ready(
        self, flat: NDArray[np.floating], memory: Tensor, eta: NDArray[np.float64], frozen: NDArray[np.bool_]
    ) -> Places:
        """The places, filled for a call; the same ones again as long as the number of replicas is the same."""
        if self._places is None or self._places.weights.shape[0] != len(flat):
            self._places, self._graph = self._new_places(flat, memory), None
        places = self._places
        places.weights.copy_(torch.from_numpy(flat))
        places.past.copy_(memory)
        with np.errstate(over="ignore"):  # a rate too large becomes infinite, and its replica freezes
            places.eta.copy_(torch.from_numpy(eta[:, None].astype(flat.dtype)))
        places.still.copy_(torch.from_numpy(frozen))
        places.made.zero_()
        places.far.zero_()
        return places

    def _new_places(self, flat: NDArray[np.floating], memory: Tensor) -> Places:
        size, dtype, device = len(flat), self._plain.dtype, self.device
        return Places(
            weights=torch.zeros(flat.shape, dtype=dtype, device=device),
            past=torch.zeros_like(memory),
            batch=torch.zeros((size, self.settings.batch or 0), dtype=torch.int64, device=device),
            eta=torch.zeros((size, 1), dtype=dtype, device=device),
            still=torch.zeros(size, dtype=torch.bool, device=device),
            made=torch.zeros(size, dtype=torch.int64, device=device),
            far=torch.zeros(size, dtype=torch.bool, device=device),
            losses=torch.zeros(size, dtype=torch.float64, device=device),
        )

    def _run(self, places: Places, chosen: Tensor | None, n: int, *, exactly: bool) -> NDArray[np.float64]:
        """n steps; the losses before each, (n, R)."""
        seen = torch.empty((n, len(places.losses)), dtype=torch.float64, device=self.device)
        graph = None if exactly or self.device.type != "cuda" else self._captured(places)
        for step in range(n):
            if chosen is not None:
                places.batch.copy_(chosen[:, step])
            if graph is None:
                self._move(places, exactly)
            else:
                graph.replay()
            seen[step] = places.losses
        return seen.cpu().numpy()

    def _captured(self, places: Places) -> torch.cuda.CUDAGraph:
        """One step as a graph, captured when first asked for; the places are afterwards as they were."""
        if self._graph is None:
            before = [place.clone() for place in places]
            stream = torch.cuda.Stream(self.device)
            stream.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    self._move(places, exactly=False)
            torch.cuda.current_stream(self.device).wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._move(places, exactly=False)
            for place, content in zip(places, before, strict=True):
                place.copy_(content)
            self._graph = graph
        return self._graph

    def _move(self, places: Places, exactly: bool) -> None:
        """One step, in place; nothing here depends on what a number is, so that it can be captured."""
        now = self._plain.through(places.weights, places.past)
        losses = self._plain.value(now.fields)
        batch = None if self.settings.batch is None else places.batch
        moved = places.weights + places.eta * self._plain.direction(now, batch)
        far = self._polar(moved, places.eta, exactly)
        finite = torch.isfinite(moved).all(1) & torch.isfinite(losses)
        places.far.logical_or_(far & ~places.still)
        places.still.logical_or_(~finite)
        going = ~places.still
        places.weights.copy_(torch.where(going[:, None], moved, places.weights))
        places.made.add_(going)
        places.losses.copy_(torch.where(going, losses, torch.nan))
        if self.settings.rule == "delayed":
            places.past[:, 1].copy_(places.past[:, 0])
            places.past[:, 0].copy_(torch.stack(now.deltas, 1))

    def _polar(self, moved: Tensor, eta: Tensor, exactly: bool) -> Tensor:
        """The polar factor of every matrix that must be orthogonal, in place; whose matrices the iteration misses."""
        if exactly:
            self._plain.polar(moved, eta[:, 0] > 0)
            return torch.zeros_like(eta[:, 0], dtype=torch.bool)
        far = torch.zeros_like(eta[:, 0], dtype=torch.bool)
        for group in self._plain.orthogonal_groups:
            matrix = self._plain.matrix(moved, group)
            nearest, reached = nearly_polar_factor(matrix, ITERATIONS)
            far |= ~reached & (eta[:, 0] > 0)
            moved[:, group.slice] = torch.where(eta > 0, nearest.flatten(1), moved[:, group.slice])
        return far
