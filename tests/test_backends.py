"""What circuits run on, by name: laws known on paper, noise left out where it does nothing, and what is refused."""

from contextlib import nullcontext, suppress
from math import pi, sin
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import CU1Gate
from qiskit.circuit.random import random_circuit
from qiskit.primitives import BackendSamplerV2
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from scipy.stats import chi2, chi2_contingency

from encoding import InputError
from quantum import Block, Ladder, backend_named, recurrent_circuit
from quantum.exact import Exact
from quantum.machines import aer
from quantum.machines.abilities import needs_of
from quantum.machines.aer import Checked, checked, method_for
from quantum.machines.calls import LocalSampler
from quantum.machines.fitting import fidelity
from quantum.machines.law import outcome_law
from quantum.machines.names import FORMS, Name, fake_machine, read_name
from quantum.machines.used import compacted, without_empty_branches
from quantum.samplers import Sampler, SamplerFailed
from quantum.sources import features_of

LOCAL = ("exact", "aer", "aer:noise=FakeManilaV2", "fake:FakeManilaV2")


def teleport(angle):
    """RY(a)|0> on qubit 0 goes over to qubit 2 by two outcomes and what is made of them."""
    circuit = QuantumCircuit(3, 3)
    circuit.ry(angle, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.z(2)
    circuit.measure(2, 2)
    return circuit


def midway(n_qubits=2):
    """Measured, reset, measured again."""
    circuit = QuantumCircuit(n_qubits, 2)
    circuit.ry(1.0, 0)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.ry(0.4, 0)
    circuit.cx(1, 0)
    circuit.measure(0, 1)
    return circuit


def counts(backend, circuit, shots=4000):
    (result,) = backend.run([circuit], shots=shots).result()
    return np.bincount(result.data.c.array[..., 0].ravel(), minlength=2**circuit.num_clbits)


def alike(seen, other):
    """p of two samples having one law."""
    there = (seen + other) > 0
    found: Any = chi2_contingency([seen[there], other[there]])
    return found.pvalue


def pvalue(seen, law):
    expected = np.array([law.get(key, 0.0) for key in range(len(seen))]) * seen.sum()
    there = expected > 0
    assert not seen[~there].any()
    return chi2.sf(((seen - expected)[there] ** 2 / expected[there]).sum(), there.sum() - 1)


# Names


@given(st.text(max_size=40))
def test_a_name_is_read_or_refused_in_a_line(text):
    with suppress(InputError):
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
    with pytest.raises(InputError, match=r"pip install 'armonica\[ibm\]'"):
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


# The law


@given(st.floats(-2 * pi, 2 * pi))
@settings(max_examples=20)
def test_what_is_teleported_arrives(angle):
    law = outcome_law(teleport(angle))
    assert sum(p for key, p in law.items() if key >> 2 & 1) == pytest.approx(sin(angle / 2) ** 2, abs=1e-12)
    assert sum(p for key, p in law.items() if key & 1) == pytest.approx(0.5)


@given(st.integers(1, 4), st.integers(0, 1 << 20))
@settings(max_examples=20)
def test_without_measurements_midway_it_is_the_square_of_the_amplitudes(n_qubits, seed):
    circuit = random_circuit(n_qubits, 3, seed=seed)
    wanted = Statevector(circuit).probabilities()
    circuit.measure_all()
    law = outcome_law(circuit)
    assert [law.get(key, 0.0) for key in range(2**n_qubits)] == pytest.approx(wanted, abs=1e-12)


def test_a_reset_of_half_a_bell_pair_leaves_the_other_undecided():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.reset(0)
    circuit.measure([0, 1], [0, 1])
    assert outcome_law(circuit) == pytest.approx({0: 0.5, 2: 0.5})


def test_a_register_that_is_written_twice_keeps_the_last():
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.x(0)
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(0)
    circuit.measure(0, 0)
    assert outcome_law(circuit) == pytest.approx({1: 1.0})


@pytest.mark.parametrize(
    ("circuit", "said"),
    [
        (QuantumCircuit(11), "exact has 10 qubits; the circuit takes 11"),
        (recurrent_circuit(Block(Ladder(2), n_data=1, schedule="coherent"), 1), "unbound parameters"),
    ],
)
def test_a_law_that_is_too_large_or_of_no_numbers_is_refused(circuit, said):
    with pytest.raises(InputError, match=said):
        outcome_law(circuit)


# Circuits without what does nothing


@given(st.permutations(range(8)), st.integers(0, 1 << 20))
@settings(max_examples=15)
def test_idle_qubits_change_no_law(places, seed):
    small = random_circuit(3, 3, seed=seed, measure=True)
    wide = QuantumCircuit(8)
    wide.add_register(*small.cregs)
    wide.compose(small, qubits=places[:3], clbits=small.clbits, inplace=True)
    less, used = compacted(wide)
    assert set(used) <= set(places[:3])
    assert less.num_qubits == len(used)
    assert outcome_law(less) == pytest.approx(outcome_law(small))


def test_decisions_that_do_nothing_go_and_the_others_stay():
    circuit = midway()
    with circuit.if_test((circuit.clbits[0], 1)):
        pass
    with circuit.if_test((circuit.clbits[0], 1)), circuit.if_test((circuit.clbits[1], 0)):
        pass
    assert without_empty_branches(circuit) == midway()
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        pass
    with otherwise:
        circuit.x(1)
    circuit.measure(1, 1)
    left = without_empty_branches(circuit)
    assert left.count_ops()["if_else"] == 1
    assert all(body.data for step in left.data for body in getattr(step.operation, "blocks", ()))
    assert outcome_law(left) == pytest.approx(outcome_law(circuit))


# Shots


@pytest.mark.parametrize("circuit", [teleport(1.0), midway()], ids=["decides", "resets"])
@pytest.mark.parametrize("name", ["exact", "aer"])
def test_shots_have_the_law_of_the_circuit(name, circuit):
    seen = counts(backend_named(name, seed=5), circuit)
    assert 1e-3 < pvalue(seen, outcome_law(circuit)) < 1 - 1e-4


@pytest.mark.parametrize("name", ["default.qubit", "lightning.qubit"])
def test_devices_of_pennylane_read_each_qubit_into_its_bit(name):
    circuit = QuantumCircuit(3, 3)
    circuit.ry(1.0, 0)
    circuit.cx(0, 2)
    circuit.rzz(0.7, 1, 2)
    circuit.rx(0.3, 1)
    circuit.measure([0, 1, 2], [2, 0, 1])
    backend = backend_named(name, seed=1)
    assert 1e-3 < pvalue(counts(backend, circuit, 2000), outcome_law(circuit)) < 1 - 1e-4
    with pytest.raises(InputError, match=f"{name} does no reset in a circuit"):
        backend.run([midway()])


@pytest.mark.parametrize("name", LOCAL)
def test_every_call_has_numbers_of_its_own_and_a_seed_repeats_them(name):
    first, again = backend_named(name, seed=7), backend_named(name, seed=7)
    circuit = first.pass_manager().run(midway())
    results = [backend.run([circuit, circuit], shots=60).result() for backend in (first, first, again)]
    bits = [[one.data.c.array.tobytes() for one in result] for result in results]
    assert len({*bits[0], *bits[1]}) == 4  # two pubs, two calls
    assert bits[2] == bits[0]
    assert [(result.metadata["call"], result.metadata["seed"]) for result in results] == [(0, 7), (1, 7), (0, 7)]
    assert first.n_calls == 2
    assert isinstance(again.sampler, LocalSampler)
    again.sampler.n_calls = 1  # a journal goes on from where it was
    assert [one.data.c.array.tobytes() for one in again.run([circuit, circuit], shots=60).result()] == bits[1]


def test_threads_change_no_count(monkeypatch):
    circuit, seen = midway(), []
    for n in ("1", "2", "4"):
        monkeypatch.setenv("ARMONICA_THREADS", n)
        seen.append(counts(backend_named("aer", seed=3), circuit).tolist())
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize(("n_used", "machine"), [(2, "FakeManilaV2"), (3, "FakeNairobiV2")])
def test_the_noise_of_the_used_qubits_is_the_whole_noise(n_used, machine):
    backend = backend_named(f"aer:noise={machine}", seed=1)
    circuit = QuantumCircuit(n_used, 3)
    for qubit in range(n_used):
        circuit.ry(0.5 + qubit, qubit)
    for _ in range(6):  # noise that is seen
        circuit.cx(0, 1)
        circuit.barrier()
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.delay(4000, 1)
    circuit.cx(1, 0)
    circuit.measure(range(n_used), range(n_used))
    ready = backend.pass_manager(0).run(circuit)
    reduced = counts(backend, ready, 6000)
    whole = AerSimulator.from_backend(fake_machine(Name("noise", machine)))
    found = checked(whole.run(ready, shots=6000, seed_simulator=11).result()).get_counts()
    full = np.array([found.get(format(key, "03b"), 0) for key in range(8)])
    assert alike(reduced, full) > 1e-3
    assert alike(full, counts(backend_named("aer", seed=2), circuit, 6000)) < 1e-6  # as ideal as that it is not


def test_circuits_are_simulated_by_what_costs_least():
    static, resets = QuantumCircuit(4, 4), QuantumCircuit(4, 4)
    for circuit in (static, resets):
        circuit.h(range(4))
        if circuit is resets:
            circuit.reset(0)
        circuit.measure(range(4), range(4))
    assert method_for(static, 1000, noisy=False) == "statevector"
    assert method_for(static, 1000, noisy=True) == method_for(resets, 1000, noisy=False) == "density_matrix"
    wide = QuantumCircuit(8, 8)
    wide.h(range(8))
    assert [method_for(wide, shots, noisy=True) for shots in (255, 256)] == [
        "statevector",
        "density_matrix",
    ]  # 256 S = 4^8
    assert method_for(midway(), 10**6, noisy=True) == "statevector"
    assert method_for(teleport(1.0), 10**6, noisy=True) == "statevector"


def test_a_simulator_that_failed_is_never_taken_for_counts_of_zeros(monkeypatch, capfd):
    circuit = QuantumCircuit(1, 1)
    circuit.t(0)
    circuit.measure(0, 0)
    stabilizer = AerSimulator(method="stabilizer")  # knows no T
    with pytest.raises(SamplerFailed, match=r"did not succeed: .*invalid instructions"):
        checked(stabilizer.run(circuit, shots=3).result())
    monkeypatch.setattr(stabilizer, "run", Checked(stabilizer.run).run)
    for sampler in (BackendSamplerV2(backend=stabilizer), SamplerV2.from_backend(stabilizer)):
        with pytest.raises(SamplerFailed):
            sampler.run([circuit]).result()
    monkeypatch.setattr(aer, "method_for", lambda *_, **__: "stabilizer")
    with pytest.raises(SamplerFailed):
        backend_named("aer").run([circuit]).result()


def test_the_older_sampler_on_a_fake_machine_that_failed_raises_too(capfd):
    backend = backend_named("fake:FakeManilaV2", program="sampler", seed=1)
    ready = backend.pass_manager().run(midway())
    backend.machine.set_options(method="stabilizer")
    with pytest.raises(SamplerFailed):
        backend.run([ready], shots=5).result()


def test_both_of_ibms_samplers_show_the_noise_of_aer():
    ready = backend_named("aer:noise=FakeManilaV2").pass_manager().run(teleport(1.0))
    seen = [
        counts(backend_named("fake:FakeManilaV2", seed=1, program=program), ready)
        for program in ("executor", "sampler")
    ]
    reduced = counts(backend_named("aer:noise=FakeManilaV2", seed=9), ready)
    assert [alike(one, reduced) > 1e-3 for one in seen] == [True, True]


# What is refused


def deep(n):
    circuit = QuantumCircuit(2, 2)
    for _ in range(n):
        circuit.cx(0, 1)
        circuit.barrier()
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize(
    ("name", "circuit", "said"),
    [
        ("fake:FakeBerlin", teleport(1.0), "FakeBerlin does no if_test"),
        ("aer:noise=FakeMiami", midway(), "FakeMiami does no reset in a circuit"),
        ("fake:FakeManilaV2", deep(3).tensor(QuantumCircuit(4)), "no gate of|5 qubits"),
        ("lightning.qubit", teleport(1.0), "lightning.qubit does no if_test"),
    ],
)
def test_what_a_machine_does_not_do_is_refused_before_it_is_made_ready_and_before_it_runs(name, circuit, said):
    backend = backend_named(name)
    with pytest.raises(InputError, match=said):
        backend.run([circuit])
    assert backend.n_calls == 0
    if circuit.num_qubits <= 3:
        with pytest.raises(InputError, match=said):
            backend.pass_manager().run(circuit)


def test_a_circuit_is_too_wide_not_ready_too_deep_or_asks_for_too_many_shots():
    backend = backend_named("fake:FakeManilaV2", twirling={"enable_gates": True})
    wide = QuantumCircuit(6, 1)
    wide.h(range(6))
    wide.measure(0, 0)
    with pytest.raises(InputError, match="has 5 qubits; the circuit takes 6"):
        backend.pass_manager().run(wide)
    with pytest.raises(InputError, match=r"ry on 0 is no gate of .* make the circuit ready"):
        backend.run([midway()])
    ready = backend.pass_manager().run(deep(1000))
    left = fidelity(ready, backend.target)
    (pair,) = {tuple(ready.find_bit(qubit).index for qubit in step.qubits) for step in ready.get_instructions("cx")}
    error = backend.target["cx"][pair].error
    assert left == pytest.approx((1 - error) ** 1000)
    with pytest.raises(InputError, match=f"too deep for .* of 1000 gates .* in {left:.2g} of the runs"):
        backend.run([ready])
    fine = backend.pass_manager().run(deep(1))
    with pytest.raises(InputError, match="as 2 times 64: ask for 128 shots"):
        backend.run([fine], shots=100)
    with pytest.raises(InputError, match="takes 10000000 shots a job, over all its circuits; got 10240000"):
        backend.run([fine] * 100, shots=102400)
    assert backend.n_calls == 0


def test_decoupling_and_decisions_do_not_go_together():
    backend = backend_named("fake:FakeManilaV2", dynamical_decoupling={"enable": True})
    ready = backend.pass_manager().run(teleport(1.0))
    with pytest.raises(InputError, match="no dynamical decoupling in a circuit with if_test"):
        backend.run([ready])


def test_rzz_beyond_a_quarter_turn_is_refused_where_it_is_a_gate_of_the_machine():
    backend = backend_named("fake:FakeFractionalBackend")
    circuit = QuantumCircuit(5, 1)
    circuit.rzz(2.0, 0, 1)
    circuit.measure(0, 0)
    assert backend.abilities.fractional
    with pytest.raises(InputError, match="folds angles"):
        backend.run([circuit])


@pytest.mark.parametrize("pubs", [3, [3], [(midway(), [1.0])], [QuantumCircuit(1)]])
def test_what_is_no_pub_is_refused(pubs):
    with pytest.raises(InputError, match=r"pubs are circuits|measured into registers"):
        backend_named("aer").run(pubs)


def test_a_circuit_says_what_it_needs():
    needs = needs_of(teleport(1.0))
    assert (needs.n_qubits, needs.midway, needs.reset, needs.decides) == (3, True, False, True)
    assert needs_of(midway(7)).n_qubits == 2
    static = QuantumCircuit(2, 2)
    static.measure([0, 1], [0, 1])
    assert not needs_of(static).branches


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


@pytest.mark.parametrize("decides", [False, True])
@pytest.mark.parametrize("gate", ["cp", "cu1", "crx", "cry", "crz"])
def test_parameters_of_controlled_gates_and_of_decisions_are_the_numbers_that_were_given(gate, decides):
    # Aer's own binding leaves those of controlled gates out, and takes others after a decision: its #2403, #1849
    circuit, a, b = QuantumCircuit(2, 2), Parameter("a"), Parameter("b")
    circuit.h(0)
    circuit.h(1)
    {"cu1": lambda: circuit.append(CU1Gate(a), [0, 1])}.get(gate, lambda: getattr(circuit, gate)(a, 0, 1))()
    circuit.ry(0.7, 1)
    circuit.rx(0.7, 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) if decides else nullcontext():
        circuit.ry(b, 1)
    circuit.measure(1, 1)
    angles = [[0.4, 0.0], [2.0, 1.0], [3.0, -2.0]]
    data = backend_named("aer", seed=1).run([(circuit, angles)], shots=4000).result()[0].data.c
    for k, angle in enumerate(angles):
        law = outcome_law(circuit.assign_parameters(angle))
        counts = data.get_int_counts(k)
        assert all(abs(counts.get(key, 0) - 4000 * p) < 5 * np.sqrt(4000 * p) + 1 for key, p in law.items())
