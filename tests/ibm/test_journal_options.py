"""Both programs, twirled circuits, a batch, accounts and instances: through the journal, at the stand-in."""

import json
from typing import Any

import pytest
from qiskit import QuantumCircuit

from encoding import InputError
from quantum import backend_named
from quantum.jobs import Journal, JournalSampler
from stand_in.account import FREE, PAID

OUTCOMES = {"00", "11"}


def counts(job):
    return job.result()[0].data.meas.get_counts()


def sampler(booked, backend, **options):
    return JournalSampler(
        backend, booked.journal, task="test", agreed=True, most_seconds=1e6, patience=booked.patience, **options
    )


@pytest.mark.parametrize("program", ["executor", "sampler"])
def test_both_programs_are_sent_once_and_read(ibm, booked, program):
    backend = backend_named("ibm:fake_manila", program=program)
    for _ in range(2):
        assert set(counts(sampler(booked, backend).run([booked.circuit], shots=40))) <= OUTCOMES
    (job,) = ibm.jobs()
    assert job["program"]["id"] == program
    assert [row.state for row in booked.journal.rows()] == ["done"]
    other = backend_named("ibm:fake_manila", program="sampler" if program == "executor" else "executor")
    assert set(counts(sampler(booked, other).run([booked.circuit], shots=40))) <= OUTCOMES  # the same question
    assert len(ibm.jobs()) == 1


@pytest.mark.parametrize("program", ["executor", "sampler"])
def test_twirled_counts_have_a_name_of_their_own_and_are_sent_once(ibm, booked, program):
    twirled: dict[str, Any] = {"twirling": {"enable_gates": True, "enable_measure": True}}
    untwirled: dict[str, Any] = {"twirling": {"enable_gates": False}}
    names = set()
    for options in ({}, twirled, twirled, untwirled):
        backend = backend_named("ibm:fake_manila", program=program, **options)
        job = sampler(booked, backend).run([booked.circuit], shots=64)
        names.add(job.intent)
        if program == "executor" or not options:  # the stand-in's older program knows no twirling
            assert set(counts(job)) <= OUTCOMES
    assert len(names) == len(ibm.jobs()) == 2
    places = [row.place for row in booked.journal.rows()]
    assert places[0] == "ibm:fake_manila"
    assert places[1] == 'ibm:fake_manila, twirling {"enable_gates": true, "enable_measure": true}'


def test_what_the_client_cannot_twirl_is_refused_before_anything_is_written(ibm, booked):
    midway = QuantumCircuit(2, 2)
    for _ in range(2):
        midway.sx(0)
        midway.cx(0, 1)
        midway.measure(1, 0)
        midway.reset(1)
    midway.measure(0, 1)
    backend = backend_named("ibm:fake_manila", twirling={"enable_measure": True})
    ready = backend.pass_manager().run(midway)
    with pytest.raises(InputError, match=r"ibm:fake_manila cannot play the circuit with twirling .*: IBM's client: "):
        sampler(booked, backend).run([ready], shots=64)
    decides = QuantumCircuit(2, 2)
    decides.measure(0, 0)
    with decides.if_test((decides.clbits[0], 1)):
        decides.x(1)
    decides.measure(1, 1)
    for backend, what in (
        (backend_named("fake:FakeNairobiV2", twirling={"enable_gates": True}), "twirling"),
        (backend_named("fake:FakeNairobiV2", dynamical_decoupling={"enable": True}), "dynamical decoupling"),
    ):
        with pytest.raises(InputError, match=f"has no {what} in a circuit with if_test"):
            sampler(booked, backend).run([backend.pass_manager().run(decides)], shots=64)
    assert booked.journal.rows() == []
    assert ibm.requests("jobs.post") == []


def test_jobs_one_after_the_other_are_one_batch_which_is_ended(ibm, booked):
    backend = backend_named("ibm:fake_manila", mode="batch")
    asked = sampler(booked, backend)
    for _ in range(2):
        assert set(counts(asked.run([booked.circuit], shots=8))) <= OUTCOMES
    backend.close()
    first, second = ibm.jobs()
    assert first["session_id"] == second["session_id"] is not None
    assert (
        len(ibm.requests("sessions.post")) == len(ibm.requests("sessions.close") + ibm.requests("sessions.patch")) == 1
    )


# Who asks


def test_what_may_have_been_made_in_one_instance_is_not_asked_for_in_another(ibm, booked, hurried):
    ibm.faults("jobs.post", "504-after", times=None)
    ibm.faults("jobs.list", "500", times=None)
    with pytest.raises(OSError, match="IBM's service"):
        booked.run(0)
    ibm.heal()
    (other,) = (one.crn for one in (FREE, PAID) if one.crn != booked.backend.instance)
    backend = backend_named("ibm:fake_manila", instance=other)
    made = len(ibm.jobs())
    with pytest.raises(InputError, match=rf"meant for the instance {booked.backend.instance}.*nothing was sent to"):
        sampler(booked, backend).run([booked.circuit], shots=8)
    assert len(ibm.jobs()) == made
    assert set(counts(booked.run(0))) <= OUTCOMES
    assert [row.instance for row in booked.journal.rows()] == [booked.backend.instance]


@pytest.fixture
def saved(ibm, monkeypatch, tmp_path):
    """Two saved accounts, "mine" and "ours", and no other credentials; the key."""
    key = ibm.credentials()["QISKIT_IBM_TOKEN"]
    url = ibm.credentials().get("QISKIT_IBM_URL") or ibm.url
    accounts = {
        name: {"token": key, "channel": "ibm_quantum_platform", "instance": one.crn, "url": url}
        for name, one in (("mine", FREE), ("ours", PAID))
    }
    path = tmp_path / ".qiskit" / "qiskit-ibm.json"
    path.parent.mkdir()
    path.write_text(json.dumps(accounts))
    path.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ibm.credentials():
        monkeypatch.delenv(name, raising=False)
    return key


def test_an_account_that_is_named_is_asked_with_the_instance_that_was_saved_with_it(saved, monkeypatch):
    assert backend_named("ibm:fake_manila", account="ours").instance == PAID.crn
    monkeypatch.setenv("QISKIT_IBM_INSTANCE", FREE.crn)
    assert backend_named("ibm:fake_manila", account="ours").instance == PAID.crn
    assert backend_named("ibm:fake_manila", account="ours", instance=FREE.crn).instance == FREE.crn


def test_accounts_and_instances_by_the_commands_are_said_in_a_line_and_no_key_is_shown(
    saved, armonica, complaint, capsys
):
    assert armonica("backends", "--account", "ours") == 0
    said = capsys.readouterr().out
    assert "a key in account 'ours'" in said
    assert "accounts mine, ours; say which one" in complaint("backends", "--account", "yours")
    assert "named by its CRN" in complaint("backends", "--account", "ours", "--instance", "my-instance")
    assert armonica("backends") == 0
    assert saved not in said + capsys.readouterr().out


@pytest.mark.parametrize("version", [1, 2])
def test_a_journal_of_an_older_version_is_read_and_goes_on(tmp_path, version):
    import sqlite3

    path = tmp_path / "jobs.sqlite"
    with Journal(path) as journal:
        backend = backend_named("aer", seed=1)
        bell = QuantumCircuit(2)
        bell.h(0)
        bell.cx(0, 1)
        bell.measure_all()
        first = counts(JournalSampler(backend, journal, task="test").run([bell], shots=20))
    held = sqlite3.connect(path)
    for column in ("about", "instance")[: 3 - version]:
        held.execute(f"ALTER TABLE intents DROP COLUMN {column}")
    held.execute(f"PRAGMA user_version = {version}")
    held.commit()
    held.close()
    with Journal(path) as journal:
        assert counts(JournalSampler(backend, journal, task="test").run([bell], shots=20)) == first
        assert [(row.instance, row.about) for row in journal.rows()] == [("", "")]
