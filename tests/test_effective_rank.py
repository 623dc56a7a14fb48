"""How many parameters count on given music: planted ranks, linear readouts, published circuits; and the common time."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classical import DeepRNN, SphericalGlass
from encoding import Chorale, InputError, pack
from experiments.effective_rank import effective_parameters_on_data, kernel_rate
from quantum import Block, Ladder, QuantumRNN
from quantum.channel import Channel, Music
from quantum.coherent import kets
from quantum.jacobian import feature_slopes

DOUBLE: dict[str, Any] = {"precision": "float64", "kernel": "plain"}
FROZEN: dict[str, Any] = {"readout_start": "random", "learned": ("angles",), "kernel": "plain"}


@pytest.fixture(scope="session")
def linear(machine):
    """f = A w, A (n_slots, n_outputs, n): its slopes are A whatever w is."""

    def make(a, w=None, **said):
        w = np.ones((2, a.shape[2])) if w is None else w
        flat = a.reshape(-1, a.shape[2])
        asked = {"outputs": lambda w: np.einsum("son,rn->rso", a, w), "jacobian": lambda w: np.stack([flat] * len(w))}
        return machine(w, **{"gradient": np.zeros_like, **asked, **said})

    return make


def classical(chorales, seed=0, **said):
    """With a random readout."""
    network = DeepRNN(chorales, **{"depth": 1, "width": 4, "readout_start": "random", **DOUBLE, **said})
    weights, rng = network.weights(), np.random.default_rng(seed)
    for name in ("K", "W", "h0"):
        here = network.layout()[name].slice
        weights[:, here] = 0.5 * rng.standard_normal(weights[:, here].shape)
    network.put(weights)
    return network


def clear_rank(system):
    found = effective_parameters_on_data(system)
    assert found.clear.all()
    assert (found.rank <= np.minimum(found.bound, found.n_coordinates)).all()
    assert len(set(found.rank.tolist())) == 1
    return int(found.rank[0])


@given(rank=st.integers(0, 6), n_slots=st.integers(2, 7), n=st.integers(6, 30), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_planted_rank_is_found_with_its_gap(linear, rank, n_slots, n, seed):
    rng = np.random.default_rng(seed)
    u, _ = np.linalg.qr(rng.standard_normal((3 * n_slots, 3 * n_slots)))
    v, _ = np.linalg.qr(rng.standard_normal((n, n)))
    values = np.zeros(min(3 * n_slots, n))
    values[:rank] = np.geomspace(1, 1e-6, rank)
    found = effective_parameters_on_data(
        linear(((u[:, : len(values)] * values) @ v[: len(values)]).reshape(n_slots, 3, n))
    )
    assert found.rank.tolist() == [rank] * 2
    assert found.clear.all()
    assert (found.n_rows, found.n_coordinates) == (3 * n_slots, n)
    np.testing.assert_allclose(found.singular_values[0], values, atol=1e-14)


def test_a_spectrum_without_a_gap_is_told_and_not_hidden(linear):
    slow = linear(np.diag(np.geomspace(1, 1e-15, 40)).reshape(20, 2, 40))
    found = effective_parameters_on_data(slow)
    assert not found.clear.any()
    assert found.rank[0] == (np.geomspace(1, 1e-15, 40) > 1e-10).sum()
    assert found.gap == pytest.approx(10 ** (15 / 39))
    steep = effective_parameters_on_data(linear(np.diag([1, 1e-3, 1e-8, 1e-13]).reshape(2, 2, 4)), tolerance=1e-5)
    assert steep.rank.tolist() == [2, 2]
    assert steep.gap == pytest.approx(1e5)
    assert effective_parameters_on_data(linear(np.diag([1, 1e-3, 1e-8, 1e-13]).reshape(2, 2, 4))).rank[0] == 3


def test_a_full_rank_is_clear_only_as_far_above_rounding(linear):
    assert effective_parameters_on_data(linear(np.diag([1, 1e-9]).reshape(1, 2, 2))).clear.all()
    assert not effective_parameters_on_data(linear(np.diag([1, 1e-14]).reshape(1, 2, 2)), tolerance=1e-15).clear.any()


@given(n_slots=st.integers(1, 5), repeats=st.integers(1, 4), n_felt=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_constraints_are_distinct_slots_times_what_the_readout_lets_through(linear, n_slots, repeats, n_felt, seed):
    """dH = K df with random K (4, n_felt), slots repeated in any order: the rank is that bound if there is enough x."""
    rng = np.random.default_rng(seed)
    slots = np.repeat(rng.standard_normal((n_slots, n_felt, 40)), repeats, 0)
    a = np.einsum("of,sfn->son", rng.standard_normal((4, n_felt)), rng.permutation(slots))
    found = effective_parameters_on_data(linear(a))
    assert found.bound.tolist() == found.rank.tolist() == [n_slots * n_felt] * 2


def test_a_replica_that_is_not_finite_leaves_the_other(linear):
    a = np.ones((2, 1, 3))
    slopes = np.stack([np.full((2, 3), np.inf), np.ones((2, 3))])
    found = effective_parameters_on_data(linear(a, jacobian=lambda w: slopes))
    assert found.rank.tolist() == [0, 1]
    assert found.clear.tolist() == [False, True]
    assert np.isnan(found.singular_values[0]).all()


def test_an_output_bias_counts_54_and_is_one_constraint_a_key(music):
    network = classical(music(9, 7), learned=("h0",))
    found = effective_parameters_on_data(network)
    assert (found.rank[0], found.bound[0], found.n_coordinates) == (54, 54, 54)
    assert kernel_rate(network) == pytest.approx(1 / 14)  # n n_outputs units on the diagonal of J J^T


def test_a_linear_readout_counts_54_times_the_rank_of_what_it_reads(music):
    pieces = music(6, 5)
    s = np.c_[pack(pieces).inputs.astype(np.float64), np.ones(9)]
    for width in (3, 12):
        mu = classical(pieces, width=width).activations()[0]
        assert clear_rank(classical(pieces, width=width, learned=("K",))) == 54 * min(width, 9)
        assert clear_rank(classical(pieces, width=width, learned=("K", "h0"))) == 54 * min(width + 1, 9)
        for said, read in ((("W",), s[:, :-1]), (("W", "h0"), s), (("K", "W", "h0"), np.c_[mu, s])):
            assert clear_rank(classical(pieces, width=width, learned=said)) == 54 * np.linalg.matrix_rank(read)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_an_orthogonal_matrix_counts_as_its_turns(music, width):
    pieces = music(40, 35)
    turns, keys = width * (width - 1) // 2, np.linalg.matrix_rank(pack(pieces).inputs)
    assert keys < 54  # some are never heard
    if width > 1:  # O(1) cannot turn, and an M alone is refused
        assert clear_rank(classical(pieces, width=width, learned=("M",))) == turns
    assert clear_rank(classical(pieces, width=width, learned=("J", "M"))) == turns + width * keys
    deep: dict[str, Any] = {"depth": 2, "width": width, "learned": ("J", "M")}
    assert clear_rank(classical(pieces, **deep)) == 2 * turns + width * keys + width**2
    assert clear_rank(classical(pieces, feedforward="orthogonal", **deep)) == 3 * turns + width * keys


@pytest.mark.parametrize("width", [4, 8])
def test_what_the_readout_can_say_by_itself_is_not_counted_again(width):
    """Beside K, W and h_0 with r independent inputs the core has n_slots - r slots left, of w features each."""
    drawn = np.random.default_rng(1).integers(0, 2, (17, 4)) + np.array([70, 65, 60, 55])  # of eight keys
    pieces = [Chorale(part.astype(np.int16), "drawn", "here", 0) for part in (drawn[:9], drawn[9:])]
    s, mu = pack(pieces).inputs.astype(np.float64), classical(pieces, width=width).activations()[0]
    read = np.linalg.matrix_rank(np.c_[mu, s, np.ones(15)])
    core, left = width * (width - 1) // 2 + width * np.linalg.matrix_rank(s), width * (15 - read)
    assert (core < left) == (width == 4)  # either
    assert clear_rank(classical(pieces, width=width)) == 54 * read + min(core, left)


def test_music_heard_twice_does_not_raise_the_rank(music):
    once = music(7, 5)
    for make in (classical, lambda pieces: QuantumRNN(pieces, schedule="measured", n_history=1, n_layers=3, **FROZEN)):
        alone, twice = (effective_parameters_on_data(make(pieces)) for pieces in (once, [*once, *once]))
        assert twice.rank.tolist() == alone.rank.tolist()
        assert twice.bound.tolist() == alone.bound.tolist()
        assert twice.n_rows == 2 * alone.n_rows
        before, after = (each.singular_values[0, : alone.rank[0]] for each in (alone, twice))
        np.testing.assert_allclose(after, np.sqrt(2) * before, atol=1e-6 * before[0])


@pytest.mark.parametrize("n_history", [1, 2])
def test_a_quantum_network_on_long_music_counts_what_its_circuit_does(music, n_history):
    """Coherent, L = 2, N qubits on a ring of N edges, 3 of them within D: L (2N + E) - E_D in Z, + n_D in Z and X."""
    n = 4 + n_history
    for observables, counted in (("Z", 2 * 3 * n - 3), ("ZX", 2 * 3 * n + 4)):
        network = QuantumRNN(
            music(30, 25), schedule="coherent", n_history=n_history, n_layers=2, observables=observables, **FROZEN
        )
        found = effective_parameters_on_data(network)
        assert (found.rank[0], found.n_coordinates) == (counted, 8 * n)
        redundant = found.singular_values[0, counted:] / found.singular_values[0, 0]
        assert (redundant < 1e-14).all()


@pytest.mark.parametrize(("n_qubits", "n_data", "n_layers", "saturated"), [(2, 1, 5, 13), (3, 2, 8, 59), (3, 1, 8, 53)])
def test_ever_longer_ladders_saturate_where_unitaries_end(n_qubits, n_data, n_layers, saturated):
    """4^N - 2^n_D - (2^n_H - 1)^2, for D of fewer voices than four."""
    rng = np.random.default_rng(0)
    block = Block(Ladder(n_qubits, n_layers), n_data=n_data, schedule="coherent")
    states = torch.from_numpy(kets(rng.uniform(0, 2 * np.pi, (150, n_data))))
    music = Music(states, torch.arange(150), tuple(range(0, 151, 15)))
    slopes = feature_slopes(Channel(block, music), torch.from_numpy(rng.uniform(-np.pi, np.pi, block.ladder.n_angles)))
    values = np.linalg.svd(slopes.flatten(1).numpy(), compute_uv=False)
    assert (values > 1e-10 * values[0]).sum() == saturated
    assert saturated < block.ladder.n_angles


def test_angles_count_no_more_than_the_music_asks_for(music):
    network = QuantumRNN(music(4), schedule="coherent", n_history=1, n_layers=2, **FROZEN)
    found = effective_parameters_on_data(network)
    assert (found.rank[0], found.bound[0], found.n_coordinates) == (12, 12, 40)  # three slots of four features


def test_chords_an_octave_apart_are_one_constraint_to_a_clock():
    low = np.array([[60, 57, 52, 48], [62, 59, 55, 50], [64, 60, 57, 52]], np.int16)
    pieces = [Chorale(pitches, "a phrase", "drawn", 0) for pitches in (low, low + 12)]
    options: dict[str, Any] = {"schedule": "staggered", "n_history": 1, "n_layers": 2}
    assert effective_parameters_on_data(QuantumRNN(pieces, **options, **FROZEN)).bound[0] == 8
    assert effective_parameters_on_data(classical(pieces, learned=("J", "M"))).bound[0] == 16


def test_while_k_is_0_nothing_before_it_counts(music):
    mute = QuantumRNN(music(6), schedule="coherent", n_history=1, n_layers=1, **FROZEN)
    weights = mute.weights()
    weights[:, mute.layout()["K"].slice] = 0
    mute.put(weights)
    found = effective_parameters_on_data(mute)
    assert (found.rank[0], found.bound[0], found.clear[0]) == (0, 0, True)
    assert kernel_rate(mute) == [0]


@pytest.mark.parametrize("n_slots", [1, 3])
def test_tau_times_the_rate_is_the_time_of_a_relaxing_machine(linear, n_slots):
    """f = c Q w, Q orthogonal: every mode of E = <|f - y|^2 / 2>_slots relaxes as (1 - rate d tau) a step."""
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.standard_normal((2 * n_slots, 2 * n_slots)))
    y, a = rng.standard_normal((n_slots, 2)), (3 * q).reshape(n_slots, 2, -1)

    def gradient(w):
        return np.einsum("son,rso->rn", a, np.einsum("son,rn->rso", a, w) - y) / n_slots

    system = linear(a, rng.standard_normal((2, 2 * n_slots)), gradient=gradient)
    rate, far, eta = kernel_rate(system), system.outputs() - y, 1e-3
    assert rate == pytest.approx(9 / n_slots)
    system.step(eta, 500)
    left = (1 - rate * eta) ** 500
    np.testing.assert_allclose(system.outputs() - y, left[:, None, None] * far, rtol=1e-9)
    assert left == pytest.approx(np.exp(-rate * 500 * eta), rel=0.05)


def test_an_angle_in_half_turns_has_four_times_the_rate(linear):
    a = np.random.default_rng(0).standard_normal((3, 2, 5))
    assert kernel_rate(linear(2 * a)) == pytest.approx(4 * kernel_rate(linear(a)))


def test_slopes_and_rank_of_few_excerpts_take_seconds(music, timed):
    pieces = music(*[16] * 5)
    quantum = QuantumRNN(pieces, schedule="coherent", n_history=1, n_layers=3, **FROZEN)
    network = classical(pieces, width=18, learned=("J", "M", "K"))
    for system, n, bound in ((quantum, 60, 1), (network, 54 * 18 * 2 + 153, 20)):
        found, seconds = timed(lambda system=system: effective_parameters_on_data(system))
        assert found.n_coordinates == n
        assert seconds < bound


def test_what_cannot_tell_its_slopes_is_refused(linear):
    for ask in (effective_parameters_on_data, kernel_rate):
        with pytest.raises(InputError, match=r"asks a system for jacobian\(\), .*; SphericalGlass has no such method"):
            ask(SphericalGlass(n_spins=6))
        with pytest.raises(InputError, match=r"jacobian\(\) is of shape \(2, 4, 'n_coordinates'\); got \(2, 3, 5\)"):
            ask(linear(np.ones((2, 2, 5)), jacobian=lambda w: np.ones((2, 3, 5))))
    for wrong in (0, 1, -1e-3, np.nan, "small", None):
        with pytest.raises(InputError, match="tolerance"):
            effective_parameters_on_data(linear(np.ones((2, 2, 5))), tolerance=wrong)  # type: ignore[arg-type]  # as a user may


def test_nothing_that_moves_is_rank_0(music):
    network = classical(music(5), width=1, depth=2, learned=("J", "M"), feedforward="orthogonal", inputs="clock")
    weights = network.weights()
    weights[:, network.layout()["K"].slice] = 0
    network.put(weights)
    found = effective_parameters_on_data(network)
    assert (found.rank[0], found.clear[0]) == (0, True)
