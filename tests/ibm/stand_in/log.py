"""What the server was asked, line by line, without anything secret."""

import hashlib
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One request.

    Attributes:
        kind: as mishaps are set by: "iam", "jobs.post", ...; "unknown" is one that the server does not know.
        method: of HTTP.
        path: with its query.
        authorization: "token", "expired", "key" (the raw key), "wrong" or "none"; never the words themselves.
        tags: of a job that is posted, or searched for.
        digest: SHA-256 of the body; "" for IAM, whose body is the key.
        fault: name of the mishap that struck it, or "".
        at: seconds since the epoch.
    """

    kind: str
    method: str
    path: str
    authorization: str
    tags: tuple[str, ...] = ()
    digest: str = ""
    fault: str = ""
    at: float = field(default_factory=time.time)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
