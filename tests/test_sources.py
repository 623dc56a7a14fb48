"""Shots against the exact channel, against PennyLane's joint probabilities, and against sums over all counts."""

import gc
import weakref
from itertools import chain

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

import quantum.shots
from encoding import InputError
from quantum import Block, Ladder, recurrent
from quantum.channel import Channel
from quantum.exact import Exact
from quantum.shots import Shots
from quantum.sources import Sizes, Source, features_of

SCHEDULES = ("measured", "coherent", "staggered")


def block_of(schedule, n_data=2, n_history=2, **options):
    return Block(Ladder(n_data + n_history, 2, **options), n_data=n_data, schedule=schedule)


def angles_of(block, n=1, seed=1):
    return np.random.default_rng(seed).uniform(-3, 3, (n, block.ladder.n_angles))


def rng(seed=0):
    return np.random.default_rng(seed)


def exact(block, music, angles, observables="Z"):
    return Channel(block, music, observables).run(torch.from_numpy(angles)).features.numpy()


def scatter(seen, expected, shots):
    """Distances from expectation values, in standard errors of so many shots."""
    return (seen - expected) / np.sqrt((1 - expected**2) / shots + 1e-12)


@pytest.mark.parametrize(("schedule", "observables"), [("coherent", "Z"), ("coherent", "ZX"), ("staggered", "Z")])
@pytest.mark.parametrize("sizes", [(2, 1), (1, 3), (2, 2)])
def test_shots_scatter_about_the_channel(sung, schedule, observables, sizes):
    # X of a late chord comes from shots whose every chord was read in X: the history does not notice.
    block, (music, _) = block_of(schedule, *sizes), sung((6, 4, 4, 1), sizes[0])
    angles = angles_of(block, 3)
    seen = features_of(Shots(block, music, observables, 5000), angles, rng())
    z = scatter(seen, exact(block, music, angles, observables), 5000)
    assert abs(z).max() < 4.5
    assert 0.5 < (z**2).mean() < 1.6
    other = exact(block, music, angles + 0.1, observables)
    assert abs(scatter(seen, other, 5000)).max() > 10


def test_what_was_heard_before_changes_a_late_x(sung):
    """Else the test above would say nothing about the history."""
    block, (music, _) = block_of("coherent"), sung((3,), 2)
    again = type(music)(music.states, torch.tensor([1, 1, 2]), music.offsets)
    late = [exact(block, heard, angles_of(block), "ZX")[0, 2, 2:] for heard in (music, again)]
    assert abs(late[0] - late[1]).max() > 0.05


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("n_history", [1, 2])
def test_single_shots_have_the_joint_law_of_pennylanes_circuit(sung, schedule, n_history):
    block, (music, pieces) = block_of(schedule, 1, n_history), sung((3,), 1)
    angles, n = angles_of(block), 15_000
    seen = features_of(Shots(block, music, "Z", 1), np.repeat(angles, n, 0), rng())
    bits = ((1 - seen) / 2).astype(int).reshape(n, -1)
    counts = np.bincount(bits @ (1 << np.arange(bits.shape[1])[::-1]), minlength=2 ** bits.shape[1])

    @qp.qnode(qp.device("default.qubit"), mcm_method="deferred")
    def outcomes():
        return qp.probs(op=[*chain(*recurrent(pieces[0], angles[0], "D", [*"ABC"[:n_history]], block))])

    p = np.asarray(outcomes())
    often = n * p > 10
    found, expected = (np.append(x[often], x[~often].sum() + 1e-9) for x in (counts, n * p))
    assert 1e-3 < chisquare(found, expected, sum_check=False).pvalue < 1 - 1e-6


@pytest.mark.parametrize("observables", ["Z", "ZX"])
def test_averages_over_shots_go_from_chord_to_chord(sung, observables):
    block, (music, _) = block_of("measured"), sung((5, 3), 2)
    angles, shots = angles_of(block, 2), 3000
    drawn = Shots(block, music, observables, shots)
    turns = rng(1).uniform(0, np.pi, (2, 2, 2))
    seen, averages = drawn.chord(1, angles, turns, rng())
    expected, _ = Exact(block, music, observables).chord(1, angles, turns, rng())
    assert abs(scatter(seen, expected, shots)).max() < 4
    np.testing.assert_array_equal(averages, seen[..., 2:4])
    many = features_of(drawn, np.repeat(angles[:1], 200, 0), rng())
    error = many.std(0) / np.sqrt(len(many))
    assert (abs(many.mean(0) - exact(block, music, angles, observables)[0]) < 5 * error + 2 / shots).all()


def test_re_encoding_is_biased_by_one_over_the_number_of_shots(sung):
    # E f(z), z = 1 - 2k/S, k binomial: f(<z>) + f''(<z>)(1 - <z>^2)/(2 S) + ...
    block, (music, _) = block_of("measured", 1, 1), sung((2,), 1)
    angles, source = angles_of(block, seed=4), Exact(block, music)
    _, first = source.chord(0, angles, np.zeros((1, 1, 1)), rng())

    def mean(shots):
        k = np.arange(shots + 1)
        turns = np.pi * k / shots
        features, _ = source.chord(1, np.repeat(angles, len(k), 0), turns[:, None, None], rng())
        return binom.pmf(k, shots, (1 - first[0, 0, 0]) / 2) @ features[:, 0]

    limit, n = features_of(source, angles, rng())[0, 1], 60_000
    for shots in (4, 8, 16):
        seen = features_of(Shots(block, music, "Z", shots), np.repeat(angles, n, 0), rng(shots))[:, 1]
        error = seen.std(0) / np.sqrt(n)
        bias = mean(shots) - limit
        assert (abs(seen.mean(0) - mean(shots)) < 4 * error).all()
        assert abs(bias).max() > 20 * error.max()  # it is seen
    biases = [mean(shots) - limit for shots in (16, 32, 64)]
    for more, fewer in zip(biases[1:], biases, strict=False):
        np.testing.assert_allclose(more / fewer, 0.5, atol=0.05)


@pytest.mark.parametrize("schedule", ["coherent", "staggered"])
def test_each_chord_may_have_angles_of_its_own(sung, schedule):
    block, (music, _) = block_of(schedule), sung((4, 2), 2)
    angles = rng(2).uniform(-3, 3, (3, 4, block.ladder.n_angles))
    expected = Exact(block, music).whole(angles, rng())
    z = scatter(Shots(block, music, "Z", 5000).whole(angles, rng()), expected, 5000)
    assert abs(z).max() < 4.5
    one_later = np.concatenate([angles[:, :1], angles[:, :3]], 1)
    assert abs(scatter(Exact(block, music).whole(one_later, rng()), expected, 5000)).max() > 10


@settings(max_examples=15)
@given(
    st.sampled_from(SCHEDULES),
    st.integers(1, 3),
    st.integers(1, 3),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.sampled_from(["Z", "ZX"]),
    st.integers(0, 2**32),
)
def test_infinitely_many_shots_show_the_channel(sung, schedule, n_data, n_history, lengths, observables, seed):
    block = block_of(schedule, n_data, n_history, topology="chain", closing=True)
    music, _ = sung(tuple(sorted(lengths, reverse=True)), n_data, seed)
    angles = angles_of(block, 3, seed)
    seen = features_of(Exact(block, music, observables), angles, rng())
    np.testing.assert_allclose(seen, exact(block, music, angles, observables), atol=1e-12)


@pytest.mark.parametrize(("schedule", "shots"), [("coherent", 7), ("staggered", 3), ("measured", 1), ("measured", 7)])
def test_how_many_fit_into_memory_changes_no_number(sung, monkeypatch, schedule, shots):
    block, (music, _) = block_of(schedule), sung((4, 2), 2)
    source, angles = Shots(block, music, "Z", shots), angles_of(block, 5)
    seen = features_of(source, angles, rng(5))
    monkeypatch.setattr(quantum.shots, "ROOM", 1)
    np.testing.assert_array_equal(features_of(source, angles, rng(5)), seen)
    assert (features_of(source, angles, rng(6)) != seen).any()


def test_one_shot_shows_plus_or_minus_one(sung):
    for schedule in SCHEDULES:
        block, (music, _) = block_of(schedule), sung((3, 1), 2)
        source: Source = Shots(block, music, "Z", 1)
        assert set(features_of(source, angles_of(block, 3), rng()).ravel()) == {-1.0, 1.0}


@pytest.mark.parametrize("turns", [3, 10**6, 2 * 10**9])
def test_shots_know_angles_however_often_they_go_round(sung, turns):
    """RX and RZZ of 2 pi are -1, of any qubit: the same outcomes; the digits of a double are left to 1e-6."""
    block, (music, _) = block_of("coherent"), sung((3, 2), 2)
    source, angles = Shots(block, music, "Z", 400), angles_of(block)
    once, often = (features_of(source, a, rng()) for a in (angles, angles + 2 * np.pi * turns))
    assert abs(often - once).max() <= 2 / 400  # an outcome that was drawn at the very edge


def test_a_turn_beyond_single_precision_is_the_exact_one(sung):
    block, (music, _) = block_of("coherent"), sung((2,), 2)
    angles = angles_of(block)
    angles[0, 0] = 1e300
    z = scatter(features_of(Shots(block, music, "Z", 4000), angles, rng()), exact(block, music, angles), 4000)
    assert abs(z).max() < 4.5


@pytest.mark.parametrize(
    "make", [lambda block, music: Exact(block, music), lambda block, music: Shots(block, music, "Z", 5)]
)
@pytest.mark.parametrize("music", [None, "x", [1, 2]])
def test_what_is_no_music_is_refused(make, music):
    with pytest.raises(InputError, match=r"music is a quantum\.channel\.Music"):
        make(block_of("coherent"), music)


def test_the_remedy_is_that_of_the_mistake(sung):
    """Angles of a ladder that are too few are not those of another encoding."""
    source, angles = offered(sung)
    with pytest.raises(InputError, match=r"angles of the ladder at every chord have shape .*; got \(2, 3, 31\)$"):
        source.whole(np.zeros((2, 3, angles.shape[1] - 1)), rng())


def offered(sung, schedule="coherent", shots=10):
    block, (music, _) = block_of(schedule), sung((3, 2), 2)
    return Shots(block, music, "Z", shots), angles_of(block, 2)


@pytest.mark.parametrize("shots", [0, -1, True, 2.5, "many", None])
def test_a_number_of_shots_that_is_none_is_refused(sung, shots):
    with pytest.raises(InputError, match=r"number of shots.*a whole number of at least 1"):
        offered(sung, shots=shots)


@pytest.mark.parametrize(("schedule", "shots"), [("staggered", 100), ("measured", 1)])
def test_an_x_that_no_shot_can_show_is_refused(schedule, shots):
    with pytest.raises(InputError, match=f"shots show no X in the {schedule} schedule"):
        Sizes(block_of(schedule), (0, 2, 3), "ZX", shots)


@pytest.mark.parametrize("wrong", [np.zeros(24), np.zeros((2, 3)), np.zeros((0, 24)), "angles", 5, None, [[1], [1, 2]]])
def test_angles_of_another_shape_are_refused(sung, wrong):
    for schedule in SCHEDULES:
        source, _ = offered(sung, schedule)
        with pytest.raises(InputError, match="angles of the ladder"):
            features_of(source, wrong, rng())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_angles_that_are_not_finite_are_refused(sung, value):
    source, angles = offered(sung)
    with pytest.raises(InputError, match="finite"):
        features_of(source, angles * value, rng())


def test_what_is_asked_of_the_wrong_schedule_is_refused(sung):
    source, angles = offered(sung)
    with pytest.raises(InputError, match="played one by one in the measured schedule"):
        source.chord(0, angles, np.zeros((2, 2, 2)), rng())
    source, angles = offered(sung, "measured")
    with pytest.raises(InputError, match="come back from chord to chord"):
        source.whole(np.zeros((2, 3, angles.shape[1])), rng())
    with pytest.raises(InputError, match="time of a chord"):
        source.chord(3, angles, np.zeros((2, 1, 2)), rng())
    with pytest.raises(InputError, match="turns of the history"):
        source.chord(2, angles, np.zeros((2, 2, 2)), rng())
    with pytest.raises(InputError, match=r"draw is a numpy\.random\.Generator"):
        source.chord(0, angles, np.zeros((2, 2, 2)), 5)  # pyright: ignore[reportArgumentType]  # as a user may


@pytest.mark.parametrize(
    "offsets", [(), (0,), (1, 2), (0, 1, 3), (0, 2, 2), (0.0, 1.0), "none", [[0, 1]], [[0], [1, 2]]]
)
def test_offsets_that_are_none_are_refused(offsets):
    with pytest.raises(InputError, match="offsets are those of pieces"):
        Sizes(block_of("coherent"), offsets)


@pytest.mark.parametrize("observables", ["X", "Y", "", None, ["Z"]])
def test_observables_that_are_none_are_refused(observables):
    with pytest.raises(InputError, match="observables are one of Z, ZX"):
        Sizes(block_of("coherent"), (0, 1), observables)


def test_shots_are_let_go_with_the_unitaries_they_keep(sung):
    """By reference counts alone: kept unitaries know nothing of whose they are."""
    music, block = sung((2,), 2)[0], block_of("coherent")
    gc.disable()
    try:
        source = Shots(block, music, "Z", 3)
        features_of(source, angles_of(block), rng())
        gone = weakref.ref(source)
        del source
        assert gone() is None
    finally:
        gc.enable()
