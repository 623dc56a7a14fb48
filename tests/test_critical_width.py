"""Inverse times planted on a parabola or a power vanish where they were made to, within the intervals."""

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import Fit, critical_width, loss_against_width

W = np.array([70.0, 75, 80, 90, 100, 110, 120, 140])
W_C, A, NU = 64.0, 1e-4, 1.3
LOSSES = np.array([0.01, 0.02, 0.03, 0.05, 0.1])


def parabola(w):
    return A * (w - W_C) + 4e-7 * (w - W_C) ** 2


def power(w):
    return A * (w - W_C) ** NU


def noisy(exact, n_replicas, seed):
    """Noise in proportion to the rates of replicas, or the same everywhere for a single one."""
    rng = np.random.Generator(np.random.Philox(key=[seed, n_replicas]))
    if n_replicas == 1:
        return exact + 0.005 * exact.mean() * rng.normal(size=len(exact))
    return exact[:, None] * (1 + 0.03 * rng.normal(size=(len(exact), n_replicas)))


def check(held):
    coverage = np.mean(held, 0)
    assert (coverage >= 0.90).all(), coverage
    assert (coverage <= 0.99).all(), coverage


@pytest.mark.parametrize("bend", [0, 4e-7, -4e-7])
def test_a_parabola_crosses_zero_where_it_was_planted(bend):
    rates = A * (W - W_C) + bend * (W - W_C) ** 2
    fit = critical_width(W[::-1], rates[::-1])
    assert fit.quadratic.best == pytest.approx(W_C, rel=1e-9)
    assert fit.quadratic_curve(np.array([W_C, 100.0])) == pytest.approx([0, rates[4]], abs=1e-12)
    assert fit.coefficients[2] == pytest.approx(bend, abs=1e-12)
    assert fit.widths.tolist() == W.tolist()


@pytest.mark.parametrize("nu", [0.5, 1.0, 1.3, 2.0])
def test_a_power_ends_where_it_was_planted(nu):
    fit = critical_width(W, 1e-4 * (W - W_C) ** nu)
    assert fit.power.best == pytest.approx(W_C, rel=1e-5)
    assert fit.nu.best == pytest.approx(nu, rel=1e-5)
    assert fit.amplitude.best == pytest.approx(1e-4, rel=1e-4)
    assert fit.power_curve(np.array([50.0, 100.0])) == pytest.approx([0, 1e-4 * 36**nu], rel=1e-5)


@pytest.mark.parametrize("n_replicas", [1, 5])
def test_the_interval_holds_the_zero_of_a_parabola(n_replicas):
    check(
        [
            [critical_width(W, noisy(parabola(W), n_replicas, seed), seed=seed, n_draws=300).quadratic.holds(W_C)]
            for seed in range(200)
        ]
    )


@pytest.mark.parametrize("n_replicas", [1, 5])
def test_the_intervals_hold_the_end_and_the_exponent_of_a_power(n_replicas):
    held = []
    for seed in range(200):
        fit = critical_width(W, noisy(power(W), n_replicas, seed), seed=seed, n_draws=300)
        held.append([fit.power.holds(W_C), fit.nu.holds(NU), fit.amplitude.holds(A)])
    check(held)


NEAR = np.array([11.0, 12, 14, 17, 20, 25, 32, 40])  # widths down to one above the critical 10


def scattered(rates, n_replicas, seed, relative=0.05):
    rng = np.random.Generator(np.random.Philox(key=[seed, 77]))
    return rates[:, None] * (1 + relative * rng.normal(size=(len(rates), n_replicas)))


def laws(rates, n_replicas, n_runs=200, relative=0.05):
    return [critical_width(NEAR, scattered(rates, n_replicas, s, relative), n_draws=100) for s in range(n_runs)]


@pytest.mark.parametrize(("bend", "n_replicas"), [(0, 3), (5e-4, 5)])
def test_a_parabola_that_is_true_is_seldom_rejected(bend, n_replicas):
    rates = 0.01 * (NEAR - 10) + bend * (NEAR - 10) ** 2
    assert np.mean([fit.quadratic_rejected for fit in laws(rates, n_replicas)]) <= 0.1


def test_a_parabola_through_another_power_is_rejected_and_the_power_is_not():
    fits = laws(0.01 * (NEAR - 10) ** 0.7, 5, 100)
    assert not any(fit.quadratic.holds(10) for fit in fits)  # why it has to be said
    assert np.mean([fit.quadratic_rejected for fit in fits]) >= 0.85
    assert np.mean([fit.power_rejected for fit in fits]) <= 0.1
    assert np.mean([fit.misfit.aic_difference > 0 for fit in fits]) >= 0.95
    said = str(next(fit for fit in fits if fit.quadratic_rejected))
    assert "by a parabola (rejected, p = " in said
    assert "by a power law, nu = " in said


def test_a_power_that_is_no_law_is_rejected():
    fits = laws(0.01 * (NEAR - 10) + 0.0005 * (NEAR - 10) ** 2, 5, 50)
    assert np.mean([fit.power_rejected for fit in fits]) >= 0.6
    assert np.median([fit.misfit.aic_difference for fit in fits]) < -5


def test_one_replica_rejects_no_law_and_prefers_one():
    fit = critical_width(NEAR, 0.01 * (NEAR - 10) ** 0.7 * (1 + 0.01 * np.cos(7 * NEAR)))
    assert np.isnan([fit.misfit.quadratic, fit.misfit.power]).all()
    assert not fit.quadratic_rejected
    assert fit.misfit.aic_difference > 5


def test_what_was_not_reached_is_left_out_and_counted():
    rates = noisy(parabola(W), 3, 0)
    rates[0] = np.nan
    rates[1, 2] = np.nan
    fit = critical_width(W, rates)
    assert fit.left_out == 4
    assert fit.widths.tolist() == W[1:].tolist()
    assert fit.inverse_times[0] == pytest.approx(rates[1, :2].mean())


def test_the_same_seed_gives_the_same_interval_and_another_another():
    rates = noisy(parabola(W), 3, 0)
    first, again, other = (critical_width(W, rates, seed=seed, n_draws=200) for seed in (1, 1, 2))
    assert first.quadratic == again.quadratic
    assert first.nu == again.nu
    assert first.quadratic != other.quadratic


def test_the_regression_is_that_over_all_points():
    rates = noisy(parabola(W), 3, 5)
    points = np.polynomial.Polynomial.fit(np.repeat(W, 3), rates.ravel(), 2).convert()
    assert critical_width(W, rates).coefficients == pytest.approx(points.coef, rel=1e-9)


@pytest.mark.parametrize("rates", [1 / W, np.exp(W / 20), np.ones(8)])
def test_no_zero_is_an_answer(rates):
    fit = critical_width(W, rates)
    assert np.isnan([*fit.quadratic, *fit.power, *fit.nu, *fit.amplitude]).all()
    assert np.isnan(critical_width(W, 1e-3 + 1e-6 * (W - 60) ** 2).quadratic).all()


@pytest.mark.parametrize(
    ("widths", "rates", "options", "said"),
    [
        (W[:3], parabola(W[:3]), {}, "needs times at 4 widths; got 3"),
        (W, np.where(W > 95, parabola(W), np.nan)[:, None] * [1, np.nan], {"n_draws": 50}, "n_draws is a whole number"),
        (W[:5], np.where(W > 75, parabola(W), np.nan)[:5], {}, "needs times at 4 widths; got 3"),
        (W, parabola(W)[:5], {}, "a row for each; got 8 and 5"),
        (np.full(8, 70.0), parabola(W), {}, "widths are different numbers"),
        (W, -parabola(W), {}, "inverse times are above 0"),
        (W, parabola(W) * np.inf, {}, "inverse times are finite, or NaN where missing"),
        ("wide", parabola(W), {}, "widths are real numbers"),
        (W, [["fast"]] * 8, {}, "inverse times are real numbers"),
        (W, parabola(W), {"seed": -1}, "seed is a whole number"),
    ],
)
def test_what_tells_no_critical_width_is_refused(widths, rates, options, said):
    with pytest.raises(InputError, match=said):
        critical_width(widths, rates, **options)


def test_a_line_through_exact_critical_widths_is_found():
    line = loss_against_width(LOSSES[::-1], 64.2 - 200 * LOSSES[::-1])
    assert line.slope.best == pytest.approx(-200)
    assert line.intercept.best == pytest.approx(64.2)
    assert line.line(LOSSES) == pytest.approx(64.2 - 200 * LOSSES)


@pytest.mark.parametrize("as_fits", [False, True])
def test_the_intervals_hold_the_slope_and_the_ends_of_the_line(as_fits):
    rng = np.random.Generator(np.random.Philox(2))
    error = np.array([1.0, 0.5, 0.5, 0.3, 0.2]) if as_fits else np.full(5, 0.5)
    held = []
    for _ in range(200):
        w_c = 64 - 200 * LOSSES + error * rng.normal(size=5)
        fits = [Fit(w - 1.96 * e, w, w + 1.96 * e) for w, e in zip(w_c, error, strict=True)]
        line = loss_against_width(LOSSES, fits if as_fits else w_c)
        held.append([line.slope.holds(-200), line.intercept.holds(64)])
    check(held)


def test_a_critical_width_with_a_long_interval_weighs_little():
    w_c = 64 - 200 * LOSSES
    fits = [Fit(w - 1, w, w + 1) for w in w_c]
    fits[0] = Fit(w_c[0] - 100, w_c[0] + 50, w_c[0] + 200)
    assert loss_against_width(LOSSES, fits).intercept.best == pytest.approx(64, abs=0.1)


@pytest.mark.parametrize("unknown", [Fit(np.nan, np.nan, np.nan), Fit(np.nan, 80.0, 81.0), Fit(79.0, 80.0, np.nan)])
def test_a_critical_width_with_an_end_that_cannot_be_told_is_left_out_and_the_others_are_not(unknown):
    fits = [Fit(w - 1, w, w + 1) for w in 64 - 200 * LOSSES]
    fits[1] = unknown
    without = loss_against_width(LOSSES, fits)
    assert without.left_out == 1
    assert without.losses.tolist() == [0.01, 0.03, 0.05, 0.1]
    assert without.intercept.best == pytest.approx(64)


@pytest.mark.parametrize(
    ("losses", "w_c", "said"),
    [
        (LOSSES[:2], LOSSES[:2], "at 3 losses; got 2"),
        (LOSSES, LOSSES[:4], "got 5 and 4"),
        (LOSSES, [Fit(np.nan, 60.0, np.nan)] * 5, "at 3 losses with both ends of their intervals; got 0"),
        (LOSSES, [Fit(60.0, 60.0, 60.0)] * 5, "interval of no length"),
        (LOSSES, ["wide"] * 5, "critical widths are real numbers"),
        ([0.1] * 5, LOSSES, "losses are different numbers"),
    ],
)
def test_what_tells_no_line_is_refused(losses, w_c, said):
    with pytest.raises(InputError, match=said):
        loss_against_width(losses, w_c)
