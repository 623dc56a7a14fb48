"""A classical network given what the quantum one has: clock inputs, the same frozen readout, no W, few features."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classical import DeepRNN, Network, n_parameters
from classical.appendix_b import AppendixB
from classical.settings import DeepRNNSettings, fingerprint
from encoding import REST, Chorale, InputError, encoding_named, multi_hot, pack
from encoding.clock import ENCODINGS
from encoding.hearing import ClockInputs, voices_heard
from encoding.readout import random_readout
from experiments import Store, Until, constant, learn
from experiments.store import load_run, system_of
from experiments.systems import asked_settings, typed_settings
from experiments.task import Music, Task
from quantum import QuantumRNN

LENGTHS = (6, 9, 3, 2, 6)  # chords
N_INPUTS = {"pitch-class": 8, "octave-phase": 12, "octave-qubit": 16, "compass": 8}
FAIR: dict[str, Any] = {"inputs": "clock", "skip": False, "readout_start": "random", "n_features": 4}
FROZEN: dict[str, Any] = FAIR | {"learned": ("J", "M")}
VARIANTS: list[dict[str, Any]] = [
    {"inputs": "clock"},
    {"skip": False},
    {"n_features": 3},
    {"inputs": "clock", "encoding": "octave-qubit", "n_features": 1},
    FAIR,
    {"recurrent": "unitary"},
    {"recurrent": "unitary", "feedforward": "orthogonal"},
    FAIR | {"recurrent": "unitary", "n_features": 9},
]


def in_short(case):
    return " ".join(f"{value}" for value in case.values())


def by_name(network):
    weights = network.weights()
    return {name: weights[:, group.slice].reshape(-1, *group.shape).copy() for name, group in network.layout().items()}


def stirred(network, size=0.1, seed=1):
    """Away from K = 0, where most of what could be wrong is not seen; what is complex stays so."""
    noise = size * np.random.default_rng(seed).standard_normal(network.weights().shape)
    for name, group in network.layout().items():
        if network.settings.is_complex(name):
            a, b = noise[:, group.slice].reshape(-1, 4, group.shape[0] // 2, group.shape[1] // 2)[:, :2].swapaxes(0, 1)
            noise[:, group.slice] = np.block([[a, -b], [b, a]]).reshape(len(noise), -1)
    network.put(network.weights() + noise)
    return network


def heard_by(network, chorale):
    """Inputs of the chords of a chorale, written down anew: cos and sin of each voice's hour, or the rescaled roll."""
    if network.settings.inputs == "roll":
        roll = multi_hot(chorale.pitches[:-1])
        return network._packed.standardisation(roll).astype(np.float32).astype(float)
    if network.settings.encoding == "pitch-class":
        hours = chorale.pitches[:-1] % 12 * np.pi / 6
        circle = np.stack([np.cos(hours), np.sin(hours)], -1)
    else:
        angles = [chorale.pitches[:-1] % 12 * np.pi / 6, chorale.pitches[:-1] // 12 * np.pi / 6]
        circle = np.stack([f(angle) for angle in angles for f in (np.cos, np.sin)], -1)
    return circle.reshape(len(circle), -1).astype(np.float32).astype(float)


# What is heard


@pytest.mark.parametrize("name", ENCODINGS)
def test_clock_inputs_are_the_bloch_vectors_of_the_qubits(name):
    note = encoding_named(name)
    clock, rng = ClockInputs(note), np.random.default_rng(0)
    pitches = rng.integers(43, 97, (30, 4))
    inputs = clock(pitches)
    assert inputs.shape == (30, clock.n_inputs) == (30, N_INPUTS[name])
    assert clock.power == 4 * note.n_qubits
    assert (inputs**2).sum(1) == pytest.approx(np.full(30, clock.power))  # pure states: nothing but zeros is left out
    vectors = note.bloch(pitches).reshape(30, -1)
    assert (np.abs(inputs[:, :, None] - vectors[:, None]).min(2) < 1e-12).all()


def test_on_the_clock_a_voice_is_cos_and_sin_of_its_hour_and_silence_is_the_centre():
    pitches = np.array([[60, 61, 66, REST], [83, 57, 48, 43]])
    hours = pitches % 12 * np.pi / 6
    wanted = np.stack([np.cos(hours), np.sin(hours)], -1)
    wanted[0, 3] = 0
    assert ClockInputs(encoding_named("pitch-class"))(pitches) == pytest.approx(wanted.reshape(2, 8), abs=1e-12)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_first_drive_has_the_variance_of_that_of_a_piano_roll(encoding, music):
    drives = []
    for options in ({}, {"inputs": "clock", "encoding": encoding}):
        network = DeepRNN(music(40, 30, 50), depth=1, width=20, n_replicas=150, precision="float64", **options)
        drives.append((network._packed.inputs @ by_name(network)["J0"].swapaxes(1, 2)).var())
    assert drives == pytest.approx([0.1, 0.1], rel=0.08)


def test_voices_are_told_apart_as_they_are_sung_where_they_do_not_cross(music):
    pitches = music(20)[0].pitches  # sorted: no voice crosses another
    roll = multi_hot(pitches)
    there = [len(set(chord.tolist())) == 4 for chord in pitches]
    for t in np.flatnonzero(there):
        assert voices_heard(roll[: t + 1]).tolist() == [pitches[t].tolist()]


# What is learned


def cost_by_calculus(weights, network, chorales):
    """Mean cost of a slot of one network in nats, chord by chord; complex where it is: tanh Re + i tanh Im."""
    settings, total, n = network.settings, torch.zeros((), dtype=torch.float64), 0
    complex_units = settings.recurrent == "unitary"

    def matrix(name):
        if not settings.is_complex(name):
            return weights[name]
        return torch.complex(*weights[name])

    def split(numbers):
        return torch.complex(numbers.real.tanh(), numbers.imag.tanh()) if complex_units else numbers.tanh()

    for chorale in chorales:
        inputs, roll = torch.tensor(heard_by(network, chorale)), torch.tensor(multi_hot(chorale.pitches)).double()
        memory: list[Any] = [None] * settings.depth
        for t in range(len(inputs)):
            drive = weights["J0"] @ inputs[t]
            below = torch.complex(*drive.chunk(2)) if complex_units else drive
            for layer in range(settings.depth):
                below = matrix(f"J{layer}") @ below if layer else below
                below = below if memory[layer] is None else below + matrix(f"M{layer}") @ memory[layer]
                memory[layer] = below = split(below)
            features = torch.cat([below.real, below.imag]) if complex_units else below
            h = weights["K"] @ features[: weights["K"].shape[1]] + weights["h0"]
            h = h + weights["W"] @ inputs[t] if settings.skip else h
            total, n = total - torch.nn.functional.logsigmoid(2 * roll[t + 1] * h).sum(), n + 1
    return total / n


def descent_by_calculus(network, chorales, replica):
    """-dE/dw as the network writes it: of A + iB half the derivative, for A and B stand twice in the real matrix."""
    halves, leaves = network.settings.is_complex, {}
    for name, group in by_name(network).items():
        w = group[replica]
        if halves(name):
            w = np.stack([w[: len(w) // 2, : len(w) // 2], w[len(w) // 2 :, : len(w) // 2]])
        leaves[name] = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    cost_by_calculus(leaves, network, chorales).backward()
    found = {}
    for name, leaf in leaves.items():
        assert leaf.grad is not None
        slope = -leaf.grad.numpy()
        found[name] = np.block([[slope[0], -slope[1]], [slope[1], slope[0]]]) / 2 if halves(name) else slope
    return found


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("options", VARIANTS, ids=in_short)
def test_an_exact_step_goes_down_the_gradient_of_calculus_and_back_to_the_group(options, depth, music):
    chorales, rate = music(*LENGTHS), 0.07
    how: dict[str, Any] = {"rule": "exact", "batch": None, "precision": "float64", "n_replicas": 2}
    network = stirred(DeepRNN(chorales, depth=depth, width=5, **how, **options))
    network.step(rate, 2)
    before, slope = by_name(network), network.gradient()
    descents = [descent_by_calculus(network, chorales, replica) for replica in range(2)]
    network.step(rate)
    for name, after in by_name(network).items():
        group = network.layout()[name]
        for replica, descent in enumerate(descents):
            assert np.abs(descent[name]).max() > 1e-4
            assert np.abs(slope[replica, group.slice].reshape(group.shape) + descent[name]).max() < 1e-12, name
            expected = before[name][replica] + rate * descent[name]
            if network.settings.kept_orthogonal(name):
                u, _, vh = np.linalg.svd(expected)
                expected = u @ vh
            assert np.abs(after[replica] - expected).max() < 1e-11, name


@pytest.mark.parametrize("boundary", ["before", "published"])
@pytest.mark.parametrize("options", VARIANTS, ids=in_short)
def test_the_delayed_rule_is_that_of_appendix_b(options, boundary, music):
    if options.get("feedforward") == "orthogonal":
        options = options | {"feedforward": "free"}  # the appendix keeps the M alone on their group
    chorales = music(*LENGTHS)
    network = stirred(DeepRNN(chorales, depth=2, width=5, batch=6, boundary=boundary, precision="float64", **options))
    twin = AppendixB(
        weights={name: group[0] for name, group in by_name(network).items()},
        depth=2,
        inputs=[heard_by(network, chorale) for chorale in chorales],
        targets=[multi_hot(chorale.pitches)[1:].astype(float) for chorale in chorales],
        published_boundary=boundary == "published",
        unitary=options.get("recurrent") == "unitary",
    )
    data, start = pack(chorales), network.weights()
    for _ in range(12):
        chosen = network.batches(1)[0, 0].tolist()
        twin.step(0.05, [(int(data.chorale[slot]), int(data.time[slot])) for slot in chosen])
        network.step(0.05)
        for name, group in by_name(network).items():
            assert np.abs(group[0] - twin.weights[name]).max() < 1e-12, name
    assert np.abs(network.weights() - start).max() > 0.05


KERNELS = [
    FAIR | {"depth": 1, "width": 4, "rule": "exact"},
    FROZEN | {"depth": 2, "width": 17, "rule": "exact", "batch": None},
    {"depth": 3, "width": 9, "rule": "exact", "inputs": "clock", "encoding": "octave-phase", "boundary": "published"},
    {"depth": 2, "width": 16, "rule": "delayed", "batch": 7, "inputs": "clock", "encoding": "octave-qubit"},
    {"depth": 2, "width": 20, "rule": "delayed", "batch": None, "skip": False, "n_features": 18},
    {"depth": 2, "width": 9, "rule": "exact", "recurrent": "unitary", "batch": 7},
    {"depth": 2, "width": 8, "rule": "delayed", "recurrent": "unitary", "feedforward": "orthogonal"},
    FAIR
    | {"depth": 1, "width": 5, "rule": "exact", "recurrent": "unitary", "polar": "svd", "learned": ("M", "K", "J")},
]


@pytest.mark.parametrize("options", KERNELS, ids=in_short)
@pytest.mark.parametrize("kernel", ["fast", "graph"])
def test_the_kernels_agree_to_rounding(kernel, options, music):
    chorales = music(9, 7, 7, 4, 2)
    both = [stirred(DeepRNN(chorales, **options, n_replicas=2, kernel=name)) for name in (kernel, "plain")]
    start = both[0].weights()
    assert [network.kernel.split(",")[0].split(" ")[0] for network in both] == [kernel, "plain"]
    seen = [network.step([0.02, 0.05], 10) for network in both]
    assert seen[0] == pytest.approx(seen[1], rel=2e-6)
    moved = np.abs(both[1].weights() - start).max()
    assert moved > 1e-3
    assert np.abs(both[0].weights() - both[1].weights()).max() < 1e-4 * moved
    assert both[0].loss() == pytest.approx(both[1].loss(), rel=2e-6)


@settings(max_examples=25)
@given(
    depth=st.integers(1, 3),
    width=st.integers(1, 35),
    n_features=st.integers(1, 35),
    encoding=st.sampled_from([None, *ENCODINGS]),
    skip=st.booleans(),
    recurrent=st.sampled_from(["orthogonal", "unitary"]),
    rule=st.sampled_from(["delayed", "exact"]),
)
def test_the_compiled_kernel_makes_the_plain_ones_steps_at_any_size(
    music, depth, width, n_features, encoding, skip, recurrent, rule
):
    options: dict[str, Any] = {"depth": depth, "width": width, "n_features": min(n_features, width), "rule": rule}
    options |= {"inputs": "clock", "encoding": encoding} if encoding else {}
    options |= {"skip": skip, "recurrent": recurrent, "batch": 5}
    both = [stirred(DeepRNN(music(6, 4, 4), **options, kernel=kernel)) for kernel in ("fast", "plain")]
    seen = [network.step(0.03, 3) for network in both]
    assert seen[0] == pytest.approx(seen[1], rel=5e-6)
    assert np.abs(both[0].weights() - both[1].weights()).max() < 2e-5


# The readout


@pytest.mark.parametrize("seed", [0, 3])
def test_the_random_readout_is_that_of_the_quantum_network_and_of_every_replica(seed, music):
    classical = DeepRNN(music(5), depth=2, width=9, seed=seed, n_replicas=3, precision="float64", **FROZEN)
    options: dict[str, Any] = {"readout_start": "random", "seed": seed, "precision": "float64", "kernel": "plain"}
    quantum = QuantumRNN(music(5), schedule="coherent", n_history=1, n_layers=1, **options)
    assert quantum.settings.n_features == classical.settings.n_features
    for name in ("K", "h0"):
        mine, theirs = by_name(classical)[name], by_name(quantum)[name]
        assert (mine == theirs[0]).all()
        assert mine.std() == pytest.approx(0.5 if name == "K" else 1, rel=0.25)  # 1 / sqrt(4 features)
    rng = np.random.Generator(np.random.Philox(key=[seed, 0], counter=[0, 0, 0, 6]))  # purpose 6, of no replica
    assert np.array_equal(rng.standard_normal((54, 4)) / 2, by_name(classical)["K"][2])
    assert np.array_equal(rng.standard_normal(54), by_name(classical)["h0"][2])
    elsewhere = DeepRNN(music(5), depth=1, width=4, seed=seed + 1, precision="float64", **FROZEN)
    assert (by_name(elsewhere)["K"] != by_name(classical)["K"][0]).all()
    assert (random_readout(seed, 5)["h0"] != random_readout(seed, 4)["h0"]).any()


@pytest.mark.parametrize("kernel", ["fast", "plain"])
def test_a_frozen_readout_stays_while_the_core_learns(kernel, music):
    network = DeepRNN(
        music(*LENGTHS), depth=2, width=9, n_replicas=2, rule="exact", batch=None, kernel=kernel, **FROZEN
    )
    assert list(network.layout()) == ["J0", "J1", "M0", "M1", "K", "h0"]
    before, first = by_name(network), network.loss()
    network.step(0.03, 150)
    for name, group in by_name(network).items():
        assert (np.abs(group - before[name]).max() > 0.01) == (name[0] in "JM"), name
    assert (network.loss() < 0.9 * first).all()


def test_units_that_are_not_read_act_through_the_memory_alone(music):
    network = DeepRNN(music(2, 2), depth=1, width=6, rule="exact", batch=None, precision="float64", **FAIR)
    slope = network.gradient()[0]  # one transition a piece: nothing is remembered
    group = network.layout()["J0"]
    of_j0 = np.abs(slope[group.slice].reshape(group.shape)).max(1)
    assert (of_j0[:4] > 1e-6).all()
    assert (of_j0[4:] == 0).all()


# How many


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("options", VARIANTS, ids=in_short)
def test_parameters_are_the_weights_less_what_the_groups_take_away(options, depth, music):
    network = DeepRNN(music(3), depth=depth, width=7, **options)
    said = network.settings
    sizes: dict[str, Any] = {"n_inputs": said.n_inputs, "n_features": said.n_features, "skip": said.skip}
    n = n_parameters(depth, 7, **sizes, recurrent=said.recurrent)
    taken = depth * 7 * 8 / 2  # w^2 - w(w-1)/2
    if said.recurrent == "unitary":
        taken = depth * 3 * 7**2 + (depth - 1) * 2 * 7**2  # 4 w^2 entries for w^2, and for 2 w^2
    assert n == network.weights().shape[1] - taken
    readout = n_parameters(depth, 7, **sizes, recurrent=said.recurrent, learned=("K", "W", "h0"))
    assert n - readout == n_parameters(depth, 7, **sizes, recurrent=said.recurrent, learned=("J", "M"))


# Trained networks


@pytest.mark.parametrize("options", VARIANTS, ids=in_short)
@pytest.mark.parametrize("boundary", ["before", "published"])
def test_a_network_comes_back_from_a_file_and_plays(options, boundary, music):
    rng = np.random.default_rng(0)
    chords = rng.permuted(np.tile(np.arange(48, 80), (8, 1)), axis=1)[:, :4]  # four different notes: voices are certain
    sung = Chorale(np.sort(chords, 1)[:, ::-1].astype(np.int16), "four notes", "drawn", 0)
    chorales, how = [sung, *music(6, 7)], {"depth": 2, "width": 5, "boundary": boundary, "precision": "float64"}
    system = stirred(DeepRNN(chorales, n_replicas=2, **how, **options), 0.2)
    file = io.BytesIO()
    torch.save(system.state_dict(), file)
    file.seek(0)
    network, roll = DeepRNN.load(torch.load(file, weights_only=True)), multi_hot(chorales[0].pitches)
    assert network.losses(chorales) == pytest.approx(system.loss(), rel=1e-6)
    assert np.array_equal(network.outputs(roll), system.network().outputs(roll))
    heard = network.continue_piece(roll[:3], 14, replica=1)
    growing = roll[:3]
    while len(growing) < 14:
        growing = np.vstack([growing, np.where(network.outputs(growing)[1, -1] > 0, 1, -1)])
    assert np.array_equal(heard, growing)
    surprise = -np.log2((1 + roll[1:] * network.outputs(roll)[:, :-1]) / 2)
    assert network.losses(chorales[:1]) == pytest.approx(surprise.mean((1, 2)), rel=1e-10)


def test_what_was_learned_by_heart_from_the_clock_is_played_by_heart(music):
    (piece,) = music(12, seed=2)
    network = DeepRNN([piece], depth=2, width=40, rule="exact", batch=None, inputs="clock", skip=False)
    network.step(0.05, 500)
    roll = multi_hot(piece.pitches)
    assert np.array_equal(network.network().continue_piece(roll[:1], 12), roll)


@pytest.mark.parametrize("name", ["input.encoding", "network.skip", "K", "J1"])
def test_a_file_that_lacks_a_part_is_refused(name, music):
    state = DeepRNN(music(4), depth=2, width=5, **FAIR).state_dict()
    del state[name]
    with pytest.raises(InputError, match=r"^a network's state has") as refused:
        Network.load(state)
    assert "\n" not in str(refused.value)


def test_a_file_of_an_encoding_that_is_not_there_is_refused(music):
    state = DeepRNN(music(4), depth=1, width=5, inputs="clock").state_dict()
    state["input.encoding"] = torch.tensor(list(b"sundial"), dtype=torch.uint8)
    with pytest.raises(InputError, match=r"^encodings are pitch-class, .*; got 'sundial'$"):
        Network.load(state)


# Questions and runs

FIRST = (
    "depth", "width", "rule", "batch", "replacement", "cost", "feedforward", "boundary", "standardisation", "learned",
    "polar", "noise_over", "precision",
)  # fmt: skip


def test_a_question_without_the_new_settings_is_the_old_question():
    plain = typed_settings("deep-rnn", {"depth": 2, "width": 5})
    assert tuple(asked_settings(plain)) == FIRST
    assert fingerprint(plain, "notes") == 6855632455517747362  # of the version that had no others
    for name, value in FAIR.items():
        other = DeepRNNSettings(**{"depth": 2, "width": 5, name: value})
        assert asked_settings(other) == asked_settings(plain) | {name: value}
        assert fingerprint(other, "notes") != fingerprint(plain, "notes")


def test_a_task_without_the_new_settings_has_the_key_it_always_had(music, monkeypatch):
    monkeypatch.setattr(Music, "load", lambda self: music(9, 6))
    settings = {"depth": 2, "width": 5, "rule": "exact", "batch": None}
    assert Task("deep-rnn", settings, 0.01, Music()).key == "3b07e3a9d3a1d689"  # of the version that had no others
    assert Task("deep-rnn", settings | {"inputs": "roll", "skip": True}, 0.01, Music()).key == "3b07e3a9d3a1d689"
    assert Task("deep-rnn", settings | {"skip": False}, 0.01, Music()).key != "3b07e3a9d3a1d689"


def test_the_command_learns_with_them_goes_on_and_listens(armonica, capsys, tmp_path):
    words = ["learn", "--store", tmp_path, "--width", 6, "--depth", 1, "--excerpt", 9, "--first", 2]
    for pair in ("inputs=clock", "skip=false", "readout_start=random", "n_features=4", "learned=J,M"):
        words += ["--set", pair]
    assert armonica(*words, "--until-steps", 6) == 0
    assert armonica(*words, "--until-steps", 12) == 0
    (path,) = Store(tmp_path).runs()
    run = load_run(path)
    said = run.task["settings"]
    assert {name: said[name] for name in FAIR} == FAIR
    system: Any = system_of(run)
    assert system.layout()["J0"].shape == (6, 8)
    assert system.state()["step"].tolist() == [12]
    assert armonica("listen", path, "--out", tmp_path / "heard") == 0
    assert list((tmp_path / "heard").glob("*.mid"))
    capsys.readouterr()


@pytest.mark.parametrize("options", [FROZEN, {"recurrent": "unitary", "inputs": "clock"}], ids=in_short)
@pytest.mark.parametrize("rule", ["delayed", "exact"])
def test_going_on_is_bit_for_bit(options, rule, music):
    how: dict[str, Any] = {"depth": 2, "width": 5, "rule": rule, "batch": 6, "n_replicas": 2}
    unbroken, first, fresh = (DeepRNN(music(*LENGTHS), **how, **options) for _ in range(3))
    losses = unbroken.step(0.05, 9)
    first.step(0.05, 4)
    fresh.restore(first.state())
    assert np.array_equal(fresh.step(0.05, 5), losses[4:])
    np.testing.assert_equal(fresh.state(), unbroken.state())
    with pytest.raises(InputError, match=r"other settings|another system"):
        DeepRNN(music(*LENGTHS), **how).restore(first.state())


def test_a_run_of_it_is_a_trajectory(music):
    network = DeepRNN(music(*LENGTHS), depth=1, width=5, rule="exact", **FROZEN)
    trajectory = learn(network, constant(0.05), until=Until(steps=20))
    assert trajectory.loss[-1, 0] < trajectory.loss[0, 0]


def test_whole_numbers_of_numpy_ask_the_same_question(music):
    number: Any = np.int64
    sizes: dict[str, Any] = {"depth": 2, "width": 5, "batch": 3, "n_features": 4}
    numpys: dict[str, Any] = {name: number(size) for name, size in sizes.items()}
    plain, given = (DeepRNN(music(6), kernel="plain", **said) for said in (sizes, numpys))
    assert repr(given.settings) == repr(plain.settings)
    np.testing.assert_array_equal(given.state()["question"], plain.state()["question"])


# What is refused


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"inputs": "piano"}, "inputs is one of roll, clock; got 'piano'"),
        ({"inputs": "clock", "encoding": "sundial"}, f"encoding is one of {', '.join(ENCODINGS)}; got 'sundial'"),
        ({"encoding": "compass"}, "encoding compass is of inputs clock; got inputs roll"),
        (
            {"inputs": "clock", "standardisation": "scalar"},
            "standardisation scalar is of inputs roll; clock inputs stay as they are",
        ),
        ({"skip": "no"}, "skip is True or False; got 'no'"),
        ({"skip": False, "learned": ("W",)}, "learned is W alone, and with skip off there is no W: nothing would move"),
        (
            {"learned": ("J", "M")},
            "learned is J, M, and a K that starts at 0 and is not learned hides what is before it: nothing would move; "
            "take readout_start random, or learn K too",
        ),
        (
            {"learned": ("M",), "width": 1, "readout_start": "random"},
            "learned is M, and an orthogonal M of width 1 cannot turn: nothing would move; take a width of at least 2, "
            "or learn J too",
        ),
        ({"learned": ("",)}, "learned is a tuple of some of J, M, K, W, h0; got nothing: it is empty"),
        ({"readout_start": "random!"}, "readout_start is one of zero, random; got 'random!'"),
        ({"n_features": 6}, "n_features is at most the 5 units of a layer; got 6"),
        ({"n_features": 11, "recurrent": "unitary"}, "n_features is at most the 10 units of a layer; got 11"),
        ({"n_features": 0}, "n_features is a whole number of at least 1; got 0"),
        ({"n_features": 2.5}, "n_features is a whole number of at least 1; got 2.5"),
        ({"recurrent": "complex"}, "recurrent is one of orthogonal, unitary; got 'complex'"),
    ],
)
def test_what_makes_no_network_is_one_line(options, said, music):
    with pytest.raises(InputError) as refused:
        DeepRNN(music(5), **{"depth": 1, "width": 5, **options})
    assert str(refused.value) == said
