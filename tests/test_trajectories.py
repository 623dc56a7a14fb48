"""Sampled kets against the exact channel: features and slopes agree on average, whatever is drawn."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from encoding import Purpose, stream
from quantum import Block, Ladder
from quantum.channel import Channel, Music
from quantum.trajectories import Trajectories


def music_of(n_data, lengths=(4, 3), seed=0):
    rng = np.random.default_rng(seed)
    kets = rng.standard_normal((3, 2**n_data)) + 1j * rng.standard_normal((3, 2**n_data))
    kets /= np.linalg.norm(kets, axis=1, keepdims=True)
    offsets = np.concatenate([[0], np.cumsum([sum(length > t for length in lengths) for t in range(max(lengths))])])
    chord = torch.from_numpy(rng.integers(0, 3, offsets[-1]))
    return Music(torch.from_numpy(kets), chord, tuple(offsets.tolist()))


def angles_of(block, n_replicas=1):
    return torch.from_numpy(np.random.default_rng(1).uniform(-3, 3, (n_replicas, block.ladder.n_angles)))


def draws(seed, n_replicas):
    return [stream(seed, replica, Purpose.OUTCOME) for replica in range(n_replicas)]


CASES = [("coherent", "Z", 2), ("coherent", "ZX", 1), ("staggered", "Z", 2), ("staggered", "ZX", 3)]


@pytest.mark.parametrize(("schedule", "observables", "n_history"), CASES)
def test_features_and_slopes_are_those_of_the_channel_on_average(schedule, observables, n_history):
    block, music = Block(Ladder(2 + n_history, 2), n_data=2, schedule=schedule), music_of(2)
    theta, channel = angles_of(block), Channel(block, music, observables)
    passed = channel.run(theta)
    error = torch.randn(passed.features.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    exact = channel.slope(theta, passed, error)[0].numpy()
    sampler = Trajectories(block, music, observables, n_trajectories=100)
    runs = [sampler.run(theta, draws(seed, len(theta))) for seed in range(60)]
    features = np.array([run.features[0].numpy() for run in runs])
    slopes = np.array([sampler.slope(theta, run, error)[0].numpy() for run in runs])
    for made, wanted in ((features, passed.features[0].numpy()), (slopes, exact)):
        deviation = (made.mean(0) - wanted) / (made.std(0, ddof=1) / np.sqrt(60) + 1e-12)
        assert np.abs(deviation).max() < 5  # of 60 runs: beyond 5 once in 10^5
        assert np.sqrt((deviation**2).mean()) < 1.5
    assert slopes.std(0).max() > 1e-4  # they do scatter


def test_a_ket_without_anything_to_draw_is_exact():
    block, music = Block(Ladder(3, 1), n_data=2, schedule="coherent"), music_of(2, (1,))
    theta = angles_of(block, 3)
    exact, sampled = Channel(block, music), Trajectories(block, music, n_trajectories=2)
    passed, run = exact.run(theta), sampled.run(theta, draws(0, 3))
    assert_allclose(run.features, passed.features, atol=1e-14)
    error = torch.ones_like(passed.features)
    assert_allclose(sampled.slope(theta, run, error), exact.slope(theta, passed, error), atol=1e-13)


def test_the_mean_of_the_others_takes_scatter_away():
    block, music = Block(Ladder(4, 2), n_data=2, schedule="coherent"), music_of(2, (6,))
    theta, sampler = angles_of(block), Trajectories(block, music, n_trajectories=20)
    scatter = []
    for baseline in (Trajectories._baseline, lambda self, seen, weights: torch.zeros_like(weights[..., 0])):
        sampler._baseline = baseline.__get__(sampler)
        slopes = []
        for seed in range(30):
            run = sampler.run(theta, draws(seed, len(theta)))
            slopes.append(sampler.slope(theta, run, torch.ones_like(run.features))[0].numpy())
        scatter.append(np.mean(np.std(slopes, 0)))
    assert scatter[0] < 0.7 * scatter[1]


def test_outcomes_are_drawn_by_seed_and_replica():
    block, music = Block(Ladder(3, 2), n_data=2, schedule="staggered"), music_of(2)
    theta, sampler = angles_of(block, 2), Trajectories(block, music, n_trajectories=3)
    first, again, other = (sampler.run(theta, draws(seed, len(theta))).features for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert_allclose(sampler.run(theta[:1], draws(1, 1)).features[0], first[0], atol=1e-13)
