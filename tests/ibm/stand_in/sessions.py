"""Sessions and batches: jobs that go together, until no more are taken.

A batch is charged for what its jobs take on the machine. (A dedicated session is charged by the clock: IBM's page on
execution modes. It is not charged here.)
"""

import uuid

from stand_in.jobs import PENDING, now
from stand_in.ledger import Ledger, Record
from stand_in.replies import Refused

MODES = ("batch", "dedicated")
LONGEST = 28800  # s


def open_session(ledger: Ledger, asked: Record, instance: str) -> Record:
    """A new one, which takes jobs."""
    if asked.get("mode") not in MODES:
        raise Refused(400, 1211, f"A session has a mode: {', '.join(MODES)}.")
    session = {
        "id": uuid.uuid4().hex[:20],
        "backend_name": asked.get("backend"),
        "mode": asked["mode"],
        "instance": instance,
        "max_ttl": asked.get("max_ttl", LONGEST),
        "accepting_jobs": True,
        "started_at": now(),
        "closed_at": None,
    }
    ledger.write("session", session["id"], session)
    return session


def session_named(ledger: Ledger, name: str) -> Record:
    """A session that there is."""
    session = ledger.read("session", name)
    if session is None:
        raise Refused(404, 1291, f"Session {name} not found.")
    return session


def check_open(ledger: Ledger, name: str) -> None:
    """Raise Refused if a session takes no more jobs."""
    if not session_named(ledger, name)["accepting_jobs"]:
        raise Refused(400, 1217, "Session has been closed.")


def told(ledger: Ledger, name: str) -> Record:
    """GET /sessions/{id}: its state, and the seconds that its jobs took."""
    session = session_named(ledger, name)
    jobs = [job for job in ledger.every("job") if job["session_id"] == name]
    waiting = any(job["status"] in PENDING for job in jobs)
    state = "active" if waiting else "open" if session["accepting_jobs"] else "closed"
    return session | {"state": state, "elapsed_time": sum(job["seconds"] for job in jobs), "timestamps": []}


def take_no_more(ledger: Ledger, name: str) -> None:
    """No new jobs; those that were accepted run."""
    session_named(ledger, name)
    with ledger.changing("session", name) as session:
        if session is not None:
            session |= {"accepting_jobs": False, "closed_at": now()}
