"""A sweep makes what is missing and nothing else, stopped and started at any time."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from encoding import InputError
from experiments import session, sweep_session
from experiments.learner import Progress
from experiments.store import Store, load_run
from experiments.study import Planned, load_study
from experiments.sweep import State, estimate, states, sweep
from experiments.sweep_session import described, dry_run
from experiments.until import Until

GLASS = """
figure = "fig2"
about = "Glasses."
[common]
system = "spherical-glass"
settings = { n_spins = [8, 12, 16] }
looks = { per_decade = 5 }
[smoke]
replicas = 2
rate = 0.05
until = { time = 3 }
[laptop]
rate = 0.001
until = { time = 1000 }
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "glasses.toml"
    file.write_text(GLASS)
    return str(file)


@pytest.fixture
def study(path):
    return load_study(path, "smoke")


def files(store):
    return {path: path.read_bytes() for path in sorted(store.path.glob("*/trajectory.jsonl"))}


def test_what_is_missing_is_made_and_what_is_there_is_left_alone(study, tmp_path):
    store = Store(tmp_path / "runs")
    assert [state.over for state in states(study, store)] == ["", "", ""]
    made = list(sweep(study, store))
    assert [state.over for state in made] == ["done"] * 3
    before = {path: path.stat().st_mtime_ns for path in store.path.glob("*/*") if path.name != "lock"}
    assert list(sweep(study, store)) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_sweep_stopped_in_the_middle_gives_the_runs_of_an_unbroken_one(study, tmp_path):
    whole, broken = Store(tmp_path / "whole"), Store(tmp_path / "broken")
    list(sweep(study, whole))
    calls = [0]

    def stop_now_and_then(_):
        calls[0] += 1
        return calls[0] % 2 == 0

    for _ in range(40):
        list(sweep(study, broken, callback=lambda state: stop_now_and_then))
        if all(state.over for state in states(study, broken)):
            break
    assert calls[0] > 3
    assert list(files(broken).values()) == list(files(whole).values())


def test_a_run_that_was_longer_before_is_done(study, tmp_path):
    store = Store(tmp_path / "runs")
    store.learn(study.planned[0].task, until=4.0)
    assert [state.over for state in states(study, store)] == ["done", "", ""]


def test_a_run_that_diverges_is_told_and_the_others_are_made(tmp_path):
    file = tmp_path / "hot.toml"
    file.write_text(
        GLASS.replace('"spherical-glass"', '"deep-rnn"')
        .replace("n_spins = [8, 12, 16]", 'depth = 1, width = 3, rule = "exact", cost = "squared", batch = "none"')
        .replace("rate = 0.05", 'rate = 1e39\nmusic = { source = "music21", first = 1, excerpt = 4 }')
        .replace("time = 3", "time = 1e42")
    )
    study, store = load_study(str(file), "smoke"), Store(tmp_path / "runs")
    (state,) = sweep(study, store)
    assert state.over == "diverged"
    assert list(sweep(study, store)) == []  # it would diverge again


def test_an_estimate_counts_the_steps_that_are_left(path, tmp_path):
    study, store = load_study(path, "laptop"), Store(tmp_path / "runs")
    fresh = estimate(states(study, store)[0])
    assert fresh.steps == pytest.approx(1e6)
    assert 0 < fresh.seconds < 1e6 * 0.1
    store.learn(study.planned[0].task, until=Until(steps=1000))
    assert estimate(states(study, store)[0]).steps == pytest.approx(999_000)
    done = State(study.planned[0], None, "done")
    assert (estimate(done).steps, estimate(done).seconds) == (0, 0)


def test_an_end_at_a_loss_alone_has_no_estimate(study):
    planned = Planned(study.planned[0].task, Until(loss=-1), 0.05)
    with pytest.raises(InputError, match="add a time"):
        estimate(State(planned, None, ""))


CLI = "from experiments.cli import main; main()"


def armonica(*words):
    return [sys.executable, "-c", CLI, *map(str, words)]


def test_processes_side_by_side_make_the_same_runs(study, path, tmp_path):
    alone = Store(tmp_path / "alone")
    list(sweep(study, alone))
    asked = armonica("sweep", path, "--scale", "smoke", "--jobs", 2, "--store", tmp_path / "beside")
    said = subprocess.run(asked, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    assert "[3/3]" in said.stderr
    assert list(files(Store(tmp_path / "beside")).values()) == list(files(alone).values())


def test_ctrl_c_ends_a_sweep_with_everything_saved(path, tmp_path):
    asked = armonica("sweep", path, "--store", tmp_path / "runs")
    running = subprocess.Popen(asked, stderr=subprocess.PIPE, text=True)
    rows = tmp_path / "runs"
    for _ in range(500):
        if any(file.stat().st_size > 200 for file in rows.glob("*/trajectory.jsonl")):
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130, said
    assert "stopped" in said.splitlines()[-1]
    study = load_study(path, "laptop")
    (first, *rest) = states(study, Store(rows))
    assert first.standing is not None
    assert first.standing.step > 0
    assert [state.standing for state in rest] == [None, None]
    assert np.isfinite(load_run(Store(rows).folder(study.planned[0].task)).trajectory.loss).all()


def test_a_dry_run_learns_nothing_and_says_how_much_is_missing(path, tmp_path):
    asked = armonica("sweep", path, "--dry-run", "--store", tmp_path / "runs")
    said = subprocess.run(asked, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    last = said.stdout.splitlines()[-1]
    assert "3 of 3 runs missing, 3e+06 steps" in last
    assert not (tmp_path / "runs").exists()


def test_a_run_is_told_by_what_differs_among_its_kind_and_by_its_size():
    study = load_study("quantum-learnability", "laptop")
    said = {described(planned, study): planned for planned in study.planned}
    assert len(said) == len(study.planned) > 10
    for words, planned in said.items():
        assert ("n_layers" in words) == (planned.task.system == "quantum")
        assert "polar" not in words  # all networks have one, and the same
        assert "spsa_pairs" not in words


def test_a_dry_run_of_what_is_done_says_so_and_no_more(study, tmp_path, capsys):
    store = Store(tmp_path / "runs")
    list(sweep(study, store))
    dry_run(study, store)
    *runs, last = capsys.readouterr().out.splitlines()
    assert len(runs) == 3
    assert last == "glasses at scale smoke: nothing is missing of its 3 runs"


def test_a_dry_run_says_where_a_set_has_fewer_chorales_than_were_asked_for(tmp_path, jsb_path, capsys):
    file = tmp_path / "many.toml"
    file.write_text(
        'figure = "fig2"\nabout = "."\n[smoke]\nsystem = "deep-rnn"\nrate = 0.05\nuntil = { time = 1 }\n'
        'settings = { depth = 1, width = 2, rule = "exact" }\n'
        f'music = {{ source = "{jsb_path}", first = 800, excerpt = 2 }}\n'
    )
    dry_run(load_study(str(file), "smoke"), Store(tmp_path / "runs"))
    assert "229 chorales there, 800 asked for" in capsys.readouterr().out


def test_a_run_that_another_process_makes_is_left_to_it_and_the_others_are_made(study, tmp_path):
    import fcntl

    store = Store(tmp_path / "runs")
    store.learn(study.planned[0].task, until=1.0)
    with open(store.folder(study.planned[0].task) / "lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [state.over for state in sweep(study, store)] == ["busy", "done", "done"]
    assert [state.over for state in sweep(study, store)] == ["done"]


def test_a_run_that_cannot_be_read_is_not_done(study, tmp_path):
    store = Store(tmp_path / "runs")
    list(sweep(study, store))
    task = store.folder(study.planned[1].task) / "task.json"
    task.write_text("{}")
    with pytest.raises(InputError, match="format"):
        states(study, store)


def _worker_of(process):
    """A process of the pool that has begun to learn."""
    for _ in range(400):
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        workers = [
            pid for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        ]
        if len(workers) == 2:
            return workers
        time.sleep(0.1)
    raise AssertionError("no workers")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for workers in /proc")
def test_a_worker_that_is_killed_is_one_line_and_loses_nothing(path, tmp_path):
    asked = armonica("sweep", path, "--jobs", 2, "--store", tmp_path / "runs")
    running = subprocess.Popen(asked, stderr=subprocess.PIPE, text=True)
    workers = _worker_of(running)
    for _ in range(300):
        if any((tmp_path / "runs").glob("*/trajectory.jsonl")):
            break
        time.sleep(0.1)
    subprocess.run(["kill", "-9", workers[0]], check=True)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 2, said
    assert said.splitlines()[-1].startswith("armonica: a process of the sweep was killed")
    assert "Traceback" not in said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for workers in /proc")
def test_workers_end_when_the_sweep_is_killed(path, tmp_path):
    asked = armonica("sweep", path, "--jobs", 2, "--store", tmp_path / "runs")
    running = subprocess.Popen(asked, stderr=subprocess.DEVNULL)
    workers = _worker_of(running)
    running.kill()
    running.wait()
    for _ in range(300):
        if not any(_alive(pid) for pid in workers):
            return
        time.sleep(0.1)
    raise AssertionError("workers live on")


def _alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_where_nobody_watches_a_line_comes_now_and_then(monkeypatch):
    now, said = [100.0], []
    monkeypatch.setattr("experiments.session.clock.monotonic", lambda: now[0])
    monkeypatch.setattr(session.CONSOLE, "print", lambda line, **how: said.append(now[0]))
    bar = session.Bar(Until(time=50.0), session.Stop())
    bar.live = False
    for seconds in range(40):
        now[0] = 100.0 + seconds
        bar(Progress(seconds, np.array([1.0 * seconds]), np.ones(1), np.ones(1)))
    assert said == [104, 120, 136]


def test_processes_side_by_side_are_heard_of_now_and_then(study, tmp_path, monkeypatch):
    store, said = Store(tmp_path / "runs"), []
    store.learn(study.planned[0].task, until=1.0)
    monkeypatch.setattr(sweep_session, "MINUTE", 0.02)
    monkeypatch.setattr(sweep_session, "_say", said.append)
    with sweep_session._said_now_and_then(study, store):
        time.sleep(0.5)
    assert said[0].startswith("spherical-glass n_spins 8, 2 replica(s), rate 0.05: under way at τ = 1, step 20")
