"""Shots on the clock: sums over all outcomes by hand, drawing against summing, and the normal law for many shots."""

from itertools import product
from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from encoding import InputError
from encoding.clock import encoding_named, pitch_class
from encoding.qubits import Encoding
from encoding.shots import shots_needed, success_with_shots

OCTAVE = range(60, 72)


@pytest.mark.parametrize("decoder", ["likeliest", "nearest"])
def test_six_shots_are_all_outcomes_written_out(decoder):
    notes, angle = [60, 64, 67], np.array([0, 4, 7]) * np.pi / 6
    z, x = np.cos(angle), np.sin(angle)
    right = 0.0
    for a, b in product(range(4), repeat=2):  # how often 0 of three shots each: no average is as near to two hours
        joint = np.ones(3)
        for k, r in ((a, z), (b, x)):
            joint *= comb(3, k) * ((1 + r) / 2) ** k * ((1 - r) / 2) ** (3 - k)
        distance = (2 * a / 3 - 1 - z) ** 2 + (2 * b / 3 - 1 - x) ** 2
        right += joint.max() if decoder == "likeliest" else joint[distance.argmin()]
    made = success_with_shots(pitch_class(), 6, notes=notes, decoder=decoder)
    assert_allclose(made.probability, right / 3)
    assert made.error == 0


@pytest.mark.parametrize("decoder", ["likeliest", "nearest"])
def test_drawing_agrees_with_summing(decoder):
    two = Encoding("twice", lambda pitch: pitch[:, None] % 12 * np.pi / 6 * [1.0, 0.0], (("RY", 0), ("RY", 1)), OCTAVE)
    drawn = success_with_shots(two, 40, decoder=decoder, n_draws=40_000)
    summed = success_with_shots(pitch_class(), 40, notes=OCTAVE, decoder=decoder)
    assert 0 < drawn.error < 0.003
    assert abs(drawn.probability - summed.probability) < 4 * drawn.error


def test_drawing_weighs_notes_as_summing_does():
    twice = Encoding("twice", lambda p: p[:, None] % 12 * np.pi / 6 * [1.0, 0.0], (("RY", 0), ("RY", 1)), [60, 61, 62])
    weights = [1, 1, 30]
    drawn = success_with_shots(twice, 8, prior=weights, n_draws=40_000)
    summed = success_with_shots(pitch_class(), 8, notes=[60, 61, 62], prior=weights)
    assert abs(drawn.probability - summed.probability) < 4 * drawn.error
    assert summed.probability > success_with_shots(pitch_class(), 8, notes=[60, 61, 62]).probability + 0.1


def test_the_nearest_hour_of_many_shots_errs_as_the_normal_law_says():
    # Var theta = (2/S)(cos^4 + sin^4); an error beyond pi/12
    angle, shots = np.arange(12) * np.pi / 6, 200
    deviation = np.sqrt(2 / shots * (np.cos(angle) ** 4 + np.sin(angle) ** 4))
    expected = (2 * norm.sf(np.pi / 12 / deviation)).mean()
    made = success_with_shots(pitch_class(), shots, notes=OCTAVE, decoder="nearest")
    assert_allclose(1 - made.probability, expected, rtol=0.15)


@pytest.mark.parametrize(("error", "bound"), [(0.05, 112), (0.01, 194), (0.001, 316)])
def test_shots_needed_are_the_fewest_and_below_those_of_the_worst_hour(error, bound):
    for decoder in ("likeliest", "nearest"):
        needed = shots_needed(pitch_class(), error, notes=OCTAVE, decoder=decoder)
        assert needed is not None
        assert needed < bound
        for shots, enough in ((needed, True), (needed - 2, False)):
            made = success_with_shots(pitch_class(), shots, notes=OCTAVE, decoder=decoder)
            assert (1 - made.probability <= error) == enough
    assert_allclose(2 * (12 * norm.isf(error / 2) / np.pi) ** 2, bound, rtol=0.005)


def test_names_that_look_the_same_on_the_axes_are_never_told_apart():
    assert shots_needed(encoding_named("octave-phase"), 0.05, notes=range(43, 97)) is None
    needed = shots_needed(encoding_named("octave-phase"), 0.05, notes=range(43, 97), axes="XYZ")
    assert needed is not None
    assert needed < 1000
    assert shots_needed(pitch_class(), 0.05, notes=OCTAVE, axes="Z") is None


def test_a_rare_note_may_be_confused_where_the_error_allows_it():
    assert shots_needed(pitch_class(), 0.05, notes=[64, 68], prior=[99, 1], axes="Z") == 1


WRONG = {
    "a multiple of it; got 3": lambda: success_with_shots(pitch_class(), 3),
    "from 1 to 65536; got 0": lambda: success_with_shots(pitch_class(), 0),
    "decoders are likeliest, nearest": lambda: success_with_shots(pitch_class(), 2, decoder="best"),
    "n_draws is a whole number": lambda: success_with_shots(pitch_class(), 2, n_draws=1),
    "at most 1000000; got 1000000000": lambda: success_with_shots(pitch_class(), 2, n_draws=10**9),
    "options are notes, prior": lambda: shots_needed(pitch_class(), 0.1, tuning="well"),
    "axes are some of XYZ": lambda: success_with_shots(pitch_class(), 2, axes=""),
    "above 0 and below 1; got 5": lambda: shots_needed(pitch_class(), 5),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_are_no_shots_is_said_in_a_line(message):
    with pytest.raises(InputError, match=message) as caught:
        WRONG[message]()
    assert "\n" not in str(caught.value)
