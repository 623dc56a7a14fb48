"""Between PennyLane and Qiskit, with measurements in the middle: what goes over is right, or is refused in one line.

PennyLane writes the first wire leftmost, Qiskit rightmost: U_Qiskit = reverse_bits(U_PennyLane). Both count
RZZ(theta) = exp(-i theta/2 Z Z). pennylane-qiskit is not needed.
"""

from quantum.into_qiskit import to_qiskit
from quantum.out_of_qiskit import from_qiskit

__all__ = ["from_qiskit", "to_qiskit"]
