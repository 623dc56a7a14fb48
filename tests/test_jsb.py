"""The JSB file is read as JSON or as pickle; what is not as it should be is refused in one line, and nothing is run."""

import io
import json
import os
import pickle
import urllib.request
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from encoding import jsb
from encoding.chorales import load_chorales
from encoding.errors import InputError

TINY = {
    "train": [[[48, 64, 67, 72], [55, 62, 67, 71], []], [[60, 64, 67], [60, 64, 67]]],
    "valid": [[[60], [62]]],
    "test": [[[60, 76], [62, 77]]],
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ARMONICA_JSB", raising=False)


def written(path, content):
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif path.suffix == ".json":
        path.write_text(json.dumps(content))
    else:
        path.write_bytes(pickle.dumps(content))
    return path


def pitches(chorales):
    return [chorale.pitches.tolist() for chorale in chorales]


EXPECTED = [[[72, 67, 64, 48], [71, 67, 62, 55], [-1] * 4], [[67, 67, 64, 60], [67, 67, 64, 60]]]


def test_json_holds_sets_that_become_voices(tmp_path):
    chorales = load_chorales(written(tmp_path / "tiny.json", TINY))
    assert pitches(chorales)[0] == EXPECTED[0]
    assert [chorale.n_steps for chorale in chorales] == [3, 2]
    assert [chorale.name for chorale in chorales] == ["JSB train 0", "JSB train 1"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("number", [int, np.int64, np.uint8, np.dtype(">i2").type])
def test_pickle_of_every_protocol_holds_the_same_with_tuples_and_numpy_numbers(tmp_path, protocol, number):
    as_tuples = {split: [[tuple(map(number, chord)) for chord in chorale] for chorale in TINY[split]] for split in TINY}
    path = written(tmp_path / "tiny.pkl", pickle.dumps(as_tuples, protocol))
    assert pitches(load_chorales(path)) == pitches(load_chorales(written(tmp_path / "tiny.json", TINY)))


@pytest.mark.parametrize(("order", "content"), [(b"<", b">" + b"\\x00" * 7), (b">", b"\\x00" * 7 + b">")])
def test_a_pickle_written_by_python_2_is_read(tmp_path, order, content):
    chorale = b"(lp1\n(lp2\nI60\naI64\naa(lp3\ncnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'i8'\nI0\nI1\ntR"
    chorale += b"(I3\nS'" + order + b"'\nNNNI-1\nI-1\nI0\ntbS'" + content + b"'\ntRaa"
    path = written(tmp_path / "old.pickle", b"(dp0\nS'train'\n(lp4\n" + chorale + b"as.")
    assert [sorted(set(chord)) for chord in load_chorales(path)[0].pitches.tolist()] == [[60, 64], [62]]


def test_a_pickle_that_would_run_a_program_runs_nothing(tmp_path):
    marker = tmp_path / "it ran"

    class Malicious:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    path = written(tmp_path / "bad.pkl", {"train": [Malicious()]})
    with pytest.raises(InputError, match=r"asks for \w+\.mkdir; only lists and numbers are read"):
        load_chorales(path)
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists()  # the pickle was a real one


@pytest.mark.parametrize("name", ["builtins\neval", "builtins\ngetattr", "numpy\nload", "os\nsystem", "pickle\nloads"])
def test_a_pickle_gets_no_function_by_name(tmp_path, name):
    path = written(tmp_path / "bad.pkl", f"c{name}\n(S'1'\ntR.".encode())
    with pytest.raises(InputError, match="only lists and numbers are read"):
        load_chorales(path)


def test_a_numpy_number_keeps_its_value(tmp_path):
    for number in (np.uint8(200), np.int8(-100), np.int32(70_000)):
        with pytest.raises(InputError, match=f"expected pitches 43..96; got {number}"):
            load_chorales(written(tmp_path / "tiny.pkl", {"train": [[[number], [60]]]}))


def test_a_pickle_of_numpy_reals_is_refused(tmp_path):
    with pytest.raises(InputError, match="numpy numbers of type 'f8'"):
        load_chorales(written(tmp_path / "reals.pkl", {"train": [[[np.float64(60)]]]}))


WRONG = {
    "no such split": ({"valid": []}, "expected a list of chorales named 'train'; got the splits valid"),
    "no splits": ([[[60]]], "expected a list of chorales named 'train'; got a list"),
    "no chorales": ({"train": []}, "expected chorales in train; got none"),
    "empty chorale": ({"train": [[]]}, "train 0: expected at least 2 steps; got 0"),
    "one step": ({"train": [[[60], [62]], [[60]]]}, "train 1: expected at least 2 steps; got 1"),
    "no list of steps": ({"train": [60]}, "train 0: expected a list of steps; got 60"),
    "no list of pitches": ({"train": [[[60], 60]]}, "train 0, step 1: expected a list of pitches; got 60"),
    "real": ({"train": [[[60], [60.0]]]}, "train 0, step 1: expected whole numbers as pitches; got 60.0"),
    "text": ({"train": [[[60], ["C"]]]}, "train 0, step 1: expected whole numbers as pitches; got 'C'"),
    "truth": ({"train": [[[60], [True]]]}, "expected whole numbers as pitches; got True"),
    "five pitches": ({"train": [[[60], [60, 61, 62, 63, 64]]]}, "train 0, step 1: expected at most 4 pitches"),
    "too low": ({"train": [[[60], [60]], [[60], [42]]]}, "train 1, step 1: expected pitches 43..96; got 42"),
    "too high": ({"train": [[[60], [97]]]}, "train 0, step 1: expected pitches 43..96; got 97"),
}


@pytest.mark.parametrize("suffix", [".json", ".pkl"])
@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_not_as_expected_is_refused_with_the_place(tmp_path, case, suffix):
    content, message = WRONG[case]
    path = written(tmp_path / f"wrong{suffix}", content)
    with pytest.raises(InputError) as refusal:
        load_chorales(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.json", json.dumps(TINY).encode()[:-9], "expected JSON"),
        ("empty.json", b"", "expected JSON"),
        ("music.json", b"MThd\xff\xfe", "expected JSON"),
        ("deep.json", b"[" * 100_000, "expected JSON"),
        ("cut.pkl", pickle.dumps(TINY)[:-9], "expected a pickle"),
        ("empty.pkl", b"", "expected a pickle"),
        ("text.pkl", b"sixty\n", "expected a pickle"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message) as refusal:
        load_chorales(written(tmp_path / name, content))
    assert str(tmp_path / name) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("ARMONICA_JSB", str(tmp_path / "gone.json"))
    for source in ("jsb", tmp_path / "gone.json"):
        with pytest.raises(InputError, match=r"gone\.json: the JSB file cannot be read \(No such file"):
            load_chorales(source)


def test_the_original_key_of_an_unknown_file_is_not_guessed(tmp_path):
    with pytest.raises(InputError, match="the original key of train 0, train 1 is not known"):
        load_chorales(written(tmp_path / "tiny.json", TINY), transpose=False)


def test_what_is_fetched_is_kept_if_it_is_the_known_file(tmp_path, monkeypatch):
    content = json.dumps(TINY).encode()
    asked = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: asked.append(url) or io.BytesIO(content))
    with pytest.raises(InputError, match=r"expected SHA-256 2db9329f1881\.\.\.") as refusal:
        load_chorales("jsb")
    assert "set ARMONICA_JSB" in str(refusal.value)
    monkeypatch.setattr(jsb, "SHA256", jsb._digest(content))
    assert len(load_chorales("jsb")) == len(load_chorales("jsb")) == 2
    assert asked == [jsb.URL] * 2  # once refused, once fetched, then kept
    (tmp_path / "cache" / "jsb-chorales-quarter.json").write_text("damaged")
    assert len(load_chorales("jsb")) == 2
    assert len(asked) == 3


def test_without_network_the_message_says_what_to_do(monkeypatch):
    def unreachable(url, timeout):
        raise URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    with pytest.raises(InputError, match=r"could not be fetched from https.*no route to host.*set ARMONICA_JSB"):
        load_chorales("jsb")


def test_the_fingerprint_is_that_of_the_public_file():
    path = Path(__file__).resolve().parents[2] / "shared" / "data" / "jsb-chorales-quarter.json"
    if not path.is_file():
        pytest.skip("no copy of the public file beside the repository")
    assert jsb._digest(path.read_bytes()) == jsb.SHA256
