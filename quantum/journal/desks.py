"""Where jobs are handed in: the same five words for a machine far away and for a simulator here.

    post(tag, pubs, bound) -> job     find(tag) -> jobs     look(job)     fetch(job, pubs)     cancel(job)

A simulator's job is made where its result is asked for, with numbers drawn from (seed, intent): made again after a
crash, it is the same.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.sampler_pub import SamplerPub

CALL_DIGITS = 15  # of the tag, as number of a simulator's call: below 2^60


class Patience(NamedTuple):
    """Seconds and numbers of tries.

    Attributes:
        lag: after a request for a job, until a search that does not find it is believed.
        pause: between two looks, and before something is tried again, doubled at each try.
        tries: of a question that brought no answer, and of a request for a job.
        answer: for a connection, and for the next bytes of an answer.
    """

    lag: float = 30.0
    pause: float = 1.0
    tries: int = 4
    answer: tuple[float, float] = (5.0, 30.0)


class Seen(NamedTuple):
    """A job as the service says it stands.

    Attributes:
        job: its name there.
        state: "submitted", "running", "done", "failed" or "cancelled".
        reason: of a failure.
        seconds: charged; None: not known yet.
        queue: how many are before it; None: not said.
    """

    job: str
    state: str
    reason: str = ""
    seconds: float | None = None
    queue: int | None = None


class Refused(Exception):
    """The service said no: nothing was made. `later`: the same may be granted in a while."""

    def __init__(self, said: str, *, status: int, later: bool = False) -> None:
        super().__init__(said)
        self.status, self.later = status, later


class NoAnswer(Exception):
    """The service may have done what it was asked, or not."""


class Desk(Protocol):
    """Where jobs are handed in."""

    remote: bool  # jobs live on when this process dies, and the number of requests is limited

    def post(self, tag: str, pubs: Sequence[SamplerPub], bound: int) -> str:
        """Make a job, one request.

        Raises:
            Refused: there is none.
            NoAnswer: there may be one.
        """
        ...

    def find(self, tag: str) -> list[Seen]:
        """Jobs with this tag, the oldest first, all of them.

        Raises:
            ServiceFailed: the list cannot be had whole.
        """
        ...

    def look(self, job: str) -> Seen:
        """How a job stands.

        Raises:
            ServiceFailed: no answer.
        """
        ...

    def fetch(self, job: str, pubs: Sequence[SamplerPub]) -> bytes:
        """The outcomes of a job that is done, looked at and packed.

        Raises:
            ServiceFailed: no answer, or results that are none.
        """
        ...

    def cancel(self, job: str) -> None:
        """End a job that waits or runs; one that has ended stays as it is.

        Raises:
            ServiceFailed: no answer.
        """
        ...


class LocalDesk:
    """Jobs of a sampler on this computer."""

    remote = False

    def __init__(self, sampler: BaseSamplerV2) -> None:
        self._sampler = sampler

    def post(self, tag: str, pubs: Sequence[SamplerPub], bound: int) -> str:
        """Nothing happens yet."""
        return f"local-{tag.removeprefix('armonica-')}"

    def find(self, tag: str) -> list[Seen]:
        """None: a job here ends with its process."""
        return []

    def look(self, job: str) -> Seen:
        """It can be had."""
        return Seen(job, "done")

    def fetch(self, job: str, pubs: Sequence[SamplerPub]) -> bytes:
        """Run it now."""
        from quantum.journal.packing import pack_result

        own: Any = self._sampler
        if hasattr(own, "n_calls"):  # of `quantum.machines.calls.LocalSampler`
            own.n_calls = int(job.removeprefix("local-")[:CALL_DIGITS], 16)
        return pack_result(own.run(list(pubs)).result(), pubs)

    def cancel(self, job: str) -> None:
        """Nothing runs."""
