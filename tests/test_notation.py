"""Scores of the user's own, MIDI or MusicXML, are read quarter by quarter in their own key."""

import struct
import zipfile

import pytest

from encoding.chorales import load_chorales
from encoding.errors import InputError
from encoding.notation import read_voices


def measure(number, notes):
    """Notes as (pitch name, octave, eighths); R is a rest, a length of 0 a grace note, + joins the chord before."""
    text = ""
    for step, octave, eighths in notes:
        pitch = "<rest/>" if step == "R" else f"<pitch><step>{step[-1]}</step><octave>{octave}</octave></pitch>"
        pitch = f"<chord/>{pitch}" if step[0] == "+" else pitch
        length = f"<duration>{eighths}</duration>" if eighths else ""
        text += f"<note>{'' if eighths else '<grace/>'}{pitch}{length}<type>eighth</type></note>"
    head = "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    return f'<measure number="{number}">{head if number == 1 else ""}{text}</measure>'


def musicxml(parts):
    """A score from {part name: bars}, one bar a list of notes."""
    names = "".join(f'<score-part id="P{k}"><part-name>{name}</part-name></score-part>' for k, name in enumerate(parts))
    music = "".join(
        f'<part id="P{k}">' + "".join(measure(number, bar) for number, bar in enumerate(bars, 1)) + "</part>"
        for k, bars in enumerate(parts.values())
    )
    return f'<?xml version="1.0"?><score-partwise version="3.1"><part-list>{names}</part-list>{music}</score-partwise>'


SONG = {
    "Soprano": [[("C", 5, 1), ("D", 5, 1), ("E", 5, 3), ("F", 5, 1), ("G", 5, 2)]],
    "Alto": [[("G", 4, 4), ("A", 4, 0), ("B", 4, 2), ("R", 0, 2)]],
    "Tenor": [[("E", 4, 8), ("+C", 4, 8)]],
    "Bass": [[("C", 3, 2), ("G", 3, 2), ("C", 4, 4)]],
}
AS_SUNG = [[72, 67, 64, 48], [76, 67, 64, 55], [76, 71, 64, 60], [79, -1, 64, 60]]


def midi(*tracks):
    """A MIDI file with one track a voice, each a list of pitches of a quarter."""
    chunks = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), 96)
    for channel, pitches in enumerate(tracks):
        events = b"".join(bytes([0, 0x90 + channel, pitch, 80, 96, 0x80 + channel, pitch, 0]) for pitch in pitches)
        chunks += b"MTrk" + struct.pack(">I", len(events) + 4) + events + b"\0\xff\x2f\0"
    return chunks


def test_musicxml_is_sampled_at_whole_quarters(tmp_path):
    (tmp_path / "song.musicxml").write_text(musicxml(SONG))
    song = load_chorales(tmp_path / "song.musicxml")[0]
    assert song.pitches.tolist() == AS_SUNG
    assert (song.name, song.index, song.tonic) == ("song", 0, None)


def test_an_upbeat_stands_at_the_end_of_a_full_bar(tmp_path):
    bars = [[("C", 4, 2)], [("C", 4, 8)], [("C", 4, 6)]]
    (tmp_path / "song.xml").write_text(musicxml({name: bars for name in SONG}))
    soprano = read_voices(tmp_path / "song.xml")[0]
    assert [soprano.beat(time) for time in (0, 0.5, 1, 2, 4, 5, 7.5)] == [3, 3.5, 0, 1, 3, 0, 2.5]


def test_compressed_musicxml_is_the_same(tmp_path):
    container = '<container><rootfiles><rootfile full-path="song.xml"/></rootfiles></container>'
    with zipfile.ZipFile(tmp_path / "song.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("song.xml", musicxml(SONG))
    assert load_chorales(tmp_path / "song.mxl")[0].pitches.tolist() == AS_SUNG


def test_singers_are_found_by_name_among_other_parts(tmp_path):
    bassoon = {"Horn": SONG["Tenor"], "Bassoon": SONG["Tenor"]}
    reordered = {name: SONG[name] for name in ("Bass", "Tenor", "Alto", "Soprano")}
    (tmp_path / "song.xml").write_text(musicxml(bassoon | reordered))
    assert load_chorales(tmp_path / "song.xml")[0].pitches.tolist() == AS_SUNG


def test_midi_gives_its_four_tracks_from_top_to_bottom(tmp_path):
    (tmp_path / "song.mid").write_bytes(midi([72, 74, 76], [67, 67, 67], [64, 65, 60], [48, 47, 45]))
    song = load_chorales(tmp_path / "song.mid")[0]
    assert song.pitches.tolist() == [[72, 67, 64, 48], [74, 67, 65, 47], [76, 67, 60, 45]]


def test_a_folder_gives_its_scores_in_the_order_of_their_names(tmp_path):
    for name, top in (("b.mid", 72), ("a.MID", 74), ("c.midi", 76)):
        (tmp_path / name).write_bytes(midi([top, top], [67, 67], [64, 64], [48, 48]))
    (tmp_path / "notes.txt").write_text("not a score")
    songs = load_chorales(tmp_path, first=2)
    assert [(song.name, song.index, int(song.pitches[0, 0])) for song in songs] == [("a", 0, 74), ("b", 1, 72)]


def test_low_notes_are_refused_in_c_and_kept_in_the_original_key(tmp_path):
    (tmp_path / "low.mid").write_bytes(midi([72, 72], [67, 67], [64, 64], [48, 41]))
    with pytest.raises(InputError, match=r"low\.mid: expected pitches 43\.\.96; got 41 at step 1 in voice B"):
        load_chorales(tmp_path / "low.mid")
    assert load_chorales(tmp_path / "low.mid", transpose=False)[0].pitches[1, 3] == 41


def test_scores_are_one_split(tmp_path):
    (tmp_path / "song.mid").write_bytes(midi([72, 72], [67, 67], [64, 64], [48, 48]))
    with pytest.raises(InputError, match="form one split, \"train\"; got split='test'"):
        load_chorales(tmp_path / "song.mid", "test")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "three.mid",
            midi([72, 72], [67, 67], [64, 64]),
            "expected 4 parts, one a voice; got 3",
        ),
        ("short.mid", midi([72], [67], [64], [48]), "expected at least 2 quarters of music; got 1"),
        (
            "cut.mid",
            midi([72, 72], [67, 67], [64, 64], [48, 48])[:-20],
            "expected a whole MIDI file of 126 bytes; got 106",
        ),
        ("empty.mid", b"", "music21 cannot read it"),
        ("empty.xml", b"", "music21 cannot read it"),
        ("cut.musicxml", musicxml(SONG).encode()[:-60], "music21 cannot read it"),
        ("broken.mxl", b"PK\x03\x04 and no more", "music21 cannot read it"),
        ("page.xml", b"<html><body>404</body></html>", "expected"),
        ("song.txt", b"la la la", "expected a file ending in .json, .pkl, .mid, .midi, .mxl, .musicxml, .xml"),
    ],
)
def test_a_file_that_is_no_score_of_four_voices_is_refused_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as refusal:
        load_chorales(tmp_path / name)
    assert str(refusal.value).startswith(f"{tmp_path / name}: ")
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_folder_without_scores_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder with MIDI or MusicXML files"):
        load_chorales(tmp_path)
