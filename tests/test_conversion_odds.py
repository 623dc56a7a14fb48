"""Measured circuits there and back: the odds of every outcome, by density matrices written out here."""

from functools import partial, reduce
from itertools import product
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit_aer.primitives import SamplerV2
from scipy.stats import chi2

from quantum.coherent import outputs
from quantum.conversion import from_qiskit, to_qiskit
from quantum.ladder import Ladder

LABELS = [0, 1, 2, 3, "soprano", "mid", "q", -1]
N_SHOTS = 4000

MATRICES = {
    "h": lambda angle: np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "x": lambda angle: np.array([[0, 1], [1, 0]]),
    "ry": lambda angle: np.array([[np.cos(angle / 2), -np.sin(angle / 2)], [np.sin(angle / 2), np.cos(angle / 2)]]),
    "rz": lambda angle: np.diag(np.exp([-0.5j * angle, 0.5j * angle])),
}
PENNYLANE = {"h": qp.Hadamard, "x": qp.X, "ry": qp.RY, "rz": qp.RZ}
EXPRESSIONS = {
    "last": lambda bits: bits[-1],
    "not last": lambda bits: ~bits[-1] if not isinstance(bits[-1], int) else 1 - bits[-1],
    "first and last": lambda bits: bits[0] & bits[-1],
    "first or last": lambda bits: bits[0] | bits[-1],
    "sum is 1": lambda bits: sum(bits[1:], bits[0]) == 1,
    "never": lambda bits: bits[0] > 1,
    "always": lambda bits: bits[0] >= 0,
}


@st.composite
def programs(draw):
    """Instructions on 2 or 3 wires: a gate, a CNOT, a measurement with or without reset, a gate on a condition."""
    n = draw(st.integers(2, 3))
    program, n_bits = [], 0
    for _ in range(draw(st.integers(4, 12))):
        kinds = ["gate", "gate", "cnot", *(["measure"] if n_bits < 3 else []), *(["cond"] * 2 if n_bits else [])]
        kind = draw(st.sampled_from(kinds))
        wire, other = draw(st.permutations(range(n)))[:2]
        gate = draw(st.sampled_from(sorted(MATRICES))), draw(st.floats(0.3, 2.8))
        if kind == "measure":
            program.append((kind, wire, draw(st.booleans())))
            n_bits += 1
        elif kind == "cond":
            expression = draw(st.sampled_from(sorted(EXPRESSIONS)))
            program.append((kind, wire, gate, expression, draw(st.sampled_from([None, *sorted(MATRICES)]))))
        else:
            program.append((kind, wire, other) if kind == "cnot" else (kind, wire, gate))
    return n, [("gate", wire, ("ry", 1.0)) for wire in range(n)] + program


def on(matrix, wire, n):
    return reduce(np.kron, [matrix if i == wire else np.eye(2) for i in range(n)])


def odds_by_hand(n, program):
    """Outcomes in the middle, then of every wire at the end: probability. A density matrix for each past."""
    pasts = {(): on(np.diag([1, 0]), 0, 1) if n == 1 else reduce(np.kron, [np.diag([1.0, 0])] * n).astype(complex)}
    for kind, wire, *rest in program:
        new: dict = {}
        for past, rho in pasts.items():
            turns = []
            if kind == "gate":
                turns = [(past, on(MATRICES[rest[0][0]](rest[0][1]), wire, n))]
            elif kind == "cnot":
                flip = on(np.diag([0, 1]), wire, n) @ on(MATRICES["x"](0), rest[0], n)
                turns = [(past, on(np.diag([1, 0]), wire, n) + flip)]
            elif kind == "cond":
                (name, angle), expression, otherwise = rest
                chosen = name if EXPRESSIONS[expression](list(past)) else otherwise
                turns = [(past, on(MATRICES[chosen](angle), wire, n) if chosen else np.eye(2**n))]
            else:
                for bit in (0, 1):
                    after = np.eye(2)[:, [0]] if rest[0] else np.eye(2)[:, [bit]]
                    turns.append(((*past, bit), on(after @ np.eye(2)[[bit]], wire, n)))
            new |= {bits: k @ rho @ k.conj().T for bits, k in turns}
        pasts = new
    ends = product((0, 1), repeat=n)
    return {
        (*past, *end): odds
        for end in ends
        for past, rho in pasts.items()
        if (odds := rho[(index := int("".join(map(str, end)), 2)), index].real) > 1e-14
    }


def in_pennylane(program, wires):
    """The same as a quantum function, that samples all wires."""
    bits = []
    for kind, wire, *rest in program:
        at = wires[wire]
        if kind == "gate":
            apply(rest[0], at)
        elif kind == "cnot":
            qp.CNOT([at, wires[rest[0]]])
        elif kind == "measure":
            bits.append(qp.measure(at, reset=rest[0]))
        else:
            (name, angle), expression, otherwise = rest
            other = partial(apply, (otherwise, angle), at) if otherwise else None
            branches: Any = qp.cond(EXPRESSIONS[expression](bits), partial(apply, (name, angle), at), other)
            branches()
    return bits


def apply(gate, wire):
    kind = PENNYLANE[gate[0]]
    return kind(*[gate[1]] * kind.num_params, wires=wire)


def sampled(circuit, seed=7):
    """Counts of the bits of `mid`, then of `meas`, the first bit first."""
    found: Any = SamplerV2(seed=seed).run([circuit], shots=N_SHOTS).result()[0].data
    rows = [getattr(found, name).to_bool_array(order="little") for name in ("mid", "meas") if hasattr(found, name)]
    outcomes, counts = np.unique(np.concatenate(rows, 1).astype(int), axis=0, return_counts=True)
    return {tuple(map(int, outcome)): int(count) for outcome, count in zip(outcomes, counts, strict=True)}


def surprise(counts, odds):
    """p of chi-square, outcomes expected less than five times together; 0 if what cannot happen did."""
    assert sum(odds.values()) == pytest.approx(1, abs=1e-12)
    if set(counts) - set(odds):
        return 0.0
    expected = np.array([N_SHOTS * p for p in odds.values()])
    seen = np.array([counts.get(outcome, 0) for outcome in odds])
    rare = expected < 5
    pairs = [*zip(seen[~rare], expected[~rare], strict=True), (seen[rare].sum(), expected[rare].sum())]
    score = sum((s - e) ** 2 / e for s, e in pairs if e > 0)
    return float(chi2.sf(score, max(1, len(pairs) - 1 - (not rare.any()))))


@given(programs(), st.permutations(LABELS))
@settings(max_examples=25)
def test_measured_circuits_sampled_on_aer_have_the_odds_of_density_matrices(made, labels):
    n, program = made
    wires = labels[:n]

    def circuit():
        return in_pennylane(program, wires), qp.sample(wires=wires)

    there = to_qiskit(circuit, wire_order=wires)
    assert surprise(sampled(there), odds_by_hand(n, program)) > 1e-4


@given(programs())
@settings(max_examples=25)
def test_there_and_back_they_have_them_exactly(exact, made):
    n, program = made

    def circuit():
        return in_pennylane(program, range(n)), qp.sample(wires=range(n))

    assert exact(from_qiskit(to_qiskit(circuit, wire_order=range(n)))) == pytest.approx(
        odds_by_hand(n, program), abs=1e-12
    )


def test_a_reset_resets():
    """X, reset, <Z> = +1; PennyLane's own conversion drops the reset and has -1."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.reset(0)
    play = from_qiskit(circuit)

    @qp.qnode(qp.device("default.qubit"))
    def z():
        play()
        return qp.expval(qp.Z(0))

    assert z() == pytest.approx(1)
    for back in (to_qiskit(play), to_qiskit(z)):
        assert [one.name for one in back] == ["x", "reset"]
        assert not back.clbits


@pytest.mark.parametrize(
    ("answer", "n_bits"),
    [
        (lambda heard: None, 0),
        (lambda heard: qp.expval(qp.Z(0)), 0),
        (lambda heard: qp.expval(heard[1]), 1),
        (lambda heard: qp.sample(heard[0] + heard[2]), 2),
        (lambda heard: qp.counts(heard), 3),
        (lambda heard: qp.probs(op=heard[1:]), 2),
        (lambda heard: {"all": [heard]}, 3),
        (lambda heard: qp.cond(heard[2], qp.X)(1), 1),
    ],
)
def test_only_a_reset_that_is_read_has_a_bit(answer, n_bits):

    def circuit():
        return answer([qp.measure(0, reset=True) for _ in range(3)])

    there = to_qiskit(circuit)
    assert there.count_ops()["reset"] == 3
    assert there.count_ops().get("measure", 0) == len(there.clbits) == n_bits


def test_a_qnode_goes_over_with_its_device_its_tensors_and_its_counts():
    angle = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)

    @qp.qnode(qp.device("default.qubit", wires=["a", "b", "idle"]))
    def circuit(x, *, again):
        qp.RX(x, "b")
        qp.QubitUnitary(torch.linalg.matrix_exp(1j * x * torch.tensor([[0, 1], [1, 0]])), "a")
        heard = [qp.measure("b", reset=True) for _ in range(again)]
        return qp.counts(wires=["b", "a"]), qp.sample(heard), qp.expval(qp.Z("idle"))

    there = to_qiskit(circuit, angle, again=2)
    assert there.metadata == {"wires": ["a", "b", "idle"]}
    assert [register.name for register in there.qregs] == ["a", "b", "idle"]
    assert [(register.name, register.size) for register in there.cregs] == [("mid", 2), ("meas", 2)]
    assert [there.find_bit(one.qubits[0]).index for one in there.data[-2:]] == [1, 0]
    odds = {(b, 0, 0, a): p * r for b, p in enumerate(turned(0.3)) for a, r in enumerate(turned(-0.6))}
    assert surprise(sampled(there), odds) > 1e-4


def turned(angle):
    return np.cos(angle / 2) ** 2, np.sin(angle / 2) ** 2


def test_a_ladder_in_time_is_its_own_description():
    """The coherent schedule by PennyLane, sampled by Aer: what the data qubit says at each of three chords."""
    ladder = Ladder(3, 2)
    angles = np.random.default_rng(3).uniform(-np.pi, np.pi, ladder.n_angles)
    chords = np.array([[0.4, 2.0], [1.3, 0.2]])

    def circuit():
        heard = []
        for chord in chords:
            qp.AngleEmbedding(chord, [0, 1], rotation="Y")
            for name, qubits, place in ladder.gates():
                {"RX": qp.RX, "RZ": qp.RZ, "RZZ": qp.IsingZZ}[name](angles[place], list(qubits))
            heard.extend(qp.measure(qubit, reset=True) for qubit in (0, 1))
        return heard

    counts = sampled(to_qiskit(circuit))
    seen = sum(count * (1 - 2 * np.array(bits)) for bits, count in counts.items()) / N_SHOTS
    expected = outputs(ladder, angles, chords, n_data=2).ravel()
    assert abs(seen - expected).max() < 4 / np.sqrt(N_SHOTS)
