"""What happens to the folder of a run costs no number: half-written lines, damage, a full disk, two at once."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from encoding import InputError
from experiments import Looks, Store, Task, learn, linear, load_run
from experiments.checkpoints import CHECKPOINTS, read_checkpoint
from experiments.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[1]
LOOK = Looks(linear(0.25), noise=linear(0.5), weights=linear(0.5))
GLASS = Task("spherical-glass", {"n_spins": 6}, 0.125, look=LOOK)
ROWS = ("trajectory.jsonl", "weights.f32")


def rows(path):
    return [(path / name).read_bytes() for name in ROWS]


def fingerprint(path):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in path.iterdir()}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


@pytest.fixture
def run(store):
    """A run with two checkpoints, at tau = 1 and tau = 2."""
    store.learn(GLASS, until=1)
    return store.learn(GLASS, until=2).path


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return rows(Store(tmp_path_factory.mktemp("unbroken")).learn(GLASS, until=3).path)


def test_another_kernel_is_refused_unless_allowed_and_is_remembered(store, run, unbroken):
    def go_on(kernel, **allowed):
        folder = RunFolder(run, kernel=kernel, **allowed)
        try:
            learn(GLASS.build(), GLASS.schedule, LOOK, until=3, checkpoint=folder)
        finally:
            folder.close()

    before = fingerprint(run)
    with pytest.raises(InputError, match="made by kernel 'plain'; got 'fast'"):
        go_on("fast")
    assert fingerprint(run) == before
    go_on("fast", allow_other_kernel=True)
    assert json.loads((run / "made_by.json").read_text())["kernels"] == ["plain", "fast"]
    assert rows(run) == unbroken  # it was the same kernel after all


def test_what_was_half_written_is_left_out_when_read_and_made_again_when_gone_on_with(store, run, unbroken):
    whole = load_run(run).trajectory
    with open(run / "trajectory.jsonl", "ab") as file:
        file.write(b'{"step": 99, "ti')
    with open(run / "weights.f32", "ab") as file:
        file.write(b"\x00" * 7)
    np.testing.assert_equal(vars(load_run(run).trajectory), vars(whole))
    assert rows(store.learn(GLASS, until=3).path) == unbroken


def test_a_row_whose_weights_were_not_written_is_left_out(run):
    size = (run / "weights.f32").stat().st_size
    os.truncate(run / "weights.f32", size - 1)
    cut = load_run(run).trajectory
    assert len(cut.weights) == len(cut.weights_look) == 4
    assert cut.time[-1, 0] == 1.75


DAMAGE = {
    "emptied": lambda _: b"",
    "cut short": lambda whole: whole[:-30],
    "overwritten": lambda whole: b"x" * len(whole),
    "one bit flipped": lambda whole: whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_the_checkpoint_before_the_last_is_good_enough(store, run, unbroken, damage, caplog):
    newest = run / CHECKPOINTS[0]
    newest.write_bytes(damage(newest.read_bytes()))
    assert rows(store.learn(GLASS, until=3).path) == unbroken
    assert ["going back to the checkpoint before it" in record.getMessage() for record in caplog.records] == [True]


def test_a_run_killed_between_two_checkpoints_does_not_begin_anew(store, run, unbroken):
    (run / CHECKPOINTS[0]).unlink()  # as between the two renames
    seen = []
    assert rows(store.learn(GLASS, until=3, callback=lambda now: seen.append(now.step)).path) == unbroken
    assert min(seen) > 8  # tau = 1


def test_a_checkpoint_that_was_changed_breaks_its_seal(store, run, unbroken, caplog):
    with np.load(run / CHECKPOINTS[0]) as arrays:
        changed = {name: arrays[name] for name in arrays.files}
    changed["learner.step"] = changed["learner.step"] + 1
    np.savez(run / CHECKPOINTS[0], **changed)
    with pytest.raises(InputError, match="its seal is broken"):
        read_checkpoint(run / CHECKPOINTS[0])
    assert rows(store.learn(GLASS, until=3).path) == unbroken  # from the one before it
    assert "its seal is broken" in caplog.text


def test_rows_without_a_checkpoint_are_kept_aside(store, run):
    before = rows(run)
    for name in CHECKPOINTS:
        (run / name).unlink(missing_ok=True)
    store.learn(GLASS, until=0.5)
    assert [(run / f"aside.{name}").read_bytes() for name in ROWS] == before
    assert len(rows(run)[0]) < len(before[0])


def test_what_is_aside_may_be_deleted_and_is_removed_once_the_run_has_made_as_much_again(store, run, caplog):
    for name in CHECKPOINTS:
        (run / name).unlink(missing_ok=True)
    store.learn(GLASS, until=0.5)
    assert "aside.trajectory.jsonl (which may be deleted)" in caplog.text
    assert list(run.glob("aside.*"))
    store.learn(GLASS, until=2)
    assert not list(run.glob("aside.*"))


def test_the_first_checkpoint_comes_after_two_seconds_and_then_ever_later(tmp_path, monkeypatch):
    now, saved = [0.0], []
    monkeypatch.setattr("experiments.run_folder.clock.monotonic", lambda: now[0])
    folder = RunFolder(tmp_path, save_every=30)
    folder.begin(GLASS.build())
    monkeypatch.setattr(folder, "save", lambda checkpoint: saved.append(now[0]) or setattr(folder, "_since", now[0]))
    for now[0] in range(130):
        folder.maybe_save(dict)
    folder.close()
    assert saved == [2, 6, 14, 30, 60, 90, 120]


def test_a_checkpoint_that_speaks_of_more_than_is_there_is_passed_over(store, run, unbroken):
    path, whole = run / "trajectory.jsonl", load_run(run).trajectory
    os.truncate(path, path.stat().st_size - 1)
    assert rows(store.learn(GLASS, until=3).path) == unbroken
    assert whole.n_looks == 9
    os.truncate(path, 200)
    before = fingerprint(run)
    with pytest.raises(InputError, match="should have a checkpoint that can be read"):
        store.learn(GLASS, until=4)
    assert fingerprint(run) == before


def test_rows_can_be_read_while_the_run_goes_on(tmp_path):
    folder = RunFolder(tmp_path)

    def look(now):
        assert folder.trajectory().step[-1] == now.step // 2 * 2
        assert len(folder.trajectory().weights) == 1 + now.step // 4

    learn(GLASS.build(), 0.125, LOOK, until=2, checkpoint=folder, callback=look)
    folder.close()


def test_rows_and_weights_are_on_the_disk_before_the_checkpoint_that_speaks_of_them(store, monkeypatch):
    synced, sync, put = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_ino) or sync(number))
    monkeypatch.setattr(os, "replace", lambda part, path: synced.append(Path(path).name) or put(part, path))
    path = store.learn(GLASS, until=1).path
    before = synced[: synced.index(CHECKPOINTS[0])]
    assert {(path / name).stat().st_ino for name in ROWS} <= set(before)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_run_without_a_good_checkpoint_is_refused_and_left_as_it_is(store, run, damage):
    for name in CHECKPOINTS:
        (run / name).write_bytes(damage((run / name).read_bytes()))
    before = fingerprint(run)
    with pytest.raises(InputError, match="should have a checkpoint that can be read") as refused:
        store.learn(GLASS, until=3)
    assert "\n" not in str(refused.value)
    assert fingerprint(run) == before


def test_no_flipped_bit_of_a_checkpoint_is_taken_for_another_number(run):
    path = run / CHECKPOINTS[0]
    whole, wanted, said = path.read_bytes(), read_checkpoint(path), []
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        try:
            np.testing.assert_equal(read_checkpoint(path), wanted)
        except InputError as error:
            said.append(str(error))
    assert said
    assert all("cannot be read" in line or "format" in line for line in said)


@pytest.mark.parametrize(
    "write", [lambda path: path.write_bytes(b"x" * 300), lambda path: np.save(path, np.array([object()]))]
)
def test_nobody_is_told_to_load_without_care_what_is_no_archive(tmp_path, write):
    path = tmp_path / "checkpoint.npy"
    write(path)
    with pytest.raises(InputError, match=r"should be a checkpoint; it cannot be read \([^\n]*\)$") as refused:
        read_checkpoint(path)
    assert "pickle" not in str(refused.value)


def test_one_process_at_a_time_learns_in_a_folder(store, run, unbroken):
    holding = (
        "import sys; from experiments.run_folder import RunFolder; from classical import SphericalGlass\n"
        "folder = RunFolder(sys.argv[1]); folder.begin(SphericalGlass(n_spins=6)); print('on', flush=True); input()"
    )
    other = subprocess.Popen([sys.executable, "-c", holding, run], cwd=ROOT, stdin=-1, stdout=-1, text=True)
    assert other.stdout
    assert other.stdout.readline() == "on\n"
    before = fingerprint(run)
    with pytest.raises(InputError, match="one process at a time") as refused:
        store.learn(GLASS, until=3)
    assert "\n" not in str(refused.value)
    assert fingerprint(run) == before
    other.communicate("\n")
    assert rows(store.learn(GLASS, until=3).path) == unbroken


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


class Full:
    """A file on a disk with room for so many bytes more."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, content):
        self.file.write(content[: self.room])
        self.room -= len(content)
        return full() if self.room < 0 else len(content)


@pytest.mark.parametrize("room", [0, 1, 24, 100, 300])
@pytest.mark.parametrize("which", ROWS)
def test_a_disk_that_is_full_in_the_middle_of_a_row_costs_no_number(store, unbroken, monkeypatch, which, room):
    store.learn(GLASS, until=1)
    opened = RunFolder._open_cut
    monkeypatch.setattr(
        RunFolder, "_open_cut", lambda self, name, cut: Full(opened(self, name, cut), room if name == which else 10**6)
    )
    with pytest.raises(OSError, match="No space left"):
        store.learn(GLASS, until=9)
    monkeypatch.undo()
    load_run(store.folder(GLASS))
    assert rows(store.learn(GLASS, until=3).path) == unbroken


@pytest.mark.parametrize("n_good", range(6))
def test_the_only_good_checkpoint_is_kept_until_there_is_a_new_one(store, run, unbroken, monkeypatch, n_good):
    (run / CHECKPOINTS[0]).write_bytes(b"")
    left, sync = iter(range(n_good)), os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: full() if next(left, None) is None else sync(number))
    with pytest.raises(OSError, match="No space left"):
        store.learn(GLASS, until=2, save_every=0)
    monkeypatch.undo()
    assert rows(store.learn(GLASS, until=3).path) == unbroken


@pytest.mark.parametrize("n_good", range(12))
def test_a_disk_that_is_full_while_a_checkpoint_is_written_costs_no_number(store, unbroken, monkeypatch, n_good):
    left, sync = iter(range(n_good)), os.fsync
    store.learn(GLASS, until=1)
    monkeypatch.setattr(os, "fsync", lambda number: full() if next(left, None) is None else sync(number))
    with pytest.raises(OSError, match="No space left"):
        store.learn(GLASS, until=2, save_every=0)
    monkeypatch.undo()
    assert rows(store.learn(GLASS, until=3).path) == unbroken
