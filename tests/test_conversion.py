"""Circuits go over to Qiskit and back as they are: the same unitaries, and the same odds of every outcome."""

from functools import partial, reduce
from itertools import product
from typing import Any, cast

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pennylane.ops import Conditional, MidMeasure
from pennylane.tape import QuantumScript, make_qscript
from pennylane.wires import Wires
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import XGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, Statevector, random_unitary
from qiskit_aer.primitives import SamplerV2
from scipy.stats import chi2

from encoding import InputError
from quantum.coherent import outputs
from quantum.conversion import from_qiskit, to_qiskit
from quantum.gates import GATES
from quantum.ladder import Ladder

LABELS = [0, 1, 2, 3, "soprano", "mid", "q", -1]
N_SHOTS = 4000


def matrix_of(operations, wires) -> Any:
    return qp.matrix(QuantumScript(operations), wire_order=wires)  # pyright: ignore[reportArgumentType]  # it takes any labels


def apart(circuit, operations, wires):
    """Largest difference of the unitaries, Qiskit's qubits in PennyLane's order."""
    return abs(Operator(circuit.reverse_bits()).data - matrix_of(operations, wires)).max()


@st.composite
def operations(draw, wires):
    """Gates of both, controlled, inverted, on random wires at random angles; and some that only PennyLane has."""
    some, at = [], lambda n: draw(st.permutations(wires))[:n]
    angle = st.floats(-7, 7)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from([*GATES, qp.Rot, qp.IsingXY, qp.QFT, qp.QubitUnitary, qp.GlobalPhase, qp.CRot]))
        n = {qp.QFT: 2, qp.QubitUnitary: 2}.get(kind, kind.num_wires or 1)
        if n > len(wires):
            continue
        if kind is qp.QubitUnitary:
            one = kind(np.asarray(random_unitary(4, seed=rng).data), at(2))
        elif kind is qp.GlobalPhase:
            one = kind(draw(angle))
        else:
            one = kind(*[draw(angle) for _ in range(kind.num_params if kind is not qp.QFT else 0)], wires=at(n))
        if kind is not qp.QFT and draw(st.integers(0, 3)) == 0:
            one = qp.adjoint(one)
        free = [wire for wire in wires if wire not in one.wires]
        if free and one.wires and draw(st.integers(0, 3)) == 0:
            some_free = free[: draw(st.integers(1, len(free)))]
            one = qp.ctrl(one, some_free, control_values=[draw(st.booleans()) for _ in some_free])
        some.append(one)
    return some


wire_labels = st.integers(1, 4).flatmap(lambda n: st.permutations(LABELS).map(lambda some: some[:n]))


@given(st.data())
@settings(max_examples=60)
def test_random_circuits_have_the_same_unitary_and_so_have_they_back(data):
    wires = data.draw(wire_labels)
    some = data.draw(operations(wires))
    there = to_qiskit(QuantumScript(some), wire_order=wires)
    assert apart(there, some, wires) < 1e-12
    back = make_qscript(from_qiskit(there))().operations
    assert abs(matrix_of(back, wires) - matrix_of(some, wires)).max() < 1e-12


@pytest.mark.parametrize("kind", GATES, ids=lambda kind: kind.__name__)
def test_a_gate_of_both_goes_over_as_itself(kind):
    one = kind(*np.linspace(0.3, 1, kind.num_params), wires=["b", "a", "c"][: kind.num_wires])
    there = to_qiskit(QuantumScript([one]))
    assert len(there.data) == 1
    assert there.data[0].name == GATES[kind](*one.data).name
    (back,) = make_qscript(from_qiskit(there))().operations
    qp.assert_equal(back, one)


@pytest.mark.parametrize(
    "one",
    [
        qp.MultiRZ(0.4, [0, 2, 1]),
        qp.PauliRot(0.4, "XYZ", [2, 0, 1]),
        qp.SISWAP([0, 1]),
        qp.PSWAP(0.3, [0, 1]),
        qp.MultiControlledX([0, 3, 1, 2], control_values=[1, 0, 1]),
        qp.pow(qp.SX(0), 3),
        qp.ctrl(qp.GlobalPhase(0.3), [0, 1]),
        qp.DiagonalQubitUnitary(np.exp(1j * np.arange(4)), [1, 0]),
        qp.DoubleExcitation(0.2, [0, 1, 2, 3]),
        qp.evolve(qp.X(0) @ qp.Z(1) + qp.Z(0), 0.3),
        qp.prod(qp.X(0), qp.CNOT([0, 1]), qp.S(0)),
        qp.Identity([0, 1]),
        qp.StronglyEntanglingLayers(np.arange(24).reshape(2, 4, 3), range(4)),
    ],
    ids=lambda one: one.name,
)
def test_what_only_pennylane_has_is_decomposed(one):
    assert apart(to_qiskit(QuantumScript([one]), wire_order=range(4)), [one], range(4)) < 1e-12


@pytest.mark.parametrize("name", sorted(set(get_standard_gate_name_mapping()) - {"measure", "reset", "delay"}))
def test_every_standard_gate_of_qiskit_comes_over(name):
    gate = get_standard_gate_name_mapping()[name]
    gate = type(gate)(*np.linspace(0.3, 1, len(gate.params))) if gate.params else gate
    circuit = QuantumCircuit(4, global_phase=0.4)
    circuit.append(gate, [3, 1, 0, 2][: gate.num_qubits])
    back = make_qscript(from_qiskit(circuit))().operations
    assert apart(circuit, back, range(4)) < 1e-12


def test_so_do_open_controls_matrices_and_gates_of_ones_own():
    inner = QuantumCircuit(2, name="inner")
    inner.rx(0.3, 0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(3)
    circuit.append(inner.to_gate(), [2, 0])
    circuit.append(XGate().control(2, ctrl_state=1), [2, 0, 1])
    circuit.append(inner.to_gate().control(1), [0, 2, 1])
    circuit.unitary(random_unitary(4, seed=1), [2, 1])
    circuit.barrier()
    assert apart(circuit, make_qscript(from_qiskit(circuit))().operations, range(3)) < 1e-12


@pytest.mark.parametrize(
    "state", [qp.BasisState([1, 0, 1], [2, 1, 0]), qp.StatePrep(np.arange(8) - 3j, [0, 2, 1], normalize=True)]
)
def test_states_are_prepared(state):
    circuit = to_qiskit(QuantumScript([state]), wire_order=range(3))
    tape = QuantumScript([state], [qp.state()])
    (theirs,) = qp.execute([tape], qp.device("default.qubit", wires=3))
    assert abs(Statevector(circuit.reverse_bits()).data - theirs).max() < 1e-12


# Measurements in the middle: the odds of every outcome, by density matrices written out here.

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
def test_there_and_back_they_have_them_exactly(made):
    n, program = made

    def circuit():
        return in_pennylane(program, range(n)), qp.sample(wires=range(n))

    assert exact(from_qiskit(to_qiskit(circuit, wire_order=range(n)))) == pytest.approx(
        odds_by_hand(n, program), abs=1e-12
    )


def exact(play):
    """Probability of every outcome of the bits of a quantum function, by PennyLane."""

    @qp.qnode(qp.device("default.qubit"), mcm_method="deferred")
    def odds():
        return qp.probs(op=list(play()))

    found: Any = odds()
    n_bits = int(np.log2(len(found)))
    outcomes = product((0, 1), repeat=n_bits)
    return {outcome: p for outcome, p in zip(outcomes, found.tolist(), strict=True) if p > 1e-14}


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


def three_bits():
    """Every outcome of three bits, two of them a register, and a fourth that is never written."""
    circuit = QuantumCircuit(QuantumRegister(4, "q"), ClassicalRegister(2, "pair"), ClassicalRegister(2, "more"))
    circuit.h([0, 1, 2])
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit, circuit.cregs[0], circuit.clbits


CONDITIONS = {  # the condition, and when it holds for bits a, b of the pair and c
    "bit is 1": (lambda pair, bits: (bits[1], 1), lambda a, b, c: b),
    "bit is 0": (lambda pair, bits: (bits[2], 0), lambda a, b, c: not c),
    "register is 2": (lambda pair, bits: (pair, 2), lambda a, b, c: b and not a),
    "never written": (lambda pair, bits: (bits[3], 1), lambda a, b, c: False),
    "is 0, never written": (lambda pair, bits: (bits[3], 0), lambda a, b, c: True),
    "logic": (
        lambda pair, bits: expr.logic_or(expr.logic_not(bits[0]), expr.logic_and(bits[1], bits[2])),
        lambda a, b, c: not a or (b and c),
    ),
    "bitwise": (
        lambda pair, bits: expr.bit_xor(expr.bit_or(bits[0], bits[1]), expr.bit_and(bits[2], bits[0])),
        lambda a, b, c: (a or b) != (c and a),
    ),
    "at least": (lambda pair, bits: expr.greater_equal(pair, 2), lambda a, b, c: a + 2 * b >= 2),
    "less": (lambda pair, bits: expr.less(pair, 1), lambda a, b, c: a + 2 * b < 1),
    "greater": (lambda pair, bits: expr.greater(pair, 1), lambda a, b, c: a + 2 * b > 1),
    "at most": (lambda pair, bits: expr.less_equal(expr.bit_not(pair), 1), lambda a, b, c: 3 - a - 2 * b <= 1),
    "unequal": (lambda pair, bits: expr.not_equal(pair, expr.lift(3, types.Uint(2))), lambda a, b, c: not (a and b)),
    "cast": (lambda pair, bits: expr.cast(pair, types.Bool()), lambda a, b, c: a or b),
    "index": (lambda pair, bits: expr.index(pair, 1), lambda a, b, c: b),
}
AER_DIFFERS = {"cast", "index"}  # Aer 0.18.2 casts a register to the opposite, and knows no index


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_of_qiskit_hold_where_they_say(name):
    circuit, pair, bits = three_bits()
    condition, holds = CONDITIONS[name]
    with circuit.if_test(condition(pair, bits)) as otherwise:
        circuit.x(3)
    with otherwise:
        circuit.id(3)
    end = ClassicalRegister(1, "end")
    circuit.add_register(end)
    circuit.measure(3, end)
    expected = {(*bits, int(holds(*bits))): 1 / 8 for bits in product((0, 1), repeat=3)}
    play = from_qiskit(circuit)
    assert exact(lambda: [one for one in play() if one is not None]) == pytest.approx(expected, abs=1e-12)
    if name not in AER_DIFFERS:
        found: Any = SamplerV2(seed=1).run([circuit], shots=200).result()[0].data
        rows = [getattr(found, one).to_bool_array(order="little") for one in ("pair", "more", "end")]
        assert set(map(tuple, np.concatenate(rows, 1)[:, [0, 1, 2, 4]].astype(int).tolist())) == set(expected)


def test_branches_within_branches():
    circuit, _, bits = three_bits()
    with circuit.if_test((bits[0], 1)) as otherwise:
        circuit.x(3)
        with circuit.if_test((bits[1], 1)):
            circuit.ry(np.pi / 3, 3)
    with otherwise, circuit.if_test(expr.logic_not(bits[2])):
        circuit.ry(1.0, 3)
        circuit.barrier(3)
    circuit.measure(3, 3)
    up = {(1, 0): 1.0, (1, 1): np.cos(np.pi / 6) ** 2, (0, 0): np.sin(0.5) ** 2, (0, 1): 0.0}
    for play in (from_qiskit(circuit), from_qiskit(to_qiskit(from_qiskit(circuit)))):
        found = exact(play)
        for first, second, third in product((0, 1), repeat=3):
            p = up[first, second if first else third]
            assert found.get((first, second, third, 1), 0) == pytest.approx(p / 8, abs=1e-12)
            assert found.get((first, second, third, 0), 0) == pytest.approx((1 - p) / 8, abs=1e-12)


def test_if_and_else_make_one_branching():
    def circuit():
        heard = qp.measure(0)
        yes, no = lambda: [qp.X(1), qp.S(1)], lambda: [qp.Y(1), qp.Rot(1, 2, 3, 1), qp.GlobalPhase(0.3)]
        branches: Any = qp.cond(heard, yes, no)
        branches()
        qp.cond(heard, qp.Z)(1)

    there = to_qiskit(circuit)
    assert [one.name for one in there] == ["measure", "if_else", "if_else"]
    first, second = (one.operation.blocks for one in there.data[1:])
    assert [[one.name for one in block] for block in first] == [["x", "s"], ["y", "rz", "ry", "rz"]]
    assert [[one.name for one in block] for block in second if block] == [["z"]]


def test_a_condition_is_spelled_out_in_the_order_of_the_bits():
    """PennyLane orders measurements by names that it draws anew."""

    def circuit():
        first, second = qp.measure(0), qp.measure(1)
        qp.cond(~second & first, qp.X)(2)

    for _ in range(8):
        there = to_qiskit(circuit)
        first, second = there.clbits
        assert there.data[2].operation.condition == expr.logic_and(first, expr.logic_not(second))


def test_a_bit_that_is_written_again_feeds_what_it_says_then():
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    circuit.reset(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    circuit.measure(1, 0)
    assert exact(from_qiskit(circuit)) == {(1,): pytest.approx(1)}


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


def test_wires_become_qubits_in_order():

    def flipped(circuit):
        return Statevector(circuit).data.argmax().item()

    assert flipped(to_qiskit(QuantumScript([qp.X(2), qp.Identity(0), qp.Identity(1)]))) == 0b100
    assert flipped(to_qiskit(QuantumScript([qp.X("z"), qp.Identity("a")]))) == 0b01
    assert flipped(to_qiskit(QuantumScript([qp.X("z")]), wire_order=["a", "b", "z"])) == 0b100
    circuit = to_qiskit(QuantumScript([qp.X("z"), qp.H("a"), qp.CNOT(["a", "z"])]))
    assert make_qscript(from_qiskit(circuit))().wires.tolist() == ["z", "a"]
    assert make_qscript(from_qiskit(circuit, wires=[5, "d"]))().wires.tolist() == [5, "d"]
    assert set(make_qscript(from_qiskit(transpile(circuit, initial_layout=[1, 0])))().wires) == {0, 1}


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


@given(st.data())
@settings(max_examples=15)
def test_registers_come_back_with_their_names_and_sizes(data):
    """Idle qubits too, and bits that nothing is written into; what is measured goes to the bit where it was."""
    sizes = st.dictionaries(st.sampled_from(["data", "c0", "mid", "meas", "S"]), st.integers(1, 3), min_size=1)
    quantum, classical = ([*data.draw(sizes).items()] for _ in "qc")
    circuit = QuantumCircuit(*[QuantumRegister(n, "q" + name) for name, n in quantum])
    circuit.add_register(*[ClassicalRegister(n, name) for name, n in classical])
    for bit in data.draw(st.permutations(circuit.clbits)):
        qubit = data.draw(st.sampled_from(circuit.qubits))
        circuit.ry(1.0, qubit)
        if data.draw(st.booleans()):
            circuit.measure(qubit, bit)
        if data.draw(st.booleans()):
            circuit.reset(qubit)
    wires = data.draw(st.permutations(range(circuit.num_qubits)))
    for back in (to_qiskit(from_qiskit(circuit)), to_qiskit(from_qiskit(circuit, wires=wires))):
        assert back == circuit
    assert back.metadata == {"wires": wires}


def test_a_bit_written_twice_has_another_for_what_was_read_first():
    circuit = QuantumCircuit(QuantumRegister(1, "s"), ClassicalRegister(1, "mid"))
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.measure(0, 0)
    back = to_qiskit(from_qiskit(circuit))
    assert [(register.name, register.size) for register in back.cregs] == [("mid", 1), ("mid_", 1)]
    assert [back.find_bit(one.clbits[0]).index for one in back if one.name == "measure"] == [1, 0]
    assert exact(from_qiskit(back)) == {(0, 0): pytest.approx(1)}


def test_what_goes_over_can_be_written_down_and_transpiled():
    def circuit():
        heard = [qp.measure(0, reset=True), qp.measure(1)]
        branches: Any = qp.cond(heard[0] & ~heard[1], qp.IsingZZ, qp.CRX)
        branches(0.3, [0, 1])
        return qp.sample(wires=[0, 1])

    there = to_qiskit(circuit)
    assert "if (" in qasm3.dumps(there)
    for level in range(4):
        assert transpile(there, basis_gates=["rz", "sx", "cx", "reset"], optimization_level=level).num_clbits == 4


def initialised():
    circuit = QuantumCircuit(2, 2)
    circuit.h([0, 1])
    circuit.initialize([0.6, 0.8j], [0])
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_qiskits_initialize_resets_and_prepares():
    found = exact(lambda: from_qiskit(initialised())()[:2])
    assert found == pytest.approx({(0, 0): 0.18, (0, 1): 0.18, (1, 0): 0.32, (1, 1): 0.32}, abs=1e-12)


def of(*operations, measured=()):
    return lambda: to_qiskit(QuantumScript(operations, measured))


def on_bits(n):
    def circuit():
        bits = [qp.measure(0) for _ in range(n)]
        qp.cond(sum(bits[1:], bits[0]) == 1, qp.X)(1)

    return lambda: to_qiskit(circuit)


def twice():
    one = MidMeasure(Wires(0))
    return to_qiskit(QuantumScript([one, one]))


def of_qiskit(write, *registers):
    def convert():
        circuit = QuantumCircuit(*(registers or (2, 2)))
        write(circuit)
        return from_qiskit(circuit)

    return convert


def measured_on_a_condition(circuit):
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.measure(0, 1)


def looped(circuit):
    with circuit.for_loop(range(2)):
        circuit.x(0)


def switched(circuit):
    with circuit.switch(circuit.clbits[0]) as case, case(0):
        circuit.x(0)


def stored(circuit):
    circuit.add_var("kept", expr.lift(circuit.clbits[0]))


def shifted(circuit):
    with circuit.if_test(expr.equal(expr.shift_left(circuit.cregs[0], 1), 2)):
        circuit.x(0)


REFUSED = {
    "postselection": (of(MidMeasure(Wires(0), postselect=1)), r"postselected measurement .* wires \[0\]"),
    "noise": (of(qp.DepolarizingChannel(0.1, "a")), r"DepolarizingChannel on wires \['a'\]"),
    "an observable": (of(qp.Projector([1], 0)), r"Projector on wires \[0\]"),
    "not unitary": (of(qp.s_prod(2, qp.X(0))), r"SProd on wires \[0\]"),
    "a cut": (of(qp.WireCut(0)), "WireCut"),
    "a batch": (of(qp.RX(np.ones(3), 0)), "one number for each angle"),
    "counts of an observable": (of(qp.X(0), measured=[qp.counts(qp.X(0))]), "those of wires here"),
    "a condition on measurements elsewhere": (of(Conditional(qp.measure(0), qp.X(1))), r"got one on 1 for wires \[1\]"),
    "a condition on seven": (on_bits(7), r"up to 6 measurements of this circuit; got one on 7 for wires \[1\]"),
    "the same measurement twice": (twice, "happens once"),
    "no circuit": (lambda: to_qiskit(3), "a tape, a QNode or a quantum function; got 3"),
    "wires left out": (
        lambda: to_qiskit(QuantumScript([qp.X(1)]), wire_order=[0]),
        r"every wire once, \[1\]; got \[0\]",
    ),
    "wires twice": (lambda: to_qiskit(QuantumScript([qp.X(1)]), wire_order=[1, 1]), "every wire once"),
    "no QuantumCircuit": (lambda: from_qiskit(cast(Any, QuantumScript([]))), "takes a QuantumCircuit"),
    "labels missing": (lambda: from_qiskit(QuantumCircuit(2), wires=["a"]), "2 qubits has 2 different wires"),
    "a free parameter": (of_qiskit(lambda circuit: circuit.rx(Parameter("theta"), 0)), "got theta"),
    "a variable": (of_qiskit(stored), "no variables; got kept"),
    "a measurement in a branch": (of_qiskit(measured_on_a_condition), r"measure within an if_test .* \[0\]"),
    "a loop": (of_qiskit(looped), r"for_loop on wires \[0\]"),
    "a switch": (of_qiskit(switched), "switch_case on wires"),
    "a delay": (of_qiskit(lambda circuit: circuit.delay(100, 1)), r"delay on wires \[1\]"),
    "arithmetic": (of_qiskit(shifted), "comparisons and logic; got .*SHIFT_LEFT"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_refused_in_one_line(name):
    convert, says = REFUSED[name]
    with pytest.raises(InputError, match=says) as caught:
        convert()
    assert "\n" not in str(caught.value)
