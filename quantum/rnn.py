"""The quantum recurrent network, an ensemble of replicas learning side by side from the same chorales.

A chord goes in as rotations of four voices, a ladder with trainable angles couples it to the history, what is measured
goes through the readout of the classical network (`quantum.readout`) and gives the same NLL, in bits per output unit
per time step. What carries the history on is the schedule (`quantum.block`); the simulation is exact
(`quantum.channel`, compiled in `quantum.kernels`), its gradient made by hand. E, eta and Gamma are in nats per time
slot, as in the classical network, so that proper time means the same: w <- w - eta dE/dw.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, Purpose, checked_seed, pack, stream
from encoding.asked import asked
from encoding.batches import check_batch, draw
from encoding.given import checked_state, checked_weights
from encoding.layout import Group
from encoding.memory import check_room
from encoding.rates import checked_count, rate_of_each
from encoding.threads import Threads
from encoding.transitions import Piece, Transitions, checked_pieces
from quantum.adam import Adam
from quantum.aliases import warn_of_aliases
from quantum.jacobian import jacobian
from quantum.kernels import kernel_for
from quantum.music import fingerprint, heard, played
from quantum.needs import room_needed
from quantum.noise import drawn_again, over_slots
from quantum.passes import Lesson, Pass, lesson_of, readout_of
from quantum.playing import Player
from quantum.rules import Plan
from quantum.sampled import Sampled
from quantum.settings import QuantumRNNSettings
from quantum.weights import groups, start

if TYPE_CHECKING:
    from quantum.samplers import Sampler

T = TypeVar("T")
EXACTLY: dict[str, Any] = {"shots": None, "rule": "adjoint"}
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
        names = [entry.name for entry in fields(QuantumRNNSettings)]
        unknown = set(options) - set(names)
        if unknown:
            raise InputError(f"QuantumRNN has the settings {', '.join(names)}; got {', '.join(sorted(unknown))}")
        self.settings = QuantumRNNSettings(schedule=schedule, n_history=n_history, n_layers=n_layers, **options)
        seed, first_replica = checked_seed(seed), checked_seed(first_replica, "first_replica")
        self.n_replicas, self._asked, self._threads = checked_count(n_replicas), kernel, Threads()
        if sampler is not None and self.settings.shots is None:
            raise InputError("a sampler shows shots: say how many, shots=1000, with rule parameter-shift or spsa")
        self._sampler = sampler
        self._kernel = kernel_for(self.settings, kernel)
        self._chorales = checked_pieces(chorales)
        warn_of_aliases(self.settings.note, self._chorales)
        self._layout = groups(self.settings)
        self._hear(self._chorales)
        check_batch(self.settings, self._slots.n_slots)
        self._replica = np.arange(first_replica, first_replica + n_replicas)
        self._seed = np.full(n_replicas, seed)
        self._step = np.zeros(n_replicas, np.int64)
        self._frozen = np.full(n_replicas, -1)
        starts = [start(self.settings, self._layout, seed, int(replica)) for replica in self._replica]
        self._flat = np.array(starts, self.settings.precision)  # (R, n_weights)
        self._adam = self._forgetful()

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
            The losses as seen before each move, (n, n_replicas), in the unit of `loss`; of shots, by those that the
            gradient saw.

        Raises:
            InputError: see `rate_of_each`.
        """
        eta = rate_of_each(rate, n, self.n_replicas)
        losses = np.empty((n, self.n_replicas))
        if self._compiled is not None:
            for made in range(0, n, DRAWN_AT_ONCE):
                count = min(DRAWN_AT_ONCE, n - made)
                losses[made : made + count] = self._steps(eta, count)
            return losses
        for move in range(n):
            batches = self._batches()
            seen = self._each(lambda r, now, drawn=batches: (now.loss(), now.gradient(drawn[r])), sloped=True)
            for r, (loss, gradient) in enumerate(seen):
                losses[move, r] = loss if self._frozen[r] < 0 else np.nan
                self._move(r, eta[r], gradient)
            self._step += 1
        return losses

    def loss(self) -> NDArray[np.float64]:
        """Mean NLL per output unit per time step over all transitions, in bits, (n_replicas,).

        Where we sample features ourselves, by shots or by kets, it is that of the samples that the next step will draw.
        A `sampler` has new shots for every call: what it shows here is a job beside that of the step.
        """
        if self._compiled is not None:
            return self._compiled.loss(self._flat)
        return np.array(self._each(lambda r, now: now.loss()))

    def noise(self) -> NDArray[np.float64]:
        """Gamma for each group of weights, (n_replicas, n_groups); 0 for the full gradient of exact averages.

            Gamma = (1/p) < var_mu(dE_mu/dw_i) >_i                    (Hertz & Tyrcha 2024, eq. 6)

        Where features are sampled it is the variance of a step's gradient, from batch and shots together; `shot_noise`
        is that of the shots alone. See `quantum.noise`.
        """
        return self._gammas(batch=True)

    def shot_noise(self) -> NDArray[np.float64]:
        """Gamma for each group of weights with all slots in every gradient, (n_replicas, n_groups)."""
        return self._gammas(batch=False)

    def weights(self) -> NDArray[np.floating]:
        """A copy of all weights, (n_replicas, n_weights), in the order of `layout`; angles in radians."""
        return self._flat.copy()

    def put(self, weights: ArrayLike) -> None:
        """Set all weights, (n_replicas, n_weights); Adam forgets the gradients it remembers.

        Raises:
            InputError: another shape, or an entry that is not finite.
        """
        self._flat = checked_weights(weights, self._flat.shape, self.settings.precision)
        self._adam = self._forgetful()
        self._frozen[:] = -1

    def layout(self) -> dict[str, Group]:
        """Where each group of weights stands in `weights()`, its shape, and of angles the period."""
        return dict(self._layout)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit; every array has the replicas along its first axis."""
        own = {"step": self._step, "seed": self._seed, "replica": self._replica, "frozen": self._frozen}
        own |= {
            "question": np.full(self.n_replicas, self._question),
            "past": self._adam.past,
            "moved": self._adam.moved,
        }
        return {name: array.copy() for name, array in own.items()} | {"weights": self.weights()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of a network of the same settings and number of replicas.

        Raises:
            InputError: a state of another system, of other settings or of other chorales.
        """
        given = checked_state(state, self.state())
        self._step, self._seed = given["step"], given["seed"]
        self._replica, self._frozen = given["replica"], given["frozen"]
        self._flat, self._adam.past, self._adam.moved = given["weights"], given["past"], given["moved"]

    def clone(self, seed: int) -> "QuantumRNN":
        """A copy in the same state that goes on with the batches of another seed."""
        computed_by = {"kernel": self._asked, "sampler": self._sampler}
        twin = QuantumRNN(self._chorales, **asdict(self.settings), n_replicas=self.n_replicas, **computed_by)
        twin.restore(self.state())
        twin._seed = np.full(self.n_replicas, checked_seed(seed))
        return twin

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Recorded at every look, (n_replicas,) each: `accuracy` and `chords` as of the classical network."""
        seen = self._each(lambda r, now: now.measures())
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
        return np.stack(self._each(lambda r, now: now.fields.numpy(), exactly=True))

    def activations(self) -> NDArray[np.floating]:
        """What is measured at every chord, the features that K reads, (n_replicas, n_slots, n_features)."""
        return np.stack(self._each(lambda r, now: now.features.numpy(), exactly=True))

    def gradient(self) -> NDArray[np.floating]:
        """dE/dw over all slots, whatever batch and rule, (n_replicas, n_weights); 0 for parts that are not learned."""
        everything = np.arange(self._slots.n_slots)
        return np.stack(self._each(lambda r, now: now.gradient(everything), exactly=True, sloped=True))

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
        return jacobian(self._chorales, self._slots, self.settings, self._layout, self._flat, self._lesson.columns)

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
        first = int(self._replica[replica or 0])
        made = QuantumRNN(there, **settings, seed=seed, n_replicas=len(own), first_replica=first, sampler=sampler)
        made._hear(there, self._slots.standardisation)
        made.put(own)
        return made

    def network(self) -> Player:
        """The networks as they are now, without data: outputs, music; by exact averages."""
        angles = torch.from_numpy(self._flat[:, : self._lesson.n_angles].copy())
        readouts = [readout_of(self._layout, own).copied() for own in self._flat]
        return Player(self.settings, angles, readouts, self._lesson.columns, self._slots.standardisation)

    # Inside

    def _hear(self, chorales: list[Piece], standardisation: Any = None) -> None:
        """Take the music in."""
        self._slots: Transitions = pack(chorales, standardisation or self.settings.standardisation)
        music = played(chorales, self._slots, self.settings.note, _complex(self.settings))
        needed = room_needed(self.settings, music, self._slots, self.n_replicas, self._kernel)
        check_room(needed, f"{self.n_replicas} replica(s) of {self.settings.n_history} history qubits")
        source = self._source(chorales) if self._sampler is not None else None
        self._lesson = lesson_of(self.settings, self._layout, self._slots, music, self._kernel, source)
        makes_steps: Any = getattr(self._lesson.simulation, "simulator", None)
        compiled = self.settings.optimizer == "sgd" and hasattr(makes_steps, "step")
        self._compiled: Any = makes_steps if compiled else None
        self._question = fingerprint(asked(self.settings), self._slots.sha256)

    def _source(self, chorales: list[Piece]) -> "Sampler":
        """Circuits of the music on the sampler that was asked for."""
        from quantum.samplers import Sampler  # who learns by simulation needs no Qiskit

        settings, chords = self.settings, heard(chorales, self._slots, self.settings.note)
        assert settings.shots is not None
        return Sampler(settings.block, chords, self._sampler, settings.shots, observables=settings.observables)

    def _each(self, look: Callable[[int, Pass], T], *, exactly: bool = False, sloped: bool = False) -> list[T]:
        """What `look` makes of every replica as it is now; one a thread, each by itself, so none changes another.

        `sloped`: it asks for gradients, whose shots are then part of the pass.
        """
        seen: dict[int, T] = {}
        lesson = self._exact_lesson if exactly else self._lesson

        def go(r: int, place: int) -> None:
            seen[r] = look(r, self._now(r, lesson, sloped=sloped))

        self._threads.share(go, range(self.n_replicas))
        return [seen[r] for r in range(self.n_replicas)]

    def _now(self, r: int, lesson: Lesson, *, sloped: bool = True) -> Pass:
        """A pass over all music."""
        return Pass(lesson, self._flat[r], self._stream(r, Purpose.OUTCOME), sloped=sloped)

    @cached_property
    def _exact_lesson(self) -> Lesson:
        """The same without shots."""
        if self.settings.shots is None and self.settings.rule == "adjoint":
            return self._lesson
        settings = replace(self.settings, **EXACTLY)
        music = played(self._chorales, self._slots, settings.note, _complex(settings))
        return lesson_of(settings, self._layout, self._slots, music, "plain")

    def _stream(self, r: int, purpose: Purpose) -> np.random.Generator:
        return stream(int(self._seed[r]), int(self._replica[r]), purpose, int(self._step[r]))

    def _steps(self, eta: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        """Steps of the compiled kernel."""
        batches = draw(self.settings, self._slots.n_slots, n, self._seed, self._replica, self._step)
        losses, stopped = self._compiled.step(self._flat, batches, eta, n, self._frozen >= 0)
        self._frozen = np.where(stopped >= 0, self._step + stopped, self._frozen)
        self._step += n
        return losses

    def _batches(self) -> NDArray[np.int64]:
        drawn = draw(self.settings, self._slots.n_slots, 1, self._seed, self._replica, self._step)[:, 0]
        return np.broadcast_to(drawn, (self.n_replicas, drawn.shape[1]))

    def _move(self, r: int, eta: float, gradient: NDArray[np.floating]) -> None:
        if self._frozen[r] >= 0 or eta == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            down = gradient if self.settings.optimizer == "sgd" else self._adam.direction(r, gradient)
            moved = (self._flat[r] - eta * down).astype(self._flat.dtype)
        if np.isfinite(moved).all():
            self._flat[r] = moved
        else:
            self._frozen[r] = self._step[r]

    def _gammas(self, *, batch: bool) -> NDArray[np.float64]:
        def of_samples(r: int, place: int) -> None:
            made[r] = drawn_again(self._lesson, self._flat[r], self._stream(r, Purpose.PROBE), batch=batch)

        if self._lesson.simulation.noisy:
            made = np.empty((self.n_replicas, len(self._layout)))
            self._threads.share(of_samples, range(self.n_replicas))
            return made
        if self.settings.batch is None or not batch:
            return np.zeros((self.n_replicas, len(self._layout)))
        return np.array(self._each(lambda r, now: over_slots(now, self._stream(r, Purpose.PROBE)), sloped=True))

    def _forgetful(self) -> Adam:
        n_weights = self._flat.shape[1] if self.settings.optimizer == "adam" else 0
        return Adam(self.n_replicas, n_weights, self.settings.precision)


def _complex(settings: QuantumRNNSettings) -> torch.dtype:
    return torch.complex64 if settings.precision == "float32" else torch.complex128
