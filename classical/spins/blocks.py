"""Blocks of bonds as they come from outside, looked at before they are taken."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import real_numbers

Array = NDArray[np.floating]
Pair = tuple[int, int]

MOST_BOND = 1e305  # sums of some are numbers
SYMMETRIC = 1e-6  # of the largest entry: single precision, and sums of it


def checked_pair(key: Any) -> Pair:
    """The two layers that a block is named by.

    Raises:
        InputError: something else.
    """
    good = isinstance(key, tuple) and len(key) == 2
    if not good or not all(isinstance(each, Integral) and not isinstance(each, bool) for each in key):
        raise InputError(f"a block is named by its layers (a, b), 0 <= a <= b; got {shown(key)}")
    if not 0 <= key[0] <= key[1]:
        raise InputError(f"a block is named by its layers (a, b), 0 <= a <= b; got {shown(key)}")
    return int(key[0]), int(key[1])


def checked_block(key: Pair, block: ArrayLike) -> Array:
    """A copy of the bonds between two layers, (..., N_a, N_b).

    Raises:
        InputError: entries that are masked, not finite or beyond 1e305, or no matrix.
    """
    if np.ma.is_masked(block):
        raise InputError(f"block {key} has entries that are masked: fill them, with 0 where there is no bond")
    array = real_numbers(block)
    if array is None:
        raise InputError(f"block {key} is a matrix of real numbers; got {shown(block)}")
    if array.ndim < 2 or 0 in array.shape:
        raise InputError(f"block {key} is of shape (..., N_{key[0]}, N_{key[1]}); got {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"block {key} has bonds that are not finite: did the run diverge?")
    if np.abs(array).max() > MOST_BOND:
        raise InputError(
            f"bonds are at most {MOST_BOND:g}; got {np.abs(array).max():g} in block {key}: divide all by a number"
        )
    return array


def check_within(layer: int, block: Array) -> None:
    """Refuse what is no symmetric matrix with a diagonal of zeros.

    Raises:
        InputError: it is none.
    """
    if block.shape[-1] != block.shape[-2]:
        raise InputError(f"bonds within layer {layer} are a square matrix; got {block.shape[-2:]}")
    least = SYMMETRIC * np.abs(block).max()
    if np.abs(block - block.swapaxes(-1, -2)).max() > least:
        raise InputError(f"bonds within layer {layer} are symmetric; these are not: take M + M^T")
    if np.abs(np.diagonal(block, axis1=-2, axis2=-1)).max() > least:
        raise InputError(f"no spin of layer {layer} is bound to itself: set the diagonal to zero")
