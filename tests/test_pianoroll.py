"""A chord is a corner of a hypercube, and rescaling gives zero mean and unit variance, in three readings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoding import HIGHEST, LOWEST, N_KEYS, REST, InputError, load_chorales, multi_hot, sounding_pitches, standardise
from encoding.pianoroll import STANDARDISATIONS

CHORDS = st.lists(st.lists(st.just(REST) | st.integers(LOWEST, HIGHEST), min_size=4, max_size=4), min_size=1)


@pytest.fixture(scope="module")
def paper_inputs(jsb_path):
    """All chords but the last of the 80 chorales, each (n_transitions, 54)."""
    return [multi_hot(chorale.pitches)[:-1] for chorale in load_chorales(jsb_path)]


def test_a_chord_has_plus_one_where_a_key_sounds_and_minus_one_elsewhere():
    roll = multi_hot(np.array([[96, 60, 60, 43], [REST] * 4]))
    assert roll.shape == (2, 54)
    assert roll.dtype == np.float32
    assert np.flatnonzero(roll[0] == 1).tolist() == [0, 17, 53]
    assert (np.delete(roll[0], [0, 17, 53]) == -1).all()
    assert (roll[1] == -1).all()


@given(CHORDS)
def test_the_pitches_that_sound_come_back_from_the_roll(chords):
    expected = [tuple(sorted(set(chord) - {REST})) for chord in chords]
    assert sounding_pitches(multi_hot(np.array(chords))) == expected


@pytest.mark.parametrize("pitch", [LOWEST - 1, HIGHEST + 1, 0, 127])
def test_a_pitch_without_a_key_is_refused_with_its_step(pitch):
    what_to_do = r"in C they fit \(transpose=True\); in their own keys some do not"
    message = f"^pitches lie in 43..96; got {pitch} at step 2: {what_to_do}$"
    with pytest.raises(InputError, match=message):
        multi_hot(np.array([[60] * 4, [60] * 4, [72, 67, pitch, 48], [pitch] * 4]))


def test_the_paper_has_4597_inputs_in_which_49_keys_sound(paper_inputs):
    chords = np.concatenate(paper_inputs)
    assert chords.shape == (4597, N_KEYS)
    assert (chords > 0).any(0).sum() == 49


def test_global_standardisation_has_one_deviation_for_all_keys(paper_inputs):
    chords, rescale = np.concatenate(paper_inputs), standardise(paper_inputs, "global")
    assert rescale.deviation == pytest.approx(np.full(N_KEYS, 0.4778), abs=5e-5)
    assert rescale(chords).mean(0) == pytest.approx(np.zeros(N_KEYS), abs=1e-12)
    assert rescale(chords).var(0).mean() == pytest.approx(1)


def test_component_standardisation_gives_every_key_that_sounds_unit_variance(paper_inputs):
    chords, rescale = np.concatenate(paper_inputs), standardise(paper_inputs, "component")
    sounds = (chords > 0).any(0)
    assert rescale(chords).mean(0) == pytest.approx(np.zeros(N_KEYS), abs=1e-12)
    assert rescale(chords).var(0) == pytest.approx(sounds.astype(float))


def test_scalar_standardisation_has_one_mean_and_one_deviation(paper_inputs):
    chords, rescale = np.concatenate(paper_inputs), standardise(paper_inputs, "scalar")
    assert rescale.mean == pytest.approx(np.full(N_KEYS, -0.8557), abs=5e-5)
    assert rescale.deviation == pytest.approx(np.full(N_KEYS, 0.5174), abs=5e-5)
    assert rescale(chords).mean() == pytest.approx(0, abs=1e-12)
    assert rescale(chords).std() == pytest.approx(1)


def test_global_is_the_default(paper_inputs):
    assert np.array_equal(standardise(paper_inputs).deviation, standardise(paper_inputs, "global").deviation)


@pytest.mark.parametrize("how", STANDARDISATIONS)
def test_chords_count_alike_whichever_piece_they_come_from(how):
    roll = multi_hot(np.random.default_rng(0).integers(48, 80, (30, 4)))
    whole, parts = standardise([roll], how), standardise([roll[:3], roll[3:11], roll[11:]], how)
    assert np.allclose(whole(roll), parts(roll), atol=1e-14)


@pytest.mark.parametrize("how", STANDARDISATIONS)
def test_keys_that_never_change_are_not_divided_by_zero(how):
    roll = multi_hot(np.tile([72, 67, 64, 48], (5, 1)))
    scaled = standardise([roll], how)(roll)
    assert np.isfinite(scaled).all()
    if how != "scalar":
        assert (scaled == 0).all()


@pytest.mark.parametrize("how", STANDARDISATIONS)
def test_silence_alone_is_rescaled_to_zero(how):
    silence = multi_hot(np.full((4, 4), REST))
    assert (standardise([silence], how)(silence) == 0).all()


def test_rescaling_is_the_same_map_for_music_never_heard():
    heard, unheard = multi_hot(np.array([[60] * 4, [62] * 4])), multi_hot(np.array([[61] * 4]))
    rescale = standardise([heard], "component")
    assert rescale(unheard)[0, [17, 18, 19]].tolist() == [-1, 2, -1]  # C and D: mean 0, deviation 1; C sharp: mean -1


def test_an_unknown_standardisation_is_refused():
    with pytest.raises(InputError, match=r"^standardisation is one of global, component, scalar; got 'z-score'$"):
        standardise([np.ones((2, N_KEYS))], "z-score")
