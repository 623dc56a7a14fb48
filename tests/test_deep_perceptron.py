"""Deep perceptrons under Monte Carlo: what their moves may do, where they lead, and what is asked wrongly."""

from dataclasses import asdict
from itertools import product
from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard

from classical import DeepPerceptron
from classical.perceptron import hierarchy, moves, pair_overlap
from classical.perceptron.compiled import compiled
from classical.perceptron.machine_settings import DeepPerceptronSettings
from classical.perceptron.moves import bytes_of
from classical.perceptron.patterns import normal_weights
from classical.perceptron.plain_moves import moved
from classical.perceptron.proposals import proposals
from encoding import InputError
from encoding.threads import Threads
from experiments import Looks, aging_looks, learn
from experiments.observables import activation_overlap, displacement

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 11), st.sampled_from([0.9, 3.0, 7.3, 20.0]))
MOVES = st.sampled_from([{}, {"temperature": 6.0}, {"move": "redraw"}, {"delta": 2.0, "r": 0.6}])
TAUGHT = st.sampled_from([{}, {"scenario": "random"}, {"start": "unlearning"}])


def machines(depth=3, width=8, alpha=5.0, **said) -> DeepPerceptron:
    return DeepPerceptron(**{"depth": depth, "width": width, "alpha": alpha, "n_replicas": 2} | said)


def textbook(weights, inputs, depth):
    """Spins of the last layer by the sums themselves, one weight after the other."""
    n = inputs.shape[1]
    bonds, spins = weights.reshape(depth, n, n).astype(float), inputs.astype(float)
    for layer in range(depth):
        fields = np.zeros_like(spins)
        for i, j in product(range(n), range(n)):
            fields[:, i] += bonds[layer, i, j] * spins[:, j]
        spins = np.where(fields < 0, -1.0, 1.0)
    return spins


@given(SHAPES, MOVES, TAUGHT, st.integers(0, 99))
@settings(max_examples=20)
def test_the_compiled_moves_are_those_of_plain_numpy_bit_for_bit(shape, move, taught, seed):
    said = dict(zip(("depth", "width", "alpha"), shape, strict=True)) | {"n_replicas": 1, "seed": seed}
    options = move if "scenario" not in taught else {name: move[name] for name in move if name != "r"}
    fast, plain = (DeepPerceptron(**said, **options, **taught, kernel=name) for name in ("fast", "plain"))
    np.testing.assert_array_equal(fast.step(0.3, 2), plain.step(0.3, 2))
    assert fast.weights().tobytes() == plain.weights().tobytes()


@pytest.mark.parametrize(("width", "n_patterns"), [(16, 64), (17, 65), (33, 63), (65, 128), (130, 7)])
def test_layers_and_patterns_need_not_fill_whole_words(width, n_patterns):
    said = {"depth": 2, "width": width, "alpha": n_patterns / width, "n_replicas": 1}
    fast, plain = (DeepPerceptron(**said, kernel=name) for name in ("fast", "plain"))
    assert len(fast.patterns.inputs) == n_patterns
    np.testing.assert_array_equal(fast.step(200 / (2 * width**2), 2), plain.step(200 / (2 * width**2), 2))
    assert fast.weights().tobytes() == plain.weights().tobytes()


@given(SHAPES, MOVES, st.sampled_from([0.3, 1.0, 25.0]))
@settings(max_examples=20)
def test_fields_that_were_changed_weight_by_weight_are_those_added_up_anew(shape, move, sweeps):
    moved = machines(*shape, **move)
    moved.step(sweeps)
    fresh = machines(*shape, **move)
    fresh.put(moved.weights())
    n_patterns = len(moved.patterns.inputs)
    for kept, anew in zip(moved._memories, fresh._memories, strict=True):
        for name in ("weights", "table", "words", "wrong"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(anew, name))
        fields = [m.fields.reshape(shape[0] + 1, shape[1], -1)[..., :n_patterns] for m in (kept, anew)]
        np.testing.assert_array_equal(*fields)


def test_compiled_code_is_kept_under_all_sources_that_it_is_made_of(monkeypatch):
    kept = {}

    def load(name, modules, made_from, *, advice):
        kept[name] = made_from
        assert name == modules[-1]
        assert advice

    monkeypatch.setattr("classical.perceptron.compiled.load", load)
    compiled.cache_clear()
    try:
        hierarchy.steps()
        moves.FastMoves(machines(kernel="plain").patterns)
    finally:
        compiled.cache_clear()
    home = Path(moves.__file__).parent
    assert kept["classical.perceptron.hierarchy_steps"] == (home / "hierarchy_steps.py").read_bytes()
    for part in ("bits", "words_of_spins", "move_steps"):
        assert (home / f"{part}.py").read_bytes() in kept["classical.perceptron.move_steps"]


@given(SHAPES, st.integers(0, 9))
@settings(max_examples=20)
def test_the_loss_is_the_share_of_output_spins_that_a_textbook_finds_wrong(shape, seed):
    there = machines(*shape, seed=seed)
    there.step(0.5, 2)
    out = [textbook(weights, there.patterns.inputs, shape[0]) for weights in there.weights()]
    np.testing.assert_allclose(there.loss(), [(spins != there.patterns.outputs).mean() for spins in out], rtol=1e-12)
    np.testing.assert_array_equal(there.spins()[:, :, -1], out)
    energy = [((spins - there.patterns.outputs) ** 2).sum() for spins in out]
    np.testing.assert_array_equal(there.energy(), energy)
    np.testing.assert_array_equal(np.where(there.outputs() < 0, -1, 1), out)


@given(SHAPES, st.sampled_from([{}, {"move": "redraw"}, {"delta": 3.0}]), st.sampled_from(["teacher", "random"]))
@settings(max_examples=20)
def test_without_temperature_the_energy_never_rises(shape, move, scenario):
    losses = machines(*shape, **move, scenario=scenario).step(0.2, 30)
    assert (np.diff(losses, axis=0) <= 0).all()


def test_a_temperature_lets_it_rise():
    assert (np.diff(machines(temperature=4.0).step(0.2, 30), axis=0) > 0).any()


def test_unlearning_the_teacher_never_makes_an_error_and_leaves_it_all_the_same():
    forgetting = machines(4, 10, 4, start="unlearning")
    before = forgetting.weights()
    np.testing.assert_array_equal(before[0], before[1])
    assert (forgetting.step(1, 60) == 0).all()
    assert (forgetting.loss() == 0).all()
    assert np.corrcoef(before[0], forgetting.weights()[0])[0, 1] < 0.8
    assert (forgetting.weights()[0] != forgetting.weights()[1]).mean() > 0.9


def test_below_its_capacity_a_perceptron_learns_random_data_without_an_error():
    learned = machines(1, 20, 0.5, scenario="random")  # Gardner (1988): up to alpha = 2
    assert (learned.loss() > 0.3).all()
    learned.step(1, 1500)
    assert (learned.loss() == 0).all()


def cones(bonds):
    """Which of four functions of two spins each row of weights is: they are equally likely by chance."""
    first = np.abs(bonds[..., 0]) > np.abs(bonds[..., 1])
    larger = np.where(first, bonds[..., 0], bonds[..., 1])
    return np.where(first, 0, 2) + (larger < 0)


@pytest.mark.parametrize("move", [{"move": "redraw"}, {"delta": 0.9}])
def test_at_a_temperature_machines_are_met_as_often_as_boltzmann_says(move):
    """Two layers of two spins are 4^4 functions, all as likely as each other where there are no data."""
    temperature, n_replicas = 7.0, 1500
    said = {"depth": 2, "width": 2, "alpha": 2.0, "scenario": "random", "temperature": temperature}
    warm = DeepPerceptron(**said, **move, n_replicas=n_replicas, disorder=5)
    warm.step(1, 40)
    corners = np.array([[1.0, 0.2], [-1.0, 0.2], [0.2, 1.0], [0.2, -1.0]])
    energy = np.empty(4**4)
    for k, rows in enumerate(product(range(4), repeat=4)):
        out = textbook(corners[list(rows)].ravel(), warm.patterns.inputs, 2)
        energy[k] = ((out - warm.patterns.outputs) ** 2).sum()
    odds = np.exp(-energy / temperature)
    odds /= odds.sum()
    seen = cones(warm.weights().reshape(n_replicas, 4, 2)) @ [64, 16, 4, 1]
    for level in np.unique(energy):
        p = odds[energy == level].sum()
        found = np.isin(seen, np.flatnonzero(energy == level)).mean()
        assert abs(found - p) < 4 * np.sqrt(p * (1 - p) / n_replicas)
    assert odds.max() > 2 * odds.min()  # it is a temperature at which this says something


@pytest.mark.parametrize("delta", [0.3, 1.0])
def test_without_data_weights_wander_as_a_poisson_number_of_tilts_says(delta):
    """D = 2 (1 - <c^k>), k proposals of a weight being Poisson with mean tau: 2 (1 - e^(-(1 - c) tau))."""
    free = machines(2, 60, 0.05, temperature=1e9, delta=delta)
    start, c = free.weights(), 1 / np.sqrt(1 + delta**2)
    for tau in (1.0, 4.0):
        free.step(tau - (tau > 1), 1)
        moved = ((free.weights() - start) ** 2).mean()
        assert moved == pytest.approx(2 * (1 - exp(-(1 - c) * tau)), rel=0.05)
    assert free.weights().std() == pytest.approx(1, abs=0.03)
    np.testing.assert_allclose(free.noise(), 2 * (1 - c), rtol=0.1)  # D = Gamma tau, at first


@pytest.mark.parametrize("delta", [1e-4, 1e-3, 1e6])
def test_weights_are_fine_enough_for_the_smallest_tilt_and_the_largest_is_a_new_weight(delta):
    """<(J' - J)^2> = 2 (1 - c) of normal weights, delta^2 where delta is small, to 1 % though they are rounded."""
    said, n = DeepPerceptronSettings(depth=1, width=1000, alpha=1, delta=delta), 1000**2
    weights, tilts = normal_weights(np.random.default_rng(0), said), proposals(said, 0, 0, 0, n)
    after = moved(weights.ravel(), tilts.kick, tilts.keeps)
    square = (((after - weights.ravel()) / 2**16) ** 2).mean()
    assert square == pytest.approx(delta**2 if delta < 1 else 2, rel=0.01)


def test_at_the_largest_temperature_all_moves_are_taken():
    hot, warm = (machines(temperature=temperature) for temperature in (np.finfo(float).max, 1e9))
    hot.step(1, 3)
    warm.step(1, 3)
    np.testing.assert_array_equal(hot.weights(), warm.weights())


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(1, 7), st.integers(1, 3))
@settings(max_examples=20)
def test_a_sweep_in_parts_is_the_sweep(parts, width, depth):
    """Of k/n_weights each: whatever the parts, the same proposals come in the same order."""
    whole, cut = (machines(depth, width, 4.0, seed=3) for _ in range(2))
    n = depth * width**2
    for part in parts:
        cut.step(part / n)
    whole.step(sum(parts) / n)
    assert cut.weights().tobytes() == whole.weights().tobytes()


def test_ten_steps_of_a_tenth_are_a_sweep():
    whole, cut = machines(3, 7), machines(3, 7)
    whole.step(3)
    cut.step(0.1, 30)
    assert cut.state()["made"].tolist() == whole.state()["made"].tolist() == [3 * 147] * 2
    assert cut.weights().tobytes() == whole.weights().tobytes()


def test_replicas_have_the_same_data_and_other_moves():
    one, other = machines(seed=1), machines(seed=2)
    np.testing.assert_array_equal(one.patterns.inputs, other.patterns.inputs)
    assert not np.array_equal(*one.weights())
    assert not np.array_equal(machines(disorder=1).patterns.outputs, one.patterns.outputs)


def test_threads_change_nothing(monkeypatch):
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("ARMONICA_THREADS", threads)
        there = machines(n_replicas=5)
        there.step(0.5, 20)
        found.append(there.weights().tobytes())
    assert found[0] == found[1]


def test_a_run_of_one_kernel_goes_on_under_the_other():
    fast, plain = machines(kernel="fast"), machines(kernel="plain", seed=7)
    fast.step(0.4, 3)
    plain.restore(fast.state())
    np.testing.assert_array_equal(plain.step(0.4, 3), fast.step(0.4, 3))
    np.testing.assert_equal(plain.state(), fast.state())


@pytest.mark.parametrize("r", [1.0, 0.5, 0.0])
def test_noise_leaves_so_much_of_the_teacher_at_both_ends(r):
    data = machines(3, 50, 80, r=r).patterns
    teacher = machines(3, 50, 80, r=1.0).patterns
    n = data.inputs.size
    for kept, taught in ((data.inputs, teacher.inputs), (data.outputs, teacher.outputs)):
        assert (kept * taught).mean() == pytest.approx(r, abs=4 / np.sqrt(n) if r < 1 else 0)
    np.testing.assert_array_equal(data.taught, teacher.inputs)


def test_noise_at_the_output_knows_nothing_of_that_at_the_input():
    """Of M N spins a share (1 - r^2)/2 is flipped at one end alone, as of two coins."""
    data, clean = machines(1, 50, 80, r=0.5).patterns, machines(1, 50, 80, r=1.0).patterns
    both = (data.inputs * clean.inputs) * (data.outputs * clean.outputs)
    assert both.mean() == pytest.approx(0.5**2, abs=4 / np.sqrt(both.size))


@given(SHAPES, st.integers(0, 9))
@settings(max_examples=10)
def test_students_of_noisy_data_are_compared_with_the_teacher_as_it_saw_them(shape, seed):
    depth, width, _ = shape
    there = machines(*shape, r=0.5, seed=seed, start="unlearning")
    there.step(0.5)
    teacher = there.patterns.teacher
    assert teacher is not None
    for test, seen in ((False, there.patterns.taught), (True, there.patterns.test)):
        for layer in range(1, depth + 1):
            taught = textbook(teacher[:layer], seen, layer)
            given = there.patterns.test if test else there.patterns.inputs
            own = [textbook(weights[: layer * width**2], given, layer) for weights in there.weights()]
            wanted = [pair_overlap(one.astype(np.int8), taught.astype(np.int8)) for one in own]
            np.testing.assert_allclose(there.teacher_overlaps(test=test)[:, layer - 1], wanted, atol=1e-9)


@pytest.mark.parametrize("width", [1, 4, 9])
def test_outputs_are_the_fields_of_the_last_layer(width):
    """N^-1/2 sum_j J_ij S_j, by the sums themselves."""
    one = machines(1, width, 5.0)
    spins, bonds = one.patterns.inputs.astype(float), one.weights().reshape(2, width, width).astype(float)
    wanted = [[[sum(j * s) / width**0.5 for j in rows] for s in spins] for rows in bonds]
    np.testing.assert_allclose(one.outputs(), wanted, rtol=1e-12, atol=1e-12)


def test_a_clone_goes_on_from_where_it_was_cloned_with_moves_of_its_own():
    there = machines(seed=3, temperature=4.0)
    there.step(0.7, 4)
    twin, other = there.clone(3), there.clone(4)
    for clone in (twin, other):
        np.testing.assert_array_equal(clone.weights(), there.weights())
        assert clone.state()["owed"].tobytes() == there.state()["owed"].tobytes()
    went = [system.step(0.7, 4) for system in (there, twin, other)]
    np.testing.assert_array_equal(went[1], went[0])
    np.testing.assert_array_equal(twin.weights(), there.weights())
    assert (other.weights() != there.weights()).any(1).all()


def test_a_replica_asked_for_too_many_moves_keeps_its_weights_and_is_frozen_until_it_is_put():
    there, alone = machines(), machines(n_replicas=1, first_replica=1)
    before = there.weights()
    most = 2**31 / there.settings.n_weights
    assert np.isnan(there.step([1.01 * most, 1.0], 2)).all(0).tolist() == [True, False]
    assert there.state()["frozen"].tolist() == [0, -1]
    assert np.isnan(there.step(1.0, 3)).all(0).tolist() == [True, False]
    alone.step(1.0, 5)
    np.testing.assert_array_equal(there.weights(), [before[0], alone.weights()[0]])
    there.put(before)
    assert np.isfinite(there.step(1.0)).all()


def test_a_run_says_of_a_replica_asked_for_too_many_moves_that_it_was(caplog):
    with pytest.raises(InputError, match=r"1 was asked for more than 2\^31 proposals a step, at step 0.*lower rate"):
        learn(machines(n_replicas=1), 1e9, until=2e9)
    assert "replica 0 was asked for more than 2^31 proposals a step, at step 0" in caplog.text
    assert "non-finite" not in caplog.text


def test_what_a_machine_is_asked_changes_nothing_and_has_its_shape():
    there = machines(3, 6, 5.0)
    before = there.state()
    assert there.activations().shape == (2, 30, 12)
    assert there.outputs().shape == (2, 30, 6)
    assert there.spins(test=True).shape == (2, 1000, 4, 6)
    assert {name: array.shape for name, array in there.measure().items()} == {
        "energy": (2,), "r_test": (2,), "r2": (2, 3), "r2_test": (2, 3)}  # fmt: skip
    assert there.overlaps().shape == (2, 2, 3)
    np.testing.assert_equal(there.state(), before)


def test_measurements_of_a_replica_do_not_depend_on_those_beside_it():
    both, second = machines(), machines(n_replicas=1, first_replica=1)
    for system in (both, second):
        system.step(1, 5)
    for name, value in second.measure().items():
        np.testing.assert_array_equal(both.measure()[name][1:], value)


def test_the_teacher_itself_generalises():
    teacher = machines(4, 10, 3.0, start="unlearning")
    np.testing.assert_array_equal(teacher.generalisation(), 1)
    np.testing.assert_allclose(teacher.teacher_overlaps(test=True, normalised=True), 1)
    stranger = machines(4, 10, 3.0)
    assert (np.abs(stranger.generalisation()) < 0.5).all()


WRONG = {
    "depth L is a whole number of at least 1; got 0": {"depth": 0},
    "depth L is a whole number of at least 1; got 2.5": {"depth": 2.5},
    "width N is a whole number of at least 1; got -1": {"width": -1},
    "width N is a whole number of at least 1; got True": {"width": True},
    "alpha is a number, finite and above 0; got 0": {"alpha": 0},
    "alpha is a number, finite and above 0; got -3": {"alpha": -3},
    "alpha is a number, finite and above 0; got nan": {"alpha": np.nan},
    "alpha is a number, finite and above 0; got 'much'": {"alpha": "much"},
    "M = alpha N is from 1 pattern to 2^62; got alpha = 0.01, N = 8": {"alpha": 0.01},
    "r is a number, from 0 to 1; got 1.1": {"r": 1.1},
    "r is a number, from 0 to 1; got -0.1": {"r": -0.1},
    "temperature is a number, finite and at least 0; got -1": {"temperature": -1},
    "temperature is a number, finite and at least 0; got inf": {"temperature": np.inf},
    "delta is a number, from 0.0001 to 1e+06; got 0": {"delta": 0},
    "delta is a number, from 0.0001 to 1e+06; got 1e-05": {"delta": 1e-5},
    "delta is a number, from 0.0001 to 1e+06; got 1e+155": {"delta": 1e155},
    "delta is a number, from 0.0001 to 1e+06; got 1000": {"delta": 10**400},
    "alpha is a number, finite and above 0; got 1000": {"alpha": 10**400},
    "temperature is a number, finite and at least 0; got 1000": {"temperature": 10**400},
    "scenario is one of teacher, random; got 'pupil'": {"scenario": "pupil"},
    "start is one of learning, unlearning; got None": {"start": None},
    "move is one of tilt, redraw; got 'shift'": {"move": "shift"},
    "random data have no teacher, and start is unlearning": {"scenario": "random", "start": "unlearning"},
    "random data have no teacher, and r is 0.5": {"scenario": "random", "r": 0.5},
    "disorder is a whole number": {"disorder": -1},
    "seed is a whole number": {"seed": 1.5},
    "n_replicas is a whole number of at least 1": {"n_replicas": 0},
    "the deep perceptron has the kernels fast and plain; got 'graph'": {"kernel": "graph"},
    "DeepPerceptron has the settings depth, width, alpha": {"widht": 3},
    "GB of memory": {"alpha": 1e12},
    "replica(s) of L = 3, N = 8 on M = 40 patterns need about": {"n_replicas": 10**8},
}


@pytest.mark.parametrize("said", WRONG, ids=str)
def test_what_makes_no_machine_is_refused_in_one_line(said):
    with pytest.raises(InputError) as refused:
        machines(**WRONG[said])
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_put_and_restored_wrongly_is_refused():
    there = machines()
    before = there.state()
    with pytest.raises(InputError, match=r"weights are from -8 to 8, where chance leads none; got 9"):
        there.put(np.full_like(there.weights(), 9))
    for other in (machines(r=0.5), machines(temperature=1.0)):
        with pytest.raises(InputError, match="other settings"):
            there.restore(other.state())
    with pytest.raises(InputError, match="not finite"):
        there.restore(before | {"owed": np.full(2, np.nan)})
    for owed in (1e300, 1.0, -0.1):
        with pytest.raises(InputError, match=r"owes less than no proposal, or a whole one and more"):
            there.restore(before | {"owed": np.array([0.0, owed])})
    with pytest.raises(InputError, match=r"a rate is finite and not negative; got 1000"):
        there.step(10**400)
    with pytest.raises(InputError, match="random data have no teacher to compare with"):
        machines(scenario="random").generalisation()
    np.testing.assert_equal(there.state(), before)


def test_a_machine_of_one_spin_is_a_product_of_signs():
    chain = machines(5, 1, 4.0)
    signs = np.sign(chain.weights()).prod(1)
    np.testing.assert_array_equal(chain.spins()[:, :, -1, 0], signs[:, None] * chain.patterns.inputs[:, 0])


@pytest.mark.parametrize(("n_replicas", "alpha"), [(1, 20.0), (3, 20.0), (12, 40.0), (3, 2.0)])
def test_the_room_that_is_asked_for_is_the_room_that_is_taken(n_replicas, alpha):
    import tracemalloc

    said = {"depth": 4, "width": 60, "alpha": alpha, "n_replicas": n_replicas}

    def run() -> DeepPerceptron:
        there = machines(**said)
        there.step(0.01)
        there.measure()
        return there

    settings = run().settings  # all that is imported and compiled at first
    tracemalloc.start()
    run()
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < bytes_of(settings, n_replicas, Threads.n_places(n_replicas)) < 2.5 * taken


def test_settings_survive_as_plain_data():
    there = machines(r=0.5, start="unlearning")
    again = DeepPerceptron(**asdict(there.settings), n_replicas=2)
    np.testing.assert_array_equal(again.weights(), there.weights())


def renamed(weights, depth, width, rng):
    """The same machine with its hidden units in another order, some of them turned over."""
    bonds = weights.reshape(depth, width, width).copy()
    for layer in range(depth - 1):
        order, turn = rng.permutation(width), rng.choice([-1, 1], width)
        bonds[layer] = bonds[layer][order] * turn[:, None]
        bonds[layer + 1] = bonds[layer + 1][:, order] * turn
    return bonds.ravel()


@given(st.integers(0, 99))
@settings(max_examples=10)
def test_a_machine_whose_units_are_renamed_is_the_same_and_its_overlap_says_so(seed):
    pair = machines(4, 7, 6.0, seed=seed)
    own = pair.weights()[0]
    pair.put(np.array([own, renamed(own, 4, 7, np.random.default_rng(seed))]))
    np.testing.assert_allclose(pair.overlaps(normalised=True)[0, 1], 1)
    assert pair.loss()[0] == pair.loss()[1]
    np.testing.assert_allclose(pair.overlaps()[0, 1], pair.overlaps()[0, 0])


@given(st.integers(2, 40), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=20)
def test_squares_of_overlaps_are_what_two_machines_find_alike_in_pairs_of_patterns(n_patterns, width, seed):
    """q^2 = sum over mu != nu of K_mu,nu(a) K_mu,nu(b) / (N M^2), by the sums themselves."""
    a, b = np.random.default_rng(seed).choice([-1, 1], (2, n_patterns, width))
    alike = sum((a[mu] @ a[nu]) * (b[mu] @ b[nu]) for mu in range(n_patterns) for nu in range(n_patterns) if mu != nu)
    assert pair_overlap(a, b) == pytest.approx(alike / (width * n_patterns**2), abs=1e-9)


@pytest.mark.parametrize("n_patterns", [3, 6])
def test_a_machine_to_which_no_two_patterns_are_alike_has_no_normalised_overlap(n_patterns):
    """Rows of a Hadamard matrix: no two agree in more spins than they differ in."""
    apart, other = hadamard(8)[:n_patterns], np.ones((n_patterns, 8), int)
    assert pair_overlap(apart, apart) == 0
    assert pair_overlap(apart, other) == 0
    assert np.isnan(pair_overlap(apart, apart, normalised=True))
    assert np.isnan(pair_overlap(np.stack([apart, other]), other, normalised=True)).tolist() == [True, False]


@pytest.mark.parametrize("other", [(5, 8), (6, 7), (8,)])
def test_layers_of_other_shapes_have_no_overlap(other):
    with pytest.raises(InputError, match=r"as many patterns and units, \(.., M, N\); got \(6, 8\) and"):
        pair_overlap(np.ones((6, 8), int), np.ones(other, int))


def test_the_ruler_finds_the_same_overlaps():
    strangers = machines(3, 10, 20.0, scenario="random", n_replicas=4)
    q2, spins = strangers.overlaps(), strangers.spins()
    for layer in range(3):
        np.testing.assert_allclose(activation_overlap(spins[:, :, layer + 1], kind="pairs"), q2[..., layer], atol=1e-9)


def test_the_ruler_measures_how_it_ages():
    run = learn(machines(2, 8, 4.0), 1.0, Looks(weights=aging_looks([4], first=1.0, per_decade=5)), until=40)
    found = displacement(run, 4.0, group="J1")
    assert (np.diff(found.value.mean(1)) > 0).mean() > 0.7
    assert run.measured["r2"].shape == (*run.loss.shape, 2)
    np.testing.assert_array_equal(run.measured["energy"], np.rint(run.loss * 4 * 32 * 8))


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [1, 32])
def test_layers_in_the_middle_know_least_of_the_teacher_or_the_last_ones_where_data_are_few(alpha):
    """N = 10, L = 10 (Yoshino's simulation): r^2(l) is a U at alpha = 32, and dies out from the input at alpha = 1."""
    profiles = []
    for disorder in range(20):
        students = DeepPerceptron(depth=10, width=10, alpha=alpha, n_replicas=2, disorder=disorder)
        students.step(1, 1000)
        profiles.append([students.teacher_overlaps(test=test).mean(0) for test in (False, True)])
    mean = np.mean(profiles, 0)
    error = np.std(profiles, 0, ddof=1) / np.sqrt(len(profiles))
    middle = slice(3, 6)  # l = 4 .. 6
    for patterns in (0, 1) if alpha == 32 else ():
        highest = mean[patterns, middle].max()
        for end in (0, 8, 9):
            assert mean[patterns, end] - highest > 3 * error[patterns, end]
    if alpha == 1:
        assert (np.diff(mean[1]) < 3 * error[1, 1:]).all()
        assert mean[1, 0] > 0.4
        assert mean[1, 9] < 0.1
