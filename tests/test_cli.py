"""The command line: every mistake ends in one line and exit code 2, and what is a bug stays one."""

import json
import os
import pickle
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from encoding import load_chorales
from experiments.cli import main

ROOT = Path(__file__).resolve().parents[1]
SMALL = ["--first", "3", "--excerpt", "10"]
VERBS = "learn plot listen data systems stability sweep audit backends submit jobs collect cancel train".split()
LEARN = ["learn", "--width", "6", "--rate", "0.1", "--until-steps", "12", "--replicas", "2", "--keep-weights", *SMALL]


@pytest.mark.parametrize(
    "verb",
    [[], *([verb] for verb in VERBS)],
    ids=" ".join,
)
def test_help_is_there_for_every_verb(armonica, capsys, verb):
    assert armonica(*verb, *(["--help"] if verb else [])) == 0
    text, errors = capsys.readouterr()
    assert "Usage: " in text
    assert errors == ""


def test_help_starts_no_engine_and_leaves_the_library_silent():
    script = "import sys\ntry:\n    from experiments.cli import main; main(['--help'])\nexcept SystemExit: pass\n"
    script += "print(*{'torch', 'matplotlib', 'music21'} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == "\n"
    assert "learn" in done.stdout


def test_version_is_that_of_the_package(armonica, capsys):
    assert armonica("--version") == 0
    assert capsys.readouterr().out == f"armonica {version('armonica')}\n"


def test_data_describes_the_chorales(armonica, capsys):
    assert armonica("data", "--first", "3") == 0
    text, _ = capsys.readouterr()
    assert str(sum(chorale.n_transitions for chorale in load_chorales(first=3))) in text
    assert "irreducible loss" in text


def test_data_names_each_chorale_by_the_number_that_listen_takes(armonica, capsys):
    assert armonica("data", "--first", "3", "--each") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        [str(n), *chorale.name.split(), str(chorale.n_steps), "chords"]
        for n, chorale in enumerate(load_chorales(first=3))
    ]


def test_systems_lists_every_setting_with_what_is_done_when_nothing_is_said(armonica, capsys):
    assert armonica("systems") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "deep-rnn (learns from chorales)" in lines
    assert "  rule = exact  one of delayed, exact" in lines
    assert "  n_spins = 48" in lines


BAD_ARGUMENTS = {
    "sing": "No such command 'sing'",
    "plot": "Missing argument",
    "plot nothing": "a run is a folder, a key of the store, or 'latest'; got 'nothing'",
    "listen nothing": "a run is a folder, a key of the store, or 'latest'; got 'nothing'",
    "data --split all": "unknown split 'all'",
}


@pytest.mark.parametrize("words", BAD_ARGUMENTS)
def test_a_bad_argument_ends_in_one_line(complaint, words):
    assert BAD_ARGUMENTS[words] in complaint(*words.split())


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
def test_a_bad_data_file_ends_in_one_line(complaint, tmp_path, monkeypatch, verb, name):
    monkeypatch.chdir(tmp_path)
    content, said = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert said in complaint(verb, "--source", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ([] if content is None else [name])


def test_a_store_that_cannot_be_written_ends_in_one_line(complaint, tmp_path):
    (tmp_path / "file").touch()
    stability = ["stability", "--set", "width=2", *SMALL]
    below = tmp_path / "file" / "below"
    picture = [*stability, "--store", tmp_path, "--out", tmp_path / "file" / "x.png"]
    for words in ([*LEARN, "--store", tmp_path / "file"], [*stability, "--store", below], picture):
        assert "a folder is wanted there, and a file is in its place: name another" in complaint(*words)


def test_a_terminal_without_greek_letters_gets_the_table_too(tmp_path):
    script = "from experiments.cli import main; main()"
    command = [sys.executable, "-c", script, *LEARN, "--store", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"picture: " in done.stdout


def test_what_cannot_be_computed_leaves_no_folder_and_no_word_of_a_run(armonica, capsys, tmp_path, monkeypatch):
    from classical import DeepRNN

    def full(self):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes.")

    monkeypatch.setattr(DeepRNN, "loss", full)
    assert armonica(*LEARN, "--store", tmp_path / "runs") == 2
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
