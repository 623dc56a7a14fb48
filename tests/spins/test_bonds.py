"""Bonds between layers, what is known of them in closed form, and what is refused."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spin_systems import drawn, ferromagnet, hidden, recurrent, weak

from classical.orthogonal import random_orthogonal
from classical.spins import (
    Bonds,
    chain,
    first_spacing,
    free_energy,
    gap_ratio,
    ground_susceptibility,
    hessian,
    least_eigenvalue,
    linear_tap,
    log_determinant,
    melting_temperature,
    onsager_term,
    outside_bulk,
    random_bonds,
    solutions,
    spectrum,
    static_susceptibility,
    thermal_susceptibility,
    transition_temperature,
    transverse_melting,
)
from encoding import InputError

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


@pytest.mark.parametrize("n_layers", [2, 3, 6, 50])
@pytest.mark.parametrize("variance", [0.3, 1.0, 2.0])
def test_equal_layers_melt_at_the_temperature_of_equation_17(n_layers, variance):
    wanted = np.sqrt(2 * variance * np.cos(np.pi / (n_layers + 1)))
    assert abs(transition_temperature([31] * n_layers, variance) - wanted) < 1e-12


def test_the_network_of_the_paper_melts_at_1_757516_and_not_as_equal_layers_would():
    sizes = [784, 512, 512, 512, 10]
    assert abs(transition_temperature(sizes, 2.0) - 1.757516) < 1e-6
    assert abs(transition_temperature(sizes, 1.0) - 1.242751) < 1e-6
    assert abs(transition_temperature([512] * 5, 2.0) - 1.861) < 1e-3


@settings(max_examples=30, deadline=None)
@given(sizes=SIZES, variance=st.floats(0.1, 5))
def test_the_hessian_loses_its_positivity_exactly_at_the_transition(sizes, variance):
    t = transition_temperature(sizes, variance)
    at, above = (np.linalg.eigvalsh(hessian(sizes, variance, beta))[0] for beta in (1 / t, 0.999 / t))
    assert abs(at) < 1e-10 * max(sizes)
    assert above > 0


def test_one_bond_between_two_layers_is_a_matrix_of_two_spins():
    j, beta = 3.0, 0.4
    pair = chain([[[j]]])
    own, across = 1 + (beta * j) ** 2, -beta * j
    np.testing.assert_allclose(linear_tap(pair, beta), [[own, across], [across, own]])
    assert spectrum(pair).tolist() == [-j, j]
    # 1 - j beta + j^2 beta^2 has no zero: its minimum is 3/4 at beta = 1/(2 j)
    found = melting_temperature(pair)
    assert not found.melts
    np.testing.assert_allclose([found.temperature, found.least], [2 * j, 0.75], rtol=1e-9)


def test_a_ferromagnet_of_equal_bonds_melts_at_the_root_of_its_parabola():
    n, j, alike = 40, 0.1, ferromagnet()  # of its uniform mode a = (n-1) j, b = (n-1) j^2
    a, b = (n - 1) * j, (n - 1) * j**2
    found = melting_temperature(alike)
    assert found.melts
    assert abs(found.temperature - 1 / ((a - np.sqrt(a**2 - 4 * b)) / (2 * b))) < 1e-12
    np.testing.assert_allclose(found.mode, 1 / np.sqrt(n), rtol=1e-9)


def test_haar_bonds_have_the_rotational_onsager_term_of_their_r_transform_and_no_glass():
    bonds = Bonds({(0, 0): (lambda m: m + m.T - np.diag(np.diag(m + m.T)))(random_orthogonal(drawn(0), 400))})
    for beta in (0.3, 0.7, 1.2):
        wanted = np.sqrt(1 + 4 * beta**2)  # 1 + beta R(beta), R = (sqrt(1 + 4 beta^2) - 1)/beta
        np.testing.assert_allclose(onsager_term(bonds, beta, "rotational"), wanted, rtol=0.01)
        assert least_eigenvalue(bonds, beta, onsager="rotational") > 0.5 * (wanted - 2 * beta)
    sk = melting_temperature(bonds)  # 1 - 2 beta + 2 beta^2, which these bonds do not have
    np.testing.assert_allclose([sk.temperature, sk.least], [2, 0.5], rtol=0.07)  # of 400 spins: D scatters
    falling = [least_eigenvalue(bonds, beta, onsager="rotational") for beta in (0.3, 0.5, 0.7)]
    assert falling == sorted(falling, reverse=True)


def test_independent_bonds_have_the_same_onsager_term_by_both_rules():
    n = 600
    glass = Bonds({(0, 0): (lambda x: (x + x.T) / np.sqrt(2 * n) * (1 - np.eye(n)))(drawn(1).standard_normal((n, n)))})
    for beta in (0.3, 0.7):
        sk, rotational = (onsager_term(glass, beta, kind).mean() for kind in ("sk", "rotational"))
        assert abs(sk - (1 + beta**2)) < 0.01
        assert abs(rotational - sk) < 0.01


@pytest.mark.parametrize("beta", [0.3, 1.0, 5.0])
def test_in_many_layers_a_free_spin_answers_as_a_spin_does(beta):
    bonds = random_bonds([30, 25, 20], 2.0, seed=1)
    e = onsager_term(bonds, beta, "rotational")
    inverse = np.linalg.inv(np.diag(e) - beta * bonds.dense())
    for place in bonds.places:
        assert abs(np.diagonal(inverse)[place].mean() - 1) < 1e-9
        assert np.ptp(e[place]) < 1e-12
    assert np.linalg.eigvalsh(linear_tap(bonds, beta, kind="rotational"))[0] > 0


# Blocks against the whole matrix


def test_blocks_do_what_the_whole_matrix_does():
    bonds = Bonds(recurrent(drawn(2)))
    whole, v = bonds.dense(), drawn(3).standard_normal((5, bonds.n_spins))
    assert (whole == whole.T).all()
    np.testing.assert_allclose(bonds.apply(v), v @ whole, atol=1e-12)
    np.testing.assert_allclose(bonds.squares, (whole**2).sum(1), atol=1e-12)
    np.testing.assert_array_equal(bonds.squared().dense(), whole**2)
    assert bonds.sides is None
    assert not bonds.is_chain


def test_two_sides_are_told_from_odd_rings_of_layers():
    blocks = recurrent(drawn(2))
    ring = {pair: blocks[pair] for pair in ((0, 1), (1, 2), (2, 3), (0, 3))}
    np.testing.assert_array_equal(Bonds(ring).sides, [False, True, False, True])
    triangle = {(0, 1): np.ones((2, 3)), (1, 2): np.ones((3, 4)), (0, 2): np.ones((2, 4))}
    assert Bonds(triangle).sides is None
    assert Bonds({(0, 1): np.ones((2, 3)), (2, 3): np.ones((2, 3))}).sides is None  # in two pieces


def test_many_systems_are_each_by_itself():
    many = random_bonds([6, 5, 4], 2.0, seed=4, n_systems=3)
    assert many.shape == (3,)
    found = melting_temperature(many)
    for which in range(3):
        alone = melting_temperature(many.one(which))
        assert alone.temperature == found.temperature[which]
        np.testing.assert_array_equal(alone.mode, found.mode[which])
    np.testing.assert_array_equal(
        random_bonds([6, 5, 4], 2.0, seed=4, n_systems=5).one(2).blocks[0, 1], many.blocks[0, 1][2]
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), sizes=SIZES, beta=st.floats(0, 3))
def test_the_determinant_by_layers_is_that_of_the_matrix(seed, sizes, beta):
    bonds = random_bonds(sizes, 1.5, seed=seed)
    matrix = linear_tap(bonds, beta)
    found = log_determinant(bonds, beta)
    if np.linalg.eigvalsh(matrix)[0] > 1e-6:
        assert abs(found - np.linalg.slogdet(matrix)[1]) < 1e-10
    elif np.linalg.eigvalsh(matrix)[0] < -1e-6:
        assert found == -np.inf


MANY = Bonds({(0, 1): np.ones((2, 2, 3))})


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: Bonds({}), "bonds are blocks by pairs of layers"),
        (lambda: Bonds({(1, 0): [[1.0]]}), r"named by its layers \(a, b\), 0 <= a <= b; got \(1, 0\)"),
        (lambda: Bonds({(0, 1): [1.0]}), r"block \(0, 1\) is of shape"),
        (lambda: Bonds({(0, 1): [[np.nan]]}), "not finite: did the run diverge"),
        (lambda: Bonds({(0, 1): [["a"]]}), "a matrix of real numbers"),
        (lambda: Bonds({(0, 1): np.ma.masked_equal([[1.0, 2.0]], 1.0)}), "entries that are masked: fill them"),
        (lambda: Bonds({(0, 1): [[1e308]]}), r"bonds are at most 1e\+305; got 1e\+308 in block \(0, 1\): divide all"),
        (lambda: MANY.one(None), r"one for each of the axes \(2,\); got None"),
        (lambda: MANY.one(True), r"one for each of the axes \(2,\); got True"),
        (lambda: MANY.one(slice(1)), r"one for each of the axes \(2,\); got slice"),
        (lambda: MANY.one((0, 0)), r"one for each of the axes \(2,\); got \(0, 0\)"),
        (
            lambda: MANY.apply([[1.0], [1.0, 2.0]]),
            r"spins are numbers, of shape \(..., 5\); got \[\[1.0\], \[1.0, 2.0\]\]",
        ),
        (lambda: Bonds({(0, 2): [[1.0]]}), r"numbered 0, 1, ... and each has bonds; got \[0, 2\]"),
        (lambda: Bonds({(0, 0): [[0.0, 1.0], [2.0, 0.0]]}), r"symmetric; these are not: take M \+ M\^T"),
        (lambda: Bonds({(0, 0): np.ones((2, 2))}), "no spin of layer 0 is bound to itself"),
        (lambda: Bonds({(0, 0): np.ones((2, 3))}), "layer 0 has 2 spins in one block and 3 in another"),
        (lambda: chain([np.ones((2, 3)), np.ones((4, 2))]), "layer 1 has 3 spins in one block and 4 in another"),
        (lambda: Bonds({(0, 1): np.ones((2, 2, 2)), (1, 2): np.ones((3, 2, 2))}), "of as many systems each"),
        (lambda: chain([]), "weights are a list of matrices"),
        (lambda: melting_temperature(cast(Any, np.eye(2))), "bonds are made by Bonds or chain"),
        (lambda: melting_temperature(chain([np.zeros((2, 2))])), "nothing melts"),
        (lambda: transition_temperature([5]), "two layers or more"),
        (lambda: transition_temperature([5, 0]), "the size of a layer is a whole number of at least 1; got 0"),
        (lambda: transition_temperature([5, 5], [1.0, 2.0]), "2 layers have 1 variances C; got 2"),
        (lambda: transition_temperature([5, 5], -1.0), "a variance C is a finite number above 0; got -1"),
        (lambda: log_determinant(Bonds(recurrent(drawn(0))), 1.0), "along a chain of layers"),
        (lambda: onsager_term(chain([[[1.0]]]), 1.0, "tap"), "one of sk, rotational; got 'tap'"),
        (lambda: least_eigenvalue(random_bonds([3, 2], n_systems=2), 1.0), "one system at a time"),
        (lambda: free_energy(chain([[[1.0]]]), [2.0, 0.0], 1.0), "from -1 to 1"),
        (lambda: solutions(chain([[[1.0]]]), 0.0), "temperature is a finite number above 0; got 0"),
        (lambda: first_spacing([1.0, 0.0, 2.0]), "levels ascend"),
        (lambda: gap_ratio(spectrum(random_bonds([300, 100]))), "levels of the middle are the same to rounding"),
        (lambda: first_spacing(spectrum(random_bonds([300, 50]))), "half of the levels are the same to rounding"),
        (lambda: first_spacing([0.0, 1.0, 1.0, 1.0, 1.0]), "half of the levels are the same to rounding"),
        (lambda: outside_bulk(np.zeros((3, 3))), "not all 0"),
        (lambda: thermal_susceptibility(random_bonds([6, 6]), 1.0, 1.0), "at most 11 spins; got 12"),
        (lambda: ground_susceptibility(weak(0.1), 0.0), "field is a finite number above 0"),
        (lambda: static_susceptibility(ferromagnet(), 1.0, 0.1), "there is no paramagnet at beta = 1"),
        (lambda: transverse_melting(0.0, 1.0), "temperature is a finite number above 0"),
        (lambda: static_susceptibility(hidden(40), 1 / 5.5, 0.0), "there is no paramagnet"),
        (lambda: outside_bulk(np.ones((20, 20))), "no bulk"),
        (lambda: Bonds({(0, 1): np.ones((2, 2)) * 1j}), "a matrix of real numbers"),
        (lambda: Bonds({(0, 1): [["1", "2"]]}), "a matrix of real numbers"),
        (lambda: Bonds({(0, 1): [[10**400]]}), "a matrix of real numbers"),
        (lambda: Bonds({(False, True): [[1.0]]}), "named by its layers"),
        (lambda: random_bonds([2, 2], n_systems=3).one(7), r"one for each of the axes \(3,\); got 7"),
        (lambda: chain([[[1.0]]]).apply([1.0, 2.0, 3.0]), r"spins are numbers, of shape \(..., 2\)"),
        (lambda: first_spacing(["a", "b", "c"]), "real numbers are wanted here"),
        (lambda: gap_ratio(cast(Any, [[1, 2], [1]])), "real numbers are wanted here"),
        (lambda: solutions(chain([[[1.0]]]), 1.0, tolerance=1.0), "tolerance is a finite number of at most 0.01"),
        (lambda: least_eigenvalue(chain([[[1.0]]]), 1e200), r"beta is a finite number of at most 1e\+100"),
        (lambda: hessian([3, 4], 1.0, 1e200), r"beta is a finite number of at most 1e\+100"),
        (lambda: linear_tap(chain([[[1e200]]]), 0.5), r"J and beta J are at most 1e\+100; got beta = 0.5, J = 1e\+200"),
        (lambda: log_determinant(chain([[[1e200]]]), 0.5), r"J and beta J are at most 1e\+100"),
        (lambda: least_eigenvalue(chain([[[1e200]]]), 0.5), r"J and beta J are at most 1e\+100"),
        (lambda: static_susceptibility(chain([[[1e200]]]), 0.5, 0.0), r"J and beta J are at most 1e\+100"),
        (lambda: thermal_susceptibility(chain([[[1e200]]]), 0.5, 0.0), r"J and beta J are at most 1e\+100"),
        (lambda: solutions(chain([[[1.0]]]), 1e-160), "beta"),
        (lambda: free_energy(chain([[[1.0]]]), [0.0, 0.0], 1e-160), "beta"),
        (lambda: linear_tap(chain([np.ones((200000, 1))]), 0.1), "dense bonds of 200001 spins"),
        (lambda: log_determinant(chain([np.ones((200000, 1))]), 0.1), "blocks of 200000 spins"),
        (lambda: free_energy(chain([[[1.0]]]), np.ones(2) * 1j, 1.0), "magnetisations are numbers"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(ask, said):
    with pytest.raises(InputError, match=said) as refused:
        ask()
    assert "\n" not in str(refused.value)
