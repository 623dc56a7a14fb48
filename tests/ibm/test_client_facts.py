"""What the client of qiskit-ibm-runtime does of its own accord, and a careful user must know."""

import logging
import os
import stat

import pytest
from qiskit_ibm_runtime import QiskitRuntimeService
from qiskit_ibm_runtime.exceptions import IBMRuntimeError
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from stand_in.account import FREE


def test_without_an_instance_the_client_takes_a_free_one_then_one_that_is_paid_for(ibm, caplog):
    def chosen():
        service = QiskitRuntimeService(channel="ibm_cloud", token=ibm.key, url=ibm.url)
        service.backend("fake_manila")
        return service.active_instance()

    assert chosen() == FREE.crn
    assert "Free and trial plan instances will be prioritized" in caplog.text
    ibm.account.instances = ibm.account.instances[1:]
    assert chosen() == ibm.instance  # paid for, and nobody was asked


def test_the_url_of_the_environment_is_ignored_where_the_key_is_passed_by_hand(ibm):
    seen = []

    def resolve(url, *_):
        seen.append(url)
        return ibm.url

    QiskitRuntimeService(channel="ibm_cloud", token=ibm.key, instance=ibm.instance, url_resolver=resolve)
    assert set(seen) == {"https://cloud.ibm.com"}
    assert os.environ["QISKIT_IBM_URL"] == ibm.url


def test_an_account_is_saved_in_plain_text_that_others_may_read(ibm, tmp_path):
    file, mask = tmp_path / "accounts" / "qiskit-ibm.json", os.umask(0o022)
    try:
        QiskitRuntimeService.save_account(token=ibm.key, instance=ibm.instance, filename=str(file))
    finally:
        os.umask(mask)
    assert ibm.key in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["500", "403", "reset", "html"])
def test_where_iam_fails_later_the_raw_key_is_sent_with_only_a_warning(ibm, monkeypatch, name):
    for variable, value in ibm.credentials().items():
        monkeypatch.setenv(variable, value)
    ibm.account.lifetime = 5  # less than the 10 s before the end at which the client asks for a new token
    service = QiskitRuntimeService()
    ibm.faults("iam", name, times=None)
    with pytest.warns(UserWarning, match="API Key will be used instead"):
        service.jobs()
    assert ibm.requests("jobs.list")[-1].authorization == "key"


def test_a_token_that_the_service_refuses_is_not_renewed(ibm, service):
    ibm.faults("jobs.list", "401")
    with pytest.raises(Exception, match="Invalid credentials"):
        service.jobs()
    assert len(ibm.requests("jobs.list")) == 1


@pytest.mark.parametrize("name", ["504-after", "reset-after", "cut", "html-after"])
def test_an_adapter_that_does_not_repeat_posts_makes_one_job_which_its_tag_finds(ibm, service, post, hurried, name):
    once = HTTPAdapter(max_retries=Retry(5, allowed_methods=["GET"], status_forcelist=[502, 503, 504]))
    service._active_api_client._session.mount("http://", once)
    ibm.faults("jobs.post", name, times=None)
    with pytest.raises((IBMRuntimeError, ValueError)):
        post("intent-1")
    assert len(ibm.jobs("intent-1")) == 1
    assert [job.job_id() for job in service.jobs(job_tags=["intent-1"])] == [ibm.jobs()[0]["id"]]
    assert hurried == []


def test_a_run_asks_three_questions_before_it_posts(ibm, post):
    n_before = len(ibm.log)
    post()
    assert [entry.kind for entry in ibm.log[n_before:]] == ["backends", "usage", "status", "jobs.post"]


def test_the_client_logs_bodies_but_no_keys(ibm, service, post, caplog):
    with caplog.at_level(logging.DEBUG):
        post("tag").result(poll_interval=0.1)
    assert ibm.key not in caplog.text
