"""A study says which runs a figure needs; what it does not say clearly is refused in one line."""

import numpy as np
import pytest

from encoding import InputError
from experiments.study import SCALES, load_study, study_names

GLASS = """
figure = "fig2"
about = "Glasses of several sizes."

[common]
system = "spherical-glass"
rate = 0.05
settings = { n_spins = [8, 12] }

[smoke]
replicas = 2
until = { time = 2 }

[laptop]
until = { time = 20 }
[[laptop.runs]]
settings = { disorder = [1, 2] }
[[laptop.runs]]
seed = 5
rate = 0.01
looks = { per_decade = 5, first = 0.5, weights = 3, aging = [1, 2], lags = 4 }
"""


@pytest.fixture
def study(tmp_path):
    """A study file with these lines."""

    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return str(path)

    return write


def test_a_list_of_values_is_a_run_for_each_and_later_tables_say_more(study):
    path = study(GLASS)
    smoke = load_study(path, "smoke")
    assert [each.task.settings["n_spins"] for each in smoke.planned] == [8, 12]
    assert {each.task.n_replicas for each in smoke.planned} == {2}
    laptop = load_study(path, "laptop")
    grid = [(each.task.settings["n_spins"], each.task.settings["disorder"]) for each in laptop.planned[:4]]
    assert grid == [(8, 1), (8, 2), (12, 1), (12, 2)]
    assert [(each.rate, each.task.seed) for each in laptop.planned] == [(0.05, 0)] * 4 + [(0.01, 5)] * 2
    assert {each.until.time for each in laptop.planned} == {20}
    assert (laptop.name, laptop.figure, laptop.scale) == ("mine", "fig2", "laptop")


def test_looks_say_when_losses_noise_and_weights_are_written_down(study):
    look = load_study(study(GLASS), "laptop").planned[-1].task.look
    assert look.loss.after(0) == 0.5
    assert look.loss.after(0.5) == pytest.approx(0.5 * 10**0.2)
    assert look.weights.after(0.6) == 1  # the first waiting time
    assert look.weights.after(2) == pytest.approx(0.5 * 10 ** (2 / 3))  # three a decade from 0.5
    assert look.noise.after(0) == 1  # after waiting times alone


def test_looks_come_evenly_spaced_too(study):
    look = load_study(study(GLASS.replace("replicas = 2", "looks = { first = 1, every = 0.3 }")), "smoke")
    assert look.planned[0].task.look.weights.after(0.3) == pytest.approx(0.6)
    assert look.planned[0].task.look.loss.after(0.9) == 1


def test_a_window_of_single_steps_is_looked_at_step_by_step(study):
    path = study(GLASS.replace("replicas = 2", "replicas = 2\nlooks = { every_step = [1], steps = 4 }"))
    look = load_study(path, "smoke").planned[0].task.look.loss
    seen, time = [], 0.99
    while time < 1.2:
        seen.append(time := look.after(time))
    assert set(np.round(1 + 0.05 * np.arange(5), 9)) <= set(np.round(seen, 9))


@pytest.mark.parametrize("name", study_names())
@pytest.mark.parametrize("scale", SCALES)
def test_every_bundled_study_is_one_at_every_scale(name, scale, monkeypatch, jsb_path, tmp_path):
    monkeypatch.setenv("ARMONICA_JSB", str(jsb_path))
    images, labels = np.eye(4, dtype=np.uint8), np.arange(4)  # a study does not ask what its digits look like
    np.savez(tmp_path / "mnist.npz", x=images, y=labels, xt=images, yt=labels)
    monkeypatch.setenv("ARMONICA_MNIST", str(tmp_path / "mnist.npz"))
    study = load_study(name, scale)
    assert study.planned
    assert all(each.until.time is not None for each in study.planned)  # so that hours can be told
    assert len({each.task.key for each in study.planned}) == len(study.planned)


def test_a_figure_can_use_the_runs_of_another_study():
    keys = [[each.task.key for each in load_study(name, "smoke").planned] for name in ("fig7", "fig8", "fig9", "fig3")]
    assert keys[0] == keys[1] == keys[2] == keys[3]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("figure =", "figur =", "figur"),
        ('about = "Glasses of several sizes."', "", 'a study says about = "..."; got None'),
        ("[smoke]", "[somke]", "somke"),
        ("replicas = 2", "replica = 2", "got replica; did you mean 'replicas'?"),
        ('"fig2"', '"fig1"', "a figure is one of fig2.*; got 'fig1'"),
        ('"fig2"', '"fig5"', "fig5 needs the width of deep-rnn; spherical-glass has none here: take fig2 or fig7"),
        ('"fig2"', '"generalisation"', "generalisation needs music; spherical-glass has none here"),
        ('"fig2"', '"fig4"', r"fig4 needs looks after single steps.*every_step = \[...\]"),
        ('"fig2"', '"fig7"', r"fig7 needs looks after waiting times.*aging"),
        ('"fig2"', '"fig8"', "fig8 needs looks at the noise"),
        ('"fig2"', '"overlaps"', "overlaps needs looks at the weights"),
        (
            "replicas = 2",
            "looks = { wieghts = 5 }",
            "toml: looks has per_decade.*; got wieghts; did you mean 'weights'",
        ),
        ("replicas = 2", "replicas = 0", "n_replicas is a whole number of at least 1"),
        ("replicas = 2", 'replicas = "two"', "n_replicas is a whole number"),
        ("until = { time = 2 }", "", "one has no until"),
        ("until = { time = 2 }", "until = 2", "until should be a table"),
        ("until = { time = 2 }", "until = { tau = 2 }", "until has time, loss, steps; got tau"),
        ("replicas = 2", "music = { sauce = 1 }", "music has source, split, first, transpose, excerpt; got sauce"),
        ("replicas = 2", "music = { first = false }", "music.first is a number of chorales"),
        ("replicas = 2", "schedule = [1]", "schedule is a word"),
        ("rate = 0.05", "rate = true", "rate is a number"),
        ("n_spins = [8, 12]", "n_spins = []", "asks for no run"),
        ("n_spins = [8, 12]", "n_spins = [8, 8]", "asks twice for"),
        ("replicas = 2", "looks = { every_step = [1], steps = 99999999999999999999 }", "looks.steps is a whole number"),
        ("replicas = 2", "looks = { every_step = 1 }", "looks.every_step is a list"),
        ("replicas = 2", "looks = { every_step = [true] }", "looks.every_step is a list"),
        ("replicas = 2", "seed = 1" + 5000 * "0", "should be TOML"),
        ("replicas = 2", "x = " + 5000 * "[", "should be TOML"),
        ("n_spins = [8, 12]", "n_spins = 1e308", "n_spins"),
        ("until = { time = 2 }", "until = { time = -2 }", "time is a finite number of at least 0"),
        ("rate = 0.05", 'rate = "fast"', "rate"),
        ("rate = 0.05", "rate = -1", "rate"),
        ("replicas = 2", 'schedule = "downhill"', "schedule is one of"),
        ("replicas = 2", "looks = { often = true }", "looks has per_decade"),
        ("replicas = 2", "looks = { per_decade = 0 }", "looks a decade"),
        ("replicas = 2", "looks = { every = 0 }", "every is a positive number"),
        ("replicas = 2", 'data = "small"', "spherical-glass learns from nothing; got Images"),
        ("replicas = 2", "data = 3", "digits are named by"),
        ("replicas = 2", 'data = "small"\nmusic = { source = "music21" }', "a run learns from music or from data; got"),
        ("replicas = 2", "runs = 3", "runs are tables"),
        ("n_spins = [8, 12]", "n_spin = 8", "n_spins"),
        ("{ n_spins = [8, 12] }", "3", "settings another"),
        ('"spherical-glass"', '"glas"', "system is one of"),
        ("[smoke]", "[smoke", "should be TOML"),
    ],
)
def test_what_is_no_study_is_refused_in_one_line(study, old, new, said):
    assert old in GLASS
    with pytest.raises(InputError, match=said if "\\[" in said else said.replace("[", r"\[")) as refused:
        load_study(study(GLASS.replace(old, new, 1)), "smoke")
    assert "\n" not in str(refused.value)
    assert str(refused.value).count("mine.toml") <= 1


def test_a_study_says_what_it_is_in_one_line(study):
    assert repr(load_study(study(GLASS), "smoke")) == "Study('mine', figure='fig2', scale='smoke', 2 runs)"


def test_a_study_or_a_scale_that_is_not_there_is_refused(study, tmp_path):
    with pytest.raises(InputError, match=r"a study is one of digits, fig2, .* or a path ending in \.toml; got 'fig1'"):
        load_study("fig1")
    with pytest.raises(InputError, match="scale is one of smoke, laptop, paper; got 'huge'"):
        load_study("fig5", "huge")
    with pytest.raises(InputError, match="has the scales smoke, laptop; got 'paper'"):
        load_study(study(GLASS), "paper")
    with pytest.raises(InputError, match="has the scales smoke; got the default, 'laptop': say --scale"):
        load_study(study(GLASS.split("[laptop]")[0]))
    with pytest.raises(FileNotFoundError):
        load_study(str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no text"):
        load_study(str(tmp_path / "binary.toml"))
