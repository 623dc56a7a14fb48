"""armonica stability: the largest rate whose curve is that of a small one."""

import json

import pytest

from experiments import Looks, Music, Store, Task, at, logarithmic
from experiments.looks import Union
from experiments.task import read_task

SMALL = ["--first", "3", "--excerpt", "10"]


def test_stability_finds_the_largest_rate_that_is_still_small(armonica, capsys, tmp_path):
    arguments = ["--system", "spherical-glass", "--set", "n_spins=6", "--until", "5", "--replicas", "2"]
    assert armonica("stability", *arguments, "--rates", "0.001,0.002,0.01,0.05", "--store", tmp_path / "runs") == 2
    assert "must be positive; got energy per spin" in capsys.readouterr().err
    assert not list(tmp_path.glob("runs/*"))  # this is known before anything is learned
    network = ["--set", "width=3", "--set", "depth=1", *SMALL, "--until", "4", "--replicas", "2"]
    rates = ["--rates", "0.02,0.04,0.15,0.2", "--tolerance", "0.02"]
    for _ in range(2):  # the second time all is there
        assert armonica("stability", *network, *rates, "--store", tmp_path, "--out", tmp_path / "new" / "s.png") == 0
        text = capsys.readouterr().out
    assert "largest rate within 2 %: 0.04" in text
    assert (tmp_path / "new" / "s.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads((tmp_path / "new" / "s.json").read_text())
    assert told["largest_stable_rate"] == 0.04
    assert [each["rate"] for each in told["rates"]] == [0.04, 0.15, 0.2]
    assert [each["within"] for each in told["rates"]] == [True, False, False]


def test_what_a_scan_says_does_not_depend_on_longer_runs_in_the_store(armonica, complaint, tmp_path):
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
    assert armonica(*asked) == 0
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
    assert armonica(*asked) == 0
    assert json.loads((tmp_path / "s.json").read_text()) == told
    assert "made by kernel 'plain'; got 'fast" in complaint(
        *[word for word in asked if word not in ("--kernel", "plain")]
    )
    assert armonica(*asked, "--kernel", "graph", "--allow-other-kernel") == 0


def test_stability_refuses_a_bad_picture_before_it_learns_and_overwrites_nobodys_file(complaint, tmp_path):
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
        assert said in complaint("stability", "--set", "width=2", *SMALL, *target)
    assert (tmp_path / "mine.json").read_text() == '{"precious": 1}'
    assert (tmp_path / "photo.png").read_bytes() == b"\x89PNG of the sea"
    assert not (tmp_path / "runs").exists()


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_learned(complaint, tmp_path):
    target = ["--out", "/proc/self/s.png", "--store", tmp_path / "runs"]
    assert "/proc/self cannot be written" in complaint("stability", "--set", "width=2", *SMALL, *target)
    assert not (tmp_path / "runs").exists()


BAD_ARGUMENTS = {
    "stability --system spherical-glass --source x.json": "learns from no music; got --source",
    "stability --rates 0.1": "a scan compares at least two rates; got [0.1]",
    "stability --rates 0.1,quick": "--rates takes numbers like",
    "stability --rates 0.1,-0.1": "a rate is a positive number",
    "stability --since 60": "curves are compared from a time above 0 to a later one; got 60.0, 40.0",
    "stability --rates 0.1,20": "every rate makes at least ten steps",
    "stability --tolerance 0 --rates 0.05,0.1 --until 3": "tolerance is a positive number",
    "stability --tolerance 1e308 --rates 0.05,0.1 --until 3": "tolerance is a positive number below 1",
    "stability --since 5e-324": "since is a proper time of at least 1e-100; got 5e-324",
    "stability --rates 5e-324,0.1": "a run ends within 2^62 steps; got time 40.1 at rate",
    "stability --until 1e308": "a run ends within 2^62 steps; got time 1e+308 at rate 0.0",
    "stability --rates fast": "--rates takes numbers like 0.005,0.01; got 'fast'",
    "stability --kernel turbo": "kernel is fast, plain or graph; got 'turbo'",
    "stability --threads 0": "--threads is a whole number from 1 to 1024; got 0",
}


@pytest.mark.parametrize("words", BAD_ARGUMENTS)
def test_a_bad_argument_ends_in_one_line(complaint, tmp_path, words):
    small = [] if "spherical-glass" in words else ["--set", "width=2", *SMALL]
    assert BAD_ARGUMENTS[words] in complaint("stability", *small, "--store", tmp_path, *words.split()[1:])
    assert not list(tmp_path.glob("*/trajectory.jsonl"))
