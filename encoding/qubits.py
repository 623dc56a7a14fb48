"""A note as a state of a few qubits: rotations of |0...0>, by angles that the pitch gives.

RX(a) = exp(-i a X/2), and so RY and RZ, as in PennyLane and Qiskit; they act in the order given.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError, shown
from encoding.voices import REST

AXES = ("RX", "RY", "RZ")
MOST_QUBITS = 16  # of a dense state
MOST_BYTES = 1 << 30
MIDI = tuple(range(128))

Angles = NDArray[np.float64]
Rotation = tuple[str, int]  # axis and qubit


def _itself(pitch: int) -> Hashable:
    return pitch


@dataclass(frozen=True, eq=False)
class Encoding:
    """How one voice's note becomes a state of a few qubits: rotations of |0...0>, by angles that the pitch gives.

        e = Encoding("thirds", lambda pitch: pitch[..., None] * np.pi / 2, notes=range(60, 72))

    Attributes:
        name: what it is called.
        angles: of an array of whole pitches (n,), `REST` for silence, to radians (n, n_rotations), or (n,) for one.
        rotations: axis ("RX", "RY", "RZ") and qubit of each angle, in the order in which they act.
        notes: the pitches it is made for, `REST` among them if it has a place for silence.
        same: name of a pitch; notes of the same name are declared to be the same to it (aliases).

    Raises:
        InputError: no rotations or notes, an axis or a qubit that is not there, or more than 16 qubits.
    """

    name: str
    angles: Callable[[NDArray[np.int64]], ArrayLike]
    rotations: Sequence[Rotation] = (("RY", 0),)
    notes: Iterable[int] = MIDI
    same: Callable[[int], Hashable] = _itself
    n_qubits: int = field(init=False)

    def __post_init__(self) -> None:
        rotations = tuple((str(axis), _count("a qubit", qubit, 0)) for axis, qubit in _pairs(self.rotations))
        wrong = [axis for axis, _ in rotations if axis not in AXES]
        if wrong or not rotations:
            came = shown(wrong[0], 40) if wrong else "none"
            raise InputError(f"rotations are at least one of {', '.join(AXES)}; got {came}")
        if not isinstance(self.name, str) or not callable(self.angles) or not callable(self.same):
            raise InputError(
                f"an encoding has a name, and functions for angles and same; got {shown(self.name, 20)}, "
                f"{shown(self.angles, 20)}, {shown(self.same, 20)}"
            )
        n_qubits = 1 + max(qubit for _, qubit in rotations)
        if n_qubits > MOST_QUBITS:
            raise InputError(f"an encoding has at most {MOST_QUBITS} qubits a voice; got {n_qubits}")
        notes = tuple(checked_notes(self.notes).tolist())
        for name, value in (("rotations", rotations), ("notes", notes), ("n_qubits", n_qubits)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        """Its name and size."""
        return f"<Encoding {self.name}, {len(self.known)} notes on {self.n_qubits} qubit(s)>"

    @property
    def known(self) -> tuple[int, ...]:
        """The notes it is made for, as a tuple of pitches."""
        return tuple(self.notes)

    def __call__(self, pitches: ArrayLike) -> Angles:
        """The angles of each pitch, in radians, pitches.shape + (n_rotations,).

        Raises:
            InputError: pitches that are no whole MIDI numbers or `REST`, notes it is not made for, or a function that
                gives no finite angle for each rotation.
        """
        asked = checked_pitches(pitches)
        unknown = np.setdiff1d(asked, self.known)
        if len(unknown):
            what = "rests" if unknown[0] == REST else f"pitch {unknown[0]}"
            raise InputError(f"encoding {self.name!r} is made for {_few(self.known)}; got {what}")
        return self._angles(asked.ravel()).reshape(*asked.shape, len(self.rotations))

    def states(self, pitches: ArrayLike) -> NDArray[np.complex128]:
        """State vectors, pitches.shape + (2^n_qubits,); qubit 0 is the leftmost of the ket, as in PennyLane.

        >>> Encoding("clock", lambda pitch: pitch[:, None] % 12 * np.pi / 6).states(66).round(3)  # F sharp
        array([0.+0.j, 1.+0.j])
        """
        angles = self(pitches)
        room = 16.0 * 2**self.n_qubits * angles[..., 0].size
        if room > MOST_BYTES:
            raise InputError(
                f"states take at most {MOST_BYTES / 1e9:g} GB here; these take {room / 1e9:.3g}: ask for fewer"
            )
        qubits = np.zeros((*angles.shape[:-1], self.n_qubits, 2), np.complex128)
        qubits[..., 0] = 1
        for place, (axis, qubit) in enumerate(self.rotations):
            qubits[..., qubit, :] = _rotated(qubits[..., qubit, :], axis, angles[..., place])
        state = qubits[..., 0, :]
        for qubit in range(1, self.n_qubits):
            state = (state[..., :, None] * qubits[..., qubit, None, :]).reshape(*angles.shape[:-1], -1)
        return state

    def densities(self, pitches: ArrayLike) -> NDArray[np.complex128]:
        """Density matrices |psi><psi|, pitches.shape + (2^n_qubits, 2^n_qubits)."""
        if self.n_qubits > MOST_QUBITS // 2:
            raise InputError(f"density matrices have at most {MOST_QUBITS // 2} qubits; got {self.n_qubits}")
        room = 16.0 * 4**self.n_qubits * np.size(pitches)
        if room > MOST_BYTES:
            raise InputError(f"density matrices take at most {MOST_BYTES / 1e9:g} GB here; these take {room / 1e9:.3g}")
        psi = self.states(pitches)
        return psi[..., :, None] * psi[..., None, :].conj()

    def bloch(self, pitches: ArrayLike) -> NDArray[np.float64]:
        """Bloch vectors (<X>, <Y>, <Z>) of every qubit, pitches.shape + (n_qubits, 3); of length 1.

        >>> Encoding("clock", lambda pitch: pitch[:, None] % 12 * np.pi / 6).bloch([60, 63]).round(3).tolist()
        [[[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]]]
        """
        angles = self(pitches)
        vectors = np.zeros((*angles.shape[:-1], self.n_qubits, 3))
        vectors[..., 2] = 1
        for place, (axis, qubit) in enumerate(self.rotations):
            vectors[..., qubit, :] = _turned(vectors[..., qubit, :], axis, angles[..., place])
        return vectors

    def _angles(self, pitches: NDArray[np.int64]) -> Angles:
        wanted = len(pitches), len(self.rotations)
        try:
            given = np.asarray(self.angles(pitches.copy()))
        except Exception as error:  # the function is the user's
            raise InputError(
                f"the angles of encoding {self.name!r} are a function of an array of pitches; it raised {shown(error)}"
            ) from error
        if given.dtype.kind not in "iuf":
            raise InputError(f"encoding {self.name!r} gives angles in radians, real numbers; got {given.dtype}")
        angles = given.astype(np.float64)
        if len(self.rotations) == 1 and angles.shape == wanted[:1]:
            angles = angles[:, None]
        if angles.shape != wanted or not np.isfinite(angles).all():
            not_finite = "" if np.isfinite(angles).all() else ", not all finite"
            raise InputError(
                f"encoding {self.name!r} gives finite angles (n_notes, n_rotations) = {wanted}; got {angles.shape}"
                f"{not_finite}"
            )
        return angles


def _rotated(psi: NDArray[np.complex128], axis: str, angle: Angles) -> NDArray[np.complex128]:
    """exp(-i angle P/2) psi = cos(angle/2) psi - i sin(angle/2) P psi."""
    up, down = psi[..., 0], psi[..., 1]
    pauli = {"RX": (down, up), "RY": (-1j * down, 1j * up), "RZ": (up, -down)}[axis]
    return np.cos(angle / 2)[..., None] * psi - 1j * np.sin(angle / 2)[..., None] * np.stack(pauli, -1)


def _turned(vector: NDArray[np.float64], axis: str, angle: Angles) -> NDArray[np.float64]:
    """A Bloch vector turned about an axis."""
    about = AXES.index(axis)
    b, c = (about + 1) % 3, (about + 2) % 3
    new = vector.copy()
    new[..., b] = np.cos(angle) * vector[..., b] - np.sin(angle) * vector[..., c]
    new[..., c] = np.sin(angle) * vector[..., b] + np.cos(angle) * vector[..., c]
    return new


def checked_pitches(values: Any) -> NDArray[np.int64]:
    """Pitches as whole numbers, any shape.

    Raises:
        InputError: no whole numbers, or none of MIDI and `REST`.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array("ragged")
    if array.dtype.kind not in "iu" or (array.size and not np.isin(array, (*MIDI, REST)).all()):
        wrong = array if array.dtype.kind not in "iu" else array[~np.isin(array, (*MIDI, REST))]
        first = wrong.ravel()[0] if wrong.size else "none"
        raise InputError(f"pitches are whole MIDI numbers 0..127, or {REST} for silence; got {first!s:.40}")
    return array.astype(np.int64)


def checked_notes(notes: Any) -> NDArray[np.int64]:
    """Pitches (n_notes,), each once, at least one.

    Raises:
        InputError: anything else.
    """
    try:
        given = list(notes)
    except TypeError:
        raise InputError(f"notes are pitches, each once, such as range(60, 72); got {shown(notes)}") from None
    pitches = checked_pitches(given)
    if pitches.ndim != 1 or not len(pitches) or len(np.unique(pitches)) < len(pitches):
        raise InputError(f"notes are pitches, each once, at least one; got {shown(given)}")
    return pitches


def called_the_same(encoding: "Encoding", note: int) -> Hashable:
    """The name of a note, by `Encoding.same`.

    Raises:
        InputError: the function raised, or gave what is no name.
    """
    try:
        name = encoding.same(note)
        hash(name)
    except Exception as error:  # the function is the user's
        raise InputError(
            f"same of encoding {encoding.name!r} gives a name for each pitch, a number or a word; for {note} it raised "
            f"{shown(error)}"
        ) from error
    return name


def checked_encoding(value: Any) -> "Encoding":
    """An Encoding.

    Raises:
        InputError: anything else.
    """
    if not isinstance(value, Encoding):
        raise InputError(f"an encoding is an Encoding (encoding_named gives one by name); got {shown(value)}")
    return value


def _pairs(rotations: Any) -> list[tuple[Any, Any]]:
    try:
        return [(axis, qubit) for axis, qubit in rotations]
    except (TypeError, ValueError):
        raise InputError(f'rotations are pairs of axis and qubit, (("RY", 0),); got {shown(rotations)}') from None


def _count(what: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{what} is a whole number of at least {least}; got {shown(value, 40)}")
    return int(value)


def _few(notes: tuple[int, ...]) -> str:
    sung = sorted(note for note in notes if note != REST)
    return f"{len(sung)} pitches of {sung[0]}..{sung[-1]}{'' if REST in notes else ', no rests'}" if sung else "rests"
