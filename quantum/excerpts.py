"""A trained network at one excerpt: what circuits are asked for, and what their counts are worth.

    features f (from shots, or exact) -> H = K f + W S + h_0 -> NLL in bits per output unit per time step

The scatter that shots leave on the NLL is told by the jackknife over blocks of shots: with L_b the NLL without block b,

    sigma^2 = (n - 1)/n sum_b (L_b - <L>)^2                                      (Efron & Stein 1981)

Outcomes of one shot hang together, over qubits and chords; blocks of whole shots keep them so.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.primitives import BaseSamplerV2, DataBin, PrimitiveResult, SamplerPubResult

from encoding import InputError, Purpose, pack, stream
from encoding.transitions import Piece
from quantum.exact import Exact
from quantum.lessons import feature_columns
from quantum.music import chord_angles, played
from quantum.passes import readout_of
from quantum.readout import bits
from quantum.rnn import QuantumRNN
from quantum.samplers import Sampler
from quantum.sources import Real, features_of

N_BLOCKS = 20


class Estimate(NamedTuple):
    """A number and its standard error; None: it cannot be told."""

    value: float
    error: float | None


class Excerpt:
    """One replica of a network, with the weights it has now, at one piece.

    Args:
        system: the network.
        piece: at least two chords.
        replica: which of its networks.
        weights: of this replica, (n_weights,), in place of those it has.

    Raises:
        InputError: no such replica.
    """

    def __init__(
        self, system: QuantumRNN, piece: Piece, *, replica: int = 0, weights: NDArray[np.floating] | None = None
    ) -> None:
        if not 0 <= replica < system.n_replicas:
            raise InputError(f"the run has replicas 0 to {system.n_replicas - 1}; got {replica}")
        self.settings = system.settings
        self.weights = system.weights()[replica] if weights is None else np.asarray(weights, system.settings.precision)
        own = self.weights.astype(np.float64)
        layout, slots = system.layout(), pack([piece], system.network().standardisation)
        self.angles: Real = own[None, : self.settings.block.ladder.n_angles]
        self.chords = chord_angles([piece], slots, self.settings.note)
        self._music = played([piece], slots, self.settings.note, torch.complex128)
        self._readout, self._columns = readout_of(layout, own), feature_columns(self.settings)
        self._inputs, self._targets = (torch.from_numpy(part).double() for part in (slots.inputs, slots.targets))

    @property
    def n_times(self) -> int:
        """Chords that are played."""
        return len(self.chords[0])

    def source(self, sampler: Any, shots: int) -> Sampler:
        """The circuits, on a sampler."""
        return Sampler(self.settings.block, self.chords, sampler, shots, observables=self.settings.observables)

    def exact(self) -> Real:
        """Features without scatter, (n_slots, n_f)."""
        source = Exact(self.settings.block, self._music, self.settings.observables)
        return features_of(source, self.angles, _no_draw())[0]

    def shown(self, sampler: Any, shots: int) -> Real:
        """Features as a sampler shows them, (n_slots, n_f)."""
        return features_of(self.source(sampler, shots), self.angles, _no_draw())[0]

    def nll(self, features: Real) -> float:
        """Mean NLL in bits per output unit per time step."""
        fields = self._readout.fields(torch.from_numpy(features)[:, self._columns], self._inputs)
        return float(bits(self._targets, fields).mean())

    def estimate(self, features: Real, results: Sequence[PrimitiveResult], shots: int) -> Estimate:
        """The NLL of features and its scatter from shot to shot.

        Args:
            features: as `shown` gave them.
            results: of the jobs, in their order.
            shots: S.
        """
        n = min(N_BLOCKS, shots)
        if n < 2:
            return Estimate(self.nll(features), None)
        losses = []
        for block in np.array_split(np.arange(shots), n):
            left = np.setdiff1d(np.arange(shots), block)
            losses.append(self.nll(self.shown(Without(results, left), len(left))))
        return Estimate(self.nll(features), float(np.sqrt((n - 1) * np.var(losses))))


class Without(BaseSamplerV2):
    """Outcomes that are known, without some of their shots.

    Args:
        results: of the jobs, in their order.
        left: numbers of the shots that are left.
    """

    def __init__(self, results: Sequence[PrimitiveResult], left: NDArray[np.integer]) -> None:
        self._results, self._left = iter(results), left.tolist()

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        """The next result."""
        return Known(next(self._results), self._left)


class Known:
    """A job that is done.

    Args:
        result: all shots.
        left: which of them count.
    """

    def __init__(self, result: PrimitiveResult, left: list[int]) -> None:
        self._result, self._left = result, left

    def result(self) -> PrimitiveResult:
        """The shots that are left."""
        parts = []
        for number in range(len(self._result)):
            data: Any = self._result[number].data
            registers = {name: data[name].slice_shots(self._left) for name in data}
            parts.append(SamplerPubResult(DataBin(**registers, shape=data.shape)))
        return PrimitiveResult(parts)


def _no_draw() -> np.random.Generator:
    """Sources ask for draws; these draw none from it."""
    return stream(0, 0, Purpose.OUTCOME)
