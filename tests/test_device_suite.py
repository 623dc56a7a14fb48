"""PennyLane's own suite for devices (`pl-device-test`), run in a process of its own as a user runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

QUICK = ("test_tracker.py", "test_wires.py")


def suite(shots: int | None, backend: str, where: Path, *files: str) -> str:
    """The last line that pytest says of the suite, or of some of its files."""
    from pennylane.devices.tests import get_device_tests

    tests = [str(Path(get_device_tests()) / file) for file in files or ("",)]
    options = ["--device", "armonica.qiskit", "--shots", str(shots), "--device-kwargs", f"backend={backend}", "seed=42"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, *options]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-40:])
    return done.stdout.splitlines()[-1]


def passed(line: str) -> int:
    found = re.search(r"(\d+) passed", line)
    assert found, line
    return int(found[1])


def test_a_part_of_it_passes(tmp_path):
    assert passed(suite(None, "aer", tmp_path, *QUICK)) >= 5


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("shots", "least"), [(None, 389), (20_000, 374)])
def test_all_of_it_passes(shots, least, tmp_path):
    """Skipped are tests of the old interface of devices, of jax, and of gradients that a device makes itself."""
    assert passed(suite(shots, "aer", tmp_path)) >= least
