"""The table of mishaps: what a network, a gateway and a machine can do to a request, by name.

A mishap strikes *before* the server has done what it was asked, or *after*: with a job the difference is money, and the
client is told the same in both cases. Names of statuses ("504") mean before; "504-after", after.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from stand_in.replies import Reply, refusal, saying

HTML = b"<!doctype html><html><body><h1>Please log in to the network</h1></body></html>"
BROKEN = "Error returned at backend level."
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Mishap:
    """A line of the table.

    Attributes:
        what: in words.
        when: "before" what was asked is done, "after" it, or "inside": the room that does it is told of the mishap.
        spoil: the answer there would have been (an empty one before), and settings -> the answer there is.
        defaults: settings there are, with their values.
    """

    what: str
    when: Literal["before", "after", "inside"]
    spoil: Callable[[Reply, Settings], Reply] = lambda reply, _: reply
    defaults: Settings = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A mishap that is switched on."""

    name: str
    settings: Settings

    @property
    def mishap(self) -> Mishap:
        return FAULTS[self.name]


def _status(status: int, code: int, message: str) -> Callable[[Reply, Settings], Reply]:
    return lambda *_: refusal(status, code, message)


def _too_many(_: Reply, settings: Settings) -> Reply:
    reply = refusal(429, 1202, "Too many requests. Reduce the request rate and try again.")
    wait = settings.get("retry_after")
    return reply if wait is None else replace(reply, headers={"Retry-After": str(wait)})


def _no_page(reply: Reply, _: Settings) -> Reply:
    return saying(json.loads(reply.body) | {"jobs": []})


def _half(reply: Reply, _: Settings) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


GATEWAY = {
    "500": _status(500, 9999, "Internal server error"),
    "502": _status(502, 9999, "Bad gateway"),
    "503": _status(503, 9999, "Service unavailable"),
    "504": _status(504, 9999, "Gateway timeout"),
    "reset": lambda *_: Reply(manner="reset"),
    "html": lambda *_: Reply(body=HTML, kind="text/html"),
}

FAULTS: dict[str, Mishap] = {
    **{name: Mishap(f"{name}, nothing was done", "before", spoil) for name, spoil in GATEWAY.items()},
    **{f"{name}-after": Mishap(f"{name}, but it was done", "after", spoil) for name, spoil in GATEWAY.items()},
    "400": Mishap("the request is not understood", "before", _status(400, 1211, "The request is not valid.")),
    "401": Mishap("the token is not accepted", "before", _status(401, 1201, "Invalid credentials.")),
    "403": Mishap("not allowed", "before", _status(403, 1200, "You are not authorized to perform this action.")),
    "404": Mishap("not found", "before", _status(404, 1291, "Job not found.")),
    "409": Mishap("the time of the instance is used up", "before", _status(409, 3211, "Usage exceeds the limit.")),
    "429": Mishap("too many requests", "before", _too_many, {"retry_after": None}),
    "cut": Mishap("the line breaks in the middle of the answer", "after", lambda r, _: replace(r, manner="cut")),
    "truncated": Mishap("half an answer, of a length that fits the half", "after", _half),
    "empty": Mishap("an answer without a body", "after", lambda r, _: replace(r, body=b"")),
    "hang": Mishap("no answer for some seconds, then the right one", "inside", defaults={"seconds": 60.0}),
    "slow": Mishap(
        "drop by drop", "after", lambda r, s: replace(r, manner="slow", seconds=s["seconds"]), {"seconds": 1.0}
    ),
    "empty-page": Mishap("jobs.list: no jobs, though the count says there are", "after", _no_page),
    "lag": Mishap("jobs.list: jobs of the last seconds are not found yet", "inside", defaults={"seconds": 60.0}),
    "once": Mishap("jobs.results: gone after they were read", "inside"),
    "fails": Mishap("jobs.run: the machine fails", "inside", defaults={"message": BROKEN, "code": 1010}),
    "too-long": Mishap("jobs.run: cut off at the limit of its time", "inside"),
    "garbled": Mishap("jobs.run: finished, with results that mean nothing", "inside", defaults={"results": "{}"}),
}


class Switchboard:
    """Which mishaps wait for which kind of request; the first one set strikes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[Fault, float]]] = {}

    def set(self, kind: str, name: str, times: int | None, settings: Settings) -> None:
        """Let a mishap strike the next requests of a kind; `times` None: all of them."""
        if name not in FAULTS:
            raise ValueError(f"mishaps are {', '.join(FAULTS)}; got {name!r}")
        unknown = set(settings) - set(FAULTS[name].defaults)
        if unknown:
            raise ValueError(f"{name!r} has the settings {sorted(FAULTS[name].defaults)}; got {sorted(unknown)}")
        with self._lock:
            fault = Fault(name, {**FAULTS[name].defaults, **settings})
            self._waiting.setdefault(kind, []).append((fault, float("inf") if times is None else times))

    def take(self, kind: str) -> Fault | None:
        """The mishap of this request, if one waits for it."""
        with self._lock:
            queue = [(fault, left) for fault, left in self._waiting.get(kind, []) if left > 0]
            if not queue:
                return None
            (fault, left), *rest = queue
            self._waiting[kind] = [(fault, left - 1), *rest]
            return fault

    def clear(self) -> None:
        """No mishaps any more."""
        with self._lock:
            self._waiting.clear()
