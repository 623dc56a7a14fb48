"""Jobs at the stand-in: found by tag, in pages, cancelled, charged, in batches; seen by the unmodified client."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from qiskit_ibm_runtime import Batch, QiskitRuntimeService, Session
from qiskit_ibm_runtime.exceptions import IBMRuntimeError, RuntimeInvalidStateError, RuntimeJobNotFound

from stand_in import Server
from stand_in.account import FREE
from stand_in.programs import Outcome


def test_jobs_are_found_by_all_of_their_tags_and_no_others(post, service):
    both, one = post("red", "blue"), post("red")
    assert {job.job_id() for job in service.jobs(job_tags=["red"])} == {both.job_id(), one.job_id()}
    assert [job.job_id() for job in service.jobs(job_tags=["red", "blue"])] == [both.job_id()]
    assert service.jobs(job_tags=["green"]) == []
    assert one.update_tags(["green"]) == ["green"]
    assert [job.job_id() for job in service.jobs(job_tags=["green"])] == [one.job_id()]


def test_pages_hold_every_job_once_in_either_order(ibm, post, service):
    ibm.delays.queued = 60.0
    made = [post().job_id() for _ in range(5)]
    assert [job.job_id() for job in service.jobs(limit=None, descending=False)] == made
    assert [job.job_id() for job in service.jobs(limit=2, skip=1)] == [made[3], made[2]]
    assert service.jobs(pending=False) == []
    assert len(service.jobs(pending=True, backend_name="fake_manila", program_id="executor")) == 5
    assert service.jobs(backend_name="fake_torino") == []


def test_jobs_are_found_by_the_time_of_their_making(post, service):
    job, hour = post(), timedelta(hours=1)
    assert len(service.jobs(created_after=job.creation_date - hour, created_before=job.creation_date + hour)) == 1
    assert service.jobs(created_after=job.creation_date + hour) == []
    assert service.jobs(created_before=job.creation_date - hour) == []


def test_a_job_that_waits_can_be_cancelled_and_one_that_ended_cannot(ibm, post):
    ibm.delays.queued = 60.0
    waiting = post()
    assert waiting.metrics()["position_in_queue"] == 1
    waiting.cancel()
    assert waiting.status() == "CANCELLED"
    with pytest.raises(RuntimeInvalidStateError, match="cancelled"):
        waiting.result()
    with pytest.raises(RuntimeInvalidStateError, match="cannot be cancelled"):
        waiting.cancel()


def test_a_job_that_runs_can_be_cancelled_and_is_not_charged(ibm, post):
    ibm.delays.running = 60.0
    job = post()
    while job.status() != "RUNNING":
        pass
    job.cancel()
    ibm.delays.running = 0.0
    post().result(poll_interval=0.1)  # the machine is free again
    assert [job["status"] for job in ibm.jobs()] == ["Cancelled", "Completed"]
    assert job.usage() == 0


def test_a_job_that_is_cancelled_in_its_last_moment_stays_cancelled(ibm, post, monkeypatch):
    running, go = threading.Event(), threading.Event()

    def computed(*_):
        running.set()
        assert go.wait(10)
        return Outcome("{}", 1.0)

    monkeypatch.setattr("stand_in.worker.run", computed)
    job = post()
    assert running.wait(10)
    job.cancel()
    go.set()
    post().wait_for_final_state(poll_interval=0.1)
    assert [job["status"] for job in ibm.jobs()] == ["Cancelled", "Completed"]


def test_states_follow_their_delays(ibm, post):
    ibm.delays.queued, ibm.delays.running = 0.3, 0.3
    job, states = post(), []
    while not states or states[-1] != "DONE":
        states.append(job.status())
    assert list(dict.fromkeys(states)) == ["QUEUED", "RUNNING", "DONE"]
    times = job.metrics()["timestamps"]
    assert times["created"] < times["running"] < times["finished"]


def test_usage_agrees_wherever_it_is_told(ibm, post, service):
    jobs = [post(shots=shots) for shots in (100, 2000)]
    for job in jobs:
        job.result(poll_interval=0.1)
    assert [job.usage() for job in jobs] == [1.025, 1.5]  # 1 s, and 250 us a shot
    assert service.usage()["usage_consumed_seconds"] == pytest.approx(2.525)
    assert sum(job["usage"]["qpu_charge_time_seconds"] for job in ibm.jobs()) == pytest.approx(2.525)


def test_an_instance_without_time_left_is_told_of(ibm, post):
    ibm.allowance = 1.0
    post().result(poll_interval=0.1)
    with pytest.warns(UserWarning, match="has met its usage limit"):
        post()


def test_a_batch_is_charged_for_its_jobs_and_takes_no_more_when_closed(service, bell, isa, sampler):
    backend = service.backend("fake_manila")
    batch: Any = Batch(backend)
    with batch:
        for _ in range(2):
            sampler("executor", batch).run([isa(bell, backend)], shots=100).result(poll_interval=0.1)
        assert batch.details()["mode"] == "batch"
        assert batch.details()["accepting_jobs"]
    assert batch.usage() == pytest.approx(2.05)
    assert batch.details()["state"] == "closed"
    assert len(service.jobs(session_id=batch.session_id)) == 2
    batch._active = True  # the client refuses by itself; so does the server
    with pytest.raises(IBMRuntimeError, match="Session has been closed"):
        sampler("executor", batch).run([isa(bell, backend)])


def test_a_session_that_is_cancelled_cancels_what_waits(ibm, service, bell, isa, sampler):
    ibm.delays.queued = 60.0
    backend = service.backend("fake_manila")
    session = Session(backend)
    sampler("executor", session).run([isa(bell, backend)])
    session.cancel()
    assert [job["status"] for job in ibm.jobs()] == ["Cancelled"]


def test_a_deleted_job_is_gone_for_its_owner_but_was_accepted(ibm, post, service):
    job = post()
    job.result(poll_interval=0.1)
    service.delete_job(job.job_id())
    with pytest.raises(RuntimeJobNotFound):
        service.job(job.job_id())
    assert service.jobs() == []
    assert len(ibm.jobs()) == 1


def test_a_job_of_one_instance_is_not_seen_from_another(ibm, post):
    job = post()
    other = QiskitRuntimeService(channel="ibm_cloud", token=ibm.key, url=ibm.url, instance=FREE.crn)
    with pytest.raises(RuntimeJobNotFound):
        other.job(job.job_id())


def test_a_paused_machine_lets_jobs_wait_and_one_that_is_off_takes_none(ibm, post, service):
    ibm.condition("fake_manila", "paused")
    with pytest.warns(UserWarning, match="status of internal"):
        job = post()
    assert job.status() == "QUEUED"
    assert service.least_busy().name == "fake_torino"
    ibm.condition("fake_manila", "online")
    assert job.result(poll_interval=0.1) is not None
    ibm.condition("fake_manila", "offline")
    assert not service.backend("fake_manila").status().operational
    with pytest.raises(IBMRuntimeError, match="Backend is not available"):
        post()


def test_what_the_machine_cannot_run_fails_with_its_own_words(service):
    backend = service.backend("fake_manila")
    job = service._run("noise-learner", {}, options={"backend": backend})
    job.wait_for_final_state(poll_interval=0.1)
    assert job.status() == "ERROR"
    assert "programs are sampler, executor; got 'noise-learner'" in job.error_message()


def test_nine_tags_or_a_long_one_are_too_many(ibm, post):
    for tags in ([str(k) for k in range(9)], ["x" * 87]):
        with pytest.raises(IBMRuntimeError, match="at most 8 tags of at most 86 characters"):
            post(*tags)
    assert ibm.jobs() == []


def test_the_log_has_no_keys(ibm, post, service):
    post("a tag").result(poll_interval=0.1)
    told = repr(ibm.log)
    assert ibm.key not in told
    assert "Bearer" not in told
    assert {entry.authorization for entry in ibm.log if entry.kind != "iam"} == {"token"}
    assert [entry.tags for entry in ibm.requests("jobs.post")] == [("a tag",)]
    assert ibm.requests("jobs.post")[0].digest == ibm.jobs("a tag")[0]["digest"]


def test_every_server_has_keys_of_its_own(ibm):
    with Server() as other:
        assert len({ibm.key, ibm.wrong_key, other.key, other.wrong_key}) == 4
        assert other.account.said(f"Bearer {ibm.account.token()}") == "wrong"
        assert other.account.said(f"Bearer {other.account.token()}") == "token"
