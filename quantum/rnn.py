"""The quantum recurrent network, an ensemble of replicas learning side by side from the same chorales.

A chord goes in as rotations of four voices, a ladder with trainable angles couples it to the history, what is measured
goes through the readout of the classical network (`quantum.readout`) and gives the same NLL, in bits per output unit
per time step. What carries the history on is the schedule (`quantum.block`); the simulation is exact
(`quantum.channel`, compiled in `quantum.kernels`), its gradient made by hand. E, eta and Gamma are in nats per time
slot, as in the classical network, so that proper time means the same: w <- w - eta dE/dw.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, pack
from encoding.asked import asked, check_known, of_replicas
from encoding.batches import check_batch
from encoding.ensemble import Ensemble
from encoding.given import checked_rows, checked_state, checked_weights
from encoding.layout import Group
from encoding.rates import checked_replicas, rate_of_each
from encoding.transitions import Piece, Transitions, checked_pieces
from quantum.adam import Adam
from quantum.aliases import warn_of_aliases
from quantum.couplings import couplings
from quantum.jacobian import jacobian
from quantum.kernels import kernel_for
from quantum.kernels.plain import PlainKernel
from quantum.lessons import EXACTLY, exact_twin, lesson_of
from quantum.music import fingerprint
from quantum.needs import DRAWN_AT_ONCE
from quantum.playing import Player, player_of
from quantum.rules import Plan
from quantum.sampled import Sampled
from quantum.settings import QuantumRNNSettings
from quantum.weights import groups, start


class QuantumRNN:
    """Replicas of the network, learning from the same chorales with different starts and different batches."""

    Settings = QuantumRNNSettings
    physics = 1
    learns_from = "chorales"
    unit = "bits per output unit per time step"
    __repr__ = of_replicas

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
        sampler: Any = None,
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
            sampler: what draws the `shots`: a sampler of Qiskit's, as `quantum.backend_named` gives them; None: our own
                simulator, which is faster. No part of the question, and every call is a job.
            options: the other fields of `QuantumRNNSettings`, as keywords.

        Raises:
            InputError: a setting that makes no network, no chorales, a kernel that is not to be had here, or more than
                there is room for.
        """
        check_known(options, QuantumRNNSettings, "QuantumRNN")
        self.settings = QuantumRNNSettings(schedule=schedule, n_history=n_history, n_layers=n_layers, **options)
        if sampler is not None and self.settings.shots is None:
            raise InputError("a sampler shows shots: say how many, shots=1000, with rule parameter-shift or spsa")
        self._computed_by: dict[str, Any] = {"kernel": kernel, "sampler": sampler}
        chorales = checked_pieces(chorales)
        warn_of_aliases(self.settings.note, chorales)
        slots = pack(chorales, self.settings.standardisation)
        check_batch(self.settings, slots.n_slots)
        self.n_replicas = checked_replicas(n_replicas)
        self._ensemble = Ensemble(seed, self.n_replicas, first_replica)
        layout, replicas = groups(self.settings), self._ensemble.replica
        starts = [start(self.settings, layout, int(seed), int(replica)) for replica in replicas]
        self._flat = np.array(starts, self.settings.precision)  # (R, n_weights)
        n_remembered = self._flat.shape[1] if self.settings.optimizer == "adam" else 0
        self._adam = Adam(self.n_replicas, n_remembered, self.settings.precision)
        self._hear(chorales, slots)

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
        """What makes the features: `"fast"`, compiled, or `"plain"`."""
        return self._lesson.kernel

    def _hear(self, chorales: list[Piece], slots: Transitions) -> None:
        """Take music in, and make what learns from it."""
        settings, n, by = self.settings, self.n_replicas, self._computed_by
        kernel = kernel_for(settings, by["kernel"])
        self._lesson = lesson_of(settings, chorales, slots, kernel, n_replicas=n, sampler=by["sampler"])
        self._question = fingerprint(asked(settings), slots.sha256)
        adam = self._adam if settings.optimizer == "adam" else None
        self._plain = PlainKernel(self._lesson, self._ensemble, adam)
        self._kernel = self._lesson.compiled or self._plain

    # The five verbs of a System

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """Make `n` learning steps w <- w - rate dE/dw.

        A replica whose move would leave the finite numbers keeps its last finite weights and is frozen: NaN from then
        on. Ctrl-C is heard between two operations of numpy, torch or the compiled code, the longest of which is one
        pass of a replica over all music; of a sampler between two jobs, or when it likes. The steps of this call that
        were not counted yet, up to 64 compiled ones, are then half made: go on from a `state()` of before.

        Args:
            rate: eta, a number or one a replica (n_replicas,), not negative. Rate 0 moves nothing.
            n: number of steps.

        Returns:
            The losses as seen before each move, (n, n_replicas), in the unit of `loss`; of shots, by those that the
            gradient saw.

        Raises:
            InputError: see `rate_of_each`.
        """
        eta = rate_of_each(rate, n, self.n_replicas)
        losses, at_once = np.empty((n, self.n_replicas)), 1 if self._kernel is self._plain else DRAWN_AT_ONCE
        for made in range(0, n, at_once):
            count = min(at_once, n - made)
            batches = self._ensemble.batches(self.settings, self._lesson.n_slots, count)
            seen, stopped = self._kernel.step(self._flat, batches, eta, count, self._ensemble.frozen)
            losses[made : made + count] = seen
            self._ensemble.advance(count, stopped)
        return losses

    def loss(self) -> NDArray[np.float64]:
        """Mean NLL per output unit per time step over all transitions, in bits, (n_replicas,).

        Where we sample features ourselves, by shots or by kets, it is that of the samples that the next step will draw.
        A `sampler` has new shots for every call: what it shows here is a job beside that of the step.
        """
        return self._kernel.loss(self._flat)

    def noise(self) -> NDArray[np.float64]:
        """Gamma for each group of weights, (n_replicas, n_groups); 0 for the full gradient of exact averages.

            Gamma = (1/p) < var_mu(dE_mu/dw_i) >_i                    (Hertz & Tyrcha 2024, eq. 6)

        Where features are sampled it is the variance of a step's gradient, from batch and shots together; `shot_noise`
        is that of the shots alone. See `quantum.noise`.
        """
        return self._plain.gammas(self._flat, batch=True)

    def shot_noise(self) -> NDArray[np.float64]:
        """Gamma for each group of weights with all slots in every gradient, (n_replicas, n_groups)."""
        return self._plain.gammas(self._flat, batch=False)

    def weights(self) -> NDArray[np.floating]:
        """A copy of all weights, (n_replicas, n_weights), in the order of `layout`; angles in radians."""
        return self._flat.copy()

    def put(self, weights: ArrayLike) -> None:
        """Set all weights, (n_replicas, n_weights); Adam forgets the gradients it remembers.

        Raises:
            InputError: another shape, or an entry that is not finite.
        """
        self._flat = checked_weights(weights, self._flat.shape, self.settings.precision)
        self._adam.forget()
        self._ensemble.thaw()

    def layout(self) -> dict[str, Group]:
        """Where each group of weights stands in `weights()`, its shape, and of angles the period."""
        return dict(self._lesson.layout)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit; every array has the replicas along its first axis."""
        return self._ensemble.state() | {
            "question": np.full(self.n_replicas, self._question),
            "past": self._adam.past.copy(),
            "moved": self._adam.moved.copy(),
            "weights": self.weights(),
        }

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of a network of the same settings and number of replicas.

        Raises:
            InputError: a state of another system, of other settings or of other chorales.
        """
        given = checked_state(state, self.state())
        self._ensemble.restore(given)
        self._flat, self._adam.past, self._adam.moved = given["weights"], given["past"], given["moved"]

    def clone(self, seed: int) -> "QuantumRNN":
        """A copy in the same state that goes on with the batches of another seed."""
        options = asdict(self.settings)
        twin = QuantumRNN(self._lesson.chorales, **options, n_replicas=self.n_replicas, **self._computed_by)
        twin.restore(self.state())
        twin._ensemble.reseed(seed)
        return twin

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Recorded at every look, (n_replicas,) each: `accuracy` and `chords` as of the classical network."""
        seen = self._plain.each(self._flat, lambda r, now: now.measures())
        return {name: np.array([each[name] for each in seen]) for name in seen[0]}

    def measure_noise(self) -> dict[str, NDArray[np.float64]]:
        """Recorded where the noise is looked at: beside that of batches `shot_noise`, (n_replicas, n_groups)."""
        apart = self._lesson.simulation.noisy and self.settings.batch is not None  # else all noise is that of shots
        return {"shot_noise": self.shot_noise()} if apart else {}

    # What it can be asked beyond the verbs: see experiments.abilities

    def outputs(self) -> NDArray[np.floating]:
        """Output fields H, before the tanh, of all training transitions, (n_replicas, n_slots, 54).

        As `activations`, `gradient` and `loss_on`, of exact averages whatever the shots; of sampled kets where there
        are `trajectories`.
        """
        return np.stack(self._exact.each(self._flat, lambda r, now: now.fields.numpy()))

    def activations(self) -> NDArray[np.floating]:
        """What is measured at every chord, the features that K reads, (n_replicas, n_slots, n_features)."""
        return np.stack(self._exact.each(self._flat, lambda r, now: now.features.numpy()))

    def gradient(self) -> NDArray[np.floating]:
        """dE/dw over all slots, whatever batch and rule, (n_replicas, n_weights); 0 for parts that are not learned."""
        everything = np.arange(self._lesson.n_slots)
        return np.stack(self._exact.each(self._flat, lambda r, now: now.gradient(everything), sloped=True))

    def plan(self) -> Plan | None:
        """Circuits, jobs one after the other, and shots of one step of one replica; None where a state is simulated."""
        simulation = self._lesson.simulation
        return simulation.plan() if isinstance(simulation, Sampled) else None

    def jacobian(self) -> NDArray[np.float64]:
        """dH/dx by all that is learned, (n_replicas, n_slots 54, n_coordinates), whatever `precision` in double.

        x are the angles and the entries of K, W and h_0 (`quantum.jacobian`), in the order of the layout.

        Raises:
            InputError: more memory is needed than there is, or more history than an exact simulation holds.
        """
        return jacobian(self._lesson, self._flat)

    def couplings(self, weights: ArrayLike | None = None) -> dict[tuple[int, int], NDArray[np.floating]]:
        """The ladder as a spin model: (0, 0) -> bonds between all qubits, (..., n_qubits, n_qubits).

        Those of its ZZ gates, all layers together (`quantum.couplings`); rotations and readout are no bonds.

        Args:
            weights: (..., n_weights), of a trajectory for instance; None: those of now, (n_replicas, n_weights).

        Raises:
            InputError: weights of another network.
        """
        flat = self.weights() if weights is None else checked_rows(weights, self._flat.shape[-1])
        return couplings(flat, self.layout(), self.settings.block.ladder)

    def loss_on(self, chorales: Sequence[Piece]) -> NDArray[np.float64]:
        """NLL on other chorales, rescaled as those learned from, in bits per output unit, (n_replicas,).

        Raises:
            InputError: no chorales.
        """
        return self.on(chorales, **EXACTLY, batch=None).loss()

    def on(
        self, chorales: Sequence[Piece], *, replica: int | None = None, seed: int = 0, sampler: Any = None, **other: Any
    ) -> "QuantumRNN":
        """The same networks before other chorales, rescaled as those learned from; what was remembered is forgotten.

        Args:
            chorales: the music.
            replica: one of the networks; None: all.
            seed: of what they draw there.
            sampler: as of a new network.
            other: settings that change, none of the size of the network.

        Raises:
            InputError: no chorales, no such replica, or settings that make no network, or one of another size.
        """
        there, own = checked_pieces(chorales), self._flat
        if replica is not None:
            if not 0 <= replica < self.n_replicas:
                raise InputError(f"replicas are 0 to {self.n_replicas - 1}; got {replica!r:.40}")
            own = own[replica : replica + 1]
        settings = asdict(replace(self.settings, **other))
        first = int(self._ensemble.replica[replica or 0])
        made = QuantumRNN(there, **settings, seed=seed, n_replicas=len(own), first_replica=first, sampler=sampler)
        made._hear(there, pack(there, self._lesson.slots.standardisation))
        made.put(own)
        return made

    def network(self) -> Player:
        """The networks as they are now, without data: outputs, music; by exact averages."""
        return player_of(self._lesson, self._flat)

    @cached_property
    def _exact(self) -> PlainKernel:
        """Passes without shots."""
        return PlainKernel(exact_twin(self._lesson, self.n_replicas), self._ensemble)
