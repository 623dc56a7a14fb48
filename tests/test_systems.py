"""What every System promises (see `experiments.System`): a new one joins with one line in SYSTEMS."""

import io
import sys
from collections.abc import Callable
from math import prod

import numpy as np
import pytest

from classical.digits import DigitClassifier
from classical.digits.kernels import compiled as steps_of_digits
from classical.perceptron import DeepPerceptron
from classical.rnn import DeepRNN
from classical.spherical import SphericalGlass
from encoding import Chorale, InputError
from encoding.digits import Digits
from experiments import Looks, System, Until, aging_looks, constant, halve_at_spikes, learn, linear, piecewise
from experiments.learner import Learner
from experiments.run_folder import RunFolder
from quantum import QuantumRNN
from quantum.kernels import compiled

compiled()  # before the clock of any test runs
steps_of_digits()
RATE = 0.05
PITCHES = np.random.default_rng(0).integers(43, 97, (15, 4)).astype(np.int16)
CHORALES = [Chorale(part, "random", "drawn", 0) for part in np.split(PITCHES, [4, 10])]  # of 4, 6 and 5 chords


PIXELS = np.random.default_rng(1).integers(0, 256, (40, 12)).astype(np.uint8)
DIGITS = Digits(PIXELS[:30], np.arange(30) % 10, PIXELS[30:], np.arange(10))

FROZEN = {"inputs": "clock", "skip": False, "readout_start": "random", "n_features": 3, "learned": ("J", "M")}


def network(kind: type[DeepRNN] = DeepRNN, **said):
    return lambda **which: kind(CHORALES, depth=2, width=5, **said, **which)


def quantum(**said):
    return lambda **which: QuantumRNN(CHORALES, n_history=2, n_layers=1, closing=True, **said, **which)


def perceptron(**said):
    return lambda **which: DeepPerceptron(**{"depth": 2, "width": 12, "alpha": 9} | said, **which)


def digits(**said):
    options = {"hidden": (8, 6), "batch": 7, "margin": 1.0} | said
    return lambda **which: DigitClassifier(DIGITS, **options, **which)


# name -> make(seed=, n_replicas=, first_replica=), something small
SYSTEMS: dict[str, Callable[..., System]] = {
    "deep-rnn delayed": network(rule="delayed", batch=6),
    "deep-rnn exact, full gradient": network(rule="exact", batch=None),
    "deep-rnn exact": network(rule="exact", batch=6),
    "deep-rnn delayed, plain kernel": network(rule="delayed", batch=6, kernel="plain"),
    "deep-rnn exact, plain kernel": network(rule="exact", batch=6, kernel="plain"),
    "deep-rnn delayed, graph kernel": network(rule="delayed", batch=6, kernel="graph"),
    "deep-rnn exact, full gradient, graph kernel": network(rule="exact", batch=None, kernel="graph"),
    "deep-rnn of the clock, frozen readout": network(**FROZEN, batch=6),
    "deep-rnn of the clock, frozen readout, exact, plain kernel": network(**FROZEN, rule="exact", kernel="plain"),
    "deep-rnn unitary": network(recurrent="unitary", rule="exact", batch=6),
    "deep-rnn unitary, delayed, graph kernel": network(recurrent="unitary", batch=6, kernel="graph"),
    "quantum, measured": quantum(schedule="measured"),
    "quantum, coherent, batch": quantum(schedule="coherent", batch=6, observables="ZX", skip=True),
    "quantum, staggered": quantum(schedule="staggered", batch=6, readout_start="random", learned=("angles",)),
    "quantum, measured, plain kernel": quantum(schedule="measured", kernel="plain"),
    "quantum, coherent, batch, plain kernel": quantum(schedule="coherent", batch=6, probes=2, kernel="plain"),
    "deep-perceptron": perceptron(),
    "deep-perceptron, with noise, at a temperature": perceptron(temperature=9.0, r=0.9, move="redraw"),
    "deep-perceptron, plain kernel": perceptron(width=6, temperature=30.0, kernel="plain"),
    "digits, relu": digits(),
    "digits, binary, biases": digits(activation="binary", biases=True, kernel="plain"),
    "digits, relu, biases, fast kernel": digits(hidden=(16, 16), biases=True, kernel="fast"),
    "digits, binary, fast kernel": digits(activation="binary", hidden=(16,), kernel="fast"),
    "digits, all images": digits(batch=None, n_looked=30),
    "spherical-glass": lambda **which: SphericalGlass(n_spins=6, **which),
}


@pytest.fixture(params=SYSTEMS.values(), ids=list(SYSTEMS))
def make(request):
    return request.param


@pytest.fixture
def system(make):
    return moved(make(seed=1, n_replicas=2))


def moved(system):
    system.step(RATE, 3)
    return system


def assert_same_state(system, other):
    np.testing.assert_equal(system.state(), other.state())
    assert [array.dtype for array in system.state().values()] == [array.dtype for array in other.state().values()]


def test_it_is_told_in_one_line(system):
    said = repr(system)
    assert said.startswith(f"<{type(system).__name__}: ")
    assert f"{system.n_replicas} replica(s)" in said
    assert "\n" not in said
    assert len(said) < 200


def test_a_step_returns_the_losses_as_seen_before_each_move(system):
    seen = getattr(system, "loss_of_batch", system.loss)  # of a batch alone, where a step sees no more
    for _ in range(3):
        before, loss = seen(), system.loss()
        np.testing.assert_allclose(system.step(RATE), before[None], rtol=1e-6)
        assert not np.array_equal(system.loss(), loss)


def test_it_is_a_system(system):
    assert isinstance(system, System)


def test_n_steps_are_n_times_one_step_bit_for_bit(make):
    together, apart = make(seed=1, n_replicas=2), make(seed=1, n_replicas=2)
    losses = together.step(RATE, 5)
    assert losses.shape == (5, 2)
    np.testing.assert_array_equal(losses, np.concatenate([apart.step(RATE, 1) for _ in range(5)]))
    assert_same_state(together, apart)


def test_no_step_at_all_changes_nothing(system):
    before = system.state()
    assert system.step(RATE, 0).shape == (0, 2)
    np.testing.assert_equal(system.state(), before)


def test_a_step_of_rate_0_moves_nothing(system):
    before, loss = system.weights(), system.loss()
    losses = system.step(0.0, 3)
    if not hasattr(system, "loss_of_batch"):
        np.testing.assert_allclose(losses, [loss] * 3, rtol=1e-6)
    np.testing.assert_array_equal(system.loss(), loss)
    assert system.weights().tobytes() == before.tobytes()


def test_a_replica_of_rate_0_stays_while_the_other_moves_as_it_would_anyway(make):
    one, both = moved(make(seed=1, n_replicas=2)), moved(make(seed=1, n_replicas=2))
    stays = one.weights()[1]
    one.step([RATE, 0.0], 3)
    both.step([RATE, RATE], 3)
    np.testing.assert_array_equal(one.weights()[1], stays)
    np.testing.assert_array_equal(one.weights()[0], both.weights()[0])
    assert not np.array_equal(both.weights()[1], stays)


def check_that_it_goes_on(make):
    first, fresh = moved(make(seed=1, n_replicas=2)), make(seed=2, n_replicas=2)
    fresh.restore(first.state())
    np.testing.assert_array_equal(fresh.loss(), first.loss())
    np.testing.assert_array_equal(fresh.step([RATE, 2 * RATE], 4), first.step([RATE, 2 * RATE], 4))
    assert_same_state(fresh, first)


def test_it_goes_on_from_its_state_bit_for_bit(make):
    check_that_it_goes_on(make)


@pytest.mark.parametrize("forgotten", ["step", "seed", "past", "weights"])
def test_one_that_forgets_a_part_of_its_state_would_be_found_out(forgotten):
    class Forgetful(DeepRNN):
        def restore(self, state):
            super().restore(state | {forgotten: self.state()[forgotten]})

    with pytest.raises(AssertionError):
        check_that_it_goes_on(network(Forgetful, rule="delayed", batch=6))


def test_its_state_is_arrays_by_replica_that_survive_a_file_without_pickle(system, make):
    state, file = system.state(), io.BytesIO()
    assert all(len(array) == 2 for array in state.values())
    np.savez(file, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        fresh = make(seed=2, n_replicas=2)
        fresh.restore({name: arrays[name] for name in arrays.files})
    assert_same_state(fresh, system)


def test_replicas_can_be_exchanged_row_by_row(make):
    one, other = moved(make(seed=1, n_replicas=2)), make(seed=1, n_replicas=2)
    mixed = {name: np.stack([array[0], other.state()[name][1]]) for name, array in one.state().items()}
    went, stayed = moved(one).weights(), moved(other).weights()
    again = make(seed=1, n_replicas=2)
    again.restore(mixed)
    np.testing.assert_allclose(moved(again).weights(), [went[0], stayed[1]], rtol=1e-4, atol=1e-5)


def test_what_it_shows_and_takes_are_copies(system):
    before = system.state()
    for array in [system.weights(), *system.state().values(), system.noise(), system.loss()]:
        array[...] = 0
    np.testing.assert_equal(system.state(), before)
    given, weights = system.state(), system.weights() / 2
    system.put(weights)
    weights[...] = 0
    assert system.weights().any()
    system.restore(given)
    [array.fill(0) for array in given.values()]
    np.testing.assert_equal(system.state(), before)


def test_weights_that_are_put_are_the_weights(system):
    swapped, loss = system.weights()[::-1], system.loss()
    assert swapped.shape == (2, max(group.slice.stop for group in system.layout().values()))
    system.put(swapped)
    np.testing.assert_array_equal(system.weights(), swapped)
    np.testing.assert_allclose(system.loss(), loss[::-1], rtol=1e-6)


def test_the_layout_covers_each_weight_once(system):
    groups = system.layout().values()
    taken = [i for group in groups for i in range(group.slice.start, group.slice.stop)]
    assert sorted(taken) == list(range(system.weights().shape[1]))
    assert all(prod(group.shape) == group.slice.stop - group.slice.start for group in groups)


def test_the_noise_is_a_number_for_each_group_and_looking_at_it_changes_nothing(system):
    before, noise = system.state(), system.noise()
    assert noise.shape == (2, len(system.layout()))
    assert (np.isfinite(noise) & (noise >= 0)).all()
    np.testing.assert_equal(system.state(), before)


def test_a_clone_starts_from_the_same_state_and_goes_on_with_other_noise_where_there_is_any(system):
    before, noisy, clone = system.state(), bool(system.noise().any()), system.clone(seed=99)
    np.testing.assert_array_equal(clone.weights(), system.weights())
    np.testing.assert_array_equal(clone.loss(), system.loss())
    clone.step(RATE, 3)
    np.testing.assert_equal(system.state(), before)
    system.step(RATE, 3)
    assert np.array_equal(clone.weights(), system.weights()) != noisy


def test_replicas_0_to_3_together_are_0_to_1_and_2_to_3_apart(make):
    together, apart = make(seed=1, n_replicas=4), [make(seed=1, n_replicas=2, first_replica=k) for k in (0, 2)]
    losses = together.step(RATE, 4)
    np.testing.assert_allclose(losses, np.concatenate([half.step(RATE, 4) for half in apart], axis=1), rtol=1e-4)
    weights = np.concatenate([half.weights() for half in apart])
    np.testing.assert_allclose(together.weights(), weights, rtol=1e-4, atol=1e-5)
    assert len(np.unique(weights, axis=0)) == 4


def test_replicas_of_another_seed_start_elsewhere(make):
    assert not np.array_equal(make(seed=1, n_replicas=1).weights(), make(seed=2, n_replicas=1).weights())


def test_a_huge_rate_freezes_one_replica_and_leaves_the_other(make):
    system = make(seed=1, n_replicas=2)
    assert np.isnan(system.step([sys.float_info.max, RATE], 4)[-1]).tolist() == [True, False]
    frozen = system.weights()
    assert np.isfinite(frozen).all()
    assert np.isnan(system.step(RATE, 2)).all(0).tolist() == [True, False]
    np.testing.assert_array_equal(system.weights()[0], frozen[0])
    other = moved(moved(make(seed=1, n_replicas=2)))
    np.testing.assert_allclose(system.weights()[1], other.weights()[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf, [RATE, -RATE]])
def test_a_rate_is_finite_and_not_negative(system, rate):
    before = system.state()
    with pytest.raises(InputError):
        system.step(rate)
    np.testing.assert_equal(system.state(), before)


@pytest.mark.parametrize("wrong", [lambda w: w[:1], lambda w: w[:, :-1], lambda w: w * np.nan, lambda w: w[0]])
def test_weights_that_do_not_fit_are_refused(system, wrong):
    before = system.state()
    with pytest.raises(InputError):
        system.put(wrong(system.weights()))
    np.testing.assert_equal(system.state(), before)


SCHEDULES = [constant(RATE), piecewise([RATE, 3 * RATE, RATE], [0.3, 0.9]), halve_at_spikes(6.0, window=3)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_a_run_in_pieces_is_the_unbroken_run_byte_for_byte(make, schedule, tmp_path, monkeypatch):
    look, until = Looks(linear(0.11), linear(0.13), aging_looks([0.2], per_decade=5)), Until(steps=40)
    whole, pieces = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "pieces")
    learn(make(seed=1, n_replicas=2), schedule, look, until=until, checkpoint=whole)
    monkeypatch.setattr(Learner, "piece_seconds", 0.0)  # step by step
    random = np.random.default_rng(0)
    for _ in range(8):
        fresh = make(seed=1, n_replicas=2)
        learn(fresh, schedule, look, until=until, checkpoint=pieces, callback=lambda _: random.random() < 0.2)
    learn(make(seed=1, n_replicas=2), schedule, look, until=until, checkpoint=pieces)
    for name in ("trajectory.jsonl", "weights.f32"):
        assert (whole.path / name).read_bytes() == (pieces.path / name).read_bytes() != b""
    whole.close()
    pieces.close()


def test_a_loss_has_a_unit(make):
    assert "per" in make(seed=0, n_replicas=1).unit  # bits per output unit per time step, energy per spin
