"""IBM's side without IBM: what is posted, what is signed, whose key it is, and what is refused before a job is sent."""

import json
import logging
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.providers.exceptions import QiskitBackendNotFoundError
from qiskit_ibm_runtime.accounts.exceptions import InvalidAccountError
from qiskit_ibm_runtime.api.auth import CloudAuth
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.api.session import RetrySession
from qiskit_ibm_runtime.exceptions import IBMInputValueError
from urllib3.exceptions import NewConnectionError

from encoding import InputError
from quantum import backend_named
from quantum.machines import service
from quantum.machines.account import Account, find_account, where_credentials_are
from quantum.machines.ibm import MachineSampler
from quantum.machines.names import Name, fake_machine
from quantum.machines.wire import TokenOnly, guard, post_once

KEY, CRN = "a-key-nobody-may-see", "crn:v1:bluemix:public:quantum-computing:us-east:a/1:2::"
VARIABLES = ("TOKEN", "INSTANCE", "URL", "CHANNEL")


@contextmanager
def answering(how):
    """A server that counts what it is asked: 504 to everything, or a connection cut after the request was read."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.command, self.headers.get("Authorization")))
            if how == "cut":
                self.close_connection = True
                return
            self.send_response(how)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("how", [500, 504, "cut"])
def test_a_job_is_posted_once_whatever_the_answer(how):
    with answering(how) as (url, asked):
        session = RetrySession(url, backoff_factor=0)
        post_once(session, back_off=0)
        with pytest.raises(RequestsApiError):
            session.post("/jobs", data="{}")
        assert [method for method, _ in asked] == ["POST"]
        with pytest.raises(RequestsApiError):
            session.get("/jobs")
        assert [method for method, _ in asked[1:]] == ["GET"] * 6
        session.close()


def test_a_post_that_found_no_connection_is_not_tried_again_either(monkeypatch):
    tried = []

    def connect(connection):
        tried.append(connection)
        raise NewConnectionError(connection, "refused")

    monkeypatch.setattr("urllib3.connection.HTTPConnection.connect", connect)
    with RetrySession("http://127.0.0.1:1") as session:
        post_once(session, back_off=0)
        for method, n in (("POST", 1), ("GET", 4)):
            tried.clear()
            with pytest.raises(RequestsApiError):
                session.request(method, "/jobs")
            assert len(tried) == n


def test_the_clients_own_session_posts_it_six_times():
    with answering(504) as (url, asked):
        with pytest.raises(RequestsApiError), RetrySession(url, backoff_factor=0) as session:
            session.post("/jobs", data="{}")
        assert len(asked) == 6


class NoTokens:
    request_time = 1

    def get_token(self):
        raise ConnectionError("no server of tokens")


def signed():
    auth: Any = CloudAuth(KEY, CRN)
    auth.tm = NoTokens()
    return auth


def test_without_a_token_nothing_is_sent_least_of_all_the_key():
    with answering(200) as (url, asked):
        client = SimpleNamespace(_session=RetrySession(url, auth=signed()))
        guard(client)
        guard(client)
        with pytest.raises(RequestsApiError, match=r"server of tokens gave none \(ConnectionError\)") as error:
            client._session.get("/backends")
        assert asked == []
        assert KEY not in str(error.value)
        client._session.auth = TokenOnly(SimpleNamespace(crn=CRN, tm=SimpleNamespace(get_token=lambda: "token")))
        client._session.get("/backends")
        assert asked == [("GET", "Bearer token")]
        client._session.close()


def test_the_clients_own_signature_would_send_it():
    with answering(200) as (url, asked), RetrySession(url, auth=signed()) as session:
        with pytest.warns(UserWarning, match="API Key will be used instead"):
            session.get("/backends")
        assert asked == [("GET", f"apikey {KEY}")]


def test_every_connection_of_the_service_is_guarded_before_it_is_used():
    made: Any = service.GuardedService.__new__(service.GuardedService)
    for _ in range(2):
        with RetrySession("http://127.0.0.1:1", auth=signed()) as session:
            made._active_api_client = SimpleNamespace(_session=session)
            assert isinstance(made._active_api_client._session.auth, TokenOnly)


# Whose key it is


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Nobody's home, and no credentials in the environment: `home(accounts)` saves some."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in VARIABLES:
        monkeypatch.delenv(f"QISKIT_IBM_{name}", raising=False)

    def save(accounts, mode=0o600):
        path = tmp_path / ".qiskit" / "qiskit-ibm.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(accounts if isinstance(accounts, str) else json.dumps(accounts))
        path.chmod(mode)
        return path

    return save


def saved(token=KEY, **more):
    return {"token": token, "channel": "ibm_quantum_platform", "instance": CRN, **more}


def test_the_environment_comes_before_the_file(home, monkeypatch):
    home({"default-ibm-quantum-platform": saved("other")})
    assert find_account().token == "other"
    monkeypatch.setenv("QISKIT_IBM_TOKEN", KEY)
    monkeypatch.setenv("QISKIT_IBM_INSTANCE", CRN)
    monkeypatch.setenv("QISKIT_IBM_URL", "https://here")
    found = find_account()
    assert (found.token, found.instance, found.url, found.source) == (KEY, CRN, "https://here", "the environment")
    assert KEY not in repr(found) + where_credentials_are()
    assert find_account(account="default-ibm-quantum-platform").token == "other"


def test_of_several_accounts_the_default_one_is_taken_or_none(home):
    home({"mine": saved("1"), "ours": saved("2")})
    with pytest.raises(InputError, match="accounts mine, ours; say which one: account=NAME"):
        find_account()
    assert find_account(account="ours").token == "2"
    home({"mine": saved("1"), "ours": saved("2", is_default_account=True, verify=False)})
    assert find_account().token == "2"
    assert find_account().route == {"verify": False}


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        (None, "no credentials of IBM's: QISKIT_IBM_TOKEN and QISKIT_IBM_INSTANCE"),
        ("no json", "cannot be read as accounts"),
        ({}, "has the accounts none"),
        ([1], "no file of accounts|has the accounts"),
        ({"a": saved("two words")}, "is no key"),
        ({"a": saved(instance="my-instance")}, "named by its CRN, .* got a name"),
        ({"a": {"token": KEY}}, "named by its CRN, .* got nothing"),
    ],
)
def test_credentials_that_are_none_end_in_a_line(home, accounts, said):
    if accounts is not None:
        home(accounts)
    with pytest.raises(InputError, match=said) as error:
        backend_named("ibm:ibm_torino")
    assert "\n" not in str(error.value)
    assert KEY not in str(error.value)


def test_a_key_that_others_can_read_is_warned_of(home, caplog):
    path = home({"a": saved()}, 0o644)
    with caplog.at_level(logging.WARNING, "armonica"):
        find_account()
        assert [f"chmod 600 {path}" in record.message for record in caplog.records] == [True]
        assert KEY not in caplog.text
        home({"a": saved()})
        find_account()
    assert len(caplog.records) == 1


def test_a_key_never_stands_in_an_error():
    account = Account(KEY, CRN, None, "ibm_cloud", "the environment")
    assert account.scrubbed(f"bad\n  {KEY}!") == "bad [key]!"


# The machine


class Fake:
    """A service of one machine, whose status can be told; `broken` is raised when it is opened."""

    broken, message = None, "active"

    def __init__(self, **said):
        if self.broken is not None:
            raise self.broken
        assert said["token"] == KEY
        self._active_api_client = SimpleNamespace(list_backends=lambda: [{"name": "ibm_torino"}, {"name": "ibm_fez"}])

    def backend(self, name, use_fractional_gates):
        machine = fake_machine(Name("fake", "FakeManilaV2"))
        machine.name = name
        machine.status = lambda: SimpleNamespace(operational=True, status_msg=self.message)
        return machine

    def least_busy(self, min_num_qubits, use_fractional_gates):
        if min_num_qubits:
            raise QiskitBackendNotFoundError("none")
        return self.backend("ibm_fez", use_fractional_gates)


@pytest.fixture
def ibm(home, monkeypatch):
    home({"a": saved()})
    monkeypatch.setattr(service, "GuardedService", Fake)
    return monkeypatch


class Answer(Exception):
    code = 400


def caused(error, by):
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("broken", "kind", "said"),
    [
        (IBMInputValueError("no access"), InputError, "no access to the instance crn:v1.*wrong CRN"),
        (caused(InvalidAccountError("x"), Answer()), InputError, "IBM refuses the key of account 'a'"),
        (
            caused(InvalidAccountError("x"), ConnectionError(f"no {KEY}")),
            OSError,
            r"ConnectionError: no \[key\]",
        ),
        (RequestsApiError("502"), OSError, "IBM's service: RequestsApiError"),
        (ValueError("'channel' can only be"), InputError, "IBM's client: 'channel'"),
    ],
)
def test_a_service_that_does_not_open_ends_in_a_line(ibm, broken, kind, said):
    ibm.setattr(Fake, "broken", broken)
    with pytest.raises(kind, match=said) as error:
        backend_named("ibm:ibm_torino")
    assert error.value.__cause__ is None
    assert "\n" not in str(error.value)
    assert KEY not in str(error.value)


def test_a_machine_that_is_unknown_asleep_or_too_small_ends_in_a_line(ibm):
    with pytest.raises(InputError, match=r"no machine ibm_torin: did you mean ibm_torino\?; it has ibm_"):
        backend_named("ibm:ibm_torin")
    with pytest.raises(InputError, match="no machine of the instance with 200 qubits or more is online"):
        backend_named("ibm:least-busy", n_qubits=200)
    with pytest.raises(InputError, match="n_qubits is of ibm:least-busy"):
        backend_named("ibm:ibm_fez", n_qubits=2)
    with pytest.raises(InputError, match="a machine takes no seed"):
        backend_named("ibm:ibm_fez", seed=2)
    with pytest.raises(InputError, match="a session is charged while it waits"):
        backend_named("ibm:ibm_fez", mode="session")
    assert backend_named("ibm:least-busy").name == "ibm:ibm_fez"
    ibm.setattr(Fake, "message", "maintenance")
    with pytest.raises(InputError, match="takes no jobs now, it is 'maintenance'"):
        backend_named("ibm:ibm_fez")


def bell():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("program", ["executor", "sampler"])
def test_options_are_passed_on_and_a_job_is_one_run(ibm, program):
    said = {"max_execution_time": 60, "environment": {"job_tags": ["a"]}, "twirling": {"enable_gates": True}}
    backend = backend_named("ibm:ibm_fez", program=program, **said)
    assert isinstance(backend.sampler, MachineSampler)
    assert backend.abilities.charges
    sent = []

    class Watched:
        def __init__(self, mode, options):
            sent.append((mode, options))

        def run(self, pubs):
            sent.append([pub.shots for pub in pubs])

    ibm.setattr("quantum.machines.ibm._kind", lambda asked: Watched if asked == program else None)
    with pytest.raises(InputError, match="h on 0 is no gate of ibm:ibm_fez"):
        backend.run([bell()])
    assert sent == []
    backend.run([backend.pass_manager().run(bell())], shots=128)
    assert sent == [(backend.machine, said), [128]]
    ibm.setattr(Watched, "run", lambda *_: json.loads("<html>"))
    with pytest.raises(OSError, match="no answer to the request for a job, which may have been taken: JSONDecodeError"):
        backend.run([backend.pass_manager().run(bell())], shots=128)


def test_a_batch_is_opened_by_its_first_job_and_ended_once(ibm):
    seen = []

    class Batch:
        def __init__(self, machine):
            seen.append("opened")

        def close(self):
            seen.append("closed")

    ibm.setattr("qiskit_ibm_runtime.Batch", Batch)
    backend = backend_named("ibm:ibm_fez", mode="batch")
    run = SimpleNamespace(run=lambda pubs: None)
    ibm.setattr("quantum.machines.ibm.ibm_sampler", lambda mode, options, program: seen.append(type(mode)) or run)
    ready = backend.pass_manager().run(bell())
    assert seen == []
    backend.run([ready])
    backend.run([ready])
    backend.close()
    backend.close()
    assert seen == ["opened", Batch, Batch, "closed"]
