"""Gates that PennyLane and Qiskit have in common: the same matrix, phase included, after the change of bit order."""

from collections.abc import Callable
from typing import Any

import pennylane as qp
from qiskit.circuit import Gate
from qiskit.circuit import library as lib

GATES: dict[type, Callable[..., Gate]] = {
    qp.X: lib.XGate,
    qp.Y: lib.YGate,
    qp.Z: lib.ZGate,
    qp.Hadamard: lib.HGate,
    qp.S: lib.SGate,
    qp.T: lib.TGate,
    qp.SX: lib.SXGate,
    qp.RX: lib.RXGate,
    qp.RY: lib.RYGate,
    qp.RZ: lib.RZGate,
    qp.PhaseShift: lib.PhaseGate,
    qp.U1: lib.U1Gate,
    qp.U2: lib.U2Gate,
    qp.U3: lib.UGate,
    qp.CNOT: lib.CXGate,
    qp.CY: lib.CYGate,
    qp.CZ: lib.CZGate,
    qp.CH: lib.CHGate,
    qp.CRX: lib.CRXGate,
    qp.CRY: lib.CRYGate,
    qp.CRZ: lib.CRZGate,
    qp.ControlledPhaseShift: lib.CPhaseGate,
    qp.SWAP: lib.SwapGate,
    qp.ISWAP: lib.iSwapGate,
    qp.ECR: lib.ECRGate,
    qp.IsingXX: lib.RXXGate,
    qp.IsingYY: lib.RYYGate,
    qp.IsingZZ: lib.RZZGate,
    qp.Toffoli: lib.CCXGate,
    qp.CCZ: lib.CCZGate,
    qp.CSWAP: lib.CSwapGate,
}
OF_QISKIT: dict[Any, type] = {gate: operation for operation, gate in GATES.items()} | {lib.U3Gate: qp.U3}
ADJOINTS: dict[Any, type] = {lib.SdgGate: qp.S, lib.TdgGate: qp.T, lib.SXdgGate: qp.SX}
