"""The quantum recurrent network, an ensemble of replicas learning side by side from the same chorales.

A chord goes in as rotations of four voices, a ladder with trainable angles couples it to the history, what is measured
goes through the readout of the classical network (`quantum.readout`) and gives the same NLL, in bits per output unit
per time step. What carries the history on is the schedule (`quantum.block`); the simulation is exact
(`quantum.channel`, compiled in `quantum.kernels`), its gradient made by hand. E, eta and Gamma are in nats per time
slot, as in the classical network, so that proper time means the same: w <- w - eta dE/dw.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from encoding import N_KEYS, InputError, Purpose, checked_seed, pack, stream
from encoding.batches import check_batch, draw
from encoding.given import checked_state, checked_weights
from encoding.layout import Group
from encoding.memory import check_room
from encoding.rates import checked_count, rate_of_each
from encoding.threads import Threads, n_threads
from encoding.transitions import Piece, Transitions, checked_pieces
from quantum.channel import Channel
from quantum.jacobian import jacobian
from quantum.kernels import compiled, kernel_named
from quantum.music import fingerprint, played
from quantum.playing import Player
from quantum.readout import Readout, bits, errors
from quantum.settings import QuantumRNNSettings
from quantum.weights import groups, part_of, start

T = TypeVar("T")
DRAWN_AT_ONCE = 64  # steps whose batches are drawn before they are made: memory, not numbers, depends on it


class QuantumRNN:
    """Replicas of the network, learning from the same chorales with different starts and different batches."""

    Settings = QuantumRNNSettings
    physics = 1
    learns_from = "chorales"
    unit = "bits per output unit per time step"

    def __init__(
        self,
        chorales: Sequence[Piece],
        *,
        schedule: str,
        n_history: int,
        n_layers: int,
        seed: int = 0,
        n_replicas: int = 1,
        first_replica: int = 0,
        kernel: str | None = None,
        **options: Any,
    ) -> None:
        """Networks with angles uniform on the circle.

        Args:
            chorales: the music to learn, at least one piece of at least two chords.
            schedule: `"measured"`, `"coherent"` or `"staggered"`.
            n_history: qubits that remember.
            n_layers: ladders one after the other.
            seed: every draw is a function of (seed, replica, step).
            n_replicas: how many networks.
            first_replica: number of the first one, so that replicas 2-3 can also be made apart from 0-1.
            kernel: `"fast"` (compiled), `"plain"` (torch), or None: fast where it can run. They agree to rounding.
            options: the other fields of `QuantumRNNSettings`, as keywords.

        Raises:
            InputError: a setting that makes no network, no chorales, a kernel that is not to be had here, or more than
                there is room for.
        """
        names = [entry.name for entry in fields(QuantumRNNSettings)]
        unknown = set(options) - set(names)
        if unknown:
            raise InputError(f"QuantumRNN has the settings {', '.join(names)}; got {', '.join(sorted(unknown))}")
        self.settings = QuantumRNNSettings(schedule=schedule, n_history=n_history, n_layers=n_layers, **options)
        seed, first_replica = checked_seed(seed), checked_seed(first_replica, "first_replica")
        self.n_replicas, self._asked, self._threads = checked_count(n_replicas), kernel, Threads()
        self._kernel = kernel_named(kernel)
        self._chorales = checked_pieces(chorales)
        self._layout = groups(self.settings)
        self._hear(self._chorales)
        check_batch(self.settings, self._slots.n_slots)
        self._replica = np.arange(first_replica, first_replica + n_replicas)
        self._seed = np.full(n_replicas, seed)
        self._step = np.zeros(n_replicas, np.int64)
        self._frozen = np.full(n_replicas, -1)
        starts = [start(self.settings, self._layout, seed, int(replica)) for replica in self._replica]
        self._flat = np.array(starts, self.settings.precision)  # (R, n_weights)

    @classmethod
    def build(
        cls,
        chorales: Sequence[Piece],
        settings: QuantumRNNSettings,
        *,
        seed: int,
        n_replicas: int,
        kernel: str | None = None,
        device: str = "cpu",
    ) -> "QuantumRNN":
        """The system of a Task: typed settings, seed, number of replicas; what computes is no part of the question."""
        if device != "cpu":
            raise InputError(f"the quantum network learns on cpu; got device {device!r:.40}: leave it out")
        return cls(chorales, **asdict(settings), seed=seed, n_replicas=n_replicas, kernel=kernel)

    @property
    def kernel(self) -> str:
        """What makes the steps: `"fast"` or `"plain"`."""
        return self._kernel

    # The five verbs of a System

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """Make `n` learning steps w <- w - rate dE/dw.

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
        if self._kernel == "fast":
            for made in range(0, n, DRAWN_AT_ONCE):
                count = min(DRAWN_AT_ONCE, n - made)
                losses[made : made + count] = self._steps(eta, count)
            return losses
        for move in range(n):
            batches = self._batches()
            seen = self._each(lambda r, now, drawn=batches: (_loss(now), self._gradient(r, now, drawn[r])))
            for r, (loss, gradient) in enumerate(seen):
                losses[move, r] = loss if self._frozen[r] < 0 else np.nan
                self._move(r, eta[r], gradient)
            self._step += 1
        return losses

    def loss(self) -> NDArray[np.float64]:
        """Mean NLL per output unit per time step over all transitions, in bits, (n_replicas,)."""
        if self._kernel == "fast":
            return self._channel.loss(self._flat)
        return np.array(self._each(lambda r, now: _loss(now)))

    def noise(self) -> NDArray[np.float64]:
        """Gamma for each group of weights, (n_replicas, n_groups); 0 for the full gradient.

            Gamma = (1/p) < var_mu(dE_mu/dw_i) >_i                    (Hertz & Tyrcha 2024, eq. 6)

        For K, W and h_0 the variance over slots is exact. For angles the mean of the squares over the n slots is that
        of (sum_mu s_mu dE_mu/dw_i)^2 / n over random signs s_mu = +-1, `probes` of them, drawn by seed, replica and
        step: without bias, with a relative error of about sqrt(2 / probes) / sqrt(number of angles).
        """
        if self.settings.batch is None:
            return np.zeros((self.n_replicas, len(self._layout)))
        return np.array(self._each(self._gamma))

    def weights(self) -> NDArray[np.floating]:
        """A copy of all weights, (n_replicas, n_weights), in the order of `layout`; angles in radians."""
        return self._flat.copy()

    def put(self, weights: ArrayLike) -> None:
        """Set all weights, (n_replicas, n_weights).

        Raises:
            InputError: another shape, or an entry that is not finite.
        """
        self._flat = checked_weights(weights, self._flat.shape, self.settings.precision)
        self._frozen[:] = -1

    def layout(self) -> dict[str, Group]:
        """Where each group of weights stands in `weights()`, its shape, and of angles the period."""
        return dict(self._layout)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit; every array has the replicas along its first axis."""
        own = {"step": self._step, "seed": self._seed, "replica": self._replica, "frozen": self._frozen}
        own |= {"question": np.full(self.n_replicas, self._question), "past": np.zeros((self.n_replicas, 0))}
        return {name: array.copy() for name, array in own.items()} | {"weights": self.weights()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of a network of the same settings and number of replicas.

        Raises:
            InputError: a state of another system, of other settings or of other chorales.
        """
        given = checked_state(state, self.state())
        self._step, self._seed = given["step"], given["seed"]
        self._replica, self._frozen = given["replica"], given["frozen"]
        self._flat = given["weights"]

    def clone(self, seed: int) -> "QuantumRNN":
        """A copy in the same state that goes on with the batches of another seed."""
        twin = QuantumRNN(self._chorales, **asdict(self.settings), n_replicas=self.n_replicas, kernel=self._asked)
        twin.restore(self.state())
        twin._seed = np.full(self.n_replicas, checked_seed(seed))
        return twin

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Recorded at every look, (n_replicas,) each: `accuracy` and `chords` as of the classical network."""
        seen = self._each(lambda r, now: _measures(self._targets, now.fields))
        return {name: np.array([each[name] for each in seen]) for name in seen[0]}

    # What it can be asked beyond the verbs: see experiments.abilities

    def outputs(self) -> NDArray[np.floating]:
        """Output fields H, before the tanh, of all training transitions, (n_replicas, n_slots, 54)."""
        return np.stack(self._each(lambda r, now: now.fields.numpy()))

    def activations(self) -> NDArray[np.floating]:
        """What is measured at every chord, the features that K reads, (n_replicas, n_slots, n_features)."""
        return np.stack(self._each(lambda r, now: now.features.numpy()))

    def gradient(self) -> NDArray[np.floating]:
        """dE/dw over all slots, whatever the batch, (n_replicas, n_weights); 0 for parts that are not learned."""
        everything = np.arange(self._slots.n_slots)
        return np.stack(self._each(lambda r, now: self._gradient(r, now, everything)))

    def jacobian(self) -> NDArray[np.float64]:
        """dH/dx by all that is learned, (n_replicas, n_slots 54, n_coordinates), whatever `precision` in double.

        x are the angles and the entries of K, W and h_0 (`quantum.jacobian`), in the order of the layout.

        Raises:
            InputError: more memory is needed than there is.
        """
        return jacobian(self._chorales, self._slots, self.settings, self._layout, self._flat, self._columns)

    def loss_on(self, chorales: Sequence[Piece]) -> NDArray[np.float64]:
        """NLL on other chorales, rescaled as those learned from, in bits per output unit, (n_replicas,).

        Raises:
            InputError: no chorales.
        """
        there = checked_pieces(chorales)
        settings, n = replace(self.settings, batch=None), self.n_replicas
        other = QuantumRNN.build(there, settings, seed=0, n_replicas=n, kernel=self._asked)
        other._hear(there, self._slots.standardisation)
        other._flat = self._flat
        return other.loss()

    def network(self) -> Player:
        """The networks as they are now, without data: outputs, music."""
        angles = torch.from_numpy(self._flat[:, : self._n_angles].copy())
        readouts = [self._readout(r).copied() for r in range(self.n_replicas)]
        return Player(self.settings, angles, readouts, self._columns, self._slots.standardisation)

    # Inside

    def _hear(self, chorales: list[Piece], standardisation: Any = None) -> None:
        """Take the music in."""
        settings = self.settings
        self._slots: Transitions = pack(chorales, standardisation or settings.standardisation)
        dtype = torch.float32 if settings.precision == "float32" else torch.float64
        self._targets = torch.from_numpy(self._slots.targets).to(dtype)
        self._inputs = torch.from_numpy(self._slots.inputs).to(dtype)
        music = played(chorales, self._slots, settings.note, dtype.to_complex())
        self._check_room(len(music.states))
        self._columns = _columns(settings)
        self._channel: Any = Channel(settings.block, music, settings.observables)
        if self._kernel == "fast":
            self._channel = compiled(settings.precision).FastKernel(settings, self._slots, music, self._columns)
        self._question = fingerprint(asdict(settings), self._slots.sha256)

    def _check_room(self, n_distinct: int) -> None:
        block, number = self.settings.block, 8 if self.settings.precision == "float32" else 16
        u, a, rho = 4**block.n_qubits, 2 ** (block.n_qubits + block.n_history), 4**block.n_history
        each = number * (3 * n_distinct * a + self._slots.n_slots * rho + 8 * self._slots.batch_sizes.max() * a)
        if self._kernel == "fast":  # a place to learn and one to look, each with U, A and dL/dA, histories and errors
            each = 2.0 * (number * (2 * n_distinct * a + self._slots.n_slots * (rho + N_KEYS) + 2 * u) + 16 * u)
        needed = min(self.n_replicas, n_threads()) * each + 64.0 * self.n_replicas * max(
            group.slice.stop for group in self._layout.values()
        )
        check_room(needed, f"{self.n_replicas} replica(s) of {block.n_history} history qubits")

    def _each(self, look: Callable[[int, "Now"], T]) -> list[T]:
        """What `look` makes of every replica as it is now; one a thread, each by itself, so none changes another."""
        seen: dict[int, T] = {}
        self._threads.share(lambda r, place: seen.update({r: look(r, self._now(r))}), range(self.n_replicas))
        return [seen[r] for r in range(self.n_replicas)]

    def _steps(self, eta: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        """Steps of the compiled kernel."""
        batches = draw(self.settings, self._slots.n_slots, n, self._seed, self._replica, self._step)
        losses, stopped = self._channel.step(self._flat, batches, eta, n, self._frozen >= 0)
        self._frozen = np.where(stopped >= 0, self._step + stopped, self._frozen)
        self._step += n
        return losses

    def _now(self, r: int) -> "Now":
        """A pass over all music."""
        angles = torch.from_numpy(self._flat[r : r + 1, : self._n_angles])
        passed = self._channel.run(angles)
        features = passed.features[0][:, self._columns]
        readout = self._readout(r)
        return Now(angles, passed, features, readout, readout.fields(features, self._inputs), self._targets)

    @property
    def _n_angles(self) -> int:
        return self.settings.block.ladder.n_angles

    def _readout(self, r: int) -> Readout:
        views = {
            name: torch.from_numpy(self._flat[r, group.slice]).reshape(group.shape)
            for name, group in self._layout.items()
            if part_of(name) != "angles"
        }
        return Readout(views["K"], views.get("W"), views["h0"])

    def _batches(self) -> NDArray[np.int64]:
        drawn = draw(self.settings, self._slots.n_slots, 1, self._seed, self._replica, self._step)[:, 0]
        return np.broadcast_to(drawn, (self.n_replicas, drawn.shape[1]))

    def _gradient(self, r: int, now: "Now", batch: NDArray[np.int64]) -> NDArray[np.floating]:
        """dE/dw of one replica, E the mean cost of the slots of a batch, in nats."""
        share = np.bincount(batch, minlength=self._slots.n_slots) / len(batch)
        error = errors(self._targets, now.fields) * torch.from_numpy(share).to(self._targets.dtype)[:, None]
        made = {"K": error.T @ now.features, "h0": error.sum(0)}
        if now.readout.w is not None:
            made["W"] = error.T @ self._inputs
        gradient = np.zeros_like(self._flat[r])
        for name, group in self._layout.items():
            if part_of(name) in self.settings.learned and name in made:
                gradient[group.slice] = made[name].flatten().numpy()
        if "angles" in self.settings.learned:
            gradient[: self._n_angles] = self._angle_slope(now, error)
        return gradient

    def _angle_slope(self, now: "Now", error: Tensor) -> NDArray[np.floating]:
        """dE/d angles, from dE/dH."""
        of_features = torch.zeros_like(now.passed.features)
        of_features[0][:, self._columns] = error @ now.readout.k
        return self._channel.slope(now.angles, now.passed, of_features)[0].numpy()

    def _move(self, r: int, eta: float, gradient: NDArray[np.floating]) -> None:
        if self._frozen[r] >= 0 or eta == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            moved = (self._flat[r] - eta * gradient).astype(self._flat.dtype)
        if np.isfinite(moved).all():
            self._flat[r] = moved
        else:
            self._frozen[r] = self._step[r]

    def _gamma(self, r: int, now: "Now") -> NDArray[np.float64]:
        n, p = self._slots.n_slots, self.settings.batch or 1
        error = errors(self._targets, now.fields)
        ones = torch.ones(n, 1, dtype=error.dtype)
        factors = {"K": now.features, "W": self._inputs, "h0": ones}
        angles = self._angle_variance(r, now, error) if "angles" in self.settings.learned else None
        found = []
        for name, group in self._layout.items():
            if part_of(name) not in self.settings.learned:
                found.append(0.0)
            elif part_of(name) == "angles":
                assert angles is not None
                found.append(float(angles[group.slice].mean()))
            else:
                found.append(_variance(error, factors[name]))
        population = 1.0 if self.settings.replacement else (n - p) / max(n - 1, 1)
        return np.maximum(found, 0) / p * population

    def _angle_variance(self, r: int, now: "Now", error: Tensor) -> NDArray[np.float64]:
        """var_mu(dE_mu/da) of every angle."""
        n, probes = len(error), self.settings.probes
        rng = stream(int(self._seed[r]), int(self._replica[r]), Purpose.PROBE, int(self._step[r]))
        squares = np.zeros(self._n_angles)
        for _ in range(probes):
            signs = torch.from_numpy(rng.choice([-1.0, 1.0], n)).to(error.dtype)
            squares += self._angle_slope(now, error * signs[:, None]).astype(np.float64) ** 2
        mean = self._angle_slope(now, error).astype(np.float64) / n
        return squares / (probes * n) - mean**2


class Now(NamedTuple):
    """One replica as it is: its pass over the music, features that K reads, fields."""

    angles: Tensor
    passed: Any  # of the channel
    features: Tensor
    readout: Readout
    fields: Tensor
    targets: Tensor


def _loss(now: Now) -> float:
    return float(bits(now.targets, now.fields).mean(dtype=torch.float64))


def _measures(targets: Tensor, fields: Tensor) -> dict[str, float]:
    """Frame-level accuracy TP / (TP + FP + FN), and the share of chords that are right in every key."""
    said, true = fields > 0, targets > 0
    right = (said & true).sum() / (said | true).sum().clamp(min=1)
    return {"accuracy": float(right), "chords": float((said == true).all(-1).to(torch.float64).mean())}


def _variance(left: Tensor, right: Tensor) -> float:
    """< var_mu(left_i right_j) >_ij over slots."""
    n = len(left)
    mean = left.T @ right / n
    return float((left.square().T @ right.square() / n - mean.square()).mean(dtype=torch.float64))


def _columns(settings: QuantumRNNSettings) -> Tensor:
    """Which of the channel's features K reads."""
    each = len(settings.block.measured())
    n = {"first": 1, "data": settings.n_data, "all": each}[settings.read]
    return torch.cat([torch.arange(n) + k * each for k in range(len(settings.observables))])
