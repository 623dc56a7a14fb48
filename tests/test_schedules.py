"""How fast to learn: the right rate at the right time, and back where the loss spikes; in a bowl of known motion."""

import copy

import numpy as np
import pytest

from encoding import InputError
from encoding.layout import lay_out
from experiments import Looks, Until, constant, halve_at_spikes, learn, linear, piecewise
from experiments.learner import Learner
from experiments.learning import NothingMoves


class Bowl:
    """loss = floor + c w^2 / 2, w <- (1 - rate c) w: above the critical rate 2 / c it diverges, and freezes at 1e38."""

    def __init__(self, curvature, start=1.0, floor=1.0):
        self.curvature, self.floor = np.array(curvature, float), floor
        self.n_replicas = len(self.curvature)
        self.w, self.frozen = np.full(self.n_replicas, start), np.zeros(self.n_replicas, bool)

    def moved(self, rate):
        return (1 - rate * self.curvature) * self.w

    def step(self, rate, n=1):
        losses = np.empty((n, self.n_replicas))
        for move in range(n):
            losses[move] = self.loss()
            w = self.moved(np.broadcast_to(rate, self.n_replicas))
            self.frozen |= abs(w) > 1e38
            self.w = np.where(self.frozen, self.w, w)
            losses[move, self.frozen] = np.nan
        return losses

    def loss(self):
        return self.floor + self.curvature * self.w**2 / 2

    def noise(self):
        return np.ones((self.n_replicas, 1))

    def weights(self):
        return self.w[:, None].copy()

    def layout(self):
        return lay_out({"w": (1,)})

    def state(self):
        return {"w": self.w.copy(), "frozen": self.frozen.copy()}

    def restore(self, state):
        self.w, self.frozen = state["w"].copy(), state["frozen"].copy()

    def put(self, weights):
        self.w = np.array(weights)[:, 0]

    def clone(self, seed):
        return copy.deepcopy(self)


class Cliff(Bowl):
    """A flat bowl with a cliff near its bottom, over which a rate above 0.3 throws it far up."""

    def moved(self, rate):
        return np.where((abs(self.w) < 0.1) & (rate > 0.3), 100.0, super().moved(rate))


EVERY_STEP = Looks(linear(1 / 1024))  # finer than any step here


def test_a_constant_rate_is_the_same_for_ever():
    trajectory = learn(Bowl([1, 2]), constant(0.25), EVERY_STEP, until=Until(steps=8))
    np.testing.assert_array_equal(trajectory.rate[1:], np.full((8, 2), 0.25))
    np.testing.assert_array_equal(trajectory.time, 0.25 * np.arange(9)[:, None] * [1, 1])
    np.testing.assert_allclose(trajectory.loss[-1], [1 + 0.75**16 / 2, 1 + 0.5**16])
    assert trajectory.valid.all()


def test_a_piecewise_rate_changes_at_the_right_step_and_time():
    schedule, bowl = piecewise([0.1, 0.05, 0.02], [1.0, 1.5]), Bowl([1, 2])
    trajectory = learn(bowl, schedule, EVERY_STEP, until=Until(steps=30))
    np.testing.assert_array_equal(trajectory.step, np.arange(31))
    np.testing.assert_array_equal(trajectory.rate[1:, 0], [0.1] * 10 + [0.05] * 10 + [0.02] * 10)
    assert trajectory.time[10, 0] == 1.0
    assert trajectory.time[20, 0] == 1.5
    np.testing.assert_allclose(trajectory.time[[15, 30], 1], [1.25, 1.7], rtol=1e-14)
    np.testing.assert_allclose(bowl.w, (1 - 0.1 * bowl.curvature) ** 10 * (1 - 0.05 * bowl.curvature) ** 10
                               * (1 - 0.02 * bowl.curvature) ** 10)  # fmt: skip


@pytest.mark.parametrize(
    ("times", "rates"),
    [
        ([0.4, 1.4], [0.5] * 3 + [0.25] * 7),  # the first stretch is less than half a step of rate 1
        ([0.6, 1.6], [1.0, 0.5] + [0.25] * 8),  # the second begins at 1 and is to end at 1.6
        ([0.1, 0.2], [0.25] * 10),
        ([4.0, 4.1], [1.0] * 4 + [0.25] * 6),
        ([1e300, 2e300], [1.0] * 10),
    ],
)
def test_every_change_comes_within_half_a_step_of_its_time(times, rates):
    trajectory = learn(Bowl([1]), piecewise([1.0, 0.5, 0.25], times), EVERY_STEP, until=Until(steps=10))
    np.testing.assert_array_equal(trajectory.rate[1:, 0], rates)


def test_one_that_spikes_goes_back_and_halves_while_the_other_goes_on_untouched():
    bowl, alone = Bowl([1, 10]), Bowl([1])  # critical rates 2 and 0.2
    trajectory = learn(bowl, halve_at_spikes(0.5, window=4), EVERY_STEP, until=Until(steps=12))
    learn(alone, 0.5, EVERY_STEP, until=Until(steps=12))
    assert bowl.w[0] == alone.w[0] == 0.5**12
    assert bowl.w[1] == (1 - 0.125 * 10) ** 4  # from its start, at a quarter of the rate
    steps = [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12]  # a row more where one went back
    np.testing.assert_array_equal(trajectory.step, steps)
    np.testing.assert_array_equal(trajectory.time[:, 0], 0.5 * trajectory.step)
    np.testing.assert_array_equal(trajectory.time[[4, 5, 9, 10, -1], 1], [2, 0, 1, 0, 0.5])
    assert trajectory.rate[-1].tolist() == [0.5, 0.125]


def test_what_was_superseded_is_nan_and_not_valid():
    look = Looks(linear(1 / 1024), noise=linear(1 / 1024))
    trajectory = learn(Bowl([1, 10]), halve_at_spikes(0.5, window=4), look, until=Until(steps=12))
    assert trajectory.valid[:, 0].all()
    kept = [look == 0 or look == 5 or look >= 10 for look in range(trajectory.n_looks)]  # all at time 0, and the end
    np.testing.assert_array_equal(trajectory.valid[:, 1], kept)
    np.testing.assert_array_equal(np.isfinite(trajectory.loss), trajectory.valid)
    np.testing.assert_array_equal(np.isnan(trajectory.noise[1:5, 1, 0]), [True] * 4)


def test_one_that_froze_is_revived():
    bowl = Bowl([1, 10], start=1e30)
    trajectory = learn(bowl, halve_at_spikes(0.5, window=20), EVERY_STEP, until=Until(steps=100))
    assert trajectory.time[20, 1] == 10  # it froze on the way
    assert not bowl.frozen.any()
    assert trajectory.rate[-1, 1] == 0.125
    assert abs(bowl.w[1]) == pytest.approx(1e30 * 0.25**60)


@pytest.mark.parametrize("window", range(1, 11))
def test_a_spike_after_a_deep_fall_costs_one_halving_wherever_the_window_ends(window):
    trajectory = learn(Cliff([1.0], floor=1e-3), halve_at_spikes(0.4, window=window), EVERY_STEP, until=Until(steps=90))
    assert trajectory.rate[-1, 0] == 0.2
    assert trajectory.loss[-1, 0] == pytest.approx(1e-3)


def test_one_goes_back_to_its_last_good_state_and_the_time_it_had_there():
    trajectory = learn(Cliff([1, 2]), halve_at_spikes(0.4, window=2), EVERY_STEP, until=Until(steps=8))
    back = int(np.flatnonzero(np.diff(trajectory.time[:, 0]) < 0)[0]) + 1
    assert trajectory.step[back] == 6  # 0.6^5 < 0.1, so it leaps at the sixth step
    assert trajectory.time[back, 0] == 4 * 0.4
    assert trajectory.loss[back, 0] == pytest.approx(1 + 0.6**8 / 2)


class Script(Bowl):
    """The loss is read from a table, line by line."""

    def moved(self, rate):
        return self.w + rate

    def loss(self):
        table = [[1.0, 1.0], [0.9, 0.5], [0.8, 0.65], [0.7, 0.6], [0.6, 9.0], [0.5, 9.0], [0.4, 9.0], [0.3, 9.0]]
        return np.choose(self.w.astype(int), table)


def test_a_state_of_doubt_is_neither_kept_nor_left():
    trajectory = learn(Script([1, 1], start=0.0), halve_at_spikes(1.0, window=2), EVERY_STEP, until=Until(steps=7))
    assert trajectory.step.tolist() == [0, 1, 2, 3, 4, 4, 5, 6, 7]
    np.testing.assert_array_equal(trajectory.time[5], [4, 0])  # not 2, where its loss was 1.3 times the lowest
    np.testing.assert_array_equal(trajectory.loss[5], [0.6, 1.0])
    assert trajectory.rate[-1].tolist() == [1.0, 0.5]  # nor does what it left behind count against it


def test_one_that_spikes_at_every_rate_is_given_up_and_the_others_come_to_the_end(caplog):
    schedule = halve_at_spikes(0.5, window=1)
    trajectory = learn(Bowl([1, 1e30]), schedule, Looks(linear(10)), until=100)
    assert trajectory.time[-1, 0] == 100
    assert trajectory.rate[-1].tolist() == [0.5, 0]
    assert trajectory.n_looks <= 60
    assert "replica 1 is given up" in caplog.text
    with pytest.raises(NothingMoves) as none_left:
        learn(Bowl([1e30]), schedule, until=100)
    assert none_left.value.trajectory.step[-1] == 41
    assert "was given up: it spikes at any rate" in str(none_left.value)


def test_a_loss_that_comes_to_zero_is_no_spike():
    bowl = Bowl([1.0, 0.5])
    bowl.floor, bowl.w[:] = 0.0, 0.0
    trajectory = learn(bowl, halve_at_spikes(0.5, window=3), Looks(linear(1)), until=Until(steps=20))
    assert (trajectory.loss == 0).all()
    assert (trajectory.rate[1:] == 0.5).all()


def test_a_run_stops_when_all_are_frozen_and_says_at_which_step(caplog):
    bowl = Bowl([10, 20], start=1e30)  # factors -4 and -9: 4^14 > 1e8, 9^9 > 1e8
    with pytest.raises(NothingMoves) as none_left:
        learn(bowl, 0.5, Looks(linear(0.5)), until=1e6)
    assert "\n" not in str(none_left.value)
    assert "at step 13, 8" in str(none_left.value)
    assert np.isfinite(bowl.w).all()
    trajectory = none_left.value.trajectory
    np.testing.assert_array_equal(trajectory.step, np.arange(14))
    np.testing.assert_array_equal(np.isnan(trajectory.loss).argmax(0), [0, 9])  # the first froze after the last look
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


@pytest.mark.parametrize("curvature", [[10], [10, 20], [10, 1], [10, 1e30]])
@pytest.mark.parametrize("schedule", [constant(0.5), halve_at_spikes(0.5, window=30)], ids=["constant", "spikes"])
def test_how_a_freezing_run_is_cut_into_pieces_changes_no_row(monkeypatch, curvature, schedule):
    def rows(seconds):
        monkeypatch.setattr(Learner, "piece_seconds", seconds)
        try:
            return learn(Bowl(curvature, start=1e30), schedule, Looks(linear(10.0)), until=Until(steps=200))
        except NothingMoves as none_left:
            return none_left.trajectory

    np.testing.assert_equal(vars(rows(0.0)), vars(rows(0.25)))


def test_one_replica_frozen_does_not_stop_the_other():
    trajectory = learn(Bowl([1, 10], start=1e30), 0.5, EVERY_STEP, until=Until(steps=50))
    assert trajectory.step[-1] == 50
    assert np.isfinite(trajectory.loss[:, 0]).all()
    assert np.isnan(trajectory.loss[:, 1]).tolist() == [False] * 14 + [True] * 37
    np.testing.assert_array_equal(trajectory.valid, np.isfinite(trajectory.loss))


@pytest.mark.parametrize(
    "schedule", [constant(0.1), piecewise([0.1, 0.2], [1]), halve_at_spikes(0.1)], ids=lambda it: type(it).__name__
)
def test_a_schedule_is_a_pure_function(schedule):
    state, losses = schedule.start(3), np.array([[1.0, 2.0, np.nan], [5.0, 1.0, np.nan]])
    before = {name: array.copy() for name, array in state.items()}
    first, second = schedule(state, losses), schedule(state, losses)
    np.testing.assert_equal(first, second)
    np.testing.assert_equal(state, before)
    assert all(len(array) == 3 for array in [*state.values(), *first[1].values(), first[0].rate])


WRONG = [
    *[(constant, [rate], {}) for rate in (0, -1, np.nan, np.inf)],
    *[(piecewise, [rates, [1]], {}) for rates in ([0.1], [0.1, 0.2, 0.3], [0.1, -0.2])],
    *[(piecewise, [[0.1, 0.2, 0.3], times], {}) for times in ([2, 1], [1, 1], [0, 1], [1, np.inf], [np.nan, 1], [1])],
    *[(halve_at_spikes, [rate], {}) for rate in (0, np.nan)],
    *[(halve_at_spikes, [0.1], said) for said in ({"window": 0}, {"calm": 1}, {"calm": 2}, {"spike": np.inf})],
]


@pytest.mark.parametrize(("make", "given", "said"), WRONG)
def test_a_schedule_that_makes_no_sense_is_refused_in_one_line(make, given, said):
    with pytest.raises(InputError, match="got ") as refused:
        make(*given, **said)
    assert "\n" not in str(refused.value)
