"""What a user gave, as numbers, or one line that says what was expected."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError


def is_number(value: object) -> bool:
    """Whether it is one real number (True is none)."""
    return isinstance(value, Real) and not isinstance(value, bool)


def number(name: str, value: Any, *, above: float = -np.inf, least: float = -np.inf) -> float:
    """One finite number, above `above` and not below `least`.

    Raises:
        InputError: anything else; True is none.
    """
    if not is_number(value) or not above < value < np.inf or not value >= least:
        bound = f" above {above:g}" if np.isfinite(above) else f" of at least {least:g}" if np.isfinite(least) else ""
        raise InputError(f"{name} is a finite number{bound}; got {value!r:.60}")
    return float(value)


def whole(name: str, value: Any, *, least: int = 1) -> int:
    """One whole number of at least `least`.

    Raises:
        InputError: anything else; True is none.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(f"{name} is a whole number of at least {least}; got {value!r:.60}")
    return int(value)


def numbers(
    values: Any, what: str, *axes: str, may_drop_last: bool = False, missing: bool = False
) -> NDArray[np.float64]:
    """`values` as real numbers with one axis for each name of `axes`; the last may be left out if so said.

    They are finite, or NaN where something may be missing.

    Raises:
        InputError: words, ragged lists, complex or infinite numbers, other axes; `what` says what they should be.
    """
    named = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError):
        raise InputError(f"{what} are real numbers {named}; got {repr(values)[:40]}") from None
    if may_drop_last and array.ndim == len(axes) - 1:
        array = array[..., None]
    if array.ndim != len(axes) or not array.size:
        raise InputError(f"{what} are numbers {named}; got shape {array.shape}")
    array = array.astype(np.float64)
    if missing and np.isinf(array).any():
        raise InputError(f"{what} are finite, or NaN where missing; got infinity")
    if not missing and not np.isfinite(array).all():
        raise InputError(f"{what} are finite; got NaN or infinity: leave frozen replicas and looks without a value out")
    return array
