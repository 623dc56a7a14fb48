"""X of a bath in equilibrium is 1, of one at another effective temperature T / T_eff, with errors that hold it."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import Aging, Correlation, Displacement, TwoTimeCurve, fluctuation_dissipation

STIFFNESS, HEAT = 0.5, 2.0
DECAY = np.exp(-STIFFNESS * np.arange(12) / 2)


def trap(seed, n_replicas=6, n_weights=60):
    """chi, with some error, and D of replicas in a harmonic trap at HEAT, (12, R) each."""
    rng = np.random.default_rng(seed)
    w = np.sqrt(HEAT / STIFFNESS) * rng.standard_normal((12, n_replicas, n_weights))
    path, decay = [w[0]], DECAY[1]
    for fresh in w[1:]:
        path.append(decay * path[-1] + np.sqrt(1 - decay**2) * fresh)
    chi = (1 - DECAY[:, None]) / STIFFNESS + 0.03 * rng.standard_normal((12, n_replicas))
    return chi, np.mean((np.array(path) - path[0]) ** 2, -1)


@pytest.mark.parametrize("x", [1.0, 0.4])
def test_the_interval_holds_the_truth_19_times_of_20(x):
    held = [fluctuation_dissipation(*trap(seed), x * HEAT).holds(x) for seed in range(200)]
    assert 0.90 <= np.mean(held) <= 0.99


def test_without_noise_x_is_the_slope():
    d = np.outer(1 - DECAY, [1.0, 2.0, 3.0])
    fit = fluctuation_dissipation(0.7 * d / (2 * np.array([2.0, 3.0, 4.0])) + 5, d, [2.0, 3.0, 4.0])
    assert tuple(fit) == pytest.approx((0.7, 0.7, 0.7))


def test_one_replica_has_no_interval():
    fit = fluctuation_dissipation(0.5 * np.arange(4.0)[:, None], np.arange(4.0)[:, None], 1.0)
    assert fit.best == pytest.approx(1)
    assert np.isnan([fit.low, fit.high]).all()


LAG = np.arange(1.0, 9.0)
VALUE = LAG[:, None] * [1.0, 1.1]
MOVED = Displacement(5.0, LAG, VALUE, "J")


@pytest.mark.parametrize(
    ("chi", "far", "said"),
    [
        (TwoTimeCurve(5.0, 2 * LAG, VALUE, "J"), MOVED, "at the same lags"),
        (TwoTimeCurve(8.0, LAG, VALUE, "J"), MOVED, "one waiting time; got tau_w = 8 and 5"),
        (TwoTimeCurve(5.0, LAG, VALUE, "M0"), MOVED, "one group of weights; got 'M0' and 'J'"),
        (MOVED, TwoTimeCurve(5.0, LAG, VALUE, "J"), "response chi comes first"),
        (VALUE, Correlation(5.0, LAG, VALUE, "J", raw=True), "D is a displacement; got Correlation"),
        (VALUE, Aging(5.0, LAG, VALUE, "J", "Delta"), "D is a displacement; got Aging"),
    ],
)
def test_curves_that_do_not_belong_together_are_refused(chi, far, said):
    with pytest.raises(InputError, match=said):
        fluctuation_dissipation(chi, far, 1.0)


def test_curves_of_one_experiment_give_the_slope_of_their_numbers():
    chi = TwoTimeCurve(5.0, LAG, VALUE / 4, "J")
    assert fluctuation_dissipation(chi, MOVED, 1.0) == fluctuation_dissipation(VALUE / 4, VALUE, 1.0)
    still = Aging(5.0, LAG, VALUE, "J", "D")  # without noise it is D, and called so
    assert fluctuation_dissipation(chi, still, 1.0).best == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("chi", "far", "heat", "said"),
    [
        (np.ones((5, 2)), np.ones((5, 3)), 1.0, r"got \(5, 2\) and \(5, 3\)"),
        (np.ones((2, 2)), np.ones((2, 2)), 1.0, "at least 3 lags"),
        (np.ones((5, 2)) * np.nan, np.ones((5, 2)), 1.0, "chi and D are finite"),
        (np.ones((5, 2)), np.ones((5, 2)), 1.0, "a replica that does not move"),
        (np.ones((5, 2)), np.ones((5, 2)), 0.0, "temperature is positive"),
        (np.ones((5, 2)), np.ones((5, 2)), [1.0, 1.0, 1.0], "temperature is positive"),
        ("chi", np.ones((5, 2)), 1.0, "response chi and D are real numbers"),
    ],
)
def test_what_gives_no_slope_is_refused(chi, far, heat, said):
    with pytest.raises(InputError, match=said):
        fluctuation_dissipation(chi, far, heat)
