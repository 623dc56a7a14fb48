"""What cannot be had, by the commands and the unmodified client: one line each, and nothing written or sent."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = "ibm:fake_manila"


@pytest.fixture
def refused(ibm, short_run, complaint):
    """The line of `armonica submit`, after which nothing is written down or sent: `refused("ibm:fake_manila")`."""

    def of(backend=BACKEND, *words, run=None):
        folder = run or short_run()
        line = complaint("submit", folder, "--backend", backend, "--shots", 20, "--yes", *words)
        assert not (folder / "hardware").exists()
        assert not Path(os.environ["ARMONICA_JOURNAL"]).exists()
        assert (ibm.jobs(), ibm.requests("jobs.post")) == ([], [])
        assert ibm.key not in line
        assert ibm.wrong_key not in line
        return line

    return of


def test_without_credentials(ibm, refused, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    line = refused()
    assert "no credentials of IBM's: QISKIT_IBM_TOKEN and QISKIT_IBM_INSTANCE are to be set" in line
    assert line.endswith("without an account --backend fake:FakeTorino tells the price")


def test_with_a_key_that_is_refused(machine_at_ibm, refused, monkeypatch):
    monkeypatch.setenv("QISKIT_IBM_TOKEN", machine_at_ibm.wrong_key)
    assert "IBM refuses the key of the environment: make a new one on its platform" in refused()


def test_with_the_instance_of_somebody_else(machine_at_ibm, refused, monkeypatch):
    theirs = machine_at_ibm.instance.replace(":paid:", ":theirs:")
    assert theirs != machine_at_ibm.instance
    monkeypatch.setenv("QISKIT_IBM_INSTANCE", theirs)
    assert f"no access to the instance {theirs}: a wrong CRN, or the key of another account" in refused()


def test_without_an_instance(machine_at_ibm, refused, monkeypatch):
    monkeypatch.delenv("QISKIT_IBM_INSTANCE")
    assert "the instance that is charged is named by its CRN" in refused()


def test_on_a_machine_that_is_not_there(machine_at_ibm, refused):
    line = refused("ibm:fake_manilla")
    assert "has no machine fake_manilla: did you mean fake_manila?; it has fake_manila, fake_torino" in line


@pytest.mark.parametrize("condition", ["paused", "offline"])
def test_on_a_machine_that_is_not_awake(machine_at_ibm, refused, condition):
    machine_at_ibm.condition("fake_manila", condition)
    assert f"{BACKEND} takes no jobs now, it is" in refused()


def test_on_a_machine_that_is_too_small(machine_at_ibm, refused, short_run):
    assert f"{BACKEND} has 5 qubits; the circuit takes 6" in refused(run=short_run(n_history=2))


def test_of_a_circuit_that_is_too_deep(machine_at_ibm, refused, short_run):
    line = refused(run=short_run(n_layers=12))
    assert f"the circuit is too deep for {BACKEND}: of " in line
    assert "fewer chords or layers" in line


def test_without_a_network_the_line_names_the_place_and_ends_with_a_whole_word(machine_at_ibm, refused, monkeypatch):
    for name in ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/nobody")
    line = refused()
    assert "IBM's service: no connection to 127.0.0.1: " in line
    assert line.endswith((" ...", ")"))


WITHOUT = """
import sys
sys.modules["qiskit_ibm_runtime"] = None  # as where it is not installed: neither found nor imported
from experiments.cli import main
run, *backends = sys.argv[1:]
verbs = [["submit", run, "--shots", "20", "--backend", one] for one in backends]
for words in [*verbs, ["jobs"], ["collect", run, "--simulate-for", "9"], ["backends"], ["backends", "--fake"]]:
    try:
        main(words)
    except SystemExit as end:
        print(*words[:1], end.code, flush=True)
"""


def test_without_the_extra_simulators_work_and_the_others_are_one_line(short_run):
    run, backends = short_run(), ["aer", "fake:FakeManilaV2", BACKEND, "aer:noise=FakeManilaV2"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-c", WITHOUT, str(run), *backends]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120, check=True)
    codes = [line for line in done.stdout.splitlines() if re.fullmatch(r"\w+ [02]", line)]
    assert codes == ["submit 0", *["submit 2"] * 3, "jobs 0", "collect 0", "backends 0", "backends 2"]
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("armonica: ") and "pip install -c constraints.txt '.[ibm]'" in line for line in lines)
    assert [backend in line for backend, line in zip(backends[1:], lines, strict=False)] == [True] * 3
    assert "qiskit-ibm-runtime: not installed" in done.stdout
    assert "with exact averages" in done.stdout
