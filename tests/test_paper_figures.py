"""Every figure of the paper, on planted curves whose answer is known, and from smoke runs of the real systems."""

from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from experiments.figures.aging_curves import aging_curves
from experiments.figures.aging_forms import aging_forms
from experiments.figures.answers import Answer
from experiments.figures.asymptotes import asymptotes
from experiments.figures.batch_noise import batch_noise
from experiments.figures.critical_loss import critical_loss
from experiments.figures.critical_slowing import critical_slowing
from experiments.figures.drawing import draw
from experiments.figures.learning_curves import learning_curves
from experiments.figures.needs import NEEDS
from experiments.figures.of_study import FIGURES, draw_study, picture_of
from experiments.figures.picture import HEADER, Panel, Picture, write_numbers
from experiments.figures.sgd_noise import sgd_noise
from experiments.figures.talk import talk
from experiments.looks import Looks, aging_looks
from experiments.observables import Fit
from experiments.store import Run, Store
from experiments.study import Planned, load_study, study_names
from experiments.sweep import sweep
from experiments.task import Music, Task
from experiments.until import Until

MUSIC = Music(first=1, excerpt=4)
TIME = np.geomspace(0.5, 400, 220)
W_C, SLOPE = 40.0, 2e-3  # planted: 1/tau(NLL) = SLOPE (w - W_C) NLL^(1/2)


def answered(trajectory, look=None, **settings):
    """An answer whose looks are planted."""
    task = Task("deep-rnn", {"depth": 2, "rule": "exact"} | settings, 0.01, MUSIC, look or Looks())
    asked = {**task.question(), "irreducible_loss": 0.0025}
    run = Run(Path("nowhere"), asked, trajectory, "bits per output unit per time step")
    return Answer(Planned(task, Until(time=400.0), 0.01), run)


def curve(width, n_replicas=3, seed=0):
    """NLL = (SLOPE (w - W_C) tau)^-2, replicas off by a per cent or so: it passes L at tau = L^-1/2 / (SLOPE ...)."""
    scatter = np.exp(0.01 * np.random.default_rng([seed, width]).normal(size=n_replicas))
    return (SLOPE * (width - W_C) * TIME[:, None] * scatter) ** -2.0


@pytest.fixture
def widths(planted):
    return [answered(planted(TIME, curve(width)), width=width) for width in (110, 100, 90, 80, 120, 70)]


def series(picture, name, panel=None):
    (found,) = [one for one in picture.series if one.name == name and panel in (None, one.panel)]
    return found


def test_fig2_has_a_panel_a_depth_and_the_widest_of_each(planted):
    flat = planted([1.0, 10.0], np.array([[0.5, 0.3], [0.2, 0.1]]))
    picture = learning_curves(
        [answered(flat, depth=d, width=w) for d, w in ((1, 5), (2, 7), (1, 4), (2, 3))] + [missing(width=9)]
    )
    assert list(picture.panels) == ["d = 1", "d = 2", "deeper"]
    assert "bars and bands: one standard error over replicas" in list(picture.lines())
    widest = series(picture, "d = 1, w = 5", "d = 1")
    assert widest.y == pytest.approx([0.4, 0.15])
    assert widest.high == pytest.approx([0.5, 0.2])  # one standard error of two replicas
    deeper = {one.name for one in picture.series if one.panel == "deeper" and one.kind == "line"}
    assert deeper == {"d = 1, w = 5", "d = 2, w = 7"}  # names, and so colours, as in the other panels
    assert "R = 2 replicas of each run: curves are their mean" in picture.notes
    assert series(picture, "floor 0.00250", "d = 1").y[0] == 0.0025
    assert "missing: d = 2, w = 9, p = 300" in picture.notes


def missing(**settings):
    return Answer(Planned(Task("deep-rnn", {"depth": 2} | settings, 0.01, MUSIC), Until(time=1.0), 0.01), None)


def test_fig5_finds_the_planted_times_and_critical_width(widths):
    picture = critical_slowing(widths)
    points = series(picture, "NLL 0.1")
    assert points.x.tolist() == [70, 80, 90, 100, 110, 120]
    assert points.y == pytest.approx(SLOPE * (points.x - W_C) * 0.1**0.5, rel=0.02)
    parabola = series(picture, "NLL 0.1: parabola")
    assert parabola.x[0] == pytest.approx(W_C, abs=5)
    assert parabola.y[0] == pytest.approx(0, abs=1e-6)
    assert series(picture, "Hertz & Tyrcha 2024, NLL 0.01").x == [64.192]
    assert picture.numbers["w_c(0.1), d = 2, parabola"].holds(W_C)
    assert picture.numbers["w_c(0.1), d = 2, exponent ν"].holds(1)


def test_fig5_says_where_the_parabola_is_rejected(planted):
    """1/tau = (w - 60)^.5 / 200: replicas scatter by 1 %, and no parabola passes within."""
    rng, runs = np.random.Generator(np.random.Philox(0)), []
    for width in (62, 66, 72, 80, 90, 100, 120):
        rate = (width - 60) ** 0.5 / 200 * (1 + 0.01 * rng.normal(size=4))
        runs.append(answered(planted(TIME, 0.1 * (rate * TIME[:, None]) ** -0.5), width=width))
    picture = critical_slowing(runs)
    assert any("w_c(0.1), d = 2, parabola rejected (p = " in note for note in picture.notes)
    assert not any("power law rejected" in note for note in picture.notes)


def test_fig5_says_who_did_not_arrive(planted):
    slow = curve(90)
    slow[:, 1] = 0.5
    few = [answered(planted(TIME, curve(w)), width=w) for w in (100, 110)] + [answered(planted(TIME, slow), width=90)]
    picture = critical_slowing(few)
    assert "d = 2, w = 90: 1 replica(s) did not come to 0.1 and are left out" in picture.notes
    assert any("a critical width needs times at 4 widths; got 3" in note for note in picture.notes)


def test_fig6_draws_the_losses_over_their_critical_widths(widths):
    picture = critical_loss(widths)
    points = series(picture, "d = 2")
    assert set(points.y) == {0.1, 0.05, 0.03, 0.02, 0.01}
    assert points.x == pytest.approx(W_C, abs=6)  # the same for all losses, as planted
    assert series(picture, "Hertz & Tyrcha 2024, d = 2").x == [64.192]


def test_fig3_fits_the_planted_power_law(planted):
    loss = (0.1265 + 0.8 * TIME**-0.52)[:, None] * np.exp(1e-3 * np.random.default_rng(5).normal(size=(len(TIME), 3)))
    picture = asymptotes([answered(planted(TIME, loss), width=30)])
    (law,) = [one for one in picture.series if one.kind == "fit"]
    assert law.y == pytest.approx(0.1265 + 0.8 * law.x**-0.52, rel=0.01)
    assert any("NLL_inf" in name and fit.holds(0.1265) for name, fit in picture.numbers.items())
    assert not any("below the floor" in note for note in picture.notes)
    published = [one for one in picture.series if one.kind == "published"]
    assert [one.y[0] for one in published] == [0.1265]


def test_fig3_flags_what_no_machine_can_reach(planted):
    loss = (-0.03 + 0.8 * TIME**-0.3)[:, None] * np.exp(1e-3 * np.random.default_rng(5).normal(size=(len(TIME), 3)))
    picture = asymptotes([answered(planted(TIME, loss), width=30)])
    assert any("below the floor" in note for note in picture.notes)


def test_fig4_shows_the_last_window_of_single_steps(planted):
    rng = np.random.default_rng(0)
    time = 0.01 * np.concatenate([[1, 5, 20, 90], np.arange(1000, 2001)])
    answers = []
    for batch in (75, 300):
        noise = np.concatenate([np.ones(4), 0.02 + 0.1 * batch**-0.5 * 0.1 * rng.normal(size=1001)])
        answers.append(answered(planted(time, noise), width=90, batch=batch))
    picture = batch_noise(answers)
    assert series(picture, "p = 75", "loss").x.tolist() == list(range(1001))
    assert series(picture, "p = 75", "loss").y.std() / series(picture, "p = 300", "loss").y.std() == pytest.approx(
        2, rel=0.1
    )
    assert sum("deviation" in name for name in picture.numbers) == 2
    about = series(picture, "p = 300", "about its trend").y
    assert abs(about.mean()) < 1e-12
    assert about.std() == pytest.approx(series(picture, "p = 300", "loss").y.std(), rel=0.01)


WAITING = (1.0, 2.0, 4.0)


def wandering(planted, rule, gamma, n_replicas=4, n_weights=400):
    """Weights that diffuse with D growing as `rule` says, from rows at every waiting time and lag."""
    cadence, time = aging_looks(WAITING, 10, 0.1), [0.0]
    while time[-1] < 70:
        time.append(cadence.after(time[-1]))
    time = np.array(time)
    rng = np.random.default_rng(2)
    growth = np.diff(rule(time), prepend=rule(time[0]))
    steps = rng.normal(size=(len(time), n_replicas, n_weights)) * np.sqrt(growth)[:, None, None]
    looks = planted(time, weights=np.cumsum(steps, 0).astype(np.float32), noise=gamma)
    return answered(looks, Looks(weights=cadence, noise=cadence), width=30)


def test_fig7_collapses_where_the_motion_is_in_log_time(planted):
    answer = wandering(planted, lambda time: np.log(time + 1e-9), 1.0)
    picture = aging_curves([answer])
    label = "d = 2, w = 30, p = 300"
    assert list(picture.panels) == [f"{label}: τ", f"{label}: τ/τ_w", f"{label}: linear"]
    for waiting in WAITING:
        one = series(picture, f"τ_w = {waiting:g}", f"{label}: τ/τ_w")
        assert one.y == pytest.approx(np.log1p(one.x), rel=0.3)
    assert any("against τ/τ_w: not told from one function" in note for note in picture.notes)
    assert any("against τ: not one function" in note for note in picture.notes)
    assert picture.numbers[f"{label}: μ, with which τ/τ_w^μ brings the curves nearest to each other"].holds(1)


def test_fig7_takes_the_first_look_where_a_step_ends_beyond_the_waiting_time(planted):
    answer = wandering(planted, lambda time: np.log(time + 1e-9), 1.0)
    looks = answer.trajectory
    assert answer.run is not None
    late = replace(looks, time=looks.time + 0.004 * (looks.time > 0))
    picture = aging_curves([answer._replace(run=replace(answer.run, trajectory=late))])
    assert len({one.name for one in picture.series if one.kind == "line"}) == len(WAITING)


def test_fig7_without_noise_shows_d_and_says_so(planted):
    picture = aging_curves([wandering(planted, lambda time: np.log(time + 1e-9), 0.0)])
    assert {panel.y for panel in picture.panels.values()} == {"D (no noise: no Δ)"}


def test_fig8_shows_gamma_of_each_width(planted):
    looks = planted(TIME, weights=np.zeros((len(TIME), 2, 3)), noise=2 * TIME**0.5)
    picture = sgd_noise([answered(looks, width=30)])
    assert series(picture, "d = 2, w = 30, p = 300", "noise").y == pytest.approx(2 * TIME**0.5)
    assert any("tangent" in note for note in picture.notes)


def test_fig9_finds_the_planted_power_after_the_onset(planted):
    answer = wandering(planted, lambda time: np.maximum(time, 0), 1.0)  # free diffusion: Delta = tau
    picture = aging_forms([answer])
    power = series(picture, "power", "log")
    assert power.y / power.x == pytest.approx(power.y[-1] / power.x[-1], rel=0.05)
    (alpha,) = [fit for name, fit in picture.numbers.items() if name.endswith("alpha")]
    assert alpha.holds(1)


def test_fig7_and_fig9_name_a_replica_that_stopped(planted):
    answer = wandering(planted, lambda time: np.maximum(time, 0), 1.0)
    answer.trajectory.valid[-40:, 1] = False
    for figure in (aging_curves, aging_forms):
        assert any("without replica(s) 1, frozen or at rest" in note for note in figure([answer]).notes)


def test_the_talk_shows_that_deeper_is_faster(planted):
    answers = [answered(planted(TIME, curve(w)), width=w, depth=d) for d, w in ((1, 80), (2, 100), (5, 120))]
    picture = talk(answers)
    times = series(picture, "NLL 0.1", "deeper")
    assert times.x.tolist() == [1, 2, 5]
    assert (np.diff(times.y) < 0).all()
    assert series(picture, "NLL 0.1", "times 2").y == pytest.approx(1 / (SLOPE * 60 * 0.1**0.5), rel=0.02)


def test_a_picture_is_written_as_numbers_and_nobody_elses_file_is_lost(tmp_path):
    picture = Picture("fig2", {"a": Panel("a", "x", "y")})
    picture.add("a", "one, two", [1, 2, np.nan], [3, 4, 5], low=[2.5, 3.5, 4.5])
    picture.number("w_c", Fit(1, 2, np.nan))
    path = tmp_path / "fig2.csv"
    write_numbers(picture, path)
    assert path.read_text().splitlines() == [
        HEADER,
        'fig2,a,"one, two",1.0,3.0,2.5,,',
        'fig2,a,"one, two",2.0,4.0,3.5,,',
        "fig2,numbers,w_c,,2.0,1.0,,",
    ]
    path.write_text("mine")
    with pytest.raises(ValueError, match="no table of a figure, and is left as it is"):
        write_numbers(picture, path)
    assert path.read_text() == "mine"


def test_a_panel_without_runs_says_so():
    figure = draw(Picture("fig2", {"a": Panel("a", "x", "y")}))
    assert [text.get_text() for text in figure.axes[0].texts] == ["no runs yet"]


SAME = {
    "fig5": ("fig6", "talk"),
    "fig7": ("fig3", "fig8", "fig9", "melting-fig7"),
    "overlaps": ("generalisation",),
    "quantum-aging": ("melting",),
}


@pytest.mark.parametrize(
    "name", [name for name in study_names() if not any(name in others for others in SAME.values())]
)
@pytest.mark.timeout(180)  # of which music21 takes a minute, to parse what nothing else here reads
def test_smoke_studies_of_all_figures_run_and_are_drawn(name, tmp_path):
    """With the figures that are drawn from the same runs."""
    store, study = Store(tmp_path / "runs"), load_study(name, "smoke")
    with pytest.raises(ValueError, match="has none of the"):
        picture_of(study, store)
    for each in study.planned:
        if each.task.music is not None:
            each.task.music.load()  # parsed once on a machine, then cached
    begun = process_time()
    assert {state.over for state in sweep(study, store)} == {"done"}
    for figure in (name, *SAME.get(name, ())):
        picture = draw_study(load_study(figure, "smoke"), store, tmp_path / f"{figure}.png")
        assert (tmp_path / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
        empty = figure == "fig6"  # thirty chords have no critical width, and that is said
        assert len((tmp_path / f"{figure}.csv").read_text().splitlines()) > 2 or empty
        assert not empty or "no critical width above 0 can be told" in picture.notes[0]
        assert not [note for note in picture.notes if note.startswith(("missing", "not ended"))]
        assert {one.panel for one in picture.series} <= set(picture.panels)
        if not figure.startswith("melting"):  # twenty panels of a second each
            assert process_time() - begun < 24  # seconds of one core: two minutes for the studies that have runs


def test_every_bundled_study_has_its_figure():
    assert {load_study(name, "smoke").figure for name in study_names()} == set(FIGURES) == set(NEEDS)


def test_an_incomplete_store_is_drawn_and_what_is_missing_said(tmp_path):
    store, study = Store(tmp_path / "runs"), load_study("fig2", "smoke")
    store.learn(study.planned[0].task, until=study.planned[0].until)
    store.learn(study.planned[1].task, until=2.0)
    picture = draw_study(study, store, tmp_path / "fig2.svg")
    assert sum(note.startswith("missing: ") for note in picture.notes) == 3
    assert sum(note.startswith("not ended: d = 1, w = 8") for note in picture.notes) == 1
    assert len([one for one in picture.series if one.panel == "d = 1"]) == 2


def test_runs_of_one_width_that_differ_otherwise_are_told_apart(planted):
    flat = planted([1.0, 10.0], np.array([[0.5, 0.3], [0.2, 0.1]]))
    picture = learning_curves([answered(flat, width=5, batch=p) for p in (75, 300)])
    assert {one.name for one in picture.series if one.kind == "line"} == {
        "d = 2, w = 5, p = 75",
        "d = 2, w = 5, p = 300",
    }


def test_a_run_that_froze_or_did_not_end_is_noted(planted):
    looks = planted(TIME, curve(90))
    looks.valid[-5:, 0] = False
    answers = [answered(looks, width=90), answered(planted(TIME, curve(80)), width=80)._replace(over="diverged")]
    notes = learning_curves([*answers, answered(planted(TIME, curve(70)), width=70)._replace(over="")]).notes
    assert "d = 2, w = 90, p = 300: 1 of 3 replicas are frozen" in notes
    assert "diverged: d = 2, w = 80, p = 300, τ = 400" in notes
    assert "not ended: d = 2, w = 70, p = 300, τ = 400" in notes


def test_a_figure_that_cannot_be_written_writes_nothing_and_loses_nothing(tmp_path):
    store, study = Store(tmp_path / "runs"), load_study("fig2", "smoke")
    mine = tmp_path / "mine.png"
    mine.write_text("my holiday")
    (tmp_path / "other.csv").write_text(f"{HEADER},comment\n")
    for name, said in (("mine.png", "is no picture, and is left"), ("other.png", "is no table"), ("a.txt", "as .png")):
        with pytest.raises(ValueError, match=said):
            draw_study(study, store, tmp_path / name)
    assert mine.read_text() == "my holiday"
    assert (tmp_path / "other.csv").read_text() == f"{HEADER},comment\n"
    assert {path.name for path in tmp_path.iterdir()} == {"mine.png", "other.csv"}
