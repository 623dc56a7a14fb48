"""How long a learning step takes, beside what a user would write: `make bench` prints docs/performance.md's tables.

All in one run, on one thread unless said; the candidates take turns, twenty steps a turn, and the median of the turns
counts. One step: all chords of all chorales forward, errors back, an update from 300 slots, the polar
factor of every M.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
os.environ["ARMONICA_THREADS"] = "1"

import numba
import numpy as np
import torch
from measuring import asked, seconds, table
from torch import Tensor, nn

from classical import DeepRNN
from classical.kernels import compiled
from encoding import N_KEYS, load_chorales, pack

tile = compiled("tile")
ADDRESS, LANES, NOTHING, gemm, padded = tile.ADDRESS, tile.LANES, tile.NOTHING, tile.gemm, tile.padded
ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = 1280 / 40  # tau an hour, at most: 3.2e6 steps of 4e-4 in 40 to 150 hours a run (Hertz & Tyrcha 2024)
SHAPES = ((1, 110), (2, 68), (5, 36), (2, 200))
P = 300
RATE = 4e-4
STEPS = 20  # a turn: `learn` makes some hundred in one call


class AsAUserWould:
    """torch.nn.RNN on packed sequences, autograd, SGD, and torch.linalg.svd of every recurrent matrix."""

    def __init__(self, chorales, depth: int, width: int) -> None:
        """The same network and the same data."""
        data = pack(chorales)
        sizes = torch.from_numpy(data.batch_sizes.copy())
        self.inputs, self.targets = torch.from_numpy(data.inputs), torch.from_numpy(data.targets)
        self.packed = nn.utils.rnn.PackedSequence(self.inputs, sizes)
        self.rnn = nn.RNN(N_KEYS, width, depth, bias=False)
        self.out, self.direct = nn.Linear(width, N_KEYS), nn.Linear(N_KEYS, N_KEYS, bias=False)
        self.recurrent = [getattr(self.rnn, f"weight_hh_l{layer}") for layer in range(depth)]
        for matrix in self.recurrent:
            nn.init.orthogonal_(matrix)
        parameters = [*self.rnn.parameters(), *self.out.parameters(), *self.direct.parameters()]
        self.descent, self.rng = torch.optim.SGD(parameters, RATE), np.random.default_rng(0)

    def __call__(self) -> None:
        """One step."""
        hidden = self.rnn(self.packed)[0].data
        h = self.out(hidden) + self.direct(self.inputs)
        chosen = torch.from_numpy(self.rng.integers(len(h), size=P))
        loss = nn.functional.softplus(-2 * self.targets[chosen] * h[chosen]).sum() / P
        self.descent.zero_grad()
        loss.backward()
        self.descent.step()
        with torch.no_grad():
            for matrix in self.recurrent:
                try:
                    u, _, vh = torch.linalg.svd(matrix)
                except RuntimeError:  # LAPACK now and then fails at singular values that are all 1
                    u, _, vh = torch.linalg.svd(matrix.double())
                matrix.copy_(u @ vh)


def stepping(network: DeepRNN, n: int = STEPS) -> Callable[[], object]:
    """`n` steps in one call, as `learn` makes them."""
    return lambda: network.step(RATE, n)


def per_step(candidates: dict[str, DeepRNN], turns: int) -> dict[str, float]:
    """Milliseconds a step."""
    times = seconds({name: stepping(network) for name, network in candidates.items()}, turns)
    return {name: 1e3 * t / STEPS for name, t in times.items()}


@numba.njit
def _multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray, n: int, n_k: int) -> None:
    gemm(ADDRESS, a, 0, b, c, 0, c, n, n_k, NOTHING)


def gigaflops(n: int, n_k: int, width: int, turns: int) -> tuple[float, float]:
    """Useful GFLOP/s of the tile and of torch.matmul for one product (n, n_k) @ (n_k, width)."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((n, n_k), np.float32), rng.standard_normal((n_k, width), np.float32)
    wide, out = np.zeros((n_k, padded(width)), np.float32), np.zeros((n, padded(width)), np.float32)
    wide[:, :width] = b
    left, right, result = torch.from_numpy(a), torch.from_numpy(b), torch.empty(n, width)
    repeats = max(1, int(2e8 / (2 * n * n_k * width)))

    def tile() -> None:
        for _ in range(repeats):
            _multiply(a, wide, out, n, n_k)

    def blas() -> Tensor:
        for _ in range(repeats):
            torch.matmul(left, right, out=result)
        return result

    times = seconds({"tile": tile, "blas": blas}, turns)
    work = 2 * n * n_k * width * repeats / 1e9
    return work / times["tile"], work / times["blas"]


def beside_others(chorales, turns: int) -> None:
    """(a) what a user would write, (b) our plain path, (c) our kernel."""
    for rule in ("delayed", "exact"):
        rows = []
        for depth, width in SHAPES:
            options = {"depth": depth, "width": width, "rule": rule}
            user = AsAUserWould(chorales, depth, width)
            kernels = {name: DeepRNN(chorales, **options, kernel=name) for name in ("plain", "fast")}
            candidates = {name: stepping(network) for name, network in kernels.items()}
            times = seconds({"user": lambda user=user: [user() for _ in range(STEPS)], **candidates}, turns)
            ms = {name: 1e3 * t / STEPS for name, t in times.items()}
            ratios = ms["user"] / ms["fast"], ms["plain"] / ms["fast"]
            rows.append((f"d={depth}, w={width}", ms["user"], ms["plain"], ms["fast"], *ratios))
        heads = ("network", "(a) nn.RNN, ms", "(b) plain, ms", "(c) fast, ms", "(a)/(c)", "(b)/(c)")
        table(f"One step, {rule} rule, one thread", heads, rows)


def products(turns: int) -> None:
    """(d) the tile beside torch.matmul."""
    rows = []
    for _, width in SHAPES:
        for n in (20, 78, 4474):
            ours, blas = gigaflops(n, width, width, turns)
            rows.append((f"({n}, {width}) @ ({width}, {width})", ours, blas, ours / blas))
    table(f"Products, GFLOP/s, one thread, {LANES} lanes", ("product", "tile", "torch.matmul", "ratio"), rows)


def against_size(turns: int) -> None:
    """How the cost of a step grows."""
    base = {"depth": 2, "width": 68, "rule": "exact"}
    everything = load_chorales(first=None)
    rows = []
    for n in (20, 40, 80, 160, 229):
        there = [chorale for chorale in everything if chorale.index < n]
        ms = per_step({"x": DeepRNN(there, **base)}, turns)["x"]
        n_slots = sum(chorale.n_transitions for chorale in there)
        rows.append((f"first {n}", n_slots, ms, 1e3 * ms / n_slots))
    table("Against the number of chorales, d=2, w=68, exact", ("chorales", "slots", "ms", "µs a slot"), rows)
    chorales = load_chorales()
    for name, values in (("width", (30, 48, 68, 90, 110, 200)), ("depth", (1, 2, 5, 10))):
        rows = [(v, per_step({"x": DeepRNN(chorales, **{**base, name: v})}, turns)["x"]) for v in values]
        table(f"Against {name}", (name, "ms"), rows)


def cores(turns: int) -> None:
    """Replicas on one thread and on all cores."""
    n_cores, rows = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, []
    for n_replicas in (1, 2, 4):
        networks = [DeepRNN(load_chorales(), depth=2, width=68, rule="exact", n_replicas=n_replicas) for _ in range(2)]

        def threaded(threads: int, network: DeepRNN) -> Callable[[], object]:
            def go() -> None:
                os.environ["ARMONICA_THREADS"] = str(threads)
                network.step(RATE, 20)

            return go

        times = seconds({"one": threaded(1, networks[0]), "all": threaded(n_cores, networks[1])}, turns)
        rate = {name: 20 * n_replicas / t for name, t in times.items()}
        rows.append((n_replicas, rate["one"], rate["all"], rate["all"] / rate["one"]))
    os.environ["ARMONICA_THREADS"] = "1"
    heads = ("replicas", "replica steps/s, 1 thread", f"{n_cores} threads", "ratio")
    table("Replicas on cores, d=2, w=68, exact", heads, rows)


ONE_PROCESS = """
import sys, time
began = time.perf_counter()
from classical import DeepRNN
from encoding import load_chorales
chorales = load_chorales()
ready = time.perf_counter()
network = DeepRNN(chorales, depth=2, width=90, rule="exact")
network.step(0.01, 2)
print(time.perf_counter() - ready)
"""

LEARNING = """
import resource, sys
from experiments.cli import main
try:
    main(["learn", "--until-steps", "2", "--threads", "1", *sys.argv[1:]])
except SystemExit as end:
    assert end.code == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def in_a_process(script: str, *words: str, cache: str | None = None) -> float:
    """The number that a fresh process prints last."""
    others = {"ARMONICA_CACHE": cache} if cache else {}
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, env=os.environ | others, capture_output=True, text=True, check=True, cwd=ROOT)
    return float(done.stdout.split()[-1])


def learning_memory(n_replicas: int, rule: str, kernel: str) -> float:
    """The most memory that `armonica learn` had: two steps, a look with its noise, a checkpoint, a picture; in MB."""
    with tempfile.TemporaryDirectory() as store:
        options = {"--replicas": str(n_replicas), "--rule": rule, "--kernel": kernel, "--store": store}
        return in_a_process(LEARNING, *(word for pair in options.items() for word in pair))


def processes() -> None:
    """First call and memory, each in processes of its own."""
    with tempfile.TemporaryDirectory() as cold:
        subprocess.run(
            [sys.executable, "-c", "from encoding import load_chorales; load_chorales()"],
            env=os.environ | {"ARMONICA_CACHE": cold},
            check=True,
            cwd=ROOT,
        )  # the chorales are read; the kernels are not compiled
        rows = [(kind, in_a_process(ONE_PROCESS, cache=cold)) for kind in ("cold", "kept", "kept")]
    table("First two steps of a process, d=2, w=90, compilation included", ("compiled kernels", "s"), rows)
    rows = []
    for kernel, rule in (("fast", "exact"), ("fast", "delayed"), ("plain", "exact"), ("plain", "delayed")):
        one, many = (learning_memory(n_replicas, rule, kernel) for n_replicas in (1, 17))
        rows.append((kernel, rule, one, (many - one) / 16))
    heads = ("kernel", "rule", "1 replica, MB", "each further one, MB")
    table("Memory of armonica learn, d=2, w=90: most resident, 1 and 17 replicas, one thread", heads, rows)


def proper_time(turns: int) -> None:
    """How far a network learns in an hour."""
    network = DeepRNN(load_chorales(), depth=2, width=68, rule="exact")
    step = per_step({"x": network}, turns)["x"] / 1e3
    rows = [(rate, 3600 * rate / step, 3600 * rate / step / PUBLISHED) for rate in (0.005, 0.01, 0.02)]
    table("Proper time an hour, d=2, w=68, exact, one replica on one thread", ("rate", "tau an hour", "ratio"), rows)


TABLES = ("steps", "products", "cores", "processes", "time", "sizes")


def main() -> None:
    """All tables."""
    said = asked(__doc__, TABLES, turns=15)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    only = said.only
    if "steps" in only:
        beside_others(load_chorales(), said.turns)
    if "products" in only:
        products(said.turns)
    if "cores" in only:
        cores(said.turns)
    if "processes" in only:
        processes()
    if "time" in only:
        proper_time(said.turns)
    if "sizes" in only:
        against_size(max(3, said.turns // 3))


if __name__ == "__main__":
    main()
