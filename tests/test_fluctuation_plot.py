"""Response against correlation: in a trap in equilibrium all curves lie on the line of slope 1."""

from itertools import pairwise

import numpy as np
import pytest

from encoding import InputError
from experiments.figures.drawing import draw
from experiments.figures.fluctuation_plot import fluctuation_plot
from experiments.twins import Response, response

STIFFNESS, HEAT, RATE = 0.5, 2.0, 0.04
A = 1 - STIFFNESS * RATE
LAGS = np.geomspace(0.08, 8, 10)


@pytest.fixture
def pulled(machine):
    """A trap at temperature HEAT that starts in equilibrium at `start`: w' = a w + sqrt(T/k (1 - a^2)) xi."""

    def make(start=HEAT, n_replicas=6) -> Response:
        rng = np.random.default_rng(1)
        begin = np.sqrt(start / STIFFNESS) * rng.standard_normal((n_replicas, 1000))
        kick = np.sqrt(HEAT / STIFFNESS * (1 - A**2))
        trap = machine(begin, gradient=lambda w: STIFFNESS * w, kick=lambda rate: kick, seed=7)
        return response(trap, RATE, field=1e-3, lags=LAGS, waiting=80.0)

    return make


def series(picture, panel, name):
    (found,) = [one for one in picture.series if (one.panel, one.name) == (panel, name)]
    return found


def test_in_equilibrium_the_slope_is_one_in_every_panel(pulled):
    picture = fluctuation_plot({"τ_w = 80": pulled()}, HEAT)
    far, near = series(picture, "displacement", "τ_w = 80"), series(picture, "correlation", "τ_w = 80")
    assert np.polyfit(far.x, far.y, 1) == pytest.approx([1, 0], abs=0.08)
    slope, height = np.polyfit(near.x, near.y, 1)
    assert slope == pytest.approx(-1, abs=0.08)
    assert -height / slope == pytest.approx(HEAT / STIFFNESS, rel=0.1)  # where chi is 0, C is <w^2> = T/k
    local = series(picture, "slope", "τ_w = 80")
    assert local.low is not None
    assert local.high is not None
    assert ((local.low < 1.1) & (local.high > 0.9)).all()
    assert np.mean((local.low < 1) & (local.high > 1)) > 0.6
    assert draw(picture).get_axes()


def test_the_line_of_equilibrium_has_slope_one_from_where_the_correlation_begins(pulled):
    found = pulled()
    picture = fluctuation_plot({"now": found}, HEAT)
    line = series(picture, "correlation", "now: X = 1")
    assert (line.kind, line.x[0], line.y[0]) == ("guide", pytest.approx(found.start.mean()), 0)
    assert np.diff(line.y) / np.diff(line.x) == pytest.approx([-1])
    line = series(picture, "displacement", "now: X = 1")
    assert np.diff(line.y) / np.diff(line.x) == pytest.approx([1])


def test_twice_the_temperature_is_twice_the_slope_for_each_replica(pulled):
    found = pulled()
    one, two = (fluctuation_plot({"now": found}, heat) for heat in (HEAT, np.full(6, 2 * HEAT)))
    for panel in ("displacement", "slope"):
        assert series(two, panel, "now").y == pytest.approx(2 * series(one, panel, "now").y)


def test_a_machine_out_of_equilibrium_is_off_the_line(pulled):
    """A start hotter than the bath: it moves by more than it answers."""
    local = series(fluctuation_plot({"hot": pulled(start=4 * HEAT)}, HEAT), "slope", "hot")
    assert (local.y < 0.8).any()


def test_there_is_no_panel_against_a_correlation_of_weights_that_change_their_length(pulled):
    """The hot start cools: <w^2> falls to a quarter, and C(tau_w, tau_w) - C is not D/2."""
    picture = fluctuation_plot({"hot": pulled(start=4 * HEAT)}, HEAT)
    assert list(picture.panels) == ["displacement", "slope"]
    assert picture.panels["slope"].x == "D / 2"
    assert [note for note in picture.notes if "squared length of the weights changes by -0.7" in note]
    assert "correlation" in fluctuation_plot({"now": pulled()}, HEAT).panels


def test_the_caption_says_which_bars_are_standard_errors_and_which_95_percent(pulled):
    lines = list(fluctuation_plot({"now": pulled()}, HEAT).lines())
    assert lines == ["bands: one standard error over replicas; bars on X: 95 % intervals"]


def test_numbers_on_an_axis_do_not_overlap_however_small(pulled):
    found = pulled()
    for curve in (found.response, found.correlation, found.displacement):
        curve.value[:] *= 1e-4
    found.start[:] *= 1e-4
    figure = draw(fluctuation_plot({"now": found}, HEAT))
    figure.canvas.draw()
    for axes in figure.axes:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
        inside = sorted((box.x0, box.x1) for box in boxes if axes.bbox.x0 - 1 <= box.x0 + box.width / 2 <= axes.bbox.x1)
        assert all(left[1] < right[0] for left, right in pairwise(inside)), axes.get_title()


def test_replicas_that_froze_are_left_out_and_that_is_said(pulled):
    found = pulled()
    found.response.value[3:, 0] = np.nan
    picture = fluctuation_plot({"now": found}, HEAT)
    assert picture.notes == ["now: 1 of 6 replicas froze, and are left out"]
    found.response.value[:] = np.nan
    assert fluctuation_plot({"now": found}, HEAT).notes == ["now: every replica froze"]


@pytest.mark.parametrize(
    ("responses", "heat", "said"),
    [({}, 1.0, "label -> Response"), (None, 0.0, "temperature is positive"), (None, [1.0, 2.0], "one a replica")],
)
def test_what_makes_no_plot_is_refused(pulled, responses, heat, said):
    with pytest.raises(InputError, match=said):
        fluctuation_plot({"now": pulled()} if responses is None else responses, heat)
