"""What PennyLane makes of a device: slopes, curvatures, metrics, snapshots; the same as on a device of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from pennylane import numpy as pnp

from quantum.device.device import QiskitDevice

ENERGY = qp.Hamiltonian([0.3, 0.7, -0.2], [qp.Z(0), qp.X(0) @ qp.X(1), qp.Y(1)])
PLACE = pnp.array([0.1, 0.7, -0.4], requires_grad=True)


def turned(x) -> None:
    qp.RX(x[0], 0)
    qp.RY(x[1], 1)
    qp.CNOT([0, 1])
    qp.RZ(x[2], 1)
    qp.IsingXX(x[0] * x[1], [0, 1])


def energy(x):
    turned(x)
    return qp.expval(ENERGY)


def law(x):
    turned(x)
    return qp.probs(wires=[1, 0])


TRANSFORMS: dict[str, Callable[[Any, Any], Any]] = {
    "gradient": lambda node, law: qp.grad(node)(PLACE),
    "jacobian of probabilities": lambda node, law: qp.jacobian(law)(PLACE),
    "curvature": lambda node, law: qp.jacobian(qp.grad(node))(PLACE),
    "metric": lambda node, law: qp.metric_tensor(node)(PLACE),
    "blocks of the metric": lambda node, law: qp.metric_tensor(node, approx="block-diag")(PLACE),
    "Fisher information": lambda node, law: qp.gradients.quantum_fisher(node)(PLACE),
    "classical Fisher information": lambda node, law: qp.gradients.classical_fisher(law)(PLACE),
    "Hadamard tests": lambda node, law: qp.gradients.hadamard_grad(node, aux_wire=2)(PLACE),
}


@pytest.mark.parametrize("what", TRANSFORMS)
def test_it_is_the_same_as_on_default_qubit(what):
    found = []
    for device in (QiskitDevice(wires=3), qp.device("default.qubit", wires=3)):
        nodes = [qp.QNode(play, device, diff_method="parameter-shift", max_diff=2) for play in (energy, law)]
        found.append(np.ravel(TRANSFORMS[what](*nodes)))
    assert found[0] == pytest.approx(found[1], abs=1e-7)


def test_shifted_angles_as_a_batch_give_the_same_slope():
    one, many = (
        qp.grad(qp.QNode(energy, QiskitDevice(wires=2), gradient_kwargs={"broadcast": broadcast}))(PLACE)
        for broadcast in (False, True)
    )
    assert one == pytest.approx(many, abs=1e-10)


def test_the_slope_through_a_measurement_in_the_middle_is_that_of_the_formula():
    @qp.qnode(QiskitDevice(wires=2))
    def echo(x, y):
        qp.RX(x, 0)
        decided: Any = qp.cond(qp.measure(0, reset=True), qp.RY)
        decided(y, 1)
        return qp.expval(qp.Z(1))  # cos^2(x / 2) + sin^2(x / 2) cos y

    x, y = pnp.array(0.7, requires_grad=True), pnp.array(0.4, requires_grad=True)
    slopes = qp.grad(echo)(x, y)
    assert slopes == pytest.approx((-np.sin(0.7) / 2 * (1 - np.cos(0.4)), -(np.sin(0.35) ** 2) * np.sin(0.4)), abs=1e-8)


def test_a_condition_within_a_condition_wants_both():
    @qp.qnode(QiskitDevice(wires=3))
    def both():
        qp.Hadamard(0)
        qp.Hadamard(1)
        first, second = qp.measure(0), qp.measure(1)

        def inner():
            decided: Any = qp.cond(second, qp.X)
            decided(2)

        decided: Any = qp.cond(first, inner)  # type: ignore[call-overload]  # its overloads know classes of gates
        decided()
        return qp.expval(qp.Z(2))

    assert both() == pytest.approx(0.5, abs=1e-12)  # turned in a quarter of the cases


def test_snapshots_show_what_is_there_on_the_way():
    @qp.set_shots(5)
    @qp.qnode(QiskitDevice(wires=2, seed=1))
    def turned_twice():
        qp.X(0)
        qp.Snapshot("once", measurement=qp.counts(wires=[0, 1]))
        qp.X(1)
        return qp.counts(wires=[0, 1])

    with pytest.warns(UserWarning, match="a tape will be created for each snapshot"):
        shown: Any = qp.snapshots(turned_twice)
    seen = shown()
    assert seen == {"once": {"10": 5}, "execution_results": {"11": 5}}


@pytest.mark.parametrize(("shots", "total"), [(np.int64(7), 7), ((7, 2), 9), ([3, (2, 2)], 7)])
def test_shots_are_whole_numbers_of_any_library_and_may_come_in_parts(shots, total):
    assert QiskitDevice(wires=1, shots=shots).shots.total_shots == total


def test_results_can_be_written_to_as_torch_wants_it():
    for shots in (None, 10):
        node = qp.QNode(lambda: (qp.X(0), qp.probs(wires=0))[1], QiskitDevice(wires=1, shots=shots), interface="numpy")
        found: Any = node()
        assert found.flags.writeable
    weights = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    chance: Any = qp.QNode(lambda x: (qp.RX(x, 0), qp.probs(wires=0))[1], QiskitDevice(wires=1), interface="torch")
    chance(weights)[1].backward()
    assert weights.grad is not None
    assert float(weights.grad) == pytest.approx(np.sin(0.3) / 2)
