"""How many parameters count on the music that is learned, and how fast outputs begin to move: both from J = dH/dx.

x are the coordinates that learning moves along, each of unit length (angles; entries of free matrices; turns of
orthogonal ones), H the output fields of all n slots of time. Rank and rate are of the same matrix:

    effective parameters    rank J <= n_coordinates                              directions of x that the outputs feel
    bound                   rank J <= n_distinct n_felt                          what the music can ask for
    tangent kernel          dH/dtau = - J J^T dE/dH = - (1/n) J J^T (tanh H - S)   (NLL; E is the mean cost of a slot)
    rate                    tr(J J^T) / (n n_outputs) / n

n_distinct counts slots whose rows of J differ (equal histories give equal rows), n_felt the independent rows among the
outputs of a slot: n_f of them where a frozen K reads n_f features, all 54 where K or h_0 learn.

Singular values are those of J itself, by its QR decomposition: R has the same ones. The Gram matrix J^T J has their
squares, so that rounding, 1e-16 of the largest, would hide what is below 1e-8.

dE/dH holds the 1/n of the mean over slots, and tanh H - S = H - S near H = 0, so the rate is the mean eigenvalue of
what makes fields relax, zeros included, in units of 1/tau: a gradient flow is the same in all units of its coordinates
as a function of tau times rate. Of gates exp(-i x P) the kernel in x is four times that of exp(-i a P/2) in a, and
tau a fourth.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.given import number
from encoding.memory import check_room
from experiments.abilities import ability, checked_system
from experiments.system import System

Array = NDArray[np.float64]

CLEAR = 1e3  # between the last that counts and the first that does not
ROUNDING = float(np.finfo(np.float64).eps)
COPIES = 5  # of the slopes of one replica, in work


class EffectiveRank(NamedTuple):
    """How many coordinates count, of each replica.

    Attributes:
        rank: of J, (R,); 0 where it is not finite.
        singular_values: of J, the largest first, (R, min(n_rows, n_coordinates)).
        gap: the last singular value that counts over the first that does not, or over rounding if that is larger, (R,).
            Infinite where all are 0, NaN where the slopes are not finite.
        clear: whether the gap is of three decades, (R,). If not, the rank is a matter of taste: it is what is above the
            tolerance.
        bound: of the rank, n_distinct n_felt, (R,): what the slots can ask for. Where K learns too, the readout bounds
            it further: `experiments.same_readout.constraints`.
        n_coordinates: that learning moves along.
        n_rows: output fields, n_slots n_outputs.
    """

    rank: NDArray[np.int64]
    singular_values: Array
    gap: Array
    clear: NDArray[np.bool_]
    bound: NDArray[np.int64]
    n_coordinates: int
    n_rows: int

    def __repr__(self) -> str:
        """Rank and bound, without the singular values."""
        told = f"rank {self.rank.tolist()} of at most {self.bound.tolist()}, {self.n_coordinates} coordinates"
        return f"<EffectiveRank: {told}{'' if self.clear.all() else ', no clear gap'}>"


def effective_parameters_on_data(system: System, *, tolerance: float = 1e-10) -> EffectiveRank:
    """The rank of dH/dx at the weights of `system`, on all slots that it learns from.

    It depends on the weights: while K = 0 nothing before it counts. Ask a network that has learned something, or whose
    readout is random.

    Args:
        system: one with `jacobian()` and `outputs()`.
        tolerance: singular values above this part of the largest count.

    Raises:
        InputError: no such system, a tolerance that is not between 0 and 1, or no room for the slopes.
    """
    tolerance = number("tolerance", tolerance, above=0)
    if not tolerance < 1:
        raise InputError(f"tolerance is between 0 and 1, a part of the largest singular value; got {tolerance:g}")
    slopes = _slopes(system)  # (R, n_slots, n_outputs, n_coordinates)
    n_slots, n_outputs, n = slopes.shape[1:]
    check_room(8.0 * COPIES * slopes[0].size, f"singular values of {n_slots * n_outputs} by {n} slopes")
    told = [_told(own, tolerance) for own in slopes]
    values, rank, gap, bound = (np.array(each) for each in zip(*told, strict=True))
    return EffectiveRank(rank, values, gap, gap >= CLEAR, bound, n, n_slots * n_outputs)


def kernel_rate(system: System) -> Array:
    """The mean eigenvalue of the tangent kernel over the number of slots, tr(J J^T) / (n_rows n_slots), (R,).

    In units of 1/tau, at the weights of `system`: ask it at its start, and tau times this is a time that two machines
    on the same music have in common. The mean is over all n_rows = n_slots n_outputs fields; times n_rows / rank it is
    that of the eigenvalues that are not 0.

    Args:
        system: one with `jacobian()` and `outputs()`.

    Raises:
        InputError: no such system, or no room for the slopes.
    """
    slopes = _slopes(system)
    n_slots, n_outputs = slopes.shape[1:3]
    return np.array([np.linalg.norm(own) ** 2 for own in slopes]) / (n_slots**2 * n_outputs)


def _slopes(system: System) -> Array:
    """J with its rows by slot and output, (R, n_slots, n_outputs, n_coordinates).

    Raises:
        InputError: the system has no `jacobian` or `outputs`, or they do not belong together.
    """
    jacobian, outputs = (ability(checked_system("system", system), name) for name in ("jacobian", "outputs"))
    n_replicas, n_slots, n_outputs = outputs().shape
    found = jacobian()
    if found.ndim != 3 or found.shape[:2] != (n_replicas, n_slots * n_outputs):
        raise InputError(
            f"this system has outputs of shape {(n_replicas, n_slots, n_outputs)}, so jacobian() is of shape "
            f"{(n_replicas, n_slots * n_outputs, 'n_coordinates')}; got {found.shape}"
        )
    return found.reshape(n_replicas, n_slots, n_outputs, found.shape[2])


def _told(slopes: Array, tolerance: float) -> tuple[Array, int, float, int]:
    """Singular values, rank, gap and bound of one replica."""
    j = slopes.reshape(slopes.shape[0] * slopes.shape[1], -1) if slopes.size else np.zeros((0, 0))
    if not np.isfinite(j).all():
        return np.full(min(j.shape), np.nan), 0, np.nan, 0
    if not j.size:
        return np.zeros(0), 0, np.inf, 0
    values = _singular_values(j)
    rank = int((values > tolerance * values[0]).sum())
    dropped = np.append(values, 0)[rank]
    gap = values[rank - 1] / max(dropped, ROUNDING * max(j.shape) * values[0]) if rank else np.inf
    return values, rank, float(gap), _n_distinct(slopes, tolerance) * _n_felt(slopes, tolerance)


def _singular_values(j: Array) -> Array:
    """The largest first."""
    return np.linalg.svd(np.linalg.qr(j if j.shape[0] > j.shape[1] else j.T, mode="r"), compute_uv=False)


def _n_distinct(slopes: Array, tolerance: float) -> int:
    """Slots whose rows differ: equal ones come one after the other in the order along any direction."""
    rows = slopes.reshape(len(slopes), -1)
    direction = np.random.Generator(np.random.Philox(key=[0, rows.shape[1]])).standard_normal(rows.shape[1])
    ordered = rows[np.argsort(rows @ direction)]
    return 1 + int((np.abs(np.diff(ordered, axis=0)).max(1) > tolerance * np.abs(rows).max()).sum())


def _n_felt(slopes: Array, tolerance: float) -> int:
    """Independent ones among the outputs of a slot."""
    values = _singular_values(slopes.swapaxes(0, 1).reshape(slopes.shape[1], -1))
    return int((values > tolerance * values[0]).sum())
