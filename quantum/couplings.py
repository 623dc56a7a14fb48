"""The ladder as a spin model: its ZZ gates are couplings between qubits.

    RZZ(theta) = exp(-i theta/2 Z Z),    J_ij = -(1/2) sum_layers sin theta_ij,    H = -(1/2) sum_ij J_ij Z_i Z_j

For small angles a gate is H for a unit of time, J = -theta/2. A gate of angle pi is Z times Z, up to a phase, which
couples nothing, and one of pi/2 couples most; |sin theta| is the largest concurrence that it makes of a product state
(Kraus & Cirac 2001). So J follows the angles without a jump, and a turn by 2 pi changes nothing. Layers add up; what
the rotations between them do is not seen.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from encoding.layout import Group
from quantum.ladder import Ladder

Array = NDArray[np.floating]


def couplings(angles: Array, layout: Mapping[str, Group], ladder: Ladder) -> dict[tuple[int, int], Array]:
    """One block, (0, 0): the couplings between all qubits, data and history, (..., n_qubits, n_qubits).

    Args:
        angles: flat weights (..., n_weights), as `QuantumRNN.weights` gives them.
        layout: where the groups stand; J0, J1, ... hold the angles of the edges.
        ladder: the gates.
    """
    n = ladder.n_qubits
    whole = np.zeros((*angles.shape[:-1], n, n))
    one, other = np.array(ladder.edges, int).reshape(-1, 2).T
    for layer in range(ladder.n_layers):
        theta = np.asarray(angles[..., layout[f"J{layer}"].slice], np.float64)
        j = -np.sin(theta) / 2
        whole[..., one, other] += j
        whole[..., other, one] += j
    return {(0, 0): whole}
