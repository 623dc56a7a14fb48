"""What has no room is refused before it is tried, in a line that says how much it takes and what to do instead."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit

from encoding import Chorale, InputError, multi_hot
from quantum import Block, Exact, Ladder, QuantumRNN, Shots, evolved, unitary, unitary_and_slopes
from quantum.channel import Music
from quantum.circuits import circuit_unitary

ROOT = Path(__file__).resolve().parents[1]
PIECE = Chorale(np.full((3, 4), 60, np.int16), "held", "here", 0)
CHORDS = Music(torch.tensor([[1.0, 0, 0, 0]]), torch.tensor([0, 0]), (0, 1, 2))  # of two voices
BLOCK = Block(Ladder(11), n_data=2, schedule="coherent")


def network(**said):
    options: dict[str, Any] = {"schedule": "measured", "n_history": 6, "n_layers": 1} | said
    return QuantumRNN([PIECE], **options)


PLACES = {
    "a network": lambda: network(),
    "a dense U of shots": lambda: Shots(BLOCK, CHORDS, "Z", 10),
    "exact averages": lambda: Exact(BLOCK, CHORDS),
    "a matrix": lambda: unitary(Ladder(11), np.zeros(Ladder(11).n_angles)),
    "slopes": lambda: unitary_and_slopes(Ladder(7), np.zeros(Ladder(7).n_angles)),
    "states": lambda: evolved(Ladder(11), np.zeros((2000, Ladder(11).n_angles)), np.eye(1, 2**11)[0]),
    "the matrix of a circuit": lambda: circuit_unitary(QuantumCircuit(11)),
}


@pytest.fixture
def little_room(monkeypatch):
    """Memory for one kilobyte more."""
    monkeypatch.setattr("encoding.memory._installed", lambda: 1e3)
    monkeypatch.setattr("encoding.memory._used", lambda: (0.0, 0.0))


@pytest.mark.parametrize("place", PLACES)
def test_what_grows_as_two_to_the_qubits_asks_for_room_first(little_room, place):
    with pytest.raises(InputError, match=r"need about \S+ GB of memory; this process may have 1e-06 GB more: ") as said:
        PLACES[place]()
    assert re.search(": (ask for|take|play) ", str(said.value))
    assert "\n" not in str(said.value)


def test_a_network_that_was_learned_gate_by_gate_asks_before_it_makes_its_unitaries(monkeypatch):
    player = network(n_replicas=3).network()
    monkeypatch.setattr("encoding.memory._installed", lambda: 0.0)
    with pytest.raises(InputError, match=r"3 unitaries of 10 qubits need about 0.101 GB .*: play fewer replicas"):
        player.outputs(multi_hot(PIECE.pitches))


def test_batches_drawn_ahead_are_counted(little_room):
    gigabytes = []
    for batch in (1, 10**6):
        with pytest.raises(InputError) as said:
            network(schedule="coherent", n_history=1, batch=batch)
        gigabytes.append(float(re.findall(r"about (\S+) GB", str(said.value))[0]))
    assert gigabytes[1] - gigabytes[0] == pytest.approx(64 * 8 * 1e6 / 1e9, rel=0.01)  # 64 steps ahead, 8 bytes each


TAKEN = """
import json, os, sys
import numpy as np
from encoding import Chorale
from quantum import QuantumRNN, needs

drawn = np.random.default_rng(0)
pitches = np.stack([drawn.integers(*voice, 600) for voice in ((60, 79), (53, 72), (48, 67), (43, 60))], 1)
chorales = [Chorale(part.astype(np.int16), "random", "drawn", 0) for part in np.split(pitches, 20)]
needed = []
needs.check_room = lambda n_bytes, *words: needed.append(n_bytes)

def most(options):
    read, write = os.pipe()
    if os.fork() == 0:
        options = dict(options)
        music = chorales[: options.pop("pieces")]
        network = QuantumRNN(music, **options)
        network.step(0.01)
        network.measure()
        resident = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
        os.write(write, json.dumps([1024 * resident, needed[-1]]).encode())
        os._exit(0)
    os.wait()
    return np.array(json.loads(os.read(read, 100)))

for small, large in json.loads(sys.argv[1]):
    taken, said = most(small | large) - most(small)
    print(large, taken / 1e6, said / 1e6)
    assert taken < said < 3 * taken + 20e6, (large, taken, said)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone says how much memory was used at most")
def test_what_a_network_takes_is_no_more_than_what_is_asked_for_and_not_far_less():
    small = {"schedule": "coherent", "n_history": 1, "n_layers": 1, "pieces": 1}
    large = [
        {"n_history": 4, "pieces": 10},
        {"n_history": 4, "pieces": 10, "kernel": "plain"},
        {"n_layers": 2000, "kernel": "plain"},
    ]
    kind = [{name: said[name] for name in ("kernel",) if name in said} for said in large]
    cases = [[small | same, said] for same, said in zip(kind, large, strict=True)]
    given = {"ARMONICA_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}  # as in test_memory
    words = [sys.executable, "-c", TAKEN, json.dumps(cases)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env=os.environ | given)
    assert done.returncode == 0, done.stdout + done.stderr
