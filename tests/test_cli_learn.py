"""armonica learn: the run that was asked for, gone on with; every mistake ends in one line."""

import json

import numpy as np
import pytest

from experiments import load_run
from experiments.checkpoints import read_checkpoint, write_checkpoint

SMALL = ["--first", "3", "--excerpt", "10"]
LEARN = ["learn", "--width", "6", "--rate", "0.1", "--until-steps", "12", "--replicas", "2", "--keep-weights", *SMALL]


def test_learn_writes_a_run_and_a_picture_and_says_where(armonica, capsys, tmp_path):
    assert armonica(*LEARN, "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    text, errors = capsys.readouterr()
    assert f"run {path}" in errors
    assert str(path / "learning_curve.png") in text
    assert (path / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    trajectory = load_run(path).trajectory
    assert trajectory.n_replicas == 2
    assert trajectory.step[-1] == 12
    assert len(trajectory.weights) == trajectory.n_looks


def test_learn_again_adds_nothing_and_learn_longer_goes_on(armonica, tmp_path):
    rows = []
    for steps in (6, 6, 12):
        assert armonica(*LEARN, "--until-steps", steps, "--store", tmp_path) == 0
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
def test_the_rate_when_none_is_said_is_that_of_the_scan(armonica, tmp_path, said, rate):
    small = ["--width", "2", "--until-steps", "1", "--first", "1", "--excerpt", "3"]
    assert armonica("learn", *small, *said, "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    assert load_run(path).task["schedule"]["rate"] == rate


def test_learn_takes_every_option(armonica, tmp_path):
    settings = "--rule delayed --batch none --depth 1 --set polar=svd"
    rest = "--schedule spikes --aging 0.3,0.6 --seed 3 --looks 5"
    assert armonica(*LEARN, *settings.split(), *rest.split(), "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    task = load_run(path).task
    assert task["settings"] | {"rule": "delayed", "batch": None, "depth": 1, "polar": "svd"} == task["settings"]
    assert task["schedule"]["kind"] == "halve_at_spikes"
    assert task["seed"] == 3


def test_the_glass_learns_too_but_from_no_music(armonica, complaint, tmp_path):
    arguments = ["--system", "spherical-glass", "--set", "n_spins=6", "--until", "2", "--store", tmp_path]
    assert armonica("learn", *arguments) == 0
    assert "learns from no music; got --first, --excerpt" in complaint("learn", *SMALL, *arguments)


def test_perceptrons_learn_and_their_settings_are_listed(armonica, capsys, tmp_path):
    arguments = ["--system", "deep-perceptron", "--set", "alpha=3", "--until", "5", "--store", tmp_path]
    assert armonica("learn", "--width", 6, "--depth", 2, "--replicas", 2, *arguments) == 0
    (path,) = tmp_path.iterdir()
    run = load_run(path)
    assert (run.task["schedule"]["rate"], run.unit) == (1.0, "wrong bits per output bit")
    assert run.trajectory.measured["r2"].shape[1:] == (2, 2)
    capsys.readouterr()
    assert armonica("systems") == 0
    assert "  start = learning  one of learning, unlearning" in capsys.readouterr().out


def test_a_loss_that_rises_above_that_of_the_start_is_said(armonica, capsys, tmp_path):
    assert armonica(*LEARN, "--rate", "5", "--store", tmp_path) == 0
    assert "from 1 at the start: the rate is too large" in capsys.readouterr().out


def test_a_run_without_a_look_yet_is_no_mistake(armonica, tmp_path):
    assert armonica(*LEARN, "--rate", "0.01", "--until-steps", "1", "--store", tmp_path) == 0


BAD_ARGUMENTS = {
    "learn --system digits --data=": "got ''",
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
    "learn --system piano": "system is one of deep-perceptron, deep-rnn, digits, quantum, spherical-glass",
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
    "learn --device cpu:1": "device is cpu, cuda or cuda:0",
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
    "learn --system deep-perceptron --device cuda": "has the kernels fast and plain, on cpu; got device cuda",
    "learn --system deep-perceptron --depth 0": "depth L is a whole number of at least 1; got 0",
    "learn --system deep-perceptron --set alpha=-1": "alpha is a number, finite and above 0; got -1.0",
    "learn --system deep-perceptron --set r=2": "r is a number, from 0 to 1; got 2.0",
    "learn --system deep-perceptron --set alpha=1e14": "GB of memory",
    "learn --system deep-perceptron --set delta=1e155": "delta is a number, from 0.0001 to 1e+06; got 1e+155",
    "learn --system deep-perceptron --set delta=1e-6": "delta is a number, from 0.0001 to 1e+06; got 1e-06",
    "learn --system deep-perceptron --set scenario=random --set start=unlearning": "random data have no teacher",
    "learn --system deep-perceptron --kernel graph": "has the kernels fast and plain; got 'graph'",
}


@pytest.mark.parametrize("words", BAD_ARGUMENTS)
def test_a_bad_argument_ends_in_one_line(complaint, tmp_path, words):
    small = [] if any(name in words for name in ("spherical-glass", "deep-perceptron", "digits")) else SMALL
    assert BAD_ARGUMENTS[words] in complaint("learn", *small, "--store", tmp_path, *words.split()[1:])
    if "start anew" not in BAD_ARGUMENTS[words] and "given up" not in BAD_ARGUMENTS[words]:
        assert not list(tmp_path.glob("*/trajectory.jsonl"))


def test_a_loss_that_is_not_finite_ends_in_one_line_that_says_what_to_do(complaint, tmp_path):
    for end in ("--until-steps", "--until"):
        said = complaint(*LEARN, "--rate", "1e38", end, "12", "--store", tmp_path)
        assert "start anew with a lower rate" in said


def test_threads_of_the_environment_are_looked_at_before_a_folder_is_made(complaint, tmp_path, monkeypatch):
    monkeypatch.setenv("ARMONICA_THREADS", "²")
    assert "ARMONICA_THREADS is a whole number from 1 to 1024" in complaint(*LEARN, "--store", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_damaged_notes_on_who_made_a_run_stop_it_before_it_learns(armonica, complaint, tmp_path):
    assert armonica(*LEARN, "--store", tmp_path) == 0
    (there,) = tmp_path.iterdir()
    (there / "made_by.json").write_text("{")
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    said = complaint(*LEARN, "--until-steps", "20", "--store", tmp_path)
    assert "made_by.json" in said
    assert "move it aside" in said
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before


def test_a_run_of_the_fast_kernel_before_it_named_its_lanes_goes_on(armonica, complaint, capsys, tmp_path):
    assert armonica(*LEARN, "--kernel", "fast", "--store", tmp_path) == 0
    (path,) = tmp_path.iterdir()
    (made,) = json.loads((path / "made_by.json").read_text())["kernels"]
    assert made in ("fast, 8 lanes", "fast, 16 lanes")
    saved = read_checkpoint(path / "checkpoint.npz")
    longer = [*LEARN, "--until-steps", "20", "--store", tmp_path]
    for kernel in ("fast, 4 lanes", "fast"):
        write_checkpoint(path, saved | {"run.kernel": np.array(kernel)})
        (path / "checkpoint.before.npz").unlink()
        if kernel != "fast":
            assert f"was made by kernel '{kernel}'; got '{made}'" in complaint(*longer)
    assert armonica(*longer) == 0
    assert "was made by kernel fast without saying its lanes: taken to be fast, " in capsys.readouterr().err
