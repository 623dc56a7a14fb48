"""A program of this folder that is loaded once and then forks: what is asked of it, a line, and what it answers."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@contextmanager
def begun(name: str, errors: Path, *words: Path) -> Iterator[Callable[..., str]]:
    """`ask(...)` while it runs; what it complains of is in the file `errors`."""
    with open(errors, "wb") as complaints:
        process = subprocess.Popen(
            [sys.executable, str(HERE / name), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            env=os.environ | {"PYTHONPATH": str(HERE.parent.parent)},
        )
    asked, said = process.stdin, process.stdout
    assert asked is not None
    assert said is not None
    assert said.readline() == "ready\n", errors.read_text()

    def ask(*told: Any) -> str:
        asked.write(" ".join(map(str, told)) + "\n")
        asked.flush()
        return said.readline()

    yield ask
    asked.close()
    said.close()
    assert process.wait(timeout=120) == 0
