"""What happens at one chord of a quantum recurrent network, said once for templates, circuits and simulation.

A data register D takes the chord in and is read; a history register H remembers. Each chord: its rotations on D, which
is |0...0>; a ladder on D and H; a measurement; a reset. What crosses from one chord to the next is the schedule:

    measured    all are measured and reset; H's averages come back as RY(pi (1 - <Z>)/2)   (Hertz, talk of 12 June 2024)
    coherent    D is measured and reset, H is carried on                            (Li et al., arXiv:2302.03244, QRNN)
    staggered   D is measured; D <- D[1:] + H[0], H <- H[1:] + D[0]; the new D is reset                  (ibid., SQRNN)

In `staggered` D[0] joins the history as its measurement left it, and H[0] is reset unread: every qubit is reset within
N chords. Both registers in a row, D then H, move one place to the left at every chord.
"""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import numpy as np

from encoding import InputError
from encoding.qubits import Encoding, Rotation
from quantum.ladder import Ladder, checked_count

SCHEDULES = ("measured", "coherent", "staggered")
CLOCK: tuple[Rotation, ...] = (("RY", 0),)  # the talk's: one hour on one qubit

Wires = tuple[int, ...]


class Step(NamedTuple):
    """A gate, "measure" or "reset"; the wires 0..N-1 it acts on; of a gate, whose angle it takes and which one.

    An angle is "chord" (voice by voice, flat), "averages" (through `reencoded`) or "ladder".
    """

    name: str
    wires: Wires
    source: str = ""
    angle: int = -1


@dataclass(frozen=True)
class Block:
    """Registers, rotations, ladder and schedule of one chord.

    Attributes:
        ladder: what couples the N = n_data + n_history qubits, D first.
        n_data: qubits of D, those of one voice times the number of voices.
        schedule: "measured", "coherent" or "staggered".
        rotations: of one voice, axis and qubit of each angle; made from an `Encoding`, they are its own.

    Raises:
        InputError: no qubit left for the history, data qubits that make no whole number of voices, or a schedule or
            rotations that do not exist.

    >>> block = Block(Ladder(6, 2), n_data=4, schedule="staggered")
    >>> block.n_history, block.registers(1)
    (2, ((1, 2, 3, 4), (5, 0)))
    """

    ladder: Ladder
    _: KW_ONLY
    n_data: int
    schedule: str
    rotations: Any = CLOCK  # given a Sequence[Rotation] or an Encoding, kept as a tuple[Rotation, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.ladder, Ladder):
            raise InputError(f"a block's ladder is a Ladder; got {self.ladder!r:.40}")
        if self.schedule not in SCHEDULES:
            raise InputError(f"a schedule is one of {', '.join(SCHEDULES)}; got {self.schedule!r:.40}")
        if checked_count("the number of data qubits", self.n_data) >= self.n_qubits:
            raise InputError(
                f"a block has data and history: n_data is below the ladder's {self.n_qubits} qubits; got {self.n_data}"
            )
        object.__setattr__(self, "n_data", int(self.n_data))
        object.__setattr__(self, "rotations", checked_rotations(self.rotations))
        n_voices_of(self.n_data, self.rotations)

    @property
    def n_qubits(self) -> int:
        """N, data and history together."""
        return self.ladder.n_qubits

    @property
    def n_history(self) -> int:
        """Qubits of H."""
        return self.n_qubits - self.n_data

    @property
    def chord_shape(self) -> tuple[int, int]:
        """Angles of one chord, (n_voices, n_rotations)."""
        return n_voices_of(self.n_data, self.rotations), len(self.rotations)

    def registers(self, chord: int = 0) -> tuple[Wires, Wires]:
        """The wires of D and of H at a chord, counted from 0."""
        turned = chord % self.n_qubits if self.schedule == "staggered" else 0
        wires = (*range(turned, self.n_qubits), *range(turned))
        return wires[: self.n_data], wires[self.n_data :]

    def gates(self, chord: int = 0) -> Iterator[Step]:
        """The unitary of a chord: rotations of D, in `measured` those of H, the ladder."""
        data, history = self.registers(chord)
        for step in embedding(self.chord_shape[0], self.rotations):
            yield step._replace(wires=tuple(data[qubit] for qubit in step.wires))
        for place, wire in enumerate(history if self.schedule == "measured" else ()):
            yield Step("RY", (wire,), "averages", place)
        both = data + history
        for name, qubits, angle in self.ladder.gates():
            yield Step(name, tuple(both[qubit] for qubit in qubits), "ladder", angle)

    def measured(self, chord: int = 0) -> Wires:
        """The wires that are measured after the gates of a chord: D, in `measured` D and H."""
        data, history = self.registers(chord)
        return data + history if self.schedule == "measured" else data

    def reset(self, chord: int = 0) -> Wires:
        """The wires that are reset after the measurement of a chord, ready for the next."""
        return self.registers(chord + 1)[0] if self.schedule == "staggered" else self.measured(chord)

    def steps(self, chord: int = 0) -> tuple[Step, ...]:
        """All that happens at a chord: gates, measurements, resets.

        >>> block = Block(Ladder(2, topology="chain"), n_data=1, schedule="staggered")
        >>> [(step.name, *step.wires) for step in block.steps(0)][-3:]
        [('RZZ', 0, 1), ('measure', 0), ('reset', 1)]
        """
        read = (Step("measure", (wire,)) for wire in self.measured(chord))
        emptied = (Step("reset", (wire,)) for wire in self.reset(chord))
        return (*self.gates(chord), *read, *emptied)


def embedding(n_voices: int, rotations: tuple[Rotation, ...] = CLOCK) -> Iterator[Step]:
    """The rotations that take a chord in, voice by voice; wires count the data qubits."""
    for voice in range(n_voices):
        for place, (axis, qubit) in enumerate(rotations):
            yield Step(axis, (voice * qubits_of(rotations) + qubit,), "chord", voice * len(rotations) + place)


def reencoded(average: Any) -> Any:
    """The angle pi (1 - <Z>)/2 of the RY that brings an average back: 0 for |0>, pi for |1>, linear in between.

    With arccos the qubit would have the same <Z> again, but arccos has an infinite slope at +-1.
    """
    return np.pi * (1 - average) / 2


def checked_block(block: Any) -> Block:
    """A block.

    Raises:
        InputError: anything else, a ladder by itself too.
    """
    if not isinstance(block, Block):
        raise InputError(f"a block is a Block(ladder, n_data=, schedule=); got {block!r:.60}")
    return block


def checked_rotations(rotations: Sequence[Rotation] | Encoding) -> tuple[Rotation, ...]:
    """The rotations of one voice, given as they are or by their encoding.

    Raises:
        InputError: as those of an `Encoding`.
    """
    if not isinstance(rotations, Encoding):
        rotations = Encoding("a voice", lambda pitch: pitch, rotations, notes=(0,))
    return tuple(rotations.rotations)


def qubits_of(rotations: tuple[Rotation, ...]) -> int:
    """The number of qubits that the rotations of one voice act on."""
    return 1 + max(qubit for _, qubit in rotations)


def n_voices_of(n_wires: int, rotations: tuple[Rotation, ...]) -> int:
    """How many voices there are on so many wires.

    Raises:
        InputError: no whole number, or none.
    """
    n_voices, left = divmod(n_wires, qubits_of(rotations))
    if left or not n_voices:
        raise InputError(f"voices take {qubits_of(rotations)} data qubit(s) each; got {n_wires} for all of them")
    return n_voices
