"""Learning runs as spin models: which weight is which bond, and what melts along a run."""

from dataclasses import replace

import numpy as np
import pytest

from classical.perceptron import DeepPerceptron
from classical.rnn import DeepRNN
from classical.spherical import SphericalGlass
from classical.spins import Bonds, first_spacing, linear_tap, melting_temperature
from encoding import Chorale, InputError, Standardisation
from experiments import Looks, Store, learn, linear, melting
from experiments.figures import spin_models as spin_figure
from experiments.figures.of_study import answers_of
from experiments.figures.spin_models import spin_models
from experiments.melting import MeltingCurve, bonds_of, levels_at, melting_along
from experiments.observables.log_slope import log_slope
from experiments.study import load_study
from quantum import QuantumRNN

PITCHES = np.random.default_rng(0).integers(43, 97, (12, 4)).astype(np.int16)
CHORALES = [Chorale(part, "random", "drawn", 0) for part in np.split(PITCHES, [7])]


def network(**said):
    return DeepRNN(CHORALES, depth=2, width=5, rule="exact", batch=None, n_replicas=2, kernel="plain", **said)


def circuit(**said):
    return QuantumRNN(CHORALES, schedule="coherent", n_history=1, n_layers=2, n_replicas=2, kernel="plain", **said)


def test_the_energy_of_a_recurrent_network_is_that_of_its_weights():
    net, rng = network(), np.random.default_rng(1)
    flat = rng.standard_normal(net.weights().shape)
    part = {name: flat[:, group.slice].reshape(2, *group.shape) for name, group in net.layout().items()}
    bonds = bonds_of(net, flat)
    assert bonds.sizes == (54, 5, 5, 54)
    spins = rng.choice([-1.0, 1.0], bonds.n_spins)
    s, one, two, out = (spins[place] for place in bonds.places)
    energy = -spins @ bonds.apply(spins).T / 2
    ear = net.network().ear
    assert isinstance(ear, Standardisation)
    scale = ear.deviation
    for r in range(2):
        j0, w = part["J0"][r] / scale, part["W"][r] / scale
        wanted = one @ j0 @ s + two @ part["J1"][r] @ one + out @ part["K"][r] @ two + out @ w @ s
        wanted += sum(
            sigma @ part[f"M{k}"][r] @ sigma - np.trace(part[f"M{k}"][r]) for k, sigma in enumerate((one, two))
        )
        assert abs(energy[r] + wanted) < 1e-9


def test_a_network_of_clocks_and_few_features_has_no_bonds_where_it_has_no_weights():
    net = network(inputs="clock", skip=False, n_features=3, readout_start="random", learned=("J", "M"))
    bonds = bonds_of(net)
    assert (0, 3) not in bonds.blocks
    assert (bonds.blocks[2, 3][:, 3:] == 0).all()
    layout = net.layout()["J0"]
    np.testing.assert_array_equal(
        bonds.blocks[0, 1], net.weights()[:, layout.slice].reshape(2, *layout.shape).swapaxes(1, 2)
    )


def test_the_bonds_of_a_circuit_are_half_its_small_angles_and_none_where_a_gate_couples_nothing():
    net = circuit()
    flat = np.zeros_like(net.weights(), np.float64)
    edges = net.settings.block.ladder.edges
    first = np.linspace(-3, 3, len(edges))
    flat[0, net.layout()["J0"].slice] = first
    flat[0, net.layout()["J1"].slice] = 0.4
    flat[1] = flat[0]
    flat[1, net.layout()["J1"].slice] += 4 * np.pi
    block = bonds_of(net, flat).blocks[0, 0]
    for place, (i, j) in enumerate(edges):
        assert abs(block[0, i, j] + (np.sin(first[place]) + np.sin(0.4)) / 2) < 1e-12
    np.testing.assert_allclose(block[1], block[0], atol=1e-12)
    assert (block == block.swapaxes(1, 2)).all()
    flat[:] = 0
    flat[0, net.layout()["J0"].slice] = 1e-4
    flat[1, net.layout()["J0"].slice] = np.pi  # Z times Z
    small, local = bonds_of(net, flat).blocks[0, 0]
    assert all(abs(small[i, j] + 1e-4 / 2) < 1e-12 for i, j in edges)
    assert np.abs(local).max() < 1e-12


@pytest.mark.parametrize("theta", [0.3, np.pi / 2, 2.5, np.pi])
def test_what_a_gate_couples_at_most_is_the_sine_of_its_angle(theta):
    rng = np.random.default_rng(5)
    zz = np.array([1, -1, -1, 1])
    flip = np.fliplr(np.diag([-1, 1, 1, -1]))  # Y Y
    products = rng.standard_normal((4000, 2, 2)) + 1j * rng.standard_normal((4000, 2, 2))
    products = np.concatenate([products, np.full((1, 2, 2), 1)])
    products /= np.linalg.norm(products, axis=2, keepdims=True)
    states = np.einsum("na,nb->nab", products[:, 0], products[:, 1]).reshape(-1, 4) * np.exp(-0.5j * theta * zz)
    concurrence = np.abs(np.einsum("ni,ij,nj->n", states, flip, states))
    assert concurrence.max() == pytest.approx(abs(np.sin(theta)), abs=1e-12)


def test_the_energy_of_a_deep_perceptron_is_that_of_its_fields():
    students = DeepPerceptron(depth=2, width=6, alpha=2, n_replicas=2)
    bonds, rng = bonds_of(students), np.random.default_rng(3)
    spins = rng.choice([-1.0, 1.0], bonds.n_spins)
    below, middle, above = (spins[place] for place in bonds.places)
    for r, energy in enumerate(-bonds.apply(spins) @ spins / 2):
        j = students.weights()[r].reshape(2, 6, 6)
        assert abs(energy + (middle @ j[0] @ below + above @ j[1] @ middle) / np.sqrt(6)) < 1e-9
    assert bonds.is_chain


@pytest.mark.parametrize("make", [network, circuit])
def test_what_melts_along_a_run_is_what_melts_at_each_look(make):
    system = make()
    run = learn(system, 0.05, Looks(weights=linear(1.0)), until=2)
    found = melting_along(system, run)
    assert found.temperature.shape == (3, 2)
    for look in range(3):
        alone = melting_temperature(bonds_of(system, run.weights[look]))
        np.testing.assert_array_equal(found.temperature[look], alone.temperature)
        np.testing.assert_array_equal(found.melts[look], alone.melts)
        largest = [np.linalg.eigvalsh(bonds_of(system, run.weights[look]).one(r).dense())[-1] for r in range(2)]
        np.testing.assert_allclose(found.largest[look], largest, rtol=1e-6)
        for r in range(2):
            matrix = linear_tap(bonds_of(system, run.weights[look]).one(r), 1 / float(found.temperature[look, r]))
            bound = ~np.isclose(matrix, np.eye(len(matrix))).all(0)  # the spins with bonds
            wanted = first_spacing(np.linalg.eigvalsh(matrix[np.ix_(bound, bound)]))
            np.testing.assert_allclose(found.spacing[look, r], wanted)
            np.testing.assert_allclose(found.square[look, r], bonds_of(system, run.weights[look]).squares[r].max())
    assert np.isnan(melting_along(system, run, spacings=False).spacing).all()


def test_a_replica_that_was_frozen_has_no_temperature(planted):
    net = network()
    rows = np.stack([net.weights()] * 2)
    looks = replace(planted([0, 1], weights=rows), valid=np.array([[True, True], [True, False]]))
    found = melting_along(net, looks)
    assert np.isfinite(found.temperature).tolist() == [[True, True], [True, False]]


def test_the_exponent_of_a_power_law_is_told_with_an_interval_that_holds_it():
    rng, x, held = np.random.default_rng(2), np.geomspace(1, 50, 12), 0
    for _ in range(200):
        y = 3 * x[:, None] ** 0.26 * np.exp(0.02 * rng.standard_normal((12, 5)))
        held += log_slope(x, y).holds(0.26)
    assert 180 <= held <= 199
    exact = log_slope(x, x[:, None] ** np.array([0.4]))
    np.testing.assert_allclose(exact, 0.4)


def test_the_figure_shows_what_was_measured_along_the_runs(tmp_path):
    study = load_study("quantum-aging", "smoke")
    planned = study.planned[2]
    store = Store(tmp_path)
    run = store.learn(planned.task, until=planned.until, kernel="plain")
    picture = spin_models(answers_of(study, store), "melting")
    found = melting_along(run)
    drawn = [one for one in picture.in_panel("melting") if one.name.startswith("orthogonal, d = 1, w = 4")]
    (every,) = [one for one in drawn if one.name.endswith(": T of the least eigenvalue")]  # a replica does not melt
    np.testing.assert_allclose(every.x, found.time[:, 0])
    np.testing.assert_allclose(every.y, found.temperature.mean(1))
    thick = [one for one in drawn if one.kind == "line"]
    assert sum(len(one.x) for one in thick) == found.melts.all(1).sum() < len(found.melts)
    levels = [one for one in picture.series if one.panel.endswith(": J")]
    assert [one.name for one in levels] == ["τ = 0", f"τ = {found.time[-1, 0]:.4g}"]
    for one in levels:
        assert one.x_end is not None
        width = one.x_end - one.x
        assert abs((np.nan_to_num(one.y) * width).sum() - 1) < 1e-9
    assert sum(note.startswith("missing") for note in picture.notes) == 3
    least = next(one for one in picture.series if one.panel.endswith(": β") and one.name == "τ = 0")
    bonds = bonds_of(planned.task.build("plain")).one(0)
    np.testing.assert_allclose(least.y[3], np.linalg.eigvalsh(linear_tap(bonds, least.x[3]))[0], atol=1e-6)


@pytest.mark.parametrize("looks", ["one", "all"])
def test_the_figure_tells_of_machines_without_an_answer(looks, tmp_path, monkeypatch):
    """One replica of one look, or of every look; then there is neither an exponent nor a spectrum, and that is said."""
    study = load_study("quantum-aging", "smoke")
    planned, store = study.planned[2], Store(tmp_path)
    found = melting_along(store.learn(planned.task, until=planned.until, kernel="plain"))
    without = [1] if looks == "one" else list(range(len(found.time)))
    temperature, melts = found.temperature.copy(), found.melts.copy()
    temperature[without, 0], melts[without, 0] = np.nan, False
    gone = {(look, 0): "nothing melts" for look in without}
    blank = found._replace(temperature=temperature, melts=melts, refused=gone)
    monkeypatch.setattr(spin_figure, "melting_along", lambda run: blank)
    picture = spin_models(answers_of(study, store), "melting")
    (told,) = [note for note in picture.notes if "without a T_c" in note]
    when = f"the first replica 0 at τ = {found.time[without[0], 0]:.4g}"
    assert told.endswith(f": {len(without)} machines without a T_c, {when}: nothing melts")
    assert any("no spectra" in note for note in picture.notes) == (looks == "all")
    assert bool([one for one in picture.series if one.panel.endswith(": J")]) == (looks == "one")
    drawn = [one for one in picture.in_panel("melting") if one.name.endswith(": T of the least eigenvalue")]
    assert len(drawn) == 1
    assert np.isfinite(drawn[0].y).all()  # of the other replica


def test_a_look_at_which_no_replica_is_valid_has_no_temperature(planted):
    net = DeepRNN(CHORALES, depth=1, width=4, rule="exact", batch=None, n_replicas=1, kernel="plain")
    rows = np.stack([net.weights()] * 2)
    looks = replace(planted([0, 1], weights=rows), valid=np.array([[True], [False]]))
    found = melting_along(net, looks)
    assert np.isfinite(found.temperature).tolist() == [[True], [False]]


def test_one_machine_without_an_answer_does_not_cost_the_curve(planted):
    """Weights that are all 0 have no melting temperature; the others of the run have theirs, and it is said."""
    net = DeepRNN(CHORALES, depth=1, width=4, rule="exact", batch=None, n_replicas=2, kernel="plain")
    rows = np.stack([net.weights()] * 3)
    rows[1, 0] = 0
    looks = planted([0, 1, 2], weights=rows)
    found = melting_along(net, looks)
    assert np.argwhere(~np.isfinite(found.temperature)).tolist() == [[1, 0]]
    assert list(found.refused) == [(1, 0)]
    assert "a paramagnet at every temperature" in found.refused[1, 0]


@pytest.mark.parametrize("temperature", [None, [1.0], [1.0, 0.0], [1.0, -2.0], [1.0, np.nan], "ab"])
def test_levels_are_those_of_systems_at_their_temperatures(temperature):
    bonds = Bonds({(0, 1): np.random.default_rng(0).normal(size=(2, 5, 4))})
    with pytest.raises(InputError, match="levels are those of systems"):
        levels_at(bonds, temperature)
    assert [len(levels) for levels in levels_at(bonds, [1.0, 2.0])] == [9, 9]


def test_there_is_room_for_a_run_without_its_spacings(monkeypatch):
    def none(size, what, advice=""):
        raise InputError(f"no room for {what}: {advice}")

    monkeypatch.setattr(melting, "check_room", none)
    net = network()
    looks = learn(net, 0.05, Looks(weights=linear(1.0)), until=1)
    with pytest.raises(InputError, match=r"no room for the levels of 118 spins: leave spacings out"):
        melting_along(net, looks)
    assert np.isfinite(melting_along(net, looks, spacings=False).temperature).all()


def planted_curve(frozen):
    """T_c = 2 t^.3 in two replicas, one of which is frozen after t = 20."""
    time = np.repeat(np.geomspace(0.1, 100, 31)[:, None], 2, 1)
    time[time[:, 0] > 20, frozen] = np.nan
    scatter = 1 + 1e-3 * np.random.default_rng(0).standard_normal(time.shape)
    temperature = 2 * time**0.3 * scatter
    melts = np.isfinite(time) & (time > 0.5)
    nothing = np.full_like(time, np.nan)
    return MeltingCurve(time, temperature, nothing, melts, nothing, nothing, nothing, {}, 10, 9)


@pytest.mark.parametrize("frozen", [0, 1])
def test_exponents_are_told_as_far_as_all_replicas_came(frozen):
    last, before = spin_figure._exponents(planted_curve(frozen))
    for (low, high, alpha), ends in ((last, (1.9, 20)), (before, (0.5, 2.1))):
        assert ends[0] <= low < high <= ends[1]
        assert alpha.low < 0.3 < alpha.high
        assert abs(alpha.best - 0.3) < 0.01


def test_what_is_no_network_of_bonds_is_refused():
    with pytest.raises(
        InputError, match=r"asks a system for couplings\(\), bonds .*; SphericalGlass has no such method"
    ):
        bonds_of(SphericalGlass(n_spins=6))
    with pytest.raises(InputError, match=r"weights are numbers, of shape \(..., \d+\); got float64 \(2, 3\)"):
        bonds_of(network(), np.zeros((2, 3)))
    with pytest.raises(InputError, match="not finite: did the run diverge"):
        bonds_of(circuit(), np.full_like(circuit().weights(), np.nan))
    assert isinstance(bonds_of(circuit()), Bonds)
