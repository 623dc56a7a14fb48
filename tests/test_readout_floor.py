"""What a frozen readout leaves of the loss: known minima, and a bound that no features and no network come below."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classical import DeepRNN
from encoding import Chorale, InputError, load_chorales, multi_hot
from encoding.clock import encoding_named
from encoding.hearing import ClockInputs
from encoding.readout import random_readout
from experiments.observables import h0_loss, irreducible_loss, readout_floor
from experiments.observables.irreducible import after_histories
from quantum import QuantumRNN

A, B, C = [72, 67, 64, 48], [71, 67, 62, 55], [74, 65, 62, 50]
N = 54


def pieces(*sung):
    return [Chorale(np.array(chords, np.int16), f"piece {i}", "planted", i) for i, chords in enumerate(sung)]


def clock(pitches):
    """What both systems hear."""
    return np.round(ClockInputs(encoding_named("pitch-class"))(pitches), 9) + 0.0


def bits(fields, sounds):
    """NLL of fields H where `sounds` says which keys follow."""
    return np.logaddexp(0, np.where(sounds, -2, 2) * fields) / np.log(2)


def test_one_feature_a_key_is_at_the_end_of_the_box_where_the_next_chord_is_certain():
    steep = 3.0
    assert readout_floor(pieces([A, B, C]), steep * np.eye(N), np.zeros(N)) == pytest.approx(
        np.log2(1 + np.exp(-2 * steep)), abs=1e-6
    )


def test_equal_histories_leave_the_keys_in_which_they_part():
    """After A came B once and C once: keys of both are certain, keys of one alone cost a bit, the others are silent."""
    steep, alike = 2.0, pieces([A, B], [A, C])
    parts = len(set(B) ^ set(C))
    certain = np.log2(1 + np.exp(-2 * steep))
    floor = (parts + (N - parts) * certain) / N
    assert readout_floor(alike, steep * np.eye(N), np.zeros(N)) == pytest.approx(floor, abs=1e-6)
    other = readout_floor(pieces([A, B], [C, C]), steep * np.eye(N), np.zeros(N))
    assert other == pytest.approx(certain, abs=1e-6)


@pytest.mark.parametrize("steep", [0.2, 2.0])
def test_inside_the_box_the_field_is_that_of_the_chance(steep):
    """After A three of four pieces go to B: H = atanh(2 p - 1) where the box reaches as far, else its end."""
    four = pieces([A, B], [A, B], [A, B], [A, C])
    p = np.mean([multi_hot(np.array([chord]))[0] > 0 for chord in (B, B, B, C)], 0)
    with np.errstate(divide="ignore"):
        best = np.clip(np.arctanh(2 * p - 1), -steep, steep)
    expected = np.mean(p * bits(best, True) + (1 - p) * bits(best, False))
    assert readout_floor(four, steep * np.eye(N), np.zeros(N)) == pytest.approx(expected, abs=1e-6)


def test_chords_that_sound_alike_have_one_feature():
    octaves = pieces([A, B], [[pitch + 12 for pitch in A], C])
    steep, zero = 12 * np.eye(N), np.zeros(N)

    def hours(pitches):
        return pitches % 12

    assert readout_floor(octaves, steep, zero) == pytest.approx(0, abs=1e-6)
    heard = readout_floor(octaves, steep, zero, encoding=hours)
    assert heard == pytest.approx(irreducible_loss(octaves, encoding=hours), abs=1e-6)
    assert heard > 0.05


def test_without_k_it_is_the_loss_of_h0_and_learned_h0_is_how_often_keys_sound():
    music = load_chorales(first=2, excerpt=8)
    sounds = np.concatenate([multi_hot(piece.pitches)[1:] > 0 for piece in music])
    h0 = np.random.default_rng(0).standard_normal(N)
    assert readout_floor(music, np.zeros((N, 3)), h0) == pytest.approx(bits(h0, sounds).mean(), abs=1e-6)
    assert readout_floor(music, np.zeros((N, 3))) == pytest.approx(h0_loss(music), abs=2e-6)


def test_one_feature_is_found_as_by_trying_all():
    music, rng = load_chorales(first=1, excerpt=6), np.random.default_rng(1)
    k, h0 = rng.standard_normal((N, 1)), rng.standard_normal(N)
    z = np.linspace(-1, 1, 4001)
    tried = [
        bits(z[:, None, None] * k[:, 0] + h0, chords).sum((1, 2)).min() / len(chords)
        for chords in after_histories(music)
    ]
    assert readout_floor(music, k, h0) == pytest.approx(np.mean(tried) / N, abs=2e-6)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), n_features=st.integers(1, 6), scale=st.floats(0.1, 4), same=st.booleans())
def test_no_features_in_the_box_come_below_it(seed, n_features, scale, same):
    rng = np.random.default_rng(seed)
    music = pieces([A, B, C], [A, B, A] if same else [C, B, A])
    k, h0 = scale * rng.standard_normal((N, n_features)), rng.standard_normal(N)
    followed = after_histories(music)
    f = rng.uniform(-1, 1, (len(followed), n_features))
    loss = np.sum([bits(k @ z + h0, chords).sum() for z, chords in zip(f, followed, strict=True)])
    floor = readout_floor(music, k, h0)
    assert loss / sum(chords.size for chords in followed) >= floor - 1e-6
    assert readout_floor(music, k) <= floor + 1e-6  # h_0 may be learned
    assert readout_floor(music, 2 * k, h0) <= floor + 1e-6  # the box twice as large
    assert floor >= irreducible_loss(music) - 1e-6


def test_floors_computed_elsewhere_are_found():
    """By torch's LBFGS on tanh of free numbers, seed 0: 1.168 for 2 excerpts of 8 chords, 1.11 and 1.16 for 10."""
    clock = ClockInputs(encoding_named("pitch-class"))

    def floor(first, n_features):
        frozen = random_readout(0, n_features)
        return readout_floor(
            load_chorales(first=first, excerpt=8),
            frozen["K"],
            frozen["h0"],
            encoding=lambda p: np.round(clock(p), 9) + 0.0,
        )

    assert floor(2, 4) == pytest.approx(1.168, abs=5e-4)
    assert floor(10, 4) == pytest.approx(1.11, abs=5e-3)
    assert floor(10, 16) == pytest.approx(1.16, abs=6e-3)


def test_neither_system_learns_below_it():
    music = load_chorales(first=2, excerpt=6)
    frozen = {"readout_start": "random", "n_replicas": 2, "kernel": "plain"}
    fair = {"inputs": "clock", "skip": False, "n_features": 4, "learned": ("J", "M"), "rule": "exact", "batch": None}
    classical = DeepRNN(music, depth=1, width=8, **fair, **frozen)
    circuit = QuantumRNN(music, schedule="coherent", n_history=1, n_layers=3, learned=("angles",), **frozen)
    k, h0 = random_readout(0, 4).values()
    floor = readout_floor(music, k, h0, encoding=clock)
    for system in (classical, circuit):
        before = system.loss()
        system.step(0.05, 200)
        assert (system.loss() >= floor - 1e-6).all()
        assert (system.loss() < before).all()
    assert (classical.loss() - floor < 0.02).all()  # and it is nearly reached


@pytest.mark.parametrize(
    ("k", "h0", "said"),
    [
        (np.ones((53, 2)), None, "k has a row for each of 54 keys; got shape"),
        (np.ones((N, 2)), np.ones(3), "h0 has a row for each of 54 keys; got shape"),
        (1e5 * np.ones((N, 2)), None, "k gives fields of at most 10000; got up to"),
        (np.full((N, 2), np.nan), None, "the entries of k are finite"),
    ],
)
def test_what_is_no_readout_is_refused_in_one_line(k, h0, said):
    with pytest.raises(InputError, match=said):
        readout_floor(pieces([A, B]), k, h0)
