"""Gradients from features alone, against the slope made inside, against finite differences; and their price."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.primitives import BaseSamplerV2, BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from quantum import Block, Ladder
from quantum.channel import Channel
from quantum.dense import unitary
from quantum.exact import Exact
from quantum.ladder import TOPOLOGIES
from quantum.rules import circuits_of, pairs_shown, parameter_shift, spsa
from quantum.samplers import Sampler
from quantum.shots import Shots
from quantum.sources import Sizes, features_of

SCHEDULES = ("measured", "coherent", "staggered")
LENGTHS = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(lambda n: tuple(sorted(n, reverse=True)))


def block_of(schedule, n_data=2, n_history=1, n_layers=2, **options):
    return Block(Ladder(n_data + n_history, n_layers, **options), n_data=n_data, schedule=schedule)


def rng(seed=0):
    return np.random.default_rng(seed)


def case(sung, block, lengths=(3, 2), observables="Z", seed=0):
    """Music, angles, dL/d features, and the slope by the adjoint of the channel."""
    music, _ = sung(lengths, block.n_data, seed)
    angles = rng(seed).uniform(-3, 3, block.ladder.n_angles)
    channel, theta = Channel(block, music, observables), torch.from_numpy(angles)[None]
    passed = channel.run(theta)
    error = rng(seed + 1).normal(size=passed.features.shape)
    return music, angles, error[0], channel.slope(theta, passed, torch.from_numpy(error))[0].numpy()


@settings(max_examples=25)
@given(
    st.sampled_from(SCHEDULES),
    st.integers(1, 2),
    st.integers(1, 2),
    st.sampled_from(TOPOLOGIES),
    st.sampled_from(["XZX", "ZX"]),
    LENGTHS,
    st.sampled_from(["Z", "ZX"]),
    st.integers(0, 2**32),
)
def test_shifts_without_scatter_give_the_slope(sung, schedule, n_data, n_history, topology, turns, lengths, read, seed):
    block = block_of(schedule, n_data, n_history, topology=topology, rotations=turns, closing=True)
    music, angles, error, slope = case(sung, block, lengths, read, seed)
    made = parameter_shift(Exact(block, music, read), angles, lambda features: error, rng())
    np.testing.assert_allclose(made.gradient, slope, atol=1e-10)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_error_may_depend_on_the_features(sung, schedule):
    block = block_of(schedule)
    music, angles, _, _ = case(sung, block)
    channel, theta = Channel(block, music), torch.from_numpy(angles)[None].requires_grad_()
    (channel.run(theta).features ** 3).sum().backward()
    assert theta.grad is not None
    made = parameter_shift(Exact(block, music), angles, lambda features: 3 * features**2, rng())
    np.testing.assert_allclose(made.gradient, theta.grad[0], atol=1e-10)
    np.testing.assert_allclose(made.features, channel.run(theta).features.detach()[0], atol=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_shifts_by_shots_scatter_about_the_slope(sung, schedule):
    block = block_of(schedule)
    music, angles, error, slope = case(sung, block)
    source = Shots(block, music, "Z", 100)
    made = np.array([parameter_shift(source, angles, lambda features: error, rng(s)).gradient for s in range(40)])
    z = (made.mean(0) - slope) / (made.std(0, ddof=1) / np.sqrt(len(made)))
    assert abs(z).max() < 4.5
    assert (z**2).mean() < 2
    assert abs(slope).max() > 6 * (made.std(0) / np.sqrt(len(made))).max()


def test_shifts_of_a_stochastic_network_give_the_slope_of_its_averages(sung):
    """S = 1: the history is a Markov chain over the 2^n_H outcomes of H."""
    block = block_of("measured", 1, 2)
    music, angles, error, _ = case(sung, block, (3,))
    kets = music.states.numpy()

    def mean(theta):
        p, seen = np.array([1.0, 0, 0, 0]), []
        signs = 1 - 2 * (np.arange(8)[:, None] >> np.arange(3)[::-1] & 1)
        for ket in kets:
            moved = abs(unitary(block.ladder, theta).reshape(8, 2, 4).transpose(0, 2, 1) @ ket) ** 2 @ p
            seen.append(moved @ signs)
            p = moved.reshape(2, 4).sum(0)
        return (np.array(seen) * error).sum()

    steps = 1e-5 * np.eye(len(angles))
    slope = np.array([(mean(angles + step) - mean(angles - step)) / 2e-5 for step in steps])
    source = Shots(block, music, "Z", 1)
    made = np.array([parameter_shift(source, angles, lambda features: error, rng(s)).gradient for s in range(600)])
    z = (made.mean(0) - slope) / (made.std(0, ddof=1) / np.sqrt(len(made)))
    assert abs(z).max() < 4.5
    assert abs(slope).max() > 6 * (made.std(0) / np.sqrt(len(made))).max()


def test_what_sounded_before_a_shift_takes_no_part(sung):
    block = block_of("coherent")
    music, angles, error, slope = case(sung, block, (4, 3))

    class Disturbed(Exact):
        """Other numbers at every chord before the first one whose angles are not those of the first variant."""

        def whole(self, angles, draw):
            seen, angles = super().whole(angles, draw), np.asarray(angles)
            for features, apart in zip(seen[1:], (angles[1:] != angles[:1]).any(2), strict=True):
                features[: self.offsets[apart.argmax()]] += draw.normal(size=1) * 1e3
            return seen

    made = parameter_shift(Disturbed(block, music), angles, lambda features: error, rng())
    np.testing.assert_allclose(made.gradient, slope, atol=1e-10)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_random_directions_average_to_the_slope(sung, schedule):
    # to first order an estimate is (g . Delta) Delta_k: its variance is the sum of the other components squared
    block, n = block_of(schedule, 1, 1, 1), 4000
    music, angles, error, slope = case(sung, block)
    made = spsa(Exact(block, music), lambda features: float((features * error).sum()), angles, 1e-3, rng(), n=n)
    scatter = np.sqrt(((slope**2).sum() - slope**2) / n)
    assert (abs(made - slope) < 4 * scatter + 1e-5).all()
    assert abs(slope).max() > 20 * scatter.max()


def test_one_pair_is_the_difference_along_its_direction(sung):
    block = block_of("coherent")
    music, angles, error, slope = case(sung, block)
    made = spsa(Exact(block, music), lambda features: float((features * error).sum()), angles, 1e-3, rng())
    assert abs(abs(made) - abs(made[0])).max() < 1e-12
    assert made[0] * np.sign(made[0]) == pytest.approx(abs(slope @ np.sign(made)), rel=1e-5)


class Counting(BaseSamplerV2):
    """Shows zeros, and counts jobs, circuits and shots."""

    def __init__(self):
        self.jobs = self.circuits = self.shots = 0

    def run(self, pubs, *, shots=None):
        pubs, counting = [SamplerPub.coerce(pub, shots) for pub in pubs], self
        self.jobs += 1
        self.circuits += sum(pub.parameter_values.size for pub in pubs)
        self.shots += sum(pub.parameter_values.size * (pub.shots or 0) for pub in pubs)

        class Job:
            def result(self):
                return PrimitiveResult([counting.zeros(pub) for pub in pubs])

        return Job()  # pyright: ignore[reportReturnType]  # all of a job that is asked

    def zeros(self, pub):
        shape = pub.parameter_values.shape
        bits = {
            register.name: BitArray(np.zeros((*shape, pub.shots, -(-register.size // 8)), np.uint8), register.size)
            for register in pub.circuit.cregs
        }
        return SamplerPubResult(DataBin(**bits, shape=shape))


@settings(max_examples=25)
@given(
    st.sampled_from(
        [
            ("measured", 1, "Z"),
            ("measured", 3, "Z"),
            ("measured", 2, "ZX"),
            ("coherent", 3, "ZX"),
            ("staggered", 1, "Z"),
        ]
    ),
    st.integers(1, 2),
    st.integers(1, 2),
    LENGTHS,
    st.sampled_from(["parameter-shift", "spsa"]),
    st.integers(1, 3),
)
def test_a_plan_is_what_a_sampler_then_sees(sung, asked, n_data, n_history, lengths, rule, n):
    schedule, shots, observables = asked
    block, counting = block_of(schedule, n_data, n_history, 1), Counting()
    music, chords = sung(lengths, n_data)
    source = Sampler(block, chords, counting, shots, observables=observables)
    angles = np.zeros(block.ladder.n_angles)
    if rule == "spsa":
        spsa(source, np.sum, angles, 0.1, rng(), n=n)
    else:
        parameter_shift(source, angles, np.ones_like, rng())
    plan = circuits_of(rule, source, n=n)
    assert plan == (counting.circuits, counting.jobs, counting.shots)
    assert plan == circuits_of(rule, Sizes(block, music.offsets, observables, shots), n=n)


@pytest.mark.parametrize("rule", ["adjoint", "backprop", None, 3, ["spsa"]])
def test_a_rule_that_a_sampler_cannot_give_is_refused(rule):
    with pytest.raises(InputError, match="its rules are parameter-shift, spsa; got"):
        circuits_of(rule, Sizes(block_of("coherent"), (0, 1), "Z", 10))


def test_what_makes_no_gradient_is_refused(sung):
    block = block_of("coherent")
    music, angles, _, _ = case(sung, block)
    source = Exact(block, music)
    for wrong in (angles[1:], angles[None], angles * np.nan, "angles"):
        with pytest.raises(InputError, match="angles of the ladder"):
            parameter_shift(source, wrong, np.ones_like, rng())
        with pytest.raises(InputError, match="angles of the ladder"):
            spsa(source, np.sum, wrong, 0.1, rng())
    for error in (lambda features: features[1:], lambda features: features * np.inf, lambda features: "none"):
        with pytest.raises(InputError, match="dL/d features"):
            parameter_shift(source, angles, error, rng())  # pyright: ignore[reportArgumentType]  # as a user may
    for c in (0, -0.1, np.inf, np.nan, True, "small", 1e-300, 1e300, 10**400):
        with pytest.raises(InputError, match=r"c is an angle from 0\.001 to pi; got"):
            spsa(source, np.sum, angles, c, rng())  # pyright: ignore[reportArgumentType]  # as a user may
    for n in (0, True, 1.5):
        with pytest.raises(InputError, match="number of pairs"):
            spsa(source, np.sum, angles, 0.1, rng(), n=n)  # pyright: ignore[reportArgumentType]  # as a user may
    with pytest.raises(InputError, match=r"\(1000000000, 24\) signs of SPSA need about"):
        spsa(source, np.sum, angles, 0.1, rng(), n=10**9)
    with pytest.raises(InputError, match="pairs of evaluations need about"):
        pairs_shown(source, angles, 0.1, np.broadcast_to(np.ones(24), (10**9, 24)), rng())
    for loss in (lambda features: np.nan, lambda features: -np.inf, lambda features: None, lambda features: "low"):
        with pytest.raises(InputError, match="a loss is a finite number; got"):
            spsa(source, loss, angles, 0.1, rng())  # pyright: ignore[reportArgumentType]  # as a user may
    for loss in (None, lambda features: features, 3):
        with pytest.raises(InputError, match="a loss is"):
            spsa(source, loss, angles, 0.1, rng())  # pyright: ignore[reportArgumentType]  # as a user may
    with pytest.raises(InputError, match="error_of_features is a function of features"):
        parameter_shift(source, angles, None, rng())  # pyright: ignore[reportArgumentType]  # as a user may
    for ask in (
        lambda: parameter_shift(None, angles, np.ones_like, rng()),  # pyright: ignore[reportArgumentType]  # as a user may
        lambda: spsa(None, np.sum, angles, 0.1, rng()),  # pyright: ignore[reportArgumentType]  # as a user may
        lambda: features_of(None, angles[None], rng()),  # pyright: ignore[reportArgumentType]  # as a user may
        lambda: circuits_of("spsa", block),  # pyright: ignore[reportArgumentType]  # as a user may
    ):
        with pytest.raises(InputError, match="a source is an Exact, Shots or Sampler"):
            ask()
    with pytest.raises(InputError, match="draw is a"):
        parameter_shift(source, angles, np.ones_like, 0)  # pyright: ignore[reportArgumentType]  # as a user may
