"""The stand-in in a process of its own: what it accepted outlives SIGKILL, its own and the client's."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from stand_in import Server
from stand_in.account import Account

HERE = Path(__file__).parent
KEY = "a key of this test"


def wait_for(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.fixture
def started(tmp_path):
    """A server in another process, its account in this one: `started("--queued", "60")`."""
    running = []

    def start(*words):
        told = tmp_path / "port.json"
        told.unlink(missing_ok=True)
        where = ["--port-file", told, "--state", tmp_path / "jobs.db"]
        environment = os.environ | {"STAND_IN_KEY": KEY, "PYTHONPATH": str(HERE)}
        process = subprocess.Popen([sys.executable, "-m", "stand_in", *map(str, where), *words], env=environment)
        running.append(process)
        wait_for(lambda: told.exists() or process.poll() is not None)
        return process, json.loads(told.read_text(encoding="utf-8"))

    yield start
    for process in running:
        process.kill()
        process.wait()


def ask(told, path, content=None, method=None):
    """A request with a good token, by the standard library."""
    headers = {"Authorization": f"Bearer {Account(KEY).token()}", "Service-CRN": told["instance"]}
    url = told["environment"]["QISKIT_IBM_URL"] + path
    data = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as reply:
        return json.loads(reply.read() or "null")


def test_jobs_that_were_accepted_are_found_and_run_by_the_next_server(started):
    job = {"program_id": "sampler", "backend": "fake_manila", "params": {"pubs": []}, "tags": ["mine"]}
    first, told = started("--running", "60")
    made = [ask(told, "/jobs", job)["id"] for _ in range(3)]
    wait_for(lambda: ask(told, f"/jobs/{made[0]}")["state"]["status"] == "Running")
    assert ask(told, f"/jobs/{made[2]}/cancel", {}) is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    _, told = started()
    assert {found["id"] for found in ask(told, "/jobs?tags=mine")["jobs"]} == set(made)
    wait_for(lambda: ask(told, f"/jobs/{made[1]}")["state"]["status"] == "Completed")
    assert ask(told, f"/jobs/{made[2]}")["state"]["status"] == "Cancelled"


def test_a_server_that_is_asked_to_end_ends_well_and_leaves_no_key(started, tmp_path):
    process, told = started("--machines", "fake_manila")
    assert [machine["name"] for machine in ask(told, "/backends")["devices"]] == ["fake_manila"]
    process.terminate()
    assert process.wait(timeout=120) == 0
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())


POSTING = """
import os, sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.stdin.buffer.read(), dict(zip(sys.argv[2::2], sys.argv[3::2])))
print("asking", flush=True)
urllib.request.urlopen(request)
"""


def test_a_client_that_is_killed_while_it_waits_leaves_its_job_and_the_server_whole():
    body = json.dumps({"program_id": "sampler", "backend": "fake_manila", "params": {}, "tags": ["orphan"]}).encode()
    with Server() as server:
        server.condition("fake_manila", "paused")
        server.faults("jobs.post", "slow", seconds=30)
        words = [f"{server.url}/jobs", "Service-CRN", server.instance]
        words += ["Authorization", f"Bearer {server.account.token()}"]
        client = subprocess.Popen(
            [sys.executable, "-c", POSTING, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert client.stdin is not None
        client.stdin.write(body)
        client.stdin.close()
        wait_for(lambda: server.jobs("orphan"))
        client.kill()
        client.wait()
        if client.stdout is not None:
            client.stdout.close()
    assert server.mistakes == []


STARTING = "import sys; from stand_in import Server; Server().close(); print('qiskit' in sys.modules)"


def test_a_server_without_jobs_loads_no_qiskit():
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    done = subprocess.run([sys.executable, "-c", STARTING], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
