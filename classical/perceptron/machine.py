"""Deep perceptrons that learn by Monte Carlo: replicas, the same data, and perhaps a teacher (Yoshino, seminar 2021).

    S_l,i = sgn( N^-1/2 sum_j J_l,ij S_(l-1),j ),   l = 1 .. L
    E = sum_mu,i (S_L,i^mu - S*_i^mu)^2 = 4 x the number of wrong output spins

M = alpha N inputs have outputs that are wanted. A weight is drawn, a new value proposed, and taken if E does not rise
(or, at a temperature, by Metropolis' rule): the random walk of a machine in the space of all that do as well, which
shrinks as data become more. Yoshino starts students at random, "learning", or from the teacher, "unlearning": where
both end up with the same overlaps, they have forgotten where they came from.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.perceptron.bits import LARGEST, ONE
from classical.perceptron.machine_settings import DeepPerceptronSettings
from classical.perceptron.machines import Machines
from classical.perceptron.moves import bytes_of, moves_named
from classical.perceptron.patterns import normal_weights, patterns
from classical.perceptron.proposals import COST, NEAR, Queue, counted
from encoding import InputError, Purpose, stream
from encoding.asked import check_known, of_replicas
from encoding.ensemble import Ensemble
from encoding.given import checked_rows, checked_state, checked_weights
from encoding.memory import check_room
from encoding.rates import checked_replicas, rate_of_each
from encoding.threads import Threads

MOST_PROPOSALS = 1 << 31  # of a step


class DeepPerceptron(Machines):
    """Machines of one shape that learn the same patterns side by side; see `DeepPerceptronSettings`.

    A step of rate 1 is a sweep, L N^2 proposals; of rate 0.5, half a sweep; of rate 0, nothing. Proper time counts
    sweeps. A fraction of a proposal is owed to the next step.

    >>> students = DeepPerceptron(depth=2, width=10, alpha=8, n_replicas=2)
    >>> students.step(1, 300)[::100].round(2).tolist()
    [[0.48, 0.48], [0.18, 0.14], [0.11, 0.11]]
    >>> students.teacher_overlaps(test=True, normalised=True).mean(0).round(1).tolist()
    [0.5, 0.5]
    """

    Settings = DeepPerceptronSettings
    physics = 1
    learns_from = "nothing"
    unit = "wrong bits per output bit"
    frozen_means = "was asked for more than 2^31 proposals a step"
    __repr__ = of_replicas

    def __init__(
        self,
        *,
        depth: int,
        width: int,
        alpha: float,
        seed: int = 0,
        n_replicas: int = 1,
        first_replica: int = 0,
        kernel: str | None = None,
        **options: Any,
    ) -> None:
        """Machines at their start.

        Args:
            depth: L.
            width: N.
            alpha: M/N.
            seed: of starts and moves: every draw is a function of (seed, replica, number of the proposal).
            n_replicas: how many machines.
            first_replica: number of the first one.
            kernel: `"fast"`, `"plain"`, or None: fast where it can run. They agree bit for bit.
            options: the other fields of `DeepPerceptronSettings`, as keywords.

        Raises:
            InputError: settings that make no machine, more replicas than there is room for, or no such kernel.
        """
        check_known(options, DeepPerceptronSettings, "DeepPerceptron")
        self.settings = DeepPerceptronSettings(depth=depth, width=width, alpha=alpha, **options)
        self.n_replicas, self._asked = checked_replicas(n_replicas), kernel
        what = f"{n_replicas} replica(s) of L = {depth}, N = {width} on M = {self.settings.n_patterns:.3g} patterns"
        self._threads = Threads()
        check_room(bytes_of(self.settings, self.n_replicas, self._threads.n_places(self.n_replicas)), what)
        self._ensemble = Ensemble(seed, self.n_replicas, first_replica)
        self.patterns = patterns(self.settings)
        self._moves = moves_named(kernel, self.patterns)
        starts = [self._start(seed, int(replica)) for replica in self._ensemble.replica]
        self._made, self._owed = np.zeros(self.n_replicas, np.int64), np.zeros(self.n_replicas)
        self._take(np.array(starts))

    def _start(self, seed: int, replica: int) -> NDArray[np.int32]:
        if self.settings.start == "unlearning":
            assert self.patterns.teacher is not None  # settings see to it
            return self.patterns.teacher
        return normal_weights(stream(seed, replica, Purpose.START), self.settings)

    def _take(self, weights: NDArray[np.int32]) -> None:
        """Go on with these machines, (R, L, N, N)."""
        self._weights = weights
        self._memories = [self._moves.begin(machine) for machine in self._weights]

    @classmethod
    def build(
        cls,
        chorales: None,
        settings: DeepPerceptronSettings,
        *,
        seed: int,
        n_replicas: int,
        kernel: str | None = None,
        device: str = "cpu",
    ) -> "DeepPerceptron":
        """The system of a Task: typed settings, seed, number of replicas.

        Raises:
            InputError: a device other than "cpu"; see `DeepPerceptron`.
        """
        if device != "cpu":
            raise InputError(f"the deep perceptron has the kernels fast and plain, on cpu; got device {device}")
        return cls(**asdict(settings), seed=seed, n_replicas=n_replicas, kernel=kernel)

    @property
    def kernel(self) -> str:
        """What makes the moves: `"fast"` or `"plain"`."""
        return self._moves.name

    # The verbs of a System

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """`n` times `rate` sweeps; the share of wrong output spins before each, (n, n_replicas).

        A replica that is asked for more than 2^31 proposals a step keeps its weights and is frozen: NaN from then on.

        Args:
            rate: sweeps a step, a number or one a replica, not negative.
            n: number of steps.

        Raises:
            InputError: see `rate_of_each`.
        """
        sweeps, frozen = rate_of_each(rate, n, self.n_replicas), self._ensemble.frozen
        losses, stopped = np.full((n, self.n_replicas), np.nan), np.full(self.n_replicas, -1)
        with np.errstate(over="ignore"):
            endless = sweeps * self.settings.n_weights > MOST_PROPOSALS
        stopped[endless & ~frozen & (n > 0)] = 0

        def run(replica: int, place: int) -> None:
            self._go(replica, place, float(sweeps[replica]), losses[:, replica])

        self._threads.share(run, np.flatnonzero(~frozen & ~endless).tolist())
        self._ensemble.advance(n, stopped)
        return losses

    def _go(self, replica: int, place: int, sweeps: float, losses: NDArray[np.float64]) -> None:
        """The steps of one machine."""
        weights, memory = self._weights[replica], self._memories[replica]
        counts, self._owed[replica] = counted(self._owed[replica], sweeps * self.settings.n_weights, len(losses))
        seed, number = int(self._ensemble.seed[replica]), int(self._ensemble.replica[replica])
        queue = Queue(self.settings, seed, number, int(self._made[replica]), int(counts.sum()))
        for step, count in enumerate(counts.tolist()):
            losses[step] = self._loss(replica)
            for part in queue.take(count):
                self._moves.go(weights, memory, part, place)
        self._made[replica] += counts.sum()

    def loss(self) -> NDArray[np.float64]:
        """The share of output spins that are wrong, E/(4NM), (n_replicas,)."""
        return np.array([self._loss(replica) for replica in range(self.n_replicas)])

    def _loss(self, replica: int) -> float:
        return self._moves.wrong(self._weights[replica], self._memories[replica]) / self.patterns.outputs.size

    def energy(self) -> NDArray[np.float64]:
        """E, 4 for every wrong output spin, (n_replicas,)."""
        return np.rint(COST * self.patterns.outputs.size * self.loss())

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Recorded at every look: the energy E, and with a teacher r_test and r^2(l), l = 1 .. L, on both patterns."""
        if self.patterns.teacher is None:
            return {"energy": self.energy()}
        return {"energy": self.energy(), **self.with_teacher()}

    def couplings(self, weights: ArrayLike | None = None) -> dict[tuple[int, int], NDArray[np.floating]]:
        """The machine as a spin model: (l-1, l) -> J_l / sqrt(N), (..., N, N), inputs and outputs being layers too.

        Args:
            weights: (..., L N^2), of a trajectory for instance; None: those of now, (n_replicas, L N^2).

        Raises:
            InputError: weights of another machine.
        """
        flat = self.weights() if weights is None else checked_rows(weights, self.settings.n_weights)
        shape = self.settings.depth, self.settings.width, self.settings.width
        layers = np.moveaxis(flat.reshape(*flat.shape[:-1], *shape), -3, 0) / np.sqrt(self.settings.width)
        return {(layer, layer + 1): j.swapaxes(-1, -2) for layer, j in enumerate(layers)}

    def put(self, weights: ArrayLike) -> None:
        """Set all weights, (n_replicas, L N^2), rounded to whole multiples of 2^-16.

        Raises:
            InputError: another shape, an entry that is not finite, or beyond 8.
        """
        given = checked_weights(weights, (self.n_replicas, self.settings.n_weights), "float64")
        if np.abs(given).max() > LARGEST / ONE:
            raise InputError(f"weights are from -8 to 8, where chance leads none; got {np.abs(given).max():.4g}")
        self._take(np.rint(given * ONE).astype(np.int32).reshape(self._weights.shape))
        self._ensemble.thaw()

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit."""
        return self._ensemble.state() | {
            "question": np.full(self.n_replicas, self.settings.fingerprint),
            "weights": self.weights(),
            "made": self._made.copy(),
            "owed": self._owed.copy(),
        }

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of machines of the same settings and number.

        Raises:
            InputError: a state of another system, or of other settings, or one that owes what is no part of a proposal.
        """
        given = checked_state(state, self.state())
        if ((given["owed"] < -NEAR) | (given["owed"] >= 1)).any():
            raise InputError("the state owes less than no proposal, or a whole one and more: it is damaged")
        stopped = given["frozen"].copy()
        self.put(given["weights"])
        self._ensemble.restore(given | {"frozen": stopped})
        self._made, self._owed = given["made"], given["owed"]

    def clone(self, seed: int) -> "DeepPerceptron":
        """A copy in the same state that goes on with the moves of another seed."""
        twin = DeepPerceptron(**asdict(self.settings), n_replicas=self.n_replicas, kernel=self._asked)
        twin.restore(self.state())
        twin._ensemble.reseed(seed)
        return twin
