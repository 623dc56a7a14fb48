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
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from classical.costs import COSTS
from classical.couplings import couplings
from classical.jacobian import jacobian
from classical.kernels import kernel_named
from classical.kernels.plain import PlainKernel
from classical.looking import downhill, gammas, measures, stacked
from classical.memory import check_fits
from classical.network import Network
from classical.settings import DeepRNNSettings, fingerprint
from classical.start import groups_of, start
from encoding.asked import check_known, of_replicas
from encoding.batches import check_batch
from encoding.ensemble import Ensemble
from encoding.given import checked_rows, checked_state, checked_weights
from encoding.hearing import ClockInputs, heard
from encoding.layout import Group
from encoding.rates import checked_replicas, rate_of_each
from encoding.transitions import Piece, checked_pieces

DRAWN_AT_ONCE = 64  # steps whose batches are drawn before they are made: memory, not numbers, depends on it


class DeepRNN:
    """Replicas of the network, learning from the same chorales with different starts and different batches."""

    Settings = DeepRNNSettings
    physics = 1
    learns_from = "chorales"
    __repr__ = of_replicas

    def __init__(
        self,
        chorales: Sequence[Piece],
        *,
        depth: int,
        width: int,
        seed: int = 0,
        n_replicas: int = 1,
        first_replica: int = 0,
        kernel: str | None = None,
        device: str = "cpu",
        **options: Any,
    ) -> None:
        """Networks at their start (`classical.start.start`), the published one where nothing else is set.

        Args:
            chorales: the music to learn, at least one piece of at least two chords.
            depth: number of layers d.
            width: hidden units a layer w; complex ones with recurrent="unitary".
            seed: every draw is a function of (seed, replica, step).
            n_replicas: how many networks.
            first_replica: number of the first one, so that replicas 2-3 can also be made apart from 0-1.
            kernel: `"fast"` (compiled), `"plain"` (torch), `"graph"` (all replicas in one stack on `device`), or None:
                fast where it can run, graph on a card. They agree to rounding.
            device: `"cpu"`, `"cuda"`, `"cuda:1"`, ...
            options: the other fields of `DeepRNNSettings`, as keywords.

        Raises:
            InputError: a setting that makes no network, no chorales, or a kernel or device that is not to be had here.
        """
        check_known(options, DeepRNNSettings, "DeepRNN")
        self.settings = DeepRNNSettings(depth=depth, width=width, **options)
        self.n_replicas = checked_replicas(n_replicas)
        self._chorales = checked_pieces(chorales)
        clock = self.settings.clock
        self._packed = heard(self._chorales, clock or self.settings.standardisation)
        self._ear = clock or self._packed.standardisation
        check_batch(self.settings, self._packed.n_slots)
        self._question = fingerprint(self.settings, self._packed.sha256)
        self._layout = groups_of(self.settings)
        self._computed_by: dict[str, Any] = {"kernel": kernel, "device": device}
        kind, build = kernel_named(kernel, device, self.settings)
        n_weights = max(group.slice.stop for group in self._layout.values())
        sizes = self._packed.n_slots, n_weights, self.n_replicas
        check_fits(self.settings, *sizes, kernel=kind, device=device, ahead=DRAWN_AT_ONCE)
        self._ensemble = Ensemble(seed, self.n_replicas, first_replica)
        self._kernel = build(self._packed, self.settings, self._layout)
        self._plain = PlainKernel(self._packed, self.settings, self._layout)  # for what is looked at now and then
        starts = [start(self._layout, self.settings, seed, int(replica)) for replica in self._ensemble.replica]
        self._flat = np.array(starts, self.settings.precision)  # (R, n_weights)
        self._memory = self._kernel.memory(self._no_past())

    @classmethod
    def build(
        cls,
        chorales: Sequence[Piece],
        settings: DeepRNNSettings,
        *,
        seed: int,
        n_replicas: int,
        kernel: str | None = None,
        device: str = "cpu",
    ) -> "DeepRNN":
        """The system of a Task: typed settings, seed, number of replicas; what computes is no part of the question."""
        return cls(chorales, **asdict(settings), seed=seed, n_replicas=n_replicas, kernel=kernel, device=device)

    @property
    def kernel(self) -> str:
        """What makes the steps: `"fast, 16 lanes"` (or 8), `"plain"`, or `"graph on ..."` and a kind of device."""
        return self._kernel.name

    @property
    def unit(self) -> str:
        """The unit of the losses."""
        return COSTS[self.settings.cost].unit

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
        for made in range(0, n, DRAWN_AT_ONCE):
            count, frozen = min(DRAWN_AT_ONCE, n - made), self._ensemble.frozen
            seen, stopped = self._kernel.step(self._flat, self._memory, self.batches(count), eta, count, frozen)
            losses[made : made + count] = seen
            self._ensemble.advance(count, stopped)
        return losses

    def loss(self) -> NDArray[np.float64]:
        """Mean cost per output unit per time step over all transitions, (n_replicas,); `nll` in bits."""
        return self._kernel.loss(self._flat)

    def noise(self) -> NDArray[np.float64]:
        """Gamma of eq. (6) for each group of weights, (n_replicas, n_groups); 0 for the full gradient."""
        return self._gamma(tangent=False)

    def weights(self) -> NDArray[np.floating]:
        """A copy of all weights, (n_replicas, n_weights), in the order of `layout`."""
        return self._flat.copy()

    def put(self, weights: ArrayLike) -> None:
        """Set all weights, (n_replicas, n_weights); the delayed rule forgets its remembered errors.

        Raises:
            InputError: another shape, or an entry that is not finite.
        """
        self._flat = checked_weights(weights, self._flat.shape, self.settings.precision)
        self._memory = self._kernel.memory(self._no_past())
        self._ensemble.thaw()

    def layout(self) -> dict[str, Group]:
        """Where each group of weights stands in `weights()`, and its shape."""
        return dict(self._layout)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit; every array has the replicas along its first axis."""
        return self._ensemble.state() | {
            "question": np.full(self.n_replicas, self._question),
            "weights": self.weights(),
            "past": self._kernel.past(self._memory),
        }

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of a network of the same settings and number of replicas.

        Raises:
            InputError: a state of another system, of other settings or of other chorales.
        """
        given = checked_state(state, self.state())
        self._ensemble.restore(given)
        self._flat, self._memory = given["weights"], self._kernel.memory(given["past"])

    def clone(self, seed: int) -> "DeepRNN":
        """A copy in the same state that goes on with the batches of another seed."""
        options = asdict(self.settings)
        twin = DeepRNN(self._chorales, **options, n_replicas=self.n_replicas, **self._computed_by)
        twin.restore(self.state())
        twin._ensemble.reseed(seed)
        return twin

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Recorded at every look, (n_replicas,) each; a note is predicted where O > 0.

        `accuracy` is the frame-level accuracy of polyphonic music, TP / (TP + FP + FN) over all notes (Bay, Ehmann &
        Downie 2009): silence scores 0. `chords` is the share of chords that are right in every key. With another cost
        than the NLL, `nll` in bits per output unit per time step.
        """
        return measures(self._plain, self._flat)

    def measure_noise(self) -> dict[str, NDArray[np.float64]]:
        """Recorded where the noise is looked at: Gamma along the orthogonal group, (n_replicas, n_groups)."""
        return {"tangent_noise": self._gamma(tangent=True)}

    # What it can be asked beyond the verbs: see experiments.abilities

    def outputs(self) -> NDArray[np.floating]:
        """Output fields H of eq. (B1), before the tanh, of all training transitions, (n_replicas, n_slots, 54)."""
        return stacked(self._flat, lambda own: self._plain.run(own)[1])

    def activations(self) -> NDArray[np.floating]:
        """Hidden activations, layer behind layer, of all training transitions, (n_replicas, n_slots, d w).

        Of complex units real parts, then imaginary ones, layer by layer: 2 d w.
        """
        return stacked(self._flat, lambda own: torch.cat(self._plain.run(own)[0], -1))

    def gradient(self) -> NDArray[np.floating]:
        """dE/dw by exact backpropagation over all slots, whatever the rule and the batch, (n_replicas, n_weights).

        E is the mean cost of a time slot, in nats; every entry counts as free, also of the M that a step keeps
        orthogonal; of a complex matrix it is the part along complex matrices (`classical.unitary`). 0 for groups that
        are not learned.
        """
        return -stacked(self._flat, lambda own: downhill(self._plain, own))

    def jacobian(self) -> NDArray[np.float64]:
        """dH/dx by all that is learned, (n_replicas, n_slots 54, n_coordinates), whatever `precision` in double.

        x are the entries of free matrices, and the turns of each that is kept orthogonal, or unitary
        (`classical.jacobian`); groups in the order of the layout.

        Raises:
            InputError: more memory is needed than there is.
        """
        return jacobian(self._packed, self.settings, self._layout, self._flat)

    def loss_on(self, chorales: Sequence[Piece]) -> NDArray[np.float64]:
        """NLL on other chorales, rescaled as those learned from, in bits per output unit, (n_replicas,).

        Raises:
            InputError: no chorales.
        """
        return self.network().losses(chorales)

    def couplings(self, weights: ArrayLike | None = None) -> dict[tuple[int, int], NDArray[np.floating]]:
        """The network as a spin model: bonds between layers a <= b of neurons, (a, b) -> (..., N_a, N_b).

        Layers are inputs, hidden ones and outputs (`classical.couplings`); h_0 is a field, and no bond.

        Args:
            weights: (..., n_weights), of a trajectory for instance; None: those of now, (n_replicas, n_weights).

        Raises:
            InputError: weights of another network.
        """
        flat = self.weights() if weights is None else checked_rows(weights, self._flat.shape[-1])
        deviation = 1.0 if isinstance(self._ear, ClockInputs) else self._ear.deviation
        return couplings(flat, self._layout, self.settings.depth, deviation)

    def network(self) -> Network:
        """The networks as they are now, without data: outputs, music, losses on other chorales."""
        weights = {name: array.numpy().copy() for name, array in self._plain.views(self._flat).items()}
        return Network(weights, self.settings.depth, self.settings.boundary, self._ear)

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name, with all that inference elsewhere needs: see `Network.state_dict`."""
        return self.network().state_dict()

    @staticmethod
    def load(state: dict[str, Tensor]) -> Network:
        """The networks of a `state_dict()`, ready to be run."""
        return Network.load(state)

    def batches(self, n: int) -> NDArray[np.int64]:
        """Slots of the next `n` steps, drawn by (seed, replica, step): (R, n, p), or all of them, (1, 1, n_slots)."""
        return self._ensemble.batches(self.settings, self._packed.n_slots, n)

    def _no_past(self) -> NDArray[np.floating]:
        """Nothing remembered: deltas of zero for the delayed rule, an empty array for the exact one."""
        two = 2 if self.settings.rule == "delayed" else 0
        shape = (self.n_replicas, two, self.settings.depth, self._packed.n_slots, self.settings.n_units)
        return np.zeros(shape, self.settings.precision)

    def _gamma(self, *, tangent: bool) -> NDArray[np.float64]:
        if self.settings.batch is None:
            return np.zeros((self.n_replicas, len(self._layout)))
        batch = self.batches(1)[:, 0] if self.settings.noise_over == "batch" else None
        pasts = (self._kernel.past(self._memory, slice(r, r + 1)) for r in range(self.n_replicas))
        return gammas(self._plain, self._flat, pasts, batch, tangent=tangent)
