"""Numbers that come from outside, before anything is computed from them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError


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
