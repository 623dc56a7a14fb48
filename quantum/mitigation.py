"""Readout that errs, put right in the counts by mthree, where that is installed.

    p_seen = (A_1 x ... x A_n) p,    A_q = | P(0|0)  P(0|1) |
                                           | P(1|0)  P(1|1) |

mthree solves for p among the outcomes that were seen (Nation et al., PRX Quantum 2, 040326, 2021). A_q is what the
machine's own calibration says of qubit q, so that nothing more is sent or paid for. The counts of a job are the same
with it and without. What a misread outcome did inside a shot, where a reset or a decision followed from it, no count
can tell, and stays.
"""

import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.primitives import BitArray, PrimitiveResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from quantum.machines.backend import Backend
from quantum.sources import Real

WAYS = ("mthree",)


def reader(way: str, backend: Backend) -> Callable[[Sequence[PrimitiveResult], Sequence[Sequence[SamplerPub]]], Real]:
    """What reads features, (n_chords, n_f), of one piece from results and the circuits that were sent.

    Args:
        way: "mthree".
        backend: where they were played.

    Raises:
        InputError: another way, mthree is not installed, or no machine whose readout is known.
    """
    check_way(way)
    misread = misreadings(backend)
    if find_spec("mthree") is None:
        raise InputError("readout mitigation by mthree needs mthree, which is not installed: pip install mthree")
    solver = import_module("mthree").M3Mitigation(None)
    solver.cals_from_matrices(misread)
    return lambda results, pubs: _features(solver, results, pubs)


def check_way(way: str) -> None:
    """Refuse a word for no way.

    Raises:
        InputError: the line lists those there are.
    """
    if way not in WAYS:
        raise InputError(f"readout is mitigated by {', '.join(WAYS)}; got {way!r:.40}")


def misreadings(backend: Backend) -> list[NDArray[np.float64]]:
    """A_q of every qubit of a machine.

    Raises:
        InputError: no machine, or one that says nothing of its readout.
    """
    if backend.target is None:
        raise InputError(f"{backend.name} misreads nothing: readout mitigation is of machines and their noise")
    told = backend.machine.properties() if backend.abilities.charges else None
    pairs = [_misread(backend, qubit, told) for qubit in range(backend.target.num_qubits)]
    return [np.array([[1 - up, down], [up, 1 - down]]) for up, down in pairs]


def _misread(backend: Backend, qubit: int, told: Any) -> tuple[float, float]:
    """P(1|0) and P(0|1): of a simulated machine as Aer's noise has them, of IBM's as its calibration does."""
    known: Any = (backend.target["measure"] or {}).get((qubit,)) if "measure" in backend.target else None
    places = ("prob_meas1_prep0", "prob_meas0_prep1")
    if told is not None:
        said = told.qubit_property(qubit)
        if all(name in said for name in places):
            up, down = (float(said[name][0]) for name in places)
            return up, down
    error = getattr(known, "error", None)
    up, down = (getattr(known, name, error) for name in places)
    if up is None or down is None:
        raise InputError(f"{backend.name} does not say how often qubit {qubit} is misread: no readout mitigation")
    return float(up), float(down)


def _features(solver: Any, results: Sequence[PrimitiveResult], pubs: Sequence[Sequence[SamplerPub]]) -> Real:
    """Averages of each chord: those of each basis, one after the other; a job holds a circuit of every basis."""
    rows = []
    for result, asked in zip(results, pubs, strict=True):
        bases = [_averages(solver, result[i], pub.circuit) for i, pub in enumerate(asked)]
        rows += [np.concatenate(chord) for chord in zip(*bases, strict=True)]
    return np.array(rows)


def _averages(solver: Any, result: Any, circuit: QuantumCircuit) -> list[Real]:
    """<Z> of the qubits of each register, as their outcomes would have been."""
    read = {step.clbits[0]: circuit.find_bit(step.qubits[0]).index for step in circuit.data if step.name == "measure"}
    found = []
    for register in circuit.cregs:
        bits: BitArray = result.data[register.name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of qubits that are misread more often than not: they are corrected too
            corrected = solver.apply_correction(bits.get_counts(), [read[bit] for bit in register])
        signs = ["I" * (register.size - 1 - place) + "Z" + "I" * place for place in range(register.size)]
        found.append(np.array([float(corrected.expval(sign)) for sign in signs]))
    return found
