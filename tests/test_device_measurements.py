"""Samples and counts of what does not commute, batches that are measured on the way, and odd names of wires."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest

from quantum.device.device import QiskitDevice

ROOT2 = np.sqrt(2)


@pytest.mark.parametrize("observable", [qp.X("a") + qp.Z("a"), qp.Hermitian(np.array([[1, 1], [1, -1]]), "a")])
def test_a_sum_of_words_that_do_not_commute_shows_its_own_eigenvalues(observable):
    @qp.set_shots(20)
    @qp.qnode(QiskitDevice(wires=["a"], seed=1))
    def up_along(angle):
        qp.RY(angle, "a")
        return qp.sample(observable), qp.counts(observable)

    samples, counts = up_along(np.pi / 4)  # up along (X + Z) / sqrt 2
    assert samples == pytest.approx(np.full(20, ROOT2))
    [(value, times)] = counts.items()
    assert (value, times) == (pytest.approx(ROOT2), 20)
    samples, _ = up_along(5 * np.pi / 4)
    assert samples == pytest.approx(np.full(20, -ROOT2))


def test_words_that_go_together_are_sampled_as_a_sum_from_the_same_shots():
    @qp.set_shots(200)
    @qp.qnode(QiskitDevice(wires=2, seed=1))
    def bell():
        qp.Hadamard(0)
        qp.CNOT([0, 1])
        return qp.sample(qp.Z(0) + qp.Z(1)), qp.sample(qp.Z(0)), qp.counts(qp.Z(0) @ qp.Z(1) - 0.5 * qp.Z(1))

    both, one, parity = bell()
    assert both.tolist() == (2 * one).tolist()  # of a Bell state, in every shot
    assert parity == {0.5: (one == 1).sum(), 1.5: (one == -1).sum()}


@pytest.mark.parametrize("shots", [None, 5000])
def test_a_batch_that_is_measured_on_the_way_is_one_circuit_a_row(shots):
    angles = np.array([0.0, 0.7, 2.0, np.pi])

    @qp.qnode(QiskitDevice(wires=2, seed=1, shots=shots))
    def echo(x):
        qp.RX(x, 0)
        heard = qp.measure(0, reset=True)
        decided: Any = qp.cond(heard, qp.RY)
        decided(np.pi, 1)
        return qp.expval(heard), qp.expval(qp.Z(1)), qp.probs(op=[heard]), qp.probs(wires=0)

    average, answer, chances, rest = echo(angles)
    up = np.cos(angles / 2) ** 2
    bound = 1e-12 if shots is None else 5 * np.sqrt(up * (1 - up) / 5000) + 1e-3
    assert (abs(average - (1 - up)) <= bound).all()
    assert (abs(answer - (2 * up - 1)) <= 2 * bound).all()
    assert (abs(chances[:, 0] - up) <= bound).all()
    assert rest == pytest.approx(np.tile([1, 0], (4, 1)), abs=1e-12)


def test_wires_may_be_called_as_registers_are_and_differ_by_their_kind_alone():
    @qp.set_shots(4)
    @qp.qnode(QiskitDevice(wires=["mid", "meas", 1, "1", 2.5, None], seed=1))
    def named():
        qp.X("mid")
        heard = qp.measure("mid")
        qp.X("1")
        decided: Any = qp.cond(heard, qp.X)
        decided(2.5)
        return qp.counts(wires=["mid", "meas", 1, "1", 2.5, None])

    assert named() == {"100110": 4}


def test_shots_in_parts_of_a_batch_have_a_row_a_circuit():
    node = qp.QNode(lambda x: (qp.RX(x, 0), qp.expval(qp.Z(0)))[1], QiskitDevice(wires=1, seed=1))
    parts = qp.set_shots(node, [3, (2, 2)])(np.array([0, np.pi, 0]))
    assert [part.tolist() for part in parts] == [[1, -1, 1]] * 3


def test_shots_are_those_of_each_call():
    node = qp.QNode(lambda: (qp.Hadamard(0), qp.sample(wires=0))[1], QiskitDevice(wires=1, shots=5, seed=1))
    assert [len(node()), len(qp.set_shots(node, 3)()), len(node())] == [5, 3, 5]
    exact = qp.QNode(lambda: qp.expval(qp.Z(0)), QiskitDevice(wires=1, shots=5))
    assert qp.set_shots(exact, None)() == 1
