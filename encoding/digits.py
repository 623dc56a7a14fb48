"""Handwritten digits: images of 0 to 9 to learn from, and others by which what was learned is judged.

MNIST (LeCun, Cortes & Burges 1998) has 60,000 and 10,000 images of 28 x 28 pixels, of 256 levels. It comes from files
that the user has, or is fetched; without either there are the 1,797 images of 8 x 8 pixels, of 17 levels, that come
with scikit-learn (Alpaydin & Kaynak 1998).
"""

import hashlib
import logging
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError, shown, why_unread
from encoding.files import expanded
from encoding.given import whole
from encoding.idx import LARGEST, read_idx
from encoding.mnist import fetched_mnist, named_mnist

N_DIGITS = 10
N_SMALL = 1437  # of scikit-learn's 1797 images are learned from: four fifths, in its order
KEYS = (("x", "y", "xt", "yt"), ("x_train", "y_train", "x_test", "y_test"))  # of npz files: ours, and Keras's
IDX = ("train-images", 3), ("train-labels", 1), ("t10k-images", 3), ("t10k-labels", 1)
UNREAD = (  # what numpy and zipfile raise at damaged files
    *(ValueError, EOFError, KeyError, TypeError, AttributeError, OverflowError, RuntimeError, SyntaxError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
PARTS = ("images", "labels", "valid_images", "valid_labels")

log = logging.getLogger("armonica")


@dataclass(frozen=True, eq=False)
class Digits:
    """Images with their labels.

    Attributes:
        images: to learn from, (n, n_pixels), whole numbers from 0 to `brightest`; (n, rows, columns) is taken too.
        labels: which digit each is, 0 to 9, (n,).
        valid_images, valid_labels: those that are not learned from.
        brightest: the value of the brightest pixel there can be, 1 to 255.
        source: where they are from.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    valid_images: NDArray[np.uint8]
    valid_labels: NDArray[np.int64]
    brightest: int = 255
    source: str = "given"

    def __post_init__(self) -> None:
        """See that these are digits, and keep them from being written to.

        Raises:
            InputError: images that are none, of different sizes, or not as many as labels; a label that is no digit.
        """
        whole("brightest", self.brightest, most=255)
        forms = [getattr(getattr(self, images), "shape", ())[1:] for images in PARTS[::2]]
        if forms[0] != forms[1] and {2} == set(map(len, forms)) and np.prod(forms[0]) == np.prod(forms[1]):
            raise InputError(f"{self.source}: images are all of one form; got {forms[0]}, and {forms[1]} to judge by")
        for images, labels in (PARTS[:2], PARTS[2:]):
            pictures = _images(f"{self.source}: {images}", getattr(self, images), self.brightest)
            object.__setattr__(self, images, pictures)
            object.__setattr__(self, labels, _labels(f"{self.source}: {labels}", getattr(self, labels), len(pictures)))
        if self.images.shape[1] != self.valid_images.shape[1]:
            raise InputError(
                f"{self.source}: images are all of one size; got {self.images.shape[1]} pixels, and "
                f"{self.valid_images.shape[1]} where they are not learned from"
            )

    def __repr__(self) -> str:
        """How many, without the pixels."""
        n, n_pixels = self.images.shape
        return f"<Digits: {n} + {len(self.valid_images)} images of {n_pixels} pixels, from {self.source}>"

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of images and labels, and of nothing else; the same on every machine."""
        digest = hashlib.sha256(bytes([self.brightest]))
        for name, kind in zip(PARTS, ("u1", "<i8", "u1", "<i8"), strict=True):
            array = getattr(self, name)
            digest.update(np.array([array.shape[0], array.size], "<i8").tobytes() + array.astype(kind).tobytes())
        return digest.hexdigest()


def load_digits(path: str | PathLike[str] | None = None) -> Digits:
    """Digits by the name of where they are.

    Args:
        path: an .npz file with the arrays x, y, xt, yt (or Keras's x_train, y_train, x_test, y_test); a folder of
            MNIST's four idx files, gzipped or not; or a name:
            `"download"`: MNIST is fetched once, checked, and kept in the cache;
            `"mnist"`: the file or folder that ARMONICA_MNIST names; without that, as `"download"`;
            `"small"`: scikit-learn's images of 8 x 8 pixels, the first 1437 to learn from, the others to judge by.
            None: what ARMONICA_MNIST names, else the small ones, which the log says.

    Raises:
        InputError: nothing is there, a file is damaged, arrays are missing or are no digits, MNIST could not be
            fetched, or scikit-learn is missing.

    >>> load_digits("small")
    <Digits: 1437 + 360 images of 64 pixels, from small>
    """
    named = named_mnist() if path is None or path == "mnist" else None
    if path is None and named is not None:
        path = named
    elif path is None:
        log.warning("digits: scikit-learn's images of 8 x 8 pixels; MNIST by its path, or by 'mnist'")
        path = "small"
    if isinstance(path, str) and path == "small":
        return _small()
    if path in ("mnist", "download"):
        path = named or fetched_mnist()
    place = expanded(path)
    try:
        if place.is_dir():
            return _from_folder(place)
        if place.is_file():
            return _from_npz(place)
    except OSError as error:
        raise InputError(f"{shown(str(place))} cannot be read: {error.strerror or error}") from None
    raise InputError(
        "digits come from an .npz file, a folder of idx files, 'mnist', 'download' or 'small'; "
        f"{place}{', which ARMONICA_MNIST names,' if named else ''} is not there"
    )


def _small() -> Digits:
    """Scikit-learn's."""
    try:
        from sklearn.datasets import load_digits as bundled
    except ImportError:
        raise InputError(
            "the small digits come with scikit-learn, which is not installed: "
            "pip install -c constraints.txt '.[digits]', or name MNIST by its path"
        ) from None
    images, labels = bundled(return_X_y=True)
    images, n = np.asarray(images).astype(np.uint8), N_SMALL
    return Digits(images[:n], labels[:n], images[n:], labels[n:], 16, "small")


def _from_npz(path: Path) -> Digits:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = next((names for names in KEYS if set(names) <= set(arrays.files)), None)
            there = sorted(arrays.files)
            if isinstance(arrays, np.lib.npyio.NpzFile):
                _check_sizes(arrays, names or ())
            found: list[Any] = [arrays[name] for name in names or ()]
    except OSError as error:
        if error.strerror is None:
            raise InputError(f"{path}: expected an .npz file; {why_unread(error)}") from error
        raise InputError(f"{path}: the file cannot be read ({error.strerror}); check the path") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except UNREAD as error:
        raise InputError(f"{path}: expected an .npz file; {why_unread(error)}; is it complete?") from error
    if not found:
        raise InputError(f"{path}: expected the arrays {', '.join(KEYS[0])}; got {shown(', '.join(there))}")
    return Digits(*found, source=str(path))


def _check_sizes(arrays: Any, names: Sequence[str]) -> None:
    """Look at how large arrays are before they are read: a small file can unpack into any number of bytes.

    Raises:
        InputError: one of them says more bytes than are there, or all are too many.
    """
    whole_size = 0
    for name in names:
        with arrays.zip.open(f"{name}.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, kind = read(file)
        said, there = prod(shape) * kind.itemsize, arrays.zip.getinfo(f"{name}.npy").file_size
        if said > there:
            raise InputError(f"the array {name} says {said} bytes and has {there}: the file is damaged; fetch it again")
        whole_size += there
    if whole_size > LARGEST:
        raise InputError(f"digits of {whole_size} bytes; at most {LARGEST} are read here")


def _from_folder(folder: Path) -> Digits:
    arrays: list[Any] = [read_idx(_file(folder, stem, axes), axes) for stem, axes in IDX]
    return Digits(*arrays, source=str(folder))


def _file(folder: Path, stem: str, n_axes: int) -> Path:
    """The file of a part of MNIST, as its first home names it or as others do."""
    names = [f"{stem}{mark}idx{n_axes}-ubyte{packed}" for mark in "-." for packed in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder}: expected the file {names[0]}, or {names[1]}; there is none")


def _images(name: str, given: ArrayLike, brightest: int) -> NDArray[np.uint8]:
    array = _whole_numbers(name, given)
    if array.ndim not in (2, 3) or not array.size:
        raise InputError(f"{name} are of shape (n, pixels) or (n, rows, columns), at least one; got {array.shape}")
    least, most = int(array.min()), int(array.max())
    if least < 0 or most > brightest:
        raise InputError(f"{name} have pixels from 0 to {brightest}; got {least if least < 0 else most}")
    return _kept(array.reshape(len(array), -1).astype(np.uint8))


def _labels(name: str, given: ArrayLike, n: int) -> NDArray[np.int64]:
    array = _whole_numbers(name, given)
    if array.shape != (n,):
        raise InputError(f"{name} are as many as images, {n}; got shape {array.shape}")
    wrong = np.flatnonzero((array < 0) | (array >= N_DIGITS))
    if len(wrong):
        raise InputError(f"{name} are digits, 0 to 9; got {array[wrong[0]]} at {wrong[0]}")
    return _kept(array.astype(np.int64))


def _whole_numbers(name: str, given: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        raise InputError(f"{name} are an array of whole numbers; got {type(given).__name__}") from None
    if array.dtype.kind not in "iu":
        raise InputError(f"{name} are whole numbers; got {array.dtype}")
    return array


def _kept(array: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
