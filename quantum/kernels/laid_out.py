"""Music and a block of gates as the compiled code takes them."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import Transitions
from quantum.block import Block
from quantum.channel import Music
from quantum.kernels.gates import Ladder, X, Z
from quantum.kernels.maps import Sizes
from quantum.kernels.vectors import LANES
from quantum.ladder import ROTATIONS
from quantum.settings import QuantumRNNSettings

Real = NDArray[np.floating]
AXES = {"RX": X, "RZ": Z}


class Network(NamedTuple):
    """What does not change while one learns; arrays of numbers begin with a line of the cache."""

    sizes: Sizes
    ladder: Ladder
    kets: Real  # real parts of the distinct chords, (n_distinct, 2^n_D)
    kets_i: Real  # imaginary parts, or none where all are 0
    kets_t: Real  # the same transposed, (2^n_D, n_distinct)
    kets_i_t: Real
    signs: Real  # (-1)^(bit q) of each data state, (n_data * 2^n_D,)
    chord: NDArray[np.int64]  # of each slot
    offsets: NDArray[np.int64]  # first slot of each time
    inputs: Real  # of W, (n_slots, 54), or (n_slots, 0)
    targets: Real  # (n_slots, 64)
    columns: NDArray[np.int64]  # the features that K reads
    learned: frozenset[str]


def network(settings: QuantumRNNSettings, slots: Transitions, music: Music, columns: NDArray[np.int64]) -> Network:
    """One network and its music, in the precision of the settings."""
    block, dtype = settings.block, np.dtype(settings.precision)
    re, im = music.states.real.numpy(), music.states.imag.numpy()
    im = im if im.any() else im[:0]
    return Network(
        sizes=_sizes(block, settings.observables),
        ladder=_ladder(block),
        kets=aligned(re, dtype),
        kets_i=aligned(im, dtype),
        kets_t=aligned(re.T, dtype),
        kets_i_t=aligned(im.T, dtype),
        signs=_data_signs(block, dtype),
        chord=music.chord.numpy().astype(np.int64),
        offsets=np.array(music.offsets, np.int64),
        inputs=aligned(slots.inputs if settings.skip else slots.inputs[:, :0], dtype),
        targets=padded(slots.targets, dtype),
        columns=columns,
        learned=frozenset(settings.learned),
    )


def _sizes(block: Block, observables: str) -> Sizes:
    data, history = 2**block.n_data, 2**block.n_history
    sectors = 2 if block.schedule == "staggered" else 1
    return Sizes(
        n_data=block.n_data,
        n_history=block.n_history,
        n=data * history,
        data=data,
        history=history,
        groups=data // LANES,
        sectors=sectors,
        kept=history // sectors,
        row=history**2 * data * 2,
        n_read=len(block.measured()),
        reads_x="X" in observables,
    )


def _ladder(block: Block) -> Ladder:
    ladder, z = block.ladder, _signs(block.n_qubits)
    axes = np.array([AXES[name] for name in ROTATIONS[ladder.rotations]], np.int64)
    couplings = np.array([z[i] * z[j] for i, j in ladder.edges], np.float64).reshape(-1, 2**ladder.n_qubits)
    return Ladder(ladder.n_qubits, ladder.n_layers, ladder.n_layers + ladder.closing, axes, couplings)


def _signs(n_qubits: int) -> NDArray[np.int64]:
    """(-1)^(bit q) of every state, (n_qubits, 2^n_qubits); qubit 0 is the leftmost of the ket."""
    states = np.arange(2**n_qubits)
    return np.array([1 - 2 * (states >> (n_qubits - 1 - q) & 1) for q in range(n_qubits)])


def _data_signs(block: Block, dtype: np.dtype) -> Real:
    """Those of the data states, in the order in which they stand side by side, flat."""
    data = np.arange(2**block.n_data)
    first, rest = np.divmod(data, len(data) // 2)
    placed = np.empty((block.n_data, len(data)), dtype)
    placed[:, rest // 8 * LANES + 8 * first + rest % 8] = _signs(block.n_data)
    return aligned(placed.ravel(), dtype)


def padded(outputs: Real, dtype: np.dtype) -> Real:
    """Columns of zeros up to whole vectors."""
    wide = np.zeros((len(outputs), -(-outputs.shape[1] // LANES) * LANES), dtype)
    wide[:, : outputs.shape[1]] = outputs
    return aligned(wide, dtype)


def aligned(values: Real, dtype: np.dtype) -> Real:
    """A copy that begins with a line of the cache."""
    copy = carved(dtype, copy=values.shape)["copy"]
    copy[...] = values
    return copy


def carved(dtype: np.dtype, **shapes: tuple[int, ...]) -> dict[str, Real]:
    """Arrays of zeros of these shapes out of one, each of which begins with a line of the cache."""
    line = 64 // dtype.itemsize
    sizes = {name: -(-math.prod(shape) // line) * line for name, shape in shapes.items()}
    whole, arrays = np.zeros(sum(sizes.values()) + line, dtype), {}
    place = -(whole.ctypes.data // dtype.itemsize) % line
    for name, shape in shapes.items():
        arrays[name] = whole[place : place + math.prod(shape)].reshape(shape)
        place += sizes[name]
    return arrays
