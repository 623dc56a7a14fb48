"""Qiskit circuits: the same unitaries as PennyLane's, files, transpilers and the validators of IBM's machines."""

import io
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pennylane as qp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm3, qpy, transpile
from qiskit.circuit import IfElseOp, ParameterVector
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import Operator
from qiskit.transpiler import CouplingMap

from encoding import InputError
from encoding.clock import encoding_named, octave_qubit
from quantum import (
    Block,
    ClockEmbedding,
    EntanglingLadder,
    Ladder,
    RecurrentBlock,
    block_circuit,
    circuit_unitary,
    clock_circuit,
    fractional,
    ladder_circuit,
    recurrent_circuit,
)
from quantum.block import SCHEDULES
from quantum.ladder import TOPOLOGIES

SEEDS = st.integers(0, 2**32 - 1)
LADDERS = st.builds(
    Ladder,
    st.integers(2, 5),
    st.integers(1, 2),
    st.sampled_from(TOPOLOGIES),
    st.booleans(),
    st.sampled_from(["XZX", "ZX"]),
)


def normal(seed, *shape):
    return 3 * np.random.default_rng(seed).normal(size=shape)


def matrix(operation, wires) -> Any:
    return qp.matrix(operation, wire_order=wires)


def operator(circuit) -> Any:
    return Operator(circuit).data


def recurrent(schedule, *, n_layers=2, n_history=1):
    return Block(Ladder(2 + n_history, n_layers), n_data=2, schedule=schedule)


def played(schedule, n_chords=3, **options):
    block = recurrent(schedule)
    return recurrent_circuit(block, normal(0, n_chords, 2, 1), normal(1, block.ladder.n_angles), **options)


def written(circuit) -> Any:
    """Every instruction: name, angles, qubits, bits, branches."""
    place = {bit: i for i, bit in enumerate([*circuit.qubits, *circuit.clbits])}
    found = []
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, IfElseOp):
            condition: Any = operation.condition
            inside = [written(branch) for branch in operation.blocks]
            found.append(("if", place[condition[0]], condition[1], inside, [place[q] for q in instruction.qubits]))
        else:
            angles = [round(float(angle), 12) for angle in operation.params]
            found.append((operation.name, angles, [place[b] for b in (*instruction.qubits, *instruction.clbits)]))
    return found


# --- the same as PennyLane's -------------------------------------------------------------------------------------


@given(LADDERS, SEEDS)
@settings(max_examples=20)
def test_a_ladder_is_pennylanes_with_the_bits_reversed(ladder, seed):
    angles, n = normal(seed, ladder.n_angles), ladder.n_qubits
    options = (ladder.n_layers, ladder.topology, ladder.closing, ladder.rotations)
    theirs = matrix(EntanglingLadder(angles, range(n), *options), range(n))
    circuit = ladder_circuit(ladder, angles)
    np.testing.assert_allclose(operator(circuit.reverse_bits()), theirs, atol=1e-12)
    np.testing.assert_allclose(circuit_unitary(circuit), theirs, atol=1e-12)
    assert n == 1 or not np.allclose(operator(circuit), theirs, atol=1e-3)  # without the change it is another


@given(st.integers(1, 3), SEEDS)
@settings(max_examples=10)
def test_a_chord_is_pennylanes(n_voices, seed):
    rotations = octave_qubit().rotations
    angles, wires = normal(seed, n_voices, len(rotations)), range(2 * n_voices)
    theirs = matrix(ClockEmbedding(angles, wires, rotations), wires)
    ours = circuit_unitary(clock_circuit(angles, n_voices=n_voices, rotations=octave_qubit()))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@given(st.sampled_from(SCHEDULES), LADDERS, st.integers(0, 6), SEEDS, st.data())
@settings(max_examples=20)
def test_a_block_is_pennylanes_at_every_position(schedule, ladder, position, seed, data):
    n_data = data.draw(st.integers(1, ladder.n_qubits - 1))
    block = Block(ladder, n_data=n_data, schedule=schedule)
    chord, angles = normal(seed, n_data, 1), normal(seed + 1, ladder.n_angles)
    averages = np.tanh(normal(seed + 2, block.n_history)) if schedule == "measured" else None
    wires = range(ladder.n_qubits)
    theirs = RecurrentBlock(chord, angles, wires[:n_data], wires[n_data:], block, position, averages=averages)
    ours = block_circuit(block, chord, angles, averages=averages, position=position)
    np.testing.assert_allclose(circuit_unitary(ours), matrix(theirs, wires), atol=1e-12)


# --- parameters and registers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_parameters_are_bound_in_the_order_ladder_chord_averages(schedule):
    block = recurrent(schedule)
    chord, angles = normal(0, 2, 1), normal(1, 24)
    averages = [0.3] if schedule == "measured" else None
    bound = block_circuit(block).assign_parameters([*angles, *chord.ravel(), *(averages or [])])
    np.testing.assert_allclose(
        circuit_unitary(bound), circuit_unitary(block_circuit(block, chord, angles, averages=averages))
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_chords_of_a_piece_are_bound_one_after_the_other(schedule):
    block, chords, angles = recurrent(schedule), normal(0, 12, 2, 1), normal(1, 24)
    bound = recurrent_circuit(block, 12).assign_parameters([*angles, *chords.ravel()])
    assert written(bound) == written(recurrent_circuit(block, chords, angles))


def test_a_vector_of_ones_own_is_taken():
    own = ParameterVector("w", 24)
    assert set(recurrent_circuit(recurrent("coherent"), normal(0, 1, 2, 1), own).parameters) == set(own)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_each_chord_is_read_into_a_register_of_its_own(schedule):
    circuit, n_read = played(schedule), 3 if schedule == "measured" else 2
    assert [(register.name, len(register)) for register in circuit.cregs] == [(f"c{t}", n_read) for t in range(3)]
    assert sum(instruction.operation.name == "reset" for instruction in circuit.data) == 2 * n_read


def test_what_the_transpiler_leaves_out_are_couplings_that_a_reading_in_z_does_not_see():
    """In "measured" all qubits are read after the last couplings, and ZZ commutes with Z."""
    circuit = recurrent_circuit(recurrent("measured"), 2)
    kept = transpile(circuit, basis_gates=["rz", "rx", "ry", "rzz", "x"], optimization_level=2).parameters
    left_out = {angle.name for angle in circuit.parameters} - {angle.name for angle in kept}
    assert left_out
    assert left_out <= {f"theta[{last}]" for last in (21, 22, 23)}


# --- files and transpilers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("make", [lambda b: recurrent_circuit(b, 3), lambda b: block_circuit(b, position=1)])
def test_qpy_gives_the_same_circuit_back(schedule, make):
    circuit, file = make(recurrent(schedule)), io.BytesIO()
    qpy.dump(circuit, file)
    file.seek(0)
    assert qpy.load(file) == [circuit]


@pytest.mark.parametrize("feed_forward", [True, False])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_qasm_gives_the_same_instructions_and_registers_back(schedule, feed_forward):
    circuit = played(schedule, feed_forward=feed_forward)
    back = qasm3.loads(qasm3.dumps(circuit))
    assert written(back) == written(circuit)
    assert [(r.name, len(r)) for r in back.cregs + back.qregs] == [
        (r.name, len(r)) for r in circuit.cregs + circuit.qregs
    ]


def test_parameters_that_went_through_qasm_are_bound_by_name():
    """Their order is another: theta[10] comes before theta[2]."""
    circuit = block_circuit(recurrent("coherent"))
    values, back = normal(0, circuit.num_parameters), qasm3.loads(qasm3.dumps(circuit))
    names = [f"_{one.name}".replace("[", "_").replace("]", "_") for one in circuit.parameters]
    by_name = back.assign_parameters(dict(zip(names, values, strict=True)))
    np.testing.assert_allclose(circuit_unitary(by_name), circuit_unitary(circuit.assign_parameters(values)), atol=1e-12)
    assert [one.name for one in back.parameters] == sorted(names) != names


def test_qasm_gives_the_same_unitary_back():
    circuit = block_circuit(recurrent("staggered"), normal(0, 2, 1), normal(1, 24))
    np.testing.assert_allclose(circuit_unitary(qasm3.loads(qasm3.dumps(circuit))), circuit_unitary(circuit), atol=1e-12)


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("entangler", ["cx", "rzz"])
def test_transpiling_for_a_line_of_qubits_leaves_the_unitary(level, entangler):
    circuit = block_circuit(recurrent("coherent", n_history=2), normal(0, 2, 1), normal(1, 32))
    line = transpile(
        circuit,
        coupling_map=CouplingMap.from_line(4),
        basis_gates=["rz", "sx", "x", "rx", entangler],
        optimization_level=level,
        seed_transpiler=1,
    )
    np.testing.assert_allclose(circuit_unitary(line), circuit_unitary(circuit), atol=1e-12)


# --- fractional gates --------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=3), SEEDS)
@settings(max_examples=25)
def test_folded_angles_are_between_0_and_a_quarter_turn_and_the_unitary_is_the_same_with_its_phase(angles, seed):
    assert_folded(angles, normal(seed, 3))


@pytest.mark.parametrize("turns", range(-9, 10))
def test_whole_quarter_turns_fold_too(turns):
    quarter = turns * np.pi / 2
    assert_folded([quarter, np.nextafter(quarter, 9), np.nextafter(quarter, -9)], np.ones(3))


def assert_folded(angles, between):
    circuit = QuantumCircuit(3)
    for i, angle in enumerate(angles):
        circuit.rx(between[i], i)
        circuit.rzz(angle, i, (i + 1) % 3)
    folded = fractional(circuit)
    turned = [gate.params[0] for gate in folded.data if gate.name == "rzz"]
    assert len(turned) == len(angles)
    assert all(0 <= angle <= np.pi / 2 for angle in turned)
    np.testing.assert_allclose(operator(folded), operator(circuit), atol=1e-12)


def test_branches_are_folded_too():
    circuit = QuantumCircuit(2, 1)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.rzz(-4.0, 0, 1)
    with otherwise:
        circuit.rzz(2.0, 0, 1)
    before, after = (program.data[0].operation.blocks for program in (circuit, fractional(circuit)))
    for one, other in zip(before, after, strict=True):
        assert max(gate.params[0] for gate in other.data if gate.name == "rzz") < np.pi / 2
        np.testing.assert_allclose(operator(other), operator(one), atol=1e-12)


def test_a_circuit_without_couplings_comes_back_as_it_is():
    circuit = ladder_circuit(Ladder(3), np.ones(12)).decompose()
    assert fractional(transpile(circuit, basis_gates=["rz", "sx", "cx"])) == transpile(
        circuit, basis_gates=["rz", "sx", "cx"]
    )


def test_an_angle_that_is_not_known_yet_is_not_folded():
    with pytest.raises(InputError, match=r"numbers before they are folded: assign_parameters; got RZZ\(theta\[18\]\)"):
        fractional(ladder_circuit(Ladder(6)))


# --- IBM's machines ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machines() -> Any:
    from qiskit_ibm_runtime.fake_provider import FakeFractionalBackend, FakeManilaV2

    return {"cx": FakeManilaV2(), "rzz": FakeFractionalBackend()}


@pytest.fixture(scope="module")
def validations() -> Any:
    from qiskit_ibm_runtime.utils import validations

    return validations


@pytest.mark.parametrize("feed_forward", [True, False])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("machine", ["cx", "rzz"])
def test_the_machines_take_a_circuit_transpiled_once_and_bound_after(
    machines, validations, machine, schedule, feed_forward
):
    template = recurrent_circuit(recurrent(schedule), 2, feed_forward=feed_forward)
    circuit = transpile(template, machines[machine], optimization_level=1, seed_transpiler=1)
    values = dict(zip(template.parameters, normal(2, template.num_parameters), strict=True))
    circuit = fractional(circuit.assign_parameters(values, strict=False))
    validations.validate_isa_circuits([circuit], machines[machine].target)
    validations.validate_rzz_pubs([SamplerPub.coerce(circuit)])
    validations.validate_classical_registers([SamplerPub.coerce(circuit)])
    assert ("rzz" in circuit.count_ops()) == (machine == "rzz")


def test_without_folding_the_machine_refuses_the_angles(machines, validations):
    circuit = transpile(recurrent_circuit(recurrent("coherent"), 1), machines["rzz"], optimization_level=0)
    circuit = circuit.assign_parameters(-np.ones(circuit.num_parameters))
    with pytest.raises(Exception, match=r"supported only for angles in the range \[0, pi/2\]"):
        validations.validate_rzz_pubs([SamplerPub.coerce(circuit)])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_dynamical_decoupling_may_stay_on_where_nothing_is_fed_forward(validations, schedule):
    options = SimpleNamespace(dynamical_decoupling=SimpleNamespace(enable=True))
    validations.validate_no_dd_with_dynamic_circuits([played(schedule, feed_forward=False)], options)
    if schedule == "measured":
        with pytest.raises(Exception, match="cannot be used with dynamic circuits"):
            validations.validate_no_dd_with_dynamic_circuits([played(schedule)], options)


# --- what they refuse --------------------------------------------------------------------------------------------

COHERENT, MEASURED, CHORD = recurrent("coherent"), recurrent("measured"), np.zeros((2, 1))
NOTHING: Any = None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda: clock_circuit(np.zeros((3, 1))),
            r"angles of a chord have shape \(4, 1\) and are finite; got \(3, 1\)",
        ),
        (lambda: clock_circuit([[0], [np.nan], [0], [0]]), r"are finite; got NaN or infinity"),
        (lambda: clock_circuit(n_voices=0), "the number of voices is a whole number of at least 1; got 0"),
        (lambda: clock_circuit(["C", "E", "G", "C"]), "angles of a chord are numbers; got"),
        (lambda: ladder_circuit(Ladder(3), np.zeros(11)), r"have shape \(12,\) and are finite; got \(11,\)"),
        (lambda: ladder_circuit(Ladder(3), ParameterVector("w", 5)), "angles of the ladder are 12 parameters; got 5"),
        (
            lambda: ladder_circuit(Ladder(3, topology="star")),
            "a topology is one of ring, chain, all-to-all; got 'star'",
        ),
        (lambda: ladder_circuit(NOTHING), "a ladder is a Ladder; got None"),
        (lambda: block_circuit(NOTHING), r"a block is a Block\(ladder, n_data=, schedule=\); got None"),
        (
            lambda: recurrent_circuit(COHERENT, encoding_named("pitch-class")([[60, 64], [62, 65]])),
            r"\(n_chords, 2, 1\); got \(2, 2, 2\): 2 angles a voice are those .* say rotations=encoding.rotations",
        ),
        (lambda: block_circuit(COHERENT, np.zeros((2, 3))), r"got \(2, 3\): 3 angles a voice .*rotations=encoding"),
        (lambda: clock_circuit(np.zeros((4, 2))), r"got \(4, 2\): 2 angles a voice .*rotations=encoding.rotations"),
        (lambda: block_circuit(COHERENT, position=-1), "position is a whole number of at least 0; got -1"),
        (lambda: block_circuit(COHERENT, averages=[1.0]), "the schedule is 'measured'; here it is 'coherent'"),
        (lambda: block_circuit(MEASURED, averages=[1.5]), "averages of H are between -1 and 1; got 1.5"),
        (
            lambda: block_circuit(MEASURED, averages=[1, 1]),
            r"averages of H have shape \(1,\) and are finite; got \(2,\)",
        ),
        (lambda: recurrent_circuit(COHERENT, 0), "the number of chords is a whole number of at least 1; got 0"),
        (lambda: recurrent_circuit(COHERENT, CHORD), r"have shape \(n_chords, 2, 1\); got \(2, 1\)"),
        (lambda: recurrent_circuit(COHERENT, []), r"have shape \(n_chords, 2, 1\); got \(0,\)"),
        (lambda: recurrent_circuit(COHERENT, "abc"), "angles of chords are numbers; got 'abc'"),
        (lambda: circuit_unitary(cast(Any, None)), "a circuit is a QuantumCircuit; got None"),
        (lambda: fractional(cast(Any, "rzz")), "a circuit is a QuantumCircuit; got 'rzz'"),
        (lambda: circuit_unitary(QuantumCircuit(10_000)), "at most 12 qubits; got 10000"),
        (lambda: clock_circuit(n_voices=10**9), "at most 1024; got 1000000000"),
        (lambda: circuit_unitary(QuantumCircuit(17)), "a dense unitary has at most 12 qubits; got 17, that is 275 GB"),
        (lambda: circuit_unitary(played("coherent")), "a unitary is made of gates alone; "),
        (
            lambda: circuit_unitary(block_circuit(COHERENT)),
            "a unitary has numbers for angles; got 26 unbound parameters",
        ),
    ],
)
def test_a_mistake_is_said_in_one_line(wrong, message):
    with pytest.raises(InputError, match=message) as refusal:
        wrong()
    assert "\n" not in str(refusal.value)
