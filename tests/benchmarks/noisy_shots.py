"""How long shots with the noise of a machine take, with the whole noise model and with that of the used qubits.

A circuit of two chords, five qubits of FakeTorino's 133, measured and reset in the middle. `make bench` prints it.
"""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
os.environ["ARMONICA_THREADS"] = "1"

import time

import numpy as np
from measuring import asked, table
from qiskit_aer import AerSimulator

from quantum import Block, Ladder, backend_named, recurrent_circuit

MACHINES = ("FakeManilaV2", "FakeSherbrooke", "FakeTorino")


def timed(machine: str, turns: int, shots: int = 1000) -> list[tuple[object, ...]]:
    """Seconds until the noise is there and the first shots are, and of as many again, the median of some turns."""
    backend = backend_named(f"aer:noise={machine}", seed=1)
    block, draw = Block(Ladder(5), n_data=4, schedule="coherent"), np.random.default_rng(0)
    circuit = recurrent_circuit(block, draw.uniform(0, 6, (2, 4, 1)), draw.uniform(-3, 3, block.ladder.n_angles))
    ready, rows = backend.pass_manager().run(circuit), []
    for noise in ("whole", "of the used qubits"):
        seen, simulator = [], None
        for turn in range(turns + 1):
            started = time.perf_counter()
            if noise != "whole":
                backend.run([ready], shots=shots).result()
            else:
                simulator = simulator or AerSimulator.from_backend(backend.machine)
                assert simulator.run(ready, shots=shots, seed_simulator=turn).result().success
            seen.append(time.perf_counter() - started)
        rows.append((machine, backend.abilities.n_qubits, noise, seen[0], float(np.median(seen[1:]))))
    return rows


def main() -> None:
    """The tables that were asked for."""
    arguments = asked(__doc__, MACHINES, 1)
    rows = [row for machine in arguments.only for row in timed(machine, arguments.turns)]
    table("Shots with noise", ("machine", "qubits", "noise", "first 1000 shots, s", "the next, s"), rows)


if __name__ == "__main__":
    main()
