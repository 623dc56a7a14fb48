"""Which request is answered by what, and who may come in.

Each door has a kind, by which mishaps are set and requests are counted: "iam", "backends", "jobs.post", "jobs.get", ...
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from stand_in import front_desk, rooms
from stand_in.replies import Refused, Reply, refusal
from stand_in.rooms import Door, Request

if TYPE_CHECKING:
    from stand_in.server import Server

API = "/experimental/api/v1"  # the client takes a URL with "experimental" in it as it is
ONE = "/([^/]+)"


class Way(NamedTuple):
    """A method and a path, the kind that they are, and who answers."""

    method: str
    path: str
    kind: str
    door: Door


WAYS: Sequence[Way] = (
    Way("POST", "/iam/identity/token", "iam", front_desk.token),
    Way("POST", "/search/v3/resources/search", "search", front_desk.search),
    Way("GET", f"/catalog{ONE}", "catalog", front_desk.plan),
    Way("GET", f"{API}/backends", "backends", rooms.list_machines),
    Way("GET", f"{API}/backends{ONE}/configuration", "configuration", rooms.configuration),
    Way("GET", f"{API}/backends{ONE}/properties", "properties", rooms.properties),
    Way("GET", f"{API}/backends{ONE}/defaults", "defaults", rooms.defaults),
    Way("GET", f"{API}/backends{ONE}/status", "status", rooms.status),
    Way("GET", f"{API}/instances/usage", "usage", rooms.spent),
    Way("POST", f"{API}/jobs", "jobs.post", rooms.post_job),
    Way("GET", f"{API}/jobs", "jobs.list", rooms.list_jobs),
    Way("GET", f"{API}/jobs{ONE}", "jobs.get", rooms.get_job),
    Way("DELETE", f"{API}/jobs{ONE}", "jobs.delete", rooms.delete),
    Way("GET", f"{API}/jobs{ONE}/results", "jobs.results", rooms.results),
    Way("POST", f"{API}/jobs{ONE}/cancel", "jobs.cancel", rooms.cancel),
    Way("GET", f"{API}/jobs{ONE}/metrics", "jobs.metrics", rooms.metrics),
    Way("GET", f"{API}/jobs{ONE}/logs", "jobs.logs", rooms.logs),
    Way("PUT", f"{API}/jobs{ONE}/tags", "jobs.tags", rooms.retag),
    Way("POST", f"{API}/sessions", "sessions.post", rooms.open_session),
    Way("GET", f"{API}/sessions{ONE}", "sessions.get", rooms.get_session),
    Way("PATCH", f"{API}/sessions{ONE}", "sessions.patch", rooms.patch_session),
    Way("DELETE", f"{API}/sessions{ONE}/close", "sessions.close", rooms.close_session),
)
KINDS = (*(way.kind for way in WAYS), "jobs.run")


def way_of(request: Request) -> tuple[Way | None, Request]:
    """The way that a request takes, and the request with the name that its path has."""
    for way in WAYS:
        match = re.fullmatch(way.path, request.path)
        if match and way.method == request.method:
            return way, replace(request, name=unquote((*match.groups(), "")[0]))
    return None, request


def answer(server: "Server", way: Way | None, request: Request) -> Reply:
    """What is answered when no mishap comes between."""
    try:
        if way is None:
            raise Refused(404, 1291, f"There is no {request.method} {request.path}.")
        return way.door(server, let_in(server, way, request))
    except Refused as refused:
        return refusal(refused.status, refused.code, str(refused))


def let_in(server: "Server", way: Way, request: Request) -> Request:
    """Ask for a token, and for the instance where machines and jobs are meant.

    A raw key is let in, as the REST reference allows: that the client sends one is seen in the log.
    """
    if way.kind == "iam":
        return request
    if server.account.said(request.headers.get("Authorization")) not in ("token", "key"):
        raise Refused(401, 1201, "Invalid credentials. Check your credentials and try again.")
    if not way.path.startswith(API):
        return request
    instance = server.account.instance(request.headers.get("Service-CRN"))
    if instance is None:
        raise Refused(403, 1200, "You are not authorized to perform this action.")
    return replace(request, instance=instance)
