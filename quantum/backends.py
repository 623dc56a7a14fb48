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

from dataclasses import replace
from typing import Any

from encoding import InputError
from encoding.errors import shown
from quantum.ladder import checked_count
from quantum.machines import aer, computed, ibm
from quantum.machines.abilities import abilities_of
from quantum.machines.account import Account, find_account
from quantum.machines.backend import Backend
from quantum.machines.calls import LocalSampler
from quantum.machines.fitting import LEAST_FIDELITY
from quantum.machines.manner import check_local, manner_of
from quantum.machines.names import LEAST_BUSY, Name, check_extra, fake_machine, read_name

__all__ = ["Backend", "backend_named", "noise_of"]

SHOTS = 4096
ALONE = {  # what needs no machine
    "exact": computed.EXACT,
    "aer": aer.AER,
    "default.qubit": computed.PENNYLANE,
    "lightning.qubit": computed.PENNYLANE,
}


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
        said = ", ".join(sorted(options))
        raise InputError(f"{read} takes a seed and a number of shots; got {said}: those are of fake:NAME and ibm:NAME")
    if read.kind in ("aer", "noise"):
        return _on_aer(read, fake_machine(read) if read.machine else None, seed, shots)
    can = ALONE[read.kind]
    play = computed.play_exactly if read.kind == "exact" else computed.play_on_pennylane(read.kind)
    return Backend(read, LocalSampler(play, computed.checker(read.kind, can), seed=seed, shots=shots), can)


def noise_of(backend: Backend, *, seed: int | None = None) -> Backend | None:
    """Aer with the noise of the machine of a backend, as its target tells it now; nothing is sent or charged.

    Args:
        backend: of a fake machine, of Aer with the noise of one, or of IBM's.
        seed: of all calls.

    Returns:
        None where no machine is known, so that no noise is.

    >>> noise_of(backend_named("aer")) is None
    True
    """
    if backend.machine is None:
        return None
    return _on_aer(Name("noise", read_name(backend.name).machine), backend.machine, seed, SHOTS)


def _on_aer(read: Name, machine: Any, seed: int | None, shots: int) -> Backend:
    target = machine and machine.target
    can = abilities_of(target) if machine else aer.AER
    sampler = LocalSampler(aer.player(target), aer.checker(str(read), can, target), seed=seed, shots=shots)
    return Backend(read, sampler, can, target, machine)


def _on_fake(read: Name, seed: int | None, shots: int, options: dict[str, Any]) -> Backend:
    machine = fake_machine(read)
    program, least = options.pop("program", "executor"), _least(options)
    said, can = ibm.checked_options(options), abilities_of(machine.target, max_shots=ibm.MOST_EXECUTIONS)
    check = ibm.checker(str(read), can, machine, said, least, program)
    ibm.ibm_sampler(machine, said, program=program)  # options are looked at now
    check_local(str(read), said, program)
    sampler = LocalSampler(ibm.fake_player(machine, said, program), check, seed=seed, shots=shots)
    return Backend(read, sampler, can, machine.target, machine, manner=manner_of(said))


def _on_ibm(read: Name, seed: int | None, shots: int, options: dict[str, Any]) -> Backend:
    check_extra(read)
    if seed is not None:
        raise InputError(f"{read}: a machine takes no seed; got {shown(seed)}")
    names = ("program", "mode", "account", "instance", "fractional", "n_qubits", "awake")
    own = {word: options.pop(word) for word in names if word in options}
    least, said = _least(options), ibm.checked_options(options)
    account = find_account(account=own.get("account"), instance=own.get("instance"))
    machine = _opened(read, account, own)
    found, program = replace(read, machine=machine.name), own.get("program", "executor")
    can = abilities_of(machine.target, max_shots=ibm.MOST_EXECUTIONS, seeded=False, charges=True)
    check = ibm.checker(str(found), can, machine, said, least, program)
    how = {"program": program, "mode": own.get("mode", "job")}
    sampler = ibm.MachineSampler(machine, check, options=said, shots=shots, **how)
    told = {"manner": manner_of(said), "instance": account.instance}
    return Backend(found, sampler, can, machine.target, machine, **told)


def _opened(read: Name, account: Account, own: dict[str, Any]) -> Any:
    """The machine; IBM's client is loaded here."""
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
