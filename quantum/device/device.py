"""The device: PennyLane's QNodes on anything that Qiskit can play on.

    >>> import pennylane as qp
    >>> device = QiskitDevice(wires=2, backend="aer", seed=1)
    >>> @qp.set_shots(1000)
    ... @qp.qnode(device)
    ... def bell():
    ...     qp.Hadamard(0)
    ...     qp.CNOT([0, 1])
    ...     return qp.counts(wires=[0, 1]), qp.expval(qp.X(0) @ qp.X(1))
    >>> counts, both = bell()
    >>> sorted(counts), float(both)
    (['00', '11'], 1.0)

With shots, circuits go to a sampler (`sampling`), those of one structure as one circuit with an array of angles
(`structures`); without, where that can be computed, the law of the outcomes is (`exactly`). Either way each measurement
is read from the bits of a circuit that was turned to its basis (`bases`, `outcomes`, `results`).
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pennylane as qp
from pennylane.devices import Device, ExecutionConfig, Tracker
from pennylane.tape import QuantumScript
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from encoding.errors import shown
from quantum.device.exactly import exact_outcomes
from quantum.device.given import check_wires, given_shots
from quantum.device.places import place_of
from quantum.device.preparing import as_deferred, in_own_gates
from quantum.device.questions import Played, Question, question_of
from quantum.device.refused import NAME, Refused, refusing
from quantum.device.sampling import books_of, sampled
from quantum.device.structures import template_of
from quantum.jobs import Journal
from quantum.journal.money import MOST_SECONDS
from quantum.machines.calls import LocalSampler

MOST_KEPT = 256  # circuits that are kept ready
NATIVE, DEFERRED = (None, "device", "one-shot"), "deferred"


class QiskitDevice(Device):
    """A device of PennyLane's that plays on Qiskit's samplers.

    Args:
        wires: how many, or their labels; None: those of each circuit.
        backend: a name of `quantum.backend_named` ("aer", "aer:noise=FakeTorino", "fake:FakeTorino", "ibm:NAME"), a
            `quantum.Backend`, a sampler of Qiskit's (`BaseSamplerV2`), or a backend of its (`BackendV2`).
        shots: of circuits that do not say; None: exact, where that can be computed.
        seed: of all calls of a backend by name or a `BackendV2`; None: one is drawn. A machine takes none.
        journal: a `Journal`, or the path of one; None: on machines that are charged the one of the user, else none.
        max_seconds: of machines that are charged, of everything in the journal together.
        agreed: whether the price of what is new is agreed to.
        task: beside the circuits, what jobs belong to; another name, and the same circuits are other jobs.
        options: of a backend by name, as IBM's sampler has them.

    Raises:
        Refused: no such backend, wires beyond it, the extra `ibm` missing; an InputError, and PennyLane's DeviceError.
    """

    name: Any = NAME  # a property of PennyLane's, which it also lets be an attribute

    @refusing
    def __init__(
        self,
        wires: Any = None,
        *,
        backend: Any = "aer",
        shots: Any = None,
        seed: int | None = None,
        journal: Any = None,
        max_seconds: float = MOST_SECONDS,
        agreed: bool = False,
        task: str = "",
        **options: Any,
    ) -> None:
        self._made = {"wires": wires, "backend": backend, "shots": shots, "seed": seed, "journal": journal, **options}
        self._made |= {"max_seconds": max_seconds, "agreed": agreed, "task": task}
        check_wires(wires)
        super().__init__(wires=wires)
        self._shots = given_shots(shots)  # given above, PennyLane warns that shots belong to QNodes
        self.place = place_of(backend, seed=seed, **options)
        can = self.place.can
        if self.wires is not None and can is not None and can.n_qubits is not None and len(self.wires) > can.n_qubits:
            raise Refused(f"{self.place.name} has {can.n_qubits} qubits; the device has {len(self.wires)} wires")
        self.books = books_of(journal, self.place, most_seconds=max_seconds, agreed=agreed, task=str(task))
        self._kept: OrderedDict[Hashable, QuantumCircuit] = OrderedDict()

    def setup_execution_config(
        self, config: ExecutionConfig | None = None, circuit: QuantumScript | None = None
    ) -> ExecutionConfig:
        """Gradients by parameter shifts, after the circuit was played; measurements in the middle as they are.

        Raises:
            Refused: another way of either.
        """
        config = config or ExecutionConfig()
        middle: Any = config.mcm_config
        method = middle.mcm_method
        if method not in (*NATIVE, DEFERRED):
            raise Refused(f"measurements in the middle are played ('device') or 'deferred'; got {shown(str(method))}")
        if config.device_options:
            raise Refused(f"{NAME} takes its options when it is made; got {', '.join(map(str, config.device_options))}")
        kept = DEFERRED if method == DEFERRED else "device"
        return replace(
            config,
            gradient_method="parameter-shift" if config.gradient_method == "best" else config.gradient_method,
            use_device_gradient=False,
            use_device_jacobian_product=False,
            grad_on_execution=False,
            mcm_config=replace(middle, mcm_method=kept),
        )

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> Any:
        """What is refused is refused here, and the rest decomposed into gates that Qiskit has."""
        program = qp.CompilePipeline()
        middle: Any = execution_config and execution_config.mcm_config
        if middle and middle.mcm_method == DEFERRED:
            program.add_transform(as_deferred)
            program.add_transform(qp.defer_measurements, allow_postselect=False)
        program.add_transform(_ready_to_play, wires=self.wires)
        return program

    @refusing
    def execute(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """What the circuits return, all of them played in one job.

        Args:
            circuits: a tape, or several.
            execution_config: nothing more is read from it.

        Raises:
            Refused: what cannot be played here.
        """
        tapes = _tapes([circuits] if isinstance(circuits, QuantumScript) else circuits)
        questions = [question_of(tape, self.wires) for tape in tapes]
        answers = self._answers(questions)
        found = tuple(question.results(answer) for question, answer in zip(questions, answers, strict=True))
        self._track(questions, found)
        return found[0] if isinstance(circuits, QuantumScript) else found

    def close(self) -> None:
        """Close the journal, and end a batch of IBM's, if there is one."""
        if self.books.journal is not None:
            self.books.journal.close()
        if self.place.backend is not None:
            self.place.backend.close()

    def __copy__(self) -> "QiskitDevice":
        """Another device on the same backend and journal, so that no two draw the same numbers."""
        made = object.__new__(type(self))
        vars(made).update(vars(self) | {"tracker": Tracker(), "_kept": self._kept.copy()})
        return made

    def __deepcopy__(self, memo: Any) -> "QiskitDevice":
        return self.__copy__()

    def __reduce__(self) -> Any:
        """In another process it is made once more, with the seed that it has and the number of its calls."""
        own = getattr(self.place.sampler, "sampler", self.place.sampler)
        told, calls = self._made | {"wires": self.wires, "shots": self._shots}, getattr(own, "n_calls", None)
        if not isinstance(told["backend"], str | BackendV2) or isinstance(told["journal"], Journal):
            raise Refused("a device goes to another process by names: backend='aer', and the path of a journal")
        if isinstance(own, LocalSampler):
            told["seed"] = own.first_seed
        return _made_again, (told, calls)

    def _answers(self, questions: Sequence[Question]) -> list[list[Any]]:
        drawn = [(question, one) for question in questions for one in question.played if question.tape.shots]
        shots = [_total(question) for question, _ in drawn]
        of_shots = sampled([one for _, one in drawn], shots, self.place, self._ready, self.books) if drawn else []
        seen = iter(of_shots)
        return [
            [
                next(seen) if question.tape.shots else exact_outcomes(one, self._ready(one), self.place)
                for one in question.played
            ]
            for question in questions
        ]

    def _ready(self, one: Played) -> QuantumCircuit:
        """A circuit with parameters for its angles, as the place plays it; made once for all of one structure."""
        made = self._kept.pop(one.key, None)  # at once, for other threads may be at it
        if made is None:
            written = template_of(one.operations, one.places, one.middle, () if one.ket else one.measured)
            made = self.place.ready(written)
        self._kept[one.key] = made  # the last one that was asked for
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return made

    def _track(self, questions: Sequence[Question], found: Sequence[Any]) -> None:
        if not self.tracker.active:
            return
        self.tracker.update(batches=1)
        self.tracker.record()
        for question, results in zip(questions, found, strict=True):
            played = sum(len(one.angles) for one in question.played)
            told = {"shots": played * _total(question)} if question.tape.shots else {}
            resources = question.tape.specs["resources"]
            self.tracker.update(simulations=1, executions=played, results=results, resources=resources, **told)
            self.tracker.record()


@qp.transform
def _ready_to_play(tape: QuantumScript, wires: Any = None) -> Any:
    """The transform, its mistakes as refusals."""
    return refusing(in_own_gates)(tape, wires)


def _total(question: Question) -> int:
    total = question.tape.shots.total_shots
    assert total is not None
    return total


def _tapes(circuits: Any) -> list[QuantumScript]:
    tapes = list(circuits) if isinstance(circuits, Iterable) else [circuits]
    if not all(isinstance(one, QuantumScript) for one in tapes):
        raise Refused(f"a device plays tapes, which a QNode or qp.execute makes; got {shown(circuits)}")
    return tapes


def _made_again(told: dict[str, Any], calls: int | None) -> QiskitDevice:
    made = QiskitDevice(**told)
    own: Any = getattr(made.place.sampler, "sampler", made.place.sampler)
    if calls is not None:
        own.n_calls = calls
    return made
