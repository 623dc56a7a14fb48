"""The law of the outcomes of a circuit, where it is known without us."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector

from encoding import InputError
from quantum import Block, Ladder, recurrent_circuit
from quantum.machines.law import outcome_law


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
