"""Levels, their spacings, and what lies beyond the bulk of a random matrix."""

import numpy as np
import pytest
from hypothesis import strategies as st
from spin_systems import drawn

from classical.spins import first_spacing, gap_ratio, linear_tap, marchenko_pastur, outside_bulk, random_bonds
from encoding import InputError

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


def test_the_levels_of_random_bonds_repel_each_other():
    levels = np.stack(
        [np.linalg.eigvalsh(linear_tap(random_bonds([150, 120, 90], 2.0, seed=s), 0.5)) for s in range(6)]
    )
    assert abs(gap_ratio(levels).mean() - 0.5307) < 0.015


def test_levels_that_know_nothing_of_each_other_have_a_gap_ratio_of_2_ln_2_minus_1():
    levels = np.sort(drawn(10).uniform(size=(4000, 200)))
    assert abs(gap_ratio(levels).mean() - (2 * np.log(2) - 1)) < 0.01
    assert abs(first_spacing(levels).mean() - 1 / np.log(2)) < 0.08  # mean over median of an exponential


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.5])
def test_the_marchenko_pastur_density_has_its_mass_and_mean(ratio):
    low, high = 1.7 * (1 - np.sqrt(ratio)) ** 2, 1.7 * (1 + np.sqrt(ratio)) ** 2
    angle = np.linspace(0, np.pi, 20001)
    x = (low + high) / 2 - (high - low) / 2 * np.cos(angle)
    dx = (high - low) / 2 * np.sin(angle)
    density = marchenko_pastur(x, ratio, 1.7)
    assert abs(np.trapezoid(density * dx, angle) - min(1, 1 / ratio)) < 1e-3
    assert abs(np.trapezoid(density * x * dx, angle) - 1.7) < 1e-3


@pytest.mark.parametrize("shape", [(300, 150), (150, 300)])
def test_a_random_block_has_no_tail_and_a_pulled_direction_is_one(shape):
    rng = drawn(11)
    block = rng.standard_normal(shape) * np.sqrt(2 / shape[0])
    quiet = outside_bulk(block)
    assert abs(quiet.variance - 2) < 0.1
    assert all(quiet.beyond < 1.05 * quiet.edge)
    u, v = (w / np.linalg.norm(w) for w in (rng.standard_normal(n) for n in shape))
    tail = outside_bulk(block + 8 * np.outer(u, v))
    assert (tail.beyond > 1.05 * tail.edge).sum() == 1
    assert abs(tail.variance / quiet.variance - 1) < 0.02


def test_units_without_bonds_have_no_part_in_the_bulk_and_the_largest_levels_come_first():
    rng = drawn(16)
    block = rng.standard_normal((200, 60)) * np.sqrt(1 / 200)
    pulled = block + 5 * np.outer(np.eye(200)[0], np.eye(60)[0])
    tail = outside_bulk(pulled)
    np.testing.assert_allclose(tail.beyond, np.linalg.eigvalsh(pulled.T @ pulled)[::-1][: len(tail.beyond)])
    for rows, columns in ((0, 80), (200, 0), (50, 70)):
        padded = outside_bulk(np.pad(pulled, ((0, rows), (0, columns))))
        np.testing.assert_allclose(padded.edge, tail.edge)  # eigenvalues of X^T X do not know of rows of zeros
        np.testing.assert_allclose(padded.beyond, tail.beyond)
        np.testing.assert_allclose(padded.variance, tail.variance * (200 + rows) / 200)  # C/n is the same
    v = [w / np.linalg.norm(w) for w in rng.standard_normal((2, 200))]
    u = np.linalg.qr(rng.standard_normal((60, 2)))[0].T
    tail = outside_bulk(block + 4 * np.outer(v[0], u[0]) + 6 * np.outer(v[1], u[1])).beyond
    assert (np.diff(tail) < 0).all()
    assert len(tail) == 2


def test_gap_ratios_are_those_of_the_middle():
    crowded = np.concatenate([[0, 1e-9, 1.0], np.arange(2, 40.0), [40, 40 + 1e-9, 60]])  # odd ends, even middle
    assert gap_ratio(crowded) == 1


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_entries_whose_squares_are_no_numbers_are_refused(size):
    with pytest.raises(InputError, match="the largest entry of a block is between 1e-100 and"):
        outside_bulk(size * np.eye(5))
