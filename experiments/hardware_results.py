"""What came of a submission: NLL and features with their scatter, beside those of exact averages and of simulators.

Everything beside the machine's own counts is computed here and costs nothing: exact averages, Aer without noise, Aer
with the noise that the machine's calibration tells of now, each with as many shots as the machine was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import Chorale, InputError
from experiments.hardware import excerpt_of, music_of, named_run, piece_of
from experiments.opening import opened
from experiments.store import Run
from experiments.submission import Note, Wish, edited, read_note
from quantum.backends import Backend, backend_named, noise_of
from quantum.excerpts import Estimate, Excerpt
from quantum.jobs import Journal, JournalSampler, NotYet
from quantum.journal.identity import Logical
from quantum.journal.kept import came, sent
from quantum.mitigation import reader
from quantum.outcomes import Kept
from quantum.samplers import SamplerFailed
from quantum.sources import chord_by_chord

BESIDE = 1  # seed of the simulators beside a machine; 0 is that of submissions to simulators
MOST_SECONDS = 60.0  # that each of them may take


@dataclass(frozen=True)
class Played:
    """An excerpt as something played it.

    Attributes:
        where: the name of it.
        shots: in each basis; None: averages.
        features: (n_slots, n_f).
        found: the NLL.
    """

    where: str
    shots: int | None
    features: NDArray[np.float64]
    found: Estimate


@dataclass(frozen=True)
class Collected:
    """A submission that has come back.

    Attributes:
        path: the submission's file.
        wish: what was asked.
        piece: the music, as it was written.
        excerpt: the network at it.
        exact: by averages.
        beside: on simulators.
        machine: what was sent for.
        mitigated: the same counts with mitigated readout, or None.
        left_out: a line for each that is missing.
        jobs: their names.
        name: the submission, in words.
    """

    path: Path
    wish: Wish
    piece: Chorale
    excerpt: Excerpt
    exact: Played
    beside: list[Played]
    machine: Played
    mitigated: Played | None
    left_out: list[str]
    jobs: list[str | None]
    name: str

    @property
    def played(self) -> list[Played]:
        """All of them, exact averages first."""
        return [self.exact, *self.beside, self.machine, *([self.mitigated] if self.mitigated else [])]


def fetched(
    run: Run,
    path: Path,
    journal: Journal,
    *,
    wait: float | None = 0,
    simulate_for: float = MOST_SECONDS,
    mitigation: str = "",
    account: str = "",
    instance: str = "",
) -> Collected | str:
    """A submission's results with what stands beside them, or a line that says that they have not come.

    Args:
        run: whose submission.
        path: of its file.
        journal: where it is written down.
        wait: seconds; None: as long as it takes.
        simulate_for: seconds that each simulator may take; 0: none is asked.
        mitigation: of readout: "mthree", or "" for none.
        account: a saved one of IBM's; "": as it was submitted.
        instance: CRN; "": as it was submitted.

    Raises:
        InputError: a file that is no submission, or an edited one, or a mitigation that cannot be had.
        ServiceFailed: no answer.
    """
    note = read_note(path)
    wish, excerpt = note.wish, _excerpt(run, path, note)
    asked = {"account": account or wish.account, "instance": instance or wish.instance}
    backend = opened(wish.machine, awake=False, **asked, **wish.options())
    sampler = Asker(backend, journal, task=run.task["key"], place=wish.backend, most_seconds=0, wait=wait)
    sampler.at(wish.repeat)
    sampler.path, sampler.first = path, note.intent
    sampler.about = f"{named_run(run)}, {music_of(run, wish)}"
    try:
        features = excerpt.shown(sampler, wish.shots)
    except NotYet as error:
        return f"{named(path, wish, music_of(run, wish))}: {error}"
    pubs = [sent(journal, one) for one in sampler.intents]
    results = [came(journal, one) for one in sampler.intents]
    better = _mitigated(excerpt, backend, wish.shots, results, pubs, mitigation) if mitigation else None
    machine = Played(where(backend), wish.shots, features, excerpt.estimate(features, results, wish.shots))
    beside, left_out = simulated(excerpt, backend, wish.shots, most_seconds=simulate_for)
    jobs = [journal.row(one).job for one in sampler.intents]
    exact, name = exactly(excerpt), named(path, wish, music_of(run, wish))
    return Collected(path, wish, piece_of(run, wish), excerpt, exact, beside, machine, better, left_out, jobs, name)


class Asker(JournalSampler):
    """A sampler with a journal that asks for what was sent, and for nothing else.

    Attributes:
        path: of the submission's file.
        first: name of its first job.
    """

    path: Path
    first: str

    def _intent(self, asked: Sequence[SamplerPub], logical: Sequence[Logical] | None) -> str:
        intent = super()._intent(asked, logical)
        row = self.journal.find(intent)
        if self.evaluation == 0 and (intent != self.first or (row and row.machine != self.backend.name)):
            raise edited(self.path)
        if self.evaluation == 0 and row is None:
            raise InputError(
                f"{self.path}: its job is not in {self.journal.path}: the same armonica submit sends it, or finds it"
            )
        return intent


def _excerpt(run: Run, path: Path, note: Note) -> Excerpt:
    try:
        return excerpt_of(run, note.wish, note.weights)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def where(backend: Backend) -> str:
    """A backend and the manner in which it was asked."""
    return ", ".join(part for part in (f"{backend.name} (sent)", backend.manner) if part)


def exactly(excerpt: Excerpt) -> Played:
    """The excerpt by averages without scatter."""
    features = excerpt.exact()
    chords = excerpt.losses(features)
    return Played("exact", None, features, Estimate(float(chords.mean()), 0.0, chords, np.zeros(len(chords))))


def simulated(excerpt: Excerpt, backend: Backend, shots: int, *, most_seconds: float) -> tuple[list[Played], list[str]]:
    """The excerpt on Aer, without noise and with that of the machine; a line for each that is left out.

    Args:
        excerpt: what is played.
        backend: where it was sent.
        shots: in each basis.
        most_seconds: that each may take; 0: none is asked.
    """
    noisy = noise_of(backend, seed=BESIDE)
    if most_seconds <= 0:
        return [], ["no simulator was asked (--simulate-for 0)"]
    found, left_out = [], [] if noisy else [f"{backend.name} has no noise of its own to compare with"]
    for simulator in (backend_named("aer", seed=BESIDE), *([noisy] if noisy else [])):
        jobs = excerpt.n_times if chord_by_chord(excerpt.source(simulator, shots)) else 1
        kept = Kept(simulator, most_seconds=most_seconds, jobs=jobs)
        try:
            features = excerpt.shown(kept, shots)
        except (InputError, SamplerFailed) as error:
            left_out.append(f"{simulator.name} is left out: {error} (--simulate-for)")
        else:
            found.append(Played(simulator.name, shots, features, excerpt.estimate(features, kept.results, shots)))
    return found, left_out


def _mitigated(
    excerpt: Excerpt, backend: Backend, shots: int, results: Sequence[Any], pubs: Sequence[Any], way: str
) -> Played:
    if chord_by_chord(excerpt.source(backend, shots)):
        raise InputError(
            "averages that went back from chord to chord were not mitigated, so what follows from them is not: "
            "readout mitigation is of excerpts that are one circuit"
        )
    read = reader(way, backend)
    features = read(results, pubs)
    found = excerpt.estimate(features, results, shots, read=lambda parts: read(parts, pubs))
    return Played(f"{backend.name}, {way}", shots, features, found)


def named(path: Path, wish: Wish, music: str) -> str:
    """A submission in words."""
    manner = ", ".join(
        f"{word} {said}" for word, said in (("twirled", wish.twirl), ("decoupled", wish.decouple)) if said
    )
    parts = [wish.machine, music, f"{wish.shots} shots", manner]
    return f"{path.stem}: " + ", ".join(part for part in parts if part)
