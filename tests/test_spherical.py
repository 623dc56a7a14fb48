"""The spherical glass goes downhill in the landscape of its equation, and is stuck near the threshold energy."""

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest

from classical import SphericalGlass
from encoding import InputError, Purpose, stream

N = 7


def energy(spins, disorder):
    """E = -sqrt(3! / (2 N^2)) sum_{i<j<k} J_ijk s_i s_j s_k, by a triple sum."""
    n = len(spins)
    bonds = stream(disorder, 0, Purpose.DISORDER).standard_normal((n, n, n))
    triples = combinations(range(n), 3)
    return -np.sqrt(6 / (2 * n**2)) * sum(bonds[i, j, k] * spins[i] * spins[j] * spins[k] for i, j, k in triples)


def on_sphere(glass):
    spins = glass.weights()
    return (spins**2).sum(1) == pytest.approx(np.full(len(spins), spins.shape[1]), rel=1e-12)


@pytest.mark.parametrize("disorder", [0, 5])
def test_the_energy_is_the_sum_over_all_triples(disorder):
    glass = SphericalGlass(n_spins=N, disorder=disorder, n_replicas=4)
    expected = [energy(spins, disorder) / N for spins in glass.weights()]
    assert glass.loss() == pytest.approx(expected, rel=1e-12)
    assert glass.step(0.1)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rate", [1e-3, 0.5])
def test_spins_move_against_the_gradient_and_back_to_the_sphere(rate):
    glass, h = SphericalGlass(n_spins=N, n_replicas=2), 1e-5
    before = glass.weights()
    glass.step(rate)
    for spins, after in zip(before, glass.weights(), strict=True):
        gradient = np.array([energy(spins + h * e, 0) - energy(spins - h * e, 0) for e in np.eye(N)]) / (2 * h)
        tangent = gradient - (gradient @ spins) / N * spins
        assert np.abs(tangent).max() > 0.3
        moved = spins - rate * tangent
        assert after == pytest.approx(moved * np.sqrt(N) / np.linalg.norm(moved), abs=1e-8)


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_the_energy_never_rises_at_a_small_rate(rate):
    energies = SphericalGlass(n_spins=30, n_replicas=5).step(rate, 400)
    assert (np.diff(energies, axis=0) < 1e-14).all()
    assert (energies[-1] < energies[0] - 0.4).all()


def test_spins_stay_on_the_sphere():
    glass = SphericalGlass(n_spins=30, n_replicas=3)
    assert on_sphere(glass)
    for rate in (0.1, 0.5, 100):
        glass.step(rate, 20)
        assert on_sphere(glass)


def test_random_spins_have_energies_of_the_variance_of_the_p_spin_model():
    # N/2 for N to infinity; with i < j < k and |s|^2 = N, <s_i^2 s_j^2 s_k^2> = N^2/((N+2)(N+4)).
    n = 40
    energies = SphericalGlass(n_spins=n, n_replicas=4000).loss() * n
    expected = 3 / n**2 * comb(n, 3) * n**2 / ((n + 2) * (n + 4))
    assert expected == pytest.approx(n / 2, rel=0.25)
    assert energies.var() == pytest.approx(expected, rel=0.1)
    assert abs(energies.mean()) < 4 * np.sqrt(expected / 4000)


def test_whole_numbers_of_numpy_are_plain_ones():
    small: Any = np.int8
    glass = SphericalGlass(n_spins=small(100), disorder=small(1))
    assert repr(glass.settings) == "SphericalGlassSettings(n_spins=100, disorder=1)"


def test_a_quench_ends_near_the_threshold_energy():
    # -1.1547 for N to infinity; -1.04 +- .03 at N = 100, where gradient descent soon finds a minimum.
    glass = SphericalGlass(n_spins=100, n_replicas=4)
    energies = glass.step(0.1, 700)
    assert -1.172 < energies[-1].min()  # the ground state
    assert ((energies[-1] > -1.2) & (energies[-1] < -0.9)).all()
    assert energies[-1].mean() == pytest.approx(-1.1547, abs=0.2)
    assert energies[100].mean() - energies[-1].mean() > 0.02  # slow: still on its way at time 10


def test_replicas_share_the_disorder_and_nothing_else():
    glass = SphericalGlass(n_spins=N, n_replicas=3)
    assert np.ptp(glass.loss()) > 0.01
    glass.put(np.tile(glass.weights()[0], (3, 1)))
    assert np.ptp(glass.loss()) == 0
    other = SphericalGlass(n_spins=N, disorder=1, n_replicas=3)
    other.put(glass.weights())
    assert (np.abs(other.loss() - glass.loss()) > 0.01).all()


def test_replicas_together_are_replicas_apart():
    together = SphericalGlass(n_spins=12, n_replicas=4, seed=3)
    apart = [SphericalGlass(n_spins=12, n_replicas=2, seed=3, first_replica=first) for first in (0, 2)]
    assert np.array_equal(together.weights(), np.concatenate([pair.weights() for pair in apart]))
    energies = together.step(0.1, 50)
    assert np.hstack([pair.step(0.1, 50) for pair in apart]) == pytest.approx(energies, abs=1e-12)


def test_a_replica_that_leaves_the_finite_numbers_is_frozen_alone():
    glass, calm = (SphericalGlass(n_spins=12, n_replicas=2) for _ in range(2))
    glass.step(0.1)
    calm.step(0.1)
    good = glass.weights()
    energies = glass.step([1e308, 0.1], 3)
    assert np.isfinite(energies[0]).all()  # as seen before the first move
    assert np.isnan(energies[1:, 0]).all()
    assert np.array_equal(energies[:, 1], calm.step([0, 0.1], 3)[:, 1])
    assert np.array_equal(glass.weights(), [good[0], calm.weights()[1]])
    assert np.isnan(glass.step(0.1, 2)[:, 0]).all()  # frozen for good
    glass.put(good)
    assert np.isfinite(glass.step(0.1, 2)).all()


def test_there_is_no_noise_at_zero_temperature():
    glass = SphericalGlass(n_spins=12, n_replicas=2)
    assert glass.noise().tolist() == [[0.0], [0.0]]
    twin = glass.clone(seed=99)
    assert np.array_equal(twin.step(0.1, 20), glass.step(0.1, 20))


@pytest.mark.parametrize("n_spins", [2, 501, 10.0, True, "48"])
def test_a_glass_has_from_3_to_500_spins(n_spins):
    with pytest.raises(InputError, match=rf"^n_spins is a whole number from 3 to 500; got {n_spins!r}$"):
        SphericalGlass(n_spins=n_spins)


def test_other_wrong_input_is_refused():
    glass = SphericalGlass(n_spins=N, n_replicas=2)
    with pytest.raises(InputError, match=r"^disorder is a whole number of at least 0, below 2\^63; got -1$"):
        SphericalGlass(disorder=-1)
    with pytest.raises(InputError, match=r"^n_replicas is a whole number of at least 1, at most 2\^31; got 0$"):
        SphericalGlass(n_replicas=0)
    with pytest.raises(InputError, match=r"^spins are finite, not all 0, of shape \(2, 7\); got shape \(1, 7\)$"):
        glass.put(np.ones((1, N)))
    with pytest.raises(InputError, match=r"^spins are finite, not all 0, of shape \(2, 7\); got shape \(2, 7\)$"):
        glass.put(np.full((2, N), np.nan))
    with pytest.raises(InputError, match=r"^a glass of 2 x 7 spins has another state; got "):
        glass.restore(SphericalGlass(n_spins=N + 1, n_replicas=2).state())
    with pytest.raises(InputError, match=r"^a rate is finite and not negative; got -1.0$"):
        glass.step([0.1, -1])
    with pytest.raises(InputError, match=r"^a rate is one number or 2, one a replica; got shape \(3,\)$"):
        glass.step([0.1] * 3)
