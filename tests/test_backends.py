"""Backends by name: what a name means, and what a network shows on one."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from encoding import InputError
from quantum import Block, Ladder, backend_named, recurrent_circuit
from quantum.exact import Exact
from quantum.machines.law import outcome_law
from quantum.machines.names import FORMS, read_name
from quantum.samplers import Sampler
from quantum.sources import features_of

# Names


@given(st.text(max_size=40))
def test_a_name_is_read_or_refused_in_a_line(text):
    with suppress(InputError):  # a refusal is an InputError and nothing else, which is the test
        assert str(read_name(text)) == text.strip()


@pytest.mark.parametrize("form", FORMS)
def test_every_name_that_is_listed_is_read(form):
    assert str(read_name(form)) == form


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("exakt", "did you mean exact"),
        ("aer:nose=FakeTorino", "did you mean aer:noise=FakeTorino"),
        ("ibm:", "there are exact, aer"),
        ("exact:", "there are exact"),
        (3, "a backend has a name"),
        ("aer:noise=FakeManila", "did you mean FakeManilaV2"),
        ("fake:FakeRome", "did you mean FakeRomeV2"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, said):
    with pytest.raises(InputError, match=said):
        backend_named(name)


@pytest.mark.parametrize("name", ["fake:FakeManilaV2", "aer:noise=FakeManilaV2", "ibm:ibm_torino"])
def test_without_the_extra_a_line_says_how_to_install_it(monkeypatch, name):
    monkeypatch.setattr("quantum.machines.names.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install -c constraints.txt '.\[ibm\]'"):
        backend_named(name)


def test_options_of_others_are_refused():
    with pytest.raises(InputError, match="got twirling"):
        backend_named("aer", twirling={})
    with pytest.raises(InputError, match="least_fidelity is a share"):
        backend_named("fake:FakeManilaV2", least_fidelity=2)
    with pytest.raises(InputError, match="got resilience"):
        backend_named("fake:FakeManilaV2", resilience=1)
    with pytest.raises(InputError, match=r"refuses its options: .*enable_gates"):
        backend_named("fake:FakeManilaV2", twirling={"enable_gates": 3})
    with pytest.raises(InputError, match="read once only"):
        backend_named("fake:FakeManilaV2", environment={"private": True})


# Point of use


def two_chords(sung, n_data=2):
    block = Block(Ladder(n_data + 1, 1), n_data=n_data, schedule="coherent")
    music, chords = sung((2,), n_data)
    angles = np.random.default_rng(1).uniform(-3, 3, (1, block.ladder.n_angles))
    exact = features_of(Exact(block, music), angles, np.random.default_rng())
    return block, chords, angles, exact


def moments(circuit):
    """Averages of (-1)^bit over the law of a circuit, and their covariance."""
    law = outcome_law(circuit)
    signs = np.array([[1 - 2 * (key >> place & 1) for place in range(circuit.num_clbits)] for key in law])
    p = np.array(list(law.values()))
    mean = p @ signs
    return mean, (signs.T * p) @ signs - np.outer(mean, mean)


@pytest.mark.parametrize("name", ["aer", "exact"])
@pytest.mark.parametrize("schedule", ["coherent", "staggered", "measured"])
def test_a_sampler_by_name_shows_the_features_of_a_block(sung, name, schedule):
    n_chords = 1 if schedule == "measured" else 2  # there averages come back after every chord
    block, (music, chords) = Block(Ladder(3, 2), n_data=2, schedule=schedule), sung((n_chords,), 2)
    angles, shots = np.random.default_rng(1).uniform(-3, 3, (2, block.ladder.n_angles)), 3000
    draw = np.random.default_rng(0)
    seen = features_of(Sampler(block, chords, backend_named(name, seed=1), shots), angles, draw)
    exact = features_of(Exact(block, music), angles, draw)
    for variant, theta in enumerate(angles):
        mean, covariance = moments(recurrent_circuit(block, chords[0], theta))
        assert mean == pytest.approx(exact[variant].ravel(), abs=1e-12)
        far = seen[variant].ravel() - mean
        assert 1e-3 < chi2.sf(shots * far @ np.linalg.solve(covariance, far), far.size) < 1 - 1e-4
    assert abs(seen - exact[::-1]).max() > 0.1


def test_a_network_plays_on_a_fake_machine_as_its_noise_says(sung):
    block, chords, angles, exact = two_chords(sung)
    shots, draw = 4000, np.random.default_rng(0)
    seen = [
        features_of(backend_named(name, seed=seed).source(block, chords, shots), angles, draw)
        for seed, name in enumerate(("fake:FakeManilaV2", "aer:noise=FakeManilaV2"))  # seeds differ
    ]
    z = (seen[0] - seen[1]) / np.sqrt((2 - seen[0] ** 2 - seen[1] ** 2) / shots)
    assert 1e-3 < chi2.sf((z**2).sum(), z.size) < 1 - 1e-4
    assert 0.01 < abs(seen[0] - exact).max() < 0.5  # noisy, and still music


@pytest.mark.slow
def test_a_network_plays_two_chords_on_a_large_fake_machine(sung):
    block, chords, angles, exact = two_chords(sung, 4)
    seen = features_of(
        backend_named("fake:FakeTorino", seed=2).source(block, chords, 500), angles, np.random.default_rng()
    )
    assert abs(seen - exact).max() < 0.5


@pytest.mark.parametrize("rotations", [(("RY", 0),), (("RY", 0), ("RX", 0), ("RZ", 1))])
def test_exact_without_shots_shows_averages(rotations):
    n_data = 2 * len({qubit for _, qubit in rotations})
    block = Block(Ladder(n_data + 1, 1), n_data=n_data, schedule="coherent", rotations=rotations)
    draw = np.random.default_rng(3)
    chords = [draw.uniform(0, 6, (n, 2, len(rotations))) for n in (2, 1)]
    angles = draw.uniform(-3, 3, (1, block.ladder.n_angles))
    seen = features_of(backend_named("exact").source(block, chords), angles, draw)[0]
    for piece, slots in ((chords[0], [0, 2]), (chords[1], [1])):
        mean, _ = moments(recurrent_circuit(block, piece, angles[0]))
        assert seen[slots].ravel() == pytest.approx(mean, abs=1e-12)
    with pytest.raises(InputError, match="aer shows shots: say how many"):
        backend_named("aer").source(block, chords)
    with pytest.raises(InputError, match="longest comes first"):
        backend_named("exact").source(block, chords[::-1])


def test_a_mistake_stays_a_mistake_within_a_source(sung):
    block, chords, angles, _ = two_chords(sung)
    with pytest.raises(InputError, match=r"lightning\.qubit does no reset in a circuit"):
        features_of(backend_named("lightning.qubit").source(block, chords, 10), angles, np.random.default_rng())


def test_the_command_lists_names_abilities_and_what_is_missing(armonica, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "")
    assert armonica("backends") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [*FORMS, "qiskit-ibm-runtime", "credentials"]
    assert "never measures midway" in lines[-3]
    assert "installed" in lines[-2]
    assert "no credentials of IBM's" in lines[-1]
    assert not list(tmp_path.iterdir())
