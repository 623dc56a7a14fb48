"""One thread a process, and a cache of the session's own, set before anything slow is imported."""

import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoding import Chorale
    from experiments import System, Trajectory
    from quantum.channel import Music
    from stand_in import Server

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
def timed() -> "Callable[[Callable[[], Any]], tuple[Any, float]]":
    """What a call gives, and its seconds of a core after one uncounted: what loads, compiles or waits is not its own.

    Bounds on it are what is promised of an idle machine; processor time hardly feels that others use it too.
    """

    def measure(call: "Callable[[], Any]") -> "tuple[Any, float]":
        call()
        began = time.process_time()
        return call(), time.process_time() - began

    return measure


@pytest.fixture(scope="session")
def jsb_path() -> Path:
    """The JSB chorales in quarter notes, which are not ours to distribute."""
    path = Path(os.environ.get("ARMONICA_JSB", ROOT.parent / "shared" / "data" / "jsb-chorales-quarter.json"))
    if not path.is_file():
        pytest.skip("no JSB chorales here: ARMONICA_JSB names the file jsb-chorales-quarter.json")
    return path


@pytest.fixture(scope="session")
def mnist_path() -> Path:
    """MNIST, which is not ours to distribute."""
    path = Path(os.environ.get("ARMONICA_MNIST", ROOT.parent / "shared" / "data" / "mnist.npz"))
    if not path.exists():
        pytest.skip("no MNIST here: ARMONICA_MNIST names a file mnist.npz, or a folder of its four idx files")
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


@pytest.fixture(scope="session")
def sung() -> "Callable[..., tuple[Music, list[NDArray[np.float64]]]]":
    """Hours drawn at random, as kets packed time-major and as angles: `sung((5, 3), n_data=2)` has two pieces."""
    from functools import reduce

    import numpy as np
    import torch

    from quantum.channel import Music

    def sing(lengths: tuple[int, ...], n_data: int, seed: int = 0) -> "tuple[Music, list[NDArray[np.float64]]]":
        rng = np.random.default_rng(seed)
        pieces = [rng.uniform(0, 2 * np.pi, (n, n_data, 1)) for n in lengths]
        rows = np.array([piece[t] for t in range(lengths[0]) for piece in pieces if len(piece) > t])
        qubits = np.concatenate([np.cos(rows / 2), np.sin(rows / 2)], 2)  # RY|0>
        kets = torch.from_numpy(np.array([reduce(np.kron, chord) for chord in qubits]) + 0j)
        sizes = [sum(n > t for n in lengths) for t in range(lengths[0])]
        return Music(kets, torch.arange(len(rows)), (0, *np.cumsum(sizes).tolist())), pieces

    return sing


@pytest.fixture(scope="session")
def planted() -> "Callable[..., Trajectory]":
    """A trajectory with planted numbers: `planted(time, loss)`, and weights and noise where they are given.

    time is (n_looks,); loss (n_looks, R) or (n_looks,); weights (n_looks, R, n_weights), taken at every look; noise a
    number, (n_looks,) or (n_looks, R, n_groups); groups: name -> number of weights, or (number, period).
    """
    import numpy as np

    from encoding.layout import lay_out
    from experiments import Trajectory

    def plant(time, loss=None, *, weights=None, noise=np.nan, groups=None, rate=0.01) -> "Trajectory":
        time = np.asarray(time, float)
        loss = np.ones((len(time), 1 if weights is None else weights.shape[1])) if loss is None else np.asarray(loss)
        loss = loss[:, None] if loss.ndim == 1 else loss
        n_looks, n_replicas = loss.shape
        weights = np.zeros((0, n_replicas, 1), np.float32) if weights is None else weights
        sizes = {"J": weights.shape[2]} if groups is None else groups
        shapes = {name: (size if isinstance(size, int) else size[0],) for name, size in sizes.items()}
        periods = {name: size[1] for name, size in sizes.items() if not isinstance(size, int)}
        layout = lay_out(shapes, periods)
        gamma = np.asarray(noise, float)
        gamma = gamma[:, None, None] if gamma.ndim == 1 else gamma
        times = np.repeat(time[:, None], n_replicas, 1)
        return Trajectory(
            step=np.round(time / rate).astype(np.int64),
            time=times,
            rate=np.full_like(times, rate),
            loss=loss.astype(float),
            noise=np.broadcast_to(gamma, (n_looks, n_replicas, len(layout))).copy(),
            weights=weights,
            weights_look=np.arange(len(weights)),
            measured={},
            valid=np.ones((n_looks, n_replicas), bool),
            layout=layout,
        )

    return plant


@pytest.fixture(scope="session")
def machine() -> "Callable[..., System]":
    """A System w <- w - rate g(w) + s(rate) xi: `machine(weights, gradient=g, kick=s)`, weights (R, N).

    Other keywords are what it can be asked, as functions of the weights: `machine(w, outputs=lambda w: ...)`.
    """
    import numpy as np

    from encoding.layout import lay_out

    class Machine:
        unit = "nats per time step"

        def __init__(self, weights, *, gradient, kick=lambda rate: 0.0, seed=0, **asked) -> None:
            self.n_replicas = len(weights)
            self._said = {"gradient": gradient, "kick": kick, **asked}
            self._state = {
                "weights": np.array(weights),
                "seed": np.full(len(weights), seed),
                "made": np.zeros(len(weights), np.int64),
            }
            for name, f in (asked | {"gradient": gradient}).items():
                setattr(self, name, lambda f=f: f(self._state["weights"]))

        def step(self, rate, n=1):
            for _ in range(n):
                w, seed, made = (self._state[name] for name in ("weights", "seed", "made"))
                rng = np.random.Generator(np.random.Philox(key=[int(seed[0]), int(made[0])]))
                force = self._said["gradient"](w)
                noise = self._said["kick"](rate) * rng.standard_normal(w.shape)
                self._state |= {"weights": (w - rate * force + noise).astype(w.dtype), "made": made + 1}
            return np.zeros((n, self.n_replicas))

        def loss(self):
            return np.zeros(self.n_replicas)

        def noise(self):
            return np.full((self.n_replicas, 1), self._said["kick"](1.0) ** 2)

        def weights(self):
            return self._state["weights"].copy()

        def put(self, weights):
            self._state["weights"] = np.array(weights, self._state["weights"].dtype)

        def layout(self):
            return lay_out({"w": self._state["weights"].shape[1:]})

        def state(self):
            return {name: array.copy() for name, array in self._state.items()}

        def restore(self, state):
            self._state = {name: np.array(array) for name, array in state.items()}

        def clone(self, seed):
            copy = Machine(self._state["weights"], **self._said)
            copy.restore(self.state() | {"seed": np.full(self.n_replicas, seed)})
            return copy

    return Machine


@pytest.fixture(scope="session")
def armonica() -> "Callable[..., int]":
    """The exit code of the command: `armonica("learn", "--width", 6)`."""
    from experiments.cli import main

    def run(*words) -> int:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        assert isinstance(end.value.code, int)
        return end.value.code

    return run


@pytest.fixture(scope="session")
def learned_once(armonica, music, tmp_path_factory) -> "Callable[..., Path]":
    """The folder of a quantum run of four chords, learned once a session: `learned_once("coherent", n_history=2)`."""
    from encoding.score import write_midi

    found: dict[tuple[str, int, int], Path] = {}

    def learn(schedule: str, n_history: int = 1, n_layers: int = 1) -> Path:
        if (key := (schedule, n_history, n_layers)) not in found:
            home = tmp_path_factory.mktemp(schedule)
            write_midi(home / "piece.mid", music(4)[0].pitches)
            words = ["--system", "quantum", "--kernel", "plain", "--rate", 0.01, "--until", 0.02, "--first", 1]
            said = zip(("schedule", "n_history", "n_layers"), key, strict=True)
            words += [f"--set={name}={value}" for name, value in said]
            assert armonica("learn", *words, "--source", home / "piece.mid", "--store", home / "runs") == 0
            (found[key],) = (path.parent for path in (home / "runs").glob("*/task.json"))
        return found[key]

    return learn


@pytest.fixture
def short_run(learned_once, tmp_path, monkeypatch, capsys) -> "Callable[..., Path]":
    """A copy of it for one test, with a journal of the test's own: `short_run("measured")`."""
    monkeypatch.setenv("ARMONICA_JOURNAL", str(tmp_path / "jobs.sqlite"))

    def copy(schedule: str = "coherent", **settings: int) -> Path:
        made = learned_once(schedule, **settings)
        capsys.readouterr()
        return Path(shutil.copytree(made, tmp_path / "runs" / made.name))

    return copy


@pytest.fixture
def machine_at_ibm(ibm, monkeypatch) -> "Server":
    """The stand-in, with its key and its instance in the environment."""
    for name, value in ibm.credentials().items():
        monkeypatch.setenv(name, value)
    return ibm


@pytest.fixture(scope="session")
def exact() -> "Callable[[Callable], dict[tuple[int, ...], float]]":
    """Probability of every outcome of the bits of a quantum function, by PennyLane."""
    import numpy as np
    import pennylane as qp

    def of(play):
        @qp.qnode(qp.device("default.qubit"), mcm_method="deferred")
        def odds():
            return qp.probs(op=list(play()))

        found = np.array(odds())
        outcomes = np.ndindex(*[2] * (len(found).bit_length() - 1))
        return {outcome: p for outcome, p in zip(outcomes, found.tolist(), strict=True) if p > 1e-14}

    return of


@pytest.fixture
def complaint(armonica, capsys) -> "Callable[..., str]":
    """The one line that says what is wrong; warnings, and the folder of the run, may stand before it."""

    def said(*words) -> str:
        assert armonica(*words) == 2
        _, errors = capsys.readouterr()
        assert "Traceback" not in errors
        *before, last = errors.splitlines()
        assert last.startswith("armonica: ")
        assert not any(line.startswith("armonica: ") for line in before)
        return last

    return said


@pytest.fixture
def ibm(monkeypatch) -> "Iterator[Server]":
    """A stand-in for IBM Quantum on 127.0.0.1, to which the environment leads the client; see tests/ibm/stand_in."""
    from stand_in.fixture import running

    for handler in logging.getLogger("qiskit_ibm_runtime").handlers:
        if type(handler) is logging.StreamHandler:  # it holds the stderr of the test that first loaded the client
            monkeypatch.setattr(handler, "stream", sys.__stderr__)
    with running(monkeypatch) as server:
        yield server
