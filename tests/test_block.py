"""What happens at a chord: which wires are data, which are history, what is turned, measured and reset."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoding import InputError
from encoding.clock import octave_qubit
from quantum import Block, Ladder
from quantum.block import SCHEDULES, Step, reencoded

SIZES = st.tuples(st.integers(1, 5), st.integers(1, 4))


def block(schedule, n_data=2, n_history=1, **options):
    return Block(Ladder(n_data + n_history, 2), n_data=n_data, schedule=schedule, **options)


@given(SIZES)
@settings(max_examples=20)
def test_the_staggered_registers_pass_one_qubit_on_at_every_chord(sizes):
    n_data, n_history = sizes
    staggered = block("staggered", n_data, n_history)
    data, history = list(range(n_data)), list(range(n_data, n_data + n_history))
    for chord in range(12):
        assert staggered.registers(chord) == (tuple(data), tuple(history))
        data, history = [*data[1:], history[0]], [*history[1:], data[0]]


@given(SIZES)
@settings(max_examples=20)
def test_staggered_every_qubit_is_reset_within_as_many_chords_as_there_are_qubits(sizes):
    staggered = block("staggered", *sizes)
    for first in range(4):
        reset = {wire for chord in range(first, first + staggered.n_qubits) for wire in staggered.reset(chord)}
        assert reset == set(range(staggered.n_qubits))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_register_is_empty_when_a_chord_comes_in(schedule):
    recurrent = block(schedule, 3, 2)
    for chord in range(7):
        assert set(recurrent.registers(chord + 1)[0]) <= set(recurrent.reset(chord))
        turned = {wire for step in recurrent.gates(chord) if step.source == "chord" for wire in step.wires}
        assert turned == set(recurrent.registers(chord)[0])


def test_coherent_the_history_is_neither_measured_nor_reset():
    steps = block("coherent").steps(5)
    assert [step.wires for step in steps if step.name in ("measure", "reset")] == [(0,), (1,), (0,), (1,)]


def test_measured_all_are_measured_and_reset_and_the_history_is_turned_by_its_averages():
    steps = block("measured").steps()
    assert [step.wires for step in steps if step.name == "measure"] == [(0,), (1,), (2,)]
    assert [step.wires for step in steps if step.name == "reset"] == [(0,), (1,), (2,)]
    assert [step for step in steps if step.source == "averages"] == [Step("RY", (2,), "averages", 0)]


def test_the_gates_of_the_ladder_follow_the_registers():
    fixed, moved = block("coherent", 2, 2), block("staggered", 2, 2)
    there = {0: 1, 1: 2, 2: 3, 3: 0}
    turned = [step._replace(wires=tuple(there[wire] for wire in step.wires)) for step in fixed.gates()]
    assert list(moved.gates(1)) == turned


def test_each_voice_has_the_qubits_and_angles_of_its_encoding():
    rotations = octave_qubit().rotations  # clock and rest on the voice's first qubit, octave on the second
    chord = [step for step in block("coherent", 4, 1, rotations=rotations).gates() if step.source == "chord"]
    assert [(step.name, *step.wires, step.angle) for step in chord] == [
        *[("RY", 0, 0), ("RZ", 0, 1), ("RY", 1, 2)],
        *[("RY", 2, 3), ("RZ", 2, 4), ("RY", 3, 5)],
    ]


def test_an_encoding_gives_its_rotations():
    assert block("coherent", rotations=octave_qubit()) == block("coherent", rotations=octave_qubit().rotations)
    assert block("coherent").rotations == (("RY", 0),)


def test_an_average_comes_back_as_the_angle_of_a_state_as_far_up_or_down():
    assert [reencoded(z) for z in (1, 0, -1)] == [0, math.pi / 2, math.pi]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "coherently"}, "a schedule is one of measured, coherent, staggered; got 'coherently'"),
        ({"n_data": 3}, "n_data is below the ladder's 3 qubits; got 3"),
        ({"n_data": 0}, "the number of data qubits is a whole number of at least 1; got 0"),
        ({"rotations": (("RY", 0), ("RY", 2))}, r"voices take 3 data qubit\(s\) each; got 2 for all of them"),
        ({"rotations": (("RW", 0),)}, "rotations are at least one of RX, RY, RZ; got 'RW'"),
        ({"rotations": 5}, "rotations are pairs of axis and qubit"),
        ({"ladder": 5}, "a block's ladder is a Ladder; got 5"),
    ],
)
def test_a_block_that_cannot_be_is_refused_in_one_line(options, message):
    given = {"ladder": Ladder(3), "n_data": 2, "schedule": "coherent"} | options
    with pytest.raises(InputError, match=message) as refusal:
        Block(given.pop("ladder"), **given)
    assert "\n" not in str(refusal.value)


def test_naming_the_packages_contents_loads_neither_pennylane_nor_qiskit():
    code = (
        "import sys, quantum; dir(quantum); quantum.Block; print({'pennylane', 'qiskit', 'torch'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
