"""The whole unitary of a ladder, and its slope in every angle: for small circuits, and as what faster ways must equal.

Every gate of a ladder turns about a product of Pauli matrices, P^2 = 1:

    exp(-i theta/2 P) = cos(theta/2) - i sin(theta/2) P
    dU/dtheta_k = U W_k^dagger (-i/2 P_k) W_k,    W_k the product of the gates up to the k-th

Qubit 0 is the leftmost of the ket, as in PennyLane.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import real_numbers
from encoding.memory import check_room
from quantum.ladder import Gate, Ladder

MOST_KET_QUBITS = 16  # of a state vector
MOST_BYTES = 2**29  # of an array of matrices: twelve qubits, one unitary

Amplitudes = NDArray[np.complex128]


def evolved(ladder: Ladder, angles: ArrayLike, states: ArrayLike) -> Amplitudes:
    """State vectors after the ladder, U |psi>.

    Args:
        ladder: the gates, on at most 16 qubits.
        angles: radians, (..., n_angles).
        states: (..., 2^N); leading axes broadcast against those of the angles.

    Raises:
        InputError: more than 16 qubits, angles or states of another shape, or more of them than there is room for.
    """
    if ladder.n_qubits > MOST_KET_QUBITS:
        raise InputError(f"a state vector has at most {MOST_KET_QUBITS} qubits here; got {ladder.n_qubits}")
    theta, psi = checked_angles(ladder, angles), np.asarray(states, np.complex128)
    size = 2**ladder.n_qubits
    if psi.ndim == 0 or psi.shape[-1] != size:
        raise InputError(f"states of {ladder.n_qubits} qubits have shape (..., {size}); got {psi.shape}")
    try:
        leading = np.broadcast_shapes(theta.shape[:-1], psi.shape[:-1])
    except ValueError:
        raise InputError(
            f"leading axes of angles and states broadcast; got {theta.shape[:-1]} and {psi.shape[:-1]}"
        ) from None
    check_room(64.0 * size * prod(leading), f"{prod(leading)} states of {ladder.n_qubits} qubits", "take fewer at once")
    psi = np.broadcast_to(psi, (*leading, size))[..., None]
    for gate in ladder.gates():
        psi = _turned(psi, gate, theta, ladder.n_qubits)
    return psi[..., 0]


def unitary(ladder: Ladder, angles: ArrayLike) -> Amplitudes:
    """The matrix of the ladder, (..., 2^N, 2^N).

    Args:
        ladder: the gates.
        angles: radians, (..., n_angles).

    Raises:
        InputError: angles of another shape, or matrices of more than 512 MiB (13 qubits).

    >>> unitary(Ladder(1), [np.pi, 0, 0]).round(3)  # RX(pi) = -i X
    array([[0.+0.j, 0.-1.j], [0.-1.j, 0.+0.j]])
    """
    theta = checked_angles(ladder, angles)
    _check_room(ladder, theta.shape[:-1], f"the unitary of {ladder.n_qubits} qubits")
    product = _identity(ladder, theta)
    for gate in ladder.gates():
        product = _turned(product, gate, theta, ladder.n_qubits)
    return product


def unitary_and_slopes(ladder: Ladder, angles: ArrayLike) -> tuple[Amplitudes, Amplitudes]:
    """The matrix U, (..., 2^N, 2^N), and dU/dtheta_k for every angle, (..., n_angles, 2^N, 2^N).

    Args:
        ladder: the gates.
        angles: radians, (..., n_angles).

    Raises:
        InputError: angles of another shape, or slopes of more than 512 MiB.
    """
    theta = checked_angles(ladder, angles)
    shape = (*theta.shape[:-1], ladder.n_angles)
    _check_room(ladder, shape, f"{ladder.n_angles} slopes of a unitary of {ladder.n_qubits} qubits")
    product = _identity(ladder, theta)
    so_far = np.empty((*shape, *product.shape[-2:]), np.complex128)  # W_k
    generated = np.empty_like(so_far)  # -i/2 P_k W_k
    for gate in ladder.gates():
        product = _turned(product, gate, theta, ladder.n_qubits)
        so_far[..., gate.angle, :, :] = product
        generated[..., gate.angle, :, :] = -0.5j * _pauli(product, gate, ladder.n_qubits)
    return product, product[..., None, :, :] @ (so_far.conj().mT @ generated)


def checked_angles(ladder: Ladder, angles: Any) -> NDArray[np.float64]:
    """Angles of a ladder, (..., n_angles), real and finite.

    Raises:
        InputError: anything else.
    """
    theta = real_numbers(angles)
    if theta is None or not np.isfinite(theta).all():
        raise InputError(f"angles are finite real numbers, in radians; got {shown(angles, 40)}")
    if theta.ndim == 0 or theta.shape[-1] != ladder.n_angles:
        raise InputError(f"this ladder has angles of shape (..., {ladder.n_angles}); got {theta.shape}")
    return theta


def _identity(ladder: Ladder, theta: NDArray[np.float64]) -> Amplitudes:
    size = 2**ladder.n_qubits
    return np.broadcast_to(np.eye(size, dtype=np.complex128), (*theta.shape[:-1], size, size))


def _turned(psi: Amplitudes, gate: Gate, theta: NDArray[np.float64], n_qubits: int) -> Amplitudes:
    """exp(-i theta/2 P) on columns, (..., 2^N, n_columns)."""
    half = theta[..., gate.angle, None, None] / 2
    return np.cos(half) * psi - 1j * np.sin(half) * _pauli(psi, gate, n_qubits)


def _pauli(psi: Amplitudes, gate: Gate, n_qubits: int) -> Amplitudes:
    """X_i, Z_i or Z_i Z_j on columns, (..., 2^N, n_columns)."""
    number = np.arange(2**n_qubits)
    if gate.name == "RX":
        return psi[..., number ^ 1 << n_qubits - 1 - gate.qubits[0], :]
    sign = np.ones(len(number))
    for qubit in gate.qubits:
        sign *= 1 - 2 * (number >> n_qubits - 1 - qubit & 1)
    return sign[:, None] * psi


def _check_room(ladder: Ladder, leading: tuple[int, ...], what: str) -> None:
    n_bytes = 16 * 4**ladder.n_qubits * int(np.prod(leading, dtype=object))
    if n_bytes > MOST_BYTES:
        raise InputError(
            f"{what} would take {n_bytes / 2**30:,.1f} GiB; dense matrices stop at {MOST_BYTES / 2**30:g} GiB: "
            "take fewer qubits or angles at once, or `evolved` for states"
        )
    check_room(3.0 * n_bytes, what, "take fewer qubits or angles at once, or `evolved` for states")
