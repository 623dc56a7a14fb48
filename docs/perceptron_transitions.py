"""Computes the tables of the deep perceptron's transitions beside it.

python docs/perceptron_transitions.py [transitions] [freezing] [coexistence]:

    perceptron_transitions.csv    alpha_g(l), where layers freeze one after the other
    perceptron_freezing.csv       from which alpha on states of the first layers are frozen, random data
    perceptron_coexistence.csv    between which alpha students of a teacher have two solutions

A quarter of an hour in all, most of it for many steps k. Where a layer does not freeze continuously, or no solution is
found, its row and all after it are left out, which is said; of k = 20 only three layers are asked for, which take
longest.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from classical.perceptron import NotConverged, coexistence, glass_transitions, state_freezing

HERE = Path(__file__).parent
TOLERANCE, COARSER = 1e-7, 1e-6
ASKED = (("random", 0, 20), ("teacher", 0, 20), *(("random", k, 5) for k in (1, 2, 3, 5, 10)), ("random", 20, 3))
FROZEN = (*((depth, 5) for depth in (3, 4, 6, 8)), *((20, k) for k in (1, 2, 5, 10, 20)))
TAUGHT = (3, 4, 5, 6, 8, 10, 20, 50)


def transitions() -> Iterator[str]:
    """Rows of the first table."""
    yield "scenario,steps,layer,alpha_g"
    for scenario, steps, n_layers in ASKED:
        for layer, alpha in enumerate(as_far_as_it_goes(scenario, steps, n_layers), 1):
            yield f"{scenario},{steps},{layer},{alpha:.5f}"


def as_far_as_it_goes(scenario: str, steps: int, n_layers: int) -> list[float]:
    """Transitions of so many layers, or of fewer."""
    for n in range(n_layers, 0, -1):
        try:
            found = glass_transitions(n, scenario=scenario, levels=steps or None, tolerance=TOLERANCE)
        except NotConverged as told:
            print(f"{scenario}, k = {steps}: {told}")
        else:
            return found.tolist()
    return []


def freezing() -> Iterator[str]:
    """Rows of the second table."""
    yield "depth,steps,alpha"
    for depth, steps in FROZEN:
        yield f"{depth},{steps},{state_freezing(depth, steps, tolerance=COARSER):.3f}"


def taught() -> Iterator[str]:
    """Rows of the third table."""
    yield "depth,first,equal,last"
    for depth in TAUGHT:
        found = coexistence(depth)
        yield f"{depth},{found.first:.3f},{found.equal:.3f},{found.last:.3f}"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "transitions": transitions,
    "freezing": freezing,
    "coexistence": taught,
}


def main(names: list[str]) -> None:
    """Write the tables."""
    for name in names or TABLES:
        rows = []
        for row in TABLES[name]():
            print(row, flush=True)
            rows.append(row)
        (HERE / f"perceptron_{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
