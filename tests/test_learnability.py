"""Two systems on one axis: planted critical numbers are found, and what cannot be told is not printed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoding import InputError
from experiments.figures.answers import Answer
from experiments.figures.learnability import learnability
from experiments.figures.picture import Picture
from experiments.figures.times_of_sizes import fits_of, passages_of, pooled, refuted
from experiments.looks import Looks
from experiments.observables import h0_loss
from experiments.same_readout import constraints, heard_by
from experiments.side_by_side import Line, Machine, Match, machine_of, matches
from experiments.store import Run, Store
from experiments.study import Planned
from experiments.task import Music, Task
from experiments.until import Until

BITS = "bits per output unit per time step"
MUSIC = Music(first=2, excerpt=5)
TIME = np.geomspace(0.05, 3000, 400)
FLOOR, M_C, SLOPE = 0.3, 20.0, 4e-3
QUANTUM = {"schedule": "coherent", "n_history": 1, "readout_start": "random", "learned": "angles"}
CLASSICAL = {"depth": 1, "rule": "exact", "batch": None, "inputs": "clock", "skip": False, "n_features": 4}
CLASSICAL |= {"readout_start": "random", "learned": "J,M"}


def answered(trajectory, system="quantum", until=None, seed=0, **own):
    """An answer whose looks are planted."""
    common = QUANTUM if system == "quantum" else CLASSICAL
    task = Task(system, common | own, 0.01, MUSIC, Looks(), seed, trajectory.n_replicas)
    run = Run(Path("nowhere"), {**task.question(), "irreducible_loss": 0.0}, trajectory, BITS)
    return Answer(Planned(task, until or Until(time=3000.0), 0.01), run)


def falling(planted, m, nu=1.0, floor=FLOOR, n_replicas=3, scatter=0.01):
    """NLL - floor = (SLOPE (m - M_C)^nu tau)^-2: it passes theta at tau = theta^-1/2 / (SLOPE (m - M_C)^nu)."""
    rng = np.random.default_rng([int(10 * m), n_replicas])
    rate = SLOPE * max(m - M_C, 0) ** nu * np.exp(scatter * rng.normal(size=n_replicas))
    with np.errstate(divide="ignore"):
        return planted(TIME, floor + np.minimum((rate * TIME[:, None]) ** -2.0, 1.0))


def machine(planted, m, *, ranks=None, **how):
    answer = answered(falling(planted, m, **how), n_layers=int(m))
    n = answer.trajectory.n_replicas
    rank = np.full(n, int(m)) if ranks is None else np.array(ranks)
    return Machine(answer, int(m), rank, 60, 80, 0, "at the start", np.full(n, 0.5), 4, FLOOR)


def begun(answer, path):
    """The same, learned for a moment."""
    return answer._replace(run=Store(path).learn(answer.planned.task, until=1.0, kernel="plain"))


def line_of(planted, *sizes, **how):
    return Line("quantum", [machine(planted, m, **how) for m in sizes])


def passages(line, picture=None) -> list[Any]:
    return list(passages_of(Match("music", "series", [line]), line, picture or Picture("", {})))


def test_the_planted_critical_number_and_exponent_are_found_at_every_theta(planted):
    found = passages(line_of(planted, 24, 28, 33, 40, 48, 56))
    assert [each.theta for each in found] == [0.05, 0.02, 0.01, 0.005]
    for each in found:
        expected = SLOPE * (each.median - M_C) * each.theta**0.5
        np.testing.assert_allclose(each.inverse.mean(1), expected, rtol=0.03)
        np.testing.assert_allclose(each.scaled, 2 * each.inverse)  # a kernel of rate 1/2: time runs half as fast
        fits = fits_of(each)
        assert fits["M_c, parabola"].holds(M_C)
        assert fits["M_c, power law"].holds(M_C)
        assert fits["exponent ν"].holds(1.0)


def test_where_rates_vanish_with_another_power_the_parabola_is_rejected(planted):
    critical = passages(line_of(planted, 22, 25, 30, 36, 46, 60, nu=0.5))[0].critical
    assert critical.quadratic_rejected
    assert critical.nu.holds(0.5)
    assert critical.power.holds(M_C)


def test_a_law_that_has_machines_arrive_that_did_not_is_rejected_by_them(planted):
    line = line_of(planted, 26, 30, 36, 44, 56)
    late = machine(planted, 24)
    stuck = planted(TIME, np.full((len(TIME), 3), FLOOR + 0.9))
    assert late.answer.run is not None
    late = late._replace(answer=late.answer._replace(run=replace(late.answer.run, trajectory=stuck)))
    below = late._replace(rank=np.full(3, 18))
    found = passages(Line("quantum", [late, *line.machines]))[0]
    assert found.silent.tolist() == [[24, 3000]]
    assert refuted(found) == dict.fromkeys(("parabola", "power law"), "M = 24 did not arrive")
    assert fits_of(found) == {}
    fine = passages(Line("quantum", [below, *line.machines]))[0]  # below M_c nobody is expected
    assert refuted(fine) == {}
    assert fits_of(fine)["M_c, parabola"].holds(M_C)


def test_machines_that_are_larger_for_nothing_are_replicas_of_one(planted):
    line = line_of(planted, 24, 30, 36, 42)
    more = [machine(planted, m, ranks=[42, 42, 42]) for m in (43, 44)]
    found = passages(Line("quantum", [*line.machines, *more]))[0]
    assert found.critical.widths.tolist() == [24, 30, 36, 42]
    rank, times = pooled(found.rank, found.inverse)
    assert rank.tolist() == [24, 30, 36, 42]
    assert np.isfinite(times).sum(1).tolist() == [3, 3, 3, 9]


def test_times_are_those_above_the_floor_of_each_machine(planted):
    low, high = (machine(planted, 40, floor=floor)._replace(floor=floor) for floor in (0.0, 1.1))
    one, other = (passages(Line("quantum", [each]))[0].inverse for each in (low, high))
    np.testing.assert_allclose(one, other)


def test_a_run_that_was_to_end_sooner_is_not_asked_for_less(planted):
    early = machine(planted, 40)
    answer = early.answer
    planned = Planned(answer.planned.task, Until(loss=FLOOR + 0.015, time=3000.0), 0.01)
    early = early._replace(answer=answer._replace(planned=planned))
    assert [each.theta for each in passages(Line("quantum", [early]))] == [0.05, 0.02]


def test_what_cannot_be_told_is_said_and_not_printed(planted):
    picture = Picture("", {})
    found = passages(line_of(planted, 30, 40, 50), picture)
    assert all(each.critical is None for each in found)
    assert "music, series, quantum, θ = 0.05: M_c needs times at 4 different M; got 3" in picture.notes
    flat = [machine(planted, 40)._replace(rank=np.full(3, rank), size=rank) for rank in (30, 35, 40, 45)]
    first = passages(Line("quantum", flat))[0]
    assert first.critical is not None
    assert fits_of(first) == {}  # the same times at all M: no zero anywhere


@settings(max_examples=20)
@given(
    n_histories=st.integers(1, 9),
    n_features=st.integers(1, 8),
    learned=st.sampled_from([("angles",), ("angles", "h0"), ("angles", "K"), ("angles", "K", "h0")]),
    seed=st.integers(0, 2**32),
)
def test_constraints_are_the_directions_in_which_fields_can_move(n_histories, n_features, learned, seed):
    """The rank of d(f K^T + h_0) at random f and K, f moving freely with each history."""
    rng, n = np.random.default_rng(seed), 54
    f, k = rng.standard_normal((n_histories, n_features)), rng.standard_normal((n, n_features))
    moves = [np.outer(np.eye(n_histories)[h], k[:, j]) for h in range(n_histories) for j in range(n_features)]
    if "K" in learned:
        moves += [np.outer(f[:, j], np.eye(n)[i]) for i in range(n) for j in range(n_features)]
    if "h0" in learned:
        moves += [np.outer(np.ones(n_histories), np.eye(n)[i]) for i in range(n)]
    rank = np.linalg.matrix_rank(np.array(moves).reshape(len(moves), -1), tol=1e-9)
    assert constraints(n_histories, n_features, learned) == rank


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ((4, 4, None), "learned is a tuple of some of .*; got None"),
        ((4, 4, ("angle",)), r"learned is a tuple of some of .*; got \('angle',\)"),
        ((4, 4, "angles"), "learned is a tuple of some of .*; got 'angles'"),
        ((-1, 4, ("angles",)), "n_histories is a whole number of at least 1; got -1"),
        ((np.nan, 4, ("angles",)), "n_histories is a whole number of at least 1; got nan"),
        ((0, 4, ("angles",)), "n_histories is a whole number of at least 1; got 0"),
        ((4, 0, ("angles",)), "n_features is a whole number of at least 1; got 0"),
    ],
)
def test_constraints_of_nothing_are_refused(said, line):
    with pytest.raises(InputError, match=line):
        constraints(*said)


@pytest.fixture(scope="module")
def both(planted):
    """Both systems with a frozen readout; the quantum one with a trained one too."""
    runs = [answered(falling(planted, m, floor=1.2), n_layers=layers) for layers, m in ((1, 26), (2, 40))]
    runs += [answered(falling(planted, m, floor=1.2), "deep-rnn", width=width) for width, m in ((4, 30), (6, 50))]
    trained = {"n_layers": 1, "learned": "angles,K,h0", "readout_start": "zero"}
    return [*runs, answered(falling(planted, 30, floor=0.0), **trained)]


def test_systems_are_matched_by_music_and_readout_and_have_lines_of_their_own(both):
    found = matches(both[:4], Picture("", {}))
    assert [(each.music, each.series) for each in found] == [("2 excerpts of 5 chords", "readout frozen")]
    assert [(line.label, [m.size for m in line.machines]) for line in found[0].lines] == [
        ("quantum", [1, 2]),
        ("classical", [4, 6]),
    ]
    machines = [m for line in found[0].lines for m in line.machines]
    assert {m.floor for m in machines} == {machines[0].floor}  # the same readout, the same ears
    assert {m.where for m in machines} == {"at the start"}
    assert {m.constraints for m in machines} == {4 * 8}
    assert all((m.rank <= m.constraints).all() for m in machines)


def test_lines_say_in_what_they_differ(planted):
    looks = falling(planted, 40, floor=1.2)
    runs = [answered(looks, n_layers=2, n_history=n) for n in (1, 2)]
    runs += [answered(looks, "deep-rnn", width=4, recurrent=kind) for kind in ("orthogonal", "unitary")]
    (match,) = matches(runs, Picture("", {}))
    assert [line.label for line in match.lines] == ["quantum, n_H = 1", "quantum, n_H = 2", "classical", "unitary"]


def test_the_picture_has_four_panels_a_match_and_says_whose_rank_it_is(both):
    picture = learnability(both[:4])
    label = "2 excerpts of 5 chords, readout frozen"
    assert list(picture.panels) == [f"{label}: {kind}" for kind in ("curves", "times", "rates", "losses")]
    named = {one.name.removeprefix("below this axis: ").split(":")[0] for one in picture.series if one.kind == "named"}
    assert {"h₀ alone", "W and h₀ alone", "irreducible loss", "reservoir of 4 units"} <= named  # a frozen readout
    assert any(note.startswith(f"{label}: the floor of the readout is ") for note in picture.notes)
    walls = {(one.name, float(one.x[0])) for one in picture.series if one.kind == "wall"}
    assert walls == {("32 constraints", 32.0)}
    assert any("M is the rank at the start, the median over replicas" in note for note in picture.notes)
    assert any("M_c needs times at 4 different M; got" in note for note in picture.notes)
    assert not picture.numbers  # nothing without an interval


def test_what_simple_machines_reach_above_the_floor_is_drawn(both, tmp_path):
    picture = learnability([begun(both[-1], tmp_path)])
    (panel,) = (name for name in picture.panels if name.endswith("losses"))
    lines = {one.name: float(one.y[0]) for one in picture.in_panel(panel) if one.kind == "floor"}
    chorales = both[-1].planned.task.chorales
    assert lines[f"h₀ alone: {h0_loss(chorales):.4f}"] == h0_loss(chorales)
    assert [one.name for one in picture.in_panel(panel) if one.kind == "named"][-1].endswith("irreducible loss: 0.0000")


def test_who_hears_the_roll_is_matched_with_who_hears_it_too(planted, tmp_path):
    looks = falling(planted, 40, floor=0.1)
    everything = {"learned": "angles,K,W,h0", "readout_start": "zero", "skip": True}
    circuit = answered(looks, n_layers=2, **everything)
    roll = {"inputs": "roll", "skip": True, "learned": "J,M,K,W,h0", "readout_start": "zero"}
    network = answered(looks, "deep-rnn", width=4, **roll)
    deaf = answered(looks, "deep-rnn", width=4, learned="J,M,K,h0", readout_start="zero")
    found = matches([begun(each, tmp_path) for each in (circuit, network, deaf)], Picture("", {}))
    assert [(each.series, [line.label for line in each.lines]) for each in found] == [
        ("K and h₀ learned, roll heard", ["quantum", "classical"]),
        ("K and h₀ learned", ["classical"]),
    ]
    machine = found[0].lines[0].machines[0]
    assert machine.n_readout == 54 * 4 + 54 * 54 + 54
    assert machine.n_coordinates == machine.n_readout + 40


def test_machines_that_hear_or_read_other_things_are_not_matched(planted):
    looks = falling(planted, 40, floor=1.4)
    runs = [answered(looks, n_layers=2), answered(looks, "deep-rnn", width=6)]
    runs += [answered(looks, "deep-rnn", width=6, encoding="compass")]
    runs += [answered(looks, "deep-rnn", width=6, n_features=None)]
    found = matches(runs, Picture("", {}))
    assert [(each.series, len(each.lines)) for each in found] == [
        ("readout frozen, heard: pitch-class, n_f = 4", 2),
        ("readout frozen, heard: compass, n_f = 4", 1),
        ("readout frozen, heard: pitch-class, n_f = 6", 1),
    ]


def test_another_cost_is_left_out_and_an_nll_below_its_floor_is_flagged(planted):
    picture = Picture("", {})
    low, other = falling(planted, 40, floor=0.3), falling(planted, 40, floor=1.3)
    runs = [answered(low, n_layers=2), answered(other, "deep-rnn", width=6, cost="hinge")]
    found = matches(runs, picture)
    assert [line.label for each in found for line in each.lines] == ["quantum"]
    assert any("its cost is hinge, and what is compared is the NLL: it is left out" in note for note in picture.notes)
    assert any(note.startswith("flagged: quantum") and "below the floor 1." in note for note in picture.notes)


def test_what_both_ears_tell_apart_is_told_apart():
    """A circuit with a W hears the hours of four voices, and the keys: chords that differ in either differ."""
    settings = QUANTUM | {"n_layers": 1, "learned": "angles,K,W,h0", "skip": True}
    task = Task("quantum", settings, 0.01, MUSIC, Looks(), 0, 1)
    crossed, up = np.array([[60, 55, 52, 48]]), np.array([[72, 67, 64, 60]])  # SATB; an octave higher
    hears = heard_by(task)
    swapped = crossed[:, [1, 0, 2, 3]]  # the same keys, other voices
    assert (hears(crossed) != hears(up)).any()
    assert (hears(crossed) != hears(swapped)).any()
    np.testing.assert_array_equal(hears(crossed), hears(crossed.copy()))


def test_a_trained_readout_is_measured_at_the_end_where_k_is_not_zero(both, tmp_path):
    found, _ = machine_of(begun(both[-1], tmp_path))
    assert found.where == "at the end"
    start, _ = machine_of(both[-1]._replace(run=None))
    assert (start.rank == 54 * 5).all()  # K = 0: what the angles do is not felt, K of four features and h_0 are
    assert (found.rank > 54 * 5).all()
    assert found.floor == 0.0  # no two histories of the ten chords are equal
