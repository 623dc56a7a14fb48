"""What the unmodified client makes of it when posting a job goes wrong.

Where the server did what it was asked and the client is told otherwise, `len(ibm.jobs())` is what is paid for.
"""

import pytest
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import (
    IBMNotAuthorizedError,
    IBMRuntimeError,
    RuntimeProgramNotFound,
)

GATEWAY = ("500", "502", "503", "504")


@pytest.mark.parametrize("name", GATEWAY)
def test_a_post_is_repeated_when_the_gateway_fails_before_it_and_one_job_is_made(ibm, post, hurried, name):
    ibm.faults("jobs.post", name, times=2)
    assert post("tag").result(poll_interval=0.1) is not None
    assert [entry.fault for entry in ibm.requests("jobs.post")] == [name, name, ""]
    assert len(ibm.jobs()) == 1


@pytest.mark.parametrize("name", GATEWAY)
def test_a_gateway_that_fails_after_acceptance_makes_six_jobs_of_one_run(ibm, post, hurried, name):
    ibm.faults("jobs.post", f"{name}-after", times=None)
    with pytest.raises(IBMRuntimeError, match=f"too many {name} error responses"):
        post("tag")
    assert len(ibm.jobs("tag")) == 6
    assert len({job["digest"] for job in ibm.jobs()}) == 1  # the very same body, six times
    assert hurried == [0, 1, 2, 4, 8]


def test_one_failure_after_acceptance_makes_two_jobs_of_which_the_client_knows_one(ibm, post, hurried):
    ibm.faults("jobs.post", "504-after")
    known = post("tag").job_id()
    first, second = (job["id"] for job in ibm.jobs("tag"))
    assert known == second != first


@pytest.mark.parametrize("retry_after", [None, 1])
def test_too_many_requests_are_not_repeated_for_a_post(ibm, post, hurried, retry_after):
    ibm.faults("jobs.post", "429", retry_after=retry_after)
    with pytest.raises(IBMRuntimeError, match="429 Client Error"):
        post()
    assert (len(ibm.requests("jobs.post")), len(ibm.jobs()), hurried) == (1, 0, [])


def test_too_many_requests_are_repeated_for_a_get_only_if_told_when(ibm, service, hurried):
    ibm.faults("jobs.list", "429", retry_after=3)
    assert service.jobs() == []
    assert hurried == [3]
    ibm.faults("jobs.list", "429")
    with pytest.raises(RequestsApiError, match="Too many requests"):
        service.jobs()


def test_more_posts_a_minute_than_are_allowed_are_refused(ibm, post):
    ibm.posts_a_minute = 5
    for _ in range(5):
        post()
    with pytest.raises(IBMRuntimeError, match="429 Client Error"):
        post()
    assert len(ibm.jobs()) == 5


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("400", IBMRuntimeError, "The request is not valid"),
        ("401", IBMNotAuthorizedError, "Invalid credentials"),
        ("403", IBMRuntimeError, "You are not authorized"),
        ("404", RuntimeProgramNotFound, "Program not found"),
        ("409", IBMRuntimeError, "Usage exceeds the limit"),
    ],
)
def test_a_refused_post_makes_no_job(ibm, post, name, error, said):
    ibm.faults("jobs.post", name)
    with pytest.raises(error, match=said):
        post()
    assert (len(ibm.requests("jobs.post")), ibm.jobs()) == (1, [])


def test_a_reset_before_and_one_after_acceptance_look_alike(ibm, post):
    said = []
    for name in ("reset", "reset-after"):
        ibm.faults("jobs.post", name)
        with pytest.raises(IBMRuntimeError) as error:
            post(name)
        said.append(str(error.value))
    assert said[0] == said[1]
    assert "Connection reset by peer" in said[0]
    assert (len(ibm.jobs("reset")), len(ibm.jobs("reset-after"))) == (0, 1)


def test_a_get_that_is_reset_is_repeated(ibm, service, hurried):
    ibm.faults("jobs.list", "reset", times=2)
    assert service.jobs() == []
    assert [entry.fault for entry in ibm.requests("jobs.list")] == ["reset", "reset", ""]


@pytest.mark.parametrize("name", ["html", "html-after", "truncated", "empty"])
def test_an_answer_that_is_not_json_raises_what_no_user_should_see(ibm, post, name):
    ibm.faults("jobs.post", name)
    with pytest.raises(ValueError, match=r"Expecting value|Unterminated"):  # JSONDecodeError, no error of the client's
        post("tag")
    assert len(ibm.jobs("tag")) == (0 if name == "html" else 1)


def test_an_answer_that_breaks_off_leaves_a_job_behind(ibm, post):
    ibm.faults("jobs.post", "cut")
    with pytest.raises(IBMRuntimeError, match="IncompleteRead"):
        post("tag")
    assert len(ibm.jobs("tag")) == 1
