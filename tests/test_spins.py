"""Bonds, where they melt, and what is known of both without our code."""

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from classical.orthogonal import random_orthogonal
from classical.spins import (
    Bonds,
    chain,
    first_spacing,
    free_energy,
    gap_ratio,
    ground_susceptibility,
    hessian,
    largest_eigenvalue,
    least_eigenvalue,
    linear_tap,
    log_determinant,
    marchenko_pastur,
    melting_temperature,
    onsager_term,
    outside_bulk,
    random_bonds,
    solutions,
    spectrum,
    static_susceptibility,
    tap_residual,
    thermal_susceptibility,
    transition_temperature,
    transverse_melting,
)
from classical.spins import melting as melting_module
from encoding import InputError

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


def drawn(seed):
    return np.random.default_rng(seed)


def recurrent(rng, width=6, inputs=4, outputs=3, scale=1.0):
    """Blocks of a recurrent network of two layers with a path from the inputs to the outputs."""
    within = [random_orthogonal(rng, width) for _ in range(2)]
    return {
        (0, 1): rng.standard_normal((inputs, width)) / 2,
        (1, 2): scale * random_orthogonal(rng, width),
        (1, 1): scale * hollow(within[0]),
        (2, 2): scale * hollow(within[1]),
        (2, 3): rng.standard_normal((width, outputs)) / 2,
        (0, 3): rng.standard_normal((inputs, outputs)) / 2,
    }


def hollow(m):
    """M + M^T without its diagonal."""
    return (m + m.T) * (1 - np.eye(len(m)))


def ferromagnet(n=40, j=0.1):
    return Bonds({(0, 0): j * (1 - np.eye(n))})


# What is known in closed form


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


# Melting, against a search over all beta


def searched(bonds):
    """First zero of the least eigenvalue over beta, or its minimum, by diagonalising at many beta."""
    j, d = bonds.dense(), bonds.squares

    def least(beta):
        return np.linalg.eigvalsh(np.eye(len(d)) - beta * j + beta**2 * np.diag(d))[0]

    betas = np.linspace(0.2, 4, 400) / np.linalg.eigvalsh(j)[-1]
    values = np.array([least(beta) for beta in betas])
    if (values < 0).any():
        first = int(np.argmax(values < 0))
        root: Any = brentq(least, betas[first - 1], betas[first], xtol=1e-14)
        return 1 / root, 0.0, True
    place = int(values.argmin())
    low: Any = minimize_scalar(
        least, bounds=(betas[place - 1], betas[place + 1]), method="bounded", options={"xatol": 1e-10}
    )
    return 1 / low.x, low.fun, False


def pulled(seed, strength, sizes=(14, 11, 9, 3)):
    """A random chain, and one direction in it pulled out of the bulk."""
    rng = drawn(seed)
    blocks = [
        block + strength * np.outer(*(v / np.linalg.norm(v) for v in (rng.standard_normal(n) for n in block.shape)))
        for block in random_bonds(list(sizes), 2.0, seed=seed).blocks.values()
    ]
    return chain(blocks)


CASES = {
    "glass": lambda: pulled(5, 0.0),
    "pulled": lambda: pulled(5, 6.0),
    "recurrent": lambda: Bonds(recurrent(drawn(6))),
    "strong recurrent": lambda: Bonds(recurrent(drawn(6)) | {(0, 1): 3 * np.ones((4, 6))}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("small", [0, 400], ids=["lanczos", "dense"])
def test_the_melting_temperature_is_where_a_search_over_all_temperatures_finds_it(case, small, monkeypatch):
    monkeypatch.setattr(melting_module, "SMALL", small)
    bonds = CASES[case]()
    t, least, melts = searched(bonds)
    found = melting_temperature(bonds)
    assert bool(found.melts) == melts
    assert abs(found.temperature - t) < 1e-7 * t if melts else abs(found.temperature - t) < 1e-3 * t
    assert abs(found.least - least) < 1e-8
    value = least_eigenvalue(bonds, 1 / float(found.temperature))
    assert abs(value - least) < 1e-6
    residual = linear_tap(bonds, 1 / float(found.temperature)) @ found.mode - value * found.mode
    assert np.abs(residual).max() < 1e-3


def test_both_cases_are_among_those_searched():
    melts = {case: searched(make())[2] for case, make in CASES.items()}
    assert melts["pulled"]
    assert not melts["glass"]


def hidden(n):
    """A strong layer that never melts, and a weak uniform one, far below, that does: two minima over beta."""
    rng = drawn(0)
    strong, between = 10 * rng.standard_normal((n, n)) / np.sqrt(n), 0.001 * rng.standard_normal((n, n))
    return chain([strong, between, 6 / n * np.ones((n, n))])


@pytest.mark.parametrize("n", [40, 150], ids=["dense", "lanczos"])
def test_a_melting_point_behind_a_minimum_of_the_eigenvalue_is_found(n):
    bonds = hidden(n)
    found = melting_temperature(bonds)
    assert found.melts
    t = float(found.temperature)
    assert abs(least_eigenvalue(bonds, 1 / t)) < 1e-9
    assert least_eigenvalue(bonds, 1.01 / t) < 0 < least_eigenvalue(bonds, 0.99 / t)
    assert min(least_eigenvalue(bonds, beta) for beta in np.linspace(0.02, 0.99 / t, 12)) > 0


def test_a_side_of_one_spin_is_a_side():
    rng = drawn(13)
    for bonds in (chain([rng.standard_normal((450, 1))]), chain([np.ones((300, 1)), np.ones((1, 300))])):
        d = bonds.squares
        v = np.linalg.eigh(linear_tap(bonds, 1 / float(melting_temperature(bonds).temperature)))[0][0]
        assert abs(v - melting_temperature(bonds).least) < 1e-9
        assert (d > 0).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e155, 1e300])
def test_bonds_whose_squares_are_no_numbers_melt_all_the_same(scale):
    block = drawn(14).standard_normal((20, 20)) + 1
    wanted = melting_temperature(chain([block])).temperature
    assert abs(melting_temperature(chain([scale * block])).temperature / scale / wanted - 1) < 1e-9


def test_the_largest_eigenvalue_of_many_spins_is_that_of_the_matrix():
    bonds = chain([drawn(15).standard_normal((250, 220))])
    assert abs(largest_eigenvalue(bonds) / np.linalg.svd(bonds.blocks[0, 1], compute_uv=False)[0] - 1) < 1e-9


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100))
def test_bonds_of_another_unit_melt_at_the_temperature_in_that_unit(seed, factor):
    bonds = pulled(seed, 4.0, sizes=(6, 5, 4))
    scaled = Bonds({pair: factor * block for pair, block in bonds.blocks.items()})
    one, other = melting_temperature(bonds), melting_temperature(scaled)
    assert abs(other.temperature / (factor * one.temperature) - 1) < 1e-5
    assert one.melts == other.melts


# The full equations


def test_the_gradient_of_the_free_energy_is_t_times_the_residual():
    bonds, t, h = Bonds(recurrent(drawn(7))), 1.3, 1e-6
    m = drawn(8).uniform(-0.9, 0.9, bonds.n_spins)
    steps = h * np.eye(bonds.n_spins)
    slope = (free_energy(bonds, m + steps, t) - free_energy(bonds, m - steps, t)) / (2 * h)
    np.testing.assert_allclose(slope, t * tap_residual(bonds, m, t), atol=1e-6)


def test_above_the_transition_only_the_paramagnet_solves_the_equations():
    bonds = pulled(9, 6.0)
    t = float(melting_temperature(bonds).temperature)
    found = solutions(bonds, 1.1 * t, n_starts=20)
    assert (len(found.m), found.paramagnet, found.lost) == (0, 20, 0)


def test_just_below_a_melting_point_of_hidden_order_there_is_one_pair_along_its_mode():
    bonds = pulled(9, 6.0)
    melt = melting_temperature(bonds)
    t = 0.97 * float(melt.temperature)
    found = solutions(bonds, t, n_starts=8)
    assert len(found.m) == 1
    assert found.reached[0] == 8 - found.paramagnet - found.lost
    assert np.abs(tap_residual(bonds, found.m[0], t)).max() < 1e-8
    assert found.energy[0] < free_energy(bonds, np.zeros(bonds.n_spins), t)
    assert abs(found.m[0] @ melt.mode) / np.linalg.norm(found.m[0]) > 0.95


def test_what_does_not_converge_is_counted_as_lost_and_not_as_a_solution():
    found = solutions(pulled(9, 6.0), 1.5, n_starts=7, most=2)
    assert (len(found.m), found.lost) == (0, 7)


def test_solutions_whose_spins_saturate_are_solutions():
    cold = solutions(ferromagnet(), 0.3, n_starts=16)
    assert len(cold.m) == 1
    assert cold.reached[0] + cold.paramagnet == 16
    np.testing.assert_allclose(np.abs(cold.m[0]), np.tanh(3.9 / 0.3), rtol=1e-12)  # the field is 39 x 0.1


def test_solutions_come_by_their_free_energy_and_each_once():
    two = Bonds({(0, 0): ferromagnet().blocks[0, 0], (1, 1): 0.1 * (1 - np.eye(30))})  # up-up and up-down: two pairs
    found = solutions(two, 1.5, n_starts=40)
    assert 3 <= len(found.m) <= 4  # and each alone, the other at 0, which chance may miss
    assert (np.diff(found.energy) >= -1e-9).all()
    assert found.reached.sum() + found.paramagnet + found.lost == 40
    assert (found.reached > 0).all()
    for one, energy in zip(found.m, found.energy, strict=True):
        assert abs(free_energy(two, one, 1.5) - energy) < 1e-9
        assert np.abs(tap_residual(two, one, 1.5)).max() < 1e-8


# Spectra


def test_the_levels_of_random_bonds_repel_each_other():
    levels = np.stack(
        [np.linalg.eigvalsh(linear_tap(random_bonds([150, 120, 90], 2.0, seed=s), 0.5)) for s in range(6)]
    )
    assert abs(gap_ratio(levels).mean() - 0.5307) < 0.015


def test_levels_that_know_nothing_of_each_other_have_a_gap_ratio_of_2_ln_2_minus_1():
    levels = np.sort(drawn(10).uniform(size=(40, 2000)))
    assert abs(gap_ratio(levels).mean() - (2 * np.log(2) - 1)) < 0.01
    assert abs(first_spacing(levels).mean() - 1 / np.log(2)) < 0.8  # mean over median of an exponential


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.5])
def test_the_marchenko_pastur_density_has_its_mass_and_mean(ratio):
    low, high = 1.7 * (1 - np.sqrt(ratio)) ** 2, 1.7 * (1 + np.sqrt(ratio)) ** 2
    angle = np.linspace(0, np.pi, 20001)
    x = (low + high) / 2 - (high - low) / 2 * np.cos(angle)
    dx = (high - low) / 2 * np.sin(angle)
    density = marchenko_pastur(x, ratio, 1.7)
    assert abs(np.trapezoid(density * dx, angle) - min(1, 1 / ratio)) < 1e-3
    assert abs(np.trapezoid(density * x * dx, angle) - 1.7) < 1e-3


@pytest.mark.parametrize("shape", [(300, 150), (150, 300)])
def test_a_random_block_has_no_tail_and_a_pulled_direction_is_one(shape):
    rng = drawn(11)
    block = rng.standard_normal(shape) * np.sqrt(2 / shape[0])
    quiet = outside_bulk(block)
    assert abs(quiet.variance - 2) < 0.1
    assert all(quiet.beyond < 1.05 * quiet.edge)
    u, v = (w / np.linalg.norm(w) for w in (rng.standard_normal(n) for n in shape))
    tail = outside_bulk(block + 8 * np.outer(u, v))
    assert (tail.beyond > 1.05 * tail.edge).sum() == 1
    assert abs(tail.variance / quiet.variance - 1) < 0.02


def test_units_without_bonds_have_no_part_in_the_bulk_and_the_largest_levels_come_first():
    rng = drawn(16)
    block = rng.standard_normal((200, 60)) * np.sqrt(1 / 200)
    padded = np.pad(block, ((0, 0), (0, 80)))
    assert abs(outside_bulk(padded).variance / outside_bulk(block).variance - 1) < 1e-9
    v = [w / np.linalg.norm(w) for w in rng.standard_normal((2, 200))]
    u = np.linalg.qr(rng.standard_normal((60, 2)))[0].T
    tail = outside_bulk(block + 4 * np.outer(v[0], u[0]) + 6 * np.outer(v[1], u[1])).beyond
    assert (np.diff(tail) < 0).all()
    assert len(tail) == 2


def test_gap_ratios_are_those_of_the_middle():
    crowded = np.concatenate([[0, 1e-9, 1.0], np.arange(2, 40.0), [40, 40 + 1e-9, 60]])  # odd ends, even middle
    assert gap_ratio(crowded) == 1


# Quantum spins


def weak(j, n=5):
    x = drawn(12).standard_normal((n, n))
    return Bonds({(0, 0): j * hollow(x)})


@pytest.mark.parametrize(("field", "order"), [(0.0, 3), (0.8, 2)])
def test_the_static_approximation_is_wrong_at_the_order_that_it_says(field, order):
    errors = []
    for j in (0.02, 0.01):
        bonds = weak(j)
        exact, told = thermal_susceptibility(bonds, 1.0, field), static_susceptibility(bonds, 1.0, field)
        errors.append(np.abs(np.linalg.inv(exact) - np.linalg.inv(told)).max())
    assert 0.75 * order < np.log2(errors[0] / errors[1]) < 1.35 * order


def test_without_a_field_the_static_approximation_is_the_classical_matrix():
    bonds = weak(0.1)
    np.testing.assert_allclose(static_susceptibility(bonds, 1.3, 0.0), 1.3 * np.linalg.inv(linear_tap(bonds, 1.3)))
    limit = static_susceptibility(bonds, 1.3, 1e-6)
    np.testing.assert_allclose(limit, static_susceptibility(bonds, 1.3, 0.0), rtol=1e-9)


def test_one_spin_answers_as_a_spin_in_a_field_does():
    bonds = Bonds({(0, 1): [[1e-14]]})
    assert abs(thermal_susceptibility(bonds, 0.7, 1.2)[0, 0] - np.tanh(0.84) / 1.2) < 1e-9
    assert abs(thermal_susceptibility(bonds, 0.7, 0.0)[0, 0] - 0.7) < 1e-9
    assert abs(ground_susceptibility(bonds, 1.2)[0, 0] - 1 / 1.2) < 1e-9


def test_the_ground_state_is_the_limit_of_low_temperatures():
    bonds = weak(0.2)
    np.testing.assert_allclose(ground_susceptibility(bonds, 1.0), thermal_susceptibility(bonds, 200.0, 1.0), rtol=1e-6)


def test_two_classical_spins_answer_by_hand():
    beta, j = 0.9, 0.6
    t = np.tanh(beta * j)
    found = thermal_susceptibility(Bonds({(0, 1): [[j]]}), beta, 0.0)
    np.testing.assert_allclose(found, beta * np.array([[1, t], [t, 1]]), rtol=1e-9)


def test_a_field_lowers_the_melting_temperature_to_zero():
    temperatures = [transverse_melting(1.7, gamma) for gamma in (0.0, 0.5, 1.0, 1.6, 1.7, 3.0)]
    assert temperatures[0] == 1.7
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[-2:] == [0.0, 0.0]
    t = transverse_melting(1.7, 1.0)
    assert abs(np.tanh(1 / t) - 1 / 1.7) < 1e-12


# Refused


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: Bonds({}), "bonds are blocks by pairs of layers"),
        (lambda: Bonds({(1, 0): [[1.0]]}), r"named by its layers \(a, b\), 0 <= a <= b; got \(1, 0\)"),
        (lambda: Bonds({(0, 1): [1.0]}), r"block \(0, 1\) is of shape"),
        (lambda: Bonds({(0, 1): [[np.nan]]}), "not finite: did the run diverge"),
        (lambda: Bonds({(0, 1): [["a"]]}), "a matrix of real numbers"),
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
        (lambda: random_bonds([2, 2], n_systems=3).one(7), r"there are \(3,\) systems; got the number 7"),
        (lambda: chain([[[1.0]]]).apply([1.0, 2.0, 3.0]), r"spins are numbers, of shape \(..., 2\)"),
        (lambda: first_spacing(["a", "b", "c"]), "real numbers are wanted here"),
        (lambda: gap_ratio(cast(Any, [[1, 2], [1]])), "real numbers are wanted here"),
        (lambda: solutions(chain([[[1.0]]]), 1.0, tolerance=1.0), "tolerance is a finite number of at most 0.01"),
        (lambda: least_eigenvalue(chain([[[1.0]]]), 1e200), r"beta is a finite number of at most 1e\+100"),
        (lambda: hessian([3, 4], 1.0, 1e200), r"beta is a finite number of at most 1e\+100"),
        (lambda: free_energy(chain([[[1.0]]]), np.ones(2) * 1j, 1.0), "magnetisations are numbers"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(ask, said):
    with pytest.raises(InputError, match=said) as refused:
        ask()
    assert "\n" not in str(refused.value)
