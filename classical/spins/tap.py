"""The Thouless-Anderson-Palmer equations themselves: local magnetisations, their free energy, and how many there are.

    F = -(1/2) sum_ij J_ij m_i m_j - (beta/4) sum_ij J_ij^2 (1 - m_i^2)(1 - m_j^2)
        + (T/2) sum_i {(1 + m_i) ln[(1 + m_i)/2] + (1 - m_i) ln[(1 - m_i)/2]}                                       (19)
    arctanh m_i = beta sum_j J_ij m_j - beta^2 sum_j J_ij^2 (1 - m_j^2) m_i                                         (20)

(Barney, Winer & Galitski 2024.) The gradient of (19) is T times the residual of (20). Solutions come in pairs +-m.
Found are those that damped iteration reaches from random starts: a lower bound of their number, and none is called one
before its residual vanishes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from classical.spins.bonds import MOST_BETA, Bonds, checked_beta, one_system
from encoding import InputError, Purpose, stream
from encoding.errors import shown
from encoding.given import number, real_numbers, whole
from encoding.memory import check_room
from encoding.randomness import checked_seed

Array = NDArray[np.floating]

TRIVIAL = 1e-3  # root mean square of m: below, it is the paramagnet
SAME = 1e-4  # root mean square of m - m', up to a sign
EDGE = 1 - 1e-15  # of |m|
HIGHEST = np.arctanh(EDGE)  # field beyond which m is 1 to rounding
SLOWER, FASTER = 0.7, 1.02  # share of the new, where a change is turned against the last one, and where not


class Magnetisations(NamedTuple):
    """What damped iteration found, n different solutions, the lowest free energy first, each of a pair +-m once.

    Attributes:
        m: local magnetisations, (n, N); the paramagnet m = 0 is not among them.
        energy: F of each, (n,).
        reached: how many starts came to each, or to its mirror image, (n,).
        paramagnet: how many came to m = 0.
        lost: how many starts did not converge: they are in no other number.
    """

    m: Array
    energy: Array
    reached: NDArray[np.int64]
    paramagnet: int
    lost: int

    def __repr__(self) -> str:
        """How many there are."""
        others = f"{self.paramagnet} starts came to m = 0, {self.lost} to nothing"
        return f"<Magnetisations: {len(self.m)} solution(s) up to a sign; {others}>"


def free_energy(bonds: Bonds, m: ArrayLike, temperature: float) -> Array:
    """F of (19), in the unit of J; (...) of magnetisations (..., N).

    Raises:
        InputError: several systems, T <= 0, or magnetisations outside [-1, 1] or of another number of spins.
    """
    t, m = _temperature(bonds, temperature), _magnetisations(bonds, m)
    left = 1 - m**2
    entropy = xlogy((1 + m) / 2, (1 + m) / 2) + xlogy((1 - m) / 2, (1 - m) / 2)
    return (
        -np.vecdot(m, bonds.apply(m)) / 2 - np.vecdot(left, bonds.squared().apply(left)) / (4 * t) + t * entropy.sum(-1)
    )


def tap_residual(bonds: Bonds, m: ArrayLike, temperature: float) -> Array:
    """The left side of (20) minus the right, (..., N): 1/T times the gradient of F.

    Raises:
        InputError: see `free_energy`.
    """
    t, m = _temperature(bonds, temperature), _magnetisations(bonds, m)
    return np.arctanh(np.clip(m, -EDGE, EDGE)) - _field(bonds, bonds.squared(), m, 1 / t)


def solutions(
    bonds: Bonds,
    temperature: float,
    *,
    n_starts: int = 64,
    seed: int = 0,
    damping: float = 0.5,
    tolerance: float = 1e-9,
    most: int = 20_000,
) -> Magnetisations:
    """Solutions of (20) that m <- (1 - damping) tanh(...) + damping m comes to from random starts, all side by side.

    Where a step is turned against the one before, the damping of its start grows, and falls again later.

    Args:
        bonds: of one system.
        temperature: T.
        n_starts: how many starts, each uniform from -1 to 1 at every spin.
        seed: of the starts.
        damping: of the iteration, the least, below 1.
        tolerance: largest residual of a solution, beside the rounding of m where it is close to +-1; at most 0.01.
        most: iterations.

    Raises:
        InputError: something else than these.
    """
    t = _temperature(bonds, temperature)
    n_starts, most = whole("n_starts", n_starts), whole("most", most)
    damping, tolerance = (
        number("damping", damping, least=0, most=0.999),
        number("tolerance", tolerance, above=0, most=0.01),
    )
    check_room(64.0 * n_starts * bonds.n_spins, f"{n_starts} starts of {bonds.n_spins} spins", "ask for fewer")
    rng = stream(checked_seed(seed), 0, Purpose.START)
    m = rng.uniform(-1, 1, (n_starts, bonds.n_spins))
    squared, beta = bonds.squared(), 1 / t
    going, ended = np.arange(n_starts), np.zeros(n_starts, bool)
    share, last = np.full(n_starts, 1 - damping), np.zeros_like(m)  # of the new in a step; the last change
    for _ in range(most):
        now = m[going]
        field = _field(bonds, squared, now, beta)
        there = _solved(now, field, tolerance)
        ended[going[there]] = True
        change = np.tanh(field) - now
        swings = np.vecdot(change, last[going]) < 0
        share[going] = np.where(swings, SLOWER * share[going], np.minimum(FASTER * share[going], 1 - damping))
        m[going] = np.where(there[:, None], now, now + share[going, None] * change)
        last[going] = change
        going = going[~there]
        if not going.size:
            break
    return _told(bonds, m[ended], t, lost=int((~ended).sum()))


def _temperature(bonds: Bonds, temperature: float) -> float:
    """T, at which J/T is a number."""
    t = number("temperature", temperature, above=0, most=MOST_BETA)
    checked_beta(one_system(bonds), min(1 / t, np.finfo(float).max))
    return t


def _solved(m: Array, field: Array, tolerance: float) -> NDArray[np.bool_]:
    """Whether (20) holds, (n,), to the tolerance and what rounding of m makes of arctanh m where m is close to +-1."""
    inside = np.clip(m, -EDGE, EDGE)
    rounding = 4 * np.finfo(np.float64).eps / (1 - inside**2)
    off = np.abs(np.arctanh(inside) - np.clip(field, -HIGHEST, HIGHEST))
    return np.all(off < tolerance + rounding, axis=-1)


def _field(bonds: Bonds, squared: Bonds, m: Array, beta: float) -> Array:
    """The right side of (20)."""
    return beta * bonds.apply(m) - beta**2 * squared.apply(1 - m**2) * m


def _told(bonds: Bonds, m: Array, t: float, lost: int) -> Magnetisations:
    """The different ones, up to a sign."""
    size = np.sqrt((m**2).mean(-1)) if len(m) else np.zeros(0)
    different: list[Array] = []
    reached: list[int] = []
    for each in m[size > TRIVIAL]:
        apart = [min(np.sqrt(np.mean((each - sign * one) ** 2)) for sign in (1, -1)) for one in different]
        if apart and min(apart) < SAME:
            reached[int(np.argmin(apart))] += 1
        else:
            different.append(each)
            reached.append(1)
    found = np.array(different).reshape(-1, bonds.n_spins)
    energy = free_energy(bonds, found, t)
    order = np.argsort(energy)
    counts = np.array(reached, int)[order]
    return Magnetisations(found[order], energy[order], counts, int((size <= TRIVIAL).sum()), lost)


def _magnetisations(bonds: Bonds, m: ArrayLike) -> Array:
    given = real_numbers(m)
    if given is None or not given.ndim or given.shape[-1] != bonds.n_spins or not (np.abs(given) <= 1).all():
        raise InputError(f"magnetisations are numbers from -1 to 1, of shape (..., {bonds.n_spins}); got {shown(m)}")
    return given
