"""The idx format, in which the MNIST digits are given away: a word that says what follows, sizes, then bytes.

    00 00 08 a    unsigned bytes along a axes;    a sizes of 4 bytes, high byte first;    the bytes, last axis fastest

(LeCun, Cortes & Burges 1998). The first four bytes are called magic: 2051 for images, 2049 for labels. Files may be
gzipped, which is told by their content, not by their name.
"""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError

UNSIGNED_BYTES = 0x0800
LARGEST = 1 << 30  # bytes that are read at most: a small file can unpack into any number
AXES = {1: "labels", 3: "images"}
GZIPPED = b"\x1f\x8b"


def read_idx(path: Path, n_axes: int) -> NDArray[np.uint8]:
    """The bytes of an idx file, with `n_axes` axes: 3 of images (number, rows, columns), 1 of labels.

    Raises:
        InputError: the file is missing, cannot be unpacked, has another magic number, or another length than it says.
    """
    content = _unpacked(path)
    what, magic = AXES.get(n_axes, f"an array of {n_axes} axes"), UNSIGNED_BYTES + n_axes
    start = 4 * (1 + n_axes)
    if len(content) < start:
        raise InputError(f"{path}: an idx file of {what} begins with {start} bytes of sizes; got {len(content)} in all")
    words = np.frombuffer(content, ">u4", 1 + n_axes).tolist()
    if words[0] != magic:
        raise InputError(f"{path}: an idx file of {what} has the magic number {magic}; got {words[0]}: is it another?")
    sizes, came = tuple(words[1:]), len(content) - start
    if 0 in sizes:
        raise InputError(f"{path}: {what} are at least one; got {' x '.join(map(str, sizes))}")
    if prod(sizes) != came:
        said = " x ".join(map(str, sizes))
        state = "cut short" if came < prod(sizes) else "too long"
        raise InputError(f"{path}: it says {said} bytes, and {came} follow: the file is {state}; fetch it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(sizes)


def _unpacked(path: Path) -> bytes:
    """The content, unpacked where it is gzipped."""
    try:
        with open(path, "rb") as file:
            packed = file.read(len(GZIPPED)) == GZIPPED
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: it cannot be unpacked ({error}): the file is damaged; fetch it again") from error
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error.strerror}); check the path") from error
    if len(content) > LARGEST:
        raise InputError(f"{path}: an idx file holds at most {LARGEST} bytes here; there are more")
    return content
