"""Each question has one key, by which its run is found again, copied, gone on with, or refused."""

import hashlib
import json
import re
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from encoding import InputError
from encoding.chorales import sha256
from experiments import Looks, Music, Store, Task, Until, constant, halve_at_spikes, linear, load_run, piecewise
from experiments.checkpoints import CHECKPOINTS
from experiments.store import system_of

LOOK = Looks(linear(0.25), noise=linear(0.5), weights=linear(0.5))
QUESTION: dict[str, Any] = {"system": "spherical-glass", "settings": {"n_spins": 6}, "schedule": 0.125, "look": LOOK}
GLASS = Task(**QUESTION)
ROWS = ("trajectory.jsonl", "weights.f32")


@pytest.fixture
def music(tmp_path):
    """A path to two chorales, and what writes others there."""

    def write(chords, name="chorales.json"):
        path = tmp_path / name
        path.write_text(json.dumps({"train": chords, "valid": chords[:1], "test": chords[:1]}))
        return Music(str(path))

    return write


CHORDS = [[[48, 55, 64, 72], [50, 57, 65, 74], [48, 55, 64, 72]], [[53, 60, 69, 77], [52, 60, 67, 79]]]


def key(**other):
    return Task(**QUESTION | other).key


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


def test_the_same_question_has_the_same_key_however_it_is_said():
    assert key() == key(schedule=constant(0.125)) == key(sampler="exact", seed=0, n_replicas=1)
    assert key(schedule=1) == key(schedule=1.0)
    assert key(look=Looks(linear(1))) == key(look=Looks(linear(1.0)))
    assert key(settings={"n_spins": 6.0, "disorder": 0}) == key(settings={"n_spins": "6"}) == key()
    assert key(schedule=piecewise([1, 2], [3])) == key(schedule=piecewise((1.0, 2.0), (3.0,)))
    assert len(key()) == 16


def test_each_ingredient_changes_the_key(monkeypatch):
    others = [
        {}, {"settings": {"n_spins": 7}}, {"settings": {"n_spins": 6, "disorder": 1}}, {"schedule": 0.2}, {"seed": 1},
        {"n_replicas": 2}, {"sampler": "aer"}, {"look": Looks()}, {"look": replace(LOOK, noise=linear(1.0))},
        {"schedule": halve_at_spikes(0.1)}, {"schedule": halve_at_spikes(0.1, window=100)},
        {"schedule": piecewise([0.1, 0.2], [1])}, {"schedule": piecewise([0.1, 0.2], [2])},
    ]  # fmt: skip
    keys = {key(**other) for other in others}
    monkeypatch.setattr("classical.spherical.SphericalGlass.physics", 2)
    assert len(keys | {key()}) == len(others) + 1


def test_the_key_of_a_network_depends_on_the_notes_and_not_on_where_they_come_from(music):
    def of(music, **settings):
        return Task("deep-rnn", {"depth": 1, "width": 4} | settings, 0.1, music).key

    first = of(music(CHORDS))
    assert of(music(CHORDS, "elsewhere.json")) == first
    for learned in (["J", "M", "K", "W", "h0"], ("J", "M", "K", "W", "h0"), "J,M,K,W,h0"):
        assert of(music(CHORDS), learned=learned, batch=300.0, rule="delayed") == first
    other = {of(music(CHORDS[:1])), of(music([CHORDS[1], CHORDS[0]])), of(music(CHORDS), learned=("J", "M", "K"))}
    assert len(other | {first}) == 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"system": "deep"}, "system is one of"),
        ({"settings": {"n_spin": 6}}, "did you mean 'n_spins'"),
        ({"settings": {"n_spins": "six"}}, "n_spins is a whole number"),
        ({"settings": {"n_spins": 6.5}}, "n_spins is a whole number"),
        ({"system": "deep-rnn", "settings": {"width": 5}}, "deep-rnn needs depth"),
        ({"system": "deep-rnn", "settings": {"depth": 1, "width": 5, "learned": 3}}, "learned is a tuple of some of"),
        ({"system": "deep-rnn", "settings": {"depth": 1, "width": 5, "learned": 3.5}}, "learned is a list, or a text"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"n_replicas": 0}, "n_replicas"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_one_line(wrong, said):
    with pytest.raises(InputError, match=said) as refused:
        Task(**(QUESTION | wrong))
    assert "\n" not in str(refused.value)


def test_a_run_ends_where_it_should_however_often_it_is_asked_for(store, run, unbroken):
    before, times = rows(run), [(run / name).stat().st_mtime_ns for name in ROWS]
    for until in (2, 1, Until(steps=0)):
        assert store.learn(GLASS, until=until).path == run
        assert rows(run) == before
        assert [(run / name).stat().st_mtime_ns for name in ROWS] == times
    assert rows(store.learn(GLASS, until=3).path) == unbroken
    assert store.runs() == [run]


def test_a_run_copied_to_another_store_goes_on_there(store, run, unbroken, tmp_path):
    shutil.copytree(run, tmp_path / "elsewhere" / run.name)
    there = Store(tmp_path / "elsewhere").learn(GLASS, until=3)
    assert rows(there.path) == unbroken
    assert len(rows(run)[0]) < len(unbroken[0])
    np.testing.assert_equal(vars(load_run(there.path).trajectory), vars(there.trajectory))


def test_a_run_is_found_by_its_path_its_key_or_its_beginning(store, run):
    other = store.learn(Task(**QUESTION, seed=1), until=1).path
    assert store.find(str(run)) == store.find(run.name) == store.find(run.name[:8]) == run
    assert store.find("latest") == other
    for unknown in ("nothing", ""):
        with pytest.raises(InputError, match="a run is a folder, a key"):
            store.find(unknown)


@pytest.mark.parametrize("look", [None, 0, 2, -1])
def test_the_system_of_a_run_has_the_weights_of_its_end_or_of_a_look(store, look):
    run = store.learn(GLASS, until=2)
    wanted = run.trajectory.weights[-1 if look is None else look]
    np.testing.assert_allclose(system_of(run, look).weights(), wanted, rtol=1e-6)
    with pytest.raises(InputError, match="at 5 looks; got look 5"):
        system_of(run, 5)


SPOILED = {
    "task of another format": ("task.json", lambda old: old.replace(b'"format": 2', b'"format": 1'), "of format 1"),
    "task that is no JSON": ("task.json", lambda old: old[:-5], "should be JSON"),
    "task that is a list": ("task.json", lambda _: b"[1]", "should hold an object"),
    "no layout": ("layout.json", lambda _: None, "expected a run with a file layout.json"),
    "layout of something else": ("layout.json", lambda _: b"{}", "should name groups of weights"),
    "layout of no weights": ("layout.json", lambda _: b'{"groups": {}, "n_replicas": 1}', "should name groups"),
    "task that was changed": ("task.json", lambda old: old.replace(b'"seed": 0', b'"seed": 7'), "was not written so"),
    "task without a schedule": ("task.json", lambda old: old.replace(b"schedule", b"shedule"), "should say 'schedule'"),
    "layout with an end before its start": (
        "layout.json",
        lambda old: old.replace(b'"stop": ', b'"stop": -'),
        "one after the other",
    ),
}
TOUCHED = {
    "garbage": (lambda old: b"\xff" + old, "line 1 should be a row"),
    "no rows": (lambda old: b"[1]\n" + old, "line 1 should be a row"),
    "a row of two": (lambda old: old.replace(b"[0.0]", b"[0.0, 0.0]"), "row of 1 replicas"),
    "a row without a loss": (lambda old: old.replace(b"loss", b"gain"), "line 1 should be a row"),
    "a loss that is a word": (lambda old: re.sub(rb'"loss": .*?]', b'"loss": ["x"]', old), "do not fit each other"),
    "a step too far": (lambda old: old.replace(b'"step": 0', b'"step": 1' + b"0" * 40), "do not fit each other"),
}


@pytest.mark.parametrize(("name", "change", "said"), SPOILED.values(), ids=SPOILED)
def test_a_folder_that_is_no_run_is_refused_in_one_line_that_says_why(run, name, change, said):
    content = change((run / name).read_bytes())
    (run / name).unlink() if content is None else (run / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as refused:
        load_run(run)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("change", "said"), TOUCHED.values(), ids=TOUCHED)
def test_rows_that_were_touched_are_refused_and_where_no_checkpoint_vouches_for_them_it_is_said_what_is_wrong(
    store, run, change, said
):
    rows = run / "trajectory.jsonl"
    rows.write_bytes(change(rows.read_bytes()))
    before = fingerprint(run)
    for attempt in (lambda: load_run(run), lambda: store.learn(GLASS, until=3)):
        with pytest.raises(InputError, match=r"not as it was written|should have at least"):
            attempt()
    assert fingerprint(run) == before
    for name in CHECKPOINTS:
        (run / name).unlink(missing_ok=True)
    with pytest.raises(InputError, match=said):
        load_run(run)


def test_files_of_another_run_are_refused_before_anything_is_lost(store, run):
    other = store.learn(Task(**QUESTION, seed=1), until=3).path
    for names in (["trajectory.jsonl"], ["weights.f32"], [*CHECKPOINTS, *ROWS]):
        mine = {name: (run / name).read_bytes() for name in names if (run / name).exists()}
        for name in names:
            if (other / name).exists():
                (run / name).write_bytes((other / name).read_bytes())
        before = fingerprint(run)
        with pytest.raises(InputError, match=r"should be of run|not as it was written|should have at least"):
            store.learn(GLASS, until=4)
        assert fingerprint(run) == before
        for name, content in mine.items():
            (run / name).write_bytes(content)
    (run / CHECKPOINTS[0]).write_bytes((other / CHECKPOINTS[0]).read_bytes())  # the one before it is its own, and good
    wanted = Store(store.path / "unbroken").learn(GLASS, until=4).path
    assert rows(store.learn(GLASS, until=4).path) == rows(wanted)


def test_a_run_cut_short_is_not_shown_as_if_it_were_whole(run):
    rows = run / "trajectory.jsonl"
    rows.write_bytes(rows.read_bytes()[: rows.stat().st_size // 2])
    with pytest.raises(InputError, match="should have at least"):
        load_run(run)


def test_a_loss_that_no_machine_can_reach_is_refused(store):
    task = Task("deep-rnn", {"depth": 1, "width": 2}, 0.1, music=Music(first=2))
    with pytest.raises(InputError, match="no machine comes below"):
        store.learn(task, until=Until(loss=-1))
    assert not store.path.exists()


def test_a_run_of_another_format_is_not_gone_on_with(store, run):
    (run / "task.json").write_text('{"format": 0}')
    before = fingerprint(run)
    with pytest.raises(InputError, match="of format 0"):
        store.learn(GLASS, until=3)
    assert fingerprint(run) == before


def test_a_run_gives_back_the_music_it_learned_from(tmp_path):
    store = Store(tmp_path / "runs")
    glass = store.learn(Task("spherical-glass", {"n_spins": 4}, 0.1), until=0.1)
    with pytest.raises(InputError, match="spherical-glass learned from no music"):
        glass.chorales()
    task = Task("deep-rnn", {"depth": 1, "width": 2, "rule": "exact"}, 0.1, Music(first=2, excerpt=3))
    run = store.learn(task, until=0.1)
    assert sha256(run.chorales()) == task.data_sha256
    changed = replace(run, task=run.task | {"data": "0"})
    with pytest.raises(InputError, match="learned from other notes than"):
        changed.chorales()
