"""Whatever a user gives by mistake, a measurement answers with one line that names the argument, and computes nothing.

Every public function is called with every wrong thing in the place of each argument, the others being good ones. A new
function, or a new argument, is tried by itself: the table of good calls must have it.
"""

import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from classical import SphericalGlass
from classical.perceptron import (
    growth,
    overlap_function,
    pair_overlap,
    replica_symmetric,
    replica_symmetry_breaking,
)
from classical.spins import Bonds, chain, free_energy, gap_ratio
from encoding import InputError, encoding_named
from encoding.decoding import checked_prior, decode_expectations
from experiments import effective_rank, observables, replay, twins
from experiments.melting import levels_at
from experiments.observables.logistic import fit_logistic, logistic_nll
from experiments.store import Run
from quantum import Ladder
from quantum.coherent import checked_inputs
from quantum.dense import unitary

TIME = np.geomspace(1, 64, 25)
LAG = np.geomspace(0.1, 30, 40)


def curve(waiting: float, power: float = 0.6) -> observables.Displacement:
    return observables.Displacement(waiting, waiting * LAG, LAG[:, None] ** power * [1.0, 1.1, 0.95], None)


WRONG = {
    "nothing": None,
    "a word": "words",
    "a number beyond every float": 10**400,
    "an object": object(),
    "a ragged list": [[1.0], [2.0, 3.0]],
    "a table": {},
    "a complex number": 1j,
    "not a number": float("nan"),
    "an array of nothing": np.zeros((0, 3)),
    "a number too long to be shown": 10**5000,
}
STRANGE = [  # which may be an answer's beginning in one place and a mistake in another
    *(-1, 0, 0.0, 1, 2.5, 1e-320, 1e-150, 1e30, 1e300, np.inf, -np.inf, 2**63, -(10**400), True, np.True_),
    *("", "J", b"J", (), [], [[]], [1, 2], (2, 1), (0, np.inf), (np.nan, 1), (10**400, 10**401), np.array("J")),
    *(np.float32(3), np.zeros((2, 2)), np.ones((5, 2)), np.full((4, 4), 1e-320), np.full((4, 4), 1e300), np.eye(6)),
    *(np.arange(8.0), 1e59 * np.arange(1, 9), np.full(4, np.nan), np.array([1, "2", None], object), [None, 1]),
    *({"J": 1}, {1, 2}, range(3), range(10**12), iter([1]), lambda *given: given, int, np, curve),
]
FINE = {  # what is no mistake in that place
    ("compare_curves", "loss", "not a number"),
    ("bits_per_unit_to_nats_per_step", "loss", "not a number"),
    ("nats_per_step_to_bits_per_unit", "loss", "not a number"),
    ("bits_per_unit_to_nats_per_step", "loss", "an array of nothing"),
    ("nats_per_step_to_bits_per_unit", "loss", "an array of nothing"),
    ("baselines", "orders", "an array of nothing"),
    ("baselines", "seeds", "an array of nothing"),
    ("largest_stable_rate", "compared", "an array of nothing"),
}


@pytest.fixture(scope="module")
def good(planted, music, machine):
    """name of a function -> a good call of it."""
    rng = np.random.default_rng(0)
    loss = 0.1 + TIME[:, None] ** -0.6 * [1.0, 1.05, 0.97, 1.02]
    weights = rng.standard_normal((25, 4, 3)).cumsum(0)
    run = planted(TIME, loss, weights=weights, noise=1.0, groups={"J": (3, 2 * np.pi)})
    look = {"trajectory": run, "waiting": 1.0}
    learned = {"chorales": music(9, 7), "other": music(8, seed=3)}
    q = np.corrcoef(rng.standard_normal((6, 20)))
    flicker = 1 + 0.01 * rng.standard_normal((600, 2))
    seen = {"time": TIME, "loss": loss, "reference_time": TIME, "reference_loss": loss}
    chi = np.arange(5.0)[:, None] * [1.0, 1.1]
    widths = np.arange(60.0, 100.0, 5)
    compared = [observables.compare_curves(0.1, *seen.values(), since=1)]
    measured = {
        "activation_overlap": {"activations": rng.standard_normal((2, 9, 3)), "kind": "matched", "signs": True},
        "aging": look | {"group": "J", "kind": "noise", "temperature": "running", "periodic": False},
        "aging_by_group": look | {"kind": "noise", "temperature": "running", "periodic": False},
        "baselines": learned | {"orders": (1,), "width": 3, "seeds": (0,)},
        "bits_per_unit_to_nats_per_step": {"loss": 1.0, "n_units": 54},
        "collapse": {"curves": [curve(1.0), curve(2.0)], "window": (0.0, 9.0), "seed": 0},
        "compare_curves": {"rate": 0.1, **seen, "since": 1, "tolerance": 0.02},
        "compare_forms": {"curve": curve(2.0), "window": (0.2, 20), "forms": ("power", "logarithm"), "onset": 0.0},
        "critical_width": {
            "widths": widths,
            "inverse_times": 1e-3 * (widths - 50),
            "seed": 0,
            "n_draws": 100,
        },
        "displacement": look | {"group": "J", "periodic": False},
        "displacement_by_group": look | {"periodic": False},
        "fit_aging": {"curve": curve(2.0), "form": "power", "window": (0.2, 20), "onset": 0.0},
        "fluctuation_dissipation": {"response": chi, "displacement": 2 * chi, "temperature": 1.0},
        "h0_loss": learned,
        "irreducible_loss": {"chorales": learned["chorales"], "memory": 2, "encoding": lambda pitches: pitches},
        "largest_stable_rate": {"compared": compared},
        "learning_time": {"trajectory": run, "loss": 0.5, "floor": 0.0, "smoothing": 0.1},
        "logistic_loss": learned | {"standardisation": "global", "ridge": 1.0},
        "loss_against_width": {"losses": [0.1, 0.2, 0.3, 0.4], "critical_widths": [70.0, 60.0, 52.0, 40.0]},
        "loss_fluctuations": {"losses": flicker, "window": 5.0},
        "markov_loss": learned | {"order": 2, "strength": 1.0},
        "nats_per_step_to_bits_per_unit": {"loss": 1.0, "n_units": 54},
        "noise": {"trajectory": run, "group": "J", "kind": "noise"},
        "noise_against_batch": {"batch": [1, 4], "losses": [flicker, 1 + (flicker - 1) / 2], "window": 5.0},
        "overlap_distribution": {"q": q, "bins": 5, "seed": 0, "n_draws": 20},
        "overlaps": {"values": rng.standard_normal((2, 9)), "kind": "raw", "period": None},
        "power_law": {"trajectory": run, "window": (1.0, 64.0), "floor": 0.0},
        "readout_floor": {
            "chorales": learned["chorales"],
            "k": rng.standard_normal((54, 2)),
            "h0": rng.standard_normal(54),
            "encoding": lambda pitches: pitches,
        },
        "reservoir_loss": learned | {"width": 3, "seed": 0, "radius": 1.0, "ridge": 1.0, "standardisation": "global"},
        "short_time_exponent": {"curve": curve(2.0), "below": 1.0},
        "two_time_correlation": look | {"group": "J", "raw": False, "periodic": False},
        "ultrametricity": {"q": q, "seed": 0, "n_draws": 10},
    }
    glass = SphericalGlass(n_spins=6, n_replicas=2)
    spins = planted([0.0, 1.0], weights=np.stack([glass.weights()] * 2), groups={"spins": 6})
    asked = {"outputs": lambda w: np.ones((2, 2, 2)), "jacobian": lambda w: np.ones((2, 4, 3))}
    linear = machine(np.ones((2, 3)), gradient=np.zeros_like, **asked)
    named = {
        "clone_test": {"system": glass, "rate": 0.1, "lags": [0.1], "n_clones": 1, "waiting": 1.0, "seed": 0},
        "response": {
            "system": glass,
            "rate": 0.1,
            "field": 0.1,
            "lags": [0.1],
            "groups": ["spins"],
            "chunk": 1,
            "waiting": 1.0,
            "seed": 0,
        },
        "twin": {"system": glass},
        "replay": {"run": glass, "trajectory": spins},
        "function_displacement": {"run": glass, "trajectory": spins, "waiting": 0.0},
        "effective_parameters_on_data": {"system": linear, "tolerance": 1e-10},
        "kernel_rate": {"system": linear},
        "fit_logistic": {"inputs": chi, "targets": np.sign(chi - 2.5), "ridge": 1.0, "tolerance": 1e-8},
        "logistic_nll": {"inputs": chi, "targets": np.sign(chi - 2.5), "weights": np.eye(2)},
    }
    return measured | named


FUNCTIONS = {name: getattr(observables, name) for name in observables.__all__}
FUNCTIONS = {name: each for name, each in FUNCTIONS.items() if inspect.isfunction(each)}
OTHERS = (twins.clone_test, twins.response, twins.twin, replay.replay, replay.function_displacement)
OTHERS += (effective_rank.effective_parameters_on_data, effective_rank.kernel_rate)
FUNCTIONS |= {each.__name__: each for each in (*OTHERS, fit_logistic, logistic_nll)}
ARGUMENTS = [(name, each) for name, function in FUNCTIONS.items() for each in inspect.signature(function).parameters]


def place(argument: str) -> str:
    """What names an argument in a line: its own words, or one of several."""
    return argument.replace("_", " ").removesuffix("s")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_good_call_has_every_argument_and_is_answered(name, good):
    assert set(good[name]) == set(inspect.signature(FUNCTIONS[name]).parameters)
    FUNCTIONS[name](**good[name])


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_every_wrong_thing_in_every_place_is_one_line_that_names_the_place(name, argument, good):
    wrong = {what: value for what, value in WRONG.items() if (name, argument, what) not in FINE}
    if inspect.signature(FUNCTIONS[name]).parameters[argument].default is None:
        wrong.pop("nothing")
    for what, value in wrong.items():
        with pytest.raises(InputError) as refused:
            FUNCTIONS[name](**good[name] | {argument: value})
        said = str(refused.value)
        assert place(argument) in said.lower().replace("_", " "), f"{what}: {said}"
        assert "\n" not in said
        assert len(said) < 400


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_whatever_is_given_is_answered_or_refused_in_one_line_and_no_warning_is_heard(name, argument, good):
    for value in STRANGE:
        try:
            FUNCTIONS[name](**good[name] | {argument: value})
        except InputError as refused:
            lines = str(refused).splitlines()
            if len(lines) != 1:
                pytest.fail(f"{value!r:.60} is refused in {len(lines)} lines")


@pytest.mark.parametrize("name", [name for name, argument in ARGUMENTS if argument == "trajectory"])
def test_a_run_in_the_place_of_its_trajectory_is_told_so(name, good):
    call = good[name]
    run = Run(Path("runs/0"), {}, call["trajectory"], "bits")
    with pytest.raises(InputError, match=r"trajectory is a Trajectory.*; got a Run, which has one: give its \.traj"):
        FUNCTIONS[name](**call | {"trajectory": run})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("baselines", {"orders": range(10**12)}),
        ("baselines", {"orders": [0]}),
        ("baselines", {"seeds": "012"}),
        ("baselines", {"width": 300_000}),
        ("clone_test", {"n_clones": 10**9}),
        ("clone_test", {"lags": range(10**14)}),
        ("clone_test", {"rate": 1e-320}),
        ("clone_test", {"system": SphericalGlass}),
        ("collapse", {"curves": [curve(1.0), observables.Displacement(2.0, [1], [2], None)]}),  # type: ignore[list-item]  # as a user may
        ("collapse", {"curves": [curve(1.0), observables.Displacement("two", LAG, LAG[:, None], None)]}),  # type: ignore[arg-type]  # as a user may
        ("compare_curves", {"tolerance": -1}),
        ("compare_curves", {"time": TIME[::-1]}),
        ("compare_forms", {"forms": "power"}),
        ("compare_forms", {"forms": [["power"]]}),
        ("critical_width", {"n_draws": 10**12}),
        ("critical_width", {"widths": np.arange(60.0, 100.0, 5) * 1e300}),
        ("critical_width", {"inverse_times": np.arange(1, 9) * 1e-320}),
        ("effective_parameters_on_data", {"system": SphericalGlass(n_spins=6)}),
        ("effective_parameters_on_data", {"tolerance": 1}),
        ("fit_logistic", {"tolerance": -1}),
        ("fit_logistic", {"ridge": 1e-320}),
        ("fluctuation_dissipation", {"temperature": 1e-320}),
        ("irreducible_loss", {"encoding": lambda pitches: [object()] * len(pitches)}),
        ("irreducible_loss", {"chorales": [SimpleNamespace(pitches="C E G")]}),
        ("kernel_rate", {"system": SphericalGlass(n_spins=6)}),
        ("largest_stable_rate", {"compared": [0.1, 0.2]}),
        ("loss_fluctuations", {"losses": 1e-200 * np.arange(100.0)}),
        ("loss_fluctuations", {"window": 1e300}),
        ("markov_loss", {"order": 10**9}),
        ("markov_loss", {"strength": "strong"}),
        ("noise", {"kind": np.array(["noise", "noise"])}),
        ("noise_against_batch", {"losses": [1.0, 2.0]}),
        ("overlap_distribution", {"bins": 10**9}),
        ("overlap_distribution", {"bins": [[0, 1], [1, 2, 3]]}),
        ("overlap_distribution", {"n_draws": 10**12}),
        ("overlap_distribution", {"seed": -1}),
        ("overlaps", {"values": [[1e200, 1.0], [1.0, 1e200]]}),
        ("readout_floor", {"k": np.full((54, 2), 1e5)}),
        ("readout_floor", {"k": np.ones((53, 2))}),
        ("readout_floor", {"h0": np.full(54, 1e300)}),
        ("reservoir_loss", {"width": 300_000}),
        ("reservoir_loss", {"radius": 1e300}),
        ("response", {"field": 1e-320}),
        ("response", {"field": 1e300}),
        ("response", {"groups": 3}),
        ("response", {"groups": [["spins"]]}),
        ("response", {"system": Run}),
        ("ultrametricity", {"n_draws": 10**12}),
    ],
)
def test_what_would_take_for_ever_or_leave_the_numbers_is_refused_at_once(name, given, good):
    with pytest.raises(InputError) as refused:
        FUNCTIONS[name](**good[name] | given)
    assert place(next(iter(given))) in str(refused.value).replace("_", " ")
    assert "\n" not in str(refused.value)


def test_what_a_fit_is_asked_is_a_number(good):
    fit = observables.fit_aging(**good["fit_aging"])
    width = observables.critical_width(**good["critical_width"])
    line = observables.loss_against_width(**good["loss_against_width"])
    for ask in (fit, fit.parameters["A"].holds, width.quadratic_curve, width.power_curve, line.line):
        for wrong in ("words", None, 10**400, [[1.0], [2.0, 3.0]]):
            with pytest.raises(InputError, match=r"real number|is a number"):
                ask(wrong)  # type: ignore[arg-type]  # as a user may
    assert np.isfinite(fit(np.array([1.0, 2.0]))).all()


NO_ARRAY = {
    "words": ["0.1", "0.2"],
    "complex numbers": np.array([0.1j, 0.2]),
    "masked": np.ma.masked_array([0.1, 0.2], [True, False]),
    "ragged": [[0.1], [0.1, 0.2]],
    "truth values": [True, False],
    "a tensor that wants a gradient": torch.tensor([0.1, 0.2], requires_grad=True),
}
READERS = {  # and something that they take
    "fields of spins": (lambda given: chain([[[1.0]]]).apply(given), [1.0, -1.0]),
    "magnetisations": (lambda given: free_energy(chain([[[1.0]]]), given, 1.0), [0.1, 0.2]),
    "levels of a matrix": (gap_ratio, [0.1, 0.2, 0.4, 0.5]),
    "bonds": (lambda given: chain([given]), [[0.1, 0.2]]),
    "overlaps of layers": (lambda given: pair_overlap(given, given), [[1, -1]]),
    "levels of replicas": (lambda given: replica_symmetry_breaking(1.0, 2, given), [0.1, 0.2]),
    "transitions": (growth, [1.0, 2.0, 3.0]),
    "shares of pairs": (lambda given: overlap_function(replica_symmetric(1.0, 2), 0, given), [0.1, 0.2]),
    "spins of a glass": (lambda given: SphericalGlass(n_spins=3).put(given), [[0.1, 0.2, 0.3]]),
    "angles of a ladder": (lambda given: unitary(Ladder(2), given), np.zeros(Ladder(2).n_angles)),
    "angles of chords": (lambda given: checked_inputs(given, 1), [[0.1], [0.2]]),
    "expectation values": (lambda given: decode_expectations(given, encoding_named("pitch-class")), [0.1, 0.2]),
    "a prior": (lambda given: checked_prior(given, 2), [0.1, 0.2]),
    "temperatures": (lambda given: levels_at(Bonds({(0, 1): np.ones((2, 3, 3))}), given), [0.1, 0.2]),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("wrong", NO_ARRAY)
def test_what_is_no_array_of_real_numbers_is_nowhere_made_one(reader, wrong):
    read, good = READERS[reader]
    read(good)
    with pytest.raises(InputError) as refused:
        read(NO_ARRAY[wrong])
    assert "\n" not in str(refused.value)
