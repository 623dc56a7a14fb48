"""The files of a run, read by anybody: `experiments.run_folder` says what they hold and writes them."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.files import replace_file
from encoding.layout import Group
from experiments.trajectory import Row, Trajectory


def read_trajectory(path: Path) -> Trajectory:
    """The looks of the run at `path`; a last line cut short by a kill is left out.

    Raises:
        InputError: not a run, or its files are damaged.
    """
    layout, n_replicas = _read_layout(path / "layout.json")
    rows = _read_rows(path / "trajectory.jsonl", n_replicas)
    weights = _map_weights(path / "weights.f32", n_replicas, max(group.slice.stop for group in layout.values()))
    try:
        rows = [row for row in rows if row.get("weights", -1) < len(weights)]
        return Trajectory.from_rows(rows, weights[: sum("weights" in row for row in rows)], layout, n_replicas)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError) as error:
        raise InputError(f"{path / 'trajectory.jsonl'} has rows that do not fit each other ({error})") from None


def _read_layout(path: Path) -> tuple[dict[str, Group], int]:
    """Groups of weights, one after the other, and the number of replicas."""
    described = read_json(path)
    try:
        layout = {
            name: Group(slice(group["start"], group["stop"]), tuple(group["shape"]), group["period"])
            for name, group in described["groups"].items()
        }
        ends = [0, *(group.slice.stop for group in layout.values())]
        follow = all(
            group.slice.start == end and group.slice.stop - end == math.prod(group.shape) > 0
            for group, end in zip(layout.values(), ends, strict=False)
        )
        n_replicas = int(described["n_replicas"])
        good = bool(layout) and follow and n_replicas >= 1
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} should name groups of weights; it does not ({error})") from None
    if not good:
        raise InputError(f"{path} should name groups of weights, one after the other; it has {described}")
    return layout, n_replicas


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
        raise InputError(f"{path} should be JSON; it is damaged ({error}): move it aside") from None
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
