"""armonica audit: the numbers of the library in a table, the clock as a picture, mistakes in a line."""

import numpy as np
import pytest

from encoding import encoding_named, load_chorales
from encoding.audit import audit, frequencies
from encoding.clock import pitch_class
from experiments.auditing import audited_encoding
from experiments.figures.clock_face import clock_face

SMALL = ["--first", "3", "--excerpt", "10"]


def test_the_table_has_the_numbers_of_the_library_and_the_clock_is_drawn(armonica, capsys, tmp_path):
    picture = tmp_path / "clock.png"
    assert armonica("audit", "pitch-class", *SMALL, "--voice", "bass", "--out", picture) == 0
    rows = {line[:50].strip(): line[50:].split() for line in capsys.readouterr().out.splitlines()}
    chorales = load_chorales(first=3, excerpt=10)
    notes, share = frequencies(chorales, 3)
    sung, alike = audit(pitch_class(), notes.tolist(), share), audit(pitch_class(), notes.tolist())
    assert rows["names told apart"] == [str(len({note % 12 for note in notes.tolist()}))] * 2
    assert rows["right from one copy, at best"] == [f"{sung.best.low:.4f}", f"{alike.best.low:.4f}"]
    assert rows["information accessible, bits, at least"] == [
        f"{sung.information.low:.4f}",
        f"{alike.information.low:.4f}",
    ]
    assert rows["shots along Z, X, wrong in 5 %"] == [str(sung.shots[0.05]), str(alike.shots[0.05])]
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_aliases_that_nobody_declared_are_said(armonica, capsys, tmp_path):
    assert armonica("audit", "compass", *SMALL, "--out", tmp_path / "clock.svg") == 0
    assert "(not declared)" in capsys.readouterr().out


def test_shots_that_never_suffice_are_said_to(armonica, capsys, tmp_path):
    assert armonica("audit", "pitch-class", *SMALL, "--axes", "Z", "--out", tmp_path / "clock.pdf") == 0
    assert "never" in capsys.readouterr().out


def test_a_compass_is_that_of_the_voice():
    chorales = load_chorales(first=3)
    bass = np.concatenate([chorale.pitches[:, 3] for chorale in chorales])
    assert len(audited_encoding("compass", chorales, "bass").known) == np.ptp(bass[bass >= 0]) + 2


def test_dots_stand_where_hours_stand_on_a_clock_and_are_as_large_as_notes_are_frequent():
    face, table = clock_face(pitch_class(), [60, 63, 66], [1, 1, 4]).axes[:2]
    places = np.concatenate([dots.get_offsets() for dots in face.collections])
    np.testing.assert_allclose(places, [[0, 1], [1, 0], [0, -1]])
    first, second, third = (dots.properties()["sizes"][0] for dots in face.collections)
    assert first == second < third
    apart = np.subtract.outer(range(7), range(7))  # hours from C to F sharp, sung or not
    np.testing.assert_allclose(np.asarray(table.images[0].get_array()), np.cos(apart * np.pi / 12) ** 2, atol=1e-12)


def test_notes_off_the_circle_stand_on_one_half_of_the_sphere():
    front, back, _ = clock_face(encoding_named("octave-phase"), [60 + 3 + 12, 60 + 9 + 12, 60], [1, 1, 1]).axes[:3]
    said = [{text.get_text() for text in face.texts} for face in (front, back)]
    assert "D#5" in said[0] - said[1]  # at |+i>
    assert "A5" in said[1] - said[0]  # at |-i>
    assert all("C4" in texts for texts in said)  # on the circle


def test_what_never_is_told_apart_is_named_with_what_would_help(armonica, capsys, tmp_path):
    assert armonica("audit", "octave-phase", *SMALL, "--out", tmp_path / "clock.png") == 0
    said = capsys.readouterr().out
    assert "never: along Z, X" in said
    assert "--axes XYZ" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["clock"], "encodings are pitch-class, octave-phase, octave-qubit, compass; got 'clock'"),
        (["pitch-class", "--voice", "descant"], "voices are soprano, alto, tenor, bass, all; got 'descant'"),
        (["pitch-class", "--axes", "W"], "axes are some of XYZ"),
        (["pitch-class", "--out", "nowhere/clock.png"], "nowhere is no folder: make it, or name another place"),
        (["pitch-class", "--out", "clock.txt"], "a figure is written as .png, .svg or .pdf; got 'clock.txt'"),
    ],
)
def test_mistakes_are_one_line(armonica, capsys, words, message):
    assert armonica("audit", *words, "--source", "no-such-music") == 2  # which would be said if it were read first
    assert message in capsys.readouterr().err
