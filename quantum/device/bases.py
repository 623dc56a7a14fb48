"""In which basis each measurement is read, and which of them share a circuit.

A shot reads every qubit once. A word of Pauli matrices asks for a basis on each of its wires, so that words which agree
wherever they meet are read from the same shots (qubit-wise commuting); the average of a sum is the sum of the averages
of its words. What is made of no such words, or of some that do not go together, is turned as a whole: with
A = U diag(a) U^dagger, the gate U^dagger before reading makes outcome k the value a_k. What was measured in the middle
asks for nothing.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pennylane as qp
from numpy.typing import NDArray
from pennylane.measurements import ExpectationMP, ProbabilityMP, StateMeasurement
from pennylane.ops import LinearCombination, SProd, Sum

from encoding.errors import shown
from quantum.device.outcomes import Outcomes, bits_of, value_of, word_of
from quantum.device.refused import NAME, Refused
from quantum.gate_steps import detached

Wire = Hashable
Marks = Mapping[Wire, Hashable]  # wire -> the basis that it is read in; equal marks go together
Operator = Any
MOST_TURNED = 8  # wires of an observable that is diagonalised as a whole: a matrix of 256 x 256
KET = "ket"  # wires that are not read at all, of which the state is wanted


class Whole(NamedTuple):
    """A basis that an observable is turned to as a whole; equal where the observables are."""

    of: int
    observable: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Whole) and self.of == other.of

    def __hash__(self) -> int:
        return self.of


class Term(NamedTuple):
    """A part of a measurement that is read in one basis.

    Attributes:
        factor: that it is multiplied by in the sum of all parts.
        marks: the bases of its wires.
        values: of its outcomes, (rows, shots); None: of wires, whose bits are the outcome.
    """

    factor: float
    marks: Marks
    values: Callable[[Outcomes], NDArray[np.float64]] | None


def terms_of(asked: Any, wires: Sequence[Wire]) -> list[Term]:
    """The parts of a measurement.

    Args:
        asked: by the circuit.
        wires: all wires, for a measurement that names none.

    Raises:
        Refused: an observable that cannot be measured.
    """
    if asked.mv is not None:
        return [Term(1.0, {}, value_of(asked.mv))]
    if asked.obs is None:
        mark = KET if isinstance(asked, StateMeasurement) and not isinstance(asked, ProbabilityMP) else "Z"
        return [Term(1.0, dict.fromkeys(asked.wires or wires, mark), None)]
    if isinstance(asked, ExpectationMP):
        return [term for factor, part in _summands(asked.obs) for term in _read(part, factor)]
    observable, together = asked.obs, _together(asked.obs)
    if isinstance(asked, ProbabilityMP):  # of eigenvectors, in the order of the bits
        is_word = together and len(observable.pauli_rep) == 1
        return [Term(1.0, together if together and is_word else _whole(observable), None)]
    if together is None:
        return [Term(1.0, _whole(observable), _eigenvalues(observable))]
    words = [(_real(factor, observable), dict(word)) for word, factor in observable.pauli_rep.items()]
    return [Term(1.0, together, word_of(words))]


def shared(terms: Sequence[Term]) -> tuple[list[dict[Wire, Hashable]], list[int]]:
    """Bases, each of one circuit, and in which of them each term is read.

    >>> shared([Term(1, {0: "X", 1: "Z"}, None), Term(1, {1: "Z", 2: "Y"}, None), Term(1, {0: "Z"}, None)])
    ([{0: 'X', 1: 'Z', 2: 'Y'}, {0: 'Z'}], [0, 0, 1])
    """
    found: list[dict[Wire, Hashable]] = []
    places = [0] * len(terms)
    for which in sorted(range(len(terms)), key=lambda k: -len(terms[k].marks)):  # wide ones first: fewer circuits
        marks = terms[which].marks
        fits = (k for k, have in enumerate(found) if all(have.get(wire, mark) == mark for wire, mark in marks.items()))
        places[which] = place = next(fits, len(found))
        if place == len(found):
            found.append({})
        found[place].update(marks)
    return found or [{}], places


def turns(marks: Marks) -> list[Operator]:
    """The gates that turn a basis to that of Z: H X H = Z, and (H S^dagger) Y (S H) = Z."""
    made: list[Operator] = []
    with qp.QueuingManager.stop_recording():
        for wire, mark in marks.items():
            if mark == "X":
                made.append(qp.Hadamard(wires=[wire]))
            elif mark == "Y":
                made.extend((qp.adjoint(qp.S(wires=[wire])), qp.Hadamard(wires=[wire])))
        for whole in {mark: None for mark in marks.values() if isinstance(mark, Whole)}:
            made.extend(_turned(whole.observable)[1])
    return made


def _summands(observable: Operator) -> Iterable[tuple[float, Operator]]:
    """Words of Pauli matrices, or what else a sum is made of, with their factors."""
    if observable.pauli_rep is not None:
        for word, factor in observable.pauli_rep.items():
            yield _real(factor, observable), word
    elif isinstance(observable, Sum | SProd | LinearCombination):
        for factor, part in zip(*observable.terms(), strict=True):
            yield from ((_real(factor, observable) * inner, least) for inner, least in _summands(part))
    else:
        yield 1.0, observable


def _read(part: Any, factor: float) -> list[Term]:
    if isinstance(part, qp.pauli.PauliWord):
        return [Term(factor, dict(part), word_of([(1.0, dict(part))]))]
    return [Term(factor, _whole(part), _eigenvalues(part))]


def _together(observable: Operator) -> dict[Wire, str] | None:
    """The basis that all words of an observable have in common; None if there is none."""
    if observable.pauli_rep is None:
        return None
    marks: dict[Wire, str] = {}
    for word in observable.pauli_rep:
        if any(marks.setdefault(wire, letter) != letter for wire, letter in word.items()):
            return None
    return marks


def _whole(observable: Operator) -> dict[Wire, Hashable]:
    """The basis of the eigenvectors of an observable.

    Raises:
        Refused: not Hermitian, too wide, or without a matrix.
    """
    wires = observable.wires
    if len(wires) > MOST_TURNED:
        raise Refused(f"{shown(observable)} is turned as a whole, on up to {MOST_TURNED} wires; it has {len(wires)}")
    matrix = _matrix(observable)
    if not np.allclose(matrix, matrix.conj().T, atol=1e-9):
        raise Refused(f"what is measured is Hermitian; {shown(observable)} on wires {list(wires)} is not")
    return dict.fromkeys(wires, Whole(hash((matrix.tobytes(), tuple(wires))), observable))


def _matrix(observable: Operator) -> NDArray[Any]:
    try:
        return np.asarray(detached([observable.matrix()])[0])
    except Exception:  # operators fail each in its own way
        pass
    try:
        return observable.sparse_matrix().toarray()
    except Exception as error:
        why = f"it has no matrix ({type(error).__name__})"
        raise Refused(f"{NAME} cannot measure {shown(observable)} on wires {list(observable.wires)}: {why}") from None


def _eigenvalues(observable: Operator) -> Callable[[Outcomes], NDArray[np.float64]]:
    values = np.real(_turned(observable)[0])
    wires = tuple(observable.wires)
    return lambda outcomes: values[bits_of(outcomes, wires)]


def _turned(observable: Operator) -> tuple[NDArray[Any], list[Operator]]:
    """Eigenvalues in the order of the outcomes, and the gates that turn its eigenvectors to them."""
    if observable.has_diagonalizing_gates:  # gates of their own, for factors on their wires alone
        return np.asarray(detached([observable.eigvals()])[0]), observable.diagonalizing_gates()
    values, vectors = np.linalg.eigh(_matrix(observable))
    return values, [qp.QubitUnitary(vectors.conj().T, observable.wires)]


def _real(factor: Any, observable: Operator) -> float:
    number = complex(detached([factor])[0])
    if abs(number.imag) > 1e-12 or not np.isfinite(number.real):
        raise Refused(f"what is measured is Hermitian, of finite numbers; {shown(observable)} is not")
    return number.real
