"""IBM's sampler, on a machine or on a fake one here.

Its newer kind (`executor_sampler.Sampler`, since 0.46) works out twirling on this side and sends another program in
another format than `SamplerV2`, which is deprecated since 0.50; both are spoken, the newer by choice. Jobs are sent
one by one or in a batch, never in a session, which is charged for the time that it waits.
"""

import warnings
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from qiskit.primitives import BaseSamplerV2, BitArray
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import cut, shown
from quantum.ladder import checked_count
from quantum.machines.abilities import Abilities, check_needs, needs_of
from quantum.machines.aer import Checked
from quantum.machines.calls import Play, circuits_in, read_pubs, shots_of
from quantum.machines.fitting import check_depth, check_gates
from quantum.machines.manner import check_manner, is_decoupled, is_twirled

PROGRAMS, MODES = ("executor", "sampler"), ("job", "batch")
OPTIONS = ("twirling", "dynamical_decoupling", "max_execution_time", "environment", "execution", "experimental")
MOST_EXECUTIONS = 10_000_000  # circuits times shots of a job; IBM's guide, "Job limits"


def checked_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options of IBM's sampler, as they are passed on.

    Raises:
        InputError: a name that is none of its, or a private job, whose results can be read once only.
    """
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise InputError(f"options of IBM's sampler are {', '.join(OPTIONS)}; got {', '.join(unknown)}")
    environment = options.get("environment") or {}
    if isinstance(environment, dict) and environment.get("private"):
        raise InputError("environment: results of a private job can be read once only, so they may be lost: leave out")
    return options


def ibm_sampler(mode: Any, options: dict[str, Any], *, program: str = "executor") -> BaseSamplerV2:
    """IBM's sampler on a machine or a batch.

    Args:
        mode: a backend, or a Batch.
        options: of the sampler, by name.
        program: "executor", or "sampler", the older one; where the client has no newer one it is the older.

    Raises:
        InputError: options that the client refuses, or a program that does not exist.
    """
    if program not in PROGRAMS:
        raise InputError(f"a program is one of {', '.join(PROGRAMS)}; got {shown(program)}")
    try:
        kind = _kind(program)
        with warnings.catch_warnings():
            # the older one is asked for by name, and says at every turn that it is old
            warnings.filterwarnings("ignore", "The SamplerV2 class is deprecated", DeprecationWarning)
            return kind(mode=mode, options=options)
    except (ValueError, TypeError) as error:
        raise InputError(f"IBM's sampler refuses its options: {cut(error, 160)}") from None


def _kind(program: str) -> Any:
    if program == "executor":
        try:
            from qiskit_ibm_runtime.executor_sampler import Sampler
        except ImportError:  # a client before 0.46
            pass
        else:
            return Sampler
    from qiskit_ibm_runtime import SamplerV2

    return SamplerV2


def fake_player(machine: Any, options: dict[str, Any], program: str) -> Play:
    """What draws the shots of a pub on a fake machine, in the client's local testing mode."""
    device = _looked_at(machine) if program == "sampler" else machine

    def play(pub: SamplerPub, seed: int) -> dict[str, BitArray]:
        # one pub a job: within a job the client gives every pub the same seed
        sampler = ibm_sampler(device, options | {"simulator": {"seed_simulator": seed}}, program=program)
        data = sampler.run([pub]).result()[0].data
        return {register.name: data[register.name] for register in pub.circuit.cregs}

    return play


def checker(
    name: str, can: Abilities, machine: Any, options: dict[str, Any], least_fidelity: float, program: str
) -> Callable[[list[SamplerPub]], None]:
    """What refuses circuits before anything is sent."""
    target = machine.target

    def check(pubs: list[SamplerPub]) -> None:
        for pub in pubs:
            needs = needs_of(pub.circuit)
            check_needs(needs, can, name)
            check_gates(pub.circuit, target, name)
            check_depth(pub.circuit, target, name, least_fidelity)
            _check_rzz(pub, name)
            if needs.decides and is_decoupled(options):
                raise InputError(f"{name} has no dynamical decoupling in a circuit with if_test: leave out one of them")
            if needs.decides and is_twirled(options) and program == "executor":
                raise InputError(f"{name} has no twirling in a circuit with if_test: leave out one of them")
        n = sum(circuits_in(pub) * shots_of(pub) for pub in pubs)
        if can.max_shots is not None and n > can.max_shots:
            raise InputError(f"{name} takes {can.max_shots} shots a job, over all its circuits; got {n}: several jobs")
        check_manner(pubs, options, name, machine, program)

    return check


class MachineSampler(BaseSamplerV2):
    """IBM's sampler on a machine that is paid for: what it cannot run is refused here, and nothing is sent.

    Args:
        machine: the client's backend.
        check: refuses pubs.
        options: of the sampler.
        shots: where a call does not say.
        program: "executor" or "sampler".
        mode: "job", or "batch": opened by the first job, ended by `close`.
    """

    def __init__(
        self,
        machine: Any,
        check: Callable[[list[SamplerPub]], None],
        *,
        options: dict[str, Any],
        shots: int,
        program: str = "executor",
        mode: str = "job",
    ) -> None:
        if mode not in MODES:
            raise InputError(
                f"a mode is one of {', '.join(MODES)}, for a session is charged while it waits; got {shown(mode)}"
            )
        self._machine, self._check, self._mode, self._batch = machine, check, mode, None
        self._options, self._program, self._shots = options, program, checked_count("the number of shots", shots)
        ibm_sampler(machine, options, program=program)  # options are looked at now, not when a job is sent

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        """The job that was made: exactly one request.

        Raises:
            InputError: what is no pub, or a circuit that the machine does not run; nothing was sent.
            ServiceFailed: no answer, or one that is none. The job may have been taken: look for its tag before another.
        """
        asked: list[Any] = read_pubs(
            pubs, self._shots if shots is None else checked_count("the number of shots", shots)
        )
        self._check(asked)
        try:
            return ibm_sampler(self._place(), self._options, program=self._program).run(asked)
        except Exception as error:  # of the client, of requests, of JSON
            from quantum.machines.wire import ServiceFailed

            said = f"{type(error).__name__}: {cut(error, 160)}"
            raise ServiceFailed(f"no answer to the request for a job, which may have been taken: {said}") from error

    @property
    def shots(self) -> int:
        """Where a call does not say."""
        return self._shots

    def check(self, asked: list[SamplerPub]) -> None:
        """Refuse pubs that the machine does not run.

        Raises:
            InputError: the line says why.
        """
        self._check(asked)

    def tagged(self, tags: list[str], most_seconds: int) -> "MachineSampler":
        """The same, whose jobs are found by their tags and are ended after so many seconds of the machine."""
        environment = self._options.get("environment") or {}
        if not isinstance(environment, dict):
            raise InputError(f"environment is a dictionary of options here; got {shown(environment)}")
        own = [*environment.get("job_tags", ()), *tags]
        twin = copy(self)
        twin._options = self._options | {
            "environment": environment | {"job_tags": own},
            "max_execution_time": most_seconds,
        }
        twin._place = self._place  # one batch for all
        return twin

    def _place(self) -> Any:
        """The machine, or the batch on it, opened here."""
        if self._mode == "batch" and self._batch is None:
            from qiskit_ibm_runtime import Batch

            self._batch = Batch(self._machine)
        return self._batch or self._machine

    def close(self) -> None:
        """End the batch: jobs that were sent are still done."""
        if self._batch is not None:
            self._batch.close()
            self._batch = None


def _looked_at(machine: Any) -> Any:
    """A fake machine whose results are looked at before the older sampler counts zeros."""
    run = machine.run
    machine.run = lambda circuits, **options: Checked(run).run(circuits, **options)
    return machine


def _check_rzz(pub: SamplerPub, name: str) -> None:
    """RZZ as a gate of its own turns from 0 to pi/2."""
    if "rzz" not in pub.circuit.count_ops():
        return
    from qiskit_ibm_runtime.exceptions import IBMInputValueError
    from qiskit_ibm_runtime.utils.validations import validate_rzz_pubs

    try:
        validate_rzz_pubs([pub])
    except IBMInputValueError as error:
        raise InputError(f"{name}: {cut(error.message, 120)}; quantum.fractional folds angles") from None
