"""The command line: each verb does its work, and every mistake ends in one line and exit code 2."""

import json
import os
import pickle
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from encoding import load_chorales
from experiments import Looks, Music, Store, Task, at, load_run, logarithmic
from experiments.checkpoints import read_checkpoint, write_checkpoint
from experiments.cli import main
from experiments.looks import Union
from experiments.task import read_task

ROOT = Path(__file__).resolve().parents[1]
SMALL = ["--first", "3", "--excerpt", "10"]
LEARN = ["learn", "--width", "6", "--rate", "0.1", "--until-steps", "12", "--replicas", "2", "--keep-weights", *SMALL]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with one small run."""
    path = tmp_path_factory.mktemp("cli") / "runs"
    run(*LEARN, "--store", path)
    return path


@pytest.fixture
def only_run(store):
    (path,) = store.iterdir()
    return path


def run(*arguments):
    """The exit code of `armonica ARGUMENTS`."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


def complaint(capsys, *arguments):
    """The one line that says what is wrong; warnings, and the folder of the run, may stand before it."""
    assert run(*arguments) == 2
    _, errors = capsys.readouterr()
    assert "Traceback" not in errors
    *before, last = errors.splitlines()
    assert last.startswith("armonica: ")
    assert not any(line.startswith("armonica: ") for line in before)
    return last


@pytest.mark.parametrize(
    "verb", [[], ["learn"], ["plot"], ["listen"], ["data"], ["systems"], ["stability"]], ids=" ".join
)
def test_help_is_there_for_every_verb(capsys, verb):
    assert run(*verb, *(["--help"] if verb else [])) == 0
    text, errors = capsys.readouterr()
    assert "Usage: " in text
    assert errors == ""


def test_help_starts_no_engine_and_leaves_the_library_silent():
    script = "import sys\ntry:\n    from experiments.cli import main; main(['--help'])\nexcept SystemExit: pass\n"
    script += "print(*{'torch', 'matplotlib', 'music21'} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == "\n"
    assert "learn" in done.stdout


def test_data_names_each_chorale_by_the_number_that_listen_takes(capsys):
    assert run("data", "--first", "3", "--each") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        [str(n), *chorale.name.split(), str(chorale.n_steps), "chords"]
        for n, chorale in enumerate(load_chorales(first=3))
    ]


def test_systems_lists_every_setting_with_what_is_done_when_nothing_is_said(capsys):
    assert run("systems") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "deep-rnn (learns from chorales)" in lines
    assert "  rule = exact  one of delayed, exact" in lines
    assert "  n_spins = 48" in lines


def test_stability_finds_the_largest_rate_that_is_still_small(capsys, tmp_path):
    arguments = ["--system", "spherical-glass", "--set", "n_spins=6", "--until", "5", "--replicas", "2"]
    assert run("stability", *arguments, "--rates", "0.001,0.002,0.01,0.05", "--store", tmp_path / "runs") == 2
    assert "must be positive; got energy per spin" in capsys.readouterr().err
    assert not list(tmp_path.glob("runs/*"))  # this is known before anything is learned
    network = ["--set", "width=3", "--set", "depth=1", *SMALL, "--until", "4", "--replicas", "2"]
    rates = ["--rates", "0.02,0.04,0.15,0.2", "--tolerance", "0.02"]
    for _ in range(2):  # the second time all is there
        assert run("stability", *network, *rates, "--store", tmp_path, "--out", tmp_path / "new" / "s.png") == 0
        text = capsys.readouterr().out
    assert "largest rate within 2 %: 0.04" in text
    assert (tmp_path / "new" / "s.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads((tmp_path / "new" / "s.json").read_text())
    assert told["largest_stable_rate"] == 0.04
    assert [each["rate"] for each in told["rates"]] == [0.04, 0.15, 0.2]
    assert [each["within"] for each in told["rates"]] == [True, False, False]


def test_stability_refuses_a_bad_picture_before_it_learns_and_overwrites_nobodys_file(capsys, tmp_path):
    (tmp_path / "mine.json").write_text('{"precious": 1}')
    (tmp_path / "talk.json").write_text('{"what": "largest_stable_rate, reference, tolerance, rates"}')
    (tmp_path / "photo.png").write_bytes(b"\x89PNG of the sea")
    (tmp_path / "note.png").write_text("no picture")
    (tmp_path / "note.json").write_text(
        json.dumps(dict.fromkeys(["reference", "tolerance", "largest_stable_rate", "rates"]))
    )
    for out, said in (
        ("mine.png", "mine.json is no scan of rates"),
        ("talk.png", "talk.json is no scan of rates"),
        ("photo.png", "photo.png is no picture of a scan"),
        ("note.png", "note.png is no picture of a scan"),
        ("x.txt", "a figure is written as"),
    ):
        target = ["--out", tmp_path / out, "--store", tmp_path / "runs"]
        assert said in complaint(capsys, "stability", "--set", "width=2", *SMALL, *target)
    assert (tmp_path / "mine.json").read_text() == '{"precious": 1}'
    assert (tmp_path / "photo.png").read_bytes() == b"\x89PNG of the sea"
    assert not (tmp_path / "runs").exists()


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_learned(capsys, tmp_path):
    target = ["--out", "/proc/self/s.png", "--store", tmp_path / "runs"]
    assert "/proc/self cannot be written" in complaint(capsys, "stability", "--set", "width=2", *SMALL, *target)
    assert not (tmp_path / "runs").exists()


def test_what_a_scan_says_does_not_depend_on_longer_runs_in_the_store(capsys, tmp_path):
    asked = [
        "stability",
        "--set",
        "width=3",
        "--set",
        "depth=1",
        *SMALL,
        "--rates",
        "0.01,0.03,0.07",
        "--replicas",
        "2",
    ]
    asked += ["--until", "1", "--since", "0.2", "--kernel", "plain", "--store", tmp_path, "--out", tmp_path / "s.png"]
    assert run(*asked) == 0
    told = json.loads((tmp_path / "s.json").read_text())
    assert (told["since"], told["until"]) == (0.2, 1.0)
    for each in told["rates"]:  # judged from the first time to the last: 1 is no multiple of 0.03, nor of 0.07
        assert each["time"][0] == pytest.approx(0.2, abs=each["rate"])
        assert 1.0 <= each["time"][-1] < 1.0 + each["rate"]
    for folder in tmp_path.glob("*/task.json"):
        task = read_task(folder.parent)
        music = Music(**task["music"])
        look = Looks(Union((logarithmic(0.2), at([1.0, 1.07]))))
        Store(tmp_path).learn(
            Task(task["system"], task["settings"], task["schedule"]["rate"], music, look, n_replicas=2),
            until=2.0,
            kernel="plain",
        )
    assert len(list(tmp_path.glob("*/task.json"))) == 3  # the same runs went on
    assert run(*asked) == 0
    assert json.loads((tmp_path / "s.json").read_text()) == told
    assert "made by kernel 'plain'; got 'fast" in complaint(
        capsys, *[word for word in asked if word not in ("--kernel", "plain")]
    )
    assert run(*asked, "--kernel", "graph", "--allow-other-kernel") == 0


def test_version_is_that_of_the_package(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"armonica {version('armonica')}\n"


def test_a_loss_that_rises_above_that_of_the_start_is_said(capsys, tmp_path):
    assert run(*LEARN, "--rate", "5", "--store", tmp_path) == 0
    assert "from 1 at the start: the rate is too large" in capsys.readouterr().out


def test_data_describes_the_chorales(capsys):
    assert run("data", "--first", "3") == 0
    text, _ = capsys.readouterr()
    assert str(sum(chorale.n_transitions for chorale in load_chorales(first=3))) in text
    assert "irreducible loss" in text


def test_learn_writes_a_run_and_a_picture_and_says_where(capsys, tmp_path):
    assert run(*LEARN, "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    text, errors = capsys.readouterr()
    assert f"run {path}" in errors
    assert str(path / "learning_curve.png") in text
    assert (path / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    trajectory = load_run(path).trajectory
    assert trajectory.n_replicas == 2
    assert trajectory.step[-1] == 12
    assert len(trajectory.weights) == trajectory.n_looks


def test_learn_again_adds_nothing_and_learn_longer_goes_on(tmp_path):
    rows = []
    for steps in (6, 6, 12):
        assert run(*LEARN, "--until-steps", steps, "--store", tmp_path) == 0
        (path,) = tmp_path.iterdir()
        rows.append((path / "trajectory.jsonl").read_bytes())
    assert rows[0] == rows[1] == rows[2][: len(rows[0])] != rows[2]


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        (["--depth", "1"], 0.04),
        (["--depth", "2"], 0.02),
        (["--depth", "3"], 0.02),
        (["--depth", "6"], 0.01),
        (["--rule", "delayed"], 4e-4),
        (["--rate", "0.5"], 0.5),
    ],
)
def test_the_rate_when_none_is_said_is_that_of_the_scan(tmp_path, said, rate):
    small = ["--width", "2", "--until-steps", "1", "--first", "1", "--excerpt", "3"]
    assert run("learn", *small, *said, "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    assert load_run(path).task["schedule"]["rate"] == rate


def test_learn_takes_every_option(tmp_path):
    settings = "--rule delayed --batch none --depth 1 --set polar=svd"
    rest = "--schedule spikes --aging 0.3,0.6 --seed 3 --looks 5"
    assert run(*LEARN, *settings.split(), *rest.split(), "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    task = load_run(path).task
    assert task["settings"] | {"rule": "delayed", "batch": None, "depth": 1, "polar": "svd"} == task["settings"]
    assert task["schedule"]["kind"] == "halve_at_spikes"
    assert task["seed"] == 3


def test_the_glass_learns_too_but_from_no_music(capsys, tmp_path):
    arguments = ["--system", "spherical-glass", "--set", "n_spins=6", "--until", "2", "--store", tmp_path]
    assert run("learn", *arguments) == 0
    assert "learns from no music; got --first, --excerpt" in complaint(capsys, "learn", *SMALL, *arguments)


def test_plot_draws_the_run_and_writes_its_numbers(capsys, store, only_run, tmp_path):
    for out in ("curve.svg", "curve.pdf"):
        assert run("plot", "latest", "--store", store, "--out", tmp_path / out) == 0
        assert (tmp_path / out).stat().st_size > 1000
    assert capsys.readouterr().out.split()[:2] == [str(tmp_path / "curve.svg"), str(tmp_path / "curve.csv")]
    lines = (tmp_path / "curve.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * load_run(only_run).trajectory.n_looks


@pytest.mark.parametrize("choose", ["four", "likeliest", "sample"])
def test_listen_plays_what_opens_as_the_chorale_does(store, tmp_path, choose):
    from encoding.notation import read_score

    arguments = ["--chorale", "2", "--opening", "4", "--replica", "1", "--choose", choose, "--out", tmp_path / "music"]
    assert run("listen", "latest", "--store", store, *arguments) == 0
    names = {path.name for path in (tmp_path / "music").iterdir()}
    stem = {"four": "chorale-2-replica-1", "sample": "chorale-2-replica-1-sample-0"}
    name = stem.get(choose, f"chorale-2-replica-1-{choose}")
    assert names == {f"{name}{suffix}" for suffix in (".mid", ".musicxml", ".wav", ".png")}
    opening = load_chorales(first=3, excerpt=10)[2].pitches[:4]
    for suffix in (".mid", ".musicxml"):
        score = read_score(tmp_path / "music" / f"{name}{suffix}")
        np.testing.assert_array_equal(np.sort(score[:4]), np.sort(opening))


BAD_ARGUMENTS = {
    "learn --width 0": "width is a whole number of at least 1; got 0",
    "learn --depth -2": "depth is a whole number of at least 1; got -2",
    "learn --replicas 0": "n_replicas",
    "learn --seed -1": "seed",
    "learn --seed 9223372036854775808": "seed",
    "learn --rate 0": "a rate is a positive number of at most 1e+100; got 0",
    "learn --rate -1": "a rate is a positive number of at most 1e+100; got -1",
    "learn --rate nan": "a rate is a positive number of at most 1e+100; got nan",
    "learn --rate fast": "Invalid value for '--rate'",
    "learn --batch 0": "batch is a whole number of at least 1",
    "learn --batch some": "batch is a whole number; got 'some'",
    "learn --rule guess": "rule is one of delayed, exact; got 'guess'",
    "learn --source nowhere": "unknown source 'nowhere'",
    "learn --split all": "unknown split 'all'",
    "learn --first -1": "first is a number of chorales, or 0 for all; got -1",
    "learn --excerpt 1": "excerpt is a whole number of at least 2",
    "learn --system piano": "system is one of deep-rnn, spherical-glass",
    "learn --set widht=3": "did you mean 'width'",
    "learn --set width": "--set takes name=value; got 'width'",
    "learn --width 3 --set width=4": "width is given twice",
    "learn --schedule never": "schedule is one of constant, spikes; got 'never'",
    "learn --looks 0": "looks a decade (per_decade) are a whole number, at least 1 and at most 1000000; got 0",
    "learn --aging soon": "--aging takes numbers like 80,160,320; got 'soon'",
    "learn --aging 80,-1": "a waiting time is a positive number",
    "learn --until nan": "until: ",
    "learn --until-steps -1": "until: ",
    "learn --threads 0": "--threads is a whole number from 1 to 1024; got 0",
    "learn --save-every nan": "save_every is in seconds",
    "learn --loudly": "--loudly",
    "learn --looks 1000000000000000000000000000000": "looks a decade",
    "learn --until-loss -1": "no machine comes below",
    "learn --source ~nobody-of-this-name/x": "there is no such user",
    "learn --source x.json --system spherical-glass": "learns from no music",
    "learn --system spherical-glass --set disorder=1e30": "disorder is a whole number",
    "learn --system spherical-glass --rate 1e308 --until-steps 5": "a rate is a positive number of at most 1e+100",
    "learn --system spherical-glass --replicas 100000000": "GB of memory",
    "learn --rate 1e100 --until 1": "start anew with a lower rate",
    "learn --schedule spikes --rate 1e100 --until-steps 100000": "of 1 replica(s) 1 was given up",
    "learn --until -1": "until: time is a finite number of at least 0; got -1.0",
    "learn --device cuda:9": "device cuda:9 was asked for, but torch",
    "learn --device cuda --kernel fast": "kernel fast runs on the processor",
    "learn --kernel turbo": "kernel is fast, plain or graph; got 'turbo'",
    "stability --system spherical-glass --source x.json": "learns from no music; got --source",
    "learn --device cpu:1": "device is cpu, cuda or cuda:0",
    "stability --rates 0.1": "a scan compares at least two rates; got [0.1]",
    "stability --rates 0.1,quick": "--rates takes numbers like",
    "stability --rates 0.1,-0.1": "a rate is a positive number",
    "stability --since 60": "curves are compared from a time above 0 to a later one; got 60.0, 50.0",
    "stability --rates 0.1,20": "every rate makes at least ten steps",
    "stability --tolerance 0 --rates 0.05,0.1 --until 3": "tolerance is a positive number",
    "stability --tolerance 1e308 --rates 0.05,0.1 --until 3": "tolerance is a positive number below 1",
    "stability --since 5e-324": "since is a proper time of at least 1e-100; got 5e-324",
    "stability --rates 5e-324,0.1": "a run ends within 2^62 steps; got time 50.1 at rate",
    "stability --until 1e308": "a run ends within 2^62 steps; got time 1e+308 at rate 0.0",
    "stability --rates fast": "--rates takes numbers like 0.005,0.01; got 'fast'",
    "stability --kernel turbo": "kernel is fast, plain or graph; got 'turbo'",
    "stability --threads 0": "--threads is a whole number from 1 to 1024; got 0",
    "learn --threads 1025": "--threads is a whole number from 1 to 1024; got 1025",
    "learn --until 1e308": "a run ends within 2^62 steps; got time 1e+308 at rate 0.02",
    "learn --until 1 --rate 5e-324": "a run ends within 2^62 steps",
    "learn --schedule spikes --until 1 --rate 1e-30": "a run ends within 2^62 steps",
    "learn --until-steps 10000000000000000000": "a run ends within 2^62 steps; got 10000000000000000000 steps",
    "learn --batch 1e20": "batch is a whole number; got '1e20'",
    "learn --batch 123456789012345678901": "GB of memory",
    "learn --set width=0x10": "width is a whole number; got '0x10'",
    "learn --set precision=float64 --kernel fast": "ask for plain or graph",
    "learn --system spherical-glass --device cuda": "has the kernel plain on cpu; got plain on cuda",
    "sing": "No such command 'sing'",
    "plot": "Missing argument",
    "plot nothing": "a run is a folder, a key of the store, or 'latest'; got 'nothing'",
    "listen nothing": "a run is a folder, a key of the store, or 'latest'; got 'nothing'",
    "data --split all": "unknown split 'all'",
}


@pytest.mark.parametrize("words", BAD_ARGUMENTS)
def test_a_bad_argument_ends_in_one_line(capsys, tmp_path, words):
    verb, *rest = words.split()
    small = [] if "spherical-glass" in rest else SMALL
    there = ["--store", tmp_path]
    elsewhere = {
        "learn": [*small, *there],
        "data": SMALL,
        "stability": [*(["--set", "width=2"] if small else []), *small, *there],
    }.get(verb, [])
    assert BAD_ARGUMENTS[words] in complaint(capsys, verb, *elsewhere, *rest)
    if "start anew" not in BAD_ARGUMENTS[words] and "given up" not in BAD_ARGUMENTS[words]:
        assert not list(tmp_path.glob("*/trajectory.jsonl"))


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
def test_a_wish_that_cannot_be_met_ends_in_one_line_and_writes_nothing(capsys, store, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    verb, *rest = words.split()
    out = ["--out", tmp_path / "out"] if verb == "listen" else []
    assert BAD_WISHES[words] in complaint(capsys, verb, *rest, *out, "--store", store)
    assert not list(tmp_path.glob("**/*.*"))


def test_a_table_of_something_else_is_not_overwritten(capsys, store, tmp_path):
    (tmp_path / "mine.csv").write_text("mine")
    said = complaint(capsys, "plot", "latest", "--store", store, "--out", tmp_path / "mine.png")
    assert "mine.csv is no table of a run, and is left as it is" in said
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_picture_cannot_take_the_place_of_a_folder(capsys, store, tmp_path):
    (tmp_path / "curve.png").mkdir()
    said = complaint(capsys, "plot", "latest", "--store", store, "--out", tmp_path / "curve.png")
    assert str(tmp_path / "curve.png") in said


def test_a_terminal_without_greek_letters_gets_the_table_too(tmp_path):
    script = "from experiments.cli import main; main()"
    command = [sys.executable, "-c", script, *LEARN, "--store", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"picture: " in done.stdout


def test_damaged_notes_on_who_made_a_run_stop_it_before_it_learns(capsys, store, only_run, tmp_path):
    import shutil

    there = tmp_path / "runs" / only_run.name
    shutil.copytree(only_run, there)
    (there / "made_by.json").write_text("{")
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    said = complaint(capsys, *LEARN, "--until-steps", "20", "--store", there.parent)
    assert "made_by.json" in said
    assert "move it aside" in said
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before


class Malice:
    def __reduce__(self):
        return os.system, ("touch malice-was-here",)


def jsb(chords):
    return json.dumps({"train": [chords, chords], "valid": [], "test": []}).encode()


BAD_FILES = {
    "missing.json": (None, "cannot be read"),
    "truncated.json": (jsb([[48, 55, 64, 72]] * 3)[:-9], "truncated.json"),
    "prose.json": (b"Wie schoen leuchtet der Morgenstern", "prose.json"),
    "one-step.json": (jsb([[48, 55, 64, 72]]), "one-step.json"),
    "too-low.json": (jsb([[42, 55, 64, 72]] * 3), "42"),
    "too-high.json": (jsb([[48, 55, 64, 97]] * 3), "97"),
    "five-voices.json": (jsb([[48, 55, 60, 64, 72]] * 3), "five-voices.json"),
    "malice.pkl": (pickle.dumps({"train": Malice()}), "only lists and numbers are read"),
    "noise.mid": (b"MThd\x00\x00\x00\x06\x00", "noise.mid"),
}


@pytest.mark.parametrize("verb", ["learn", "data"])
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_data_file_ends_in_one_line(capsys, tmp_path, monkeypatch, verb, name):
    monkeypatch.chdir(tmp_path)
    content, said = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert said in complaint(capsys, verb, "--source", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ([] if content is None else [name])


def test_a_damaged_run_ends_in_one_line(capsys, store, only_run, tmp_path):
    import shutil

    def spoiled(name, content):
        there = tmp_path / name / only_run.name
        shutil.copytree(only_run, there)
        for file in there.glob(name):
            file.write_bytes(content)
        return tmp_path / name

    cut = spoiled("checkpoint*.npz", b"PK\x03\x04 and no more")
    assert "should have a checkpoint that can be read" in complaint(capsys, *LEARN, "--store", cut)
    assert "should have a checkpoint that can be read" in complaint(capsys, "listen", "latest", "--store", cut)
    assert run("plot", "latest", "--store", cut) == 0  # rows are all that it needs
    other = spoiled("task.json", b'{"format": 99}')
    for verb in (LEARN, ["plot", "latest"], ["listen", "latest"]):
        assert "of format 99" in complaint(capsys, *verb, "--store", other)


def test_a_store_that_cannot_be_written_ends_in_one_line(capsys, tmp_path):
    (tmp_path / "file").touch()
    stability = ["stability", "--set", "width=2", *SMALL]
    below = tmp_path / "file" / "below"
    picture = [*stability, "--store", tmp_path, "--out", tmp_path / "file" / "x.png"]
    for words in ([*LEARN, "--store", tmp_path / "file"], [*stability, "--store", below], picture):
        assert "a folder is wanted there, and a file is in its place: name another" in complaint(capsys, *words)


def test_threads_of_the_environment_are_looked_at_before_a_folder_is_made(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ARMONICA_THREADS", "²")
    assert "ARMONICA_THREADS is a whole number from 1 to 1024" in complaint(
        capsys, *LEARN, "--store", tmp_path / "runs"
    )
    assert not (tmp_path / "runs").exists()


def test_what_cannot_be_computed_leaves_no_folder_and_no_word_of_a_run(capsys, tmp_path, monkeypatch):
    from classical import DeepRNN

    def full(self):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes.")

    monkeypatch.setattr(DeepRNN, "loss", full)
    assert run(*LEARN, "--store", tmp_path / "runs") == 2
    errors = capsys.readouterr().err
    assert "armonica: there is not enough memory" in errors
    assert "run " not in errors.replace("replica", "")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("error", [RuntimeError("a bug"), EOFError("a bug")])
def test_what_is_no_mistake_of_the_user_is_neither_a_lack_of_memory_nor_a_stop(tmp_path, monkeypatch, error):
    from classical import DeepRNN

    monkeypatch.setattr(DeepRNN, "loss", lambda self: (_ for _ in ()).throw(error))
    with pytest.raises(type(error), match="a bug"):
        main([*LEARN, "--store", str(tmp_path / "runs")])


def test_folders_without_rows_are_not_taken_for_runs(capsys, store, only_run, tmp_path):
    import shutil

    shutil.copytree(store, tmp_path / "runs")
    stub = tmp_path / "runs" / "f00d"
    stub.mkdir()
    shutil.copy(only_run / "task.json", stub)
    assert Store(tmp_path / "runs").find("latest").name == only_run.name
    assert "got 'f00d'" in complaint(capsys, "plot", "f00d", "--store", tmp_path / "runs")


def test_a_run_of_the_fast_kernel_before_it_named_its_lanes_goes_on(capsys, tmp_path):
    assert run(*LEARN, "--kernel", "fast", "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    (made,) = json.loads((path / "made_by.json").read_text())["kernels"]
    assert made in ("fast, 8 lanes", "fast, 16 lanes")
    saved = read_checkpoint(path / "checkpoint.npz")
    longer = [*LEARN, "--until-steps", "20", "--store", tmp_path]
    for kernel in ("fast, 4 lanes", "fast"):
        write_checkpoint(path, saved | {"run.kernel": np.array(kernel)})
        (path / "checkpoint.before.npz").unlink()
        if kernel != "fast":
            assert f"was made by kernel '{kernel}'; got '{made}'" in complaint(capsys, *longer)
    assert run(*longer) == 0
    assert "was made by kernel fast without saying its lanes: taken to be fast, " in capsys.readouterr().err


def test_a_loss_that_is_not_finite_ends_in_one_line_that_says_what_to_do(capsys, tmp_path):
    for end in ("--until-steps", "--until"):
        said = complaint(capsys, *LEARN, "--rate", "1e38", end, "12", "--store", tmp_path)
        assert "start anew with a lower rate" in said


def test_a_run_without_a_look_yet_is_no_mistake(tmp_path):
    assert run(*LEARN, "--rate", "0.01", "--until-steps", "1", "--store", tmp_path) == 0
