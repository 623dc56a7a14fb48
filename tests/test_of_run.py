"""The picture of a run says what is drawn, in which unit, and how low the loss can come at all."""

import pytest

from experiments import Looks, Music, Store, Task, logarithmic
from experiments.figures import of_run

SETTINGS = {"depth": 1, "width": 4, "rule": "exact"}
LOOK = Looks(loss=logarithmic(0.1, 5))


@pytest.fixture
def axes(monkeypatch):
    """The axes of the figure that is saved."""
    kept = []
    monkeypatch.setattr(of_run, "save_figure", lambda figure, path: kept.append(figure.axes[0]))
    return kept


def test_a_network_is_drawn_in_bits_with_the_floor_that_its_data_set(tmp_path, axes):
    task = Task(system="deep-rnn", settings=SETTINGS, schedule=0.05, music=Music(first=10), look=LOOK)
    of_run.draw_learning_curve(Store(tmp_path).learn(task, until=0.5), tmp_path / "x.png")
    assert axes[0].get_ylabel() == "NLL (bits per output unit per time step)"
    assert [line.get_label() for line in axes[0].lines] == [
        "deep-rnn: depth 1, width 4\nrule exact, p = 300, η = 0.05",
        "irreducible loss",
    ]


def test_an_energy_is_drawn_in_its_own_unit_on_a_linear_axis(tmp_path, axes):
    task = Task(system="spherical-glass", settings={"n_spins": 8}, schedule=0.05, look=LOOK)
    of_run.draw_learning_curve(Store(tmp_path).learn(task, until=2), tmp_path / "x.png")
    assert axes[0].get_ylabel() == "loss (energy per spin)"
    assert axes[0].get_yscale() == "linear"
