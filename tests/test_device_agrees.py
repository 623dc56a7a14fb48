"""Of random circuits the device says what PennyLane says: exactly, and with shots within their scatter."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from quantum.device.device import QiskitDevice
from quantum.gates import GATES

WIRES = ("b", 3, "a", 0)
ANGLE = st.floats(-3.2, 3.2, allow_nan=False).map(lambda x: round(x, 3))
FIXED = {
    1: [qp.X, qp.Y, qp.Z, qp.Hadamard, qp.S, qp.T, qp.SX],
    2: [qp.CNOT, qp.CY, qp.CZ, qp.CH, qp.SWAP, qp.ISWAP, qp.ECR],
    3: [qp.Toffoli, qp.CSWAP, qp.CCZ],
}
TURNED = {
    1: [(qp.RX, 1), (qp.RY, 1), (qp.RZ, 1), (qp.PhaseShift, 1), (qp.U2, 2), (qp.U3, 3), (qp.Rot, 3)],
    2: [(gate, 1) for gate in (qp.IsingXX, qp.IsingYY, qp.IsingZZ, qp.CRX, qp.CRY, qp.CRZ, qp.ControlledPhaseShift)]
    + [(qp.IsingXY, 1), (qp.CRot, 3), (qp.SingleExcitation, 1)],
    3: [(qp.MultiRZ, 1)],
}


@st.composite
def gates(draw):
    """One operation on wires with labels, perhaps undone, controlled, or given as a matrix."""
    n = draw(st.integers(1, 3))
    wires = draw(st.permutations(WIRES))
    here = list(wires[:n])
    if draw(st.booleans()):
        made = draw(st.sampled_from(FIXED[n]))(wires=here)
    else:
        kind, n_angles = draw(st.sampled_from(TURNED[n]))
        made = kind(*(draw(ANGLE) for _ in range(n_angles)), wires=here)
    how = draw(st.sampled_from(["as it is", "as it is", "undone", "controlled", "matrix"]))
    if how == "undone":
        return qp.adjoint(made)
    if how == "controlled":
        return qp.ctrl(made, control=[wires[n]], control_values=[draw(st.booleans())])
    return qp.QubitUnitary(qp.matrix(made), wires=here) if how == "matrix" else made


@st.composite
def words(draw):
    """A product of Pauli matrices."""
    wires = draw(st.lists(st.sampled_from(WIRES), min_size=1, max_size=3, unique=True))
    return qp.prod(*(draw(st.sampled_from([qp.X, qp.Y, qp.Z]))(wire) for wire in wires))


@st.composite
def hermitians(draw):
    """A matrix of the user's, on two wires."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    a = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    return qp.Hermitian(a + a.conj().T, wires=draw(st.permutations(WIRES))[:2])


@st.composite
def observables(draw):
    """What can be measured: words, sums, matrices, projectors, Hadamards."""
    kind = draw(st.sampled_from(["word", "sum", "matrix", "projector", "hadamard", "mixed"]))
    if kind == "word":
        return draw(words())
    if kind == "sum":
        return qp.dot([draw(ANGLE) + 4 for _ in range(3)], [draw(words()) for _ in range(3)])
    if kind == "matrix":
        return draw(hermitians())
    two = list(draw(st.permutations(WIRES))[:2])
    if kind == "projector":
        return qp.Projector([1, 0], wires=two)
    return qp.Hadamard(two[0]) @ qp.Y(two[1]) if kind == "hadamard" else 0.5 * qp.Hadamard(two[0]) + qp.Z(two[1])


def both(circuit, device, **options):
    return [
        np.hstack([np.ravel(one) for one in qp.QNode(circuit, made, **options)()])
        for made in (device, qp.device("default.qubit", wires=WIRES))
    ]


@pytest.mark.parametrize("kind", GATES)
def test_every_gate_that_qiskit_has_is_the_same_forwards_undone_and_controlled(kind):
    wires = list(WIRES[: kind.num_wires or 1])

    def circuit():
        for k, wire in enumerate(WIRES):
            qp.Hadamard(wire)
            qp.RX(0.3 + k, wire)
        gate = kind(*(0.7 + 0.4 * k for k in range(kind.num_params)), wires=wires)
        qp.apply(gate)
        qp.RY(0.4, wires[0])
        qp.adjoint(gate)
        qp.RY(0.7, wires[-1])
        qp.ctrl(gate, control=WIRES[3], control_values=[0])
        qp.Hadamard(wires[0])
        return qp.probs(wires=WIRES)

    ours, theirs = both(circuit, QiskitDevice(wires=WIRES))
    assert ours == pytest.approx(theirs, abs=1e-10)


@given(st.lists(gates(), min_size=1, max_size=8), st.lists(observables(), min_size=1, max_size=3))
@settings(max_examples=40)
def test_without_shots_it_is_the_same_to_rounding(operations, measured):
    def circuit():
        for operation in operations:
            qp.apply(operation)
        return [qp.expval(one) for one in measured] + [qp.var(measured[0]), qp.probs(wires=["a", 3])]

    ours, theirs = both(circuit, QiskitDevice(wires=WIRES, seed=1))
    assert ours == pytest.approx(theirs, abs=1e-10)


@given(st.lists(gates(), min_size=1, max_size=6), words(), words(), st.integers(0, 1000))
@settings(max_examples=15)
def test_with_shots_it_is_the_same_but_for_their_scatter(operations, one, other, seed):
    shots = 2000

    def circuit():
        for operation in operations:
            qp.apply(operation)
        return qp.expval(one), qp.expval(other), qp.probs(wires=["a", 3, "b"])

    ours, theirs = (
        qp.set_shots(qp.QNode(circuit, made), some)()
        for made, some in ((QiskitDevice(wires=WIRES, seed=seed), shots), (qp.device("default.qubit"), None))
    )
    for mean, exact in zip(ours[:2], theirs[:2], strict=True):
        assert abs(mean - exact) <= 5 * np.sqrt((1 - exact**2).clip(0) / shots) + 3 / shots
    likely = theirs[2] > 5 / shots
    assert (ours[2][~likely] <= 30 / shots).all()
    statistic = (shots * (ours[2] - theirs[2])[likely] ** 2 / theirs[2][likely]).sum()
    assert chi2.sf(statistic, likely.sum()) > 1e-6


@given(st.lists(gates(), min_size=1, max_size=4), st.lists(gates(), min_size=1, max_size=3), words(), st.booleans())
@settings(max_examples=15)
def test_measured_and_decided_in_the_middle_it_is_the_same_to_rounding(before, after, word, reset):
    def circuit():
        for operation in before:
            qp.apply(operation)
        first, second = qp.measure("a", reset=reset), qp.measure(0)
        for operation in after:
            decided: Any = qp.cond(first & ~second, lambda made=operation: qp.apply(made))
            decided()
        qp.RX(0.3, "a")
        return [qp.expval(word), qp.expval(first + 2 * second), qp.probs(op=[second, first]), qp.probs(wires=["b", 0])]

    ours = np.hstack([np.ravel(one) for one in qp.QNode(circuit, QiskitDevice(seed=1))()])
    theirs = np.hstack(
        [np.ravel(one) for one in qp.QNode(circuit, qp.device("default.qubit"), mcm_method="deferred")()]
    )
    assert ours == pytest.approx(theirs, abs=1e-10)


@given(st.lists(st.tuples(gates(), st.booleans()), min_size=2, max_size=5), st.lists(ANGLE, min_size=3, max_size=3))
@settings(max_examples=15)
def test_a_batch_is_its_circuits_one_by_one(made, angles):
    device = QiskitDevice(wires=WIRES, seed=1)

    @qp.qnode(device)
    def circuit(x):
        for operation, turned in made:
            qp.apply(operation)
            if turned:
                qp.CRX(x, wires=["a", 0])
                qp.Rot(x, 0.1, 2 * x, wires=3)
        qp.RY(x, "b")
        return qp.expval(qp.Z("a") @ qp.X(3)), qp.probs(wires=["b", 0])

    batch, probabilities = circuit(np.array(angles))
    for k, angle in enumerate(angles):
        one, law = circuit(angle)
        assert batch[k] == pytest.approx(one, abs=1e-12)
        assert probabilities[k] == pytest.approx(law, abs=1e-12)
