"""Transitions packed time-major are those found by walking through one chorale after the other."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from encoding import InputError, load_chorales, multi_hot, pack, standardise

LENGTHS = (5, 9, 2, 9, 7, 5)


class Held(NamedTuple):
    """A chord repeated; a Chorale would refuse fewer than two."""

    pitches: Any


def held(n_chords):
    return Held(np.full((n_chords, 4), 60))


def walked(chorales, longest_first):
    """(chorale, time) of every slot, time by time, by plain loops."""
    most = max(len(chorale.pitches) for chorale in chorales)
    return [(which, t) for t in range(most) for which in longest_first if t < len(chorales[which].pitches) - 1]


def test_every_slot_holds_a_chord_and_the_one_that_follows(music):
    chorales = music(*LENGTHS)
    rolls = [multi_hot(chorale.pitches) for chorale in chorales]
    rescale = standardise([roll[:-1] for roll in rolls], "component")
    data = pack(chorales, "component")
    slots = walked(chorales, longest_first=[1, 3, 4, 0, 5, 2])  # among equals, the first comes first
    assert list(zip(data.chorale.tolist(), data.time.tolist(), strict=True)) == slots
    for slot, (which, t) in enumerate(slots):
        assert np.array_equal(data.inputs[slot], rescale(rolls[which][t]).astype(np.float32))
        assert np.array_equal(data.targets[slot], rolls[which][t + 1])
    assert data.n_slots == len(slots) == sum(LENGTHS) - len(LENGTHS)


def test_fewer_and_fewer_chorales_still_sound(music):
    data = pack(music(*LENGTHS))
    assert data.order.tolist() == [1, 3, 4, 0, 5, 2]
    assert data.batch_sizes.tolist() == [6, 5, 5, 5, 3, 3, 2, 2]
    assert data.offsets.tolist() == [0, 6, 11, 16, 21, 24, 27, 29, 31]
    assert data.n_times == 8


def test_the_paper_has_4597_slots(jsb_path):
    chorales = load_chorales(jsb_path)
    data = pack(chorales)
    assert len(chorales) == 80
    assert data.n_slots == data.offsets[-1] == data.batch_sizes.sum() == 4597
    assert data.batch_sizes[0] == 80
    assert (np.diff(data.batch_sizes) <= 0).all()
    assert data.n_times == max(chorale.n_transitions for chorale in chorales)


def test_arrays_are_as_the_networks_want_them(music):
    data = pack(music(4, 3))
    assert data.inputs.dtype == data.targets.dtype == np.float32
    assert data.inputs.shape == data.targets.shape == (5, 54)
    assert set(np.unique(data.targets)) == {-1, 1}


def test_the_last_chord_does_not_count_for_mean_and_deviation(music):
    (piece,) = music(6)
    rescale = pack([piece], "scalar").standardisation
    assert rescale.mean[0] == pytest.approx(multi_hot(piece.pitches)[:-1].mean(dtype=float))


def test_validation_music_is_rescaled_like_the_training_music(music):
    train = pack(music(6, 5), "component")
    valid = pack(music(7, seed=1), train.standardisation)
    expected = train.standardisation(multi_hot(music(7, seed=1)[0].pitches)[:-1])
    assert np.array_equal(valid.inputs, expected.astype(np.float32))


def test_the_fingerprint_knows_notes_and_boundaries_and_nothing_else(music):
    pieces = music(4, 4)
    same = pack(pieces).sha256
    assert same == pack(music(4, 4)).sha256
    assert same != pack(pieces[::-1]).sha256
    assert same != pack(pieces, "scalar").sha256
    assert same != pack(music(4, 4, seed=1)).sha256
    assert pack(pieces, "scalar").sha256 == pack(pieces, pack(pieces, "scalar").standardisation).sha256


def test_boundaries_alone_change_the_fingerprint():
    apart, together = pack([held(3), held(3)]), pack([held(5)])
    assert np.array_equal(apart.inputs, together.inputs)
    assert np.array_equal(apart.targets, together.targets)
    assert apart.sha256 != together.sha256


@pytest.mark.parametrize("count", [0, 1])
def test_a_chorale_of_fewer_than_two_chords_is_refused(count, music):
    message = f"^a chorale has at least 2 chords; chorale 1 has {count}: leave it out$"
    with pytest.raises(InputError, match=message):
        pack([*music(4), held(count)])


def test_no_chorale_and_no_such_standardisation_are_refused(music):
    with pytest.raises(InputError, match=r"^a network learns from at least one chorale; got none$"):
        pack([])
    with pytest.raises(InputError, match=r"^standardisation is one of global, component, scalar; got 'other'$"):
        pack(music(4), "other")
