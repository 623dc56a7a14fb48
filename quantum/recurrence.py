"""The unitary of one chord as a PennyLane operation, and the whole recurrent network as a quantum function.

    U(x) = Ladder(D + H) [prod_j RY_j(pi (1 - <Z_j>)/2) on H] Clock(x on D)          [ ]: schedule "measured" only

What is measured and reset from chord to chord is said in `quantum.block`.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import pennylane as qp
from pennylane.operation import Operation

from encoding import InputError
from quantum.block import Block, checked_block, reencoded
from quantum.given import checked_angles, checked_chords
from quantum.ladder import Ladder, checked_count
from quantum.templates import ClockEmbedding, EntanglingLadder, Template
from quantum.wires import checked_registers


class RecurrentBlock(Template):
    """The unitary of one chord: its rotations on D, in the schedule "measured" those of H, and the ladder on both.

    Measurement and reset are no part of it; `recurrent` plays them.

    Args:
        chord: angles of `Encoding(chord)`, (n_voices, n_rotations) or (B, n_voices, n_rotations), in radians.
        angles: of the ladder, (n_angles,) or (B, n_angles), in radians.
        data_wires: D as it is at the first chord.
        history_wires: H as it is at the first chord.
        block: ladder, schedule and rotations.
        position: number of the chord, from 0; in "staggered" the registers have moved on so many places.
        averages: in "measured" and only there <Z> of H at the last chord, (n_history,) or (B, n_history); left out, +1,
            as before the first chord.

    Raises:
        InputError: registers of the wrong size or with a wire in common, or angles of another shape.

    >>> block = Block(Ladder(2, topology="chain"), n_data=1, schedule="measured")
    >>> print(qp.draw(RecurrentBlock([[1.0]], np.zeros(7), "D", "H", block, averages=[0.0]).decomposition)())
    D: ──ClockEmbedding(M0)─╭EntanglingLadder(M1)─┤
    H: ──RY(1.57)───────────╰EntanglingLadder(M1)─┤
    ...
    """

    resource_keys = frozenset({"block"})

    def __init__(
        self,
        chord: Any,
        angles: Any,
        data_wires: Any,
        history_wires: Any,
        block: Block,
        position: int = 0,
        *,
        averages: Any = None,
    ):
        wires = checked_registers(block, data_wires, history_wires)
        checked_count("a block's position", position, 0)
        shapes = self.shape(block)
        given = [chord, angles]
        if block.schedule == "measured":
            given.append(np.ones(block.n_history) if averages is None else averages)
        elif averages is not None:
            raise InputError(f"averages of H come back where the schedule is 'measured'; here it is {block.schedule!r}")
        whats = "angles of a chord, (n_voices, n_rotations)", "angles of the block's ladder", "averages of H"
        given = [checked_angles(what, array, shape) for what, array, shape in zip(whats, given, shapes, strict=False)]
        if len({len(array) for array, shape in zip(given, shapes, strict=True) if array.ndim > len(shape)}) > 1:
            raise InputError(f"what is broadcast has one length; got shapes {[tuple(array.shape) for array in given]}")
        self._hyperparameters = {"block": block, "position": position}
        super().__init__(*given, wires=wires)

    @property
    def ndim_params(self) -> tuple[int, ...]:
        """Axes of chord, angles and averages, without that of broadcasting."""
        return tuple(map(len, self.shape(self.hyperparameters["block"])))

    @property
    def resource_params(self) -> dict[str, Any]:
        """What decides how many gates there are."""
        return {"block": self.hyperparameters["block"]}

    @classmethod
    def _unflatten(cls, data: Any, metadata: Any) -> "RecurrentBlock":
        wires, options = metadata[0], dict(metadata[1])
        n, averages = options["block"].n_data, data[2] if len(data) > 2 else None
        return cls(data[0], data[1], wires[:n], wires[n:], **options, averages=averages)

    @staticmethod
    def shape(block: Block) -> tuple[tuple[int, ...], ...]:
        """Shapes of chord and angles, in "measured" also of the averages.

        >>> RecurrentBlock.shape(Block(Ladder(5, 2), n_data=4, schedule="measured"))
        ((4, 1), (40,), (1,))
        """
        averages = ((checked_block(block).n_history,),) if checked_block(block).schedule == "measured" else ()
        return block.chord_shape, (block.ladder.n_angles,), *averages

    # PennyLane hands parameters, wires and hyperparameters by name; its base class is typed for any of them
    @staticmethod
    def compute_decomposition(*data: Any, wires: Any, block: Block, position: int) -> list[Operation]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """A ClockEmbedding, in "measured" an RY on each qubit of H, an EntanglingLadder."""
        d, h = ([wires[i] for i in register] for register in block.registers(position))
        turns = [reencoded(data[2][..., j]) for j in range(len(h))] if block.schedule == "measured" else []
        return [
            ClockEmbedding(data[0], d, block.rotations),
            *(qp.RY(angle, wires=[wire]) for angle, wire in zip(turns, h, strict=bool(turns))),
            EntanglingLadder(data[1], d + h, **_options(block.ladder)),
        ]


def recurrent(chords: Any, angles: Any, data_wires: Any, history_wires: Any, block: Block) -> list[list[Any]]:
    """Play chords one after the other, measuring and resetting in between: a quantum function for a QNode.

    In "measured" every shot goes its own way: <Z> of H is the one outcome +-1, and RY(pi (1 - <Z>)/2) is nothing, or X
    where a 1 was read. For averages over many shots play `RecurrentBlock` chord by chord and hand them on.

    Args:
        chords: angles of `Encoding(chords)`, (n_chords, n_voices, n_rotations), in radians.
        angles: of the ladder, (n_angles,), in radians.
        data_wires: D at the first chord.
        history_wires: H at the first chord.
        block: ladder, schedule and rotations.

    Returns:
        What was measured at each chord: D, in "measured" D and H. Nothing is reset after the last chord.

    Raises:
        InputError: as `RecurrentBlock`, or no chord.

    >>> block = Block(Ladder(2, topology="chain"), n_data=1, schedule="coherent")
    >>> @qp.qnode(qp.device("default.qubit"))
    ... def two_chords():
    ...     return [qp.expval(*read) for read in recurrent([[[np.pi]], [[0.0]]], np.zeros(7), "D", "H", block)]
    >>> [float(ones) for ones in two_chords()]  # how often a 1 is read
    [1.0, 0.0]
    """
    wires, n = checked_registers(block, data_wires, history_wires), block.n_data
    chords = checked_chords(chords, block.chord_shape)
    outcomes, turns = [], {}
    for position, chord in enumerate(chords):
        for wire, outcome in turns.items():
            # what cond returns takes the arguments of the gate, which its type does not say
            qp.cond(outcome, qp.X)(wires=[wire])  # pyright: ignore[reportCallIssue]
        RecurrentBlock(chord, angles, wires[:n], wires[n:], block, position)
        emptied = block.reset(position) if position < len(chords) - 1 else ()
        read = {i: qp.measure(wires[i : i + 1], reset=i in emptied) for i in block.measured(position)}
        for i in set(emptied) - set(read):
            qp.measure(wires[i : i + 1], reset=True)
        turns = {wires[i]: read[i] for i in block.registers(position)[1] if i in read}
        outcomes.append(list(read.values()))
    return outcomes


def _options(ladder: Ladder) -> dict[str, Any]:
    """What an `EntanglingLadder` is told besides angles and wires."""
    return {name: value for name, value in asdict(ladder).items() if name != "n_qubits"}


def _gates_of_block(block: Block) -> dict[Any, int]:
    clock = qp.resource_rep(ClockEmbedding, n_voices=block.chord_shape[0], rotations=block.rotations)
    turns = {qp.RY: block.n_history} if block.schedule == "measured" else {}
    return {clock: 1, qp.resource_rep(EntanglingLadder, ladder=block.ladder): 1, **turns}


# The graph-based decomposition queues what the other one lists.
qp.add_decomps(RecurrentBlock, qp.register_resources(_gates_of_block, RecurrentBlock.compute_decomposition))
