"""The device `armonica.qiskit`: answers that are known without it."""

import subprocess
import sys
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from pennylane import numpy as pnp
from pennylane.tape import QuantumScript
from qiskit.primitives import StatevectorSampler
from qiskit.providers.fake_provider import GenericBackendV2

from quantum import Journal, JournalSampler, backend_named
from quantum.device.device import QiskitDevice

SHOTS = (None, 400)


def device(**options):
    return QiskitDevice(**({"seed": 1} | options))


@pytest.fixture
def asked(monkeypatch):
    """What goes to the sampler of a device: `asked(device)` fills as it plays."""

    def listen(device):
        calls, run = [], device.place.sampler.run
        monkeypatch.setattr(device.place.sampler, "run", lambda pubs, **more: calls.append(pubs) or run(pubs, **more))
        return calls

    return listen


def test_it_is_found_by_its_name():
    found = qp.device("armonica.qiskit", wires=2, shots=10, seed=1)
    assert (found.name, list(found.wires), found.shots.total_shots) == ("armonica.qiskit", [0, 1], 10)


def test_loading_it_loads_neither_the_client_of_ibm_nor_aer_nor_torch():
    script = (
        "import sys, quantum.device.device; print({'qiskit_ibm_runtime', 'qiskit_aer', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("shots", SHOTS)
def test_the_first_wire_is_the_leftmost_whatever_it_is_called(shots):
    @qp.qnode(device(wires=["c", 7, "a"], shots=shots))
    def one():
        qp.X("a")
        return qp.probs(), qp.probs(wires=["a", "c"]), qp.expval(qp.Z("a")), qp.expval(qp.Z("c"))

    of_all, of_two, down, up = one()
    assert of_all.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]  # 001
    assert of_two.tolist() == [0, 0, 1, 0]  # 10
    assert (down, up) == (-1, 1)


def test_samples_and_strings_of_bits_have_a_column_a_wire():
    @qp.set_shots(3)
    @qp.qnode(device())
    def two():
        qp.X("b")
        return qp.sample(wires=["a", "b", "c"]), qp.counts(wires=["b", "c"]), qp.counts(qp.Z("b"), all_outcomes=True)

    samples, strings, values = two()
    assert samples.tolist() == [[0, 1, 0]] * 3
    assert strings == {"10": 3}
    assert values == {-1.0: 3, 1.0: 0}


@pytest.mark.parametrize("shots", SHOTS)
def test_an_eigenstate_shows_its_eigenvalue_and_does_not_scatter(shots):
    plus_y = np.array([[0, -1j], [1j, 0]])

    @qp.qnode(device(shots=shots))
    def states():
        qp.Hadamard(0)
        qp.Hadamard(1)
        qp.S(1)
        qp.RY(np.pi / 4, 2)  # up along (X + Z) / sqrt 2
        qp.X(3)
        parts = qp.X(0), qp.Y(1), qp.Hadamard(2), qp.Z(3), qp.Hermitian(plus_y, 1), qp.X(0) @ qp.Y(1) @ qp.Z(3)
        return [qp.expval(part) for part in parts] + [qp.var(part) for part in parts]

    found = np.array(states())
    assert found[:6] == pytest.approx([1, 1, 1, -1, 1, -1], abs=1e-12)
    assert found[6:] == pytest.approx(0, abs=1e-12)


def test_words_that_agree_wherever_they_meet_are_read_from_the_same_shots():
    words = [qp.X(0) @ qp.Z(1), qp.X(0), qp.Z(1) @ qp.Y(2), qp.Z(0), qp.Z(0) @ qp.X(2)]
    device_ = device(wires=3, shots=20)

    @qp.qnode(device_)
    def sums():
        qp.Hadamard(0)
        return qp.expval(qp.Hamiltonian([1, 2, 3, 4, 5], words)), qp.sample(qp.X(0)), qp.probs(wires=1)

    with qp.Tracker(device_) as told:
        sums()
    assert told.totals["executions"] == 2  # X Z Y, and Z . X
    assert told.totals["shots"] == 40


def test_a_batch_of_angles_is_one_circuit_with_an_array(asked):
    device_ = device(wires=2, shots=100)
    calls = asked(device_)

    @qp.qnode(device_)
    def turned(x):
        qp.RX(x, 0)
        qp.CNOT([0, 1])
        return qp.expval(qp.Z(1)), qp.counts(qp.Z(0) @ qp.Z(1))

    found, counts = turned(np.array([0, np.pi, 0]))
    assert found.tolist() == [1, -1, 1]
    assert counts == [{1.0: 100}] * 3
    [[(circuit, angles, shots)]] = calls
    assert (circuit.num_parameters, angles.shape, shots) == (1, (3, 1), 100)


def test_a_gradient_is_one_job_and_its_circuits_are_compiled_once(asked):
    device_ = device(wires=2, shots=50)
    calls = asked(device_)

    @qp.qnode(device_)
    def energy(x):
        qp.RX(x[0], 0)
        qp.RY(x[1], 1)
        qp.CNOT([0, 1])
        return qp.expval(qp.Z(0) @ qp.Z(1))

    x = pnp.array([0.1, 0.2], requires_grad=True)
    for _ in range(2):
        qp.grad(energy)(x)
    assert [len(pubs) for pubs in calls] == [1, 1, 1, 1]  # forward, and the shifted ones together
    assert [pubs[0][1].shape for pubs in calls[:2]] == [(1, 2), (4, 2)]
    assert len(device_._kept) == 1


def test_circuits_of_the_same_structure_on_other_angles_have_their_own_outcomes():
    tapes = [QuantumScript([qp.RX(x, "q")], [qp.expval(qp.Z("q"))], shots=60) for x in (0, np.pi, 0, np.pi)]
    assert np.array(device().execute(tapes)).tolist() == [1, -1, 1, -1]


def test_matrices_tell_structures_apart():
    tapes = [QuantumScript([qp.QubitUnitary(u, 0)], [qp.expval(qp.Z(0))]) for u in (np.eye(2), np.eye(2)[::-1])]
    assert np.array(device().execute(tapes)).tolist() == [1, -1]


@pytest.mark.parametrize("shots", SHOTS)
def test_a_measurement_in_the_middle_resets_and_is_fed_forward(shots):
    @qp.qnode(device(shots=shots))
    def echo():
        qp.X("voice")
        heard = qp.measure("voice", reset=True)
        qp.cond(heard, qp.X)("echo")
        again = qp.measure("echo")
        qp.cond(~heard & again, qp.X)("voice")  # never
        return qp.expval(heard), qp.probs(op=[heard, again]), qp.expval(qp.Z("voice")), qp.expval(heard + 2 * again)

    heard, both, voice, total = echo()
    assert (heard, voice, total) == (1, 1, 3)
    assert both.tolist() == [0, 0, 0, 1]


def test_what_was_measured_in_the_middle_is_seen_in_samples_and_counts():
    @qp.set_shots(5)
    @qp.qnode(device())
    def two():
        qp.X(0)
        a, b = qp.measure(0), qp.measure(1)
        return qp.sample(a), qp.sample([b, a]), qp.counts(a - b, all_outcomes=True), qp.counts([a, b])

    sample, samples, difference, strings = two()
    assert sample.tolist() == [1] * 5
    assert samples.tolist() == [[0, 1]] * 5
    assert difference == {-1: 0, 0: 0, 1: 5}
    assert strings == {"10": 5}


def test_without_shots_the_state_has_the_first_wire_leftmost():
    @qp.qnode(device(wires=["b", "a"]))
    def one(x):
        qp.RY(x, "a")
        return qp.state(), qp.expval(qp.Z("a"))

    kets, heights = one(np.array([0, np.pi]))
    assert kets == pytest.approx(np.array([[1, 0, 0, 0], [0, 1, 0, 0]]), abs=1e-12)
    assert heights == pytest.approx([1, -1])


def test_deferring_gives_the_same():
    def turned():
        qp.RX(0.7, 0)
        turn: Any = qp.cond(qp.measure(0), qp.RY)
        turn(0.4, 1)
        return qp.expval(qp.X(1)), qp.expval(qp.Z(1))

    found = [qp.QNode(turned, device(), mcm_method=method)() for method in ("device", "deferred")]
    assert np.array(found[0]) == pytest.approx(np.array(found[1]), abs=1e-12)


def test_shots_in_parts_are_parts_of_one_job(asked):
    device_ = device(shots=[10, (5, 2)])
    calls = asked(device_)

    @qp.qnode(device_)
    def up():
        return qp.sample(qp.Z(0)), qp.expval(qp.Z(0))

    parts = up()
    assert [samples.shape for samples, _ in parts] == [(10,), (5,), (5,)]
    assert [pubs[0][2] for pubs in calls] == [20]


def test_the_same_seed_gives_the_same_shots_and_every_call_its_own():
    def coins(seed):
        node = qp.set_shots(qp.QNode(lambda: [qp.Hadamard(0), qp.sample(wires=0)][1], device(seed=seed)), 40)
        return [node().ravel().tolist() for _ in range(2)]

    assert coins(5) == coins(5)
    assert coins(5)[0] != coins(5)[1]
    assert coins(5) != coins(6)


def test_the_average_with_noise_is_that_of_many_shots():
    def noisy():
        qp.Hadamard(0)
        qp.CNOT([0, 1])
        qp.RY(0.3, 2)
        qp.CNOT([1, 2])
        return [qp.expval(qp.Z(0) @ qp.Z(1)), qp.expval(qp.Z(2)), qp.expval(qp.X(0) @ qp.X(1))]

    place, shots = "aer:noise=FakeManilaV2", 20_000
    exact = np.array(qp.QNode(noisy, device(wires=3, backend=place))())
    drawn = np.array(qp.set_shots(qp.QNode(noisy, device(wires=3, backend=place)), shots)())
    ideal = np.array(qp.QNode(noisy, device(wires=3))())
    sigma = np.sqrt((1 - exact**2) / shots)
    assert (abs(drawn - exact) < 4.5 * sigma).all()
    assert (abs(ideal - exact) > 9 * sigma).any()  # the bound would tell them apart


@pytest.mark.parametrize(
    "backend",
    ["exact", "default.qubit", "fake:FakeManilaV2", "aer:noise=FakeManilaV2", "given", "sampler", "machine"],
)
def test_it_plays_on_names_backends_and_samplers(backend):
    made = {
        "given": lambda: backend_named("aer", seed=2),
        "sampler": lambda: StatevectorSampler(seed=2),
        "machine": lambda: GenericBackendV2(3, seed=2),
    }
    where = made[backend]() if backend in made else backend

    @qp.set_shots(200)
    @qp.qnode(QiskitDevice(wires=2, backend=where))
    def bell():
        qp.Hadamard(0)
        qp.CNOT([0, 1])
        return qp.expval(qp.Z(0) @ qp.Z(1)), qp.expval(qp.X(0) @ qp.X(1))

    assert min(bell()) > 0.7


def test_a_layer_of_torch_has_the_gradient_of_the_exact_one():
    def layer(device_):
        @qp.qnode(device_, interface="torch")
        def node(inputs, turns):
            qp.AngleEmbedding(inputs, [0, 1])
            qp.CRX(turns[0], [0, 1])
            qp.Rot(turns[1], turns[2], turns[0], 0)
            return [qp.expval(qp.Z(wire)) for wire in (0, 1)]

        made: Any = qp.qnn.TorchLayer
        return made(node, {"turns": 3}, init_method={"turns": torch.tensor([0.3, 0.5, -0.4])})

    inputs = torch.tensor([[0.1, 0.2], [0.3, -0.4], [1.0, 2.0]], dtype=torch.float64)
    slopes = []
    for device_ in (device(wires=2), qp.device("default.qubit", wires=2)):
        made = layer(device_)
        made(inputs).square().sum().backward()
        slopes.append(made.turns.grad)
    assert torch.allclose(slopes[0], slopes[1], atol=1e-6)


def test_with_a_journal_the_same_program_has_the_same_outcomes(tmp_path):
    def program(seed, angles=(1.0, 1.0, 2.0), **options):
        with Journal(tmp_path / "jobs.sqlite") as journal:
            device_ = QiskitDevice(wires=1, seed=seed, shots=30, journal=journal, **options)
            node = qp.QNode(lambda x: [qp.RX(x, 0), qp.sample(wires=0)][1], device_)
            return [node(x).ravel().tolist() for x in angles], len(journal.rows())

    first, n_jobs = program(1)
    assert n_jobs == 3
    assert first[0] != first[1]  # asked twice on purpose
    assert program(2) == (first, 3)
    assert program(2, angles=(2.0, 1.0)) == ([first[2], first[0]], 3)  # in whatever order
    again, n_jobs = program(2, task="another")
    assert (again != first, n_jobs) == (True, 6)


def test_a_sampler_with_a_journal_is_a_sampler(tmp_path):
    with Journal(tmp_path / "jobs.sqlite") as journal:
        sampler = JournalSampler(backend_named("aer", seed=1), journal, task="mine")
        node = qp.set_shots(qp.QNode(lambda: qp.expval(qp.Z(0)), QiskitDevice(backend=sampler)), 10)
        assert (node(), len(journal.rows("done"))) == (1, 1)
