"""Replicas whose likeness was planted: the same up to the order of their units, partly alike, or not at all."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import activation_overlap, overlap_distribution, overlaps

RNG = np.random.default_rng(1)


def spins(*shape, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], shape)


def test_overlaps_of_spins_count_the_agreements():
    one, other = np.array([1, 1, 1, 1]), np.array([1, 1, 1, -1])
    assert overlaps([one, other], kind="raw") == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))


def test_length_counts_in_raw_overlaps_alone_and_a_common_shift_in_all_but_centred():
    x = RNG.normal(size=50)
    assert overlaps([x, -3 * x], kind="raw")[0, 1] == pytest.approx(-3 * np.mean(x**2))
    assert overlaps([x, -3 * x])[0, 1] == pytest.approx(-1)
    assert overlaps([x, x + 100])[0, 1] < 0.6
    assert overlaps([x, x + 100], kind="centred")[0, 1] == pytest.approx(1)


def test_what_points_nowhere_has_no_overlap():
    q = overlaps([[1.0, 1.0], [0.0, 0.0], [1.0, 2.0]])
    assert np.isnan(q[1]).all()
    assert q[0, 2] == pytest.approx(3 / np.sqrt(10))
    assert np.isnan(overlaps([[0.1, 0.1, 0.1], [1.0, 2.0, 4.0]], kind="centred")[0]).all()


@pytest.mark.parametrize("period", [2 * np.pi, 4.0])
def test_angles_overlap_by_the_cosine_of_what_lies_between_them_and_a_full_turn_is_nothing(period):
    one, turns = RNG.uniform(0, period, 40), RNG.integers(-3, 4, 40)
    quarter, eighth = one + period / 4, one + period / 8 + period * turns
    q = overlaps([one, one + period * turns, quarter, eighth], period=period)
    half = np.sqrt(0.5)
    truth = [[1, 1, 0, half], [1, 1, 0, half], [0, 0, 1, half], [half, half, half, 1]]
    assert q == pytest.approx(np.array(truth), abs=1e-12)
    assert overlaps([[0.0, 0.0], [0.0, period / 2]], period=period)[0, 1] == pytest.approx(0)  # one alike, one opposite


def test_angles_drawn_independently_have_no_overlap_and_no_length_or_mean_is_taken_off():
    angles = np.random.default_rng(2).uniform(0, 2 * np.pi, (20, 900))
    pairs = overlaps(angles, period=2 * np.pi)[np.triu_indices(20, 1)]
    assert np.abs(pairs).max() < 5 / np.sqrt(2 * 900)  # <cos^2> = 1/2
    for kind in ("raw", "centred"):
        with pytest.raises(InputError, match="leave kind out"):
            overlaps(angles, kind=kind, period=2 * np.pi)
    for period in (0, -1.0, np.nan, "2 pi", True):
        with pytest.raises(InputError, match="period is a finite number above 0"):
            overlaps(angles, period=period)  # type: ignore[arg-type]  # as a user may


def test_activations_are_compared_over_samples_and_units():
    x = RNG.normal(size=(3, 20, 7))
    q = activation_overlap(x, kind="raw")
    assert q[0, 2] == pytest.approx(sum(x[0, t, i] * x[2, t, i] for t in range(20) for i in range(7)) / 140)
    assert q == pytest.approx(overlaps(x, kind="raw"))


def renamed(x, seed=3):
    """The same machine, its units in another order and some of them turned over."""
    rng = np.random.default_rng(seed)
    return x[:, rng.permutation(x.shape[1])] * rng.choice([-1, 1], x.shape[1])


def test_a_machine_is_like_itself_whatever_its_units_are_called():
    x = spins(400, 12)
    both = np.stack([x, renamed(x)])
    assert abs(activation_overlap(both, kind="raw")[0, 1]) < 0.4
    for kind in ("matched", "kernel"):
        assert activation_overlap(both, kind=kind) == pytest.approx(np.ones((2, 2)))
    assert activation_overlap(both, kind="pairs")[0, 1] == pytest.approx(activation_overlap(both, kind="pairs")[0, 0])


def test_weights_into_a_layer_are_alike_whatever_its_units_are_called():
    """J0 is (R, w, 54): a unit is a row, its inputs take the place of samples; a unit may be turned over."""
    weights = RNG.normal(size=(9, 54))
    other = renamed(weights.T).T
    both = np.stack([weights, other])
    assert abs(overlaps(both)[0, 1]) < 0.5
    assert activation_overlap(both.transpose(0, 2, 1))[0, 1] == pytest.approx(1)


def test_turned_units_are_found_only_where_signs_are_free():
    x = RNG.normal(size=(5000, 6))
    order = RNG.permutation(6)
    assert activation_overlap([x, x[:, order]], signs=False)[0, 1] == pytest.approx(1)
    assert abs(activation_overlap([x, -x], signs=False)[0, 1]) < 0.05
    assert activation_overlap([x, -x])[0, 1] == pytest.approx(1)


def test_half_of_the_units_shared_is_an_overlap_of_a_half():
    shared, alone, other = RNG.normal(size=(3, 20000, 10))
    both = np.stack([np.hstack([shared, alone]), renamed(np.hstack([shared, other]))])
    assert activation_overlap(both)[0, 1] == pytest.approx(0.5, abs=0.02)
    assert activation_overlap(both, kind="kernel")[0, 1] == pytest.approx(0.5, abs=0.02)


def test_the_kernel_does_not_see_rotations_shifts_and_scales():
    x = RNG.normal(size=(100, 8))
    turned = 7 * x @ np.linalg.qr(RNG.normal(size=(8, 8)))[0] + 3
    assert activation_overlap([x, turned], kind="kernel")[0, 1] == pytest.approx(1)
    assert activation_overlap([x, turned], kind="matched")[0, 1] < 0.95


def test_yoshino_s_overlap_is_1_of_a_machine_with_itself_and_0_between_strangers():
    q = activation_overlap(spins(4, 5000, 20), kind="pairs")
    assert np.diag(q) == pytest.approx(1, abs=2e-3)
    assert q[np.triu_indices(4, 1)] == pytest.approx(0, abs=1e-3)
    walsh = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])[:, :2]
    assert activation_overlap([walsh, walsh], kind="pairs")[0, 1] == pytest.approx(1 - 2 / 4)


def test_strangers_have_the_best_matches_and_kernels_that_chance_gives():
    n_samples, width = 2000, 30
    q = activation_overlap(RNG.normal(size=(12, n_samples, width)), kind="kernel")
    assert q[np.triu_indices(12, 1)].mean() == pytest.approx(width / (width + n_samples), rel=0.03)
    matched = activation_overlap(RNG.normal(size=(2, n_samples, width)))[0, 1]
    assert matched == pytest.approx(np.sqrt(2 * np.log(width) / n_samples), rel=0.3)


def test_a_unit_that_never_changes_counts_nothing():
    x = RNG.normal(size=(50, 4))
    x[:, 0] = 0.3
    assert activation_overlap([x, x])[0, 1] == pytest.approx(3 / 4)


def test_the_distribution_is_normalised_and_counts_every_pair_once():
    q = np.array([[9, 0.1, 0.2], [0.1, 9, 0.6], [0.2, 0.6, 9]])
    p = overlap_distribution(q, bins=[0, 0.25, 0.5, 1])
    assert p.density == pytest.approx([2 / 3 / 0.25, 0, 1 / 3 / 0.5])
    assert p.mean.best == pytest.approx(0.3)
    assert np.isnan([p.mean.low, p.mean.high, *p.deviation, *p.low]).all()
    assert len(overlap_distribution(q, bins=7).density) == 7


@pytest.mark.parametrize("n_replicas", [5, 6, 8])
def test_the_mean_of_few_overlaps_has_an_interval_where_overlaps_can_be(n_replicas):
    up_down = np.sign(RNG.normal(size=(40, n_replicas, 1))) * 0.9 ** (1 / 2)
    ends = [overlap_distribution(m @ m.T, n_draws=200).mean for m in up_down]  # q = +-0.9
    assert min(fit.low for fit in ends) >= -1
    assert max(fit.high for fit in ends) <= 1
    assert np.mean([fit.low <= 0 <= fit.high for fit in ends]) > 0.9


def test_the_mean_over_four_replicas_has_no_interval():
    p = overlap_distribution(overlaps(magnetised(0, n_replicas=4), kind="raw"))
    assert np.isnan([p.mean.low, p.mean.high]).all()
    assert np.isfinite([p.mean.best, *p.low, *p.high]).all()


def test_overlaps_beyond_one_are_no_correlations_and_their_interval_is_not_bound():
    q = 10 * overlaps(magnetised(0), kind="raw")
    scaled, plain = overlap_distribution(q).mean, overlap_distribution(q / 100).mean
    assert scaled.high == pytest.approx(100 * plain.high, rel=0.01)  # of small overlaps z is q
    assert scaled.high > 1


def test_equal_overlaps_are_a_single_peak():
    p = overlap_distribution(np.full((6, 6), 0.3), bins=5)
    assert p.density == pytest.approx([0, 0, 5, 0, 0])
    assert p.mean == pytest.approx((0.3, 0.3, 0.3))
    assert p.deviation == pytest.approx((0, 0, 0), abs=1e-9)


def test_the_deviation_is_that_of_pairs_without_a_common_replica():
    # Of four replicas there are three such pairs of pairs: 12 34, 13 24, 14 23.
    q = np.zeros((4, 4))
    q[np.triu_indices(4, 1)] = 0.1, 0.4, 0.3, 0.9, 0.2, 0.8
    p = overlap_distribution(q + q.T)
    assert p.deviation.best == pytest.approx(np.sqrt(np.mean([0.7**2, 0.2**2, 0.6**2]) / 2))
    assert np.isnan([p.deviation.low, p.deviation.high]).all()


def magnetised(seed, n_replicas=10, n_spins=500, scatter=0.1):
    """Replicas along one pattern, each to its own degree: q_ab is m_a m_b on average, and <m> = 1/2."""
    rng = np.random.default_rng(seed)
    m = rng.normal(0.5, scatter, (n_replicas, 1))
    pattern = rng.choice([-1, 1], n_spins)
    return np.where(rng.random((n_replicas, n_spins)) < (1 + m) / 2, pattern, -pattern)


EDGES = [-1, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.45, 1]


@pytest.fixture(scope="module")
def shares():
    """Of pairs in each bin, from 200 x 4950 of them."""
    pairs = np.triu_indices(100, 1)
    counts = [np.histogram(overlaps(magnetised(seed, 100), kind="raw")[pairs], EDGES)[0] for seed in range(1000, 1200)]
    return np.sum(counts, 0) / np.sum(counts)


@pytest.mark.parametrize("n_replicas", [6, 12])
def test_the_intervals_of_mean_deviation_and_density_hold_the_truth_as_often_as_they_say(n_replicas, shares):
    # m_a m_b has the variance <m^2>^2 - <m>^4, its mean over 500 spins (1 - <m^2>^2) / 500 more.
    deviation = np.sqrt(0.26**2 - 0.5**4 + (1 - 0.26**2) / 500)
    held = []
    for seed in range(200):
        q = overlaps(magnetised(seed, n_replicas), kind="raw")
        p = overlap_distribution(q, bins=EDGES, seed=seed, n_draws=120)
        density = (p.low * np.diff(EDGES) <= shares) & (shares <= p.high * np.diff(EDGES))
        held.append([p.mean.holds(0.25), p.deviation.holds(deviation), *density])
    coverage = np.mean(held, 0)
    assert (coverage[:2] >= 0.90).all(), coverage
    assert (coverage[:2] <= 0.99).all(), coverage
    assert (coverage[2:] >= 0.90).all(), coverage  # of a bin with a handful of pairs it is careful: up to all
    assert coverage[2:].mean() < 0.999, coverage


def test_an_empty_bin_may_yet_have_pairs():
    p = overlap_distribution(overlaps(magnetised(0), kind="raw"), bins=[-1, 0.9, 1])
    assert (p.density[1], p.low[1]) == (0, 0)
    assert 0.01 < p.high[1] * 0.1 < 0.7


def test_the_errors_belong_to_the_density_and_the_seed_repeats_them():
    q = overlaps(magnetised(0, n_replicas=20), kind="raw")
    p = overlap_distribution(q, bins=6)
    assert (p.low <= p.density).all()
    assert (p.density <= p.high).all()
    assert (p.density * np.diff(p.edges)).sum() == pytest.approx(1)
    again, other = overlap_distribution(q, bins=6), overlap_distribution(q, bins=6, seed=1)
    assert p.mean == again.mean
    assert p.mean != other.mean


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: overlaps([[1.0, 2.0]]), "at least two replicas"),
        (lambda: overlaps([[1.0, 2.0], [1.0, np.nan]]), "finite; got NaN"),
        (lambda: overlaps("weights"), "values of replicas are real numbers"),
        (lambda: overlaps([[1.0], [1.0, 2.0]]), "real numbers"),
        (lambda: overlaps(np.ones(3)), r"got shape \(3,\)"),
        (lambda: overlaps(np.ones((2, 3)), kind="cosine"), "one of normalised, raw, centred; got 'cosine'"),
        (lambda: activation_overlap(np.ones((2, 3))), r"\(n_replicas, n_samples, width\); got shape \(2, 3\)"),
        (lambda: activation_overlap(np.ones((2, 3, 1)), kind="normalised"), "one of raw, matched, kernel, pairs"),
        (lambda: activation_overlap(np.ones((1, 3, 1))), "at least two replicas"),
        (lambda: overlap_distribution([[1.0]]), "at least 2 replicas; got 1"),
        (lambda: overlap_distribution(np.ones((2, 3))), r"square .*\(2, 3\)"),
        (lambda: overlap_distribution([[1, 2], [3, 1]]), "symmetric"),
        (lambda: overlap_distribution([[1, np.nan], [np.nan, 1]]), "finite"),
        (lambda: overlap_distribution(np.eye(3), bins=0), "at least 1, or their edges; got 0"),
        (lambda: overlap_distribution(np.eye(3), bins="auto"), "their number.*got 'auto'"),  # type: ignore[arg-type]  # as a user may
        (lambda: overlap_distribution(np.eye(3), bins=[0.5, 1]), "hold all overlaps, 0 .. 0"),
        (lambda: overlap_distribution(np.eye(3), bins=[1, -1]), "increase"),
    ],
)
def test_what_has_no_overlap_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
