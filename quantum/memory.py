"""Does a recurrent block remember? What it says now may depend on earlier inputs, or cannot, whatever is learned.

    response(lag) = < |f_t(x) - f_t(x')|^2 >^(1/2),     x and x' the same sequence but for the chord at t - lag

over random angles and inputs, |.| over features. Li's block of one layer ends with RZZ, which commutes with Z: read in
Z, the data qubits say nothing that H knew.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, Purpose, checked_seed, stream
from quantum.block import Block, checked_block
from quantum.cells import Cell, block_cell
from quantum.coherent import one_set
from quantum.dense import checked_angles
from quantum.ladder import checked_count

Real = NDArray[np.float64]

ROUNDED = 4096  # units of rounding that the gates of a few chords may add up to; some 10 are measured
RUN_IN = 2  # chords before the one that is exchanged, so that H is no longer |0...0>


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

    def __repr__(self) -> str:
        """The answer, and the numbers behind it."""
        seen = ", ".join(f"{value:.1e}" for value in self.response)
        return f"<Memory: {bool(self)}, response {seen} at lag 1..{len(self.response)}, rounding {self.threshold:.0e}>"


def carries_memory(
    block: Block,
    readout: str = "Z",
    *,
    angles: ArrayLike | None = None,
    n_lags: int = 3,
    n_draws: int = 8,
    seed: int = 0,
) -> Memory:
    """Whether what is read at a chord depends on the chords before it, in the schedule of the block.

    Expectation values are exact, of the qubits that are measured. The threshold, 9e-13, is that of rounding; 1e24 shots
    would not see a memory below it. Chords are random angles of all the block's rotations; to ask with notes see
    `block_cell` and `cell_carries_memory`.

    Args:
        block: ladder, schedule and rotations.
        readout: "Z", "X", or "ZX" for both.
        angles: ask at these, (n_angles,), instead of random ones.
        n_lags: how far to look back, in chords.
        n_draws: pairs of random sequences, and random angles for each.
        seed: of the draws.

    Raises:
        InputError: no block or readout, angles of another shape, or more than 12 qubits.

    >>> from quantum import Ladder
    >>> block = Block(Ladder(4), n_data=2, schedule="coherent")
    >>> carries_memory(block)
    <Memory: False, response ... at lag 1..3, rounding 9e-13>
    >>> bool(carries_memory(block, "ZX"))
    True
    """
    given = None if angles is None else checked_angles(checked_block(block).ladder, one_set(angles))
    shape = checked_block(block).chord_shape

    def chord(rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.uniform(0, 2 * np.pi, shape)

    n_steps = RUN_IN + 1 + checked_count("n_lags", n_lags, most=1000)
    squares = []
    for rng in _draws(seed, n_draws):
        theta = rng.uniform(-np.pi, np.pi, block.ladder.n_angles) if given is None else given
        cell = block_cell(block, theta, readout)
        seen, moved = (_features(cell, None, inputs) for inputs in _pair(chord, rng, n_steps))
        squares.append(((moved - seen)[RUN_IN + 1 :] ** 2).sum(-1))
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
        sequence, other = _pair(draw, rng, n_steps)
        seen, again, moved = (_features(cell, history, inputs) for inputs in (sequence, sequence, other))
        if not np.array_equal(seen, again):
            raise InputError(
                "the cell answers the same sequence differently: give it expectation values instead of shots, and no "
                f"state but its history; the answers differ by {abs(seen - again).max():.1e}"
            )
        squares.append((abs(moved - seen)[RUN_IN + 1 :] ** 2).sum(-1))
        rounding = max(rounding, _rounding(seen.dtype))
    return Memory(np.sqrt(np.mean(squares, 0)), rounding if threshold is None else threshold)


def _pair(
    draw: Callable[[np.random.Generator], Any], rng: np.random.Generator, n_steps: int
) -> tuple[list[Any], list[Any]]:
    """A random sequence, and the same one with another chord after the run-in."""
    sequence = [draw(rng) for _ in range(n_steps)]
    return sequence, [*sequence[:RUN_IN], draw(rng), *sequence[RUN_IN + 1 :]]


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
