"""What is decided on outcomes in the middle of a circuit means the same in PennyLane and in Qiskit."""

from itertools import product
from typing import Any

import numpy as np
import pennylane as qp
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types
from qiskit_aer.primitives import SamplerV2

from quantum.conversion import from_qiskit, to_qiskit


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
def test_conditions_of_qiskit_hold_where_they_say(exact, name):
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


def test_branches_within_branches(exact):
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


def test_a_bit_that_is_written_again_feeds_what_it_says_then(exact):
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


def test_a_bit_written_twice_has_another_for_what_was_read_first(exact):
    circuit = QuantumCircuit(QuantumRegister(1, "s"), ClassicalRegister(1, "mid"))
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.measure(0, 0)
    back = to_qiskit(from_qiskit(circuit))
    assert [(register.name, register.size) for register in back.cregs] == [("mid", 1), ("mid_", 1)]
    assert [back.find_bit(one.clbits[0]).index for one in back if one.name == "measure"] == [1, 0]
    assert exact(from_qiskit(back)) == {(0, 0): pytest.approx(1)}


def initialised():
    circuit = QuantumCircuit(2, 2)
    circuit.h([0, 1])
    circuit.initialize([0.6, 0.8j], [0])
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_qiskits_initialize_resets_and_prepares(exact):
    found = exact(lambda: from_qiskit(initialised())()[:2])
    assert found == pytest.approx({(0, 0): 0.18, (0, 1): 0.18, (1, 0): 0.32, (1, 1): 0.32}, abs=1e-12)
