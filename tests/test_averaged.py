"""The measured schedule gate by gate is the channel's, features and slopes, and goes where U has no room."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from quantum import Block, Ladder
from quantum.averaged import Averaged
from quantum.channel import Channel, Music


def music_of(n_data, lengths, seed=0):
    rng = np.random.default_rng(seed)
    kets = rng.standard_normal((3, 2**n_data)) + 1j * rng.standard_normal((3, 2**n_data))
    kets /= np.linalg.norm(kets, axis=1, keepdims=True)
    offsets = np.concatenate([[0], np.cumsum([sum(length > t for length in lengths) for t in range(max(lengths))])])
    chord = torch.from_numpy(rng.integers(0, 3, offsets[-1]))
    return Music(torch.from_numpy(kets), chord, tuple(offsets.tolist()))


@pytest.mark.parametrize("observables", ["Z", "ZX"])
@pytest.mark.parametrize(("n_data", "n_history"), [(2, 1), (1, 3)])
def test_gate_by_gate_and_by_one_unitary_are_the_same(n_data, n_history, observables):
    block = Block(Ladder(n_data + n_history, 2, closing=True), n_data=n_data, schedule="measured")
    music = music_of(n_data, (5, 5, 3))
    theta = torch.from_numpy(np.random.default_rng(1).uniform(-3, 3, (2, block.ladder.n_angles)))
    slow, fast = Averaged(block, music, observables), Channel(block, music, observables)
    played, passed = slow.run(theta), fast.run(theta)
    assert_allclose(played.features, passed.features, atol=1e-13)
    error = torch.from_numpy(np.random.default_rng(2).standard_normal(passed.features.shape))
    assert_allclose(slow.slope(theta, played, error), fast.slope(theta, passed, error), atol=1e-12)
