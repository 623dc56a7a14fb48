"""The house: account, machines, ledger, worker, line, and the mishaps that are switched on."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stand_in.account import PAID, Account
from stand_in.doors import API, KINDS, answer, way_of
from stand_in.faults import Switchboard
from stand_in.jobs import PENDING, shown
from stand_in.ledger import Ledger, Record
from stand_in.log import Entry, digest
from stand_in.machines import Machine
from stand_in.replies import Refused, Reply
from stand_in.rooms import Request
from stand_in.wire import Line
from stand_in.worker import Delays, Worker

MACHINES = ("fake_manila", "fake_torino")


class Server:
    """An IBM Quantum service on 127.0.0.1, running as soon as it is made.

    Args:
        key: the API key of its one user; drawn at random if none is given.
        state: a file to keep jobs in, so that another server finds them; None: they end with this one.
        machines: names of fake backends that it has.
        noisy: whether counts have the noise of the machines' calibration.
        port: to listen on; 0: a free one.
        seed: of all counts, together with the number of the job.

    Attributes:
        key, wrong_key: an API key that is right, and one that is not.
        instance: the CRN of an instance that is paid for; `account.instances` has a free one too.
        delays: seconds that jobs wait and run; may be set at any time.
        allowance: seconds of machine time until usage is said to have reached its limit; None: no limit.
        posts_a_minute: accepted before 429; IBM's own are 5. None: any number.
        log: every request, see `Entry`.
        mistakes: what went wrong in the stand-in itself; empty, or a test should fail.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        state: Path | None = None,
        machines: Sequence[str] = MACHINES,
        noisy: bool = False,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        self.account = Account(key or secrets.token_urlsafe(33))
        self.wrong_key = secrets.token_urlsafe(33)
        self.instance = PAID.crn
        self.machines = {name: Machine(name, noisy=noisy) for name in machines}
        self.ledger = Ledger(state or ":memory:")
        self.delays = Delays()
        self.allowance: float | None = None
        self.posts_a_minute: int | None = None
        self.log: list[Entry] = []
        self.mistakes: list[BaseException | None] = []
        self._switchboard = Switchboard()
        self.worker = Worker(self.ledger, self.machines, self._switchboard, self.delays, self.mistakes, seed)
        self.worker.start()
        self._line = Line(self, port)

    @property
    def key(self) -> str:
        return self.account.key

    @property
    def port(self) -> int:
        return self._line.server_port

    @property
    def url(self) -> str:
        """Of the service, as the client is told it."""
        return f"http://127.0.0.1:{self.port}{API}"

    def environment(self) -> dict[str, str]:
        """What leads the client here. It reads QISKIT_IBM_URL only where it reads the key from the environment too."""
        base = f"http://127.0.0.1:{self.port}"
        places = {"IAM_URL": "iam", "GLOBAL_SEARCH_URL": "search", "GLOBAL_CATALOG_URL": "catalog"}
        led = {"QISKIT_IBM_URL": self.url} | {name: f"{base}/{place}" for name, place in places.items()}
        return led | {"USAGE_DATA_OPT_OUT": "True"}  # else the client looks through its stack at every request: slow

    def credentials(self) -> dict[str, str]:
        """What an account is named by in the environment."""
        named = {"TOKEN": self.key, "INSTANCE": self.instance, "CHANNEL": "ibm_quantum_platform"}
        return {f"QISKIT_IBM_{name}": value for name, value in named.items()}

    def faults(self, kind: str, name: str, *, times: int | None = 1, **settings: Any) -> None:
        """Let a mishap of the table strike the next `times` requests of a kind (None: all), after those set before."""
        if kind not in KINDS:
            raise ValueError(f"kinds of requests are {', '.join(KINDS)}; got {kind!r}")
        self._switchboard.set(kind, name, times, settings)

    def heal(self) -> None:
        """No more mishaps."""
        self._switchboard.clear()

    def jobs(self, tag: str | None = None) -> list[Record]:
        """Every job that was accepted, also those deleted since, the oldest first; of one tag, if one is given."""
        every = [shown(job) | {"digest": job["digest"]} for job in self.ledger.every("job")]
        return [job for job in every if tag is None or tag in job["tags"]]

    def requests(self, kind: str) -> list[Entry]:
        """The requests of a kind."""
        return [entry for entry in self.log if entry.kind == kind]

    def condition(self, machine: str, condition: Any) -> None:
        """Set a machine "online", "paused" or "offline"."""
        self.machines[machine].condition = condition
        self.worker.wake()

    def queue(self, machine: str) -> int:
        """How many jobs wait or run there."""
        return sum(job["backend"] == machine and job["status"] in PENDING for job in self.ledger.every("job"))

    def count_post(self) -> None:
        """One more job; Refused where that is too many a minute."""
        recent = sum(job["accepted"] > time.time() - 60 for job in self.ledger.every("job"))
        if self.posts_a_minute is not None and recent >= self.posts_a_minute:
            raise Refused(429, 1202, "Too many requests. Reduce the request rate and try again.")

    def receive(self, request: Request, path: str) -> Reply:
        """The answer to a request, mishaps included."""
        way, request = way_of(request)
        kind = way.kind if way else "unknown"
        fault = self._switchboard.take(kind)
        self.log.append(self._entry(request, path, kind, fault.name if fault else ""))
        if fault is None:
            return answer(self, way, request)
        if fault.name == "hang":
            self._line.closing.wait(fault.settings["seconds"])
        before = fault.mishap.when == "before"
        reply = Reply() if before else answer(self, way, replace(request, fault=fault))
        return fault.mishap.spoil(reply, fault.settings)

    def _entry(self, request: Request, path: str, kind: str, fault: str) -> Entry:
        said = self.account.said(request.headers.get("Authorization"))
        hashed = "" if kind == "iam" else digest(request.body)
        return Entry(kind, request.method, path, said, _tags(request, kind), hashed, fault)

    def close(self) -> None:
        """End every connection, thread and file."""
        self._line.close()
        self.worker.stop()
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _tags(request: Request, kind: str) -> tuple[str, ...]:
    if kind == "jobs.post":
        try:
            return tuple(json.loads(request.body).get("tags", ()))
        except (ValueError, AttributeError, TypeError):
            return ()
    return tuple(request.query.get("tags", ())) if kind == "jobs.list" else ()
