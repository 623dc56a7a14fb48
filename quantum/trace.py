"""Is it a channel? What happens to a density matrix in nature keeps its trace and is linear in it.

    sum_k K_k^dagger K_k = 1                                        Kraus operators
    C(p rho + (1-p) sigma) = p C(rho) + (1-p) C(sigma)              a function of rho

A "reset" that projects on |0> and renormalises keeps the trace and is not linear: it is a postselection, that throws
runs away. The reset of a machine is |0><0| (x) Tr_q[rho]. On a qubit by itself the two are the same map; they differ in
what they do to the qubits that it was entangled with, so ask with at least one of these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, Purpose, checked_seed, stream
from quantum.ladder import checked_count

THRESHOLD = 1e-10  # rounding of matrices of a few hundred rows; no postselection of use is that close to certain
N_STATES = 16

Matrix = NDArray[np.complex128]


@dataclass(frozen=True)
class TracePreserved:
    """How far from a channel; true where it is one to rounding.

    Attributes:
        trace: largest entry of sum_k K_k^dagger K_k - 1, or largest |Tr C(rho) - 1|.
        linearity: largest entry of C(p rho + (1-p) sigma) - p C(rho) - (1-p) C(sigma); 0 for Kraus operators.
        threshold: what rounding may do.
    """

    trace: float
    linearity: float = 0.0
    threshold: float = THRESHOLD

    def __bool__(self) -> bool:
        """Whether both are rounding."""
        return self.trace <= self.threshold and self.linearity <= self.threshold  # False for what is no number


def is_trace_preserving(channel: Any, dimension: int | None = None, *, seed: int = 0) -> TracePreserved:
    """Whether Kraus operators, or a function of density matrices, keep the trace and are linear.

    Args:
        channel: Kraus operators (n_kraus, rows, columns), Qiskit's `Kraus` or a channel of PennyLane's that has them;
            or a function from rho to rho, asked at random states, but not whether it is completely positive too.
        dimension: of the states that a function takes, 2^n_qubits.
        seed: of the random states.

    Raises:
        InputError: no Kraus operators of one shape; a function without `dimension`, or that returns no square matrix.

    >>> reset = [[[1, 0], [0, 0]], [[0, 1], [0, 0]]]  # |0><0|, |0><1|
    >>> bool(is_trace_preserving(reset)), bool(is_trace_preserving(reset[:1]))
    (True, False)
    >>> zero = np.diag([1, 1, 0, 0])  # |0><0| on the first of two qubits
    >>> bool(is_trace_preserving(lambda rho: zero @ rho @ zero / np.trace(zero @ rho), 4))  # postselected
    False
    """
    operators = _kraus_of(channel)
    if operators is not None:
        return _of_kraus(operators)
    if dimension is None:
        raise InputError("a function of density matrices is asked with their dimension; got none")
    size = checked_count("the dimension of a density matrix", dimension, most=4096)
    rng = stream(checked_seed(seed), 0, Purpose.START)
    trace, linearity = [], []
    for rank in [1, size] * (N_STATES // 2):
        rho, sigma, p = _state(rng, size, rank), _state(rng, size, size), rng.uniform(0.1, 0.9)
        one, two, mixed = (_answer(channel, state) for state in (rho, sigma, p * rho + (1 - p) * sigma))
        trace += [abs(np.trace(answer) - 1) for answer in (one, two, mixed)]
        linearity.append(abs(mixed - p * one - (1 - p) * two).max())
    return TracePreserved(float(np.max(trace)), float(np.max(linearity)))


def _kraus_of(channel: Any) -> Any:
    """What is asked as Kraus operators; None for a function (objects of Qiskit can be called too)."""
    if hasattr(channel, "kraus_matrices"):
        return channel.kraus_matrices()
    if isinstance(getattr(channel, "data", None), list | tuple | np.ndarray):
        return channel.data
    return None if callable(channel) else channel


def _of_kraus(operators: Any) -> TracePreserved:
    try:
        kraus = np.asarray(operators, np.complex128)
    except (TypeError, ValueError):
        kraus = np.empty(0)
    if kraus.ndim != 3 or not kraus.size:
        raise InputError(
            "Kraus operators have one shape, (n_kraus, rows, columns), Qiskit's other channels by Kraus(channel); got "
            f"{' '.join(repr(operators).split()):.60}"
        )
    return TracePreserved(float(abs((kraus.conj().mT @ kraus).sum(0) - np.eye(kraus.shape[-1])).max()))


def _state(rng: np.random.Generator, size: int, rank: int) -> Matrix:
    """A random density matrix: a random pure state of `size` x `rank` levels, the second traced out."""
    psi = rng.normal(size=(size, rank)) + 1j * rng.normal(size=(size, rank))
    rho = psi @ psi.conj().T
    return rho / np.trace(rho)


def _answer(channel: Callable[[Matrix], ArrayLike], rho: Matrix) -> Matrix:
    answer = np.asarray(channel(rho.copy()))
    if answer.ndim != 2 or answer.shape[0] != answer.shape[1] or answer.dtype.kind not in "iufc":
        raise InputError(f"a channel gives a density matrix, (n, n); got {answer.dtype} of shape {answer.shape}")
    return answer
