"""Unitary matrices as real ones: a subgroup of the orthogonal group that learning does not leave."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from classical import DeepRNN
from classical.noise import slot_variance, tangent_variance
from classical.orthogonal import polar_factor
from classical.unitary import as_complex, complex_linear, complex_matrix, random_unitary

LENGTHS = (9, 12, 7, 9, 6)  # chords
SIZES = {"n": st.integers(1, 12), "seed": st.integers(0, 10**6)}


def real(matrix):
    """A + iB as [[A, -B], [B, A]]."""
    return np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])


def times_i(n):
    return real(1j * np.eye(n))


def drawn(seed, *shape):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def matrices_of(network, name):
    group = network.layout()[name]
    return network.weights()[:, group.slice].reshape(-1, *group.shape).astype(float)


def off(matrix):
    """How far a real matrix is from commuting with the multiplication by i."""
    i = times_i(matrix.shape[-1] // 2)
    return np.abs(matrix @ i - i @ matrix).max()


@given(**SIZES)
def test_complex_matrices_multiply_as_real_ones(n, seed):
    a, b, z = drawn(seed, n, n), drawn(seed + 1, n, n), drawn(seed + 2, n)
    assert real(a) @ real(b) == pytest.approx(real(a @ b))
    assert real(a) @ np.concatenate([z.real, z.imag]) == pytest.approx(np.concatenate([(a @ z).real, (a @ z).imag]))
    assert complex_matrix(torch.tensor(real(a))).numpy() == pytest.approx(a)
    assert as_complex(torch.tensor(np.concatenate([z.real, z.imag]))).numpy() == pytest.approx(z)


@given(**SIZES)
def test_the_projection_is_g_less_i_g_i_over_2_and_finds_the_nearest_complex_matrix(n, seed):
    g, i = np.random.default_rng(seed).standard_normal((2 * n, 2 * n)), times_i(n)
    p = complex_linear(torch.tensor(g)).numpy()
    assert p == pytest.approx((g - i @ g @ i) / 2)
    assert off(p) < 1e-12
    assert (p * (g - p)).sum() == pytest.approx(0, abs=1e-10)  # what is left is at right angles to it,
    assert ((g - p) * real(drawn(seed, n, n))).sum() == pytest.approx(0, abs=1e-9)  # and to every complex matrix
    assert np.array_equal(complex_linear(torch.tensor(p)).numpy(), p)


@pytest.mark.parametrize("method", ["newton-schulz", "svd"])
@given(**SIZES, size=st.floats(0, 0.3))
def test_the_polar_factor_of_a_complex_matrix_is_its_unitary_one(method, n, seed, size):
    x = complex_matrix(torch.tensor(random_unitary(np.random.default_rng(seed), n))).numpy()
    x = x + size * drawn(seed, n, n) / np.sqrt(n)
    u, _, vh = np.linalg.svd(x)
    found = polar_factor(torch.tensor(real(x)), method).numpy()
    assert off(found) < 1e-9
    assert found == pytest.approx(real(u @ vh), abs=1e-8)  # the SVD loses digits where a singular value is small


@given(**SIZES)
def test_a_random_one_is_unitary(n, seed):
    u = random_unitary(np.random.default_rng(seed), n)
    assert off(u) == 0
    z = complex_matrix(torch.tensor(u)).numpy()
    assert z @ z.conj().T == pytest.approx(np.eye(n), abs=1e-13)


def test_random_ones_are_uniform():
    # Haar: <|Tr U|^2> = 1, <|Tr U|^4> = 2, <Tr U^2> = 0 (Diaconis & Shahshahani 1994)
    rng = np.random.default_rng(0)
    u = np.stack([complex_matrix(torch.tensor(random_unitary(rng, 4))).numpy() for _ in range(4000)])
    trace, of_square = np.trace(u, axis1=1, axis2=2), np.trace(u @ u, axis1=1, axis2=2)
    assert (abs(trace) ** 2).mean() == pytest.approx(1, abs=5 / np.sqrt(4000))
    assert (abs(trace) ** 4).mean() == pytest.approx(2, abs=5 * np.sqrt(20 / 4000))
    assert abs(of_square.mean()) < 5 * np.sqrt(2 / 4000)
    assert abs(trace.mean()) < 5 / np.sqrt(4000)


@pytest.mark.parametrize("kernel", ["fast", "plain", "graph"])
@pytest.mark.parametrize("feedforward", ["free", "orthogonal"])
def test_a_unitary_matrix_stays_unitary_over_a_hundred_steps(feedforward, kernel, music):
    options: dict[str, Any] = {"rule": "exact", "batch": 20, "feedforward": feedforward, "kernel": kernel}
    network = DeepRNN(music(*LENGTHS), depth=2, width=6, n_replicas=2, recurrent="unitary", **options)
    start = {name: matrices_of(network, name) for name in ("M0", "M1", "J1")}
    network.step(0.03, 100)
    for name, before in start.items():
        for matrix, first in zip(matrices_of(network, name), before, strict=True):
            assert off(matrix) < 2e-6
            z = complex_matrix(torch.tensor(matrix)).numpy()
            far = np.abs(z @ z.conj().T - np.eye(6)).max()
            assert (far < 2e-6) == (name != "J1" or feedforward == "orthogonal")
            assert np.abs(matrix - first).max() > 0.02
            assert np.abs(matrix[6:, :6]).max() > 0.1  # not a real matrix
    assert (network.loss() < 0.6).all()


def test_an_orthogonal_network_from_the_same_start_leaves_the_unitary_group(music):
    chorales, options = music(*LENGTHS), {"depth": 2, "rule": "exact", "batch": None, "precision": "float64"}
    unitary = DeepRNN(chorales, width=6, recurrent="unitary", **options)
    orthogonal = DeepRNN(chorales, width=12, **options)
    assert orthogonal.weights().shape == unitary.weights().shape  # the very same network, but for the group
    orthogonal.put(unitary.weights())
    assert orthogonal.loss() == pytest.approx(unitary.loss(), rel=1e-14)
    slopes = [network.gradient()[0] for network in (orthogonal, unitary)]
    for name, group in unitary.layout().items():
        free, bound = (slope[group.slice].reshape(group.shape) for slope in slopes)
        if name[0] in "JM" and name != "J0":
            free = complex_linear(torch.tensor(free)).numpy()
        assert bound == pytest.approx(free, abs=1e-15), name
    for network in (unitary, orthogonal):
        network.step(0.03, 100)
    assert max(off(matrices_of(unitary, name)[0]) for name in ("M0", "M1", "J1")) < 1e-13
    assert min(off(matrices_of(orthogonal, name)[0]) for name in ("M0", "M1", "J1")) > 0.02


def test_the_noise_is_that_of_the_projected_gradient(music):
    """Gamma from each slot's own gradient, one after the other, raw and along the group."""
    options: dict[str, Any] = {"rule": "exact", "batch": 6, "precision": "float64", "feedforward": "orthogonal"}
    network = DeepRNN(music(6, 5), depth=2, width=3, recurrent="unitary", **options)
    network.put(network.weights() + 0.1 * np.random.default_rng(0).standard_normal(network.weights().shape))
    network.step(0.05, 3)
    plain = network._plain
    now = plain.pass_through(network._flat, network.state()["past"])
    slots = [plain.direction(now, torch.tensor([[slot]]))[0].numpy() for slot in range(network._packed.n_slots)]
    raw, tangent = network.noise()[0], network.measure_noise()["tangent_noise"][0]
    for place, (name, group) in enumerate(network.layout().items()):
        own = np.stack([slope[group.slice].reshape(group.shape) for slope in slots])
        assert raw[place] == pytest.approx(own.var(0).mean() / 6, rel=1e-9), name
        if network.settings.kept_orthogonal(name):
            m = matrices_of(network, name)[0]
            own = (own - m @ own.swapaxes(1, 2) @ m) / 2
        assert tangent[place] == pytest.approx(own.var(0).mean() / 6, rel=1e-9), name
    assert (tangent[1:4] < raw[1:4]).all()


@given(n=st.integers(1, 6), n_slots=st.integers(1, 9), seed=st.integers(0, 10**6))
def test_variances_of_complex_outer_products_are_those_of_their_entries(n, n_slots, seed):
    left, right, matrix = drawn(seed, 1, n_slots, n), drawn(seed + 1, 1, n_slots, n), drawn(seed + 2, 1, n, n)
    outer = left[0, :, :, None] * right[0, :, None, :].conj()
    along = (outer - matrix[0] @ outer.conj().swapaxes(1, 2) @ matrix[0]) / 2
    for seen, found in (
        (outer, slot_variance(*map(torch.tensor, (left, right)))),
        (along, tangent_variance(*map(torch.tensor, (left, right, matrix)))),
    ):
        assert found.item() == pytest.approx((abs(seen - seen.mean(0)) ** 2).mean(), rel=1e-9, abs=1e-9)
