"""Looks are sequences of proper times without an end: where one asks from, and how long one goes on, changes none."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoding import InputError
from experiments.looks import NEAR, NEVER, Looks, Union, aging_looks, at, linear, logarithmic

times = st.floats(1e-3, 1e3)
often = st.integers(1, 60)
one_kind = st.one_of(
    st.builds(logarithmic, times, often),
    st.builds(linear, times),
    st.builds(at, st.lists(times, max_size=5)),
    st.builds(aging_looks, st.lists(times, min_size=1, max_size=3), often, times),
)
cadences = st.one_of(one_kind, st.builds(lambda *parts: Union(parts), one_kind, one_kind))


def looks_until(cadence, horizon, n_most=300):
    """The looks after time 0, at most so many."""
    found, time = [], 0.0
    while (time := cadence.after(time)) <= horizon * (1 + NEAR) and len(found) < n_most:
        found.append(time)
    return found


@given(cadences, st.floats(0, 1e4))
def test_the_next_look_lies_strictly_ahead(cadence, time):
    assert cadence.after(time) > time


@given(cadences, times)
def test_no_look_comes_twice_however_it_is_rounded(cadence, horizon):
    for look, after in pairwise(looks_until(cadence, horizon)):
        assert after > look * (1 + NEAR / 2)


@given(cadences, times, st.floats(0, 1))
def test_asking_in_between_gives_the_same_looks(cadence, horizon, share):
    for look, after in pairwise([0.0, *looks_until(cadence, horizon)]):
        between = look + share * (after - look)
        if between * (1 + 2 * NEAR) < after:
            assert cadence.after(between) == pytest.approx(after, rel=NEAR)


@given(cadences, times, st.floats(1, 10))
def test_a_longer_horizon_has_the_same_looks_first(cadence, horizon, factor):
    short = looks_until(cadence, horizon)
    assert looks_until(cadence, factor * horizon)[: len(short)] == short


@given(cadences, times)
def test_a_time_that_is_rounded_still_meets_its_look(cadence, horizon):
    for look in looks_until(cadence, horizon, n_most=30):
        assert cadence.after(look * (1 - 1e-13)) == cadence.after(look * (1 + 1e-13)) == cadence.after(look)


def test_logarithmic_looks_are_evenly_spaced_in_the_logarithm():
    looks = looks_until(logarithmic(first=0.1, per_decade=20), 1e4)
    np.testing.assert_allclose(looks, 0.1 * 10 ** (np.arange(101) / 20))


def test_linear_looks_are_the_multiples():
    np.testing.assert_allclose(looks_until(linear(0.1), 100), 0.1 * np.arange(1, 1001)[:300])


def test_looks_at_given_times_are_those_in_order_and_then_none():
    cadence = at([5, 1, 2.5, 1])
    assert looks_until(cadence, 1e6) == [1.0, 2.5, 5.0]
    assert cadence.after(5) == NEVER.after(0) == np.inf


@pytest.mark.parametrize("horizon", [80, 1000, 20000])
def test_aging_looks_are_every_waiting_time_and_logarithmic_lags_after_each(horizon):
    waiting, lags = [80, 160, 320], 0.1 * 10 ** (np.arange(60) / 10)
    wanted = np.unique(np.round(np.concatenate([waiting, *(lags + tau for tau in waiting)]), 8))
    np.testing.assert_allclose(looks_until(aging_looks(waiting), horizon), wanted[wanted <= horizon], rtol=1e-8)


def test_a_union_describes_all_its_parts():
    parts = (logarithmic(), linear(2.0), at([3.0]))
    assert Union(parts).describe() == {"kind": "union", "of": [part.describe() for part in parts]}


def test_described_looks_differ_where_the_looks_do():
    looks = [
        Looks(), Looks(logarithmic(0.2)), Looks(logarithmic(per_decade=10)), Looks(linear(0.1)), Looks(at([0.1])),
        Looks(noise=logarithmic()), Looks(weights=logarithmic()), Looks(weights=aging_looks([80])),
        Looks(weights=aging_looks([80, 160])), Looks(weights=aging_looks([80], 20)),
    ]  # fmt: skip
    assert len({str(look.describe()) for look in looks}) == len(looks)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: logarithmic(first=0),
        lambda: logarithmic(first=np.nan),
        lambda: logarithmic(per_decade=0),
        lambda: logarithmic(per_decade=-3),
        lambda: linear(0),
        lambda: linear(-1),
        lambda: linear(np.inf),
        lambda: at([1, 0]),
        lambda: at([np.nan]),
        lambda: aging_looks([]),
        lambda: aging_looks([80, -1]),
        lambda: aging_looks([80], per_decade=0),
        lambda: aging_looks([80], first=0),
    ],
)
def test_looks_that_are_none_are_refused_in_one_line(wrong):
    with pytest.raises(InputError, match="; got ") as refused:
        wrong()
    assert "\n" not in str(refused.value)


def test_looks_that_begin_very_early_are_those_of_the_formula_as_far_as_numbers_go():
    cadence = logarithmic(1e-100, 10)
    assert cadence.after(0.9) == pytest.approx(1.0)
    assert cadence.after(1e250) == np.inf
    for soon in (5e-324, 1e-101):
        with pytest.raises(InputError, match="first is a proper time of at least 1e-100"):
            logarithmic(soon)
