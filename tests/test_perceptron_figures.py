"""Figures of the deep perceptron's theory compute themselves, and show what the equations say."""

import numpy as np
import pytest

from classical.perceptron import NotConverged
from encoding import InputError
from experiments.figures import glass_states as states
from experiments.figures import glass_transitions as lines
from experiments.figures.glass_profiles import glass_profiles
from experiments.figures.glass_teacher import glass_teacher
from experiments.figures.theory import THEORY, theory_picture


def curves(picture, panel):
    return {one.name: one for one in picture.in_panel(panel)}


def test_profiles_are_symmetric_and_reach_deeper_as_more_is_learned():
    picture = glass_profiles(alphas=(25.0, 200.0), depth=12, steps=1)
    assert list(picture.panels) == ["symmetric", "broken", "low", "students"]
    for panel in picture.panels:
        few, many = (curves(picture, panel)[f"α = {alpha}"].y for alpha in (25, 200))
        assert few[0] == few[-1] == 1
        np.testing.assert_allclose(many, many[::-1], atol=1e-9)
        assert (many[1:-1] >= few[1:-1] - 1e-5).all()
        assert (many > 0.01).sum() > (few > 0.01).sum()
    assert curves(picture, "students")["α = 200"].y.min() > 0.999 > 0.9 > curves(picture, "low")["α = 200"].y[1]
    assert "store no more than α = 77.93 (one step), 96.4 (counting)" in " ".join(picture.notes)


def test_what_has_no_solution_is_said_and_left_out():
    picture = glass_profiles(alphas=(1.5, 3.0), depth=1, steps=1)
    assert set(curves(picture, "symmetric")) == {"α = 1.5"}
    assert "missing: replica symmetry at alpha = 3, L = 1: layer 1 freezes" in " ".join(picture.notes)


def test_transitions_stand_beside_their_laws_and_the_slides(monkeypatch):
    monkeypatch.setattr(lines, "SCENARIOS", (lines.SCENARIOS[0]._replace(n_layers=4), lines.SCENARIOS[3]))
    picture = lines.glass_transition_lines()
    for panel in ("exponential", "power"):
        drawn = curves(picture, panel)
        assert drawn["random data, symmetric"].y[0] == pytest.approx(np.pi**2 / 4)
        assert drawn["slide: 2.03"].y.tolist() == [2.03]
        assert drawn["slide: 2.7 exp(1.03 l)"].y[0] == pytest.approx(2.7 * np.exp(1.03))
    np.testing.assert_allclose(curves(picture, "power")["students of a teacher: fit"].y[0], 2.2, atol=0.1)
    (fit,) = (fit for name, fit in picture.numbers.items() if name.startswith("students of a teacher: b of l^b"))
    assert fit.low < 2.68 < fit.high
    assert any("π²/4 = 2.4674" in note for note in picture.notes)


def test_states_rise_with_x_and_deeper_layers_are_less_alike(monkeypatch):
    monkeypatch.setattr(states, "SHOWN", ((20.0, 4, 3),))
    picture = states.glass_states()
    first, second = (curves(picture, "20")[f"l = {layer}"] for layer in (1, 2))
    assert first.x[0] == 0
    assert first.x[-1] == 1
    assert (np.diff(first.y) >= 0).all()
    assert (second.y <= first.y).all()
    assert len(first.x) == 2 * 4


def test_noise_hides_the_teacher():
    picture = glass_teacher()
    with_teacher = curves(picture, "r")
    np.testing.assert_allclose(with_teacher["r = 1"].y, curves(picture, "q")["r = 1"].y, atol=1e-4)
    assert with_teacher["r = 0.9"].y[1] > 0.3
    for r in (0.5, 0.1):
        assert with_teacher[f"r = {r}"].y[0] == r
        assert with_teacher[f"r = {r}"].y[1] < 1e-3
    assert np.ptp(curves(picture, "x")["r = 1"].y) < 1e-4 < np.ptp(curves(picture, "x")["r = 0.5"].y)


def test_a_figure_of_theory_needs_no_runs(armonica, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(states, "SHOWN", ((20.0, 4, 2),))
    assert armonica("plot", "perceptron-states", "--store", tmp_path / "none") == 0
    assert (tmp_path / "none" / "perceptron-states.png").stat().st_size > 1000
    table = (tmp_path / "none" / "perceptron-states.csv").read_text(encoding="utf-8").splitlines()
    assert table[0].startswith("figure,panel,series,x,y")
    assert all(line.startswith("perceptron-states,20,l = ") for line in table[1:])
    assert "perceptron-states.png" in capsys.readouterr().out


def test_equations_that_are_not_solved_end_in_a_line(complaint, monkeypatch):
    def unsolved(*_, **__):
        raise NotConverged("ten steps: no solution within 3 steps")

    monkeypatch.setattr(states, "replica_symmetry_breaking", unsolved)
    said = complaint("plot", "perceptron-states")
    assert "perceptron-states cannot be drawn: ten steps: no solution within 3 steps" in said


def test_a_scale_is_not_of_theory(complaint):
    said = complaint("plot", "perceptron-states", "--scale", "paper")
    assert "--scale is of studies; got it with the figure of theory 'perceptron-states'" in said


def test_every_figure_of_theory_is_there():
    assert len(THEORY) == 5
    with pytest.raises(InputError, match=r"a figure of theory is one of perceptron-profiles, .*; got 'glass'"):
        theory_picture("glass")
