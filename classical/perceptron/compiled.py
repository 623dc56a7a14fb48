"""Compiled code of the deep perceptron: only loaded from here is it well kept."""

from functools import cache
from pathlib import Path
from typing import Any

from encoding.kept import load


@cache
def compiled(*parts: str, advice: str) -> Any:
    """The last of these modules of `classical.perceptron`, made ready; the parts are all that its code depends on.

    Args:
        parts: names of modules.
        advice: what may be done without it, said while it is compiled.
    """
    home = Path(__file__).parent
    sources = b"".join((home / f"{part}.py").read_bytes() for part in parts)
    names = [f"{__package__}.{part}" for part in parts]
    return load(names[-1], names, sources, advice=advice)
