"""What the weights of one replica meet: images, the hinge, and one step of gradient descent with momentum.

v <- m v + (1/p) sum_n dE_n/dw,    w <- w - rate v                    (Barney, Winer & Galitski 2024, Table 1)
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import inf, prod
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.digits.cost import hinge
from classical.digits.inputs import Seen, seen
from classical.digits.kernels import FastSteps
from classical.digits.layers import Layers, Weights
from classical.digits.order import Order
from classical.digits.settings import DigitSettings
from encoding.digits import Digits
from encoding.layout import Group
from encoding.threads import n_threads

N_NOISE = 1000  # images over which a variance is told, good to some 5 %
AT_ONCE = 1000  # images of a pass where nothing is learned
LARGEST = float(np.finfo(np.float32).max)  # what is larger is infinite
Flat = NDArray[np.float32]
Learned = tuple[NDArray[np.float64], int]


class Replica(NamedTuple):
    """Weights and velocities of one replica: views of the same numbers, group by group and flat, (n_weights,)."""

    weights: Weights
    velocities: Weights
    flat: Tensor
    flat_velocity: Tensor


class Lesson:
    """Digits as they are seen, with buffers for the passes of one replica at a time."""

    def __init__(
        self, digits: Digits, settings: DigitSettings, sizes: tuple[int, ...], layout: Mapping[str, Group], kernel: str
    ) -> None:
        """Nothing is learned yet; `kernel` is fast or plain, see `classical.digits.kernels`.

        Raises:
            InputError: a batch of more images than there are, or images without contrast.
        """
        self.order = Order(len(digits.images), settings.batch)
        self.train, self.valid = seen(digits, settings)
        self.looked = self.train.first(settings.n_looked)
        self._settings, self._layout = settings, layout
        self._layers = Layers(sizes, max(self.order.batch, AT_ONCE), settings.activation)
        self._inputs = torch.empty(self.order.batch, sizes[0])
        self._fast = FastSteps(self.train, settings, sizes, layout) if kernel == "fast" else None

    @property
    def kernel(self) -> str:
        """What makes the steps."""
        return "plain" if self._fast is None else self._fast.name

    def replica(self, flat: Flat, velocity: Flat) -> Replica:
        """A replica of these flat vectors, which are moved when it learns."""
        return Replica(self._views(flat), self._views(velocity), torch.from_numpy(flat), torch.from_numpy(velocity))

    def _views(self, flat: Flat) -> Weights:
        whole = torch.from_numpy(flat)
        parts = {name: whole[group.slice].view(group.shape) for name, group in self._layout.items()}
        return Weights(*([part for name, part in parts.items() if name[0] == kind] for kind in "Jb"))

    # Steps

    def _run(self, replica: Replica, batches: list[NDArray[np.int64]], rate: float) -> NDArray[np.float64]:
        """A step for each batch; the mean hinge of each before it, (n,). At rate 0 nothing moves."""
        if self._fast is not None:
            return self._fast.run(replica.flat.numpy(), replica.flat_velocity.numpy(), batches, rate)
        return np.array([self._move(replica, images, rate) for images in batches])

    def _move(self, replica: Replica, images: NDArray[np.int64], rate: float) -> float:
        """One step, by torch."""
        inputs = self._inputs[: len(images)]
        torch.index_select(self.train.inputs, 0, torch.from_numpy(images), out=inputs)
        scores = self._layers.forward(replica.weights, inputs).numpy()
        costs, slopes = hinge(scores, self.train.labels[images], self._settings.margin)
        if rate > 0:
            self._layers.back(replica.weights, torch.from_numpy(slopes / len(images)))
            self._layers.add_gradient(replica.velocities, self._settings.momentum)
            replica.flat.sub_(replica.flat_velocity, alpha=rate if rate < LARGEST else inf)
        return float(costs.mean())

    def see(self, replica: Replica, images: NDArray[np.int64]) -> float:
        """The mean hinge of a batch, as a step has it."""
        return float(self._run(replica, [images], 0.0)[0])

    def learn_all(self, jobs: list[tuple[Replica, list[NDArray[np.int64]], float]]) -> list[Learned]:
        """`learn` of several replicas, on as many threads as there are where the steps are compiled."""
        n = min(n_threads(), len(jobs)) if self._fast else 1
        if n <= 1:
            return [self.learn(*job) for job in jobs]
        with ThreadPoolExecutor(n) as pool:
            return list(pool.map(lambda job: self.learn(*job), jobs))

    def learn(self, replica: Replica, batches: list[NDArray[np.int64]], rate: float) -> Learned:
        """A step for each batch: what they saw, (n,), and at which the numbers would not have stayed finite, or -1.

        What is not finite once stays so. So it is enough to look at the end, and to go step by step where it was left.
        """
        before = replica.flat.clone(), replica.flat_velocity.clone()
        costs = self._run(replica, batches, rate)
        if _is_finite(replica):
            return costs, -1
        _go_back(replica, before)
        for step, images in enumerate(batches):
            before = replica.flat.clone(), replica.flat_velocity.clone()
            costs[step] = self._run(replica, [images], rate)[0]
            if not _is_finite(replica):
                _go_back(replica, before)
                costs[step + 1 :] = np.nan
                return costs, step
        return costs, -1

    # Nothing is learned

    def loss(self, weights: Weights) -> tuple[float, float]:
        """Mean hinge of the images that are looked at, and the share that is told wrongly."""
        cost, wrong = 0.0, 0
        for scores, labels in self._passes(weights, self.looked):
            cost += float(hinge(scores, labels, self._settings.margin)[0].sum())
            wrong += int((scores.argmax(1) != labels).sum())
        n = len(self.looked.labels)
        return cost / n, wrong / n

    def error(self, weights: Weights) -> float:
        """The share told wrongly of the images that are not learned from."""
        wrong = [(scores.argmax(1) != labels).sum() for scores, labels in self._passes(weights, self.valid)]
        return int(sum(wrong)) / len(self.valid.labels)

    def outputs(self, weights: Weights) -> Flat:
        """Scores of all images learned from, (n, 10)."""
        return np.concatenate([scores.copy() for scores, _ in self._passes(weights, self.train)])

    def gradient(self, weights: Weights, of: Seen) -> tuple[Flat, dict[str, float]]:
        """The mean gradient over images, (n_weights,), and the sum over its entries of their mean squares, by group.

        The square of s_i d_j, summed over i and j, is |s|^2 |d|^2: no product of matrices is needed.
        """
        found, squares = np.zeros(sum(part.numel() for part in (*weights.bonds, *weights.biases)), "f4"), {}
        into = self._views(found)
        for scores, labels in self._passes(weights, of):
            slopes = hinge(scores, labels, self._settings.margin)[1]
            self._layers.back(weights, torch.from_numpy(slopes))
            self._layers.add_gradient(into, 1.0)
            states, errors = ([_powers(part) for part in parts] for parts in (self._layers.states, self._layers.errors))
            for k, (state, error) in enumerate(zip(states, errors, strict=True), 1):
                for name, each in ((f"J{k}", state * error), (f"b{k}", error)):
                    squares[name] = squares.get(name, 0.0) + float(each.sum()) / len(of.labels)
        found /= len(of.labels)
        return found, squares

    def variances(self, weights: Weights) -> list[float]:
        """< var_n(dE_n/dw_ij) >_ij of each group, over the first images that are looked at."""
        mean, squares = self.gradient(weights, self.looked.first(N_NOISE))
        found = []
        for name, group in self._layout.items():
            systematic = float(np.square(mean[group.slice], dtype=np.float64).sum())
            found.append(max(squares[name] - systematic, 0.0) / prod(group.shape))
        return found

    def _passes(self, weights: Weights, of: Seen) -> Iterator[tuple[Flat, NDArray[np.int64]]]:
        """Scores, which hold until the next, and labels, of some images after the others."""
        for at in range(0, len(of.labels), AT_ONCE):
            scores = self._layers.forward(weights, of.inputs[at : at + AT_ONCE])
            yield scores.numpy(), of.labels[at : at + AT_ONCE]


def _powers(part: Tensor) -> Tensor:
    """|x_n|^2 of each row."""
    return part.double().square().sum(1)


def _is_finite(replica: Replica) -> bool:
    return bool(replica.flat.isfinite().all() and replica.flat_velocity.isfinite().all())


def _go_back(replica: Replica, numbers: tuple[Tensor, Tensor]) -> None:
    replica.flat.copy_(numbers[0])
    replica.flat_velocity.copy_(numbers[1])
