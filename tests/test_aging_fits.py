"""Forms of the aging function are recovered with intervals that hold the truth as often as they say."""

from collections.abc import Callable

import numpy as np
import pytest

from encoding import InputError
from experiments.observables import Displacement, compare_forms, fit_aging, short_time_exponent

TAU_W = 10.0
FORMS = {
    "power": (lambda x: 1.5 * x**0.66, np.geomspace(1, 6, 14), {"A": 1.5, "alpha": 0.66}),
    "logarithm": (lambda x: 0.5 + 0.8 * np.log(x), np.geomspace(10, 100, 16), {"a": 0.5, "b": 0.8}),
    "spherical": (
        lambda x: 2 * (1 - (1 + x) ** -0.9),
        np.geomspace(0.1, 30, 24),
        {"c": 1.8, "lambda": 0.9, "D_inf": 2.0},
    ),
    "near_plateau": (lambda x: 0.5 + x**0.5, np.geomspace(0.01, 3, 24), {"a": 0.5, "c": 1.0, "b": 0.5}),
}


def exact(law: Callable, x: np.ndarray, factors: tuple[float, ...] = (1.0,)) -> Displacement:
    return Displacement(TAU_W, TAU_W * x, law(x)[:, None] * np.array(factors), None)


def diffusing(law: Callable, x: np.ndarray, seed: int, n_replicas: int = 5, n_weights: int = 50) -> Displacement:
    """Weights in Brownian motion by a clock that makes <D> the law: neighbouring looks are correlated, as in a run."""
    steps = np.sqrt(np.diff(law(x), prepend=0.0))[:, None, None]
    drawn = np.random.Generator(np.random.Philox(key=[seed, 5])).standard_normal((len(x), n_replicas, n_weights))
    return Displacement(TAU_W, TAU_W * x, (np.cumsum(steps * drawn, 0) ** 2).mean(2), None)


@pytest.mark.parametrize("form", FORMS)
def test_a_planted_form_is_found_exactly(form):
    law, x, truth = FORMS[form]
    fit = fit_aging(exact(law, x, (0.9, 1.1)), form, (0, 1000))
    assert {name: fit.parameters[name].best for name in truth} == pytest.approx(truth, rel=1e-4)
    assert fit(x) == pytest.approx(law(x), rel=1e-5)
    assert fit.window == pytest.approx((x[0], x[-1]))


@pytest.mark.parametrize("form", FORMS)
def test_the_intervals_hold_the_truth_in_200_runs(form):
    law, x, truth = FORMS[form]
    fits = [fit_aging(diffusing(law, x, seed), form, (0, 1000)).parameters for seed in range(200)]
    for name, true in truth.items():
        assert 180 <= sum(fit[name].holds(true) for fit in fits) <= 198, name


def test_the_interval_of_the_short_time_exponent_holds_it_in_200_runs():
    x = np.geomspace(1e-3, 0.099, 12)
    fits = [short_time_exponent(diffusing(lambda x: x**0.7, x, seed)) for seed in range(200)]
    assert 180 <= sum(fit.holds(0.7) for fit in fits) <= 198


def test_only_short_times_count_for_the_exponent():
    bent = exact(lambda x: np.minimum(np.maximum(x, 1e-2) ** 0.7, 0.1**0.7), np.geomspace(1e-2, 5, 60), (0.9, 1.1))
    assert short_time_exponent(bent).best == pytest.approx(0.7)
    assert short_time_exponent(bent, below=3).best < 0.6


def test_one_replica_has_an_exponent_with_the_scatter_of_its_looks_and_parameters_without_an_interval():
    x = np.geomspace(1e-3, 0.2, 30)
    rng = np.random.Generator(np.random.Philox(key=[3, 3]))
    rough = Displacement(TAU_W, TAU_W * x, (x**0.7 * np.exp(0.05 * rng.standard_normal(30)))[:, None], None)
    fit = short_time_exponent(rough)
    assert fit.holds(0.7)
    assert 0.01 < fit.high - fit.low < 0.1
    alpha = fit_aging(rough, "power", (0, 1)).parameters["alpha"]
    assert alpha.best == pytest.approx(0.7, abs=0.05)
    assert np.isnan([alpha.low, alpha.high]).all()


@pytest.mark.parametrize("form", FORMS)
def test_the_criterion_prefers_the_form_that_was_planted(form):
    """To those that do not hold it: a + c x^b is a power for a = 0, a logarithm for b -> 0, and wins by chance."""
    law, x, _ = FORMS[form]
    rivals = tuple(name for name in FORMS if name != "near_plateau" or form in ("spherical", "near_plateau"))
    first = []
    for seed in range(30):
        rng = np.random.Generator(np.random.Philox(key=[seed, 4]))
        factors = np.exp(0.002 * rng.standard_normal((len(x), 1)))
        curve = Displacement(TAU_W, TAU_W * x, law(x)[:, None] * factors, None)
        first.append(compare_forms(curve, (0, 1000), forms=rivals)[0].form)
    assert first.count(form) >= 25, first


def test_a_parameter_more_has_to_pay_for_itself():
    """a + c x^b never fits worse than a power; it pays the parameter (4 here) in one of twenty."""
    law, x, _ = FORMS["power"]
    first = []
    for seed in range(40):
        factors = np.exp(0.01 * np.random.Generator(np.random.Philox(key=[seed, 6])).standard_normal((len(x), 1)))
        curve = Displacement(TAU_W, TAU_W * x, law(x)[:, None] * factors, None)
        first.append(compare_forms(curve, (0, 1000), forms=("near_plateau", "power"))[0].form)
    assert first.count("power") >= 32, first


def test_growth_without_end_has_no_plateau():
    x = np.geomspace(0.1, 30, 24)
    fit = fit_aging(exact(np.log1p, x, (0.9, 1.1)), "spherical", (0, 100))
    assert fit.parameters["lambda"].best == pytest.approx(0, abs=1e-5)
    endless = fit_aging(exact(lambda x: (1 + x) ** 0.5 - 1, x, (0.9, 1.1)), "spherical", (0, 100))
    assert endless.parameters["D_inf"].best == np.inf


def test_an_aging_regime_that_begins_late_is_counted_from_there():
    x = np.append(0.6, np.geomspace(0.7, 8, 25))
    late = exact(lambda x: 3 + 2 * (x - 0.6) ** 0.66, x, (0.9, 1.1))
    fit = fit_aging(late, "power", (1, 6), onset=0.6)
    assert fit.parameters["alpha"].best == pytest.approx(0.66, abs=1e-5)
    assert fit.window[0] >= 1
    assert fit.window[1] <= 6


@pytest.mark.parametrize("per_decade", [10, 20, 40])
def test_an_onset_between_two_looks_is_no_kink(per_decade):
    """The slope is infinite there: a value read off a straight line between the looks made .66 into .58 to .64."""
    x = np.geomspace(0.01, 6, round(per_decade * np.log10(600)))
    late = exact(lambda x: 0.3 + 2 * np.maximum(x - 0.6, 0) ** 0.66, x)
    fit = fit_aging(late, "power", (1, 6), onset=0.6)
    found = {name: value.best for name, value in fit.parameters.items()}
    assert found == pytest.approx({"offset": 0.3, "A": 2.0, "alpha": 0.66}, rel=1e-5)
    inside = x[x > 1]
    assert fit(inside) == pytest.approx(0.3 + 2 * (inside - 0.6) ** 0.66)
    compared = compare_forms(late, (1, 6), onset=0.6)
    assert [each.form for each in compared].count("near_plateau") == 0  # the same function


def test_the_intervals_hold_a_power_after_its_onset_in_200_runs():
    """Four replicas that differ by 10 %, and wander from look to look."""
    x, held = np.geomspace(0.01, 6, 56), []
    for seed in range(200):
        rng = np.random.Generator(np.random.Philox(key=[seed, 8]))
        wander = 0.006 * (rng.standard_normal((56, 4)) * (x > 0.6)[:, None]).cumsum(0)
        value = (0.3 + 2 * np.maximum(x - 0.6, 0) ** 0.66)[:, None] * (1 + 0.1 * rng.standard_normal(4)) + wander
        fit = fit_aging(Displacement(TAU_W, TAU_W * x, value, None), "power", (1, 6), onset=0.6).parameters
        held.append([fit["A"].holds(2), fit["alpha"].holds(0.66), fit["offset"].holds(0.3)])
    assert (np.mean(held, 0) >= 0.90).all(), np.mean(held, 0)
    assert (np.mean(held, 0) <= 0.99).all(), np.mean(held, 0)


@pytest.mark.parametrize(("form", "n_replicas"), [("power", 5), ("power", 3), ("spherical", 5)])
def test_a_true_form_is_seldom_rejected_and_a_false_one_is_never_chosen(form, n_replicas):
    """Brownian motion by a clock: by its order alone the criterion put a true power second in half of the runs."""
    law, x = {"power": lambda x: 2 * x**0.66, "spherical": np.log1p}[form], np.geomspace(0.05, 10, 25)
    found = [compare_forms(diffusing(law, x, seed, n_replicas), (0, 100)) for seed in range(40)]
    rejected = [each.rejected for compared in found for each in compared if each.form == form]
    assert np.mean(rejected) <= 0.1
    chosen = [compared.best.form if compared.best else None for compared in found]
    assert sum(each not in (form, None) for each in chosen) <= 2, chosen
    assert all(form in {each.form for each in compared.tied} for compared in found if compared.best is None)
    if n_replicas == 5:
        assert chosen.count(form) >= 30, chosen


def test_two_replicas_choose_no_form():
    compared = compare_forms(diffusing(lambda x: x**0.66, np.geomspace(0.05, 10, 25), 0, 2), (0, 100))
    assert compared.best is None
    assert not compared.tied
    assert np.isnan([each.p_value for each in compared]).all()
    assert compared[0].aic == min(each.aic for each in compared)


def test_a_fit_says_how_many_replicas_it_is_of():
    x = np.geomspace(0.1, 6, 30)
    value = x[:, None] ** 0.66 * [1.0, 1.1, 0.9, 1.0]
    value[20:, 1], value[:, 2] = np.nan, 0.0
    moved = Displacement(TAU_W, TAU_W * x, value, None, stopped=np.array([False, True, False, False]))
    fit = fit_aging(moved, "power", (0, 10))
    assert (fit.n_replicas, fit.left_out) == (2, (1, 2))
    assert fit.window[1] == pytest.approx(6)


X = np.geomspace(0.01, 6, 30)
POWER = exact(lambda x: x**0.66, X, (0.9, 1.1))


@pytest.mark.parametrize(
    ("curve", "form", "window", "onset", "said"),
    [
        (POWER, "exponential", (1, 6), 0.0, "power, logarithm, spherical, near_plateau; got 'exponential'"),
        (POWER, "logarithm", (10, 16), 0.0, "holds 5 looks or more.*; got 0 looks"),
        (POWER, "power", (3, 6), 0.0, "5 looks or more.*; got 4 looks from x = 3"),
        (POWER, "power", (6, 1), 0.0, r"in order and at least 0; got \(6, 1\)"),
        (POWER, "power", (1, None), 0.0, "a window is"),
        (POWER, "power", (1, 6), 7.0, "the onset lies among the looks"),
        (POWER, "power", (1, 6), -1.0, "the onset is a number of at least 0"),
        (exact(lambda x: x - 3, X), "power", (1, 6), 0.0, "positive in its window"),
        (exact(lambda x: 1.0 + 0 * x, X), "power", (1, 6), 0.0, "do not tell alpha"),
        (exact(lambda x: np.nan * x, X), "power", (1, 6), 0.0, "no look after tau_w = 10 is shared"),
        (Displacement(0.0, X, X[:, None], None), "power", (1, 6), 0.0, "a waiting time above 0"),
        ([1, 2, 3], "power", (1, 6), 0.0, "displacement, aging or two_time_correlation; got list"),
    ],
)
def test_what_cannot_be_told_is_refused(curve, form, window, onset, said):
    with pytest.raises(InputError, match=said):
        fit_aging(curve, form, window, onset=onset)


@pytest.mark.parametrize(
    ("curve", "below", "said"),
    [
        (exact(lambda x: x, X[-5:]), 0.1, "4 looks below 0.1 tau_w .* got 0"),
        (POWER, 0, "positive multiple of tau_w; got 0"),
        (POWER, float("nan"), "got nan"),
        (exact(lambda x: -x, X), 0.1, "got 0"),
    ],
)
def test_an_exponent_of_too_little_is_refused(curve, below, said):
    with pytest.raises(InputError, match=said):
        short_time_exponent(curve, below=below)


def test_a_comparison_says_why_nothing_could_be_fitted():
    with pytest.raises(InputError, match="looks or more"):
        compare_forms(POWER, (5, 6))
    with pytest.raises(InputError, match="at least one form"):
        compare_forms(POWER, (1, 6), forms=())
