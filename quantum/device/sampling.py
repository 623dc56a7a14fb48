"""Circuits that are played with shots: all that are asked for together in one job, those of one structure in one pub.

On a machine whose time is paid for, and wherever a journal is given, the job goes through the journal. Its name is made
of the circuits as PennyLane has them, their angles and shots, and of how often the device was asked exactly this: a
program that is run again after a crash asks the same, and finds the outcomes.
"""

import hashlib
import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from math import inf
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError

from encoding import InputError
from encoding.errors import shown
from quantum.device.outcomes import Outcomes
from quantum.device.places import Place, bound_and_folded
from quantum.device.questions import Played
from quantum.device.refused import Refused
from quantum.device.structures import END, MIDDLE
from quantum.jobs import Journal, JournalSampler
from quantum.journal.money import MOST_SECONDS

Ready = Callable[[Played], QuantumCircuit]


@dataclass
class Books:
    """How jobs are written down.

    Attributes:
        journal: where; None: nowhere.
        most_seconds: of paid machines, of everything in the journal.
        agreed: whether the price is.
        task: beside the circuits, what the jobs belong to: another name, other jobs.
        options: more of `JournalSampler`.
        answered: of each set of circuits, how often it was asked for; what is asked right now is among them.
    """

    journal: Journal | None
    most_seconds: float = MOST_SECONDS
    agreed: bool = False
    task: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    answered: set[tuple[str, int]] = field(default_factory=set)
    lock: Any = field(default_factory=Lock)

    def result(self, place: Place, pubs: list[Any], meant: list[dict[str, Any]]) -> Any:
        """The outcomes of some circuits, which mean this; one job."""
        if self.journal is None or place.backend is None:
            return _shown_by(place, pubs)
        digest = hashlib.sha256(f"{self.task}\0{[sorted(one) for one in meant]}".encode())
        for one in meant:
            digest.update(one["structure"].encode() + np.ascontiguousarray(one["angles"] + 0.0).tobytes())
            digest.update(str((np.shape(one["angles"]), one["shots"])).encode())
        task = digest.hexdigest()
        limits = {"most_seconds": self.most_seconds, "agreed": self.agreed}
        sampler = JournalSampler(place.backend, self.journal, task=task, **limits, **self.options)
        with self._time(task) as time:
            return sampler.at(time).run(pubs, logical=meant).result()

    @contextmanager
    def _time(self, task: str) -> Iterator[int]:
        """How often this was answered already; who is interrupted before the answer, and asks again, asks the same."""
        with self.lock:
            time = next(n for n in count() if (task, n) not in self.answered)
            self.answered.add((task, time))
        try:
            yield time
        except BaseException:
            self.answered.discard((task, time))
            raise


def _shown_by(place: Place, pubs: list[Any]) -> Any:
    try:
        return place.sampler.run(pubs).result()
    except QiskitError as error:
        if place.backend is not None:  # ours say in lines of their own what they do not play
            raise
        said = " ".join(str(error.message).split())[:160]
        raise Refused(f"{place.name} does not play the circuit: {said}") from None


def books_of(journal: Any, place: Place, **limits: Any) -> Books:
    """The books that a place needs.

    Args:
        journal: a `Journal`, the path of one, or None: one in the user's data folder where time is paid for.
        place: where circuits are played.
        limits: of `Books`.

    Raises:
        InputError: no journal, or one of what no journal can be kept of; no limit, or no plain yes or no.
    """
    charges = place.can is not None and place.can.charges
    most, agreed = limits.get("most_seconds", MOST_SECONDS), limits.get("agreed", False)
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 <= most < inf:
        raise InputError(f"max_seconds is a limit in seconds, at least 0; got {shown(most)}")
    if not isinstance(agreed, bool):  # a word that says no is true to Python
        raise InputError(f"agreed is True or False; got {shown(agreed)}")
    if journal is None and not charges:
        return Books(None, **limits)
    if place.backend is None:
        raise InputError(f"a journal is kept of a backend by name; {place.name} is none")
    if journal is not None and not isinstance(journal, Journal | str | os.PathLike):
        raise InputError(f"a journal is a Journal or its path; got {shown(journal)}")
    return Books(journal if isinstance(journal, Journal) else Journal(journal), **limits)


def sampled(played: Sequence[Played], shots: Sequence[int], place: Place, ready: Ready, books: Books) -> list[Outcomes]:
    """The outcomes of circuits, in one job.

    Args:
        played: the circuits.
        shots: of each.
        place: where.
        ready: makes one ready for it.
        books: how it is written down.
    """
    together: dict[Hashable, list[int]] = {}
    for which, (one, times) in enumerate(zip(played, shots, strict=True)):
        together.setdefault((one.key, times), []).append(which)
    pubs, meant, owners = [], [], []
    for group in together.values():
        first, circuit, times = played[group[0]], ready(played[group[0]]), shots[group[0]]
        angles = np.concatenate([played[which].angles for which in group])  # (rows, n_angles)
        some = _pubs(circuit, angles, times, place.folds)
        pubs.extend(some)
        meant.extend(_meant(first, angles, times, len(some)))
        owners.append((group, len(some)))
    answers = iter(books.result(place, pubs, meant))
    found: list[Outcomes | None] = [None] * len(played)
    for group, n_pubs in owners:
        parts = [next(answers).data for _ in range(n_pubs)]
        for which, outcomes in zip(group, _each(played, group, parts), strict=True):
            found[which] = outcomes
    return [one for one in found if one is not None]


def _pubs(circuit: QuantumCircuit, angles: NDArray[Any], shots: int, folds: bool) -> list[Any]:
    """One pub with an array of angles, or one a row, with numbers."""
    columns = [parameter.index for parameter in circuit.parameters]  # what is left after compiling
    if folds:
        return [(bound_and_folded(circuit, row[columns]), None, shots) for row in angles]
    return [(circuit, angles[:, columns], shots)] if columns else [(circuit, None, shots)] * len(angles)


def _meant(one: Played, angles: NDArray[Any], shots: int, n_pubs: int) -> list[dict[str, Any]]:
    """What the pubs of one structure mean, whatever they were compiled to."""
    structure = hashlib.sha256(repr(one.key).encode()).hexdigest()
    rows = [angles] if n_pubs == 1 else [angles[k : k + 1] for k in range(n_pubs)]
    return [{"structure": structure, "angles": some, "shots": shots} for some in rows]


def _each(played: Sequence[Played], group: list[int], parts: Sequence[Any]) -> list[Outcomes]:
    """The rows of each circuit of a group."""
    names = [name for name, used in ((MIDDLE, played[group[0]].middle), (END, played[group[0]].measured)) if used]
    bits = {name: np.concatenate([_columns(part[name]) for part in parts]) for name in names}  # (rows, n_bits, S)
    found, start = [], 0
    for which in group:
        one, stop = played[which], start + len(played[which].angles)
        ends = {wire: bits[END][start:stop, k] for k, wire in enumerate(one.measured)}
        middle = {key: bits[MIDDLE][start:stop, k] for k, key in enumerate(one.middle)}
        found.append(Outcomes(ends, middle))
        start = stop
    return found


def _columns(register: Any) -> NDArray[np.uint8]:
    """Bit k of the register at every shot, (rows, n_bits, S)."""
    array, n = register.array, register.num_bits  # (..., S, n_bytes), the last bit of the last byte is bit 0
    array = array.reshape(-1, *array.shape[-2:])
    bits = np.unpackbits(array, axis=-1, bitorder="big")[..., ::-1][..., :n]
    return np.ascontiguousarray(np.moveaxis(bits, -1, 1))
