"""Learning, on a decay whose loss is known at every proper time: looks where they are due, an end, and going on."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from encoding import InputError
from encoding.layout import lay_out
from experiments import Looks, Until, at, constant, halve_at_spikes, learn, linear, logarithmic, piecewise
from experiments.learner import Learner
from experiments.learning import NothingMoves
from experiments.run_folder import RunFolder


class Decay:
    """w = exp(-tau) whatever the rate, loss = w^2; a rate above 0.3 throws it back to 0.1 where w < 0.05."""

    unit = "heights"

    def __init__(self, n_replicas=2, start=1.0):
        self.n_replicas, self.w = n_replicas, start * np.array([[1.0, 0.5], [0.5, 0.25]])[:n_replicas]

    def step(self, rate, n=1):
        losses, factor = np.empty((n, self.n_replicas)), np.exp(-np.broadcast_to(rate, self.n_replicas))[:, None]
        for move in range(n):
            losses[move] = self.loss()
            thrown = (self.w[:, :1] < 0.05) & (factor < np.exp(-0.3))
            self.w = np.where(thrown, 0.1, self.w * factor)
        return losses

    def loss(self):
        return self.w[:, 0] ** 2

    def noise(self):
        return np.abs(self.w)

    def measure(self):
        return {"height": self.w[:, 0].copy(), "vector": self.w.copy()}

    def weights(self):
        return self.w.copy()

    def layout(self):
        return lay_out({"first": (1,), "second": (1,)}, {"second": 2 * np.pi})

    def state(self):
        return {"w": self.w.copy()}

    def restore(self, state):
        self.w = state["w"].copy()

    def put(self, weights):
        self.w = np.array(weights)

    def clone(self, seed):
        twin = type(self)(self.n_replicas)
        twin.restore(self.state())
        return twin


LOOKS = Looks(loss=linear(0.5), noise=linear(1.0), weights=at([2.0, 3.25]))


def test_the_loss_at_a_look_is_the_loss_at_its_proper_time():
    trajectory = learn(Decay(), 0.01, Looks(logarithmic(0.1, per_decade=20)), until=10)
    np.testing.assert_allclose(trajectory.loss, np.exp(-2 * trajectory.time) * [1, 0.25], rtol=1e-9)
    wanted = np.unique(np.ceil(0.1 * 10 ** (np.arange(41) / 20) / 0.01 - 1e-6))
    np.testing.assert_array_equal(trajectory.step, [0, *wanted])


def test_time_is_the_number_of_steps_times_the_rate_and_not_a_sum():
    trajectory = learn(Decay(1), 0.1, Looks(linear(10)), until=1e4)
    assert trajectory.step[-1] == 100_000
    np.testing.assert_array_equal(trajectory.time[:, 0], trajectory.step * 0.1)
    assert trajectory.n_looks == 1001


@pytest.mark.parametrize("rate", [0.1, 0.02, 0.3, 0.7, 1 / 3, 1e-5])
def test_every_look_is_met_by_the_step_meant_for_it_however_it_is_rounded(rate):
    trajectory = learn(Decay(), rate, Looks(linear(rate), noise=linear(3 * rate)), until=300 * rate)
    np.testing.assert_array_equal(trajectory.step, np.arange(301))
    assert np.flatnonzero(np.isfinite(trajectory.noise[:, 0, 0])).tolist() == list(range(0, 301, 3))


def test_looks_are_written_where_they_are_due_and_there_is_a_row_at_time_0_with_everything():
    trajectory = learn(Decay(), 0.125, LOOKS, until=4)
    np.testing.assert_array_equal(trajectory.time[:, 0], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.25, 3.5, 4])
    assert trajectory.time[np.isfinite(trajectory.noise).all((1, 2)), 0].tolist() == [0, 1, 2, 3, 4]
    assert trajectory.weights_look.tolist() == [0, 4, 7]
    np.testing.assert_allclose(trajectory.weights[:, 0, 0], np.exp([-0.0, -2.0, -3.25]), rtol=1e-6)
    np.testing.assert_allclose(trajectory.noise[4], np.exp(-2.0) * np.array([[1, 0.5], [0.5, 0.25]]))
    np.testing.assert_allclose(trajectory.measured["height"][:, 0], np.exp(-trajectory.time[:, 0]))


def test_the_arrays_of_a_trajectory_have_the_shapes_they_say(tmp_path):
    with_file = RunFolder(tmp_path)
    for recorder in (None, with_file):
        trajectory = learn(Decay(), 0.125, LOOKS, until=4, checkpoint=recorder)
        assert (trajectory.n_looks, trajectory.n_replicas, list(trajectory.layout)) == (10, 2, ["first", "second"])
        sizes = {"look": 10, "replica": 2, "group": 2, "weights_look": 3, "weight": 2}
        arrays = trajectory.arrays()
        for name, (dimensions, values) in arrays.items():  # what xarray.Dataset takes
            assert values.shape == tuple(sizes[dimension] for dimension in dimensions), name
        assert {"step", "time", "rate", "loss", "noise", "weights", "valid", "height", "vector"} <= arrays.keys()
        assert trajectory.weights.dtype == np.float32
    with_file.close()


def test_a_trajectory_on_disk_is_the_one_in_memory(tmp_path):
    folder = RunFolder(tmp_path)
    written = learn(Decay(), 0.125, LOOKS, until=4, checkpoint=folder).arrays()
    np.testing.assert_equal(written, learn(Decay(), 0.125, LOOKS, until=4).arrays())
    folder.close()


def test_the_csv_holds_the_same_numbers(tmp_path):
    trajectory = learn(Decay(), 0.125, LOOKS, until=4)
    trajectory.to_csv(tmp_path / "run.csv")
    with open(tmp_path / "run.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([float(row[name]) for row in rows]).reshape(10, 2) for name in rows[0]}
    np.testing.assert_array_equal(columns["step"], np.stack([trajectory.step] * 2, 1))
    for name in ("time", "rate", "loss", "valid"):
        np.testing.assert_array_equal(columns[name], getattr(trajectory, name))
    np.testing.assert_array_equal(columns["noise_second"], trajectory.noise[:, :, 1])
    np.testing.assert_array_equal(columns["height"], trajectory.measured["height"])
    assert columns["replica"].tolist() == [[0, 1]] * 10
    assert "vector" not in columns


@pytest.mark.parametrize(
    ("until", "steps"),
    [
        (Until(steps=7), 7),
        (Until(time=1.0), 8),
        (Until(time=1.01), 9),
        (1, 8),
        (Until(steps=7, time=1.0), 7),
        (Until(steps=9, time=1.0), 8),
        (Until(steps=0), 0),
        (Until(time=0), 0),
        (Until(loss=1.0), 0),
        (Until(loss=np.exp(-2.0)), 8),  # at tau = 1, at a look
        (Until(loss=np.exp(-2.1)), 12),  # passed at 1.05, seen at the look at 1.5
        (Until(loss=-1.0, steps=30), 30),
    ],
)
def test_a_run_ends_at_the_first_of_its_ends_and_goes_no_further_when_asked_again(until, steps, tmp_path):
    for _ in range(2):
        system, folder = Decay(), RunFolder(tmp_path)
        learn(system, 0.125, LOOKS, until=until, checkpoint=folder)
        np.testing.assert_allclose(system.w[0, 0], np.exp(-0.125 * steps), rtol=1e-9)
        folder.close()


@pytest.mark.parametrize("end", [{}, {"steps": -1}, {"steps": 2.5}, {"time": -1}, {"time": np.inf}, {"loss": np.nan}])
def test_a_run_without_an_end_is_refused(end):
    with pytest.raises(InputError, match="until: "):
        Until(**end)


def test_a_callback_sees_where_the_run_stands_and_stops_it(monkeypatch):
    monkeypatch.setattr(Learner, "piece_seconds", 0.0)
    seen = []

    def stop_at_5(standing):
        seen.append(standing)
        return standing.step == 5

    system = Decay()
    learn(system, 0.125, LOOKS, until=100, callback=stop_at_5)
    assert [standing.step for standing in seen] == [1, 2, 3, 4, 5]
    assert seen[-1].time.tolist() == [0.625] * 2
    assert seen[-1].rate.tolist() == [0.125] * 2
    np.testing.assert_allclose(seen[3].loss, np.exp(-1.0) * np.array([1, 0.25]))  # at a look: of now
    np.testing.assert_allclose(seen[4].loss, np.exp(-1.0) * np.array([1, 0.25]))  # between: before the last move
    np.testing.assert_allclose(system.w[0, 0], np.exp(-0.625))


SCHEDULES = {
    "constant": constant(0.125),
    "piecewise": piecewise([0.125, 0.25, 0.0625, 1.0], [1.0, 2.5, 1e300]),
    "spikes": halve_at_spikes(0.4, window=7),
}


some_stops = st.lists(st.integers(1, 24), min_size=1, max_size=4)


@settings(max_examples=25)
@example([14], "spikes", 0.0)  # when the spike is over, and only remembered
@given(some_stops, st.sampled_from(sorted(SCHEDULES)), st.sampled_from([0.0, 1e-4, 0.25]))
def test_a_run_in_pieces_is_the_unbroken_run_byte_for_byte(tmp_path_factory, stops, schedule, seconds):
    whole = written(tmp_path_factory.mktemp("whole"), SCHEDULES[schedule], [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "piece_seconds", seconds)
        assert written(tmp_path_factory.mktemp("pieces"), SCHEDULES[schedule], stops) == whole
    rates = {tuple(json.loads(row)["rate"]) for row in whole[0].splitlines()}
    assert len(rates) == {"constant": 2, "piecewise": 4, "spikes": 4}[schedule]  # with the 0 before the first step


def written(path, schedule, stops):
    """Rows and weights of a run stopped (where a piece ends) after so many steps, so many more, ..., then finished."""
    folder = RunFolder(path)
    for stop in np.cumsum(stops):
        learn(Decay(), schedule, LOOKS, until=30, checkpoint=folder, callback=lambda now, stop=stop: now.step >= stop)
    learn(Decay(), schedule, LOOKS, until=Until(steps=100), checkpoint=folder)
    folder.close()
    return [(path / name).read_bytes() for name in ("trajectory.jsonl", "weights.f32")]


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_longer_run_begins_with_the_shorter_one(tmp_path, schedule):
    files = []
    for steps in (0, 17, 40, 90):
        folder = RunFolder(tmp_path / str(steps))
        learn(Decay(), schedule, LOOKS, until=Until(steps=steps), checkpoint=folder)
        files.append([(folder.path / name).read_bytes() for name in ("trajectory.jsonl", "weights.f32")])
        folder.close()
    for short, long in pairwise(files):
        assert all(b.startswith(a) for a, b in zip(short, long, strict=True))
    assert len({rows for rows, _ in files}) == 4


def test_another_systems_run_is_refused(tmp_path):
    first, second = RunFolder(tmp_path), RunFolder(tmp_path)
    learn(Decay(), 0.1, until=1, checkpoint=first)
    first.close()
    with pytest.raises(InputError, match=r"is of another system: its n_replicas should be 1; it is 2: "):
        learn(Decay(1), 0.1, until=1, checkpoint=second)
    second.close()


def test_a_loss_that_is_infinite_at_the_last_look_is_seen():
    class Overflowing(Decay):
        def loss(self):
            return np.where(self.w[:, 0] < 0.2, np.inf, super().loss())  # exp(-1.625) < 0.2 < exp(-1.5)

    with pytest.raises(NothingMoves, match="at step 13"):
        learn(Overflowing(1), 0.125, Looks(at([1.625])), until=1.625)


def test_a_rate_too_small_to_come_anywhere_is_no_reason_to_fail():
    assert learn(Decay(), 1e-320, until=Until(steps=3)).step[-1] == 0
