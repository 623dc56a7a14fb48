"""Three chords played in PennyLane and sampled from Qiskit circuits, against density matrices written out by hand."""

from functools import cache
from itertools import chain, product
from typing import Any

import numpy as np
import pennylane as qp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit_aer.primitives import SamplerV2
from scipy.linalg import expm
from scipy.stats import chisquare

from quantum import Block, Ladder, from_qiskit, recurrent, recurrent_circuit, to_qiskit
from quantum.block import SCHEDULES
from quantum.ladder import TOPOLOGIES

N_CHORDS, N_SHOTS = 3, 8000
SEEDS = st.integers(0, 2**32 - 1)
LABELS = st.one_of(st.integers(-9, 99), st.text(max_size=3), st.tuples(st.integers(0, 3), st.text(max_size=1)))
UP, DOWN = np.diag([1.0, 0]), np.diag([0, 1.0])
X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1])
LOWER = np.array([[0, 1.0], [0, 0]])  # |0><1|
# D[0], D[1] and H[0] at the three chords
ROLES = {"measured": ["012"] * 3, "coherent": ["012"] * 3, "staggered": ["012", "120", "201"]}


def on(**operators):
    """A product of operators on wires "q0", "q1", "q2"."""
    factors = [operators.get(f"q{wire}", np.eye(2)) for wire in range(3)]
    return np.kron(np.kron(factors[0], factors[1]), factors[2])


def turn(angle, *paulis):
    return expm(-0.5j * angle * on(**{f"q{wire}": pauli for pauli, wire in paulis}))


def ladder(angles, d0, d1, h):
    """Two layers of RX RZ RX on each, then ZZ on the ring."""
    unitary = np.eye(8)
    for layer in angles.reshape(2, 12):
        for (a, b, c), wire in zip(layer[:9].reshape(3, 3), (d0, d1, h), strict=True):
            unitary = turn(c, (X, wire)) @ turn(b, (Z, wire)) @ turn(a, (X, wire)) @ unitary
        for angle, (i, j) in zip(layer[9:], ((d0, d1), (d1, h), (h, d0)), strict=True):
            unitary = turn(angle, (Z, i), (Z, j)) @ unitary
    return unitary


def emptied(rho, wire):
    """Reset, as a channel: |0><0| rho |0><0| + |0><1| rho |1><0|."""
    kept, lowered = on(**{f"q{wire}": UP}), on(**{f"q{wire}": LOWER})
    return kept @ rho @ kept + lowered @ rho @ lowered.T


def after(rho, wires, bits):
    for wire, bit in zip(wires, bits, strict=True):
        seen = on(**{f"q{wire}": DOWN if bit else UP})
        rho = seen @ rho @ seen
    return rho


def probabilities(schedule, chords, angles):
    """Of all outcomes, the first bit of the first chord leftmost."""

    def play(rho, chord):
        if chord == len(chords):
            return [np.trace(rho).real]
        d0, d1, h = ROLES[schedule][chord]
        (a,), (b,) = chords[chord]
        unitary = ladder(angles, d0, d1, h) @ turn(b, (Y, d1)) @ turn(a, (Y, d0))
        rho, read, found = unitary @ rho @ unitary.conj().T, (d0, d1, h)[: 3 if schedule == "measured" else 2], []
        for bits in product((0, 1), repeat=len(read)):
            branch = after(rho, read, bits)
            for wire in {"measured": (d0, d1, h), "coherent": (d0, d1), "staggered": (d1, h)}[schedule]:
                branch = emptied(branch, wire)
            if schedule == "measured":
                back = turn(np.pi * (1 - (1 - 2 * bits[2])) / 2, (Y, h))  # RY(pi (1 - <Z>)/2), <Z> = +-1
                branch = back @ branch @ back.conj().T
            found += play(branch, chord + 1)
        return found

    start = np.zeros((8, 8))
    start[0, 0] = 1
    return np.array(play(start, 0))


@cache
def case(schedule) -> Any:
    rng = np.random.default_rng(SCHEDULES.index(schedule))
    chords, angles = rng.uniform(0, np.pi, (N_CHORDS, 2, 1)), rng.uniform(-np.pi, np.pi, 24)
    return Block(Ladder(3, 2), n_data=2, schedule=schedule), chords, angles, probabilities(schedule, chords, angles)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_three_chords_in_pennylane_have_the_probabilities_of_density_matrices(schedule):
    block, chords, angles, exact = case(schedule)
    np.testing.assert_allclose(of_all(chords, angles, ["S", "A"], "H", block), exact, atol=1e-12)


def of_all(chords, angles, data_wires, history_wires, block) -> Any:
    """Probabilities of all outcomes, the first bit of the first chord leftmost."""

    @qp.qnode(qp.device("default.qubit"), mcm_method="deferred")
    def outcomes():
        return qp.probs(op=[*chain(*recurrent(chords, angles, data_wires, history_wires, block))])

    return outcomes()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_pennylanes_circuit_has_qiskits_instructions(schedule):
    """But for RY(0) on a history that is |0>, which a drawing leaves out."""
    block, chords, angles, _ = case(schedule)
    theirs = to_qiskit(lambda: recurrent(chords, angles, ["S", "A"], "H", block))
    ours, counts = recurrent_circuit(block, chords, angles), theirs.count_ops()
    counts["ry"] -= N_CHORDS * (schedule == "measured")
    assert dict(counts) == dict(ours.count_ops())
    for circuit in (ours, theirs):
        branches = [one.operation.blocks for one in circuit if one.name == "if_else"]
        assert all([gate.name for gate in block] == ["x"] for (block,) in branches)


@given(st.sampled_from(SCHEDULES), SEEDS, st.lists(LABELS, min_size=3, max_size=3, unique=True))
@settings(max_examples=20)
def test_so_they_have_at_any_angles_on_any_wires(schedule, seed, wires):
    rng = np.random.default_rng(seed)
    chords, angles = rng.uniform(-7, 7, (2, 2, 1)), rng.uniform(-7, 7, 24)
    block = Block(Ladder(3, 2), n_data=2, schedule=schedule)
    found = of_all(chords, angles, wires[:2], wires[2:], block)
    np.testing.assert_allclose(found, probabilities(schedule, chords, angles), atol=1e-12)


@given(st.sampled_from(SCHEDULES), st.integers(2, 4), st.booleans(), SEEDS, st.data())
@settings(max_examples=15)
def test_qiskits_circuit_has_the_same_probabilities_for_blocks_of_any_shape(schedule, n_qubits, forward, seed, data):
    rotations = data.draw(st.sampled_from([(("RY", 0),), (("RX", 0), ("RZ", 0))]))
    ladder = Ladder(n_qubits, 1, data.draw(st.sampled_from(TOPOLOGIES)), closing=data.draw(st.booleans()))
    n_data = data.draw(st.integers(1, n_qubits - 1))
    block = Block(ladder, n_data=n_data, schedule=schedule, rotations=rotations)
    rng, wires = np.random.default_rng(seed), data.draw(st.permutations(["S", 0, (1, "x"), -3]))[:n_qubits]
    chords, angles = rng.uniform(-7, 7, (2, *block.chord_shape)), rng.uniform(-7, 7, ladder.n_angles)
    play = from_qiskit(recurrent_circuit(block, chords, angles, feed_forward=forward))

    @qp.qnode(qp.device("default.qubit"), mcm_method="deferred")
    def of_qiskit() -> Any:
        return qp.probs(op=list(play()))

    theirs = of_all(chords, angles, wires[:n_data], wires[n_data:], block)
    np.testing.assert_allclose(of_qiskit(), theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("schedule", "feed_forward"), [("measured", True), ("measured", False), ("coherent", True), ("staggered", True)]
)
def test_three_chords_sampled_have_the_frequencies_of_density_matrices(schedule, feed_forward):
    block, chords, angles, exact = case(schedule)
    circuit = recurrent_circuit(block, chords, angles, feed_forward=feed_forward)
    data = sampled(circuit, seed=7)
    assert list(data) == ["c0", "c1", "c2"]  # a register a chord
    bits = np.concatenate([data[name].to_bool_array(order="little") for name in data], 1)  # bit 0 first
    counts = np.bincount(bits @ (1 << np.arange(bits.shape[1])[::-1]), minlength=len(exact))
    assert pvalue(counts, exact) > 0.01


def sampled(circuit, seed) -> Any:
    return SamplerV2(seed=seed).run([circuit], shots=N_SHOTS).result()[0].data


def pvalue(counts, exact):
    """Chi-square; outcomes that are expected less than ten times are taken together."""
    rare = N_SHOTS * exact < 10
    expected = np.append(N_SHOTS * exact[~rare], N_SHOTS * exact[rare].sum() + 1e-9)
    return chisquare(np.append(counts[~rare], counts[rare].sum()), expected, sum_check=False).pvalue


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_comparison_tells_one_angle_of_the_ladder_from_another(schedule):
    _, chords, angles, exact = case(schedule)
    assert_told_apart(probabilities(schedule, chords, angles + 0.2 * (np.arange(24) == 4)), exact)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_comparison_tells_memory_from_chords_each_for_itself(schedule):
    block, *_, exact = case(schedule)
    joint = exact.reshape([2 ** len(block.measured())] * N_CHORDS)
    apart = [joint.sum((1, 2)), joint.sum((0, 2)), joint.sum((0, 1))]
    assert_told_apart(np.einsum("a,b,c->abc", *apart).ravel(), exact)


def assert_told_apart(other, exact):
    assert exact.sum() == pytest.approx(1, abs=1e-12)
    assert pvalue(np.random.default_rng(0).multinomial(N_SHOTS, other / other.sum()), exact) < 1e-6


def test_averages_over_many_shots_go_from_one_job_to_the_next():
    """One chord a job: <Z> of H comes back as RY, and what the next chord leaves on H is exact within its error."""
    block, chords, angles, _ = case("measured")
    density, averages, exact = np.diag([1.0, *[0] * 7]), None, None
    for chord in chords[:2]:
        circuit = recurrent_circuit(block, [chord], angles, averages=averages)
        counts = sampled(circuit, seed=3)["c0"]
        turned = turn(0 if averages is None else np.pi * (1 - averages[0]) / 2, (Y, "2"))
        unitary = ladder(angles, *"012") @ turned @ turn(chord[1, 0], (Y, "1")) @ turn(chord[0, 0], (Y, "0"))
        exact = np.real(np.trace(unitary @ density @ unitary.conj().T @ on(q2=Z)))
        averages = 1 - 2 * counts.to_bool_array(order="little")[:, 2:].mean(0)
        assert abs(averages[0] - exact) < 4 * np.sqrt((1 - exact**2) / N_SHOTS)
