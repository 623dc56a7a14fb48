"""The device `armonica.qiskit` beside what a user has today, in one run, taking turns.

    make bench    or    python tests/benchmarks/pennylane_device.py --turns 3 --only aer,middle

aer: 100 circuits of 8 qubits, 16 layers, 1000 shots, counts of all wires; against Aer called directly, with circuits
that already are Qiskit's. middle: 16 steps of 8 qubits, of which 4 are measured and reset; against PennyLane's
simulators, which play each shot on its own (`one-shot`). Seconds are those of the processor, one thread at work, the
least of the turns: a machine that others use as well makes a call that hands over between threads wait.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("ARMONICA_THREADS", "1")

from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import pennylane as qp
from measuring import asked, seconds, table
from pennylane.tape import QuantumScript, make_qscript
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2

from quantum import to_qiskit
from quantum.device.device import QiskitDevice

TABLES = ("aer", "middle")
N_CIRCUITS, N_QUBITS, N_LAYERS, SHOTS = 100, 8, 16, 1000
N_STEPS, N_READ = 16, 4
SHOTS_OF = {"armonica.qiskit": 1000, "default.qubit": 3, "lightning.qubit": 50}


def layers(angles) -> None:
    """RX RZ RX on every qubit and RZZ along a ring, angles (n_layers, 4, n_qubits[, n_circuits])."""
    for layer in angles:
        for wire in range(N_QUBITS):
            qp.RX(layer[0][wire], wire)
            qp.RZ(layer[1][wire], wire)
            qp.RX(layer[2][wire], wire)
        for wire in range(N_QUBITS):
            qp.IsingZZ(layer[3][wire], [wire, (wire + 1) % N_QUBITS])


def of_aer(turns: int) -> None:
    """Counts of many circuits of one structure."""
    angles = np.random.default_rng(0).uniform(-3, 3, (N_CIRCUITS, N_LAYERS, 4, N_QUBITS))
    device = QiskitDevice(wires=N_QUBITS, seed=1)
    read = [qp.counts(wires=range(N_QUBITS))]
    tapes = [make_qscript(layers)(one) for one in angles]
    tapes = [QuantumScript(tape.operations, read, shots=SHOTS) for tape in tapes]
    circuits = [to_qiskit(tape) for tape in tapes]
    simulator, sampler = AerSimulator(method="statevector", max_parallel_threads=1), SamplerV2()
    node = qp.set_shots(qp.QNode(lambda x: layers(x) or qp.counts(wires=range(N_QUBITS)), device), SHOTS)
    batch = np.moveaxis(angles, 0, -1)  # (n_layers, 4, n_qubits, n_circuits)
    took = seconds(
        {
            "AerSimulator.run, all circuits": lambda: simulator.run(circuits, shots=SHOTS).result().get_counts(),
            "Aer's SamplerV2, all circuits": lambda: _counts(sampler.run(circuits, shots=SHOTS).result()),
            "AerSimulator.run, a circuit a call": lambda: [
                simulator.run(one, shots=SHOTS).result().get_counts() for one in circuits
            ],
            "the device, tapes": lambda: qp.execute(tapes, device),
            "the device, a QNode with a batch": lambda: node(batch),
            "the device, a QNode a circuit": lambda: [node(one) for one in angles],
        },
        turns,
        min,
        process_time,
    )
    first = next(iter(took.values()))
    rows = [(name, time, time / first) for name, time in took.items()]
    table(f"{N_CIRCUITS} circuits, {N_QUBITS} qubits, {N_LAYERS} layers, {SHOTS} shots", ("", "s", "ratio"), rows)


def _counts(results: Any) -> list:
    return [one.data.meas.get_counts() for one in results]


def steps(x) -> list:
    """One layer a step, and some wires measured and reset; what was measured."""
    found = []
    for step in range(N_STEPS):
        layers(x[step : step + 1])
        found += [qp.measure(wire, reset=True) for wire in range(N_READ)]
    return found


def of_middle(turns: int) -> None:
    """Measured and reset in the middle: seconds a shot."""
    x = np.random.default_rng(1).uniform(-3, 3, (N_STEPS, 4, N_QUBITS))
    took = {}
    for name, shots in SHOTS_OF.items():
        device = QiskitDevice(wires=N_QUBITS) if name == "armonica.qiskit" else qp.device(name, wires=N_QUBITS)
        node = _read(device, "device" if name == "armonica.qiskit" else "one-shot")
        took[name] = (lambda node=node, shots=shots: qp.set_shots(node, shots)(x), shots)
    candidates: dict[str, Callable[[], object]] = {name: play for name, (play, _) in took.items()}
    found = seconds(candidates, turns, min, process_time)
    each = {name: found[name] / shots for name, (_, shots) in took.items()}
    rows = [(name, 1e3 * time, time / each["armonica.qiskit"]) for name, time in each.items()]
    table(f"{N_STEPS} steps of {N_QUBITS} qubits, {N_READ} measured and reset", ("", "ms a shot", "ratio"), rows)


def _read(device, method: str):
    @qp.qnode(device, mcm_method=method)
    def played(x):
        return qp.sample(steps(x))

    return played


if __name__ == "__main__":
    said = asked(__doc__, TABLES, 3)
    for name, measure in zip(TABLES, (of_aer, of_middle), strict=True):
        if name in said.only:
            measure(said.turns)
