"""When a curve passes a level is known in closed form for an exponential and for a power; the error bars hold it."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import LearningTime, learning_time

TAU = np.geomspace(0.1, 20, 60)
LEVELS = (0.3, 0.1, 0.03, 0.01)


def noisy(tau, n_replicas, noise, *, seed=0):
    """Exponential decay with independent noise at each look."""
    rng = np.random.Generator(np.random.Philox(seed))
    return np.exp(-tau[:, None] + noise * rng.normal(size=(len(tau), n_replicas)))


@pytest.mark.parametrize("tau", [TAU, np.geomspace(0.1, 20, 24), np.arange(1, 200) / 10], ids=["log", "few", "linear"])
def test_an_exponential_passes_a_level_at_its_logarithm(planted, tau):
    for level in LEVELS:
        passed = learning_time(planted(tau, np.exp(-tau)), level)
        assert passed.time == pytest.approx(-np.log(level), rel=1e-3)
        assert passed.inverse == pytest.approx(-1 / np.log(level), rel=1e-3)
        assert passed.reached.all()


@pytest.mark.parametrize("tau", [TAU, np.arange(1, 200) / 10], ids=["log", "linear"])
def test_a_power_is_passed_exactly(planted, tau):
    loss = 0.2 * tau[:, None] ** -np.array([0.5, 1.0, 2.0])
    passed = learning_time(planted(tau, loss), 0.1)
    assert passed.time == pytest.approx([4.0, 2.0, 2**0.5], rel=1e-8)
    assert passed.error == pytest.approx(0, abs=1e-8)


def test_above_a_floor_the_rest_of_the_loss_counts(planted):
    passed = learning_time(planted(TAU, 0.5 + np.exp(-TAU)), 0.1, floor=0.5)
    assert passed.time == pytest.approx(-np.log(0.1), rel=1e-3)
    energy = learning_time(planted(TAU, -1.2 + np.exp(-TAU)), 0.1, floor=-1.2)
    assert energy.time == pytest.approx(-np.log(0.1), rel=1e-3)


def test_noise_below_the_floor_is_no_obstacle(planted):
    wobble = np.where(TAU > 10, 0.01 * np.sin(40 * TAU), 0.0)
    passed = learning_time(planted(TAU, 0.5 + np.exp(-TAU) + wobble), 0.1, floor=0.5)
    assert passed.time == pytest.approx(-np.log(0.1), rel=1e-3)


def test_a_curve_that_ends_below_its_floor_has_arrived(planted):
    """From tau = 3 on it has no logarithm: the passage lies between the looks around 3, and is not missed."""
    below = np.where(TAU < 3, 0.5 + np.exp(-TAU), 0.4)
    passed = learning_time(planted(TAU, below), 0.01, floor=0.5)
    assert passed.reached.all()
    assert TAU[TAU < 3][-4] < passed.time[0] < TAU[TAU >= 3][3]


def test_not_reached_is_an_answer(planted):
    passed = learning_time(planted(TAU, np.stack([np.exp(-TAU), np.exp(-TAU / 10)], 1)), 0.1)
    assert passed.reached.tolist() == [True, False]
    assert np.isnan(passed.time).tolist() == np.isnan(passed.inverse).tolist() == [False, True]
    assert passed.until == pytest.approx(20)
    mean = passed.mean()
    assert mean.best == passed.time[0]
    assert np.isnan([mean.low, mean.high]).all()
    assert np.isnan(learning_time(planted(TAU, 1 + 0 * TAU), 0.1).mean()).all()


def test_a_single_replica_has_a_time_and_no_interval(planted):
    mean = learning_time(planted(TAU, np.exp(-TAU)), 0.1).mean()
    assert mean.best == pytest.approx(-np.log(0.1), rel=1e-3)
    assert np.isnan([mean.low, mean.high]).all()


def test_time_zero_superseded_and_frozen_looks_do_not_count(planted):
    tau = np.concatenate([[0.0], TAU[:30], TAU[20:]])  # goes back ten looks, and on
    loss = np.concatenate([[1.0], np.exp(-TAU[:20]), np.full(10, 1e-9), np.exp(-TAU[20:])])
    run = planted(tau, np.stack([loss, loss], 1))
    run.valid[21:31] = False
    run.loss[40:, 1] = np.nan
    passed = learning_time(run, 0.1)
    assert passed.time[0] == pytest.approx(-np.log(0.1), rel=1e-3)
    assert passed.reached.tolist() == [True, False]
    assert passed.until == pytest.approx([20, tau[39]])


def test_spikes_of_a_look_are_no_passage_back_and_do_not_shift_it(planted):
    loss = noisy(TAU, 50, 0.01)
    calm = learning_time(planted(TAU, loss), 0.1)
    loss[::9] *= 20
    spiked = learning_time(planted(TAU, loss), 0.1)
    assert np.abs(spiked.time - calm.time).max() < 0.05
    assert spiked.error.max() < 0.05


def test_the_error_of_each_replica_holds_the_truth(planted):
    for tau in (TAU, np.arange(1, 200) / 10):
        passed = learning_time(planted(tau, noisy(tau, 200, 0.03)), 0.1)
        assert 0.90 <= np.mean(np.abs(passed.time + np.log(0.1)) < 1.96 * passed.error) <= 0.99


def power(tau):
    return tau**-0.5


def towards_an_end(tau):
    return 0.12 + 0.8 * tau**-0.6


@pytest.mark.parametrize(
    ("curve", "level", "truth", "looks", "noise"),
    [
        (power, 0.1, 100, 10, 0.01),
        (power, 0.1, 100, 10, 0.3),
        (power, 0.1, 100, 80, 0.02),
        (power, 0.1, 100, 80, 0.3),
        (towards_an_end, 0.15, (0.03 / 0.8) ** (-1 / 0.6), 20, 0.1),
        (towards_an_end, 0.2, 0.1 ** (-1 / 0.6), 20, 0.3),
    ],
)
def test_however_noisy_the_looks_the_error_holds_the_truth_and_the_time_is_not_early(
    planted, curve, level, truth, looks, noise
):
    """A window too narrow for the noise passes too early, again and again: errors of .1 in ln tau held 3 to 80 %."""
    tau = truth * np.geomspace(0.03, 30, 3 * looks + 1)
    rng = np.random.Generator(np.random.Philox(key=[looks, round(1000 * noise)]))
    loss = curve(tau)[:, None] * np.exp(noise * rng.normal(size=(len(tau), 200)))
    passed = learning_time(planted(tau, loss), level)
    assert passed.reached.all()
    assert 0.90 <= np.mean(np.abs(passed.time - truth) < 1.96 * passed.error) <= 0.99
    assert abs(np.median(passed.time) - truth) < 0.5 * np.median(passed.error)


def test_the_window_is_wide_where_the_looks_are_noisy_and_narrow_where_they_are_not(planted):
    tau = np.geomspace(1, 1e4, 321)
    noise = np.random.Generator(np.random.Philox(8)).normal(size=len(tau))
    loss = tau[:, None] ** -0.5 * np.exp(noise[:, None] * [0.001, 0.1, 0.3])
    passed = learning_time(planted(tau, loss), 0.1)
    assert passed.smoothing[0] == pytest.approx(0.1, rel=0.1)  # the seven nearest looks
    assert passed.smoothing[0] < passed.smoothing[1] < passed.smoothing[2] <= 1.6
    assert (passed.error / passed.time < 1.3 * passed.smoothing / 3).all()
    assert np.isnan(learning_time(planted(tau, 1 + loss), 0.1).smoothing).all()


def test_where_the_looks_tell_little_the_error_says_so(planted):
    """Seven looks with 30 % noise: no error pretends to know better than the times are spread."""
    tau = np.geomspace(10, 1000, 7)
    noise = np.random.Generator(np.random.Philox(9)).normal(size=(7, 200))
    passed = learning_time(planted(tau, power(tau)[:, None] * np.exp(0.3 * noise)), 0.1)
    assert passed.reached.all()
    assert np.median(passed.error / passed.time) > np.std(np.log(passed.time))
    assert 0.90 <= np.mean(np.abs(passed.time - 100) < 1.96 * passed.error)


def test_a_noisy_plateau_above_the_level_is_no_passage(planted):
    """The first looks lie now above, now below: what counts is where the curve falls for good."""
    tau = np.geomspace(1, 1e4, 161)
    rng = np.random.Generator(np.random.Philox(10))
    loss = 0.2 / (1 + (tau[:, None] / 100) ** 2) * np.exp(0.1 * rng.normal(size=(161, 50)))
    loss[0] *= 0.8
    passed = learning_time(planted(tau, loss), 0.16)
    assert passed.time.min() > 20
    assert 0.90 <= np.mean(np.abs(passed.time - 50) < 1.96 * passed.error)


def test_first_looks_below_the_level_by_chance_are_no_refusal(planted):
    tau = np.geomspace(1, 1e4, 161)
    rng = np.random.Generator(np.random.Philox(11))
    loss = 0.2 / (1 + (tau[:, None] / 100) ** 2) * np.exp(0.3 * rng.normal(size=(161, 50)))
    loss[:3] *= 0.7
    passed = learning_time(planted(tau, loss), 0.1)
    assert 0.90 <= np.mean(np.abs(passed.time - 100) < 1.96 * passed.error)
    loss[:40] *= 0.3
    with pytest.raises(InputError, match="from the first look on"):
        learning_time(planted(tau, loss), 0.1)


def test_looks_at_the_same_time_count_once(planted):
    tau = np.repeat(TAU, 8)
    assert learning_time(planted(tau, np.exp(-tau)), 0.1).time == pytest.approx(-np.log(0.1), rel=1e-3)


def test_a_window_wider_than_the_run_is_as_wide_as_the_run(planted):
    tau = np.geomspace(1, 100, 40)
    for smoothing in (10, 1e3):
        assert learning_time(planted(tau, tau**-1.0), 0.1, smoothing=smoothing).time == pytest.approx(10, rel=1e-8)


def test_the_interval_of_the_mean_holds_the_truth(planted):
    rng = np.random.Generator(np.random.Philox(1))
    held = []
    for seed in range(200):
        own = 1 + 0.1 * rng.normal(size=5)  # replicas that learn faster or slower
        loss = noisy(TAU, 5, 0.02, seed=seed) ** (1 / own)
        held.append(learning_time(planted(TAU, loss), 0.05).mean().holds(-np.log(0.05)))
    assert 0.90 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("n_replicas", [3, 10])
def test_the_typical_of_skewed_times_is_held_and_their_mean_is_not(n_replicas):
    rng, none = np.random.Generator(np.random.Philox(key=[12, n_replicas])), np.zeros(n_replicas)
    times = [np.exp(3 + 1.2 * rng.normal(size=n_replicas)) for _ in range(200)]
    found = [LearningTime(0.1, time, none, np.ones(n_replicas, bool), time, none) for time in times]
    assert 0.90 <= np.mean([each.geometric_mean().holds(np.exp(3)) for each in found]) <= 0.99
    assert np.mean([each.mean().holds(np.exp(3 + 1.2**2 / 2)) for each in found]) < 0.88
    assert found[0].geometric_mean().best == pytest.approx(np.prod(times[0]) ** (1 / n_replicas))


def test_a_typical_time_of_some_that_arrived_has_no_interval():
    time = np.array([2.0, 8.0, np.nan])
    typical = LearningTime(0.1, time, 0 * time, np.isfinite(time), time, time).geometric_mean()
    assert typical.best == pytest.approx(4)
    assert np.isnan([typical.low, typical.high]).all()


def test_of_two_looks_at_one_time_the_later_counts(planted):
    """A replica went back there: what it saw before is superseded."""
    twice = np.repeat(TAU, 2)
    loss = np.exp(-twice) * np.tile([0.5, 1.0], len(TAU))
    assert learning_time(planted(twice, loss), 0.1).time == pytest.approx(-np.log(0.1), rel=1e-3)


def test_ten_thousand_looks_take_little_memory_and_time(planted):
    tau = np.arange(1, 10001) / 1000
    assert learning_time(planted(tau, noisy(tau, 1, 0.05)), 0.1).time == pytest.approx(-np.log(0.1), rel=0.02)


@pytest.mark.parametrize(
    ("tau", "level", "options", "said"),
    [
        (TAU, 0.95, {}, r"below 0.95 from the first look on \(tau = 0.1\)"),
        (TAU[::12], 0.1, {}, "at least 7 looks; got 5"),
        (TAU, 0.0, {}, "loss is a finite number above 0; got 0"),
        (TAU, "low", {}, "loss is a finite number above 0; got 'low'"),
        (TAU, 0.1, {"floor": np.nan}, "floor is a finite number; got nan"),
        (TAU, 0.1, {"smoothing": 0}, "smoothing is a finite number above 0"),
    ],
)
def test_what_tells_no_time_is_refused(planted, tau, level, options, said):
    loss = np.exp(-tau) * (0.9 if level == 0.95 else 1)
    with pytest.raises(InputError, match=said):
        learning_time(planted(tau, loss), level, **options)
