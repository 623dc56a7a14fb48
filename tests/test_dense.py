"""A ladder's matrix is the product of its exponentials, its slope in an angle half the matrix half a turn on."""

from typing import Any

import numpy as np
import pennylane as qp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from encoding import InputError
from quantum.dense import evolved, unitary, unitary_and_slopes
from quantum.ladder import Ladder

PAULIS = {"1": np.eye(2), "X": np.array([[0, 1], [1, 0]]), "Z": np.diag([1, -1])}

ladders = st.builds(
    Ladder,
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["ring", "chain", "all-to-all"]),
    st.booleans(),
    st.sampled_from(["XZX", "ZX"]),
)
seeds = st.integers(0, 2**32 - 1)


def drawn(ladder, seed, *leading):
    return np.random.default_rng(seed).uniform(-7, 7, (*leading, ladder.n_angles))


def by_hand(ladder, angles):
    """exp(-i theta/2 P), P a product of Pauli matrices written out with the Kronecker product."""
    product = np.eye(2**ladder.n_qubits)
    for name, qubits, place in ladder.gates():
        pauli = np.eye(1)
        for qubit in range(ladder.n_qubits):
            pauli = np.kron(pauli, PAULIS[name[1] if qubit in qubits else "1"])
        product = expm(-0.5j * angles[place] * pauli) @ product
    return product


@given(ladders, seeds)
@settings(max_examples=30)
def test_the_matrix_is_the_product_of_exponentials(ladder, seed):
    angles = drawn(ladder, seed)
    assert abs(unitary(ladder, angles) - by_hand(ladder, angles)).max() < 1e-13


@given(ladders, seeds)
@settings(max_examples=15)
def test_pennylane_says_the_same(ladder, seed):
    angles = drawn(ladder, seed)
    gate = {"RX": qp.RX, "RZ": qp.RZ, "RZZ": qp.IsingZZ}
    first_to_last = [gate[name](angles[place], list(qubits)) for name, qubits, place in ladder.gates()]
    product: Any = qp.prod(*reversed(first_to_last))
    theirs = np.asarray(qp.matrix(product, wire_order=range(ladder.n_qubits)))
    assert abs(unitary(ladder, angles) - theirs).max() < 1e-13


@given(ladders, seeds)
@settings(max_examples=20)
def test_half_the_matrix_half_a_turn_on_is_the_slope(ladder, seed):
    """d exp(-i theta/2 P) / d theta = -i/2 P exp(-i theta/2 P) = exp(-i (theta + pi)/2 P) / 2, where P^2 = 1."""
    angles = drawn(ladder, seed)
    whole, slopes = unitary_and_slopes(ladder, angles)
    assert abs(whole - unitary(ladder, angles)).max() < 1e-13
    assert abs(slopes - unitary(ladder, angles + np.pi * np.eye(ladder.n_angles)) / 2).max() < 1e-13


@given(ladders, seeds, st.lists(st.integers(1, 3), max_size=2))
@settings(max_examples=20)
def test_a_batch_of_angles_is_one_after_the_other(ladder, seed, leading):
    angles = drawn(ladder, seed, *leading)
    whole, slopes = unitary_and_slopes(ladder, angles)
    assert slopes.shape == (*leading, ladder.n_angles, *whole.shape[-2:])
    for place in np.ndindex(*leading):
        one, its_slopes = unitary_and_slopes(ladder, angles[place])
        assert np.array_equal(unitary(ladder, angles)[place], one)
        assert abs(slopes[place] - its_slopes).max() < 1e-14


@given(ladders, seeds)
@settings(max_examples=20)
def test_states_evolve_by_the_matrix(ladder, seed):
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(3, 2**ladder.n_qubits)) + 1j * rng.normal(size=(3, 2**ladder.n_qubits))
    angles = drawn(ladder, seed)
    assert abs(evolved(ladder, angles, states) - states @ unitary(ladder, angles).T).max() < 1e-12
    several = evolved(ladder, drawn(ladder, seed, 2, 1), states)
    assert several.shape == (2, 3, 2**ladder.n_qubits)


def test_sixteen_qubits_still_turn():
    """RX(pi) on every qubit, and nothing else, flips them all: (-i)^16 = 1."""
    ladder = Ladder(16, 1, "chain")
    angles = np.zeros(ladder.n_angles)
    angles[: 3 * 16 : 3] = np.pi
    ground = np.eye(1, 2**16)[0]
    assert abs(evolved(ladder, angles, ground) - ground[::-1]).max() < 1e-15


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (lambda: evolved(Ladder(17), np.zeros(68), np.zeros(2**17)), "at most 16 qubits here; got 17"),
        (lambda: unitary(Ladder(17), np.zeros(68)), "256.0 GiB"),
        (lambda: unitary(Ladder(13), np.zeros(52)), "13 qubits would take 1.0 GiB"),
        (lambda: unitary(Ladder(8), np.zeros((600, 32))), "0.6 GiB"),
        (lambda: unitary_and_slopes(Ladder(10, 1), np.zeros(40)), "40 slopes of a unitary of 10 qubits"),
        (lambda: unitary(Ladder(2), np.zeros(8)), r"shape \(..., 7\); got \(8,\)"),
        (lambda: unitary(Ladder(2), 1.0), r"shape \(..., 7\); got \(\)"),
        (lambda: unitary(Ladder(2), [np.nan] * 7), "finite real numbers"),
        (lambda: unitary(Ladder(2), [1j] * 7), "finite real numbers"),
        (lambda: unitary(Ladder(2), ["a"] * 7), "finite real numbers"),
        (lambda: unitary(Ladder(2), [[1], [1, 2]]), "finite real numbers"),
        (lambda: evolved(Ladder(2), np.zeros(7), np.zeros(8)), r"shape \(..., 4\); got \(8,\)"),
        (lambda: evolved(Ladder(2), np.zeros((2, 7)), np.zeros((3, 4))), "broadcast"),
    ],
)
def test_what_does_not_fit_is_refused(asked, says):
    with pytest.raises(InputError, match=says) as caught:
        asked()
    assert "\n" not in str(caught.value)
