"""What goes back over the wire, and how: whole, cut short, drop by drop, late, or not at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Manner = Literal["whole", "cut", "slow", "reset"]


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        status: of HTTP.
        body: bytes as they are sent.
        kind: the media type.
        headers: more of them.
        manner: "whole"; "cut", the line breaks halfway; "slow", in drops over `seconds`; "reset", no answer at all.
        seconds: over which a slow answer is spread.
    """

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = "whole"
    seconds: float = 0.0


def saying(content: Any, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(content).encode())


def nothing() -> Reply:
    """Done, and there is nothing to say."""
    return Reply(204)


class Refused(Exception):
    """What the server does not do: a status, IBM's code of the error, and a line."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def refusal(status: int, code: int, message: str) -> Reply:
    """An error in the form of the REST reference (ErrorContainer)."""
    more = f"https://quantum.cloud.ibm.com/docs/errors#error-code-{code}"
    return saying({"errors": [{"code": str(code), "message": message, "more_info": more}], "trace": "stand-in"}, status)
