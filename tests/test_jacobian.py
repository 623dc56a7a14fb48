"""Slopes of the outputs in all that is learned: by differences along turns and angles, and by what a step does."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from classical import DeepRNN
from encoding import InputError
from quantum import QuantumRNN
from quantum.settings import CHOICES

LENGTHS = (6, 4, 2)
DOUBLE: dict[str, Any] = {"precision": "float64", "kernel": "plain"}
CORES = st.sampled_from([("J",), ("M",), ("J", "M"), ("J", "M", "K", "W", "h0"), ("M", "K"), ("W", "h0")])


def stirred(network, seed=0):
    """Every weight moved but the matrices that are kept orthogonal, or complex."""
    weights, rng = network.weights(), np.random.default_rng(seed)
    for name, group in network.layout().items():
        if name not in orthogonal(network) and not (name[0] == "J" and name != "J0"):
            weights[:, group.slice] += 0.4 * rng.standard_normal(weights[:, group.slice].shape)
    network.put(weights)
    return network


def orthogonal(network):
    if isinstance(network, QuantumRNN):
        return []
    return [name for name in network.layout() if network.settings.kept_orthogonal(name)]


def learned(network):
    if isinstance(network, DeepRNN):
        return [name for name in network.layout() if network.settings.learns(name)]
    parts = network.settings.learned
    return [name for name, group in network.layout().items() if ("angles" if group.period else name) in parts]


def generator(x, w):
    """sum_(i<j) x_ij (E_ij - E_ji) / sqrt 2."""
    a = np.zeros((w, w))
    a[np.triu_indices(w, 1)] = x / np.sqrt(2)
    return a - a.T


def unitary_generator(x, w):
    """X + iY of w^2 coordinates: X's pairs, Y's pairs, Y's diagonal; written as a real matrix."""
    n, pairs = w * (w - 1) // 2, np.triu_indices(w, 1)
    real, imaginary = np.zeros((w, w)), np.zeros((w, w))
    real[pairs], imaginary[pairs] = x[:n] / 2, x[n : 2 * n] / 2
    real, imaginary = real - real.T, imaginary + imaginary.T + np.diag(x[2 * n :]) / np.sqrt(2)
    return np.block([[real, -imaginary], [imaginary, real]])


def complex_step(x, shape):
    """Real entries, then imaginary ones, of a complex matrix, written as a real one."""
    real, imaginary = x.reshape(2, shape[0] // 2, shape[1] // 2) / np.sqrt(2)
    return np.block([[real, -imaginary], [imaginary, real]]).ravel()


def walked(network, x):
    """The weights from here along x, (R, n_coordinates): straight, and along the orthogonal group."""
    weights, place = network.weights(), 0
    for name in learned(network):
        group = network.layout()[name]
        w = group.shape[0]
        is_complex = isinstance(network, DeepRNN) and network.settings.is_complex(name)
        n = w * (w - 1) // 2 if name in orthogonal(network) else int(np.prod(group.shape))
        n = n if not is_complex else (w // 2) ** 2 if name in orthogonal(network) else n // 2
        for own, step in zip(weights, x[:, place : place + n], strict=True):
            if name in orthogonal(network):
                turn = unitary_generator(step, w // 2) if is_complex else generator(step, w)
                own[group.slice] = (own[group.slice].reshape(w, w) @ expm(turn)).ravel()
            else:
                own[group.slice] += complex_step(step, group.shape) if is_complex else step
        place += n
    assert place == x.shape[1]
    return weights


def assert_slopes_are_differences(network):
    found = network.jacobian()
    fields = network.outputs().reshape(network.n_replicas, -1)
    assert found.shape[:2] == fields.shape
    assert found.dtype == np.float64
    rng, step = np.random.default_rng(1), 1e-5
    for _ in range(3):
        x, sides = rng.standard_normal(found[:, 0].shape), []
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        for sign in (1, -1):
            twin = network.clone(0)
            twin.put(walked(network, sign * step * x))
            sides.append(twin.outputs().reshape(fields.shape))
        differences = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(np.einsum("rhx,rx->rh", found, x), differences, atol=1e-8)


@given(
    depth=st.integers(1, 3),
    width=st.integers(1, 5),
    boundary=st.sampled_from(["before", "published"]),
    feedforward=st.sampled_from(["free", "orthogonal"]),
    recurrent=st.sampled_from(["orthogonal", "unitary"]),
    learned=CORES,
)
@settings(max_examples=30)
def test_slopes_of_the_classical_network_are_differences(
    music, depth, width, boundary, feedforward, recurrent, learned
):
    width += learned == ("M",) and recurrent == "orthogonal" and width == 1  # O(1) cannot turn
    options: dict[str, Any] = {"boundary": boundary, "feedforward": feedforward, "learned": learned, **DOUBLE}
    options |= {"recurrent": recurrent, "readout_start": "random"}
    assert_slopes_are_differences(stirred(DeepRNN(music(*LENGTHS), depth=depth, width=width, n_replicas=2, **options)))


@given(
    schedule=st.sampled_from(CHOICES["schedule"]),
    n_history=st.integers(1, 3),
    n_layers=st.integers(1, 2),
    topology=st.sampled_from(CHOICES["topology"]),
    closing=st.booleans(),
    rotations=st.sampled_from(CHOICES["rotations"]),
    observables=st.sampled_from(["Z", "ZX"]),
    read=st.sampled_from(CHOICES["read"]),
    skip=st.booleans(),
    learned=st.sampled_from([("angles",), ("angles", "K", "W", "h0"), ("K",), ("angles", "h0")]),
)
@settings(max_examples=20)
def test_slopes_of_the_quantum_network_are_differences(music, schedule, read, **said):
    read = "data" if read == "all" and schedule != "measured" else read
    options: dict[str, Any] = {"schedule": schedule, "read": read, "readout_start": "random", **said, **DOUBLE}
    assert_slopes_are_differences(stirred(QuantumRNN(music(*LENGTHS), **options)))


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
def test_slopes_of_voices_on_two_qubits_are_differences(music, schedule):
    options: dict[str, Any] = {"encoding": "octave-phase", "n_history": 1, "n_layers": 1, "closing": True, **DOUBLE}
    assert_slopes_are_differences(stirred(QuantumRNN(music(*LENGTHS), schedule=schedule, **options)))


def networks(music, **said):
    options: dict[str, Any] = {"n_replicas": 2, **DOUBLE, **said}
    pieces = music(*LENGTHS)
    yield DeepRNN(pieces, depth=2, width=4, rule="exact", batch=None, **options)
    yield DeepRNN(pieces, depth=2, width=3, rule="exact", batch=None, feedforward="orthogonal", **options)
    for schedule in CHOICES["schedule"]:
        yield QuantumRNN(pieces, schedule=schedule, n_history=2, n_layers=2, skip=True, **options)


def pull(network):
    """dE/dH of the mean cost of a slot, in nats."""
    data = network._lesson.slots if isinstance(network, QuantumRNN) else network._packed
    fields, targets = network.outputs(), data.targets
    return ((np.tanh(fields) - targets) / fields.shape[1]).reshape(len(fields), -1)


def test_the_gradient_is_the_pull_of_the_outputs_through_the_slopes(music):
    """On turns of M: what the gradient of its entries does along M (E_ij - E_ji) / sqrt 2."""
    for network in networks(music):
        stirred(network)
        gradient, expected = network.gradient(), []
        for name in learned(network):
            group = network.layout()[name]
            own = gradient[:, group.slice]
            if name in orthogonal(network):
                w = group.shape[0]
                m = network.weights()[:, group.slice].reshape(-1, w, w)
                inside = m.mT @ own.reshape(m.shape)
                own = ((inside - inside.mT) / np.sqrt(2))[:, *np.triu_indices(w, 1)]
            expected.append(own)
        found = np.einsum("rhx,rh->rx", network.jacobian(), pull(network))
        np.testing.assert_allclose(found, np.concatenate(expected, 1), atol=1e-13)


def test_a_small_step_moves_the_outputs_by_the_tangent_kernel(music):
    """dH/dtau = - J J^T dE/dH: with the polar factor of every M, and the 1/n of the mean over slots."""
    for network in networks(music):
        stirred(network)
        j, before, eta = network.jacobian(), network.outputs(), 1e-6
        expected = -np.einsum("rhx,rx->rh", j, np.einsum("rhx,rh->rx", j, pull(network)))
        network.step(eta)
        found = ((network.outputs() - before) / eta).reshape(expected.shape)
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_slopes_are_in_double_precision_whatever_the_weights_are_kept_in(music):
    for single, double in zip(networks(music, precision="float32"), networks(music), strict=True):
        double.put(stirred(single).weights())
        assert single.weights().dtype == np.float32
        np.testing.assert_array_equal(single.jacobian(), double.jacobian())


def test_parts_of_the_directions_are_the_whole(music, monkeypatch):
    whole = [stirred(network).jacobian() for network in networks(music)]
    for room in ("classical", "quantum"):
        monkeypatch.setattr(f"{room}.jacobian.AT_ONCE", 40_000)
    for network, expected in zip(networks(music), whole, strict=True):
        np.testing.assert_allclose(stirred(network).jacobian(), expected, atol=1e-14)


def test_slopes_that_do_not_fit_are_refused_in_a_line(music, monkeypatch):
    made = list(networks(music))
    monkeypatch.setattr("encoding.memory._installed", lambda: 0.0)
    for network in made:
        with pytest.raises(InputError, match=r"^slopes of 486 outputs in \d+ coordinates need about .* GB of memory"):
            network.jacobian()
