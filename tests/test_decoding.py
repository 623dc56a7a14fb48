"""From measurements back to notes, by planted counts and by Bayes' rule on paper."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from encoding import REST, InputError
from encoding.clock import ENCODINGS, encoding_named, pitch_class
from encoding.decoding import Alphabet, decode_counts, decode_expectations, outcome_probabilities
from encoding.qubits import Encoding

OCTAVE = range(60, 72)


@pytest.mark.parametrize("name", ENCODINGS)
@given(pitches=st.lists(st.integers(43, 96), min_size=1, max_size=5))
def test_expected_values_decode_to_the_note_or_one_of_its_name(name, pitches):
    encoding, notes = encoding_named(name), range(43, 97)
    up = outcome_probabilities(encoding, pitches, axes="XYZ")
    by_values = decode_expectations(2 * up - 1, encoding, notes=notes, axes="XYZ")
    counts = np.round(np.stack([up, 1 - up], -1) * 2**22)
    by_counts = decode_counts(counts, encoding, notes=notes, axes="XYZ", readout_error=1e-6)
    for decoded in (by_values, by_counts):
        assert [encoding.same(p) for p in decoded.pitches.tolist()] == [encoding.same(p) for p in pitches]
        assert (decoded.confidence > 0.99).all()


def test_the_posterior_is_that_of_bayes():
    # Z alone, 3 times 0 and once 1: p = cos^2(k pi/12) for C (1, impossible), D# (1/2), F# (0, impossible), E (1/4)
    decoded = decode_counts([[3, 1]], pitch_class(), notes=[60, 63, 64, 66], axes="Z")
    d_sharp, e = 0.5**4, 0.25**3 * 0.75
    assert decoded.pitches == 63
    assert_allclose(decoded.confidence, d_sharp / (d_sharp + e))
    weighted = decode_counts([[3, 1]], pitch_class(), notes=[60, 63, 64, 66], prior=[1, 1, 9, 1], axes="Z")
    assert weighted.pitches == 64
    assert_allclose(weighted.confidence, 9 * e / (d_sharp + 9 * e))


def test_a_readout_error_blurs_every_probability():
    e, z = 0.1, np.array([1.0, -0.5])  # C and E, 3 times 0 and twice 1
    p = (1 + (1 - 2 * e) * z) / 2
    likelihood = p**3 * (1 - p) ** 2
    decoded = decode_counts([[3, 2]], pitch_class(), notes=[60, 64], axes="Z", readout_error=e)
    assert decoded.pitches == 64
    assert_allclose(decoded.confidence, likelihood[1] / likelihood.sum())


def test_z_alone_does_not_tell_an_hour_from_its_mirror_image():
    up = outcome_probabilities(pitch_class(), [64, 68], axes="Z")
    assert_allclose(up[0], up[1])
    tied = decode_expectations(2 * up - 1, pitch_class(), notes=OCTAVE, axes="Z")
    assert_allclose(tied.confidence, 0, atol=1e-7)


def test_half_way_between_two_hours_there_is_no_confidence_and_on_an_hour_all_of_it():
    angle = np.array([0.5, 1.0]) * np.pi / 6
    decoded = decode_expectations(np.stack([np.cos(angle), np.sin(angle)], -1), pitch_class(), notes=OCTAVE)
    assert_allclose(decoded.confidence, [0, 1], atol=1e-12)
    assert decoded.pitches[1] == 61


def test_a_voice_that_is_silent_is_heard_as_silent():
    assert decode_expectations([0, 0], pitch_class(), notes=[*OCTAVE, REST]).pitches == REST


def test_declared_aliases_are_one_name_with_their_weight_together():
    alphabet = Alphabet.of(pitch_class(), [48, 60, 61], [1, 2, 1])
    assert alphabet.notes.tolist() == [48, 61]
    assert_allclose(alphabet.prior, [0.75, 0.25])


def test_batches_of_any_shape_are_decoded_at_once():
    pitches = np.array([[60, 62, 64], [65, 67, 71]])
    up = outcome_probabilities(pitch_class(), pitches)
    assert decode_expectations(2 * up - 1, pitch_class(), notes=OCTAVE).pitches.tolist() == pitches.tolist()


ONE = Encoding("one", lambda pitch: pitch[:, None] * 0.0, notes=[60])


def test_a_single_note_is_always_right():
    assert decode_expectations([0.3, 0.2], ONE).confidence == 1


WRONG = {
    "counts are finite numbers": lambda: decode_counts([1, 2, 3], pitch_class()),
    "counts are numbers": lambda: decode_counts([["a", "b"]], pitch_class()),
    r"whole numbers of at least 0, at most 2\^53; got -1": lambda: decode_counts([[1, -1], [0, 1]], pitch_class()),
    "come from none of the notes": lambda: decode_counts([[0, 5]], pitch_class(), notes=[60], axes="Z"),
    "readout error is a probability": lambda: decode_counts([[0, 5]], ONE, axes="Z", readout_error=0.5),
    "axes are some of XYZ": lambda: decode_expectations([0], ONE, axes="Q"),
    "each once": lambda: decode_expectations([0, 0], ONE, axes="ZZ"),
    "expectation values are finite": lambda: decode_expectations([np.nan, 0], ONE),
    "a prior is a number of at least 0 for each of 1 notes": lambda: Alphabet.of(ONE, [60], [0.0]),
    "a prior is a number for each": lambda: Alphabet.of(ONE, [60], ["often"]),
    "notes are pitches, each once": lambda: Alphabet.of(ONE, cast(Any, 60)),
    "an encoding is an Encoding": lambda: Alphabet.of(cast(Any, "pitch-class")),
    "gives a name for each pitch, a number or a word; for 60 it raised": lambda: Alphabet.of(
        Encoding("x", lambda pitch: pitch * 0.1, same=lambda pitch: cast(Any, [pitch])), [60]
    ),
    r"expectation values are numbers \(\.\.\., 1, 2\); got .1000": lambda: decode_expectations([10**400, 0], ONE),
    "made for 1 pitches of 60..60, no rests; got pitch 61": lambda: Alphabet.of(ONE, [61]),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_decoded_is_said_in_a_line(message):
    with pytest.raises(InputError, match=message) as caught:
        WRONG[message]()
    assert "\n" not in str(caught.value)
