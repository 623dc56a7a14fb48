"""The machine at work: one job after the other, in the order in which they were accepted.

    Queued -(waits `queued` s)-> Running -(`running` s, then Aer)-> Completed | Failed | Cancelled

A job that was cut off by the end of the process is found in the ledger and run by the next one.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from stand_in.faults import Fault, Switchboard
from stand_in.jobs import PENDING, TOO_LONG, end, now
from stand_in.ledger import Ledger, Record
from stand_in.machines import Machine
from stand_in.programs import Outcome, run

GLANCE = 0.02  # s, between two looks at whether a job was cancelled
LIMIT = "Job ran longer than maximum execution time. Job was cancelled."


@dataclass
class Delays:
    """Seconds that every job waits in the queue, and that it runs before its circuits are simulated."""

    queued: float = 0.0
    running: float = 0.0


class Worker(threading.Thread):
    """Runs what is queued, until it is told to stop."""

    def __init__(
        self,
        ledger: Ledger,
        machines: Mapping[str, Machine],
        switchboard: Switchboard,
        delays: Delays,
        mistakes: list[BaseException | None],
        seed: int,
    ) -> None:
        super().__init__(name="stand-in machine", daemon=True)
        self._ledger, self._machines, self._switchboard = ledger, machines, switchboard
        self._delays, self._mistakes, self._seed = delays, mistakes, seed
        self._closing, self._news = threading.Event(), threading.Event()
        for job in ledger.every("job"):
            with ledger.changing("job", job["id"]) as known:
                if known and known["status"] == "Running":
                    known["status"] = "Queued"

    def wake(self) -> None:
        """There is something to do."""
        self._news.set()

    def stop(self) -> None:
        """End after the job that runs."""
        self._closing.set()
        self.wake()
        self.join()

    def run(self) -> None:
        try:
            while not self._closing.is_set():
                self._turn()
        except Exception as error:  # a thread that dies would die in silence
            self._mistakes.append(error)

    def _turn(self) -> None:
        self._news.clear()
        job = self._next()
        if job is None:
            self._news.wait()
        else:
            self._work(job)

    def _next(self) -> Record | None:
        for job in self._ledger.every("job"):
            machine = self._machines.get(job["backend"])
            if job["status"] in PENDING and machine and machine.condition == "online":
                return job
        return None

    def _work(self, job: Record) -> None:
        fault = self._switchboard.take("jobs.run")
        stuck = fault.settings["seconds"] if fault and fault.name == "hang" else 0.0
        if not self._stays(job, "Queued", max(time.time() + stuck, job["accepted"] + self._delays.queued)):
            return
        begun = self._moves(job, "Queued", "Running")
        if not begun or not self._stays(job, "Running", time.time() + self._delays.running):
            return
        try:
            outcome = self._outcome(job)
        except Exception as error:  # whatever a circuit can raise is the job's own failure
            self._finish(job, "Failed", reason=f"{type(error).__name__}: {error}", code=1010)
        else:
            self._conclude(job, outcome, fault)

    def _stays(self, job: Record, status: str, until: float) -> bool:
        """Whether a job keeps its status for so long: nobody cancels it, and the house is not closed."""
        while (left := until - time.time()) > 0:
            if self._closing.wait(min(left, GLANCE)) or self._ledger.read("job", job["id"])["status"] != status:
                return False
        return True

    def _moves(self, job: Record, before: str, after: str) -> bool:
        """Whether the job was still where it was thought to be; if so it is moved on."""
        with self._ledger.changing("job", job["id"]) as known:
            if self._closing.is_set() or known is None or known["status"] != before:
                return False
            known["status"] = after
            known["timestamps"][after.lower()] = now()
            return True

    def _outcome(self, job: Record) -> Outcome:
        params = self._ledger.read("params", job["id"])
        return run(job["program"], params, self._machines[job["backend"]], self._seed + job["number"])

    def _conclude(self, job: Record, outcome: Outcome, fault: Fault | None) -> None:
        results, seconds = outcome
        name = fault.name if fault else ""
        if name == "fails" and fault:
            self._finish(job, "Failed", reason=fault.settings["message"], code=fault.settings["code"], seconds=seconds)
        elif name == "too-long" or (job["cost"] and seconds > job["cost"]):
            charged = min(seconds, job["cost"] or seconds)
            self._finish(job, "Cancelled - Ran too long", reason=LIMIT, code=TOO_LONG, seconds=charged)
        else:
            results = fault.settings["results"] if name == "garbled" and fault else results
            self._finish(job, "Completed", seconds=seconds, results=results)

    def _finish(
        self,
        job: Record,
        status: str,
        *,
        reason: str | None = None,
        code: int | None = None,
        seconds: float = 0.0,
        results: str | None = None,
    ) -> None:
        """The end, unless it was cancelled meanwhile."""
        with self._ledger.changing("job", job["id"]) as known:
            if known is None or known["status"] != "Running":
                return
            if results is not None:
                self._ledger.write("results", job["id"], results)
            end(known, status, reason=reason, code=code, seconds=seconds)
