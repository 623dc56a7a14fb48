"""The deep orthogonal recurrent network of Hertz & Tyrcha 2024, an ensemble of replicas learning side by side.

    mu_0(t) = tanh[J_0 S(t) + M_0 mu_0(t-1)]              (1)
    mu_l(t) = tanh[J_l mu_{l-1}(t) + M_l mu_l(t-1)]       (2)
    O(t)    = tanh[K mu_{d-1}(t) + W S(t) + h_0]          (3)

Each step: a forward pass over all chords of all chorales, errors propagated back by the delayed or the exact rule, an
update from a batch of time slots, and the polar factor of every M. Costs, eta and Gamma are in nats per time slot, as
in (B2) to (B7); losses are reported in bits per output unit.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from classical.bptt import activations, delayed_deltas, exact_deltas, factors, fields, gradients, slots
from classical.costs import COSTS
from classical.network import Network
from classical.noise import slot_variance, tangent_variance
from classical.orthogonal import polar_factor, random_orthogonal
from classical.rates import rate_of_each
from classical.settings import DeepRNNSettings
from encoding import N_KEYS, InputError, Purpose, pack, stream
from encoding.layout import Group, lay_out
from encoding.transitions import Piece


class Pass(NamedTuple):
    """One forward and backward pass: activities (R, n, w), errors (R, n, 54), deltas (R, n, w), value of each slot."""

    layers: list[Tensor]
    fields: Tensor
    error: Tensor
    deltas: list[Tensor]


def n_parameters(depth: float, width: float) -> float:
    """The number of weights as the paper counts them, each M with w(w-1)/2 for it is orthogonal.

    >>> [round(n_parameters(d, w), -1) for d, w in ((1, 110.21), (2, 64.192), (5, 35.735))]
    [20890.0, 18080.0, 15040.0]
    """
    recurrent = depth * width * (width - 1) / 2
    return N_KEYS * width + (depth - 1) * width**2 + recurrent + N_KEYS * width + N_KEYS**2 + N_KEYS


class DeepRNN:
    """Replicas of the network, learning from the same chorales with different starts and different batches."""

    Settings = DeepRNNSettings
    physics = 1
    learns_from = "chorales"

    def __init__(
        self,
        chorales: Sequence[Piece],
        *,
        depth: int,
        width: int,
        seed: int = 0,
        n_replicas: int = 1,
        first_replica: int = 0,
        **options: Any,
    ) -> None:
        """Networks at their published start: J_0 Gaussian of variance 0.1/54, J_l and M_l orthogonal, K = W = h_0 = 0.

        Args:
            chorales: the music to learn, at least one piece of at least two chords.
            depth: number of layers d.
            width: hidden units a layer w.
            seed: every draw is a function of (seed, replica, step).
            n_replicas: how many networks.
            first_replica: number of the first one, so that replicas 2-3 can also be made apart from 0-1.
            options: the other fields of `DeepRNNSettings`, as keywords.

        Raises:
            InputError: a setting that makes no network, or no chorales.
        """
        self.settings = DeepRNNSettings(depth=depth, width=width, **options)
        counts = (("n_replicas", n_replicas, 1), ("seed", seed, 0), ("first_replica", first_replica, 0))
        for name, count, least in counts:
            if isinstance(count, bool) or not isinstance(count, int | np.integer) or not least <= count < 2**63:
                raise InputError(f"{name} is a whole number of at least {least}, below 2^63; got {count!r}")
        self.n_replicas = n_replicas
        self.kernel = "plain"
        self._dtype = getattr(torch, self.settings.precision)
        self._cost = COSTS[self.settings.cost]
        self._chorales = list(chorales)
        self._packed = pack(self._chorales, self.settings.standardisation)
        self._data = slots(self._packed, self.settings.boundary, self._dtype)
        self._check_batch()
        self._layout = lay_out(_shapes(depth, width))
        self._learned = self._mask_of_learned()
        self._replica = np.arange(first_replica, first_replica + n_replicas)
        self._seed = np.full(n_replicas, seed)
        self._step = np.zeros(n_replicas, np.int64)
        self._frozen = np.full(n_replicas, -1)
        self._flat = torch.stack([self._start(seed, int(replica)) for replica in self._replica])  # (R, n_weights)
        self._past = self._no_past()

    @classmethod
    def build(cls, chorales: Sequence[Piece], settings: DeepRNNSettings, *, seed: int, n_replicas: int) -> "DeepRNN":
        """The system of a Task: typed settings, seed, number of replicas."""
        return cls(chorales, **asdict(settings), seed=seed, n_replicas=n_replicas)

    # The five verbs of a System

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """Make `n` learning steps: w <- w - rate dE/dw, then the polar factor of every M.

        A replica whose move would leave the finite numbers keeps its last finite weights and is frozen: NaN from then
        on.

        Args:
            rate: eta, a number or one a replica (n_replicas,), not negative. Rate 0 moves nothing.
            n: number of steps.

        Returns:
            The losses as seen before each move, (n, n_replicas), in the unit of `loss`.

        Raises:
            InputError: see `rate_of_each`.
        """
        eta = rate_of_each(rate, n, self.n_replicas)
        losses = np.empty((n, self.n_replicas))
        for move in range(n):
            losses[move] = self._move(eta)
        return losses

    def loss(self) -> NDArray[np.float64]:
        """Mean cost per output unit per time step over all transitions, (n_replicas,); `nll` in bits."""
        layers = activations(self._views(), self._data, self.settings.depth)
        return self._value(fields(self._views(), self._data, layers[-1]))

    def noise(self) -> NDArray[np.float64]:
        """Gamma of eq. (6) for each group of weights, (n_replicas, n_groups); 0 for the full gradient."""
        return self._gamma(tangent=False)

    def weights(self) -> NDArray[np.floating]:
        """A copy of all weights, (n_replicas, n_weights), in the order of `layout`."""
        return self._flat.numpy().copy()

    def put(self, weights: ArrayLike) -> None:
        """Set all weights, (n_replicas, n_weights); the delayed rule forgets its remembered errors.

        Raises:
            InputError: another shape, or an entry that is not finite.
        """
        wanted, precision = tuple(self._flat.shape), self.settings.precision
        try:
            with np.errstate(over="ignore"):  # what is too large for the precision becomes infinite
                array = np.array(weights, precision)
        except (TypeError, ValueError):
            raise InputError(f"weights are numbers, of shape {wanted}; got {type(weights).__name__}") from None
        if array.shape != wanted or not np.isfinite(array).all():
            raise InputError(
                f"weights are finite, of shape {wanted}; got shape {array.shape}"
                f"{'' if np.isfinite(array).all() else f' with entries that are not finite in {precision}'}"
            )
        self._flat = torch.from_numpy(array)
        self._past = self._no_past()
        self._frozen[:] = -1

    def layout(self) -> dict[str, Group]:
        """Where each group of weights stands in `weights()`, and its shape."""
        return dict(self._layout)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit; every array has the replicas along its first axis."""
        own = {"step": self._step, "seed": self._seed, "replica": self._replica, "frozen": self._frozen}
        return {name: array.copy() for name, array in own.items()} | {
            "weights": self.weights(),
            "past": self._past.numpy().copy(),
        }

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of a network of the same settings and number of replicas.

        Raises:
            InputError: a state of another system.
        """
        now = self.state()
        given = {name: np.array(state[name]) for name in now if name in state}
        for name, array in now.items():
            if name not in given or given[name].shape != array.shape or given[name].dtype != array.dtype:
                came = f"{given[name].dtype} {given[name].shape}" if name in given else "nothing"
                raise InputError(
                    f"state {name!r} is {array.dtype} {array.shape} here; got {came}: another system's state?"
                )
        self._step, self._seed = given["step"], given["seed"]
        self._replica, self._frozen = given["replica"], given["frozen"]
        self._flat, self._past = torch.from_numpy(given["weights"]), torch.from_numpy(given["past"])

    def clone(self, seed: int) -> "DeepRNN":
        """A copy in the same state that goes on with the batches of another seed."""
        twin = DeepRNN(self._chorales, **asdict(self.settings), n_replicas=self.n_replicas)
        twin.restore(self.state())
        twin._seed = np.full(self.n_replicas, seed)
        return twin

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Recorded at looks: NLL in bits whatever the cost, share of right notes, Gamma along the orthogonal group."""
        layers = activations(self._views(), self._data, self.settings.depth)
        output = fields(self._views(), self._data, layers[-1])
        right = (torch.sign(output) == self._data.targets).to(torch.float64).mean((-2, -1))
        nll = COSTS["nll"].value(self._data.targets, output).mean((-2, -1), dtype=torch.float64)
        return {"nll": nll.numpy(), "accuracy": right.numpy(), "tangent_noise": self._gamma(tangent=True)}

    def network(self) -> Network:
        """The networks as they are now, without data: outputs, music, losses on other chorales."""
        weights = {name: array.numpy().copy() for name, array in self._views().items()}
        return Network(weights, self.settings.depth, self.settings.boundary, self._packed.standardisation)

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name, with all that inference elsewhere needs: see `Network.state_dict`."""
        return self.network().state_dict()

    @staticmethod
    def load(state: dict[str, Tensor]) -> Network:
        """The networks of a `state_dict()`, ready to be run."""
        return Network.load(state)

    # How a step is made

    def _views(self) -> dict[str, Tensor]:
        """The groups of weights, each (R, *shape), views of the flat vector."""
        return {name: self._flat[:, group.slice].unflatten(1, group.shape) for name, group in self._layout.items()}

    def _move(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        """One step of all replicas; the losses before it."""
        weights, batch = self._views(), self._draw()
        now = self._pass(weights)
        losses = self._value(now.fields)
        slope = gradients(self._data, now.layers, now.error, now.deltas, batch)
        direction = torch.cat([slope[name].flatten(1) for name in self._layout], 1) * self._learned
        moved = self._polar(self._flat + torch.tensor(eta, dtype=self._dtype)[:, None] * direction, eta)
        finite = torch.isfinite(moved).all(1).numpy() & np.isfinite(losses)
        self._frozen = np.where((self._frozen < 0) & ~finite, self._step, self._frozen)
        going = torch.from_numpy(self._frozen < 0)
        self._flat = torch.where(going[:, None], moved, self._flat)
        self._remember(now.deltas)
        self._step += 1
        return np.where(self._frozen < 0, losses, np.nan)

    def _draw(self) -> Tensor | None:
        """The batch of this step, (R, p), drawn by (seed, replica, step)."""
        size, n = self.settings.batch, self._packed.n_slots
        if size is None:
            return None
        streams = [
            stream(int(s), int(r), Purpose.BATCH, int(k))
            for s, r, k in zip(self._seed, self._replica, self._step, strict=True)
        ]
        if self.settings.replacement:
            return torch.from_numpy(np.stack([rng.integers(n, size=size) for rng in streams]))
        return torch.from_numpy(np.stack([rng.permutation(n)[:size] for rng in streams]))

    def _pass(self, weights: dict[str, Tensor]) -> Pass:
        """Activities and effective errors of all slots at the present weights."""
        layers = activations(weights, self._data, self.settings.depth)
        output = fields(weights, self._data, layers[-1])
        error = self._cost.error(self._data.targets, output)
        if self.settings.rule == "exact":
            return Pass(layers, output, error, exact_deltas(weights, self._data, layers, error))
        return Pass(layers, output, error, delayed_deltas(weights, self._data, layers, error, self._past.mean(1)))

    def _value(self, output: Tensor) -> NDArray[np.float64]:
        return self._cost.value(self._data.targets, output).mean((-2, -1), dtype=torch.float64).numpy()

    def _polar(self, flat: Tensor, eta: NDArray[np.float64]) -> Tensor:
        """`flat` with the nearest orthogonal matrix in the place of each that must be one, where the rate is not 0."""
        moving = torch.tensor(eta > 0)
        for name in self._orthogonal():
            group = self._layout[name]
            matrix = flat[:, group.slice].unflatten(1, group.shape)
            nearest = polar_factor(matrix, self.settings.polar).flatten(1)
            flat[:, group.slice] = torch.where(moving[:, None], nearest, matrix.flatten(1))
        return flat

    def _orthogonal(self) -> list[str]:
        """The groups that are kept orthogonal and move at all."""
        kept = [f"M{layer}" for layer in range(self.settings.depth) if "M" in self.settings.learned]
        if self.settings.feedforward == "orthogonal" and "J" in self.settings.learned:
            kept += [f"J{layer}" for layer in range(1, self.settings.depth)]
        return kept

    def _remember(self, deltas: list[Tensor]) -> None:
        """Keep the deltas of the last two steps, (R, 2, depth, n, w), for the delayed rule."""
        if self.settings.rule == "delayed":
            self._past = torch.stack([torch.stack(deltas, 1), self._past[:, 0]], 1)

    def _no_past(self) -> Tensor:
        """Nothing remembered: deltas of zero for the delayed rule, an empty array for the exact one."""
        two = 2 if self.settings.rule == "delayed" else 0
        shape = (self.n_replicas, two, self.settings.depth, self._packed.n_slots, self.settings.width)
        return torch.zeros(shape, dtype=self._dtype)

    def _gamma(self, *, tangent: bool) -> NDArray[np.float64]:
        """Gamma by group; with `tangent`, that of the M (and orthogonal J) along the orthogonal group."""
        size = self.settings.batch
        if size is None:
            return np.zeros((self.n_replicas, len(self._layout)))
        weights, now = self._views(), self._pass(self._views())
        batch = self._draw() if self.settings.noise_over == "batch" else None
        pairs = factors(self._data, now.layers, now.error, now.deltas, batch)
        ones = torch.ones(self._data.inputs.shape[0] if batch is None else size, 1, dtype=self._dtype)
        pairs["h0"] = pairs["K"][0], ones
        along = set(self._orthogonal()) if tangent else set()
        variances = [
            tangent_variance(*pairs[name], weights[name]) if name in along else slot_variance(*pairs[name])
            for name in self._layout
        ]
        return torch.stack(variances, 1).to(torch.float64).numpy() / size * self._finite_population()

    def _finite_population(self) -> float:
        """(n - p)/(n - 1): a batch drawn without replacement is less noisy."""
        n, size = self._packed.n_slots, self.settings.batch
        return 1.0 if self.settings.replacement or size is None else (n - size) / max(n - 1, 1)

    def _check_batch(self) -> None:
        size, n = self.settings.batch, self._packed.n_slots
        if size is not None and not self.settings.replacement and size > n:
            raise InputError(f"a batch without replacement has at most the {n} slots there are; got {size}")

    def _mask_of_learned(self) -> Tensor:
        """1 for weights that learn, 0 for those that stay, (n_weights,)."""
        kinds = {name: name if name in ("K", "W", "h0") else name[0] for name in self._layout}
        parts = [
            torch.full((group.slice.stop - group.slice.start,), float(kinds[name] in self.settings.learned))
            for name, group in self._layout.items()
        ]
        return torch.cat(parts).to(self._dtype)

    def _start(self, seed: int, replica: int) -> Tensor:
        """The published start of one replica, (n_weights,)."""
        rng, parts = stream(seed, replica, Purpose.START), []
        for name, group in self._layout.items():
            if name == "J0":
                parts.append(rng.standard_normal(group.shape) * np.sqrt(0.1 / N_KEYS))
            elif name[0] in "JM":
                parts.append(random_orthogonal(rng, self.settings.width))
            else:
                parts.append(np.zeros(group.shape))
        return torch.from_numpy(np.concatenate([part.ravel() for part in parts])).to(self._dtype)


def _shapes(depth: int, width: int) -> dict[str, tuple[int, ...]]:
    layers = [(f"J{layer}", (width, width if layer else N_KEYS)) for layer in range(depth)]
    recurrent = [(f"M{layer}", (width, width)) for layer in range(depth)]
    return dict([*layers, *recurrent, ("K", (N_KEYS, width)), ("W", (N_KEYS, N_KEYS)), ("h0", (N_KEYS,))])
