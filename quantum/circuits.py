"""The clock, the ladder, the block of one chord and the whole recurrent network as Qiskit circuits.

The same gates as `quantum.templates`, read from the same place. Angles that are given are numbers in the circuit; those
that are not are Parameters, vectors named "theta" (ladder), "x" (chords, flat) and "z" (averages), and
`circuit.parameters` has them in this order. A transpiler leaves out angles that no reading depends on: bind what it
returns by name, `assign_parameters(dict(zip(circuit.parameters, values)), strict=False)`.

Qiskit writes the first qubit as the last bit: its unitaries are PennyLane's after `reverse_bits()`, and `unitary` gives
them in PennyLane's order.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator

from encoding import InputError
from encoding.memory import check_room
from encoding.qubits import Encoding, Rotation
from encoding.voices import N_VOICES
from quantum.block import CLOCK, Block, Step, checked_block, checked_rotations, embedding, qubits_of
from quantum.folding import checked_circuit
from quantum.ladder import MOST_QUBITS, Ladder, checked_count
from quantum.parameters import chords_of, numbers_or_parameters, theta_of, theta_of_each, turns_of

MOST_DENSE_QUBITS = 12  # qubits of a dense unitary: 4^12 complex numbers are 0.27 GB


def clock_circuit(
    angles: Any = None, *, n_voices: int = N_VOICES, rotations: Sequence[Rotation] | Encoding = CLOCK
) -> QuantumCircuit:
    """A chord on its qubits: every voice's rotations, voice by voice.

    Args:
        angles: of `Encoding(chord)`, (n_voices, n_rotations), in radians; None: parameters x.
        n_voices: how many voices.
        rotations: of one voice, axis and qubit of each angle, or the `Encoding` that has them.

    Raises:
        InputError: no voice, angles of another shape, or rotations that do not exist.

    >>> print(clock_circuit([[0.0], [1.57]], n_voices=2).draw("text"))
             ┌───────┐
    data_0: ─┤ Ry(0) ├──
            ┌┴───────┴─┐
    data_1: ┤ Ry(1.57) ├
            └──────────┘
    """
    rotations = checked_rotations(rotations)
    shape = checked_count("the number of voices", n_voices, most=MOST_QUBITS), len(rotations)
    circuit = QuantumCircuit(QuantumRegister(n_voices * qubits_of(rotations), "data"), name="clock")
    return _played(
        circuit, embedding(n_voices, rotations), chord=numbers_or_parameters("angles of a chord", angles, shape, "x")
    )


def ladder_circuit(ladder: Ladder, angles: Any = None) -> QuantumCircuit:
    """Rotations of every qubit, then ZZ couplings along the edges of a graph, layer upon layer.

    Args:
        ladder: which gates there are.
        angles: (n_angles,), in radians; None: parameters theta.

    Raises:
        InputError: no ladder, or angles of another shape.
    """
    if not isinstance(ladder, Ladder):
        raise InputError(f"a ladder is a Ladder; got {ladder!r:.40}")
    circuit = QuantumCircuit(QuantumRegister(ladder.n_qubits, "q"), name="ladder")
    steps = (Step(gate.name, gate.qubits, "ladder", gate.angle) for gate in ladder.gates())
    return _played(circuit, steps, ladder=theta_of(angles, ladder))


def block_circuit(
    block: Block, chord: Any = None, angles: Any = None, *, averages: Any = None, position: int = 0
) -> QuantumCircuit:
    """The unitary of one chord: its rotations on D, in the schedule "measured" those of H, and the ladder on both.

    Args:
        block: ladder, schedule and rotations.
        chord: angles of `Encoding(chord)`, (n_voices, n_rotations), in radians; None: parameters x.
        angles: of the ladder, (n_angles,), in radians; None: parameters theta.
        averages: in "measured" <Z> of H at the last chord, (n_history,); None: parameters z.
        position: number of the chord, from 0; in "staggered" the registers have moved on so many places.

    Raises:
        InputError: angles of another shape, averages where there are none or beyond +-1.
    """
    circuit = _registers(checked_block(block), "block")
    checked_count("a block's position", position, 0)
    given = {
        "chord": numbers_or_parameters("angles of a chord", chord, block.chord_shape, "x"),
        "ladder": theta_of(angles, block.ladder),
        "averages": turns_of(averages, block) if averages is not None or block.schedule == "measured" else [],
    }
    return _played(circuit, block.gates(position), **given)


def recurrent_circuit(
    block: Block,
    chords: Any,
    angles: Any = None,
    *,
    averages: Any = None,
    feed_forward: bool = True,
    basis: str = "Z",
) -> QuantumCircuit:
    """Chords one after the other, measured and reset in between; chord t is read into the classical register "c<t>".

    Bit i of a register is the i-th qubit of D as it is at that chord, in "measured" of D, then H. Of a sampler's result
    r the register is `r.data.c0`. Nothing is reset after the last chord.

    In "measured" every shot goes its own way: <Z> of H is the one outcome +-1, and RY(pi (1 - <Z>)/2) is X where it was
    a 1. Averages over many shots do not exist inside one shot: they are one circuit a chord, one job after another,
    each with the `averages` of the job before.

    Args:
        block: ladder, schedule and rotations.
        chords: angles of `Encoding(chords)`, (n_chords, n_voices, n_rotations), in radians; or a number of chords, with
            parameters x.
        angles: of the ladder, (n_angles,), in radians; None: parameters theta. Or each chord's own, (n_chords,
            n_angles) or a vector of as many parameters.
        averages: in "measured" <Z> of H before the first chord, (n_history,); None: +1, H is |0...0>.
        feed_forward: False leaves H as its measurement left it, in place of a reset and an X where a 1 was read. It is
            the same state, and needs no decision while the circuit runs.
        basis: in which all that is measured is read, "Z" or "X".

    Raises:
        InputError: no chord, angles of another shape, averages where there are none or beyond +-1; the basis "X" of
            chords whose history goes on as it was read.

    >>> block = Block(Ladder(2, topology="chain"), n_data=1, schedule="staggered")
    >>> [(register.name, register.size) for register in recurrent_circuit(block, 3).cregs]
    [('c0', 1), ('c1', 1), ('c2', 1)]
    """
    circuit = _registers(checked_block(block), "recurrent")
    x, n_chords = chords_of(chords, block)
    theta, turns = theta_of_each(angles, block.ladder, n_chords), [] if averages is None else turns_of(averages, block)
    _check_basis(basis, block, n_chords)
    for position in range(n_chords):
        steps = [step for step in block.gates(position) if step.source != "averages" or turns]
        _played(circuit, steps, chord=x[position], ladder=theta[position], averages=turns)
        if basis == "X":
            circuit.h(block.measured(position))
        turns, bits = [], ClassicalRegister(len(block.measured(position)), f"c{position}")
        circuit.add_register(bits)
        circuit.measure(block.measured(position), bits)
        if position < n_chords - 1:
            _make_ready(circuit, block, position, feed_forward)
    return circuit


def circuit_unitary(circuit: QuantumCircuit) -> NDArray[np.complex128]:
    """The matrix of a circuit, (2^N, 2^N), the first qubit leftmost as in PennyLane; a transpiled one's layout undone.

    Raises:
        InputError: more than 12 qubits, unbound parameters, or a circuit with more than gates in it.

    >>> flip = QuantumCircuit(2)
    >>> _ = flip.x(0)
    >>> int(circuit_unitary(flip)[:, 0].argmax())  # |00> -> |10>
    2
    """
    n = checked_circuit(circuit).num_qubits
    if n > MOST_DENSE_QUBITS:
        size = f", that is {16e-9 * 4.0**n:.3g} GB" if n < 500 else ""
        raise InputError(f"a dense unitary has at most {MOST_DENSE_QUBITS} qubits; got {n}{size}")
    check_room(64.0 * 4**n, f"the matrix of {n} qubits and its copies", "take fewer qubits, or apply it to states")
    if circuit.parameters:
        raise InputError(f"a unitary has numbers for angles; got {circuit.num_parameters} unbound parameters")
    try:
        return np.asarray(Operator.from_circuit(circuit).reverse_qargs().data)
    except QiskitError as error:
        raise InputError(f"a unitary is made of gates alone; {error.message!s:.80}") from None


def _make_ready(circuit: QuantumCircuit, block: Block, position: int, feed_forward: bool) -> None:
    """Resets after a chord, and in "measured" H turned to what was read of it."""
    again = block.registers(position)[1] if block.schedule == "measured" else ()
    emptied = set(block.reset(position)) - (set() if feed_forward else set(again))
    circuit.reset(sorted(emptied))
    for wire, bit in zip(again, circuit.cregs[-1][block.n_data :], strict=False):
        if feed_forward:
            with circuit.if_test((bit, 1)):
                circuit.x(wire)


def _check_basis(basis: str, block: Block, n_chords: int) -> None:
    if not isinstance(basis, str) or basis not in ("Z", "X"):
        raise InputError(f"a basis is Z or X; got {basis!r:.40}")
    if basis == "X" and block.schedule != "coherent" and n_chords > 1:
        raise InputError(
            f"in the {block.schedule} schedule the history goes on as read in Z: no X of {n_chords} chords"
        )


def _played(circuit: QuantumCircuit, steps: Iterable[Step], **angles: Sequence[Any]) -> QuantumCircuit:
    """The circuit with gates appended; RX, RY, RZ and RZZ are Qiskit's names in capitals."""
    for step in steps:
        getattr(circuit, step.name.lower())(angles[step.source][step.angle], *step.wires)
    return circuit


def _registers(block: Block, name: str) -> QuantumCircuit:
    return QuantumCircuit(QuantumRegister(block.n_data, "data"), QuantumRegister(block.n_history, "history"), name=name)
