"""Memory, effective parameters, channels: on blocks whose answers are known, published sizes and toys that forget."""

from dataclasses import replace
from functools import reduce
from typing import Any, cast

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Kraus, SuperOp

from encoding import InputError
from quantum.block import Block
from quantum.cells import block_cell
from quantum.checks import (
    carries_memory,
    cell_carries_memory,
    effective_parameters,
    is_trace_preserving,
    reduced,
    reduced_angles,
)
from quantum.coherent import outputs, outputs_and_slopes
from quantum.dense import unitary
from quantum.ladder import Ladder

Z, X, ZERO = np.diag([1, -1]), np.array([[0, 1], [1, 0]]), np.diag([1, 0])
seeds = st.integers(0, 2**32 - 1)


@st.composite
def blocks(draw):
    """A ladder, a number of data qubits, random angles and three random sequences of five chords."""
    n_qubits = draw(st.integers(2, 4))
    n_data = draw(st.integers(1, n_qubits - 1))
    topology = draw(st.sampled_from(["ring", "chain", "all-to-all"]))
    ladder = Ladder(n_qubits, draw(st.integers(1, 3)), topology, draw(st.booleans()))
    rng = np.random.default_rng(draw(seeds))
    return ladder, n_data, rng.uniform(-7, 7, ladder.n_angles), rng.uniform(-7, 7, (3, 5, n_data))


def coherent(ladder, n_data):
    return Block(ladder, n_data=n_data, schedule="coherent")


def chords(n_data):
    """A drawer of inputs."""
    return lambda rng: rng.uniform(0, 2 * np.pi, n_data)


def kron(*factors):
    return reduce(np.kron, factors)


def by_hand(u, inputs, n_data, readout):
    """Whole density matrices, chord after chord: D prepared beside H, U, expectation values, a partial trace over D."""
    n_history = int(np.log2(len(u))) - n_data
    rho_h, seen = kron(*[ZERO] * n_history), []
    for chord in inputs:
        psi = kron(*[[np.cos(angle / 2), np.sin(angle / 2)] for angle in chord])
        rho = u @ np.kron(np.outer(psi, psi), rho_h) @ u.conj().T
        each = [
            kron(*[pauli if i == qubit else np.eye(2) for i in range(n_data)], np.eye(2**n_history))
            for pauli in {"Z": [Z], "X": [X], "ZX": [Z, X]}[readout]
            for qubit in range(n_data)
        ]
        seen.append([np.trace(observable @ rho).real for observable in each])
        rho_h = np.einsum("dadb->ab", rho.reshape(2**n_data, 2**n_history, 2**n_data, 2**n_history))
    return np.array(seen)


@given(blocks(), st.sampled_from(["Z", "X", "ZX"]))
@settings(max_examples=25)
def test_the_coherent_schedule_is_that_of_whole_density_matrices(block, readout):
    ladder, n_data, angles, inputs = block
    found = outputs(ladder, angles, inputs, n_data=n_data, readout=readout)
    expected = [by_hand(unitary(ladder, angles), sequence, n_data, readout) for sequence in inputs]
    assert abs(found - expected).max() < 1e-13


@given(blocks(), st.sampled_from(["Z", "ZX"]), st.integers(0, 4))
@settings(max_examples=15)
def test_slopes_are_those_of_whole_turns(block, readout, step):
    """An angle of the gates acts at every chord: a polynomial of degree 5 in its sine and cosine, five shifts."""
    ladder, n_data, angles, inputs = block
    options = {"n_data": n_data, "readout": readout}
    f, slopes = outputs_and_slopes(ladder, angles, inputs, **options)
    assert abs(f - outputs(ladder, angles, inputs, **options)).max() < 1e-14
    k = step * (ladder.n_angles - 1) // 4
    shifts = np.pi * (2 * np.arange(1, 11) - 1) / 10  # Wierichs et al. 2022, eq. (5): 2R shifts for R frequencies
    weights = (-1.0) ** np.arange(10) / (20 * np.sin(shifts / 2) ** 2)
    one = np.eye(ladder.n_angles)[k]
    values = [outputs(ladder, angles + shift * one, inputs, **options) for shift in shifts]
    assert abs(slopes[..., k] - np.tensordot(weights, values, 1)).max() < 1e-11


@pytest.mark.parametrize(("n_qubits", "n_data"), [(2, 1), (3, 2), (4, 2), (6, 4)])
def test_one_layer_of_li_remembers_in_x_and_not_in_z(n_qubits, n_data):
    block = coherent(Ladder(n_qubits, 1), n_data)
    z, x, zx = (carries_memory(block, readout) for readout in ("Z", "X", "ZX"))
    assert not z
    assert z.response.max() < 1e-14
    assert x
    assert zx
    assert zx.response.min() > 5e-4
    np.testing.assert_allclose(zx.response**2, x.response**2, atol=1e-24)


@pytest.mark.parametrize("block", [Ladder(3, 2), Ladder(3, 1, closing=True), Ladder(3, 2, rotations="ZX")])
def test_two_layers_or_a_closing_one_remember(block):
    assert carries_memory(coherent(block, 2))
    assert carries_memory(coherent(block, 2)).response.min() > 2e-3


@pytest.mark.parametrize(
    ("ladder", "without"),
    [
        (Ladder(4, 3), "RZZ"),  # no couplings
        (Ladder(4, 3), "across"),  # couplings within D and within H, none between
        (Ladder(4, 3), "RX"),  # H stays where it is
    ],
)
def test_what_does_not_touch_does_not_remember(ladder, without):
    angles = np.random.default_rng(1).uniform(-np.pi, np.pi, ladder.n_angles)
    for name, qubits, place in ladder.gates():
        across = name == "RZZ" and len({qubit < 2 for qubit in qubits}) == 2
        if name == without or (across and without == "across"):
            angles[place] = 0
    assert not carries_memory(coherent(ladder, 2), angles=angles)
    assert not carries_memory(coherent(ladder, 2), "ZX", angles=angles)


def test_what_is_heard_goes_along_the_edges():
    """One layer and a closing one: an output depends on its qubit and the neighbours, and before, on theirs."""
    chain = Ladder(4, 1, "chain", closing=True)
    angles = np.random.default_rng(2).uniform(-np.pi, np.pi, chain.n_angles)
    assert exchanged(chain, angles, [2])[1, 0] < 1e-14 < 1e-5 < exchanged(chain, angles, [1])[1, 0]
    assert exchanged(chain, angles, [0, 1, 2])[2, :2].max() < 1e-14  # qubits 0 and 1 are no neighbours of H
    assert exchanged(chain, angles, [0, 1])[2, 2] < 1e-14 < 1e-5 < exchanged(chain, angles, [2])[2, 2]


def exchanged(ladder, angles, voices):
    """How far the outputs of three voices move when these have sung something else at the second of four chords."""
    cell, seen = block_cell(coherent(ladder, 3), angles), []
    for other in (1.0, 2.0):
        music, history, heard = np.ones((4, 3, 1)), None, []
        music[1, voices] = other
        for chord in music:
            features, history = cell(chord, history)
            heard.append(features)
        seen.append(np.array(heard))
    return abs(seen[1] - seen[0])


# Any cell: the ladder as a user may write it, with PennyLane or with density matrices.


def of_density_matrices(u, n_data, forgets=False):
    def cell(chord, rho_h):
        psi = kron(*[[np.cos(angle / 2), np.sin(angle / 2)] for angle in chord])
        rho = u @ np.kron(np.outer(psi, psi), rho_h) @ u.conj().T
        size = len(rho_h)
        rho = rho.reshape(2**n_data, size, 2**n_data, size)
        of_data = np.einsum("dbeb->de", rho)
        z = [kron(*[Z if i == qubit else np.eye(2) for i in range(n_data)]) for qubit in range(n_data)]
        after = np.eye(1, size).T @ np.eye(1, size) if forgets else np.einsum("dadb->ab", rho)
        return np.array([np.trace(one @ of_data).real for one in z]), after

    return cell


@given(blocks())
@settings(max_examples=15)
def test_a_cell_remembers_as_its_ladder_does(block):
    ladder, n_data, angles, _ = block
    ground = kron(*[ZERO] * (ladder.n_qubits - n_data))
    u = unitary(ladder, angles)
    found = cell_carries_memory(of_density_matrices(u, n_data), ground, chords(n_data), n_draws=2)
    assert bool(found) == bool(carries_memory(coherent(ladder, n_data), angles=angles, n_draws=2))
    assert bool(found) == (ladder.n_layers + ladder.closing > 1)
    assert not cell_carries_memory(of_density_matrices(u, n_data, forgets=True), ground, chords(n_data), n_draws=2)


def test_cells_of_known_memory():
    def echo(x, past):
        """Says what it heard three chords ago."""
        return past[0], [*past[1:], x]

    def in_place(x, past):
        said = past.copy()
        past += x
        return said, past

    assert cell_carries_memory(in_place, np.zeros(2), chords(2))
    found = cell_carries_memory(echo, [np.zeros(2)] * 3, chords(2), n_lags=5)
    assert (found.response > 0).tolist() == [False, False, True, False, False]
    assert not cell_carries_memory(lambda x, h: (np.cos(x), h), None, chords(2))
    assert not cell_carries_memory(lambda x, h: (np.cos(x), h + x), np.zeros(2), chords(2))  # keeps, and never says
    assert not cell_carries_memory(lambda x, h: (np.cos(x) + 0 * h, 0 * h), np.zeros(2), chords(2))
    assert cell_carries_memory(lambda x, h: (np.cos(x) + 1e-6 * h, x), np.zeros(2), chords(2))
    assert not cell_carries_memory(lambda x, h: (np.cos(x) + 1e-15 * h, x), np.zeros(2), chords(2))
    weights = torch.ones(2, requires_grad=True, dtype=torch.float32)

    def said(x, h):
        return torch.tanh(weights * torch.tensor(x, dtype=torch.float32) + h)

    assert cell_carries_memory(lambda x, h: (said(x, h), weights * x[0]), torch.zeros(2), chords(2))
    assert not cell_carries_memory(lambda x, h: (said(x, h), h), torch.zeros(2), chords(2))


def test_a_cell_written_in_pennylane():
    """Two voices and one qubit of history, its Bloch vector carried in rotations: what it says depends on before."""

    @qp.qnode(qp.device("default.qubit", wires=["s", "a", "h"]))
    def circuit(chord, history):
        qp.RY(history, "h")
        qp.AngleEmbedding(chord, ["s", "a"], rotation="Y")
        qp.CRX(0.4, ["h", "s"])
        qp.CNOT(["a", "h"])
        return qp.expval(qp.Z("s")), qp.expval(qp.Z("a")), qp.expval(qp.Z("h"))

    def cell(chord, history):
        *said, z = circuit(chord, history)
        return said, np.pi * (1 - z) / 2

    assert cell_carries_memory(cell, 0.0, chords(2), n_draws=2, n_lags=1)
    assert not cell_carries_memory(lambda x, h: cell(x, 0.0), 0.0, chords(2), n_draws=2, n_lags=1)


def test_shots_and_hidden_states_are_no_memory():
    shots = np.random.default_rng(0)
    with pytest.raises(InputError, match="expectation values instead of shots"):
        cell_carries_memory(lambda x, h: (shots.binomial(100, np.cos(x) ** 2), h), 0, chords(2))
    hidden = []
    with pytest.raises(InputError, match="no state but its history"):
        cell_carries_memory(lambda x, h: (hidden.append(x) or np.sum(hidden), h), 0, chords(2))


# Effective parameters.


def counted(ladder, n_data, readout):
    """The smaller of what the angles and what the unitaries have to give."""
    n, n_history = ladder.n_qubits, ladder.n_qubits - n_data
    inside = sum(max(edge) < n_data for edge in ladder.edges)
    each = ladder.n_layers * (2 * n + len(ladder.edges))
    z = each + 2 * n if ladder.closing else each - inside
    zx = each + n_data + 2 * n * ladder.closing
    unseen = {"Z": 2**n_data, "ZX": 1}[readout]
    return min({"Z": z, "ZX": zx}[readout], 4**n - unseen - (2**n_history - 1) ** 2)


@pytest.mark.parametrize(
    ("n_data", "n_history", "n_layers", "published"), [(1, 1, 3, 13), (2, 1, 7, 59), (1, 2, 6, 53)]
)
def test_the_published_sizes_are_where_more_layers_add_nothing(n_data, n_history, n_layers, published):
    for more in (0, 2):
        found = effective_parameters(coherent(Ladder(n_data + n_history, n_layers + more), n_data))
        assert found.rank == published < found.n_angles
        assert found.first_dropped < 1e-14 < 1e-6 < found.last_kept


@pytest.mark.parametrize(("n_data", "published"), [(3, 247), (2, 243)])
def test_the_published_sizes_of_four_qubits(n_data, published):
    found = effective_parameters(coherent(Ladder(4, 22), n_data))
    assert (found.rank, found.n_angles) == (published, 352)
    assert found.first_dropped < 1e-14 < 1e-6 < found.last_kept


@given(
    st.integers(2, 4),
    st.integers(2, 3),
    st.sampled_from(["ring", "chain", "all-to-all"]),
    st.booleans(),
    st.sampled_from(["Z", "ZX"]),
    seeds,
    st.data(),
)
@settings(max_examples=25)
def test_before_that_every_layer_adds_what_is_not_redundant(n_qubits, n_layers, topology, closing, readout, seed, data):
    ladder = Ladder(n_qubits, n_layers, topology, closing and n_qubits > 2)
    n_data = data.draw(st.integers(1, n_qubits - 1))
    assert effective_parameters(coherent(ladder, n_data), readout, seed=seed).rank == counted(ladder, n_data, readout)


def test_ranks_of_the_music_are_those_of_the_music():
    """One chord tells 2 features; angles that are all zero tell nothing at all."""
    ladder, rng = Ladder(4, 2), np.random.default_rng(0)
    assert effective_parameters(coherent(ladder, 2), inputs=rng.uniform(0, 6, (1, 1, 2, 1))).rank == 2
    silent = effective_parameters(coherent(ladder, 2), angles=np.zeros(ladder.n_angles), inputs=np.zeros((3, 4, 2, 1)))
    assert (silent.rank, silent.last_kept, silent.first_dropped) == (0, 0, 0)
    music = rng.uniform(0, 6, (60, 6, 2, 1))
    assert (
        effective_parameters(coherent(ladder, 2), inputs=music).rank == effective_parameters(coherent(ladder, 2)).rank
    )


def test_a_rotation_that_does_nothing_adds_nothing():
    """RY then RZ by nothing is RY; RZ on |0> is a phase, and the chord that of angles 0."""
    ladder, x = Ladder(4, 2), np.random.default_rng(0).uniform(0, 6, (60, 6, 2, 1))
    plain = effective_parameters(coherent(ladder, 2), inputs=x).singular_values
    two = replace(coherent(ladder, 2), rotations=(("RY", 0), ("RZ", 0)))
    still = effective_parameters(two, inputs=np.concatenate([x, 0 * x], -1)).singular_values
    assert abs(still - plain).max() < 1e-13
    assert abs(effective_parameters(two, inputs=np.concatenate([x, x], -1)).singular_values - plain).max() > 1e-3
    phases = replace(coherent(ladder, 2), rotations=(("RZ", 0),))
    silent = effective_parameters(coherent(ladder, 2), inputs=0 * x)
    assert effective_parameters(phases, inputs=x).rank == silent.rank < 22


def test_an_answer_is_written_in_a_line():
    answers = [carries_memory(coherent(Ladder(3, 2), 1)), effective_parameters(coherent(Ladder(3, 2), 1))]
    assert repr(answers[0]).startswith("<Memory: True, response ")
    assert repr(answers[1]).startswith("<EffectiveParameters: 18 of 24 angles; ")
    assert max(len(repr(answer)) for answer in answers) < 130


def test_a_rank_that_is_not_clear_is_refused():
    """At 1e-5 of an angle from where the slopes vanish, singular values come in all sizes."""
    ladder = Ladder(2, 3)
    angles = 10.0 ** -np.linspace(0, 12, ladder.n_angles)
    with pytest.raises(InputError, match="the rank is not clear"):
        effective_parameters(coherent(ladder, 1), angles=angles)


# The reduced ladder.


@given(blocks())
@settings(max_examples=40)
def test_the_reduced_ladder_says_the_same_in_z(block):
    ladder, n_data, angles, inputs = block
    fewer = reduced(ladder)
    theirs = reduced_angles(coherent(ladder, n_data), angles)
    assert fewer.n_angles == ladder.n_angles - ladder.n_qubits * (ladder.n_layers + ladder.closing)
    before, after = outputs(ladder, angles, inputs, n_data=n_data), outputs(fewer, theirs, inputs, n_data=n_data)
    assert abs(before - after).max() < 1e-12


@given(blocks(), st.data())
@settings(max_examples=20)
def test_so_it_does_at_right_angles_and_in_a_batch(block, data):
    """Where Euler's angles are not unique."""
    ladder, n_data, angles, inputs = block
    turns = st.lists(st.integers(-4, 4), min_size=ladder.n_angles, max_size=ladder.n_angles)
    right = np.array(data.draw(turns)) * np.pi / 2
    mapped = reduced_angles(coherent(ladder, n_data), np.stack([angles, right]))
    found = outputs(reduced(ladder), mapped[1], inputs, n_data=n_data)
    assert abs(found - outputs(ladder, right, inputs, n_data=n_data)).max() < 1e-12
    assert np.array_equal(mapped[0], reduced_angles(coherent(ladder, n_data), angles))


@given(blocks())
@settings(max_examples=10)
def test_the_history_takes_its_last_rotation_along(block):
    """With what H carries left out, two chords and more differ; the first never does."""
    ladder, n_data, angles, inputs = block
    alone = reduced_angles(ladder, angles)
    before = outputs(ladder, angles, inputs, n_data=n_data)
    after = outputs(reduced(ladder), alone, inputs, n_data=n_data)
    assert abs(before - after)[:, 0].max() < 1e-12
    assert (abs(before - after).max() > 1e-6) == bool(carries_memory(coherent(ladder, n_data), angles=angles))


@pytest.mark.parametrize(("n_qubits", "n_layers", "n_data"), [(3, 3, 1), (4, 2, 2), (4, 3, 3)])
def test_of_its_angles_only_couplings_inside_the_data_are_idle(n_qubits, n_layers, n_data):
    """A quarter fewer on a ring, and the rank is the same."""
    whole = Ladder(n_qubits, n_layers)
    fewer = reduced(whole)
    assert fewer.n_angles == 3 * whole.n_angles // 4
    assert effective_parameters(coherent(fewer, n_data)).rank == effective_parameters(coherent(whole, n_data)).rank
    assert effective_parameters(coherent(fewer, n_data)).rank == fewer.n_angles - max(0, n_data - 1)


def test_reduced_twice_is_reduced():
    fewer = reduced(Ladder(3, 2, closing=True))
    angles = np.arange(fewer.n_angles, dtype=float)
    assert reduced(fewer) == fewer
    assert np.array_equal(reduced_angles(coherent(fewer, 2), angles), angles)


# Channels.


@given(blocks())
@settings(max_examples=15)
def test_a_chord_is_a_channel_of_the_history(block):
    ladder, n_data, angles, _ = block
    cell = of_density_matrices(unitary(ladder, angles), n_data)
    size = 2 ** (ladder.n_qubits - n_data)
    assert is_trace_preserving(lambda rho: cell(np.ones(n_data), rho)[1], size)
    kraus = unitary(ladder, angles).reshape(2**n_data, size, 2**n_data, size)[:, :, 0].swapaxes(1, 2)
    assert is_trace_preserving(kraus.swapaxes(1, 2))
    assert not is_trace_preserving(kraus.swapaxes(1, 2)[1:])


def test_a_reset_by_projection_is_no_channel():
    down, up = np.kron(ZERO, np.eye(2)), np.kron([[0, 1], [0, 0]], np.eye(2))
    assert is_trace_preserving([down, up])
    assert is_trace_preserving(lambda rho: down @ rho @ down + up @ rho @ up.T, 4)
    projected = is_trace_preserving(lambda rho: down @ rho @ down, 4)
    assert not projected
    assert projected.linearity < 1e-15
    renormalised = is_trace_preserving(lambda rho: down @ rho @ down / np.trace(down @ rho), 4)
    assert not renormalised
    assert renormalised.trace < 1e-14 < 1e-3 < renormalised.linearity


@pytest.mark.parametrize("channel", [qp.AmplitudeDamping(0.3, 0), qp.ResetError(0.1, 0.2, 0), qp.PhaseFlip(0.4, 0)])
def test_pennylanes_channels_are_channels(channel):
    kraus = channel.kraus_matrices()
    assert is_trace_preserving(kraus)
    assert is_trace_preserving(channel)
    assert is_trace_preserving(Kraus(kraus))
    assert not is_trace_preserving(Kraus(kraus[:1]))
    assert not is_trace_preserving([1.001 * one for one in kraus])


def test_what_is_no_number_is_no_channel():
    assert not is_trace_preserving(lambda rho: rho * np.nan, 2)
    assert not is_trace_preserving(lambda rho: rho @ rho / np.trace(rho @ rho), 2)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (lambda: carries_memory(cast(Any, Ladder(4))), r"Block\(ladder, n_data=, schedule=\); got Ladder"),
        (lambda: carries_memory(coherent(Ladder(4), 2), "Y"), "Z, X, ZX; got 'Y'"),
        (lambda: outputs(Ladder(4), np.zeros(16), np.zeros((1, 4)), n_data=4), "got n_data=4"),
        (lambda: outputs(Ladder(4), np.zeros(16), np.zeros((1, 4)), n_data=0), "at least 1; got 0"),
        (lambda: carries_memory(coherent(Ladder(4), 2), n_lags=0), "n_lags"),
        (lambda: carries_memory(coherent(Ladder(4), 2), angles=np.zeros(3)), r"\(..., 16\); got \(3,\)"),
        (lambda: carries_memory(coherent(Ladder(13), 4)), "13 qubits would take"),
        (lambda: carries_memory(coherent(Ladder(4), 2), angles=np.zeros((2, 16))), "one set of angles"),
        (lambda: carries_memory(coherent(Ladder(4), 2), angles=1j * np.zeros(16)), "finite real numbers"),
        (
            lambda: effective_parameters(coherent(Ladder(4), 2), inputs=np.zeros((5, 3))),
            r"n_steps, 2, 1\); got shape \(5, 3\)",
        ),
        (
            lambda: effective_parameters(coherent(Ladder(4), 2), inputs=np.zeros((5, 2, 2))),
            r"got shape \(5, 2, 2\): 2 angles a voice .* rotations=encoding.rotations",
        ),
        (
            lambda: effective_parameters(replace(coherent(Ladder(4), 2), schedule="staggered")),
            "in the schedule 'coherent'; this block's is 'staggered'",
        ),
        (lambda: effective_parameters(coherent(Ladder(4), 2), "Y"), "Z, X, ZX; got 'Y'"),
        (lambda: effective_parameters(coherent(Ladder(4), 2), inputs="bach"), "real numbers; got 'bach'"),
        (lambda: effective_parameters(coherent(Ladder(10), 2)), "40 slopes of a unitary"),
        (lambda: effective_parameters(coherent(Ladder(4), 2), seed=-1), "seed"),
        (lambda: reduced_angles(cast(Any, 4), np.zeros(16)), "a Ladder or a Block; got 4"),
        (lambda: is_trace_preserving(SuperOp(np.eye(4))), r"other channels by Kraus\(channel\); got"),
        (lambda: reduced_angles(coherent(Ladder(4), 2), np.zeros(12)), r"got \(12,\)"),
        (lambda: is_trace_preserving(lambda rho: rho), "with their dimension; got none"),
        (lambda: is_trace_preserving(lambda rho: rho[0], 2), r"\(n, n\); got complex128 of shape \(2,\)"),
        (lambda: is_trace_preserving(np.eye(2)), "one shape"),
        (lambda: is_trace_preserving([np.eye(2), np.eye(3)]), "one shape"),
        (
            lambda: cell_carries_memory(lambda x, h: np.ones((9, 9)) * x, 0, chords(1)),
            "returns .features, history",
        ),
        (lambda: cell_carries_memory(lambda x, h: (x * np.nan, h), 0, chords(1)), "finite"),
        (lambda: cell_carries_memory(lambda x, h: ("A", h), 0, chords(1)), "finite"),
        (lambda: cell_carries_memory(lambda x, h: (x[:h], h - 1), 3, chords(3)), "got 3, then 2"),
    ],
)
def test_what_makes_no_question_is_refused_in_one_line(asked, says):
    with pytest.raises(InputError, match=says) as caught:
        asked()
    assert "\n" not in str(caught.value)
