"""The network before it learns: a Sherrington-Kirkpatrick glass in layers, and where it melts.

    J^(k)_ij ~ N(0, C_k / N_(k-1))                                                       (Barney, Winer & Galitski 2024)

Replica symmetry breaks where the Hessian of the replicated action (15), tridiagonal in the layers,

    H_kk = N_k,    H_(k-1)k = - beta^2 N_k C_k        (the paper prints beta in its last row; read beta^2)

is no longer positive. Divided by sqrt(N_(k-1) N_k) it is 1 - beta^2 A, so T_c^2 is the largest eigenvalue of

    A_(k-1)k = C_k sqrt(N_k / N_(k-1)),

which for equal layers is T_c = [2 C cos(pi / (L + 2))]^(1/2)                                                      (17)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal

from classical.spins.bonds import MOST_BETA, Bonds, chain
from encoding import InputError, Purpose, stream
from encoding.errors import shown
from encoding.given import number, whole
from encoding.memory import check_room
from encoding.randomness import checked_seed

Array = NDArray[np.floating]

MOST_VARIANCE = 1e100  # its products with others are numbers


def transition_temperature(sizes: Sequence[int], variances: float | Sequence[float] = 1.0) -> float:
    """T_c of the multi-layer Sherrington-Kirkpatrick model, the root of the largest eigenvalue of A.

    Args:
        sizes: N_0 .. N_L; only their ratios matter.
        variances: C of every layer, or C_1 .. C_L.

    Raises:
        InputError: fewer than two layers, sizes or variances that are none.

    >>> round(transition_temperature([784, 512, 512, 512, 10], 2.0), 6)
    1.757516
    >>> float(round(transition_temperature([7] * 5, 2.0) ** 2 / np.cos(np.pi / 6), 12))  # (17)
    4.0
    """
    n, c = _checked(sizes, variances)
    couplings = c * np.sqrt(n[1:] / n[:-1])
    return float(np.sqrt(eigvalsh_tridiagonal(np.zeros(len(n)), couplings)[-1]))


def hessian(sizes: Sequence[int], variances: float | Sequence[float], beta: float) -> Array:
    """The Hessian (15) of the replicated action at q = 0, (L + 1, L + 1): positive above the transition.

    Args:
        sizes: N_0 .. N_L.
        variances: C of every layer, or C_1 .. C_L.
        beta: 1/T.

    Raises:
        InputError: see `transition_temperature`; a negative beta.
    """
    n, c = _checked(sizes, variances)
    beta = number("beta", beta, least=0, most=MOST_BETA)
    beside = -(beta**2) * n[1:] * c
    return np.diag(n) + np.diag(beside, 1) + np.diag(beside, -1)


def random_bonds(
    sizes: Sequence[int], variances: float | Sequence[float] = 1.0, *, seed: int = 0, n_systems: int | None = None
) -> Bonds:
    """Instances of the multi-layer model, as a network starts: J^(k) ~ N(0, C_k / N_(k-1)).

    Args:
        sizes: N_0 .. N_L.
        variances: C of every layer, or C_1 .. C_L; 2 is Kaiming's start for ReLU.
        seed: of the bonds; number r of many systems is the same whatever is beside it.
        n_systems: how many; None: one, without a leading axis.

    Raises:
        InputError: see `transition_temperature`; a seed or number that is none, or no room.
    """
    n, c = _checked(sizes, variances)
    n_systems, seed = None if n_systems is None else whole("n_systems", n_systems), checked_seed(seed)
    n_bonds = float((n[1:] * n[:-1]).sum())
    check_room(16 * n_bonds * (n_systems or 1), f"{n_systems or 1} system(s) of {n.sum():.0f} spins")
    every = [_instance(n.astype(int), c, stream(seed, r, Purpose.DISORDER)) for r in range(n_systems or 1)]
    return chain(every[0] if n_systems is None else [np.stack(blocks) for blocks in zip(*every, strict=True)])


def _instance(n: NDArray[np.int64], c: Array, rng: np.random.Generator) -> list[Array]:
    return [
        rng.standard_normal((below, above)) * np.sqrt(variance / below)
        for below, above, variance in zip(n[:-1], n[1:], c, strict=True)
    ]


def _checked(sizes: Any, variances: Any) -> tuple[Array, Array]:
    """N (L + 1,) and C (L,)."""
    sizes, variances = (each.tolist() if isinstance(each, np.ndarray) else each for each in (sizes, variances))
    if isinstance(sizes, str | bytes) or not isinstance(sizes, Sequence) or len(sizes) < 2:
        raise InputError(f"sizes are the spins of two layers or more, as [784, 512, 10]; got {shown(sizes)}")
    n = np.array([whole("the size of a layer", size) for size in sizes], np.float64)
    many = isinstance(variances, Sequence) and not isinstance(variances, str)
    c = [
        number("a variance C", each, above=0, most=MOST_VARIANCE)
        for each in (variances if many else [variances] * (len(n) - 1))
    ]
    if len(c) != len(n) - 1:
        raise InputError(f"{len(n)} layers have {len(n) - 1} variances C; got {len(c)}")
    return n, np.array(c)
