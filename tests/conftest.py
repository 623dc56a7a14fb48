"""One thread a process, and a cache of the session's own, set before anything slow is imported."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")
our_cache = pytest.StashKey[str]()

# Read by numpy, torch, numba and qiskit when they are first imported, here and in every process that a test starts.
for library in ONE_THREAD:
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_configure(config: pytest.Config) -> None:
    """Chorales are read once a session.

    xdist's workers inherit the folder, and so do the doctests of the packages, which no fixture of this file reaches.
    """
    from hypothesis import settings

    settings.register_profile("armonica", deadline=None, derandomize=True)  # first calls compile; a failure must repeat
    settings.load_profile("armonica")
    if "ARMONICA_CACHE" not in os.environ:
        config.stash[our_cache] = os.environ["ARMONICA_CACHE"] = tempfile.mkdtemp(prefix="armonica-cache-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(our_cache, None):
        del os.environ["ARMONICA_CACHE"]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def jsb_path() -> Path:
    """The JSB chorales in quarter notes, which are not ours to distribute."""
    path = Path(os.environ.get("ARMONICA_JSB", ROOT.parent / "shared" / "data" / "jsb-chorales-quarter.json"))
    if not path.is_file():
        pytest.skip("no JSB chorales here: ARMONICA_JSB names the file jsb-chorales-quarter.json")
    return path
