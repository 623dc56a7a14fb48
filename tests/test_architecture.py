"""Imports run one way: encoding <- classical, quantum <- experiments; and measuring a stored run starts no engine."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"encoding", "classical", "quantum", "experiments"}
MAY_IMPORT = {
    "encoding": {"encoding"},
    "classical": {"encoding", "classical"},
    "quantum": {"encoding", "quantum"},
    "experiments": ROOMS,
}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_imports_run_one_way(room):
    forbidden = ROOMS - MAY_IMPORT[room] | {"tests"}
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"{room}/ holds no Python file"
    for file in files:
        wrong = forbidden & set(imported(ast.parse(file.read_text(encoding="utf-8"))))
        assert not wrong, f"{file.relative_to(ROOT)} imports {sorted(wrong)}"


ENGINES = {"torch", "matplotlib", "numba", "music21", "pennylane", "qiskit"}


@pytest.mark.parametrize("room", [*sorted(ROOMS), "experiments.observables"])
def test_importing_it_starts_no_engine(room):
    script = f"import sys, {room}; print(*sorted({ENGINES} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_looking_at_jobs_and_ending_them_loads_no_network():
    """A row of a journal, what asks IBM about it, and what opens its backend."""
    script = (
        "import sys, experiments.cli, experiments.hardware_jobs, quantum.journal.ibm, quantum.backends;"
        "print({'torch', 'numba', 'pennylane', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "set()\n", done.stderr
