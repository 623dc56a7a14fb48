"""Clones part, and a field pulls, as in a harmonic trap at temperature T, where all is known.

w' = a w + sqrt(T/k (1 - a^2)) xi,     a = 1 - k eta,     <w^2> = T/k
C = T/k a^n,     D = 2 T/k (1 - a^n),     chi = (1 - a^n)/k
"""

import numpy as np
import pytest

from classical import DeepRNN, SphericalGlass
from encoding import InputError
from experiments.observables import collapse, fluctuation_dissipation, short_time_exponent
from experiments.twins import clone_test, response

STIFFNESS, HEAT, RATE = 0.5, 2.0, 0.04
A = 1 - STIFFNESS * RATE
LAGS = [0, 0.04, 0.4, 2.0, 4.0, 8.0]  # of the first nothing is to be seen
STEPS = np.array([1, 10, 50, 100, 200])


@pytest.fixture
def trap(machine):
    """Replicas in equilibrium: `trap(n_replicas, n_weights)`."""

    def make(n_replicas=3, n_weights=4000, heat=HEAT, seed=1):
        width = np.sqrt(heat / STIFFNESS)
        start = width * np.random.default_rng(seed).standard_normal((n_replicas, n_weights))
        kick = width * np.sqrt(1 - A**2)
        return machine(start, gradient=lambda w: STIFFNESS * w, kick=lambda rate: kick, seed=7)

    return make


def test_clones_part_as_two_walks_in_a_trap_do(trap):
    found = clone_test(trap(), RATE, lags=LAGS, n_clones=3)
    assert found.overlap.lag == pytest.approx(STEPS * RATE)
    assert found.displacement.lag == pytest.approx(STEPS * RATE)
    parted = 1 - A ** (2 * STEPS[:, None])
    error = 5 * np.sqrt(2 / 4000)
    assert (
        np.abs(found.displacement.value - 2 * HEAT / STIFFNESS * parted) <= error * parted * 2 * HEAT / STIFFNESS
    ).all()
    assert (np.abs(found.overlap.value - (1 - parted)) <= error * np.sqrt(parted) + 1e-12).all()


def test_clones_without_noise_stay_one(music):
    full = DeepRNN(music(6), depth=1, width=3, n_replicas=2, batch=None, kernel="plain")
    for system in (SphericalGlass(n_spins=6, n_replicas=2), full):
        found = clone_test(system, 0.05, lags=[0.05, 0.5])
        assert found.overlap.value == pytest.approx(np.ones((2, 2)))
        assert not found.displacement.value.any()


def test_clones_of_a_network_part_by_their_batches_alone_and_it_does_not_move(music):
    network = DeepRNN(music(6, 9), depth=2, width=3, n_replicas=2, batch=3, kernel="plain")
    network.step(0.05, 5)
    before = network.state()
    found = clone_test(network, 0.05, lags=[0.25, 0.5])
    np.testing.assert_equal(network.state(), before)
    assert (np.diff(found.displacement.value, axis=0, prepend=0) > 0).all()
    again = clone_test(network, 0.05, lags=[0.5], seed=1)
    assert (again.displacement.value != found.displacement.value[-1]).all()


def test_a_machine_that_froze_has_no_overlap_from_then_on(music):
    network = DeepRNN(music(6, 9), depth=1, width=3, n_replicas=2, batch=3, kernel="plain")
    frozen = network.state()["frozen"]
    frozen[0] = 0
    network.restore(network.state() | {"frozen": frozen})
    assert np.isnan(clone_test(network, 0.1, lags=[0.1, 0.2]).overlap.value).tolist() == [[True, False]] * 2
    assert np.isnan(response(network, 0.1, field=0.1, lags=[0.1, 0.2]).response.value).tolist() == [[True, False]] * 2


def test_the_response_of_a_trap_is_that_of_a_spring_whatever_the_noise(trap):
    found = response(trap(), RATE, field=1e-3, lags=LAGS)
    chi = (1 - A ** STEPS[:, None]) / STIFFNESS
    assert found.response.lag == pytest.approx(STEPS * RATE)
    assert found.response.value == pytest.approx(np.broadcast_to(chi, (5, 3)), rel=1e-9, abs=1e-12)
    error = 5 * np.sqrt(2 / 4000) * HEAT / STIFFNESS
    assert np.abs(found.start - HEAT / STIFFNESS).max() <= error
    assert np.abs(found.correlation.value - HEAT / STIFFNESS * A ** STEPS[:, None]).max() <= error
    assert np.abs(found.displacement.value - 2 * HEAT * chi).max() <= 2 * error


def test_a_trap_in_equilibrium_obeys_the_fluctuation_dissipation_theorem(trap):
    found = response(trap(n_replicas=8, n_weights=500), RATE, field=1e-3, lags=np.arange(10) / 2)
    held = fluctuation_dissipation(found.response, found.displacement, HEAT)
    assert held.holds(1)
    assert held.high - held.low < 0.2
    assert not fluctuation_dissipation(found.response, found.displacement, 2 * HEAT).holds(1)


def test_twins_are_curves_of_two_times_with_errors_over_replicas(trap):
    """In equilibrium the overlap of clones does not know of tau_w: one function of tau, and none of tau / tau_w."""
    lags = np.geomspace(0.08, 4, 8)
    clones = [clone_test(trap(4, 300, seed=seed), RATE, lags=lags, waiting=2.0**seed, seed=seed) for seed in (1, 2, 3)]
    mean, error = clones[0].displacement.mean()
    truth = 2 * HEAT / STIFFNESS * (1 - np.exp(-2 * STIFFNESS * clones[0].displacement.lag))
    assert (np.abs(mean - truth) < 6 * error + 0.05 * truth).all()
    found = collapse([each.displacement for each in clones])
    assert found.lag.spread < 0.1 < found.ratio.spread
    pulled = response(trap(4, 300), RATE, field=1e-3, lags=lags, waiting=100)
    assert short_time_exponent(pulled.response).best == pytest.approx(1, abs=0.2)
    unsaid = response(trap(2, 10), RATE, field=1e-3, lags=lags)
    with pytest.raises(InputError, match="waiting time above 0; got nan: say it"):
        short_time_exponent(unsaid.response)


def test_the_twin_without_a_field_goes_where_the_system_itself_would(trap):
    system = trap(2, 10)
    found, start = response(system, RATE, field=1e-3, lags=[0.4]), system.weights()
    system.step(RATE, 10)
    assert found.displacement.value[0] == pytest.approx(np.mean((system.weights() - start) ** 2, 1), rel=1e-12)


def test_chunks_of_steps_are_pulled_once_each(trap):
    found = response(trap(1, 10), RATE, field=1e-3, lags=[5 * RATE], chunk=2)
    assert found.response.value[0] == pytest.approx(RATE * (2 * A**3 + 2 * A + 1), rel=1e-9)


@pytest.mark.parametrize("rule", ["delayed", "exact"])
def test_after_one_step_of_a_network_the_response_is_the_rate(rule, music):
    options = {"depth": 2, "width": 3, "n_replicas": 2, "batch": 4, "precision": "float64"}
    network = DeepRNN(music(6, 9), rule=rule, **options)
    network.step(0.05, 3)
    before = network.state()
    found = response(network, 0.05, field=1e-4, lags=[0, 0.05, 0.1])
    np.testing.assert_equal(network.state(), before)
    assert found.response.value[0] == pytest.approx([0.05, 0.05], abs=1e-9)
    assert (found.response.value[1] > 0.05).all()


def test_a_field_leaves_the_errors_that_the_delayed_rule_remembers(music):
    """With a vanishing field both twins take the same path, to rounding; if one forgot, it would not."""
    network = DeepRNN(music(6, 9), depth=2, width=3, batch=None, rule="delayed", precision="float64")
    network.step(0.05, 5)
    found = response(network, 0.05, field=1e-6, lags=[0.05, 0.5, 1.0], groups=["W", "h0"])
    assert np.abs(found.response.value - found.response.lag[:, None]).max() < 0.2
    assert found.response.group == "W+h0"


def test_the_field_acts_on_the_chosen_groups_only(music):
    """Of what is not learned nothing resists: it follows the field, w = h tau, and chi = tau."""
    network = DeepRNN(music(6), depth=1, width=3, batch=None, learned=("h0",), precision="float64")
    kept = response(network, 0.05, field=1e-3, lags=[0.5], groups=["K"])
    assert kept.response.value == pytest.approx(np.array([[0.5]]))
    assert not kept.displacement.value.any()
    learned = response(network, 0.05, field=1e-3, lags=[0.5], groups="h0")
    assert learned.displacement.value.all()
    assert 0 < learned.response.value[0, 0] < 0.5


def test_a_glass_is_pulled_by_put():
    found = response(SphericalGlass(n_spins=40, n_replicas=2), 0.01, field=1e-3, lags=[0.01])
    assert found.response.value == pytest.approx(
        np.full((1, 2), 0.01), rel=0.2
    )  # what is along the spins is taken back


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"rate": 0}, "rate is a finite number above 0; got 0"),
        ({"rate": [0.1, 0.1]}, "rate is a finite number above 0"),
        ({"lags": []}, "lags are numbers"),
        ({"lags": [-1]}, "lags are proper times of at least 0"),
        ({"lags": [0, 0.01]}, "at least one step of 0.1"),
        ({"lags": ["soon"]}, "lags are real numbers"),
        ({"waiting": -1}, "waiting is a finite number of at least 0"),
        ({"lags": [1e300]}, "at most 2.31 steps"),
        ({"seed": -1}, "seed is a whole number"),
    ],
)
def test_what_neither_can_do_is_refused(trap, said, match):
    given = {"rate": 0.1, "lags": [0.1]} | said
    with pytest.raises(InputError, match=match):
        clone_test(trap(2, 4), **given)
    with pytest.raises(InputError, match=match):
        response(trap(2, 4), field=0.1, **given)


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"field": 0.0}, "field is a finite number above 0"),
        ({"chunk": 0}, "chunk is a whole number of at least 1"),
        ({"groups": ["J"]}, r"groups are some of w; got \['J'\]"),
        ({"groups": []}, "got none"),
    ],
)
def test_a_field_that_is_none_is_refused(trap, said, match):
    with pytest.raises(InputError, match=match):
        response(trap(2, 4), 0.1, **({"field": 0.1, "lags": [0.1]} | said))


def test_no_clones_are_refused(trap):
    with pytest.raises(InputError, match="n_clones is a whole number of at least 1; got 0"):
        clone_test(trap(2, 4), 0.1, lags=[0.1], n_clones=0)
