"""Every ```python block of the pages runs, in order, one namespace a page.

An expression followed by `# -> value` must have that repr; numpy's True and 0.5 may be written as Python's.
"""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("README.md")])
BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROMISE = re.compile(r"#\s*->\s*(.+?)\s*$")


def run_page(text: str, name: str) -> int:
    """Execute the blocks of one page; return how many promised values were compared."""
    namespace, n_promises = {"__name__": "__main__"}, 0
    for block in BLOCK.finditer(text):
        lines = ["\n"] * text.count("\n", 0, block.start(1))  # so that a traceback names the line of the page
        code = "".join(lines) + block[1]
        for statement in ast.parse(code, name).body:
            assert statement.end_lineno is not None
            promise = PROMISE.search(code.splitlines()[statement.end_lineno - 1])
            where = f"{name}:{statement.end_lineno}"
            if promise is None:
                exec(compile(ast.Module([statement], []), name, "exec"), namespace)
                continue
            assert isinstance(statement, ast.Expr), f"{where}: only an expression has a value to promise"
            value = eval(compile(ast.Expression(statement.value), name, "eval"), namespace)
            plain = value.item() if isinstance(value, np.generic) else value
            assert promise[1] in (repr(value), repr(plain)), f"{where}: promised {promise[1]}, got {value!r}"
            n_promises += 1
    return n_promises


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page.read_text(encoding="utf-8"), str(page))


def test_drawings_of_circuits_stand_on_the_page_and_are_no_wider_than_a_page():
    page = (ROOT / "docs" / "circuits.md").read_text(encoding="utf-8")
    drawings = sorted((ROOT / "docs" / "images").glob("circuit-*.png"))
    assert drawings
    for drawing in drawings:
        assert f"(images/{drawing.name})" in page
        width = int.from_bytes(drawing.read_bytes()[16:20])  # PNG: the header comes first, width first in it
        assert width <= 1600


def test_a_promised_value_is_compared():
    assert run_page("```python\nx = 2\n```\nthen\n```python\nx + 1  # -> 3\n```\n", "page") == 1
    with pytest.raises(AssertionError, match="page:2: promised 4, got 3"):
        run_page("```python\n1 + 2  # -> 4\n```\n", "page")
