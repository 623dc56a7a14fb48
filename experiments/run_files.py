"""The files of a run, read by anybody: `experiments.run_folder` says what they hold and writes them."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.files import replace_file
from encoding.layout import Group
from experiments.recording import Saved
from experiments.trajectory import Row, Trajectory

log = logging.getLogger("armonica")

FORMAT = 1
CHECKPOINTS = ("checkpoint.npz", "checkpoint.before.npz")


def read_trajectory(path: Path) -> Trajectory:
    """The looks of the run at `path`; a last line cut short by a kill is left out.

    Raises:
        InputError: not a run, or its files are damaged.
    """
    described = read_json(path / "layout.json")
    try:
        layout = {
            name: Group(slice(group["start"], group["stop"]), tuple(group["shape"]), group["period"])
            for name, group in described["groups"].items()
        }
        n_replicas, n_weights = int(described["n_replicas"]), max(group.slice.stop for group in layout.values())
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path / 'layout.json'} should name groups of weights; it does not ({error})") from None
    rows = _read_rows(path / "trajectory.jsonl", n_replicas)
    weights = _map_weights(path / "weights.f32", n_replicas, n_weights)
    rows = [row for row in rows if row.get("weights", -1) < len(weights)]
    return Trajectory.from_rows(rows, weights[: sum("weights" in row for row in rows)], layout, n_replicas)


def read_checkpoint(path: Path) -> Saved:
    """The arrays of a checkpoint.

    Raises:
        InputError: it cannot be read, or is of another format.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            saved = {name: arrays[name] for name in arrays.files}
    except Exception as error:  # a damaged archive fails in many ways
        raise InputError(f"{path} should be a checkpoint; it cannot be read ({error})") from None
    if int(saved.get("run.format", -1)) != FORMAT:
        raise InputError(f"{path} has format {saved.get('run.format', 'none')}; this armonica reads format {FORMAT}")
    return saved


def has_checkpoint(folder: Path) -> bool:
    """Whether the run has been saved at all."""
    return any((folder / name).exists() for name in CHECKPOINTS)


def last_checkpoint(folder: Path) -> Saved:
    """The newest checkpoint that can be read: see `good_checkpoint`."""
    return good_checkpoint(folder)[1]


def good_checkpoint(folder: Path) -> tuple[str, Saved]:
    """The newest checkpoint that can be read, and whose rows and weights are there; its name first.

    Raises:
        InputError: there is none.
    """
    there = [name for name in CHECKPOINTS if (folder / name).exists()]
    for name in there:
        try:
            saved = read_checkpoint(folder / name)
            _check_lengths(folder, saved)
        except InputError as error:
            log.warning("%s; looking for the checkpoint before it", error)
            continue
        return name, saved
    raise InputError(
        f"{folder} should have a checkpoint that can be read; tried {', '.join(there) or 'and found none'}. Nothing "
        "was changed: move the folder aside to begin anew"
    )


def _check_lengths(folder: Path, saved: Saved) -> None:
    for name, key in (("trajectory.jsonl", "run.row_bytes"), ("weights.f32", "run.weight_bytes")):
        path, wanted = folder / name, int(saved[key])
        found = path.stat().st_size if path.exists() else 0
        if found < wanted:
            raise InputError(f"{path} should have at least {wanted} bytes; it has {found}")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Plain data as one JSON file, put in place whole."""
    with replace_file(path) as file:
        file.write((json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: no such file, or not an object.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"expected a run with a file {path.name}; there is none in {path.parent}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} should be JSON; it is damaged ({error})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} should hold an object; got {type(content).__name__}")
    return content


def _read_rows(path: Path, n_replicas: int) -> list[Row]:
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]  # what stands behind the last newline was never finished
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            fits = int(row["step"]) >= 0 and {len(row[name]) for name in ("time", "rate", "loss")} == {n_replicas}
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise InputError(f"{path} line {number} should be a row of {n_replicas} replicas; got {line[:40]!r}")
        rows.append(row)
    return rows


def _map_weights(path: Path, n_replicas: int, n_weights: int) -> NDArray[np.float32]:
    record = n_replicas * n_weights
    n_looks = path.stat().st_size // (4 * record) if path.exists() else 0
    if not n_looks:
        return np.empty((0, n_replicas, n_weights), np.float32)
    return np.memmap(path, "<f4", "r", shape=(n_looks, n_replicas, n_weights))
