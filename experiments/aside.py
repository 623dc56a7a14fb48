"""What a run wrote that was killed before its first checkpoint: kept beside the run that is begun anew, for a while."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from experiments.checkpoints import FILES

log = logging.getLogger("armonica")


def put_aside(folder: Path) -> None:
    """Keep rows and weights without a checkpoint: the run is begun anew, and may be asked for less this time."""
    for name in FILES:
        path, aside = folder / name, folder / f"aside.{name}"
        size = path.stat().st_size if path.exists() else 0
        if size > (aside.stat().st_size if aside.exists() else 0):
            os.replace(path, aside)
            log.warning(
                "%s has no checkpoint: %s is kept as %s (which may be deleted), and begun anew",
                folder,
                name,
                aside.name,
            )


def forget_aside(folder: Path, lengths: Mapping[str, int]) -> None:
    """Remove what was put aside, once the run has written as much again: they were the same numbers.

    Args:
        folder: of the run.
        lengths: name of the file -> bytes that a checkpoint vouches for.
    """
    for name, length in lengths.items():
        aside = folder / f"aside.{name}"
        if aside.exists() and aside.stat().st_size <= length:
            aside.unlink()
