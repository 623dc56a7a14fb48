"""What the unmodified client makes of it when polls, results, lists and cancelling go wrong, or the machine does."""

import json
import time

import pytest
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import (
    IBMRuntimeError,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    RuntimeJobMaxTimeoutError,
    RuntimeJobTimeoutError,
)


def test_results_that_are_html_are_handed_over_as_words(ibm, service, post):
    job = post()
    job.wait_for_final_state(poll_interval=0.1)
    ibm.faults("jobs.results", "html", times=2)
    with pytest.raises(TypeError, match="indices"):  # the executor's decoder looks for a version in a str
        job.result()
    from qiskit_ibm_runtime.decoders.result_decoder import ResultDecoder

    assert isinstance(job.result(decoder=ResultDecoder), str)  # so the older format's `result()` returns the page


def test_results_that_break_off_raise_and_can_be_had_again(ibm, post):
    job = post()
    job.wait_for_final_state(poll_interval=0.1)
    ibm.faults("jobs.results", "cut")
    with pytest.raises(RequestsApiError, match="IncompleteRead"):
        job.result()
    assert job.result()[0].data.meas.num_shots == 8


def test_results_that_mean_nothing_raise_what_no_user_should_see(ibm, post):
    ibm.faults("jobs.run", "garbled")
    with pytest.raises(ValueError, match="Missing schema version"):
        post().result(poll_interval=0.1)


def test_results_that_can_be_read_once_are_none_the_second_time(ibm, post):
    job = post()
    ibm.faults("jobs.results", "once")
    assert job.result(poll_interval=0.1) is not None
    assert job.result() is None  # 204, and no error


def test_results_that_are_lost_on_the_way_once_are_lost_for_ever(ibm, service, bell, isa, sampler):
    backend = service.backend("fake_manila")
    private = sampler("executor", backend)
    private.options.environment.private = True  # why nobody should set it
    job = private.run([isa(bell, backend)], shots=8)
    job.wait_for_final_state(poll_interval=0.1)
    ibm.faults("jobs.results", "reset-after")
    assert job.result() is None


def test_a_poll_that_hangs_holds_the_client_beyond_its_timeout(ibm, post):
    ibm.delays.running = 60.0
    job = post()
    ibm.faults("jobs.get", "hang", seconds=1.0)
    started = time.perf_counter()
    with pytest.raises(RuntimeJobTimeoutError, match=r"Timed out waiting for job to complete after 0\.2 secs"):
        job.result(timeout=0.2)
    assert time.perf_counter() - started > 1.0  # there is no read timeout on a GET


def test_a_hanging_answer_is_right_when_it_comes(ibm, get):
    ibm.faults("jobs.list", "hang", seconds=0.3)
    started = time.perf_counter()
    assert json.loads(get()[1])["count"] == 0
    assert 0.3 <= time.perf_counter() - started < 5


def test_an_answer_drop_by_drop_is_whole_in_the_end(ibm, get):
    started = time.perf_counter()
    whole = get("/backends/fake_manila/configuration")
    ibm.faults("configuration", "slow", seconds=0.5)
    assert get("/backends/fake_manila/configuration") == whole
    assert time.perf_counter() - started >= 0.5


def test_a_job_that_fails_says_why_and_is_charged(ibm, post):
    ibm.faults("jobs.run", "fails", message="The fridge is warm.")
    job = post()
    with pytest.raises(RuntimeJobFailureError, match=r"Error code 1010; The fridge is warm\."):
        job.result(poll_interval=0.1)
    assert job.usage() == ibm.jobs()[0]["usage"]["qpu_charge_time_seconds"] == 1.002


@pytest.mark.parametrize("how", ["by its limit", "by mishap"])
def test_a_job_beyond_its_time_is_cut_off(ibm, post, how):
    if how == "by mishap":
        ibm.faults("jobs.run", "too-long")
    job = post(shots=8000, max_execution_time=2 if how == "by its limit" else None)  # 3 s
    with pytest.raises(RuntimeJobMaxTimeoutError, match="ran longer than maximum execution time"):
        job.result(poll_interval=0.1)
    assert ibm.jobs()[0]["status"] == "Cancelled - Ran too long"
    assert job.usage() == (2 if how == "by its limit" else 3)


def test_an_empty_page_with_a_count_is_asked_for_again_as_long_as_it_comes(ibm, post, service):
    post()
    ibm.faults("jobs.list", "empty-page", times=50)
    assert len(service.jobs(limit=None)) == 1
    assert len(ibm.requests("jobs.list")) == 51  # for ever, if the server never mends


def test_a_tag_is_not_found_until_the_search_has_caught_up(ibm, post, service):
    job = post("tag")
    ibm.faults("jobs.list", "lag", times=None, seconds=0.8)
    assert service.jobs(job_tags=["tag"]) == []
    assert service.job(job.job_id()).tags == ["tag"]  # by its name it is there at once
    time.sleep(0.9)
    assert [found.job_id() for found in service.jobs(job_tags=["tag"])] == [job.job_id()]


@pytest.mark.parametrize("name", ["reset", "reset-after"])
def test_a_cancel_that_is_reset_may_have_been_done(ibm, post, name):
    ibm.delays.queued = 60.0
    job = post()
    ibm.faults("jobs.cancel", name)
    with pytest.raises(IBMRuntimeError, match="Failed to cancel job"):
        job.cancel()
    assert ibm.jobs()[0]["status"] == ("Queued" if name == "reset" else "Cancelled")


def test_a_cancel_that_is_repeated_after_it_was_done_is_refused(ibm, post, hurried):
    ibm.delays.queued = 60.0
    job = post()
    ibm.faults("jobs.cancel", "504-after")
    with pytest.raises(RuntimeInvalidStateError, match="cannot be cancelled"):
        job.cancel()
    assert job.status() == "CANCELLED"
