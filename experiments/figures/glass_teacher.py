"""Students who see their teacher's data through noise: how near they are to each other, and to the teacher."""

from classical.perceptron import noisy_teacher
from experiments.figures.glass_states import stairs
from experiments.figures.picture import Panel, Picture

OVERLAPS = (1.0, 0.9, 0.5, 0.1)
ALPHA, DEPTH, STEPS = 25.0, 10, 5


def glass_teacher(name: str = "perceptron-teacher") -> Picture:
    """Profiles of q_EA(l) and of the overlap r(l) with the teacher, and q(x) of the first layer, by the noise."""
    layer = "spin layer l"
    picture = Picture(
        name,
        {
            "q": Panel("students with each other", layer, r"$q_\mathrm{EA}(l)$", zero=True),
            "r": Panel("students with the teacher", layer, "r(l)", zero=True),
            "x": Panel("states of the first layer", "x", "q(x), l = 1", zero=True),
        },
    )
    for r in OVERLAPS:
        found, curve = noisy_teacher(r, ALPHA, DEPTH, STEPS, tolerance=1e-6), f"r = {r:g}"
        picture.add("q", curve, range(DEPTH + 1), found.q_ea)
        if found.r is not None:
            picture.add("r", curve, range(DEPTH + 1), found.r)
        picture.add("x", curve, *stairs(found, 1))
    picture.note(f"α = {ALPHA:g}, L = {DEPTH}, {STEPS} steps; r is the overlap of the data with the teacher's.")
    picture.note("Curves that lie on each other: at this α data with r = 0.5 or less are learned like random ones.")
    return picture
