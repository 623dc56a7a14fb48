"""How long a sweep of a deep perceptron takes, beside what one would write: `make bench` prints docs/performance.md.

The same machine, the same proposals, one thread; candidates take turns, and the median of the turns counts, in seconds
of this process. A sweep is L N^2 proposals. Beside ours (spins of a layer as a word of bits, fields looked up) stand
spins as bytes, where each flip is carried on to the fields above, and all spins anew for every proposal. All three
are compiled, and see to it that they made the same machine.
"""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
os.environ["ARMONICA_THREADS"] = "1"

import time
from collections.abc import Callable

import numba
import numpy as np
from measuring import asked, seconds, table

from classical import DeepPerceptron
from classical.perceptron.patterns import LARGEST, Patterns, all_spins
from classical.perceptron.proposals import Proposals, proposals

COMPILED = {"boundscheck": False, "nogil": True, "error_model": "numpy"}
SIZES = ((10, 10, 1), (10, 10, 32), (10, 5, 32), (20, 10, 32))
LARGE = (100, 10, 8)


@numba.njit(**COMPILED)
def changed_weight(weight: int, kick: float, keeps: float) -> np.int32:
    """J' as a whole number."""
    return np.int32(min(max(np.rint(keeps * weight + kick), -LARGEST), LARGEST))


@numba.njit(**COMPILED)
def anew(weights, inputs, outputs, spins, wrong, site, kick, allowed, keeps):
    """Every proposal: all patterns through all layers from the changed one on. `spins` (L + 1, M, N) are kept."""
    depth, width, _ = weights.shape
    n_patterns = len(inputs)
    trial = spins.copy()
    for p in range(len(site)):
        layer, unit, source = site[p] // (width * width), site[p] // width % width, site[p] % width
        before = weights[layer, unit, source]
        weights[layer, unit, source] = changed_weight(before, kick[p], keeps)
        for k in range(layer, depth):
            below = spins if k == layer else trial
            for mu in range(n_patterns):
                for i in range(width):
                    field = 0
                    for j in range(width):
                        field += weights[k, i, j] * below[k, mu, j]
                    trial[k + 1, mu, i] = -1 if field < 0 else 1
        after = 0
        for mu in range(n_patterns):
            for i in range(width):
                after += trial[depth, mu, i] != outputs[mu, i]
        if after - wrong <= allowed[p]:
            wrong = after
            spins[layer + 1 :] = trial[layer + 1 :]
        else:
            weights[layer, unit, source] = before
    return wrong


@numba.njit(**COMPILED)
def by_bytes(weights, fields, spins, outputs, wrong, flipped, new_fields, new_spins, until, site, kick, allowed, keeps):
    """Fields (L, N, M) and spins (L + 1, N, M) kept; where a spin flips, what hangs on it is changed, and no more."""
    depth, width, _ = weights.shape
    n_patterns = spins.shape[2]
    turned = np.empty(width, np.int64)
    for p in range(len(site)):
        layer, unit, source = site[p] // (width * width), site[p] // width % width, site[p] % width
        before = weights[layer, unit, source]
        after = changed_weight(before, kick[p], keeps)
        step = np.int32(after - before)
        row, below, n, hope = fields[layer, unit], spins[layer, source], 0, 0
        for mu in range(n_patterns):
            flipped[n] = mu
            n += (row[mu] < 0) != (row[mu] + step * below[mu] < 0)
        for f in range(n):
            hope += wrong[flipped[f]]
        rise, good = 0, True
        for f in range(n):
            mu = flipped[f]
            n_turned, turned[0], k = 1, unit, layer + 1
            new_spins[f, k] = spins[k, :, mu]
            new_spins[f, k, unit] = -spins[k, unit, mu]
            while k < depth and n_turned:
                for i in range(width):
                    field = fields[k, i, mu]
                    for t in range(n_turned):
                        field += 2 * weights[k, i, turned[t]] * new_spins[f, k, turned[t]]
                    new_fields[f, k, i] = field
                n_turned = 0
                for i in range(width):
                    spin = np.int8(-1) if new_fields[f, k, i] < 0 else np.int8(1)
                    new_spins[f, k + 1, i] = spin
                    turned[n_turned] = i
                    n_turned += spin != spins[k + 1, i, mu]
                k += 1
            until[f] = k
            hope -= wrong[mu]
            if k == depth and n_turned:
                now = 0
                for i in range(width):
                    now += new_spins[f, depth, i] != outputs[i, mu]
                rise += now - wrong[mu]
                if rise - hope > allowed[p]:
                    good = False
                    break
        if not good or rise > allowed[p]:
            continue
        weights[layer, unit, source] = after
        for mu in range(n_patterns):
            row[mu] += step * below[mu]
        for f in range(n):
            mu = flipped[f]
            for k in range(layer + 1, until[f] + 1):
                for i in range(width):
                    spins[k, i, mu] = new_spins[f, k, i]
                    if k < until[f]:
                        fields[k, i, mu] = new_fields[f, k, i]
            now = 0
            for i in range(width):
                now += spins[depth, i, mu] != outputs[i, mu]
            wrong[mu] = now


class Anew:
    """All spins anew."""

    def __init__(self, weights: np.ndarray, data: Patterns) -> None:
        """The same machine and the same data."""
        self.weights, self.data = weights.copy(), data
        self.spins = np.ascontiguousarray(all_spins(self.weights, data.inputs).swapaxes(0, 1))
        self.wrong = int((self.spins[-1] != data.outputs).sum())

    def __call__(self, given: Proposals) -> None:
        """Make these moves."""
        self.wrong = anew(self.weights, self.data.inputs, self.data.outputs, self.spins, self.wrong, *given)


class Bytes:
    """Spins as bytes, changes carried on."""

    def __init__(self, weights: np.ndarray, data: Patterns) -> None:
        """The same machine and the same data."""
        self.weights = weights.copy()
        depth, width, n_patterns = *weights.shape[:2], len(data.inputs)
        self.spins = np.ascontiguousarray(all_spins(self.weights, data.inputs).transpose(1, 2, 0))
        self.fields = np.array(
            [w @ s.astype(np.int32) for w, s in zip(weights, self.spins[:-1], strict=True)], np.int32
        )
        self.outputs = np.ascontiguousarray(data.outputs.T)
        self.wrong = (self.spins[-1] != self.outputs).sum(0)
        self.room = (
            np.zeros(n_patterns + 1, np.int64),
            np.zeros((n_patterns, depth, width), np.int32),
            np.zeros((n_patterns, depth + 1, width + 1), np.int8),
            np.zeros(n_patterns, np.int64),
        )

    def __call__(self, given: Proposals) -> None:
        """Make these moves."""
        flipped, new_fields, new_spins, until = self.room
        by_bytes(self.weights, self.fields, self.spins, self.outputs, self.wrong, flipped, new_fields,
                 new_spins[:, :, :-1], until, *given)  # fmt: skip


class Ours:
    """The compiled moves of the library."""

    def __init__(self, system: DeepPerceptron) -> None:
        """The first replica of a system."""
        self.weights, self.moves = system._weights[0].copy(), system._moves
        self.memory = self.moves.begin(self.weights)

    def __call__(self, given: Proposals) -> None:
        """Make these moves."""
        self.moves.go(self.weights, self.memory, given)


def one_after_another(move: Callable[[Proposals], None], system: DeepPerceptron, n: int) -> Callable[[], None]:
    """The next `n` proposals at every call."""
    made = int(system.state()["made"][0])

    def go() -> None:
        nonlocal made
        move(proposals(system.settings, 0, 0, made, n))
        made += n

    return go


def beside(width: int, depth: int, alpha: float, start: str, swept: int, turns: int, n: int) -> tuple[object, ...]:
    """One row: a machine that has made `swept` sweeps already; milliseconds for the proposals of a sweep.

    A turn is `n` proposals, but for the slowest a fiftieth of them.
    """
    system = DeepPerceptron(depth=depth, width=width, alpha=alpha, start=start, kernel="fast")
    system.step(1, swept)
    data, weights = system.patterns, system._weights[0]
    kinds = {"ours": lambda: Ours(system), "bytes": lambda: Bytes(weights, data), "anew": lambda: Anew(weights, data)}
    check_alike(system, {name: kind() for name, kind in kinds.items()}, n // 50)
    made = {"ours": n, "bytes": n, "anew": n // 50}
    candidates = {name: one_after_another(kind(), system, made[name]) for name, kind in kinds.items()}
    times = seconds(candidates, turns, clock=time.process_time)
    ms = {name: 1e3 * t * system.settings.n_weights / made[name] for name, t in times.items()}
    named = f"N={width}, L={depth}, α={alpha:g}, {start}, after {swept} sweeps"
    return named, ms["ours"], ms["bytes"], ms["anew"], ms["bytes"] / ms["ours"], ms["anew"] / ms["ours"]


def check_alike(system: DeepPerceptron, movers: dict[str, Ours | Bytes | Anew], n: int) -> None:
    """See that all make the same machine."""
    for mover in movers.values():
        one_after_another(mover, system, n)()
    ours = movers["ours"].weights.tobytes()
    assert all(mover.weights.tobytes() == ours for mover in movers.values()), "other machines were made"


HEADS = ("machine", "ours, ms", "bytes, ms", "all anew, ms", "bytes/ours", "anew/ours")


def sweeps(turns: int) -> None:
    """Sweeps of small machines."""
    rows = [
        beside(*size, start, swept, turns, 20_000)
        for size in SIZES
        for start, swept in (("learning", 0), ("learning", 300), ("unlearning", 100))
    ]
    table("A sweep of one replica, one thread, its random numbers included", HEADS, rows)


def large(turns: int) -> None:
    """A sweep of a large one, from so many of its proposals."""
    rows = [beside(*LARGE, start, 0, turns, 2000) for start in ("learning", "unlearning")]
    table("A sweep of a large machine, told from 2000 of its 100,000 proposals", HEADS, rows)


def drawing(turns: int) -> None:
    """What drawing the proposals takes of it."""
    system = DeepPerceptron(depth=10, width=10, alpha=32)
    draws = {f"{n} at once": lambda n=n: proposals(system.settings, 0, 0, 0, n) for n in (100, 1000, 16384)}
    times = seconds(draws, 10 * turns, clock=time.process_time)
    rows = [(name, 1e9 * t / int(name.split()[0])) for name, t in times.items()]
    table("Drawing proposals", ("proposals", "ns each"), rows)


TABLES = ("sweeps", "large", "drawing")


def main() -> None:
    """All tables."""
    said = asked(__doc__, TABLES, turns=15)
    for name, measure in (("sweeps", sweeps), ("large", large), ("drawing", drawing)):
        if name in said.only:
            measure(said.turns)


if __name__ == "__main__":
    main()
