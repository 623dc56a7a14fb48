"""A run that is killed at any moment, and started again by the same command, ends with the bytes of an unbroken one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from experiments import Looks, Store, Task, linear
from experiments.checkpoints import read_checkpoint

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-W", "error", "-c", "from experiments.cli import main; main()", "learn"]
SMALL = "--kernel plain --width 8 --rate 0.1 --first 3 --excerpt 6 --replicas 2 --looks 40 --keep-weights"
NEVER = 10**9
LOOK = Looks(linear(0.25), noise=linear(0.5), weights=linear(0.5))
GLASS = Task("spherical-glass", {"n_spins": 6}, 0.125, look=LOOK)
WRITERS = ("run_folder.py", "run_files.py", "files.py")


def rows(path):
    return [(path / name).read_bytes() for name in ("trajectory.jsonl", "weights.f32")]


def start(store, steps):
    command = [*COMMAND, *SMALL.split(), "--save-every", "0.05", "--until-steps", str(steps), "--store", store]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def interrupted(store, number, seconds):
    """The exit code of a run without an end, and what it said after the signal came so many seconds into it."""
    process = start(store, NEVER)
    assert any(line.startswith("run ") for line in process.stderr or [])  # reads no further
    time.sleep(seconds)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def finished(store, steps):
    """Rows and weights when the command has come to its end."""
    process = start(store, steps)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    (path,) = store.iterdir()
    return rows(path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_at_random_or_stopped_by_ctrl_c_it_ends_as_if_nothing_had_happened(tmp_path):
    random = np.random.default_rng(0)
    for _ in range(3):
        code, _ = interrupted(tmp_path / "runs", signal.SIGKILL, random.uniform(0, 0.3))
        assert code == -signal.SIGKILL
    code, errors = interrupted(tmp_path / "runs", signal.SIGINT, random.uniform(0, 0.3))
    assert code == 130, errors
    assert errors.endswith("armonica: stopped; the same command goes on from what is saved\n")
    (path,) = (tmp_path / "runs").iterdir()
    steps = int(read_checkpoint(path / "checkpoint.npz")["learner.step"]) + 50
    assert finished(tmp_path / "runs", steps) == finished(tmp_path / "unbroken", steps)


def killed_at_line(n_lines, work):
    """The exit code of a process that does `work` and dies at the so-manyth line of the code that writes runs."""
    child = os.fork()
    if child == 0:
        left = iter(range(n_lines))

        def trace(frame, event, _):
            if not frame.f_code.co_filename.endswith(WRITERS):
                return None
            if event == "line" and next(left, None) is None:
                os._exit(9)  # no buffer is flushed, no finally block is entered
            return trace

        sys.settrace(trace)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_line_it_ends_as_if_nothing_had_happened(tmp_path, seed):
    store, random = Store(tmp_path / "runs"), np.random.default_rng(seed)
    codes = [
        killed_at_line(int(n_lines), lambda: store.learn(GLASS, until=20, save_every=0))
        for n_lines in random.integers(1, 600, size=25)
    ]
    assert codes == [9] * 25
    unbroken = Store(tmp_path / "unbroken").learn(GLASS, until=20)
    assert rows(store.learn(GLASS, until=20).path) == rows(unbroken.path)
