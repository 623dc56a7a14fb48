"""Where layers jam, how many states are left before, and how much can be stored at most."""

import numpy as np
import pytest

from classical.perceptron import (
    NotConverged,
    hierarchy,
    jammed_states,
    jamming,
    replica_symmetric,
    replica_symmetry_breaking,
    storage_bound,
)
from classical.perceptron.bond_overlaps import bond_overlaps
from classical.perceptron.jammed import complexity
from classical.perceptron.layers import couplings, fields_of_spins
from classical.perceptron.volume import of_overlaps
from encoding import InputError


def test_replica_symmetry_jams_one_layer_and_two_and_no_more():
    assert 1 - replica_symmetric(1.999, 1).Q[0, 0] < 1e-3
    last = replica_symmetric(0.9999 * jamming(2), 2)
    assert 0 < 1 - last.q_ea[1] < 1e-4
    for depth in (1, 2):
        with pytest.raises(NotConverged, match=r"freezes?,"):
            replica_symmetric(1.001 * jamming(depth), depth)
    assert 1 - replica_symmetric(1e7, 3).q_ea[1] > 0.01
    assert jamming(3) == np.inf


def test_what_can_be_stored_is_less_than_what_replica_symmetry_stores():
    for depth in (1, 2, 20):
        bound = storage_bound(depth)
        assert bound * np.log(2) == pytest.approx(depth * np.log(np.e * bound))
    assert jamming(1) < storage_bound(1)
    assert jamming(2) > storage_bound(2)


def overlaps(states):
    return [np.array(one) for one in (states.q, states.p, states.Q, states.c)]


@pytest.mark.parametrize(("alpha", "depth"), [(8.0, 2), (15.0, 3), (22.0, 4), (120.0, 20)])
def test_the_complexity_of_jammed_states_is_stationary(alpha, depth):
    states = jammed_states(alpha, depth)
    given = overlaps(states)
    assert states.complexity == complexity(alpha, *given)
    for which, inner in ((0, slice(1, -1)), (1, slice(1, -1)), (2, slice(None)), (3, slice(None))):
        for layer in range(len(given[which]))[inner]:
            size = 1e-3 * max(given[which][layer], 1e-3 * states.c.max() if which == 1 else 0.0)
            if which in (0, 2) and given[which][layer] < 1e-6:
                continue
            sides = []
            for sign in (1, -1):
                moved = overlaps(states)
                moved[which][layer] += sign * size
                sides.append(complexity(alpha, *moved))
            first, second = abs(sides[0] - sides[1]) / 2, abs(sides[0] + sides[1] - 2 * states.complexity)
            assert first < max(0.05 * second, 1e-9)  # no slope: what a step does is of second order


@pytest.mark.parametrize(("alpha", "depth"), [(8.0, 2), (15.0, 3), (22.0, 4)])
def test_jammed_states_solve_the_equations_of_one_step_as_m_vanishes(alpha, depth):
    states = jammed_states(alpha, depth)
    assert (states.q[1] > 0.2) & (states.Q[0] > 0.4)  # states of no overlap would solve them, too
    missed, volumes = [], []
    for m in (1e-2, 1e-3, 1e-4):
        levels = np.array([m])
        q, Q = np.stack([states.q, 1 - m * states.p], 1), np.stack([states.Q, 1 - m * states.c], 1)
        answer = np.array([hierarchy.bonds(felt, levels).squares for felt in couplings(q, Q)])
        spins = np.array([hierarchy.spins(felt, levels).squares for felt in fields_of_spins(q, Q, answer)])
        bonds = np.array([bond_overlaps(felt, levels).Q for felt in alpha * q[:-1] * q[1:] * answer])
        softness = (1 - spins[:, 1]) / m - states.p[1:-1], (1 - bonds[:, 1]) / m - states.c
        overlaps = spins[:, 0] - states.q[1:-1], bonds[:, 0] - states.Q
        missed.append([np.abs(np.concatenate(both)).max() for both in (softness, overlaps)])
        volumes.append(m * of_overlaps(alpha, q, Q, levels) - states.complexity)
    soft, alike = np.transpose(missed)
    for error in (soft / states.c.max(), alike):
        assert error[-1] < 2e-2
        assert (error[1:] < 0.3 * error[:-1]).all()  # as m, with logarithms
    assert abs(volumes[-1]) < 1e-3
    assert abs(volumes[-1]) < 0.3 * abs(volumes[-2])


def test_with_one_step_all_machines_jam_before_they_would_store_more_than_can_be():
    for depth in (2, 3, 4, 8, 20):
        last = jamming(depth, 1)
        assert 0.7 * storage_bound(depth) < last < storage_bound(depth)
        assert jammed_states(1.01 * last, depth).complexity < 0 < jammed_states(0.99 * last, depth).complexity
    assert jamming(1, 1) == jamming(1)


def test_where_states_are_wide_none_is_jammed():
    with pytest.raises(NotConverged, match="jammed states at alpha = 5, L = 2: there are none, states come apart"):
        jammed_states(5, 2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: jamming(0), "the depth L is a whole number of at least 1; got 0"),
        (lambda: jamming(3, 2), "jamming is known with 0 or 1 steps of replica symmetry breaking; got 2"),
        (lambda: jamming(3, True), "0 or 1 steps of replica symmetry breaking; got True"),
        (lambda: jammed_states(1.5, 1), "L >= 2: one layer jams as a whole, at alpha = 2"),
        (lambda: jammed_states(-1, 3), "alpha = M/N is a finite number above 0"),
        (lambda: storage_bound(2.5), "the depth L is a whole number of at least 1; got 2.5"),  # type: ignore[arg-type]  # as a user may
    ],
)
def test_mistakes_end_in_one_line(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("alpha", "levels"), [(50, 2), (100, 5)])
def test_far_beyond_jamming_two_layers_have_no_number(alpha, levels):
    with pytest.raises(NotConverged, match="numbers are not finite at step"):
        replica_symmetry_breaking(alpha, 2, levels)
