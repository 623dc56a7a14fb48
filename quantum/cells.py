"""One chord of a recurrent block, exactly: what is read, and the history that goes on to the next.

    A(x) = U (|x> (x) 1_H),     rho = A(x) rho_H A(x)^dagger                        |x> = prod_k R_k(x_k) |0...0>

    measured    features of D and H;  rho_H' = |h><h|, |h> = (x)_j RY(pi (1 - <Z_j>)/2) |0>
                                                                                    (Hertz, talk of 12 June 2024)
    coherent    features of D;        rho_H' = Tr_D rho                             (Li et al., arXiv:2302.03244)
    staggered   features of D;        rho_H' = Tr_(D[1:], H[0]) rho, D[0] dephased by its measurement; H' = H[1:] + D[0]

Whole density matrices of H, in numpy: for few qubits, and as what faster ways must equal.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from quantum.block import Block, checked_block, reencoded
from quantum.coherent import check_readout, kets, one_set, with_data
from quantum.dense import Amplitudes, unitary
from quantum.given import checked_numbers

Real = NDArray[np.float64]
Cell = Callable[[Any, Any], tuple[Any, Any]]


def block_cell(block: Block, angles: ArrayLike, readout: str = "Z") -> Callable[..., tuple[Real, Amplitudes]]:
    """The function of one chord, (chord, history) -> (features, history), with averages over infinitely many shots.

    The chord is (n_voices, n_rotations), in radians, as an `Encoding` gives it. The history is the density matrix
    that H has when a chord comes in, (2^n_H, 2^n_H); None, or left out, is |0...0>. The features are expectation values
    of the qubits that are measured, D, in "measured" also H: <Z> of each, with "ZX" then <X> of each.

    Args:
        block: ladder, schedule and rotations.
        angles: of the ladder, (n_angles,), in radians.
        readout: "Z", "X" or "ZX".

    Raises:
        InputError: no block or readout, angles of another shape, or more than 12 qubits; later, a chord of another
            shape.

    >>> from quantum import Ladder
    >>> cell = block_cell(Block(Ladder(2), n_data=1, schedule="measured"), [0, 0, 0, np.pi, 0, 0, 0])
    >>> heard, history = cell([[np.pi / 3]])  # RX(pi) on H; <Z> of D is cos(pi/3)
    >>> heard.round(3), cell([[0]], history)[0].round(3)
    (array([ 0.5, -1. ]), array([1., 1.]))
    """
    check_readout(readout)
    u, shape = unitary(checked_block(block).ladder, one_set(angles)), block.chord_shape

    def cell(chord: Any, history: Any = None) -> tuple[Real, Amplitudes]:
        psi = kets(checked_numbers("angles of a chord", chord, shape).reshape(1, -1), block.rotations)
        right = with_data(u, psi)[0]  # A(x), (2^N, 2^n_H)
        if history is None:
            left = right = right[:, :1]
        else:
            left = right @ _checked(history, right.shape[1])
        return _features(left, right, len(block.measured()), readout), _history(block, left, right)

    return cell


def _checked(history: Any, size: int) -> Amplitudes:
    rho = np.asarray(history)
    if rho.shape != (size, size) or rho.dtype.kind not in "iufc":
        raise InputError(f"a history is a density matrix of H, ({size}, {size}); got {rho.dtype} of shape {rho.shape}")
    return rho


def _features(left: Amplitudes, right: Amplitudes, n_read: int, readout: str) -> Real:
    """<Z_i> and <X_i> of the first qubits in left right^dagger: Z_i and X_i act on the rows of the left."""
    rows, columns = left.reshape(2**n_read, -1), right.conj().reshape(2**n_read, -1)
    number, diagonal = np.arange(2**n_read), (rows * columns).sum(1).real
    bits = [1 << n_read - 1 - qubit for qubit in range(n_read)]
    z = [diagonal @ np.where(number & bit, -1, 1) for bit in bits] if "Z" in readout else []
    x = [(rows[number ^ bit] * columns).sum().real for bit in bits] if "X" in readout else []
    return np.array(z + x)


def _history(block: Block, left: Amplitudes, right: Amplitudes) -> Amplitudes:
    """The density matrix of H at the next chord."""
    n_data, n_history = block.n_data, block.n_history
    if block.schedule == "measured":
        of_history = _features(left, right, block.n_qubits, "Z")[n_data:]
        h = kets(reencoded(of_history))
        return np.outer(h, h.conj())
    if block.schedule == "coherent":
        ket, bra = (m.reshape(2**n_data, 2**n_history, -1) for m in (left, right.conj()))
        return (ket @ bra.mT).sum(0)
    ket, bra = (m.reshape(2, 2 ** (n_data - 1), 2, 2 ** (n_history - 1), -1) for m in (left, right.conj()))
    for_outcome = (ket @ bra.mT).sum((1, 2))  # H[1:], for either outcome of D[0]
    return np.einsum("ahg,ae->hage", for_outcome, np.eye(2)).reshape(2**n_history, -1)
