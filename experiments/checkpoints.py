"""Checkpoints: the state to go on from, sealed, and vouching for the rows and weights that were there with it.

A checkpoint holds its arrays, the key of its run, length and CRC-32 of trajectory.jsonl and weights.f32, and a seal: a
SHA-256 over all of it. So a file that is another run's, or was touched, is noticed before anything is cut back to it.
The last two are kept.
"""

import hashlib
import logging
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import why_unread
from encoding.files import replace_file
from experiments.recording import Saved

log = logging.getLogger("armonica")

FORMAT = 2
CHECKPOINTS = ("checkpoint.npz", "checkpoint.before.npz")
SEAL = "run.seal"
FILES = {"trajectory.jsonl": "row", "weights.f32": "weight"}
AT_ONCE = 1 << 20  # bytes read in one go


def write_checkpoint(folder: Path, saved: Mapping[str, Any]) -> None:
    """The new checkpoint in place, the last good one beside it.

    The new one is whole and on the disk before anything is moved. (The good one must have the first name.)
    """
    new, before = (folder / name for name in CHECKPOINTS)
    arrays = {name: np.asarray(value) for name, value in saved.items()} | {"run.format": np.array(FORMAT)}
    sealed = arrays | {SEAL: np.array(_seal(arrays))}
    with replace_file(folder / "checkpoint.next.npz") as file:
        np.savez(file, **sealed)  # type: ignore[arg-type]  # a checker fears that one is called allow_pickle: none is
    if new.exists():
        os.replace(new, before)
    os.replace(folder / "checkpoint.next.npz", new)


def read_checkpoint(path: Path) -> Saved:
    """The arrays of a checkpoint.

    Raises:
        InputError: it cannot be read, is not as it was written, or is of another format.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            saved = {name: arrays[name] for name in arrays.files}
    except Exception as error:  # a damaged archive fails in many ways
        raise InputError(f"{path} should be a checkpoint; it cannot be read ({why_unread(error)})") from None
    if saved.get("run.format", np.array(-1)).tolist() != FORMAT:
        raise InputError(f"{path} has format {saved.get('run.format', 'none')}; this armonica reads format {FORMAT}")
    if saved.pop(SEAL, np.array("")).tolist() != _seal(saved):
        raise InputError(f"{path} is not as it was written: its seal is broken")
    return saved


def has_checkpoint(folder: Path) -> bool:
    """Whether the run has been saved at all."""
    return any((folder / name).exists() for name in CHECKPOINTS)


def good_checkpoint(folder: Path, key: str | None = None, *, weights: bool = True) -> tuple[str, Saved]:
    """The newest checkpoint of run `key` that can be read, and whose rows and weights are there; its name first.

    Args:
        folder: of the run.
        key: of the run; None: whichever.
        weights: whether the content of weights.f32 is compared too (about a second a gigabyte), or only its length.

    Raises:
        InputError: there is none.
    """
    wrong = []
    for name in CHECKPOINTS:
        if not (folder / name).exists():
            continue
        try:
            saved = read_checkpoint(folder / name)
            _check_run(folder / name, saved, key)
            _check_files(folder, saved, weights)
        except InputError as error:
            wrong.append(str(error))
            continue
        for reason in wrong:
            log.warning("%s; going back to the checkpoint before it", reason)
        return name, saved
    raise InputError(
        f"{folder} should have a checkpoint that can be read; {'; '.join(wrong) or 'found none'}. Nothing was "
        "changed: move the folder aside to begin anew"
    )


def vouch(folder: Path, key: str) -> None:
    """See that the rows are those a checkpoint speaks of, where there is one that can be read.

    Raises:
        InputError: rows or weights are cut short, were touched, or are another run's.
    """
    if not has_checkpoint(folder):
        return
    try:
        good_checkpoint(folder, key, weights=False)
    except InputError as error:
        if any(_readable(folder / name) for name in CHECKPOINTS):
            raise
        log.warning("%s. What is shown is what the other files say", error)


def vouch_weights(folder: Path, key: str | None) -> None:
    """See that the weights are those that were written, as far as the newest checkpoint knows; they are read for it.

    Raises:
        InputError: they are not.
    """
    if has_checkpoint(folder) and good_checkpoint(folder, key)[0] != good_checkpoint(folder, key, weights=False)[0]:
        raise InputError(f"{folder / 'weights.f32'} is not as it was written; going on with the run makes its end anew")


def crc32(path: Path, length: int) -> int:
    """CRC-32 of the first `length` bytes of a file."""
    crc = 0
    with open(path, "rb") as file:
        while length > 0 and (block := file.read(min(AT_ONCE, length))):
            crc, length = zlib.crc32(block, crc), length - len(block)
    return crc


def _readable(path: Path) -> bool:
    try:
        read_checkpoint(path)
    except InputError:
        return False
    return True


def _seal(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)  # no copy: remembered errors are large
    return digest.hexdigest()


def _check_run(path: Path, saved: Saved, key: str | None) -> None:
    of = str(saved["run.key"])
    if key is not None and of != key:
        raise InputError(f"{path} should be of run {key}; it is of {of or 'a run without a key'}")


def _check_files(folder: Path, saved: Saved, weights: bool) -> None:
    for name, kind in FILES.items():
        path, wanted = folder / name, int(saved[f"run.{kind}_bytes"])
        found = path.stat().st_size if path.exists() else 0
        if found < wanted:
            raise InputError(f"{path} should have at least {wanted} bytes; it has {found}")
        if (weights or kind == "row") and crc32(path, wanted) != int(saved[f"run.{kind}_crc"]):
            raise InputError(f"{path} is not as it was written: its first {wanted} bytes differ")
