"""Chorales as a quantum network hears them: kets of their distinct chords, packed as the classical network's slots."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from encoding import Encoding
from encoding.transitions import Piece, Transitions
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
    heard = note(chords).reshape(len(chords), -1)  # chords of the same angles are the same to the network
    _, first, which = np.unique(heard, axis=0, return_index=True, return_inverse=True)
    kets = torch.from_numpy(chord_states(note, chords[first])).to(dtype)
    return Music(kets, torch.from_numpy(which.ravel()), tuple(slots.offsets.tolist()))


def heard(chorales: Sequence[Piece], slots: Transitions, note: Encoding) -> list[NDArray[np.float64]]:
    """The angles of the same chords, piece by piece, the longest first: (n_chords, n_voices, n_rotations) each."""
    return [note(chorales[which].pitches[:-1]) for which in slots.order]


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
