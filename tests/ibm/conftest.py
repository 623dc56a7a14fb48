"""An account at the stand-in, two circuits whose counts are known, and a job in a line."""

import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def signed_in(ibm, monkeypatch) -> None:
    """The key and the instance are in the environment."""
    for name, value in ibm.credentials().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def service(signed_in) -> Any:
    from qiskit_ibm_runtime import QiskitRuntimeService

    return QiskitRuntimeService()


@pytest.fixture
def bell() -> Any:
    """Half 00, half 11; in gates that Manila and Torino both have, on one physical qubit pair."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


@pytest.fixture
def isa() -> Callable[[Any, Any], Any]:
    """A circuit in the gates of a machine."""
    from qiskit import transpile

    return lambda circuit, backend: transpile(circuit, backend, optimization_level=1, seed_transpiler=7)


@pytest.fixture
def sampler() -> Callable[..., Any]:
    """A sampler of either wire format, `sampler("executor", backend)`; the older one is deprecated since 0.50."""
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.executor_sampler import Sampler

    def of(kind: str, mode: Any) -> Any:
        if kind == "executor":
            return Sampler(mode)
        with pytest.warns(DeprecationWarning, match="SamplerV2 class is deprecated"):
            return SamplerV2(mode)

    return of


@pytest.fixture
def post(service, bell, isa, sampler) -> Callable[..., Any]:
    """One job of the client's: `post("a tag", shots=8)`."""
    backend = service.backend("fake_manila")
    circuit = isa(bell, backend)

    def run(*tags: str, shots: int = 8, max_execution_time: int | None = None) -> Any:
        new = sampler("executor", backend)
        new.options.environment.job_tags = list(tags)
        new.options.max_execution_time = max_execution_time
        return new.run([circuit], shots=shots)

    return run


@pytest.fixture
def hurried(monkeypatch) -> list[float]:
    """The seconds that the client would have waited before each retry; only the waiting is left out."""
    from urllib3.util.retry import Retry

    waits: list[float] = []

    def hurry(self: Retry, response: Any = None) -> None:
        waits.append((response and self.get_retry_after(response)) or self.get_backoff_time())

    monkeypatch.setattr(Retry, "sleep", hurry)
    return waits


@pytest.fixture
def get(ibm) -> "Callable[..., tuple[int, bytes]]":
    """Status and body of a plain GET of the list of jobs, without the client."""

    def ask(path: str = "/jobs") -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {ibm.account.token()}", "Service-CRN": ibm.instance}
        with urllib.request.urlopen(urllib.request.Request(ibm.url + path, headers=headers), timeout=5) as reply:
            return reply.status, reply.read()

    return ask


@pytest.fixture
def quick() -> Any:
    """Patience of a test: everything takes tenths of seconds here."""
    from quantum.jobs import Patience

    return Patience(lag=0.2, pause=0.02, tries=4, answer=(2.0, 0.6))


@pytest.fixture
def booked(signed_in, tmp_path, quick, bell) -> "Iterator[Booked]":
    """A machine with a journal: `booked.run(step)` is the job of a circuit whose counts are known."""
    from quantum import backend_named
    from quantum.jobs import Journal

    backend = backend_named("ibm:fake_manila")
    with Journal(tmp_path / "jobs.sqlite") as journal:
        yield Booked(backend, journal, quick, backend.pass_manager().run(bell))


class Booked:
    """A backend, its journal, and one circuit that is ready for it."""

    def __init__(self, backend: Any, journal: Any, patience: Any, circuit: Any) -> None:
        self.backend, self.journal, self.patience, self.circuit = backend, journal, patience, circuit

    def sampler(self, **options: Any) -> Any:
        from quantum.jobs import JournalSampler

        told = {"task": "test", "agreed": True, "patience": self.patience, "most_seconds": 1e6} | options
        return JournalSampler(self.backend, self.journal, **told)

    def run(self, step: int, shots: int = 8, **options: Any) -> Any:
        return self.sampler(**options).at(step).run([self.circuit], shots=shots)
