"""What a network hears of a chord: 54 keys of the piano, or the qubits of four voices, as a quantum network does.

A voice's note turns its qubits (`encoding.qubits`); what a classical network can be given of them is their Bloch
vectors. On the clock of twelve hours that is a point on a circle,

    S(t) = (cos theta_v, sin theta_v) for v = S, A, T, B,    theta_v = pi/6 times the hour of the voice's note,

eight numbers a chord. A network that plays hears keys, and which voice sings which is told by least movement.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.pianoroll import Standardisation, sounding_pitches
from encoding.qubits import Encoding
from encoding.transitions import Piece, Transitions, pack
from encoding.voices import N_VOICES, REST, assign_voices

CONTEXT = 16  # chords by which voices are told apart
COS_SIN = [2, 0, 1]  # <Z>, <X>, <Y>: of a clock cos theta, sin theta, 0
ZERO = 1e-12


@dataclass(frozen=True, eq=False)
class ClockInputs:
    """Chords as the Bloch vectors of their voices' qubits, voice after voice, qubit after qubit.

    Of each qubit <Z>, <X>, <Y>, without those that are zero for every note that is sung (of RY alone <Y>). So silence,
    which stands on the axis of the clock, is (0, 0) there, the centre of the circle. Nothing is rescaled: the angles
    are all that a quantum network is given.

    >>> from encoding.clock import encoding_named
    >>> clock = ClockInputs(encoding_named("pitch-class"))
    >>> clock.n_inputs, clock([[60, 63, 66, -1]]).round().astype(int).tolist()  # C, three hours on, opposite, silence
    (8, [[1, 0, 0, 1, -1, 0, 0, 0]])
    """

    note: Encoding

    @cached_property
    def _seen(self) -> NDArray[np.bool_]:
        """Which of <Z>, <X>, <Y> of a voice's qubits are ever not zero, (n_qubits, 3)."""
        sung = [pitch for pitch in self.note.known if pitch != REST]
        return np.max(np.abs(self.note.bloch(sung)[..., COS_SIN]), 0) > ZERO

    @property
    def n_inputs(self) -> int:
        """Numbers a chord."""
        return N_VOICES * int(self._seen.sum())

    @property
    def power(self) -> int:
        """Sum of their squares where all voices sing: a Bloch vector has length 1."""
        return N_VOICES * self.note.n_qubits

    def __call__(self, pitches: ArrayLike) -> NDArray[np.float64]:
        """S(t) of chords (n, 4), S, A, T, B, as (n, n_inputs).

        Raises:
            InputError: notes that the encoding is not made for.
        """
        vectors = self.note.bloch(pitches)[..., COS_SIN]  # (n, 4, n_qubits, 3)
        return vectors[:, :, self._seen].reshape(len(vectors), -1)


Ear = Standardisation | ClockInputs


def heard(chorales: Sequence[Piece], ear: str | Ear) -> Transitions:
    """All transitions of `chorales`, packed time-major as by `pack`, with the inputs that the ear makes of them.

    Raises:
        InputError: as `pack`, or notes that the encoding is not made for.
    """
    if not isinstance(ear, ClockInputs):
        return pack(chorales, ear)
    slots = pack(chorales)
    return replace(slots, inputs=ear(slots.sung(chorales)).astype(np.float32))


def heard_last(
    chords: Sequence[NDArray[np.floating]] | NDArray[np.floating], ear: Ear, known: ArrayLike | None = None
) -> NDArray[np.float64]:
    """The inputs of the last of the chords heard so far, piano rolls of (54,) each; (n_inputs,).

    `known` are the voices of the first of them, (n, 4), where they are.
    """
    return ear(chords[-1]) if isinstance(ear, Standardisation) else ear(voices_heard(chords, known))[0]


def voices_heard(
    chords: Sequence[NDArray[np.floating]] | NDArray[np.floating], known: ArrayLike | None = None
) -> NDArray[np.int16]:
    """S, A, T, B of the last of the chords heard so far, (1, 4): its four highest notes, by least movement.

    Voices that cross cannot be told from keys: `known` are those of the first chords, (n, 4), taken as they are.
    """
    if known is not None and len(chords) <= len(voices := np.asarray(known, np.int16)):
        return voices[len(chords) - 1 : len(chords)]
    sung = sounding_pitches(np.stack(list(chords[-CONTEXT:])))
    return assign_voices([chord[-N_VOICES:] for chord in sung])[-1:]
