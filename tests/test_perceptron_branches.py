"""Machines with two solutions: each is followed as far as it goes, and entropies tell which of them is met."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_ndtr

from classical.perceptron import (
    NotConverged,
    Profile,
    bayes_optimal,
    coexistence,
    continued,
    entropy,
    frozen,
    jamming,
    noisy_teacher,
    replica_symmetric,
    replica_symmetry_breaking,
    state_freezing,
)
from classical.perceptron.volume import of_overlaps
from encoding import InputError

# Volume of students


def slope(found: Profile, alpha: float, seed: int, step: float) -> float:
    """|ds| for a step of all overlaps, those with the teacher and those of students, in a random direction."""
    assert found.r is not None
    assert found.R is not None
    teacher, ends = (found.r, found.R), found.r[[0, -1]]

    def at(sign: float) -> float:
        random = np.random.default_rng(seed)

        def moved(overlaps: np.ndarray) -> np.ndarray:
            rises = np.diff(overlaps, axis=-1, prepend=0.0)
            return np.cumsum(rises * (1 + sign * step * random.uniform(-1, 1, overlaps.shape)), axis=-1)

        q, bonds = (np.where(one < 1, moved(one), one) for one in (found.q, found.Q))
        r, R = (moved(one[:, None])[:, 0] for one in teacher)
        r[[0, -1]] = ends
        return of_overlaps(alpha, q, bonds, found.m, (r, R))

    return abs(at(1) - at(-1)) / (2 * step)


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (bayes_optimal(20.0, 3, start="low"), 1e-4),  # s bends sharply where R leaves Q
        (noisy_teacher(0.9, 12.0, 3, tolerance=1e-9), 3e-4),
        (noisy_teacher(0.9, 8.0, 3, 2, tolerance=1e-9), 1e-3),
    ],
    ids=["who know", "who err", "in states"],
)
def test_students_make_the_entropy_stationary(found, step):
    for seed in range(4):
        assert slope(found, found.alpha, seed, step) < 1e-5
        assert slope(found, 1.05 * found.alpha, seed, step) > 1e-3


def test_one_layer_of_students_has_the_entropy_of_their_answers():
    """s = [ln(1 - R) + R]/(2 alpha) + 2 int Dz H ln H (Gyorgyi & Tishby 1990)."""
    student = bayes_optimal(20.0, 1)
    overlap = float(student.Q[0, 0])
    z = np.linspace(-10, 10, 20001)
    x = np.sqrt(overlap / (1 - overlap)) * z
    walls = 2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * np.exp(log_ndtr(x)) * log_ndtr(x)
    expected = (np.log(1 - overlap) + overlap) / (2 * 20.0) + walls.sum() * (z[1] - z[0])
    assert entropy(student) == pytest.approx(expected, abs=1e-8)


def test_students_who_know_nothing_have_the_entropy_of_random_data():
    known, none = noisy_teacher(0.0, 12.0, 4), replica_symmetric(12.0, 4)
    assert entropy(known) == pytest.approx(entropy(none), abs=1e-6)


# Students of a teacher


def test_of_two_solutions_the_more_probable_is_bayes_optimal():
    for alpha, wanted in ((15.0, "low"), (18.0, "high")):
        both = {branch: bayes_optimal(alpha, 3, start=branch) for branch in ("low", "high")}
        assert both["high"].q_ea[1] - both["low"].q_ea[1] > 0.2
        assert max(both, key=lambda branch: entropy(both[branch])) == wanted
        for found in (bayes_optimal(alpha, 3), noisy_teacher(1.0, alpha, 3), noisy_teacher(1.0, alpha, 3, 2)):
            assert_allclose(found.q_ea, both[wanted].q_ea, atol=1e-5)


def test_the_ends_of_both_branches_and_where_they_are_equally_probable():
    found = coexistence(3)
    assert found.equal == pytest.approx(16.449, abs=1e-3)
    for end, branch, there in ((found.first, "high", 1.001), (found.last, "low", 0.999)):
        inside = bayes_optimal(end * there, 3, start=branch).q_ea[1]
        outside = bayes_optimal(end * (2 - there), 3, start=branch).q_ea[1]
        assert abs(inside - outside) > 0.1
    low, high = (entropy(bayes_optimal(found.equal, 3, start=branch)) for branch in ("low", "high"))
    assert low == pytest.approx(high, abs=1e-9)


@pytest.mark.slow
def test_of_three_solutions_too_the_most_probable_is_bayes_optimal():
    """Forty layers: liquid, glass and q = 1, of which glass is never the most probable one here."""
    equal = coexistence(40).equal
    assert 700 < equal < 720
    assert bayes_optimal(0.98 * equal, 40).q_ea[20] < 1e-6
    assert bayes_optimal(1.02 * equal, 40).q_ea[20] > 0.999


def test_deep_machines_stay_in_what_they_come_from_at_any_alpha():
    assert coexistence(6).last == np.inf


def test_what_students_remember_shows_hysteresis():
    solve = partial(bayes_optimal, depth=3)
    alphas = [10.0, 15.0, 20.0, 25.0, 30.0]
    up = continued(solve, alphas, start="low")
    down = continued(solve, alphas[::-1], start="high")[::-1]
    apart = [bool(high.q_ea[1] - low.q_ea[1] > 0.1) for low, high in zip(up, down, strict=True)]
    assert apart == [False, True, True, True, False]


def test_students_cannot_know_more_than_there_is():
    """What answers tell, -s a pattern, is bounded by the ways to answer: alpha (-s) <= L ln(e alpha) (Cover 1965)."""
    for alpha, depth in ((100.0, 6), (1000.0, 20)):
        most = depth * np.log(np.e * alpha) / alpha
        assert -entropy(bayes_optimal(alpha, depth)) < most < -entropy(bayes_optimal(alpha, depth, start="low"))


def test_endless_data_have_no_jamming_to_be_warned_of():
    with pytest.raises(NotConverged, match="floating-point numbers keep no digits") as told:
        bayes_optimal(1e6, 1)
    assert "jamming" not in str(told.value)


# Frozen states


def test_the_states_of_the_first_layers_freeze_one_below_another():
    low = replica_symmetry_breaking(20.0, 4, 5)
    assert low.q_ea[1] < 0.7
    found = [replica_symmetry_breaking(20.0, 4, 5, start=frozen(low, 1, level)) for level in (2, 3, 4)]
    for level, one in zip((2, 3, 4), found, strict=True):
        assert_allclose(one.q[1, level:], 1, atol=1e-6)
        assert one.q[1, level - 1] < 0.7
    stable = replica_symmetry_breaking(20.0, 4, 5, start="stable")
    assert entropy(stable) == pytest.approx(min(map(entropy, found)), abs=1e-7)
    assert entropy(stable) < entropy(low) - 0.03


def test_where_nothing_freezes_the_stable_solution_is_the_one_there_is():
    for alpha in (8.0, 16.5):
        low, stable = (replica_symmetry_breaking(alpha, 4, 3, start=branch) for branch in ("low", "stable"))
        assert_allclose(low.q, stable.q, atol=1e-5)


@pytest.mark.parametrize(("depth", "levels", "expected"), [(3, 1, 12.793), (3, 5, 11.523), (4, 5, 17.228)])
def test_states_freeze_where_the_entropies_of_both_are_equal(depth, levels, expected):
    """Also where states are frozen but for a part in 100,000, as in few layers."""
    alpha = state_freezing(depth, levels, tolerance=1e-6)
    assert alpha == pytest.approx(expected, rel=2e-4)
    for factor, nothing in ((0.997, True), (1.003, False)):
        low, stable = (
            replica_symmetry_breaking(factor * alpha, depth, levels, start=branch) for branch in ("low", "stable")
        )
        assert (stable.q_ea[1] < 0.99) == nothing
        assert entropy(low) - entropy(stable) == pytest.approx(0, abs=3e-3)


def test_what_is_stable_is_so_where_iteration_itself_ends_in_frozen_states():
    """Three layers at alpha = 16, beyond jamming: s falls with the level from which on they are frozen."""
    before, after = (replica_symmetry_breaking(alpha, 3, 5, start="stable") for alpha in (15.0, 16.0))
    followed = replica_symmetry_breaking(16.0, 3, 5, start=before)
    assert entropy(after) < entropy(followed) + 1e-7
    assert entropy(after) < entropy(before)
    for level in range(1, 6):  # whatever is frozen already stays in order
        start = frozen(replica_symmetry_breaking(17.0, 3, 5), 1, level)
        assert (np.diff(start.q, axis=1) >= 0).all()
        assert (start.q[1, level:] > 0.9999).all()


def test_one_layer_jams_with_levels_too():
    for alpha, tolerance in ((2.0, 1e-4), (2.0001, 1e-4), (3.0, 1e-7)):
        with pytest.raises(NotConverged, match="L = 1: there is no solution from the jamming transition at 2 on"):
            replica_symmetry_breaking(alpha, 1, 5, tolerance=tolerance)


def test_the_middle_of_a_deep_machine_stays_liquid_if_that_is_more_probable():
    """Glass in the middle becomes possible before it becomes probable, and that before it grows from the ends."""
    for alpha, liquid in ((800.0, True), (1000.0, False)):
        assert (bayes_optimal(alpha, 60).q_ea[30] < 1e-6) == liquid
        assert bayes_optimal(alpha, 60, start="low").q_ea[30] > 0.2


# Jamming


@pytest.mark.parametrize(
    ("r", "alpha", "tolerance"),
    [(0.0, 2.003, 1e-7), (0.3, 2.0073, 1e-7), (0.7, 2.243, 1e-7), (0.9, 3.2016, 1e-7), (0.9, 3.3, 1e-4)],
)
def test_just_beyond_jamming_students_have_no_number(r, alpha, tolerance):
    with pytest.raises(NotConverged, match="no solution beyond the jamming transition"):
        noisy_teacher(r, alpha, 1, tolerance=tolerance)


@pytest.mark.parametrize(
    ("alpha", "depth", "tolerance"), [(2.0, 1, 1e-10), (2.0, 1, 1e-6), (2.02, 1, 1e-6), (49.2, 2, 1e-7)]
)
def test_at_and_beyond_jamming_there_is_no_number_at_any_tolerance(alpha, depth, tolerance):
    with pytest.raises(NotConverged, match="no solution beyond the jamming transition"):
        replica_symmetric(alpha, depth, tolerance=tolerance)


def test_just_before_jamming_there_is_one():
    """1 - Q vanishes linearly there: at 1.99 it is 0.00262 (Gardner)."""
    assert 1 - replica_symmetric(1.9999, 1).Q[0, 0] == pytest.approx(2.62e-5, rel=0.05)


# Bad starts


LOW = replica_symmetry_breaking(8.0, 3, 2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: replica_symmetry_breaking(8, 3, 2, start=replace(LOW, q=2 * LOW.q)),
            "q of a profile is an array (4, 3)",
        ),
        (
            lambda: replica_symmetry_breaking(8, 3, 2, start=replace(LOW, Q=LOW.Q[:, ::-1])),
            "Q of a profile is",
        ),
        (
            lambda: replica_symmetry_breaking(8, 3, 2, start=replace(LOW, q=LOW.q.tolist())),
            "q of a profile is an array",
        ),
        (lambda: replica_symmetry_breaking(8, 3, 2, start="frozen"), "one of 'low', 'stable'; got 'frozen'"),
        (lambda: bayes_optimal(8, 3, start="high", open_end=True), "one of 'low', 'liquid', 'stable'; got 'high'"),
        (lambda: entropy(replace(LOW, alpha=0.0)), "alpha of a profile is a finite number above 0; got 0.0"),
        (lambda: entropy(replace(LOW, m=LOW.m[:1])), "q of a profile is an array (4, 2)"),
        (lambda: entropy(replace(LOW, q=np.full((4, 3), np.nan))), "q of a profile is an array (4, 3) of overlaps"),
        (lambda: replica_symmetric(8, 3, start=replace(LOW, Q=None)), "q of a profile is an array (1, 3)"),  # type: ignore[arg-type]  # as a user may
        (lambda: continued(partial(replica_symmetric, depth=3), None), "alphas come in a list; got None"),  # type: ignore[arg-type]  # as a user may
        (lambda: jamming(2, np.array([1.0, 2.0])), "jamming is known with 0 or 1 steps"),  # type: ignore[arg-type]  # as a user may
        (lambda: frozen(LOW, 2, 1), "the number of frozen layers is a whole number of at most 1; got 2"),
        (lambda: frozen(LOW, 1, 0), "states are frozen is a whole number of at least 1; got 0"),
        (lambda: frozen(replica_symmetric(5, 3), 1, 1), "of a profile with levels; got one without"),
        (lambda: frozen(None, 1, 1), "states to freeze are those of a profile; got None"),  # type: ignore[arg-type]  # as a user may
        (lambda: coexistence(2), "two solutions coexist in 3 layers or more; got 2"),
        (lambda: state_freezing(2), "states of the first layers freeze in 3 layers or more; got 2"),
    ],
)
def test_mistakes_end_in_one_line(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
