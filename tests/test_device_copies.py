"""A device that is copied, sent to another process, or asked by several threads."""

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from qiskit.providers.fake_provider import GenericBackendV2

from encoding import InputError
from quantum import Journal, backend_named
from quantum.device.device import QiskitDevice


def coins(device: QiskitDevice) -> list[int]:
    node = qp.QNode(lambda: [qp.Hadamard(0), qp.sample(wires=0)][1], device)
    return np.ravel(node()).tolist()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_plays_on_the_same_backend_and_draws_numbers_of_its_own(copied):
    first = QiskitDevice(wires=1, shots=40, seed=1)
    second = copied(first)
    one, two, one_more = coins(first), coins(second), coins(first)
    again = QiskitDevice(wires=1, shots=40, seed=1)
    assert [one, two, one_more] == [coins(again) for _ in range(3)]  # calls of one sampler, one after the other
    assert second.tracker is not first.tracker


@pytest.mark.parametrize("backend", ["aer", "exact", "aer:noise=FakeManilaV2", GenericBackendV2(2, seed=1)])
@pytest.mark.parametrize("seed", [3, None])
def test_in_another_process_it_goes_on_where_it_was(backend, seed):
    device = QiskitDevice(wires=1, backend=backend, shots=40, seed=seed)
    coins(device)
    sent = pickle.loads(pickle.dumps(device))
    assert coins(sent) == coins(device)


def test_what_has_no_name_is_not_sent_to_another_process(tmp_path):
    with Journal(tmp_path / "jobs.sqlite") as journal:
        for made in ({"backend": backend_named("aer")}, {"backend": "aer", "journal": journal}):
            with pytest.raises(InputError, match="a device goes to another process by names"):
                pickle.dumps(QiskitDevice(wires=1, **made))


def test_a_layer_of_torch_can_be_copied_whole():
    @qp.qnode(QiskitDevice(wires=1), interface="torch")
    def node(inputs, turn):
        qp.RX(inputs[..., 0], 0)
        qp.RX(turn, 0)
        return qp.expval(qp.Z(0))

    made: Any = qp.qnn.TorchLayer
    layer = made(node, {"turn": ()})
    inputs = torch.tensor([[0.1], [0.2]])
    assert torch.equal(copy.deepcopy(layer)(inputs), layer(inputs))


@pytest.mark.parametrize("journal", [None, "jobs.sqlite"])
def test_threads_have_their_own_answers_and_their_own_draws(journal, tmp_path):
    device = QiskitDevice(wires=1, shots=40, seed=1, journal=journal and tmp_path / journal)
    turned = qp.QNode(lambda x: [qp.RX(x, 0), qp.expval(qp.Z(0))][1], device)
    found: dict[int, Any] = {}

    def work(k: int) -> None:
        found[k] = [float(turned(np.pi * (k % 2))) for _ in range(3)], tuple(coins(device))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[k][0] for k in range(4)] == [[1] * 3, [-1] * 3] * 2
    assert len({found[k][1] for k in range(4)}) == 4
    device.close()
