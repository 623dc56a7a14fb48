"""Measured and reset at once, a circuit writes down what it would one qubit after the other."""

from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from quantum import backend_named
from quantum.machines.gathered import gathered

N_QUBITS, N_BITS = 4, 3
STEPS = st.tuples(
    st.sampled_from(["x", "cx", "measure", "measure", "reset", "reset", "barrier", "if"]),
    st.permutations(range(N_QUBITS)),
    st.integers(0, N_BITS - 1),
)


def played(steps) -> tuple[QuantumCircuit, list[int]]:
    """A circuit on bits, and what they are in the end, told without a simulator."""
    circuit, qubits, bits = QuantumCircuit(N_QUBITS, N_BITS), [0] * N_QUBITS, [0] * N_BITS
    circuit.measure(0, 0)  # a simulator wants something to write down
    for what, (first, second, *_), bit in steps:
        if what == "x":
            circuit.x(first)
            qubits[first] ^= 1
        elif what == "cx":
            circuit.cx(first, second)
            qubits[second] ^= qubits[first]
        elif what == "measure":
            circuit.measure(first, bit)
            bits[bit] = qubits[first]
        elif what == "reset":
            circuit.reset(first)
            qubits[first] = 0
        elif what == "barrier":
            circuit.barrier()
        else:
            with circuit.if_test((circuit.clbits[bit], 1)):
                circuit.x(first)
            qubits[first] ^= bits[bit]
    return circuit, bits


@given(st.lists(STEPS, min_size=4, max_size=24))
@settings(max_examples=60)
def test_what_is_sure_is_written_down_in_whatever_order_it_is_measured_reset_and_turned(steps):
    circuit, bits = played(steps)
    counts = AerSimulator().run(gathered(circuit), shots=2, memory=True).result().get_memory()
    assert counts == ["".join(map(str, reversed(bits)))] * 2


def test_entangled_qubits_are_read_alike_and_are_at_rest_afterwards():
    circuit = QuantumCircuit(5, 10)
    circuit.h(0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    for qubit in range(5):
        circuit.measure(qubit, qubit)
        circuit.reset(qubit)
    circuit.measure(range(5), range(5, 10))
    assert [len(step.qubits) for step in gathered(circuit).data if step.name in ("measure", "reset")] == [5, 3, 2, 5]
    counts = backend_named("aer", seed=1).run([circuit], shots=400).result()[0].data.c.get_counts()
    assert set(counts) == {"00000" + "00000", "00000" + "11111"}
    assert all(150 < n < 250 for n in counts.values())


def test_a_gate_elsewhere_does_not_keep_measurements_apart():
    circuit = QuantumCircuit(3, 2)
    circuit.measure(0, 0)
    circuit.h(2)
    circuit.measure(1, 1)
    assert [step.name for step in gathered(circuit).data] == ["h", "measure"]
    circuit.cx(1, 2)  # one of those that were
    assert [step.name for step in gathered(circuit).data] == ["h", "measure", "cx"]
