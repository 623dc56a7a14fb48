"""A ladder in time: the data register is measured and reset at every chord, the history register carried coherently.

    A(x) = U (|x> (x) 1_H),   |x> = prod_k R_k(x_k) |0...0>               2^n_D Kraus operators <d| A(x) on H
    f_t = Tr[O A(x_t) rho_t A(x_t)^dagger],   rho_(t+1) = Tr_D[A(x_t) rho_t A(x_t)^dagger],   rho_1 = |0><0|

(Li et al., arXiv:2302.03244, the plain recurrent network; Hertz, talk of 12 June 2024.) Nobody selects by the outcomes
of D: its reset is a trace over D, no projection. Density matrices and their slopes by the product rule, exact, for few
qubits. Qubits 0 .. n_D - 1 are D, the others H.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import real_numbers
from encoding.qubits import Rotation
from quantum.block import CLOCK, n_voices_of, qubits_of
from quantum.dense import Amplitudes, unitary, unitary_and_slopes
from quantum.ladder import Ladder, checked_count

READOUTS = ("Z", "X", "ZX")
PAULI = {"RX": np.array([[0, 1], [1, 0]]), "RY": np.array([[0, -1j], [1j, 0]]), "RZ": np.diag([1, -1])}

Real = NDArray[np.float64]


def outputs(
    ladder: Ladder,
    angles: ArrayLike,
    inputs: ArrayLike,
    *,
    n_data: int,
    readout: str = "Z",
    rotations: tuple[Rotation, ...] = CLOCK,
) -> Real:
    """Expectation values of the data qubits at every chord, (..., n_steps, n_features): <Z_i>, with "ZX" then <X_i>.

    Args:
        ladder: one chord's gates.
        angles: radians, (n_angles,).
        inputs: angles of the chords' rotations, voice by voice, (..., n_steps, n_voices n_rotations), in radians.
        n_data: number of data qubits, the first ones; at least one of the others carries the history.
        readout: "Z", "X" or "ZX".
        rotations: of one voice, axis and qubit of each angle.

    Raises:
        InputError: angles or inputs of another shape, no such registers or readout, or more than 12 qubits.

    >>> outputs(Ladder(2), np.zeros(7), [[0], [np.pi], [np.pi / 3]], n_data=1).ravel()  # no gates: <Z> = cos x
    array([ 1. , -1. ,  0.5])
    """
    check_registers(ladder, n_data, readout)
    x = checked_inputs(inputs, n_data, rotations)
    u = unitary(ladder, one_set(angles))
    chords = ((with_data(u, kets(now, rotations)), None) for now in _in_time(x))
    return _gathered(_run(chords, n_data, readout, 0), x)[0]


def outputs_and_slopes(
    ladder: Ladder,
    angles: ArrayLike,
    inputs: ArrayLike,
    *,
    n_data: int,
    readout: str = "Z",
    rotations: tuple[Rotation, ...] = CLOCK,
) -> tuple[Real, Real]:
    """`outputs` (..., n_steps, n_features) and their slopes in the angles, (..., n_steps, n_features, n_angles)."""
    check_registers(ladder, n_data, readout)
    x = checked_inputs(inputs, n_data, rotations)
    u, du = unitary_and_slopes(ladder, one_set(angles))
    states = [kets(now, rotations) for now in _in_time(x)]
    chords = ((with_data(u, psi), with_data(du, psi[:, None])) for psi in states)
    return _gathered(_run(chords, n_data, readout, ladder.n_angles), x)


def kets(inputs: Real, rotations: tuple[Rotation, ...] = CLOCK) -> Amplitudes:
    """prod_k R_k(x_k)|0...0>, (..., n_voices n_rotations) -> (..., 2^n_data); R(x) = cos(x/2) - i sin(x/2) P."""
    half = inputs.reshape(*inputs.shape[:-1], -1, len(rotations), 1) / 2  # (..., n_voices, n_rotations, 1)
    qubits = np.zeros((*half.shape[:-2], qubits_of(rotations), 2), np.complex128)
    qubits[..., 0] = 1
    for place, (axis, qubit) in enumerate(rotations):
        now, x = qubits[..., qubit, :], half[..., place, :]
        qubits[..., qubit, :] = np.cos(x) * now - 1j * np.sin(x) * (now @ PAULI[axis].T)
    psi = np.ones((*inputs.shape[:-1], 1), np.complex128)
    for one in np.moveaxis(qubits.reshape(*inputs.shape[:-1], -1, 2), -2, 0):
        psi = (psi[..., :, None] * one[..., None, :]).reshape(*psi.shape[:-1], -1)
    return psi


def check_registers(ladder: Ladder, n_data: int, readout: str) -> None:
    """Refuse a data register that leaves nothing to carry the history, and a readout that is none."""
    if checked_count("n_data, the number of data qubits,", n_data) >= ladder.n_qubits:
        raise InputError(f"{ladder.n_qubits} qubits hold n_data of them and at least one for history; got {n_data=}")
    check_readout(readout)


def check_readout(readout: str) -> None:
    """Refuse a readout that is none."""
    if readout not in READOUTS:
        raise InputError(f"a readout is one of {', '.join(READOUTS)}; got {readout!r:.40}")


def checked_inputs(inputs: ArrayLike, n_data: int, rotations: tuple[Rotation, ...] = CLOCK) -> Real:
    """Inputs as (..., n_steps, n_voices n_rotations), finite, at least one step."""
    n = n_voices_of(n_data, rotations) * len(rotations)
    x = real_numbers(inputs)
    if x is None or x.ndim < 2 or x.shape[-1] != n or not x.size or not np.isfinite(x).all():
        came = shown(inputs) if x is None else f"shape {x.shape}"
        raise InputError(f"inputs are finite angles (..., n_steps, n_voices n_rotations = {n}); got {came}")
    return x


def one_set(angles: ArrayLike) -> ArrayLike:
    """Angles of one ladder, refused if they are a batch."""
    if np.ndim(angles) != 1:
        raise InputError(f"one set of angles at a time, (n_angles,); got {np.ndim(angles)} axes")
    return angles


def _in_time(x: Real) -> Real:
    """Sequences side by side, step after step: (n_steps, B, angles of a chord)."""
    return np.moveaxis(x.reshape(-1, *x.shape[-2:]), 1, 0)


def with_data(u: Amplitudes, psi: Amplitudes) -> Amplitudes:
    """U (|psi> (x) 1_H), for matrices (..., 2^N, 2^N) and states (B, ..., 2^nD): (B, ..., 2^N, 2^nH)."""
    blocks = u.reshape(*u.shape[:-1], psi.shape[-1], -1).swapaxes(-1, -2)  # (..., 2^N, 2^nH, 2^nD)
    return (blocks @ psi[..., None, :, None])[..., 0]


def _run(
    chords: Iterable[tuple[Amplitudes, Amplitudes | None]], n_data: int, readout: str, n_slopes: int
) -> list[tuple[Real, Real]]:
    """Features (B, F) and slopes (B, P, F) at every chord, from A and dA of each; None is no slope of its own.

    d(A rho A^+) = 2 Herm[dA rho A^+] + A drho A^+
    """
    rho, d_rho, seen = np.empty(0), np.empty(0), []
    for a, da in chords:
        if not seen:
            size = a.shape[-1]
            rho = np.zeros((len(a), size, size), np.complex128)
            rho[:, 0, 0] = 1
            d_rho = np.zeros((len(a), n_slopes, size, size), np.complex128)
        pushed = a[:, None] @ d_rho
        if da is not None:
            pushed += 2 * da @ rho[:, None]
        f, rho = _read(a @ rho, a, n_data, readout)
        df, d_rho = _read(pushed, a[:, None], n_data, readout)
        seen.append((f, df))
    return seen


def _read(left: Amplitudes, right: Amplitudes, n_data: int, readout: str) -> tuple[Real, Amplitudes]:
    """Features of left right^+, (..., F), and its trace over D, (..., h, h)."""
    size, rows = left.shape[-1], 2**n_data
    l_d, r_d = (m.reshape(*m.shape[:-2], rows, size * size) for m in (left, right.conj()))
    of_data = l_d @ r_d.mT  # (..., 2^nD, 2^nD), the trace over H
    l_h, r_h = (m.reshape(*m.shape[:-2], rows, size, size) for m in (left, right))
    of_history = (l_h @ r_h.conj().mT).sum(-3)
    return _features(of_data, n_data, readout), (of_history + of_history.conj().mT) / 2


def _features(rho: Amplitudes, n_data: int, readout: str) -> Real:
    """<Z_i> of every data qubit, then <X_i>."""
    number = np.arange(2**n_data)
    bits = [1 << n_data - 1 - qubit for qubit in range(n_data)]
    z = [(np.where(number & bit, -1, 1) * rho[..., number, number].real).sum(-1) for bit in bits]
    x = [rho[..., number, number ^ bit].real.sum(-1) for bit in bits]
    return np.stack({"Z": z, "X": x, "ZX": z + x}[readout], -1)


def _gathered(seen: list[tuple[Real, Real]], x: Real) -> tuple[Real, Real]:
    """Features (..., n_steps, F) and slopes (..., n_steps, F, P), the leading axes as those of the inputs."""
    f = np.stack([f for f, _ in seen], 1)
    df = np.stack([df for _, df in seen], 1).swapaxes(-1, -2)
    return f.reshape(*x.shape[:-1], -1), df.reshape(*x.shape[:-1], *df.shape[2:])
