"""Unitaries in torch against the dense ones, and their slope against the product rule."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum.dense import unitary, unitary_and_slopes
from quantum.evolution import slope, unitaries
from quantum.ladder import ROTATIONS, TOPOLOGIES, Ladder

LADDERS = st.builds(
    Ladder,
    st.integers(1, 4),
    st.integers(1, 3),
    topology=st.sampled_from(TOPOLOGIES),
    closing=st.booleans(),
    rotations=st.sampled_from(list(ROTATIONS)),
)


def angles_of(ladder, seed, dtype=torch.float64, n_replicas=2):
    drawn = np.random.default_rng(seed).uniform(-6, 6, (n_replicas, ladder.n_angles))
    return torch.from_numpy(drawn).to(dtype)


@settings(max_examples=40, deadline=None)
@given(ladder=LADDERS, seed=st.integers(0, 2**32))
def test_every_ladder_has_its_unitary_and_the_slope_of_any_loss(ladder, seed):
    angles = angles_of(ladder, seed)
    made = unitaries(ladder, angles)
    np.testing.assert_allclose(made, unitary(ladder, angles.numpy()), atol=1e-12)
    upstream = torch.view_as_complex(torch.randn(*made.shape, 2, dtype=torch.float64))
    _, slopes = unitary_and_slopes(ladder, angles.numpy())  # (R, n_angles, 2^N, 2^N)
    expected = np.einsum("rij,raij->ra", upstream.numpy().conj(), slopes).real
    np.testing.assert_allclose(slope(ladder, angles, made, upstream), expected, atol=1e-11)


@pytest.mark.parametrize("ladder", [Ladder(4, 3), Ladder(5, 2, "all-to-all", closing=True)])
def test_single_precision_is_single_precision(ladder):
    angles = angles_of(ladder, 1, torch.float32)
    made = unitaries(ladder, angles)
    assert made.dtype == torch.complex64
    np.testing.assert_allclose(made, unitary(ladder, angles.double().numpy()), atol=1e-6)
