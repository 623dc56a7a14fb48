"""How long a learning step of the quantum network takes, beside what a user would write: `make bench` prints it too.

One step: the exact loss of all chords and its gradient along all weights, and the move. All in one run, on one thread
unless said; the candidates take turns, and the shortest turn counts.
"""

import os
from collections.abc import Callable

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
os.environ["ARMONICA_THREADS"] = "1"

import numpy as np
import pennylane as qp
import torch
from measuring import asked, seconds, table
from torch import Tensor

from encoding import N_KEYS, Chorale, load_chorales, pack
from quantum import Block, Ladder, QuantumRNN, RecurrentBlock
from quantum.music import played

N_DATA, N_LAYERS, RATE = 4, 3, 0.01
TABLES = ("steps", "pennylane", "sizes", "cores", "small")


def excerpts(n: int = 5, n_chords: int = 66) -> list[Chorale]:
    """The beginnings of so many chorales, those that are long enough."""
    long = [chorale for chorale in load_chorales(first=None) if len(chorale.pitches) >= n_chords]
    return [Chorale(chorale.pitches[:n_chords], chorale.name, chorale.source, chorale.index) for chorale in long[:n]]


def network(chorales: list[Chorale], schedule: str, n_history: int, **said) -> QuantumRNN:
    """A network with a readout that lets errors through."""
    options = {"n_layers": N_LAYERS, "readout_start": "random"} | said
    return QuantumRNN(chorales, schedule=schedule, n_history=n_history, **options)


class AsAUserWould:
    """Torch and autograd: U gate by gate, chords padded, a loop over time; the data register is traced out."""

    def __init__(self, chorales: list[Chorale], twin: QuantumRNN) -> None:
        """The weights of `twin`, and its music."""
        self.settings, slots = twin.settings, pack(chorales)
        music = played(chorales, slots, self.settings.note, torch.complex64)
        n_times, n_pieces = slots.n_times, len(chorales)
        self.kets = torch.zeros(n_times, n_pieces, 2**N_DATA, dtype=torch.complex64)
        self.targets, self.there = torch.zeros(n_times, n_pieces, N_KEYS), torch.zeros(n_times, n_pieces)
        for time, block in enumerate(music.blocks()):
            here = slice(block.stop - block.start)
            self.kets[time, here], self.there[time, here] = music.states[music.chord[block]], 1
            self.targets[time, here] = torch.from_numpy(slots.targets[block])
        flat, n_angles = torch.from_numpy(twin.weights()[0]), self.settings.block.ladder.n_angles
        k, h0 = flat[n_angles:-N_KEYS].reshape(N_KEYS, -1), flat[-N_KEYS:]
        self.weights = [part.clone().requires_grad_() for part in (flat[:n_angles], k, h0)]
        self.descent = torch.optim.SGD(self.weights, RATE)

    def unitary(self) -> Tensor:
        """U, one gate after the other on all columns."""
        ladder, angles = self.settings.block.ladder, self.weights[0]
        n, u = ladder.n_qubits, torch.eye(2**ladder.n_qubits, dtype=torch.complex64)
        x = torch.tensor([[0, 1], [1, 0]], dtype=torch.complex64)
        z = torch.tensor([1, -1], dtype=torch.complex64)
        signs = [z.repeat_interleave(2 ** (n - 1 - q)).repeat(2**q) for q in range(n)]
        for name, qubits, place in ladder.gates():
            half = angles[place] / 2
            if name == "RX":
                gate = torch.cos(half) * torch.eye(2) - 1j * torch.sin(half) * x
                u = (gate @ u.reshape(2 ** qubits[0], 2, -1)).reshape(2**n, -1)
            else:
                sign = torch.stack([signs[q] for q in qubits]).prod(0)
                u = torch.exp(-1j * half * sign)[:, None] * u
        return u

    def features(self) -> Tensor:
        """<Z> of the data qubits, (n_times, n_pieces, 4)."""
        n_history, n_pieces = self.settings.n_history, self.kets.shape[1]
        columns = self.unitary().reshape(2 ** (N_DATA + n_history), 2**N_DATA, -1)
        states = torch.arange(2 ** (N_DATA + n_history))
        signs = torch.stack([1.0 - 2 * (states >> (N_DATA + n_history - 1 - q) & 1) for q in range(N_DATA + n_history)])
        rho = torch.zeros(n_pieces, 2**n_history, 2**n_history, dtype=torch.complex64)
        rho[:, 0, 0] = 1
        averages, seen = torch.ones(n_pieces, n_history), []
        for ket in self.kets:
            a = torch.einsum("ndh,bd->bnh", columns, ket)
            if self.settings.schedule == "measured":
                half = torch.pi / 4 * (1 - averages)
                history = torch.ones(n_pieces, 1)
                for j in range(n_history):
                    pair = torch.stack([half[:, j].cos(), half[:, j].sin()], -1)
                    history = (history[:, :, None] * pair[:, None]).flatten(1)
                psi = (a @ history.to(a.dtype)[..., None])[..., 0]
                z = psi.abs().square() @ signs.T
                averages = z[:, N_DATA:]
            else:
                moved = a @ rho
                z = (moved * a.conj()).real.sum(-1) @ signs.T
                split = 2**N_DATA, 2**n_history, 2**n_history
                rho = torch.einsum("bdhi,bdki->bhk", moved.unflatten(1, split[:2]), a.conj().unflatten(1, split[:2]))
            seen.append(z[:, :N_DATA])
        return torch.stack(seen)

    def __call__(self) -> float:
        """One step."""
        fields = self.features() @ self.weights[1].T + self.weights[2]
        cost = torch.nn.functional.softplus(-2 * self.targets * fields).sum(-1)
        loss = (cost * self.there).sum() / self.there.sum()
        self.descent.zero_grad()
        loss.backward()
        self.descent.step()
        return float(loss.detach())


def beside_others(turns: int) -> None:
    """(a) what a user would write, (b) our plain path, (c) our kernel."""
    chorales = excerpts()
    for schedule in ("coherent", "measured", "staggered"):
        rows = []
        for n_history in (1, 2, 3, 4):
            plain, fast = (network(chorales, schedule, n_history, kernel=kernel) for kernel in ("plain", "fast"))
            candidates: dict[str, Callable[[], object]] = {
                "plain": lambda plain=plain: plain.step(RATE),
                "fast": lambda fast=fast: fast.step(RATE, 5),
            }
            if schedule != "staggered":
                user = AsAUserWould(chorales, fast)
                assert abs(user() / (N_KEYS * np.log(2)) - fast.step(RATE)[0, 0]) < 1e-3
                candidates["user"] = user
            times = seconds(candidates, turns, min)
            a, b, c = 1e3 * times.get("user", np.nan), 1e3 * times["plain"], 1e3 * times["fast"] / 5
            rows.append((n_history, a if a == a else "", b, c, a / c if a == a else "", b / c))
        heads = ("n_H", "(a) torch, padded, ms", "(b) plain, ms", "(c) fast, ms", "(a)/(c)", "(b)/(c)")
        n_slots, n_distinct = fast._lesson.n_slots, len(fast._lesson.compiled._network.kets)
        table(f"One step, {schedule}, {n_slots} steps of music, {n_distinct} distinct chords, 3 layers", heads, rows)


def in_pennylane(schedule: str, n_history: int, hours: Tensor) -> Callable[[Tensor], Tensor]:
    """<Z> of the data qubits, summed over chords and pieces, from a cell a chord; hours (n_times, n_pieces, 4)."""
    block = Block(Ladder(N_DATA + n_history, N_LAYERS), n_data=N_DATA, schedule=schedule)
    data, history = list(range(N_DATA)), list(range(N_DATA, N_DATA + n_history))

    @qp.qnode(qp.device("default.mixed", wires=N_DATA + n_history), interface="torch", diff_method="backprop")
    def carried(chord, theta, rho):
        qp.QubitDensityMatrix(rho, wires=history)
        RecurrentBlock(chord[:, None], theta, data, history, block)
        return [*(qp.expval(qp.Z(wire)) for wire in data), qp.density_matrix(history)]

    @qp.qnode(qp.device("default.qubit"), interface="torch", diff_method="backprop")
    def measured(chords, theta, averages):
        RecurrentBlock(chords[:, :, None], theta, data, history, block, averages=averages)
        return [qp.expval(qp.Z(wire)) for wire in data + history]

    def total(theta: Tensor) -> Tensor:
        summed = torch.zeros((), dtype=torch.float64)
        if schedule == "measured":
            averages = torch.ones(hours.shape[1], n_history, dtype=torch.float64)
            for chords in hours:
                z = torch.stack(measured(chords, theta, averages), -1)
                summed, averages = summed + z[:, :N_DATA].sum(), z[:, N_DATA:]
            return summed
        for piece in hours.unbind(1):
            rho = torch.zeros(2**n_history, 2**n_history, dtype=torch.complex128)
            rho[0, 0] = 1
            for chord in piece:
                *z, rho = carried(chord, theta, rho)
                summed = summed + torch.stack(z).sum()
        return summed

    return total


def beside_pennylane(turns: int) -> None:
    """(d) the gradient through a PennyLane cell a chord, on a few chords; both per chord of one piece."""
    rows = []
    for schedule, n_pieces, n_chords in (("coherent", 1, 4), ("measured", 5, 10)):
        for n_history in (2, 4):
            long = excerpts(n_pieces)
            ours = network(long, schedule, n_history)
            few = excerpts(n_pieces, n_chords + 1)
            pitches = np.stack([piece.pitches[:n_chords] for piece in few], 1)  # (n_times, n_pieces, 4)
            hours = torch.from_numpy(pitches % 12 * np.pi / 6)
            total = in_pennylane(schedule, n_history, hours)
            theta = torch.from_numpy(ours.weights()[0, : ours._lesson.n_angles].astype(np.float64)).requires_grad_()

            def gradient(total=total, theta=theta) -> Tensor:
                theta.grad = None
                total(theta).backward()
                assert theta.grad is not None
                return theta.grad

            twin = network(few, schedule, n_history, precision="float64")
            angles = theta.detach()[None]
            passed = twin._lesson.compiled.run(angles)
            ones = torch.zeros_like(passed.features)
            ones[..., :N_DATA] = 1
            np.testing.assert_allclose(gradient(), twin._lesson.compiled.slope(angles, passed, ones)[0], atol=1e-5)
            times = seconds({"theirs": gradient, "ours": lambda ours=ours: ours.step(RATE, 5)}, max(2, turns // 5), min)
            theirs = 1e6 * times["theirs"] / (n_chords * n_pieces)
            each = 1e6 * times["ours"] / 5 / ours._lesson.n_slots
            device = "default.mixed" if schedule == "coherent" else "default.qubit, 5 broadcast"
            rows.append((schedule, n_history, device, theirs, each, theirs / each))
    heads = ("schedule", "n_H", "device, backprop", "PennyLane, µs a chord", "fast, µs a chord", "ratio")
    table(
        f"A gradient, {N_LAYERS} layers: PennyLane on 4 and 10 chords, fast on 65, both scaled per chord", heads, rows
    )


def against_size(turns: int) -> None:
    """How the cost of a step grows."""
    everything, rows = load_chorales(first=None), []
    for n in (5, 20, 80):
        for n_history in (2, 4):
            made = network([piece for piece in everything if piece.index < n], "coherent", n_history)
            ms = 1e3 * seconds({"x": lambda made=made: made.step(RATE)}, turns, min)["x"]
            n_slots, n_distinct = made._lesson.n_slots, len(made._lesson.compiled._network.kets)
            rows.append((f"first {n}", n_slots, n_distinct, n_history, ms, 1e3 * ms / n_slots))
    table("Against the music, coherent", ("chorales", "chords", "distinct", "n_H", "ms", "µs a chord"), rows)
    rows = []
    for schedule, n_trajectories in (("coherent", 2), ("coherent", 4), ("coherent", 8), ("measured", None)):
        made = network(excerpts(5), schedule, 8, trajectories=n_trajectories)
        ms = 1e3 * seconds({"x": lambda made=made: made.step(RATE)}, max(2, turns // 5), min)["x"]
        rows.append((schedule, "" if n_trajectories is None else n_trajectories, made._lesson.n_slots, ms))
    table("Eight history qubits, ket by ket", ("schedule", "kets a piece", "chords", "ms"), rows)
    rows = []
    for n_distinct in (10, 100, 1000):
        drawn = np.random.default_rng(0).integers(48, 80, (n_distinct, 4))
        pitches = drawn[np.arange(1001) % n_distinct].astype(np.int16)
        made = network([Chorale(pitches, "drawn", "drawn", 0)], "coherent", 3)
        ms = 1e3 * seconds({"x": lambda made=made: made.step(RATE)}, turns, min)["x"]
        rows.append((n_distinct, ms))
    table("Against distinct chords among 1000, coherent, n_H = 3", ("distinct", "ms"), rows)
    rows = []
    for n_layers in (1, 3, 9):
        pair = [network(excerpts(), "coherent", n_history, n_layers=n_layers) for n_history in (2, 4)]
        two = {str(k): lambda made=made: made.step(RATE) for k, made in enumerate(pair)}
        rows.append((n_layers, *(1e3 * t for t in seconds(two, turns, min).values())))
    table("Against layers, coherent", ("layers", "n_H = 2, ms", "n_H = 4, ms"), rows)


def cores(turns: int) -> None:
    """Replicas on one thread and on all cores."""
    n_cores, rows = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, []
    for n_history in (1, 2, 4):
        made = [network(excerpts(), "coherent", n_history, n_replicas=4) for _ in range(2)]

        def threaded(threads: int, network: QuantumRNN) -> Callable[[], object]:
            def go() -> None:
                os.environ["ARMONICA_THREADS"] = str(threads)
                network.step(RATE, 10)

            return go

        times = seconds({"one": threaded(1, made[0]), "all": threaded(n_cores, made[1])}, turns, min)
        rows.append((n_history, 40 / times["one"], 40 / times["all"], times["one"] / times["all"]))
    os.environ["ARMONICA_THREADS"] = "1"
    heads = ("n_H", "replica steps/s, 1 thread", f"{n_cores} threads", "ratio")
    table("Four replicas on cores, coherent, 5 excerpts", heads, rows)


def small(turns: int) -> None:
    """Networks so small that what is around the sums counts."""
    rows = []
    for schedule in ("coherent", "measured"):
        kernels = {name: network(excerpts(3, 6), schedule, 1, n_layers=1, kernel=name) for name in ("plain", "fast")}
        plain, fast = kernels["plain"], kernels["fast"]
        times = seconds({"plain": lambda p=plain: p.step(RATE, 5), "fast": lambda f=fast: f.step(RATE, 50)}, turns, min)
        rows.append((schedule, 1e3 * times["plain"] / 5, 1e3 * times["fast"] / 50))
    table("15 chords, n_H = 1, one layer", ("schedule", "plain, ms a step", "fast, ms a step"), rows)


def main() -> None:
    """All tables."""
    said = asked(__doc__, TABLES, turns=15)
    torch.set_num_threads(1)
    tables = zip(TABLES, (beside_others, beside_pennylane, against_size, cores, small), strict=True)
    for name, printed in tables:
        if name in said.only:
            printed(said.turns)


if __name__ == "__main__":
    main()
