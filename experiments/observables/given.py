"""What a user gave, as numbers, or one line that says what was expected."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError


def numbers(name: str, values: Any, *dimensions: int) -> NDArray[np.float64]:
    """Values as an array of floats with one of these numbers of dimensions; NaN passes, infinity does not.

    Raises:
        InputError: not numbers, or of another shape.
    """
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name}: numbers in a plain array were expected; got {values!r:.60}") from None
    if array.ndim not in dimensions or np.isinf(array).any():
        wanted = " or ".join(map(str, dimensions))
        raise InputError(f"{name}: finite numbers in {wanted} dimension(s) were expected; got shape {array.shape}")
    return array


def number(name: str, value: Any, *, above: float = -np.inf) -> float:
    """One finite number above `above`.

    Raises:
        InputError: anything else.
    """
    least = f" above {above:g}" if np.isfinite(above) else ""
    wrong = InputError(f"{name} is a finite number{least}; got {value!r:.60}")
    try:
        plain = float(value)
    except (TypeError, ValueError):
        raise wrong from None
    if isinstance(value, str) or not above < plain < np.inf:
        raise wrong
    return plain


def whole(name: str, value: Any, *, least: int = 1) -> int:
    """One whole number of at least `least`.

    Raises:
        InputError: anything else; True is none.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(f"{name} is a whole number of at least {least}; got {value!r:.60}")
    return int(value)


def finite_numbers(values: ArrayLike, what: str, *shape: str, may_drop_last: bool = False) -> NDArray[np.float64]:
    """`values` as real, finite numbers with one axis for each name of `shape`; the last may be left out if so said.

    Raises:
        InputError: words, ragged lists, complex or missing numbers, other axes; `what` says what they should be.
    """
    axes = f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError):
        raise InputError(f"{what} are real numbers {axes}; got {repr(values)[:40]}") from None
    if may_drop_last and array.ndim == len(shape) - 1:
        array = array[..., None]
    if array.ndim != len(shape) or not array.size:
        raise InputError(f"{what} are numbers {axes}; got shape {array.shape}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError(f"{what} are finite; got NaN or infinity: leave frozen replicas and looks without a value out")
    return array
