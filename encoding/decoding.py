"""Back from measurements to notes: by maximum likelihood from counts, by nearest state from expectation values.

Every qubit is measured by itself along some axes of the Bloch sphere, r = (<X>, <Y>, <Z>); an axis gives +1 (outcome 0)
with probability (1 + r)/2. One axis does not tell an hour from its mirror image (Z alone: k from 12 - k): X and Z do.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError, shown
from encoding.given import real_numbers
from encoding.qubits import Encoding, called_the_same, checked_encoding, checked_notes, checked_pitches

Array = NDArray[np.float64]
AXES = "XYZ"
MOST_COUNTS = 1 << 53
FAR = 1e3  # beyond any expectation value, noise and all
SAME = 1e-9  # two notes nearer than this are both on the spot


class Decoded(NamedTuple):
    """What was heard.

    Attributes:
        pitches: the likeliest note of each shape; of declared aliases the first of `notes`.
        confidence: from 0 to 1, see the function.
    """

    pitches: NDArray[np.int64]
    confidence: Array


class Alphabet(NamedTuple):
    """The notes that can be told apart by name: the first of each name, and how probable the name is beforehand."""

    names: tuple[Hashable, ...]
    notes: NDArray[np.int64]
    prior: Array

    @classmethod
    def of(cls, encoding: Encoding, notes: Iterable[int] | None = None, prior: ArrayLike | None = None) -> "Alphabet":
        """The names among some notes; the prior of a name is the sum over its notes.

        Args:
            encoding: what names them.
            notes: pitches, each once; None: all that the encoding is made for.
            prior: how frequent each note is, not negative, any scale; None: all alike.

        Raises:
            InputError: notes or a prior that are no such thing.
        """
        asked = checked_notes(checked_encoding(encoding).known if notes is None else notes)
        encoding(asked)  # says which it is not made for
        weight = checked_prior(prior, len(asked))
        names: dict[Hashable, list[int]] = {}
        for place, note in enumerate(asked.tolist()):
            names.setdefault(called_the_same(encoding, note), []).append(place)
        first = np.array([places[0] for places in names.values()])
        return cls(tuple(names), asked[first], np.array([weight[places].sum() for places in names.values()]))


def decode_counts(
    counts: ArrayLike,
    encoding: Encoding,
    *,
    notes: Iterable[int] | None = None,
    prior: ArrayLike | None = None,
    axes: str = "ZX",
    readout_error: float = 0.0,
) -> Decoded:
    """The note of greatest posterior probability, given how often each axis gave 0 and 1.

        ln L = sum_(qubit, axis) n_0 ln p + n_1 ln(1 - p),    p = (1 + (1 - 2 e) r)/2,    e the readout error

    With no prior this is maximum likelihood. The confidence is the posterior probability of the note's name.

    Args:
        counts: whole numbers, (..., n_qubits, n_axes, 2), or (..., n_axes, 2) where there is one qubit.
        encoding: of the note.
        notes: among which to choose, as in `Alphabet.of`.
        prior: of the notes, as in `Alphabet.of`.
        axes: those that were measured, such as "Z" or "ZX".
        readout_error: probability that an outcome is read wrongly, from 0 to below 1/2.

    Raises:
        InputError: counts of another shape, or that no note can give without a readout error.
    """
    alphabet = Alphabet.of(encoding, notes, prior)
    n = _counts(counts, encoding.n_qubits, checked_axes(axes))
    if isinstance(readout_error, bool) or not isinstance(readout_error, float | int) or not 0 <= readout_error < 0.5:
        raise InputError(f"a readout error is a probability from 0 to below 1/2; got {shown(readout_error, 40)}")
    up = (1 + (1 - 2 * readout_error) * _components(encoding, alphabet.notes, axes)) / 2  # (names, qubits, axes)
    log_likelihood = _log_likelihood(n, np.clip(up, 0, 1))  # (..., names)
    with np.errstate(divide="ignore"):
        score = log_likelihood + np.log(alphabet.prior)
    best = score.max(-1, keepdims=True)
    if np.isneginf(best).any():
        raise InputError("some counts can come from none of the notes: give a readout_error above 0")
    posterior = np.exp(score - best)
    posterior /= posterior.sum(-1, keepdims=True)
    return Decoded(alphabet.notes[posterior.argmax(-1)], posterior.max(-1))


def decode_expectations(
    values: ArrayLike, encoding: Encoding, *, notes: Iterable[int] | None = None, axes: str = "ZX"
) -> Decoded:
    """The note whose expectation values are nearest: the nearest hour of the clock.

        d^2 = sum_(qubit, axis) (value - r)^2

    The confidence is 1 - d / d', d' the distance of the second nearest name: 0 half-way between two, 1 on the spot.

    Args:
        values: expectation values, (..., n_qubits, n_axes), or (..., n_axes) where there is one qubit; noise may take
            them beyond -1..1.
        encoding: of the note.
        notes: among which to choose, as in `Alphabet.of`.
        axes: those that were measured, such as "Z" or "ZX".

    Raises:
        InputError: values of another shape, or not finite.
    """
    alphabet = Alphabet.of(encoding, notes)
    wanted = _components(encoding, alphabet.notes, axes)
    given = np.clip(_shaped(values, (encoding.n_qubits, len(axes)), "expectation values"), -FAR, FAR)
    distance = np.sqrt(((given[..., None, :, :] - wanted) ** 2).sum((-2, -1)))  # (..., names)
    if len(alphabet.notes) == 1:
        return Decoded(alphabet.notes[distance.argmin(-1)], np.ones(distance.shape[:-1]))
    nearest, second = np.moveaxis(np.partition(distance, 1, -1)[..., :2], -1, 0)
    nearness = np.divide(nearest, second, where=second > SAME, out=np.ones_like(second))
    return Decoded(alphabet.notes[distance.argmin(-1)], 1 - nearness)


def outcome_probabilities(encoding: Encoding, pitches: ArrayLike, *, axes: str = "ZX") -> Array:
    """Probability of outcome 0 on each axis, pitches.shape + (n_qubits, n_axes)."""
    asked = checked_pitches(pitches)
    return (1 + _components(encoding, asked, axes)) / 2


def checked_axes(axes: Any) -> str:
    """Axes of the Bloch sphere, some of XYZ, each once.

    Raises:
        InputError: anything else.
    """
    if not isinstance(axes, str) or not axes or set(axes) - set(AXES) or len(set(axes)) < len(axes):
        raise InputError(f"axes are some of {AXES}, each once, such as 'ZX'; got {shown(axes, 40)}")
    return axes


def _components(encoding: Encoding, pitches: NDArray[np.int64], axes: str) -> Array:
    return encoding.bloch(pitches)[..., [AXES.index(axis) for axis in checked_axes(axes)]]


def _log_likelihood(n: Array, up: Array) -> Array:
    """sum n_0 ln p + n_1 ln(1 - p), where what never happened does not count."""
    terms = np.zeros((*n.shape[:-3], len(up)))
    for outcome, p in ((0, up), (1, 1 - up)):
        with np.errstate(divide="ignore", invalid="ignore"):
            term = n[..., None, :, :, outcome] * np.log(p)
        terms += np.where(n[..., None, :, :, outcome] > 0, term, 0.0).sum((-2, -1))
    return terms


def _counts(counts: Any, n_qubits: int, axes: str) -> Array:
    n = _shaped(counts, (n_qubits, len(axes), 2), "counts")
    wrong = n[(n < 0) | (n != np.floor(n)) | (n > MOST_COUNTS)]
    if len(wrong):
        raise InputError(f"counts are whole numbers of at least 0, at most 2^53; got {wrong[0]:g}")
    return n


def _shaped(values: Any, last: Sequence[int], what: str) -> Array:
    """Finite numbers (..., *last); the axis of a single qubit may be left out."""
    array = real_numbers(values)
    if array is None:
        raise InputError(f"{what} are numbers (..., {', '.join(map(str, last))}); got {shown(values, 40)}")
    if last[0] == 1 and array.shape[-len(last) :] != tuple(last):
        array = np.expand_dims(array, -len(last)) if array.ndim >= len(last) - 1 else array
    if array.shape[-len(last) :] != tuple(last) or not np.isfinite(array).all():
        raise InputError(f"{what} are finite numbers (..., {', '.join(map(str, last))}); got shape {np.shape(values)}")
    return array


def checked_prior(prior: Any, n_notes: int) -> Array:
    """How frequent each note is, summing to 1; None: all alike.

    Raises:
        InputError: no numbers of at least 0 for each, or all 0.
    """
    if prior is None:
        return np.full(n_notes, 1 / n_notes)
    weight = real_numbers(prior)
    if weight is None:
        raise InputError(f"a prior is a number for each of {n_notes} notes; got {shown(prior, 40)}")
    if (
        weight.shape != (n_notes,)
        or not np.isfinite(weight).all()
        or (weight < 0).any()
        or not weight.max(initial=0) > 0
    ):
        raise InputError(
            f"a prior is a number of at least 0 for each of {n_notes} notes, not all 0; got shape {weight.shape}"
        )
    scaled = weight / weight.max()  # the sum may be beyond all numbers
    return scaled / scaled.sum()
