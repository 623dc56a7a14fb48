"""What the device does not do is said in one line, which is an InputError, and a DeviceError to PennyLane."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
from pennylane.exceptions import DeviceError, QuantumFunctionError
from pennylane.tape import QuantumScript
from qiskit.primitives import StatevectorSampler

from encoding import InputError
from quantum.device.device import QiskitDevice
from quantum.machines import names

Play = Callable[[], Any]


def line(play: Play) -> str:
    with pytest.raises(InputError) as refused:
        play()
    assert isinstance(refused.value, DeviceError)
    said = str(refused.value)
    assert "\n" not in said
    assert len(said) < 300
    return said


def played(*made: Any, wires: Any = 2, shots: int | None = None, **options: Any) -> Any:
    """The result of a circuit: what is measured comes last, all else before it."""

    @qp.qnode(QiskitDevice(**({"wires": wires, "seed": 1, "shots": shots} | options)))
    def circuit():
        for gate in made[:-1]:
            gate()
        return made[-1]()

    return circuit()


def up() -> Any:
    return qp.expval(qp.Z(0))


OBSERVED = {
    "sample is read from shots, and the circuit has none: qp.set_shots": (lambda: qp.sample(qp.Z(0)), None),
    "counts is read from shots": (lambda: qp.counts(), None),
    "state(wires=[]) not accepted with finite shots": (lambda: qp.state(), 10),
    "does not measure shadow(wires=[0, 1])": (lambda: qp.classical_shadow([0, 1]), 10),
    "X(0) @ Z(0) is not": (lambda: qp.expval(qp.X(0) @ qp.Z(0)), None),
    "is turned as a whole, on up to 8 wires; it has 9": (lambda: qp.var(qp.Projector([0] * 9, range(9))), None),
}


@pytest.mark.parametrize("words", OBSERVED)
def test_what_cannot_be_measured_is_named(words):
    measured, shots = OBSERVED[words]
    assert words in line(lambda: played(measured, wires=9, shots=shots))


def test_an_operation_without_a_counterpart_is_named_with_its_wires():
    said = line(lambda: played(lambda: qp.AmplitudeDamping(0.1, wires=1), up))
    assert said == "AmplitudeDamping on wires [1] is neither a gate of Qiskit nor made of such gates"


def test_postselection_is_refused():
    assert "does not postselect; got a measurement on wires [1]" in line(
        lambda: played(lambda: qp.measure(1, postselect=1), up)
    )


@pytest.mark.parametrize("angle", [np.nan, np.inf, "x", None, 1j, 10**400, np.array([0.1, np.nan]), object()])
def test_an_angle_that_is_no_number_is_refused_with_the_gate_that_has_it(angle):
    said = line(lambda: played(lambda: qp.X(0), lambda: qp.adjoint(qp.RX(angle, 1)), up))
    assert said.startswith("an angle is a finite number; Adjoint(RX) on wires [1] has ")


NO_GATES = {
    "QubitUnitary on wires [1] is no gate: its matrix is not unitary": lambda: qp.QubitUnitary(np.ones((2, 2)), 1),
    "LinearCombination on wires [0, 1] is no gate": lambda: qp.Hamiltonian([1, 2], [qp.Z(0), qp.X(1)]),
    "QubitUnitary on wires [0] is no gate": lambda: qp.ctrl(qp.QubitUnitary(np.diag([1, 0.5]), 0), control=1),
    "Projector on wires [0] is no gate": lambda: qp.Projector([1], 0),
    "TShift on wires [0] is neither a gate of Qiskit": lambda: qp.TShift(0),
    "Displacement on wires [0] is neither a gate of Qiskit": lambda: qp.Displacement(0.1, 0.2, 0),
    "StatePrep on wires [0, 1] is not made of gates: state_vector has to be of norm 1": lambda: qp.StatePrep(
        np.ones(4), [0, 1]
    ),
}


@pytest.mark.parametrize("words", NO_GATES)
def test_what_is_no_gate_is_named_with_its_wires(words):
    assert words in line(lambda: played(NO_GATES[words], up))


def test_a_batch_of_nothing_is_refused():
    node = qp.QNode(lambda x: [qp.RX(x, 0), up()][1], QiskitDevice(wires=1))
    assert line(lambda: node(np.array([]))) == "a batch has at least one set of angles; got an empty one"


def test_a_condition_on_too_much_is_refused_with_what_is_under_it():
    def many():
        decided: Any = qp.cond(sum(qp.measure(0) for _ in range(7)) == 3, qp.X)
        decided(1)
        return up()

    assert line(qp.QNode(many, QiskitDevice(wires=2))) == (
        "a condition is on up to 6 measurements; PauliX on wires [1] has one on 7"
    )


def test_what_cannot_be_put_off_is_refused_where_measurements_are_deferred():
    def postselected():
        qp.measure(1, postselect=1)
        return up()

    def under_two():  # PennyLane 0.45 would lose the inner condition
        first, second = qp.measure(0), qp.measure(1)
        both: Any = qp.cond(first, lambda: qp.cond(second, qp.X)(2))  # type: ignore[operator]  # not a gate's class
        both()
        return up()

    for play, words in ((postselected, "does not postselect"), (under_two, "PauliX on wires [2] is under two")):
        assert words in line(qp.QNode(play, QiskitDevice(wires=5), mcm_method="deferred"))


def test_measured_in_the_middle_of_many_qubits_it_wants_shots():
    entangling = [lambda k=k: qp.CNOT([k, k + 1]) for k in range(10)]
    said = line(lambda: played(*entangling, lambda: qp.measure(0), up, wires=11))
    assert said.startswith("without shots a circuit measured in the middle")
    assert said.endswith("has up to 10 qubits; got 11: qp.set_shots(qnode, 1000)")


def test_what_is_no_tape_is_refused():
    device = QiskitDevice(wires=1)
    for given in (3, [3], "tape"):
        said = line(lambda given=given: device.execute(given))
        assert said.startswith("a device plays tapes, which a QNode or qp.execute makes; got ")


def test_a_tape_that_nobody_decomposed_is_refused_with_what_is_not():
    tape = QuantumScript([qp.Rot(0.1, 0.2, 0.3, 0)], [qp.expval(qp.Z(0))])
    said = line(lambda: QiskitDevice(wires=1).execute(tape))
    assert said == "Rot on wires [0] is to be decomposed first: take qp.execute"


def test_a_wire_that_the_device_does_not_have_is_named():
    assert line(lambda: played(lambda: qp.X("z"), up)) == "armonica.qiskit has wires [0, 1]; the circuit also has ['z']"


def test_more_wires_than_the_backend_has_are_refused_when_the_device_is_made():
    assert line(lambda: QiskitDevice(wires=6, backend="fake:FakeManilaV2")) == (
        "fake:FakeManilaV2 has 5 qubits; the device has 6 wires"
    )


def test_more_wires_than_the_backend_has_are_refused_in_a_circuit():
    device = QiskitDevice(backend="aer:noise=FakeManilaV2")
    node = qp.set_shots(qp.QNode(lambda: [qp.expval(qp.Z(wire)) for wire in range(6)], device), 10)
    assert "aer:noise=FakeManilaV2 has 5 qubits; the circuit takes 6" in line(node)


def echo() -> None:
    decided: Any = qp.cond(qp.measure(0, reset=True), qp.X)
    decided(1)


def test_a_sampler_that_was_handed_over_is_named_with_what_it_does_not_play():
    options = {"shots": 5, "backend": StatevectorSampler(seed=1), "seed": None}
    assert line(lambda: played(echo, up, **options)) == (
        "StatevectorSampler does not play the circuit: StatevectorSampler cannot handle ControlFlowOp"
    )


@pytest.mark.parametrize("backend", ["default.qubit", "fake:FakeBerlin"])
def test_a_backend_that_does_not_decide_is_named(backend):
    assert line(lambda: played(echo, up, shots=5, backend=backend)).startswith(f"{backend} does no if_test")


def test_a_backend_that_shows_shots_is_not_asked_without():
    said = line(lambda: played(up, backend="fake:FakeManilaV2"))
    assert said.startswith("fake:FakeManilaV2 shows shots, and the circuit has none: qp.set_shots(qnode, 1000)")


def test_noise_with_a_measurement_in_the_middle_is_not_exact():
    said = line(lambda: played(lambda: qp.measure(0), up, backend="aer:noise=FakeManilaV2"))
    assert "measures in the middle with shots only" in said


MADE = {
    "there is no backend 'eer': did you mean aer?": {"backend": "eer"},
    "there is no fake machine FakeManila3": {"backend": "fake:FakeManila3"},
    "plays on a name, a sampler (BaseSamplerV2) or a BackendV2; got 3": {"backend": 3},
    "aer takes a seed and a number of shots; got colour": {"colour": "red"},
    "shots are a whole number of at least 1, or a list of them; got 0": {"shots": 0},
    "shots are a whole number of at least 1, or a list of them; got -3": {"shots": -3},
    "shots are a whole number of at least 1, or a list of them; got True": {"shots": True},
    "shots are a whole number of at least 1, or a list of them; got []": {"shots": []},
    "shots are a whole number of at least 1, or a list of them; got [5, 0]": {"shots": [5, 0]},
    "wires are a number of at least 1, up to 10000, or labels that differ; got ['a', 'a']": {"wires": ["a", "a"]},
    "or labels that differ; got 1000000000": {"wires": 10**9},
    "or labels that differ; got 1.5": {"wires": 1.5},
    "or labels that differ; got True": {"wires": True},
    "max_seconds is a limit in seconds, at least 0; got nan": {"max_seconds": float("nan")},
    "max_seconds is a limit in seconds, at least 0; got '5'": {"max_seconds": "5"},
    "agreed is True or False; got 'no'": {"agreed": "no"},
    "a backend's name is given as backend=; got name='x'": {"name": "x"},
    "plays on a name, a sampler (BaseSamplerV2) or a BackendV2; got None": {"backend": None, "seed": 1},
    "a journal is a Journal or its path; got 3": {"journal": 3},
    "seed is a whole number": {"seed": "x"},
}


@pytest.mark.parametrize("words", MADE)
def test_a_device_that_cannot_be_made_is_refused(words):
    assert words in line(lambda: QiskitDevice(**({"wires": 2} | MADE[words])))


@pytest.mark.parametrize("backend", ["fake:FakeManilaV2", "ibm:ibm_torino"])
def test_without_the_extra_it_says_what_to_install(backend, monkeypatch):
    monkeypatch.setattr(names, "find_spec", lambda name: None)
    assert line(lambda: QiskitDevice(wires=2, backend=backend)) == (
        f"{backend} needs qiskit-ibm-runtime, which is not installed: pip install -c constraints.txt '.[ibm]'"
    )


def test_a_gradient_that_it_does_not_have_is_refused_by_pennylane():
    with pytest.raises(QuantumFunctionError, match="does not support backprop"):
        qp.QNode(up, QiskitDevice(wires=1), diff_method="backprop")()


def test_another_way_of_measuring_in_the_middle_is_refused():
    node = qp.QNode(up, QiskitDevice(wires=1), mcm_method="tree-traversal")
    assert "'device') or 'deferred'; got 'tree-traversal'" in line(node)
