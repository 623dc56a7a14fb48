"""Which weights stand where in the flat vector that a System shows: group -> slice, shape, period."""

from collections.abc import Mapping
from math import prod
from typing import NamedTuple


class Group(NamedTuple):
    """One group of weights: its slice of the flat vector, its shape, and its period (angles) or None."""

    slice: slice
    shape: tuple[int, ...]
    period: float | None = None


def lay_out(shapes: Mapping[str, tuple[int, ...]], periods: Mapping[str, float] | None = None) -> dict[str, Group]:
    """Groups one behind the other, in the order of `shapes`.

    >>> lay_out({"K": (2, 3), "h0": (2,)})["h0"].slice
    slice(6, 8, None)
    """
    groups, start = {}, 0
    for name, shape in shapes.items():
        stop = start + prod(shape)
        groups[name] = Group(slice(start, stop), shape, (periods or {}).get(name))
        start = stop
    return groups
