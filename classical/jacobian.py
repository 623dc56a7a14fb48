"""How the output fields of a deep recurrent network move with all that it can learn: dH/dx, in double precision.

What learns moves along coordinates x. A free matrix has one for each entry; an M that is kept orthogonal can only turn:

    M exp(A),    A = sum_(i<j) x_ij (E_ij - E_ji) / sqrt 2              w (w - 1) / 2 coordinates, at x = 0
    unitary      A = X + iY, X antisymmetric, Y symmetric               w^2 coordinates; w complex units

Complex matrices are written as real ones, [[X, -Y], [Y, X]] (`classical.unitary`). Each coordinate is a unit of length
of the real matrix, |dM| = |dx|. A step w - eta dE/dw and the polar factor after it go down the gradient of E in
x, to first order in eta; so outputs learn by the kernel J J^T, J = dH/dx.

    dmu_l(t) = (1 - mu_l^2) [dJ_l mu_(l-1)(t) + J_l dmu_(l-1)(t) + dM_l mu_l(t-1) + M_l dmu_l(t-1)]

goes forward in time, many directions at once; dH = K dmu + dK mu + dW S + dh_0 (eqs. 1 to 3 of Hertz & Tyrcha 2024).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classical.bptt import Slots, activations, one_earlier, slots
from classical.orthogonal import polar_factor
from classical.settings import DeepRNNSettings
from encoding import Transitions
from encoding.layout import Group
from encoding.memory import check_room

AT_ONCE = 2**27  # bytes in work, one part of the directions


def jacobian(
    data: Transitions, settings: DeepRNNSettings, layout: dict[str, Group], flat: NDArray[np.floating]
) -> NDArray[np.float64]:
    """dH/dx of every transition, (n_replicas, n_slots n_outputs, n_coordinates); groups in the order of the layout.

    Args:
        data: the transitions.
        settings: which groups are learned, and which are kept orthogonal.
        layout: of the weights.
        flat: the weights, (n_replicas, n_weights), in any precision. What is kept orthogonal stands for the nearest
            orthogonal matrix, where its next step takes it.

    Raises:
        InputError: more memory is needed than there is.
    """
    heard = slots(data, settings.boundary, torch.float64)
    learned = [name for name in layout if settings.learns(name)]
    n_rows = data.targets.size
    n = sum(n_coordinates(layout[name].shape, *_kind(settings, name)) for name in learned)
    check_room(8.0 * len(flat) * n_rows * n + 2 * AT_ONCE, f"slopes of {n_rows} outputs in {n} coordinates")
    found = np.empty((len(flat), n, n_rows))
    for own, rows in zip(flat.astype(np.float64), found, strict=True):
        network, place = Linearised(own, settings, layout, heard), 0
        for name in learned:
            for part in network.along(name):
                rows[place : place + len(part)] = part.flatten(1).numpy()
                place += len(part)
    return found.mT


def n_coordinates(shape: tuple[int, ...], orthogonal: bool, is_complex: bool = False) -> int:
    """How many coordinates a group of weights has; a complex matrix has the shape of its real form.

    >>> n_coordinates((4, 4), True), n_coordinates((4, 4), False)
    (6, 16)
    >>> n_coordinates((4, 4), True, True), n_coordinates((4, 4), False, True)  # of two complex units
    (4, 8)
    """
    if is_complex:
        return int(np.prod(shape)) // (4 if orthogonal else 2)
    return shape[0] * (shape[0] - 1) // 2 if orthogonal else int(np.prod(shape))


def _kind(settings: DeepRNNSettings, name: str) -> tuple[bool, bool]:
    """Whether a group is kept orthogonal, and whether it is complex."""
    return settings.kept_orthogonal(name), settings.is_complex(name)


class Linearised:
    """One network on its music, and how it answers to a small change of its weights.

    Args:
        own: weights, (n_weights,).
        settings: of the network.
        layout: of the weights.
        data: the transitions.
    """

    def __init__(
        self, own: NDArray[np.float64], settings: DeepRNNSettings, layout: dict[str, Group], data: Slots
    ) -> None:
        self.settings, self.data = settings, data
        self.weights = {name: torch.from_numpy(own[group.slice]).reshape(group.shape) for name, group in layout.items()}
        for name in filter(settings.kept_orthogonal, layout):
            self.weights[name] = polar_factor(self.weights[name])
        stacked = {name: matrix[None] for name, matrix in self.weights.items()}
        self.layers = [mu[0] for mu in activations(stacked, data, settings.depth)]  # (n, w) each

    def along(self, name: str) -> Iterator[Tensor]:
        """dH along the coordinates of a group, in parts of (c, n_slots, n_outputs)."""
        matrix, (orthogonal, is_complex) = self.weights[name], _kind(self.settings, name)
        k = self.weights["K"]
        one = 8 * (2 * matrix.numel() + len(self.data.inputs) * (4 * self.layers[-1].shape[1] + 2 * len(k)))
        for which in torch.arange(n_coordinates(matrix.shape, orthogonal, is_complex)).split(max(1, AT_ONCE // one)):
            moves = _moves(matrix, which, orthogonal, is_complex)
            if name == "h0":
                yield moves[:, None].expand(-1, len(self.data.inputs), -1)
            elif name == "W":
                yield self.data.inputs @ moves.mT
            elif name == "K":
                yield self.layers[-1][:, : k.shape[1]] @ moves.mT
            else:
                yield self._top(name[0], int(name[1:]), moves)[..., : k.shape[1]] @ k.mT

    def _top(self, kind: str, layer: int, moves: Tensor) -> Tensor:
        """How the top layer answers to moves (c, w, ...) of J or M of a layer, (c, n_slots, w)."""
        mu = self.layers[layer]
        below = self.layers[layer - 1] if layer else self.data.inputs
        answer = (below if kind == "J" else one_earlier(mu[None], self.data)[0]) @ moves.mT
        self._in_time(answer, layer)
        for above in range(layer + 1, self.settings.depth):
            answer = answer @ self.weights[f"J{above}"].mT
            self._in_time(answer, above)
        return answer

    def _in_time(self, answer: Tensor, layer: int) -> None:
        """Turn the drive of a layer into dmu(t) = (1 - mu^2) [drive(t) + M dmu(t - 1)], in place, time by time."""
        data, slope = self.data, 1 - self.layers[layer].square()
        recurrent = self.weights[f"M{layer}"].mT
        answer[:, : data.n_first] *= 0 if data.silent_start else slope[: data.n_first]
        for start, a, b in zip(data.offsets, data.offsets[1:], data.offsets[2:], strict=False):
            answer[:, a:b] += answer[:, start : start + b - a] @ recurrent
            answer[:, a:b] *= slope[a:b]


def _moves(matrix: Tensor, which: Tensor, orthogonal: bool, is_complex: bool) -> Tensor:
    """Unit moves along the coordinates `which` (c,) of a matrix, (c, *shape)."""
    if not orthogonal:
        return complex_entries(matrix.shape, which) if is_complex else entries(matrix.shape, which)
    return matrix @ complex_turns(len(matrix) // 2, which) if is_complex else turns(matrix, which)


def entries(shape: Sequence[int], which: Tensor) -> Tensor:
    """A unit in one entry of each matrix, (c, *shape); `which` (c,) counts the entries."""
    moves = torch.zeros(len(which), int(np.prod(shape)), dtype=torch.float64)
    moves[torch.arange(len(which)), which] = 1
    return moves.unflatten(1, tuple(shape))


def turns(matrix: Tensor, which: Tensor) -> Tensor:
    """M (E_ij - E_ji) / sqrt 2 of an orthogonal M, (c, w, w); `which` (c,) counts the pairs i < j."""
    i, j = torch.triu_indices(len(matrix), len(matrix), 1)[:, which]
    moves, each = torch.zeros(len(which), *matrix.shape, dtype=matrix.dtype), torch.arange(len(which))
    moves[each, :, j] = matrix.T[i] / 2**0.5
    moves[each, :, i] = -matrix.T[j] / 2**0.5
    return moves


def complex_entries(shape: Sequence[int], which: Tensor) -> Tensor:
    """A unit in one entry of each complex matrix, real entries before imaginary ones, as real (c, 2m, 2n)."""
    m, n = shape[0] // 2, shape[1] // 2
    parts = entries((2, m, n), which) / 2**0.5
    return _written(parts[:, 0], parts[:, 1])


def complex_turns(w: int, which: Tensor) -> Tensor:
    """Unit generators X + iY of the unitary group of w units, as real (c, 2w, 2w).

    In order: (E_ij - E_ji)/2 for i < j in X; (E_ij + E_ji)/2 for i < j in Y; E_ii / sqrt 2 in Y.
    """
    i, j = torch.triu_indices(w, w, 1)
    own, n = torch.arange(w), len(i)
    row, column = torch.cat([i, i, own])[which], torch.cat([j, j, own])[which]
    size = torch.where(which < 2 * n, 0.5, 2**-0.5).to(torch.float64)
    parts, each, part = (
        torch.zeros(2, len(which), w, w, dtype=torch.float64),
        torch.arange(len(which)),
        (which >= n).long(),
    )
    parts[part, each, row, column] = size
    parts[part, each, column, row] = torch.where(which < n, -size, size)
    return _written(*parts)


def _written(real: Tensor, imaginary: Tensor) -> Tensor:
    """[[X, -Y], [Y, X]] of complex matrices X + iY, (c, m, n)."""
    return torch.cat([torch.cat([real, -imaginary], 2), torch.cat([imaginary, real], 2)], 1)
