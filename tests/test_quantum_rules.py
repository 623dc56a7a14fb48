"""How else a quantum network learns: Adam, sampled kets, shots, and the gradients that samplers can give."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import N_KEYS, Chorale, InputError
from quantum import QuantumRNN, aliases, backend_named

RNG = np.random.default_rng(5)
PITCHES = np.stack([RNG.integers(low, low + 8, 12) for low in (70, 62, 55, 45)], 1).astype(np.int16)
CHORALES = [Chorale(part, "drawn", "here", n) for n, part in enumerate(np.split(PITCHES, [5, 9]))]  # 5, 4 and 3 chords
SMALL: dict[str, Any] = {"schedule": "coherent", "n_history": 1, "n_layers": 1, "closing": True, "precision": "float64"}
SCHEDULES = ("measured", "coherent", "staggered")


def network(chorales=CHORALES, **said):
    made = QuantumRNN(chorales, **SMALL | said)
    weights = made.weights()
    made.put(weights + 0.3 * np.random.default_rng(0).standard_normal(weights.shape[1]))
    return made


def seen(made, what="features"):
    """What the shots of the next step show, (n_replicas, n_slots, ...)."""
    passes = [made._plain.now(made.weights(), r, sloped=False) for r in range(made.n_replicas)]
    return np.stack([getattr(one, what).numpy() for one in passes])


def slopes(made):
    """The gradient that the next step goes down, (n_replicas, n_weights)."""
    everything = np.arange(made._lesson.n_slots)
    return np.stack([made._plain.now(made.weights(), r).gradient(everything) for r in range(made.n_replicas)])


def test_adam_is_that_of_the_paper():
    made, like = network(optimizer="adam"), network()
    first, second = 0.0, 0.0
    for t in range(1, 6):
        like.put(made.weights())
        gradient = like.gradient()
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        expected = made.weights() - 0.01 * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        made.step(0.01)
        assert_allclose(made.weights(), expected, atol=1e-12)


def test_adam_goes_on_where_it_stopped_and_forgets_on_new_weights():
    made, again = network(optimizer="adam", n_replicas=2), network(optimizer="adam", n_replicas=2)
    made.step(0.01, 3)
    again.restore(made.state())
    made.step(0.01, 2)
    again.step(0.01, 2)
    np.testing.assert_array_equal(made.weights(), again.weights())
    made.put(made.weights())
    assert not made.state()["past"].any()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_shots_the_parameter_shift_rule_is_the_adjoint(schedule):
    shifted, exact = network(schedule=schedule, rule="parameter-shift"), network(schedule=schedule)
    assert_allclose(shifted.loss(), exact.loss(), atol=1e-12)
    assert_allclose(slopes(shifted), exact.gradient(), atol=1e-10)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_spsa_points_down_the_gradient_on_average(schedule):
    """SPSA's mean differs from the gradient by O(c^2), and scatters by the length of the gradient."""
    drawn, exact = network(schedule=schedule, rule="spsa", spsa_shift=0.01, spsa_pairs=800), network(schedule=schedule)
    wanted = exact.gradient()[0]
    found, n = slopes(drawn)[0], len(exact.gradient()[0])
    angles = slice(0, exact.layout()["K"].slice.start)
    assert_allclose(found[angles.stop :], wanted[angles.stop :], atol=1e-12)
    scatter = np.linalg.norm(wanted[angles]) / np.sqrt(800)
    assert np.abs(found[angles] - wanted[angles]).max() < 4.5 * scatter < np.abs(wanted[angles]).max()
    assert n == len(found)


@pytest.mark.parametrize("schedule", ["coherent", "staggered"])
@pytest.mark.parametrize("rule", ["parameter-shift", "spsa"])
def test_more_shots_come_nearer(schedule, rule):
    exact = network(schedule=schedule, n_replicas=6)
    off = []
    for shots in (20, 2000):
        made = network(schedule=schedule, rule=rule, shots=shots, n_replicas=6)
        features = seen(made) - exact.activations()
        off.append(np.sqrt((features**2).mean()))
        assert np.abs(features).max() > 0
    assert 5 < off[0] / off[1] < 20  # 10 for a hundred times as many


def test_what_is_drawn_is_a_function_of_seed_replica_and_step():
    made, like, other = (network(rule="spsa", shots=5, n_replicas=2, seed=seed) for seed in (1, 1, 2))
    assert_allclose(made.loss(), like.loss())
    assert (seen(made, "fields") == seen(like, "fields")).all()
    assert (seen(made, "fields") != seen(other, "fields")).any()
    before = made.loss()
    assert_allclose(made.step(0.0)[0], before)
    assert (made.loss() != before).all()  # the same weights, the draws of the next step
    like.step(0.0)
    assert_allclose(like.loss(), made.loss())


def test_one_shot_shows_outcomes_and_nothing_between():
    for schedule in SCHEDULES:
        assert set(np.unique(seen(network(schedule=schedule, rule="spsa", shots=1)))) == {-1.0, 1.0}


def test_shot_noise_falls_as_one_over_shots_and_stands_beside_that_of_the_batch():
    few = network(CHORALES[2:], rule="parameter-shift", shots=2, probes=40)
    many = network(CHORALES[2:], rule="parameter-shift", shots=16, probes=40)
    for made in (few, many):  # a faint readout: dE/df hardly depends on the shots, whose product with slopes adds 1/S^2
        weights = made.weights()
        weights[:, made.layout()["K"].slice.start :] *= 0.03
        made.put(weights)
    ratio = few.shot_noise()[0] / many.shot_noise()[0]
    assert_allclose(ratio[[0, 2]], 8, rtol=0.4)  # rotations and closing, 15 angles each
    batched = network(CHORALES[2:], rule="parameter-shift", shots=16, probes=30, batch=3)
    assert (batched.noise()[0] > 1.3 * batched.shot_noise()[0]).all()
    assert set(batched.measure_noise()) == {"shot_noise"}
    assert not few.measure_noise()  # noise() is that of the shots
    assert not network(batch=1).measure_noise()


def test_kets_learn_as_density_matrices_do():
    exact = network(n_history=2)
    sampled = network(n_history=2, trajectories=200, n_replicas=4)
    start = exact.weights()
    sampled.put(np.repeat(start, 4, 0))
    exact.step(0.05, 20)
    sampled.step(0.05, 20)
    moved = exact.weights() - start
    assert np.linalg.norm(sampled.weights().mean(0) - exact.weights()) < 0.15 * np.linalg.norm(moved)
    assert sampled.noise().max() > 0


@pytest.mark.parametrize(("schedule", "said"), [("measured", {}), ("coherent", {"trajectories": 2})])
def test_eight_qubits_of_history_can_be_had(schedule, said):
    made = QuantumRNN(CHORALES[2:], schedule=schedule, n_history=8, n_layers=1, **said)
    gradient = made.gradient()
    assert gradient.shape == (1, 48 + N_KEYS * 5)
    before = made.loss()
    made.step(0.5, 3)
    assert made.loss() < before
    with pytest.raises(InputError, match="exact simulation, up to 5 history qubits; got 8"):
        made.jacobian()


def test_what_a_step_takes_is_known_before_it_runs():
    assert network().plan() is None
    angles = 15 + 5 + 15
    plan = network(rule="parameter-shift", shots=10).plan()
    assert plan is not None
    assert plan == (3 * (1 + 2 * angles * 4), 1, 10 * plan.circuits)  # three pieces, four chords that are heard
    assert network(rule="spsa", shots=7, spsa_pairs=2).plan() == (3 + 3 * 4, 1, 7 * 15)
    assert network(rule="spsa", shots=7, learned=("K", "h0")).plan() == (3, 1, 21)  # no angle is shifted
    chords = network(rule="parameter-shift", shots=7, schedule="measured").plan()
    assert chords is not None
    assert chords.jobs == 4


class Counting(BaseSamplerV2):
    """Aer's, with jobs and circuits counted."""

    def __init__(self):
        self.sampler, self.jobs, self.circuits = backend_named("aer", seed=1), 0, 0

    def run(self, pubs, *, shots=None):
        asked = [SamplerPub.coerce(pub, shots) for pub in pubs]
        self.jobs += 1
        self.circuits += sum(pub.parameter_values.size for pub in asked)
        return self.sampler.run(asked)


@pytest.mark.parametrize("learned", [("angles", "K", "W", "h0"), ("K",)])
@pytest.mark.parametrize("rule", ["parameter-shift", "spsa"])
@pytest.mark.parametrize("schedule", ["measured", "coherent"])
def test_a_step_is_what_its_plan_says(schedule, rule, learned):
    counting = Counting()
    made = network(CHORALES[2:], schedule=schedule, rule=rule, shots=3, sampler=counting, learned=learned)
    made.step(0.1)
    plan = made.plan()
    assert plan is not None
    assert plan.jobs == (2 if schedule == "measured" else 1)
    assert plan[:2] == (counting.circuits, counting.jobs)


@pytest.mark.parametrize("rule", ["parameter-shift", "spsa"])
@pytest.mark.parametrize(("schedule", "observables"), [("measured", "ZX"), ("coherent", "ZX"), ("staggered", "Z")])
def test_the_loss_is_that_of_the_samples_that_the_next_step_draws(schedule, observables, rule):
    made = network(schedule=schedule, observables=observables, rule=rule, shots=5, n_replicas=2)
    for _ in range(2):
        before = made.loss()
        assert_allclose(made.step(0.05)[0], before, rtol=1e-14)


def test_a_network_before_other_chorales_is_the_same_network():
    made = network(n_replicas=2, skip=True, optimizer="adam")
    one = made.on(CHORALES[1:], replica=1)
    assert (one.weights() == made.weights()[1:]).all()
    assert_allclose(one.loss(), made.loss_on(CHORALES[1:])[1:])
    one.step(0.01)
    assert (one.weights() != made.weights()[1:]).any()
    with pytest.raises(InputError, match="replicas are 0 to 1; got 2"):
        made.on(CHORALES, replica=2)
    with pytest.raises(InputError, match="weights"):
        made.on(CHORALES, n_layers=2)


def test_notes_that_look_alike_are_said_once(caplog, monkeypatch):
    monkeypatch.setattr(aliases, "_said", set())
    for _ in range(2):
        network(encoding="compass")
    (said,) = caplog.records
    assert "encoding compass: " in said.getMessage()
    assert "pair(s) of notes look alike though they are not declared the same: " in said.getMessage()
    assert "`armonica audit compass` has the table" in said.getMessage()
    caplog.clear()
    network()
    assert not caplog.records


def test_what_is_measured_of_a_network_is_that_of_exact_averages():
    sampled, exact = network(rule="spsa", shots=5), network()
    assert_allclose(sampled.outputs(), exact.outputs(), atol=1e-12)
    assert_allclose(sampled.activations(), exact.activations(), atol=1e-12)
    assert_allclose(sampled.gradient(), exact.gradient(), atol=1e-11)
    assert_allclose(sampled.loss_on(CHORALES[:2]), exact.loss_on(CHORALES[:2]), atol=1e-12)
    assert (sampled.loss() != exact.loss()).all()


def test_a_compiled_kernel_that_cannot_make_it_is_refused():
    assert network(rule="spsa", shots=5).kernel == "plain"
    with pytest.raises(InputError, match="kernel fast makes exact averages of up to 5 history qubits"):
        network(rule="spsa", shots=5, kernel="fast")


@pytest.mark.parametrize("schedule", ["measured", "coherent"])
def test_it_learns_from_circuits_on_aer_as_from_our_own_shots(schedule):
    options: dict[str, Any] = {"schedule": schedule, "rule": "spsa", "shots": 2000, "spsa_pairs": 2}
    ours, exact = network(CHORALES[2:], **options), network(CHORALES[2:], schedule=schedule)
    aers = network(CHORALES[2:], sampler=backend_named("aer", seed=1), **options)
    assert np.abs(seen(aers) - exact.activations()).max() < 5 / np.sqrt(2000)
    assert (seen(aers) != seen(ours)).any()
    before = aers.loss()
    for made in (aers, ours):
        made.step(0.1, 15)
        assert made.loss() < before - 0.05
    assert aers.plan() == ours.plan()
    with pytest.raises(InputError, match="a sampler shows shots: say how many"):
        network(sampler=backend_named("aer"))
