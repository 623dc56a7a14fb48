"""The compiled kernel makes the plain one's steps, to rounding; and its own, bit for bit, whatever stands beside."""

import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from numba import njit
from numpy.typing import DTypeLike

from classical import DeepRNN
from classical.kernels import compiled
from encoding import InputError

cpu, tile = compiled("cpu"), compiled("tile")
ADDRESS, LANES, WIDEST, padded, gemm = tile.ADDRESS, tile.LANES, tile.WIDEST, tile.padded, tile.gemm
NOTHING, TANH, SLOPE = tile.NOTHING, tile.TANH, tile.SLOPE
LENGTHS = (9, 7, 7, 4, 2)
CASES = [
    {"depth": 1, "width": 5, "rule": "exact"},
    {"depth": 3, "width": 17, "rule": "exact", "boundary": "published"},
    {"depth": 2, "width": 16, "rule": "delayed", "batch": 7},
    {"depth": 2, "width": 33, "rule": "delayed", "boundary": "published", "batch": None},
    {"depth": 2, "width": 9, "rule": "exact", "batch": None, "cost": "squared"},
    {"depth": 2, "width": 9, "rule": "exact", "cost": "hinge", "feedforward": "orthogonal"},
    {"depth": 2, "width": 9, "rule": "exact", "polar": "svd", "learned": ("M", "K")},
    {"depth": 1, "width": 130, "rule": "exact", "replacement": False, "batch": 5},
    {"depth": 2, "width": 20, "rule": "delayed", "batch": 7},
    {"depth": 3, "width": 36, "rule": "exact", "batch": 7},
    {"depth": 1, "width": 3, "rule": "exact", "batch": 2},
]


@njit
def _product(a, b, c, u, n, n_k, f):
    gemm(ADDRESS, a, 2, b, c, 1, u, n, n_k, f)


def stirred(network, seed=0):
    """Weights away from the start, where K = 0 hides most of what could be wrong."""
    weights = network.weights()
    weights += 0.1 * np.random.default_rng(seed).standard_normal(weights.shape).astype(np.float32)
    network.put(weights)
    return network


@pytest.mark.parametrize("n_k", [0, 1, 7, 68])
@pytest.mark.parametrize("n_vectors", [*range(1, WIDEST + 3)])
@pytest.mark.parametrize("n", [1, 8, 23])
def test_the_product_is_that_of_numpy(n, n_vectors, n_k):
    rng, columns = np.random.default_rng(n + n_vectors), n_vectors * LANES
    a, b = (rng.standard_normal(shape).astype(np.float32) / 8 for shape in ((n + 2, n_k + 3), (n_k + 1, columns)))
    c, u = (np.tanh(rng.standard_normal((n + 3, columns))).astype(np.float32) for _ in range(2))
    exact = c[1 : n + 1] + a[2 : n + 2, :n_k].astype(np.float64) @ b[:n_k]
    for f, wanted in ((NOTHING, exact), (TANH, np.tanh(exact)), (SLOPE, exact * (1 - u[1 : n + 1] ** 2.0))):
        out = c.copy()
        _product(a, b, out, u, n, n_k, f)
        assert out[1 : n + 1] == pytest.approx(wanted, abs=3e-6)
        assert np.array_equal(out[[0, *range(n + 1, n + 3)]], c[[0, *range(n + 1, n + 3)]])  # no other row is touched


@pytest.mark.parametrize("options", CASES, ids=lambda case: " ".join(f"{v}" for v in case.values()))
@pytest.mark.parametrize("kernel", ["fast", "graph"])
def test_ten_steps_agree_with_the_plain_kernel_to_rounding(kernel, options, music):
    chorales = music(*LENGTHS)
    fast, plain = (stirred(DeepRNN(chorales, **options, n_replicas=2, kernel=name)) for name in (kernel, "plain"))
    seen = [network.step([0.02, 0.05], 10) for network in (fast, plain)]
    assert seen[0] == pytest.approx(seen[1], rel=2e-6)
    moved = np.abs(plain.weights() - stirred(DeepRNN(chorales, **options, n_replicas=2)).weights()).max()
    assert np.abs(fast.weights() - plain.weights()).max() < 1e-4 * moved
    assert fast.loss() == pytest.approx(plain.loss(), rel=2e-6)


@pytest.mark.parametrize("rule", ["delayed", "exact"])
def test_replicas_threads_and_pieces_change_no_bit(rule, music, monkeypatch):
    options = {"depth": 2, "width": 12, "rule": rule, "batch": 6, "kernel": "fast"}
    chorales = music(*LENGTHS)
    monkeypatch.setenv("ARMONICA_THREADS", "1")
    whole = DeepRNN(chorales, n_replicas=3, **options)
    losses = whole.step(0.03, 70)
    monkeypatch.setenv("ARMONICA_THREADS", "3")
    threaded = DeepRNN(chorales, n_replicas=3, **options)
    assert np.array_equal(np.concatenate([threaded.step(0.03, n) for n in (1, 2, 67)]), losses)
    assert np.array_equal(threaded.weights(), whole.weights())
    alone = DeepRNN(chorales, n_replicas=1, first_replica=2, **options)
    assert np.array_equal(alone.step(0.03, 70)[:, 0], losses[:, 2])
    assert np.array_equal(alone.weights()[0], whole.weights()[2])


def test_a_step_far_from_orthogonal_takes_the_decomposition_and_goes_on(music):
    chorales = music(*LENGTHS)
    fast, plain = (DeepRNN(chorales, depth=1, width=6, rule="exact", kernel=kernel) for kernel in ("fast", "plain"))
    rng = np.random.default_rng(0)
    weights = fast.weights() + rng.standard_normal(fast.weights().shape).astype(np.float32)  # M far from orthogonal
    for network in (fast, plain):
        network.put(weights)
        network.step(0.01, 5)
    group = fast.layout()["M0"]
    m = fast.weights()[0, group.slice].reshape(group.shape)
    assert np.abs(m @ m.T - np.eye(6)).max() < 1e-5
    assert fast.weights() == pytest.approx(plain.weights(), abs=2e-5)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("rule", ["delayed", "exact"])
def test_a_graph_step_far_from_orthogonal_is_made_again_with_decompositions(rule, precision, music):
    options = {"depth": 2, "width": 6, "rule": rule, "precision": precision, "batch": 6, "n_replicas": 2}
    graph, plain = (DeepRNN(music(*LENGTHS), **options, kernel=kernel) for kernel in ("graph", "plain"))
    weights = graph.weights() + np.random.default_rng(0).standard_normal(graph.weights().shape)
    for network in (graph, plain):
        network.put(weights)
        network.step([0.01, 0.02], 5)
    for name in ("M0", "M1"):
        group = graph.layout()[name]
        m = graph.weights()[:, group.slice].reshape(2, *group.shape)
        assert np.abs(m @ m.swapaxes(1, 2) - np.eye(6)).max() < 1e-5
    np.testing.assert_equal(graph.state(), plain.state())  # the very same operations on a processor


def test_a_replica_of_the_graph_freezes_where_that_of_the_plain_kernel_does(music):
    options = {"depth": 1, "width": 5, "rule": "delayed", "batch": 6, "n_replicas": 3}
    graph, plain = (DeepRNN(music(*LENGTHS), **options, kernel=kernel) for kernel in ("graph", "plain"))
    losses = [network.step([0.05, 1e38, 0.05], 4) for network in (graph, plain)]
    assert np.array_equal(np.isnan(losses[0]), np.isnan(losses[1]))
    assert np.isnan(losses[0]).any()
    assert np.array_equal(graph.state()["frozen"], plain.state()["frozen"])
    assert losses[0][:, [0, 2]] == pytest.approx(losses[1][:, [0, 2]], rel=2e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"device": "cuda"}, r"device cuda was asked for, but torch .* sees 0 CUDA devices: leave it out"),
        ({"device": "cuda:3", "kernel": "graph"}, r"device cuda:3 was asked for"),
        ({"device": "cuda", "kernel": "fast"}, "kernel fast runs on the processor; got device 'cuda'"),
        ({"device": "meta"}, "device is cpu, cuda or cuda:0, cuda:1, ...; got 'meta'"),
        ({"device": "the moon"}, "device is cpu, cuda or cuda:0, cuda:1, ...; got 'the moon'"),
    ],
)
def test_a_device_that_is_not_there_is_refused_in_one_line(options, said, music, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=said) as refused:
        DeepRNN(music(4), depth=1, width=3, **options)
    assert "\n" not in str(refused.value)


def test_a_card_that_runs_out_of_memory_is_one_line_and_loses_nothing(music, monkeypatch):
    network = DeepRNN(music(*LENGTHS), depth=1, width=3, batch=4, kernel="graph")
    network.step(0.05, 2)
    before = network.state()

    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(network._kernel, "_run", lambda *_, **__: full())
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 * 10**8, 10**9))
    monkeypatch.setattr("classical.kernels.plain.PlainKernel.forward", full)
    for verb in (lambda: network.step(0.05, 2), network.loss):
        with pytest.raises(
            InputError, match=r"1 replica\(s\) do not fit into the memory of cpu, which has 0.5 GB left"
        ):
            verb()
    np.testing.assert_equal(network.state(), before)


@pytest.mark.hardware
@pytest.mark.parametrize("rule", ["delayed", "exact"])
def test_on_a_card_the_graph_makes_the_steps_of_the_processor_and_goes_on_bit_for_bit(rule, music):
    options = {"depth": 2, "width": 20, "rule": rule, "batch": 6, "n_replicas": 3}
    card, plain = (
        DeepRNN(music(*LENGTHS), **options, device="cuda"),
        DeepRNN(music(*LENGTHS), **options, kernel="plain"),
    )
    assert card.step(0.05, 10) == pytest.approx(plain.step(0.05, 10), rel=1e-5)
    again = DeepRNN(music(*LENGTHS), **options, device="cuda")
    again.restore(card.state())
    whole = card.step(0.05, 10)
    assert np.array_equal(np.concatenate([again.step(0.05, n) for n in (3, 7)]), whole)
    np.testing.assert_equal(again.state(), card.state())


SHORT_VECTORS = """
import numpy as np
from classical import DeepRNN
from classical.kernels import compiled
from encoding import Chorale
assert compiled("tile").LANES == 8
pitches = np.random.default_rng(0).integers(43, 97, (40, 4)).astype(np.int16)
chorales = [Chorale(part, "random", "drawn", 0) for part in np.split(pitches, [4, 10, 25])]
for width in (5, 8, 11, 12, 33):
    for rule in ("exact", "delayed"):
        options = {"depth": 2, "width": width, "rule": rule, "batch": 9}
        fast, plain = (DeepRNN(chorales, **options, kernel=kernel) for kernel in ("fast", "plain"))
        losses = [network.step(0.05, 30) for network in (fast, plain)]
        np.testing.assert_allclose(*losses, rtol=1e-5)
        np.testing.assert_allclose(fast.weights(), plain.weights(), atol=1e-5)
"""


def test_vectors_as_short_as_without_avx512_make_the_same_steps():
    environment = os.environ | {"ARMONICA_LANES": "8"}
    done = subprocess.run([sys.executable, "-c", SHORT_VECTORS], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_where_the_fast_kernel_cannot_run_this_is_said_or_refused(music, caplog):
    options = {"depth": 1, "width": 3, "precision": "float64"}
    with caplog.at_level(logging.WARNING, "armonica"):
        assert DeepRNN(music(4), **options).kernel == "plain"
    assert "kernel plain: the fast kernel computes in float32, not in float64" in caplog.text
    with pytest.raises(InputError, match="kernel fast was asked for, but the fast kernel computes in float32"):
        DeepRNN(music(4), **options, kernel="fast")
    with pytest.raises(InputError, match="kernel is fast, plain or graph; got 'gpu'"):
        DeepRNN(music(4), depth=1, width=3, kernel="gpu")
    assert DeepRNN(music(4), depth=1, width=3).kernel == f"fast, {LANES} lanes"
    assert padded(1) == LANES == padded(LANES)


@pytest.mark.parametrize("options", CASES, ids=lambda case: " ".join(f"{v}" for v in case.values()))
def test_nothing_is_written_outside_its_place(options, music, monkeypatch):
    network, guarded, ordinary, guard = DeepRNN(music(*LENGTHS), **options, kernel="fast"), [], np.zeros, 512
    network.step(0.02)  # compiled before numpy is tampered with

    def zeros(shape, dtype: DTypeLike = float):
        whole = np.ones(int(np.prod(shape)) + 2 * guard, dtype)
        guarded.append((whole, place := whole[guard:-guard].reshape(shape)))
        place[...] = 0
        return place

    network = DeepRNN(music(*LENGTHS), **options, kernel="fast")
    monkeypatch.setattr(np, "zeros", zeros)
    monkeypatch.setattr(
        cpu, "carved", lambda **shapes: {name: zeros(shape, np.float32) for name, shape in shapes.items()}
    )
    network.step(0.02, 3)
    monkeypatch.setattr(np, "zeros", ordinary)
    assert len(guarded) > 15
    assert all((whole[:guard] == 1).all() and (whole[-guard:] == 1).all() for whole, _ in guarded)


def test_carved_arrays_are_apart_zero_and_begin_with_a_line():
    arrays = cpu.carved(one=(3, 5), none=(0, 0, 0), two=(17,), three=(2, 2, 16))
    for number, array in enumerate(arrays.values(), 1):
        assert (array == 0).all()
        assert array.ctypes.data % 64 == 0 or not array.size
        array[...] = number
    assert [float(array.max(initial=0)) for array in arrays.values()] == [1, 0, 3, 4]
    assert [array.shape for array in arrays.values()] == [(3, 5), (0, 0, 0), (17,), (2, 2, 16)]
