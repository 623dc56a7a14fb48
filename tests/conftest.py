"""One thread a process, and a cache of the session's own, set before anything slow is imported."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from encoding import Chorale

ROOT = Path(__file__).parent.parent
ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")
our_cache = pytest.StashKey[str]()

# Read by numpy, torch, numba and qiskit when they are first imported, here and in every process that a test starts.
for library in ONE_THREAD:
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("ARMONICA_THREADS", "1")
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


@pytest.fixture(scope="session")
def music() -> "Callable[..., list[Chorale]]":
    """Pieces of so many chords, keys drawn at random: `music(9, 6)` has two."""
    import numpy as np

    from encoding import Chorale

    def draw(*n_chords: int, seed: int = 0) -> "list[Chorale]":
        rng = np.random.default_rng(seed)
        pieces = [np.sort(rng.integers(48, 80, (n, 4)).astype(np.int16))[:, ::-1] for n in n_chords]
        return [Chorale(pitches, f"piece {i}", "drawn", i) for i, pitches in enumerate(pieces)]

    return draw
