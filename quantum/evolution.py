"""The unitary of a ladder for many replicas at once, in torch, and the slope of a loss along its angles.

U = G_n ... G_1 is made once a step of learning, whatever the music; its slope comes backwards by undoing one gate after
the other:

    dL/da_k = Re tr(V^dagger dG_k P),    P = G_(k-1) ... G_1,    V = (G_n ... G_(k+1))^dagger dL/dU*

(adjoint differentiation; Jones & Gacon 2020). Single-qubit gates of one layer need only the 2 x 2 matrices
C_q = tr_rest(P V^dagger), the couplings only the diagonal of P V^dagger. `quantum.dense` is the slow twin.
"""

from functools import lru_cache

import torch
from torch import Tensor

from quantum.ladder import ROTATIONS, Ladder

PAULI = {"RX": ((0, 1), (1, 0)), "RZ": ((1, 0), (0, -1))}


def unitaries(ladder: Ladder, angles: Tensor) -> Tensor:
    """U of each replica, (R, 2^N, 2^N); qubit 0 is the leftmost of the ket.

    Args:
        ladder: of N qubits.
        angles: (R, n_angles) in float32 or float64; U is complex64 or complex128.
    """
    return evolved(ladder, angles, torch.eye(2**ladder.n_qubits, dtype=_complex(angles)).expand(len(angles), -1, -1))


def evolved(ladder: Ladder, angles: Tensor, states: Tensor) -> Tensor:
    """U applied to kets, (R, 2^N, n_kets), gate after gate."""
    for turns, phases in _layers(ladder, angles):
        states = _turned(states, turns)
        if phases is not None:
            states = phases[:, :, None] * states
    return states


def slope(ladder: Ladder, angles: Tensor, states: Tensor, upstream: Tensor) -> Tensor:
    """dL/d angles, (R, n_angles), of a real L.

    Args:
        ladder: of N qubits.
        angles: (R, n_angles).
        states: U, or kets after U, (R, 2^N, n_kets), as `evolved` gives.
        upstream: V with dL = Re tr(V^dagger d states), of the same shape.
    """
    return undone(ladder, angles, states, upstream)[0]


def undone(ladder: Ladder, angles: Tensor, states: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor]:
    """dL/d angles, as `slope`, and V of the kets before U, U^dagger V."""
    made: list[Tensor] = []
    for layer, (turns, phases) in reversed(list(enumerate(_layers(ladder, angles)))):
        if phases is not None:
            diagonal = (states * upstream.conj()).sum(2)  # (R, 2^N): <row| P V^dagger |row>
            made.append((diagonal.imag @ _signs(ladder, angles.dtype).T) / 2)
            states, upstream = phases.conj()[:, :, None] * states, phases.conj()[:, :, None] * upstream
        back = turns.mH
        made.append(_turn_slopes(ladder, angles, layer, states, upstream))
        states, upstream = _turned(states, back), _turned(upstream, back)
    return torch.cat(made[::-1], 1), upstream


def _turn_slopes(ladder: Ladder, angles: Tensor, layer: int, states: Tensor, upstream: Tensor) -> Tensor:
    """Slopes of the rotations of a layer, from the states right after them.

    With g = exp(-i a P/2) and what follows it on the same qubit, F: dL/da = Im tr(F P F^dagger C) / 2.
    """
    names, n = ROTATIONS[ladder.rotations], ladder.n_qubits
    a = _rotation_angles(ladder, angles, layer)
    gates = [_rotation(name, a[..., k]) for k, name in enumerate(names)]
    c = torch.stack([_reduced(states, upstream, qubit, n) for qubit in range(n)], 1)  # (R, N, 2, 2)
    after = torch.eye(2, dtype=c.dtype).expand_as(c)
    slopes = []
    for name, gate in zip(reversed(names), reversed(gates), strict=True):
        turned = after @ torch.tensor(PAULI[name], dtype=c.dtype) @ after.mH
        slopes.append((turned.mT * c).sum((2, 3)).imag / 2)
        after = after @ gate
    return torch.stack(slopes[::-1], 2).flatten(1)


def _reduced(states: Tensor, upstream: Tensor, qubit: int, n: int) -> Tensor:
    """tr over all but one qubit of P V^dagger, (R, 2, 2)."""
    shape = len(states), 2**qubit, 2, -1
    p, v = states.reshape(shape).transpose(1, 2).flatten(2), upstream.reshape(shape).transpose(1, 2).flatten(2)
    return p @ v.mH


def _turned(states: Tensor, turns: Tensor) -> Tensor:
    """A 2 x 2 gate on every qubit; turns (R, N, 2, 2)."""
    shape = states.shape
    for qubit in range(turns.shape[1]):
        states = turns[:, None, qubit] @ states.reshape(shape[0], 2**qubit, 2, -1)
    return states.reshape(shape)


def _layers(ladder: Ladder, angles: Tensor) -> list[tuple[Tensor, Tensor | None]]:
    """Of each layer: the gate of every qubit, (R, N, 2, 2), and the phases of its couplings, (R, 2^N)."""
    names, layers = ROTATIONS[ladder.rotations], []
    for layer in range(ladder.n_layers + ladder.closing):
        a = _rotation_angles(ladder, angles, layer)
        turn = _rotation(names[0], a[..., 0])
        for k, name in enumerate(names[1:], 1):
            turn = _rotation(name, a[..., k]) @ turn
        layers.append((turn, _phases(ladder, angles, layer) if layer < ladder.n_layers else None))
    return layers


def _phases(ladder: Ladder, angles: Tensor, layer: int) -> Tensor:
    start = layer * _size(ladder) + len(ROTATIONS[ladder.rotations]) * ladder.n_qubits
    total = angles[:, start : start + len(ladder.edges)] @ _signs(ladder, angles.dtype)
    return torch.polar(torch.ones_like(total), -total / 2)


def _rotation_angles(ladder: Ladder, angles: Tensor, layer: int) -> Tensor:
    n = len(ROTATIONS[ladder.rotations])
    start = layer * _size(ladder)
    return angles[:, start : start + n * ladder.n_qubits].reshape(len(angles), ladder.n_qubits, n)


def _size(ladder: Ladder) -> int:
    """Angles of a layer."""
    return len(ROTATIONS[ladder.rotations]) * ladder.n_qubits + len(ladder.edges)


def _rotation(name: str, angle: Tensor) -> Tensor:
    """exp(-i a P/2), (..., 2, 2)."""
    dtype = _complex(angle)
    cos, sin = torch.cos(angle / 2)[..., None, None], torch.sin(angle / 2)[..., None, None]
    return cos * torch.eye(2, dtype=dtype) - 1j * sin * torch.tensor(PAULI[name], dtype=dtype)


@lru_cache(maxsize=64)
def _signs(ladder: Ladder, dtype: torch.dtype) -> Tensor:
    """Z_i Z_j of each edge on every basis state, (E, 2^N)."""
    n = ladder.n_qubits
    state = torch.arange(2**n)
    z = torch.stack([1 - 2 * (state >> (n - 1 - qubit) & 1) for qubit in range(n)])
    pairs = [z[i] * z[j] for i, j in ladder.edges]
    return (torch.stack(pairs) if pairs else torch.zeros((0, 2**n))).to(dtype)


def _complex(real: Tensor) -> torch.dtype:
    return torch.complex64 if real.dtype == torch.float32 else torch.complex128
