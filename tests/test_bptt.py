"""Exact gradients are those of calculus, and the delayed ones those of the paper's Appendix B, chord by chord."""

import numpy as np
import pytest
import torch

from classical import DeepRNN
from classical.appendix_b import AppendixB
from classical.bptt import activations, exact_deltas, fields, gradients, slots
from classical.costs import COSTS
from encoding import N_KEYS, multi_hot, pack

LENGTHS = (6, 9, 3, 2, 6)  # chords; transitions are one fewer
BOUNDARIES = ["before", "published"]

# The three costs of one slot, in nats or plain units, as anyone would write them down.
SLOT_COSTS = {
    "nll": lambda target, h: -torch.nn.functional.logsigmoid(2 * target * h).sum(),
    "squared": lambda target, h: ((target - torch.tanh(h)) ** 2).sum() / 2,
    "hinge": lambda target, h: torch.clamp(1 - target * h, min=0).sum(),
}


def random_weights(depth, width, n_replicas, seed=0):
    """None of them zero, the M not orthogonal: calculus does not mind."""
    rng = np.random.default_rng(seed)
    shapes = {f"J{layer}": (width, width if layer else N_KEYS) for layer in range(depth)}
    shapes |= {f"M{layer}": (width, width) for layer in range(depth)}
    shapes |= {"K": (N_KEYS, width), "W": (N_KEYS, N_KEYS), "h0": (N_KEYS,)}
    return {name: torch.tensor(0.3 * rng.standard_normal((n_replicas, *shape))) for name, shape in shapes.items()}


def mean_cost(weights, chorales, rescale, depth, boundary, cost):
    """Cost of one network averaged over slots: eqs. (1) to (3), one chorale after the other, one chord at a time."""
    total, n = torch.zeros((), dtype=torch.float64), 0
    for chorale in chorales:
        roll = multi_hot(chorale.pitches)
        chords = torch.tensor(rescale(roll).astype(np.float32)).double()
        memory = [torch.zeros(len(weights["M0"]), dtype=torch.float64)] * depth
        for t in range(len(roll) - 1):
            below = chords[t]
            for layer in range(depth):
                mu = torch.tanh(weights[f"J{layer}"] @ below + weights[f"M{layer}"] @ memory[layer])
                memory[layer] = below = torch.zeros_like(mu) if t == 0 and boundary == "published" else mu
            h = weights["K"] @ below + weights["W"] @ chords[t] + weights["h0"]
            total, n = total + SLOT_COSTS[cost](torch.tensor(roll[t + 1]).double(), h), n + 1
    return total / n


def descent_by_calculus(weights, *case):
    """-dE/dw of each replica by automatic differentiation."""
    found = {name: torch.zeros_like(group) for name, group in weights.items()}
    for replica in range(len(weights["h0"])):
        mine = {name: group[replica].clone().requires_grad_() for name, group in weights.items()}
        mean_cost(mine, *case).backward()
        for name, weight in mine.items():
            found[name][replica] = 0 if weight.grad is None else -weight.grad
    return found


def one_pass(weights, chorales, depth, boundary, cost="nll"):
    """Packed slots, and what a full pass over them gives: activities, errors, exact deltas."""
    data = slots(pack(chorales), boundary, torch.float64)
    layers = activations(weights, data, depth)
    error = COSTS[cost].error(data.targets, fields(weights, data, layers[-1]))
    return data, layers, error, exact_deltas(weights, data, layers, error)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("depth", [1, 3])
def test_exact_gradients_are_those_of_calculus(depth, boundary, cost, music):
    chorales, weights = music(*LENGTHS), random_weights(depth, 7, n_replicas=2)
    ours = gradients(*one_pass(weights, chorales, depth, boundary, cost), batch=None)
    theirs = descent_by_calculus(weights, chorales, pack(chorales).standardisation, depth, boundary, cost)
    assert set(ours) == set(theirs)
    for name, descent in theirs.items():
        assert descent.abs().max() > 1e-3, name
        assert (ours[name] - descent).abs().max() < 1e-12, name


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_an_exact_step_goes_down_the_gradient_and_back_to_the_orthogonal_group(boundary, cost, music):
    chorales, rate = music(*LENGTHS), 0.07
    options = {"rule": "exact", "batch": None, "precision": "float64", "boundary": boundary, "cost": cost}
    network = DeepRNN(chorales, depth=2, width=5, n_replicas=2, **options)
    network.step(rate, 3)  # K and W no longer zero
    before = by_name(network)
    network.step(rate)
    tensors = {name: torch.tensor(group) for name, group in before.items()}
    descent = descent_by_calculus(tensors, chorales, pack(chorales).standardisation, 2, boundary, cost)
    for name, after in by_name(network).items():
        expected = before[name] + rate * descent[name].numpy()
        if name.startswith("M"):
            u, _, vh = np.linalg.svd(expected)
            expected = u @ vh
        assert np.abs(after - expected).max() < 1e-12, name


def by_name(network):
    weights = network.weights()
    return {name: weights[:, group.slice].reshape(-1, *group.shape).copy() for name, group in network.layout().items()}


@pytest.mark.parametrize("batch", [4, 300, None])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("depth", [1, 3])
def test_the_delayed_rule_is_that_of_appendix_b(depth, boundary, batch, music):
    chorales = music(*LENGTHS)
    network = DeepRNN(chorales, depth=depth, width=6, batch=batch, boundary=boundary, seed=3, precision="float64")
    # From K = 0, as published, the first deltas vanish: elsewhere it shows what is done with them.
    start = network.weights() + 0.1 * np.random.default_rng(1).standard_normal(network.weights().shape)
    network.put(start)
    data = pack(chorales)
    rolls = [multi_hot(chorale.pitches) for chorale in chorales]
    twin = AppendixB(
        weights={name: group[0] for name, group in by_name(network).items()},
        depth=depth,
        inputs=[data.standardisation(roll[:-1]).astype(np.float32).astype(float) for roll in rolls],
        targets=[roll[1:].astype(float) for roll in rolls],
        published_boundary=boundary == "published",
    )
    for _ in range(24):
        chosen = network.batches(1)[0, 0].tolist()
        twin.step(0.02, [(int(data.chorale[slot]), int(data.time[slot])) for slot in chosen])
        network.step(0.02)
        for name, group in by_name(network).items():
            assert np.abs(group[0] - twin.weights[name]).max() < 1e-12, name
    assert np.abs(network.weights() - start).max() > 0.05


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_full_gradient_is_the_average_over_all_slots(boundary, music):
    weights = random_weights(2, 5, n_replicas=2)
    passed = one_pass(weights, music(*LENGTHS), 2, boundary)
    n = sum(LENGTHS) - len(LENGTHS)
    full = gradients(*passed, batch=None)
    single = [gradients(*passed, batch=torch.tensor([[slot], [slot]])) for slot in range(n)]
    everyone = gradients(*passed, batch=torch.arange(n).flip(0).repeat(2, 1))
    for name, group in full.items():
        assert (sum(one[name] for one in single) / n - group).abs().max() < 1e-13, name
        assert (everyone[name] - group).abs().max() < 1e-13, name


def test_a_slot_drawn_twice_counts_twice_and_replicas_have_their_own_batches(music):
    passed = one_pass(random_weights(2, 5, n_replicas=2), music(*LENGTHS), 2, "before")
    single = [gradients(*passed, batch=torch.tensor([[slot], [slot]])) for slot in range(9)]
    drawn = gradients(*passed, batch=torch.tensor([[8, 2, 8], [0, 1, 0]]))
    for name, group in drawn.items():
        assert (group[0] - (2 * single[8][name][0] + single[2][name][0]) / 3).abs().max() < 1e-14, name
        assert (group[1] - (2 * single[0][name][1] + single[1][name][1]) / 3).abs().max() < 1e-14, name


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_delayed_errors_become_exact_when_nothing_moves_two_steps_a_chord(boundary, music):
    # What is remembered averages two steps, so each chord further from the end needs two more to settle.
    chorales = music(*LENGTHS)
    network = DeepRNN(chorales, depth=2, width=5, batch=None, boundary=boundary, precision="float64")
    network.step(0.1, 5)
    weights = {name: torch.tensor(group) for name, group in by_name(network).items()}
    network.put(network.weights())
    exact = torch.stack(one_pass(weights, chorales, 2, boundary)[3], 1).numpy()  # (R, depth, n, w)
    data = pack(chorales)
    later = np.array([chorales[c].n_transitions for c in data.chorale]) - 1 - data.time  # chords still to come
    silent = (data.time == 0) & (boundary == "published")  # delta = 0 from the first step on
    for settled in range(data.n_times):
        network.step(0, 1 if settled == 0 else 2)
        off = np.abs(network.state()["past"][0, 0] - exact[0]).max((0, 2))
        assert off[later <= settled].max() < 1e-14
        if settled + 1 < data.n_times - (boundary == "published"):
            assert (off[(later == settled + 1) & ~silent] > 1e-10).all()
    network.step(0)
    assert np.abs(network.state()["past"] - exact[:, None]).max() < 1e-14  # both remembered steps


@pytest.mark.parametrize("rule", ["delayed", "exact"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_pieces_of_two_chords_can_be_learned(boundary, rule, music):
    network = DeepRNN(music(2, 2, 2), depth=2, width=4, batch=5, rule=rule, boundary=boundary)
    losses = network.step(0.02, 30)[:, 0]
    assert losses[-1] < losses[0] == 1
