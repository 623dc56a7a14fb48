"""How every figure looks: colours that colour-blind readers tell apart, no box, no grid where it says nothing."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#222222", "#888888"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)  # Okabe & Ito; yellow is left out, too pale for a line
MORE = (*COLOURS, "#003D5C", "#7A3500", "#004F39", "#84366A")  # for many curves: the first four, darker
FAINT = "#E4E4E4"  # grid lines, shaded areas


PALE, DEEP = 0.55, 0.35  # how much white is in the first of several shades, how much black in the last


def shades(colour: str, n: int) -> list[str]:
    """`n` shades of one colour, from pale to deep; of one the colour itself.

    >>> shades("#0072B2", 1), shades("#000000", 3)
    (['#0072b2'], ['#8c8c8c', '#3a3a3a', '#000000'])
    """
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    if n < 2:
        return [colour.lower()]
    steps = [(PALE * (1 - k / (n - 1)), DEEP * k / (n - 1)) for k in range(n)]
    mixed = [[round((part * (1 - white) + 255 * white) * (1 - black)) for part in parts] for white, black in steps]
    return ["#" + "".join(f"{part:02x}" for part in each) for each in mixed]


def new_figure(width: float = 6.0, height: float = 4.0) -> "Figure":
    """An empty figure (width and height in inches) that draws to memory: no window, no pyplot state.

    >>> axes = new_figure(6, 4).subplots()
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def dress(axes: "Axes") -> None:
    """Give axes the common look, whoever made them."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(which="both", color=GREY, labelcolor=BLACK, labelsize=9)
    axes.set_axisbelow(True)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(size=10, color=BLACK)


def next_colour(axes: "Axes") -> str:
    """The first colour no line on these axes has yet; from the beginning again when all are taken."""
    taken = {line.get_color() for line in axes.get_lines()}
    return next((colour for colour in COLOURS if colour not in taken), COLOURS[0])
