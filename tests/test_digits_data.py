"""Handwritten digits come whole from every kind of file, or not at all and with one line that says why."""

import gzip
import io
import logging
import os
import struct
import warnings
import zipfile
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from encoding import InputError, mnist
from encoding.digits import Digits, load_digits

RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 256, (12, 3, 4)).astype(np.uint8), np.arange(12) % 10
XT, YT = RNG.integers(0, 256, (5, 3, 4)).astype(np.uint8), np.arange(5)
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx(array):
    """The file as its first home describes it."""
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return struct.pack(">I", {3: 2051, 1: 2049}[array.ndim]) + sizes + array.astype(np.uint8).tobytes()


CONTENTS = dict(zip(NAMES, map(idx, (X, Y, XT, YT)), strict=True))


@pytest.fixture
def folder(tmp_path):
    """Writes the four files, some of them changed: `folder(train_labels=...)`; None leaves one out."""

    def write(name=lambda stem: stem, packed=lambda content: content, **changed):
        for stem, content in CONTENTS.items():
            content = changed.get("_".join(stem.split("-")[:2]), content)
            if content is not None:
                (tmp_path / name(stem)).write_bytes(packed(content))
        return tmp_path

    return write


def assert_whole(digits):
    np.testing.assert_array_equal(digits.images, X.reshape(12, 12))
    np.testing.assert_array_equal(digits.labels, Y)
    np.testing.assert_array_equal(digits.valid_images, XT.reshape(5, 12))
    np.testing.assert_array_equal(digits.valid_labels, YT)


@pytest.mark.parametrize("name", [lambda stem: stem, lambda stem: stem.replace("-idx", ".idx")])
def test_idx_files_are_read_as_they_were_written(folder, name):
    assert_whole(load_digits(folder(name)))


@pytest.mark.parametrize("end", [".gz", ""])  # unpacked by what they hold, whatever they are called
def test_gzipped_idx_files_are_read(folder, end):
    assert_whole(load_digits(folder(lambda stem: stem + end, gzip.compress)))


@pytest.mark.parametrize("keys", [("x", "y", "xt", "yt"), ("x_train", "y_train", "x_test", "y_test")])
def test_arrays_in_one_file_are_read(tmp_path, keys):
    arrays: dict[str, Any] = dict(zip(keys, (X, Y, XT, YT), strict=True))
    np.savez_compressed(tmp_path / "mnist.npz", **arrays)
    assert_whole(load_digits(tmp_path / "mnist.npz"))


def test_the_fingerprint_is_that_of_the_digits_and_not_of_their_file(folder, tmp_path):
    there = load_digits(folder())
    np.savez(tmp_path / "m.npz", x=X, y=Y.astype(np.uint8), xt=XT, yt=YT)
    assert load_digits(tmp_path / "m.npz").sha256 == there.sha256
    other = X.copy()
    other[7, 1, 2] ^= 1
    assert Digits(other, Y, XT, YT).sha256 != there.sha256
    assert Digits(X, (Y + 1) % 10, XT, YT).sha256 != there.sha256
    assert Digits(X[:, :, :2], Y, XT[:, :, :2], YT).sha256 != there.sha256


def test_digits_cannot_be_written_to_and_are_copies():
    mine = X.copy()
    digits = Digits(mine, Y, XT, YT)
    mine[0] = 0
    assert_whole(digits)
    with pytest.raises(ValueError, match="read-only"):
        digits.images[0] = 0


def test_the_small_digits_are_those_of_scikit_learn_which_are_known():
    small = load_digits("small")
    counts = np.bincount(small.labels) + np.bincount(small.valid_labels)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as its documentation has them
    assert (small.images.shape, small.brightest, small.images.max()) == ((1437, 64), 16, 16)


def test_without_a_name_the_small_ones_are_taken_and_that_is_said(monkeypatch, caplog, folder):
    monkeypatch.delenv("ARMONICA_MNIST", raising=False)
    with caplog.at_level(logging.WARNING, "armonica"):
        assert load_digits().source == "small"
    assert len(caplog.messages) == 1
    assert "scikit-learn" in caplog.messages[0]
    monkeypatch.setenv("ARMONICA_MNIST", str(folder()))
    assert_whole(load_digits())
    assert_whole(load_digits("mnist"))


def test_without_scikit_learn_one_line_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(InputError, match=r"pip install -c constraints.txt '.\[digits\]'"):
        load_digits("small")


@pytest.fixture
def mirrors(tmp_path, monkeypatch):
    """Two mirrors on this disk and an empty cache; what is known of the files is what the second one has."""
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ARMONICA_MNIST", raising=False)
    sums = {}
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        for stem, content in CONTENTS.items():
            packed = gzip.compress(content, mtime=0)
            (tmp_path / place / f"{stem}.gz").write_bytes(packed)
            sums[f"{stem}.gz"] = mnist._digest(packed)
    monkeypatch.setattr(mnist, "SHA256", sums)
    monkeypatch.setattr(mnist, "MIRRORS", [(tmp_path / place).as_uri() for place in ("one", "two")])
    return tmp_path


def test_mnist_is_fetched_once_and_a_mirror_that_gives_something_else_is_passed_over(mirrors):
    (mirrors / "one" / f"{NAMES[1]}.gz").write_bytes(gzip.compress(b"something else"))
    (mirrors / "one" / f"{NAMES[2]}.gz").unlink()
    assert_whole(load_digits("download"))
    for place in ("one", "two"):
        for file in (mirrors / place).iterdir():
            file.unlink()
    assert_whole(load_digits("mnist"))
    (mirrors / "cache" / "mnist" / f"{NAMES[0]}.gz").write_bytes(b"cut")  # a damaged copy is fetched again
    with pytest.raises(InputError, match=r"could not be fetched \(.*\); name a copy by its path"):
        load_digits("download")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"train_labels": None}, "expected the file train-labels-idx1-ubyte, or train-labels-idx1-ubyte.gz"),
        ({"train_images": b"\0\0"}, "begins with 16 bytes of sizes; got 2"),
        ({"train_images": idx(Y)}, "an idx file of images has the magic number 2051; got 2049"),
        ({"train_labels": idx(X)}, "an idx file of labels has the magic number 2049; got 2051"),
        ({"train_images": idx(X)[:-1]}, "says 12 x 3 x 4 bytes, and 143 follow: the file is cut short"),
        ({"t10k_labels": idx(YT) + b"\0"}, "says 5 bytes, and 6 follow: the file is too long"),
        ({"train_labels": idx(Y[:-1])}, "labels are as many as images, 12; got shape"),
        ({"train_labels": idx(np.where(Y == 3, 10, Y))}, "labels are digits, 0 to 9; got 10 at 3"),
        ({"t10k_images": idx(XT[:, :2])}, "images are all of one size; got 12 pixels, and 8"),
        ({"train_images": idx(X[:0]), "train_labels": idx(Y[:0])}, "at least one; got"),
        ({"train_images": gzip.compress(idx(X))[:-9]}, "cannot be unpacked"),
        ({"train_images": b"\x1f\x8b" + b"no gzip at all"}, "cannot be unpacked"),
    ],
)
def test_files_that_are_no_digits_are_refused_in_a_line(folder, changed, said):
    with pytest.raises(InputError, match=said) as refused:
        load_digits(folder(**changed))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": X, "y": Y, "xt": XT}, "expected the arrays x, y, xt, yt; got 'x, xt, y'"),
        ({"x": X / 255, "y": Y, "xt": XT, "yt": YT}, "images are whole numbers; got float64"),
        ({"x": X.astype(int) * 2, "y": Y, "xt": XT, "yt": YT}, "pixels from 0 to 255; got"),
        ({"x": X.astype(int) - 5, "y": Y, "xt": XT, "yt": YT}, "pixels from 0 to 255; got -"),
        ({"x": X, "y": Y - 1, "xt": XT, "yt": YT}, "digits, 0 to 9; got -1 at 0"),
        ({"x": X[0], "y": Y[:3], "xt": XT[:, :2, :2], "yt": YT}, ""),
        ({"x": X.reshape(12, 3, 2, 2), "y": Y, "xt": XT, "yt": YT}, r"\(n, pixels\) or \(n, rows, columns\)"),
        ({"x": np.array([None, X], object), "y": Y, "xt": XT, "yt": YT}, "expected an .npz file"),
    ],
)
def test_arrays_that_are_no_digits_are_refused_in_a_line(tmp_path, arrays, said):
    np.savez(tmp_path / "m.npz", **arrays)
    if not said:  # three images of four pixels, as good as any
        assert load_digits(tmp_path / "m.npz").images.shape == (3, 4)
        return
    with pytest.raises(InputError, match=said) as refused:
        load_digits(tmp_path / "m.npz")
    assert "\n" not in str(refused.value)


def test_what_is_no_such_file_is_refused_in_a_line(tmp_path):
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("digits")
    np.save(tmp_path / "one.npy", X)
    np.savez(tmp_path / "cut.npz", x=X, y=Y, xt=XT, yt=YT)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-60])
    for name in ("empty.npz", "text.npz", "one.npy", "cut.npz", "missing.npz", "nowhere", 3, ""):
        with pytest.raises(InputError) as refused:
            load_digits(name if name in (3, "") else tmp_path / str(name))  # type: ignore[arg-type]  # 3, as a user may
        assert "\n" not in str(refused.value)
        assert "allow_pickle" not in str(refused.value)


def test_the_real_mnist_is_what_is_known_of_it(mnist_path):
    digits = load_digits(mnist_path)
    assert np.bincount(digits.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    content = idx(digits.images.reshape(-1, 28, 28))
    assert mnist._digest(content) == "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"


def damaged(path, name, header):
    """An npz whose array `name` has another header, or whose zip has another mark."""
    with zipfile.ZipFile(path) as old:
        members = {each: old.read(each) for each in old.namelist()}
    if header is not None:
        content = io.BytesIO()
        np.lib.format.write_array_header_1_0(content, header)
        members[f"{name}.npy"] = content.getvalue() + members[f"{name}.npy"][-100:]
    with zipfile.ZipFile(path, "w") as new:
        for each, content in members.items():
            new.writestr(each, content)
    return path


@pytest.mark.parametrize("shape", [(10**10,), (10**6, 1000, 1000), (10**30,)])
def test_a_file_that_says_more_than_it_holds_is_not_read_into_memory(tmp_path, shape):
    path = tmp_path / "m.npz"
    np.savez(path, x=X, y=Y, xt=XT, yt=YT)
    damaged(path, "x", {"descr": "|u1", "fortran_order": False, "shape": shape})
    with pytest.raises(InputError, match=r"the array x says \d+ bytes and has \d+: the file is damaged"):
        load_digits(path)


def test_digits_that_unpack_into_too_much_are_refused_before(tmp_path, monkeypatch):
    monkeypatch.setattr("encoding.digits.LARGEST", 100)
    np.savez_compressed(tmp_path / "m.npz", x=X, y=Y, xt=XT, yt=YT)
    with pytest.raises(InputError, match=r"m\.npz: digits of \d+ bytes; at most 100 are read here"):
        load_digits(tmp_path / "m.npz")


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_byte_ends_in_a_line_or_does_no_harm(tmp_path, seed):
    path, rng = tmp_path / "m.npz", np.random.default_rng(seed)
    np.savez(path, x=X, y=Y, xt=XT, yt=YT)
    content = bytearray(path.read_bytes())
    for place in rng.integers(0, len(content), 3):
        content[place] ^= 1 << rng.integers(8)
    path.write_bytes(content)
    with warnings.catch_warnings(), suppress(InputError):  # a refusal is an InputError and nothing else
        warnings.simplefilter("ignore")  # numpy's, of what headers say
        load_digits(path)


@pytest.mark.parametrize("place", [6, 8])  # of the flags and of the method, in the first entry's header
def test_an_encrypted_or_unknown_zip_is_refused(tmp_path, place):
    path = tmp_path / "m.npz"
    np.savez(path, x=X, y=Y, xt=XT, yt=YT)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", place), (b"PK\x01\x02", place + 2)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1 if place == 6 else 77
            at = content.find(mark, at + 4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"expected an \.npz file; .*is it complete"):
        load_digits(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "f.npz")
    with pytest.raises(InputError, match="is not there"):
        load_digits(tmp_path / "f.npz")


def test_sizes_that_no_array_can_have_are_refused(tmp_path, folder):
    bad = struct.pack(">4I", 2051, 2**32 - 1, 0, 2**32 - 1)
    with pytest.raises(InputError, match="images are at least one; got 4294967295 x 0 x 4294967295"):
        load_digits(folder(train_images=bad))


def test_images_of_two_forms_are_not_compared_pixel_by_pixel():
    images, labels = np.zeros((3, 28, 28), np.uint8), np.zeros(3, int)
    with pytest.raises(InputError, match=r"images are all of one form; got \(28, 28\), and \(14, 56\) to judge by"):
        Digits(images, labels, images.reshape(3, 14, 56), labels)


def test_a_path_that_no_system_takes_is_refused_in_a_line():
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        load_digits("x" * 5000)


def test_who_named_what_is_not_there_is_said(monkeypatch):
    monkeypatch.setenv("ARMONICA_MNIST", "/nowhere")
    with pytest.raises(InputError, match="/nowhere, which ARMONICA_MNIST names, is not there"):
        load_digits()
