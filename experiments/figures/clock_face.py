"""The clock drawn: where the notes stand on the Bloch sphere, and which of them look alike.

One face for each qubit, seen along the Y axis: |0> above, |+> to the right, so that hours go round as on a clock. Where
notes leave that circle, the half of the sphere towards |+i> and the one towards |-i> are drawn apart. Dots are as large
as their notes are frequent. Beside the faces the fidelities |<psi|psi'>|^2 of all pairs of notes in the range.
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


def clock_face(
    encoding: Encoding, notes: Sequence[int] | None = None, prior: ArrayLike | None = None, *, whose: str = ""
) -> "Figure":
    """Draw an encoding: a face for each qubit, and the fidelities of its notes.

    Args:
        encoding: what is drawn.
        notes: pitches; None: all it is made for.
        prior: how frequent each is; None: all alike.
        whose: notes these are, for the title.

    Raises:
        InputError: notes it is not made for, or a prior that is none.
    """
    asked = list(encoding.known if notes is None else notes)
    Alphabet.of(encoding, asked, prior)  # says what is wrong with them
    weight = np.full(len(asked), 1.0) if prior is None else np.asarray(prior, np.float64)
    halves = [(qubit, half) for qubit in range(encoding.n_qubits) for half in _halves(encoding, asked, qubit)]
    figure = new_figure(4.0 * len(halves) + 4.8, 4.6)
    *faces, table = figure.subplots(1, len(halves) + 1)
    for axes, (qubit, half) in zip(faces, halves, strict=True):
        _face(axes, encoding, asked, weight, qubit, half)
        of = f"qubit {qubit}" if encoding.n_qubits > 1 else ""
        axes.set_title(", ".join(filter(None, (of, half and f"the half of |{half}i>"))), fontsize=9, color=BLACK)
    _fidelities(table, encoding, asked)
    sizes = "" if prior is None else "; dots as large as notes are frequent"
    figure.suptitle(
        f"{encoding.name}{': ' if whose else ''}{whose}{sizes}", x=0.01, ha="left", fontsize=10, color=BLACK
    )
    return figure


def _halves(encoding: Encoding, notes: Sequence[int], qubit: int) -> tuple[str, ...]:
    """The faces of a qubit: one, or "+" and "-" where notes that sound lie off the circle."""
    sung = [note for note in notes if note != REST]
    off = np.abs(encoding.bloch(sung)[:, qubit, 1]).max(initial=0) > 10.0**-NEAR
    return ("+", "-") if off else ("",)


def _face(
    axes: "Axes", encoding: Encoding, notes: Sequence[int], weight: NDArray[np.float64], qubit: int, half: str
) -> None:
    turn = np.linspace(0, 2 * np.pi, 361)
    axes.plot(np.sin(turn), np.cos(turn), color=GREY, linewidth=0.8)
    places, most = _places(encoding, notes, weight, qubit, half)
    for (x, z), here in places.items():
        silent = all(notes[i] == REST for i in here)
        area = SMALLEST + (LARGEST - SMALLEST) * weight[here].sum() / most
        axes.scatter([x], [z], s=area, color=VERMILION if silent else BLUE, linewidth=0, zorder=3)
        on_rim = np.hypot(x, z) > RIM
        at, size = ((1.17 * x, 1.17 * z), 6 if len(places) > MANY else 8.5) if on_rim else ((x, z - 0.13), 6)
        name = together([notes[i] for i in here], octaves=_tells_octaves(encoding))
        axes.annotate(
            name + (" = |+i>" if silent and not on_rim and not half else ""),
            at,
            ha="center",
            va="center",
            fontsize=size,
        )
    far = 1.36 if half else 0.72  # within the circle, where there is room
    for (x, z), ket in KETS.items():
        axes.annotate(ket, (far * x, far * z), ha="center", va="center", fontsize=9, color=GREY)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    axes.axis("off")


def _places(
    encoding: Encoding, notes: Sequence[int], weight: NDArray[np.float64], qubit: int, half: str
) -> tuple[dict[tuple[float, float], list[int]], float]:
    """Which notes stand where on a face, and the weight of the heaviest place of the qubit."""
    on_both: dict[tuple[float, ...], list[int]] = {}
    for i, (x, y, z) in enumerate(np.round(encoding.bloch(notes)[:, qubit], NEAR) + 0.0):
        on_both.setdefault((float(x), float(z), float(np.sign(y)) if half else 0.0), []).append(i)
    hidden = {"+": -1.0, "-": 1.0}.get(half)  # what lies on the circle is on both halves
    seen = {(place[0], place[1]): here for place, here in on_both.items() if place[2] != hidden}
    return seen, max(weight[here].sum() for here in on_both.values())


def _tells_octaves(encoding: Encoding) -> bool:
    """Whether a note has another name an octave higher."""
    pairs = [note for note in encoding.known if note + 12 in encoding.known and note != REST]
    return any(encoding.same(note) != encoding.same(note + 12) for note in pairs) or not pairs


def _fidelities(axes: "Axes", encoding: Encoding, notes: Sequence[int]) -> None:
    """Of all notes between the lowest and the highest, sung or not; silence first."""
    sung = [note for note in notes if note != REST]
    inside = [note for note in range(min(sung), max(sung) + 1) if note in encoding.known] if sung else []
    order = [*([REST] if REST in notes else []), *inside]
    states = encoding.states(order)
    picture = axes.imshow(np.abs(states.conj() @ states.T) ** 2, origin="lower", cmap="Blues", vmin=0, vmax=1)
    dress(axes)
    ticks = [i for i, note in enumerate(order) if note % 12 == 0 or len(order) <= 16]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [spelled(order[i]) for i in ticks], fontsize=8)
    axes.tick_params(axis="x", rotation=90)
    first = ", silence first" if REST in notes else ""
    axes.set_title(rf"fidelity $|\langle\psi|\psi'\rangle|^2${first}", fontsize=9, color=BLACK)
    bar = axes.figure.colorbar(picture, ax=axes, shrink=0.8)
    bar.outline.set_edgecolor(FAINT)
    bar.ax.tick_params(labelsize=8, color=GREY)


def together(notes: Sequence[int], *, octaves: bool = True) -> str:
    """What stands at one place, in a few letters: a note, one pitch class, an octave, or a range.

    >>> together([60]), together([60], octaves=False), together([48, 60, 72]), together([60, 61, -1])
    ('C4', 'C', 'C', 'C4, C#4, rest')
    >>> together(range(60, 72)), together([62, 65, 67, 69]), together(range(59, 63))
    ('octave 4', 'octave 4', 'B3 to D4')
    """
    sung = sorted(note for note in notes if note != REST)
    rest = ["rest"] if REST in notes else []
    if sung and len({note % 12 for note in sung}) == 1 and (len(sung) > 1 or not octaves):
        return ", ".join([spelled(sung[0]).rstrip("-0123456789"), *rest])
    if len(sung) > 3 and len({note // 12 for note in sung}) == 1:
        return ", ".join([f"octave {sung[0] // 12 - 1}", *rest])
    if len(sung) > 3 and sung[-1] - sung[0] == len(sung) - 1:
        return ", ".join([f"{spelled(sung[0])} to {spelled(sung[-1])}", *rest])
    if len(sung) > 3:
        return ", ".join([f"{len(sung)} notes", *rest])
    return ", ".join([*map(spelled, sung), *rest])
