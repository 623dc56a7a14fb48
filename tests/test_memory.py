"""A look takes the memory of one replica, and what is refused beforehand is what would not have fitted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from classical import DeepRNN
from classical.kernels.plain import PlainKernel

ROOT = Path(__file__).resolve().parents[1]
LENGTHS = (9, 7, 7, 4, 2)
CASES = (("fast", "exact"), ("fast", "delayed"), ("plain", "exact"), ("graph", "delayed"))


@pytest.mark.parametrize("options", [{"rule": "delayed"}, {"rule": "exact", "noise_over": "batch", "cost": "hinge"}])
@pytest.mark.parametrize("kernel", ["fast", "plain", "graph"])
def test_a_look_takes_one_replica_at_a_time_and_its_numbers_are_those_of_each_alone(
    music, monkeypatch, kernel, options
):
    options = {"depth": 2, "width": 9, "batch": 6, "kernel": kernel} | options
    together = DeepRNN(music(*LENGTHS), n_replicas=3, **options)
    together.step(0.05, 3)
    apart = [DeepRNN(music(*LENGTHS), n_replicas=1, first_replica=r, **options) for r in range(3)]
    state = together.state()
    for r, one in enumerate(apart):
        one.restore({name: array[r : r + 1] for name, array in state.items()})
    stacks, forward = [], PlainKernel.forward

    def counted(self, flat):
        stacks.append(len(flat))
        return forward(self, flat)

    monkeypatch.setattr(PlainKernel, "forward", counted)
    looks = {"noise": DeepRNN.noise, "outputs": DeepRNN.outputs, "gradient": DeepRNN.gradient}
    looks |= {"activations": DeepRNN.activations, "tangent": lambda network: network.measure_noise()["tangent_noise"]}
    looks |= {name: lambda network, name=name: network.measure()[name] for name in together.measure()}
    looks["loss on"] = lambda network: network.loss_on(music(5, 3, seed=1))
    for name, look in looks.items():
        np.testing.assert_array_equal(look(together), np.concatenate([look(one) for one in apart]), name)
    assert set(stacks) == {1}


MEMORY = """
import json, os, sys
import numpy as np
from classical import DeepRNN, memory
from encoding import Chorale

pitches = np.random.default_rng(0).integers(43, 97, (1200, 4)).astype(np.int16)
chorales = [Chorale(part, "random", "drawn", 0) for part in np.split(pitches, 40)]
needed = []
memory.check_room = lambda n_bytes, what: needed.append(n_bytes)

def most(options, n_replicas):
    read, write = os.pipe()
    if os.fork() == 0:
        network = DeepRNN(chorales, n_replicas=n_replicas, width=50, **options)
        network.step(0.01, 2)
        network.loss(), network.noise(), network.measure_noise(), network.measure(), network.gradient()
        state = network.state()
        resident = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
        os.write(write, json.dumps([1024 * resident, needed[-1]]).encode())
        os._exit(0)
    os.wait()
    return np.array(json.loads(os.read(read, 100)))

DeepRNN(chorales, depth=1, width=2, rule="exact").step(0.01)
for options in json.loads(sys.argv[1]):
    taken, said = most(options, 49) - most(options, 1)
    print(options, taken / 1e6, said / 1e6)
    assert taken < said < 4 * taken + 20e6, (options, taken, said)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone says how much memory was used at most")
def test_what_many_replicas_take_is_no_more_than_what_is_checked_beforehand_and_not_far_less():
    cases = [{"kernel": kernel, "rule": rule, "depth": 2} for kernel, rule in CASES]
    words = [sys.executable, "-c", MEMORY, json.dumps(cases)]
    # What the allocator keeps back for later (some megabytes, another sum on every machine) is not the network's.
    given = {"ARMONICA_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, env=os.environ | given)
    assert done.returncode == 0, done.stdout + done.stderr
