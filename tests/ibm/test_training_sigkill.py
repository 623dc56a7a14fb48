"""Killed at any line and begun again, a training ends with the weights it would have had, and makes no job twice."""

import json
import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from begun import begun

from experiments import Music, Store, Task, Until
from experiments.trained import Training, folder_of, read_trained
from quantum.jobs import Journal

N_STEPS = 2
pytestmark = pytest.mark.timeout(180)  # a process that loads everything is begun


@pytest.fixture
def run(tmp_path, music):
    """A network of five qubits that has learned one step, on two chords' worth of transitions."""
    from encoding.score import write_midi

    write_midi(tmp_path / "piece.mid", music(3)[0].pitches)
    settings = {"schedule": "coherent", "n_history": 1, "n_layers": 1}
    task = Task("quantum", settings, schedule=0.1, music=Music(str(tmp_path / "piece.mid")), seed=1)
    return Store(tmp_path / "runs").learn(task, until=Until(steps=1), kernel="plain")


@pytest.fixture(scope="module")
def learner(tmp_path_factory) -> Iterator[Callable[..., str]]:
    """A process that was loaded once: what it is told, and what it says."""
    complaints = tmp_path_factory.mktemp("learner") / "errors"
    with begun("killable_training.py", complaints) as ask:
        yield ask
    assert "Error" not in complaints.read_text()


@pytest.fixture
def learn(learner) -> Callable[..., int]:
    """The exit code of a process that learns: `learn(backend, run, journal, seed, kill_at)`."""

    def go(backend, run, journal, seed, kill_at) -> int:
        words = [backend, str(run), str(journal), seed, kill_at]
        return int(learner(json.dumps({"words": words, "environment": dict(os.environ)})))

    return go


def copied(run, folder):
    return shutil.copytree(run.path, folder / "run")


def weights_of(run, folder, backend, seed):
    """Of the training in a copy of the run, as bytes."""
    asked = Training(backend, "spsa", 16, 0.1, seed=seed)
    trained = read_trained(folder / "run" / folder_of(run, asked).relative_to(run.path))
    assert trained is not None
    assert trained.n_steps == N_STEPS
    return trained.losses.tobytes() + trained.weights.tobytes()


def killed_and_begun_again(run, learn, folder, backend, seed, kill_at):
    folder.mkdir()
    words = backend, copied(run, folder), folder / "jobs.sqlite", seed
    assert learn(*words, kill_at) == -9
    assert learn(*words, 0) == 0
    with Journal(folder / "jobs.sqlite") as journal:
        assert [(row.step, row.state) for row in journal.rows()] == [(step, "done") for step in range(N_STEPS)]
        assert not any(journal.extras(row.id) for row in journal.rows())
    return weights_of(run, folder, backend, seed)


def events(journal):
    """How many there were in a training that nobody killed."""
    return int(journal.with_suffix(".events").read_text())


def test_on_a_simulator_weights_are_those_of_a_training_that_nobody_killed(run, learn, tmp_path):
    """Outcomes follow from the names of jobs, so that the other training shares nothing with it but the question."""
    whole = tmp_path / "whole"
    whole.mkdir()
    assert learn("aer", copied(run, whole), whole / "jobs.sqlite", 0, 0) == 0
    assert events(whole / "jobs.sqlite") == 44
    for kill_at in (3, 23, 30):
        killed = killed_and_begun_again(run, learn, tmp_path / f"{kill_at}", "aer", 0, kill_at)
        assert killed == weights_of(run, whole, "aer", 0)


def check_at_ibm(ibm, run, learn, tmp_path, stages):
    """Each stage is a training of its own, of another seed; a third computer, without journal, finds the same jobs."""
    for seed, kill_at in enumerate(stages):
        killed = killed_and_begun_again(run, learn, tmp_path / f"{seed}", "ibm:fake_manila", seed, kill_at)
        assert len(ibm.jobs()) == N_STEPS * (seed + 1)
        fresh = tmp_path / f"{seed}-elsewhere"
        fresh.mkdir()
        assert learn("ibm:fake_manila", copied(run, fresh), fresh / "jobs.sqlite", seed, 0) == 0
        assert weights_of(run, fresh, "ibm:fake_manila", seed) == killed
        assert len(ibm.jobs()) == N_STEPS * (seed + 1)
    assert all(ibm.key.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    print(f"{len(stages)} kills over {len(ibm.jobs())} jobs of {len(stages)} trainings: a job a step, the same weights")


def test_at_ibm_jobs_are_as_many_as_steps_wherever_it_is_killed(ibm, signed_in, run, learn, tmp_path):
    check_at_ibm(ibm, run, learn, tmp_path, [19, 30, 45])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_at_ibm_wherever_it_is_killed_at_all(ibm, signed_in, run, learn, tmp_path):
    check_at_ibm(ibm, run, learn, tmp_path, range(1, 69, 4))
