"""A study whose runs or file are spoilt: every command of it says the same, in one line, and leaves all as it is."""

import pytest

from experiments.cli import main

GLASS = """
figure = "fig2"
about = "A glass."
[smoke]
system = "spherical-glass"
settings = { n_spins = 6 }
rate = 0.05
until = { time = 1 }
looks = { per_decade = 3 }
"""


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    """`ask("plot", "latest")`: the exit code, and the last line of complaint, where there is a study file s.toml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(GLASS)

    def said(*words):
        with pytest.raises(SystemExit) as end:
            main(list(words))
        errors = capsys.readouterr().err
        assert "Traceback" not in errors
        assert errors.count("armonica: ") == (end.value.code != 0)
        return end.value.code, errors.splitlines()[-1] if errors else ""

    return said


@pytest.fixture
def made(ask, tmp_path):
    """The folder of the study's only run."""
    assert ask("sweep", "s.toml", "--scale", "smoke")[0] == 0
    (folder,) = (tmp_path / "runs").iterdir()
    return folder


SWEEP = ("sweep", "s.toml", "--scale", "smoke")
PLOT = ("plot", "s.toml", "--scale", "smoke")


def test_rows_that_are_gone_are_missed_in_the_same_words_by_everyone(ask, made):
    (made / "trajectory.jsonl").unlink()
    asked = [("plot", "latest"), ("plot", made.name), ("plot", str(made)), PLOT, SWEEP, (*SWEEP, "--dry-run")]
    said = [ask(*words) for words in asked]
    assert {code for code, _ in said} == {2}
    assert len({line.replace(f"{made.parent.parent}/", "") for _, line in said}) == 1
    assert "trajectory.jsonl should have at least" in said[0][1]
    assert (made / "checkpoint.npz").exists()


def test_a_file_in_the_place_of_a_run_is_called_one_by_everyone(ask, made):
    folder = made.rename(made.parent.parent / "elsewhere")
    made.write_text("mine")
    for words in (("plot", made.name), ("plot", str(made)), PLOT, SWEEP, (*SWEEP, "--dry-run")):
        code, line = ask(*words)
        assert code == 2, words
        assert line.startswith("armonica: a run is a folder; ")
        assert line.endswith(f"{made.name} is a file: move it aside")
    assert made.read_text() == "mine"
    made.unlink()
    folder.rename(made)
    assert ask("plot", made.name)[0] == 0


def test_a_scale_said_of_a_run_is_refused(ask, made):
    assert ask("plot", "latest", "--scale", "smoke") == (
        2,
        "armonica: --scale is of studies; got it with the run 'latest': leave it out, or name a study",
    )
    assert not (made / "learning_curve.png").exists()
    assert ask("plot", "latest")[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("per_decade = 3", "first = 1e-320", "looks.first is a proper time of at least 1e-100; got 1e-320"),
        ("per_decade = 3", 'first = "soon"', "looks.first is a positive number; got 'soon'"),
        ("per_decade = 3", "aging = [1], first_lag = 1e-320", "looks.first_lag is a proper time of at least 1e-100"),
        ("per_decade = 3", 'per_decade = "often"', "(per_decade) are a whole number"),
        ("per_decade = 3", 'aging = ["late"]', "a waiting time is a positive number; got 'late'"),
        ("n_spins = 6", "n_spins = 1e308", "n_spins is a whole number; got 1e+308"),
        ("n_spins = 6", 'n_spins = "six"', "n_spins is a whole number; got 'six'"),
        ("rate = 0.05", "rate = 1e-320", "ends within 2^62 steps; got time 1 at rate 9.99989e-321"),
        ("rate = 0.05", "rate = 0", "a rate is a positive number"),
        ("time = 1", "time = 1e308", "ends within 2^62 steps; got time 1e+308"),
        ("time = 1", 'time = "late"', "time is a finite number of at least 0; got 'late'"),
        ('"spherical-glass"', "{ depth = 1e308 }", "system is one of"),
    ],
)
def test_numbers_that_are_none_in_a_study_are_one_line_of_a_dry_run(ask, tmp_path, old, new, said):
    assert old in GLASS
    (tmp_path / "s.toml").write_text(GLASS.replace(old, new))
    code, line = ask(*SWEEP, "--dry-run")
    assert code == 2
    assert line.startswith("armonica: s.toml: ")
    assert said in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("depth", "said"), [("1e308", "depth is a whole number"), ("100000000", "at most 10000")])
def test_a_network_of_endless_depth_is_refused_before_it_is_laid_out(ask, tmp_path, jsb_path, depth, said):
    network = GLASS.replace("spherical-glass", "deep-rnn").replace("n_spins = 6", f"width = 9, depth = {depth}")
    (tmp_path / "s.toml").write_text(network.replace("rate = ", f"music = {{ source = '{jsb_path}' }}\nrate = "))
    code, line = ask(*SWEEP, "--dry-run")
    assert code == 2
    assert said in line
