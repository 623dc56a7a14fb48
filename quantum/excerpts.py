"""A trained network at one excerpt: what circuits are asked for, and what their counts are worth.

    features f (from shots, or exact) -> H = K f + W S + h_0 -> NLL in bits per output unit per time step

The scatter that shots leave on the NLL is told by the jackknife over blocks of shots: with L_b the NLL without block b,

    sigma^2 = (n - 1)/n sum_b (L_b - <L>)^2                                      (Efron & Stein 1981)

Outcomes of one shot hang together, over qubits and chords; blocks of whole shots keep them so.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.primitives import PrimitiveResult

from encoding import InputError, Purpose, pack, stream
from encoding.transitions import Piece
from quantum.exact import Exact
from quantum.lessons import feature_columns
from quantum.music import chord_angles, played
from quantum.outcomes import Shown, some_shots
from quantum.passes import readout_of
from quantum.readout import bits
from quantum.rnn import QuantumRNN
from quantum.samplers import Sampler
from quantum.sources import Real, features_of

N_BLOCKS = 20
Reader = Callable[[Sequence[PrimitiveResult]], Real]


class Estimate(NamedTuple):
    """An NLL and its standard error; None: it cannot be told.

    Attributes:
        value: the mean over chords.
        error: of it.
        chords: of each chord, (n_slots,).
        chord_errors: of these.
    """

    value: float
    error: float | None
    chords: Real
    chord_errors: Real | None


class Excerpt:
    """One replica of a network, with the weights it has now, at one piece.

    Args:
        system: the network.
        piece: at least two chords.
        replica: which of its networks.
        weights: of this replica, (n_weights,), in place of those it has.

    Raises:
        InputError: no such replica, or weights that are not those of one.
    """

    def __init__(
        self, system: QuantumRNN, piece: Piece, *, replica: int = 0, weights: NDArray[np.floating] | None = None
    ) -> None:
        if not 0 <= replica < system.n_replicas:
            raise InputError(f"the run has replicas 0 to {system.n_replicas - 1}; got {replica}")
        self.settings = system.settings
        own = system.weights()[replica]
        if weights is not None and np.shape(weights) != own.shape:
            raise InputError(f"a replica has {len(own)} weights; got an array of shape {np.shape(weights)}")
        self.weights = own if weights is None else np.asarray(weights, system.settings.precision)
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

    def fields(self, features: Real) -> Real:
        """H of every chord that is foretold, (n_slots, 54)."""
        return self._fields(features).numpy()

    def losses(self, features: Real) -> Real:
        """NLL of each chord that is foretold, (n_slots,), in bits per output unit."""
        return bits(self._targets, self._fields(features)).mean(1).numpy()

    def nll(self, features: Real) -> float:
        """Mean NLL in bits per output unit per time step."""
        return float(self.losses(features).mean())

    def estimate(
        self, features: Real, results: Sequence[PrimitiveResult], shots: int, *, read: Reader | None = None
    ) -> Estimate:
        """The NLL of features and its scatter from shot to shot.

        Args:
            features: as `shown` gave them.
            results: of the jobs, in their order.
            shots: S.
            read: makes features of results, as these were made; None: `shown`.

        Returns:
            Without errors where there are fewer than three shots, or where all of them are alike: a few shots of qubits
            that are nearly sure leave no scatter to be seen, which is not a scatter of 0. (With K = 0 it is one.)
        """
        n, chords, losses = min(N_BLOCKS, shots), self.losses(features), []
        if n < 3:  # one shot that is left is played by another circuit where averages come back
            return Estimate(float(chords.mean()), None, chords, None)
        for block in np.array_split(np.arange(shots), n):
            left = np.setdiff1d(np.arange(shots), block)
            parts = some_shots(results, left)
            losses.append(self.losses(self.shown(Shown(parts), len(left)) if read is None else read(parts)))
        scatter = np.array(losses)  # (n, n_slots)
        mean, each = (np.sqrt((n - 1) * np.var(numbers, axis=0)) for numbers in (scatter.mean(1), scatter))
        if not mean and self._readout.k.any():
            return Estimate(float(chords.mean()), None, chords, None)
        return Estimate(float(chords.mean()), float(mean), chords, each)

    def _fields(self, features: Real) -> torch.Tensor:
        return self._readout.fields(torch.from_numpy(features)[:, self._columns], self._inputs)


def _no_draw() -> np.random.Generator:
    """Sources ask for draws; these draw none from it."""
    return stream(0, 0, Purpose.OUTCOME)
