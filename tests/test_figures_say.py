"""Figures draw what there is, whole, and say what is missing, why, and what their words mean."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.figures.aging_curves import aging_curves
from experiments.figures.aging_forms import ONSET, aging_forms
from experiments.figures.answers import Answer
from experiments.figures.asymptotes import asymptotes
from experiments.figures.batch_noise import batch_noise
from experiments.figures.critical_loss import critical_loss
from experiments.figures.critical_slowing import critical_slowing
from experiments.figures.drawing import draw
from experiments.figures.generalising import generalising
from experiments.figures.of_study import picture_of
from experiments.figures.overlap_figure import overlap_figure
from experiments.figures.picture import BEFORE, Panel, Picture, write_numbers
from experiments.figures.sgd_noise import sgd_noise
from experiments.figures.talk import talk
from experiments.looks import Looks, aging_looks, logarithmic
from experiments.store import Run, Store
from experiments.study import Planned, load_study
from experiments.task import Music, Task
from experiments.until import Until

MUSIC = Music(first=1, excerpt=4)
TIME = np.geomspace(0.5, 400, 160)


def answered(trajectory, *, system="deep-rnn", look=None, until=None, rate=0.01, music=MUSIC, seed=0, **settings):
    """An answer whose looks are planted."""
    common = {"depth": 1, "rule": "exact"} if system == "deep-rnn" else {}
    task = Task(system, common | settings, rate, music, look or Looks(), seed, trajectory.n_replicas)
    asked = {**task.question(), "irreducible_loss": 0.0025 if system == "deep-rnn" else None}
    unit = "bits per output unit per time step" if system == "deep-rnn" else "energy per spin"
    return Answer(Planned(task, until or Until(time=400.0), rate), Run(Path("nowhere"), asked, trajectory, unit))


@pytest.fixture
def falling(planted):
    """NLL = (2e-3 (w - w_c) tau)^-2, three replicas: 1/tau(NLL) vanishes at w_c."""

    def make(width, w_c=40.0, **more):
        scatter = np.exp(0.01 * np.random.default_rng([width, more.get("seed", 0)]).normal(size=3))
        loss = (2e-3 * (width - w_c) * TIME[:, None] * scatter) ** -2.0
        return answered(planted(TIME, loss), width=width, **more)

    return make


WIDTHS = (70, 80, 90, 100, 110)


def names(picture, kind):
    return {(one.panel, one.name) for one in picture.series if one.kind == kind}


def test_every_bin_of_a_histogram_is_drawn_and_written_from_edge_to_edge(tmp_path):
    picture = Picture("overlaps", {"q": Panel("P(q)", "q", "P(q)")})
    picture.steps("q", "glass", [0, 0.5, 2], [1, 1 / 3], low=[0.5, 0.1], high=[2, 1])
    axes = draw(picture).axes[0]
    (stairs,) = [patch for patch in axes.patches if hasattr(patch, "get_data")]
    assert stairs.get_data().edges.tolist() == [0, 0.5, 2]  # type: ignore[attr-defined]  # of a StepPatch
    assert tuple(axes.dataLim.intervalx) == (0, 2)
    path = tmp_path / "overlaps.csv"
    path.write_text(f"{BEFORE}\n")  # of an older version
    write_numbers(picture, path)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    assert [(row[3], row[7]) for row in rows] == [("x", "x_end"), ("0.0", "0.5"), ("0.5", "2.0")]


def test_runs_that_differ_in_more_than_width_have_panels_and_critical_widths_of_their_own(falling):
    runs = [falling(width, batch="none") for width in WIDTHS] + [falling(width, 60.0, batch=20) for width in WIDTHS]
    picture = critical_slowing([*runs, falling(90, batch=20, rate=0.02)])
    assert list(picture.panels) == [
        "d = 1, full gradient, η = 0.01",
        "d = 1, p = 20, η = 0.01",
        "d = 1, p = 20, η = 0.02",
    ]
    assert picture.numbers["w_c(0.1), d = 1, full gradient, η = 0.01, parabola"].holds(40)
    assert picture.numbers["w_c(0.1), d = 1, p = 20, η = 0.01, parabola"].holds(60)
    assert not any("widths are different numbers" in note for note in picture.notes)
    other = Music(first=2, excerpt=4)
    by_music = critical_slowing([falling(80), falling(90, music=other)])
    assert set(by_music.panels) == {f"d = 1, music21 train first {n} 4 chords of each" for n in (1, 2)}


def test_seeds_of_one_width_are_replicas_side_by_side(falling):
    seeds = critical_slowing([falling(width, seed=seed) for width in WIDTHS for seed in (0, 1)])
    (points,) = [one for one in seeds.series if one.name == "NLL 0.1"]
    assert points.x.tolist() == list(WIDTHS)


def test_a_loss_that_a_run_was_not_asked_for_is_not_drawn_from_it(falling):
    runs = [falling(width, until=Until(loss=0.03, time=400)) for width in WIDTHS[1:]]
    picture = critical_slowing([falling(WIDTHS[0], until=Until(loss=0.1, time=400)), *runs])
    drawn = {one.name: len(one.x) for one in picture.series if one.kind == "points"}
    assert drawn == {"NLL 0.1": 5, "NLL 0.05": 4, "NLL 0.03": 4}


def test_fig6_without_critical_widths_says_so_and_shows_no_inner_check(falling):
    picture = critical_loss([falling(width, w_c=-500.0) for width in WIDTHS])
    assert "d = 1: no critical width above 0 can be told, so there is no line" in picture.notes
    assert not any("n_losses" in line for line in picture.lines())
    assert draw(picture).axes[0].texts[0].get_text().startswith("at these widths no critical")


def test_energies_below_zero_are_seen_in_fig3(planted):
    energy = -1 + 2 * TIME[:, None] ** -0.7 * np.array([0.99, 1.0, 1.01])
    picture = asymptotes([answered(planted(TIME, energy), system="spherical-glass")])
    axes = draw(picture).axes[0]
    low, high = axes.get_ylim()
    assert axes.get_yscale() == "linear"
    assert low < energy.min() < energy.max() < high
    (limit,) = [fit.best for name, fit in picture.numbers.items() if name.endswith("asymptote")]
    assert limit == pytest.approx(-1, abs=1e-6)


def test_fig3_flags_a_limit_below_the_floor_only_if_its_interval_lies_there(planted):
    loss = (-0.001 + 0.8 * TIME**-0.5)[:, None] * np.exp(0.1 * np.random.default_rng(5).normal(size=(len(TIME), 3)))
    picture = asymptotes([answered(planted(TIME, loss), width=30)])
    (limit,) = [fit for name, fit in picture.numbers.items() if "NLL_inf" in name]
    assert limit.best < 0.0025 < limit.high
    assert not any("below the floor" in note for note in picture.notes)
    assert "fitted from τ = " in next(iter(picture.numbers))


def test_a_fit_is_dashes_on_a_paler_curve(planted):
    loss = (0.1 + 0.8 * TIME**-0.5)[:, None] * np.array([0.99, 1.0, 1.01])
    lines = draw(asymptotes([answered(planted(TIME, loss), width=30)])).axes[0].get_lines()
    fit, data = (next(line for line in lines if ("fit" in str(line.get_label())) is fitted) for fitted in (True, False))
    assert fit.get_linestyle() == "--"
    assert (data.get_alpha() or 1) < 0.6
    assert data.get_linewidth() > 2 * fit.get_linewidth()


def test_fig4_refuses_looks_that_are_few_and_says_whose_losses_are_drawn(planted):
    with pytest.raises(ValueError, match=r"50 single steps or more; got 8: ask for looks = \{ every_step"):
        batch_noise([answered(planted(0.01 * np.arange(1, 9)), width=4)], "mine")
    losses = np.random.default_rng(0).uniform(0.1, 0.2, 200)
    picture = batch_noise([answered(planted(0.01 * np.arange(1, 201), losses), width=4)])
    assert picture.panels["loss"].title == "replica 0 of each run"


WAITING = (1.0, 2.0, 4.0)


@pytest.fixture
def diffusing(planted):
    """Free diffusion, D = tau, with noise or without."""

    def make(gamma, **more):
        cadence, time = aging_looks(WAITING, 10, 0.1), [0.0]
        while time[-1] < 70:
            time.append(cadence.after(time[-1]))
        steps = np.random.default_rng(2).normal(size=(len(time), 4, 300))
        steps *= np.sqrt(np.diff(time, prepend=0))[:, None, None]
        looks = planted(time, weights=np.cumsum(steps, 0).astype(np.float32), noise=gamma)
        return answered(looks, look=Looks(weights=cadence, noise=cadence), **more)

    return make


@pytest.mark.parametrize(("gamma", "called"), [(1.0, "Δ"), (0.0, "D (no noise: no Δ)")])
def test_fig9_calls_its_curve_what_it_is_and_gives_the_numbers_of_its_fit(diffusing, gamma, called):
    picture = aging_forms([diffusing(gamma, width=4), diffusing(gamma, width=6)])
    assert {panel.y for panel in picture.panels.values()} == {called}
    assert any("only the narrowest is drawn: d = 1, w = 4" in note for note in picture.notes)
    assert any(name.startswith("guide, tied to our curve") for _, name in names(picture, "published"))
    best = {name.rpartition(", ")[2]: fit.best for name, fit in picture.numbers.items() if name.startswith("power")}
    assert any(f"f(x) = offset + A (x - {ONSET})^alpha" in name for name in picture.numbers)
    (power, _) = [one for one in picture.series if one.name == "power"]
    data = next(one for one in picture.series if one.kind == "line")
    assert power.y == pytest.approx(np.interp(power.x, data.x, data.y), rel=0.1)
    assert power.y == pytest.approx(best["offset"] + best["A"] * (power.x - ONSET) ** best["alpha"])


def test_a_form_without_a_plateau_is_drawn_like_the_others_and_said_to_have_none(diffusing):
    picture = aging_forms([diffusing(1.0, width=4)])
    assert ("log", "spherical") in names(picture, "fit")
    assert "spherical: best with λ < 0, which has no plateau: D_inf is infinite" in picture.notes


def test_fig7_says_which_axes_are_logarithmic_and_how_cold_sgd_is_once(diffusing):
    picture = aging_curves([diffusing(1.0, width=4, batch=20), diffusing(1.0, width=6, batch=20)])
    assert [panel.title for panel in picture.panels.values()][:3] == ["w = 4, logarithmic"] * 2 + ["w = 4, linear"]
    assert sum(note.startswith("η/p") for note in picture.notes) == 1
    assert picture.notes[-1].startswith("η/p")
    assert all(name.startswith("guide") for _, name in names(picture, "published"))


def test_fig8_has_a_logarithmic_axis_and_says_what_was_not_measured(planted):
    looks = planted(TIME, weights=np.zeros((len(TIME), 2, 3)), noise=2 * TIME**-0.5)
    axes = draw(sgd_noise([answered(looks, width=30)])).axes
    assert axes[0].get_yscale() == "log"
    assert axes[1].texts[0].get_text() == "no tangent noise was measured"
    still = draw(sgd_noise([answered(replace(looks, noise=0 * looks.noise), width=30)])).axes
    assert still[0].texts[0].get_text() == "learned without noise: Γ = 0"


def test_the_talk_names_the_widths_of_its_last_panel_and_claims_nothing(falling):
    picture = talk([falling(80), falling(90), falling(100, depth=2)])
    assert picture.panels["deeper"].title == "the widest of each depth: d = 1, w = 90, d = 2, w = 100"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("runs"))


def learned(store, task, until):
    return Answer(Planned(task, Until(time=until), 0.05), store.learn(task, until=until))


def test_overlaps_of_a_glass_say_what_it_lacks_when_they_were_taken_and_how_sure_they_are(store):
    looks = Looks(logarithmic(1.0, 4), weights=logarithmic(1.0, 2))
    glass = learned(store, Task("spherical-glass", {"n_spins": 12}, 0.05, look=looks, n_replicas=5), 10.0)
    picture = overlap_figure([glass])
    axes = draw(picture).axes
    assert [one.texts[0].get_text().replace("\n", " ") for one in axes[1:5]] == [
        "spherical-glass has no hidden units",
        *["spherical-glass has no activations"] * 3,
    ]
    assert "N = 12: P(q) of 5 replicas at τ = 10, the last look at weights" in picture.notes
    (mean,) = [one for one in picture.series if one.panel == "time"]
    assert mean.low is not None
    assert mean.high is not None
    assert (mean.low < mean.y).all()
    assert (mean.y < mean.high).all()
    assert any(note.startswith("K: by how much") for note in picture.notes)


def test_generalisation_has_its_baselines_in_bits_and_in_nats_each_in_a_line_of_its_own(store):
    looks = Looks(logarithmic(0.2, 5), weights=logarithmic(0.2, 2))
    settings = {"depth": 1, "width": 2, "rule": "exact", "batch": None}
    picture = generalising([learned(store, Task("deep-rnn", settings, 0.05, Music(first=2, excerpt=6), looks), 0.5)])
    bits, nats = picture.panels
    assert [panel.title.rpartition(" ")[2] for panel in picture.panels.values()] == ["bits", "nats"]
    lines = {(one.panel, one.name): one.y[0] for one in picture.series if "alone" in one.name}
    for name in ("h₀ alone, on valid", "W and h₀ alone, on valid"):
        assert lines[nats, name] / lines[bits, name] == pytest.approx(54 * np.log(2))
    for axes in draw(picture).axes:
        flat = [line for line in axes.get_lines() if "alone" in str(line.get_label())]
        assert len({line.get_linestyle() for line in flat}) == 2


def test_rows_without_a_checkpoint_are_named(tmp_path):
    file = tmp_path / "glasses.toml"
    file.write_text(
        'figure = "fig2"\nabout = "."\n[smoke]\nsystem = "spherical-glass"\nrate = 0.05\n'
        "settings = { n_spins = [8, 12] }\nuntil = { time = 1 }\n"
    )
    study, store = load_study(str(file), "smoke"), Store(tmp_path / "runs")
    store.learn(study.planned[0].task, until=1.0)
    for path in store.folder(study.planned[0].task).glob("checkpoint*"):
        path.unlink()
    with pytest.raises(ValueError, match=r"none of the 2 runs .* \(1 begun, without a checkpoint yet\)"):
        picture_of(study, store)
    store.learn(study.planned[1].task, until=1.0)
    begun = "missing: N = 8, begun but without a checkpoint, so that nothing of it is drawn"
    assert begun in picture_of(study, store).notes
