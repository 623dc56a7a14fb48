"""Angles as they are given to templates and circuits, checked."""

from math import pi
from typing import Any

import numpy as np

from encoding import InputError
from encoding.errors import shown

LEAST_SHIFT = 1e-3  # radians: of less, differences are rounding


def checked_shift(what: str, given: Any) -> float:
    """How far SPSA shifts all angles, in radians.

    Raises:
        InputError: no number, or none from 1e-3, below which differences are rounding, to pi.
    """
    number = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    if not number or not LEAST_SHIFT <= given <= pi:
        raise InputError(f"{what} is an angle from {LEAST_SHIFT} to pi; got {shown(given, 40)}")
    return float(given)


def checked_angles(what: str, given: Any, shape: tuple[int, ...]) -> Any:
    """Numbers of a shape or, broadcast, with one axis more in front; tensors of any library as they are.

    Raises:
        InputError: no numbers, or another shape.
    """
    array = _array(what, given)
    if array.shape not in (shape, (*array.shape[:1], *shape)) or 0 in array.shape[: array.ndim - len(shape)]:
        raise InputError(
            f"{what} have shape {shape} or (B, {str(shape)[1:]}; got {tuple(array.shape)}{remedy(what, array, shape)}"
        )
    return array


def checked_numbers(what: str, given: Any, shape: tuple[int, ...]) -> Any:
    """Finite numbers of a shape, as an array of numpy; a tensor's gradient is left behind.

    Raises:
        InputError: as `checked_angles`, numbers that are not finite, or broadcast ones.
    """
    array = _array(what, given)
    array = np.asarray(array.detach().cpu() if hasattr(array, "detach") else array, np.float64)
    if array.shape != shape:
        raise InputError(f"{what} have shape {shape} and are finite; got {array.shape}{remedy(what, array, shape)}")
    return array


def checked_chords(given: Any, shape: tuple[int, int]) -> Any:
    """Angles of chords one after the other, (n_chords, n_voices, n_rotations); `shape` is that of one.

    Raises:
        InputError: no numbers, no chord, or another shape.
    """
    array = _array("angles of chords", given)
    if array.shape != (*array.shape[:1], *shape) or not len(array):
        raise InputError(
            f"angles of chords have shape (n_chords, {str(shape)[1:]}; got {tuple(array.shape)}"
            f"{remedy('angles of chords', array, shape)}"
        )
    return array


def remedy(what: str, array: Any, shape: tuple[int, ...]) -> str:
    """What to do where an encoding has other rotations than those that a chord is to have here."""
    if (
        not what.startswith(("angles of a chord", "angles of chords"))
        or len(shape) < 2
        or array.ndim < 2
        or array.shape[-1] == shape[-1]
    ):
        return ""
    return f": {array.shape[-1]} angles a voice are those of an encoding with as many; say rotations=encoding.rotations"


def _array(what: str, given: Any) -> Any:
    """What has a shape already, a tensor that may be differentiated, stays what it is."""
    try:
        array = given if hasattr(given, "shape") and hasattr(given, "ndim") else np.asarray(given, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{what} are numbers; got {shown(given)}") from None
    values = _values(array)
    if values is not None and values.dtype.kind not in "iuf":
        raise InputError(f"{what} are real numbers; got {array.dtype}")
    if values is not None and not np.isfinite(values).all():
        raise InputError(f"{what} are finite; got NaN or infinity")
    return array


def _values(array: Any) -> np.ndarray | None:
    """The numbers of a tensor; None where they are not known yet, while it is traced."""
    try:
        values = np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)
    except Exception:  # a tracer of another library
        return None
    return None if values.dtype == object and not isinstance(array, np.ndarray) else values
