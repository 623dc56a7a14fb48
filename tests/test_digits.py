"""Digit classifiers: their gradient is that of autograd, their steps are torch's, and they learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from classical.digits import DigitClassifier, hinge
from classical.digits.kernels import compiled
from classical.digits.order import Order
from classical.spins import Bonds, melting_temperature, transition_temperature
from encoding import InputError
from encoding.digits import Digits, load_digits
from experiments import Looks, Store, Task, Until, linear, load_run, melting_along, system_of
from experiments.figures.of_study import answers_of
from experiments.figures.spin_models import spin_models
from experiments.images import Images
from experiments.study import load_study
from experiments.sweep import sweep

compiled()  # before the clock of any test runs
RNG = np.random.default_rng(0)
PIXELS, LABELS = RNG.integers(0, 256, (45, 12)).astype(np.uint8), RNG.integers(0, 10, 45)
DIGITS = Digits(PIXELS[:37], LABELS[:37], PIXELS[37:], LABELS[37:])


def network(digits=DIGITS, **said):
    return DigitClassifier(digits, **{"hidden": (8, 6), "batch": 7} | said)


@pytest.fixture(scope="module")
def small():
    return load_digits("small")


# Nothing of ours below: the network as torch and autograd have it


class Straight(torch.autograd.Function):
    """Forward the sign (28), +1 at 0; back the slope of a hard tanh (29)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx, *grad):
        (x,) = ctx.saved_tensors
        return grad[0] * ((x > -1) & (x < 1))


def inputs(made, images):
    if made.settings.activation == "binary":
        return torch.where(torch.tensor(images / 255.0) >= made.settings.threshold, 1.0, -1.0).double()
    if made.settings.scaling == "unit":
        return torch.tensor(images / 255.0)
    return torch.tensor((images - DIGITS.images.mean()) / DIGITS.images.std())


def parameters(made, dtype=torch.float64):
    """Weights by name, leaves of autograd."""
    flat = torch.tensor(made.weights()[0], dtype=dtype)
    return {name: flat[g.slice].reshape(g.shape).requires_grad_() for name, g in made.layout().items()}


def torch_loss(made, weights, images, labels):
    phi = Straight.apply if made.settings.activation == "binary" else torch.relu
    state, depth = inputs(made, images).to(weights["J1"].dtype), len(made.settings.hidden) + 1
    for k in range(1, depth + 1):
        field = state @ weights[f"J{k}"] + weights.get(f"b{k}", 0.0)
        state = field if k == depth else phi(field)
    return torch.nn.MultiMarginLoss(p=2, margin=made.settings.margin)(state, torch.tensor(labels))


KINDS = [
    {"activation": "relu"},
    {"activation": "relu", "scaling": "unit", "biases": True, "variance": 5.0},
    {"activation": "binary"},
    {"activation": "binary", "biases": True, "threshold": 0.3, "margin": 2.5},
]


@pytest.mark.parametrize("said", KINDS, ids=str)
def test_loss_and_gradient_are_those_of_autograd(said):
    made = network(**said, n_looked=37)
    made.step(1e-3, 9)  # biases, too, are no zeros any more
    weights = parameters(made)
    loss = torch_loss(made, weights, DIGITS.images, DIGITS.labels)
    assert made.loss() == pytest.approx(loss.item(), rel=1e-5)
    for name, group in made.layout().items():
        wanted = torch.autograd.grad(loss, weights[name], retain_graph=True)[0].numpy().ravel()
        np.testing.assert_allclose(made.gradient()[0, group.slice], wanted, atol=2e-6 * np.abs(wanted).max(), rtol=1e-4)


@given(seed=st.integers(0, 2**63 - 1), hidden=st.lists(st.integers(1, 9), min_size=1, max_size=4))
@settings(max_examples=25)
def test_the_gradient_of_relus_is_the_slope_of_the_loss(seed, hidden):
    made = network(hidden=tuple(hidden), seed=seed)  # a bias of a unit behind silent ones would stand at the kink
    w, g = made.weights(), made.gradient()
    along = g if g.any() else np.ones_like(g)  # where all units are silent the loss is flat
    along = along / np.linalg.norm(along)
    losses, step = [], 2e-4 / max(1.0, float(np.linalg.norm(g)) / made.loss()[0])
    for side in (step, -step):
        made.put(w + side * along)
        losses.append(made.loss()[0])
    moved = float(np.vdot((w + step * along).astype("f4") - (w - step * along).astype("f4"), g))  # as it was rounded
    assert losses[0] - losses[1] == pytest.approx(moved, rel=0.02, abs=2e-6 * losses[0])


FAST = {"hidden": (16, 32), "kernel": "fast"}


@pytest.mark.parametrize("kernel", [{"kernel": "plain"}, FAST], ids=str)
@pytest.mark.parametrize("said", [{}, {"activation": "binary", "biases": True}, {"momentum": 0.0}], ids=str)
def test_steps_are_those_of_torch_with_momentum(said, kernel):
    made = network(**said, **kernel, seed=3)
    weights, order = parameters(made, torch.float32), Order(37, 7)
    sgd = torch.optim.SGD(list(weights.values()), lr=2e-3, momentum=made.settings.momentum)
    for step in range(20):  # more than three epochs, the last batch of each being smaller
        images = order.images(3, 0, step)
        sgd.zero_grad()
        loss = torch_loss(made, weights, DIGITS.images[images], DIGITS.labels[images])
        loss.backward()
        assert made.step(2e-3)[0, 0] == pytest.approx(loss.item(), rel=1e-4)
        sgd.step()
    for name, group in made.layout().items():
        np.testing.assert_allclose(made.weights()[0, group.slice], weights[name].detach().ravel(), rtol=1e-4, atol=1e-5)


@given(
    st.integers(0, 2**32),
    st.lists(st.sampled_from([16, 32, 48]), min_size=1, max_size=4),
    st.integers(1, 40),
    st.sampled_from(["relu", "binary"]),
    st.booleans(),
)
@settings(max_examples=25)
def test_both_kernels_make_the_same_steps(seed, hidden, n_images, activation, biases):
    rng = np.random.default_rng(seed)
    pixels, labels = rng.integers(0, 256, (n_images, 2 + seed % 30)).astype(np.uint8), rng.integers(0, 10, n_images)
    drawn = Digits(pixels, labels, pixels, labels)
    said = {"hidden": tuple(hidden), "batch": 1 + seed % n_images, "activation": activation, "biases": biases}
    fast, plain = (network(drawn, **said, seed=seed, kernel=kernel) for kernel in ("fast", "plain"))
    np.testing.assert_allclose(fast.step(1e-4, 9), plain.step(1e-4, 9), rtol=1e-4)
    for name in ("weights", "velocity"):
        wanted = plain.state()[name]
        np.testing.assert_allclose(fast.state()[name], wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())


def test_a_kernel_is_fast_where_layers_are_whole_vectors():
    assert network(hidden=(16, 48)).kernel.startswith("fast, ")
    assert network().kernel == "plain"
    with pytest.raises(InputError, match=r"hidden layers come in whole vectors of .* units; got 6: ask for plain"):
        network(hidden=(16, 6), kernel="fast")
    with pytest.raises(InputError, match="kernel of a digit classifier is fast or plain; got 'graph'"):
        network(kernel="graph")
    with pytest.raises(InputError, match="learns on cpu; got device 'cuda'"):
        network(device="cuda")


@given(st.integers(0, 2**32), st.integers(1, 20), st.floats(0.1, 20))
@settings(max_examples=50)
def test_the_hinge_is_that_of_torch(seed, n, margin):
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(0, 10, (n, 10)).astype("f4"), rng.integers(0, 10, n)
    given_to = torch.tensor(scores.astype(float), requires_grad=True)
    loss = torch.nn.MultiMarginLoss(p=2, margin=margin)(given_to, torch.tensor(labels))
    loss.backward()
    costs, slopes = hinge(scores, labels, margin)
    assert costs.mean() == pytest.approx(loss.item(), rel=1e-12)
    assert given_to.grad is not None
    np.testing.assert_allclose(slopes / n, given_to.grad, rtol=1e-10, atol=1e-12)


def test_a_unit_without_a_field_is_up_and_a_pixel_at_the_threshold_is_up_too():
    images = np.array([[0, 127, 128, 255]], np.uint8)
    three = Digits(images, np.array([3]), images, np.array([3]))
    made = network(three, activation="binary", hidden=(2,), threshold=128 / 255, batch=None)
    made.put(np.concatenate([[1, 0] * 4, np.ones(20)])[None])  # fields -1 - 1 + 1 + 1 and 0: both units are +1
    np.testing.assert_array_equal(made.outputs(), np.full((1, 1, 10), 2.0))


# Order and start


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**63 - 1), st.integers(0, 5))
@settings(max_examples=50)
def test_an_epoch_sees_every_image_once(n_images, batch, seed, epoch):
    order = Order(n_images, min(batch, n_images))
    steps = [order.images(seed, 2, epoch * order.n_batches + place) for place in range(order.n_batches)]
    assert sorted(np.concatenate(steps)) == list(range(n_images))
    assert {len(images) for images in steps[:-1]} <= {order.batch}


def test_the_order_is_a_function_of_seed_replica_and_epoch_alone():
    order, other = Order(50, 10), Order(50, 10)
    seen = {(s, r, e): order.images(s, r, 5 * e).tolist() for s in (0, 1) for r in (0, 1) for e in (0, 1)}
    assert len({tuple(images) for images in seen.values()}) == 8
    for (s, r, e), images in reversed(seen.items()):
        assert other.images(s, r, 5 * e).tolist() == images


def test_bonds_start_with_the_variance_of_kaiming_and_melt_where_the_formula_has_it():
    pixels = RNG.integers(0, 256, (1, 400)).astype(np.uint8)
    zero = Digits(pixels, np.array([0]), pixels, np.array([0]))
    made = network(zero, hidden=(300, 300), n_replicas=2, variance=3.0, batch=None)
    for (k, _), block in made.couplings().items():
        assert block.var() * [400, 300, 300][k] == pytest.approx(3, rel=0.1)
    bonds = Bonds(made.couplings())
    assert bonds.sizes == (400, 300, 300, 10)
    wanted = transition_temperature(bonds.sizes, 3.0)
    assert melting_temperature(bonds).temperature == pytest.approx(wanted, rel=0.05)


# What a System shows


def test_the_loss_is_the_mean_hinge_of_the_first_images_whatever_the_batch():
    losses = [network(batch=batch, n_looked=11).loss() for batch in (None, 5)]
    assert losses[0] == losses[1]
    weights = parameters(network())
    assert losses[0] == pytest.approx(torch_loss(network(), weights, DIGITS.images[:11], DIGITS.labels[:11]).item())


def test_the_noise_is_the_variance_of_the_gradients_of_single_images():
    made = network(scaling="unit", biases=True, batch=7)
    each = []
    for n in range(37):
        alone = Digits(DIGITS.images[n : n + 1], DIGITS.labels[n : n + 1], DIGITS.valid_images, DIGITS.valid_labels)
        one = network(alone, scaling="unit", biases=True, batch=None)
        each.append(one.gradient()[0].astype(float))  # weights start as those of `made` do
    variances = np.var(each, axis=0) / 7 * (37 - 7) / 36
    wanted = [variances[group.slice].mean() for group in made.layout().values()]
    np.testing.assert_allclose(made.noise(), [wanted], rtol=1e-3)
    assert not network(batch=None).noise().any()


def test_weights_that_are_put_have_no_velocity():
    made, fresh = network(), network()
    made.step(1e-3, 5)
    fresh.put(made.weights())
    made.put(made.weights())
    assert not made.state()["velocity"].any()
    assert fresh.loss() == made.loss()


@pytest.mark.parametrize("kernel", [{"kernel": "plain"}, FAST], ids=str)
def test_a_replica_leaves_the_finite_numbers_at_the_same_step_however_its_steps_are_cut(kernel, monkeypatch):
    whole, pieces = (network(n_replicas=2, activation="binary", **kernel) for _ in "12")
    monkeypatch.setenv("ARMONICA_THREADS", "2")
    rates = [10.0, 1e-4]
    losses = whole.step(rates, 130)
    apart = np.concatenate([pieces.step(rates, n) for n in (1, 70, 59)])
    np.testing.assert_array_equal(losses, apart)
    lost = np.isnan(losses[:, 0])
    assert 0 < lost.argmax() < 130
    assert lost[lost.argmax() :].all()
    assert not np.isnan(losses[:, 1]).any()
    np.testing.assert_equal(whole.state(), pieces.state())


@pytest.mark.parametrize(("activation", "error"), [("relu", 0.12), ("binary", 0.17)])
def test_it_learns_digits_it_has_not_seen(small, activation, error):
    made = DigitClassifier(small, activation=activation, hidden=(64, 64), n_replicas=2)
    assert (made.measure()["error"] > 0.8).all()
    before = melting_temperature(Bonds(made.couplings())).temperature
    made.step(1e-3, 12 * made.steps_per_epoch)
    assert (made.measure()["error"] < error).all()
    assert (made.measure()["train_error"] < 0.03).all()
    assert (melting_temperature(Bonds(made.couplings())).temperature > 1.5 * before).all()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"activation": "tanh"}, "activation is one of relu, binary; got 'tanh'"),
        ({"hidden": ()}, "hidden is 1 to 100 layers; got 0"),
        ({"hidden": 512}, "hidden is the units of each hidden layer, as 512,512,512; got 512"),
        ({"hidden": ("8", "x")}, "hidden is the units of each hidden layer"),
        ({"hidden": (8, 0)}, "hidden is a whole number of at least 1; got 0"),
        ({"batch": 0}, "batch is a whole number of at least 1; got 0"),
        ({"batch": 38}, "batch is at most the 37 images there are; got 38"),
        ({"momentum": 1.0}, "momentum is a finite number of at most 0.9999; got 1.0"),
        ({"margin": 0}, "margin is a finite number above 0; got 0"),
        ({"variance": np.nan}, "variance is a finite number"),
        ({"n_looked": 0}, "n_looked is a whole number"),
        ({"biases": "no"}, "biases is True or False; got 'no'"),
        ({"activation": "binary", "scaling": "unit"}, "scaling unit is of activation relu"),
        ({"threshold": 0.2}, "threshold is of activation binary"),
        ({"width": 3}, "DigitClassifier has the settings activation"),
        ({"digits": np.zeros(3)}, "learns from Digits, see load_digits; got ndarray"),
        ({"digits": Digits(PIXELS * 0, LABELS, PIXELS, LABELS)}, "images have pixels that differ; all of them are 0"),
        ({"hidden": (65536,) * 9}, "need about .* GB of memory"),
        ({"seed": -1}, "seed is a whole number"),
    ],
)
def test_what_makes_no_network_is_refused_in_a_line(said, why):
    with pytest.raises(InputError, match=why) as refused:
        network(**said)
    assert "\n" not in str(refused.value)


def test_states_and_weights_of_other_networks_are_refused():
    made = network()
    for other in (network(margin=3), network(Digits(PIXELS[:36], LABELS[:36], PIXELS, LABELS)), network(hidden=(6, 8))):
        with pytest.raises(InputError, match=r"another system's state|with other settings or other data"):
            made.restore(other.state())
    with pytest.raises(InputError, match="entries that are not finite"):
        made.restore(made.state() | {"velocity": np.full_like(made.state()["velocity"], np.nan)})
    for weights in (np.zeros(3), 0.0, "J"):
        with pytest.raises(InputError, match="weights are"):
            made.couplings(weights)
    with pytest.raises(InputError, match="not finite: did the run diverge"):
        Bonds(made.couplings(np.full((2, made.weights().shape[1]), np.inf)))


# Runs


@pytest.fixture
def files(tmp_path):
    """A file of these digits, and the same elsewhere."""
    for name in ("mine.npz", "yours.npz"):
        np.savez(tmp_path / name, x=DIGITS.images, y=DIGITS.labels, xt=DIGITS.valid_images, yt=DIGITS.valid_labels)
    return tmp_path / "mine.npz", tmp_path / "yours.npz"


def task(path, **said):
    chosen = {"hidden": "8,6", "batch": 7} | said
    return Task("digits", chosen, 1e-3, look=Looks(weights=linear(0.006)), images=Images(path))


def test_the_key_of_a_task_names_the_digits_and_not_their_file(files):
    mine, yours = (task(file) for file in files)
    assert mine.key == yours.key
    assert mine.images != yours.images
    assert mine.key != task("small").key
    assert mine.key != task(files[0], momentum=0.5).key
    assert task(files[0], momentum=0.9).key == mine.key


def test_a_run_is_gone_on_with_and_its_weights_are_those_of_every_epoch(files):
    store, mine = Store(files[0].parent / "runs"), task(files[0])
    store.learn(mine, until=Until(steps=10))
    run = store.learn(task(files[1]), until=Until(steps=24))
    whole = network()
    for weights in run.trajectory.weights:
        np.testing.assert_array_equal(weights, whole.weights())
        whole.step(1e-3, whole.steps_per_epoch)
    assert len(run.trajectory.weights) == 5
    couplings = whole.couplings(run.trajectory.weights)
    assert Bonds(couplings).shape == (5, 1)
    assert set(run.trajectory.measured) == {"error", "train_error"}
    assert run.digits().sha256 == DIGITS.sha256
    now = system_of(run)
    assert now.state()["step"].tolist() == [24]
    np.testing.assert_array_equal(system_of(run, 1).weights(), run.trajectory.weights[1])
    np.savez(files[0], x=DIGITS.images, y=(DIGITS.labels + 1) % 10, xt=DIGITS.valid_images, yt=DIGITS.valid_labels)
    with pytest.raises(InputError, match="learned from other digits than"):
        run.digits()


def test_digits_are_learned_by_the_command(files, armonica, complaint, capsys):
    words = ["learn", "--system", "digits", "--data", files[0], "--store", files[0].parent / "runs"]
    assert armonica(*words, "--set", "hidden=8,6", "--set", "batch=7", "--until-steps", 40, "--keep-weights") == 0
    said = capsys.readouterr()
    assert "<Digits: 37 + 8 images of 12 pixels" in said.out
    assert "train_error" in said.out
    assert complaint(*words, "--source", "jsb").endswith("digits learns from no music; got --source: leave it out")
    assert "learns from no digits; got --data" in complaint("learn", "--system", "spherical-glass", "--data", "small")
    assert "nowhere is not there" in complaint("learn", "--system", "digits", "--data", files[0].parent / "nowhere")
    assert "plays networks that learned chorales" in complaint("listen", "latest", "--store", files[0].parent / "runs")


def test_digits_are_given_to_what_learns_from_digits_alone(music):
    with pytest.raises(InputError, match="spherical-glass learns from nothing; got Images"):
        Task("spherical-glass", {}, 0.1, images=Images())
    with pytest.raises(InputError, match="digits learns from digits; got 'small' as images"):
        Task("digits", {}, 0.1, images="small")  # type: ignore[arg-type]  # as a user may
    with pytest.raises(InputError, match="digits are named by small, mnist, download, or a path; got 3"):
        Images(3)  # type: ignore[arg-type]  # as a user may


def test_the_smoke_study_is_learned_in_seconds_and_glass_melts_at_the_larger_rate_alone(tmp_path):
    study, store = load_study("digits", "smoke"), Store(tmp_path)
    assert [state.over for state in sweep(study, store)] == ["done"] * 4
    for planned in study.planned:
        run = store.learn(planned.task, until=planned.until)
        system = system_of(run)
        assert isinstance(system, DigitClassifier)
        weights = run.trajectory.weights[:, 0]
        assert len(weights) == 9  # at the start and after eight epochs
        t_c = melting_temperature(Bonds(system.couplings(weights))).temperature
        assert (t_c[-1] > 1.8 * t_c[0]) == (planned.rate == 1e-3)
    _check_figure(spin_models(answers_of(study, store), "digits"))


def _check_figure(picture):
    """Curves of all runs against epochs, from the start on; the temperature of fresh weights; tails of what learned."""
    for panel in ("error", "melting", "largest", "spacing"):
        assert picture.panels[panel].x == "epochs"
        drawn = [one for one in picture.in_panel(panel) if one.kind in ("line", "extra")]
        assert len({one.name.removesuffix(": T of the least eigenvalue") for one in drawn}) == 4
        for one in drawn:
            assert one.x[-1] == pytest.approx(8)
            if panel != "error":  # of weights, after each epoch
                np.testing.assert_allclose(one.x, np.round(one.x), atol=1e-6)
        assert min(one.x[0] for one in drawn) == 0
    proper = [one for one in picture.in_panel("proper") if one.kind in ("line", "extra")]
    assert {round(one.x[-1], 6) for one in proper} == {0.36, 0.0036}
    fresh = transition_temperature([64, 64, 64, 10], 2.0)
    assert [one.y[0] for one in picture.in_panel("melting") if one.kind == "floor"] == [fresh]
    tails = [note for note in picture.notes if "5 % or more beyond Marchenko and Pastur's edge at 8 epochs" in note]
    assert ["0, 0, " in note.rsplit(": ", 1)[1] for note in tails].count(True) < len(tails) == 4


def test_hidden_layers_are_named_by_a_list_or_by_text_as_the_command_has_it():
    digits = load_digits("small")
    for hidden in ("128", "12,7", [12, 7], np.array([3])):
        sizes = DigitClassifier(digits, hidden=hidden).settings.hidden
        assert sizes == ((128,) if hidden == "128" else (3,) if len(hidden) == 1 else (12, 7))
    for hidden in (b"\x10", {3, 4}, 5, "12;7"):
        with pytest.raises(InputError, match="hidden is the units of each hidden layer, as 512,512,512; got"):
            DigitClassifier(digits, hidden=hidden)


def test_weights_that_are_not_those_written_are_not_drawn(tmp_path):
    task = Task("digits", {"hidden": "16"}, 1e-3, images=Images("small"), look=Looks(weights=linear(0.02)))
    run = Store(tmp_path).learn(task, until=Until(time=0.06))
    melting_along(run, spacings=False)
    path = run.path / "weights.f32"
    whole = path.read_bytes()
    for place in (40, len(whole) - 8):
        path.write_bytes(whole[:place] + b"abcd" + whole[place + 4 :])
        with pytest.raises(InputError, match=r"weights\.f32 is not as it was written"):
            melting_along(load_run(run.path), spacings=False)
