"""Three chords played in PennyLane and sampled from Qiskit circuits, against density matrices written out by hand."""

from functools import cache
from itertools import chain, product
from typing import Any

import numpy as np
import pennylane as qp
import pytest
from qiskit_aer.primitives import SamplerV2
from scipy.linalg import expm
from scipy.stats import chisquare

from quantum import Block, Ladder, recurrent, recurrent_circuit
from quantum.block import SCHEDULES

N_CHORDS, N_SHOTS = 3, 8000
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
        if chord == N_CHORDS:
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

    @qp.qnode(qp.device("default.qubit"), mcm_method="deferred")
    def outcomes():
        return qp.probs(op=[*chain(*recurrent(chords, angles, ["S", "A"], "H", block))])

    np.testing.assert_allclose(outcomes(), exact, atol=1e-12)


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
