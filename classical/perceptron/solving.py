"""Solutions of the equations of all layers: where iterating starts, which of several it is, and what is none."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.fixed_point import NotConverged, Parts, fixed_point
from classical.perceptron.layers import Shape, couplings
from classical.perceptron.profile import Profile, checked_profile
from encoding import InputError
from encoding.errors import shown
from encoding.given import number

Array = NDArray[np.float64]

STABLE, LOW, HIGH, LIQUID = "stable", "low", "high", "liquid"  # branches by name; STABLE: of those there are
FAR_OFF = 1 - 1e-5  # overlaps from which the high branch is reached
JAMMED, LOST = 1e-7, 1e-10  # 1 - lambda of layers that jam without levels, and that rounding leaves without digits
SLACK = 10.0  # times the tolerance: 1 - lambda that is less cannot be told from 0
SHRINKS = 1e-3  # of 1 - Q a step: it is still on its way to 0
NEAR_TRANSITIONS = 20000  # iterations: there are many
COARSEST = 1e-4  # tolerance: with a coarser one overlaps are taken for solved long before they are


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
    jams: bool = True,
) -> Profile:
    """The profile with x = update(x), looked for from `first` on.

    Args:
        update: what layers answer to overlaps x.
        layout: of x.
        first: x to begin with.
        alpha: patterns over width.
        m: levels.
        tolerance: of the equations.
        most: iterations.
        what: is solved, for messages.
        jams: whether layers can jam; not where a teacher shows that it can be done.

    Raises:
        InputError: a tolerance or a number of steps that is none.
        NotConverged: no solution within `most` evaluations, layers that freeze, or (`jams` False) lambda so near 1 that
            rounding leaves no digits of it.
    """
    tolerance = number("a tolerance", tolerance, above=0, most=COARSEST)
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
    left = 1 - couplings(overlaps["q"], overlaps["Q"])[:, -1]
    if jams:
        moved = np.abs(layout.named(update(found.x))["Q"] - overlaps["Q"])[:, -1]
        least = LOST if len(m) else max(JAMMED, SLACK * tolerance)
        _check_not_jammed(left, (left < least) | (moved > SHRINKS * (1 - overlaps["Q"][:, -1])), what)
    elif left.min() < LOST:
        raise NotConverged(
            f"{what}: 1 - lambda < {LOST:.0e} in layer {np.argmin(left) + 1} is lost in rounding, floating-point "
            "numbers keep no digits of it; take a smaller alpha"
        )
    return Profile(alpha=alpha, m=m, residual=found.residual, n_steps=found.n_steps, **overlaps)


def _check_not_jammed(left: Array, jammed: NDArray[np.bool_], what: str) -> None:
    """Refuse what looks like a solution because the overlaps cannot come nearer to 1.

    Raises:
        NotConverged: layers have jammed, 1 - lambda is what is left, (L,).
    """
    frozen = np.flatnonzero(jammed)
    if frozen.size:
        raise NotConverged(
            f"{what}: layer{'s' if len(frozen) > 1 else ''} {', '.join(map(str, frozen + 1))} "
            f"freeze{'' if len(frozen) > 1 else 's'}, 1 - lambda falls to {left[frozen].min():.0e}: "
            "there is no solution beyond the jamming transition; take a smaller alpha"
        )


def branch(start: object, branches: Mapping[str, Array], shape: Shape, *others: str) -> Array:
    """The vector that iteration begins with: of a branch by name, or of a solution nearby; `others` are names, too.

    Levels of a solution that are equal, or 0, stay so as long as that is stable.

    Raises:
        InputError: no such branch, or a solution with other layers or levels, or overlaps that are none.
    """
    if isinstance(start, str) and start in branches:
        return branches[start]
    if not isinstance(start, Profile):
        names = ", ".join(map(repr, (*branches, *others)))
        raise InputError(f"a start is a solution, a Profile, or one of {names}; got {shown(start)}")
    checked_profile("a start is that", start)
    if (start.depth, start.q.shape[1]) != (shape.depth, shape.n_levels):
        raise InputError(
            f"a start has {shape.depth} layers and {shape.n_levels} overlaps in each, k + 1; got {start.depth} and "
            f"{start.q.shape[1]}"
        )
    return shape.together(start.q[1:-1], start.Q)
