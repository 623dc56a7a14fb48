"""What the device plays on: by name, one of ours, any sampler of Qiskit's, or any of its backends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp
from qiskit.circuit.equivalence_library import SessionEquivalenceLibrary as EQUAL
from qiskit.primitives import BackendSamplerV2, BaseSamplerV2, BitArray
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2
from qiskit.transpiler import PassManager
from qiskit.transpiler.passes import BasisTranslator, UnrollCustomDefinitions

from encoding import InputError
from encoding.errors import shown
from quantum.backends import Backend, backend_named
from quantum.device.refused import NAME
from quantum.folding import fractional
from quantum.machines import fitting
from quantum.machines.abilities import Abilities, abilities_of, check_needs, needs_of
from quantum.machines.calls import LocalSampler

# Gates that Aer simulates as kets and as density matrices alike, and whose parameters it binds: CP and CU1 it does not.
AERS = (
    *("h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u1", "u2", "u3", "u", "r"),
    *("cx", "cy", "cz", "swap", "ecr", "rxx", "ryy", "rzz", "rzx", "ccx", "unitary", "id"),
)
NO_GATES = ("measure", "reset", "barrier", "if_else")
Ready = Callable[[QuantumCircuit], QuantumCircuit]


@dataclass(frozen=True)
class Place:
    """Where circuits are played.

    Attributes:
        name: as it is told.
        sampler: what plays them.
        ready: makes a circuit ready for it.
        can: what it can do, where that is known.
        backend: the same as one of ours, which a journal can be kept of; None: of others.
        folds: whether angles of RZZ have to be numbers from 0 to pi/2 there.
    """

    name: str
    sampler: BaseSamplerV2
    ready: Ready
    can: Abilities | None = None
    backend: Backend | None = None
    folds: bool = False


def place_of(backend: Any, *, seed: int | None = None, **options: Any) -> Place:
    """What circuits are played on.

    Args:
        backend: a name (`quantum.backend_named`), a `Backend`, a sampler of Qiskit's, or a backend of its kind.
        seed: of a name, or of a backend; samplers have their own.
        options: of a name.

    Raises:
        InputError: no such name, options or a seed where none are taken, or what is none of these.
    """
    if "name" in options:
        raise InputError(f"a backend's name is given as backend=; got name={shown(options['name'])}")
    if isinstance(backend, str):
        return _ours(backend_named(backend, seed=seed, **options))
    if options and isinstance(backend, BackendV2 | BaseSamplerV2):
        raise InputError(f"{', '.join(sorted(options))}: options are those of a backend by name; got {shown(backend)}")
    if isinstance(backend, BackendV2):
        return _of_qiskit(backend, seed)
    if not isinstance(backend, Backend | BaseSamplerV2):
        raise InputError(f"{NAME} plays on a name, a sampler (BaseSamplerV2) or a BackendV2; got {shown(backend)}")
    if seed is not None:
        raise InputError(f"a seed is that of a backend by name; {shown(backend)} was made with its own")
    return _ours(backend) if isinstance(backend, Backend) else _sampler(backend)


def in_gates_of_aer(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit in gates that Aer simulates in any way.

    >>> circuit = QuantumCircuit(2)
    >>> circuit.ch(0, 1)
    <...>
    >>> set(in_gates_of_aer(circuit).count_ops()) <= set(AERS)
    True
    """
    if _names(circuit) <= {*AERS, *NO_GATES}:
        return circuit
    basis = [*AERS, *NO_GATES]
    passes = (UnrollCustomDefinitions(EQUAL, basis_gates=basis), BasisTranslator(EQUAL, basis))
    return PassManager(list(passes)).run(circuit)


def bound_and_folded(circuit: QuantumCircuit, values: Any) -> QuantumCircuit:
    """The circuit with numbers for its angles, RZZ from 0 to pi/2, as fractional gates take them."""
    return fractional(circuit.assign_parameters(values))


def _ours(backend: Backend) -> Place:
    checked = backend.pass_manager().run

    def translated(circuit: QuantumCircuit) -> QuantumCircuit:
        return in_gates_of_aer(checked(circuit))

    ready = translated if backend.target is None else checked
    folds = backend.abilities.fractional and backend.name.startswith(("fake:", "ibm:"))
    return Place(backend.name, backend, ready, backend.abilities, backend, folds)


def _of_qiskit(backend: BackendV2, seed: int | None) -> Place:
    """A backend of Qiskit's kind; every call has a seed of its own."""
    name = str(getattr(backend, "name", None) or type(backend).__name__)
    _check_charged(backend, name)
    target: Any = backend.target
    can = abilities_of(target) if target.num_qubits else Abilities()

    def play(pub: SamplerPub, seed: int) -> dict[str, BitArray]:
        options = {"seed_simulator": seed}
        data = BackendSamplerV2(backend=backend, options=options).run([pub]).result()[0].data
        return {register.name: data[register.name] for register in pub.circuit.cregs if register.size}

    def check(pubs: list[SamplerPub]) -> None:
        for pub in pubs:
            check_needs(needs_of(pub.circuit), can, name)

    return Place(name, LocalSampler(play, check, seed=seed), _passes(name, can, target), can)


def _sampler(sampler: BaseSamplerV2) -> Place:
    name = type(sampler).__name__
    manager: Any = getattr(sampler, "pass_manager", None)  # of a JournalSampler
    if manager is not None:
        return Place(name, sampler, manager().run)
    backend: Any = next((b for b in (_asked(sampler, "backend"), _asked(sampler, "_backend")) if b is not None), None)
    if not isinstance(backend, BackendV2):
        return Place(name, sampler, lambda circuit: circuit)
    _check_charged(backend, name)
    target: Any = backend.target
    can = abilities_of(target) if target.num_qubits else Abilities()
    return Place(name, sampler, _passes(name, can, target), can)


def _passes(name: str, can: Abilities, target: Any) -> Ready:
    """Ready for a target; of a simulator, whose gates stand anywhere, ready for Aer."""
    if target.num_qubits is None or "unitary" in target.operation_names:
        return in_gates_of_aer
    return fitting.PassManager(name, can, target).run


def _check_charged(backend: BackendV2, name: str) -> None:
    """Refuse a machine whose time is paid for, past the journal."""
    kind = type(backend)
    if kind.__module__.startswith("qiskit_ibm_runtime") and "fake_provider" not in kind.__module__:
        raise InputError(f"{name} is a machine of IBM's, and its jobs go through a journal: backend='ibm:{name}'")


def _asked(sampler: Any, word: str) -> Any:
    found = getattr(sampler, word, None)
    return found() if callable(found) and not isinstance(found, BackendV2) else found


def _names(circuit: QuantumCircuit) -> set[str]:
    found = set()
    for step in circuit.data:
        if isinstance(step.operation, ControlFlowOp):
            found.update(*map(_names, step.operation.blocks))
        found.add(step.name)
    return found
