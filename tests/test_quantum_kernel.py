"""The compiled kernel of the quantum network is its plain twin to rounding; bit for bit itself, whoever is beside."""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

import logging
from dataclasses import replace
from importlib import import_module
from threading import Event, Timer, get_ident

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from encoding import Chorale, InputError, pack
from encoding.threads import Threads
from quantum import QuantumRNN
from quantum.channel import Channel
from quantum.kernels import compiled
from quantum.music import played
from quantum.settings import QuantumRNNSettings

PRECISIONS = ("float32", "float64")
[compiled(precision) for precision in PRECISIONS]  # before any test's clock runs, and its parts are imported
replica, vectors = (import_module(f"quantum.kernels.{name}") for name in ("replica", "vectors"))
LENGTHS = (6, 5, 5, 2)
LADDERS = st.fixed_dictionaries(
    {
        "n_layers": st.integers(1, 2),
        "topology": st.sampled_from(["ring", "chain", "all-to-all"]),
        "closing": st.booleans(),
        "rotations": st.sampled_from(["XZX", "ZX"]),
        "observables": st.sampled_from(["Z", "ZX"]),
        "encoding": st.sampled_from(["pitch-class", "octave-phase"]),  # real kets, and complex ones
    }
)
CASES = [
    {"schedule": "coherent", "n_history": 2, "n_layers": 2, "observables": "ZX"},
    {"schedule": "coherent", "n_history": 1, "n_layers": 1, "closing": True, "batch": 4, "skip": True},
    {"schedule": "staggered", "n_history": 1, "n_layers": 2, "batch": 5, "replacement": False},
    {
        "schedule": "staggered",
        "n_history": 3,
        "n_layers": 1,
        "closing": True,
        "learned": ("angles",),
        "skip": True,
    },
    {"schedule": "measured", "n_history": 2, "n_layers": 2, "read": "all", "observables": "ZX", "skip": True},
    {"schedule": "measured", "n_history": 1, "n_layers": 2, "read": "first", "learned": ("K", "W", "h0")},
]


def both(precision, chorales, **options):
    """The plain channel in double precision, and the kernel in that of `precision`, of the same network."""
    wanted = QuantumRNNSettings(precision=precision, **options)
    slots, exact = pack(chorales), replace(wanted, precision="float64")
    music = [played(chorales, slots, wanted.note, getattr(torch, kind).to_complex()) for kind in ("float64", precision)]
    fast = compiled(precision).FastKernel(wanted, slots, music[1], torch.arange(wanted.n_features))
    return Channel(exact.block, music[0], wanted.observables), fast


def assert_same_pass(precision, chorales, seed, **options):
    plain, fast = both(precision, chorales, **options)
    rng = np.random.default_rng(seed)
    angles = torch.from_numpy(rng.uniform(-7, 7, (2, plain.block.ladder.n_angles)).astype(precision))
    passed, seen = plain.run(angles.double()), fast.run(angles)
    most = 1e-5 if precision == "float32" else 1e-11
    np.testing.assert_allclose(seen.features, passed.features, atol=most)
    error = torch.from_numpy(rng.standard_normal(passed.features.shape).astype(precision))
    wanted = plain.slope(angles.double(), passed, error.double())
    assert seen.features.dtype == angles.dtype
    for _ in range(2):  # the way back leaves what it needs
        made = fast.slope(angles, seen, error)
        assert made.dtype == angles.dtype
        np.testing.assert_allclose(made, wanted, atol=most * float(wanted.abs().max()))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("schedule", ["measured", "coherent", "staggered"])
@settings(max_examples=15)
@given(ladder=LADDERS, n_history=st.integers(1, 4), seed=st.integers(0, 2**32))
def test_features_and_slopes_are_those_of_the_plain_path(precision, schedule, music, ladder, n_history, seed):
    assert_same_pass(precision, music(*LENGTHS), seed, schedule=schedule, n_history=n_history, **ladder)


@pytest.mark.parametrize("schedule", ["measured", "coherent", "staggered"])
def test_voices_of_two_qubits_are_as_in_the_plain_path(schedule, music):
    options = {"schedule": schedule, "n_history": 1, "n_layers": 1, "observables": "ZX", "encoding": "octave-qubit"}
    assert_same_pass("float32", music(3, 2), 0, **options)


@pytest.mark.parametrize("schedule", ["coherent", "staggered", "measured"])
def test_without_a_turn_the_data_qubits_say_the_hour(schedule, music):
    chorales = music(5, 3)
    _, fast = both("float32", chorales, schedule=schedule, n_history=2, n_layers=1, observables="ZX")
    features = fast.run(torch.zeros(1, 24)).features[0]
    order = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (0, 3)]  # piece and chord of each slot
    hours = np.array([chorales[piece].pitches[chord] % 12 * np.pi / 6 for piece, chord in order])
    n_read = features.shape[1] // 2
    np.testing.assert_allclose(features[:, :4], np.cos(hours), atol=1e-6)
    np.testing.assert_allclose(features[:, n_read : n_read + 4], np.sin(hours), atol=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("options", CASES, ids=lambda case: f"{case['schedule']} {case['n_history']}")
def test_learning_steps_are_those_of_the_plain_path(options, precision, music):
    made = {"n_replicas": 2, "readout_start": "random", "probes": 2, "precision": precision}
    fast, plain = (QuantumRNN(music(*LENGTHS), **options, **made, kernel=kernel) for kernel in ("fast", "plain"))
    start = fast.weights()
    seen = [network.step([0.02, 0.1], 6) for network in (fast, plain)]
    most = 1e-5 if precision == "float32" else 1e-11
    np.testing.assert_allclose(*seen, rtol=most)
    moved = abs(plain.weights() - start).max()
    np.testing.assert_allclose(fast.weights(), plain.weights(), atol=20 * most * moved)
    np.testing.assert_allclose(fast.loss(), plain.loss(), rtol=most)
    np.testing.assert_allclose(fast.outputs(), plain.outputs(), atol=50 * most)
    np.testing.assert_allclose(fast.noise(), plain.noise(), rtol=1e-3, atol=1e-3 * plain.noise().max() + 1e-12)
    for name, group in fast.layout().items():
        learned = "angles" if name[0] in "RJ" else name
        assert (fast.weights() != start)[:, group.slice].any() == (learned in fast.settings.learned)


@pytest.mark.parametrize("options", CASES, ids=lambda case: f"{case['schedule']} {case['n_history']}")
def test_the_gradient_is_that_of_finite_differences_of_the_loss(options, music):
    network = QuantumRNN(music(*LENGTHS), **options, precision="float64", readout_start="random", kernel="fast")
    gradient, weights = network.gradient()[0], network.weights()
    learned = np.flatnonzero(gradient)
    assert len(learned) > 40
    for place in learned[:: max(1, len(learned) // 12)]:
        losses = []
        for step in (1e-5, -1e-5):
            moved = weights.copy()
            moved[0, place] += step
            network.put(moved)
            losses.append(network.loss()[0])
        slope = (losses[0] - losses[1]) / 2e-5 * 54 * np.log(2)  # nats a slot
        assert gradient[place] == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize("options", CASES[1:4], ids=lambda case: f"{case['schedule']} {case['n_history']}")
def test_replicas_threads_and_pieces_change_no_bit(options, music, monkeypatch):
    chorales, options = music(*LENGTHS), {**options, "readout_start": "random", "kernel": "fast"}
    monkeypatch.setenv("ARMONICA_THREADS", "1")
    whole = QuantumRNN(chorales, n_replicas=3, **options)
    losses, features = whole.step(0.05, 70), whole.activations()
    monkeypatch.setenv("ARMONICA_THREADS", "2")
    threaded = QuantumRNN(chorales, n_replicas=3, **options)
    assert np.array_equal(np.concatenate([threaded.step(0.05, n) for n in (1, 2, 67)]), losses)
    assert np.array_equal(threaded.weights(), whole.weights())
    assert np.array_equal(threaded.activations(), features)
    alone = QuantumRNN(chorales, n_replicas=1, first_replica=2, **options)
    assert np.array_equal(alone.step(0.05, 70)[:, 0], losses[:, 2])
    assert np.array_equal(alone.weights()[0], whole.weights()[2])
    assert np.array_equal(alone.loss()[0], whole.loss()[2])


def test_a_chord_an_octave_higher_is_the_same_chord_to_a_clock():
    pitches = np.array([[60, 57, 53, 48], [72, 69, 65, 60], [61, 57, 53, 48], [60, 57, 53, 48]], np.int16)
    slots = pack([Chorale(pitches, "", "", 0)])
    note = QuantumRNNSettings(schedule="coherent", n_history=1, n_layers=1).note
    music = played([Chorale(pitches, "", "", 0)], slots, note, torch.complex64)
    assert len(music.states) == 2
    assert music.chord[0] == music.chord[1] != music.chord[2]


def test_nothing_is_written_outside_its_place(music, monkeypatch):
    guarded, guard, plain = [], 512, replica.carved

    def carved(dtype, **shapes):
        arrays = {}
        for name, shape in shapes.items():
            whole = np.ones(int(np.prod(shape)) + 2 * guard, dtype)
            arrays[name] = whole[guard:-guard].reshape(shape)
            arrays[name][...] = 0
            guarded.append(whole)
        return arrays

    for options in CASES:
        networks = []
        for way in (carved, plain):
            monkeypatch.setattr(replica, "carved", way)
            networks.append(QuantumRNN(music(*LENGTHS), **options, readout_start="random", kernel="fast"))
            networks[-1].step(0.05, 2)
        assert np.array_equal(networks[0].weights(), networks[1].weights())
    assert len(guarded) > 100
    assert all((whole[:guard] == 1).all() and (whole[-guard:] == 1).all() for whole in guarded)


def test_which_kernel_makes_the_steps_is_said(music, caplog, monkeypatch):
    options = {"schedule": "coherent", "n_history": 1, "n_layers": 1}
    assert QuantumRNN(music(3), **options).kernel == "fast"
    assert QuantumRNN(music(3), **options, kernel="plain").clone(3).kernel == "plain"
    with pytest.raises(InputError, match=r"has the kernels fast, plain; got 'graph'$"):
        QuantumRNN(music(3), **options, kernel="graph")
    with pytest.raises(InputError, match=r"learns on cpu; got device 'cuda': leave it out$"):
        QuantumRNN.build(music(3), QuantumRNNSettings(**options), seed=0, n_replicas=1, device="cuda")
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", dict)
    with caplog.at_level(logging.WARNING, "armonica"):
        assert QuantumRNN(music(3), **options).kernel == "plain"
    assert caplog.messages == ["kernel plain: this processor has no fused multiply-add"]
    with pytest.raises(InputError, match="kernel fast was asked for, but this processor has no fused multiply-add"):
        QuantumRNN(music(3), **options, kernel="fast")


@njit
def _vectors(a, out):
    x = vectors.load(a, 0)
    vectors.store(out, 0, vectors.exponential(x))
    vectors.store(out, 16, vectors.log_of_one_and(vectors.exponential(x)))
    vectors.store(out, 32, vectors.half_sums(*_eight(a)))
    vectors.store(out, 48, vectors.split(a[1], a[2]))
    vectors.store(out, 64, vectors.swap8(vectors.swap4(vectors.swap2(vectors.swap1(x)))))


@njit
def _eight(a):
    low = vectors.load(a, 0), vectors.load(a, 16), vectors.load(a, 32), vectors.load(a, 48)
    return (*low, vectors.load(a, 64), vectors.load(a, 80), vectors.load(a, 96), vectors.load(a, 112))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_sixteen_numbers_at_once_are_each_as_alone(precision):
    a, out = -np.random.default_rng(0).exponential(4, 128).astype(precision), np.empty(80, precision)
    a[:4] = 0, -80, np.nan, -1e-9
    _vectors(a, out)
    exact, rounding = a[:16].astype(np.float64), 4 * np.finfo(precision).eps
    np.testing.assert_allclose(out[:16], np.exp(exact), rtol=rounding)
    np.testing.assert_allclose(out[16:32], np.log1p(np.exp(exact)), rtol=rounding)
    np.testing.assert_allclose(out[32:48], a.reshape(16, 8).astype(np.float64).sum(1), rtol=8 * rounding)
    np.testing.assert_array_equal(out[48:64], np.repeat(a[1:3], 8))
    np.testing.assert_array_equal(out[64:], a[15::-1])


@pytest.mark.parametrize(("n_items", "n_threads"), [(1, 2), (5, 1), (5, 2), (7, 16), (0, 3)])
def test_shared_out_work_is_done_once_each_in_places_of_its_own(n_items, n_threads, monkeypatch):
    monkeypatch.setenv("ARMONICA_THREADS", str(n_threads))
    threads, done = Threads(), []
    for _ in range(2):
        threads.share(lambda item, place: done.append((item, place, get_ident())), range(n_items))
    assert sorted(item for item, *_ in done) == sorted([*range(n_items)] * 2)
    assert {place for _, place, _ in done} == set(range(threads.n_places(n_items) if n_items else 0))
    assert all(first[2] == other[2] for first in done for other in done if first[1] == other[1] == 0)


def test_what_goes_wrong_on_a_thread_is_said(monkeypatch):
    monkeypatch.setenv("ARMONICA_THREADS", "2")

    def fail(item, place):
        if item == 1:
            raise InputError(f"item {item} at place {place}")

    with pytest.raises(InputError, match="item 1 at place 1"):
        Threads().share(fail, range(4))


def test_after_ctrl_c_no_thread_begins_another_item(monkeypatch):
    """Only the thread that asks hears it: it is met while item 1 is at work on the other."""
    monkeypatch.setenv("ARMONICA_THREADS", "2")
    begun, other_works, heard = [], Event(), Event()

    def run(item, place):
        begun.append(item)
        if item == 0:
            other_works.wait(10)
            Timer(0.2, heard.set).start()  # long after the interrupt is on its way
            raise KeyboardInterrupt
        other_works.set()
        heard.wait(10)

    with pytest.raises(KeyboardInterrupt):
        Threads().share(run, range(40))
    assert sorted(begun) == [0, 1]
