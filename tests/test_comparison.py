"""armonica compare: a page that stands by itself, its table and its music; what is missing is said, nothing is lost."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from encoding.notation import read_score
from encoding.readout import random_readout
from experiments.comparison import HEADER
from experiments.observables import irreducible_loss, readout_floor
from experiments.same_readout import heard_by
from experiments.store import Store, load_run
from experiments.study import load_study

MUSIC = 'music = { source = "music21", first = 2, excerpt = 6 }'
CIRCUIT = 'schedule = "coherent", n_history = 1, readout_start = "random", learned = "angles"'
FAIR = 'depth = 1, rule = "exact", inputs = "clock", skip = false, n_features = 4'
FAIR += ', readout_start = "random", learned = "J,M"'
LEARNABILITY = f"""
figure = "learnability"
about = "A few sizes."
[smoke]
{MUSIC}
rate = 0.1
replicas = 2
looks = {{ per_decade = 30, first = 0.1 }}
until = {{ time = 6 }}
[[smoke.runs]]
system = "quantum"
settings = {{ n_layers = [1, 2], {CIRCUIT} }}
[[smoke.runs]]
system = "deep-rnn"
settings = {{ width = [4, 6], batch = "none", {FAIR} }}
"""
AGING = f"""
figure = "quantum-aging"
about = "One of each."
[smoke]
{MUSIC}
rate = 0.1
replicas = 3
looks = {{ aging = [1, 2], lags = 5 }}
until = {{ time = 6 }}
[[smoke.runs]]
system = "quantum"
settings = {{ n_layers = 2, batch = 4, probes = 4, {CIRCUIT} }}
[[smoke.runs]]
system = "deep-rnn"
settings = {{ width = 4, batch = 4, {FAIR} }}
"""


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """The paths of both studies."""
    folder = tmp_path_factory.mktemp("studies")
    paths = {"learnability": folder / "lone.toml", "aging": folder / "old.toml"}
    paths["learnability"].write_text(LEARNABILITY)
    paths["aging"].write_text(AGING)
    return paths


@pytest.fixture(scope="module")
def store(studies, tmp_path_factory):
    """A store with all runs of both."""
    store = Store(tmp_path_factory.mktemp("compare") / "runs")
    for path in studies.values():
        for planned in load_study(str(path), "smoke").planned:
            store.learn(planned.task, until=planned.until, kernel="plain")
    return store


@pytest.fixture(scope="module")
def words(studies, store):
    """The command, but for where the page is to be."""
    named = [word for option, path in studies.items() for word in (f"--{option}", path)]
    return ["compare", *named, "--scale", "smoke", "--store", store.path]


@pytest.fixture(scope="module")
def page(armonica, words, tmp_path_factory):
    """The page of all runs."""
    path = tmp_path_factory.mktemp("pages") / "page.html"
    assert armonica(*words, "--out", path) == 0
    return path


def rows(path):
    """The table as it is read by others: (music, series, system, size, theta, quantity) -> (value, low, high)."""
    import csv

    with path.open(newline="") as file:
        head, *lines = csv.reader(file)
    assert ",".join(head) == HEADER
    return {tuple(line[:6]): tuple(float(cell) if cell else np.nan for cell in line[6:]) for line in lines}


class Checker(HTMLParser):
    """Whether every element ends where it should, and what the page asks for from elsewhere."""

    VOID = ("meta", "img", "br", "link", "hr", "input")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.asks, self.described = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.asks += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]
        self.described += [dict(attrs).get("alt")] if tag == "img" else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_valid_and_asks_nobody_for_anything(page):
    text = page.read_text("utf-8")
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    for tag in ("title", "h1", "caption", "table"):
        assert tag in checker.seen
    assert not {"script", "link", "iframe"} & set(checker.seen)
    assert "url(" not in text
    assert "@import" not in text
    here = {f"page{suffix}" for suffix in (".csv", "-quantum.mid", "-classical.mid", "-original.mid")}
    assert {ask for ask in checker.asks if not ask.startswith("data:image/png;base64,")} == here
    assert all(checker.described)
    assert {path.name for path in page.parent.iterdir()} == here | {"page.html"}


def test_every_picture_on_it_is_one(page):
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page.read_text("utf-8"))
    assert len(pictures) == 3  # learning, aging, music
    for picture in pictures:
        assert base64.b64decode(picture, validate=True).startswith(b"\x89PNG\r\n")


def test_the_table_has_what_the_runs_and_the_music_say(page, studies, store):
    told = rows(page.with_suffix(".csv"))
    planned = load_study(str(studies["learnability"]), "smoke").planned
    ends = {}
    for each in planned:
        name = {"quantum": "quantum", "deep-rnn": "classical"}[each.task.system]
        ends.setdefault(name, []).append(load_run(store.folder(each.task)).trajectory.loss[-1])
    chorales, heard = planned[0].task.chorales or [], heard_by(planned[0].task)
    k, h0 = (part.astype(np.float32) for part in random_readout(0, 4).values())
    floor = readout_floor(chorales, k, h0, encoding=heard)
    for system, losses in ends.items():
        whose = ("2 excerpts of 6 chords", "readout frozen", system, "", "")
        assert told[*whose, "best NLL"][0] == pytest.approx(np.min(losses))
        assert told[*whose, "floor of the readout"][0] == pytest.approx(floor)
        assert told[*whose, "irreducible loss"][0] == irreducible_loss(chorales, encoding=heard)
        assert told[*whose, "constraints"][0] == 40
        assert np.min(losses) > floor
    for size, losses in zip(("1", "2"), ends["quantum"], strict=True):
        whose = ("2 excerpts of 6 chords", "readout frozen", "quantum", size, "")
        value, low, high = told[*whose, "NLL at the end"]
        assert value == pytest.approx(np.mean(losses))
        assert low < value < high
        assert told[*whose, "coordinates of the core"][0] == 20 * int(size)
        assert told[*whose, "coordinates of the readout"][0] == 0
    exponents = {key[2] for key in told if key[5].endswith("the function: short-time exponent")}
    assert exponents <= {"quantum", "classical"}
    scores = [key for key in told if key[5] == "aging, the function: score of a collapse against τ/τ_w"]
    assert len(scores) == 2


def test_the_music_opens_as_the_chorale_does_and_the_original_is_beside_it(page, studies):
    learned = load_study(str(studies["learnability"]), "smoke").planned[0].task.chorales or []
    original = learned[0].pitches
    np.testing.assert_array_equal(np.sort(read_score(page.with_name("page-original.mid"))), np.sort(original))
    for system in ("quantum", "classical"):
        played = read_score(page.with_name(f"page-{system}.mid"))
        np.testing.assert_array_equal(np.sort(played[:3]), np.sort(original[:3]))


def test_the_same_runs_give_the_same_bytes_and_our_own_files_are_written_anew(armonica, words, page):
    before = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    assert armonica(*words, "--out", page) == 0
    assert before == {path.name: path.read_bytes() for path in page.parent.iterdir()}


def test_what_is_not_there_yet_is_said_and_the_rest_drawn(armonica, complaint, capsys, words, studies, tmp_path):
    few = Store(tmp_path / "few")
    asked = [word if word != words[-1] else few.path for word in words]
    said = complaint(*asked, "--out", tmp_path / "page.html")
    assert (
        f"{few.path} has none of the 4 runs of lone at scale smoke, nor any of old: armonica sweep makes them" in said
    )
    assert not (tmp_path / "page.html").exists()
    planned = load_study(str(studies["learnability"]), "smoke").planned
    few.learn(planned[1].task, until=2.0, kernel="plain")
    assert armonica(*asked, "--out", tmp_path / "page.html") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "nothing of old is there yet: armonica sweep old --scale smoke" in lines
    assert sum(line.startswith("missing: ") for line in lines) == 3
    assert any(line.startswith("not ended: quantum, readout frozen, 2 excerpts of 6 chords, L = 2") for line in lines)
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "<h2>Aging</h2>" not in text
    assert "nothing of old is there yet" in text
    assert len(re.findall("<img", text)) == 2  # learning and music
    assert not (tmp_path / "page-classical.mid").exists()


def test_the_page_is_in_the_store_where_nothing_else_is_said(armonica, words, store):
    assert armonica(*words) == 0
    assert (store.path / "compare-smoke.html").exists()


FOREIGN = {
    "mine.html": ("mine.html", "is no page of armonica compare, and is left as it is"),
    "mine.csv": ("mine.html", "is no table of a comparison, and is left as it is"),
    "mine-original.mid": ("mine.html", "is none of ours, and is left as it is"),
}


@pytest.mark.parametrize("there", FOREIGN)
def test_nobody_elses_file_is_lost(complaint, words, tmp_path, there):
    out, said = FOREIGN[there]
    (tmp_path / there).write_text("mine")
    assert said in complaint(*words, "--out", tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_what_is_no_page_or_no_such_study_ends_in_one_line(complaint, words, studies, tmp_path):
    (tmp_path / "folder.html").mkdir()
    assert "is to be a page, and is a folder" in complaint(*words, "--out", tmp_path / "folder.html")
    assert "a page is written as .html; got 'page.pdf'" in complaint(*words, "--out", tmp_path / "page.pdf")
    swapped = [*words, "--aging", studies["learnability"], "--out", tmp_path / "page.html"]
    assert "--aging takes a study with figure = \"quantum-aging\"; lone has 'learnability'" in complaint(*swapped)
    assert "a study is one of" in complaint("compare", "--learnability", "fig77", "--out", tmp_path / "page.html")
    (tmp_path / "file").write_text("")
    assert "a folder is wanted there" in complaint(*words, "--out", tmp_path / "file" / "page.html")


def test_systems_that_have_no_size_are_refused_before_anything_is_learned(tmp_path):
    path = tmp_path / "glass.toml"
    glass = 'system = "spherical-glass"\nsettings = { n_spins = 8 }\nrate = 0.1\nuntil = { time = 1 }'
    path.write_text(f'figure = "learnability"\nabout = "none"\n[smoke]\n{glass}\n')
    with pytest.raises(ValueError, match="learnability needs quantum or deep-rnn; spherical-glass has none here"):
        load_study(str(path), "smoke")
