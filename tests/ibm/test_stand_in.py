"""The unmodified client finds in the stand-in what it finds at IBM's: an account, machines, and right counts."""

from typing import Any

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit_ibm_runtime import QiskitRuntimeService
from qiskit_ibm_runtime.accounts import InvalidAccountError
from qiskit_ibm_runtime.exceptions import IBMInputValueError
from qiskit_ibm_runtime.fake_provider import FakeManilaV2, FakeTorino

from stand_in.account import FREE, PAID
from stand_in.fixture import running


def dynamic():
    """Measure |+>, flip a second qubit if it was 1, and reset the first: counts are 00 and 11 of the two registers."""
    qubits, seen, after = QuantumRegister(2), ClassicalRegister(1, "seen"), ClassicalRegister(2, "after")
    circuit = QuantumCircuit(qubits, seen, after)
    circuit.h(0)
    circuit.measure(0, seen[0])
    with circuit.if_test((seen, 1)):
        circuit.x(1)
    circuit.reset(0)
    circuit.measure(qubits, after)
    return circuit


def test_an_account_with_its_instances_is_found(ibm, service):
    assert {instance["crn"]: instance["pricing_type"] for instance in service.instances()} == {
        FREE.crn: "free",
        PAID.crn: "paygo",
    }
    assert service.active_instance() == ibm.instance == PAID.crn


def test_a_wrong_key_is_refused_with_the_words_of_iam(ibm):
    with pytest.raises(InvalidAccountError, match="Unable to retrieve instances") as refused:
        QiskitRuntimeService(channel="ibm_quantum_platform", token=ibm.wrong_key, url=ibm.url, instance=ibm.instance)
    assert "Provided API key could not be found" in str(refused.value.__cause__)
    assert ibm.requests("backends") == []


def test_an_instance_of_somebody_else_is_refused(ibm):
    stranger = PAID.crn.replace("paid", "stranger")
    with pytest.raises(IBMInputValueError, match="does not have access to the instance"):
        QiskitRuntimeService(channel="ibm_cloud", token=ibm.key, url=ibm.url, instance=stranger)


@pytest.mark.parametrize(("name", "twin"), [("fake_manila", FakeManilaV2), ("fake_torino", FakeTorino)])
def test_the_target_of_a_machine_is_that_of_its_twin(service, name, twin):
    target, wanted = service.backend(name).target, twin().target
    assert target.num_qubits == wanted.num_qubits
    assert target.operation_names >= {"measure", "reset", "if_else"}
    assert set(target.operation_names) == set(wanted.operation_names)
    for gate in wanted.operation_names:
        assert set(target[gate]) == set(wanted[gate]), gate
        for qubits, properties in wanted[gate].items():
            assert getattr(target[gate][qubits], "error", None) == getattr(properties, "error", None)


def test_fractional_gates_are_there_when_asked_for(monkeypatch):
    with running(monkeypatch, machines=["fake_fractional"]) as server:
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        service: Any = QiskitRuntimeService()
        assert "rzz" in service.backend("fake_fractional", use_fractional_gates=True).target.operation_names
        assert "rzz" not in service.backend("fake_fractional").target.operation_names


@pytest.mark.parametrize("kind", ["sampler", "executor"])
@pytest.mark.parametrize("name", ["fake_manila", "fake_torino"])
def test_a_bell_pair_is_measured_alike_in_both_formats(ibm, service, bell, isa, kind, name, sampler):
    backend = service.backend(name)
    job = sampler(kind, backend).run([isa(bell, backend)], shots=1000)
    counts = job.result(poll_interval=0.1)[0].data.meas.get_counts()
    assert set(counts) == {"00", "11"}
    assert abs(counts["00"] - 500) < 5 * 250**0.5  # five standard deviations of a fair coin
    assert [job["program"]["id"] for job in ibm.jobs()] == [kind]


@pytest.mark.parametrize("kind", ["sampler", "executor"])
def test_measuring_resetting_and_deciding_in_the_middle_works(service, isa, kind, sampler):
    backend = service.backend("fake_manila")
    job = sampler(kind, backend).run([isa(dynamic(), backend)], shots=400)
    data = job.result(poll_interval=0.1)[0].data
    seen, after = data.seen.get_bitstrings(), data.after.get_bitstrings()
    assert set(zip(seen, after, strict=True)) == {("0", "00"), ("1", "10")}  # the first qubit was reset
    assert abs(seen.count("1") - 200) < 5 * 100**0.5


@pytest.mark.parametrize("kind", ["sampler", "executor"])
def test_angles_arrive_as_they_were_sent(service, isa, kind, sampler):
    from qiskit.circuit import Parameter

    backend, angle = service.backend("fake_manila"), Parameter("a")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(angle, 0)
    circuit.measure(0, 0)
    job = sampler(kind, backend).run([(isa(circuit, backend), [0.0, 3.141592653589793, 1.0])], shots=20000)
    bits = job.result(poll_interval=0.1)[0].data.c
    up, down, between = (bits[k].get_counts().get("1", 0) / 20000 for k in range(3))
    assert (up, down) == (0.0, 1.0)
    assert abs(between - 0.2298) < 5 * (0.2298 * 0.7702 / 20000) ** 0.5  # sin^2(1/2)


def test_twirled_measurements_are_turned_back(service, bell, isa, sampler):
    backend = service.backend("fake_manila")
    twirled = sampler("executor", backend)
    twirled.options.twirling.enable_measure = True
    counts = twirled.run([isa(bell, backend)], shots=640).result(poll_interval=0.1)[0].data.meas.get_counts()
    assert set(counts) == {"00", "11"}


def test_a_noisy_machine_makes_mistakes(monkeypatch, bell, isa, sampler):
    with running(monkeypatch, noisy=True) as server:
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        backend = QiskitRuntimeService().backend("fake_manila")
        job = sampler("executor", backend).run([isa(bell, backend)], shots=2000)
        counts = job.result(poll_interval=0.1)[0].data.meas.get_counts()
    assert set(counts) == {"00", "01", "10", "11"}
    assert counts["00"] + counts["11"] > 1600


def test_the_same_job_of_the_same_server_has_the_same_counts(post, monkeypatch, service, bell, isa, sampler):
    first = post(shots=100).result(poll_interval=0.1)[0].data.meas.get_bitstrings()
    second = post(shots=100).result(poll_interval=0.1)[0].data.meas.get_bitstrings()
    with running(monkeypatch) as other:
        for name, value in other.credentials().items():
            monkeypatch.setenv(name, value)
        backend = QiskitRuntimeService().backend("fake_manila")
        again = sampler("executor", backend).run([isa(bell, backend)], shots=100).result(poll_interval=0.1)[0]
    assert again.data.meas.get_bitstrings() == first != second
