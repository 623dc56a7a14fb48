"""Gamma is the variance of the gradient from slot to slot, over p: what a learning step really scatters by."""

import numpy as np
import pytest
import torch

from classical import DeepRNN
from classical.bptt import activations, exact_deltas, fields, gradients, slots
from classical.costs import COSTS
from classical.noise import slot_variance, tangent_variance
from classical.orthogonal import random_orthogonal
from encoding import load_chorales, pack

LENGTHS = (9, 12, 7, 9, 6)  # chords, in 38 slots


def by_name(network, rows):
    return {name: rows[:, group.slice].reshape(-1, *group.shape) for name, group in network.layout().items()}


def learning(chorales, **options):
    """A network that has learned for a while."""
    network = DeepRNN(chorales, **{"depth": 2, "width": 6, "rule": "exact", "precision": "float64"} | options)
    network.step(0.05, 20)
    return network


def slot_gradients(network, chorales):
    """The gradient of every slot by itself, group -> (n_slots, n_replicas, *shape)."""
    data = slots(pack(chorales), "before", torch.float64)
    weights = {name: torch.tensor(group) for name, group in by_name(network, network.weights()).items()}
    layers = activations(weights, data, network.settings.depth)
    error = COSTS["nll"].error(data.targets, fields(weights, data, layers[-1]))
    deltas = exact_deltas(weights, data, layers, error)
    n, replicas = len(data.inputs), network.n_replicas
    each = [gradients(data, layers, error, deltas, torch.full((replicas, 1), slot)) for slot in range(n)]
    return {name: torch.stack([one[name] for one in each]).numpy() for name in weights}


def along(gradient, orthogonal):
    """(G - M G^T M)/2, what is left of a gradient on the orthogonal group."""
    return (gradient - orthogonal @ gradient.swapaxes(-1, -2) @ orthogonal) / 2


def mean_variance(gradient):
    """Variance over the first axis, averaged over the entries of each replica's matrix (or vector)."""
    return gradient.var(0).reshape(gradient.shape[1], -1).mean(1)


def test_two_products_give_the_variance_of_every_outer_product():
    rng = np.random.default_rng(0)
    left, right, shared = rng.standard_normal((2, 30, 4)), rng.standard_normal((2, 30, 7)), rng.standard_normal((30, 7))
    for other in (right, shared):
        outer = left[..., :, None] * np.broadcast_to(other, right.shape)[..., None, :]  # (2, 30, 4, 7)
        expected = outer.var(1).mean((-2, -1))
        found = slot_variance(torch.from_numpy(left), torch.from_numpy(other))
        assert found.numpy() == pytest.approx(expected, rel=1e-12)


def test_tangent_variance_is_that_of_the_projected_outer_products():
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((2, 3, 30, 6))
    matrices = np.stack([random_orthogonal(rng, 6) for _ in range(3)])
    outer = left[..., :, None] * right[..., None, :]  # (3, 30, 6, 6)
    expected = along(outer, matrices[:, None]).var(1).mean((-2, -1))
    found = tangent_variance(torch.from_numpy(left), torch.from_numpy(right), torch.from_numpy(matrices))
    assert found.numpy() == pytest.approx(expected, rel=1e-12)


def test_equal_slots_make_no_noise_and_rounding_none_below_zero():
    left, right = torch.full((1, 50, 3), 1 / 3), torch.full((1, 50, 3), 1 / 7)
    for found in (slot_variance(left, right), tangent_variance(left, right, torch.eye(3)[None])):
        assert 0 <= found.item() < 1e-8


def test_noise_is_the_variance_over_all_slots_divided_by_p(music):
    chorales = music(*LENGTHS)
    network = learning(chorales, batch=5, n_replicas=2)
    each = slot_gradients(network, chorales)
    expected = np.stack([mean_variance(each[name]) / 5 for name in network.layout()], 1)
    assert network.noise() == pytest.approx(expected, rel=1e-10)
    assert (expected > 0).all()


@pytest.mark.parametrize("feedforward", ["free", "orthogonal"])
def test_tangent_noise_is_projected_for_the_groups_that_are_orthogonal(feedforward, music):
    chorales = music(*LENGTHS)
    network = learning(chorales, batch=5, n_replicas=2, feedforward=feedforward)
    each, weights = slot_gradients(network, chorales), by_name(network, network.weights())
    for name in ["M0", "M1", "J1"] if feedforward == "orthogonal" else ["M0", "M1"]:
        each[name] = along(each[name], weights[name])
    expected = np.stack([mean_variance(each[name]) / 5 for name in network.layout()], 1)
    assert network.measure_noise()["tangent_noise"] == pytest.approx(expected, rel=1e-10)


def test_the_published_noise_varies_over_the_batch_of_the_step(music):
    chorales = music(*LENGTHS)
    network = learning(chorales, batch=7, n_replicas=2, noise_over="batch")
    each, drawn = slot_gradients(network, chorales), network.batches(1)[:, 0]
    replicas = np.arange(2)
    for column, name in enumerate(network.layout()):
        chosen = each[name][drawn.T, replicas]  # (7, 2, *shape)
        assert network.noise()[:, column] == pytest.approx(mean_variance(chosen) / 7, rel=1e-9, abs=1e-18)


def test_noise_over_batches_is_right_on_average_up_to_a_known_factor(music):
    # The variance within a batch of p, drawn with replacement, is (p - 1)/p of the variance among all slots.
    chorales = music(*LENGTHS)
    over_all = learning(chorales, batch=4)
    options = {"depth": 2, "width": 6, "rule": "exact", "batch": 4, "precision": "float64"}
    crowd = DeepRNN(chorales, **options, noise_over="batch", n_replicas=3000)
    crowd.put(np.tile(over_all.weights(), (3000, 1)))
    assert crowd.noise().mean(0) == pytest.approx(over_all.noise()[0] * 3 / 4, rel=0.1)


@pytest.mark.parametrize("tangent", [False, True])
def test_noise_halves_when_the_batch_doubles(tangent, music):
    def gamma(batch):
        network = DeepRNN(music(*LENGTHS), depth=2, width=5, rule="exact", batch=batch, precision="float64")
        network.put(weights)
        return network.measure_noise()["tangent_noise"] if tangent else network.noise()

    weights = learning(music(*LENGTHS), width=5).weights()
    assert gamma(20) == pytest.approx(gamma(10) / 2, rel=1e-14)


@pytest.mark.parametrize("replacement", [True, False])
def test_noise_is_what_a_step_scatters_by(replacement, music):
    # 2000 replicas at one place make one small step each: the variance of the steps over eta^2 is Gamma, for the
    # orthogonal M along the group. Without replacement, by the factor (38 - 15)/(38 - 1) less.
    chorales, rate = music(*LENGTHS), 1e-5
    options = {"width": 3, "batch": 15, "replacement": replacement, "depth": 1}
    here = learning(chorales, **options).weights()
    crowd = DeepRNN(chorales, rule="exact", n_replicas=2000, precision="float64", seed=7, **options)
    crowd.put(np.tile(here, (2000, 1)))
    expected = crowd.measure_noise()["tangent_noise"][0]
    crowd.step(rate)
    for (name, moved), gamma in zip(by_name(crowd, (crowd.weights() - here) / rate).items(), expected, strict=True):
        assert moved.var(0).mean() == pytest.approx(gamma, rel=0.1), name


def test_without_replacement_the_finite_population_factor_is_exact(music):
    def gamma(replacement, batch):
        network = DeepRNN(music(*LENGTHS), depth=1, width=4, batch=batch, replacement=replacement, precision="float64")
        return network.noise()

    assert gamma(False, 15) == pytest.approx(gamma(True, 15) * 23 / 37, rel=1e-13)
    assert (gamma(False, 38) == 0).all()


def test_one_slot_drawn_without_replacement_makes_no_noise(music):
    network = DeepRNN(music(2), depth=1, width=3, batch=1, replacement=False)
    assert (network.noise() == 0).all()


def test_the_full_gradient_makes_no_noise(music):
    network = learning(music(*LENGTHS), batch=None, n_replicas=3)
    assert network.noise().tolist() == [[0.0] * 7] * 3
    assert (network.measure_noise()["tangent_noise"] == 0).all()


def test_half_of_the_raw_noise_of_an_orthogonal_matrix_is_taken_back(jsb_path):
    network = DeepRNN(load_chorales(jsb_path, first=8), depth=2, width=40, rule="exact", batch=300, n_replicas=2)
    network.step(0.02, 100)
    columns = [number for number, name in enumerate(network.layout()) if name.startswith("M")]
    ratio = network.noise()[:, columns] / network.measure_noise()["tangent_noise"][:, columns]
    assert ((ratio > 1.7) & (ratio < 2.7)).all()  # between 2.0 and 2.4 here
