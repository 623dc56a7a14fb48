"""Digit classifiers of Barney, Winer & Galitski (2024), an ensemble of replicas learning side by side.

    E = mean over images of the squared hinge (`classical.digits.cost.hinge`),    g = dE/dw over a batch
    v <- m v + g,    w <- w - rate v                                       (SGD with momentum, their Table 1)

An epoch sees every image once, in an order drawn by seed, replica and epoch; its last batch may be smaller. What is
learned are the bonds J^(k), whose spin glass is measured in `classical.spins`.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classical.digits.kernels import chosen
from classical.digits.lesson import Lesson
from classical.digits.settings import DigitSettings
from classical.digits.start import groups_of, layer_sizes, start
from classical.settings import fingerprint
from encoding import InputError
from encoding.asked import check_known, of_replicas
from encoding.digits import Digits
from encoding.ensemble import Ensemble
from encoding.given import checked_rows, checked_state, checked_weights
from encoding.layout import Group
from encoding.memory import check_room
from encoding.rates import checked_replicas, rate_of_each

AT_ONCE = 64  # steps between looks whether all numbers are finite; no number depends on it


class DigitClassifier:
    """Replicas of a layered network, learning from the same digits with other starts and in other orders."""

    Settings = DigitSettings
    physics = 1
    learns_from = "digits"
    unit = "squared hinge per image"
    __repr__ = of_replicas

    def __init__(
        self,
        digits: Digits,
        *,
        seed: int = 0,
        n_replicas: int = 1,
        first_replica: int = 0,
        kernel: str | None = None,
        device: str = "cpu",
        **options: Any,
    ) -> None:
        """Networks at their start, without velocity.

        Args:
            digits: what is learned from, and by what it is judged.
            seed: every draw is a function of (seed, replica) and of the epoch.
            n_replicas: how many networks.
            first_replica: number of the first one.
            kernel: `"fast"` (compiled), `"plain"` (torch), or None: fast where it can run. They agree to rounding.
            device: `"cpu"`.
            options: the fields of `DigitSettings`, as keywords.

        Raises:
            InputError: a setting that makes no network, no digits, no such kernel, or more than there is room for.
        """
        check_known(options, DigitSettings, "DigitClassifier")
        self.settings = DigitSettings(**options)
        if not isinstance(digits, Digits):
            raise InputError(f"a DigitClassifier learns from Digits, see load_digits; got {type(digits).__name__}")
        self.n_replicas, self._digits = checked_replicas(n_replicas), digits
        n_images, n_pixels = digits.images.shape
        self._sizes = layer_sizes(self.settings, n_pixels)
        self._layout = groups_of(self.settings, self._sizes)
        self._n_weights = max(group.slice.stop for group in self._layout.values())
        numbers = n_pixels * (n_images + len(digits.valid_images)) + 4 * self.n_replicas * self._n_weights
        check_room(4.0 * numbers, f"{n_images} digits and {self.n_replicas} replica(s) of {self._n_weights} weights")
        self._ensemble = Ensemble(seed, self.n_replicas, first_replica)
        self._question = fingerprint(self.settings, digits.sha256)
        kernel = chosen(kernel, device, self.settings)
        self._lesson = Lesson(digits, self.settings, self._sizes, self._layout, kernel)
        starts = [start(self._layout, self.settings, seed, int(replica)) for replica in self._ensemble.replica]
        self._flat, self._velocity = np.array(starts), np.zeros((self.n_replicas, self._n_weights), np.float32)
        self._replicas = [self._lesson.replica(*both) for both in zip(self._flat, self._velocity, strict=True)]
        self._looked: dict[str, NDArray[np.float64]] = {}  # what a look found at these weights

    @classmethod
    def build(cls, digits: Digits, settings: DigitSettings, **which: Any) -> "DigitClassifier":
        """The system of a Task: seed, n_replicas, kernel and device as keywords."""
        return cls(digits, **asdict(settings), **which)

    @property
    def kernel(self) -> str:
        """What makes the steps: `"fast, 16 lanes"` (or 8), or `"plain"`."""
        return self._lesson.kernel

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every image is seen once."""
        return self._lesson.order.n_batches

    # The five verbs of a System

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """Learn from `n` batches: v <- m v + g, w <- w - rate v.

        A replica whose move would leave the finite numbers keeps its last finite ones and is frozen: NaN from then on.
        At rate 0 time stands still: neither w nor v moves.

        Args:
            rate: a number or one a replica (n_replicas,), not negative.
            n: number of steps.

        Returns:
            What each step saw before its move, (n, n_replicas): see `loss_of_batch`.

        Raises:
            InputError: see `rate_of_each`.
        """
        eta = rate_of_each(rate, n, self.n_replicas)
        losses = np.full((n, self.n_replicas), np.nan)
        for made in range(0, n, AT_ONCE):
            count, stopped = min(AT_ONCE, n - made), np.full(self.n_replicas, -1)
            going = np.flatnonzero(~self._ensemble.frozen).tolist()
            jobs = [(self._replicas[r], self._batches(r, count), float(eta[r])) for r in going]
            for r, seen in zip(going, self._lesson.learn_all(jobs), strict=True):
                losses[made : made + count, r], stopped[r] = seen
            self._ensemble.advance(count, stopped)
            self._looked = {}
        return losses

    def loss(self) -> NDArray[np.float64]:
        """Mean hinge over the first `n_looked` images learned from, (n_replicas,): the same whatever the batch."""
        return self._look()["loss"].copy()

    def noise(self) -> NDArray[np.float64]:
        """Gamma for each group, the variance of the gradient of a batch over the draw of its images, before momentum.

            Gamma = (1/p) (N - p)/(N - 1) < var_n(dE_n/dw_ij) >_ij        (n_replicas, n_groups)

        as (6) of Hertz & Tyrcha (2024) has it, for batches without replacement; the variance over the first 1000 of the
        `n_looked` images. 0 where all images make a batch.
        """
        n, p = self._lesson.order.n_images, self._lesson.order.batch
        each = np.array([self._lesson.variances(replica.weights) for replica in self._replicas])
        return each / p * (n - p) / max(n - 1, 1)

    def weights(self) -> NDArray[np.float32]:
        """A copy of all weights, (n_replicas, n_weights), in the order of `layout`."""
        return self._flat.copy()

    def put(self, weights: ArrayLike) -> None:
        """Set all weights, (n_replicas, n_weights); velocities are forgotten.

        Raises:
            InputError: another shape, or an entry that is not finite.
        """
        self._flat[...] = checked_weights(weights, self._flat.shape, "float32")
        self._velocity[...] = 0
        self._ensemble.thaw()
        self._looked = {}

    def layout(self) -> dict[str, Group]:
        """J1 .. JL, each (N_(k-1), N_k), and where there are biases b1 .. bL."""
        return dict(self._layout)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit; every array has the replicas along its first axis."""
        return self._ensemble.state() | {
            "question": np.full(self.n_replicas, self._question),
            "weights": self._flat.copy(),
            "velocity": self._velocity.copy(),
        }

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of networks of the same settings and number of replicas.

        Raises:
            InputError: a state of another system, of other settings or of other digits.
        """
        given = checked_state(state, self.state())
        self._ensemble.restore(given)
        self._flat[...], self._velocity[...] = given["weights"], given["velocity"]
        self._looked = {}

    def clone(self, seed: int) -> "DigitClassifier":
        """A copy in the same state that goes on in the order of another seed, from its place in the epoch on."""
        options = asdict(self.settings) | {"n_replicas": self.n_replicas, "kernel": self.kernel.split(",")[0]}
        twin = DigitClassifier(self._digits, **options)
        twin.restore(self.state())
        twin._ensemble.reseed(seed)
        return twin

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Recorded at every look, (n_replicas,): shares of digits told wrongly.

        `error` of all images that are not learned from, `train_error` of the first `n_looked` that are.
        """
        found = self._look()
        if "error" not in found:
            found["error"] = np.array([self._lesson.error(replica.weights) for replica in self._replicas])
        return {name: found[name].copy() for name in ("error", "train_error")}

    # What it can be asked beyond the verbs

    def loss_of_batch(self) -> NDArray[np.float64]:
        """What the next step sees: the mean hinge of its batch, (n_replicas,)."""
        each = enumerate(self._replicas)
        return np.array([self._lesson.see(replica, *self._batches(r, 1)) for r, replica in each])

    def couplings(self, weights: ArrayLike | None = None) -> dict[tuple[int, int], NDArray[np.floating]]:
        """Bonds between layers of spins, for `classical.spins.Bonds`: (k-1, k) -> J^(k), (..., N_(k-1), N_k).

        Args:
            weights: (..., n_weights), of a Trajectory; None: those of the replicas now. Biases are no bonds.

        Raises:
            InputError: another number of weights.
        """
        flat = self.weights() if weights is None else checked_rows(weights, self._n_weights)
        bonds = [group for name, group in self._layout.items() if name[0] == "J"]
        return {(k, k + 1): flat[..., g.slice].reshape(*flat.shape[:-1], *g.shape) for k, g in enumerate(bonds)}

    def outputs(self) -> NDArray[np.float32]:
        """Scores of all images learned from, (n_replicas, n_images, 10)."""
        return np.array([self._lesson.outputs(replica.weights) for replica in self._replicas])

    def gradient(self) -> NDArray[np.float32]:
        """dE/dw of the mean hinge over all images learned from, (n_replicas, n_weights)."""
        return np.array([self._lesson.gradient(replica.weights, self._lesson.train)[0] for replica in self._replicas])

    def _look(self) -> dict[str, NDArray[np.float64]]:
        if not self._looked:
            found = np.array([self._lesson.loss(replica.weights) for replica in self._replicas])
            self._looked = {"loss": found[:, 0], "train_error": found[:, 1]}
        return self._looked

    def _batches(self, r: int, n: int) -> list[NDArray[np.int64]]:
        """The images of the next `n` steps of replica number r of these."""
        own = self._ensemble
        seed, replica, step = int(own.seed[r]), int(own.replica[r]), int(own.step[r])
        return [self._lesson.order.images(seed, replica, step + ahead) for ahead in range(n)]
