"""Power laws towards a planted end are found with intervals that hold them; curves too short to tell are refused."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import power_law

TAU = np.geomspace(10, 1000, 61)
LOSS_INF, A, GAMMA = 0.12, 0.8, 0.6
WINDOW = (10, 1000)


def law(tau, loss_inf=LOSS_INF, amplitude=A, gamma=GAMMA):
    return loss_inf + amplitude * tau**-gamma


def drawn(n_replicas, noise, spread, *, seed):
    """Replicas that differ by `spread` in NLL_inf and A, with noise in proportion to the loss."""
    rng = np.random.Generator(np.random.Philox(key=[seed, n_replicas]))
    own = 1 + spread * rng.normal(size=(2, n_replicas))
    exact = law(TAU[:, None], LOSS_INF * own[0], A * own[1])
    return exact * np.exp(noise * rng.normal(size=exact.shape))


@pytest.mark.parametrize("gamma", [0.1, 0.52, 1.16, 3.0])
@pytest.mark.parametrize("loss_inf", [0.0, 0.1265])
def test_an_exact_law_is_found_exactly(planted, gamma, loss_inf):
    fit = power_law(planted(TAU, law(TAU, loss_inf, 0.8, gamma)), WINDOW)
    assert fit.gamma.best == pytest.approx(gamma, rel=1e-5)
    assert fit.loss_inf.best == pytest.approx(loss_inf, abs=1e-5)
    assert fit.amplitude.best == pytest.approx(0.8, rel=1e-4)
    assert fit.curve(TAU) == pytest.approx(law(TAU, loss_inf, 0.8, gamma), rel=1e-5)
    assert (fit.n_looks, fit.window) == (61, pytest.approx(WINDOW))


def test_energies_below_zero_fall_by_a_law_too(planted):
    fit = power_law(planted(TAU, law(TAU, -1.5)))
    assert fit.loss_inf.best == pytest.approx(-1.5, abs=1e-5)
    assert fit.gamma.best == pytest.approx(GAMMA, rel=1e-4)


@pytest.mark.parametrize("size", [2.0**-1000, 2.0**-30, 2.0**1000])
@pytest.mark.parametrize("window", [None, WINDOW])
def test_the_unit_of_the_loss_is_free(planted, size, window):
    for n_replicas in (1, 3):
        loss = drawn(n_replicas, 0.01, 0.03, seed=1)
        fit, scaled = (power_law(planted(TAU, each), window) for each in (loss, size * loss))
        assert (scaled.gamma, scaled.scatter) == (fit.gamma, fit.scatter)
        assert np.array([scaled.loss_inf, scaled.amplitude]) / size == pytest.approx(
            np.array([fit.loss_inf, fit.amplitude])
        )
    assert power_law(planted(TAU, size * loss), window, floor=0.5 * size).below_floor is True


@pytest.mark.parametrize(
    ("n_replicas", "noise", "spread"), [(1, 0.01, 0), (1, 0.03, 0), (3, 0.01, 0.03), (8, 0.003, 0.03)]
)
def test_the_intervals_hold_the_truth(planted, n_replicas, noise, spread):
    held = []
    for seed in range(200):
        fit = power_law(planted(TAU, drawn(n_replicas, noise, spread, seed=seed)), WINDOW)
        held.append([fit.loss_inf.holds(LOSS_INF), fit.amplitude.holds(A), fit.gamma.holds(GAMMA)])
    coverage = np.mean(held, 0)
    assert (coverage >= 0.90).all(), coverage
    assert (coverage <= 0.99).all(), coverage


def test_a_window_that_is_chosen_leaves_the_beginning_out_and_holds_the_truth(planted):
    before = 0.3 * np.exp(-TAU / 15)
    held, begins = [], []
    for seed in range(200):
        loss = drawn(1, 0.005, 0, seed=seed) + before[:, None]
        fit = power_law(planted(TAU, loss))
        begins.append(fit.window[0])
        held.append([fit.loss_inf.holds(LOSS_INF), fit.gamma.holds(GAMMA)])
    assert 80 < min(begins) <= max(begins) < 330  # the beginning is 10 % of the loss at 40, 0.04 % at 130
    assert (np.mean(held, 0) >= 0.90).all()
    assert (np.mean(held, 0) <= 0.99).all()
    whole = power_law(planted(TAU, drawn(1, 0.005, 0, seed=0)))
    assert whole.window == pytest.approx(WINDOW)
    misled = power_law(planted(TAU, law(TAU) + before), WINDOW)
    assert misled.scatter > 0.01


def test_residuals_that_remember_each_other_widen_the_interval(planted):
    rng = np.random.Generator(np.random.Philox(3))
    white = 0.01 * rng.normal(size=len(TAU))
    red = white.copy()
    for look in range(1, len(TAU)):
        red[look] = 0.8 * red[look - 1] + 0.6 * white[look]
    fits = [power_law(planted(TAU, law(TAU) * np.exp(noise)), WINDOW) for noise in (white, red)]
    lengths = [(fit.gamma.high - fit.gamma.low) / fit.scatter for fit in fits]
    assert lengths[1] > 1.3 * lengths[0]


def test_a_fit_below_the_floor_is_flagged(planted):
    run = planted(TAU, law(TAU, 0.002))
    assert power_law(run, WINDOW).below_floor is None
    assert power_law(run, WINDOW, floor=0.00253).below_floor is True
    assert power_law(run, WINDOW, floor=0.001).below_floor is False


def test_replicas_seen_at_other_times_are_compared_where_both_were(planted):
    run = planted(TAU, np.repeat(law(TAU)[:, None], 2, 1))
    run.time[:, 1] *= 0.7
    run.loss[:, 1] = law(run.time[:, 1])
    run.valid[:5, 0] = False
    fit = power_law(run)
    assert fit.window == pytest.approx((TAU[5], 700), rel=0.1)
    assert fit.gamma.best == pytest.approx(GAMMA, rel=0.02)


def test_an_end_that_cannot_be_told_is_nan(planted):
    tau = np.geomspace(100, 400, 12)
    rng = np.random.Generator(np.random.Philox(7))
    fit = power_law(planted(tau, law(tau) * np.exp(0.01 * rng.normal(size=12))), (100, 400))
    assert np.isnan([fit.loss_inf.low, fit.gamma.low, fit.amplitude.high]).all()
    assert fit.loss_inf.high > LOSS_INF


@pytest.mark.parametrize(
    ("tau", "loss", "window", "said"),
    [
        (TAU[:9], law(TAU[:9]), None, "needs 10 looks over a factor 3 in proper time; got 9"),
        (np.linspace(100, 250, 40), law(np.linspace(100, 250, 40)), None, "got 40 over 100 to 250"),
        (TAU, law(TAU), (100, 250), "a factor 3 apart or more; got"),
        (TAU, law(TAU), (2000, 9000), "got 0 over 2000 to 1000"),
        (TAU, law(TAU), "late", "window is"),
        (TAU, law(TAU), (np.nan, 100), "window is"),
        (TAU, np.ones(61), WINDOW, "does not visibly fall between tau = 10 and 1000"),
        (TAU, 0.1 + 0.001 * np.cos(np.arange(61.0) ** 2), WINDOW, "does not visibly fall"),
        (TAU, 1 + 0.1 * np.log(TAU), WINDOW, "does not visibly fall"),
        (TAU, 2 - 0.1 * np.log(TAU), WINDOW, "does not bend between"),
        (TAU, 1 + 0.5 * np.cos(3 * np.log(TAU)), None, "does not visibly fall"),
        (TAU, 1 + 0.1 * np.log(TAU), None, "no window that ends at tau = 1000"),
        (TAU, np.full(61, np.nan), None, "replica 0 has no looks"),
    ],
)
def test_a_curve_that_tells_no_law_is_refused(planted, tau, loss, window, said):
    with pytest.raises(InputError, match=said):
        power_law(planted(tau, loss), window)


def test_a_replica_that_froze_and_ends_the_window_is_named(planted):
    run = planted(TAU, np.repeat(law(TAU)[:, None], 3, 1))
    assert power_law(run, WINDOW).cut_by == ()
    run.valid[40:, 1] = False
    fit = power_law(run, WINDOW)
    assert fit.cut_by == (1,)
    assert fit.window[1] == pytest.approx(TAU[39])
    run.valid[5:, 1] = False
    with pytest.raises(InputError, match="replica 1 stopped: leave it out"):
        power_law(run, WINDOW)


def test_of_two_looks_at_one_time_the_later_counts(planted):
    twice = np.repeat(TAU, 2)
    loss = law(twice) * np.tile([0.5, 1.0], len(TAU))
    assert power_law(planted(twice, loss), WINDOW).loss_inf.best == pytest.approx(LOSS_INF, abs=1e-5)
