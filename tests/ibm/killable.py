"""A process that hands in jobs and dies where it is told: loaded once, forked for every try.

    python killable.py JOURNAL     lines on stdin: "STEP KILL_AT [STEP KILL_AT]"     a line of exit codes for each

KILL_AT counts events: before and after every transaction of the journal and every word with the desk; 0: none. Two
pairs run at once. Exit codes: 0 done, 3 another process was at it, -9 killed.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from qiskit import QuantumCircuit

from quantum import backend_named
from quantum.jobs import Busy, Journal, JournalSampler, Patience
from quantum.journal.ibm import IBMDesk

QUICK = Patience(lag=0.15, pause=0.02, tries=4, answer=(5.0, 5.0))


class Counter:
    """Kills its process at the n-th event."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at, self.n = kill_at, 0

    def event(self) -> None:
        self.n += 1
        if self.n == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            self.event()
            answer = call(*given, **named)
            self.event()
            return answer

        return counted


def instrument(counter: Counter) -> None:
    changing: Any = Journal._changing

    @contextmanager
    def counted(self: Journal) -> Iterator[Any]:
        counter.event()
        with changing(self) as rows:
            yield rows
            counter.event()  # written, not committed
        counter.event()

    Journal._changing = counted
    for name in ("post", "find", "look", "fetch"):
        setattr(IBMDesk, name, counter.around(getattr(IBMDesk, name)))


def hand_in(backend: Any, circuit: QuantumCircuit, path: str, step: int, kill_at: int) -> int:
    """In a child: one job, from wherever it stands to its result."""
    instrument(Counter(kill_at))
    try:
        with Journal(path) as journal:
            sampler = JournalSampler(backend, journal, task="killed", agreed=True, most_seconds=1e6, patience=QUICK)
            sampler.at(step).run([circuit], shots=4).result()
    except Busy:
        return 3
    return 0


def forked(run: Callable[[], int]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        code = run()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        code = 4
    os._exit(code)


def main(path: str) -> None:
    backend = backend_named("ibm:fake_manila")
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    circuit = backend.pass_manager().run(bell)
    session = backend.machine.service._active_api_client._session
    session.close()  # a child must not speak on the line of another
    print("ready", flush=True)
    for line in sys.stdin:
        numbers = [int(word) for word in line.split()]
        children = [
            forked(lambda step=step, kill_at=kill_at: hand_in(backend, circuit, path, step, kill_at))
            for step, kill_at in zip(numbers[::2], numbers[1::2], strict=True)
        ]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(*codes, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
