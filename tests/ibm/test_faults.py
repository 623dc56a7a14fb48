"""Each mishap of the table does what it says, seen without the client."""

import json
import socket
import urllib.error

import pytest

from stand_in import FAULTS, Server


def test_mishaps_wait_in_line_and_are_called_off(ibm, get):
    ibm.faults("jobs.list", "500", times=1)
    ibm.faults("jobs.list", "502", times=2)
    seen = []
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as error:
            get()
        seen.append(error.value.code)
        error.value.close()
    ibm.heal()
    assert (seen, get()[0]) == ([500, 502], 200)


def test_no_request_leaves_this_computer(ibm):
    with pytest.raises(ConnectionRefusedError, match=r"connects to this computer only, not to 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 443), timeout=5)  # an address of no one's, RFC 5737


def test_a_mishap_that_is_not_there_is_refused(ibm):
    for words, settings in ((("jobs", "504"), {}), (("jobs.post", "505"), {}), (("jobs.post", "504"), {"seconds": 1})):
        with pytest.raises(ValueError, match="got"):
            ibm.faults(*words, **settings)


BEFORE = sorted(name for name, mishap in FAULTS.items() if mishap.when == "before")
AFTER = sorted(name for name, mishap in FAULTS.items() if mishap.when == "after" and name != "empty-page")


@pytest.mark.parametrize("name", BEFORE + AFTER)
def test_before_means_that_nothing_was_done_and_after_that_it_was(name):
    """By a bare socket, which makes nothing of the answer."""
    body = json.dumps({"program_id": "sampler", "params": {}, "backend": "fake_manila", "tags": [name]}).encode()
    with Server(machines=["fake_manila"]) as server:
        server.condition("fake_manila", "paused")
        settings = {"seconds": 0.1} if name == "slow" else {}
        server.faults("jobs.post", name, times=1, **settings)
        head = f"POST /experimental/api/v1/jobs HTTP/1.1\r\nService-CRN: {server.instance}\r\nConnection: close\r\n"
        head += f"Authorization: Bearer {server.account.token()}\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
            line.sendall(head.encode() + body)
            try:
                while line.recv(4096):
                    pass
            except ConnectionResetError:
                assert name.startswith("reset")
        assert len(server.jobs(name)) == (name in AFTER)
        assert server.mistakes == []
