"""Curves of several waiting times fall on one function, or do not, on processes that are known to."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import Displacement, aging, collapse, displacement

WAITING = (4.0, 8.0, 16.0)
LAG = np.geomspace(0.2, 60, 22)
LOOKS = np.unique(np.concatenate([WAITING, *(waiting + LAG for waiting in WAITING)]).round(9))


def gaussians(seed: int, *shape: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=[seed, 11])).standard_normal(shape)


def brownian(clock: np.ndarray, n_replicas: int = 6, n_weights: int = 40, seed: int = 0) -> np.ndarray:
    steps = np.sqrt(np.diff(clock, prepend=clock[0]))[:, None, None]
    return np.cumsum(steps * gaussians(seed, len(clock), n_replicas, n_weights), axis=0)


def ornstein_uhlenbeck(time: np.ndarray, memory: float = 5.0, seed: int = 0, n_weights: int = 200) -> np.ndarray:
    """Stationary: <w w'> = exp(-|t - t'| / memory)."""
    drawn = gaussians(seed, len(time), 6, n_weights)
    for k, kept in enumerate(np.exp(-np.diff(time) / memory)):
        drawn[k + 1] = kept * drawn[k] + np.sqrt(1 - kept**2) * drawn[k + 1]
    return drawn


def curves(weights: np.ndarray) -> list[Displacement]:
    """D by hand, at LOOKS, as `displacement` would give it."""
    found = []
    for waiting in WAITING:
        at = int(np.searchsorted(LOOKS, waiting))
        moved = ((weights[at + 1 :] - weights[at]) ** 2).mean(2)
        found.append(Displacement(waiting, LOOKS[at + 1 :] - waiting, moved, None))
    return found


def test_brownian_motion_in_log_time_is_one_function_of_the_ratio_and_of_nothing_else(planted):
    run = planted(LOOKS, weights=brownian(np.log(LOOKS), n_weights=200, seed=1), noise=1.0)
    found = collapse([aging(run, waiting) for waiting in WAITING])
    assert found.ratio.collapses
    assert found.ratio.null.low <= found.ratio.score <= found.ratio.null.high
    assert found.ratio.spread < 0.1
    assert not found.lag.collapses
    assert found.lag.score > 30
    assert found.mu.holds(1)
    assert found.fitted.collapses


@pytest.mark.parametrize(("mu", "told"), [(1.4, True), (3.0, False), (-2.0, False)])
def test_an_exponent_at_the_edge_of_those_that_are_tried_has_no_interval(mu, told):
    scatter = np.exp(0.05 * gaussians(3, len(WAITING), 6, len(LAG)))
    made = [
        Displacement(waiting, LAG, np.sqrt(LAG / waiting**mu)[:, None] * one.T, None)
        for waiting, one in zip(WAITING, scatter, strict=True)
    ]
    found = collapse(made).mu
    assert bool(np.isfinite([found.low, found.high]).all()) == told
    assert found.holds(mu) == told


def test_an_ornstein_uhlenbeck_process_is_stationary_and_fails_in_the_ratio(planted):
    run = planted(LOOKS, weights=ornstein_uhlenbeck(LOOKS, seed=1))
    found = collapse([displacement(run, waiting) for waiting in WAITING])
    assert (found.lag.collapses, found.ratio.collapses) == (True, False)
    assert found.ratio.score > 30
    assert found.mu.holds(0)


def test_curves_without_noise_tell_mu_exactly():
    """D = ln(1 + tau / tau_w^0.6), and replicas that differ by factors."""
    grown = [np.log1p(LAG / waiting**0.6)[:, None] * [1.0, 1.1, 0.9] for waiting in WAITING]
    pairs = zip(WAITING, grown, strict=True)
    found = collapse([Displacement(waiting, LAG, value, None) for waiting, value in pairs])
    assert found.mu.best == pytest.approx(0.6, abs=2e-3)
    assert found.fitted.spread < 2e-3


def test_the_intervals_hold_mu_and_the_verdict_is_right_in_200_runs():
    found = [collapse(curves(brownian(np.log(LOOKS), seed=seed))) for seed in range(200)]
    assert 180 <= sum(each.mu.holds(1) for each in found) <= 198
    assert 180 <= sum(bool(each.ratio.collapses) for each in found)  # the chi-square makes it careful: up to all
    assert not any(each.lag.collapses for each in found)
    assert np.mean([each.ratio.score for each in found]) == pytest.approx(1, abs=0.25)


def test_a_single_replica_has_a_spread_and_no_verdict():
    alone = [Displacement(c.waiting, c.lag, c.value[:, :1], None) for c in curves(brownian(np.log(LOOKS)))]
    found = collapse(alone)
    assert found.ratio.spread < found.lag.spread
    assert found.ratio.collapses is None
    assert np.isnan([found.ratio.score, found.ratio.p_value, found.mu.low]).all()


def test_two_replicas_have_a_score_and_no_verdict_and_three_say_no():
    """Ornstein-Uhlenbeck: nothing but a verdict that can be false would call it aging."""
    for seed in range(10):
        few = curves(ornstein_uhlenbeck(LOOKS, seed=seed))
        two, three = (
            collapse([Displacement(c.waiting, c.lag, c.value[:, :n], None) for c in few]).ratio for n in (2, 3)
        )
        assert (two.collapses, three.collapses) == (None, False)
        assert two.score > 10
        assert np.isnan([*two.null, two.p_value]).all()


def test_a_window_compares_what_lies_inside():
    """One function of tau / tau_w below 1, and none above: there the curves part."""
    pairs = [(w, LAG / w * np.where(LAG > w, np.sqrt(w), 1)) for w in WAITING]
    parted = [Displacement(w, LAG, value[:, None] * [1.0, 1.1, 0.95], None) for w, value in pairs]
    assert collapse(parted, window=(0, 1)).ratio.spread < 1e-9
    assert collapse(parted).ratio.spread > 0.1


def test_the_same_seed_gives_the_same_numbers():
    some = curves(brownian(np.log(LOOKS)))
    assert collapse(some, seed=3) == collapse(some, seed=3)
    assert collapse(some, seed=3).lag.null != collapse(some, seed=4).lag.null


def test_a_replica_of_half_the_rate_takes_part_and_one_that_stopped_is_missed_where_it_stopped():
    some = curves(brownian(np.log(LOOKS), seed=2))
    for curve in some:
        curve.value[curve.lag > 20, 5] = np.nan
    found = collapse(some)
    assert (found.n_replicas, found.left_out) == (6, ())
    assert found.ratio.collapses
    stopped = np.arange(6) == 5
    some = curves(brownian(np.log(LOOKS), seed=2))
    some[2].value[5:, 5] = np.nan
    last = Displacement(some[2].waiting, some[2].lag, some[2].value, None, stopped=stopped)
    found = collapse([*some[:2], last])
    assert (found.n_replicas, found.left_out) == (5, (5,))
    assert found.ratio.collapses
    assert found.mu.holds(1)


def test_a_replica_at_rest_is_left_out_and_named():
    some = curves(brownian(np.log(LOOKS)))
    for curve in some:
        curve.value[:, 3] = 0.0
    assert (collapse(some).n_replicas, collapse(some).left_out) == (5, (3,))


def test_the_verdict_holds_where_each_curve_misses_another_replica():
    found = []
    for seed in range(100):
        some = curves(brownian(np.log(LOOKS), seed=seed))
        for missed, curve in enumerate(some):
            curve.value[:, missed] = np.nan
        found.append(collapse(some))
    assert 90 <= sum(each.mu.holds(1) for each in found)
    assert 90 <= sum(bool(each.ratio.collapses) for each in found)
    assert not any(each.lag.collapses for each in found)


def line(waiting: float = 4.0, lag: np.ndarray = LAG, group: str | None = None, n_replicas: int = 2) -> Displacement:
    return Displacement(waiting, lag, lag[:, None] * np.linspace(1, 1.1, n_replicas), group)


@pytest.mark.parametrize(
    ("given", "asked", "said"),
    [
        ([line()], {}, "two curves or more"),
        (line(), {}, "two curves or more"),
        ([line(), "curve"], {}, "got str"),
        ([line(), line()], {}, "different waiting times; got 4, 4"),
        ([line(), line(8, group="J")], {}, "one quantity, of one group"),
        ([line(), line(8, n_replicas=3)], {}, "the same replicas"),
        ([line(), line(0)], {}, "a waiting time above 0"),
        ([line(), line(8, LAG[:3])], {}, "4 looks of each curve in the window.* got 3 at tau_w = 8"),
        ([line(), line(8, 1e9 * LAG)], {}, "do not overlap, whatever mu"),
        ([line(), line(8, -LAG)], {}, "lags of a curve are positive and increase"),
        ([line(), line(8)], {"window": (2, 1)}, r"in order and at least 0; got \(2, 1\)"),
        ([line(), line(8)], {"window": "all"}, "got 'all'"),
        ([line(), line(8)], {"seed": -1}, "seed is a whole number"),
    ],
)
def test_what_cannot_be_laid_over_one_another_is_refused(given, asked, said):
    with pytest.raises(InputError, match=said):
        collapse(given, **asked)
