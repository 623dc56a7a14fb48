"""Where Bach's chorales are to be found: facts about the 382 chorales of the JSB set, in its order.

`encoding/data/README.md` explains the fields. The notes themselves come from music21's corpus.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False)
class Fact:
    """What is known of the chorale at position `index` of a split."""

    split: str
    index: int
    n_steps: int
    file: str | None = None
    transpose: int | None = None
    segments: tuple[tuple[float, int], ...] = ()
    stride: float = 1
    voice_offset: tuple[float, ...] = (0, 0, 0, 0)
    syncopation: bool = True
    corrections: tuple[tuple[int, int, int], ...] = ()
    digest: str = ""

    @property
    def place(self) -> str:
        """Where it stands in the JSB set, such as "train 25"."""
        return f"{self.split} {self.index}"

    @property
    def name(self) -> str:
        """The number in the catalogue of Bach's works, such as "BWV 190.7"; its place where that is unknown."""
        number = re.match(r"bwv(\d+(\.\d+)?)", self.file or "")
        return f"BWV {number[1]}" if number else f"JSB {self.place}"


@cache
def chorale_facts(split: str) -> tuple[Fact, ...]:
    """The facts of all chorales of a split, in the order of the JSB set."""
    table = json.loads(files("encoding").joinpath("data", "chorales.json").read_text(encoding="utf-8"))
    return tuple(_fact(split, index, entry) for index, entry in enumerate(table[split]))


def _fact(split: str, index: int, entry: dict[str, Any]) -> Fact:
    digest = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
    return Fact(split, index, **{name: _frozen(value) for name, value in entry.items()}, digest=digest)


def _frozen(value: Any) -> Any:
    """Lists become tuples, at every depth."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
