"""The benchmark refuses what measures nothing, before it measures anything."""

import importlib.util
import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).parent / "benchmarks" / "recurrent.py"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--turns", "0"], 2, "turns are a whole number of at least 1; got '0'"),
        (["--turns", "²"], 2, "turns are a whole number of at least 1; got '²'"),
        (["--only", "nonsense"], 2, "tables are steps, products, cores, processes, time, sizes; got nonsense"),
        (["--help"], 0, "with commas: steps, products, cores, processes, time, sizes"),
    ],
)
def test_turns_and_tables_are_named_and_checked(words, code, said, capsys, monkeypatch):
    spec = importlib.util.spec_from_file_location("recurrent_benchmark", PLACE)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(sys, "argv", ["recurrent.py", *words])
    with pytest.raises(SystemExit) as end:
        benchmark.main()
    assert end.value.code == code
    assert said in " ".join("".join(capsys.readouterr()).split())
