"""What the levels of the deep perceptron's solutions mean, how much room they leave, and which layers freeze."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import log_ndtr

from classical.perceptron import (
    NotConverged,
    Profile,
    bayes_optimal,
    entropy,
    glass_transitions,
    growth,
    hierarchy,
    marginality,
    noisy_teacher,
    overlap_distribution,
    overlap_function,
    penetration,
    penetration_depth,
    replica_symmetric,
    replica_symmetry_breaking,
    transitions,
)
from classical.perceptron.bond_overlaps import bond_overlaps
from classical.perceptron.layers import Shape
from classical.perceptron.noisy import Taught, taught_update
from classical.perceptron.volume import log_determinant, of_overlaps
from encoding import InputError

TABLE = Path(__file__).parent.parent / "docs" / "perceptron_transitions.csv"


@pytest.fixture(scope="module")
def broken():
    """Ten steps, two layers of spins frozen."""
    return replica_symmetry_breaking(20.0, 4, 10)


def test_ten_steps_in_four_layers_take_no_minute(timed):
    found, seconds = timed(lambda: replica_symmetry_breaking(20.0, 4, 10))
    assert seconds < 10
    assert found.residual < 1e-7


def test_states_are_marginally_stable(broken):
    assert abs(marginality(broken) - 1) < 5e-4
    assert abs(marginality(replica_symmetry_breaking(10.0, 6, 3)) - 1) < 5e-3


def test_a_liquid_is_stable_up_to_the_first_transition():
    """sqrt(alpha) 2/pi, all else being 1."""
    assert marginality(replica_symmetric(1.0, 4)) == pytest.approx(2 / np.pi)
    assert marginality(replica_symmetric(0.99 * np.pi**2 / 4, 5)) == pytest.approx(np.sqrt(0.99))
    assert abs(marginality(replica_symmetric(20.0, 6)) - 1) > 0.02  # replica symmetry is not


def test_overlaps_of_pairs_are_those_of_the_levels(broken):
    x = np.linspace(0, 1, 100001)
    for layer in range(5):
        q = overlap_function(broken, layer, x)
        assert (np.diff(q) >= 0).all()
        assert np.trapezoid(q, x) == pytest.approx(broken.mean_q[layer], abs=1e-4)
        overlap, share = overlap_distribution(broken, layer)
        assert share.sum() == pytest.approx(1)
        assert overlap @ share == pytest.approx(broken.mean_q[layer])
    assert len(overlap_distribution(broken, 2)[0]) < len(overlap_distribution(broken, 1)[0]) <= 11


def steepest(found, alpha, step=3e-3):
    """The largest |ds| a step in six directions, as if the patterns were alpha N."""
    random, slopes = np.random.default_rng(3), []
    for _ in range(6):
        moved = []
        for overlaps in (found.q, found.Q):
            steps = np.diff(overlaps, axis=1, prepend=0.0) * random.normal(size=overlaps.shape)
            moved.append(step * np.cumsum(steps, axis=1) * (overlaps < 1) * (1 - overlaps[:, -1:]))
        dq, dbonds = moved
        up, down = (of_overlaps(alpha, found.q + s * dq, found.Q + s * dbonds, found.m) for s in (1, -1))
        slopes.append(abs(up - down) / (2 * step))
    return max(slopes)


def test_solutions_make_the_entropy_stationary():
    """Whatever direction the overlaps are moved in: the equations are its derivatives, and no others."""
    levels = replica_symmetry_breaking(20.0, 4, 3, tolerance=1e-9)
    for found in (replica_symmetric(20.0, 4), replica_symmetric(1.5, 1), levels):
        assert steepest(found, found.alpha) < 1e-5
        assert steepest(found, 1.01 * found.alpha) > 1e-4


def test_one_layer_has_gardners_volume():
    found = replica_symmetric(1.5, 1)
    overlap = float(found.Q[0, 0])
    slope = np.sqrt(overlap / (1 - overlap))

    def density(z):
        return np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * log_ndtr(slope * z)

    bonds = (np.log(1 - overlap) + overlap / (1 - overlap)) / (2 * 1.5)
    assert entropy(found) == pytest.approx(bonds + quad(density, -12, 12, limit=400)[0], abs=1e-7)


def test_room_is_less_than_that_of_the_mean_and_less_where_symmetry_breaks(broken):
    assert entropy(replica_symmetric(2.0, 5)) == pytest.approx(-np.log(2), abs=1e-9)
    assert entropy(broken) < entropy(replica_symmetric(20.0, 4)) < -np.log(2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.01, 0.9), min_size=3, max_size=3), st.floats(0.1, 0.45), st.floats(0.5, 0.9))
def test_determinants_of_few_replicas_continue_to_none(overlaps, low, high):
    """Bonds on their sphere make (1/2) ln det Q - sum_ab R_ab Q_ab/2 stationary: d(ln det/n)/dQ_i by differences."""
    q, m = np.sort(overlaps), np.array([low, high])
    assume((np.diff(q) >= 0.02).all())
    step, shares = 1e-6, np.diff([0.0, low, high, 1.0])
    up = [log_determinant(q + step * np.eye(3)[i], m) - log_determinant(q - step * np.eye(3)[i], m) for i in range(3)]
    load = np.array(up) / (2 * step) / shares
    assert_allclose(bond_overlaps(load, m).Q, q, atol=1e-6)


# Averages far from where they are easy


def tilted(variances, m, f, slope):
    """<(f_0')^2> and <(f_1')^2> of one step, the inner integral around its largest contribution."""
    (low, high), found = variances, np.zeros(2)
    z = np.linspace(-9, 9, 4001)
    share = np.exp(-(z[::20] ** 2) / 2)
    y = np.sinh(np.linspace(-17, 17, 40001)) * 1e-6
    dy = np.gradient(y)
    for u, part in zip(z[::20], share / share.sum(), strict=True):
        exponent = m * f(y) - (y - np.sqrt(low) * u) ** 2 / (2 * (high - low))
        weight = dy * np.exp(exponent - exponent.max())
        weight /= weight.sum()
        found += part * np.array([(weight @ slope(y)) ** 2, weight @ slope(y) ** 2])
    return found


@pytest.mark.parametrize("felt", [(0.1, 1 - 1e-3), (0.3, 1 - 1e-6), (0.98, 1 - 1e-5)])
def test_walls_that_are_nearly_hard_answer_as_their_integrals_say(felt):
    width = np.sqrt(1 - felt[1])
    expected = tilted(
        felt, 0.7, lambda h: log_ndtr(h / width), lambda h: np.exp(-h * h / 2 / width**2 - log_ndtr(h / width))
        / np.sqrt(2 * np.pi) / width,
    )  # fmt: skip
    assert_allclose(hierarchy.bonds(np.array(felt), np.array([0.7])).squares, expected, rtol=2e-4)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-12, -0.1), min_size=6, max_size=6), st.integers(2, 9))
def test_no_hierarchy_loses_the_order_of_its_levels(exponents, k):
    """<(f_i')^2> rises with i, however hard the wall."""
    gaps = np.sort(10.0 ** np.array(exponents))[::-1]
    felt = np.sort(1 - np.resize(gaps, k + 1))
    answer = hierarchy.bonds(felt, (np.arange(k) + 0.5) / k).squares
    assert np.isfinite(answer).all()
    assert (np.diff(answer) >= -1e-6 * answer[1:]).all()
    assert answer[0] > 0


def test_spins_that_are_decided_are_so_whatever_a_larger_field():
    m = np.array([0.3, 0.6])
    less, more = (hierarchy.spins(np.array([0.5, 3.0, v]), m) for v in (5e3, 5e5))
    assert_allclose(less.squares, more.squares, atol=1e-9)
    assert more.free - less.free == pytest.approx(0.6 * (5e5 - 5e3) / 2)


def test_between_points_a_quintic_is_exact():
    grid = np.arange(12.0)
    c, u = hierarchy.steps().quintics(grid**5 - 3 * grid**4), 0.37
    assert 5.0**5 - 3 * 5.0**4 + c[5] @ u ** np.arange(1, 6) == pytest.approx(5.37**5 - 3 * 5.37**4)


# Far from the first transitions


@pytest.mark.parametrize("alpha", [100.0, 1000.0, 4000.0])
def test_twenty_layers_have_a_solution_at_any_alpha(alpha):
    symmetric, students = replica_symmetric(alpha, 20), bayes_optimal(alpha, 20)
    found = replica_symmetry_breaking(alpha, 20, 2, tolerance=1e-6)
    for one in (symmetric, students, found):
        assert np.isfinite(one.q).all()
        assert np.isfinite(one.Q).all()
        assert_allclose(one.q, one.q[::-1], atol=1e-12)
    assert (np.diff(found.q) >= -1e-12).all()
    assert found.q_ea[1] > symmetric.q_ea[1]
    assert entropy(found) < entropy(symmetric)


def test_students_have_no_levels_where_they_see_everything():
    for levels in (3, [0.2, 0.7]):
        student, bayes = noisy_teacher(1.0, 25.0, 5, levels), bayes_optimal(25.0, 5)
        assert student.r is not None
        assert student.R is not None
        assert_allclose(student.q, np.repeat(bayes.q, student.q.shape[1], axis=1), atol=1e-4)
        assert_allclose(student.r, student.q_ea, atol=1e-4)
        assert_allclose(student.R, student.Q[:, -1], atol=1e-4)


def hidden(taught: Profile, r: float, small: float = 0.0) -> Profile:
    """The same students, to whom almost nothing is left of their teacher."""
    near = np.full(taught.depth + 1, small)
    near[[0, -1]] = r
    return replace(taught, r=near, R=np.full(taught.depth, small))


@pytest.mark.parametrize(("r", "alpha"), [(0.9, 4.5), (0.5, 60.0)])
def test_a_teacher_who_can_be_found_is_found_from_any_start(r, alpha):
    found = noisy_teacher(r, alpha, 4, 3)
    assert found.r is not None
    assert found.r[1] > 0.05
    for small in (0.0, 1e-3):
        again = noisy_teacher(r, alpha, 4, 3, start=hidden(found, r, small))
        assert again.r is not None
        assert_allclose(again.r, found.r, atol=1e-5)


def test_of_a_teacher_of_whom_the_data_know_nothing_nothing_is_found():
    found = noisy_teacher(0.0, 4.5, 4, 3)
    again = noisy_teacher(0.0, 4.5, 4, 3, start=hidden(found, 0.0))
    assert again.r is not None
    assert np.abs(again.r).max() < 1e-9


@pytest.mark.parametrize(("r", "alpha"), [(0.9, 4.5), (0.9, 3.2), (0.5, 12.0), (0.1, 20.0)])
def test_small_overlaps_with_a_teacher_grow_by_the_root_of_alpha(r, alpha):
    """r^2 alpha G_1 chi kappa^2 a round, kappa^2 = (2/pi) K_0: in marginal states r^2 (2/pi) alpha^1/2."""
    states = replica_symmetry_breaking(alpha, 4, 10)
    layout, small = Taught(Shape(4, 11), Shape(4, 1), r), 1e-6
    x = np.concatenate([layout.students.together(states.q[1:-1], states.Q), small * np.array([1, 0, 1, 0])])
    grown = []
    for _ in range(2):
        x = taught_update(x, layout, alpha, states.m)
        grown.append(layout.named(x)["r"][1])
    assert grown[1] / grown[0] == pytest.approx(r**2 * 2 / np.pi * np.sqrt(alpha), rel=1e-3)


def test_a_teacher_is_found_above_an_alpha_that_the_noise_sets():
    """Where r^2 (2/pi) alpha^1/2 = 1: 3.76 for r = 0.9."""
    hides = np.pi**2 / (4 * 0.9**4)
    below, above = (noisy_teacher(0.9, hides * factor, 4, 3).r for factor in (0.98, 1.02))
    assert below is not None
    assert above is not None
    assert below[1] < 1e-6
    assert above[1] > 5e-3


def test_much_noise_hides_the_teacher():
    """r = 0.1 hides a teacher up to alpha = 24700."""
    near, far = (noisy_teacher(r, 25.0, 6, 3) for r in (0.9, 0.1))
    assert near.r is not None
    assert far.r is not None
    assert near.r[1] > 0.3
    assert far.r[1] < 1e-4
    assert_allclose(far.q, replica_symmetry_breaking(25.0, 6, 3).q, atol=1e-4)


# Transitions


def stored():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = dict.fromkeys((row["scenario"], int(row["steps"])) for row in rows)
    return {
        kind: np.array([float(row["alpha_g"]) for row in rows if (row["scenario"], int(row["steps"])) == kind])
        for kind in kinds
    }


def test_the_table_of_transitions_has_the_numbers_to_meet():
    table = stored()
    for (scenario, steps), expected in {("random", 0): 21.012, ("teacher", 0): 12.916}.items():
        assert_allclose(table[scenario, steps][:2], [np.pi**2 / 4, expected], atol=1e-3)
    for steps, expected in {1: 15.27, 2: 15.43, 5: 15.88, 10: 16.02}.items():
        assert table["random", steps][1] == pytest.approx(expected, abs=0.01)
    assert table["random", 20][1] == pytest.approx(table["random", 10][1], abs=0.05)
    quick = glass_transitions(3, scenario="teacher")
    assert_allclose(table["teacher", 0][:3], quick, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("k", [5, 10, 20])
def test_the_table_of_transitions_is_made_by_its_command(k):
    assert glass_transitions(2, levels=k, tolerance=1e-7)[1] == pytest.approx(stored()["random", k][1], abs=1e-3)


def test_transitions_grow_as_powers_of_depth():
    for found in stored().values():
        if len(found) < 3:
            continue
        law = growth(found)
        assert law.power_misfit < law.exponential_misfit


@pytest.mark.parametrize("law", ["power", "exponential"])
def test_of_twenty_intervals_nineteen_hold_a_planted_law(law):
    """The law is a line in ln alpha with noise around it."""
    layers, wanted = np.arange(2, 12), np.array([2.5, 1.3])
    x = np.log(layers) if law == "power" else layers
    held = []
    for seed in range(400):
        noise = 0.1 * np.random.default_rng(seed).normal(size=len(layers))
        low, high = getattr(growth(2.5 * np.exp(1.3 * x + noise), first=2), f"{law}_interval")
        held.append((low < wanted) & (wanted < high))
    assert_allclose(np.mean(held, axis=0), 0.95, atol=0.03)  # 400 trials: +- 0.011


def test_as_many_layers_are_frozen_as_there_are_transitions_below():
    random = glass_transitions(4)
    for alpha in (2.0, 2.6, 22.0, 200.0, 300.0):
        assert penetration(alpha) == (random < alpha).sum()
    assert penetration(100.0, scenario="teacher") == 4
    assert penetration_depth(replica_symmetric(200.0, 12)) == penetration(200.0)


@pytest.mark.parametrize(("scenario", "last"), [("random", 41834.0), ("teacher", 1037.35)])
def test_beyond_the_last_transition_glass_fills_machines_of_any_depth(scenario, last):
    """Transitions come closer and closer: neither law of growth holds for ever."""
    below, above = (penetration(last * factor, scenario=scenario) for factor in (0.999, 1.001))
    assert 18 < below < above == np.inf
    solve = replica_symmetric if scenario == "random" else bayes_optimal
    liquid, filled = solve(0.8 * last, 60, start="liquid"), solve(1.05 * last, 60, start="low")
    assert liquid.q_ea[30] < 1e-6
    assert (filled.q_ea > 0.05).all()


def test_a_jump_is_no_transition(monkeypatch):
    monkeypatch.setattr(transitions, "_excess", lambda end, _: -1.0 if end.alpha < 7 else 1.0)
    with pytest.raises(NotConverged, match=r"layer 2 does not freeze continuously: .* jump, and at alpha = 7 another"):
        glass_transitions(2)


def test_levels_are_counted_as_long_as_layers_freeze_one_after_the_other():
    table = stored()["random", 2]
    for alpha in (10.0, 30.0, 60.0, 90.0):
        assert penetration(alpha, levels=2, tolerance=1e-7) == (table < alpha).sum()
    with pytest.raises(NotConverged, match="frozen at alpha = 120 cannot be counted: overlaps have jumped to another"):
        penetration(120.0, levels=2, tolerance=1e-7)


@pytest.mark.slow
def test_a_transition_of_machines_with_frozen_states_is_none():
    """With one step of broken symmetry five layers freeze; what comes at alpha = 294 comes after the jump."""
    assert glass_transitions(5, levels=1, tolerance=1e-7)[-1] == pytest.approx(221.26, abs=0.01)
    with pytest.raises(NotConverged, match="layer 6 does not freeze continuously"):
        glass_transitions(6, levels=1, tolerance=1e-7)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: overlap_function(replica_symmetric(1.0, 2), 3, 0.5), "layer is a whole number of at most 2; got 3"),
        (lambda: overlap_function(replica_symmetric(1.0, 2), 1, 1.5), "x is a share of pairs, from 0 to 1; got 1.5"),
        (lambda: overlap_function(replica_symmetric(1.0, 2), 1, "a"), "x is a share of pairs"),
        (lambda: overlap_distribution(replica_symmetric(1.0, 2), True), "a spin layer is a whole number"),
        (lambda: marginality(replica_symmetric(1.0, 2)), "marginality is that of 3 layers or more"),
        (lambda: marginality(3), "marginality is that of a profile; got 3"),  # pyright: ignore[reportArgumentType]  # as a user may
        (lambda: marginality(bayes_optimal(1.0, 4)), "got a profile with a teacher"),
        (lambda: marginality(replica_symmetric(1e3, 5)), "overlaps that begin at 0 in the second layer"),
        (lambda: entropy(None), "the entropy is that of a profile; got None"),  # type: ignore[arg-type]  # as a user may
        (lambda: overlap_distribution(None, 1), "overlaps are those of a profile; got None"),  # type: ignore[arg-type]  # as a user may
        (lambda: overlap_distribution(replica_symmetric(1.0, 2), 1, equal=np.nan), "equal is a finite number"),
        (lambda: growth([1.0, 2.0, 3.0], first=0), "first is a whole number of at least 1; got 0"),
        (lambda: growth("abc"), "needs three transitions above 0, or more; got 'abc'"),
        (lambda: growth([1.0, 2.0, np.inf]), "needs three transitions above 0, or more; got [1.0, 2.0, inf]"),
        (lambda: growth([1.0, np.nan, 2.0]), "needs three transitions above 0, or more; got [1.0, nan, 2.0]"),
        (lambda: penetration(-1.0), "alpha = M/N is a finite number above 0"),
        (lambda: glass_transitions(3, tolerance=0.1), "tolerance is a finite number of at most 1e-05; got 0.1"),
        (lambda: glass_transitions(1, tolerance="x"), "tolerance is a finite number above 0; got 'x'"),  # type: ignore[arg-type]  # as a user may
        (lambda: glass_transitions(3, scenario=np.array(["random"])), "a scenario is random or teacher; got"),  # type: ignore[arg-type]  # as a user may
        (lambda: penetration(5.0, scenario="pupil"), "a scenario is random or teacher; got 'pupil'"),
        (lambda: replica_symmetry_breaking(20, 4, 10**6), "steps k of replica symmetry breaking are 1 to 200"),
        (lambda: replica_symmetry_breaking(20, 4, ["0.1"]), "levels are a number k of steps"),  # type: ignore[list-item]  # as a user may
        (lambda: replica_symmetric(20, 10**7), "the depth L is a whole number of at most 1000; got 10000000"),
    ],
)
def test_mistakes_end_in_one_line(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_solution_without_levels_has_one_overlap():
    q = np.array([1.0, 0.4, 1.0])[:, None]
    one = Profile(1.0, q, np.zeros((2, 1)), np.zeros(0), 0.0, 1)
    assert overlap_function(one, 1, [0.0, 1.0]).tolist() == [0.4, 0.4]
    assert overlap_distribution(one, 1)[0].tolist() == [0.4]
