"""Shots that are drawn on this machine: every call has numbers of its own, and says which.

A sampler with one seed gives the same numbers at every call: averages over calls would not get sharper. Here the seeds
of a call are drawn from (seed, number of the call), as all randomness of the library (`encoding.randomness`). Number
and seeds come back with the result, so that a journal can write them down and a call can be made again.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2, BitArray, DataBin, PrimitiveJob, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import shown
from encoding.randomness import Purpose, checked_seed, stream
from quantum.ladder import checked_count

SEEDS = 1 << 31  # every simulator takes seeds below it
Play = Callable[[SamplerPub, int], dict[str, BitArray]]  # the registers of a pub, from a seed


class LocalSampler(BaseSamplerV2):
    """A sampler of Qiskit's whose calls never repeat each other.

    Args:
        play: draws the shots of one pub from a seed.
        check: refuses the pubs of a call that cannot be played.
        seed: of all calls; None: one is drawn, and told.
        shots: where a call does not say.

    Attributes:
        first_seed: of all calls.
        n_calls: how many were made; the number of the next one. Setting it goes on from another place.
    """

    def __init__(
        self, play: Play, check: Callable[[list[SamplerPub]], None], *, seed: int | None = None, shots: int = 1024
    ) -> None:
        self._play, self._check, self._lock = play, check, Lock()
        self.first_seed = secrets.randbelow(SEEDS) if seed is None else checked_seed(seed)
        self._shots, self.n_calls = checked_count("the number of shots", shots), 0

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> PrimitiveJob:
        """A job with the shots of all pubs; a mistake is refused before it starts.

        Args:
            pubs: circuits, or (circuit, values of its parameters, shots).
            shots: for the pubs that do not say.

        Raises:
            InputError: what is no pub, or a circuit that cannot be played here.
        """
        asked = read_pubs(pubs, self._shots if shots is None else checked_count("the number of shots", shots))
        self._check(asked)
        with self._lock:
            call, self.n_calls = self.n_calls, self.n_calls + 1
        job = PrimitiveJob(self._played, asked, call)
        job._submit()
        return job

    @property
    def shots(self) -> int:
        """Where a call does not say."""
        return self._shots

    def check(self, asked: list[SamplerPub]) -> None:
        """Refuse pubs that cannot be played here.

        Raises:
            InputError: the line says why.
        """
        self._check(asked)

    def seeds(self, call: int, n: int) -> list[int]:
        """Those of the n pubs of a call; none is 0, which some simulators take for none."""
        drawn = stream(self.first_seed, 0, Purpose.CALL, call).integers(1, SEEDS, size=n)
        return [int(seed) for seed in drawn]

    def _played(self, pubs: Sequence[SamplerPub], call: int) -> PrimitiveResult:
        seeds = self.seeds(call, len(pubs))
        results = [
            SamplerPubResult(
                DataBin(**self._play(pub, seed), shape=pub.shape),
                metadata={"shots": pub.shots, "seed": seed, "circuit_metadata": pub.circuit.metadata},
            )
            for pub, seed in zip(pubs, seeds, strict=True)
        ]
        return PrimitiveResult(results, metadata={"version": 2, "call": call, "seed": self.first_seed})


def read_pubs(pubs: Any, shots: int | None) -> list[SamplerPub]:
    """What is asked for, as Qiskit has it.

    Raises:
        InputError: no list of pubs, values that do not fit a circuit, or a circuit that writes nothing down.
    """
    try:
        asked = [SamplerPub.coerce(pub, shots) for pub in ([pubs] if isinstance(pubs, QuantumCircuit) else pubs)]
    except Exception as error:  # Qiskit's own are of many kinds
        raise InputError(f"pubs are circuits, or (circuit, values, shots) each; got {shown(error, 120)}") from None
    for pub in asked:
        if not pub.circuit.cregs:
            raise InputError(f"a circuit is measured into registers; {pub.circuit.name} has none")
    return asked


def shots_of(pub: SamplerPub) -> int:
    """Of each of its circuits; `read_pubs` sees to it that a pub says how many."""
    assert pub.shots is not None
    return pub.shots


def circuits_in(pub: SamplerPub) -> int:
    """How many circuits with numbers a pub is."""
    return int(np.prod(pub.shape, dtype=np.int64))


def register_bits(circuit: QuantumCircuit, shots: NDArray[np.bool_], shape: tuple[int, ...]) -> dict[str, BitArray]:
    """The registers of a circuit from all its bits, (circuits, S, n_clbits), in the order of the circuit."""
    found = {}
    for register in circuit.cregs:
        places = [circuit.find_bit(bit).index for bit in register]
        bits = shots[..., places].reshape(*shape, shots.shape[1], len(places))
        found[register.name] = BitArray.from_bool_array(bits, order="little")
    return found
