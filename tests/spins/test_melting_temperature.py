"""Where spins melt, against a search over all temperatures."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.sparse.linalg import ArpackNoConvergence
from spin_systems import drawn, ferromagnet, hidden, pulled, recurrent

from classical.spins import (
    Bonds,
    chain,
    lanczos,
    largest_eigenvalue,
    least_eigenvalue,
    linear_tap,
    melting,
    melting_temperature,
    softest,
)
from classical.spins.span import Span
from encoding import InputError

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


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


CASES = {
    "glass": lambda: pulled(5, 0.0),
    "pulled": lambda: pulled(5, 6.0),
    "recurrent": lambda: Bonds(recurrent(drawn(6))),
    "strong recurrent": lambda: Bonds(recurrent(drawn(6)) | {(0, 1): 3 * np.ones((4, 6))}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("small", [0, 400], ids=["lanczos", "dense"])
def test_the_melting_temperature_is_where_a_search_over_all_temperatures_finds_it(case, small, monkeypatch):
    monkeypatch.setattr(softest, "SMALL", small)
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


@pytest.mark.parametrize("n", [40, 150], ids=["dense", "lanczos"])
def test_a_melting_point_behind_a_minimum_of_the_eigenvalue_is_found(n):
    bonds = hidden(n)
    found = melting_temperature(bonds)
    assert found.melts
    t = float(found.temperature)
    assert abs(least_eigenvalue(bonds, 1 / t)) < 1e-9
    assert least_eigenvalue(bonds, 1.01 / t) < 0 < least_eigenvalue(bonds, 0.99 / t)
    assert min(least_eigenvalue(bonds, beta) for beta in np.linspace(0.02, 0.99 / t, 12)) > 0


def shallow(depth):
    """Bonds between 8 and 9 spins whose least eigenvalue comes down to -depth and no further."""
    noise = drawn(3).standard_normal((8, 9))

    def lowest(share):
        bonds = chain([1 + share * noise])
        top = float(largest_eigenvalue(bonds))
        return min(least_eigenvalue(bonds, x / top) for x in np.linspace(0.5, 4, 200)) + depth

    share: Any = brentq(lowest, 0, 4)
    return 1 + share * noise


@pytest.mark.parametrize("late", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("grid", [1.0, 1.1, 1.2])
def test_the_first_of_two_melting_points_is_found_however_shallow(late, grid):
    first = shallow(0.002)
    t = float(melting_temperature(chain([first])).temperature)
    second = ferromagnet().blocks[0, 0]
    second = second * t / late / float(melting_temperature(ferromagnet()).temperature)
    alone = [[4 * grid * t]]  # a strong bond, with which the grid begins, and which never melts
    both = Bonds({(0, 1): first, (2, 2): second, (3, 4): alone})
    found = melting_temperature(both)
    assert found.melts
    assert abs(found.temperature / t - 1) < 1e-9


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), degree=st.integers(1, 4), beta=st.floats(0.01, 100))
def test_with_four_bonds_a_spin_or_fewer_no_eigenvalue_is_negative(seed, degree, beta):
    rng, n = drawn(seed), 12
    j = np.zeros((n, n))
    for shift in range(1, degree // 2 + 1):
        place = np.arange(n)
        j[place, (place + shift) % n] = np.exp(rng.standard_normal(n))
    if degree % 2:
        j[np.arange(n // 2), np.arange(n // 2) + n // 2] = 1
    bonds = Bonds({(0, 0): j + j.T})
    assert bonds.degree == degree
    assert least_eigenvalue(bonds, beta) > 0
    assert not melting_temperature(bonds).melts


@pytest.mark.parametrize("j", [0.3, 1.0, 1.1, 1.37, 2.0, 3.0])
@pytest.mark.parametrize("n", [5, 10, 600])
def test_four_equal_bonds_a_spin_touch_zero_in_any_unit(n, j):
    place, bond = np.arange(n), np.zeros((n, n))
    for shift in (1, 2):
        bond[place, (place + shift) % n] = bond[(place + shift) % n, place] = j
    found = melting_temperature(Bonds({(0, 0): bond}))
    assert found.melts
    assert abs(found.temperature / (2 * j) - 1) < 1e-5  # (1 - 2 beta J)^2 = 0, a touch


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_the_lowest_of_all_minima_is_found_wherever_it_is(seed):
    rng = drawn(seed)
    n = int(rng.integers(4, 12))
    j = rng.standard_normal((n, n)) * np.exp(rng.standard_normal((n, n))) * (rng.random((n, n)) < rng.uniform(0.2, 1))
    j = np.triu(j, 1) + np.eye(n, k=1) * 0.1
    bonds = Bonds({(0, 0): j + j.T})
    found = melting_temperature(bonds)
    betas = np.geomspace(0.011, 99, 3000) / float(largest_eigenvalue(bonds))
    values = np.array([least_eigenvalue(bonds, beta) for beta in betas])
    if found.melts:
        assert abs(least_eigenvalue(bonds, 1 / float(found.temperature))) < 1e-9
        assert (values[betas < 0.999 / found.temperature] > 0).all()
    else:
        assert found.least <= values.min() + 1e-9


def test_bonds_of_very_different_sizes_are_all_looked_at():
    e = 2e-12
    pair = np.array([[0, e, 1.704, e], [e, 0, e, e], [1.704, e, 0, e], [e, e, e, 0]])
    found = melting_temperature(Bonds({(0, 0): pair}))
    assert abs(found.temperature / 3.408 - 1) < 1e-4
    assert abs(found.least - 0.75) < 1e-9
    triangles = {(k, k): 2 * 10.0**-k * (1 - np.eye(3)) for k in range(5)}
    found = melting_temperature(Bonds(triangles | {(5, 5): 2e-5 * (1 - np.eye(12))}))
    assert found.melts
    x = 11 * 2e-5  # of the twelve: 1 - 11 y + 11 y^2 = 0, y = 2e-5 beta
    assert abs(found.temperature / (x * (1 + np.sqrt(1 - 4 / 11)) / 2) - 1) < 1e-9
    block = drawn(0).standard_normal((60, 40))
    for strong in (1e3, 1e5):  # one bond beside them, whose own minimum is 0.75
        both = melting_temperature(Bonds({(0, 1): block, (2, 3): [[strong]]}))
        assert abs(both.least - melting_temperature(chain([block])).least) < 1e-9


def irregular(seed, recurrent):
    """Bonds with heavy tails, of spins some of which hang together by none, or have none at all."""
    rng = drawn(seed)
    sizes = rng.integers(6, 40, rng.integers(2, 5))
    tails, kept = rng.uniform(0, 2.5), rng.uniform(0.1, 1)
    blocks = {}
    for k, (n, m) in enumerate(pairwise(sizes)):
        strength = np.exp(tails * rng.standard_normal((n, m)))
        blocks[k, k + 1] = rng.standard_normal((n, m)) * strength * (rng.random((n, m)) < kept)
    if recurrent:
        within = np.triu(rng.standard_normal((sizes[0], sizes[0])), 1)
        blocks[0, 0] = within + within.T
    return Bonds(blocks)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), recurrent=st.booleans(), t=st.floats(0.03, 10))
def test_strong_bonds_do_not_hide_what_the_others_do(seed, recurrent, t):
    bonds = irregular(seed, recurrent)
    top = float(largest_eigenvalue(bonds))
    levels = np.linalg.eigvalsh(linear_tap(bonds, 1 / (t * top)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(softest, "SMALL", 0)
        assert abs(least_eigenvalue(bonds, 1 / (t * top)) - levels[0]) < 1e-9 * max(1, abs(levels[-1]))
        found = melting_temperature(bonds)
    wanted = melting_temperature(bonds)
    assert found.melts == wanted.melts
    assert abs(found.temperature / wanted.temperature - 1) < 1e-5
    assert abs(found.least - wanted.least) < 1e-9


@pytest.mark.parametrize("strong", [1e6, 1e8])
def test_spins_bound_as_strongly_as_that_take_no_part(strong):
    """What they add to the others is (bond/strong)^2; rounding in a whole matrix would be 1e-16 strong^2."""
    block, beta = drawn(5).standard_normal((60, 40)), 0.13
    block[0, 0] = strong
    bonds = chain([block])
    others = np.delete(np.arange(100), [0, 60])
    wanted = np.linalg.eigvalsh(linear_tap(bonds, beta)[np.ix_(others, others)])[0]
    assert abs(least_eigenvalue(bonds, beta) - wanted) < 1e-10


@pytest.mark.parametrize("small", [0, 400], ids=["lanczos", "dense"])
def test_spins_without_bonds_have_the_eigenvalue_one(small, monkeypatch):
    monkeypatch.setattr(softest, "SMALL", small)
    block = np.zeros((20, 15))
    block[:9, :9] = drawn(3).standard_normal((9, 9))
    bonds = chain([block])
    for beta in (0.1, 10.0):
        value, v = softest.lowest(bonds, beta, 1e-10)
        assert abs(value - np.linalg.eigvalsh(linear_tap(bonds, beta))[0]) < 1e-12
        assert np.linalg.norm(linear_tap(bonds, beta) @ v - value * v) < 1e-8
    assert abs(value - 1) < 1e-12


def joined(first, second, link):
    """Two systems within one layer, with one bond between them."""
    n, m = len(first), len(second)
    j = np.zeros((n + m, n + m))
    j[:n, :n], j[n:, n:] = first, second
    j[0, n] = j[n, 0] = link
    return Bonds({(0, 0): j})


def glass(n, rng, spike=0.0):
    g, v = rng.standard_normal((n, n)), rng.standard_normal(n)
    j = (g + g.T) / np.sqrt(2 * n) + spike * np.outer(v, v) / n
    return j - np.diag(np.diag(j))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("link", [0.0, 1e-9, 1e-5])
def test_of_two_pieces_that_hardly_hang_together_none_is_forgotten(seed, link, monkeypatch):
    """Of which the softer one is another at other temperatures."""
    rng = drawn(seed)
    bonds = joined(glass(60, rng), rng.uniform(0.5, 1.0) * glass(60, rng, spike=1.8), link)
    wanted = melting_temperature(bonds)
    monkeypatch.setattr(softest, "SMALL", 0)
    found = melting_temperature(bonds)
    assert found.melts == wanted.melts
    assert abs(found.temperature / wanted.temperature - 1) < 1e-5
    assert abs(found.least - wanted.least) < 1e-9


@pytest.mark.parametrize("seed", [71, 331, 335])
def test_an_exact_eigenvector_is_not_taken_for_the_lowest(seed, monkeypatch):
    """A pair, whose vector is exact whatever the shift, beside a star that is softer."""
    monkeypatch.setattr(softest, "SMALL", 0)
    rng = np.random.default_rng(seed)
    pair, n = rng.uniform(0.2, 1), rng.integers(3, 30)
    star = np.zeros((n + 1, n + 1))
    star[0, 1:] = star[1:, 0] = rng.uniform(0.1, 1, n)
    bonds, beta = Bonds({(0, 0): star, (1, 2): [[pair]]}), rng.uniform(0.1, 3)
    assert abs(softest.lowest(bonds, beta, 1e-10)[0] - np.linalg.eigvalsh(linear_tap(bonds, beta))[0]) < 1e-9


def test_what_the_whole_grid_has_overlooked_is_found_in_the_end(monkeypatch):
    """The grid of one piece alone, as if a softer one beside it had been missed at every beta."""
    rng = drawn(8)
    one, other = glass(40, rng), glass(40, rng, spike=4.0)
    alone, grid = Bonds({(0, 0): one}), melting._grid
    bonds = joined(one, other, 0.0)

    def without_the_other(whole):
        unit = np.abs(one).max() / np.abs(whole.dense()[:40, :40]).max()
        betas, values, vectors, _ = grid(alone.over(unit))
        padded = [np.concatenate([v, np.zeros(40)]) for v in vectors]
        known = Span(whole, padded[0])
        for v in padded[1:]:
            known.add(v)
        return betas, values, padded, known

    wanted = melting_temperature(bonds)
    assert wanted.melts
    assert wanted.temperature > 1.2 * melting_temperature(alone).temperature
    monkeypatch.setattr(softest, "SMALL", 0)
    monkeypatch.setattr(melting, "_grid", without_the_other)
    found = melting_temperature(bonds)
    assert found.melts
    assert abs(found.temperature / wanted.temperature - 1) < 1e-9


@pytest.mark.parametrize("small", [0, 400], ids=["lanczos", "dense"])
def test_a_zero_between_two_points_of_the_grid_is_found_if_a_vector_of_the_grid_has_it(small, monkeypatch):
    """Two rings that melt one after the other, the second before the next point, and a bond that lays the grid."""
    monkeypatch.setattr(softest, "SMALL", small)

    def ring(across):
        j = np.ones((6, 6)) - np.eye(6)
        j[np.arange(3), np.arange(3) + 3] = j[np.arange(3) + 3, np.arange(3)] = across
        return j

    alone = melting_temperature(Bonds({(0, 0): ring(0.003)}))
    both = {(0, 0): ring(0.003), (1, 1): 0.6303030303 * ring(0.2), (2, 3): [[4.3]]}
    found = melting_temperature(Bonds(both))
    assert alone.melts
    assert found.melts
    assert abs(found.temperature / alone.temperature - 1) < 1e-9


@pytest.mark.parametrize("small", [0, 400], ids=["lanczos", "dense"])
@pytest.mark.parametrize("weak", [1e-20, 1e-60, 2e-162])
def test_bonds_too_weak_to_be_felt_change_nothing(weak, small, monkeypatch):
    monkeypatch.setattr(softest, "SMALL", small)
    block = glass(60, drawn(6))
    block[0], block[:, 0] = 0, 0
    wanted = melting_temperature(Bonds({(0, 0): block}))
    block[0, 1] = block[1, 0] = weak
    found = melting_temperature(Bonds({(0, 0): block}))
    assert abs(found.temperature / wanted.temperature - 1) < 1e-6
    assert abs(found.least - wanted.least) < 1e-9


def test_bonds_without_squares_leave_a_paramagnet():
    for scale in (0.0, 1e-200):
        assert least_eigenvalue(Bonds({(0, 0): scale * glass(450, drawn(7))}), 1.0) == 1


def test_of_two_minima_as_low_that_at_the_higher_temperature_is_told():
    for strong in (100.0, 1e4):
        found = melting_temperature(chain([[[strong, 0.0], [0.0, 3.0]]]))
        assert abs(found.temperature / (2 * strong) - 1) < 1e-4
        assert abs(found.least - 0.75) < 1e-9


def test_with_five_bonds_a_spin_equal_bonds_melt():
    bonds = ferromagnet(n=6)  # each with all others
    assert bonds.degree == 5
    found = melting_temperature(bonds)
    assert found.melts
    assert abs(1 / found.temperature - 10 * (1 - np.sqrt(1 / 5)) / 2) < 1e-9  # 1 - 5 x + 5 x^2 = 0, x = 0.1 beta


def test_a_search_that_does_not_settle_is_no_result(monkeypatch):
    monkeypatch.setattr(melting, "STEPS", 1)
    for strength in (0.0, 6.0):
        with pytest.raises(InputError, match="was not found within 200 steps"):
            melting_temperature(pulled(5, strength))


def test_an_eigenvalue_that_lanczos_does_not_find_is_no_result(monkeypatch):
    def never(operator, **_):
        raise ArpackNoConvergence("no convergence", [], [])

    monkeypatch.setattr(lanczos, "eigsh", never)
    with pytest.raises(InputError, match="largest eigenvalue of 200 rows was not found"):
        melting_temperature(chain([drawn(1).standard_normal((250, 200))]))


def test_a_side_of_one_spin_is_a_side():
    rng = drawn(13)
    for bonds in (chain([rng.standard_normal((450, 1))]), chain([np.ones((300, 1)), np.ones((1, 300))])):
        v = np.linalg.eigh(linear_tap(bonds, 1 / float(melting_temperature(bonds).temperature)))[0][0]
        assert abs(v - melting_temperature(bonds).least) < 1e-9


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
