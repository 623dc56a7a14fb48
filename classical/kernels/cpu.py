"""The compiled path on the processor: one network a thread, no barrier between them.

Every replica makes its n steps by itself, outside Python's lock; nothing it computes depends on the others.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from classical.kernels.errors import HINGE, NLL, SQUARED
from classical.kernels.plain import EVERY
from classical.kernels.steps import FROZEN, SVD, Data, Net, Rule, Work, learn_steps, loss_now
from classical.kernels.tile import ADDRESS, LANES, NARROW, padded
from classical.orthogonal import polar_factor
from classical.settings import GROUPS, DeepRNNSettings
from classical.start import groups
from encoding import HIGHEST, N_KEYS, Chorale, Transitions, pack
from encoding.layout import Group
from encoding.threads import n_threads

COSTS = {"nll": NLL, "squared": SQUARED, "hinge": HINGE}
LINE = 16  # numbers in a line of the cache
CHUNK = 320  # slots whose outer products are summed in one go: they fit into the second-level cache


class Ring(NamedTuple):
    """Deltas of three learning steps in turn, (R, 3, d, n_slots, w'); the place of each replica's next one, (R,)."""

    deltas: NDArray[np.float32]
    turn: NDArray[np.int64]


class FastKernel:
    """Steps of all replicas of one network, single precision."""

    name = f"fast, {LANES} lanes"

    def __init__(self, data: Transitions, settings: DeepRNNSettings, layout: dict[str, Group]) -> None:
        """Lay the transitions out for the compiled steps."""
        self.settings, self.n_slots = settings, data.n_slots
        self._data = _laid_out(data, settings.boundary == "published")
        self._rule = _rule(settings, layout)
        self._n_weights = max(group.slice.stop for group in layout.values())
        self._works: list[tuple[Net, Work]] = []
        self._pool: tuple[int, int, ThreadPoolExecutor] | None = None

    def memory(self, past: NDArray[np.float32]) -> Ring:
        """What the rule remembers, as this kernel keeps it."""
        n_replicas, n_kept, depth, n_slots, width = past.shape  # of units
        deltas = np.zeros((n_replicas, 3 if n_kept else 0, depth, n_slots, padded(width)), np.float32)
        for age in range(1, n_kept + 1):
            deltas[:, -age, ..., :width] = past[:, age - 1]
        return Ring(deltas, np.zeros(n_replicas, np.int64))

    def past(self, memory: Ring, of: slice = EVERY) -> NDArray[np.float32]:
        """The deltas of the last two steps, latest first, (R, 2, d, n_slots, w); (R, 0, ...) for the exact rule."""
        deltas = memory.deltas[of]
        n_replicas, n_places, depth, n_slots, _ = deltas.shape
        past = np.empty((n_replicas, 2 if n_places else 0, depth, n_slots, self.settings.n_units), np.float32)
        for replica, turn in enumerate(memory.turn[of]):
            for age in range(1, past.shape[1] + 1):
                past[replica, age - 1] = deltas[replica, (turn - age) % 3, ..., : self.settings.n_units]
        return past

    def step(
        self,
        flat: NDArray[np.float32],
        memory: Ring,
        batches: NDArray[np.int64],
        eta: NDArray[np.float64],
        n: int,
        frozen: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """`n` steps of every replica that is not frozen.

        Args:
            flat: weights, (R, n_weights), moved in place.
            memory: what the rule remembers, see `memory`; moved in place.
            batches: slots of every step, (R, n, p), or (1, 1, n_slots) for the full gradient.
            eta: rates, (R,).
            n: number of steps.
            frozen: replicas that do not move, (R,).

        Returns:
            Losses before each step, (n, R), NaN where frozen; at which of the steps a replica froze, (R,), or -1.
        """
        losses, stopped = np.full((len(flat), n), np.nan), np.full(len(flat), -1)
        with np.errstate(over="ignore"):
            rates = eta.astype(np.float32)  # one too large becomes infinite, and its replica freezes

        def run(replica: int, place: int) -> None:
            ring = memory.deltas[replica] if self._rule.delayed else self._works[place][1].delta[None]
            batch, turn = batches[replica % len(batches)], int(memory.turn[replica])
            made = self._go(place, flat[replica], ring, turn, batch, rates[replica], losses[replica])
            stopped[replica] = made if made < n else -1
            memory.turn[replica] = (turn + made) % 3

        self._share(run, [int(replica) for replica in np.flatnonzero(~frozen)])
        return losses.T, stopped

    def _go(
        self,
        place: int,
        flat: NDArray,
        ring: NDArray,
        turn: int,
        batch: NDArray,
        eta: np.float32,
        losses: NDArray[np.float64],
    ) -> int:
        """All steps of one network, with decompositions in between where they are needed; how many it made."""
        net, work = self._works[place]
        made, end = 0, SVD
        while end == SVD and made < len(losses):
            left = batch if len(batch) == 1 else batch[made:]
            more, end = learn_steps(
                ADDRESS, self._data, net, work, self._rule, flat, ring, turn + made, left, eta, losses[made:]
            )
            made += more
            if end == SVD and not self._decompose(flat, work):
                made, end = made - 1, FROZEN
        if end == FROZEN:
            losses[made:] = np.nan
        return made

    def _decompose(self, flat: NDArray, work: Work) -> bool:
        """Polar factors of the matrices that wait for them; False, and the weights before, where one is not finite."""
        w = self.settings.n_units
        for start in self._rule.starts[work.pending]:
            matrix = torch.from_numpy(flat[start : start + w * w].reshape(1, w, w))
            matrix.copy_(polar_factor(matrix, "svd"))
        if not np.isfinite(flat).all():
            flat[:] = work.before
            return False
        return True

    def loss(self, flat: NDArray[np.float32]) -> NDArray[np.float64]:
        """The losses at these weights, (R,), as `step` would see them."""
        losses = np.empty(len(flat))

        def run(replica: int, place: int) -> None:
            net, work = self._works[place]
            losses[replica] = loss_now(ADDRESS, self._data, net, work, self._rule, flat[replica])

        self._share(run, list(range(len(flat))))
        return losses

    def _share(self, run, replicas: list[int]) -> None:
        """Run the replicas on as many threads as this process has cores, each with a place of its own to write on."""
        n_places = max(1, min(len(replicas), n_threads()))
        while len(self._works) < n_places:
            self._works.append(_places(self.settings, self._data, self._n_weights, len(self._rule.starts)))
        if n_places == 1:
            for replica in replicas:
                run(replica, 0)
            return
        pool = self._threads(n_places - 1)

        def go(place: int) -> None:
            for replica in replicas[place::n_places]:
                run(replica, place)

        shares = [pool.submit(go, place) for place in range(1, n_places)]
        try:
            go(0)  # this thread works too
        finally:
            wait(shares)
        for share in shares:
            share.result()

    def _threads(self, n: int) -> ThreadPoolExecutor:
        """Threads that wait for work, the same ones as long as their number is; a forked process has none of them."""
        if self._pool is None or self._pool[:2] != (os.getpid(), n):
            self._pool = os.getpid(), n, ThreadPoolExecutor(n, "armonica")
        return self._pool[2]


def _laid_out(data: Transitions, silent_start: bool) -> Data:
    n_inputs = data.inputs.shape[1]
    inputs = np.zeros((data.n_slots, padded(n_inputs + 1)), np.float32)
    inputs[:, :n_inputs], inputs[:, n_inputs] = data.inputs, 1  # the input of h_0
    sizes = data.batch_sizes
    before = np.concatenate([np.arange(a, a + size) for a, size in zip(data.offsets, sizes[1:], strict=False)] or [[]])
    targets = np.zeros((data.n_slots, padded(N_KEYS)), np.float32)
    targets[:, :N_KEYS] = data.targets
    return Data(inputs, targets, data.offsets.astype(np.int64), before.astype(np.int64), silent_start)


def _rule(settings: DeepRNNSettings, layout: dict[str, Group]) -> Rule:
    where = {"W": layout["h0"]} | layout  # without W nothing is read there
    names = [name for name in layout if name not in ("W", "h0")] + ["W", "h0"]
    starts = np.array([where[name].slice.start for name in names], np.int64)
    learned = np.array([group in settings.learned for group in GROUPS])
    orthogonal = np.array([settings.kept_orthogonal(name) for name in names])
    by_svd, delayed, unitary = settings.polar == "svd", settings.rule == "delayed", settings.recurrent == "unitary"
    return Rule(starts, learned, orthogonal, by_svd, COSTS[settings.cost], delayed, unitary)


def _places(settings: DeepRNNSettings, data: Data, n_weights: int, n_groups: int) -> tuple[Net, Work]:
    """Room for one network's matrices and activities."""
    d, w, o, n = settings.depth, settings.n_units, N_KEYS, len(data.targets)
    ww, oo, ii, most = padded(w), padded(N_KEYS), data.inputs.shape[1], max(w, N_KEYS)

    matrices = carved(
        j0t=(ii, ww), j0=(ww, ii), jt=(d, ww, ww), j=(d, ww, ww), mt=(d, ww, ww), m=(d, ww, ww),
        kt=(ww, oo), k=(oo, ww), wt=(ii, oo),
    )  # fmt: skip
    arrays = carved(
        mu=(d, n, ww),
        delta=(d, n, ww) if settings.rule == "exact" else (0, 0, 0),
        h=(n, oo),
        later=(int(data.offsets[1]), ww),
        left=(most, CHUNK),
        right_w=(CHUNK, ww),
        right_i=(CHUNK, ii),
        gj0=(w, ii),
        gj=(d, w, ww),
        gm=(d, w, ww),
        gk=(o, ww),
        gw=(o, ii),
        square=(3, w, ww),
        before=(n_weights,),
    )
    i = settings.n_inputs
    direct, narrow = i if settings.skip else 0, int(0 < w % LANES <= NARROW)
    net = Net(**matrices, n_inputs=i, n_direct=direct, n_features=settings.n_read, narrow=narrow)
    return net, Work(**arrays, sums=np.zeros(oo), pending=np.zeros(n_groups, np.bool_))


def ready() -> None:
    """Compile, or load, all there is: a step at rate 0 and a loss of the smallest network."""
    settings, layout = DeepRNNSettings(depth=1, width=1, rule="exact", batch=1), groups(1, 1)
    kernel = FastKernel(pack([Chorale(np.full((2, 4), HIGHEST, np.int16), "", "", 0)]), settings, layout)
    flat, memory = np.zeros((1, kernel._n_weights), np.float32), kernel.memory(np.zeros((1, 0, 1, 1, 1), np.float32))
    kernel.step(flat, memory, np.zeros((1, 1, 1), np.int64), np.zeros(1), 1, np.zeros(1, bool))
    kernel.loss(flat)


def carved(**shapes: tuple[int, ...]) -> dict[str, NDArray[np.float32]]:
    """Arrays of zeros of these shapes out of one, which numpy asks large pages for: 4 % of a step's time.

    Each begins with a line of the cache.
    """
    sizes = {name: -(-math.prod(shape) // LINE) * LINE for name, shape in shapes.items()}
    whole, arrays = np.zeros(sum(sizes.values()) + LINE, np.float32), {}
    place = -(whole.ctypes.data // whole.itemsize) % LINE
    for name, shape in shapes.items():
        arrays[name] = whole[place : place + math.prod(shape)].reshape(shape)
        place += sizes[name]
    return arrays
