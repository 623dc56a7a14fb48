"""From a trained network to circuits, counts and NLL, by the commands; machines are simulators, or the stand-in."""

import json
import re

import numpy as np
import pytest

from experiments.store import load_run

QUICK = [
    "--system",
    "quantum",
    "--kernel",
    "plain",
    "--first",
    2,
    "--excerpt",
    4,
    "--rate",
    0.01,
    "--until",
    0.02,
    "--source",
]


@pytest.fixture
def learned(armonica, music, tmp_path, monkeypatch, capsys):
    """The folder of a short run: `learned(schedule="coherent")`."""
    monkeypatch.setenv("ARMONICA_JOURNAL", str(tmp_path / "jobs.sqlite"))
    from encoding.score import write_midi

    (tmp_path / "midi").mkdir()
    for i, piece in enumerate(music(5, 4)):
        write_midi(tmp_path / "midi" / f"piece{i}.mid", piece.pitches)

    def learn(schedule="coherent", **settings):
        said = {"schedule": schedule, "n_history": 1, "n_layers": 1} | settings
        words = [f"--set={name}={value}" for name, value in said.items()]
        assert armonica("learn", *words, *QUICK, tmp_path / "midi", "--store", tmp_path / "runs") == 0
        capsys.readouterr()
        (folder,) = (path.parent for path in (tmp_path / "runs").glob("*/task.json"))
        return folder

    return learn


@pytest.mark.parametrize("schedule", ["coherent", "staggered"])
def test_an_excerpt_on_a_simulator_has_the_nll_of_exact_averages_within_its_error(learned, armonica, capsys, schedule):
    run = learned(schedule)
    assert armonica("submit", run, "--backend", "aer", "--shots", 4000) == 0
    assert armonica("submit", run, "--backend", "aer", "--shots", 4000) == 0  # the same again sends nothing
    capsys.readouterr()
    assert armonica("collect", run) == 0
    said = capsys.readouterr().out
    numbers = re.search(r"NLL ([\d.]+) \+- ([\d.e-]+), with exact averages ([\d.]+)", said)
    assert numbers is not None
    nll, error, exact = map(float, numbers.groups())
    assert 0 < error < 0.01
    assert abs(nll - exact) < 4 * error
    (path,) = (run / "hardware").glob("*.result.json")
    told = json.loads(path.read_text())
    scatter = (np.array(told["features"]) - np.array(told["exact_features"])) * np.sqrt(4000)
    assert 0 < abs(scatter).max() < 5
    assert armonica("jobs") == 0
    assert "1 job, 0 s of machines used or set aside" in capsys.readouterr().out


def test_averages_that_come_back_are_refused_with_their_price_and_sent_in_sequence_when_asked(
    learned, armonica, complaint, capsys
):
    run = learned("measured")
    said = complaint("submit", run, "--backend", "aer", "--shots", 100)
    assert re.search(r"come back from chord to chord: 3 job\(s\), 3 circuit\(s\), 300 shots, .*--sequential", said)
    assert armonica("submit", run, "--backend", "aer", "--shots", 1) == 0  # one stochastic pass
    assert armonica("submit", run, "--backend", "aer", "--shots", 100, "--sequential") == 0
    capsys.readouterr()
    assert armonica("collect", run) == 0
    said = capsys.readouterr().out.splitlines()
    assert len([line for line in said if ": aer, chorale 0, " in line and "NLL" in line]) == 2
    assert armonica("jobs") == 0
    assert "4 jobs" in capsys.readouterr().out


def test_the_error_of_an_nll_is_its_scatter_over_repeats(learned, music):
    from experiments.hardware import Wish, excerpt_of
    from quantum import Journal, JournalSampler, backend_named
    from quantum.journal.packing import unpack_pubs, unpack_result

    run, shots = load_run(learned()), 200
    excerpt, found = excerpt_of(run, Wish("aer", shots)), []
    with Journal() as journal:
        for repeat in range(40):
            sampler = JournalSampler(backend_named("aer", seed=3), journal, task="repeats").at(repeat)
            features = excerpt.shown(sampler, shots)
            packed = [unpack_result(journal.result(one), unpack_pubs(journal.pubs(one))) for one in sampler.intents]
            found.append(excerpt.estimate(features, packed, shots))
    errors = np.array([estimate.error for estimate in found])
    ratio = np.std([estimate.value for estimate in found], ddof=1) / np.sqrt(np.mean(errors**2))
    assert 0.65 < ratio < 1.4  # the scatter of 40 has 11 %


def test_a_run_that_learned_on_is_collected_as_it_was_sent(learned, armonica, capsys, tmp_path):
    run = learned()
    assert armonica("submit", run, "--backend", "aer", "--shots", 50) == 0
    before = load_run(run).trajectory.weights.shape
    words = ["--set=schedule=coherent", "--set=n_history=1", "--set=n_layers=1"]
    later = [0.05 if word == 0.02 else word for word in QUICK]
    assert armonica("learn", *words, *later, tmp_path / "midi", "--store", tmp_path / "runs") == 0
    assert load_run(run).trajectory.weights.shape >= before
    assert armonica("collect", run) == 0
    assert armonica("jobs") == 0
    assert "1 job, " in capsys.readouterr().out


def test_mistakes_are_one_line(learned, complaint, tmp_path, monkeypatch):
    from quantum import Journal

    run = learned()
    words = ["submit", run, "--backend"]
    assert "there is no journal at" in complaint("collect", run)
    assert "there is no backend 'air'" in complaint(*words, "air")
    assert "learned from chorales 0 to 1; got 7" in complaint(*words, "aer", "--chorale", 7)
    assert "has 2 to 4 chords; got 9" in complaint(*words, "aer", "--excerpt", 9)
    assert "has replicas 0 to 0; got 3" in complaint(*words, "aer", "--replica", 3)
    assert "the number of shots" in complaint(*words, "aer", "--shots", 0)
    assert "a step" in complaint(*words, "aer", "--repeat", -1)
    assert not (tmp_path / "jobs.sqlite").exists()  # what is refused begins no journal
    with Journal() as journal:
        journal.begin()
    assert "nothing of" in complaint("collect", run)
    assert "a limit is in seconds" in complaint(*words, "aer", "--max-seconds", -1)
    assert "has no job 'abc'" in complaint("cancel", "abc")
    (run / "hardware").mkdir()
    (run / "hardware" / "x.json").write_text("{}")
    assert "is no submission" in complaint("collect", run)
    notes = tmp_path / "notes"
    notes.write_text("no journal, but a text of some length\n" * 40)
    assert "is no journal" in complaint("jobs", "--journal", notes)
    monkeypatch.setenv("ARMONICA_JOURNAL", str(notes / "jobs"))
    assert "a file is in its place" in complaint("jobs")


def test_what_is_sent_to_ibm_waits_and_is_collected_or_cancelled(
    ibm, learned, armonica, complaint, capsys, monkeypatch
):
    for name, value in ibm.credentials().items():
        monkeypatch.setenv(name, value)
    run, words = learned(), ["--backend", "ibm:fake_manila", "--shots", 100]
    ibm.delays.queued = 3600
    assert "charges: 1 job(s), 1 circuit(s), 100 shots" in complaint("submit", run, *words)
    assert "of the limit of 1 s" in complaint("submit", run, *words, "--yes", "--max-seconds", 1)
    assert ibm.jobs() == []
    assert armonica("submit", run, *words, "--yes") == 0
    assert armonica("submit", run, *words, "--yes") == 0
    (job,) = ibm.jobs()
    said = capsys.readouterr().out
    assert "some 2.03 s of the machine" in said
    assert f"job {job['id']}, submitted" in said
    ibm.condition("fake_manila", "paused")
    assert armonica("collect", run, "--wait", 0) == 0
    assert "is submitted; armonica collect asks again" in capsys.readouterr().out
    assert armonica("jobs", "--look") == 0
    assert "number 1 in the queue" in capsys.readouterr().out
    assert armonica("cancel", job["id"]) == 0
    assert "cancelled" in capsys.readouterr().out
    assert "nothing is left to cancel" in complaint("cancel", job["id"])
    assert "was cancelled" in complaint("collect", run)
    ibm.delays.queued = 0
    ibm.condition("fake_manila", "online")
    assert armonica("submit", run, *words, "--yes", "--again") == 0
    assert armonica("collect", run) == 0
    assert "with exact averages" in capsys.readouterr().out
    assert [job["status"] for job in ibm.jobs()] == ["Cancelled", "Completed"]
    assert armonica("jobs") == 0
    assert "1 job, 1.025 s of machines" in capsys.readouterr().out


EDITS = {
    "shots": lambda told: told | {"shots": 60},
    "an angle": lambda told: told | {"weights": [told["weights"][0] + 1, *told["weights"][1:]]},
    "K": lambda told: told | {"weights": [*told["weights"][:-1], told["weights"][-1] + 1]},
    "machine": lambda told: told | {"machine": "exact"},
}


@pytest.mark.parametrize("what", EDITS)
@pytest.mark.parametrize("old", [False, True])
def test_an_edited_submission_is_refused_and_nothing_is_made_for_it(learned, armonica, complaint, capsys, what, old):
    run = learned()
    assert armonica("submit", run, "--backend", "aer", "--shots", 50) == 0
    (path,) = (run / "hardware").glob("*.json")
    told = EDITS[what](json.loads(path.read_text()))
    if old:  # of an armonica that wrote no digest
        del told["digest"]
    path.write_text(json.dumps(told))
    capsys.readouterr()
    if (what, old) == ("K", True):  # no job knows of the readout
        assert armonica("collect", run) == 0
    else:
        assert re.search(rf"{path.name} does not ask what was sent .* edited", complaint("collect", run))
    assert armonica("jobs") == 0
    assert "1 job, " in capsys.readouterr().out


def test_wrong_kinds_in_a_submission_are_said_with_its_file_and_the_others_are_collected(
    learned, armonica, complaint, capsys
):
    run = learned()
    assert armonica("submit", run, "--backend", "aer", "--shots", 50) == 0
    (path,) = (run / "hardware").glob("*.json")
    whole = json.loads(path.read_text())
    del whole["digest"]
    kinds = {"backend": 7, "chorale": "x", "twirl": 5, "shots": True, "weights": [float("nan")], "chords": 2.5}
    for i, wrong in enumerate({name: value} for name, value in kinds.items()):
        (run / "hardware" / f"wrong{i}.json").write_text(json.dumps(whole | wrong))
    (run / "hardware" / "short.json").write_text(json.dumps(whole | {"weights": whole["weights"][:-1]}))
    capsys.readouterr()
    assert armonica("collect", run, "--simulate-for", 0) == 2
    said, errors = capsys.readouterr()
    assert [f"hardware/wrong{i}.json is no submission" in said for i in range(6)] == [True] * 6
    assert re.search(r"short.json: a replica has \d+ weights; got an array of shape", said)
    assert f"{path.stem}: aer, chorale 0" in said
    assert "7 of 8 submissions could not be fetched" in errors


def test_a_job_of_this_computer_is_never_made_by_a_look_and_can_be_cancelled(
    learned, armonica, complaint, capsys, monkeypatch
):
    from quantum.journal.desks import LocalDesk

    def killed(*_):
        raise KeyboardInterrupt

    run = learned()
    with monkeypatch.context() as patched:
        patched.setattr(LocalDesk, "fetch", killed)
        assert armonica("submit", run, "--backend", "aer", "--shots", 50) == 130
        capsys.readouterr()
        assert armonica("jobs", "--look") == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert ", submitted, aer, " in line
    assert "made when it is collected" in line
    assert armonica("cancel", line[:12]) == 0
    assert ", cancelled, aer" in capsys.readouterr().out
    assert armonica("jobs", "--look") == 0
    assert ", cancelled, aer" in capsys.readouterr().out
    assert "nothing is left to cancel" in complaint("cancel", line[:12])
    assert "was cancelled; --again" in complaint("submit", run, "--backend", "aer", "--shots", 50)
    assert armonica("submit", run, "--backend", "aer", "--shots", 50, "--again") == 0
    assert armonica("collect", run, "--simulate-for", 0) == 0


def test_times_and_ways_that_are_none_are_refused_before_anything_is_fetched(learned, complaint):
    from quantum import Journal

    run = learned()  # nothing was submitted, and that would be the next complaint
    with Journal() as journal:
        journal.begin()
    for wrong in ("nan", -1):
        assert f"(--wait) is in seconds, at least 0; got {wrong}" in complaint("collect", run, "--wait", wrong)
        said = complaint("collect", run, "--simulate-for", wrong)
        assert f"(--simulate-for) is in seconds, at least 0; got {wrong}" in said
        words = ["train", run, "--backend", "aer", "--steps", 1, "--rate", 0.1, "--wait", wrong]
        assert "(--wait) is in seconds" in complaint(*words)
    assert "readout is mitigated by mthree; got 'foo'" in complaint("collect", run, "--readout-mitigation", "foo")
