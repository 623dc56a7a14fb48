"""Random orthogonal matrices are uniform, and the polar factor is the nearest one, however it is found."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from classical.orthogonal import POLAR_METHODS, polar_factor, random_orthogonal
from encoding import InputError

PRECISIONS = [torch.float32, torch.float64]


def orthogonal(n_matrices, n, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([random_orthogonal(rng, n) for _ in range(n_matrices)])


def perturbed(n_matrices, n, size, dtype=torch.float64, seed=0):
    """Orthogonal matrices and Gaussian ones of norm about `size`, added."""
    noise = np.random.default_rng([seed, 1]).standard_normal((n_matrices, n, n)) / np.sqrt(n)
    return torch.from_numpy(orthogonal(n_matrices, n, seed) + size * noise).to(dtype)


def rounding(dtype):
    return 50 * torch.finfo(dtype).eps


@pytest.mark.parametrize("n", [1, 2, 7, 64])
def test_a_random_orthogonal_matrix_is_orthogonal(n):
    matrices = orthogonal(5, n)
    assert np.abs(matrices @ matrices.swapaxes(-1, -2) - np.eye(n)).max() < 1e-13


def test_rotations_and_reflections_are_equally_likely():
    signs = np.linalg.det(orthogonal(2000, 5))
    assert np.allclose(np.abs(signs), 1)
    assert abs(signs.mean()) < 4 / np.sqrt(2000)


def test_the_trace_of_a_random_orthogonal_matrix_is_that_of_the_haar_measure():
    # Moments 0, 1, 0, 3, those of a normal number (Diaconis & Shahshahani 1994).
    trace = orthogonal(4000, 6).trace(axis1=1, axis2=2)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((trace**power).mean() - moment) < 4 * np.sqrt(variance / 4000)


def test_random_rotations_of_the_plane_have_every_angle_alike():
    plane = orthogonal(4000, 2)
    turned = plane[np.linalg.det(plane) > 0]
    angle = np.arctan2(turned[:, 1, 0], turned[:, 0, 0])
    for harmonic in (1, 2, 3):
        assert abs(np.exp(1j * harmonic * angle).mean()) < 4 / np.sqrt(len(angle))


@given(
    st.integers(0, 2**32),
    st.lists(st.floats(0.3, 3), min_size=1, max_size=12),
    st.sampled_from(POLAR_METHODS),
    st.sampled_from(PRECISIONS),
)
def test_all_singular_values_are_set_to_one_and_nothing_else(seed, singular_values, method, dtype):
    left, right = orthogonal(2, len(singular_values), seed)
    matrix = torch.from_numpy(left @ np.diag(singular_values) @ right).to(dtype)
    assert (polar_factor(matrix, method) - torch.from_numpy(left @ right)).abs().max() < rounding(dtype)


@given(st.integers(0, 2**32), st.integers(1, 24), st.floats(-8, 1.5), st.sampled_from(PRECISIONS))
def test_newton_schulz_and_svd_agree_and_are_orthogonal(seed, n, decade, dtype):
    matrices = perturbed(3, n, 10**decade, dtype, seed)
    fast, slow = (polar_factor(matrices, method) for method in POLAR_METHODS)
    assert (fast - slow).abs().max() < rounding(dtype)
    for nearest in (fast, slow):
        assert (nearest @ nearest.mT - torch.eye(n, dtype=dtype)).abs().max() < rounding(dtype)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("size", [1e-6, 1e-3, 0.05, 0.3, 3.0])
def test_they_agree_for_matrices_as_wide_as_those_that_learn(size, dtype):
    matrices = perturbed(3, 90, size, dtype)
    assert (polar_factor(matrices) - polar_factor(matrices, "svd")).abs().max() < rounding(dtype)


def test_one_singular_value_near_zero_does_not_stop_newton_schulz():
    left, right = orthogonal(2, 8)
    singular_values = np.array([1e-4, 1, 1, 1, 1, 1, 1, 1])  # |X X^T - 1| is just below 1
    nearest = polar_factor(torch.from_numpy(left @ np.diag(singular_values) @ right))
    assert (nearest - torch.from_numpy(left @ right)).abs().max() < 1e-13


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("method", POLAR_METHODS)
@pytest.mark.parametrize("size", [1e-3, 2.0])
@pytest.mark.parametrize("n", [2, 5, 30])
def test_a_matrix_does_not_see_which_others_stand_beside_it(n, size, method, dtype):
    matrices = perturbed(6, n, size, dtype)
    result = polar_factor(matrices, method)
    others = perturbed(6, n, 0.5, dtype, seed=1)
    others[0], others[1], others[5] = torch.nan, 1e9 * others[1], others[5] / 1e9
    others[2:5] = matrices[2:5]
    assert torch.equal(polar_factor(others, method)[2:5], result[2:5])


@pytest.mark.parametrize("method", POLAR_METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_comes_back_as_nan_alone(bad, method):
    matrices = perturbed(4, 6, 0.01)
    expected = polar_factor(matrices, method)
    matrices[2, 3, 4] = bad
    result = polar_factor(matrices, method)
    assert result[2].isnan().all()
    assert torch.equal(result[[0, 1, 3]], expected[[0, 1, 3]])


@pytest.mark.parametrize("size", [0.05, 0.5, 2.0])
def test_no_other_orthogonal_matrix_is_nearer(size):
    matrix = perturbed(1, 6, size)[0].numpy()
    nearest = polar_factor(torch.from_numpy(matrix)).numpy()
    turns = np.random.default_rng(2).standard_normal((200, 6, 6)) * np.logspace(-4, 0, 200)[:, None, None]
    beside = [nearest @ expm(turn - turn.T) for turn in turns]
    distance = np.linalg.norm(matrix - nearest)
    assert distance < min(np.linalg.norm(matrix - other) for other in [*beside, *orthogonal(500, 6, seed=3)])


@pytest.mark.parametrize("method", POLAR_METHODS)
def test_stacks_of_any_shape_keep_their_shape_and_their_input(method):
    matrices = perturbed(6, 4, 0.1).reshape(2, 3, 4, 4)
    before = matrices.clone()
    result = polar_factor(matrices, method)
    assert result.shape == (2, 3, 4, 4)
    assert torch.equal(matrices, before)
    assert (result[1, 2] - polar_factor(matrices[1, 2], method)).abs().max() < 1e-13


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match=r"^polar factor by one of newton-schulz, svd; got 'cayley'$"):
        polar_factor(torch.eye(2), "cayley")
