"""Ctrl-C ends the command in one line and exit code 130 whenever it comes, and however often."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEARN = ["learn", "--width", "6", "--rate", "0.1", "--replicas", "2", "--first", "3", "--excerpt", "10"]

INTERRUPTED = """
import os, signal, sys, threading, time
sys.argv[0] = "armonica"
here, seconds, times = os.getpid(), float(sys.argv.pop(1)), int(sys.argv.pop(1))
def often():
    time.sleep(0.05 + seconds)  # not before main is entered
    for _ in range(times):
        os.kill(here, signal.SIGINT)
        time.sleep(0.002)
from experiments import interrupts
interrupts.listen()
threading.Thread(target=often, daemon=True).start()
from experiments.cli import main
main()
"""


@pytest.mark.parametrize(
    ("seconds", "times"), [(0, 1), (0.1, 1), (0.3, 1), (0.6, 1), (1.0, 1), (1.5, 2), (2.0, 2), (2.5, 50)]
)
def test_ctrl_c_at_any_moment_is_one_line_and_130(tmp_path, seconds, times):
    words = [*LEARN, "--until-steps", str(10**9), "--kernel", "plain", "--store", str(tmp_path)]
    command = [sys.executable, "-c", INTERRUPTED, str(seconds), str(times), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 130, done.stderr
    assert done.stderr.splitlines()[-1] == "armonica: stopped; the same command goes on from what is saved"
    assert "Traceback" not in done.stderr


def test_the_module_is_the_command_too():
    done = subprocess.run(
        [sys.executable, "-m", "experiments.cli", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"armonica {version('armonica')}\n")
