"""The clock drawn: where the notes stand on the Bloch sphere, and which of them look alike.

One face for each qubit, seen along the Y axis: |0> above, |+> to the right, so that hours go round as on a clock; a dot
within the circle lies off it, towards |+i> or |-i>. Dots are as large as their notes are frequent. Beside the faces the
fidelities |<psi|psi'>|^2 of all pairs of notes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.audit import spelled
from encoding.decoding import Alphabet
from encoding.qubits import Encoding
from encoding.voices import REST
from experiments.figures.style import BLACK, BLUE, FAINT, GREY, VERMILION, dress, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST = 160.0  # square points, the dot of the most frequent place
SMALLEST = 6.0
NEAR = 2  # decimals to which places are one
RIM = 0.99  # from here on a name stands outside the circle
MANY = 28  # labels beyond which they are written smaller
KETS = {(0, 1): r"$|0\rangle$", (1, 0): r"$|{+}\rangle$", (0, -1): r"$|1\rangle$", (-1, 0): r"$|{-}\rangle$"}


def clock_face(encoding: Encoding, notes: Sequence[int] | None = None, prior: ArrayLike | None = None) -> "Figure":
    """Draw an encoding: a face for each qubit, and the fidelities of its notes.

    Args:
        encoding: what is drawn.
        notes: pitches; None: all it is made for.
        prior: how frequent each is; None: all alike.

    Raises:
        InputError: notes it is not made for, or a prior that is none.
    """
    asked = list(encoding.known if notes is None else notes)
    Alphabet.of(encoding, asked, prior)  # says what is wrong with them
    weight = np.full(len(asked), 1.0) if prior is None else np.asarray(prior, np.float64)
    figure = new_figure(4.2 * encoding.n_qubits + 4.6, 4.4)
    *faces, table = figure.subplots(1, encoding.n_qubits + 1)
    for qubit, axes in enumerate(faces):
        _face(axes, encoding.bloch(asked)[:, qubit], asked, weight)
        of = f", qubit {qubit}" if encoding.n_qubits > 1 else ""
        axes.set_title(f"{encoding.name}{of}", loc="left", fontsize=10, color=BLACK)
    _fidelities(table, encoding, asked)
    return figure


def _face(axes: "Axes", bloch: NDArray[np.float64], notes: Sequence[int], weight: NDArray[np.float64]) -> None:
    turn = np.linspace(0, 2 * np.pi, 361)
    axes.plot(np.sin(turn), np.cos(turn), color=GREY, linewidth=0.8)
    places: dict[tuple[float, float], list[int]] = {}
    for i, (x, _, z) in enumerate(np.round(bloch, NEAR) + 0.0):
        places.setdefault((float(x), float(z)), []).append(i)
    most = max(weight[here].sum() for here in places.values())
    for (x, z), here in places.items():
        size = SMALLEST + (LARGEST - SMALLEST) * weight[here].sum() / most
        silent = all(notes[i] == REST for i in here)
        axes.scatter([x], [z], s=size, color=VERMILION if silent else BLUE, linewidth=0, zorder=3)
        on_rim = np.hypot(x, z) > RIM
        at, size = ((1.17 * x, 1.17 * z), 6 if len(places) > MANY else 8.5) if on_rim else ((x, z - 0.12), 5.5)
        axes.annotate(together([notes[i] for i in here]), at, ha="center", va="center", fontsize=size)
    off_rim = any(0.05 < np.hypot(x, z) <= RIM for x, z in places)  # then there is no room within
    far = 1.36 if off_rim else 0.72
    for (x, z), ket in KETS.items():
        axes.annotate(ket, (far * x, far * z), ha="center", va="center", fontsize=9, color=GREY)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    axes.axis("off")


def _fidelities(axes: "Axes", encoding: Encoding, notes: Sequence[int]) -> None:
    order = sorted(notes)
    states = encoding.states(order)
    picture = axes.imshow(np.abs(states.conj() @ states.T) ** 2, origin="lower", cmap="Blues", vmin=0, vmax=1)
    dress(axes)
    ticks = [i for i, note in enumerate(order) if note % 12 == 0 or len(order) <= 16]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [spelled(order[i]) for i in ticks], fontsize=8)
    axes.tick_params(axis="x", rotation=90)
    axes.set_title(r"fidelity $|\langle\psi|\psi'\rangle|^2$", loc="left", fontsize=10, color=BLACK)
    bar = axes.figure.colorbar(picture, ax=axes, shrink=0.8)
    bar.outline.set_edgecolor(FAINT)
    bar.ax.tick_params(labelsize=8, color=GREY)


def together(notes: Sequence[int]) -> str:
    """What stands at one place, in a few letters: a note, one pitch class in several octaves, or a range.

    >>> together([60]), together([48, 60, 72]), together([60, 61, -1]), together(range(60, 72))
    ('C4', 'C', 'C4, C#4, rest', 'C4 to B4')
    """
    sung = sorted(note for note in notes if note != REST)
    rest = ["rest"] if REST in notes else []
    if len(sung) > 1 and len({note % 12 for note in sung}) == 1:
        return ", ".join([spelled(sung[0]).rstrip("-0123456789"), *rest])
    if len(sung) > 3 and sung[-1] - sung[0] == len(sung) - 1:
        return ", ".join([f"{spelled(sung[0])} to {spelled(sung[-1])}", *rest])
    if len(sung) > 3:
        return ", ".join([f"{len(sung)} notes", *rest])
    return ", ".join([*map(spelled, sung), *rest])
