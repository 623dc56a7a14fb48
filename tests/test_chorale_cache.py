"""Scores are parsed once: what is kept is found again, shared by processes, and made again when damaged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from encoding.cache import cache_folder
from encoding.chorales import load_chorales, sha256

ROOT = Path(__file__).resolve().parents[1]
FIRST = 3
LOAD = f"from encoding.chorales import load_chorales, sha256; print(sha256(load_chorales(first={FIRST})))"


@pytest.fixture(scope="session")
def fingerprint(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARMONICA_CACHE", str(tmp_path_factory.mktemp("reference")))
        return sha256(load_chorales(first=FIRST))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An own empty cache."""
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "chorales"


def start(code):
    return subprocess.Popen([sys.executable, "-W", "error", "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_at_once_fill_one_cache(kept, fingerprint):
    both = [start(LOAD) for _ in range(2)]
    assert [process.communicate()[0].strip() for process in both] == [fingerprint] * 2
    assert len(list(kept.iterdir())) == FIRST  # and no part files


def test_a_second_load_does_not_need_music21(kept, fingerprint):
    load_chorales(first=FIRST)
    without, _ = start(f"import sys; sys.modules['music21'] = None; {LOAD}").communicate()
    assert without.strip() == fingerprint


def test_only_what_is_asked_for_is_parsed(kept):
    load_chorales(first=1)
    assert [file.name[:10] for file in kept.iterdir()] == ["train-000-"]


@pytest.mark.parametrize("damage", ["emptied", "cut short", "one bit flipped", "overwritten", "another chorale"])
def test_a_damaged_file_is_made_again_and_the_log_says_so_in_one_line(kept, fingerprint, caplog, damage):
    load_chorales(first=FIRST)
    victim, other, _ = sorted(kept.iterdir())
    whole = victim.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    victim.write_bytes(
        {
            "emptied": b"",
            "cut short": whole[:-40],
            "one bit flipped": flipped,
            "overwritten": b"glass" * 200,
            "another chorale": other.read_bytes(),
        }[damage]
    )
    assert sha256(load_chorales(first=FIRST)) == fingerprint
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "cannot be read" in told[0]
    assert "\n" not in told[0]
    assert sha256(load_chorales(first=FIRST)) == fingerprint
    assert len(caplog.records) == 1  # replaced: nothing more to say


def test_a_cache_that_cannot_be_written_costs_time_and_not_the_chorales(tmp_path, monkeypatch, caplog, fingerprint):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path / "file"))
    assert sha256(load_chorales(first=FIRST)) == fingerprint
    assert len(caplog.records) == 1
    assert "name a folder by ARMONICA_CACHE" in caplog.text


def test_music21_leaves_nothing_in_the_temporary_folder(tmp_path):
    code = LOAD.replace(f"first={FIRST}", "first=1")
    settings = os.environ | {"TMPDIR": str(tmp_path), "ARMONICA_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=settings, check=True, capture_output=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["cache"]


def test_a_bar_is_shown_on_standard_error_while_scores_are_read(kept, capfd):
    load_chorales(first=1, progress=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "reading chorales" in shown.err


def test_the_cache_is_where_the_variable_says_else_where_the_system_has_it(monkeypatch, tmp_path):
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("ARMONICA_CACHE")
    assert "armonica" in cache_folder().parts
