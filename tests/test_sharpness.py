"""The largest curvature, not the largest in modulus, of landscapes whose curvatures are known."""

import numpy as np
import pytest

from classical import DeepRNN, SphericalGlass
from encoding import InputError
from experiments.lanczos import largest
from experiments.sharpness import sharpness, sharpness_along

SPECTRA = np.array(
    [
        np.r_[-10.0, 3.0, np.linspace(-2, 1, 28)],  # a negative one of larger modulus
        np.r_[-5.0, -1.0, np.linspace(-4, -2, 28)],  # a maximum
        np.r_[8.0, 7.5, np.linspace(0, 7, 28)],
    ]
)


@pytest.fixture
def quadratic(machine):
    """Replicas in quadratic landscapes of these spectra, each turned by a matrix of its own."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((3, 30, 30)))[0]
    hessian = np.einsum("rij,rj,rkj->rik", turn, SPECTRA, turn)

    def make(precision="float64"):
        weights = rng.standard_normal((3, 30)).astype(precision)
        return machine(weights, gradient=lambda w: np.einsum("rij,rj->ri", hessian.astype(precision), w))

    return make


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-3), ("float32", 1e-2)])
def test_the_largest_eigenvalue_is_found_though_negative_ones_are_larger_in_modulus(quadratic, precision, tolerance):
    found = sharpness(quadratic(precision), 0.25, tolerance=tolerance, most=300)
    truth = SPECTRA.max(1)
    assert found.converged.all()
    assert (np.abs(found.largest - truth) <= found.error).all()
    assert found.largest == pytest.approx(truth, rel=2e-3)
    assert found.stability == pytest.approx(0.25 * truth, rel=2e-3)


def nearly_degenerate(gap, n_replicas=80, n=100):
    """Matrices whose largest eigenvalue is 1, followed by 1 - gap, 1 - 1.5 gap, and many below .9."""
    rng = np.random.default_rng(1)
    spectra = rng.uniform(-1, 0.9, (n_replicas, n))
    spectra[:, :3] = [1, 1 - gap, 1 - 1.5 * gap]
    turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return np.einsum("ij,rj,kj->rik", turn, spectra, turn)


@pytest.mark.parametrize("gap", [0.001, 0.01, 0.03])
def test_nearly_degenerate_curvatures_are_not_mistaken_beyond_the_error(machine, gap):
    hessians = nearly_degenerate(gap)
    for tolerance in (1e-2, 0.1):
        system = machine(np.zeros((80, 100)), gradient=lambda w: np.einsum("rij,rj->ri", hessians, w))
        found = sharpness(system, tolerance=tolerance)
        assert found.converged.all()
        assert (np.abs(found.largest - 1) <= found.error).all()
        assert (found.error <= 2 * tolerance * found.largest).all()


@pytest.mark.parametrize("most", [8, 12, 20])
def test_what_few_products_miss_is_bounded(most):
    hessians = nearly_degenerate(0.03, 200)
    start = np.random.default_rng(2).standard_normal((200, 100))
    top = largest(lambda v: np.einsum("rij,rj->ri", hessians, v), start, 1e-9, most)
    value = np.einsum("rn,rnm,rm->r", top.vector, hessians, top.vector)
    assert np.linalg.norm(top.vector, axis=1) == pytest.approx(1)
    assert (value < 1).all()
    assert np.mean(1 - value <= top.missed) >= 0.99


def test_a_maximum_in_few_weights_is_found_beside_one_in_many():
    """The first matrix is exhausted after two products; what it has no vectors for is not taken for curvature 0."""
    spectra = np.zeros((2, 30))
    spectra[0, :2], spectra[1] = [-1, -2], np.linspace(-9, -3, 30)
    start = np.random.default_rng(3).standard_normal((2, 30)) * (spectra != 0)
    top = largest(lambda v: spectra * v, start, 1e-6, 100)
    assert np.einsum("rn,rn->r", top.vector**2, spectra) == pytest.approx([-1, -3])
    assert top.missed == pytest.approx([0, 0])


def test_it_says_so_when_it_has_not_converged(quadratic):
    found = sharpness(quadratic(), tolerance=1e-3, most=2)
    assert not found.converged.any()
    assert (np.abs(found.largest - SPECTRA.max(1)) > 0.01).all()
    assert np.isnan(found.stability).all()


def test_a_flat_landscape_has_no_curvature(machine):
    found = sharpness(machine(np.ones((2, 5)), gradient=np.ones_like), 1.0)
    assert found.largest == pytest.approx(np.zeros(2), abs=1e-12)
    assert found.stability == pytest.approx(np.zeros(2), abs=1e-12)


@pytest.fixture
def network(music):
    options = {"depth": 1, "width": 3, "n_replicas": 2, "learned": ("M", "K", "h0"), "batch": 6, "kernel": "plain"}

    def make(precision):
        made = DeepRNN(music(6, 9, 3), precision=precision, **options)
        made.put(0.5 * np.random.default_rng(0).standard_normal(made.weights().shape))
        made.step(0.01, 3)
        return made

    return make


def dense_hessian(network, step=1e-5):
    """All second derivatives of E with respect to what is learned, column by column."""
    at, layout = network.weights(), network.layout()
    moving = np.concatenate([np.arange(at.shape[1])[layout[name].slice] for name in ("M0", "K", "h0")])
    columns = []
    for weight in moving:
        sides = []
        for side in (step, -step):
            shifted = at.copy()
            shifted[:, weight] += side
            network.put(shifted)
            sides.append(network.gradient()[:, moving])
        columns.append((sides[0] - sides[1]) / (2 * step))
    network.put(at)
    return np.stack(columns, -1)


def test_of_a_network_it_is_that_of_the_dense_hessian_and_the_state_is_untouched(network):
    made = network("float64")
    before = made.state()
    found = sharpness(made, [0.1, 0.2], tolerance=1e-4, most=500)
    np.testing.assert_equal(made.state(), before)
    spectra = np.linalg.eigvalsh(dense_hessian(made))
    assert (spectra[:, 0] < -1e-3).all()
    assert found.converged.all()
    assert found.largest == pytest.approx(spectra[:, -1], rel=1e-4)
    assert found.stability == pytest.approx(found.largest * [0.1, 0.2])


def test_in_single_precision_the_error_holds_the_truth(network):
    single, double = network("float32"), network("float64")
    double.put(single.weights())
    before = single.state()
    found, truth = sharpness(single), sharpness(double, tolerance=1e-3, most=500).largest
    np.testing.assert_equal(single.state(), before)
    assert found.converged.all()
    assert (np.abs(found.largest - truth) <= found.error).all()


def test_a_replica_without_a_finite_gradient_has_no_sharpness_and_the_other_has(quadratic, machine):
    def gradient(w):
        return np.where(np.abs(w) > 1e30, np.inf, 3 * w)

    found = sharpness(machine(np.array([[1e31, 0.0], [1.0, 2.0]]), gradient=gradient))
    assert np.isnan(found.largest).tolist() == np.isnan(found.error).tolist() == [True, False]
    assert found.largest[1] == pytest.approx(3)
    assert found.converged.tolist() == [False, True]


def test_along_a_run_the_sharpness_is_that_of_each_look_times_its_rate(machine, planted):
    """E = sum_i w_i^4 / 12: the curvatures are w_i^2."""
    rows = np.array([[[1.0, 0.5], [2.0, 1.0]], [[0.5, 3.0], [1.0, 1.0]], [[2.0, 1.0], [9.0, 9.0]]])
    run = planted([0.0, 1.0, 2.0], weights=rows)
    run.rate[:] = [[0.1, 0.1], [0.1, 0.05], [0.1, 0.05]]
    run.valid[2, 1] = False
    system = machine(np.ones((2, 2)), gradient=lambda w: w**3 / 3)
    before = system.state()
    found = sharpness_along(system, run, tolerance=1e-4)
    np.testing.assert_equal(system.state(), before)
    truth = np.array([[1, 4], [9, 1], [4, np.nan]])
    np.testing.assert_allclose(found.largest, truth, rtol=1e-5)
    np.testing.assert_allclose(found.stability, truth * [[0.1, 0.1], [0.1, 0.05], [0.1, 0.05]], rtol=1e-5)
    np.testing.assert_equal(found.time, [[0, 0], [1, 1], [2, np.nan]])
    assert found.converged.tolist() == [[True, True], [True, True], [True, False]]


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"tolerance": 0}, "tolerance is a finite number above 0"),
        ({"tolerance": 1}, "tolerance is between 0 and 1"),
        ({"most": 0}, "most is a whole number"),
        ({"rate": -1}, "rate"),
    ],
)
def test_what_makes_no_measurement_is_refused(quadratic, said, match):
    with pytest.raises(InputError, match=match):
        sharpness(quadratic(), **said)


def test_a_glass_is_refused():
    with pytest.raises(InputError, match=r"gradient\(\)"):
        sharpness(SphericalGlass(n_spins=6))
