"""Outcomes that are kept: shown again, in part, so that a number made of them can be told with its scatter."""

from collections.abc import Iterable, Sequence
from typing import Any

from numpy.typing import NDArray
from qiskit.primitives import BaseSamplerV2, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from quantum.machines.aer import seconds_of
from quantum.machines.backend import Backend


def some_shots(results: Sequence[PrimitiveResult], kept: NDArray) -> list[PrimitiveResult]:
    """The same results with some of their shots.

    Args:
        results: of a sampler.
        kept: numbers of the shots that are left.
    """
    numbers = kept.tolist()

    def part(one: Any) -> SamplerPubResult:
        registers = {name: one.data[name].slice_shots(numbers) for name in one.data}
        return SamplerPubResult(DataBin(**registers, shape=one.data.shape))

    return [PrimitiveResult([part(result[i]) for i in range(len(result))]) for result in results]


class Shown(BaseSamplerV2):
    """Outcomes that are known, in the place of a machine.

    Args:
        results: of the jobs, in their order.
    """

    def __init__(self, results: Iterable[PrimitiveResult]) -> None:
        self._results = iter(results)

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        """The next result, whatever is asked for."""
        return _Done(next(self._results))


class Kept(BaseSamplerV2):
    """A simulator that keeps what it showed, and refuses what would take long.

    Args:
        backend: of this computer.
        most_seconds: of all jobs, as `quantum.machines.aer.seconds_of` estimates them.
        jobs: that there will be, one like the other.

    Attributes:
        results: of the jobs, in their order.
        pubs: of each job, as they were played.
    """

    def __init__(self, backend: Backend, *, most_seconds: float = float("inf"), jobs: int = 1) -> None:
        self.backend, self._most, self._jobs = backend, most_seconds, jobs
        self.results: list[PrimitiveResult] = []
        self.pubs: list[list[SamplerPub]] = []

    def pass_manager(self) -> Any:
        """What makes circuits ready for it."""
        return self.backend.pass_manager()

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        """The result, kept.

        Raises:
            InputError: it cannot be played there, or would take longer than it may.
        """
        asked = self.backend.checked(pubs, shots=shots)
        takes = self._jobs * sum(seconds_of(pub, noisy=self.backend.abilities.noisy) for pub in asked)
        if takes > self._most:
            raise InputError(f"it would take some {takes:.0f} s, and {self._most:g} s may be spent")
        self.results.append(self.backend.run(asked).result())
        self.pubs.append(asked)
        return _Done(self.results[-1])


class _Done:
    """A job that is done."""

    def __init__(self, result: PrimitiveResult) -> None:
        self._result = result

    def result(self) -> PrimitiveResult:
        return self._result
