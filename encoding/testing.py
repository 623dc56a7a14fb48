"""For tests of one's own encodings: does it give states, does it tell apart what it says, and can it be read back?

A test of one's own is one line, `assert_encoding(encoding)`, with the axes that an experiment will measure.
"""

from collections.abc import Iterable

import numpy as np

from encoding.audit import Alias, aliases, alike, spelled
from encoding.decoding import decode_counts, decode_expectations, outcome_probabilities
from encoding.errors import InputError, shown
from encoding.qubits import Encoding, called_the_same, checked_encoding, checked_notes

NORM = 1e-12
MOST_SHOTS = 1 << 40


def assert_encoding(
    encoding: Encoding,
    notes: Iterable[int] | None = None,
    *,
    axes: str = "XYZ",
    threshold: float = 1 - 1e-9,
    shots: int = 1 << 20,
) -> None:
    """Assert that an encoding is normalised, injective up to declared aliases, and decodes back.

        assert_encoding(Encoding("thirds", lambda pitch: pitch[:, None] * np.pi / 2, same=lambda pitch: pitch % 4))

    Args:
        encoding: to be tested.
        notes: pitches; None: all it is made for.
        axes: measured for decoding; those that an experiment will have.
        threshold: fidelity from which two notes count as one.
        shots: on each axis, for decoding from the counts that are expected.

    Raises:
        AssertionError: what is not so, in one line that names the notes.
        InputError: notes it is not made for.
    """
    asked = checked_notes(checked_encoding(encoding).known if notes is None else notes)
    if isinstance(shots, bool) or not isinstance(shots, int) or not 1 <= shots <= MOST_SHOTS:
        raise InputError(f"shots are a whole number from 1 to {MOST_SHOTS}; got {shown(shots, 40)}")
    whole = encoding(asked)
    alone = np.array([encoding(note) for note in asked])
    moved = np.flatnonzero(np.abs(whole - alone).max(1) > NORM)
    assert not len(moved), (
        f"{encoding.name}: {spelled(int(asked[moved[0]]))} has other angles alone than among other notes: angles are a "
        "function of each pitch by itself"
    )
    length = (np.abs(encoding.states(asked)) ** 2).sum(-1)
    off = np.abs(length - 1).argmax()
    assert abs(length[off] - 1) < NORM, (
        f"{encoding.name}: the state of {spelled(int(asked[off]))} has length {length[off]}"
    )
    found = aliases(encoding, asked, threshold=threshold)
    hidden = [alias for alias in found if not alias.declared]
    assert not hidden, f"{encoding.name}: not declared, yet the same: {_told(hidden)}; declare them in `same`, or mend"
    first: dict[object, int] = {}
    heard = np.array([first.setdefault(called_the_same(encoding, int(note)), int(note)) for note in asked])
    seen = [(note, name) for note, name in zip(asked.tolist(), heard.tolist(), strict=True) if note != name]
    apart = [pair for pair in seen if not _alike(encoding, *pair, threshold)]
    assert not apart, f"{encoding.name}: declared to be the same, and are not: {_pairs(apart)}; mend `same`"
    pairs = alike(encoding, asked.tolist(), axes=axes)
    assert not pairs, (
        f"{encoding.name}: along {axes} these look the same: {_pairs(pairs)}; measure more axes, or declare them the "
        "same"
    )
    up = outcome_probabilities(encoding, asked, axes=axes)
    counts = np.round(np.stack([up, 1 - up], -1) * shots)
    for how, decoded in (
        ("expectation values", decode_expectations(2 * up - 1, encoding, notes=asked.tolist(), axes=axes).pitches),
        ("counts", decode_counts(counts, encoding, notes=asked.tolist(), axes=axes, readout_error=1e-9).pitches),
    ):
        wrong = np.flatnonzero(decoded != heard)
        assert not len(wrong), (
            f"{encoding.name}: from {how} along {axes} {spelled(int(asked[wrong[0]]))} is read as "
            f"{spelled(int(decoded[wrong[0]]))} ({len(wrong)} of {len(asked)} notes): too near for {shots} shots"
        )


def _alike(encoding: Encoding, a: int, b: int, threshold: float) -> bool:
    first, second = encoding.states([a, b])
    return abs(np.vdot(first, second)) ** 2 >= threshold


def _told(found: list[Alias]) -> str:
    return _pairs([(alias.first, alias.second) for alias in found])


def _pairs(found: list[tuple[int, int]]) -> str:
    said = ", ".join(f"{spelled(a)} and {spelled(b)}" for a, b in found[:3])
    return said + (f", {len(found) - 3} more" if len(found) > 3 else "")
