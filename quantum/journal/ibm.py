"""IBM's desk: one request a job, lists read to their end, answers looked at, and no question that waits for ever.

What the client (qiskit-ibm-runtime 0.51) leaves open is closed here: `service.jobs()` asks for ever where a page is
empty and the count is not; a token that is refused is not renewed; results may be a web page.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding.errors import cut
from quantum.journal.desks import NoAnswer, Patience, Refused, Seen
from quantum.journal.packing import pack_result
from quantum.machines.wire import ServiceFailed

T = TypeVar("T")
PAGE, MOST_PAGES = 50, 40
STATES = {"queued": "submitted", "running": "running", "completed": "done", "failed": "failed"}
NOT_TAKEN = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429)  # a server that says this has made nothing
LATER = (401, 429)  # the token is renewed; the minute passes
FINAL = (400, 403, 404, 405, 409, 410)  # asked again, the answer is the same


class IBMDesk:
    """Jobs on a machine of IBM's.

    Args:
        sampler: a `MachineSampler`.
        machine: the client's backend.
        patience: how long, and how often.
    """

    remote = True

    def __init__(self, sampler: Any, machine: Any, patience: Patience) -> None:
        self._sampler, self._machine, self._patience = sampler, machine, patience
        self._service = machine.service
        self._client = self._service._active_api_client
        self._client._session._timeout = patience.answer

    def post(self, tag: str, pubs: Sequence[SamplerPub], bound: int) -> str:
        """One request, never repeated here."""
        try:
            with warnings.catch_warnings():
                # a machine that is paused takes jobs and lets them wait: `armonica jobs` shows it
                warnings.filterwarnings("ignore", "The backend .* currently has a status of", UserWarning)
                name = self._sampler.tagged([tag], bound).run(pubs).job_id()
        except ServiceFailed as error:
            status = _status(error)
            if status == 401:
                self._renew()
            said = self._scrubbed(error)
        else:
            if isinstance(name, str) and name:
                return name
            status, said = -1, "the service named no job"
        if status in NOT_TAKEN:
            raise Refused(said, status=status, later=status in LATER)  # outside of the handler: no traceback of theirs
        raise NoAnswer(said)

    def find(self, tag: str) -> list[Seen]:
        """All pages, each looked at."""
        found: dict[str, Seen] = {}
        for _ in range(MOST_PAGES):
            page = self._asked(
                "the list of jobs",
                lambda: self._client.jobs_get(limit=PAGE, skip=len(found), job_tags=[tag], descending=False),
                lambda answer: _page(answer, len(found)),
            )
            jobs, count = page
            found.update({job["id"]: _seen(job) for job in jobs if tag in job.get("tags", ())})
            if len(found) >= count or len(jobs) < 1:
                return list(found.values())
        raise ServiceFailed(f"IBM's service: more than {MOST_PAGES} pages of jobs with one tag")

    def look(self, job: str) -> Seen:
        """State and usage."""
        return self._asked(f"job {job}", lambda: self._client.job_get(job, exclude_params=True), _seen)

    def queue(self, job: str) -> int | None:
        """How many are before it; None: not said."""
        told = self._asked(f"job {job}", lambda: self._client.job_metadata(job), lambda answer: answer)
        place = told.get("position_in_queue") if isinstance(told, dict) else None
        return place if isinstance(place, int) else None

    def fetch(self, job: str, pubs: Sequence[SamplerPub]) -> bytes:
        """Decoded, looked at, packed."""
        told = self._asked(f"job {job}", lambda: self._client.job_get(job, exclude_params=True), _checked_job)
        decoders = self._decoders(job, told)
        return self._asked(
            f"the results of job {job}",
            lambda: self._client.job_results(job),
            lambda raw: pack_result(_decoded(raw, decoders), pubs),
        )

    def cancel(self, job: str) -> None:
        """Once more where there was no answer; that it has ended already is no mistake."""
        try:
            self._asked(f"job {job}", lambda: self._client.job_cancel(job), lambda answer: answer)
        except ServiceFailed:
            if self.look(job).state in ("submitted", "running"):
                raise

    def _decoders(self, job: str, told: dict[str, Any]) -> Sequence[Any]:
        from qiskit_ibm_runtime import RuntimeJobV2

        name = str(_part(told, "program").get("id", ""))
        made = RuntimeJobV2(
            backend=self._machine, api_client=self._client, job_id=job, program_id=name, service=self._service
        )
        return made._result_decoders

    def _asked(self, what: str, ask: Callable[[], Any], read: Callable[[Any], T]) -> T:
        """An answer that can be read; asked again, a few times, where there was none."""
        said = ""
        for turn in range(self._patience.tries):
            if turn:
                time.sleep(self._patience.pause * 2 ** (turn - 1))
            try:
                return read(ask())
            except Exception as error:  # of the client, of requests, of JSON, of pydantic, of what is read
                status, said = _status(error), self._scrubbed(error)
                if status == 401:
                    self._renew()
            if status in FINAL:
                break
        raise ServiceFailed(f"IBM's service, asked for {what}: {said}")

    def _renew(self) -> None:
        """Another token at the next request."""
        cloud = getattr(self._client._session.auth, "_cloud", None)
        if cloud is not None:
            cloud.tm.expire_time = 0

    def _scrubbed(self, error: BaseException) -> str:
        """An error in one line, without the key."""
        text = " ".join(f"{type(error).__name__}: {error}".split())
        account = getattr(self._service, "_account", None)
        key = getattr(account, "token", None)
        return cut(text.replace(key, "[key]") if key else text, 300)


def _status(error: BaseException | None) -> int:
    """The status of HTTP that is behind an error of the client's; -1: none is known."""
    while error is not None:
        status = getattr(error, "status_code", None)
        if isinstance(status, int) and status > 0:
            return status
        name = type(error).__name__
        if name in ("IBMNotAuthorizedError", "RuntimeProgramNotFound"):
            return 401 if name == "IBMNotAuthorizedError" else 404
        error = error.__cause__ or error.__context__
    return -1


def _page(answer: Any, had: int) -> tuple[list[dict[str, Any]], int]:
    """Jobs of a page, and how many there are in all."""
    if not isinstance(answer, dict) or not isinstance(answer.get("jobs"), list):
        raise ValueError("the list of jobs is none")
    jobs, count = [_checked_job(job) for job in answer["jobs"]], answer.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or (not jobs and count > had):
        raise ValueError(f"an empty page of a list of {count} jobs")
    return jobs, count


def _checked_job(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
        raise ValueError("a job is described by its name, state and tags")
    return answer


def _seen(answer: Any) -> Seen:
    told = _checked_job(answer)
    state, usage = _part(told, "state"), _part(told, "usage")
    status = str(told.get("status") or state.get("status") or "").lower()
    reason = str(state.get("reason") or told.get("reason") or "")
    charged = [usage[name] for name in ("qpu_charge_time_seconds", "quantum_seconds", "seconds") if name in usage]
    known = charged and isinstance(charged[0], int | float) and usage.get("status", "complete") == "complete"
    seconds = float(charged[0]) if known else None
    if status.startswith("cancelled"):
        late = "too long" in status
        return Seen(told["id"], "failed" if late else "cancelled", cut(reason, 300), seconds)
    if status not in STATES:
        raise ValueError(f"a job is queued, running, completed, failed or cancelled; got {cut(status, 40)!r}")
    return Seen(told["id"], STATES[status], cut(reason, 300), seconds)


def _decoded(raw: Any, decoders: Sequence[Any]) -> Any:
    """Results as the client reads them."""
    if not raw:
        raise ValueError("the results are empty")
    return reduce(lambda found, one: one.decode(found) if _applies(one, found) else found, decoders, raw)


def _applies(decoder: Any, found: Any) -> bool:
    return not hasattr(decoder, "is_applicable") or decoder.is_applicable(found)


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    part = told.get(name)
    return part if isinstance(part, dict) else {}
