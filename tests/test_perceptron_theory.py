"""Replica theory of the deep perceptron: known numbers, limits in which two theories are one, and honest failure."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import log_ndtr

from classical.perceptron import (
    NotConverged,
    Profile,
    bayes_optimal,
    continued,
    generalisation_error,
    glass_transitions,
    growth,
    hierarchy,
    noisy_teacher,
    penetration_depth,
    replica_symmetric,
    replica_symmetry_breaking,
)
from classical.perceptron.bond_overlaps import bond_overlaps
from classical.perceptron.fixed_point import fixed_point
from classical.perceptron.gaussian import pressure
from classical.perceptron.layers import Shape
from classical.perceptron.symmetric import frozen_spins, hard_core, taught_spins
from encoding import InputError


@pytest.mark.parametrize(("alpha", "overlap"), [(1.9, 0.97087), (1.95, 0.98609), (1.99, 0.99738)])
def test_one_layer_is_gardners_perceptron(alpha, overlap):
    assert replica_symmetric(alpha, 1).Q[0, 0] == pytest.approx(overlap, abs=5e-6)


@pytest.mark.parametrize(("alpha", "error"), [(20, 0.6223), (100, 0.6246), (1e3, 0.625)])
def test_one_layer_learns_from_a_teacher_as_gibbs_students_do(alpha, error):
    """eps alpha -> 0.625 (Gyorgyi & Tishby 1990)."""
    assert generalisation_error(bayes_optimal(alpha, 1)) * alpha == pytest.approx(error, abs=5e-4)


def test_layers_freeze_one_after_the_other():
    assert_allclose(glass_transitions(2), [np.pi**2 / 4, 21.012], atol=5e-4)
    assert_allclose(glass_transitions(3, scenario="teacher"), [np.pi**2 / 4, 12.916, 38.42], atol=2e-3)
    assert_allclose(glass_transitions(2, levels=1, tolerance=1e-8)[1], 15.27, atol=5e-3)
    assert_allclose(glass_transitions(2, levels=2, tolerance=1e-8)[1], 15.43, atol=5e-3)


def test_below_its_transition_a_layer_is_liquid_and_above_frozen():
    _, second = glass_transitions(2)
    below, above = (replica_symmetric(second * factor, 8).q_ea for factor in (0.98, 1.02))
    assert below[2] < 1e-6
    assert above[2] > 1e-3
    assert above[1] > 0.3


@pytest.mark.parametrize("solve", [replica_symmetric, bayes_optimal])
def test_twenty_layers_take_no_time_and_both_ends_are_alike(solve, timed):
    profiles, seconds = timed(lambda: continued(partial(solve, depth=20), [25, 50, 100, 200]))
    assert seconds < 8
    for one in profiles:
        assert_allclose(one.q, one.q[::-1], atol=1e-9)
        assert_allclose(one.Q, one.Q[::-1], atol=1e-9)
        inner = one.q_ea[: one.depth // 2 + 1]
        assert (np.diff(inner) <= 1e-12).all()
    depths = [penetration_depth(one) for one in profiles]
    assert depths == sorted(depths)


def test_students_who_see_everything_are_as_near_to_the_teacher_as_to_each_other():
    for depth in (1, 4):
        student, bayes = noisy_teacher(1.0, 20.0, depth), bayes_optimal(20.0, depth)
        assert student.r is not None
        assert student.R is not None
        assert_allclose(student.r, student.q_ea, atol=1e-4)
        assert_allclose(student.R, student.Q[:, -1], atol=1e-4)
        assert_allclose(student.q, bayes.q, atol=1e-4)


def test_students_who_see_nothing_of_the_teacher_learn_random_data():
    student, random = noisy_teacher(0.0, 20.0, 4), replica_symmetric(20.0, 4)
    assert_allclose(student.q, random.q, atol=1e-4)
    assert_allclose(student.Q, random.Q, atol=1e-4)
    assert student.r is not None
    assert_allclose(student.r, 0, atol=1e-6)


def test_noise_keeps_students_from_the_teacher():
    near = [noisy_teacher(r, 1.0, 1) for r in (1.0, 0.9, 0.5, 0.1)]
    near = [one.R[0] for one in near if one.R is not None]
    assert len(near) == 4
    with pytest.raises(NotConverged, match="layer 1 freezes"):  # noise cannot be learned without end
        noisy_teacher(0.9, 20.0, 1)
    assert near == sorted(near, reverse=True)


def test_levels_are_in_order_and_their_profile_is_symmetric():
    found = replica_symmetry_breaking(20.0, 4, 2)
    assert_allclose(found.q, found.q[::-1], atol=1e-6)
    assert (np.diff(found.q) >= 0).all()
    assert (np.diff(found.Q) >= 0).all()
    assert found.shares.sum() == pytest.approx(1)
    assert found.q_ea[1] > found.mean_q[1] > found.q[1, 0]


def test_where_replica_symmetry_holds_levels_are_equal():
    """Below alpha = 2 one layer of spherical weights is replica symmetric (Gardner 1988)."""
    found, symmetric = replica_symmetry_breaking(1.5, 1, 3), replica_symmetric(1.5, 1)
    assert_allclose(found.Q[0], symmetric.Q[0, 0], atol=2e-4)


# Averages, against quadrature by other means


def integral(function, layer=1.0):
    edges = [0.0, *(sign * layer * width for width in (1, 5, 25) for sign in (-1, 1))]
    points = [edge for edge in edges if abs(edge) < 12]
    return quad(lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * function(z), -12, 12, points=points, limit=400)[0]


@pytest.mark.parametrize("field", [1e-8, 0.01, 1.0, 30.0])
def test_spins_average_as_their_integrals_say(field):
    here = np.array(field)
    assert frozen_spins(here) == pytest.approx(integral(lambda z: np.tanh(np.sqrt(field) * z) ** 2), rel=1e-6)
    expected = integral(lambda z: np.tanh(field + np.sqrt(field) * z) ** 2)
    assert taught_spins(here) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("coupling", [0.0, 0.3, 0.99, 1 - 1e-6])
def test_walls_push_as_their_integral_says(coupling):
    slope = np.sqrt(coupling / (1 - coupling))
    expected = integral(lambda z: float(pressure(np.array(-slope * z))) ** 2, 1 / max(slope, 1)) / (1 - coupling)
    assert hard_core(np.array(coupling)) == pytest.approx(expected, rel=1e-6)


def nested(variances, m, f, slope):
    """<(f_0')^2> and <(f_1')^2> of one step, by two integrals inside one another."""
    z, found = np.linspace(-9, 9, 20001), np.zeros(2)
    weight = np.exp(-z * z / 2)
    outer, share = np.linspace(-7, 7, 141), np.exp(-(np.linspace(-7, 7, 141) ** 2) / 2)
    for u, part in zip(outer, share / share.sum(), strict=True):
        h = np.sqrt(variances[0]) * u + np.sqrt(variances[1] - variances[0]) * z
        tilted = weight * np.exp(m * (f(h) - f(h).max()))
        tilted /= tilted.sum()
        found += part * np.array([(tilted @ slope(h)) ** 2, tilted @ slope(h) ** 2])
    return found


@pytest.mark.parametrize("felt", [(0.1, 0.7), (0.3, 0.99), (0.5, 0.9999)])
def test_bonds_answer_one_step_as_nested_integrals_say(felt):
    width = np.sqrt(1 - felt[1])
    expected = nested(felt, 0.4, lambda h: log_ndtr(h / width), lambda h: pressure(-h / width) / width)
    assert_allclose(hierarchy.bonds(np.array(felt), np.array([0.4])).squares, expected, rtol=2e-5)


@pytest.mark.parametrize("felt", [(0.1, 0.7), (2.0, 30.0), (1.0, 400.0)])
def test_spins_answer_one_step_as_nested_integrals_say(felt):
    expected = nested(felt, 0.4, lambda h: np.logaddexp(h, -h), np.tanh)
    assert_allclose(hierarchy.spins(np.array(felt), np.array([0.4])).squares, expected, rtol=2e-5)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.01, 0.98), st.integers(1, 4))
def test_levels_without_a_spread_between_them_are_one(m, felt, k):
    levels = np.sort(np.linspace(0.05, m, k))
    answer = hierarchy.bonds(np.full(k + 1, felt), levels).squares
    assert_allclose(answer, float(hard_core(np.array(felt))), rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 50), min_size=3, max_size=3), st.floats(0.05, 0.45), st.floats(0.5, 0.95))
def test_bonds_stay_on_their_sphere(loads, low, high):
    found = bond_overlaps(np.sort(loads), np.array([low, high]))
    assert found.Q[-1] + found.G[-1] == pytest.approx(1, abs=1e-12)
    assert (np.diff(found.Q) >= 0).all()


@pytest.mark.parametrize("load", [1e30, 1e34, 1e40])
def test_bonds_that_are_pressed_without_bounds_stay_on_their_sphere(load):
    """Q = 1 - G, and R_0 G^2 -> 1, or R -> 1 of a teacher who pulls."""
    pressed = bond_overlaps(np.array([load]), np.zeros(0))
    assert pressed.G[0] == pytest.approx(load**-0.5)
    taught = bond_overlaps(np.array([load, load]), np.array([0.5]), 10 * np.sqrt(load))
    assert taught.R == pytest.approx(10 / np.sqrt(101))
    late = bond_overlaps(np.array([0.0, load]), np.array([1e-30]))
    assert late.Q[-1] == pytest.approx(1 - late.G[-1])


# Honest failure


def test_a_teacher_of_endless_data_is_refused_in_words():
    with pytest.raises(NotConverged, match=r"overlap 0.9 at alpha = 1e\+08, L = 1, 0 steps: layer 1 freezes"):
        noisy_teacher(0.9, 1e8, 1)


def test_beyond_jamming_there_is_no_number():
    with pytest.raises(NotConverged, match=r"alpha = 2\.5, L = 1: layer 1 freezes"):
        replica_symmetric(2.5, 1)


def test_what_has_not_converged_says_how_far_it_is():
    with pytest.raises(NotConverged, match=r"no solution within 3 steps, the residual is .* allow more steps"):
        bayes_optimal(50.0, 5, most=3)


def test_a_saddle_is_left():
    """x = 0 solves x = 2x - x^3 and repels."""
    found = fixed_point(lambda x: 2 * x - x**3, np.array([1e-12]), frail=lambda x: lambda v: v[None])
    assert abs(found.x[0]) == pytest.approx(1)


def test_a_saddle_is_left_where_layers_answer_each_other_in_turns():
    """q = 1.8 Q - Q^3, Q = 0.6 q: one step makes differences smaller, the next larger, and both together 1.08 times."""
    found = fixed_point(
        lambda x: np.array([1.8 * x[1] - x[1] ** 3, 0.6 * x[0]]), np.full(2, 1e-12), frail=lambda x: lambda v: v[None]
    )
    assert_allclose(np.abs(found.x[1]), np.sqrt(1.8 - 1 / 0.6))


def test_what_grows_at_first_and_shrinks_in_the_end_is_no_saddle():
    """x = 5 y grows from y alone, and both die out by 0.9 and 0.85 a step."""
    found = fixed_point(
        lambda x: np.array([[0.9, 5.0], [0.0, 0.85]]) @ x, np.zeros(2), frail=lambda x: lambda v: v[None]
    )
    assert (found.x == 0).all()
    assert 20 < found.n_steps < 100


def test_a_saddle_that_cannot_be_left_is_no_solution():
    """Whatever is small grows, and what has grown comes back."""
    with pytest.raises(NotConverged, match=r"could not be left: small differences from it grow by 1\.5 a step"):
        fixed_point(lambda x: np.where(np.abs(x) <= 5e-3, 1.5 * x, 0.0), np.zeros(1), frail=lambda x: lambda v: v[None])


def test_growth_that_is_too_slow_to_be_told_from_none_is_no_saddle():
    found = fixed_point(
        lambda x: np.where(np.abs(x) <= 5e-3, 1.001 * x, 0.0), np.zeros(1), frail=lambda x: lambda v: v[None]
    )
    assert found.x == 0
    assert found.n_steps > 500  # it was left five times


@pytest.mark.parametrize("frail", [None, lambda x: lambda v: v[None]])
def test_steps_are_evaluations_all_of_them_and_no_more_than_allowed(frail):
    seen = []

    def update(x):
        seen.append(x)
        return 0.5 * x

    found = fixed_point(update, np.ones(1), frail=frail)
    assert found.n_steps == len(seen)
    enough = len(seen)
    assert fixed_point(update, np.ones(1), frail=frail, most=enough).n_steps == enough
    seen.clear()
    with pytest.raises(NotConverged, match=f"within {enough - 1} steps"):
        fixed_point(update, np.ones(1), frail=frail, most=enough - 1)
    assert len(seen) == enough - 1


def test_what_is_no_number_ends_at_once():
    seen = []

    def update(x):
        seen.append(x)
        return x - 1 if x[0] > 0 else np.full_like(x, np.nan)

    with pytest.raises(NotConverged, match="numbers are not finite at step 4"):
        fixed_point(update, np.array([2.5]))
    assert len(seen) == 4


def test_numbers_of_numpy_are_numbers():
    asked: dict[str, Any] = {"tolerance": np.float32(1e-6), "most": np.int64(100)}
    found = fixed_point(np.cos, np.array([0.5]), **asked)
    assert found.residual < 1e-6


def test_overlaps_are_brought_back_without_levels_that_collapse():
    shape, old = Shape(3, 2), np.array([0.2, 0.4, 0.2, 0.4, 0.2, 0.4])
    new = shape.within(np.array([0.5, 0.3, -0.2, 1.3, 0.1, 0.35]), old).reshape(-1, 2)
    assert (np.diff(new, prepend=0.0, append=1.0) > 0.05).all()
    assert_allclose(new[2], [0.1, 0.35])  # what is inside stays


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: replica_symmetric(0, 4), "alpha = M/N is a finite number above 0; got 0"),
        (lambda: replica_symmetric(float("nan"), 4), "alpha = M/N is a finite number above 0"),
        (lambda: replica_symmetric(True, 4), "alpha = M/N is a finite number above 0"),
        (lambda: bayes_optimal(20, 0), "the depth L is a whole number of at least 1; got 0"),
        (lambda: bayes_optimal(20, "2"), "the depth L is a whole number of at least 1; got '2'"),  # pyright: ignore[reportArgumentType]  # as a user may
        (lambda: replica_symmetry_breaking(20, 4, 0), "steps k of replica symmetry breaking are 1 to 200; got 0"),
        (lambda: replica_symmetry_breaking(20, 4, [0.5, 0.3]), "0 < m_1 < .. < m_k < 1, up to 200; got [0.5, 0.3]"),
        (lambda: replica_symmetry_breaking(20, 4, [0.5, 1.0]), "0 < m_1 < .. < m_k < 1"),
        (lambda: noisy_teacher(1.2, 20, 4), "with the teacher's, is a finite number of at most 1; got 1.2"),
        (lambda: noisy_teacher(0.5, 20, 4, start=replica_symmetric(20, 4)), "has overlaps with a teacher"),
        (
            lambda: replica_symmetric(20, 4, start=replica_symmetric(20, 3)),
            "4 layers and 1 overlaps in each, k + 1; got 3 and 1",
        ),
        (
            lambda: noisy_teacher(0.5, 20, 4, start="high"),
            "a Profile, or one of 'low'; got 'high'",
        ),
        (lambda: replica_symmetric(20, 4, start=None), "or one of 'low', 'liquid'; got None"),  # type: ignore[arg-type]  # as a user may
        (lambda: bayes_optimal(20, 4, start="up"), "one of 'low', 'liquid', 'high', 'stable'; got 'up'"),
        (lambda: replica_symmetric(20, 4, tolerance=1.0), "a tolerance is a finite number of at most 0.0001; got 1.0"),
        (lambda: replica_symmetric(20, 4, open_end=1), "open_end is True or False; got 1"),  # type: ignore[arg-type]  # as a user may
        (lambda: penetration_depth(None), "a penetration depth is that of a profile; got None"),  # type: ignore[arg-type]  # as a user may
        (lambda: generalisation_error(None), "the generalisation error is that of a profile; got None"),  # type: ignore[arg-type]  # as a user may
        (lambda: continued(3, [1.0]), "what is continued is a solver, called as solve(alpha, start=...); got 3"),  # type: ignore[arg-type]  # as a user may
        (lambda: replica_symmetric(20, 4, tolerance=0.0), "a tolerance is a finite number above 0; got 0.0"),
        (lambda: replica_symmetric(20, 4, most=0), "most is a whole number of at least 1; got 0"),
        (lambda: glass_transitions(0), "n_layers is a whole number of at least 1; got 0"),
        (lambda: glass_transitions(2, scenario="student"), "a scenario is random or teacher; got 'student'"),
        (lambda: glass_transitions(2, scenario="teacher", levels=2), "leave the levels out"),
        (lambda: growth([1.0, 2.0]), "a law of growth needs three transitions above 0"),
        (lambda: generalisation_error(replica_symmetric(1.0, 1)), "without a teacher has no generalisation error"),
        (lambda: penetration_depth(replica_symmetric(5.0, 3), least=0), "least is a finite number above 0; got 0"),
    ],
)
def test_mistakes_end_in_one_line(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_laws_of_growth_are_told_apart():
    layers = np.arange(1, 7)
    exponential, power = growth(2.7 * np.exp(1.03 * layers)), growth(2.5 * layers**3.0)
    assert_allclose(exponential.exponential, [2.7, 1.03])
    assert exponential.exponential_misfit < 1e-9 < exponential.power_misfit
    assert_allclose(power.power, [2.5, 3.0])
    assert power.power_misfit < 1e-9 < power.exponential_misfit


def test_a_gap_ends_the_frozen_layers():
    q = np.array([1, 0.5, 0.1, 0.0, 0.1, 0.5, 1])[:, None]
    assert penetration_depth(Profile(1.0, q, np.zeros((6, 1)), np.zeros(0), 0.0, 1)) == 2
