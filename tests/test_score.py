"""What is written can be read back: notes by music21, sound by its spectrum."""

import io
import os
import stat
import subprocess
import sys
import wave
from typing import Any

import numpy as np
import pytest

from encoding.errors import InputError
from encoding.files import replace_file
from encoding.score import VOICES, voice_notes, write_midi, write_musicxml, write_wav
from encoding.synthesis import RELEASE

REST = -1
CHORALE = np.array(
    [  # three bars and a quarter: held notes, one across a bar line, a unison, rests of one voice and of all
        [72, 67, 64, 48],
        [72, 67, 64, 47],
        [71, 67, 62, 43],
        [72, 67, 60, 48],
        [72, 67, 60, 48],
        [REST, 69, 60, 53],
        [REST, 69, 60, 53],
        [74, 65, 65, 50],
        [REST, REST, REST, REST],
        [66, 63, 58, 54],
        [73, 64, 57, 45],
        [127, 0, 1, 126],
        [72, REST, 64, 36],
    ]
)
WRITERS = [write_midi, write_musicxml, write_wav]
every_writer = pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)


def quarters(part, n_steps):
    """Pitches at every quarter (n_steps,) and how many notes begin there, from a music21 part."""
    pitches, struck = np.full(n_steps, REST), np.zeros(n_steps, dtype=int)
    for note in part.flatten().notes:
        start, stop = int(note.offset), int(note.offset + note.quarterLength)
        assert (start, stop) == (note.offset, note.offset + note.quarterLength)
        pitches[start:stop] = note.pitch.midi
        struck[start] += 1
    return pitches, struck


def parsed(path) -> Any:
    """The file as music21 reads it, without its cache."""
    from music21 import converter

    return converter.parse(path, forceSource=True, storePickle=False)


def read_back(path, n_steps):
    """Pitches and onsets, (n_steps, 4) each, of a file of notes."""
    parts = parsed(path).parts
    assert len(parts) == 4
    columns = [quarters(part, n_steps) for part in parts]
    return np.stack([c[0] for c in columns], axis=1), np.stack([c[1] for c in columns], axis=1)


def onsets(pitches, held):
    """Where notes begin, written down without the code under test."""
    begins = [
        [p != REST and (not held or t % 4 == 0 or pitches[t - 1, v] != p) for v, p in enumerate(row)]
        for t, row in enumerate(pitches)
    ]
    return np.array(begins, dtype=int)


def recorded(path):
    """Samples (n_samples, 2) between -1 and 1, and their rate."""
    with wave.open(str(path), "rb") as recording:
        assert (recording.getnchannels(), recording.getsampwidth()) == (2, 2)
        samples = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2")
        return samples.reshape(-1, 2) / 32767, recording.getframerate()


def strongest_frequency(signal, sample_rate):
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal)), n=16 * len(signal)))
    return spectrum.argmax() * sample_rate / (16 * len(signal))


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(("write", "suffix"), [(write_midi, "mid"), (write_musicxml, "musicxml")])
def test_music21_reads_the_notes_that_were_written(tmp_path, write, suffix, held):
    path = tmp_path / f"chorale.{suffix}"
    write(path, CHORALE, held=held)
    pitches, struck = read_back(path, len(CHORALE))
    np.testing.assert_array_equal(pitches, CHORALE)
    np.testing.assert_array_equal(struck, onsets(CHORALE, held))


@pytest.mark.parametrize("n_steps", [1, 3, 4, 5, 97])
@pytest.mark.parametrize(("write", "suffix"), [(write_midi, "mid"), (write_musicxml, "musicxml")])
def test_a_chorale_of_any_length_is_read_back(tmp_path, write, suffix, n_steps):
    pitches = np.random.default_rng(n_steps).integers(36, 82, (n_steps, 4))
    write(tmp_path / f"chorale.{suffix}", pitches)
    np.testing.assert_array_equal(read_back(tmp_path / f"chorale.{suffix}", n_steps)[0], pitches)


def test_notes_are_held_inside_a_bar_and_struck_anew_at_the_bar_line():
    voice = [60] * 6 + [62, REST]
    assert voice_notes(voice) == [(0, 4, 60), (4, 2, 60), (6, 1, 62), (7, 1, REST)]
    assert [note.length for note in voice_notes(voice, held=False)] == [1] * 8


def test_midi_has_one_named_track_a_voice_and_the_tempo(tmp_path):
    from music21 import tempo

    write_midi(tmp_path / "chorale.mid", CHORALE, tempo=96)
    score = parsed(tmp_path / "chorale.mid")
    assert tuple(part.partName for part in score.parts) == VOICES
    assert score.flatten().getElementsByClass(tempo.MetronomeMark)[0].number == 96
    content = (tmp_path / "chorale.mid").read_bytes()
    assert content[:14] == b"MThd\0\0\0\6\0\1\0\5\x01\xe0"  # format 1, five tracks, 480 ticks
    assert content.count(b"MTrk") == 5


def test_midi_of_a_single_note_is_known_byte_by_byte(tmp_path):
    write_midi(tmp_path / "a.mid", [[69, REST, REST, REST]], tempo=120)
    track = bytes.fromhex("00ff0307") + b"Soprano" + bytes.fromhex("00c034 00904550 8360804500 00ff2f00")
    content = (tmp_path / "a.mid").read_bytes()
    assert bytes.fromhex("00ff510307a120") in content  # 500000 microseconds a quarter
    assert b"MTrk" + len(track).to_bytes(4, "big") + track in content


def test_musicxml_has_four_staves_with_the_clefs_of_their_voices(tmp_path):
    from music21 import clef

    write_musicxml(tmp_path / "chorale.musicxml", CHORALE, title="Ein Choral & mehr", tempo=66)
    score = parsed(tmp_path / "chorale.musicxml")
    clefs = [type(part.flatten().getElementsByClass(clef.Clef)[0]) for part in score.parts]
    assert clefs == [clef.TrebleClef, clef.TrebleClef, clef.Treble8vbClef, clef.BassClef]
    assert tuple(part.partName for part in score.parts) == VOICES
    assert score.metadata.bestTitle == "Ein Choral & mehr"
    assert score.metadata.composer is None
    assert score.metronomeMarkBoundaries()[0][2].number == 66


def test_musicxml_without_title_invents_none(tmp_path):
    write_musicxml(tmp_path / "chorale.musicxml", CHORALE)
    assert b"title" not in (tmp_path / "chorale.musicxml").read_bytes()


def test_musicxml_spells_a_chorale_as_bach_did(tmp_path):
    from music21 import corpus

    bwv66: Any = corpus.parse("bwv66.6")
    bach = bwv66.parts  # F sharp minor, with E sharps and D sharps
    sung = [
        [next(iter(part.flatten().notes.getElementsByOffset(t, mustBeginInSpan=False))) for part in bach]
        for t in range(int(bach[0].highestTime))
    ]
    write_musicxml(tmp_path / "bach.musicxml", [[note.pitch.midi for note in row] for row in sung], held=False)
    score = parsed(tmp_path / "bach.musicxml")
    for voice, part in enumerate(score.parts):
        names = [note.nameWithOctave for note in part.flatten().notes]
        assert names == [row[voice].nameWithOctave for row in sung]
        assert part.flatten().keySignature.sharps == 3


def test_identities_in_musicxml_are_unique(tmp_path):
    from xml.etree import ElementTree

    write_musicxml(tmp_path / "chorale.musicxml", CHORALE)
    root = ElementTree.parse(tmp_path / "chorale.musicxml").getroot()
    for kind in ("score-part", "score-instrument"):
        assert len({e.get("id") for e in root.iter(kind)}) == 4
    assert not {e.get("id") for e in root.iter("score-part")} & {e.get("id") for e in root.iter("score-instrument")}


@pytest.mark.parametrize("sample_rate", [22050, 44100])
def test_a_wav_lasts_as_long_as_its_quarters_and_the_ringing(tmp_path, sample_rate):
    write_wav(tmp_path / "chorale.wav", CHORALE, tempo=240, sample_rate=sample_rate)
    samples, rate = recorded(tmp_path / "chorale.wav")
    assert rate == sample_rate
    assert len(samples) / rate == pytest.approx(len(CHORALE) * 60 / 240 + RELEASE, abs=1e-4)


def test_a_wav_peaks_at_minus_three_decibels_and_ends_in_silence(tmp_path):
    write_wav(tmp_path / "chorale.wav", CHORALE)
    samples, _ = recorded(tmp_path / "chorale.wav")
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-3, abs=0.01)
    assert np.abs(samples[0]).max() < 0.001
    assert np.abs(samples[-100:]).max() < 0.001


@pytest.mark.parametrize("tempo", [80, 900])
def test_no_note_begins_or_ends_with_a_click(tmp_path, tempo):
    write_wav(tmp_path / "chorale.wav", CHORALE[:11], tempo=tempo, held=False)
    samples, rate = recorded(tmp_path / "chorale.wav")
    power = np.abs(np.fft.rfft(samples, axis=0)).sum(axis=1) ** 2
    above = np.fft.rfftfreq(len(samples), 1 / rate) > 4000  # Hz; the highest partial lies at 2400
    assert power[above].sum() < 1e-7 * power.sum()


@pytest.mark.parametrize(("pitch", "frequency"), [(69, 440.0), (57, 220.0), (60, 261.626), (81, 880.0)])
@pytest.mark.parametrize("voice", range(4))
def test_the_strongest_frequency_of_a_note_is_its_pitch(tmp_path, voice, pitch, frequency):
    pitches = np.full((2, 4), REST)
    pitches[:, voice] = pitch
    write_wav(tmp_path / "note.wav", pitches)
    samples, rate = recorded(tmp_path / "note.wav")
    assert strongest_frequency(samples.sum(axis=1), rate) == pytest.approx(frequency, abs=1)


def test_soprano_sounds_on_the_left_and_bass_on_the_right(tmp_path):
    for voice, louder in ((0, 0), (3, 1)):
        pitches = np.full((1, 4), REST)
        pitches[0, voice] = 60
        write_wav(tmp_path / "note.wav", pitches)
        power = (recorded(tmp_path / "note.wav")[0] ** 2).sum(axis=0)
        assert power.argmax() == louder


def test_a_note_speaks_slowly_and_rings_into_the_next_rest(tmp_path):
    write_wav(tmp_path / "note.wav", [[69] * 4, [REST] * 4, [REST] * 4], tempo=60)
    samples, rate = recorded(tmp_path / "note.wav")
    loudness = np.abs(samples[: 2 * rate, 0]).reshape(-1, rate // 100).max(axis=1)  # every 10 ms
    assert loudness[0] < 0.2 * loudness[50]
    assert 5 < np.argmax(loudness > 0.9 * loudness[20:100].mean()) < 20
    assert loudness[115] > 0.2 * loudness[90] > loudness[180]


def test_a_bowl_touched_again_goes_on_in_phase(tmp_path):
    quarter = 330.5 / 440  # s: were the phase to begin anew, the ringing and the new note would cancel
    write_wav(tmp_path / "note.wav", [[69, REST, REST, REST]] * 2, tempo=60 / quarter, held=False)
    samples, rate = recorded(tmp_path / "note.wav")
    loudness = np.abs(samples[: rate * 3 // 2, 0]).reshape(-1, rate // 100).max(axis=1)  # every 10 ms
    assert loudness[30:].min() > 0.5 * loudness.max()


def test_rests_alone_are_silent_in_every_format(tmp_path):
    silence = np.full((5, 4), REST)
    write_wav(tmp_path / "rest.wav", silence)
    assert not recorded(tmp_path / "rest.wav")[0].any()
    write_midi(tmp_path / "rest.mid", silence)
    write_musicxml(tmp_path / "rest.musicxml", silence)
    np.testing.assert_array_equal(read_back(tmp_path / "rest.musicxml", 5)[0], silence)


@every_writer
def test_the_same_notes_give_the_same_bytes(tmp_path, write):
    write(tmp_path / "first", CHORALE)
    write(tmp_path / "second", CHORALE.tolist())
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_musicxml_holds_no_date(tmp_path):
    write_musicxml(tmp_path / "chorale.musicxml", CHORALE)
    assert b"date" not in (tmp_path / "chorale.musicxml").read_bytes()


def test_musicxml_has_the_same_bytes_in_another_process(tmp_path):
    program = (
        "import sys; from encoding.score import write_musicxml; write_musicxml(sys.argv[1], [[72, 67, 64, 48]] * 5)"
    )
    for name in ("first", "second"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=True, env=os.environ)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@every_writer
@pytest.mark.parametrize(
    ("pitches", "message"),
    [
        (np.zeros((3, 5), dtype=int), r"a chorale has 4 voices: .* got shape \(3, 5\)"),
        (np.zeros(4, dtype=int), r"a chorale has 4 voices: .* got shape \(4,\)"),
        (np.zeros((0, 4), dtype=int), "a chorale needs at least one step"),
        (np.zeros((3, 4)), "whole MIDI numbers, an array of ints; got dtype float64"),
        (np.zeros((3, 4), dtype=bool), "got dtype bool"),
        ([[60, 60, 60, 60], [60, 60, 128, 60]], "0..127, or -1 for a rest; got 128 at step 1, tenor"),
        ([[60, -2, 60, 60]], "got -2 at step 0, alto"),
        (np.full((1, 4), 200, dtype=np.uint8), "got 200 at step 0, soprano"),
        ([[60, 60, 60, 60], [60]], "rows of different lengths"),
    ],
)
def test_what_is_no_chorale_is_refused_in_one_line(tmp_path, write, pitches, message):
    with pytest.raises(InputError, match=message) as refusal:
        write(tmp_path / "chorale", pitches)
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


@every_writer
@pytest.mark.parametrize("tempo", [0, -80, float("nan"), float("inf"), 1e9])
def test_an_impossible_tempo_is_refused_in_one_line(tmp_path, write, tempo):
    with pytest.raises(InputError, match=r"between 4 and 960 quarters per minute; got \S+$"):
        write(tmp_path / "chorale", CHORALE, tempo=tempo)


@pytest.mark.parametrize("tempo", [4, 960, 77.7])
def test_the_slowest_and_the_fastest_tempo_can_be_written(tmp_path, tempo):
    for write in WRITERS:
        write(tmp_path / "chorale", CHORALE[:2], tempo=tempo)


@pytest.mark.parametrize("sample_rate", [0, 100, 44100.5, 10**6])
def test_an_impossible_sample_rate_is_refused(tmp_path, sample_rate):
    with pytest.raises(InputError, match=f"between 8000 and 192000 per second; got {sample_rate}"):
        write_wav(tmp_path / "chorale.wav", CHORALE, sample_rate=sample_rate)


def test_a_title_of_two_lines_is_refused(tmp_path):
    with pytest.raises(InputError, match="the title is one printable line"):
        write_musicxml(tmp_path / "chorale.musicxml", CHORALE, title="a\nb")


@every_writer
def test_a_missing_folder_is_an_os_error_that_names_the_file(tmp_path, write):
    with pytest.raises(FileNotFoundError, match="chorale"):
        write(tmp_path / "nowhere" / "chorale", CHORALE)


def write_half(path):
    with replace_file(path) as file:
        file.write(b"half of the n")
        file.flush()
        assert path.read_bytes() == b"old"
        raise ZeroDivisionError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        write_half(path)
    assert path.read_bytes() == b"old"
    with replace_file(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    with replace_file(tmp_path / "content") as first, replace_file(tmp_path / "content") as second:
        first.write(b"first")
        second.write(b"second")
    assert (tmp_path / "content").read_bytes() == b"first"  # closed last
    assert len(list(tmp_path.iterdir())) == 1


def test_a_new_file_has_the_usual_permissions_and_can_be_sought_in(tmp_path):
    (tmp_path / "usual").touch()
    with replace_file(tmp_path / "new") as file:
        np.savez(file, a=np.arange(3))
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)
    assert np.load(io.BytesIO((tmp_path / "new").read_bytes()))["a"].sum() == 3


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"), replace_file(tmp_path / "folder"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_what_a_link_points_to_is_replaced_and_the_link_stays(tmp_path):
    there, link = tmp_path / "there.txt", tmp_path / "link.txt"
    there.write_text("old")
    link.symlink_to(there)
    with replace_file(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert there.read_text() == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"there.txt", "link.txt"}
