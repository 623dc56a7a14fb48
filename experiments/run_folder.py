"""A run on disk: rows and weights appended, checkpoints put in place whole, so that a kill at any line loses no number.

    task.json          what was asked (written once)
    layout.json        group -> slice, shape, period; number of replicas; unit of the loss
    trajectory.jsonl   one row a look; no wall-clock in it
    weights.f32        the weights of the looks that took them, records of n_replicas * n_weights little-endian float32
    checkpoint.npz     the state to go on from, and how long the two files above were then; the one before it beside it
    made_by.json       versions, host, seconds, kernel

On going on, rows and weights are cut back to the checkpoint: the run then makes the same numbers again.
"""

import json
import logging
import math
import os
import time as clock
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from experiments.aside import forget_aside, put_aside
from experiments.checkpoints import CHECKPOINTS, FILES, good_checkpoint, has_checkpoint, write_checkpoint
from experiments.made_by import made_by
from experiments.recording import Saved
from experiments.run_files import read_json, read_trajectory, write_json
from experiments.trajectory import Row, Trajectory

if TYPE_CHECKING:
    from experiments.system import System

log = logging.getLogger("armonica")

FIRST_SAVE = 2.0  # seconds until the first checkpoint


class RunFolder:
    """The recorder of one run in one folder; one process at a time."""

    def __init__(
        self,
        path: str | Path,
        *,
        key: str | None = None,
        save_every: float = 30.0,
        kernel: str = "plain",
        allow_other_kernel: bool = False,
    ) -> None:
        """A run to begin or to go on with at `path`.

        Args:
            path: the folder, made if it is not there.
            key: of the run's Task; what lies there must have it. None: not looked at.
            save_every: seconds between checkpoints, at most: the first comes after two, then twice as long each time.
            kernel: what computes now.
            allow_other_kernel: go on even where another kernel made the run so far.

        Raises:
            InputError: `save_every` is no time.
        """
        if not save_every >= 0:
            raise InputError(f"save_every is in seconds, at least 0; got {save_every}")
        self.path, self.key = Path(path), key
        self.save_every, self.kernel, self.allow_other_kernel = save_every, kernel, allow_other_kernel
        self._wait = min(FIRST_SAVE, save_every)
        self._held = ExitStack()

    def begin(self, system: "System") -> Saved | None:
        """Take the folder for this process, and find the last good checkpoint.

        Raises:
            InputError: another process learns here, the run is another system's or version's, or damaged.
            OSError: the folder cannot be written.
        """
        self.close()
        self.path.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(_lock(self.path))
        self._n_replicas = system.n_replicas
        self._describe(system)
        name, saved = good_checkpoint(self.path, self.key) if has_checkpoint(self.path) else (CHECKPOINTS[0], None)
        self._check_kernel(saved)
        self._made_by = _read_maker(self.path / "made_by.json")
        if saved is None:
            put_aside(self.path)
        if name != CHECKPOINTS[0]:
            os.replace(self.path / name, self.path / CHECKPOINTS[0])  # what is damaged must not push it out
        self._rows = self._open_cut("trajectory.jsonl", int(saved["run.row_bytes"]) if saved else 0)
        self._weights = self._open_cut("weights.f32", int(saved["run.weight_bytes"]) if saved else 0)
        self._crc = {kind: int(saved[f"run.{kind}_crc"]) if saved else 0 for kind in FILES.values()}
        self._n_weight_looks = int(saved["run.n_weight_looks"]) if saved else 0
        self._last_loss = saved["run.last_loss"] if saved else np.full(self._n_replicas, np.nan)
        self._since = clock.monotonic()
        return saved

    def append(self, row: Row, weights: NDArray[np.floating] | None) -> None:
        """Add a row, and its weights in single precision."""
        if weights is not None:
            row = row | {"weights": self._n_weight_looks}
            self._write(self._weights, "weight", np.ascontiguousarray(weights, "<f4").tobytes())
            self._n_weight_looks += 1
        self._write(self._rows, "row", (json.dumps(_plain(row), allow_nan=False) + "\n").encode())
        self._last_loss = np.array(row["loss"])

    def maybe_save(self, checkpoint: Callable[[], Saved]) -> None:
        """Save, where the last time is long enough ago."""
        if clock.monotonic() - self._since >= self._wait:
            self._wait = min(2 * self._wait, self.save_every)
            self.save(checkpoint())

    def save(self, checkpoint: Saved) -> None:
        """Rows and weights onto the disk first, then the checkpoint that vouches for them; the last two are kept."""
        for file in (self._rows, self._weights):
            os.fsync(file.fileno())
        lengths = {"row_bytes": self._rows.tell(), "weight_bytes": self._weights.tell()}
        run = lengths | {"n_weight_looks": self._n_weight_looks, "last_loss": self._last_loss}
        run |= {f"{kind}_crc": crc for kind, crc in self._crc.items()}
        run |= {"key": self.key or "", "kernel": self.kernel}
        write_checkpoint(self.path, checkpoint | {f"run.{name}": np.array(value) for name, value in run.items()})
        self._note_maker()
        forget_aside(self.path, {name: lengths[f"{kind}_bytes"] for name, kind in FILES.items()})

    def last_looked_loss(self) -> NDArray[np.float64]:
        """The losses of the last row."""
        return self._last_loss

    def trajectory(self) -> Trajectory:
        """All rows so far, weights memory-mapped."""
        return read_trajectory(self.path)

    def close(self) -> None:
        """Let go of the folder, however far `begin` came."""
        self._held.close()

    def _write(self, file: BinaryIO, kind: str, content: bytes) -> None:
        """Append, out of Python's hands; a full disk names the file."""
        try:
            file.write(content)
            file.flush()
        except OSError as error:
            error.filename = file.name
            raise
        self._crc[kind] = zlib.crc32(content, self._crc[kind])

    def _open_cut(self, name: str, length: int) -> BinaryIO:
        """The file, cut to `length` bytes, ready to be appended to."""
        file = self._held.enter_context(open(self.path / name, "ab"))
        if file.tell() > length:
            file.truncate(length)
            file.seek(length)
        return file

    def _describe(self, system: "System") -> None:
        """Write layout.json, or see that it is this system's."""
        layout = {
            "n_replicas": system.n_replicas,
            "unit": getattr(system, "unit", "no unit"),
            "groups": {
                name: {
                    "start": group.slice.start,
                    "stop": group.slice.stop,
                    "shape": list(group.shape),
                    "period": group.period,
                }
                for name, group in system.layout().items()
            },
        }
        path = self.path / "layout.json"
        if not path.exists():
            write_json(path, layout)
        elif (there := read_json(path)) != layout:
            name = next(name for name in [*layout, *there] if there.get(name) != layout.get(name))
            raise InputError(
                f"{path} is of another system: its {name} should be {layout.get(name)}; it is {there.get(name)}: "
                "choose another folder, or move this one aside"
            )

    def _check_kernel(self, saved: Saved | None) -> None:
        kernel = str(saved["run.kernel"]) if saved else self.kernel
        if kernel == "fast" and self.kernel.startswith("fast, "):
            log.warning("%s was made by kernel fast without saying its lanes: taken to be %s", self.path, self.kernel)
        elif kernel != self.kernel and not self.allow_other_kernel:
            raise InputError(
                f"{self.path} was made by kernel {kernel!r}; got {self.kernel!r}: its numbers differ in the last "
                "digits (--allow-other-kernel goes on all the same)"
            )

    def _note_maker(self) -> None:
        """Say in made_by.json who made the run so far: every kernel in turn, and the seconds of all sessions."""
        now, (kernels, seconds) = clock.monotonic(), self._made_by
        kernels += [self.kernel] if kernels[-1:] != [self.kernel] else []
        self._made_by = kernels, seconds + now - self._since
        write_json(self.path / "made_by.json", made_by() | {"kernels": kernels, "seconds": round(self._made_by[1], 3)})
        self._since = now


def _read_maker(path: Path) -> tuple[list[str], float]:
    """The kernels that made the run so far, and the seconds of all sessions.

    Raises:
        InputError: the file is damaged.
    """
    before = read_json(path) if path.exists() else {"kernels": [], "seconds": 0.0}
    kernels, seconds = before.get("kernels"), before.get("seconds")
    if not isinstance(kernels, list) or not isinstance(seconds, int | float):
        raise InputError(f"{path} should name kernels and seconds; it has {before}: move it aside")
    return kernels, float(seconds)


def _plain(value: Any) -> Any:
    """Arrays as lists, numbers as numbers, what is not finite as null."""
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Busy(InputError):
    """Another process learns in the folder."""


def _lock(folder: Path) -> BinaryIO:
    """Hold the folder's lock until closed or killed.

    Raises:
        Busy: another process holds it.
    """
    file = open(folder / "lock", "ab")
    try:
        import fcntl
    except ImportError:
        log.warning("this system has no file locks: take care that one process alone learns in %s", folder)
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Busy(f"one process at a time learns in {folder}; another one does now: wait for it, or stop it") from None
    return file
