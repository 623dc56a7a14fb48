"""Circuits go over to Qiskit and back as they are: the same unitaries, and the same odds of every outcome."""

from typing import Any, cast

import numpy as np
import pennylane as qp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pennylane.ops import Conditional, MidMeasure
from pennylane.tape import QuantumScript, make_qscript
from pennylane.wires import Wires
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr
from qiskit.circuit.library import XGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, Statevector, random_unitary

from encoding import InputError
from quantum.conversion import from_qiskit, to_qiskit
from quantum.gates import GATES

LABELS = [0, 1, 2, 3, "soprano", "mid", "q", -1]


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
