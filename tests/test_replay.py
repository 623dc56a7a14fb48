"""A run is played again: the stored weights are those of the system, and functions are compared, not their gauges."""

import json
from math import log

import numpy as np
import pytest

from classical import DeepRNN, SphericalGlass
from encoding import Chorale, InputError
from experiments import Looks, Store, System, Task, Trajectory, learn, linear
from experiments.observables import collapse, short_time_exponent
from experiments.replay import activations_at, function_displacement, generalisation, replay
from experiments.store import Music, system_of

CHORDS = [[[48, 55, 64, 72], [50, 57, 65, 74], [48, 55, 64, 72]], [[53, 60, 69, 77], [52, 60, 67, 79]]]
OTHERS = [[[50, 57, 65, 74], [48, 55, 64, 72], [50, 57, 65, 74], [53, 60, 69, 77]]]


@pytest.fixture
def run(tmp_path):
    """Of a small network, with its weights at tau = 0, 0.1, ..., 0.5."""
    path = tmp_path / "chorales.json"
    path.write_text(json.dumps({"train": CHORDS, "valid": OTHERS, "test": CHORDS[:1]}))
    settings = {"depth": 2, "width": 4, "batch": 2, "precision": "float64"}
    look = Looks(linear(0.1), weights=linear(0.1))
    task = Task("deep-rnn", settings, 0.05, Music(str(path)), look, seed=3, n_replicas=2)
    return Store(tmp_path / "runs").learn(task, until=0.5)


@pytest.fixture
def network(music):
    """A network after a few steps."""
    made = DeepRNN(music(6, 9), depth=2, width=4, n_replicas=2, batch=6, precision="float64")
    made.step(0.05, 4)
    return made


def test_every_look_at_weights_comes_back_with_its_time(run):
    for look, (time, system) in enumerate(replay(run)):
        assert time == pytest.approx([0.1 * look] * 2)
        np.testing.assert_array_equal(system.weights(), run.trajectory.weights[look])
        assert system.loss() == pytest.approx(run.trajectory.loss[look], rel=1e-5)  # stored in single precision
    assert look == 5


@pytest.mark.parametrize("n_seen", [1, 3])
def test_the_system_is_afterwards_as_it_was_before_also_if_one_stops_early(network, planted, n_seen):
    before, rows = network.state(), np.stack([network.weights() * scale for scale in (1, 2, 3)])
    played = replay(network, planted([0.0, 1.0, 2.0], weights=rows))
    for _, _ in zip(range(n_seen), played, strict=False):
        assert network.state().keys() == before.keys()
    played.close()
    np.testing.assert_equal(network.state(), before)


def test_a_replica_that_went_back_has_no_time_and_no_numbers(network, planted, music):
    trajectory = planted([0.0, 1.0, 2.0], weights=np.stack([network.weights()] * 3))
    trajectory.valid[1, 0] = False
    assert [np.isnan(time).tolist() for time, _ in replay(network, trajectory)] == [
        [False, False],
        [True, False],
        [False, False],
    ]
    losses = generalisation(network, trajectory, splits={"other": music(5, seed=1)})
    assert np.isnan(losses.bits["other"]).tolist() == np.isnan(losses.time).tolist()
    far = function_displacement(network, trajectory, waiting=1.0)
    assert (far.waiting, far.lag.tolist()) == (1.0, [1.0])
    np.testing.assert_array_equal(far.value, [[np.nan, 0]])


def test_the_loss_on_other_splits_is_that_of_the_machines_at_each_look(run):
    found = generalisation(run)
    assert list(found.bits) == ["valid", "test"]
    assert found.time == pytest.approx(np.arange(6)[:, None] * [0.1, 0.1])
    assert found.bits["valid"][0] == pytest.approx([1, 1])  # outputs of 0: every key is a coin
    assert found.nats["valid"][0] == pytest.approx([54 * log(2)] * 2)
    there = [Chorale(np.array(piece, np.int16), "other", "made", 0) for piece in OTHERS]
    network = system_of(run, 4)
    assert isinstance(network, DeepRNN)
    assert found.bits["valid"][4] == pytest.approx(network.network().losses(there), rel=1e-12)
    assert found.bits["test"][5] != pytest.approx(found.bits["valid"][5])


def test_the_mean_over_replicas_has_its_standard_error(run):
    found = generalisation(run, splits="valid")
    mean, error = found.mean("valid")
    one, other = found.bits["valid"].T
    assert mean == pytest.approx((one + other) / 2)
    assert error == pytest.approx(np.abs(one - other) / 2)
    refused("split is one of valid; got 'test'", found.mean, "test")


def by_group(network, weights):
    return {name: weights[:, g.slice].reshape(-1, *g.shape) for name, g in network.layout().items()}


def renumbered(network, weights):
    """The same functions, with the hidden units of each layer in another order."""
    w, order = by_group(network, weights), [np.array([2, 0, 3, 1]), np.array([1, 3, 2, 0])]
    other = {
        "J0": w["J0"][:, order[0]],
        "J1": w["J1"][:, order[1]][:, :, order[0]],
        "M0": w["M0"][:, order[0]][:, :, order[0]],
        "M1": w["M1"][:, order[1]][:, :, order[1]],
        "K": w["K"][:, :, order[1]],
        "W": w["W"],
        "h0": w["h0"],
    }
    return np.concatenate([other[name].reshape(len(weights), -1) for name in network.layout()], 1)


def test_the_displacement_of_the_function_does_not_see_how_units_are_numbered(network, planted):
    start = network.weights()
    network.step(0.05, 10)
    end = network.weights()
    plain = function_displacement(network, planted([0, 1, 2], weights=np.stack([start, start, end])), waiting=0)
    other = renumbered(network, end)
    turned = planted([0, 1, 2], weights=np.stack([start, renumbered(network, start), other]))
    again = function_displacement(network, turned, waiting=0)
    assert np.mean((other - end) ** 2) > 1e-3
    assert again.value[0] == pytest.approx(np.zeros(2), abs=1e-25)
    assert again.value[1] == pytest.approx(plain.value[1], rel=1e-9)
    assert (plain.value[1] > 1e-4).all()


def test_fields_shifted_by_c_are_a_displacement_of_c_squared(network, planted):
    w = network.weights()
    shifted = w.copy()
    shifted[:, network.layout()["h0"].slice] += 0.3
    rows = np.stack([w * 2, w, shifted, w])
    found = function_displacement(network, planted([0, 1, 2, 4], weights=rows), waiting=1)
    assert (found.waiting, found.lag.tolist()) == (1, [1, 3])
    assert found.value == pytest.approx(np.array([[0.09, 0.09], [0, 0]]), abs=1e-12)


def test_a_glass_has_a_function_too_its_local_fields(planted):
    glass = SphericalGlass(n_spins=6, n_replicas=2)
    found = function_displacement(glass, learn(glass, 0.05, Looks(weights=linear(0.5)), until=2), waiting=0.5)
    assert found.lag == pytest.approx([0.5, 1, 1.5])
    assert (np.diff(found.value, axis=0) > 0).all()
    mean, error = found.mean()
    assert mean == pytest.approx(found.value.mean(1))
    assert (error > 0).all()


def test_replicas_with_times_of_their_own_are_compared_at_these(network, planted):
    """The second replica went half as fast: its look at time 1 is one row later."""
    w = network.weights()
    rows = np.stack([w, w, w, w])
    shift = network.layout()["h0"].slice
    for look in range(4):
        rows[look, :, shift] += 0.1 * look
    trajectory = planted([0.0, 1.0, 2.0, 4.0], weights=rows)
    trajectory.time[:, 1] /= 2
    found = function_displacement(network, trajectory, waiting=1)
    assert found.lag.tolist() == [1, 3]
    np.testing.assert_allclose(found.value, [[0.01, 0.01], [0.04, np.nan]], atol=1e-12)


def test_displacements_of_the_function_go_where_all_two_time_curves_go(network, planted):
    w, shift = network.weights(), network.layout()["h0"].slice
    time = np.unique(np.concatenate([[2.0, 4.0], *(waiting + np.geomspace(0.02, 20, 16) for waiting in (2.0, 4.0))]))
    rows = np.stack([w] * len(time))
    rows[:, :, shift] += np.log(time)[:, None, None] * np.array([1.0, 1.1])[:, None]
    curves = [function_displacement(network, planted(time, weights=rows), waiting=waiting) for waiting in (2.0, 4.0)]
    assert collapse(curves).ratio.spread < 0.02 < collapse(curves).lag.spread  # D_f = ln^2(1 + tau / tau_w)
    assert short_time_exponent(curves[0]).best == pytest.approx(2, abs=0.1)


def test_the_activations_of_a_look_are_those_of_its_weights(run):
    network = system_of(run, 2)
    assert isinstance(network, DeepRNN)
    np.testing.assert_array_equal(activations_at(run, look=2), network.activations())
    np.testing.assert_array_equal(activations_at(network, run.trajectory, look=-4), network.activations())
    assert activations_at(run).shape == (2, 3, 8)


def refused(said, f, *args, **named):
    with pytest.raises(InputError, match=said):
        f(*args, **named)


def test_what_cannot_be_played_again_is_refused(network, run, planted):
    rows = planted([0, 1], weights=np.stack([network.weights()] * 2))
    refused("got str", replay, "latest")
    refused("along its Trajectory; got NoneType", replay, network)
    refused("took no weights", replay, network, planted([0, 1], np.ones((2, 2))))
    refused(
        r"shape \(2, 3450\); the trajectory has \(2, 5\)", replay, network, planted([0], weights=np.zeros((1, 2, 5)))
    )
    refused("when tau_w = 3; the nearest looks are at 0, 1", function_displacement, network, rows, waiting=3)
    refused("after tau_w = 1: let the run go on", function_displacement, network, rows, waiting=1)
    refused("a waiting time is a proper time, .* got 'x'", function_displacement, network, rows, waiting="x")
    refused("taken at 2 looks; got look 2", activations_at, network, rows, look=2)
    refused("splits valid, test: give name -> chorales", generalisation, network, rows)
    refused("got none", generalisation, run, splits=())
    refused("one of train, valid, test", generalisation, run, splits=("proof",))
    glass = SphericalGlass(n_spins=6)
    spins = planted([0.0], weights=glass.weights()[None])
    refused(r"loss_on\(\)", generalisation, glass, spins, splits={"any": []})
    refused(r"activations\(\)", activations_at, glass, spins)
    assert isinstance(glass, System)
    assert isinstance(rows, Trajectory)
