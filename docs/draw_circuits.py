"""Draw the circuits of docs/circuits.md, PennyLane's and Qiskit's: python docs/draw_circuits.py.

Both are made from one definition (quantum.block, quantum.ladder); the test that their unitaries agree is
tests/test_circuits.py. Side by side where that is wide enough to be read, else one above the other.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib import pyplot as plt
from pennylane.drawer import tape_mpl
from pennylane.tape import make_qscript
from pennylane.transforms import decompose

from encoding import encoding_named
from experiments.figures.save import DOTS_PER_INCH, save_figure
from experiments.figures.style import new_figure
from quantum import (
    Block,
    ClockEmbedding,
    EntanglingLadder,
    Ladder,
    RecurrentBlock,
    block_circuit,
    clock_circuit,
    ladder_circuit,
    recurrent,
    recurrent_circuit,
)

IMAGES = Path(__file__).parent / "images"
CHORDS = encoding_named("pitch-class", rest="noon")([[62, 65], [64, 67]])  # two voices, (n_chords, n_voices, 1)
GATES = {"RX", "RY", "RZ", "PauliX", "IsingZZ", "MidMeasure", "MidMeasureMP", "Conditional"}
WIDE, GAP, TITLE = 1600, 40, 60  # dots
READABLE = 80  # dots an inch: PennyLane's letters are then 16 dots high, Qiskit's smallest 11
FOLD = 15  # layers of gates of Qiskit's in a row


def both(name: str, played: Callable[[], Any], circuit: Any, wires: list[str]) -> None:
    """One picture of both drawings."""
    drawings = [_pennylanes(played, wires), circuit.draw("mpl", fold=FOLD, style={"name": "bw", "subfontsize": 10})]
    inches = [drawing.get_size_inches()[0] for drawing in drawings]
    together = (WIDE - 3 * GAP) / sum(inches)
    beside = together >= READABLE
    dots = [min(DOTS_PER_INCH, together if beside else (WIDE - 2 * GAP) / width) for width in inches]
    assert min(dots) >= READABLE, f"{name} is too wide to be read: {inches} inches"
    _put_together(name, [_image(one, dpi) for one, dpi in zip(drawings, dots, strict=True)], beside)


def _pennylanes(played: Callable[[], Any], wires: list[str]) -> Any:
    """PennyLane's drawing, without the turns by nothing of a history that is |0>, as Qiskit's is."""
    into_gates: Any = decompose  # PennyLane's types of a transform say too much
    (tape,), _ = into_gates(make_qscript(played)(), gate_set=GATES)
    turns = [one for one in tape.operations if not (one.name == "RY" and one.wires[0] == "H" and one.data[0] == 0)]
    return tape_mpl(tape.copy(operations=turns), decimals=2, wire_order=wires, style="black_white")[0]


def _put_together(name: str, images: list[np.ndarray], beside: bool) -> None:
    """Dot by dot, so that nothing is blurred."""
    heights, widths = ([image.shape[axis] for image in images] for axis in (0, 1))
    width = sum(widths) + 3 * GAP if beside else max(widths) + 2 * GAP
    height = (max(heights) if beside else sum(heights) + TITLE + GAP) + TITLE + GAP
    figure = new_figure(width / DOTS_PER_INCH, height / DOTS_PER_INCH)
    figure.set_dpi(DOTS_PER_INCH)
    left, top = GAP, height - GAP // 4
    for image, title in zip(images, ("PennyLane", "Qiskit"), strict=True):
        figure.text(left / width, top / height, title, va="top", fontsize=13)
        figure.figimage(image, left, top - TITLE - image.shape[0])
        left, top = (left + image.shape[1] + GAP, top) if beside else (left, top - TITLE - GAP - image.shape[0])
    save_figure(figure, IMAGES / f"circuit-{name}.png")


def _image(figure: Any, dpi: float) -> np.ndarray:
    """A drawing without its white margins."""
    figure.set_dpi(dpi)
    figure.canvas.draw()
    image = np.array(figure.canvas.buffer_rgba())
    plt.close(figure)
    rows, columns = (np.flatnonzero((image[..., :3] < 255).any((axis, 2))) for axis in (1, 0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def main() -> None:
    """All of them."""
    wires = ["S", "B", "H"]
    both("clock", lambda: ClockEmbedding(CHORDS[0], wires[:2]), clock_circuit(CHORDS[0], n_voices=2), wires[:2])
    ladder = Ladder(3, 1)
    angles = np.linspace(0.1, 1.2, ladder.n_angles)
    both("ladder", lambda: EntanglingLadder(angles, wires), ladder_circuit(ladder, angles), wires)
    block = Block(ladder, n_data=2, schedule="measured")
    both(
        "block",
        lambda: RecurrentBlock(CHORDS[0], angles, wires[:2], wires[2:], block, averages=[0.5]),
        block_circuit(block, CHORDS[0], angles, averages=[0.5]),
        wires,
    )
    chain = Ladder(3, 1, "chain")  # two chords of it are narrow enough
    angles = np.linspace(0.1, 1.1, chain.n_angles)
    for schedule in ("measured", "coherent", "staggered"):
        block = Block(chain, n_data=2, schedule=schedule)

        def played(block: Block = block) -> Any:
            recurrent(CHORDS, angles, wires[:2], wires[2:], block)

        both(schedule, played, recurrent_circuit(block, CHORDS, angles), wires)


if __name__ == "__main__":
    main()
