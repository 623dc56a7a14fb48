"""Deep perceptrons as they are: their weights, what these make of patterns, how alike machines are."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.bits import ONE
from classical.perceptron.machine_settings import DeepPerceptronSettings
from classical.perceptron.patterns import Patterns, all_spins, fields
from classical.perceptron.spin_overlaps import pair_overlap
from encoding import InputError
from encoding.layout import Group, lay_out


class Machines:
    """Machines of one shape, and the patterns that they are to learn.

    Attributes:
        settings: their shape, and what is learned.
        patterns: the data.
        n_replicas: R.
    """

    settings: DeepPerceptronSettings
    patterns: Patterns
    n_replicas: int
    _weights: NDArray[np.int32]  # (R, L, N, N), in units of 2^-16

    def weights(self) -> NDArray[np.float32]:
        """A copy of all weights, (n_replicas, L N^2): whole multiples of 2^-16."""
        return (self._weights.reshape(self.n_replicas, -1) / ONE).astype(np.float32)

    def layout(self) -> dict[str, Group]:
        """A group of weights for each layer, J1 .. JL: rows are units, columns those of the layer below."""
        square = (self.settings.width, self.settings.width)
        return lay_out({f"J{layer}": square for layer in range(1, self.settings.depth + 1)})

    def noise(self) -> NDArray[np.float64]:
        """Mean square <(J' - J)^2> of what a proposal moves a weight by, by layer, (n_replicas, L).

        It is Gamma for steps of rate 1: D = Gamma tau at first, were every proposal taken.
        """
        keeps, draws = self.settings.keeps, self.settings.draws
        squares = ((self._weights / ONE) ** 2).mean((2, 3))
        return (1 - keeps) ** 2 * squares + draws**2

    def spins(self, *, test: bool = False) -> NDArray[np.int8]:
        """Spins of all layers, (n_replicas, M, L + 1, N), the input first; `test`: for 1000 other inputs."""
        return np.stack(list(self._spins_of_each(test)))

    def _spins_of_each(self, test: bool = False) -> Iterator[NDArray[np.int8]]:
        """Spins of one replica after the other, (M, L + 1, N): all at once may be more than there is room for."""
        inputs = self.patterns.test if test else self.patterns.inputs
        return (all_spins(machine, inputs) for machine in self._weights)

    def activations(self) -> NDArray[np.float32]:
        """Hidden spins of all patterns, (n_replicas, M, (L - 1) N)."""
        hidden = [spins[:, 1:-1].reshape(len(spins), -1).astype(np.float32) for spins in self._spins_of_each()]
        return np.stack(hidden)

    def outputs(self) -> NDArray[np.float64]:
        """Fields N^-1/2 sum_j J_ij S_j of the last layer, (n_replicas, M, N)."""
        each = zip(self._weights, self._spins_of_each(), strict=True)
        return np.array([fields(machine[-1], spins[:, -2]) for machine, spins in each]) / (
            ONE * np.sqrt(self.settings.width)
        )

    def overlaps(self, *, test: bool = False, normalised: bool = False) -> NDArray[np.float64]:
        """q^2(l) of all pairs of replicas, l = 1 .. L, (R, R, L).

        q^2 = (1/N) sum_ij q_ij^2 - N/M,   q_ij = (1/M) sum_mu S_i^mu(a) S_j^mu(b)        (Yoshino, seminar 2021)
        """
        layers = [_by_layer(spins) for spins in self._spins_of_each(test)]
        return np.array([[pair_overlap(a, b, normalised=normalised) for b in layers] for a in layers])

    def teacher_overlaps(self, *, test: bool = False, normalised: bool = False) -> NDArray[np.float64]:
        """r^2(l) of each replica with the teacher, l = 1 .. L, (R, L); the teacher saw its inputs without noise.

        Raises:
            InputError: the data are random.
        """
        taught = _by_layer(self._taught(test))
        each = self._spins_of_each(test)
        return np.array([pair_overlap(_by_layer(spins), taught, normalised=normalised) for spins in each])

    def generalisation(self) -> NDArray[np.float64]:
        """r_test = (1/NM) sum_mu,i S*_i S_i of the outputs for other inputs, (R,): 1 for the teacher, 0 by chance.

        Raises:
            InputError: the data are random.
        """
        taught = self._taught(test=True)
        return np.array([_alike_at_the_end(spins, taught) for spins in self._spins_of_each(test=True)])

    def with_teacher(self) -> dict[str, NDArray[np.float64]]:
        """r_test, (R,), and r^2(l) on both patterns, (R, L), each machine followed once.

        Raises:
            InputError: the data are random.
        """
        taught = self._taught(test=True)
        r_test, r2_test = [], []
        for spins in self._spins_of_each(test=True):
            r_test.append(_alike_at_the_end(spins, taught))
            r2_test.append(pair_overlap(_by_layer(spins), _by_layer(taught)))
        return {"r_test": np.array(r_test), "r2": self.teacher_overlaps(), "r2_test": np.array(r2_test)}

    def _taught(self, test: bool) -> NDArray[np.int8]:
        """Spins of the teacher, (M, L + 1, N)."""
        if self.patterns.teacher is None:
            raise InputError("random data have no teacher to compare with: take scenario teacher")
        return all_spins(self.patterns.teacher, self.patterns.test if test else self.patterns.taught)


def _by_layer(spins: NDArray[np.int8]) -> NDArray[np.int8]:
    """(L, M, N) of (M, L + 1, N), without the input."""
    return spins[:, 1:].swapaxes(0, 1)


def _alike_at_the_end(spins: NDArray[np.int8], taught: NDArray[np.int8]) -> float:
    """The mean of S*_i S_i in the last layer."""
    return float((spins[:, -1] * taught[:, -1].astype(np.float64)).mean())
