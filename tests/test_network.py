"""A trained network without its data: the same outputs and losses, music in closed loop, and a file."""

import io
from typing import Any

import numpy as np
import pytest
import torch

from classical import DeepRNN, Network
from encoding import N_KEYS, InputError, Standardisation, multi_hot, pack

LENGTHS = (9, 12, 7, 9, 6)  # chords
BOUNDARIES = ["before", "published"]


def trained(chorales, **options):
    """Replicas that have learned for a while, in double precision: a sign decides the next chord."""
    settings = {"depth": 2, "width": 6, "rule": "exact", "batch": 20, "n_replicas": 2, "precision": "float64"}
    network = DeepRNN(chorales, **(settings | options))
    network.step(0.05, 60)
    return network


def outputs_by_loops(network, replica, chords):
    """Eqs. (1) to (3) by loops for one replica and one piece: hidden (depth, n_steps, width), O (n_steps, 54)."""
    weights = network.weights()[replica]
    w = {name: weights[group.slice].reshape(group.shape) for name, group in network.layout().items()}
    depth, width = network.settings.depth, network.settings.width
    hidden, outputs = np.zeros((depth, len(chords), width)), np.zeros((len(chords), N_KEYS))
    for t, chord in enumerate(chords):
        for layer in range(depth):
            below = hidden[layer - 1, t] if layer else chord
            before = hidden[layer, t - 1] if t else np.zeros(width)
            if t or network.settings.boundary == "before":
                hidden[layer, t] = np.tanh(w[f"J{layer}"] @ below + w[f"M{layer}"] @ before)
        outputs[t] = np.tanh(w["K"] @ hidden[-1, t] + w["W"] @ chord + w["h0"])
    return hidden, outputs


def constant(h0, n_replicas=1):
    """Networks that expect the same of every chord, O = tanh h0."""
    groups = {"J0": (2, N_KEYS), "M0": (2, 2), "K": (N_KEYS, 2), "W": (N_KEYS, N_KEYS)}
    weights: dict[str, Any] = {name: np.zeros((n_replicas, *shape)) for name, shape in groups.items()}
    weights["h0"] = np.tile(h0, (n_replicas, 1))
    return Network(weights, 1, "before", Standardisation(np.zeros(N_KEYS), np.ones(N_KEYS)))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("depth", [1, 3])
def test_outputs_and_activities_are_those_of_the_equations(depth, boundary, music):
    chorales = music(*LENGTHS)
    system = trained(chorales, depth=depth, boundary=boundary)
    network, rescale, data = system.network(), pack(chorales).standardisation, pack(chorales)
    assert network.n_replicas == 2
    for number, chorale in enumerate(chorales):
        roll = multi_hot(chorale.pitches)
        for replica in range(2):
            chords = rescale(roll).astype(np.float32).astype(float)
            hidden, outputs = outputs_by_loops(system, replica, chords)
            assert np.abs(network.outputs(roll)[replica] - outputs).max() < 1e-12
            mine = np.flatnonzero(data.chorale == number)  # one slot fewer than chords
            for layer, mu in enumerate(network.hidden(chorales)):
                assert np.abs(mu[replica, mine] - hidden[layer, :-1]).max() < 1e-12


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_losses_are_the_mean_surprise_in_bits(boundary, music):
    chorales, unheard = music(*LENGTHS), music(5, 8, seed=1)
    system = trained(chorales, boundary=boundary)
    network = system.network()
    assert network.losses(chorales) == pytest.approx(system.loss(), rel=1e-13)
    surprise = []
    for chorale in unheard:
        roll = multi_hot(chorale.pitches)
        surprise.append(-np.log2((1 + roll[1:] * network.outputs(roll)[:, :-1]) / 2))
    assert network.losses(unheard) == pytest.approx(np.concatenate(surprise, 1).mean((1, 2)), rel=1e-10)


def test_losses_are_in_bits_whatever_was_learned(music):
    system = trained(music(*LENGTHS), cost="squared")
    assert system.network().losses(music(*LENGTHS)) == pytest.approx(system.measure()["nll"], rel=1e-13)
    assert (system.loss() < system.measure()["nll"]).all()


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("replica", [0, 1])
def test_in_closed_loop_each_chord_is_the_sign_of_the_last_output(boundary, replica, music):
    chorales = music(*LENGTHS)
    network = trained(chorales, boundary=boundary).network()
    opening = multi_hot(chorales[1].pitches)[:3]
    growing = opening.copy()
    while len(growing) < 25:
        growing = np.vstack([growing, np.where(network.outputs(growing)[replica, -1] > 0, 1, -1)])
    piece = network.continue_piece(opening, 25, replica=replica)
    assert piece.dtype == np.float32
    assert np.array_equal(piece, growing)
    assert np.array_equal(
        network.continue_piece(opening[:1], 2, replica=replica)[1:], network_says(network, opening, replica)
    )


def network_says(network, opening, replica):
    return np.where(network.outputs(opening[:1])[replica] > 0, 1, -1)


def test_what_was_learned_by_heart_is_played_by_heart(music):
    (piece,) = music(12)
    network = DeepRNN([piece], depth=2, width=30, rule="exact", batch=None)
    network.step(0.05, 300)
    roll = multi_hot(piece.pitches)
    assert np.array_equal(network.network().continue_piece(roll[:1], 12), roll)


def test_an_opening_of_all_the_chords_wanted_comes_back(music):
    roll = multi_hot(music(6)[0].pitches)
    assert np.array_equal(constant(np.ones(N_KEYS)).continue_piece(roll, 6), roll)


def test_sampled_keys_sound_as_often_as_the_output_says():
    h0 = np.linspace(-2, 2, N_KEYS)
    piece = constant(h0).continue_piece(-np.ones((1, N_KEYS)), 4001, choose="sample", seed=1)[1:]
    expected = (1 + np.tanh(h0)) / 2
    assert set(np.unique(piece)) == {-1, 1}
    assert (np.abs((piece > 0).mean(0) - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 4000)).all()
    together = np.corrcoef(piece.T) - np.eye(N_KEYS)
    assert np.abs(together).max() < 5.5 / np.sqrt(4000)  # keys are drawn apart


def test_samples_differ_by_seed_and_by_replica_and_repeat():
    def sample(replica, seed):
        opening = -np.ones((2, N_KEYS))
        return constant(np.zeros(N_KEYS), 2).continue_piece(opening, 9, choose="sample", replica=replica, seed=seed)

    assert np.array_equal(sample(1, 5), sample(1, 5))
    assert not np.array_equal(sample(1, 5)[2:], sample(1, 6)[2:])
    assert not np.array_equal(sample(1, 5)[2:], sample(0, 5)[2:])


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_network_comes_back_from_a_file(precision, boundary, music):
    chorales = music(*LENGTHS)
    system = trained(chorales, precision=precision, boundary=boundary, depth=3, standardisation="component")
    file = io.BytesIO()
    torch.save(system.state_dict(), file)
    file.seek(0)
    network = DeepRNN.load(torch.load(file, weights_only=True))
    roll = multi_hot(chorales[0].pitches)
    assert np.array_equal(network.outputs(roll), system.network().outputs(roll))
    assert network.losses(chorales) == pytest.approx(system.loss(), rel=1e-6)
    assert network.outputs(roll).dtype == precision


def test_a_network_taken_out_no_longer_learns(music):
    system = trained(music(*LENGTHS))
    network, state, before = system.network(), system.state_dict(), system.loss()
    system.step(0.05, 5)
    network.state_dict()["h0"] += 1
    assert network.losses(music(*LENGTHS)) == pytest.approx(before, rel=1e-13)
    assert Network.load(state).losses(music(*LENGTHS)) == pytest.approx(before, rel=1e-13)


@pytest.mark.parametrize(
    "roll", [np.ones((3, 53)), np.ones(54), np.ones((0, 54)), np.zeros((2, 54)), np.full((1, 54), np.nan)]
)
def test_what_is_no_piano_roll_is_refused(roll):
    network = constant(np.zeros(N_KEYS))
    expected = r"^a piano roll has \+1 or -1 for each of the 54 keys 43..96 at 1 step or more; got shape \(.*\)$"
    for ask in (network.outputs, lambda opening: network.continue_piece(opening, 9)):
        with pytest.raises(InputError, match=expected):
            ask(roll)


def test_what_cannot_be_continued_is_refused():
    network, opening = constant(np.zeros(N_KEYS), 2), -np.ones((3, N_KEYS))
    with pytest.raises(InputError, match=r"^choose is one of likeliest, sample, four; got 'argmax'$"):
        network.continue_piece(opening, 9, choose="argmax")
    with pytest.raises(InputError, match=r"^n_steps counts the 3 chords of the opening too; got 2$"):
        network.continue_piece(opening, 2)
    for replica in (2, -1):
        with pytest.raises(InputError, match=rf"^replica is one of 0 to 1; got {replica}$"):
            network.continue_piece(opening, 9, replica=replica)


@pytest.mark.parametrize("name", ["J1", "K", "W", "h0", "input.mean", "input.deviation", "network.silent_start"])
def test_a_file_without_one_of_its_groups_is_refused(name, music):
    state = trained(music(4)).state_dict()
    del state[name]
    with pytest.raises(InputError, match=f"^a network's state has J0, J1, M0, M1, .*; missing: {name}$"):
        Network.load(state)


def test_a_file_of_something_else_is_refused():
    with pytest.raises(InputError, match=r"^a network's state has K, .*; missing: K, W, h0, .*$"):
        Network.load({"encoder.weight": torch.zeros(2)})


def test_at_most_four_notes_sound_in_a_chord_chosen_as_four_and_they_are_the_surest(music):
    network = DeepRNN(music(9, 6), depth=1, width=5, rule="exact")
    network.step(0.05, 200)
    trained, opening = network.network(), multi_hot(music(9, 6)[0].pitches)[:3]
    piece = trained.continue_piece(opening, 9, choose="four")
    outputs = trained.outputs(piece)[0]
    for step in range(3, 9):
        sounding = np.flatnonzero(piece[step] > 0)
        assert len(sounding) == min(4, (outputs[step - 1] > 0).sum())
        assert not len(sounding) or outputs[step - 1][sounding].min() >= np.delete(outputs[step - 1], sounding).max()
