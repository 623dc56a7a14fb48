"""What a network can be asked beyond its promises: outputs, activations, the gradient, the loss on other music."""

import numpy as np
import pytest

from classical import DeepRNN, SphericalGlass
from encoding import InputError
from experiments.abilities import ABILITIES, ability, signs, undisturbed

LENGTHS = (6, 9, 3)
NATS = 54 * np.log(2)


@pytest.fixture
def network(music):
    """Trained for a few steps, so that nothing vanishes: `network(rule="delayed", ...)`."""

    def make(**said):
        options = {"depth": 2, "width": 5, "n_replicas": 2, "precision": "float64", "batch": 6} | said
        made = DeepRNN(music(*LENGTHS), **options)
        made.step(0.05, 4)
        return made

    return make


@pytest.mark.parametrize("boundary", ["before", "published"])
@pytest.mark.parametrize("rule", ["delayed", "exact"])
def test_the_gradient_is_the_slope_of_the_loss_in_nats_whatever_the_rule(network, rule, boundary):
    made = network(rule=rule, boundary=boundary)
    w, gradient = made.weights(), made.gradient()
    for seed in range(3):
        v, step = signs(seed, w.shape), 1e-5
        slopes = []
        for side in (step, -step):
            made.put(w + side * v)
            slopes.append(made.loss() * NATS)
        assert (slopes[0] - slopes[1]) / (2 * step) == pytest.approx((gradient * v).sum(1), rel=1e-7, abs=1e-7)


def test_a_step_of_the_exact_rule_with_all_slots_goes_against_the_gradient(network):
    made = network(rule="exact", batch=None)
    before, gradient = made.weights(), made.gradient()
    made.step(0.01)
    free = np.concatenate([np.arange(900)[g.slice] for name, g in made.layout().items() if name in ("J0", "J1")])
    assert np.abs(gradient[:, free]).max() > 1e-3
    assert made.weights()[:, free] == pytest.approx(before[:, free] - 0.01 * gradient[:, free], abs=1e-15)


def test_what_is_not_learned_has_no_gradient(network):
    made = network(learned=("K", "h0"))
    gradient = made.gradient()
    assert all(gradient[:, group.slice].any() == (name in ("K", "h0")) for name, group in made.layout().items())


@pytest.mark.parametrize("kernel", ["graph", "plain"])
def test_every_kernel_is_asked_the_same_in_single_precision(network, kernel):
    single, double = network(kernel=kernel, precision="float32"), network()
    double.put(single.weights())
    for name in ("outputs", "activations", "gradient"):
        assert getattr(single, name)().dtype == np.float32
        assert getattr(single, name)() == pytest.approx(getattr(double, name)(), abs=1e-5)


def test_the_outputs_are_the_fields_that_the_loss_is_made_of(network, music):
    made = network()
    fields, targets = made.outputs(), made._packed.targets
    assert fields.shape == (2, 15, 54)
    assert np.logaddexp(0, -2 * targets * fields).mean((1, 2)) / np.log(2) == pytest.approx(made.loss())


def test_the_activations_are_those_of_every_layer_side_by_side(network, music):
    made = network()
    assert made.activations() == pytest.approx(np.concatenate(made.network().hidden(music(*LENGTHS)), -1))
    assert made.activations().shape == (2, 15, 10)


def test_the_loss_on_parts_of_the_music_is_the_loss_for_it_is_rescaled_as_the_whole(network, music):
    made, parts = network(), [[piece] for piece in music(*LENGTHS)]
    slots = [length - 1 for length in LENGTHS]
    mean = np.average([made.loss_on(part) for part in parts], axis=0, weights=slots)
    assert mean == pytest.approx(made.loss(), rel=1e-12)


def test_the_local_fields_of_a_glass_give_its_energy():
    glass = SphericalGlass(n_spins=6, n_replicas=2)
    energy = -(glass.outputs()[:, 0] * glass.weights()).sum(1) / 3
    assert energy == pytest.approx(6 * glass.loss())


def test_asking_changes_nothing(network, music):
    for made in (network(rule="delayed"), network(rule="exact", batch=None, kernel="graph"), SphericalGlass(n_spins=6)):
        before = made.state()
        for name in set(ABILITIES) & set(dir(made)):
            answer = getattr(made, name)(*([music(4)] if name == "loss_on" else []))
            for array in answer.values() if isinstance(answer, dict) else [answer]:
                assert len(array) == made.n_replicas
                array[...] = 0
        np.testing.assert_equal(made.state(), before)


def test_what_a_system_cannot_tell_is_refused_by_name():
    with pytest.raises(
        InputError, match=r"asks a system for gradient\(\), dE/dw .*; SphericalGlass has no such method"
    ):
        ability(SphericalGlass(n_spins=6), "gradient")


def test_a_system_is_left_as_it_was_bit_for_bit_even_by_what_fails(network):
    made = network(rule="delayed")
    before = made.state()
    with pytest.raises(InputError), undisturbed(made):
        made.put(made.step(0.1, 3))
    np.testing.assert_equal(made.state(), before)


def test_signs_are_balanced_and_a_function_of_their_seed():
    drawn = signs(3, (4, 2500))
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
    np.testing.assert_array_equal(signs(3, (2, 2500)), drawn[:2])
    assert (signs(4, (4, 2500)) != drawn).any()
    with pytest.raises(InputError, match="seed is a whole number"):
        signs(-1, (2, 2))
