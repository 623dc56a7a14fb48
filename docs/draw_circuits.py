"""Draw the circuits of docs/circuits.md, PennyLane's on the left, Qiskit's on the right: python docs/draw_circuits.py.

Both are made from one definition (quantum.block, quantum.ladder); the test that their unitaries agree is
tests/test_circuits.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

import pennylane as qp
from matplotlib import pyplot as plt

from encoding import encoding_named
from experiments.figures.save import save_figure
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
CHORDS = encoding_named("pitch-class", rest="noon")([[60, 64], [62, 65]])  # two voices, (n_chords, n_voices, 1)
GATES = {"RX", "RY", "RZ", "IsingZZ", "MidMeasure", "MidMeasureMP"}
DOTS = 100
WIDE = 18  # inches: what is wider stands one above the other


def both(name: str, played: Callable[[], Any], circuit: Any, wires: list[str]) -> None:
    """One picture of both drawings."""
    gates = qp.transforms.decompose(played, gate_set=GATES)
    drawn, _ = qp.draw_mpl(gates, decimals=2, wire_order=wires, style="black_white")()
    images = [_image(drawn), _image(circuit.draw("mpl", fold=-1, style="bw"))]
    sizes = np.array([image.shape[:2] for image in images]) / DOTS
    beside = sizes[:, 1].sum() < WIDE
    figure = new_figure(
        *(sizes[:, 1].sum() + 0.4, sizes[:, 0].max() + 0.4) if beside else (sizes[:, 1].max(), sizes[:, 0].sum() + 0.6)
    )
    ratios = {"width_ratios": sizes[:, 1]} if beside else {"height_ratios": sizes[:, 0]}
    for axes, image, title in zip(
        figure.subplots(*((1, 2) if beside else (2, 1)), **ratios), images, ("PennyLane", "Qiskit"), strict=True
    ):
        axes.imshow(image)
        axes.set_title(title, loc="left", fontsize=14)
        axes.axis("off")
    save_figure(figure, IMAGES / f"circuit-{name}.png")


def _image(figure: Any) -> np.ndarray:
    figure.set_dpi(DOTS)
    figure.canvas.draw()
    image = np.asarray(figure.canvas.buffer_rgba())
    plt.close(figure)
    return image


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
    for schedule in ("measured", "coherent", "staggered"):
        block = Block(ladder, n_data=2, schedule=schedule)

        def played(block: Block = block) -> Any:
            recurrent(CHORDS, angles, wires[:2], wires[2:], block)
            return qp.expval(qp.Z("S"))

        both(schedule, played, recurrent_circuit(block, CHORDS, angles), wires)


if __name__ == "__main__":
    main()
