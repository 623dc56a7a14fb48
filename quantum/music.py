"""Chorales as a quantum network hears them: kets of their distinct chords, packed as the classical network's slots."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from encoding import Encoding
from encoding.transitions import Piece, Transitions
from quantum.block import Block
from quantum.channel import Music


def played(chorales: Sequence[Piece], slots: Transitions, note: Encoding, dtype: torch.dtype) -> Music:
    """The chords of all transitions, in the order of `slots`.

    Args:
        chorales: those that were packed.
        slots: as `encoding.pack` packed them.
        note: the encoding of a voice.
        dtype: complex64 or complex128.

    Raises:
        InputError: notes that the encoding is not made for.
    """
    chords = slots.sung(chorales)  # (n, 4)
    angles = note(chords).reshape(len(chords), -1)  # chords of the same angles are the same to the network
    _, first, which = np.unique(angles, axis=0, return_index=True, return_inverse=True)
    kets = torch.from_numpy(chord_states(note, chords[first])).to(dtype)
    return Music(kets, torch.from_numpy(which.ravel()), tuple(slots.offsets.tolist()))


def chord_angles(chorales: Sequence[Piece], slots: Transitions, note: Encoding) -> list[NDArray[np.float64]]:
    """The angles of the same chords, piece by piece, the longest first: (n_chords, n_voices, n_rotations) each."""
    return [note(chorales[which].pitches[:-1]) for which in slots.order]


def music_of(block: Block, chords: Sequence[ArrayLike]) -> Music:
    """The kets of pieces of which the angles are known, as `chord_angles` gives them, packed time-major.

    Args:
        block: whose rotations make a chord.
        chords: of each piece, the longest first, (n_chords, n_voices, n_rotations) in radians.

    Raises:
        InputError: angles of another shape.
    """
    from qiskit.quantum_info import Statevector  # who learns by simulation needs no Qiskit

    from quantum.circuits import clock_circuit

    pieces = [np.asarray(piece, np.float64) for piece in chords]
    n_times = max((len(piece) for piece in pieces), default=0)
    slots = [[piece[time] for piece in pieces if len(piece) > time] for time in range(n_times)]
    flat = np.array([chord.ravel() for slot in slots for chord in slot])
    distinct, which = np.unique(flat, axis=0, return_inverse=True)
    n_voices, kets = block.chord_shape[0], []
    for chord in distinct.reshape(-1, *block.chord_shape):
        played = Statevector(clock_circuit(chord, n_voices=n_voices, rotations=block.rotations))
        kets.append(played.reverse_qargs().data)  # the first qubit leftmost
    offsets = np.cumsum([0, *map(len, slots)])
    return Music(torch.from_numpy(np.array(kets)), torch.from_numpy(which.ravel()), tuple(offsets.tolist()))


def chord_states(note: Encoding, chords: NDArray[np.integer]) -> NDArray[np.complex128]:
    """Kets of chords (n, n_voices), voice after voice, (n, 2^n_data)."""
    voices = note.states(chords)  # (n, n_voices, 2^n_qubits)
    kets = voices[:, 0]
    for voice in range(1, voices.shape[1]):
        kets = (kets[:, :, None] * voices[:, voice, None, :]).reshape(len(kets), -1)
    return kets


def fingerprint(settings: dict[str, Any], data: str) -> np.uint64:
    """Eight bytes that tell apart what is learned (`data`, a digest of it), and how."""
    digest = hashlib.sha256(f"{sorted(settings.items())} {data}".encode()).digest()
    return np.frombuffer(digest[:8], "<u8")[0]
