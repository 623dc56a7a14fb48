"""One chord after another by density matrices of the history: as PennyLane plays it, and what of it is remembered."""

from dataclasses import replace
from typing import Any

import numpy as np
import pennylane as qp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoding import InputError
from encoding.clock import ENCODINGS, encoding_named, octave_qubit
from quantum import (
    Block,
    Ladder,
    RecurrentBlock,
    block_cell,
    carries_memory,
    cell_carries_memory,
    recurrent,
    reduced,
    reduced_angles,
)
from quantum.block import SCHEDULES
from quantum.coherent import kets, outputs
from quantum.ladder import TOPOLOGIES

SEEDS = st.integers(0, 2**32 - 1)
LABELS = st.one_of(st.integers(-9, 99), st.text(max_size=3), st.tuples(st.integers(0, 3), st.text(max_size=1)))
ROTATIONS = st.sampled_from([(("RY", 0),), (("RX", 0), ("RZ", 0), ("RY", 0)), (("RY", 1), ("RX", 0))])


@st.composite
def blocks(draw, schedule=None, most=4, rotations=ROTATIONS):
    """A block of any kind, and random angles for it."""
    turns = draw(rotations)
    n_each = 1 + max(qubit for _, qubit in turns)
    n_data = n_each * draw(st.integers(1, (most - 1) // n_each))
    n = draw(st.integers(n_data + 1, most))
    ladder = Ladder(n, draw(st.integers(1, 2)), draw(st.sampled_from(TOPOLOGIES)), draw(st.booleans()))
    made = Block(ladder, n_data=n_data, schedule=schedule or draw(st.sampled_from(SCHEDULES)), rotations=turns)
    return made, np.random.default_rng(draw(SEEDS)).uniform(-4, 4, ladder.n_angles)


def music(block, n_chords, seed=0):
    return np.random.default_rng(seed).uniform(-4, 4, (n_chords, *block.chord_shape))


def heard(cell, chords):
    history, seen = None, []
    for chord in chords:
        features, history = cell(chord, history)
        seen.append(features)
    return np.array(seen)


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_chord_is_the_product_of_the_states_of_its_voices(name):
    encoding = encoding_named(name)
    product = np.ones(1)
    for state in encoding.states([60, -1, 67]):
        product = np.kron(product, state)
    made = kets(encoding([60, -1, 67]).ravel(), tuple(encoding.rotations))
    np.testing.assert_allclose(made, product, atol=1e-15)


@given(blocks(most=3), st.data())
@settings(max_examples=18)
def test_what_is_read_is_what_pennylane_measures(made, data):
    """Coherent and staggered with measurements deferred; measured chord by chord, the averages handed on."""
    block, angles = made
    wires = data.draw(st.lists(LABELS, min_size=block.n_qubits, max_size=block.n_qubits, unique=True))
    d, h, chords = wires[: block.n_data], wires[block.n_data :], music(block, 3)
    found = heard(block_cell(block, angles), chords)
    if block.schedule != "measured":

        @qp.qnode(qp.device("default.qubit"), mcm_method="deferred")
        def ones():
            return [qp.expval(one) for read in recurrent(chords, angles, d, h, block) for one in read]

        np.testing.assert_allclose(found.ravel(), 1 - 2 * np.array(ones()), atol=1e-12)
        return
    both, averages = heard(block_cell(block, angles, "ZX"), chords), np.ones(block.n_history)
    for chord, features in zip(chords, both, strict=True):
        seen = chord_by_itself(block, chord, angles, d, h, averages)
        np.testing.assert_allclose(features, seen, atol=1e-12)
        averages = np.array(seen[block.n_data : block.n_qubits])
    np.testing.assert_array_equal(found, both[:, : block.n_qubits])


def chord_by_itself(block, chord, angles, d, h, averages) -> Any:
    @qp.qnode(qp.device("default.qubit"))
    def of_all():
        RecurrentBlock(chord, angles, d, h, block, averages=np.clip(averages, -1, 1))
        return [qp.expval(pauli([wire])) for pauli in (qp.Z, qp.X) for wire in (*d, *h)]

    return of_all()


@given(blocks("coherent"), st.sampled_from(["Z", "X", "ZX"]))
@settings(max_examples=20)
def test_coherent_it_is_the_faster_simulation(made, readout):
    block, angles = made
    chords, options = music(block, 4), {"n_data": block.n_data, "rotations": block.rotations}
    found = outputs(block.ladder, angles, chords.reshape(4, -1), readout=readout, **options)
    np.testing.assert_allclose(heard(block_cell(block, angles, readout), chords), found, atol=1e-13)


@given(blocks(), SEEDS)
@settings(max_examples=15)
def test_a_history_is_a_density_matrix_again(made, seed):
    block, angles = made
    cell, rng = block_cell(block, angles), np.random.default_rng(seed)
    psi = rng.normal(size=(2, 2**block.n_history, 2)) @ [1, 1j]
    rho = np.einsum("ka,kb->ab", psi, psi.conj()) / np.sum(abs(psi) ** 2)
    after = cell(music(block, 1)[0], rho)[1]
    np.testing.assert_allclose(np.trace(after), 1, atol=1e-13)
    np.testing.assert_allclose(after, after.conj().T, atol=1e-14)
    assert np.linalg.eigvalsh(after).min() > -1e-14


@given(blocks())
@settings(max_examples=40)
def test_the_reduced_block_says_the_same_in_z_in_its_schedule(made):
    block, angles = made
    chords = music(block, 6)
    fewer = block_cell(reduced(block), reduced_angles(block, angles))
    np.testing.assert_allclose(heard(fewer, chords), heard(block_cell(block, angles), chords), atol=1e-12)


# --- memory ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_one_layer_read_in_z_remembers_in_no_schedule_and_two_layers_in_all(schedule):
    one = Block(Ladder(4), n_data=2, schedule=schedule)
    assert not carries_memory(one)
    assert carries_memory(one).response.max() < 1e-14
    two = carries_memory(replace(one, ladder=Ladder(4, 2)))
    assert two.response[0] > 1e-3


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_chord_that_leaves_no_mark_is_not_remembered(schedule):
    """RZ on |0> is a phase; RX after it is none."""
    block = Block(Ladder(4, 2), n_data=2, schedule=schedule, rotations=(("RZ", 0),))
    assert not carries_memory(block)
    assert not carries_memory(block, "ZX")
    assert carries_memory(replace(block, rotations=(("RZ", 0), ("RX", 0))))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_couplings_across_nothing_is_remembered(schedule):
    """Staggered the registers exchange qubits, but D[0] joins the history when no coupling can tell D of it."""
    block = Block(Ladder(4, 2), n_data=2, schedule=schedule)
    angles = np.random.default_rng(0).uniform(-3, 3, block.ladder.n_angles)
    assert carries_memory(block, angles=angles)
    for name, qubits, place in block.ladder.gates():
        if name == "RZZ" and len({qubit < 2 for qubit in qubits}) == 2:
            angles[place] = 0
    assert not carries_memory(block, "ZX", angles=angles)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_notes_that_an_encoding_holds_for_one_are_one_to_the_memory(schedule):
    """Octaves of C, in pitch classes and with an octave's own qubit."""

    def octaves(rng):
        return 12 * rng.integers(1, 9, 1)

    for encoding, remembered in ((encoding_named("pitch-class"), False), (octave_qubit(), True)):
        block = Block(Ladder(3, 2), n_data=encoding.n_qubits, schedule=schedule, rotations=encoding)
        cell = block_cell(block, np.linspace(-2, 2, block.ladder.n_angles))

        def heard(notes, history, cell=cell, encoding=encoding):
            return cell(encoding(notes), history)

        found = cell_carries_memory(heard, None, octaves)
        assert bool(found) == remembered


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda cell: cell(np.zeros((2, 2))), r"shape \(2, 1\) .*got \(2, 2\).*rotations=encoding.rotations"),
        (lambda cell: cell(np.zeros((2, 1)), np.eye(4)), r"matrix of H, \(2, 2\); got float64 of shape \(4, 4\)"),
        (lambda cell: block_cell(Ladder(3), np.zeros(12)), "a block is a Block"),  # pyright: ignore[reportArgumentType]  # as a user may
        (lambda cell: block_cell(Block(Ladder(13), n_data=4, schedule="coherent"), np.zeros(52)), "13 qubits"),
    ],
)
def test_a_mistake_is_said_in_one_line(wrong, says):
    cell = block_cell(Block(Ladder(3), n_data=2, schedule="coherent"), np.zeros(12))
    with pytest.raises(InputError, match=says) as refusal:
        wrong(cell)
    assert "\n" not in str(refusal.value)
