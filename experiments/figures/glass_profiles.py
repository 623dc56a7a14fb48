"""How deep the glass reaches into a perceptron: the largest overlap of spins, layer by layer, as more is learned."""

from collections.abc import Callable, Sequence

from classical.perceptron import (
    NotConverged,
    Profile,
    bayes_optimal,
    jamming,
    replica_symmetric,
    replica_symmetry_breaking,
    storage_bound,
)
from experiments.figures.picture import Look, Panel, Picture
from experiments.figures.style import BLUE, shades

ALPHAS = (25.0, 50.0, 100.0, 200.0, 1000.0, 2000.0, 4000.0)
DEPTH, STEPS = 20, 2
LAYER, Q_EA = "spin layer l", r"$q_\mathrm{EA}(l)$"


def glass_profiles(
    name: str = "perceptron-profiles", *, alphas: Sequence[float] = ALPHAS, depth: int = DEPTH, steps: int = STEPS
) -> Picture:
    """q_EA(l) at several alpha: random data with replica symmetry and without, and students of a teacher."""
    solvers: dict[str, tuple[str, Callable[[float], Profile]]] = {
        "symmetric": ("random data, replica symmetry", lambda alpha: replica_symmetric(alpha, depth)),
        "broken": (
            f"random data, symmetry broken, k = {steps}",
            lambda alpha: replica_symmetry_breaking(alpha, depth, steps, tolerance=1e-6),
        ),
        "low": ("students of a teacher, from nothing", lambda alpha: bayes_optimal(alpha, depth, start="low")),
        "students": ("students of a teacher, Bayes optimal", lambda alpha: bayes_optimal(alpha, depth)),
    }
    picture = Picture(name, {panel: Panel(title, LAYER, Q_EA, zero=True) for panel, (title, _) in solvers.items()})
    for alpha, colour in zip(alphas, shades(BLUE, len(alphas)), strict=True):
        curve = f"α = {alpha:g}"
        picture.looks[curve] = Look(colour)
        for panel, (_, solve) in solvers.items():
            try:
                picture.add(panel, curve, range(depth + 1), solve(alpha).q_ea)
            except NotConverged as told:
                picture.note(f"missing: {told}")
    picture.note(f"L = {depth}. Theory, N and M to infinity at α = M/N; input and output are given: q = 1 there.")
    picture.note(
        "From small overlaps (docs/perceptron.md says where other solutions are more probable), but for the last."
    )
    picture.note(
        f"Random data: L = {depth} machines store no more than α = {jamming(depth, 1):.4g} (one step), "
        f"{storage_bound(depth):.4g} (counting). Beyond, profiles solve the equations, and no machine has them."
    )
    return picture
