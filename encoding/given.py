"""What comes from outside, looked at before it is taken: numbers, and weights and states of a network."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError, shown

KINDS = {"c": "complex numbers", "b": "booleans", "U": "words", "S": "words"}
MOST = 2**53  # of a whole number: beyond, a float does not know every one
COUNTS = ("step", "seed", "replica", "moved", "made")  # of a state, not below 0


def checked_weights(weights: ArrayLike, wanted: tuple[int, ...], precision: str) -> NDArray[np.floating]:
    """A copy of `weights` in the precision of the network.

    Raises:
        InputError: another shape, or an entry that is not finite.
    """
    try:
        given = np.asarray(weights)
    except (TypeError, ValueError):
        raise InputError(f"weights are numbers, of shape {wanted}; got {type(weights).__name__}") from None
    if given.dtype.kind not in "fiu":
        kind = KINDS.get(given.dtype.kind, type(weights).__name__) if isinstance(weights, np.ndarray) else None
        raise InputError(f"weights are numbers, of shape {wanted}; got {kind or type(weights).__name__}")
    with np.errstate(over="ignore"):  # what is too large for the precision becomes infinite
        array = np.array(given, precision)
    if array.shape != wanted or not np.isfinite(array).all():
        raise InputError(
            f"weights are finite, of shape {wanted}; got shape {array.shape}"
            f"{'' if np.isfinite(array).all() else f' with entries that are not finite in {precision}'}"
        )
    return array


def checked_rows(weights: ArrayLike, n_weights: int) -> NDArray[np.floating]:
    """Weights of as many machines as one likes, (..., n_weights), not copied; entries may be anything.

    Raises:
        InputError: another number of weights, or no numbers.
    """
    try:
        given = np.asarray(weights)
    except ValueError:
        raise InputError(f"weights are numbers, of shape (..., {n_weights}); got {shown(weights)}") from None
    if given.dtype.kind != "f" or given.ndim < 1 or given.shape[-1] != n_weights:
        raise InputError(f"weights are numbers, of shape (..., {n_weights}); got {given.dtype} {given.shape}")
    return given


def checked_state(state: dict[str, NDArray[Any]], now: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """A copy of the arrays of `state` that a network has `now`: the same names, shapes, kinds and question.

    Raises:
        InputError: a state of another system, of other settings or of other chorales.
    """
    if not isinstance(state, Mapping):
        raise InputError(f"a state is arrays by name, as state() gives; got {type(state).__name__}")
    given = {name: np.array(state[name]) for name in now if name in state}
    for name, array in now.items():
        if name not in given or given[name].shape != array.shape or given[name].dtype != array.dtype:
            came = f"{given[name].dtype} {given[name].shape}" if name in given else "nothing"
            raise InputError(f"state {name!r} is {array.dtype} {array.shape} here; got {came}: another system's state?")
    numbers = [given[name] for name in ("weights", "past", "owed", "velocity") if name in given]
    counts = [given[name] for name in COUNTS if name in given]
    if not all(np.isfinite(array).all() for array in numbers) or min(array.min() for array in counts) < 0:
        raise InputError("the state has entries that are not finite, or steps or seeds below 0: it is damaged")
    if "frozen" in given and ((given["frozen"] < -1) | (given["frozen"] > given["step"])).any():
        raise InputError("the state has replicas that were frozen at a step that is none: it is damaged")
    if (given["question"] != now["question"]).any():
        raise InputError("the state is of a network with other settings or other data: build that one")
    return given


def real_numbers(value: object) -> NDArray[np.float64] | None:
    """A copy as an array of float64; None where it is none: ragged rows, masked entries, no real numbers.

    >>> real_numbers([1, 2]), real_numbers([[1], [1, 2]]), real_numbers("1")
    (array([1., 2.]), None, None)
    """
    if np.ma.is_masked(value):
        return None
    try:
        given = np.asarray(value)
        return given.astype(np.float64) if given.dtype.kind in "fiu" else None
    except (TypeError, ValueError, OverflowError, RuntimeError):  # RuntimeError: a tensor whose gradient is wanted
        return None


def is_number(value: object) -> bool:
    """Whether it is one real number that a float can hold (True is none); NaN and infinity are."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def flag(name: str, value: Any) -> bool:
    """True or False.

    Raises:
        InputError: anything else; 1 and 0 are none.
    """
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} is True or False; got {shown(value)}")
    return bool(value)


def number(
    name: str, value: Any, *, above: float = -np.inf, least: float = -np.inf, most: float = np.finfo(float).max
) -> float:
    """One finite number, above `above`, not below `least` and not beyond `most`.

    Raises:
        InputError: anything else; True is none.
    """
    found = float(value) if is_number(value) else np.nan
    if above < found <= most and found >= least:
        return found
    bound = f" above {above:g}" if np.isfinite(above) else f" of at least {least:g}" if np.isfinite(least) else ""
    bound = f" of at least {least:g}" if above < found < least else f" of at most {most:g}" if found > most else bound
    raise InputError(f"{name} is a finite number{bound}; got {shown(value)}")


def whole(name: str, value: Any, *, least: int = 1, most: int = MOST) -> int:
    """One whole number from `least` to `most`.

    Raises:
        InputError: anything else; True is none.
    """
    found = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else least - 1
    if not least <= found <= most:
        bound = f"at most {most}" if found > most else f"at least {least}"
        raise InputError(f"{name} is a whole number of {bound}; got {shown(value)}")
    return found
