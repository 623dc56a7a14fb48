"""The exact channel against PennyLane, against Aer, against gate after gate, and its slope against three others."""

from functools import reduce

import numpy as np
import pennylane as qp
import pytest
import torch

from quantum import Block, Ladder, RecurrentBlock, recurrent_circuit
from quantum.channel import Channel, Music
from quantum.coherent import outputs, outputs_and_slopes

SCHEDULES = ("measured", "coherent", "staggered")
SIZES = ((2, 1), (1, 2), (2, 2))


def block_of(schedule, n_data, n_history, **options):
    return Block(Ladder(n_data + n_history, 2, **options), n_data=n_data, schedule=schedule)


def hours_of(n_chords, n_data, seed=0):
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, (n_chords, n_data))


def kets(hours):
    """Products of RY |0>, (n_chords, 2^n_data)."""
    pairs = np.stack([np.cos(hours / 2), np.sin(hours / 2)], -1)
    return np.array([reduce(np.kron, chord) for chord in pairs])


def music_of(pieces, dtype=torch.complex128):
    """Pieces (n_steps, n_data) of hours, the longest first, packed time-major; chords that recur are found."""
    lengths = [len(piece) for piece in pieces]
    assert lengths == sorted(lengths, reverse=True)
    rows = [piece[t] for t in range(lengths[0]) for piece in pieces if len(piece) > t]
    sizes = [sum(length > t for length in lengths) for t in range(lengths[0])]
    distinct, which = np.unique(np.array(rows), axis=0, return_inverse=True)
    offsets = tuple(int(n) for n in np.concatenate([[0], np.cumsum(sizes)]))
    return Music(torch.from_numpy(kets(distinct)).to(dtype), torch.from_numpy(which.ravel()), offsets)


def angles_of(block, n_replicas=1, seed=1):
    drawn = np.random.default_rng(seed).uniform(-3, 3, (n_replicas, block.ladder.n_angles))
    return torch.from_numpy(drawn)


def in_pennylane(block, hours, theta, observables):
    """Features of one piece, by PennyLane: default.qubit chord by chord, or with all measurements deferred."""
    wires = list(range(block.n_qubits))
    d, h = wires[: block.n_data], wires[block.n_data :]
    kinds = {"Z": qp.Z, "X": qp.X}

    def measured_chord(t, averages):
        def played():
            RecurrentBlock(hours[t][:, None], theta, d, h, block, averages=averages)
            return [qp.expval(kinds[kind](wire)) for kind in observables for wire in wires]

        return np.array(qp.QNode(played, qp.device("default.qubit"))())

    if block.schedule == "measured":
        seen, averages = [], np.ones(len(h))
        for t in range(len(hours)):
            seen.append(measured_chord(t, averages))
            averages = seen[-1][block.n_data : block.n_qubits]
        return np.array(seen)

    def until(t):
        def played():
            for chord in range(t + 1):
                RecurrentBlock(hours[chord][:, None], theta, d, h, block, position=chord)
                for wire in block.measured(chord) if chord < t else ():
                    qp.measure(wire)
                for wire in block.reset(chord) if chord < t else ():
                    qp.measure(wire, reset=True)
            return [qp.expval(kinds[kind](wire)) for kind in observables for wire in block.registers(t)[0]]

        return np.array(qp.QNode(played, qp.device("default.qubit"), mcm_method="deferred")())

    return np.array([until(t) for t in range(len(hours))])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("observables", ["Z", "ZX"])
def test_features_are_those_of_pennylane(schedule, sizes, observables):
    block, hours = block_of(schedule, *sizes), hours_of(3, sizes[0])
    theta = angles_of(block)
    expected = in_pennylane(block, hours, theta[0].numpy(), observables)
    exact = Channel(block, music_of([hours]), observables).run(theta).features[0]
    np.testing.assert_allclose(exact, expected, atol=1e-12)
    single = Channel(block, music_of([hours], torch.complex64), observables).run(theta.float()).features[0]
    np.testing.assert_allclose(single, expected, atol=1e-6)


def test_pieces_of_other_lengths_side_by_side_are_each_as_alone():
    for schedule in SCHEDULES:
        block = block_of(schedule, 2, 2)
        pieces, theta = [hours_of(n, 2, seed=n) for n in (5, 5, 3, 1)], angles_of(block, 3)
        music = music_of(pieces)
        together = Channel(block, music).run(theta).features
        for which, piece in enumerate(pieces):
            slots = [music.offsets[t] + which for t in range(len(piece))]
            for replica in range(3):
                alone = Channel(block, music_of([piece])).run(theta[replica : replica + 1]).features[0]
                np.testing.assert_allclose(together[replica, slots], alone, atol=1e-13)


@pytest.mark.parametrize("readout", ["Z", "ZX"])
def test_the_coherent_channel_and_its_slope_are_those_of_gate_after_gate(readout):
    block, hours = block_of("coherent", 2, 2, closing=True), hours_of(6, 2)
    theta, channel = angles_of(block), Channel(block, music_of([hours]), readout)
    passed = channel.run(theta)
    features, slopes = outputs_and_slopes(block.ladder, theta[0].numpy(), hours, n_data=2, readout=readout)
    np.testing.assert_allclose(passed.features[0], features, atol=1e-12)
    error = torch.randn(passed.features.shape, dtype=torch.float64)
    expected = np.einsum("tf,tfa->a", error[0].numpy(), slopes)
    np.testing.assert_allclose(channel.slope(theta, passed, error)[0], expected, atol=1e-12)
    np.testing.assert_allclose(features, outputs(block.ladder, theta[0].numpy(), hours, n_data=2, readout=readout))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sizes", [(2, 1), (2, 3)])
@pytest.mark.parametrize("observables", ["Z", "ZX"])
def test_the_slope_is_that_of_autograd_and_of_finite_differences(schedule, sizes, observables):
    block = block_of(schedule, *sizes)
    channel = Channel(block, music_of([hours_of(n, sizes[0], seed=n) for n in (5, 4, 2)]), observables)
    theta = angles_of(block, 2)
    passed = channel.run(theta)
    error = torch.randn(passed.features.shape, dtype=torch.float64)
    made = channel.slope(theta, passed, error)
    traced = theta.clone().requires_grad_()
    (channel.run(traced).features * error).sum().backward()
    assert traced.grad is not None
    np.testing.assert_allclose(made, traced.grad, atol=1e-12)
    step = torch.zeros_like(theta)
    for angle in (0, block.ladder.n_angles // 2, block.ladder.n_angles - 1):
        step[:, angle] = 1e-5
        up, down = ((channel.run(theta + sign * step).features * error).sum((1, 2)) for sign in (1, -1))
        np.testing.assert_allclose(made[:, angle], (up - down) / 2e-5, atol=1e-8)
        step[:, angle] = 0


@pytest.mark.parametrize("schedule", ["coherent", "staggered"])
def test_the_slope_is_that_of_the_parameter_shift_rule(schedule):
    # Every gate has eigenvalues +-1/2: an angle's slope is half the difference of two half turns apart, one occurrence
    # after the other. What it occurs in is a chord; so the ladder of one chord at a time is shifted.
    block, hours = block_of(schedule, 2, 1), hours_of(3, 2)
    theta, music = angles_of(block), music_of([hours])
    channel = Channel(block, music)
    passed = channel.run(theta)
    error = torch.randn(passed.features.shape, dtype=torch.float64)
    made = channel.slope(theta, passed, error)[0]

    def value(chord, shift):
        apart = [theta + (shift if t == chord else 0) for t in range(3)]
        maps = [channel.maps(_unitary(block, each)) for each in apart]
        history, total = channel.cell.begin(1, 1, maps[0]), 0.0
        for t in range(3):
            seen, history = channel.cell.forward(maps[t][:, music.chord[t : t + 1]], history)
            total += float((seen[0, 0] * error[0, t]).sum())
        return total

    for angle in range(block.ladder.n_angles):
        turn = torch.zeros_like(theta)
        turn[0, angle] = np.pi / 2
        shifted = sum(value(chord, turn) - value(chord, -turn) for chord in range(3)) / 2
        np.testing.assert_allclose(made[angle], shifted, atol=1e-12)


def _unitary(block, theta):
    from quantum.evolution import unitaries

    return unitaries(block.ladder, theta)


@pytest.mark.parametrize("schedule", ["coherent", "staggered"])
def test_shots_on_aer_scatter_about_the_features(schedule):
    from qiskit_aer.primitives import SamplerV2

    block, hours, shots = block_of(schedule, 2, 2), hours_of(4, 2), 4000
    theta = angles_of(block)
    circuit = recurrent_circuit(block, hours[:, :, None], theta[0].numpy())
    data = SamplerV2(seed=3).run([circuit], shots=shots).result()[0].data
    z = Channel(block, music_of([hours])).run(theta).features[0].numpy()  # (4, 2)
    bits = np.stack([[data[f"c{t}"].slice_bits(q).get_int_counts().get(1, 0) for q in range(2)] for t in range(4)])
    p = (1 - z) / 2
    chi = ((bits - shots * p) ** 2 / (shots * p * (1 - p))).sum()
    assert 0.5 < chi < 21.95  # 8 numbers: 99.5 % below 21.95, 99.99 % above 0.5


def test_chords_that_recur_are_made_once():
    piece = np.array([[0.1, 0.2], [0.3, 0.4], [0.1, 0.2], [0.1, 0.2]])
    assert music_of([piece]).states.shape == (2, 4)
