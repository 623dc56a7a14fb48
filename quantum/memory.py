"""Does a recurrent block remember? What it says now may depend on earlier inputs, or cannot, whatever is learned.

    response(lag) = < |d f_t / d x_(t-lag)|^2 >^(1/2)

over random angles and inputs, |.| over features and inputs. Li's block of one layer ends with RZZ, which commutes with
Z: read in Z, the data qubits say nothing that H knew.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, Purpose, checked_seed, stream
from quantum.coherent import check_registers, responses
from quantum.dense import checked_angles
from quantum.ladder import Ladder, checked_count

Real = NDArray[np.float64]
Cell = Callable[[Any, Any], tuple[Any, Any]]

ROUNDED = 4096  # units of rounding that the gates of a few chords may add up to; some 5 are measured
RUN_IN = 2  # chords before the one whose inputs are moved, so that H is no longer |0...0>


@dataclass(frozen=True, eq=False)
class Memory:
    """How far the outputs depend on earlier inputs; true where they do at some lag.

    Attributes:
        response: what is seen at lag 1, 2, ..., root mean square over the draws, (n_lags,).
        threshold: what rounding may do.
    """

    response: Real
    threshold: float

    def __bool__(self) -> bool:
        """Whether some lag is seen above rounding."""
        return bool((self.response > self.threshold).any())


def carries_memory(
    ladder: Ladder,
    n_data: int,
    readout: str = "Z",
    *,
    angles: ArrayLike | None = None,
    n_lags: int = 3,
    n_draws: int = 8,
    seed: int = 0,
) -> Memory:
    """Whether what the data qubits say at a chord depends on the chords before it, in the coherent schedule.

    The slopes are exact. The threshold, 9e-13, is that of rounding; 1e24 shots would not see a memory below it.

    Args:
        ladder: one chord's gates.
        n_data: number of data qubits, the first ones.
        readout: "Z": <Z_i>, or "ZX": <Z_i> and <X_i>.
        angles: ask at these, (n_angles,), instead of random ones.
        n_lags: how far to look back, in chords.
        n_draws: random sequences, and random angles.
        seed: of the draws.

    Raises:
        InputError: no such registers or readout, or angles of another shape.

    >>> bool(carries_memory(Ladder(4), 2)), bool(carries_memory(Ladder(4), 2, "ZX"))
    (False, True)
    """
    check_registers(ladder, n_data, readout)
    given = None if angles is None else checked_angles(ladder, angles)
    n_steps = RUN_IN + 1 + checked_count("n_lags", n_lags, most=1000)
    squares = []
    for rng in _draws(seed, n_draws):
        theta = rng.uniform(-np.pi, np.pi, ladder.n_angles) if given is None else given
        x = rng.uniform(0, 2 * np.pi, (n_steps, n_data))
        moved = responses(ladder, theta, x, n_data=n_data, step=RUN_IN, readout=readout)
        squares.append((moved[RUN_IN + 1 :] ** 2).sum((-1, -2)))
    return Memory(np.sqrt(np.mean(squares, 0)), _rounding(np.float64))


def cell_carries_memory(
    cell: Cell,
    history: Any,
    draw: Callable[[np.random.Generator], Any],
    *,
    n_lags: int = 3,
    n_draws: int = 8,
    seed: int = 0,
    threshold: float | None = None,
) -> Memory:
    """Whether any recurrent cell remembers: two sequences that differ in one chord, and how far the outputs after it.

    Args:
        cell: (input, history) -> (features, history), without shots: the same sequence, the same features.
        history: the history state to start from.
        draw: an input, drawn by a generator: `lambda rng: rng.uniform(0, 2 * np.pi, 4)`.
        n_lags: how far to look back.
        n_draws: pairs of sequences.
        seed: of the draws.
        threshold: what rounding may do; None: 4096 units of the features' precision.

    Raises:
        InputError: a cell that returns no pair, no finite numbers, another number of them than before, or that answers
            the same sequence differently.

    >>> echo = lambda x, before: (before, x)
    >>> cell_carries_memory(echo, np.zeros(1), lambda rng: rng.uniform(size=1)).response > 0
    array([ True, False, False])
    """
    n_steps = RUN_IN + 1 + checked_count("n_lags", n_lags, most=1000)
    squares, rounding = [], 0.0
    for rng in _draws(seed, n_draws):
        sequence = [draw(rng) for _ in range(n_steps)]
        other = [*sequence[:RUN_IN], draw(rng), *sequence[RUN_IN + 1 :]]
        seen, again, moved = (_features(cell, history, inputs) for inputs in (sequence, sequence, other))
        if not np.array_equal(seen, again):
            raise InputError(
                "the cell answers the same sequence differently: give it expectation values instead of shots, and no "
                f"state but its history; the answers differ by {abs(seen - again).max():.1e}"
            )
        squares.append((abs(moved - seen)[RUN_IN + 1 :] ** 2).sum(-1))
        rounding = max(rounding, _rounding(seen.dtype))
    return Memory(np.sqrt(np.mean(squares, 0)), rounding if threshold is None else threshold)


def _features(cell: Cell, history: Any, sequence: list[Any]) -> NDArray[Any]:
    """The features of a cell along a sequence, (n_steps, n_features)."""
    state, seen = deepcopy(history), []
    for x in sequence:
        answer = cell(deepcopy(x), state)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise InputError(f"a cell returns (features, history); got {' '.join(repr(answer).split()):.60}")
        features, state = answer
        features = np.ravel(features.detach() if hasattr(features, "detach") else features)  # torch: without its graph
        if features.dtype.kind in "iub":
            features = features.astype(np.float64)
        if features.dtype.kind not in "fc" or not np.isfinite(features).all():
            raise InputError(f"a cell's features are finite numbers; got {' '.join(repr(features).split()):.60}")
        if seen and (features.shape != seen[0].shape or not features.size):
            raise InputError(f"a cell has as many features at every chord; got {len(seen[0])}, then {len(features)}")
        seen.append(features)
    return np.stack(seen)


def _draws(seed: int, n_draws: int) -> Iterator[np.random.Generator]:
    for draw in range(checked_count("n_draws", n_draws, most=10_000)):
        yield stream(checked_seed(seed), draw, Purpose.START)


def _rounding(precision: Any) -> float:
    return ROUNDED * float(np.finfo(precision).eps)
