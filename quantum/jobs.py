"""A sampler with a journal: nothing is lost, and nothing is paid for twice.

    >>> import tempfile
    >>> from qiskit import QuantumCircuit
    >>> from quantum import backend_named
    >>> bell = QuantumCircuit(2)
    >>> bell.h(0), bell.cx(0, 1), bell.measure_all()
    (...)
    >>> folder = tempfile.TemporaryDirectory()
    >>> journal = Journal(f"{folder.name}/jobs.sqlite")
    >>> sampler = JournalSampler(backend_named("aer", seed=1), journal, task="bell")
    >>> first = sampler.at(0).run([bell], shots=100).result()[0].data.meas.get_counts()
    >>> first == sampler.at(0).run([bell], shots=100).result()[0].data.meas.get_counts()  # the same evaluation
    True
    >>> len(journal.rows("done"))
    1
    >>> journal.close(), folder.cleanup()
    (None, None)

What is to be sent is first written down, under a name that follows from the question alone (`journal.identity`); then
it is sent once (`sending`); then its outcomes are kept (`collecting`). A process that is killed at any line and started
again comes to the same name, finds what there is under it, and goes on. Costs are agreed to before (`money`).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from qiskit.primitives import BaseSamplerV2, PrimitiveResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import shown
from quantum.backends import Backend
from quantum.journal.books import Busy, Journal, Row
from quantum.journal.collecting import JobEnded, NotYet, collect, settle
from quantum.journal.desks import Desk, LocalDesk, Patience
from quantum.journal.identity import Logical, given_logical, intent_id
from quantum.journal.money import MOST_SECONDS, Price, check_limit, price_of
from quantum.journal.packing import pack_pubs
from quantum.journal.sending import send
from quantum.ladder import checked_count
from quantum.machines.calls import shots_of

__all__ = [
    "Busy",
    "JobEnded",
    "Journal",
    "JournalJob",
    "JournalSampler",
    "NotYet",
    "Patience",
    "Price",
    "Row",
    "desk_of",
    "settle",
]


class JournalJob:
    """A job that is in the journal."""

    def __init__(self, sampler: "JournalSampler", intent: str) -> None:
        self._sampler, self.intent = sampler, intent

    def job_id(self) -> str:
        """Its name at the service; before it has one, the intent's."""
        return self.row().job or self.intent

    def row(self) -> Row:
        """How it stands in the journal."""
        return self._sampler.journal.row(self.intent)

    def status(self) -> str:
        """One look: its state."""
        return settle(self._sampler.journal, self._sampler.desk, self.intent, self._sampler.patience).state

    def result(self) -> PrimitiveResult:
        """The outcomes.

        Raises:
            NotYet: it has not ended within the time that the sampler waits.
            JobEnded: it failed, or was cancelled.
            ServiceFailed: no answer.
        """
        own = self._sampler
        return collect(own.journal, own.desk, self.intent, own.patience, wait=own.wait)


class JournalSampler(BaseSamplerV2):
    """A backend whose jobs all go through a journal.

    Args:
        backend: of `quantum.backend_named`.
        journal: where they are written down.
        task: key of the question that they belong to.
        place: the backend as it was asked for; None: its name. A job that was sent to the least busy machine is found
            again when another one is. The backend's manner is added to it: twirled counts are others.
        most_seconds: of machines that are charged, of everything in the journal together.
        agreed: whether the price of what is new is agreed to; where nothing is charged nobody asks.
        wait: seconds that `result` waits; None: as long as it takes.
        patience: with a service that gives no answer.

    Raises:
        InputError: no backend, no journal, or no limit.
    """

    takes_logical = True  # `quantum.samplers.Sampler` then says what its circuits mean

    def __init__(
        self,
        backend: Backend,
        journal: Journal,
        *,
        task: str,
        place: str | None = None,
        most_seconds: float = MOST_SECONDS,
        agreed: bool = False,
        wait: float | None = None,
        patience: Patience | None = None,
    ) -> None:
        if not isinstance(backend, Backend) or not isinstance(journal, Journal):
            raise InputError(f"a sampler with a journal has a Backend and a Journal; got {shown((backend, journal))}")
        if isinstance(most_seconds, bool) or not isinstance(most_seconds, int | float) or not 0 <= most_seconds < 1e9:
            raise InputError(f"a limit is in seconds, at least 0; got {shown(most_seconds)}")
        self.backend, self.journal, self.task = backend, journal, task
        self.place = ", ".join(part for part in (place or backend.name, backend.manner) if part)
        self.most_seconds, self.agreed, self.wait = most_seconds, agreed, wait
        self.patience = patience or Patience()
        self.desk = desk_of(backend, self.patience)
        self.announce: Callable[[Price], None] | None = None  # told a price before something new is written down
        self.whole: Callable[[Price], Price] | None = None  # of all that is to come, from that of its first new job
        self.begin: Callable[[str], object] | None = None  # given the id of the first new job before it
        self.about = ""  # what jobs are of, for people who read the journal
        self.again = False  # whether what failed or was cancelled is sent once more
        self._begun = False
        self.intents: list[str] = []  # of this step
        self.at(0)

    def at(self, step: int) -> "JournalSampler":
        """The same, at a step of the run: its evaluations are counted from 0 again."""
        self.step, self.evaluation, self.intents = checked_count("a step", step, 0), 0, []
        return self

    def run(
        self, pubs: Iterable[Any], *, shots: int | None = None, logical: Sequence[Logical] | None = None
    ) -> JournalJob:
        """The job of these circuits, which is sent if it was not.

        Args:
            pubs: circuits, or (circuit, values of its parameters, shots), ready for the machine.
            shots: for the pubs that do not say.
            logical: what the circuits mean, by name, of each; None: what is told apart is the circuits as given.

        Raises:
            InputError: circuits that cannot be played there, a price that is not agreed to, or above the limit.
            ServiceFailed: no answer; the intent is kept.
        """
        asked = self.backend.checked(pubs, shots=shots)
        intent = self._intent(asked, logical)
        row = self.journal.find(intent)
        if row is None:
            row = self._intend(intent, asked)
        elif (row.circuits, row.shots) != (size := price_of(asked).size()):
            raise InputError(f"job {intent[:12]} has {row.circuits} circuits and {row.shots} shots; got {size}")
        elif self.again and row.state in ("failed", "cancelled"):
            row = self._once_more(row)
        self._check_instance(row)
        self.evaluation += 1
        self.intents.append(intent)
        if row.state == "intended":
            send(self.journal, self.desk, intent, self.patience)
        return JournalJob(self, intent)

    def pass_manager(self, optimization_level: int = 1, *, seed: int = 0) -> Any:
        """What makes circuits ready for the machine."""
        return self.backend.pass_manager(optimization_level, seed=seed)

    def price(self, pubs: Iterable[Any], *, shots: int | None = None, jobs: int = 1) -> Price:
        """What these circuits would cost; nothing is written or sent."""
        return self._price(self.backend.checked(pubs, shots=shots)).times(jobs)

    def _intent(self, asked: Sequence[SamplerPub], logical: Sequence[Logical] | None) -> str:
        meant = [given_logical(pub) for pub in asked] if logical is None else logical
        if len(meant) != len(asked):
            raise InputError(f"logical parameters are those of each circuit, {len(asked)}; got {len(meant)}")
        return intent_id(self.task, self.step, self.evaluation, self.place, [shots_of(pub) for pub in asked], meant)

    def _once_more(self, row: Row) -> Row:
        """Another try of what failed or was cancelled, which costs again."""
        if row.charges and not self.agreed:
            raise InputError(
                f"job {row.id[:12]} {row.state}; another costs again: nothing was sent (--yes agrees to it)"
            )
        return self.journal.again(row.id, limit=self.most_seconds, instance=self.backend.instance)

    def _check_instance(self, row: Row) -> None:
        """A request that may have made a job is looked for where it was made: no list of another instance has it."""
        if row.instance in ("", self.backend.instance) or row.state not in ("intended", "submitted", "running"):
            return
        done = "was meant for" if row.state == "intended" else "was sent for"
        may = ", and may have been made there" if row.state == "intended" else ""
        raise InputError(
            f"job {row.called} {done} the instance {row.instance}{may}: nothing was sent to "
            f"{self.backend.instance or self.backend.name}; --instance names the first"
        )

    def _intend(self, intent: str, asked: Sequence[SamplerPub]) -> Row:
        price = self._price(asked)
        if self.whole is None or not self._begun:
            self._agree(price if self.whole is None else self.whole(price))
        self.journal.begin()  # a file that cannot be made leaves nothing else behind
        if self.begin is not None and not self._begun:
            self.begin(intent)
        self._begun = True
        who = {"task": self.task, "step": self.step, "evaluation": self.evaluation, "place": self.place}
        who |= {"machine": self.backend.name, "instance": self.backend.instance, "charges": int(price.charged)}
        who |= {"about": self.about}
        return self.journal.intend(intent, who, price, pack_pubs(asked), limit=self.most_seconds)

    def _agree(self, price: Price) -> None:
        """The price is agreed to, and within the limit, before it is told: a refusal tells it too."""
        if price.charged:
            if not self.agreed:
                raise InputError(f"{self.backend.name} charges: {price.words()}; nothing was sent (--yes agrees to it)")
            check_limit(price, self.journal.spent(), self.most_seconds)
        if self.announce is not None:
            self.announce(price)

    def _price(self, asked: Sequence[SamplerPub]) -> Price:
        return price_of(asked, self.backend.target, charged=self.backend.abilities.charges)


def desk_of(backend: Backend, patience: Patience | None = None) -> Desk:
    """Where jobs of a backend are handed in."""
    if backend.abilities.charges:
        from quantum.journal.ibm import IBMDesk

        return IBMDesk(backend.sampler, backend.machine, patience or Patience())
    return LocalDesk(backend.sampler)
