"""Sampled circuits against the exact channel, for every schedule; what samplers may be, and how they fail."""

from typing import Any

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.primitives import BackendSamplerV2, BaseSamplerV2, StatevectorSampler
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from scipy.stats import chi2

from encoding import InputError, encoding_named, pack
from quantum import Block, Ladder
from quantum.exact import Exact
from quantum.music import chord_angles, played
from quantum.samplers import Sampler, SamplerFailed
from quantum.shots import Shots
from quantum.sources import Source, features_of

S = 2000


def block_of(schedule, n_data=2, n_history=1):
    return Block(Ladder(n_data + n_history, 2), n_data=n_data, schedule=schedule)


def angles_of(block, n=2, seed=1):
    return np.random.default_rng(seed).uniform(-3, 3, (n, block.ladder.n_angles))


def rng(seed=0):
    return np.random.default_rng(seed)


def pvalue(seen, expected, shots):
    """Chi-square of averages about expectation values."""
    z = (seen - expected) / np.sqrt((1 - expected**2) / shots)
    return chi2.sf((z**2).sum(), z.size)


def assert_shows(seen, expected, other, shots):
    """The frequencies are those expected, and not those of something else."""
    assert 1e-3 < pvalue(seen, expected, shots) < 1 - 1e-4
    assert pvalue(seen, other, shots) < 1e-6


@pytest.mark.parametrize(("schedule", "observables"), [("coherent", "ZX"), ("staggered", "Z")])
@pytest.mark.parametrize("feed_forward", [True, False])
def test_whole_pieces_show_the_channel(sung, schedule, observables, feed_forward):
    block, (music, chords) = block_of(schedule), sung((3, 2, 2), 2)
    source: Source = Sampler(block, chords, None, S, observables=observables, feed_forward=feed_forward)
    angles = rng(1).uniform(-3, 3, (2, 3, block.ladder.n_angles))  # each chord has its own
    exact = Exact(block, music, observables)
    other = exact.whole(angles[:, [0, 0, 1]], rng())
    assert_shows(source.whole(angles, rng()), exact.whole(angles, rng()), other, S)


@pytest.mark.parametrize("observables", ["Z", "ZX"])
def test_chords_with_their_history_turned_show_the_channel(sung, observables):
    block, (music, chords) = block_of("measured", 2, 2), sung((3, 2), 2)
    angles, turns = angles_of(block), rng(2).uniform(-1, 4, (2, 2, 2))
    seen, averages = Sampler(block, chords, None, S, observables=observables).chord(1, angles, turns, rng())
    exact = Exact(block, music, observables)
    other, _ = exact.chord(1, angles, turns + np.array([0.3, 0]), rng())
    assert_shows(seen, exact.chord(1, angles, turns, rng())[0], other, S)
    np.testing.assert_array_equal(averages, seen[..., 2:4])


def test_job_after_job_averages_come_back(sung):
    block, (music, chords) = block_of("measured"), sung((4, 2), 2)
    angles = angles_of(block, 1)
    seen = features_of(Sampler(block, chords, None, S), np.repeat(angles, 30, 0), rng())
    error = seen.std(0) / np.sqrt(len(seen))
    exact, other = (features_of(Exact(block, music), a, rng())[0] for a in (angles, angles + 0.1))
    assert (abs(seen.mean(0) - exact) < 4.5 * error + 2 / S).all()
    assert abs((seen.mean(0) - other) / error).max() > 10


@pytest.mark.parametrize("feed_forward", [True, False])
def test_single_shots_with_feed_forward_are_the_stochastic_network(sung, feed_forward):
    block, (music, chords) = block_of("measured", 1, 2), sung((3,), 1)
    angles, n = angles_of(block, 1), 1000
    circuits = Sampler(block, chords, None, 1, feed_forward=feed_forward)
    seen = features_of(circuits, np.repeat(angles, n, 0), rng())
    assert set(seen.ravel()) == {-1.0, 1.0}
    ours = features_of(Shots(block, music, "Z", 1), np.repeat(angles, 100 * n, 0), rng()).mean(0)
    averaged = features_of(Exact(block, music), angles, rng())[0]  # averages come back in place of outcomes
    assert_shows(seen.mean(0), ours, averaged, n)


def test_chorales_are_the_same_to_circuits_and_to_the_channel(music):
    chorales, note = music(3, 4), encoding_named("pitch-class")
    slots = pack(chorales)
    block = Block(Ladder(5, 1), n_data=4, schedule="coherent", rotations=note)
    kets = played(chorales, slots, note, dtype=torch.complex128)
    exact = features_of(Exact(block, kets), angles_of(block), rng())
    source = Sampler(block, chord_angles(chorales, slots, note), None, S)
    assert source.offsets == kets.offsets
    assert_shows(features_of(source, angles_of(block), rng()), exact, exact[:, ::-1], S)


def test_every_call_has_numbers_of_its_own_and_a_generator_repeats_them(sung):
    block, (_, chords) = block_of("coherent"), sung((2,), 2)
    source, angles, draw = Sampler(block, chords, None, 50), angles_of(block, 2)[[0, 0]], rng(3)
    first, second = features_of(source, angles, draw), features_of(source, angles, draw)
    assert (first != second).any()
    assert (first[0] != first[1]).any()  # nor do variants of one job repeat each other
    np.testing.assert_array_equal(features_of(source, angles, rng(3)), first)


@pytest.mark.parametrize(
    "sampler",
    [
        SamplerV2(seed=3),
        SamplerV2(options={"run_options": {"seed_simulator": 3}}),
        StatevectorSampler(seed=3),
        BackendSamplerV2(backend=AerSimulator(), options={"seed_simulator": 3}),
        SamplerV2(options={"backend_options": {"seed_simulator": 3}}),
        BackendSamplerV2(backend=AerSimulator(seed_simulator=3)),
        SamplerV2.from_backend(AerSimulator(seed_simulator=3)),
    ],
)
def test_a_sampler_that_would_repeat_itself_is_refused(sung, sampler):
    with pytest.raises(InputError, match="the same numbers at every call"):
        Sampler(block_of("coherent"), sung((2,), 2)[1], sampler, 10)


def test_a_generator_in_place_of_a_seed_goes_on_from_call_to_call(sung):
    goes_on = StatevectorSampler(seed=np.random.default_rng(0))
    Sampler(block_of("coherent"), sung((2,), 2)[1], goes_on, 10)
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    seen = [goes_on.run([(circuit,)], shots=50).result()[0].data["c"].get_bitstrings() for _ in range(2)]
    assert seen[0] != seen[1]


def test_a_pass_manager_that_gives_no_circuit_back_is_refused(sung):
    class Mute:
        def run(self, circuit):
            return None

    block, (_, chords) = block_of("coherent"), sung((2,), 2)
    with pytest.raises(InputError, match="gives the circuit back, for a machine; got None"):
        features_of(Sampler(block, chords, None, 10, pass_manager=Mute()), angles_of(block), rng())


@pytest.mark.parametrize("make", [SamplerV2, lambda: BackendSamplerV2(backend=AerSimulator())])
def test_samplers_without_a_seed_are_taken_as_they_are(sung, make):
    block, (music, chords) = block_of("coherent"), sung((2,), 2)
    angles = angles_of(block, 1)
    seen = features_of(Sampler(block, chords, make(), S), angles, rng())
    exact = features_of(Exact(block, music), angles, rng())
    assert abs((seen - exact) / np.sqrt((1 - exact**2) / S)).max() < 6  # drawn from the system: 4 numbers, 1e-8


def test_circuits_are_made_ready_for_a_machine_once(sung):
    """Of a line of three qubits, with its own gates; angles that no reading depends on are left out."""
    passes = generate_preset_pass_manager(3, basis_gates=["rz", "sx", "x", "cz"], coupling_map=[[0, 1], [1, 2]])

    class Counted:
        made = 0

        def run(self, circuit):
            Counted.made += 1
            return passes.run(circuit)

    for schedule, n_circuits in (("coherent", 2), ("measured", 1)):
        Counted.made = 0
        block, (music, chords) = block_of(schedule), sung((2, 1), 2)
        angles = angles_of(block)
        source = Sampler(block, chords, None, S, pass_manager=Counted())
        seen = [features_of(source, angles, rng(seed)) for seed in (1, 2)]
        assert Counted.made == n_circuits  # lengths of pieces; of chords there is one
        first = slice(0, 2)  # of both pieces: nothing was averaged before
        exact = features_of(Exact(block, music), angles, rng())[:, first]
        assert_shows((seen[0] + seen[1])[:, first] / 2, exact, -exact, 2 * S)


class Odd(BaseSamplerV2):
    """A sampler that hands back what it is told to make of a good result."""

    def __init__(self, make):
        self.make = make

    def run(self, pubs, *, shots=None):
        make, asked = self.make, [SamplerPub.coerce(pub) for pub in pubs]
        again: Any = [(pub.circuit, pub.parameter_values) for pub in asked]

        class Job:
            def result(self):
                return make(lambda n: SamplerV2().run(again, shots=n).result())

        return Job()  # pyright: ignore[reportReturnType]  # all of a job that is asked


class Unsuccessful:
    success, status = False, "ERROR: no memory"


def stopped(_):
    raise RuntimeError("503\nservice unavailable")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda good: Unsuccessful(), "did not succeed: 'ERROR: no memory'"),
        (lambda good: good(9), "9 shots of 2 qubits"),
        (lambda good: "<html>", "another result"),
        (lambda good: None, "another result"),
        (lambda good: [*good(10), *good(10)], "another result"),
        (lambda good: [], "another result"),
        (stopped, "RuntimeError: 503 service unavailable"),
    ],
)
def test_a_job_that_failed_is_never_taken_for_counts(sung, make, said):
    block, (_, chords) = block_of("coherent"), sung((2,), 2)
    with pytest.raises(SamplerFailed, match=said) as error:
        features_of(Sampler(block, chords, Odd(make), 10), angles_of(block), rng())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("passing", [KeyboardInterrupt, MemoryError, TypeError, NotImplementedError, NameError])
def test_what_no_sampler_raises_by_contract_passes_as_it_is(sung, passing):
    def make(good):
        raise passing("of another kind")

    block, (_, chords) = block_of("coherent"), sung((2,), 2)
    with pytest.raises(passing, match="of another kind"):
        features_of(Sampler(block, chords, Odd(make), 10), angles_of(block), rng())


def test_aer_out_of_memory_is_a_failure_in_a_line(sung, capfd):
    block, (_, chords) = block_of("coherent", 2, 15), sung((1,), 2)
    small = {"backend_options": {"max_memory_mb": 1, "method": "statevector"}}
    source = Sampler(block, chords, lambda seed: SamplerV2(seed=seed, options=small), 10)
    with pytest.raises(SamplerFailed, match=r"gave no result: AerError: 'Aer simulation failed: ERROR: .*memory"):
        features_of(source, angles_of(block, 1), rng())


def test_a_sampler_that_cannot_measure_half_way_is_a_failure_in_a_line(sung):
    block, (_, chords) = block_of("coherent"), sung((2,), 2)
    with pytest.raises(SamplerFailed, match="gave no result"):
        features_of(Sampler(block, chords, StatevectorSampler(), 10), angles_of(block), rng())


@pytest.mark.parametrize("sampler", ["aer", 5, AerSimulator(), SamplerV2, lambda: SamplerV2()])
def test_what_is_no_sampler_is_refused(sung, sampler):
    with pytest.raises(InputError, match="a sampler is a BaseSamplerV2"):
        Sampler(block_of("coherent"), sung((2,), 2)[1], sampler, 10)


def test_a_function_that_makes_no_sampler_is_refused(sung):
    block, (_, chords) = block_of("coherent"), sung((2,), 2)
    source = Sampler(block, chords, lambda seed: seed, 10)  # pyright: ignore[reportArgumentType]  # as a user may
    with pytest.raises(InputError, match="a function of a seed makes a BaseSamplerV2"):
        features_of(source, angles_of(block), rng())


@pytest.mark.parametrize(
    ("chords", "said"),
    [
        ([], "at least one piece"),
        ([np.zeros((1, 2, 1)), np.zeros((2, 2, 1))], "the longest comes first"),
        ([np.zeros((2, 3, 1))], "angles of chords have shape"),
        ([np.full((2, 2, 1), np.nan)], "finite"),
        ("chords", "an array of angles a piece"),
        (7, "an array of angles a piece"),
    ],
)
def test_chords_that_make_no_pieces_are_refused(chords, said):
    with pytest.raises(InputError, match=said):
        Sampler(block_of("coherent"), chords, None, 10)


@pytest.mark.parametrize("shots", [0, -5, None, True, 1.5])
def test_shots_that_are_none_are_refused(sung, shots):
    with pytest.raises(InputError, match="number of shots"):
        Sampler(block_of("coherent"), sung((2,), 2)[1], None, shots)


def test_a_pass_manager_that_is_none_is_refused(sung):
    with pytest.raises(InputError, match="a pass manager runs on circuits"):
        Sampler(block_of("coherent"), sung((2,), 2)[1], None, 10, pass_manager=3)
