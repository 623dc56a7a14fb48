"""What an encoding carries: the aliases planted in it are found, and the helper for tests fails where it should."""

from typing import Any, cast

import numpy as np
import pytest
from numpy.testing import assert_allclose

from encoding import REST, Chorale, InputError
from encoding.audit import aliases, audit, frequencies
from encoding.clock import ENCODINGS, encoding_named, pitch_class
from encoding.qubits import Encoding
from encoding.testing import assert_encoding

OCTAVE = range(60, 72)


def test_the_audit_of_the_clock_has_its_closed_forms():
    made = audit(pitch_class(), range(48, 72))
    assert (made.n_notes, made.n_names, len(made.aliases)) == (24, 12, 12)
    assert_allclose((made.note_entropy, made.name_entropy), (np.log2(24), np.log2(12)))
    assert_allclose([made.success[n] for n in (1, 2, 4, 64)], [1 / 6, 0.243, 0.372, 0.994], atol=6e-4)
    assert_allclose(made.best, 1 / 6, rtol=1e-6)
    assert_allclose(made.information, (0.4447, 1), atol=6e-5)
    assert_allclose(made.chance, 1 / 12)
    assert made.undeclared == ()


def test_frequent_notes_are_guessed_more_often():
    prior = np.array([100.0] + 11 * [1.0])
    made = audit(pitch_class(), OCTAVE, prior)
    assert made.chance == pytest.approx(100 / 111)
    assert made.best.low >= 100 / 111
    assert made.name_entropy < 1


def test_planted_aliases_are_found_and_said_to_be_undeclared():
    tritones = Encoding("tritones", lambda pitch: pitch[:, None] % 6 * np.pi / 6, notes=OCTAVE)
    found = audit(tritones).undeclared
    assert [(alias.first, alias.second) for alias in found] == [(n, n + 6) for n in range(60, 66)]
    assert_allclose([alias.fidelity for alias in found], 1)
    near = aliases(pitch_class(), OCTAVE, threshold=0.93)  # neighbours overlap cos^2 15 degrees = .933
    assert len(near) == 12
    assert_allclose([alias.fidelity for alias in near], np.cos(np.pi / 12) ** 2)


def test_notes_are_counted_by_voice():
    chorale = Chorale(np.array([[60, 55, 52, REST], [60, 57, 52, 48]]), "two chords", "here", 0)
    notes, share = frequencies([chorale])
    assert notes.tolist() == [REST, 48, 52, 55, 57, 60]
    assert_allclose(share * 8, [1, 1, 2, 1, 1, 2])
    notes, share = frequencies([chorale], voice=0)
    assert (notes.tolist(), share.tolist()) == ([60], [1.0])


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_named_encodings_pass_the_helper(name):
    assert_encoding(encoding_named(name))


FAILS = {
    "F#4 has length": Encoding("x", lambda pitch: pitch[:, None] * 0.1, notes=range(66, 67)),
    "not declared, yet the same: C4 and C5, C#4 and C#5, D4 and D5, 9 more": Encoding(
        "x", lambda pitch: pitch[:, None] % 12 * np.pi / 6, notes=range(60, 84)
    ),
    "declared to be the same, and are not: C#4 and C4": Encoding(
        "x", lambda pitch: pitch[:, None] % 12 * np.pi / 6, notes=range(60, 62), same=lambda pitch: 0
    ),
}


@pytest.mark.parametrize("message", FAILS)
def test_the_helper_fails_and_says_at_which_notes(message, monkeypatch):
    if "length" in message:
        states = Encoding.states
        monkeypatch.setattr(Encoding, "states", lambda *given: states(*given) * 1.1)
    with pytest.raises(AssertionError, match=message) as caught:
        assert_encoding(FAILS[message])
    assert str(caught.value).startswith("x: ")


def test_the_helper_fails_where_the_axes_do_not_show_the_note():
    with pytest.raises(AssertionError, match="along Z these look the same: E4 and G#4; measure more axes"):
        assert_encoding(pitch_class(), [64, 68], axes="Z")


def test_the_helper_fails_where_a_note_has_other_angles_among_others():
    placed = Encoding("x", lambda pitch: np.arange(len(pitch)) * 0.1, notes=range(60, 66))
    with pytest.raises(AssertionError, match="x: C#4 has other angles alone than among other notes"):
        assert_encoding(placed)


def test_the_helper_fails_where_shots_are_too_few():
    with pytest.raises(AssertionError, match="too near for 20 shots"):
        assert_encoding(encoding_named("compass"), shots=20)


WRONG = {
    "notes are pitches, each once": lambda: audit(pitch_class(), [60, 60]),
    "copies are several numbers": lambda: audit(pitch_class(), OCTAVE, copies=cast(Any, 5)),
    "shots are a whole number from 1": lambda: assert_encoding(pitch_class(), shots=0),
    "at least one chorale; got none": lambda: frequencies([]),
    "voices are 0 to 3": lambda: frequencies([Chorale(np.full((2, 4), 60), "x", "here", 0)], voice=4),
    "a threshold is a fidelity": lambda: aliases(pitch_class(), threshold=0),
    "made for": lambda: audit(encoding_named("compass"), [20]),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_audited_is_said_in_a_line(message):
    with pytest.raises(InputError, match=message) as caught:
        WRONG[message]()
    assert "\n" not in str(caught.value)
