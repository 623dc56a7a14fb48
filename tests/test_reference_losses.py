"""What h_0, the present chord, chains and random networks can predict, on pieces that can be worked out by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from encoding import Chorale, InputError, load_chorales
from experiments.observables import (
    Fit,
    baselines,
    h0_loss,
    irreducible_loss,
    logistic_loss,
    markov_loss,
    reservoir_loss,
)
from experiments.observables.logistic import fit_logistic

SHORT: Any = SimpleNamespace(pitches=np.array([[60, -1, -1, -1]], np.int16))  # a Chorale has two chords at least
SECOND = [60, 62, 64, 62, 65] * 12  # after 62 comes 64 or 65: the chord before decides


@pytest.fixture(scope="module")
def paper(jsb_path):
    return load_chorales(str(jsb_path), "train", first=80)


def piece(*soprano):
    return Chorale(np.array([[pitch, -1, -1, -1] for pitch in soprano], np.int16), "made", "here", 0)


def entropy(p):
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def test_the_paper_s_80_chorales_have_the_losses_computed_elsewhere(paper):
    # By independent programs: h_0 .2802; W and h_0 .2201 where the likelihood has its maximum.
    assert h0_loss(paper) == pytest.approx(0.2802, abs=5e-5)
    assert logistic_loss(paper) == pytest.approx(0.2201, abs=5e-5)
    for order, floor in ((1, 0.138), (2, 0.043), (3, 0.015)):
        assert markov_loss(paper, order) == pytest.approx(floor, abs=5e-4)


def test_keys_alone_cost_their_entropy():
    # Targets 62, 60, 62: 62 sounds in 2/3 of them, 60 in 1/3, all others never.
    assert h0_loss([piece(60, 62, 60, 62)]) == pytest.approx(2 * entropy(1 / 3) / 54)


def test_on_other_pieces_no_key_is_impossible():
    # n + 1 = 4 occasions and an imagined one: 62 and 60 at 2.5/4 and 1.5/4, 64 and the 51 others at 0.5/4.
    bits = -np.log2(1 - 2.5 / 4) - np.log2(1 - 1.5 / 4) - np.log2(0.5 / 4) - 51 * np.log2(3.5 / 4)
    assert h0_loss([piece(60, 62, 60, 62)], [piece(62, 64)]) == pytest.approx(bits / 54)


def test_two_chords_leave_logistic_regression_what_they_leave_a_chain():
    # With two different inputs any probabilities can be had: the optimum is the entropy that is left.
    pieces = [piece(60, 62, 60, 60, 62, 62, 60, 60, 60, 62)]
    assert logistic_loss(pieces) == pytest.approx(irreducible_loss(pieces, memory=1), abs=1e-6)


def test_logistic_regression_is_at_the_minimum_that_a_gradient_method_finds():
    rng = np.random.default_rng(0)
    x, ridge = rng.integers(-1, 2, (80, 3)).astype(float), 0.5
    spins = np.where(rng.random((80, 2)) < 0.3, 1.0, -1.0)

    def energy(flat):
        weights = flat.reshape(3, 2)
        return np.log1p(np.exp(-2 * spins * (x @ weights))).sum() + ridge / 2 * (weights**2).sum()

    slow = minimize(energy, np.zeros(6), method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-8})
    ours = fit_logistic(x, spins, ridge=ridge).ravel()
    assert energy(ours) == pytest.approx(slow.fun, rel=1e-9)
    assert ours == pytest.approx(slow.x, abs=1e-4)


def test_rescaling_does_not_move_the_optimum(music):
    pieces = music(60, 60)
    losses = [logistic_loss(pieces, None, how, ridge=1e-9) for how in ("global", "component", "scalar")]
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-7)


def test_a_ridge_costs_a_little_at_home_and_saves_much_abroad(music):
    home, abroad = music(80, 80), music(50, seed=1)
    assert logistic_loss(home) < logistic_loss(home, ridge=1.0)
    assert logistic_loss(home, abroad) < logistic_loss(home, abroad, ridge=1e-3)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_a_chain_without_a_prior_reaches_the_floor_of_its_memory(order, music):
    pieces = [*music(20, 15), piece(*SECOND), piece(62, 64, 62, 60)]
    floor = irreducible_loss(pieces, memory=order)
    assert markov_loss(pieces, order) == floor
    assert markov_loss(pieces, order, pieces, strength=1e-12) == pytest.approx(floor, abs=1e-8)


def test_a_chain_falls_back_on_shorter_histories_by_hand():
    learned, other = [piece(60, 62, 60, 64)], [piece(64, 60, 62)]
    # Slot 64 -> 60: 64 was never followed: the keys alone, (n_i + 1/2)/4. Of 62, 60, 64 each sounded once.
    alone = {True: 1.5 / 4, False: 0.5 / 4}
    unseen = -np.log2(alone[True]) - 2 * np.log2(1 - alone[True]) - 51 * np.log2(1 - alone[False])
    # Slot 60 -> 62: of two occasions one brought 62 and one 64; strength 2.
    after = {62: (1 + 2 * alone[True]) / 4, 64: (1 + 2 * alone[True]) / 4, 60: 2 * alone[True] / 4}
    known = -np.log2(after[62]) - np.log2(1 - after[64]) - np.log2(1 - after[60])
    known -= 51 * np.log2(1 - 2 * alone[False] / 4)
    assert markov_loss(learned, 1, other, strength=2) == pytest.approx((unseen + known) / (2 * 54))
    # Of higher order, 60 after 64 is new, and so is the beginning with 64: nothing changes.
    assert markov_loss(learned, 5, other, strength=2) == pytest.approx((unseen + known) / (2 * 54))


def test_a_known_beginning_counts_once_however_long_the_memory():
    # At its second chord a piece has no history longer than "it began with 60".
    learned, other = [piece(60, 62, 60, 64), piece(60, 64)], [piece(60, 62)]
    losses = [markov_loss(learned, order, other, strength=2) for order in (1, 2, 3, 7)]
    assert losses[1:] == [losses[1]] * 3
    assert losses[0] != losses[1]


@pytest.mark.parametrize("order", [1, 3])
def test_the_strength_is_the_best_for_pieces_left_out_one_by_one(order):
    rng = np.random.default_rng(0)
    steps = {60: [62, 62, 64], 62: [60, 64], 64: [60, 60, 60, 62]}
    pieces = []
    for n in (9, 14, 6, 20, 11):
        keys = [60]
        while len(keys) < n:
            keys.append(int(rng.choice(steps[keys[-1]])))
        pieces.append(piece(*keys))

    def left_out(strength):
        rest = [pieces[:i] + pieces[i + 1 :] for i in range(len(pieces))]
        losses = [markov_loss(r, order, [p], strength=strength) for r, p in zip(rest, pieces, strict=True)]
        return np.average(losses, weights=[len(p.pitches) - 1 for p in pieces])

    best = min(2.0 ** np.arange(-6, 9), key=left_out)
    other = [piece(60, 64, 62, 64, 60, 60)]
    assert markov_loss(pieces, order, other) == markov_loss(pieces, order, other, strength=best)
    assert 2.0**-6 < best < 2.0**8
    assert markov_loss(pieces[:1], order, other) == markov_loss(pieces[:1], order, other, strength=1)


def test_a_random_network_remembers_what_the_present_chord_does_not_tell():
    pieces, options = [piece(*SECOND)], {"seed": 0, "ridge": 0.01}
    blind = irreducible_loss(pieces, memory=1)
    assert logistic_loss(pieces) == pytest.approx(blind, abs=1e-6)
    assert reservoir_loss(pieces, 10, **options) < 0.1 * blind
    assert reservoir_loss(pieces, 10, radius=0, **options) > 0.99 * blind
    assert logistic_loss(pieces, [piece(*SECOND[:9])], ridge=0.01) > 0.9 * blind
    assert reservoir_loss(pieces, 10, other=[piece(*SECOND[:9])], **options) < 0.1 * blind


def test_a_network_hears_each_piece_from_its_own_beginning(music):
    pieces = music(30, 12, 21)
    whole = reservoir_loss(pieces, 5, seed=1, ridge=1)
    parts = [reservoir_loss(pieces, 5, seed=1, ridge=1, other=[each]) * (len(each.pitches) - 1) for each in pieces]
    assert whole == pytest.approx(sum(parts) / 60)


def test_a_network_is_a_function_of_its_seed(music):
    pieces = music(40)
    first, again, other = (reservoir_loss(pieces, 4, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_all_baselines_come_by_name(music):
    pieces, abroad = music(20, 15), music(10, seed=5)
    for other in (None, abroad):
        losses = baselines(pieces, other, orders=(1, 2), width=6)
        assert list(losses) == ["h0", "logistic", "markov 1", "markov 2", "reservoir 6"]
        assert losses["markov 2"] == markov_loss(pieces, 2, other)
        random = losses["reservoir 6"]
        assert isinstance(random, Fit)
        assert random.best == pytest.approx(
            np.mean([reservoir_loss(pieces, 6, seed=seed, other=other) for seed in range(3)])
        )
    assert list(baselines(pieces, orders=(), seeds=())) == ["h0", "logistic"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: h0_loss([]), "at least one chorale"),
        (lambda: logistic_loss([SHORT]), "at least 2 chords"),
        (lambda: logistic_loss([piece(60, 62)], ridge=0), "ridge is positive"),
        (lambda: markov_loss([piece(60, 62)], 0), "at least 1; got 0"),
        (lambda: markov_loss([piece(60, 62)], 1, [SHORT]), "at least one transition"),
        (lambda: markov_loss([piece(60, 62)], 1, strength=-1), "strength of the prior is positive"),
        (lambda: markov_loss("chorales", 1), "at least one chorale"),  # type: ignore[arg-type]  # as a user may
        (lambda: reservoir_loss([piece(60, 62)], 0, seed=0), "width is a whole number of at least 1"),
        (lambda: reservoir_loss([piece(60, 62)], 3, seed=0, radius=-1), "radius"),
        (lambda: reservoir_loss([piece(60, 62)], 3, seed=-1), "seed is a whole number"),
    ],
)
def test_what_cannot_be_learned_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()
