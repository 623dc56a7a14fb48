"""The figure of the perceptron's study: samples are pooled, questions are not; its numbers are those of the runs."""

from typing import Any

import numpy as np
import pytest

from classical.perceptron import bayes_optimal
from experiments import Store
from experiments.figures.drawing import draw
from experiments.figures.of_study import picture_of
from experiments.store import load_run, system_of
from experiments.study import load_study
from experiments.sweep import sweep
from experiments.sweep_session import sweep_session

STUDY = """
figure = "perceptron"
about = "Small ones."
[smoke]
system = "deep-perceptron"
settings = { depth = [1, 3], width = 4, alpha = 6, disorder = [0, 1, 2] }
rate = 1
replicas = 2
looks = { per_decade = 5, first = 1.0 }
until = { time = 10 }
"""


@pytest.fixture
def drawn(tmp_path):
    """The study of a text, its runs made, and its picture."""

    def draw(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        store, study = Store(tmp_path / "runs"), load_study(str(path), "smoke")
        assert {state.over for state in sweep(study, store)} == {"done"}
        return study, store, picture_of(study, store)

    return draw


def test_samples_are_pooled_with_their_scatter_and_made_once(drawn):
    study, store, picture = drawn(STUDY)
    (deep,) = [one for one in picture.in_panel("test") if "L = 3" in one.name]
    assert [one.name for one in picture.in_panel("training")] == [
        "α = 6, N = 4, L = 1, learning",
        "α = 6, N = 4, L = 3, learning",
    ]
    runs = [load_run(store.folder(each.task)) for each in study.planned if each.task.settings["depth"] == 3]
    profiles = np.array([run.trajectory.measured["r2_test"][-1].mean(0) for run in runs])
    np.testing.assert_allclose(deep.y, profiles.mean(0))
    assert deep.high is not None
    np.testing.assert_allclose(deep.high - deep.y, profiles.std(0, ddof=1) / np.sqrt(3))
    assert [one.x[0] for one in picture.in_panel("depth")] == [1, 3]
    (said,) = [note for note in picture.notes if note.startswith("α = 6, N = 4, L = 3, learning: 3 samples of 2 rep")]
    found = np.mean([run.trajectory.measured["r_test"][-1].mean() for run in runs])
    assert f", r_test = {found:.3f} ± " in said
    before = {path: path.read_bytes() for path in store.path.rglob("trajectory.jsonl")}
    assert not list(sweep(study, store))
    assert {path: path.read_bytes() for path in store.path.rglob("trajectory.jsonl")} == before


def test_samples_are_compared_at_the_time_that_all_have_come_to(drawn, tmp_path):
    """One of three went on for longer: its profile is that of the others' last look, its students are left out."""
    study, store, _ = drawn(STUDY)
    runs = [each for each in study.planned if each.task.settings["depth"] == 3]
    path = tmp_path / "more.toml"
    path.write_text(STUDY.replace("disorder = [0, 1, 2]", "disorder = 0").replace("time = 10", "time = 40"))
    longer = load_study(str(path), "smoke")
    assert {state.over for state in sweep(longer, store)} == {"done"}
    picture = picture_of(study, store)
    (deep,) = [one for one in picture.in_panel("test") if "L = 3" in one.name]
    loaded = [load_run(store.folder(each.task)).trajectory for each in runs]
    looks = min(len(run.step) for run in loaded)
    assert max(len(run.step) for run in loaded) > looks
    profiles = np.array([run.measured["r2_test"][looks - 1].mean(0) for run in loaded])
    np.testing.assert_allclose(deep.y, profiles.mean(0))
    assert any(
        "L = 3, learning: two students are compared" in note and "the 2 of 3 runs" in note for note in picture.notes
    )
    (alike,) = [one for one in picture.in_panel("students") if "L = 3" in one.name]
    ended: list[Any] = [
        system_of(load_run(store.folder(each.task)))
        for each, run in zip(runs, loaded, strict=True)
        if len(run.step) == looks
    ]
    assert len(ended) == 2
    np.testing.assert_allclose(alike.y, np.mean([each.overlaps()[0, 1] for each in ended], axis=0))


def test_students_of_both_starts_share_a_colour_that_no_others_have(drawn):
    _, _, picture = drawn(STUDY.replace("alpha = 6", 'alpha = 6, start = ["learning", "unlearning"]'))
    looks = {one.name: picture.looks[one.name] for one in picture.series if one.panel != "theory"}
    assert {name: (look.line, look.mark) for name, look in looks.items()} == {
        f"α = 6, N = 4, L = {depth}, {start}": drawn_as
        for depth in (1, 3)
        for start, drawn_as in (("learning", ("-", "o")), ("unlearning", ("--", "x")))
    }
    colours = {name: look.colour for name, look in looks.items()}
    assert len(set(colours.values())) == 2
    for name, colour in colours.items():
        assert colours[name.replace("unlearning", "learning")] == colour
    figure = draw(picture)
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    for name, look in looks.items():
        assert (lines[name].get_linestyle(), lines[name].get_color()) == (look.line, look.colour)


def test_of_random_data_students_are_compared_with_each_other_alone(drawn):
    _, _, picture = drawn(STUDY.replace("alpha = 6", 'alpha = 6, scenario = "random"').replace("[1, 3]", "2"))
    for panel in ("training", "test", "r_test", "depth"):
        assert picture.panels[panel].empty == "random data have no teacher"
    assert len(picture.in_panel("students")[0].y) == 2


def test_one_replica_has_no_other_to_be_compared_with(drawn):
    _, _, picture = drawn(STUDY.replace("replicas = 2", "replicas = 1").replace("[1, 3]", "2"))
    assert "two replicas or more" in picture.panels["students"].empty


def test_a_sweep_says_of_machines_asked_for_too_many_moves_that_they_were(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(
        STUDY.replace("[1, 3]", "3")
        .replace("[0, 1, 2]", "0")
        .replace("rate = 1", "rate = 1e9")
        .replace("time = 10", "steps = 3")
    )
    assert sweep_session(load_study(str(path), "smoke"), Store(tmp_path / "runs")) == 1
    last = "".join(capsys.readouterr()).splitlines()[-1]
    assert last.startswith("was asked for more than 2^31 proposals a step: deep-perceptron")
    assert last.endswith(": a lower rate")


def test_it_is_drawn_of_nothing_else(tmp_path):
    path = tmp_path / "mine.toml"
    head = STUDY.replace("deep-perceptron", "spherical-glass").split("settings")[0]
    path.write_text(head + "rate = 0.1\nuntil = { time = 1 }")
    with pytest.raises(ValueError, match="perceptron needs deep-perceptron; spherical-glass has none here"):
        load_study(str(path), "smoke")


def test_theory_stands_beside_the_machines_once_for_all_starts(drawn):
    picture = drawn(STUDY.replace("alpha = 6,", 'alpha = 6, start = ["learning", "unlearning"],'))[2]
    shown = {one.name: one for one in picture.in_panel("theory")}
    assert set(shown) == {"α = 6, L = 1", "α = 6, L = 3"}
    student = bayes_optimal(6, 3)
    np.testing.assert_allclose(shown["α = 6, L = 3"].y, student.q_ea[1:] ** 2)
    assert picture.looks["α = 6, L = 3"].colour == picture.looks["α = 6, N = 4, L = 3, learning"].colour
    assert sum("compared in shape only" in note for note in picture.notes) == 1


def test_theory_without_a_solution_is_said_and_warm_machines_have_none(drawn):
    random = STUDY.replace(
        "depth = [1, 3], width = 4, alpha = 6,", 'depth = 1, width = 4, alpha = 6, scenario = "random",'
    )
    picture = drawn(random)[2]
    assert not list(picture.in_panel("theory"))
    (said,) = {note for note in picture.notes if note.startswith("theory: ")}
    assert "5 steps of replica symmetry breaking at alpha = 6, L = 1: there is no solution" in said
    warm = drawn(STUDY.replace("alpha = 6,", "alpha = 6, temperature = 1.0,"))[2]
    assert not list(warm.in_panel("theory"))
    assert not any("theory" in note for note in warm.notes)
