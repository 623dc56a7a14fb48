"""What circuits run on, by name: computed exactly, on Aer with noise or without, on machines of IBM's, on PennyLane's.

    >>> from qiskit import QuantumCircuit
    >>> bell = QuantumCircuit(2)
    >>> bell.h(0), bell.cx(0, 1), bell.measure_all()
    (...)
    >>> job = backend_named("aer", seed=1).run([bell], shots=100)
    >>> sorted(job.result()[0].data.meas.get_counts())
    ['00', '11']

All are asked in the same words, those of Qiskit's BaseSamplerV2, so that a network that was trained on one plays on
another; what a machine cannot do is refused in a line before anything is sent. Names: `quantum.machines.names`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike
from qiskit.primitives import BaseSamplerV2
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import shown
from quantum.block import Block
from quantum.ladder import checked_count
from quantum.machines import aer, computed, ibm
from quantum.machines.abilities import Abilities, abilities_of
from quantum.machines.calls import LocalSampler, read_pubs
from quantum.machines.fitting import LEAST_FIDELITY, PassManager
from quantum.machines.names import FORMS, LEAST_BUSY, Name, check_extra, fake_machine, has_extra, read_name
from quantum.sources import Source

SHOTS = 4096
ALONE = {  # what needs no machine
    "exact": computed.EXACT,
    "aer": aer.AER,
    "default.qubit": computed.PENNYLANE,
    "lightning.qubit": computed.PENNYLANE,
}


class Backend(BaseSamplerV2):
    """A sampler by name, and what can be known of it. `backend_named` makes it.

    Attributes:
        name: as it is written, with the machine that was found.
        sampler: what draws the shots: a `LocalSampler`, which counts its calls, or IBM's.
        abilities: what it can do.
        target: Qiskit's Target of the machine; None where every gate is its own.
        machine: the client's backend of IBM's or fake machines; None for simulators.
    """

    def __init__(
        self, name: Name, sampler: BaseSamplerV2, abilities: Abilities, target: Any = None, machine: Any = None
    ) -> None:
        self.name, self.sampler, self.abilities = str(name), sampler, abilities
        self.target, self.machine = target, machine

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        """A job with the shots of all pubs.

        Args:
            pubs: circuits, or (circuit, values of its parameters, shots).
            shots: for the pubs that do not say.

        Raises:
            InputError: what is no pub, or a circuit that cannot be played here; nothing was sent.
        """
        return self.sampler.run(pubs, shots=shots)

    def checked(self, pubs: Iterable[Any], *, shots: int | None = None) -> list[SamplerPub]:
        """The same pubs as `run` would play them; nothing is sent.

        Raises:
            InputError: what is no pub, or a circuit that cannot be played here.
        """
        own: Any = self.sampler
        asked = read_pubs(pubs, own.shots if shots is None else checked_count("the number of shots", shots))
        own.check(asked)
        return asked

    def pass_manager(self, optimization_level: int = 1, *, seed: int = 0) -> PassManager:
        """What makes circuits ready for the machine, by `run(circuit)`.

        Args:
            optimization_level: 0 to 3, as Qiskit counts.
            seed: of the transpiler's own draws.
        """
        return PassManager(self.name, self.abilities, self.target, optimization_level=optimization_level, seed=seed)

    def source(
        self,
        block: Block,
        chords: Sequence[ArrayLike],
        shots: int | None = None,
        *,
        observables: str = "Z",
        feed_forward: bool = False,
    ) -> Source:
        """The features of a block on some music as this backend shows them.

        Args:
            block: registers, rotations, ladder, schedule.
            chords: angles of each piece, the longest first, (n_chords, n_voices, n_rotations), as of `chord_angles`.
            shots: in each basis. None: of "exact", averages without scatter (`quantum.exact.Exact`).
            observables: "Z" or "ZX".
            feed_forward: see `quantum.samplers.Sampler`.

        Raises:
            InputError: what the source refuses; no number of shots where shots are counted.
        """
        from quantum.samplers import Sampler

        if shots is not None:
            return Sampler(block, chords, self, shots, observables=observables, feed_forward=feed_forward)
        if self.name != "exact":
            raise InputError(f"{self.name} shows shots: say how many; exact shows averages")
        from quantum.exact import Exact
        from quantum.music import music_of

        Sampler(block, chords, self, 1)  # looks at block and chords
        return Exact(block, music_of(block, chords), observables)

    @property
    def n_calls(self) -> int | None:
        """Calls made so far, of a local one; a machine of IBM's has jobs."""
        return getattr(self.sampler, "n_calls", None)

    def describe(self) -> str:
        """What it is and what it can do, in a line."""
        kind = read_name(self.name).kind
        return f"{self.name}: {_about(kind)}; {self.abilities.words()}"

    def close(self) -> None:
        """End a batch of IBM's, if there is one."""
        if isinstance(self.sampler, ibm.MachineSampler):
            self.sampler.close()


def backend_named(name: str, *, seed: int | None = None, shots: int = SHOTS, **options: Any) -> Backend:
    """What a name names, ready to run circuits.

    Args:
        name: exact, aer, aer:noise=FakeTorino, fake:FakeTorino, ibm:NAME, ibm:least-busy, default.qubit or
            lightning.qubit.
        seed: of all calls; every call has seeds of its own, drawn from it. None: one is drawn. A machine takes none.
        shots: where a call does not say.
        options: fake and ibm: options of IBM's sampler (twirling, dynamical_decoupling, max_execution_time,
            environment, execution), program ("executor", or the older "sampler"), least_fidelity (how deep circuits may
            be). ibm: mode ("job" or "batch"), instance (a CRN), account (a saved one), fractional, n_qubits of
            least-busy, and awake=False for a machine that may be paused, of which jobs are only fetched.

    Raises:
        InputError: no such name or option, no extra `ibm`, no credentials, a wrong CRN, a machine that is unknown or
            paused, a seed where none is taken.
        ServiceFailed: IBM's service gave no answer.

    >>> backend_named("exakt")
    Traceback (most recent call last):
    encoding.errors.InputError: there is no backend 'exakt': did you mean exact?; there are exact, aer, ...
    """
    read = read_name(name)
    if read.kind in ("fake", "ibm"):
        return _on_fake(read, seed, shots, options) if read.kind == "fake" else _on_ibm(read, seed, shots, options)
    if options:
        raise InputError(f"{read} takes a seed and a number of shots; got {', '.join(sorted(options))}")
    if read.kind in ("aer", "noise"):
        return _on_aer(read, seed, shots)
    can = ALONE[read.kind]
    play = computed.play_exactly if read.kind == "exact" else computed.play_on_pennylane(read.kind)
    return Backend(read, LocalSampler(play, computed.checker(read.kind, can), seed=seed, shots=shots), can)


def backend_lines() -> list[str]:
    """What there is by name: what each can do, and whether the extra and the credentials are there."""
    from quantum.machines.account import where_credentials_are

    lines = [
        f"{form}: {about}" + (f"; {ALONE[form].words()}" if form in ALONE else "") for form, about in FORMS.items()
    ]
    extra = "installed" if has_extra() else "not installed (pip install 'armonica[ibm]'): neither fake nor ibm"
    return [*lines, f"qiskit-ibm-runtime: {extra}", f"credentials: {where_credentials_are()}"]


def fake_lines() -> list[str]:
    """The fake machines, and what each can do.

    Raises:
        InputError: qiskit-ibm-runtime is not installed.
    """
    from quantum.machines.names import fake_machines

    check_extra(Name("fake", "machines"))
    return [f"{name}: {abilities_of(kind().target).words()}" for name, kind in sorted(fake_machines().items())]


def _on_aer(read: Name, seed: int | None, shots: int) -> Backend:
    machine = fake_machine(read) if read.machine else None
    target = machine and machine.target
    can = abilities_of(target) if machine else aer.AER
    sampler = LocalSampler(aer.player(target), aer.checker(str(read), can, target), seed=seed, shots=shots)
    return Backend(read, sampler, can, target, machine)


def _on_fake(read: Name, seed: int | None, shots: int, options: dict[str, Any]) -> Backend:
    machine = fake_machine(read)
    program, least = options.pop("program", "executor"), _least(options)
    said, can = ibm.checked_options(options), abilities_of(machine.target, max_shots=ibm.MOST_EXECUTIONS)
    check = ibm.checker(str(read), can, machine.target, said, least)
    ibm.ibm_sampler(machine, said, program=program)  # options are looked at now
    sampler = LocalSampler(ibm.fake_player(machine, said, program), check, seed=seed, shots=shots)
    return Backend(read, sampler, can, machine.target, machine)


def _on_ibm(read: Name, seed: int | None, shots: int, options: dict[str, Any]) -> Backend:
    check_extra(read)
    if seed is not None:
        raise InputError(f"{read}: a machine takes no seed; got {shown(seed)}")
    names = ("program", "mode", "account", "instance", "fractional", "n_qubits", "awake")
    own = {word: options.pop(word) for word in names if word in options}
    least, said = _least(options), ibm.checked_options(options)
    machine = _opened(read, own)
    found = replace(read, machine=machine.name)
    can = abilities_of(machine.target, max_shots=ibm.MOST_EXECUTIONS, seeded=False, charges=True)
    check = ibm.checker(str(found), can, machine.target, said, least)
    how = {word: own[word] for word in ("program", "mode") if word in own}
    return Backend(
        found, ibm.MachineSampler(machine, check, options=said, shots=shots, **how), can, machine.target, machine
    )


def _opened(read: Name, own: dict[str, Any]) -> Any:
    """The machine; IBM's client is loaded here."""
    from quantum.machines.account import find_account

    account = find_account(account=own.get("account"), instance=own.get("instance"))
    if "n_qubits" in own:
        if read.machine != LEAST_BUSY:
            raise InputError(f"n_qubits is of ibm:{LEAST_BUSY}; got it with {read}")
        checked_count("the number of qubits", own["n_qubits"])
    from quantum.machines.service import open_machine

    return open_machine(
        account,
        read.machine,
        n_qubits=own.get("n_qubits"),
        fractional=bool(own.get("fractional", False)),
        awake=bool(own.get("awake", True)),
    )


def _least(options: dict[str, Any]) -> float:
    """The share of runs without error that is wanted of a circuit."""
    least = options.pop("least_fidelity", LEAST_FIDELITY)
    if isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 1:
        raise InputError(f"least_fidelity is a share of runs, from 0 to 1; got {shown(least)}")
    return float(least)


def _about(kind: str) -> str:
    words = {"noise": FORMS["aer:noise=FakeTorino"], "fake": FORMS["fake:FakeTorino"], "ibm": FORMS["ibm:NAME"]}
    return words[kind] if kind in words else FORMS[kind]
