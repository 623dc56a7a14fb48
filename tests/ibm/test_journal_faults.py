"""Jobs with a journal, whatever goes wrong between here and the machine: one job an intent, one result a job."""

import errno
import logging
import traceback

import pytest

from encoding import InputError
from quantum.jobs import JobEnded, NotYet
from quantum.machines.wire import ServiceFailed
from stand_in import FAULTS

GATEWAY = [name for name in FAULTS if name.removesuffix("-after") in ("500", "502", "503", "504", "reset", "html")]
ANSWERS = ["cut", "truncated", "empty", "slow", "401", "429"]
OUTCOMES = {"00", "11"}


def counts(job):
    return job.result()[0].data.meas.get_counts()


def balanced(ibm, journal):
    """Jobs = intents, results = jobs, and no two jobs of one intent."""
    rows, jobs = journal.rows(), ibm.jobs()
    assert sorted(row.job for row in rows) == sorted(job["id"] for job in jobs)
    assert [row.state for row in rows] == ["done"] * len(rows)
    assert all(journal.result(row.id) for row in rows)
    assert [job["tags"] for job in jobs] == [[row.tag] for row in rows]


def test_whatever_becomes_of_a_post_one_job_is_made_and_found(ibm, booked, hurried):
    names = [*GATEWAY, *ANSWERS, "hang"]
    for step, name in enumerate(names):
        ibm.faults("jobs.post", name, **({"seconds": 1.0} if name == "hang" else {}))
        booked.journal._held.execute("DELETE FROM posts")  # a minute has passed
        assert set(counts(booked.run(step))) <= OUTCOMES, name
        assert len(ibm.jobs()) == step + 1, name
    balanced(ibm, booked.journal)


@pytest.mark.parametrize("kind", ["jobs.list", "jobs.get", "jobs.results"])
def test_whatever_becomes_of_a_question_it_is_asked_again(ibm, booked, hurried, kind):
    names = [*GATEWAY, *ANSWERS]
    for step, name in enumerate(names):
        booked.journal._held.execute("DELETE FROM posts")
        if kind == "jobs.list":
            ibm.faults("jobs.post", "reset-after")
        ibm.faults(kind, name)
        assert set(counts(booked.run(step))) <= OUTCOMES, (kind, name)
        assert len(ibm.jobs()) == step + 1, (kind, name)
        ibm.heal()
    ibm.faults(kind, "hang", seconds=1.0)
    assert set(counts(booked.run(len(names)))) <= OUTCOMES
    balanced(ibm, booked.journal)


@pytest.mark.parametrize("name", ["400", "403", "404", "409"])
def test_a_job_that_is_refused_is_none_and_goes_when_it_may(ibm, booked, name):
    ibm.faults("jobs.post", name)
    with pytest.raises(ServiceFailed, match=r"refuses the job: .*stays in the journal"):
        booked.run(0)
    assert [row.state for row in booked.journal.rows()] == ["intended"]
    assert ibm.jobs() == []
    assert set(counts(booked.run(0))) <= OUTCOMES
    balanced(ibm, booked.journal)


def test_a_service_that_is_gone_for_long_leaves_an_intent_that_goes_on_later(ibm, booked, hurried):
    ibm.faults("jobs.post", "504", times=None)
    with pytest.raises(ServiceFailed, match=r"no job after 4 requests: .*the same command goes on"):
        booked.run(0)
    assert (len(ibm.requests("jobs.post")), len(ibm.jobs())) == (4, 0)
    ibm.heal()
    assert set(counts(booked.run(0))) <= OUTCOMES
    balanced(ibm, booked.journal)


def test_a_job_that_the_list_does_not_know_yet_is_waited_for(ibm, booked):
    booked.patience = booked.patience._replace(lag=1.5)
    ibm.faults("jobs.list", "lag", times=None, seconds=0.7)
    ibm.faults("jobs.post", "reset-after")
    assert set(counts(booked.run(0))) <= OUTCOMES
    balanced(ibm, booked.journal)


def test_where_the_list_lags_longer_than_was_thought_the_extra_job_is_cancelled_and_counted(ibm, booked):
    ibm.delays.queued = 2.0
    ibm.faults("jobs.list", "lag", times=None, seconds=60)
    ibm.faults("jobs.post", "reset-after")
    job = booked.run(0)
    ibm.heal()
    assert len(ibm.jobs()) == 2
    assert set(counts(job)) <= OUTCOMES
    states = {job["id"]: job["status"] for job in ibm.jobs()}
    (row,), (extra,) = booked.journal.rows(), booked.journal.extras(job.intent)
    assert (states[row.job], row.state) == ("Completed", "done")
    assert states[extra] in ("Cancelled", "Completed")  # the one that was first may be done already
    assert booked.journal.used(job.intent) == sum(job["usage"]["qpu_charge_time_seconds"] for job in ibm.jobs())


def test_an_empty_page_of_a_list_that_is_not_empty_is_no_proof_of_absence(ibm, booked):
    ibm.faults("jobs.post", "reset-after")
    ibm.faults("jobs.list", "lag", seconds=60)  # the look before the first request
    ibm.faults("jobs.list", "empty-page", times=None)
    with pytest.raises(ServiceFailed, match="an empty page of a list of 1 jobs"):
        booked.run(0)
    assert len(ibm.jobs()) == 1
    ibm.heal()
    assert set(counts(booked.run(0))) <= OUTCOMES
    balanced(ibm, booked.journal)


def test_a_list_of_many_pages_is_read_to_its_end(ibm, booked, monkeypatch):
    from quantum.journal import ibm as desk

    ibm.condition("fake_manila", "paused")
    tag = "armonica-many"
    for _ in range(7):
        booked.sampler().desk.post(tag, booked.backend.checked([booked.circuit], shots=1), 5)
    monkeypatch.setattr(desk, "PAGE", 3)
    before = len(ibm.requests("jobs.list"))
    assert len(booked.sampler().desk.find(tag)) == 7
    assert len(ibm.requests("jobs.list")) - before == 3


@pytest.mark.parametrize(("name", "said"), [("fails", "Error returned at backend"), ("too-long", "maximum execution")])
def test_a_job_that_fails_says_why_and_is_sent_again_only_when_asked(ibm, booked, name, said):
    ibm.faults("jobs.run", name)
    job = booked.run(0)
    for _ in range(2):  # again from the journal
        with pytest.raises(JobEnded, match=said):
            booked.run(0).result()
    assert len(ibm.jobs()) == 1
    booked.journal.again(job.intent, limit=1e6)
    assert set(counts(booked.run(0))) <= OUTCOMES
    assert [job["tags"] for job in ibm.jobs()] == [[f"armonica-{job.intent[:48]}"], [f"armonica-{job.intent[:48]}-1"]]


def test_a_job_that_was_cancelled_elsewhere_says_so(ibm, booked):
    ibm.condition("fake_manila", "paused")
    job = booked.run(0)
    booked.sampler().desk.cancel(job.job_id())
    booked.sampler().desk.cancel(job.job_id())  # once more does no harm
    with pytest.raises(JobEnded, match="was cancelled"):
        job.result()


@pytest.mark.parametrize("results", ["{}", "<html>", '{"data": []}', "[1, 2]"])
def test_results_that_mean_nothing_are_never_used(ibm, booked, results):
    ibm.faults("jobs.run", "garbled", results=results)
    job = booked.run(0)
    with pytest.raises(ServiceFailed, match="the results of job"):
        job.result()
    assert job.row().state in ("submitted", "running")


def test_results_that_can_be_read_once_only_are_kept_at_the_first_reading(ibm, booked):
    ibm.faults("jobs.results", "once")
    first = counts(booked.run(0))
    assert first == counts(booked.run(0))
    assert len(ibm.requests("jobs.results")) == 1


def test_who_does_not_wait_is_told_that_it_is_not_yet(ibm, booked):
    ibm.condition("fake_manila", "paused")
    with pytest.raises(NotYet, match="is submitted; armonica collect asks again"):
        booked.run(0, wait=0).result()
    assert booked.run(0, wait=0).status() == "submitted"
    ibm.condition("fake_manila", "online")
    assert set(counts(booked.run(0))) <= OUTCOMES
    balanced(ibm, booked.journal)


def test_five_requests_a_minute_are_never_exceeded(ibm, booked, monkeypatch):
    from quantum.journal import sending

    ibm.posts_a_minute, waits = 5, []

    def minute_passes(seconds):
        waits.append(seconds)
        booked.journal._held.execute("UPDATE posts SET at = at - ?", (seconds,))
        monkeypatch.setattr(ibm, "posts_a_minute", 10)

    monkeypatch.setattr(sending.time, "sleep", minute_passes)
    for step in range(6):
        booked.run(step)
    assert len(waits) == 1
    assert 50 < waits[0] <= 60
    assert len(ibm.requests("jobs.post")) == 6


def test_nothing_is_sent_without_consent_or_beyond_the_limit(ibm, booked):
    with pytest.raises(InputError, match=r"charges: 1 job\(s\), 1 circuit\(s\), 8 shots, .*nothing was sent \(--yes"):
        booked.run(0, agreed=False)
    with pytest.raises(InputError, match=r"of the limit of 2 s .* nothing was sent; a higher limit"):
        booked.run(0, most_seconds=2)
    booked.run(0, most_seconds=6)  # 2 s, allowed 6
    with pytest.raises(InputError, match="the journal has spent or set aside 6 s"):
        booked.run(1, most_seconds=6)
    assert len(ibm.requests("jobs.post")) == 1
    assert booked.run(0, agreed=False, most_seconds=0).result() is not None  # paid for already
    assert booked.journal.spent() == 1.002  # what it really cost


def test_the_machine_is_told_when_to_stop(ibm, booked):
    booked.run(0)
    (job,) = ibm.jobs()
    assert job["cost"] == booked.journal.rows()[0].bound == 6


def test_no_key_is_in_file_log_or_traceback(ibm, booked, hurried, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    said = []
    for step, (kind, name) in enumerate([("jobs.post", "409"), ("jobs.post", "401"), ("iam", "500"), ("iam", "html")]):
        ibm.faults(kind, name, times=None)
        if kind == "iam":
            booked.sampler().desk._renew()
        try:
            counts(booked.run(step))
        except Exception as error:
            said.append("".join(traceback.format_exception(error)))
        ibm.heal()
        booked.journal._held.execute("DELETE FROM posts")
    assert len(said) == 4
    out, errors = capfd.readouterr()
    assert ibm.key not in "".join([*said, caplog.text, out, errors])
    assert all(ibm.key.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert all(entry.authorization != "key" for entry in ibm.log)


def test_a_disk_that_is_full_before_a_request_lets_nothing_be_sent(ibm, booked, monkeypatch):
    booked.journal.begin()
    raw = booked.journal._held
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count = {pages}")
    with monkeypatch.context() as patch:
        patch.setattr("quantum.jobs.pack_pubs", lambda pubs: bytes(100_000))
        with pytest.raises(OSError, match="No space left on device"):
            booked.run(0)
    assert (ibm.jobs(), ibm.requests("jobs.post")) == ([], [])
    raw.execute("PRAGMA max_page_count = 1000000")
    assert set(counts(booked.run(0))) <= OUTCOMES
    balanced(ibm, booked.journal)


@pytest.mark.parametrize("stage", ["has_job", "charged", "keep"])
def test_a_disk_that_is_full_after_a_request_loses_neither_job_nor_result(ibm, booked, monkeypatch, stage):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(booked.journal.path))

    with monkeypatch.context() as patch:
        patch.setattr(booked.journal, stage, full)
        with pytest.raises(OSError, match="No space left on device"):
            booked.run(0).result()
    assert len(ibm.jobs()) == 1
    assert set(counts(booked.run(0))) <= OUTCOMES
    balanced(ibm, booked.journal)
