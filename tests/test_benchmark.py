"""The benchmark refuses what measures nothing, before it measures anything."""

import importlib.util
import sys
from pathlib import Path

import pytest

PLACE = Path(__file__).parent / "benchmarks"
CLASSICAL = "steps, products, cores, processes, time, sizes"
QUANTUM = "steps, pennylane, sizes, cores, small"
PERCEPTRON = "sweeps, large, drawing"
NOISY = "FakeManilaV2, FakeSherbrooke, FakeTorino"
DIGITS = "relu, binary"
MELTING = "speed, untrained"


@pytest.mark.parametrize(
    ("script", "tables"),
    [
        ("recurrent", CLASSICAL),
        ("quantum_recurrent", QUANTUM),
        ("noisy_shots", NOISY),
        ("perceptron", PERCEPTRON),
        ("digits", DIGITS),
        ("melting", MELTING),
    ],
)
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--turns", "0"], 2, "turns are a whole number of at least 1; got '0'"),
        (["--turns", "²"], 2, "turns are a whole number of at least 1; got '²'"),
        (["--only", "nonsense"], 2, "tables are {tables}; got nonsense"),
        (["--help"], 0, "with commas: {tables}"),
    ],
)
def test_turns_and_tables_are_named_and_checked(script, tables, words, code, said, capsys, monkeypatch):
    spec = importlib.util.spec_from_file_location(f"{script}_benchmark", PLACE / f"{script}.py")
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(sys, "argv", [script, *words])
    with pytest.raises(SystemExit) as end:
        benchmark.main()
    assert end.value.code == code
    assert said.format(tables=tables) in " ".join("".join(capsys.readouterr()).split())
