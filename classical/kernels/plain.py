"""The steps of a deep recurrent network in plain torch, all replicas in one stack: the slow twin of the fast kernel."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.bptt import CPU, activations, delayed_deltas, exact_deltas, factors, fields, gradients, slots
from classical.costs import COSTS
from classical.orthogonal import polar_factor
from classical.settings import DeepRNNSettings
from classical.unitary import complex_linear
from encoding import Transitions
from encoding.layout import Group

EVERY = slice(None)  # replica


class Pass(NamedTuple):
    """One forward and backward pass: activities (R, n, w), fields and errors (R, n, 54), deltas (R, n, w)."""

    layers: list[Tensor]
    fields: Tensor
    error: Tensor
    deltas: list[Tensor]


class PlainKernel:
    """Steps of all replicas, in single or double precision."""

    name = "plain"

    def __init__(
        self,
        data: Transitions,
        settings: DeepRNNSettings,
        layout: dict[str, Group],
        device: torch.device = CPU,
    ) -> None:
        """The transitions as tensors; on another device than the processor only what takes tensors can be used."""
        self.settings, self.layout = settings, layout
        self.dtype = getattr(torch, settings.precision)
        self.slots = slots(data, settings.boundary, self.dtype, device)
        self.orthogonal_groups = [group for name, group in layout.items() if settings.kept_orthogonal(name)]
        self._cost = COSTS[settings.cost]
        sizes = [group.slice.stop - group.slice.start for group in layout.values()]
        learned = [torch.full((size,), float(settings.learns(name))) for name, size in zip(layout, sizes, strict=True)]
        self._learned = torch.cat(learned).to(device, self.dtype)

    def memory(self, past: NDArray[np.floating]) -> NDArray[np.floating]:
        """What the rule remembers, as this kernel keeps it: `past` itself."""
        return past.copy()

    def past(self, memory: NDArray[np.floating], of: slice = EVERY) -> NDArray[np.floating]:
        """The deltas of the last two steps, latest first, (R, 2, d, n_slots, w); (R, 0, ...) for the exact rule."""
        return memory[of].copy()

    def step(
        self,
        flat: NDArray[np.floating],
        memory: NDArray[np.floating],
        batches: NDArray[np.int64],
        eta: NDArray[np.float64],
        n: int,
        frozen: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """`n` steps of every replica that is not frozen.

        Args:
            flat: weights, (R, n_weights), moved in place.
            memory: what the rule remembers, see `memory`; moved in place.
            batches: slots of every step, (R, n, p), or (1, 1, n_slots) for the full gradient.
            eta: rates, (R,).
            n: number of steps.
            frozen: replicas that do not move, (R,).

        Returns:
            Losses before each step, (n, R), NaN where frozen; at which of the steps a replica froze, (R,), or -1.
        """
        losses, stopped = np.empty((n, len(flat))), np.full(len(flat), -1)
        for step in range(n):
            batch = None if self.settings.batch is None else torch.from_numpy(batches[:, step])
            still = frozen | (stopped >= 0)
            losses[step], finite = self._move(flat, memory, batch, eta, still)
            stopped[~still & ~finite] = step
            losses[step, frozen | (stopped >= 0)] = np.nan
        return losses, stopped

    def loss(self, flat: NDArray[np.floating]) -> NDArray[np.float64]:
        """The losses at these weights, (R,)."""
        return self.value(self.run(flat)[1]).numpy()

    def run(self, flat: NDArray[np.floating]) -> tuple[list[Tensor], Tensor]:
        """Hidden activations of every layer (R, n, w), and output fields (R, n, 54)."""
        return self.forward(torch.from_numpy(flat))

    def pass_through(self, flat: NDArray[np.floating], past: NDArray[np.floating]) -> Pass:
        """Activities and effective errors of all slots at these weights."""
        return self.through(torch.from_numpy(flat), torch.from_numpy(past))

    def views(self, flat: NDArray[np.floating]) -> dict[str, Tensor]:
        """The groups of weights, each (R, *shape), views of the flat vectors."""
        return self._groups(torch.from_numpy(flat))

    # The same on tensors, wherever they lie

    def forward(self, flat: Tensor) -> tuple[list[Tensor], Tensor]:
        """Hidden activations of every layer (R, n, w), and output fields (R, n, 54)."""
        weights = self._groups(flat)
        layers = activations(weights, self.slots, self.settings.depth)
        return layers, fields(weights, self.slots, layers[-1])

    def through(self, flat: Tensor, past: Tensor) -> Pass:
        """Activities and effective errors of all slots at these weights."""
        weights, (layers, output) = self._groups(flat), self.forward(flat)
        error = self._cost.error(self.slots.targets, output)
        if self.settings.rule == "exact":
            return Pass(layers, output, error, exact_deltas(weights, self.slots, layers, error))
        return Pass(layers, output, error, delayed_deltas(weights, self.slots, layers, error, past.mean(1)))

    def direction(self, now: Pass, batch: Tensor | None) -> Tensor:
        """-dE/dw over the slots of the batch, of complex matrices along them, 0 for what is not learned."""
        slope = gradients(self.slots, now.layers, now.error, now.deltas, batch, self.settings.n_features)
        for name in filter(self.settings.is_complex, self.layout):
            slope[name] = complex_linear(slope[name])
        return torch.cat([slope[name].flatten(1) for name in self.layout], 1) * self._learned

    def factors(self, now: Pass, batch: Tensor | None) -> dict[str, tuple[Tensor, Tensor]]:
        """For each matrix: the error at its output and the activity at its input, slot by slot."""
        return factors(self.slots, now.layers, now.error, now.deltas, batch, self.settings.n_features)

    def value(self, output: Tensor) -> Tensor:
        """The losses at these fields, (R,)."""
        return self._cost.value(self.slots.targets, output).mean((-2, -1), dtype=torch.float64)

    def polar(self, flat: Tensor, moving: Tensor) -> None:
        """The nearest orthogonal matrix in the place of each that must be one, of the replicas that are moving."""
        for group in self.orthogonal_groups:
            matrix = self.matrix(flat, group)
            nearest = polar_factor(matrix, self.settings.polar).flatten(1)
            flat[:, group.slice] = torch.where(moving[:, None], nearest, flat[:, group.slice])

    def matrix(self, flat: Tensor, group: Group) -> Tensor:
        """A matrix that is about to take its polar factor, (R, w, w): without what rounding added to a complex one."""
        matrix = flat[:, group.slice].unflatten(1, group.shape)
        return complex_linear(matrix) if self.settings.recurrent == "unitary" else matrix

    def _groups(self, flat: Tensor) -> dict[str, Tensor]:
        return {name: flat[:, group.slice].unflatten(1, group.shape) for name, group in self.layout.items()}

    def _move(
        self,
        flat: NDArray[np.floating],
        past: NDArray[np.floating],
        batch: Tensor | None,
        eta: NDArray[np.float64],
        still: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """One step of all replicas but those who stand `still`; the losses before it, and whose step is finite."""
        now = self.pass_through(flat, past)
        losses = self.value(now.fields).numpy()
        rates = torch.tensor(eta, dtype=self.dtype)[:, None]
        moved = torch.from_numpy(flat) + rates * self.direction(now, batch)
        self.polar(moved, torch.tensor(eta > 0))
        new = moved.numpy()
        finite = np.isfinite(new).all(1) & np.isfinite(losses)
        flat[finite & ~still] = new[finite & ~still]
        if self.settings.rule == "delayed":
            past[:, 1], past[:, 0] = past[:, 0], torch.stack(now.deltas, 1).numpy()
        return losses, finite
