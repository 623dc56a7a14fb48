"""Telling states apart: closed forms for two states, for states on a circle, and for states that are orthogonal."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from encoding import InputError
from encoding.clock import pitch_class
from encoding.discrimination import accessible_information, best_guess, holevo, pretty_good

HOURS = pitch_class().states(np.arange(60, 72))


def on_a_circle(n):
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle / 2), np.sin(angle / 2)], -1)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 12, 24])
def test_the_best_guess_of_n_states_on_a_circle_is_right_two_times_in_n(n):
    assert_allclose(pretty_good(on_a_circle(n)), 2 / n)
    low, high = best_guess(on_a_circle(n))
    assert low <= high + 1e-12
    assert_allclose((low, high), 2 / n, rtol=1e-6)


@pytest.mark.parametrize(
    ("copies", "known"), [(1, 1 / 6), (2, 0.243), (4, 0.372), (8, 0.563), (16, 0.788), (32, 0.941)]
)
def test_n_copies_of_an_hour(copies, known):
    # P = (1/N) (sum_r sqrt p_r)^2, p_r the chance of j = r mod N among n fair coins
    p = np.zeros(12)
    for j in range(copies + 1):
        p[j % 12] += comb(copies, j) / 2**copies
    assert_allclose(pretty_good(HOURS, copies=copies), np.sqrt(p).sum() ** 2 / 12)
    assert_allclose(pretty_good(HOURS, copies=copies), known, atol=6e-4)
    assert_allclose(best_guess(HOURS, copies=copies), np.sqrt(p).sum() ** 2 / 12, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(angle=st.floats(0.01, np.pi), share=st.floats(0.02, 0.98))
def test_two_states_are_told_apart_as_helstrom_says(angle, share):
    states = np.array([[1, 0], [np.cos(angle / 2), np.sin(angle / 2)]])
    helstrom = (1 + np.sqrt(1 - 4 * share * (1 - share) * np.cos(angle / 2) ** 2)) / 2
    low, high = best_guess(states, [share, 1 - share])
    assert low <= helstrom + 1e-9
    assert high >= helstrom - 1e-9
    assert high - low < 1e-5
    assert pretty_good(states, [share, 1 - share]) <= helstrom + 1e-9


def test_neighbouring_hours():
    assert_allclose(1 - best_guess(HOURS[:2]).low, (1 - np.sin(np.pi / 12)) / 2)
    assert_allclose(1 - best_guess(HOURS[:2]).low, 0.371, atol=5e-4)


@pytest.mark.parametrize(("n", "bits"), [(3, np.log2(1.5)), (4, 0.5), (12, 0.4447)])
def test_accessible_information_of_states_on_a_circle(n, bits):
    low, high = accessible_information(on_a_circle(n))
    assert_allclose(low, bits, atol=6e-5)
    assert_allclose(high, 1)


def test_one_measurement_of_z_reaches_the_information_of_the_clock():
    q = np.abs(HOURS) ** 2  # of outcomes 0 and 1
    assert_allclose(q.mean(0), 0.5)
    share = np.where(q > 1e-30, q, 1.0)
    assert_allclose(accessible_information(HOURS).low, (q * np.log2(share / 0.5)).sum() / 12, atol=1e-7)


@pytest.mark.parametrize("dimension", [2, 4])
def test_orthogonal_states_are_told_apart_always(dimension):
    prior = np.arange(1, dimension + 1) / np.arange(1, dimension + 1).sum()
    entropy = -(prior * np.log2(prior)).sum()
    states = np.linalg.qr(np.random.default_rng(0).normal(size=(2, dimension, dimension)))[0][0]
    assert_allclose(best_guess(states, prior), 1, rtol=1e-6)
    assert_allclose(pretty_good(states, prior), 1)
    assert_allclose(accessible_information(states, prior), entropy, rtol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 8), dimension=st.integers(2, 4))
def test_nothing_beats_what_is_proven_and_information_stays_below_holevo(seed, n, dimension):
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(n, dimension)) + 1j * rng.normal(size=(n, dimension))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    prior = rng.dirichlet(np.ones(n))
    low, high = best_guess(states, prior)
    assert max(prior.max(), pretty_good(states, prior)) <= high + 1e-9
    assert pretty_good(states, prior) <= low + 1e-9
    rho = np.einsum("n,ni,nj->ij", prior, states, states.conj())
    value = np.linalg.eigvalsh(rho)
    value = value[value > 1e-15]
    assert_allclose(holevo(states, prior), -(value * np.log2(value)).sum(), atol=1e-9)
    outcome = np.linalg.qr(rng.normal(size=(dimension, dimension)) + 1j * rng.normal(size=(dimension, dimension)))[0]
    q = np.abs(states.conj() @ outcome) ** 2  # some projective measurement
    some = (prior[:, None] * q * np.log2(q / (prior @ q))).sum()
    information = accessible_information(states, prior)
    assert some - 1e-6 <= information.low <= information.high + 1e-9


def test_priors_beyond_the_largest_number_are_priors():
    assert_allclose(pretty_good(np.eye(2), [1e308, 1e308]), 1)
    assert_allclose(best_guess(np.eye(3), [1e308, 5e307, 5e307]), 1)


def test_bounds_are_in_order_and_probabilities():
    for states in (np.eye(3), [[1, 0], [1, 0]], HOURS):
        for low, high in (best_guess(states), accessible_information(states)):
            assert 0 <= low <= high


def test_two_states_that_hardly_differ_are_told_apart_as_helstrom_says():
    angle = 1e-3
    states = [[1, 0], [np.cos(angle), np.sin(angle)]]
    expected = (1 + np.sqrt(1 - 4 * 0.39 * 0.61 * np.cos(angle) ** 2)) / 2
    assert_allclose(best_guess(states, [0.39, 0.61]), expected)


WRONG = {
    "in at most 16 dimensions; got 64": lambda: accessible_information(np.eye(64)),
    "kets of length 1": lambda: pretty_good([[1, 1]]),
    "kets, numbers": lambda: pretty_good([["a"]]),
    "copies is a whole number": lambda: pretty_good(HOURS, copies=0),
    "a prior is a number": lambda: best_guess(HOURS, [1, 2]),
    "for each of 12 states, not all 0": lambda: holevo(HOURS, np.zeros(12)),
    "seed is a whole number": lambda: accessible_information(HOURS, seed=-1),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_no_ensemble_is_said_in_a_line(message):
    with pytest.raises(InputError, match=message) as caught:
        WRONG[message]()
    assert "\n" not in str(caught.value)
