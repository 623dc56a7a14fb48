"""Compiled code is kept between processes, made again where it is damaged, and named by what its numbers depend on."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from classical import DeepRNN
from classical.kernels.lanes import n_lanes
from encoding import InputError, kept
from encoding.threads import n_threads

ROOT = Path(__file__).resolve().parents[1]

TINY = """
import numpy as np
from numba import njit

@njit(cache=True)
def double(x):
    return 2 * x

def ready():
    assert double(3.0) == 6.0
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Loads a module with one compiled function, kept in a folder of its own; `begin()` is another process."""
    (tmp_path / "tiny_kernels.py").write_text(TINY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path / "cache"))

    def begin():
        sys.modules.pop("tiny_kernels", None)
        module = kept.load("tiny_kernels", ["tiny_kernels"], b"tiny")
        return module.double.stats

    yield begin
    sys.modules.pop("tiny_kernels", None)


def test_compiled_code_is_kept_and_its_making_is_said_once(tiny, tmp_path, caplog):
    assert sum(tiny().cache_misses.values()) == 1
    assert [record.getMessage()[:27] for record in caplog.records] == ["compiling the kernels, once"]
    again = tiny()
    assert (sum(again.cache_hits.values()), sum(again.cache_misses.values())) == (1, 0)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [b"", b"garbage", "half"], ids=str)
def test_damaged_code_is_said_removed_and_compiled_again(tiny, tmp_path, caplog, kind, damage):
    tiny()
    (file,) = tmp_path.glob(f"cache/**/*.{kind}")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    caplog.clear()
    assert sum(tiny().cache_misses.values()) == 1
    said = [record.getMessage() for record in caplog.records]
    assert "are damaged" in said[0]
    assert all("\n" not in line for line in said)
    assert sum(tiny().cache_hits.values()) == 1


def test_a_full_disk_and_a_folder_that_cannot_be_written_only_cost_the_keeping(tiny, tmp_path, caplog, monkeypatch):
    from numba.core import caching

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(caching.IndexDataCacheFile, "_save_index", full)
        patched.setattr(kept, "_unkept", lambda name, modules, why, part: why)
        sys.modules.pop("tiny_kernels", None)
        assert "No space left" in kept.load("tiny_kernels", ["tiny_kernels"], b"tiny")
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path / "file"))
    tiny()
    assert "compiled kernels are not kept, and compiled again next time" in caplog.text


NOT_KEPT = """
import sys, tempfile
sys.path.insert(0, sys.argv[1])
from encoding import kept
kept.load("tiny_kernels", ["tiny_kernels"], b"tiny")
"""


def test_what_cannot_be_kept_is_removed_when_the_process_ends(tiny, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "for-a-while").mkdir()
    environment = os.environ | {"ARMONICA_CACHE": str(tmp_path / "file"), "TMPDIR": str(tmp_path / "for-a-while")}
    words = [sys.executable, "-c", NOT_KEPT, str(tmp_path)]
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "not kept" in done.stderr
    assert not list((tmp_path / "for-a-while").iterdir())


@pytest.mark.parametrize("said", ["4", "16.0", "eight", "²"])
def test_lanes_are_eight_or_sixteen(said, monkeypatch):
    monkeypatch.setenv("ARMONICA_LANES", said)
    with pytest.raises(InputError, match="ARMONICA_LANES is 8 or 16; got"):
        n_lanes()


def test_sixteen_lanes_need_a_processor_that_has_them(monkeypatch):
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda: {"fma": True})
    assert n_lanes() == 8
    monkeypatch.setenv("ARMONICA_LANES", "16")
    with pytest.raises(InputError, match="needs AVX-512"):
        n_lanes()


def test_numbas_own_switch_is_read_before_numba_reads_it(music, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "abc")
    with pytest.raises(InputError, match="NUMBA_DISABLE_JIT is 0 or 1; got 'abc'"):
        DeepRNN(music(4), depth=1, width=3)
    DeepRNN(music(4), depth=1, width=3, kernel="plain")


@pytest.mark.parametrize("said", ["0", "1025", "²", "-1", "many", "9" * 5000])
def test_threads_are_counted_in_plain_digits(said, monkeypatch):
    monkeypatch.setenv("ARMONICA_THREADS", said)
    with pytest.raises(InputError, match="ARMONICA_THREADS is a whole number from 1 to 1024; got"):
        n_threads()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the damage is done to files as they lie on Linux")
def test_the_kernels_themselves_are_compiled_again_where_they_are_damaged_and_make_the_same_numbers(tmp_path):
    words = "learn --width 6 --rate 0.1 --until-steps 12 --first 3 --excerpt 10 --kernel fast --store".split()

    def learned(store):
        command = [sys.executable, "-m", "experiments.cli", *words, str(store)]
        environment = os.environ | {"ARMONICA_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (rows,) = store.glob("*/trajectory.jsonl")
        return rows.read_bytes(), done.stderr

    first, said = learned(tmp_path / "first")
    assert "compiling the kernels, once" in said
    kept, said = learned(tmp_path / "kept")
    assert kept == first
    assert "compil" not in said
    damages = [("*.nbi", b""), ("steps.learn_steps*.nbc", b"x" * 3000), ("tile*.nbi", b"no")]
    for number, (kind, damage) in enumerate(damages):
        for file in (tmp_path / "cache").rglob(kind):
            file.write_bytes(damage)
        again, said = learned(tmp_path / f"again-{number}")
        assert again == first
        assert "are damaged" in said


def test_parts_of_the_code_are_made_ready_each_when_it_is_asked_for(tmp_path, monkeypatch, caplog):
    (tmp_path / "tiny_parts.py").write_text("asked = []\n\ndef ready(part):\n    asked.append(part)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ARMONICA_CACHE", str(tmp_path / "cache"))
    for part, lines in (("one", 1), ("two", 2), ("one", 2)):
        module = kept.load("tiny_parts", ["tiny_parts"], b"parts", part)
        assert len(caplog.records) == lines  # said once for each
    assert module.asked == ["one", "two", "one"]
    sys.modules.pop("tiny_parts")
