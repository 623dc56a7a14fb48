"""Losses with planted mean, scatter and memory: an autoregressive process about a falling line."""

import numpy as np
import pytest
from scipy.signal import lfilter

from encoding import InputError
from experiments.observables import loss_fluctuations, noise_against_batch

STEPS = 1000


def flickering(seed, *, memory=0.8, scatter=0.1, n_replicas=1, n_steps=STEPS):
    """x(t + 1) = memory x(t) + noise: tau_int = (1 + memory) / (1 - memory) / 2, of deviation `scatter`."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(scale=scatter * np.sqrt(1 - memory**2), size=(n_steps + 200, n_replicas))
    return np.asarray(lfilter([1], [1, -memory], noise, axis=0))[200:]


def falling(seed, **options):
    noise = flickering(seed, **options)
    return 1 + np.linspace(0.2, -0.2, len(noise))[:, None] + noise


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    held = np.zeros(4)
    for seed in range(200):
        seen = loss_fluctuations(falling(seed))
        truths = ((seen.mean, 1), (seen.deviation, 0.1), (seen.relative, 0.1), (seen.correlation_time, 4.5))
        held += [fits[0].holds(truth) for fits, truth in truths]
    assert (held[:3] >= 0.90 * 200).all()
    assert (held[:3] <= 0.99 * 200).all()
    assert held[3] >= 0.90 * 200


def test_the_line_that_was_taken_out_does_not_shorten_the_memory():
    times = [loss_fluctuations(falling(seed)).correlation_time[0].best for seed in range(200)]
    # The interval is symmetric in ln tau. Three standard errors; -0.09 if the line's part is not put back.
    assert np.mean(np.log(times)) == pytest.approx(np.log(4.5), abs=0.05)


def test_without_memory_the_error_of_the_mean_is_that_of_independent_losses():
    seen = loss_fluctuations(flickering(0, memory=0, n_steps=100_000))
    mean, tau = seen.mean[0], seen.correlation_time[0]
    assert tau.best == pytest.approx(0.5, abs=0.02)
    assert (mean.high - mean.low) / 2 == pytest.approx(1.96 * 0.1 / np.sqrt(100_000), rel=0.05)


def test_memory_makes_the_mean_worse_by_the_root_of_twice_tau():
    memory, n_steps = 0.9, 200_000
    seen = loss_fluctuations(flickering(1, memory=memory, n_steps=n_steps))
    mean, tau = seen.mean[0], seen.correlation_time[0]
    assert tau.best == pytest.approx(9.5, rel=0.1)
    assert (mean.high - mean.low) / 2 == pytest.approx(1.96 * 0.1 * np.sqrt(2 * 9.5 / n_steps), rel=0.1)


def test_the_line_is_taken_out_exactly():
    noise = flickering(2)
    steep = noise + np.linspace(1000, 0, STEPS)[:, None]
    flat = loss_fluctuations(noise).deviation[0]
    assert loss_fluctuations(steep).deviation[0] == pytest.approx(flat, rel=1e-6)


def test_replicas_are_measured_each_by_itself():
    both = np.hstack([flickering(3), 2 + 3 * flickering(4)])
    seen = loss_fluctuations(both)
    assert seen.deviation[1] == loss_fluctuations(both[:, 1]).deviation[0]
    assert seen.mean[0] == loss_fluctuations(both[:, 0]).mean[0]
    assert np.isnan(seen.relative[0]).all() == (seen.mean[0].best <= 0)


def test_a_loss_that_does_not_flicker_says_so():
    still = loss_fluctuations(np.linspace(1, 0.5, 100))
    assert still.mean == ((0.75, 0.75, 0.75),)
    assert still.deviation == ((0, 0, 0),)
    assert np.isnan(still.correlation_time[0]).all()


def test_scatter_of_slots_falls_as_the_root_of_the_batch():
    batches = (75, 150, 300)
    held = []
    for seed in range(200):
        losses = [1 + p**-0.5 * flickering((seed, p), memory=0.5, n_steps=800, n_replicas=3) for p in batches]
        held.append(noise_against_batch(batches, losses).holds(-0.5))
    assert 0.90 <= np.mean(held) <= 0.99


def test_a_single_replica_has_the_interval_of_its_fit():
    held = []
    for seed in range(200):
        losses = [p**-0.7 * flickering((seed, p), memory=0.5, n_steps=800) for p in (75, 300)]
        held.append(noise_against_batch((75, 300), losses).holds(-0.7))
    assert 0.90 <= np.mean(held) <= 0.99


def test_points_off_the_line_widen_the_interval():
    pure = [flickering((1, p), memory=0, n_steps=5000) * p**-0.5 for p in (10, 100, 1000)]
    bent = [pure[0], 3 * pure[1], pure[2]]
    narrow, wide = noise_against_batch((10, 100, 1000), pure), noise_against_batch((10, 100, 1000), bent)
    assert wide.high - wide.low > 10 * (narrow.high - narrow.low)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: loss_fluctuations(np.ones(10)), "at least 50 steps; got 10"),
        (lambda: loss_fluctuations(flickering(0, memory=0.999)), r"remember some \d+ steps .*1000 steps are too few"),
        (lambda: loss_fluctuations(np.linspace(1, 2, 500) ** 2), "or bend"),
        (lambda: loss_fluctuations([1.0, np.nan] * 50), "finite"),
        (lambda: loss_fluctuations("losses"), "real numbers"),
        (lambda: loss_fluctuations(np.ones((5, 5, 5))), r"\(n_steps, n_replicas\); got shape \(5, 5, 5\)"),
        (lambda: loss_fluctuations(flickering(0), window=0), "at least 1"),
        (lambda: noise_against_batch([75], [flickering(0)]), "two of them different"),
        (lambda: noise_against_batch([75, 300], [flickering(0)]), "and 1 losses"),
        (lambda: noise_against_batch([-75, 300], [flickering(0)] * 2), "positive"),
        (lambda: noise_against_batch([1, 2], [flickering(0), flickering(0, n_replicas=2)]), r"same replicas.*\[1, 2\]"),
        (lambda: noise_against_batch([1, 2], [flickering(0), np.ones(STEPS)]), "full gradient"),
    ],
)
def test_what_is_too_short_or_no_loss_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_losses_that_alternate_are_no_more_certain_than_independent_ones():
    """AR(1) with rho = -1/2: tau_int = (1 + rho) / (1 - rho) / 2 = 1/6."""
    rng, held, times = np.random.default_rng(11), 0, []
    for _ in range(100):
        x = np.zeros(2000)
        steps = rng.normal(size=2000)
        for k in range(1, 2000):
            x[k] = -0.5 * x[k - 1] + steps[k]
        found = loss_fluctuations(0.1 + 0.01 * x)
        held += found.mean[0].holds(0.1)
        times.append(found.correlation_time[0].best)
    assert held >= 95
    assert np.mean(times) == pytest.approx(1 / 6, abs=0.05)
