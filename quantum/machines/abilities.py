"""What a circuit asks for, and what a machine can do: refused before anything is sent.

A recurrent circuit measures and resets in the middle; with feed-forward it decides while it runs. Not every machine
does that.
"""

from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp, Measure

from encoding import InputError
from encoding.errors import counted

TRANSPARENT = ("barrier", "delay")


@dataclass(frozen=True)
class Needs:
    """What a circuit asks for.

    Attributes:
        n_qubits: qubits that anything happens to.
        width: qubits that it has, idle ones too.
        midway: whether something follows a measurement, on its qubit or on its outcome.
        reset: whether a qubit is reset.
        decides: whether it decides while it runs: if_test and other control flow.
    """

    n_qubits: int
    width: int
    midway: bool
    reset: bool
    decides: bool

    @property
    def branches(self) -> bool:
        """Whether shots go ways of their own before the end."""
        return self.midway or self.decides


@dataclass(frozen=True)
class Abilities:
    """What a machine can do.

    Attributes:
        n_qubits: how many qubits it has; None: as many as memory holds.
        max_shots: of one job, all its circuits together; None: as many as memory holds.
        midway: measure, and go on with the same qubit.
        reset: reset a qubit while a circuit runs.
        decides: if_test on what was measured.
        fractional: RZZ by any angle from 0 to pi/2 as one gate of its own.
        noisy: whether gates err.
        seeded: whether it takes a seed, and repeats itself.
        charges: whether its time is paid for.
    """

    n_qubits: int | None = None
    max_shots: int | None = None
    midway: bool = True
    reset: bool = True
    decides: bool = True
    fractional: bool = True
    noisy: bool = False
    seeded: bool = True
    charges: bool = False

    def words(self) -> str:
        """In a line.

        >>> Abilities(5, fractional=False, noisy=True).words()
        '5 qubits; measures midway, resets, decides; no fractional RZZ; noisy; takes a seed'
        >>> Abilities(1, noisy=True).words().partition(";")[0]
        '1 qubit'
        """
        does = [word for word, can in self._verbs() if can]
        cannot = [word for word, can in self._verbs() if not can]
        return "; ".join(
            part
            for part in (
                counted(self.n_qubits, "qubit") if self.n_qubits else "qubits as memory allows",
                f"at most {counted(self.max_shots, 'shot')} a job" if self.max_shots else "",
                ", ".join(does) or "gates and measurements at the end",
                f"never {', never '.join(cannot)}" if cannot else "",
                "fractional RZZ" if self.fractional else "no fractional RZZ",
                "noisy" if self.noisy else "no noise",
                "takes a seed" if self.seeded else "no seed",
                "its time is paid for" if self.charges else "",
            )
            if part
        )

    def _verbs(self) -> list[tuple[str, bool]]:
        return [("measures midway", self.midway), ("resets", self.reset), ("decides", self.decides)]


def needs_of(circuit: QuantumCircuit) -> Needs:
    """What a circuit asks for, branches of control flow included.

    >>> circuit = QuantumCircuit(2, 1)
    >>> circuit.h(0), circuit.measure(0, 0), circuit.reset(0)
    (...)
    >>> needs_of(circuit)
    Needs(n_qubits=1, width=2, midway=True, reset=True, decides=False)
    """
    used, measured, midway, resets, decides = set(), set(), False, False, False
    for step in circuit.data:
        if step.name in TRANSPARENT:
            continue
        used.update(step.qubits)
        midway = midway or not measured.isdisjoint((*step.qubits, *step.clbits))
        if isinstance(step.operation, Measure):
            measured.update((*step.qubits, *step.clbits))
        elif isinstance(step.operation, ControlFlowOp):
            inside = [needs_of(body) for body in step.operation.blocks]
            decides = True
            resets = resets or any(body.reset for body in inside)
        resets = resets or step.name == "reset"
    return Needs(len(used), circuit.num_qubits, midway, resets, decides)


def abilities_of(target: Any, **said: Any) -> Abilities:
    """What a Target says a machine can do.

    Args:
        target: of Qiskit's, of the machine.
        said: what a target does not say.
    """
    names = set(target.operation_names)
    known = {"n_qubits": target.num_qubits, "reset": "reset" in names, "decides": "if_else" in names}
    return Abilities(**(known | {"fractional": "rzz" in names, "noisy": True} | said))


def check_needs(needs: Needs, can: Abilities, name: str) -> None:
    """Refuse a circuit that a machine cannot run.

    Raises:
        InputError: more qubits than it has, or a reset, a decision or a measurement midway that it does not do.
    """
    if can.n_qubits is not None and needs.n_qubits > can.n_qubits:
        raise InputError(
            f"{name} has {counted(can.n_qubits, 'qubit')}; the circuit takes {needs.n_qubits}: fewer, or another one"
        )
    for what, asked, able, instead in (
        ("if_test", needs.decides, can.decides, "take another one; a Sampler leaves it out by feed_forward=False"),
        ("reset in a circuit", needs.reset, can.reset, "take another one, or one chord a circuit"),
        ("measurement midway", needs.midway, can.midway, "take aer, or one chord a circuit"),
    ):
        if asked and not able:
            raise InputError(f"{name} does no {what}, and the circuit has one: {instead}")
