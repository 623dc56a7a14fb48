"""The chorales are Bach's: rebuilt from music21 they sound like the public JSB file, voice by voice like the scores."""

import hashlib
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from encoding.chorales import REST, Chorale, load_chorales, sha256
from encoding.corpus import _say_once
from encoding.describe import describe
from encoding.errors import InputError
from encoding.voices import assign_voices

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def read_once(tmp_path_factory):
    """A cache that the tests here share, so that a score is parsed once."""
    return tmp_path_factory.mktemp("chorales")


@pytest.fixture(autouse=True)
def shared_cache(read_once, monkeypatch):
    monkeypatch.setenv("ARMONICA_CACHE", str(read_once))


@pytest.fixture
def jsb(jsb_path, monkeypatch):
    monkeypatch.setenv("ARMONICA_JSB", str(jsb_path))


def sounding(chorale):
    return [set(chord) - {REST} for chord in chorale.pitches.tolist()]


def identical(split, first):
    """Of the chorales that music21 has, those whose every chord is that of the JSB file."""
    public = {chorale.index: chorale for chorale in load_chorales("jsb", split, first=first)}
    rebuilt = load_chorales("music21", split, first=first)
    return [chorale for chorale in rebuilt if sounding(chorale) == sounding(public[chorale.index])]


def piece(*chords, name="piece"):
    return Chorale(np.array(chords, dtype=np.int16), name, "here", 0)


def test_music21_gives_78_of_the_papers_80_chorales_as_the_jsb_file_has_them(jsb):
    same = identical("train", 80)
    assert [chorale.index for chorale in same] == [index for index in range(80) if index not in (25, 28)]
    assert sum(chorale.n_transitions for chorale in same) == 4474


@pytest.mark.slow
@pytest.mark.timeout(300)  # half a minute on an idle core
def test_music21_gives_377_of_all_382_chorales_as_the_jsb_file_has_them(jsb):
    assert [len(identical(split, None)) for split in ("train", "valid", "test")] == [225, 75, 77]


def test_the_papers_80_chorales_of_the_jsb_file_have_4597_transitions(jsb):
    chorales = load_chorales("jsb")
    assert len(chorales) == 80
    assert sum(chorale.n_transitions for chorale in chorales) == 4597


def test_the_splits_of_the_jsb_file_have_229_and_76_and_77_chorales(jsb):
    assert [len(load_chorales("jsb", split, first=None)) for split in ("train", "valid", "test")] == [229, 76, 77]


def test_98_percent_of_the_notes_go_to_the_voice_that_sings_them():
    scores = load_chorales()
    guessed = np.concatenate([assign_voices(sounding(chorale)) for chorale in scores])
    sung = np.concatenate([chorale.pitches for chorale in scores])
    assert (guessed == sung).mean() > 0.98
    assert (guessed == sung).all(axis=1).mean() > 0.95


def test_the_log_says_once_which_chorales_music21_does_not_have(caplog):
    _say_once.cache_clear()
    for _ in range(2):
        load_chorales(first=28)
    told = [record.getMessage() for record in caplog.records if record.name == "armonica"]
    assert told == ["1 of 28 chorales are not in music21 and are left out: train 25"]


def test_nothing_is_said_where_nothing_is_missing(caplog):
    load_chorales(first=3)
    assert not caplog.records


def test_first_counts_positions_in_the_order_of_the_jsb_file():
    assert [chorale.index for chorale in load_chorales(first=27)] == [*range(25), 26]


def test_a_chorale_knows_its_number_its_source_and_its_key():
    chorale = load_chorales(first=1)[0]
    assert (chorale.name, chorale.source, chorale.index) == ("BWV 190.7", "music21", 0)
    assert chorale.tonic == 2  # BWV 190 is in D major
    assert (chorale.n_steps, chorale.n_transitions) == (129, 128)


def test_without_transposition_a_chorale_in_d_major_ends_on_d():
    in_c, in_d = (load_chorales(first=1, transpose=transpose)[0].pitches for transpose in (True, False))
    assert in_c[-1, 3] % 12 == 0
    assert in_d[-1, 3] % 12 == 2
    assert set(np.unique(in_c - in_d)) == {10}


def test_transposing_back_leaves_rests_silent_and_may_go_below_43():
    there, back = (np.concatenate([c.pitches for c in load_chorales(transpose=up)]) for up in (True, False))
    assert ((there == REST) == (back == REST)).all()
    assert there[there != REST].min() == 43
    assert back[back != REST].min() < 43


def test_an_excerpt_is_the_beginning_and_short_chorales_stay_whole():
    whole = load_chorales(first=6)
    cut = load_chorales(first=6, excerpt=50)
    assert [chorale.n_steps for chorale in cut] == [50, 50, 49, 50, 50, 33]
    assert all((a.pitches[:50] == b.pitches).all() for a, b in zip(whole, cut, strict=True))


def test_the_jsb_file_goes_back_to_the_keys_of_the_scores(jsb):
    public, scores = (load_chorales(source, first=25, transpose=False) for source in ("jsb", "music21"))
    assert [sounding(chorale) for chorale in public] == [sounding(chorale) for chorale in scores]


def test_the_key_of_a_chorale_that_music21_lacks_is_not_guessed(jsb):
    with pytest.raises(InputError, match="original key of train 25, train 28 is not known"):
        load_chorales("jsb", transpose=False)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"source": "musik21"}, 'unknown source \'musik21\': expected "music21", "jsb", or the path'),
        ({"split": "training"}, "unknown split 'training': expected one of train, valid, test"),
        ({"first": 0}, "first is a whole number of at least 1, or None for all; got 0"),
        ({"first": 2.5}, "first is a whole number"),
        ({"excerpt": 1}, "excerpt is a whole number of at least 2, or None for all; got 1"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_line(request_, message):
    with pytest.raises(InputError) as refusal:
        load_chorales(**request_)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("pitches", "message"),
    [
        (np.zeros((5, 3), int), r"a chorale has 4 voices; got pitches of shape \(5, 3\)"),
        (np.zeros(4, int), r"a chorale has 4 voices; got pitches of shape \(4,\)"),
        (np.zeros((1, 4), int), "at least 2 steps, for one transition; got 1"),
        (np.full((2, 4), 60.5), "whole numbers; got float64"),
        (np.full((2, 4), 128), "0..127, or -1 for silence; got 128"),
        (np.full((2, 4), -2), "0..127, or -1 for silence; got -2"),
    ],
)
def test_pitches_that_are_no_chorale_are_refused(pitches, message):
    with pytest.raises(InputError, match=message):
        Chorale(pitches, "piece", "here", 0)


def test_nobody_can_change_the_pitches_of_a_chorale():
    given = np.full((2, 4), 60)
    chorale = Chorale(given, "piece", "here", 0)
    given[:] = 61
    assert (chorale.pitches == 60).all()
    assert chorale.pitches.dtype == np.int16
    with pytest.raises(ValueError, match="read-only"):
        chorale.pitches[0, 0] = 61


def test_the_fingerprint_is_that_of_lengths_and_little_endian_pitches():
    by_hand = b"\x02" + bytes(7) + b"\x48\x00\x43\x00\x40\x00\xff\xff" * 2
    assert sha256([piece([72, 67, 64, REST], [72, 67, 64, REST])]) == hashlib.sha256(by_hand).hexdigest()


def test_the_fingerprint_depends_on_pitches_and_boundaries_and_not_on_names():
    a, b = [72, 67, 64, 48], [71, 67, 62, 55]
    assert sha256([piece(a, b, name="this")]) == sha256([piece(a, b, name="that")])
    assert len({sha256(c) for c in ([piece(a, b, a, b)], [piece(a, b), piece(a, b)], [piece(b, a), piece(a, b)])}) == 3


def test_the_description_counts_what_can_be_counted_by_hand():
    major, minor = [72, 67, 64, 48], [72, 67, 63, 48]
    solo = [72, REST, REST, REST]
    numbers = describe([piece(major, minor), piece(major, [REST] * 4, solo, major)])
    assert (numbers["n_chorales"], numbers["n_steps"], numbers["n_transitions"]) == (2, 6, 4)
    assert numbers["lengths"] == {"min": 2, "median": 3.0, "max": 4}
    assert numbers["pitch_range"] == [48, 72]
    assert numbers["pitch_ranges"]["tenor"] == [63, 64]
    assert (numbers["n_pitches"], numbers["n_chords"]) == (5, 3)
    assert (numbers["n_rests"], numbers["n_silent_steps"]) == (7, 1)
    assert numbers["last_chords"] == {"minor": 1, "major": 1}
    assert numbers["original_tonics"] == {"unknown": 2}


def test_the_description_says_whose_the_encodings_are():
    assert "permission is not passed on" in describe(load_chorales(first=2))["sources"]["music21"]


def test_importing_the_encoding_loads_no_slow_package():
    code = "import sys, encoding, encoding.describe; print({'music21', 'rich', 'platformdirs'} & set(sys.modules))"
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "set()"


def test_loading_is_silent_but_for_the_log(capfd):
    load_chorales(first=2)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("armonica").level == logging.NOTSET
