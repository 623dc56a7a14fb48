"""The deep orthogonal network starts as published, stays on its manifold, and its replicas go their own ways."""

from typing import Any

import numpy as np
import pytest

from classical import DeepRNN, n_parameters
from encoding import Chorale

LENGTHS = (9, 12, 7, 9, 6)  # chords


def by_name(network):
    weights = network.weights()
    return {name: weights[:, group.slice].reshape(-1, *group.shape) for name, group in network.layout().items()}


def distance_from_orthogonal(matrices):
    return np.abs(matrices @ matrices.swapaxes(-1, -2) - np.eye(matrices.shape[-1])).max()


@pytest.mark.parametrize(("depth", "width", "published"), [(1, 110.21, 20890), (2, 64.192, 18080), (5, 35.735, 15040)])
def test_parameters_are_counted_as_in_the_paper(depth, width, published):
    assert n_parameters(depth, width) == pytest.approx(published, abs=5)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_an_orthogonal_matrix_has_w_w_plus_1_over_2_fewer_parameters_than_entries(depth, music):
    network = DeepRNN(music(3), depth=depth, width=7)
    assert network.weights().shape[1] == n_parameters(depth, 7) + depth * 7 * 8 / 2


def test_groups_of_weights_stand_in_the_layout_with_their_shapes(music):
    network = DeepRNN(music(3), depth=2, width=7)
    shapes = {name: group.shape for name, group in network.layout().items()}
    assert shapes == {
        "J0": (7, 54), "J1": (7, 7), "M0": (7, 7), "M1": (7, 7), "K": (54, 7), "W": (54, 54), "h0": (54,)
    }  # fmt: skip
    assert [group.period for group in network.layout().values()] == [None] * 7


def test_the_start_is_the_published_one(music):
    start = by_name(DeepRNN(music(3), depth=3, width=60, n_replicas=4, precision="float64"))
    assert start["J0"].var() == pytest.approx(0.1 / 54, rel=5 * np.sqrt(2 / start["J0"].size))
    assert abs(start["J0"].mean()) < 5 * np.sqrt(0.1 / 54 / start["J0"].size)
    for name in ("J1", "J2", "M0", "M1", "M2"):
        assert distance_from_orthogonal(start[name]) < 1e-13
    for name in ("K", "W", "h0"):
        assert (start[name] == 0).all()
    matrices = np.concatenate([start[name] for name in ("J1", "J2", "M0", "M1", "M2")]).reshape(20, -1)
    overlaps = matrices @ matrices.T / 60
    assert np.abs(overlaps - np.eye(20)).max() < 0.1  # all drawn apart


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_at_the_start_each_output_costs_exactly_one_bit(precision, music):
    network = DeepRNN(music(*LENGTHS), depth=2, width=8, n_replicas=3, precision=precision)
    assert network.loss().tolist() == [1.0] * 3
    assert network.step(0.02).tolist() == [[1.0] * 3]


@pytest.mark.parametrize("rule", ["delayed", "exact"])
@pytest.mark.parametrize("polar", ["newton-schulz", "svd"])
@pytest.mark.parametrize("feedforward", ["free", "orthogonal"])
def test_recurrent_matrices_stay_orthogonal_while_learning(feedforward, polar, rule, music):
    options: dict[str, Any] = {"rule": rule, "polar": polar, "feedforward": feedforward, "batch": 10}
    network = DeepRNN(music(*LENGTHS), depth=2, width=12, n_replicas=2, **options)
    start = by_name(network)
    for _ in range(10):
        network.step(0.02, 5)
        now = by_name(network)
        kept = ["M0", "M1", "J1"] if feedforward == "orthogonal" else ["M0", "M1"]
        assert max(distance_from_orthogonal(now[name]) for name in kept) < 2e-6
    assert network.loss().max() < 0.6
    assert min(np.abs(now[name] - start[name]).max() for name in now) > 0.02
    if feedforward == "free":
        assert distance_from_orthogonal(now["J1"]) > 0.02


def test_replicas_together_are_replicas_apart(music):
    # To rounding in the plain kernel: its products of stacks of 4 and of 2 matrices are summed in another order.
    options: dict[str, Any] = {"depth": 2, "width": 8, "batch": 10, "seed": 5}
    together = DeepRNN(music(*LENGTHS), n_replicas=4, **options)
    apart = [DeepRNN(music(*LENGTHS), n_replicas=2, first_replica=first, **options) for first in (0, 2)]
    assert np.array_equal(together.weights(), np.concatenate([pair.weights() for pair in apart]))
    losses, parts = together.step(0.02, 30), [pair.step(0.02, 30) for pair in apart]
    assert np.hstack(parts) == pytest.approx(losses, abs=1e-5)
    assert np.concatenate([pair.weights() for pair in apart]) == pytest.approx(together.weights(), abs=1e-5)
    assert np.ptp(losses[-1]) > 1e-4  # they are different networks


def test_replicas_draw_the_same_batches_together_and_apart(music):
    options: dict[str, Any] = {"depth": 1, "width": 3, "batch": 10, "seed": 5}
    together = DeepRNN(music(*LENGTHS), n_replicas=4, **options)
    apart = [DeepRNN(music(*LENGTHS), n_replicas=2, first_replica=first, **options) for first in (0, 2)]
    for _ in range(3):
        whole, parts = together.batches(1), [pair.batches(1) for pair in apart]
        assert np.array_equal(whole, np.concatenate(parts))
        assert len({tuple(batch) for batch in whole[:, 0].tolist()}) == 4  # each its own
        for network in (together, *apart):
            network.step(0)


def test_a_clone_of_the_same_seed_goes_on_alike_and_one_of_another_seed_does_not(music):
    network = DeepRNN(music(*LENGTHS), depth=2, width=6, batch=5, seed=3, n_replicas=2, first_replica=1)
    network.step(0.02, 10)
    same, other = network.clone(3), network.clone(4)
    for twin in (same, other):
        assert np.array_equal(twin.weights(), network.weights())
    losses, alike, unlike = (system.step(0.02, 20) for system in (network, same, other))
    assert np.array_equal(alike, losses)
    assert np.array_equal(same.weights(), network.weights())
    assert np.array_equal(unlike[0], losses[0])  # seen before the first move
    assert (np.abs(unlike[-1] - losses[-1]) > 1e-4).all()


@pytest.mark.parametrize("rule", ["delayed", "exact"])
def test_a_replica_that_leaves_the_finite_numbers_is_frozen_and_the_other_goes_on(rule, music):
    options: dict[str, Any] = {"depth": 2, "width": 5, "batch": 10, "rule": rule, "n_replicas": 2}
    network, calm = (DeepRNN(music(*LENGTHS), **options) for _ in range(2))
    network.step(0.02, 3)
    calm.step(0.02, 3)
    good = network.weights()
    losses = network.step([1e300, 0.02], 4)
    assert np.isnan(losses[:, 0]).all()
    assert np.array_equal(losses[:, 1], calm.step([0, 0.02], 4)[:, 1])
    assert np.array_equal(network.weights()[0], good[0])
    assert np.array_equal(network.weights()[1], calm.weights()[1])
    assert np.isnan(network.step([0.02, 0], 2)[:, 0]).all()  # frozen for good
    assert network.state()["frozen"].tolist() == [3, -1]
    assert np.isfinite(network.loss()).all()  # of the last good weights
    network.put(good)
    assert np.isfinite(network.step(0.02)).all()


def test_every_replica_has_a_rate_of_its_own(music):
    options: dict[str, Any] = {"depth": 1, "width": 4, "batch": 10, "n_replicas": 3}
    network, slow, fast = (DeepRNN(music(*LENGTHS), **options) for _ in range(3))
    start = network.weights()
    network.step([0, 0.01, 0.03], 5)
    slow.step(0.01, 5)
    fast.step(0.03, 5)
    assert np.array_equal(network.weights(), np.stack([start[0], slow.weights()[1], fast.weights()[2]]))


@pytest.mark.parametrize("learned", [("J", "M", "K"), ("K",), ("W", "h0"), ("h0",)])
def test_only_the_learned_groups_move(learned, music):
    network = DeepRNN(music(*LENGTHS), depth=2, width=5, batch=None, learned=learned, feedforward="orthogonal")
    start = by_name(network)
    network.step(0.02, 4)
    for name, group in by_name(network).items():
        moves = name in learned or name[0] in learned
        assert np.array_equal(group, start[name]) != moves, name


def test_single_precision_is_enough_for_the_first_steps(music):
    def learn(precision):
        return DeepRNN(music(*LENGTHS), depth=2, width=8, batch=20, precision=precision).step(0.02, 60)

    single, double = learn("float32"), learn("float64")
    assert single == pytest.approx(double, abs=2e-5)
    assert double[-1, 0] < 0.5


@pytest.mark.parametrize("cost", ["nll", "squared", "hinge"])
def test_small_steps_of_the_full_gradient_always_go_down(cost, music):
    network = DeepRNN(music(*LENGTHS), depth=2, width=8, rule="exact", batch=None, cost=cost)
    losses = network.step(0.01, 60)[:, 0]
    assert (np.diff(losses) < 0).all()
    assert network.measure()["accuracy"][0] > 0.4


def test_accuracy_counts_notes_and_chords_counts_whole_chords():
    # Four keys sound in every chord. Silence is right about none of them; five with the right four is 4/5 right.
    network = DeepRNN([Chorale(np.tile([72, 64, 60, 48], (6, 1)), "one chord", "made up", 0)], depth=1, width=2)
    assert network.measure() == {"accuracy": 0, "chords": 0}
    weights = by_name(network)
    for keys, accuracy, chords in (((5, 17, 21, 29, 30), 4 / 5, 0), ((5, 17, 21), 3 / 4, 0), ((5, 17, 21, 29), 1, 1)):
        weights["h0"][0] = -1
        weights["h0"][0, keys] = 1
        network.put(np.concatenate([group.reshape(1, -1) for group in weights.values()], 1))
        assert network.measure() == {"accuracy": pytest.approx(accuracy), "chords": chords}
