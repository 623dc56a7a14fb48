"""The life of a job: accepted, queued, running, and completed, failed or cancelled; found by tag, paged, deleted.

A record is kept for ever, also of a job that its owner deleted: what was accepted was paid for.
"""

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from stand_in.ledger import Ledger, Record
from stand_in.replies import Refused

PENDING = ("Queued", "Running")
MOST_TAGS, LONGEST_TAG = 8, 86
MOST_LISTED = 200  # a page; a limit beyond it is taken for the default, which is the same
TOO_LONG = 1305


def accept(ledger: Ledger, asked: Record, instance: str, body_digest: str) -> Record:
    """A new job, queued; nobody asks whether there is one like it already."""
    job = {
        "id": uuid.uuid4().hex[:20],
        "instance": instance,
        "backend": asked["backend"],
        "program": asked["program_id"],
        "tags": checked_tags(asked.get("tags", [])),
        "session_id": asked.get("session_id"),
        "cost": asked.get("cost"),
        "private": bool(asked.get("private")),
        "runtime": asked.get("runtime"),
        "status": "Queued",
        "reason": None,
        "reason_code": None,
        "seconds": 0.0,
        "timestamps": {"created": now()},
        "accepted": time.time(),
        "digest": body_digest,
        "deleted": False,
    }
    with ledger.lock:
        job["number"] = len(ledger.every("job"))
        ledger.write("params", job["id"], asked["params"])
        ledger.write("job", job["id"], job)
    return job


def checked_tags(tags: Any) -> list[str]:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise Refused(400, 1211, "Tags are a list of words.")
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise Refused(400, 1204, f"A job has at most {MOST_TAGS} tags of at most {LONGEST_TAG} characters.")
    return tags


def shown(job: Record) -> Record:
    """A job as the REST reference has it (JobResponseV3), without params."""
    state = {"status": job["status"].partition(" - ")[0]}
    state |= {name: job[name] for name in ("reason", "reason_code") if job[name] is not None}
    told = {
        "id": job["id"],
        "backend": job["backend"],
        "status": job["status"],
        "state": state,
        "program": {"id": job["program"]},
        "created": job["timestamps"]["created"],
        "ended": job["timestamps"].get("finished"),
        "tags": job["tags"],
        "cost": job["cost"],
        "user_id": "stand-in",
        "usage": usage(job),
        "estimated_running_time_seconds": job["seconds"] or None,
    }
    told |= {name: job[name] for name in ("session_id", "runtime", "private") if job[name]}
    return told


def usage(job: Record) -> Record:
    """Seconds charged: nothing is known before the job has ended."""
    status = "pending" if job["status"] in PENDING else "complete"
    return {"qpu_charge_time_seconds": job["seconds"], "status": status}


def listing(every: Sequence[Record], asked: dict[str, list[str]]) -> Record:
    """A page of jobs, the newest first unless `sort` is ASC; `count` is that of all pages.

    Filters: backend, program, session_id, tags (a job has all of them), pending, created_after, created_before.
    """
    found = [job for job in every if not job["deleted"] and _matches(job, asked)]
    if asked.get("sort", ["DESC"])[0] != "ASC":
        found.reverse()
    limit = _count(asked, "limit", MOST_LISTED)
    limit = limit if 1 <= limit <= MOST_LISTED else MOST_LISTED
    offset = max(0, _count(asked, "offset", 0))
    page = [shown(job) for job in found[offset : offset + limit]]
    return {"jobs": page, "count": len(found), "limit": limit, "offset": offset}


def _matches(job: Record, asked: dict[str, list[str]]) -> bool:
    created = datetime.fromisoformat(job["timestamps"]["created"])
    after, before = (asked.get(f"created_{side}", [""])[0] for side in ("after", "before"))
    return (
        all(job[name] == asked[name][0] for name in ("backend", "program", "session_id") if name in asked)
        and set(asked.get("tags", [])) <= set(job["tags"])
        and ("pending" not in asked or (asked["pending"][0] == "true") == (job["status"] in PENDING))
        and (not after or created >= datetime.fromisoformat(after))
        and (not before or created <= datetime.fromisoformat(before))
    )


def _count(asked: dict[str, list[str]], name: str, default: int) -> int:
    try:
        return int(asked[name][0])
    except (KeyError, ValueError):
        return default


def cancel(ledger: Ledger, name: str) -> None:
    """End a job that waits or runs.

    Raises:
        Refused: it has ended already (409).
    """
    with ledger.changing("job", name) as job:
        if job is None or job["status"] not in PENDING:
            raise Refused(409, 1292, "Job is in non cancellable status.")
        end(job, "Cancelled")


def end(job: Record, status: str, *, reason: str | None = None, code: int | None = None, seconds: float = 0.0) -> None:
    """Write the end into a record."""
    job |= {"status": status, "reason": reason, "reason_code": code, "seconds": seconds}
    job["timestamps"]["finished"] = now()


def delete(ledger: Ledger, name: str) -> None:
    """Forget a job that has ended: its owner no longer sees it."""
    with ledger.changing("job", name) as job:
        if job is None or job["status"] in PENDING:
            raise Refused(400, 1293, "Job is not in a terminal state.")
        job["deleted"] = True
    for kind in ("params", "results"):
        ledger.strike(kind, name)


def metrics(job: Record, position: int | None) -> Record:
    """GET /jobs/{id}/metrics."""
    told = {"timestamps": job["timestamps"], "usage": usage(job), "caller": "stand-in", "num_circuits": None}
    return told | ({} if position is None else {"position_in_queue": position})


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
