"""armonica plot and listen: what is made of a stored run; every mistake ends in one line."""

import shutil

import numpy as np
import pytest

from encoding import load_chorales
from experiments import Store, load_run

SMALL = ["--first", "3", "--excerpt", "10"]
LEARN = ["learn", "--width", "6", "--rate", "0.1", "--until-steps", "12", "--replicas", "2", "--keep-weights", *SMALL]


@pytest.fixture(scope="module")
def store(armonica, tmp_path_factory):
    """A store with one small run."""
    path = tmp_path_factory.mktemp("cli") / "runs"
    armonica(*LEARN, "--store", path)
    return path


@pytest.fixture
def only_run(store):
    (path,) = store.iterdir()
    return path


def test_plot_draws_the_run_and_writes_its_numbers(armonica, capsys, store, only_run, tmp_path):
    for out in ("curve.svg", "curve.pdf"):
        assert armonica("plot", "latest", "--store", store, "--out", tmp_path / out) == 0
        assert (tmp_path / out).stat().st_size > 1000
    assert capsys.readouterr().out.split()[:2] == [str(tmp_path / "curve.svg"), str(tmp_path / "curve.csv")]
    lines = (tmp_path / "curve.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * load_run(only_run).trajectory.n_looks


@pytest.mark.parametrize("choose", ["four", "likeliest", "sample"])
def test_listen_plays_what_opens_as_the_chorale_does(armonica, store, tmp_path, choose):
    from encoding.notation import read_score

    arguments = ["--chorale", "2", "--opening", "4", "--replica", "1", "--choose", choose, "--out", tmp_path / "music"]
    assert armonica("listen", "latest", "--store", store, *arguments) == 0
    names = {path.name for path in (tmp_path / "music").iterdir()}
    stem = {"four": "chorale-2-replica-1", "sample": "chorale-2-replica-1-sample-0"}
    name = stem.get(choose, f"chorale-2-replica-1-{choose}")
    assert names == {f"{name}{suffix}" for suffix in (".mid", ".musicxml", ".wav", ".png")}
    opening = load_chorales(first=3, excerpt=10)[2].pitches[:4]
    for suffix in (".mid", ".musicxml"):
        score = read_score(tmp_path / "music" / f"{name}{suffix}")
        np.testing.assert_array_equal(np.sort(score[:4]), np.sort(opening))


BAD_WISHES = {
    "listen latest --seed 18446744073709551616": "seed is a whole number of at least 0, below 2^63",
    "listen latest --seed -1": "seed is a whole number of at least 0, below 2^63",
    "listen latest --steps 1000000": "1 to 2000 chords are played",
    "listen latest --steps 0": "1 to 2000 chords are played",
    "listen latest --replica 2": "replica is one of 0 to 1; got 2",
    "listen latest --opening 0": "the opening has 1 to",
    "listen latest --chorale 3": "there are chorales 0 to 2; got 3",
    "listen latest --tempo 0": "tempo",
    "listen latest --choose loudest": "choose is one of",
    "plot latest --out curve.bmp": "a figure is written as .png, .svg or .pdf",
}


@pytest.mark.parametrize("words", BAD_WISHES)
def test_a_wish_that_cannot_be_met_ends_in_one_line_and_writes_nothing(complaint, store, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    verb, *rest = words.split()
    out = ["--out", tmp_path / "out"] if verb == "listen" else []
    assert BAD_WISHES[words] in complaint(verb, *rest, *out, "--store", store)
    assert not list(tmp_path.glob("**/*.*"))


def test_a_table_of_something_else_is_not_overwritten(complaint, store, tmp_path):
    (tmp_path / "mine.csv").write_text("mine")
    said = complaint("plot", "latest", "--store", store, "--out", tmp_path / "mine.png")
    assert "mine.csv is no table of a run, and is left as it is" in said
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_picture_cannot_take_the_place_of_a_folder(complaint, store, tmp_path):
    (tmp_path / "curve.png").mkdir()
    said = complaint("plot", "latest", "--store", store, "--out", tmp_path / "curve.png")
    assert str(tmp_path / "curve.png") in said


def test_a_damaged_run_ends_in_one_line(armonica, complaint, store, only_run, tmp_path):
    def spoiled(name, content):
        there = tmp_path / name / only_run.name
        shutil.copytree(only_run, there)
        for file in there.glob(name):
            file.write_bytes(content)
        return tmp_path / name

    cut = spoiled("checkpoint*.npz", b"PK\x03\x04 and no more")
    assert "should have a checkpoint that can be read" in complaint(*LEARN, "--store", cut)
    assert "should have a checkpoint that can be read" in complaint("listen", "latest", "--store", cut)
    assert armonica("plot", "latest", "--store", cut) == 0  # rows are all that it needs
    other = spoiled("task.json", b'{"format": 99}')
    for verb in (LEARN, ["plot", "latest"], ["listen", "latest"]):
        assert "of format 99" in complaint(*verb, "--store", other)


def test_folders_without_rows_are_not_taken_for_runs(complaint, store, only_run, tmp_path):
    shutil.copytree(store, tmp_path / "runs")
    stub = tmp_path / "runs" / "f00d"
    stub.mkdir()
    shutil.copy(only_run / "task.json", stub)
    assert Store(tmp_path / "runs").find("latest").name == only_run.name
    assert "got 'f00d'" in complaint("plot", "f00d", "--store", tmp_path / "runs")
