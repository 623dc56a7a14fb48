"""What a user gave, as what a measurement takes, or one line that says what was expected."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, multi_hot
from encoding.errors import shown
from encoding.transitions import Piece, checked_pieces
from experiments.trajectory import Trajectory

LARGEST, SMALLEST = 1e60, 1e-100  # of numbers in a table: fourth powers of the one, squares of the other, stay numbers
MOST_ENTRIES = 10**6  # of a list that is worked through one by one


def is_word(value: object, words: Sequence[str]) -> bool:
    """Whether it is one of these words."""
    return isinstance(value, str) and value in words


def entries(name: str, value: Any) -> list[Any]:
    """What is in a list (a tuple, a range, the rows of an array).

    Raises:
        InputError: no list, or one of more than a million.
    """
    scalar = isinstance(value, np.ndarray) and not value.ndim
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray) or scalar:
        raise InputError(f"{name} come in a list; got {shown(value)}")
    try:
        n = len(value)
    except OverflowError:  # of a range
        n = np.inf
    if n > MOST_ENTRIES:
        raise InputError(f"{name} are at most {MOST_ENTRIES} in a list; got {shown(value)}")
    return list(value)


def numbers(
    values: Any,
    what: str,
    *axes: str,
    may_drop_last: bool = False,
    missing: bool = False,
    diverging: bool = False,
    any_size: bool = False,
) -> NDArray[np.float64]:
    """`values` as real numbers with one axis for each name of `axes`; the last may be left out if so said.

    They are finite, or NaN where something may be missing, or anything where something may have diverged; and, but for
    `any_size`, of a size that can be squared.

    Raises:
        InputError: words, ragged lists, complex or infinite numbers, other axes; `what` says what they should be.
    """
    named = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
    array = _real(values)
    if array is None:
        raise InputError(f"{what} are real numbers {named}; got {shown(values)}")
    if may_drop_last and array.ndim == len(axes) - 1:
        array = array[..., None]
    if array.ndim != len(axes) or not array.size:
        raise InputError(f"{what} are numbers {named}; got shape {array.shape}")
    if diverging:
        return array
    if missing and np.isinf(array).any():
        raise InputError(f"{what} are finite, or NaN where missing; got infinity")
    if not missing and not np.isfinite(array).all():
        raise InputError(f"{what} are finite; got NaN or infinity: leave frozen replicas and looks without a value out")
    size = float(np.abs(array).max(initial=0, where=~np.isnan(array)))
    if size and not any_size and not SMALLEST <= size <= LARGEST:
        bounds = f"{SMALLEST:g} to {LARGEST:g}"
        raise InputError(f"{what} are of a size that can be squared, {bounds}; got {size:g}: take another unit")
    return array


def reals(name: str, values: Any) -> NDArray[np.float64]:
    """`values` as real numbers of any shape; NaN and infinity are some.

    Raises:
        InputError: anything else.
    """
    array = _real(values)
    if array is None:
        raise InputError(f"{name} is a real number, or an array of them; got {shown(values)}")
    return array


def _real(values: Any) -> NDArray[np.float64] | None:
    """A new array of floats; None where these are no real numbers."""
    try:
        array = np.asarray(values)
    except Exception:  # somebody's object, asked for its numbers, may fail in any way
        return None
    if array.dtype.kind not in "biuf":
        return None
    with np.errstate(over="ignore"):  # long doubles
        return array.astype(np.float64)


def trajectory_of(name: str, value: Any) -> Trajectory:
    """A Trajectory whose parts belong together.

    Raises:
        InputError: something else (a run, say, which has one), parts of other shapes, or times of looks that count
            which are not finite, are below 0, or fall.
    """
    if not isinstance(value, Trajectory):
        has_one = isinstance(getattr(value, "trajectory", None), Trajectory)
        came = f"a {type(value).__name__}, which has one: give its .trajectory" if has_one else shown(value)
        raise InputError(f"{name} is a Trajectory, as learn returns it or a run of a store has it; got {came}")
    looks, weights = np.shape(value.time), np.shape(value.weights)
    whole_looks = len(looks) == 2 and looks[1] > 0 and looks == np.shape(value.loss) == np.shape(value.valid)
    whole_looks = whole_looks and np.shape(value.noise) == (*looks, len(value.layout)) and bool(value.layout)
    whole_weights = len(weights) == 3 and weights[:1] == np.shape(value.weights_look) and weights[1:2] == looks[1:]
    if not whole_looks or not whole_weights:
        raise InputError(
            f"{name} has time, loss and valid (n_looks, n_replicas), noise by group, weights with the look of each; "
            f"got times {looks}, losses {np.shape(value.loss)}, noise {np.shape(value.noise)}, weights {weights}"
        )
    _check_times(name, np.asarray(value.time), np.asarray(value.valid))
    return value


def _check_times(name: str, time: NDArray[np.float64], valid: NDArray[np.bool_]) -> None:
    """Refuse proper times of looks that count which are no times, or not in order."""
    if time.dtype.kind not in "iuf" or valid.dtype != bool:
        raise InputError(f"{name} has times that are numbers and says of each look whether it is valid; got others")
    for replica in range(time.shape[1]):
        seen = time[valid[:, replica], replica]
        if not (np.isfinite(seen) & (seen >= 0)).all():
            raise InputError(f"{name} has finite times of at least 0; got others where replica {replica} is valid")
        if (np.diff(seen) < 0).any():
            at = seen[1:][np.diff(seen) < 0][0]
            raise InputError(
                f"{name} has times that do not fall; replica {replica} goes back to {at:g}: mark what it left as not "
                "valid (Trajectory.from_rows does), or sort the looks"
            )


def pieces(name: str, value: Any, *, least: int = 1) -> list[Piece]:
    """Chorales, or anything with the pitches of voices.

    Raises:
        InputError: something else, or fewer than `least`.
    """
    if least == 0 and isinstance(value, list | tuple) and not value:
        return []
    listed = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    given: Any = entries(name, value) if listed else value
    try:
        found = checked_pieces(given)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    for place, piece in enumerate(found):
        if _real(piece.pitches) is None:
            raise InputError(f"{name}[{place}].pitches are whole numbers (n_steps, n_voices); got {shown(piece)}")
        try:
            multi_hot(piece.pitches)
        except InputError as error:
            raise InputError(f"{name}, {getattr(piece, 'name', f'number {place}')}: {error}") from None
    return found


@contextmanager
def room_for(n_bytes: float, what: str) -> Iterator[None]:
    """Do something that takes so many bytes; refused before it is tried where this machine has not as many.

    Raises:
        InputError: it has not, or the process may not have them.
    """
    said = f"{what} needs about {n_bytes / 1e9:.3g} GB of memory"
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        there = np.inf
    if n_bytes > there:
        raise InputError(f"{said}; this machine has {there / 1e9:.3g} GB: ask for less")
    try:
        yield
    except MemoryError:
        raise InputError(f"{said}, and there was none: ask for less") from None
