"""What makes no network, no step and no state is refused in one line that says what was expected and what came."""

import re
from typing import Any

import numpy as np
import pytest

from classical import DeepRNN
from classical.settings import CHOICES
from encoding import InputError, memory

N_WEIGHTS = 54 * 3 + 9 + 54 * 3 + 54 * 54 + 54


@pytest.fixture
def network(music):
    network = DeepRNN(music(5, 4), depth=1, width=3, batch=4, n_replicas=2)
    network.step(0.02, 3)
    return network


def refusal(wrong, *given, **options):
    """The one line said about it."""
    with pytest.raises(InputError) as error:
        wrong(*given, **options)
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["other", None, 1, ["nll"]])
def test_a_setting_is_one_of_its_names(name, value, music):
    message = refusal(DeepRNN, music(5), depth=1, width=3, **{name: value})
    assert message == f"{name} is one of {', '.join(CHOICES[name])}; got {value!r}"


@pytest.mark.parametrize("name", ["depth", "width", "batch", "n_replicas"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "2", True, [2]])
def test_sizes_are_whole_numbers_of_at_least_one(name, value, music):
    message = refusal(DeepRNN, music(5), **({"depth": 1, "width": 3} | {name: value}))
    assert message.startswith(f"{name} is a whole number of at least 1")
    assert message.endswith(f"; got {value!r}")


@pytest.mark.parametrize("name", ["depth", "width", "n_replicas"])
def test_only_the_batch_may_be_none(name, music):
    assert "got None" in refusal(DeepRNN, music(5), **({"depth": 1, "width": 3} | {name: None}))
    DeepRNN(music(5), depth=1, width=3, batch=None)


@pytest.mark.parametrize("name", ["seed", "first_replica"])
@pytest.mark.parametrize("value", [-1, 1.5, "1", None, 2**63])
def test_seeds_and_replicas_are_counted_from_zero(name, value, music):
    message = refusal(DeepRNN, music(5), depth=1, width=3, **{name: value})
    assert message == f"{name} is a whole number of at least 0, below 2^63; got {value!r}"


@pytest.mark.parametrize(
    ("learned", "came"),
    [((), "nothing: it is empty"), (("Q",), "('Q',)"), (("M", "M0"), "('M', 'M0')"), ("h0", "'h0'")],
)
def test_what_is_learned_is_some_of_the_groups(learned, came, music):
    message = refusal(DeepRNN, music(5), depth=1, width=3, learned=learned)
    assert message == f"learned is a tuple of some of J, M, K, W, h0; got {came}"


def test_replacement_is_true_or_false(music):
    message = refusal(DeepRNN, music(5), depth=1, width=3, replacement="no")
    assert message == "replacement is True or False; got 'no'"


def test_a_batch_without_replacement_fits_into_the_music(music):
    DeepRNN(music(5, 4), depth=1, width=3, batch=7, replacement=False).step(0.02)
    message = refusal(DeepRNN, music(5, 4), depth=1, width=3, batch=8, replacement=False)
    assert message == "a batch without replacement has at most the 7 slots there are; got 8"


def test_there_is_music_to_learn():
    assert refusal(DeepRNN, [], depth=1, width=3) == "a network learns from at least one chorale; got none"


@pytest.mark.parametrize(
    ("rate", "n", "said"),
    [
        (-0.1, 1, "a rate is finite and not negative; got -0.1"),
        ([0.1, -2], 1, "a rate is finite and not negative; got -2.0"),
        ([np.inf, 0.1], 1, "a rate is finite and not negative; got inf"),
        (None, 1, "a rate is finite and not negative; got nan"),
        ([0.1] * 3, 1, "a rate is one number or 2, one a replica; got shape (3,)"),
        (np.ones((2, 1)), 1, "a rate is one number or 2, one a replica; got shape (2, 1)"),
        (np.full(100, -1), 1, "a rate is one number or 2, one a replica; got shape (100,)"),
        ("fast", 1, "a rate is one number or 2, one a replica; got fast"),
        (0.1, -1, "n is a whole number of steps, at least 0 and at most 2^31; got -1"),
        (0.1, 1.0, "n is a whole number of steps, at least 0 and at most 2^31; got 1.0"),
        (0.1, None, "n is a whole number of steps, at least 0 and at most 2^31; got None"),
    ],
)
def test_rates_are_finite_and_steps_are_counted(rate, n, said, network):
    before = network.weights()
    assert refusal(network.step, rate, n) == said
    assert np.array_equal(network.weights(), before)


def test_no_step_is_no_mistake(network):
    before = network.weights()
    assert network.step(0.1, 0).shape == (0, 2)
    assert np.array_equal(network.weights(), before)


@pytest.mark.parametrize("shape", [(N_WEIGHTS,), (1, N_WEIGHTS), (2, N_WEIGHTS - 1), (3, N_WEIGHTS), (2, N_WEIGHTS, 1)])
def test_weights_of_another_shape_are_refused(shape, network):
    message = refusal(network.put, np.zeros(shape))
    assert message == f"weights are finite, of shape (2, {N_WEIGHTS}); got shape {shape}"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])  # the last is too large for float32
def test_weights_that_are_not_finite_are_refused(bad, network):
    before = network.weights()
    weights = before.astype(float)
    weights[1, 5] = bad
    assert refusal(network.put, weights).endswith("with entries that are not finite in float32")
    assert np.array_equal(network.weights(), before)


@pytest.mark.parametrize("weights", ["loud", [[1.0], [1.0, 2.0]], {}])
def test_weights_that_are_no_numbers_are_refused(weights, network):
    message = refusal(network.put, weights)
    assert message == f"weights are numbers, of shape (2, {N_WEIGHTS}); got {type(weights).__name__}"


@pytest.mark.parametrize("name", ["step", "seed", "replica", "frozen", "weights", "past"])
def test_a_state_of_another_system_is_refused(name, network):
    before = network.state()
    whole = {key: array for key, array in before.items() if key != name}
    shorter, other = whole | {name: before[name][:1]}, whole | {name: before[name].astype("complex64")}
    for state, came in ((whole, "nothing"), (shorter, str(before[name][:1].shape)), (other, "complex64")):
        message = refusal(network.restore, state)
        assert re.search(rf"^state '{name}' is .* here; got .*{re.escape(came)}", message)
    assert all(np.array_equal(array, before[key]) for key, array in network.state().items())


def test_a_state_belongs_to_its_rule_width_and_precision(music, network):
    others: list[dict[str, Any]] = [
        {"rule": "exact"}, {"width": 4}, {"precision": "float64"}, {"n_replicas": 3}, {"depth": 2}
    ]  # fmt: skip
    for options in others:
        other = DeepRNN(music(5, 4), **{"depth": 1, "width": 3, "n_replicas": 2, **options})
        assert "another system's state?" in refusal(network.restore, other.state())


def test_a_state_belongs_to_its_settings_and_chorales(music):
    options = {"depth": 1, "width": 3, "rule": "exact"}
    state = DeepRNN(music(5, 4), **options).state()
    for other in (DeepRNN(music(5, 4), **options, cost="hinge"), DeepRNN(music(4, 5), **options)):
        assert "with other settings or other data" in refusal(other.restore, state)
    DeepRNN(music(5, 4), **options, kernel="plain").restore(state)  # what computes is no part of the question


def test_memory_that_a_group_or_a_limit_does_not_allow_is_refused(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("2000000\n")
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path / "max")
    monkeypatch.setattr(memory, "USED", tmp_path / "nothing")
    memory.check_room(2e6, "two megabytes")
    assert "this process may have 0.002 GB" in refusal(memory.check_room, 2.1e6, "more")
    (tmp_path / "max").write_text("max\n")  # as the kernel writes no limit
    memory.check_room(2.1e6, "more")
    monkeypatch.setattr("resource.getrlimit", lambda _: (10**6, 10**6))
    assert "this process may have 0.001 GB" in refusal(memory.check_room, 2e6, "more")


@pytest.mark.parametrize("too_much", [{"width": 10**9}, {"batch": 10**13}, {"n_replicas": 2**31}])
def test_what_cannot_fit_into_memory_is_refused_before_it_is_tried(too_much, music):
    message = refusal(DeepRNN, music(5), **{"depth": 1, "width": 3, **too_much})
    assert "GB of memory; this process may have" in message
