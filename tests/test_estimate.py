"""Intervals of numbers that are all known, and of some that are not."""

import numpy as np
import pytest

from experiments.observables.estimate import NORMAL, mean_and_error, quantile_fit, student

DRAWN = np.random.default_rng(0).permutation(1000) / 1000.0


def drawn(lost: int, value: float) -> np.ndarray:
    """1000 draws, some of which were lost."""
    return np.where(np.arange(1000) < lost, value, DRAWN)


def test_what_is_not_finite_lies_beyond_the_ends():
    known = quantile_fit(0.5, DRAWN)
    assert known == pytest.approx((0.025, 0.5, 0.974))
    some = quantile_fit(0.5, drawn(20, np.nan))
    assert some.low < 0.012
    assert some.high > 0.987
    above = quantile_fit(0.5, drawn(20, np.inf))
    assert (above.low, above.high) == (pytest.approx(0.025, abs=2e-3), pytest.approx(0.995, abs=3e-3))


def test_an_end_is_not_told_where_too_much_lies_beyond_it():
    assert np.isnan(quantile_fit(0.5, drawn(30, np.nan))).tolist() == [True, False, True]
    assert np.isnan(quantile_fit(0.5, drawn(30, np.inf))).tolist() == [False, False, True]
    assert np.isnan(quantile_fit(0.5, drawn(30, -np.inf))).tolist() == [True, False, False]
    assert np.isnan(quantile_fit(np.nan, DRAWN)).all()


def test_means_are_of_what_is_known_along_any_axis():
    values = np.array([[1.0, 3.0, np.nan], [np.nan, 5.0, np.inf], [np.nan, np.nan, np.nan]])
    mean, error = mean_and_error(values)
    assert mean[:2] == pytest.approx([2, 5])
    assert error[0] == pytest.approx(np.std([1, 3], ddof=1) / np.sqrt(2))
    assert np.isnan([mean[2], error[1], error[2]]).all()
    assert mean_and_error(values, axis=0)[0][:2] == pytest.approx([1, 4])


def test_student_is_normal_for_infinitely_many_numbers():
    assert student(np.inf) == NORMAL == pytest.approx(student(10**9), rel=1e-8)
    assert student(1) == pytest.approx(12.706, abs=1e-3)
    assert np.isnan(student(0))
