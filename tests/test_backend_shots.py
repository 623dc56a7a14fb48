"""Shots of backends have the law of their circuits; what a machine does not do is refused before it runs."""

from contextlib import nullcontext
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
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from scipy.stats import chi2, chi2_contingency

from encoding import InputError
from quantum import backend_named
from quantum.machines import aer
from quantum.machines.abilities import needs_of
from quantum.machines.aer import Checked, checked, method_for
from quantum.machines.calls import LocalSampler
from quantum.machines.fitting import fidelity
from quantum.machines.law import outcome_law
from quantum.machines.names import Name, fake_machine
from quantum.machines.used import compacted, without_empty_branches
from quantum.samplers import SamplerFailed

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


@given(st.floats(-2 * pi, 2 * pi))
@settings(max_examples=20)
def test_what_is_teleported_arrives(angle):
    law = outcome_law(teleport(angle))
    assert sum(p for key, p in law.items() if key >> 2 & 1) == pytest.approx(sin(angle / 2) ** 2, abs=1e-12)
    assert sum(p for key, p in law.items() if key & 1) == pytest.approx(0.5)


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
    circuit.delay(200_000, 1)  # as long as qubits live, so that T1 and T2 are seen
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
