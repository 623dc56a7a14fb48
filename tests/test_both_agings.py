"""Aging of both systems on planted motion: angles around the circle, frozen weights left out, no noise and no Delta."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoding.layout import lay_out
from experiments.figures import both_agings
from experiments.figures.answers import Answer
from experiments.figures.both_agings import Aged, aged_by, only
from experiments.looks import Looks, aging_looks
from experiments.observables import displacement
from experiments.store import Run, Store
from experiments.study import Planned
from experiments.task import Music, Task
from experiments.until import Until

WAITING = (1.0, 2.0, 4.0)
MUSIC = Music(first=2, excerpt=5)
QUANTUM = {"schedule": "coherent", "n_history": 1, "n_layers": 1, "readout_start": "random", "learned": "angles"}
CLASSICAL = {"depth": 1, "width": 4, "rule": "exact", "batch": 2, "inputs": "clock", "skip": False}
CLASSICAL |= {"n_features": 4, "readout_start": "random", "learned": "J,M"}


def asked(system="quantum", lags=10, **own):
    cadence = aging_looks(WAITING, lags, 0.1)
    settings = QUANTUM if system == "quantum" else CLASSICAL
    return Task(system, settings | own, 0.1, MUSIC, Looks(weights=cadence, noise=cadence), n_replicas=4)


def wandering(planted, speed, gamma=1.0):
    """A run whose angles move in log time, D = speed ln(tau), at all looks; what is frozen rests."""
    task, time = asked(batch=2, n_layers=6), [0.0]
    while time[-1] < 70:
        time.append(task.look.weights.after(time[-1]))
    time = np.array(time)
    layout = task.build("plain").layout()
    n = max(group.slice.stop for group in layout.values())
    growth = speed * np.diff(np.log(time + 1e-9), prepend=np.log(time[0] + 1e-9))
    steps = np.random.default_rng(2).normal(size=(len(time), 4, n)) * np.sqrt(growth)[:, None, None]
    weights = np.cumsum(steps, 0)
    for name in ("K", "h0"):
        weights[:, :, layout[name].slice] = 0.3
    looks = planted(time, np.full((len(time), 4), 1.2), weights=weights.astype(np.float32), noise=gamma)
    moving = np.array([0.0 if name in ("K", "h0") else gamma for name in layout])
    noise = np.broadcast_to(moving, (len(time), 4, len(layout))).copy()
    object.__setattr__(looks, "layout", layout)
    object.__setattr__(looks, "noise", noise)
    run = Run(Path("nowhere"), task.question() | {"music": None, "irreducible_loss": 0.0}, looks, "bits")
    return Answer(Planned(task, Until(time=70.0), 0.05), run)


@pytest.fixture
def without_function(monkeypatch):
    """What is planted has no system that could be played again."""
    monkeypatch.setattr(both_agings, "system_of", lambda run, look: None)


def found(answer):
    picture, aged = aged_by([answer], "aging")
    ways: dict[str, Any] = {each.way: each for each in aged}
    return picture, ways


@pytest.mark.usefixtures("without_function")
def test_motion_in_log_time_collapses_against_the_ratio_and_not_against_the_lag(planted):
    _, ways = found(wandering(planted, 0.01))
    angles = ways["angles as numbers"]
    assert angles.quantity == "Δ"
    assert angles.collapse.ratio.collapses
    assert not angles.collapse.lag.collapses
    assert angles.collapse.mu.holds(1)
    for curve in angles.curves:
        mean, _ = curve.mean()
        expected = 0.01 * np.log1p(curve.lag / curve.waiting)
        np.testing.assert_allclose(mean[5:], expected[5:], rtol=0.3)


@pytest.mark.usefixtures("without_function")
def test_angles_that_lost_their_way_are_apart_by_a_third_of_pi_squared_around_the_circle(planted):
    picture, ways = found(wandering(planted, 300.0))
    plain, around = (ways[f"angles {way}"].curves[0].mean()[0][-1] for way in ("as numbers", "around the circle"))
    assert around == pytest.approx(np.pi**2 / 3, rel=0.15)
    assert plain > 100 * around
    dashed = [one for one in picture.series if one.kind == "fit"]
    assert {one.name for one in dashed} == {f"τ_w = {waiting:g}, around the circle" for waiting in WAITING}
    assert len(picture.panels) == 1  # beside the same angles as numbers


@pytest.mark.usefixtures("without_function")
def test_without_noise_it_is_d_and_called_so(planted):
    picture, ways = found(wandering(planted, 0.01, gamma=0.0))
    assert {each.quantity for each in ways.values()} == {"D (no noise: no Δ)"}
    assert {panel.y for panel in picture.panels.values()} == {"D (no noise: no Δ)"}


def test_frozen_weights_do_not_dilute_the_motion_of_the_others(planted):
    time, rng = np.geomspace(1, 9, 12), np.random.default_rng(0)
    weights = rng.standard_normal((12, 2, 6)).cumsum(0)
    weights[:, :, 2:5] = 1.0
    whole = planted(time, weights=weights, noise=1.0, groups={"R0": (2, 2 * np.pi), "K": 3, "h0": 1})
    part = only(whole, ["R0", "h0"])
    assert {name: group.slice for name, group in part.layout.items()} == {"R0": slice(0, 2), "h0": slice(2, 3)}
    assert part.layout["R0"].period == 2 * np.pi
    np.testing.assert_allclose(displacement(part, 1.0).value, 2 * displacement(whole, 1.0).value)
    np.testing.assert_allclose(
        displacement(part, 1.0, group="R0", periodic=True).value,
        displacement(whole, 1.0, group="R0", periodic=True).value,
    )
    assert part.noise.shape == (12, 2, 2)
    assert lay_out({"R0": (2,), "h0": (1,)}, {"R0": 2 * np.pi}) == part.layout


@pytest.mark.parametrize("system", ["quantum", "deep-rnn"])
def test_a_run_is_played_again_and_its_function_moves(system, tmp_path):
    task = asked(system, lags=4, batch=2, **({"probes": 4} if system == "quantum" else {}))
    run = Store(tmp_path).learn(task, until=16.0, kernel="plain")
    picture, ways = found(Answer(Planned(task, Until(time=16.0), 0.05), run))
    inside = "angles as numbers" if system == "quantum" else "J and M as numbers"
    assert ways["the function"].quantity == "D_f"
    assert set(ways) == {inside, "the function"} | ({"angles around the circle"} if system == "quantum" else set())
    for each in ways.values():
        assert isinstance(each, Aged)
        assert [curve.waiting for curve in each.curves] == pytest.approx(WAITING)
        assert all((curve.value >= 0).all() for curve in each.curves if each.way == "the function")
        assert any(one.panel == both_agings.panel_of(each) for one in picture.series)
    assert all(np.isfinite(fit).all() for fit in picture.numbers.values())
