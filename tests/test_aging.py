"""Motion in units of the noise that drives it, on diffusions whose clock is known."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import aging, aging_by_group, noise

LOOKS = np.unique(np.concatenate([[4.0, 16.0], 4 + np.geomspace(0.1, 60, 40), 16 + np.geomspace(0.1, 60, 40)]))


def diffusing(clock: np.ndarray, n_replicas: int = 4, n_weights: int = 500, seed: int = 0) -> np.ndarray:
    """Brownian motion: independent weights, their variance as the clock says, (n_looks, R, n_weights)."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 7]))
    steps = np.sqrt(np.diff(clock, prepend=clock[0]))[:, None, None]
    return np.cumsum(steps * rng.standard_normal((len(clock), n_replicas, n_weights)), axis=0)


def test_brownian_motion_in_log_time_ages_as_the_logarithm_of_one_plus_the_ratio(planted):
    run = planted(LOOKS, weights=diffusing(np.log(LOOKS), n_weights=2000), noise=1.0)
    for waiting in (4.0, 16.0):
        aged = aging(run, waiting)
        mean, _ = aged.mean()
        truth = np.log1p(aged.lag / waiting)
        assert aged.quantity == "Delta"
        assert np.abs(mean / truth - 1).max() < 4 * np.sqrt(2 / 8000)  # a chi-square of 8000


@pytest.mark.parametrize("power", [-1.0, 0.7, 2.0])
def test_diffusion_by_a_noise_that_changes_counts_as_time_itself(planted, power):
    """Gamma = tau^p drives the clock tau^(p+1)/(p+1): Delta = tau, whatever p."""
    clock = np.log(LOOKS) if power == -1 else LOOKS ** (power + 1) / (power + 1)
    run = planted(LOOKS, weights=diffusing(clock, n_weights=2000), noise=LOOKS**power)
    aged = aging(run, 4.0)
    assert np.abs(aged.mean()[0] / aged.lag - 1).max() < 0.1
    frozen = aging(run, 4.0, temperature="waiting")
    moved = clock[LOOKS > 4] - clock[LOOKS == 4]
    assert np.abs(frozen.mean()[0] / (moved / 4**power) - 1).max() < 0.1


def test_a_displacement_that_follows_the_noise_exactly_is_measured_exactly_though_both_are_seen_seldom(planted):
    """D = int Gamma with Gamma = tau: one weight at sqrt(tau^2 / 2 - 8) away. Gamma is looked at elsewhere."""
    time = np.array([4.0, 5.0, 9.0, 10.0, 30.0, 50.0])
    weights = np.sqrt(np.maximum(time**2 / 2 - 8, 0))[:, None, None]
    run = planted(time, weights=weights, noise=np.array([4, np.nan, 9.0, np.nan, np.nan, 50]))
    assert aging(run, 4.0).value[:, 0] == pytest.approx(time[1:] - 4)


def test_without_noise_there_is_no_delta_and_the_result_says_so(planted):
    run = planted(LOOKS, weights=diffusing(LOOKS), noise=0.0)
    plain = aging(run, 4.0)
    assert plain.quantity == "D"
    moved = run.weights[LOOKS > 4] - run.weights[LOOKS == 4]
    assert plain.value == pytest.approx((moved**2).mean(2))


def test_every_group_ages_in_units_of_its_own_noise_and_one_without_any_is_displaced(planted):
    """Weights sqrt(c (tau - 4)) away, so D = c tau: Delta = (c / Gamma) tau; angles also around the circle."""
    weights = np.sqrt(np.maximum(LOOKS - 4, 0))[:, None, None] * np.sqrt([1.0, 3.0, 3.0, 5.0, 2.0])
    groups = {"J": 1, "M0": 2, "h0": 1, "angles": (1, 4.0)}
    run = planted(LOOKS, weights=weights, groups=groups, noise=np.array([[[2.0, 3.0, 0.0, 1.0]]]))
    aged = aging_by_group(run, 4.0)
    assert [(name, each.group, each.quantity) for name, each in aged.items()] == [
        ("J", "J", "Delta"),
        ("M0", "M0", "Delta"),
        ("h0", "h0", "D"),
        ("angles", "angles", "Delta"),
    ]
    for name, slope in {"J": 0.5, "M0": 1.0, "h0": 5.0, "angles": 2.0}.items():
        assert aged[name].value[:, 0] == pytest.approx(slope * aged[name].lag)
    around = aging_by_group(run, 4.0, periodic=True)
    assert around["J"].value == pytest.approx(aged["J"].value)
    assert around["angles"].value.max() <= 4 < aged["angles"].value.max()  # half a period is as far as it goes
    run.noise[-1, 0, 1] = 0.0
    with pytest.raises(InputError, match="group M0: Gamma is positive throughout"):
        aging_by_group(run, 4.0)


def test_gamma_is_the_mean_over_groups_by_their_sizes(planted):
    run = planted(LOOKS, weights=diffusing(LOOKS, n_weights=10), groups={"M0": 1, "M1": 3, "h0": 6})
    run.noise[:] = [8.0, 4.0, 1.0]
    run.noise[5] = np.nan
    run.measured["tangent_noise"] = run.noise / 2
    assert noise(run, group="M").gamma == pytest.approx(5.0)
    assert noise(run).gamma == pytest.approx((8 + 12 + 6) / 10)
    assert noise(run, group="M", kind="tangent").gamma == pytest.approx(2.5)
    assert len(noise(run).time) == len(LOOKS) - 1
    assert aging(run, 4.0, kind="tangent").value == pytest.approx(2 * aging(run, 4.0).value)


def test_a_replica_that_froze_has_an_answer_until_then(planted):
    run = planted(LOOKS, weights=diffusing(LOOKS), noise=1.0)
    run.valid[50:, 2] = False
    value = aging(run, 4.0).value
    assert np.isfinite(value[:, [0, 1, 3]]).all()
    n_known = 49 - np.flatnonzero(LOOKS == 4)[0]
    assert np.isfinite(value[:, 2]).sum() == n_known


def some_zero(run):
    run.noise[-1] = 0


def one_still(run):
    run.noise[:, 1] = 0


def tiny(run):
    run.noise[:] = 1e-320


def endless(run):
    run.noise[-1] = np.inf


def seen_early(run):
    run.noise[LOOKS > 10] = np.nan


def never(run):
    run.noise[:] = np.nan


@pytest.mark.parametrize(
    ("spoil", "asked", "said"),
    [
        (some_zero, {}, "positive throughout, or 0 throughout; got 0 for replica 0 at time 76"),
        (one_still, {}, "got 0 for replica 1"),
        (tiny, {}, "positive throughout, or 0 throughout; got .* for replica 0"),
        (endless, {}, "Gamma is a finite number of at most 1e\\+60"),
        (seen_early, {}, "needed from time 4 to 76; replica 0 looked at it from 4 to 9"),
        (never, {}, "never looked at"),
        (None, {"kind": "tangent"}, "did not measure the tangent noise"),
        (None, {"kind": "loud"}, '"noise" or "tangent"; got \'loud\''),
        (None, {"temperature": "hot"}, '"running" or "waiting"; got \'hot\''),
        (None, {"waiting": 5.0}, "not looked at when tau_w = 5"),
    ],
)
def test_noise_that_is_missing_or_mixed_is_refused(planted, spoil, asked, said):
    run = planted(LOOKS, weights=diffusing(LOOKS, n_weights=3), noise=1.0)
    if spoil:
        spoil(run)
    with pytest.raises(InputError, match=said):
        aging(run, **{"waiting": 4.0} | asked)


def test_gamma_of_the_waiting_time_needs_no_later_look(planted):
    run = planted(LOOKS, weights=diffusing(LOOKS, n_weights=3), noise=2.0)
    seen_early(run)
    assert aging(run, 4.0, temperature="waiting").value == pytest.approx(
        aging(planted(LOOKS, weights=run.weights, noise=2.0), 4.0).value
    )


def test_a_noise_that_is_all_but_zero_for_a_while_is_not_lost_beside_the_rest(planted):
    """Gamma = 1, for a while 1e-30, which no running sum can hold: D = tau there gives 1e30 tau, and no warning."""
    time = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    run = planted(time, weights=np.sqrt(time - 1)[:, None, None], noise=np.array([1, 1, 1e-30, 1e-30, 1, 1]))
    delta = aging(run, 1.0).value[:, 0]
    assert delta[0] == pytest.approx(1)
    assert delta[2] == pytest.approx(1e30)
