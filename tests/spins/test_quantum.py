"""The static approximation of spins in a transverse field, against exact diagonalisation."""

import numpy as np
import pytest
from hypothesis import strategies as st
from spin_systems import weak

from classical.spins import (
    Bonds,
    ground_susceptibility,
    linear_tap,
    static_susceptibility,
    thermal_susceptibility,
    transverse_melting,
)

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


@pytest.mark.parametrize(("field", "order"), [(0.0, 3), (0.8, 2)])
def test_the_static_approximation_is_wrong_at_the_order_that_it_says(field, order):
    errors = []
    for j in (0.02, 0.01):
        bonds = weak(j)
        exact, told = thermal_susceptibility(bonds, 1.0, field), static_susceptibility(bonds, 1.0, field)
        errors.append(np.abs(np.linalg.inv(exact) - np.linalg.inv(told)).max())
    assert 0.75 * order < np.log2(errors[0] / errors[1]) < 1.35 * order


def test_without_a_field_the_static_approximation_is_the_classical_matrix():
    bonds = weak(0.1)
    np.testing.assert_allclose(static_susceptibility(bonds, 1.3, 0.0), 1.3 * np.linalg.inv(linear_tap(bonds, 1.3)))
    limit = static_susceptibility(bonds, 1.3, 1e-6)
    np.testing.assert_allclose(limit, static_susceptibility(bonds, 1.3, 0.0), rtol=1e-9)


def test_one_spin_answers_as_a_spin_in_a_field_does():
    bonds = Bonds({(0, 1): [[1e-14]]})
    assert abs(thermal_susceptibility(bonds, 0.7, 1.2)[0, 0] - np.tanh(0.84) / 1.2) < 1e-9
    assert abs(thermal_susceptibility(bonds, 0.7, 0.0)[0, 0] - 0.7) < 1e-9
    assert abs(ground_susceptibility(bonds, 1.2)[0, 0] - 1 / 1.2) < 1e-9


def test_the_ground_state_is_the_limit_of_low_temperatures():
    bonds = weak(0.2)
    np.testing.assert_allclose(ground_susceptibility(bonds, 1.0), thermal_susceptibility(bonds, 200.0, 1.0), rtol=1e-6)


def test_two_classical_spins_answer_by_hand():
    beta, j = 0.9, 0.6
    t = np.tanh(beta * j)
    found = thermal_susceptibility(Bonds({(0, 1): [[j]]}), beta, 0.0)
    np.testing.assert_allclose(found, beta * np.array([[1, t], [t, 1]]), rtol=1e-9)


def test_a_field_lowers_the_melting_temperature_to_zero():
    temperatures = [transverse_melting(1.7, gamma) for gamma in (0.0, 0.5, 1.0, 1.6, 1.7, 3.0)]
    assert temperatures[0] == 1.7
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[-2:] == [0.0, 0.0]
    t = transverse_melting(1.7, 1.0)
    assert abs(np.tanh(1 / t) - 1 / 1.7) < 1e-12
