"""The quantum network: gradients by differences, Gamma by every slot, the closed loop, and what it refuses."""

import sys
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from encoding import N_KEYS, Chorale, InputError, multi_hot
from encoding.transitions import pack
from quantum import Block, Ladder, QuantumRNN
from quantum.playing import _Ear
from quantum.settings import CHOICES

RNG = np.random.default_rng(5)
BASS, TENOR, ALTO, SOPRANO = ((low, low + 8) for low in (45, 55, 62, 70))
PITCHES = np.stack([RNG.integers(*voice, 16) for voice in (SOPRANO, ALTO, TENOR, BASS)], 1).astype(np.int16)
CHORALES = [Chorale(part, "drawn", "here", n) for n, part in enumerate(np.split(PITCHES, [7, 12]))]  # 7, 5 and 4 chords
SMALL: dict[str, Any] = {"n_history": 1, "n_layers": 1, "closing": True}
NATS = N_KEYS * np.log(2)  # of a slot, for a bit per output unit


def network(schedule="coherent", **said):
    options: dict[str, Any] = SMALL | {"schedule": schedule, "precision": "float64"} | said
    return QuantumRNN(CHORALES, **options)


def stirred(network, seed=0):
    """With a readout that says something."""
    weights = network.weights()
    network.put(weights + 0.3 * np.random.default_rng(seed).standard_normal(weights.shape))
    return network


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
@pytest.mark.parametrize(
    "options", [{}, {"observables": "ZX", "skip": True}, {"read": "first"}, {"encoding": "octave-phase"}], ids=str
)
def test_the_gradient_is_the_slope_of_the_loss(schedule, options):
    made = stirred(network(schedule, **options))
    gradient, weights = made.gradient()[0], made.weights()
    for place in (0, 3, *RNG.integers(0, len(gradient), 6), len(gradient) - 1):
        step = np.zeros_like(weights)
        step[0, place] = 1e-5
        losses = []
        for sign in (1, -1):
            made.put(weights + sign * step)
            losses.append(made.loss()[0])
        assert_allclose(gradient[place], (losses[0] - losses[1]) / 2e-5 * NATS, atol=2e-8)


def test_the_history_is_read_where_all_is_read():
    assert network("measured", read="all").activations().shape[2] == 5
    assert network("measured").activations().shape[2] == 4
    assert_allclose(network("measured", read="all").activations()[..., :4], network("measured").activations())


def test_a_step_goes_down_the_gradient_of_its_batch():
    made = stirred(network(batch=5, n_replicas=2))
    before = made.weights()
    drawn = [np.bincount(batch, minlength=13) / 5 for batch in made._ensemble.batches(made.settings, 13, 1)[:, 0]]
    apart = []
    for slot in range(13):  # the gradient of each slot alone, by a network whose only batch it is
        apart.append([made._plain.now(made.weights(), r).gradient(np.array([slot])) for r in range(2)])
    expected = np.einsum("rn,nrw->rw", drawn, apart)
    made.step(0.1)
    assert_allclose(made.weights(), before - 0.1 * expected, atol=1e-12)


def test_gamma_is_the_variance_over_slots():
    made = stirred(network(batch=5, probes=400))
    now = made._plain.now(made.weights(), 0)
    slots = np.array([now.gradient(np.array([slot])) for slot in range(13)])
    variance = slots.var(0)
    gamma = made.noise()[0]
    for found, (name, group) in zip(gamma, made.layout().items(), strict=True):
        wanted = variance[group.slice].mean() / 5
        assert_allclose(found, wanted, rtol=0.15 if group.period else 1e-9, err_msg=name)


def test_without_replacement_gamma_is_smaller_by_the_finite_population():
    def gamma(replacement, batch):
        return stirred(network(batch=batch, replacement=replacement)).noise()

    assert_allclose(gamma(False, 5), gamma(True, 5) * 8 / 12, rtol=1e-12)  # (n - p)/(n - 1) of 13 slots
    assert (gamma(False, 13) == 0).all()


def test_the_full_gradient_has_no_noise():
    assert not network().noise().any()


def test_what_is_not_learned_stays():
    made = network(learned=("angles",), readout_start="random")
    before = made.weights()
    made.step(0.1, 3)
    moved = (made.weights() != before)[0]
    assert moved[: made.layout()["K"].slice.start].all()
    assert not moved[made.layout()["K"].slice.start :].any()


def test_a_frozen_readout_is_the_same_for_all_replicas_and_seeds():
    several = network(readout_start="random", n_replicas=2, seed=3)
    k = several.layout()["K"].slice
    assert_allclose(several.weights()[0, k], several.weights()[1, k])
    assert not np.array_equal(several.weights()[0, : k.start], several.weights()[1, : k.start])


def test_before_anything_is_learned_every_key_is_a_coin():
    assert_allclose(network().loss(), 1)


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
def test_a_piece_heard_chord_by_chord_gives_the_same_outputs(schedule):
    made = stirred(network(schedule, skip=True, n_replicas=2))
    slots, player = pack(CHORALES), made.network()
    for which, chorale in enumerate(CHORALES):
        said = player.outputs(multi_hot(chorale.pitches))[:, :-1]
        assert_allclose(said, np.tanh(made.outputs()[:, slots.chorale == which]), atol=1e-6)


def test_it_plays_on_from_an_opening():
    opening = multi_hot(CHORALES[0].pitches[:3])
    piece = stirred(network()).network().continue_piece(opening, 9, choose="four")
    assert piece.shape == (9, N_KEYS)
    np.testing.assert_array_equal(piece[:3], opening)
    assert ((piece > 0).sum(1) <= 4).all()


def test_other_chorales_are_heard_as_those_that_were_learned():
    made = stirred(network(skip=True))
    assert_allclose(made.loss_on(CHORALES), made.loss())
    assert_allclose(made.loss_on(CHORALES[1:]) * 7, (made.loss() * 13 - made.loss_on(CHORALES[:1]) * 6))


def test_it_learns_a_short_piece():
    made = QuantumRNN(CHORALES[2:], schedule="coherent", n_history=2, n_layers=2, observables="ZX")
    made.step(0.1, 150)
    assert made.loss() < 0.06


REFUSED = {
    "schedule is one of measured, coherent, staggered": {"schedule": "hasty"},
    "n_history is a whole number of at least 1": {"n_history": 0},
    "n_history is at most 8; got 9": {"n_history": 9},
    "exactly up to n_history 5; got 8: every distinct chord would take 8.39 MB, .*trajectories=4": {"n_history": 8},
    "trajectories are at least 2": {"trajectories": 1},
    "the measured schedule has one ket a piece": {"trajectories": 4, "schedule": "measured"},
    "trajectories simulate averages, with the adjoint rule": {"trajectories": 4, "rule": "spsa"},
    "shots is a whole number of at least 1; got 0": {"shots": 0, "rule": "spsa"},
    "the adjoint rule needs amplitudes, which 100 shots do not show: .* parameter-shift or spsa": {"shots": 100},
    "with shots take observables Z": {"shots": 5, "rule": "spsa", "schedule": "staggered", "observables": "ZX"},
    "rule is one of adjoint, parameter-shift, spsa; got 'autograd'": {"rule": "autograd"},
    "spsa_shift is an angle from 0.001 to pi; got 0": {"spsa_shift": 0},
    "spsa_shift is an angle from 0.001 to pi; got 1e-300": {"spsa_shift": 1e-300},
    "shots is a whole number of at least 1, at most 1000000; got 1000000000": {"shots": 10**9, "rule": "spsa"},
    "spsa_pairs is a whole number of at least 1, at most 10000": {"spsa_pairs": 10**9},
    "batch is a whole number of at least 1, at most 1000000": {"batch": 10**9},
    "n_history is at most 8; got 1000000000: each more doubles the kets": {"n_history": 10**9},
    "circuits of shots, .*, are simulated up to n_history 5; got 6": {"n_history": 6, "shots": 2, "rule": "spsa"},
    "learned is W alone, and with skip off there is no W": {"learned": ("W",)},
    "learned is angles, and a K that starts at 0 and is not learned hides the angles: nothing would move; take "
    "readout_start random, or learn K too": {"learned": ("angles",)},
    "learned is angles, W, and a K that starts at 0": {"learned": ("angles", "W")},
    "learned is a tuple of some of angles, K, W, h0; got": {"learned": (["K"],)},
    "learned is a tuple of some of angles, K, W, h0; got nothing: it is empty": {"learned": ("",)},
    "n_history is a whole number of at least 1; got np.False_": {"n_history": np.False_},
    "schedule is one of measured, coherent, staggered; got array": {"schedule": np.array([1, 2])},
    "spsa_pairs is a whole number": {"spsa_pairs": 0},
    "optimizer is one of sgd, adam": {"optimizer": "momentum"},
    "n_layers is a whole number": {"n_layers": 1.5},
    "learned is a tuple of some of angles, K, W, h0": {"learned": ("J",)},
    "read all is of the measured schedule": {"read": "all"},
    "closing is True or False": {"closing": 1},
    "QuantumRNN has the settings .*; got depth": {"depth": 2},
    "encoding is one of pitch-class": {"encoding": "roll"},
    "a batch without replacement has at most the 13 slots": {"batch": 14, "replacement": False},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_makes_no_network_is_refused_in_a_line(message):
    with pytest.raises(InputError, match=message) as refused:
        QuantumRNN(CHORALES, **SMALL | {"schedule": "coherent"} | REFUSED[message])
    assert "\n" not in str(refused.value)


def test_whole_numbers_of_numpy_ask_the_same_question():
    number: Any = np.int64
    sizes: dict[str, Any] = {"n_history": 2, "n_layers": 1, "shots": 5, "batch": 3, "spsa_pairs": 2, "probes": 4}
    plain = network(rule="spsa", **sizes)
    given = network(rule="spsa", **{name: number(size) for name, size in sizes.items()})
    assert repr(given.settings) == repr(plain.settings)
    np.testing.assert_array_equal(given.state()["question"], plain.state()["question"])
    np.testing.assert_array_equal(given.step(0.1, 2), plain.step(0.1, 2))
    blocks = [Block(Ladder(n(5), n(2)), n_data=n(4), schedule="coherent") for n in (int, number)]
    assert repr(blocks[0]) == repr(blocks[1])


@pytest.mark.parametrize("kernel", ["plain", "fast"])
def test_a_replica_freezes_at_the_step_that_it_does_not_make(kernel):
    made = network(kernel=kernel, precision="float32", n_replicas=2)
    made.step(0.1, 2)
    made.step([sys.float_info.max, 0.1], 3)
    assert made.state()["frozen"].tolist() == [2, -1]


def test_damaged_states_and_weights_that_are_no_real_numbers_are_refused():
    made = network(optimizer="adam", n_replicas=2)
    made.step(0.01, 2)
    for name, wrong in (("moved", -5), ("frozen", 49), ("frozen", -8), ("replica", -1)):
        state = made.state()
        state[name] = np.full_like(state[name], wrong)
        with pytest.raises(InputError, match="it is damaged"):
            made.restore(state)
    with pytest.raises(InputError, match="a state is arrays by name, as state\\(\\) gives; got NoneType"):
        made.restore(None)  # type: ignore[arg-type]  # as a user may
    for wrong, kind in ((made.weights() + 1j, "complex numbers"), (made.weights().astype(str), "words")):
        with pytest.raises(InputError, match=f"weights are numbers, .* got {kind}"):
            made.put(wrong)


def test_an_opening_is_heard_as_it_was_sung():
    """Where voices cross, keys do not say who sings what."""
    crossed = PITCHES[:4].copy()
    crossed[2, 2:] = crossed[2, :1:-1]
    made = stirred(
        QuantumRNN([Chorale(crossed, "crossed", "here", 0)], **SMALL, schedule="coherent", precision="float64")
    )
    player, learned = made.network(), made.outputs()[0]
    heard = []
    for n in (1, 2, 3):
        ear = _Ear(player, 0, crossed[:3])
        heard = [ear(list(multi_hot(crossed))[: t + 1]) for t in range(n)]
    assert_allclose(heard, np.tanh(learned), atol=1e-12)
    guessed = player.outputs(multi_hot(crossed))[0, :3]
    assert abs(guessed - np.tanh(learned)).max() > 1e-3
