"""Learning on from the shots of a backend, through the journal: of simulators, and of the stand-in for IBM."""

import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from encoding import InputError
from experiments.hardware_training import exact_losses, train
from experiments.store import load_run, system_of
from experiments.trained import Held, Training, folder_of
from quantum.jobs import Journal
from stand_in.account import FREE, PAID

WORDS = ["--system", "quantum", "--kernel", "plain", "--first", 1, "--excerpt", 3, "--rate", 0.01, "--until", 0.02]
SETTINGS = {"n_history": 1, "n_layers": 1}
ALL = {"most_seconds": 0, "told": lambda line: None}


@pytest.fixture
def learned(armonica, music, tmp_path, monkeypatch, capsys):
    """The folder of a short run: `learned(schedule="coherent")`."""
    monkeypatch.setenv("ARMONICA_JOURNAL", str(tmp_path / "jobs.sqlite"))
    from encoding.score import write_midi

    (tmp_path / "midi").mkdir()
    write_midi(tmp_path / "midi" / "piece.mid", music(4)[0].pitches)

    def learn(schedule="coherent"):
        said = [f"--set={name}={value}" for name, value in (SETTINGS | {"schedule": schedule}).items()]
        assert armonica("learn", *said, *WORDS, "--source", tmp_path / "midi", "--store", tmp_path / "runs") == 0
        capsys.readouterr()
        (folder,) = (path.parent for path in (tmp_path / "runs").glob("*/task.json"))
        return folder

    return learn


def contents(folder):
    """What every file of the run itself holds."""
    files = (path for path in folder.rglob("*") if path.is_file() and "hardware" not in path.parts)
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in files}


def test_the_loss_goes_down_a_job_a_step_and_the_run_stays_as_it_is(learned):
    folder = learned()
    run, before = load_run(folder), contents(folder)
    asked = Training("aer", "spsa", 400, 0.3, pairs=2)
    with Journal() as journal:
        trained = train(run, asked, journal, steps=15, **ALL)
        assert [row.step for row in journal.rows("done")] == list(range(15))
        assert {row.circuits for row in journal.rows()} == {5}  # the angles themselves, and two pairs
        again = train(run, asked, journal, steps=15, **ALL)
        assert len(journal.rows()) == 15
    assert trained.losses[-3:].mean() < trained.losses[:3].mean() - 0.05
    first, last = exact_losses(run, asked, trained)
    assert last < first - 0.05
    assert trained.weights.shape == (16, len(again.weights[0]))
    assert again.weights.tobytes() == trained.weights.tobytes()
    assert contents(folder) == before


def test_more_steps_go_on_from_fewer_and_another_seed_is_another_training(learned, tmp_path):
    run = load_run(learned())
    asked = Training("aer", "spsa", 50, 0.1)
    with Journal() as journal:
        train(run, asked, journal, steps=1, **ALL)
        pieces = train(run, asked, journal, steps=3, **ALL)
        other = train(run, Training("aer", "spsa", 50, 0.1, seed=1), journal, steps=3, **ALL)
        assert len(journal.rows()) == 6
    assert (other.weights[1:] != pieces.weights[1:]).any()
    with Journal(tmp_path / "other.sqlite") as journal:
        pieces.path.rename(tmp_path / "aside")
        whole = train(run, asked, journal, steps=3, **ALL)
    assert whole.weights.tobytes() == pieces.weights.tobytes()
    assert whole.losses.tobytes() == pieces.losses.tobytes()


@pytest.mark.parametrize("schedule", ["coherent", "measured"])
def test_a_gradient_through_the_journal_is_that_of_our_own_shots(learned, schedule):
    run = load_run(learned(schedule))
    with Journal() as journal:
        trained = train(run, Training("aer", "parameter-shift", 500, 1.0), journal, steps=1, **ALL)
        assert len(journal.rows()) == (2 if schedule == "measured" else 1)
    system, (piece,) = system_of(run), run.chorales()
    # `system_of` gives any System; this one has `on`
    twin = system.on([piece], shots=500, rule="parameter-shift", batch=None)  # pyright: ignore[reportAttributeAccessIssue]
    drawn = []
    for _ in range(30):  # each step draws anew, at the same weights
        before = twin.weights()
        twin.step(1.0)
        drawn.append((before - twin.weights())[0])
        twin.put(before)
    own, found = np.array(drawn, float), trained.weights[0].astype(float) - trained.weights[1]
    scatter = np.sqrt(own.var(0, ddof=1) * (1 + 1 / 30)) + 1e-6  # of float32
    assert abs((found - own.mean(0)) / scatter).max() < 5.5  # Student's t of 30, of some 300 numbers
    angles = slice(0, system.layout()["K"].slice.start)
    assert abs(found[angles]).max() > 3 * scatter[angles].max()


def test_jobs_at_ibm_are_as_many_as_steps_and_nothing_goes_there_unasked(
    machine_at_ibm, learned, armonica, complaint, capsys
):
    run = learned()
    words = ["train", run, "--backend", "ibm:fake_manila", "--steps", 3, "--rate", 0.1, "--shots", 20]
    said = complaint(*words)
    assert "ibm:fake_manila charges: 3 job(s), 9 circuit(s), 180 shots" in said
    assert "nothing was sent (--yes agrees to it)" in said
    assert "3 job(s), 9 circuit(s)" in (said := complaint(*words, "--yes", "--max-seconds", 5))
    assert "of the limit of 5 s" in said  # of which one job would take some 2
    assert machine_at_ibm.jobs() == []
    assert not (run / "hardware").exists()
    assert armonica(*words, "--yes") == 0
    assert armonica(*words, "--yes") == 0
    said = capsys.readouterr().out
    assert "steps 1 to 3: 3 job(s), 9 circuit(s), 180 shots" in said
    assert [f"step {n}: NLL" in said for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert len(re.findall(r"step \d: NLL [\d.]+, one draw of \d+ shots$", said, re.MULTILINE)) == 3
    assert "3 steps are made already" in said
    assert len(machine_at_ibm.jobs()) == 3
    assert "2 job(s), 6 circuit(s)" in complaint(*words[:4], "--steps", 5, *words[6:])  # what is left


def test_chord_by_chord_it_is_a_job_a_chord(machine_at_ibm, learned, armonica, capsys):
    words = ["--backend", "ibm:fake_manila", "--steps", 2, "--rate", 0.1, "--shots", 20, "--yes"]
    assert armonica("train", learned("measured"), *words) == 0
    assert "steps 1 to 2: 4 job(s), 12 circuit(s), 240 shots" in capsys.readouterr().out
    assert len(machine_at_ibm.jobs()) == 4


def test_who_does_not_wait_or_is_stopped_finds_the_job_again(
    machine_at_ibm, learned, armonica, complaint, capsys, monkeypatch
):
    from quantum.journal import collecting

    class Stopped:
        @staticmethod
        def sleep(seconds):
            raise KeyboardInterrupt

    run = learned()
    words = ["train", run, "--backend", "ibm:fake_manila", "--steps", 2, "--rate", 0.1, "--shots", 20, "--yes"]
    machine_at_ibm.delays.queued = 2.5
    assert armonica(*words, "--wait", 0) == 0
    assert "is submitted; the same command goes on with it" in capsys.readouterr().out
    with monkeypatch.context() as patched:
        patched.setattr(collecting, "time", Stopped)
        assert armonica(*words) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert len(machine_at_ibm.jobs()) == 1
    machine_at_ibm.delays.queued = 0
    assert armonica(*words) == 0
    assert len(machine_at_ibm.jobs()) == 2
    assert {job["status"] for job in machine_at_ibm.jobs()} == {"Completed"}


def test_a_job_that_failed_is_sent_once_more_only_when_asked(machine_at_ibm, learned, armonica, complaint):
    run = learned()
    words = ["train", run, "--backend", "ibm:fake_manila", "--steps", 2, "--rate", 0.1, "--shots", 20]
    machine_at_ibm.faults("jobs.run", "fails")
    for _ in range(2):
        assert "--again sends another" in complaint(*words, "--yes")
    assert len(machine_at_ibm.jobs()) == 1
    assert "another costs again: nothing was sent" in complaint(*words, "--again")
    assert armonica(*words, "--again", "--yes") == 0
    assert sorted(job["status"] for job in machine_at_ibm.jobs()) == ["Completed", "Completed", "Failed"]


def test_mistakes_are_one_line(learned, complaint):
    run = learned()
    words = ["train", run, "--backend", "aer", "--rate", 0.1, "--shots", 10, "--steps"]
    assert "the number of steps is a whole number of at least 1; got 0" in complaint(*words, 0)
    assert "spsa; got 'adjoint'" in complaint(*words, 1, "--rule", "adjoint")
    assert "learned from chorales 0 to 0; got 3" in complaint(*words, 1, "--chorale", 3)
    assert "has 2 to 3 chords; got 1" in complaint(*words, 1, "--excerpt", 1)
    assert "has replicas 0 to 0; got 1" in complaint(*words, 1, "--replica", 1)
    assert "spsa_shift is an angle" in complaint(*words, 1, "--shift", -1)
    assert "seed is a whole number" in complaint(*words, 1, "--seed", -1)
    assert "a rate is finite and not negative" in complaint(*words[:4], "--rate", "nan", *words[6:], 1)
    assert "a rate of 0 sends all the jobs" in complaint(*words[:4], "--rate", 0, *words[6:], 1)
    assert "are of spsa" in complaint(*words, 1, "--rule", "parameter-shift", "--pairs", 2)
    assert "are of spsa" in complaint(*words, 1, "--rule", "parameter-shift", "--shift", 0.2)
    assert not (run / "hardware").exists()
    assert "leaves the finite numbers" in complaint(*words[:4], "--rate", "1e300", *words[6:], 2)
    assert not list(run.glob("hardware/*/*.part"))


def test_a_damaged_training_is_said(learned, complaint, armonica):
    run = learned()
    words = ["train", run, "--backend", "aer", "--rate", 0.1, "--shots", 10, "--steps"]
    assert armonica(*words, 1) == 0
    (kept,) = run.glob("hardware/*/learned.npz")
    kept.write_bytes(kept.read_bytes()[:200])
    assert "aside to begin anew" in complaint(*words, 2)


def without_a_weight(held):
    return held | {"weights": held["weights"][:, :-1], "state.weights": held["state.weights"][:, :-1]}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (without_a_weight, "learned.npz: state 'weights' is"),
        (lambda held: held | {"weights": held["weights"][:, :-1]}, "are not the last ones"),
        (lambda held: held | {"state.weights": held["state.weights"] + 1}, "are not the last ones"),
        (lambda held: held | {"losses": held["losses"] * np.nan}, "not finite"),
        ({}, "task.json names no machine"),
        ({"machine": 3}, "task.json names no machine"),
    ],
)
def test_what_was_edited_is_refused_before_a_job_is_sent(learned, complaint, armonica, wrong, said):
    run = learned()
    words = ["train", run, "--backend", "aer", "--rate", 0.1, "--shots", 10, "--steps"]
    assert armonica(*words, 1) == 0
    (kept,) = run.glob("hardware/*/learned.npz")
    if isinstance(wrong, dict):
        kept.with_name("task.json").write_text(json.dumps(wrong))
    else:
        with np.load(kept) as held:
            arrays = dict(held)
        np.savez(kept, **wrong(arrays))
    assert said in complaint(*words, 2)
    with Journal() as journal:
        assert len(journal.rows()) == 1


def test_options_that_came_later_leave_older_trainings_their_names():
    asked = Training("aer", "spsa", 400, 0.3, pairs=2)
    assert asked.key("a" * 64) == "215112c796d3735495cbb24ad8eb116f7fa403148da1d7270277de541311d715"
    told = Training("ibm:x", "parameter-shift", 10, 1, chords=3, seed=2)
    assert told.key("b" * 64) == "32dcb2deaf43163a519e99bd46496d47b7bdfd6c6533224e4254490f3b89a074"
    who = Training("ibm:x", "parameter-shift", 10, 1, chords=3, seed=2, program="sampler", account="a", instance="crn:")
    assert who.key("b" * 64) == told.key("b" * 64)
    for other in (replace(told, twirl="gates"), replace(told, decouple="XX")):
        assert other.key("b" * 64) != told.key("b" * 64)


def test_a_training_is_asked_in_the_manner_and_instance_that_was_said_and_goes_on_there(
    machine_at_ibm, short_run, armonica, complaint
):
    words = ["train", short_run(), "--backend", "ibm:fake_manila", "--rate", 0.1, "--shots", 64, "--yes", "--steps"]
    assert PAID.crn == machine_at_ibm.instance
    there = ["--instance", FREE.crn]
    assert armonica(*words, 1, *there) == 0
    assert armonica(*words, 2) == 0
    machine_at_ibm.delays.queued = 3600
    assert armonica(*words, 3, "--wait", 0) == 0
    assert f"was sent for the instance {FREE.crn}: nothing was sent to {PAID.crn}" in complaint(
        *words, 3, "--instance", PAID.crn
    )
    assert armonica(*words, 1, "--twirl", "gates", "--decouple", "XX", "--wait", 0) == 0
    with Journal() as journal:
        rows = journal.rows()
    assert [row.instance for row in rows] == [FREE.crn] * 3 + [PAID.crn]
    assert ["twirling" in row.place and "decoupling" in row.place for row in rows] == [False] * 3 + [True]
    assert len(machine_at_ibm.jobs()) == 4


def test_two_steps_on_a_fake_machine_are_a_job_each(short_run, armonica, capsys):
    words = ["--backend", "fake:FakeManilaV2", "--rate", 0.1, "--shots", 64, "--steps", 2]
    assert armonica("train", short_run(), *words) == 0
    assert "NLL with exact averages " in capsys.readouterr().out
    with Journal() as journal:
        assert [(row.machine, row.state) for row in journal.rows()] == [("fake:FakeManilaV2", "done")] * 2


def test_the_older_program_is_asked_where_it_is_said(machine_at_ibm, short_run, armonica):
    words = ["--backend", "ibm:fake_manila", "--rate", 0.1, "--shots", 20, "--steps", 1, "--yes"]
    assert armonica("train", short_run(), *words, "--program", "sampler") == 0
    assert [job["program"]["id"] for job in machine_at_ibm.jobs()] == ["sampler"]


def test_where_a_training_stands_is_said_first_and_how_its_job_stands_last(machine_at_ibm, short_run, armonica, capsys):
    words = ["train", short_run(), "--backend", "ibm:fake_manila", "--rate", 0.1, "--shots", 20, "--yes", "--steps", 2]
    machine_at_ibm.delays.queued = 3600
    seen = []
    for _ in range(2):
        capsys.readouterr()
        assert armonica(*words, "--wait", 0) == 0
        seen.append([line.partition(":")[0] for line in capsys.readouterr().out.splitlines()])
    folder = seen[0][-1]
    stands = f"{folder.rpartition('/')[2]} on ibm"
    assert seen == [[stands, "steps 1 to 2", "step 1", folder], [stands, "step 1", folder]]


def test_of_two_at_one_training_the_second_is_told_and_sends_nothing(short_run, complaint, armonica, tmp_path):
    folder = short_run()
    run, asked = load_run(folder), Training("aer", "spsa", 20, 0.1)
    words = ["train", folder, "--backend", "aer", "--rate", 0.1, "--shots", 20, "--steps"]
    said = "one process at a time learns in .*/hardware/train-.*; another one does now: wait for it"
    with Journal() as journal:
        trained = train(run, asked, journal, steps=1, **ALL)
        with Held(folder_of(run, asked)) as first:
            assert first.begun() is not None
            assert re.search(said, complaint(*words, 2))
            assert armonica(*words, 1, "--seed", 1) == 0  # another training is not in the way
        assert len(journal.rows()) == 2
        assert armonica(*words, 2) == 0
    twice = tmp_path / "twice"
    start = replace(trained, path=twice)
    with Held(twice) as second:
        assert second.begun() is None
        with Held(twice) as first:  # both found nothing
            first.begin(start, asked)
            with pytest.raises(InputError, match="one process at a time"):
                second.begin(start, asked)
        with pytest.raises(InputError, match=r"another process has begun .*twice: nothing was sent"):
            second.begin(start, asked)
