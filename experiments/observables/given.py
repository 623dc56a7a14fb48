"""What a user gave, as numbers, or one line that says what was expected; and intervals of small samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.observables.estimate import CONFIDENCE, Fit


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


def student(n_free: float) -> float:
    """Half the 95 % interval in standard errors, if n_free numbers told the error (Student 1908); NaN below one."""
    from scipy.special import stdtrit

    return float(stdtrit(n_free, (1 + CONFIDENCE) / 2)) if n_free >= 1 else np.nan


def student_fit(best: float, error: float, n_free: float) -> Fit:
    """`best` +- t errors, with Student's t for an error told by n_free numbers."""
    half = student(n_free) * error
    return Fit(float(best - half), float(best), float(best + half))
