"""From a circuit of PennyLane's to the circuits that are played: one for each basis that it is read in."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from pennylane.ops import MeasurementValue
from pennylane.tape import QuantumScript
from pennylane.wires import Wires

from quantum.device.bases import KET, Marks, Term, shared, terms_of, turns
from quantum.device.outcomes import Outcomes
from quantum.device.results import results_of
from quantum.device.structures import angles_of, middle_of, structure_of

Wire = Hashable


@dataclass(frozen=True, eq=False)
class Played:
    """A circuit that is played.

    Attributes:
        key: what tells its structure apart, angles and shots left out.
        operations: gates, the turns of its basis included.
        places: the qubit of each wire.
        middle: hashes of measurements in the middle that are written down.
        measured: wires that are read at the end, in their order.
        angles: (rows, n_angles).
        ket: whether the state is wanted, and nothing read.
    """

    key: tuple[Hashable, ...]
    operations: Sequence[Any]
    places: dict[Wire, int]
    middle: list[int]
    measured: tuple[Wire, ...]
    angles: NDArray[Any]
    ket: bool


@dataclass(frozen=True, eq=False)
class Question:
    """A circuit as PennyLane asks for it.

    Attributes:
        tape: the circuit.
        wires: in their order.
        terms: of each measurement.
        places: of each term, the number of the circuit that it is read from.
        played: these circuits.
    """

    tape: QuantumScript
    wires: list[Wire]
    terms: list[list[Term]]
    places: list[list[int]]
    played: list[Played]

    def results(self, outcomes: Sequence[Outcomes]) -> Any:
        """What the circuit returns."""
        reads = [
            [(term, outcomes[place]) for term, place in zip(terms, places, strict=True)]
            for terms, places in zip(self.terms, self.places, strict=True)
        ]
        tape = self.tape
        return results_of(tape.measurements, reads, tape.shots, self.wires, tape.batch_size)


def question_of(tape: QuantumScript, wires: Wires | None) -> Question:
    """The circuits that answer a circuit.

    Args:
        tape: in gates that Qiskit has.
        wires: of the device, in their order; None: those of the circuit.

    Raises:
        Refused: an observable that cannot be measured, angles that are not finite.
    """
    of_tape: list[Any] = list(tape.wires)
    order: list[Any] = of_tape if wires is None else list(wires)
    used = [wire for wire in order if wire in of_tape] or [0]
    terms = [terms_of(asked, used) for asked in tape.measurements]
    bases, flat = shared([term for some in terms for term in some])
    found = iter(flat)
    places = [[next(found) for _ in some] for some in terms]
    asked = [value for one in tape.measurements for value in _values(one)]
    middle = middle_of(tape.operations, asked)
    return Question(tape, used, terms, places, [_played(tape, used, marks, middle) for marks in bases])


def _played(tape: QuantumScript, wires: list[Wire], marks: Marks, middle: list[int]) -> Played:
    operations = [*tape.operations, *_own(turns({wire: marks[wire] for wire in wires if wire in marks}))]
    places = {wire: place for place, wire in enumerate(wires)}
    ket = KET in marks.values()
    measured = tuple(wire for wire in wires if wire in marks) or (() if middle else (wires[0],))
    key = (len(wires), structure_of(operations, places, middle), tuple(places[wire] for wire in measured), ket)
    return Played(key, operations, places, middle, measured, angles_of(operations, tape.batch_size or 1), ket)


def _own(operations: list[Any]) -> list[Any]:
    from quantum.device.preparing import own_operations

    return [least for operation in operations for least in own_operations(operation)]


def _values(asked: Any) -> list[MeasurementValue]:
    if asked.mv is None:
        return []
    return [asked.mv] if isinstance(asked.mv, MeasurementValue) else list(asked.mv)
