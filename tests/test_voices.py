"""Voices move as little as they can, sing every pitch of the chord, and do not cross."""

from itertools import product

import numpy as np
import pytest

from encoding.errors import InputError
from encoding.voices import REST, assign_voices


def movement(pitches):
    """The sum that is minimised, over the steps that sound."""
    sung = pitches[pitches[:, 0] != REST].astype(int)
    return int(np.abs(np.diff(sung, axis=0)).sum())


def random_chords(seed, n_steps):
    rng = np.random.default_rng(seed)
    return [sorted(rng.choice(np.arange(48, 80), rng.integers(0, 5), replace=False).tolist()) for _ in range(n_steps)]


def test_four_pitches_are_sung_from_the_top_down():
    assert assign_voices([[48, 72, 64, 67]]).tolist() == [[72, 67, 64, 48]]


def test_three_pitches_double_the_voice_that_moves_least():
    # The tenor is nearer to the bass's note than to any other: tenor and bass sing in unison.
    assert assign_voices([[50, 52, 65, 72], [50, 65, 72]])[1].tolist() == [72, 65, 50, 50]
    assert assign_voices([[50, 64, 65, 72], [50, 65, 72]])[1].tolist() == [72, 65, 65, 50]


def test_one_pitch_is_sung_by_all_and_none_by_nobody():
    assert assign_voices([[60], []]).tolist() == [[60] * 4, [REST] * 4]


def test_movement_is_remembered_across_silence():
    chords = [[50, 52, 65, 72], [], [], [50, 65, 72]]
    assert assign_voices(chords)[3].tolist() == [72, 65, 50, 50]


def test_what_comes_later_decides_about_a_first_chord_of_three():
    assert assign_voices([[50, 65, 72], [50, 52, 65, 72]])[0].tolist() == [72, 65, 50, 50]


@pytest.mark.parametrize("seed", range(20))
def test_every_pitch_is_sung_nothing_else_is_and_voices_do_not_cross(seed):
    chords = random_chords(seed, 30)
    pitches = assign_voices(chords)
    assert pitches.dtype == np.int16
    assert [sorted(set(chord) - {REST}) for chord in pitches.tolist()] == chords
    assert (np.diff(pitches, axis=1) <= 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_no_other_assignment_moves_less(seed):
    chords = [chord for chord in random_chords(seed, 6) if chord]
    ways = [
        [way for way in product(chord, repeat=4) if set(way) == set(chord) and list(way) == sorted(way, reverse=True)]
        for chord in chords
    ]
    least = min(movement(np.array(path)) for path in product(*ways))
    assert movement(assign_voices(chords)) == least


def test_no_steps_give_no_pitches():
    assert assign_voices([]).shape == (0, 4)


def test_five_pitches_are_refused_with_their_step():
    with pytest.raises(InputError, match=r"at most 4 pitches, one a voice; step 1 has 5: \[72, 67, 64, 60, 48\]"):
        assign_voices([[60], [48, 60, 64, 67, 72]])
