"""What an encoding can carry at all: which notes it confuses, and how well any measurement can tell the others apart.

Fidelity |<psi|psi'>|^2 finds aliases; success, information and shots are those of `encoding.discrimination` and
`encoding.shots`, over names: notes declared to be the same count as one, and the entropy so given up is reported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.decoding import SAME, Alphabet, checked_prior, outcome_probabilities
from encoding.discrimination import Bounds, accessible_information, best_guess, pretty_good
from encoding.errors import InputError, shown
from encoding.qubits import Encoding, called_the_same, checked_encoding, checked_notes
from encoding.shots import shots_needed
from encoding.transitions import Piece, checked_pieces
from encoding.voices import N_VOICES, REST

COPIES = (1, 2, 4, 8, 16, 32, 64)
ERRORS = (0.05, 0.01, 0.001)
ALIAS = 0.99  # fidelity from which two notes are reported


class Alias(NamedTuple):
    """Two notes that look alike: their pitches, |<psi|psi'>|^2, and whether the encoding declares them the same."""

    first: int
    second: int
    fidelity: float
    declared: bool


@dataclass(frozen=True, eq=False)
class Audit:
    """What one encoding carries of some notes.

    Attributes:
        encoding: its name.
        n_notes: how many were asked about.
        n_names: how many it means to tell apart.
        note_entropy: bits it takes to say the note, -sum p log2 p.
        name_entropy: bits it takes to say the name; the rest is given up by declared aliases.
        aliases: pairs of notes at or above the threshold of fidelity.
        chance: probability of the likeliest name, guessed without looking.
        success: n copies -> probability that the pretty good measurement of all of them names the note.
        best: the most that any measurement of one copy reaches.
        information: bits that a measurement of one copy gives, the most that was found; Holevo's bound above it.
        shots: error -> shots along `axes` for it, None where no number is enough.
        axes: of the shots.
    """

    encoding: str
    n_notes: int
    n_names: int
    note_entropy: float
    name_entropy: float
    aliases: tuple[Alias, ...]
    chance: float
    success: dict[int, float]
    best: Bounds
    information: Bounds
    shots: dict[float, int | None]
    axes: str

    def __repr__(self) -> str:
        """What is asked first; `experiments.auditing.audit_lines` makes a table of all."""
        low, bits = self.best.low, self.information.low
        return (
            f"<Audit of {self.encoding}: {self.n_names} names for {self.n_notes} notes, {len(self.undeclared)} "
            f"undeclared aliases, right from one copy {low:.4f}, at least {bits:.4f} bits>"
        )

    @property
    def undeclared(self) -> tuple[Alias, ...]:
        """The aliases that the encoding does not declare."""
        return tuple(alias for alias in self.aliases if not alias.declared)


def audit(
    encoding: Encoding,
    notes: Iterable[int] | None = None,
    prior: ArrayLike | None = None,
    *,
    threshold: float = ALIAS,
    axes: str = "ZX",
    copies: Sequence[int] = COPIES,
    errors: Sequence[float] = ERRORS,
    seed: int = 0,
) -> Audit:
    """Aliases, success, information and shots of an encoding.

    Args:
        encoding: what is audited.
        notes: pitches it is asked about; None: all it is made for.
        prior: how frequent each is, as `frequencies` gives; None: all alike.
        threshold: fidelity from which two notes are reported as aliases, above 0, at most 1.
        axes: on which shots are measured.
        copies: numbers of copies.
        errors: allowed probabilities to be wrong.
        seed: of what is drawn.

    Raises:
        InputError: notes it is not made for, or numbers that are none.

    >>> from encoding.clock import pitch_class
    >>> round(audit(pitch_class(), range(60, 72)).success[1], 3)  # one copy: 2 of 12
    0.167
    """
    alphabet = Alphabet.of(encoding, notes, prior)
    asked = checked_notes(encoding.known if notes is None else notes)
    each = checked_prior(prior, len(asked))
    copies, errors = _listed("copies", copies), _listed("errors", errors)
    states, p = encoding.states(alphabet.notes), alphabet.prior
    return Audit(
        encoding.name,
        len(asked),
        len(alphabet.names),
        _entropy(each),
        _entropy(p),
        aliases(encoding, asked, threshold=threshold),
        float(p.max()),
        {n: pretty_good(states, p, copies=n) for n in copies},
        best_guess(states, p),
        accessible_information(states, p, seed=seed),
        {e: shots_needed(encoding, e, axes=axes, notes=asked.tolist(), prior=each, seed=seed) for e in errors},
        axes,
    )


def aliases(encoding: Encoding, notes: Iterable[int] | None = None, *, threshold: float = ALIAS) -> tuple[Alias, ...]:
    """All pairs of notes whose states have at least this fidelity, by pitch.

    Raises:
        InputError: notes it is not made for, or a threshold not above 0 and at most 1.
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise InputError(f"a threshold is a fidelity above 0, at most 1; got {shown(threshold, 40)}")
    asked = checked_notes(checked_encoding(encoding).known if notes is None else notes)
    states = encoding.states(asked)
    fidelity = np.abs(states.conj() @ states.T) ** 2
    first, second = np.nonzero(np.triu(fidelity >= threshold - 1e-12, 1))
    pairs = zip(asked[first].tolist(), asked[second].tolist(), fidelity[first, second].tolist(), strict=True)
    names = {int(note): called_the_same(encoding, int(note)) for note in asked}
    return tuple(Alias(a, b, min(f, 1.0), bool(names[a] == names[b])) for a, b, f in pairs)


def alike(encoding: Encoding, notes: Iterable[int] | None = None, *, axes: str = "ZX") -> list[tuple[int, int]]:
    """Pairs of notes of different names that look the same on these axes, qubit by qubit, however many the shots.

    Raises:
        InputError: notes it is not made for, or axes that are none.

    >>> from encoding.clock import pitch_class
    >>> alike(pitch_class(), range(60, 66), axes="Z"), len(alike(pitch_class(), range(60, 72), axes="Z"))
    ([], 5)
    """
    alphabet = Alphabet.of(encoding, notes)
    up = outcome_probabilities(encoding, alphabet.notes, axes=axes)
    apart = np.abs(up[:, None] - up).max((2, 3))  # (names, names)
    return [(int(alphabet.notes[a]), int(alphabet.notes[b])) for a, b in np.argwhere(np.triu(apart < SAME, 1))]


def frequencies(chorales: Sequence[Piece], voice: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The notes of some chorales, rests among them, and how often each is sung: (n_notes,) twice.

    Args:
        chorales: at least one.
        voice: 0 to 3 for S, A, T, B; None: all.

    Raises:
        InputError: no chorales, or a voice that is not there.
    """
    chorales = checked_pieces(chorales)
    if voice is not None and (isinstance(voice, bool) or not isinstance(voice, int) or voice not in range(N_VOICES)):
        raise InputError(f"voices are 0 to {N_VOICES - 1} for S, A, T, B; got {shown(voice, 40)}")
    pitches = np.concatenate([chorale.pitches for chorale in chorales])
    notes, counts = np.unique(pitches if voice is None else pitches[:, voice], return_counts=True)
    return notes.astype(np.int64), counts / counts.sum()


def spelled(pitch: int) -> str:
    """A pitch as musicians write it.

    >>> spelled(60), spelled(66), spelled(-1)
    ('C4', 'F#4', 'rest')
    """
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    return "rest" if pitch == REST else f"{names[pitch % 12]}{pitch // 12 - 1}"


def _listed(name: str, values: Any) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise InputError(f"{name} are several numbers, such as (1, 2); got {shown(values)}") from None


def _entropy(p: NDArray[np.float64]) -> float:
    there = p[p > 0]
    return float(-(there * np.log2(there)).sum())
