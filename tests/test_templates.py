"""PennyLane operations: the clock, the ladder and the unitary of one chord."""

from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pennylane.ops.functions import assert_valid
from pennylane.qnn.torch import TorchLayer
from pennylane.tape import QuantumScript
from pennylane.transforms import decompose
from scipy.linalg import expm

from encoding import InputError
from encoding.clock import ENCODINGS, encoding_named
from quantum import Block, ClockEmbedding, EntanglingLadder, Ladder, RecurrentBlock, recurrent
from quantum.block import SCHEDULES
from quantum.ladder import TOPOLOGIES

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1])
LABELS = st.one_of(st.integers(-9, 99), st.text(max_size=3), st.tuples(st.integers(0, 3), st.text(max_size=1)))
SEEDS = st.integers(0, 2**32 - 1)


def labels(n):
    return st.lists(LABELS, min_size=n, max_size=n, unique=True)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def matrix(operation, wires) -> Any:
    return qp.matrix(operation, wire_order=wires)


def on(n, *operators):
    """A product of operators, each with its qubit, on n qubits."""
    factors = [np.eye(2)] * n
    for operator, qubit in operators:
        factors[qubit] = operator
    product = np.eye(1)
    for factor in factors:
        product = np.kron(product, factor)
    return product


def block_and_wires(schedule, wires, n_data=2, n_layers=1):
    return Block(Ladder(len(wires), n_layers), n_data=n_data, schedule=schedule), wires[:n_data], wires[n_data:]


def recurrent_block(schedule, seed=0, wires=("a", 7, (1, "x")), position=1, n_batch=()) -> Any:
    block, data, history = block_and_wires(schedule, list(wires))
    chord, angles, *averages = (normal(seed + i, *n_batch, *s) for i, s in enumerate(RecurrentBlock.shape(block)))
    averages = np.tanh(averages[0]) if averages else None
    return RecurrentBlock(chord, angles, data, history, block, position, averages=averages)


# --- what they are -----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 11), min_size=1, max_size=4), st.data())
@settings(max_examples=20)
def test_hour_k_is_cos_of_k_pi_12_up_and_sin_of_k_pi_12_down(hours, data):
    wires = data.draw(labels(len(hours)))
    state = np.ones(1)
    for k in hours:  # the talk: RY(k pi/6)|0>
        state = np.kron(state, [np.cos(k * np.pi / 12), np.sin(k * np.pi / 12)])
    chord = ClockEmbedding(np.array(hours)[:, None] * np.pi / 6, wires)
    np.testing.assert_allclose(matrix(chord, wires)[:, 0], state, atol=1e-14)


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_chord_of_any_encoding_is_the_product_of_its_voices_states(name):
    encoding, chord = encoding_named(name), [72, 67, -1, 48]
    wires = range(4 * encoding.n_qubits)
    state = np.ones(1)
    for voice in encoding.states(chord):
        state = np.kron(state, voice)
    embedded = matrix(ClockEmbedding(encoding(chord), wires, encoding), wires)[:, 0]
    np.testing.assert_allclose(embedded, state, atol=1e-14)


@given(st.integers(1, 4), st.integers(1, 2), st.sampled_from(TOPOLOGIES), st.booleans(), SEEDS, st.data())
@settings(max_examples=25)
def test_a_ladder_is_exponentials_of_paulis_multiplied_in_the_order_of_li(n, n_layers, topology, closing, seed, data):
    pairs = {
        "chain": [(i, i + 1) for i in range(n - 1)],
        "ring": [(i, (i + 1) % n) for i in range(n if n > 2 else n - 1)],
        "all-to-all": [(i, j) for i in range(n) for j in range(i + 1, n)],
    }[topology]
    wires, angles = data.draw(labels(n)), normal(seed, (n_layers + closing) * 3 * n + n_layers * len(pairs))
    left, unitary = iter(angles), np.eye(2**n)
    for layer in range(n_layers + closing):
        turns = [[(pauli, i)] for i in range(n) for pauli in (X, Z, X)]
        couplings = [[(Z, i), (Z, j)] for i, j in pairs] if layer < n_layers else []
        for paulis in turns + couplings:
            unitary = expm(-0.5j * next(left) * on(n, *paulis)) @ unitary
    ladder = EntanglingLadder(angles, wires, n_layers, topology, closing)
    np.testing.assert_allclose(matrix(ladder, wires), unitary, atol=1e-12)


@given(st.sampled_from(SCHEDULES), st.integers(0, 5), SEEDS, labels(3))
@settings(max_examples=20)
def test_a_block_is_rotations_of_the_registers_then_the_ladder(schedule, position, seed, wires):
    block = recurrent_block(schedule, seed, wires, position)
    moved = position if schedule == "staggered" else 0
    d0, d1, h = (wires[(moved + i) % 3] for i in range(3))
    (a, b), angles = block.data[0].ravel(), block.data[1]
    turn = [qp.RY(np.pi * (1 - block.data[2][0]) / 2, [h])] if schedule == "measured" else []
    by_hand = [qp.RY(a, [d0]), qp.RY(b, [d1]), *turn, EntanglingLadder(angles, [d0, d1, h])]
    expected = matrix(QuantumScript(by_hand), wires)
    np.testing.assert_allclose(matrix(block, wires), expected, atol=1e-12)


# --- what PennyLane wants of them --------------------------------------------------------------------------------


@given(labels(4), SEEDS)
@settings(max_examples=5)
def test_the_embedding_is_a_valid_operation(wires, seed):
    rotations = (("RY", 0), ("RZ", 0), ("RY", 1))  # two of one kind
    assert_valid(ClockEmbedding(normal(seed, 2, 3), wires, rotations))


@given(labels(3), SEEDS, st.sampled_from(TOPOLOGIES), st.booleans(), st.sampled_from(["XZX", "ZX"]))
@settings(max_examples=5)
def test_the_ladder_is_a_valid_operation(wires, seed, topology, closing, rotations):
    options = {"topology": topology, "closing": closing, "rotations": rotations}
    angles = normal(seed, *EntanglingLadder.shape(3, 1, **options))
    assert_valid(EntanglingLadder(angles, wires, 1, **options))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_block_is_a_valid_operation(schedule):
    assert_valid(recurrent_block(schedule))


OPERATIONS = [
    ClockEmbedding(normal(0, 2, 1), ["a", "b"]),
    EntanglingLadder(normal(1, 24), ["a", "b", "c"], 2),
    *map(recurrent_block, SCHEDULES),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_both_systems_of_decomposition_give_the_same_gates(operation):
    gates = {qp.RX, qp.RY, qp.RZ, qp.IsingZZ}
    decomposed: Any = partial(decompose, QuantumScript([operation]), gate_set=gates)
    (listed,), _ = decomposed()
    qp.decomposition.enable_graph()
    try:
        (by_graph,), _ = decomposed()
    finally:
        qp.decomposition.disable_graph()
    assert {type(gate) for gate in listed.operations} <= gates
    for one, other in zip(listed.operations, by_graph.operations, strict=True):
        qp.assert_equal(one, other)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_it_draws_itself_in_text_and_with_matplotlib(operation):
    assert type(operation).__name__ in qp.draw(lambda: qp.apply(operation))()
    drawing: Any = qp.draw_mpl(lambda: qp.apply(operation))
    figure, axes = drawing()
    plt.close(figure)
    assert type(operation).__name__ in {text.get_text().split("\n")[0] for text in axes.texts}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_batch_is_its_members_one_by_one(schedule):
    def probabilities(block):
        return qp.QNode(lambda: (qp.apply(block), qp.probs(wires=block.wires))[1], qp.device("default.qubit"))()

    batch = recurrent_block(schedule, n_batch=(3,))
    assert batch.batch_size == 3
    apart = [RecurrentBlock._unflatten([array[i] for array in batch.data], batch._flatten()[1]) for i in range(3)]
    np.testing.assert_allclose(probabilities(batch), [probabilities(block) for block in apart], atol=1e-14)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_backprop_and_parameter_shift_give_the_same_gradients(schedule):
    block, data, history = block_and_wires(schedule, [0, 1, 2])
    given = [torch.tensor(normal(i, *shape) / 3) for i, shape in enumerate(RecurrentBlock.shape(block))]

    def jacobian(method):
        @qp.qnode(qp.device("default.qubit"), diff_method=method, interface="torch")
        def averages_of(chord, angles, averages=None):
            RecurrentBlock(chord, angles, data, history, block, 2, averages=averages)
            return qp.probs(wires=[0, 1, 2])

        return torch.autograd.functional.jacobian(averages_of, tuple(given))

    for one, other in zip(jacobian("backprop"), jacobian("parameter-shift"), strict=True):
        assert one.abs().max() > 1e-2
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


def test_a_layer_of_torch_learns_to_turn_every_chord_into_the_same_state():
    n_layers, generator = 2, torch.Generator().manual_seed(0)

    @qp.qnode(qp.device("default.qubit"), interface="torch")
    def circuit(inputs, angles):
        ClockEmbedding(inputs.reshape(-1, 3, 1), range(3))
        EntanglingLadder(angles, range(3), n_layers)
        return [qp.expval(qp.Z(wire)) for wire in range(3)]

    start = {"angles": torch.rand(EntanglingLadder.shape(3, n_layers), generator=generator) - 0.5}
    layer = TorchLayer(circuit, {"angles": EntanglingLadder.shape(3, n_layers)}, init_method=start)
    chords = torch.tensor([[0.0, np.pi, 0.0], [np.pi, 0.0, np.pi]])
    steps = torch.optim.Adam(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(20):
        steps.zero_grad()
        loss = layer(chords).square().mean()
        loss.backward()
        steps.step()
        losses.append(loss.item())
    assert layer(chords).shape == (2, 3)
    assert losses[-1] < losses[0] / 10


# --- what they refuse --------------------------------------------------------------------------------------------

COHERENT: Any = Block(Ladder(3), n_data=2, schedule="coherent")
NO_BLOCK: Any = 5
CHORD, ANGLES = np.zeros((2, 1)), np.zeros(12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: ClockEmbedding(np.zeros((3, 1)), range(4)), r"have shape \(4, 1\) or \(B, 4, 1\); got \(3, 1\)"),
        (lambda: ClockEmbedding(np.zeros(4), range(4)), r"have shape \(4, 1\) or \(B, 4, 1\); got \(4,\)"),
        (lambda: ClockEmbedding([["C"]], [0]), r"angles of a chord, \(n_voices, n_rotations\) are numbers; got"),
        (lambda: ClockEmbedding([[1.0], []], [0, 1]), "are numbers; got"),
        (lambda: ClockEmbedding(np.array([["C"]]), [0]), "are real numbers; got <U1"),
        (lambda: ClockEmbedding([[0.0], [0.0]], [5, 5]), r"wires are hashable labels, each named once; got \[5, 5\]"),
        (lambda: ClockEmbedding([[0.0]], [[5]]), r"wires are hashable labels, each named once; got \[\[5\]\]"),
        (lambda: ClockEmbedding([[0, 0]], [0, 1, 2], (("RY", 0), ("RY", 1))), r"take 2 data qubit\(s\) each; got 3"),
        (lambda: ClockEmbedding([[0.0]], [0], (("H", 0),)), "at least one of RX, RY, RZ; got 'H'"),
        (lambda: EntanglingLadder(np.zeros(5), range(3)), r"1 layer\(s\) on 3 wires have shape \(12,\) or \(B, 12,\)"),
        (lambda: EntanglingLadder(ANGLES, range(3), topology="star"), "a topology is one of ring, chain, all-to-all"),
        (lambda: EntanglingLadder(ANGLES, range(3), 0), "a ladder's number of layers is a whole number of at least 1"),
        (lambda: EntanglingLadder(ANGLES, []), "a ladder's number of qubits is a whole number of at least 1; got 0"),
        (lambda: RecurrentBlock(CHORD, ANGLES, [0, 1], [1], COHERENT), r"no wire in common; got \[1\] in both"),
        (lambda: RecurrentBlock(CHORD, ANGLES, [0], [1], COHERENT), r"2 data qubit\(s\); got the data wires \[0\]"),
        (
            lambda: RecurrentBlock(CHORD, ANGLES, [0, 1], [2, 3], COHERENT),
            r"1 history qubit\(s\); got the history wires",
        ),
        (lambda: RecurrentBlock(CHORD, ANGLES, [0, 1], [2], NO_BLOCK), r"a block is a Block\(.*; got 5"),
        (lambda: ClockEmbedding(np.zeros((2, 2)), [0, 1]), r"got \(2, 2\): 2 angles a voice .*rotations=encoding"),
        (lambda: RecurrentBlock(CHORD, ANGLES, [0, 1], [2], COHERENT, -1), "position is a whole number of at least 0"),
        (lambda: RecurrentBlock(CHORD, ANGLES, [0, 1], [2], COHERENT, averages=[1.0]), "the schedule is 'measured'"),
        (
            lambda: RecurrentBlock(np.zeros((2, 2, 1)), np.zeros((3, 12)), [0, 1], [2], COHERENT),
            "one length; got shapes",
        ),
        (lambda: recurrent([], ANGLES, [0, 1], [2], COHERENT), r"have shape \(n_chords, 2, 1\); got \(0,\)"),
        (lambda: recurrent(CHORD, ANGLES, [0, 1], [2], COHERENT), r"have shape \(n_chords, 2, 1\); got \(2, 1\)"),
    ],
)
def test_a_mistake_is_said_in_one_line(wrong, message):
    with pytest.raises(InputError, match=message) as refusal:
        wrong()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("angles", "message"),
    [
        ([np.nan] * 7, "are finite; got NaN or infinity"),
        ([None] * 7, "are finite; got NaN or infinity"),
        ([10**400] * 7, "are numbers; got"),
        (np.zeros((0, 7)), r"have shape \(7,\) or \(B, 7,\); got \(0, 7\)"),
        (np.zeros(7, complex), "are real numbers; got complex128"),
    ],
    ids=str,
)
def test_angles_that_are_no_finite_numbers_are_refused(angles, message):
    with pytest.raises(InputError, match=message) as refused:
        EntanglingLadder(angles, [0, 1])
    assert "\n" not in str(refused.value)


def test_no_wires_are_refused():
    with pytest.raises(InputError, match="wires are hashable labels"):
        EntanglingLadder(np.zeros(7), None)
