"""Outcomes of a circuit, drawn or all that there are, and the numbers that are read from them.

    <A> = sum_k w_k a_k        Var A = sum_k w_k a_k^2 - <A>^2

over shots, w = 1/S, or over all outcomes with their probabilities, w = p. A word of Pauli matrices that was turned to Z
has a = prod (-1)^bit over its wires.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pennylane.ops import MeasurementValue

Wire = Hashable
Numbers = NDArray[np.float64]
MOST_VALUES = 20  # measurements in an expression whose values are tabled: 2^20


@dataclass(frozen=True)
class Outcomes:
    """What came out of one circuit, of several sets of angles (rows).

    Attributes:
        bits: of every wire that was read, (rows or 1, outcomes).
        middle: of every measurement in the middle, by its hash, alike.
        weights: probabilities, (rows, outcomes); None: shots, each as likely.
        kets: states before anything was read, (rows, 2^n), where they are known and asked for.
    """

    bits: Mapping[Wire, NDArray[np.uint8]]
    middle: Mapping[int, NDArray[np.uint8]]
    weights: Numbers | None = None
    kets: NDArray[np.complex128] | None = None

    def part(self, first: int, last: int) -> "Outcomes":
        """Some of the shots."""
        return self._cut(lambda one: one[:, first:last])

    def row(self, k: int) -> "Outcomes":
        """Those of one set of angles."""
        weights = None if self.weights is None else self.weights[k : k + 1]
        kets = None if self.kets is None else self.kets[k : k + 1]
        return replace(self._cut(lambda one: one if len(one) == 1 else one[k : k + 1]), weights=weights, kets=kets)

    def _cut(self, cut: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> "Outcomes":
        bits = {wire: cut(one) for wire, one in self.bits.items()}
        return replace(self, bits=bits, middle={key: cut(one) for key, one in self.middle.items()})

    def mean(self, values: Numbers) -> Numbers:
        """The average of values, (rows,)."""
        if self.weights is None:
            return np.broadcast_to(values, self._shape()).mean(-1) if values.shape[-1] == 1 else values.mean(-1)
        return (self.weights * values).sum(-1)

    def law(self, index: NDArray[np.int64], n: int) -> Numbers:
        """How often each of n indices is seen, (rows, n)."""
        rows, shots = self._shape()
        index = np.broadcast_to(index, (rows, shots))
        place = (index + n * np.arange(rows)[:, None]).ravel()
        weights = None if self.weights is None else self.weights.ravel()
        seen: Any = np.bincount(place, weights, minlength=rows * n).reshape(rows, n)
        return seen / shots if weights is None else seen

    def _shape(self) -> tuple[int, int]:
        if self.weights is not None:
            return self.weights.shape[0], self.weights.shape[1]
        rows, shots = next(iter({**self.bits, **self.middle}.values())).shape
        return rows, shots


def word_of(words: Sequence[tuple[float, Mapping[Wire, str]]]) -> Callable[[Outcomes], Numbers]:
    """The values of a sum of words: of each its factor, with the parity of the bits on its wires as sign."""

    def values(outcomes: Outcomes) -> Numbers:
        total: Any = np.zeros((1, 1))
        for factor, word in words:
            odd: Any = np.zeros((1, 1), np.uint8)
            for wire in word:
                odd = odd ^ outcomes.bits[wire]
            total = total + factor * (1.0 - 2.0 * odd)
        return total

    return values


def bits_of(outcomes: Outcomes, wires: Sequence[Wire]) -> NDArray[np.int64]:
    """The bits on some wires as numbers, the first wire counting most."""
    index: Any = np.zeros((1, 1), np.int64)
    for wire in wires:
        index = 2 * index + outcomes.bits[wire]
    return index


def value_of(of: Any) -> Callable[[Outcomes], Numbers]:
    """The values of what was measured in the middle; of a list of measurements, the number that its bits make."""

    def values(outcomes: Outcomes) -> Numbers:
        if not isinstance(of, MeasurementValue):
            index: Any = np.zeros((1, 1), np.int64)
            for one in of:
                index = 2 * index + outcomes.middle[one.measurements[0].hash]
            return index
        table = table_of(of)
        index = np.zeros((1, 1), np.int64)
        for one in of.measurements:
            index = 2 * index + outcomes.middle[one.hash]
        return table[index]

    return values


def table_of(of: MeasurementValue) -> NDArray[Any]:
    """The values of an expression at all outcomes of its measurements, the first counting most."""
    table = np.array([np.asarray(value).item() for _, value in of.items()])
    return table.astype(np.int64) if table.dtype == np.bool_ else table
