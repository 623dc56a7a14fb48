"""A linear machine is lazy for ever; products of weights are not, by as much as can be said on paper."""

from typing import Any

import numpy as np
import pytest

from classical import DeepRNN, SphericalGlass
from encoding import InputError
from experiments import Looks, learn, linear
from experiments.lazy import kernel_alignment, linearisation_distance
from experiments.replay import replay

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((6, 4, 5))  # slots, outputs, weights
X = np.array([1.5, -0.7])


def straight(w):
    """f = A w + b: linear in the weights."""
    return np.einsum("sow,rw->rso", FEATURES, w) + 2.0


def products(w):
    """Two slots of one output, f = (w_1 w_2 x_1, w_3 w_4 x_2)."""
    return np.stack([w[:, 0] * w[:, 1] * X[0], w[:, 2] * w[:, 3] * X[1]], 1)[:, :, None]


@pytest.fixture
def make(machine):
    return lambda f, n: machine(np.zeros((3, n)), gradient=np.zeros_like, outputs=f)


def test_a_linear_machine_stays_at_distance_0_and_alignment_1(make, planted):
    rows = RNG.standard_normal((4, 3, 5))
    found = linearisation_distance(make(straight, 5), planted([0, 1, 2, 3], weights=rows))
    assert np.isnan(found.distance[0]).all()
    assert found.distance[1:] == pytest.approx(np.zeros((3, 3)), abs=1e-9)
    aligned = kernel_alignment(make(straight, 5), rows[0], rows[1], n_directions=6)
    assert aligned.alignment == pytest.approx(np.ones(3), abs=1e-6)
    assert aligned.error == pytest.approx(np.zeros(3), abs=1e-6)


def test_products_leave_their_linearisation_by_the_product_of_the_changes(make, planted):
    start, end = np.random.default_rng(1).standard_normal((2, 3, 4))
    d = end - start
    missed = np.stack([d[:, 0] * d[:, 1] * X[0], d[:, 2] * d[:, 3] * X[1]], 1)
    moved = (products(end) - products(start))[:, :, 0]
    distance = np.linalg.norm(missed, axis=1) / np.linalg.norm(moved, axis=1)
    found = linearisation_distance(make(products, 4), planted([0, 1], weights=np.stack([start, end])))
    assert found.distance[1] == pytest.approx(distance, rel=1e-6)
    assert (found.error[1] < 1e-6).all()


def test_the_alignment_of_products_is_that_of_their_kernels(make):
    """K = diag((w_1^2 + w_2^2) x_1^2, (w_3^2 + w_4^2) x_2^2)."""
    start, end = np.random.default_rng(2).standard_normal((2, 3, 4))
    squares = [np.stack([(w[:, :2] ** 2).sum(1), (w[:, 2:] ** 2).sum(1)], 1) for w in (start, end)]
    kernels = np.array(squares) * X**2
    norms = np.linalg.norm(kernels, axis=2).prod(0)
    truth = (kernels[0] * kernels[1]).sum(1) / norms
    found = kernel_alignment(make(products, 4), start, end, n_directions=400)
    assert (truth < 0.99).any()
    assert (np.abs(found.alignment - truth) <= 4 * found.error).all()
    assert found.error.max() < 0.05
    one = kernel_alignment(make(products, 4), start, end, n_directions=200, slots=[1])
    assert (np.abs(one.alignment - 1) <= 4 * one.error).all()  # of one output any two kernels are the same
    assert (one.error < 0.1).all()


def test_the_overlap_of_kernels_has_no_bias(make):
    """A mean over many seeds, each of three directions only, against tr(K_0 K_t) of a full matrix."""
    from experiments.lazy import _squared_overlaps, _tangents

    w, system = RNG.standard_normal((3, 5)), make(straight, 5)
    kernel = FEATURES.reshape(24, 5) @ FEATURES.reshape(24, 5).T
    drawn = [_tangents(system, w, np.arange(6), 3, seed) for seed in range(300)]
    squares = np.array([_squared_overlaps(a, a).sum((1, 2)) / 6 for a in drawn])[:, 0]
    assert abs(squares.mean() - (kernel**2).sum()) < 4 * squares.std() / np.sqrt(300)


def test_a_network_departs_from_its_linearisation_as_it_learns(music):
    network = DeepRNN(music(6, 9), depth=1, width=4, n_replicas=2, batch=None, rule="exact", kernel="plain")
    trajectory = learn(network, 0.05, Looks(weights=linear(2.0)), until=10)
    before = network.state()
    found = linearisation_distance(network, trajectory)
    np.testing.assert_equal(network.state(), before)
    assert (np.diff(found.distance[1:], axis=0) > 0).all()
    assert (found.error[1:] < 0.01 * found.distance[1:]).all()
    rows = trajectory.weights
    same = kernel_alignment(network, rows[0], rows[0], n_directions=8)
    later = kernel_alignment(network, rows[0], rows[-1], n_directions=64)
    np.testing.assert_equal(network.state(), before)
    assert same.alignment == pytest.approx(np.ones(2), rel=1e-6)
    assert (later.alignment + 3 * later.error < 1).all()


def test_the_logistic_part_of_a_network_is_lazy_for_it_is_linear(music):
    learned = {"learned": ("W", "h0"), "precision": "float64", "rule": "exact", "batch": None}
    network = DeepRNN(music(6, 9), depth=1, width=4, **learned)
    trajectory = learn(network, 0.05, Looks(weights=linear(2.0)), until=6)
    assert linearisation_distance(network, trajectory).distance[1:].max() < 1e-6  # rows are kept in single precision


def test_a_replica_that_is_not_finite_leaves_the_other(make, planted):
    rows = np.ones((2, 3, 4))
    rows[1] = 2
    system = make(lambda w: products(np.where(w > 1e9, np.nan, w)), 4)
    rows[:, 0] = 1e10
    found = linearisation_distance(system, planted([0, 1], weights=rows))
    assert np.isnan(found.distance[1]).tolist() == [True, False, False]
    assert np.isnan(kernel_alignment(system, rows[0], rows[1]).alignment).tolist() == [True, False, False]


def test_what_has_no_free_weights_or_no_outputs_is_refused(machine, planted, make):
    glass = SphericalGlass(n_spins=6, n_replicas=2)
    trajectory = learn(glass, 0.05, Looks(weights=linear(0.5)), until=1)
    with pytest.raises(InputError, match="stay where they are put; SphericalGlass moved them"):
        linearisation_distance(glass, trajectory)
    mute = machine(np.ones((1, 3)), gradient=np.zeros_like)
    with pytest.raises(InputError, match=r"outputs\(\)"):
        linearisation_distance(mute, planted([0, 1], weights=np.ones((2, 1, 3))))
    assert sum(1 for _ in replay(mute, planted([0, 1], weights=np.ones((2, 1, 3))))) == 2
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"n_directions": 2}, "n_directions"),
        ({"slots": [6]}, "from 0 to 5"),
        ({"slots": []}, "slots"),
    ]
    for said, match in wrong:
        with pytest.raises(InputError, match=match):
            kernel_alignment(make(straight, 5), np.ones((3, 5)), np.ones((3, 5)), **said)
