"""A QNode on a machine whose time is paid for: agreed to, limited, sent once, and found again."""

import re
from pathlib import Path

import pennylane as qp
import pytest

from encoding import InputError
from quantum import Journal
from quantum.device.device import QiskitDevice


@pytest.fixture
def node(signed_in, tmp_path, quick):
    """A QNode and its device, as a program makes them when it starts: `node(agreed=True)`."""
    devices = []

    def start(**options):
        device = QiskitDevice(wires=2, backend="ibm:fake_manila", journal=tmp_path / "jobs.sqlite", **options)
        device.books.options["patience"] = quick
        devices.append(device)

        @qp.set_shots(50)
        @qp.qnode(device)
        def bell(x):
            qp.RX(x, 0)
            qp.CNOT([0, 1])
            return qp.sample(wires=[0, 1])

        return bell

    yield start
    for device in devices:
        device.close()


def test_nothing_is_sent_before_the_price_is_agreed_to(ibm, node):
    with pytest.raises(InputError, match=r"ibm:fake_manila charges: 1 job\(s\), 1 circuit\(s\), 50 shots.*nothing was"):
        node()(0.3)
    assert ibm.jobs() == []


def test_nothing_is_sent_beyond_the_limit(ibm, node):
    with pytest.raises(InputError, match="of the limit of 1 s"):
        node(agreed=True, max_seconds=1)(0.3)
    assert ibm.jobs() == []


def test_a_program_that_is_run_again_finds_its_outcomes_and_pays_nothing(ibm, node, tmp_path):
    first = node(agreed=True)
    seen = [first(0.3).tolist(), first(0.3).tolist(), first(0.7).tolist()]
    assert len(ibm.jobs()) == 3
    assert seen[0] != seen[1]  # asked twice on purpose
    again = node()  # no price is asked for what is there
    assert [again(0.3).tolist(), again(0.3).tolist(), again(0.7).tolist()] == seen
    assert len(ibm.jobs()) == 3
    with Journal(tmp_path / "jobs.sqlite") as journal:
        assert [row.state for row in journal.rows()] == ["done"] * 3


def test_a_program_that_died_after_sending_finds_its_job(ibm, node, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr("quantum.jobs.collect", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            node(agreed=True)(0.3)
    assert len(ibm.jobs()) == 1
    assert node()(0.3).shape == (50, 2)
    assert len(ibm.jobs()) == 1


def test_who_stops_waiting_and_asks_again_asks_the_same(ibm, node, monkeypatch):
    bell = node(agreed=True)
    with monkeypatch.context() as stopped:
        stopped.setattr("quantum.jobs.collect", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            bell(0.3)
    assert bell(0.3).shape == (50, 2)  # the cell of a notebook, once more
    assert len(ibm.jobs()) == 1
    bell(0.3)
    assert len(ibm.jobs()) == 2


def test_a_gradient_is_one_job(ibm, node):
    turned = qp.QNode(lambda x: [qp.RX(x, 0), qp.expval(qp.Z(0))][1], node(agreed=True).device)
    qp.grad(qp.set_shots(turned, 50))(qp.numpy.array(0.4, requires_grad=True))
    assert len(ibm.jobs()) == 2  # the circuit, and both shifted ones


def test_a_machine_of_ibms_past_the_journal_is_refused(service):
    from qiskit.primitives import BackendSamplerV2

    machine = service.backend("fake_manila")
    for backend in (machine, BackendSamplerV2(backend=machine)):
        with pytest.raises(InputError, match="its jobs go through a journal: backend='ibm:"):
            QiskitDevice(wires=2, backend=backend)


def test_the_recipe_of_the_page_runs_on_a_machine(ibm, signed_in):
    page = (Path(__file__).parents[2] / "docs" / "pennylane.md").read_text(encoding="utf-8")
    [recipe] = re.findall(r"^```python\n(import tempfile\n.*?)^```", page, re.DOTALL | re.MULTILINE)
    seen = {"qp": qp}
    exec(recipe.replace("fake:FakeManilaV2", "ibm:fake_manila"), seen)
    assert len(ibm.jobs()) == 1
    assert seen["first"].shape == (500, 2)
