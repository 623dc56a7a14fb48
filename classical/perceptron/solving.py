"""Solutions of the equations of all layers: where iterating starts, and what it may end at that is none."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.fixed_point import NotConverged, Parts, fixed_point
from classical.perceptron.layers import Profile, Shape, couplings
from encoding import InputError

Array = NDArray[np.float64]

APART, LOW, HIGH = 0.25, 0.1, 0.5  # by which levels of a start are parted, and towards which overlaps
JAMMED = 1 - 1e-10


class Layout(Protocol):
    """How overlaps are laid out as one vector x; see `Shape`."""

    def within(self, new: Array, old: Array) -> Array:
        """`new`, brought into the region of overlaps."""
        ...

    def frail(self, x: Array) -> Parts:
        """Of differences from x the parts that might grow."""
        ...

    def unit(self, x: Array) -> Array:
        """In which residuals are measured."""
        ...

    def named(self, x: Array) -> dict[str, Array]:
        """The overlaps of a `Profile`."""
        ...


def solved(
    update: Callable[[Array], Array],
    layout: Layout,
    first: Array,
    *,
    alpha: float,
    m: Array,
    tolerance: float,
    most: int,
    what: str,
) -> Profile:
    """The profile with x = update(x), looked for from `first` on.

    Raises:
        InputError: a tolerance or a number of steps that is none.
        NotConverged: no solution within `most` evaluations, or layers that freeze.
    """
    found = fixed_point(
        update,
        first,
        within=layout.within,
        frail=layout.frail,
        unit=layout.unit,
        tolerance=tolerance,
        most=most,
        what=what,
    )
    overlaps = layout.named(found.x)
    _check_not_jammed(overlaps["q"], overlaps["Q"], what)
    return Profile(alpha=alpha, m=m, residual=found.residual, n_steps=found.n_steps, **overlaps)


def _check_not_jammed(q: Array, bonds: Array, what: str) -> None:
    """Refuse what looks like a solution because the overlaps cannot come nearer to 1.

    Raises:
        NotConverged: lambda = 1 in some layer, to rounding.
    """
    frozen = np.flatnonzero(couplings(q, bonds)[:, -1] > JAMMED)
    if frozen.size:
        raise NotConverged(
            f"{what}: layer {', '.join(map(str, frozen + 1))} freezes, 1 - lambda < {1 - JAMMED:.0e}: there is no "
            "solution beyond the jamming transition; take a smaller alpha"
        )


def started(start: Profile, shape: Shape) -> Array:
    """The vector of a solution that another is to be found from.

    Levels that are equal, or 0, stay so, whether or not that is stable: they are parted a little.

    Raises:
        InputError: it has other layers or levels.
    """
    if not isinstance(start, Profile) or (start.depth, start.q.shape[1]) != (shape.depth, shape.n_levels):
        got = f"{start.depth} and {start.q.shape[1]}" if isinstance(start, Profile) else repr(start)[:40]
        raise InputError(f"a start has {shape.depth} layers and {shape.n_levels} levels; got {got}")
    x = shape.together(start.q[1:-1], start.Q)
    return x + APART * (shape.start(LOW, HIGH) - x)
