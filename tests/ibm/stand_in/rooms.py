"""Answers about machines, jobs and sessions, each a function of the server and a request."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING

from stand_in import jobs, sessions
from stand_in.account import Instance
from stand_in.faults import Fault
from stand_in.ledger import Record
from stand_in.log import digest
from stand_in.machines import named
from stand_in.replies import Refused, Reply, nothing, saying

if TYPE_CHECKING:
    from stand_in.server import Server


@dataclass(frozen=True)
class Request:
    """What came: query is as urllib's parse_qs gives it, `name` the job, machine, session or plan of the path."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes
    name: str = ""
    instance: Instance | None = None
    fault: Fault | None = None

    def content(self) -> Record:
        """The body, in JSON."""
        try:
            content = json.loads(self.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Refused(400, 1211, "The request is not JSON.")
        return content

    @property
    def crn(self) -> str:
        return self.instance.crn if self.instance else ""

    def setting(self, fault: str, name: str, default: float = 0.0) -> float:
        """A setting of the mishap that struck, if it is this one."""
        return self.fault.settings[name] if self.fault and self.fault.name == fault else default


Door = Callable[["Server", Request], Reply]


def list_machines(server: "Server", request: Request) -> Reply:
    return saying({"devices": [machine.listed(server.queue(name)) for name, machine in server.machines.items()]})


def configuration(server: "Server", request: Request) -> Reply:
    return saying(named(server.machines, request.name).configuration())


def properties(server: "Server", request: Request) -> Reply:
    return saying(named(server.machines, request.name).properties())


def defaults(server: "Server", request: Request) -> Reply:
    named(server.machines, request.name)
    return saying({})  # pulses, which the machines no longer speak of


def status(server: "Server", request: Request) -> Reply:
    return saying(named(server.machines, request.name).status(server.queue(request.name)))


def spent(server: "Server", request: Request) -> Reply:
    consumed = sum(job["seconds"] for job in server.ledger.every("job") if job["instance"] == request.crn)
    reached = server.allowance is not None and consumed >= server.allowance
    told = {"instance_id": request.crn, "usage_consumed_seconds": consumed, "usage_limit_reached": reached}
    return saying(told | ({} if server.allowance is None else {"usage_limit_seconds": server.allowance}))


def post_job(server: "Server", request: Request) -> Reply:
    asked = request.content()
    if not {"program_id", "params", "backend"} <= set(asked):
        raise Refused(400, 1211, "A job has a program_id, params and a backend.")
    if named(server.machines, asked["backend"]).condition == "offline":
        raise Refused(400, 1004, "Backend is not available.")
    if asked.get("session_id"):
        sessions.check_open(server.ledger, asked["session_id"])
    server.count_post()
    job = jobs.accept(server.ledger, asked, request.crn, digest(request.body))
    server.worker.wake()
    return saying({"id": job["id"], "backend": job["backend"]} | ({"private": True} if job["private"] else {}))


def list_jobs(server: "Server", request: Request) -> Reply:
    newest = time.time() - request.setting("lag", "seconds")
    own = [job for job in server.ledger.every("job") if job["instance"] == request.crn and job["accepted"] <= newest]
    return saying(jobs.listing(own, dict(request.query)))


def get_job(server: "Server", request: Request) -> Reply:
    told = jobs.shown(_job(server, request))
    if request.query.get("exclude_params") != ["true"]:
        told["params"] = server.ledger.read("params", request.name)
    return saying(told)


def results(server: "Server", request: Request) -> Reply:
    job = _job(server, request)
    text = server.ledger.read("results", request.name)
    if job["private"] or (request.fault and request.fault.name == "once"):
        server.ledger.strike("results", request.name)
    return nothing() if text is None else Reply(body=text.encode())


def cancel(server: "Server", request: Request) -> Reply:
    _job(server, request)
    jobs.cancel(server.ledger, request.name)
    return nothing()


def delete(server: "Server", request: Request) -> Reply:
    _job(server, request)
    jobs.delete(server.ledger, request.name)
    return nothing()


def retag(server: "Server", request: Request) -> Reply:
    _job(server, request)
    tags = jobs.checked_tags(request.content().get("tags"))
    with server.ledger.changing("job", request.name) as job:
        if job is not None:
            job["tags"] = tags
    return nothing()


def metrics(server: "Server", request: Request) -> Reply:
    job = _job(server, request)
    waiting = [other["id"] for other in server.ledger.every("job") if other["status"] == "Queued"]
    return saying(jobs.metrics(job, waiting.index(job["id"]) + 1 if job["id"] in waiting else None))


def logs(server: "Server", request: Request) -> Reply:
    return Reply(body=(_job(server, request)["reason"] or "").encode(), kind="text/plain")


def _job(server: "Server", request: Request) -> Record:
    job = server.ledger.read("job", request.name)
    if job is None or job["deleted"] or job["instance"] != request.crn:
        raise Refused(404, 1291, f"Job {request.name} not found.")
    return job


def open_session(server: "Server", request: Request) -> Reply:
    session = sessions.open_session(server.ledger, request.content(), request.crn)
    return saying(sessions.told(server.ledger, session["id"]))


def get_session(server: "Server", request: Request) -> Reply:
    return saying(sessions.told(server.ledger, request.name))


def patch_session(server: "Server", request: Request) -> Reply:
    if request.content().get("accepting_jobs") is False:
        sessions.take_no_more(server.ledger, request.name)
    return nothing()


def close_session(server: "Server", request: Request) -> Reply:
    """No more jobs; those that wait are cancelled, one that runs runs on."""
    sessions.take_no_more(server.ledger, request.name)
    for job in server.ledger.every("job"):
        if job["session_id"] == request.name and job["status"] == "Queued":
            jobs.cancel(server.ledger, job["id"])
    return nothing()
