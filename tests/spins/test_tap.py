"""The full Thouless-Anderson-Palmer equations: solutions, free energies, how many."""

import numpy as np
import pytest
from hypothesis import strategies as st
from spin_systems import drawn, ferromagnet, pulled, recurrent

from classical.spins import Bonds, chain, free_energy, linear_tap, melting_temperature, solutions, tap_residual
from encoding import InputError

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


def test_the_gradient_of_the_free_energy_is_t_times_the_residual():
    bonds, t, h = Bonds(recurrent(drawn(7))), 1.3, 1e-6
    m = drawn(8).uniform(-0.9, 0.9, bonds.n_spins)
    steps = h * np.eye(bonds.n_spins)
    slope = (free_energy(bonds, m + steps, t) - free_energy(bonds, m - steps, t)) / (2 * h)
    np.testing.assert_allclose(slope, t * tap_residual(bonds, m, t), atol=1e-6)


def test_above_the_transition_only_the_paramagnet_solves_the_equations():
    bonds = pulled(9, 6.0)
    t = float(melting_temperature(bonds).temperature)
    found = solutions(bonds, 1.1 * t, n_starts=20)
    assert (len(found.m), found.paramagnet, found.lost) == (0, 20, 0)


def test_just_below_a_melting_point_of_hidden_order_there_is_one_pair_along_its_mode():
    bonds = pulled(9, 6.0)
    melt = melting_temperature(bonds)
    t = 0.97 * float(melt.temperature)
    found = solutions(bonds, t, n_starts=8)
    assert len(found.m) == 1
    assert found.reached[0] == 8 - found.paramagnet - found.lost
    assert np.abs(tap_residual(bonds, found.m[0], t)).max() < 1e-8
    assert found.energy[0] < free_energy(bonds, np.zeros(bonds.n_spins), t)
    assert abs(found.m[0] @ melt.mode) / np.linalg.norm(found.m[0]) > 0.95


def test_what_does_not_converge_is_counted_as_lost_and_not_as_a_solution():
    found = solutions(pulled(9, 6.0), 1.5, n_starts=7, most=2)
    assert (len(found.m), found.lost) == (0, 7)


def test_solutions_whose_spins_saturate_are_solutions():
    cold = solutions(ferromagnet(), 0.3, n_starts=16)
    assert len(cold.m) == 1
    assert cold.reached[0] + cold.paramagnet == 16
    np.testing.assert_allclose(np.abs(cold.m[0]), np.tanh(3.9 / 0.3), rtol=1e-12)  # the field is 39 x 0.1


def test_solutions_come_by_their_free_energy_and_each_once():
    two = Bonds({(0, 0): ferromagnet().blocks[0, 0], (1, 1): 0.1 * (1 - np.eye(30))})  # up-up and up-down: two pairs
    found = solutions(two, 1.5, n_starts=40)
    assert 2 <= len(found.m) <= 4  # and each alone, the other at 0, which chance may miss
    assert (np.diff(found.energy) >= -1e-9).all()
    assert found.reached.sum() + found.paramagnet + found.lost == 40
    assert (found.reached > 0).all()
    for one, energy in zip(found.m, found.energy, strict=True):
        assert abs(free_energy(two, one, 1.5) - energy) < 1e-9
        assert np.abs(tap_residual(two, one, 1.5)).max() < 1e-8


@pytest.mark.parametrize("told_of", [free_energy, tap_residual])
def test_magnetisations_in_rows_of_several_lengths_are_none(told_of):
    with pytest.raises(
        InputError, match=r"magnetisations are numbers from -1 to 1, of shape \(..., 3\); got \[\[0.1\], \[0.1, 0.2\]\]"
    ):
        told_of(chain([[[1.0, 2.0]]]), [[0.1], [0.1, 0.2]], 1.0)


def test_what_rounding_takes_from_the_rotational_term_is_said():
    with pytest.raises(InputError, match=r"the rotational Onsager term is lost in rounding at beta = 1e\+99: take"):
        linear_tap(chain([[[1.0, 2.0]]]), 1e99, kind="rotational")
