"""How many parameters a recurrent ladder really has: the rank of its outputs' slopes in the angles, d f / d theta.

For ladders of L >= 2 layers on N qubits with E edges, E_D of them inside D, at random angles and inputs in the coherent
schedule, it is the smaller of (measured for N <= 4, and 1007 at n_D = 4, n_H = 1)

    L (2N + E) - E_D      and    4^N - 2^n_D - (2^n_H - 1)^2        read in Z
    L (2N + E) + n_D      and    4^N - 1     - (2^n_H - 1)^2        read in Z and X

and with closing rotations (N >= 3) the left side is L (2N + E) + 2N in Z, n_D more in Z and X. The left side counts
angles without those that repeat others: RZ before RZZ, and what commutes with the readout. The right side counts
unitaries, (2^N)^2, without the phases that the readout does not see (2^n_D in Z, one in Z and X) and the changes of
basis on H that keep |0...0>, as many as unitaries of its other 2^n_H - 1 states: nothing more can be learned.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, Purpose, checked_seed, stream
from encoding.errors import shown
from encoding.given import real_numbers
from quantum.block import Block, checked_block
from quantum.coherent import check_readout, outputs_and_slopes
from quantum.dense import checked_angles
from quantum.given import remedy

Real = NDArray[np.float64]

COUNTS = 1e-10  # of the largest singular value; measured gaps go from 1e-4 to 1e-15
GAP = 1e3  # between what counts and what does not, or the rank is not clear
N_STEPS = 8  # chords of a random sequence
AT_ONCE = 2**27  # bytes of slopes in work, one batch of sequences


@dataclass(frozen=True, eq=False)
class EffectiveParameters:
    """The rank of the outputs' slopes in the angles.

    Attributes:
        rank: how many directions of the angles the outputs feel.
        n_angles: how many angles there are.
        singular_values: of the slopes, the largest first, in units of the largest.
        last_kept: the smallest that counts.
        first_dropped: the largest that does not: rounding. 0 where none is left.
    """

    rank: int
    n_angles: int
    singular_values: Real
    last_kept: float
    first_dropped: float

    def __repr__(self) -> str:
        """The rank, and the gap that it is told by."""
        return (
            f"<EffectiveParameters: {self.rank} of {self.n_angles} angles; the last singular value that counts is "
            f"{self.last_kept:.1e}, the next {self.first_dropped:.1e}>"
        )


def effective_parameters(
    block: Block,
    readout: str = "Z",
    *,
    angles: ArrayLike | None = None,
    inputs: ArrayLike | None = None,
    seed: int = 0,
) -> EffectiveParameters:
    """The rank of d f / d theta by exact slopes, in the coherent schedule.

    Args:
        block: ladder and rotations, of the schedule "coherent".
        readout: of the data qubits, "Z", "X", or "ZX" for both.
        angles: ask at these, (n_angles,), instead of random ones.
        inputs: angles of the chords to be learned, (..., n_steps, n_voices, n_rotations), as the block's encoding gives
            them, in radians; None: enough random ones.
        seed: of the draws.

    Raises:
        InputError: no coherent block or no such readout, arrays of another shape, slopes of more than 512 MiB, or
            singular values without a gap of three decades at 1e-10 of the largest.

    >>> from quantum import Ladder
    >>> effective_parameters(Block(Ladder(2, 4), n_data=1, schedule="coherent"))
    <EffectiveParameters: 13 of 28 angles; the last singular value that counts is ..., the next ...>
    """
    check_readout(readout)
    if checked_block(block).schedule != "coherent":
        raise InputError(
            f"effective parameters are counted in the schedule 'coherent'; this block's is {block.schedule!r}: "
            'dataclasses.replace(block, schedule="coherent") has the same ladder'
        )
    rng, ladder = stream(checked_seed(seed), 0, Purpose.START), block.ladder
    drawn = rng.uniform(-np.pi, np.pi, ladder.n_angles)
    theta = drawn if angles is None else checked_angles(ladder, angles)
    x = _flat(_enough(rng, block) if inputs is None else inputs, block.chord_shape)
    one_sequence = 16 * ladder.n_angles * 2 ** (2 * ladder.n_qubits - block.n_data)
    parts = np.array_split(x, min(len(x), 1 + len(x) * one_sequence // AT_ONCE))
    options = {"n_data": block.n_data, "readout": readout, "rotations": block.rotations}
    slopes = [outputs_and_slopes(ladder, theta, part, **options)[1] for part in parts]
    return _counted(np.concatenate([part.reshape(-1, ladder.n_angles) for part in slopes]))


def _enough(rng: np.random.Generator, block: Block) -> Real:
    """Random sequences with half as many outputs again as the rank can be, and two sequences more."""
    n_outputs = 3 * min(block.ladder.n_angles, 4**block.n_qubits) // 2
    return rng.uniform(0, 2 * np.pi, (2 + n_outputs // (N_STEPS * block.n_data), N_STEPS, *block.chord_shape))


def _flat(inputs: ArrayLike, chord_shape: tuple[int, int]) -> Real:
    """Chords of any leading axes as sequences side by side, (n_sequences, n_steps, angles of a chord)."""
    x = real_numbers(inputs)
    if x is None:
        raise InputError(f"inputs are angles of chords, real numbers; got {shown(inputs)}")
    if x.ndim < 3 or x.shape[-2:] != chord_shape or not x.size or not np.isfinite(x).all():
        wanted = f"(..., n_steps, {chord_shape[0]}, {chord_shape[1]})"
        what = "angles of chords"
        raise InputError(f"inputs are finite {what}, {wanted}; got shape {x.shape}{remedy(what, x, chord_shape)}")
    return x.reshape(-1, x.shape[-3], chord_shape[0] * chord_shape[1])


def _counted(slopes: Real) -> EffectiveParameters:
    values: Real = np.linalg.svd(slopes, compute_uv=False).astype(np.float64)
    values = values / values[0] if values[0] > 0 else values
    rank = int((values > COUNTS).sum())
    kept = float(values[rank - 1]) if rank else 0.0
    dropped = float(values[rank]) if rank < len(values) else 0.0
    if rank and kept < GAP * dropped:
        raise InputError(
            f"the rank is not clear: singular values {kept:.1e} and {dropped:.1e} of the largest have less than three "
            "decades between them; ask at other angles, or with more inputs"
        )
    return EffectiveParameters(rank, slopes.shape[1], values, kept, dropped)
