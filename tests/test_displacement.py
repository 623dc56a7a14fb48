"""The weights of a run are compared with what they were: distances and overlaps that can be told by hand."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import (
    aging,
    collapse,
    compare_forms,
    displacement,
    displacement_by_group,
    learning_time,
    power_law,
    short_time_exponent,
    two_time_correlation,
)

TIME = np.array([0.0, 1.0, 2.0, 4.0, 8.0])


def growing(n_replicas: int = 2, n_weights: int = 6) -> np.ndarray:
    """Weights that all equal the time, times 1, 2, ... by replica: D = (r tau)^2."""
    return (TIME[:, None, None] * np.arange(1.0, n_replicas + 1)[:, None] * np.ones(n_weights)).astype(np.float32)


def test_weights_that_drift_are_displaced_by_the_square_of_the_lag(planted):
    moved = displacement(planted(TIME, weights=growing()), 2.0)
    assert moved.waiting == 2.0
    assert moved.lag.tolist() == [2.0, 6.0]
    assert moved.value == pytest.approx(np.array([[4, 16], [36, 144]]))


def test_a_family_is_the_mean_of_its_groups_by_their_sizes_and_every_group_can_be_asked(planted):
    weights = growing(1)
    weights[:, :, 1:3] *= 3
    run = planted(TIME, weights=weights, groups={"M0": 1, "M1": 2, "h0": 3})
    assert displacement(run, 4.0, group="M").value.ravel() == pytest.approx([16 * (1 + 2 * 9) / 3])
    assert displacement(run, 4.0, group="M1").value.ravel() == pytest.approx([16 * 9])
    assert displacement(run, 4.0).value.ravel() == pytest.approx([16 * (1 + 18 + 3) / 6])
    by_group = displacement_by_group(run, 4.0)
    assert {name: float(each.value[0, 0]) for name, each in by_group.items()} == {"M0": 16, "M1": 144, "h0": 16}


def test_a_full_turn_of_an_angle_is_far_and_no_distance_at_all(planted):
    turned = np.zeros((5, 1, 4), np.float32)
    turned[3] = 2 * np.pi
    turned[4] = 1.5 * np.pi
    run = planted(TIME, weights=turned, groups={"angles": (2, 2 * np.pi), "J": 2})
    assert displacement(run, 2.0, group="angles").value[0] == pytest.approx((2 * np.pi) ** 2)
    around = displacement(run, 2.0, group="angles", periodic=True).value[:, 0]
    assert around == pytest.approx([0, (np.pi / 2) ** 2], rel=1e-6, abs=1e-12)  # single precision
    both = displacement_by_group(run, 2.0, periodic=True)
    assert both["angles"].value[0] == pytest.approx(0, abs=1e-10)
    assert both["J"].value[0] == pytest.approx((2 * np.pi) ** 2)


def test_looks_that_do_not_count_are_not_counted(planted):
    run = planted(TIME, weights=growing())
    run.weights[3, 1] = np.inf
    run.valid[3, 1] = False
    moved = displacement(run, 2.0)
    assert np.isnan(moved.value[0, 1])
    assert moved.value[1] == pytest.approx([36, 144])
    mean, error = moved.mean()
    assert mean == pytest.approx([np.nan, 90], nan_ok=True)  # not of one replica here and of two there
    assert error[1] == pytest.approx(np.std([36, 144], ddof=1) / np.sqrt(2))


def test_replicas_with_times_of_their_own_meet_where_their_times_do(planted):
    run = planted(TIME, weights=growing())
    own = run.time.copy()
    own[:, 1] = [0, 0.5, 1, 2, 4]  # half as fast, and its weights grow with its rows: as 2 * TIME
    moved = displacement(replace(run, time=own), 2.0)
    assert moved.lag.tolist() == [2.0, 6.0]
    assert moved.value[0] == pytest.approx([4, 64])
    assert moved.value[1, 0] == pytest.approx(36)
    assert np.isnan(moved.value[1, 1])


def test_weights_that_turn_lose_their_overlap_as_the_cosine(planted):
    phase = TIME[:, None, None]
    weights = np.concatenate([np.cos(phase), np.sin(phase)], 2) * (1 + phase)
    run = planted(TIME, weights=weights)
    turned = two_time_correlation(run, 1.0)
    assert turned.value[:, 0] == pytest.approx(np.cos(TIME[2:] - 1))
    raw = two_time_correlation(run, 1.0, raw=True)
    assert raw.value[:, 0] == pytest.approx(np.cos(TIME[2:] - 1) * 2 * (1 + TIME[2:]) / 2)
    assert np.isnan(two_time_correlation(planted(TIME, weights=growing()), 0.0).value).all()


def test_angles_lose_their_overlap_as_the_cosine_of_what_they_turned_by(planted):
    """Two periods: a phase of 2 pi and one of 4; a full turn is no turn."""
    turned = np.zeros((5, 2, 4))
    turned[:, :, :2] = TIME[:, None, None]
    turned[4, 1, :2] = TIME[2] + 10 * np.pi
    turned[:, :, 2] = 7 + TIME[:, None]
    run = planted(TIME, weights=turned, groups={"phases": (2, 2 * np.pi), "phases0": (1, 4.0), "J": 1})
    found = two_time_correlation(run, 2.0, group="phases", periodic=True)
    assert found.value == pytest.approx(np.array([[np.cos(2)] * 2, [np.cos(6), 1]]))
    assert found.periodic
    quarter = two_time_correlation(run, 2.0, group="phases0", periodic=True)
    assert quarter.value == pytest.approx(np.cos(np.pi / 2 * np.array([[2, 2], [6, 6]])))
    assert (two_time_correlation(run, 2.0, group="phases").value != found.value).all()
    with pytest.raises(InputError, match="is of angles; J has no period"):
        two_time_correlation(run, 2.0, periodic=True)
    with pytest.raises(InputError, match="raw is for weights"):
        two_time_correlation(run, 2.0, group="phases", periodic=True, raw=True)


def drifting(planted, own, *, speeds=(1.0, 1.0, 1.0)):
    """Weights that equal the time of each replica, times its speed; the times of the last replica are its own."""
    time = np.geomspace(1, 1000, 61)
    times = np.stack([time, time, own(time)], 1)
    run = planted(time, weights=(times * speeds)[:, :, None])
    return replace(run, time=times), time


def test_a_replica_of_half_the_rate_counts_up_to_where_it_came(planted):
    """It comes to 500 where the others come to 1000; up to there D = (speed * lag)^2 of all three."""

    def halved(time):
        return np.where(time > 10, 10 + (time - 10) * 490 / 990, time)

    run, looks = drifting(planted, halved, speeds=(1, 2, 3))
    moved = displacement(run, looks[20])
    assert moved.left_out == ()
    lag, value = moved.shared()
    assert lag[-1] == pytest.approx(looks[looks < 500][-1] - 10)
    assert value == pytest.approx(lag[:, None] ** 2 * [1, 4, 9])
    mean, _ = moved.mean()
    known = np.isfinite(mean)
    assert known.tolist() == ((moved.lag >= moved.lag[1]) & (moved.lag <= 490.001)).tolist()
    assert mean[known] == pytest.approx(moved.lag[known] ** 2 * 14 / 3)
    exponent = short_time_exponent(displacement(run, 10.0), below=5)
    assert (exponent.n_replicas, exponent.left_out) == (3, ())
    assert exponent.best == pytest.approx(2, rel=1e-3)


def test_a_replica_that_stopped_is_left_out_and_named_and_one_that_only_rests_too(planted):
    run, looks = drifting(planted, lambda time: time, speeds=(1, 2, 0))
    run.valid[40:, 1] = False
    moved = displacement(run, looks[20])
    assert moved.left_out == (1, 2)
    assert moved.shared()[1].shape == (40, 1)
    run.valid[:] = True
    run.rate[-1, 0] = 0  # given up at the end: it came as far as the others, and counts
    assert displacement(run, looks[20]).left_out == (2,)


def test_if_all_stopped_those_count_that_came_farthest(planted):
    run, looks = drifting(planted, lambda time: time)
    run.valid[58:] = False
    run.valid[57:, 0] = False
    run.valid[30:, 1] = False
    moved = displacement(run, looks[20])
    assert moved.left_out == (1,)
    assert moved.shared()[0][-1] == pytest.approx(looks[56] - looks[20])


def test_a_replica_whose_steps_miss_the_waiting_time_begins_beside_it(planted):
    run, looks = drifting(planted, lambda time: time * 1.005)
    moved = displacement(run, looks[20])
    assert moved.left_out == ()
    lag = moved.lag[np.isfinite(moved.value[:, 2])]
    assert moved.value[np.isfinite(moved.value[:, 2]), 2] == pytest.approx(lag**2)
    far, _ = drifting(planted, lambda time: time * 1.03)
    assert displacement(far, looks[20]).left_out == (2,)


def test_of_two_looks_at_one_time_the_later_counts(planted):
    """A replica went back to it, and wrote it again."""
    weights = growing()
    again = np.insert(weights, 4, 100.0, axis=0)
    assert displacement(planted(np.insert(TIME, 4, 8.0), weights=again), 2.0).value == pytest.approx(
        displacement(planted(TIME, weights=weights), 2.0).value
    )


def test_times_that_fall_or_are_none_are_refused(planted):
    run = planted(TIME, weights=growing())
    for place, wrong, said in (
        (3, 1.0, "times that do not fall; replica 1 goes back to 1"),
        (2, np.nan, "finite times"),
    ):
        run.time[:, 1] = TIME
        run.time[place, 1] = wrong
        with pytest.raises(InputError, match=said):
            displacement(run, 4.0)
        with pytest.raises(InputError, match=said):
            learning_time(run, 0.5)
        with pytest.raises(InputError, match=said):
            power_law(run)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"waiting": 3.0}, r"not looked at when tau_w = 3; the nearest looks are at 1, 2, 4"),
        ({"waiting": 8.0}, "no weights were looked at after tau_w = 8"),
        ({"waiting": float("nan")}, "a number of at least 0; got nan"),
        ({"waiting": "80"}, "a number of at least 0; got '80'"),
        ({"waiting": 2.0, "group": "Q"}, "one of J, their letter, or None; got 'Q'"),
        ({"waiting": 2.0, "periodic": True}, "have a period"),
    ],
)
def test_what_was_not_looked_at_is_refused(planted, asked, said):
    with pytest.raises(InputError, match=said):
        displacement(planted(TIME, weights=growing()), **asked)


def test_a_run_without_weights_or_without_anyone_left_is_refused(planted):
    with pytest.raises(InputError, match="kept no weights"):
        displacement(planted(TIME), 2.0)
    run = planted(TIME, weights=growing())
    run.valid[:] = False
    with pytest.raises(InputError, match="no look of the weights counts"):
        two_time_correlation(run, 2.0)


def test_all_two_time_work_on_a_full_run_takes_two_seconds_and_little_memory(planted, timed, tmp_path):
    """24,000 weights, 200 looks, 10 replicas, five waiting times: D, Delta, C, their collapse and fits.

    Two seconds of an idle core are promised, and 2 GB; twice as many on one that others use too.
    """
    shape, waiting = (200, 10, 24_000), (5.0, 10.0, 20.0, 40.0, 80.0)
    looks = np.unique(np.concatenate([waiting, *(each * (1 + np.geomspace(1e-2, 16, 40)) for each in waiting)]))[:200]
    weights = np.memmap(tmp_path / "weights.f32", np.float32, "w+", shape=shape)
    rng = np.random.Generator(np.random.Philox(key=[1, 2]))
    for k, since in enumerate(np.diff(np.log(looks), prepend=np.log(looks[0]))):
        weights[k] = weights[k - 1 if k else 0] + np.float32(np.sqrt(since)) * rng.standard_normal(
            shape[1:], np.float32
        )
    run = planted(looks, weights=weights, noise=1.0, groups={"J": 10_000, "M0": 7_000, "M1": 7_000})
    tracemalloc.start()
    two_time_work(run, waiting[-1:])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    found, seconds = timed(lambda: two_time_work(run, waiting))
    assert found is not None
    assert found.ratio.spread < 0.05  # Brownian motion in log time
    assert seconds < 4
    assert peak < 100e6  # a few looks in double precision; the whole run is 192 MB in single


def two_time_work(run, waiting):
    aged = [aging(run, each) for each in waiting]
    for curve in aged:
        displacement(run, curve.waiting)
        two_time_correlation(run, curve.waiting)
        short_time_exponent(curve)
        compare_forms(curve, (0.5, 6))
    return collapse(aged) if len(aged) > 1 else None
