"""How well pure states can be told apart, by any measurement whatever.

States psi_x come with probabilities p_x; G_xy = sqrt(p_x p_y) <psi_x|psi_y> is their weighted Gram matrix, and holds
all that matters. n copies of each: <psi_x|psi_y>^n in its place.

    pretty good measurement     P = sum_x |(sqrt G)_xx|^2                       (Hausladen & Wootters 1994)
    optimum                     P = min Tr K,  K >= p_x |psi_x><psi_x|          (Yuen, Kennedy & Lax 1975)
    Holevo's bound              chi = S(sum_x p_x |psi_x><psi_x|) = S(G)        on the accessible information
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError, shown
from encoding.randomness import Purpose, checked_seed, stream

Array = NDArray[np.float64]
Vectors = NDArray[np.complex128]
ROUNDS = 3000  # of the iterations to an optimum
CLOSE = 1e-7  # bounds this near are one number
MOST_DIMENSIONS = 16  # of the search: outcomes are their square
STARTS = 6  # of the search for the best measurement


class Bounds(NamedTuple):
    """Between which two numbers the truth lies; both are reached, or proven."""

    low: float
    high: float


def pretty_good(states: Any, prior: Any = None, *, copies: int = 1) -> float:
    """Probability that the pretty good measurement names the state, from `copies` of it.

    For N states equally spaced on a circle of the Bloch sphere it is the best there is, 2/N from one copy.

    Args:
        states: kets (n_states, dimension), of length 1.
        prior: how probable each is, (n_states,), any scale; None: all alike.
        copies: n, at least 1.

    Raises:
        InputError: states, prior or copies that are no such thing.
    """
    root = _root(_gram(*_ensemble(states, prior), _whole("copies", copies)))
    return float((np.abs(np.diag(root)) ** 2).sum())


def best_guess(states: Any, prior: Any = None, *, copies: int = 1) -> Bounds:
    """Probability that the best of all measurements names the state, from `copies` of it.

    A measurement of vectors m_x makes w_x = p_x |<psi_x|m_x>| and the next, m_x = w_x R^-1 psi_x with
    R^2 = sum_x w_x^2 |psi_x><psi_x| (Jezek, Rehacek & Fiurasek 2002); its success is the lower bound. K, the mean of
    p_x |psi_x><psi_x|m_x><m_x|, made as large as the inequality above asks for, is the upper one: so both are proven.

    Raises:
        InputError: as `pretty_good`.
    """
    psi, p = _ensemble(states, prior)
    gram = _gram(psi, p, _whole("copies", copies))
    vectors = _coordinates(gram)  # sqrt(p_x) psi_x in the space they span, (n, rank)
    if len(p) == 2:
        right = (1 + np.sqrt(max(1 - 4 * float(np.abs(gram[0, 1]) ** 2), 0.0))) / 2  # Helstrom 1976
        return Bounds(right, right)
    weight = np.sqrt(p)  # m_x = weight R^-1 sqrt(p) psi; to begin with the pretty good measurement
    low, high = 0.0, 1.0
    for _ in range(ROUNDS):
        scaled = weight[:, None] * vectors / np.sqrt(p)[:, None]
        measured = scaled @ _inverse_root(scaled.T @ scaled.conj()).T
        overlap = (vectors.conj() * measured).sum(1)
        low = max(low, float((np.abs(overlap) ** 2).sum()))
        high = min(high, _dual(vectors, measured, overlap))
        if high - low < CLOSE:
            break
        weight = np.sqrt(p) * np.abs(overlap)
    return Bounds(min(low, 1.0), min(max(low, high), 1.0))


def holevo(states: Any, prior: Any = None) -> float:
    """Holevo's bound on the information that one copy carries, in bits: the entropy of the mean state."""
    return _entropy(np.linalg.eigvalsh(_gram(*_ensemble(states, prior), 1)))


def accessible_information(states: Any, prior: Any = None, *, seed: int = 0) -> Bounds:
    """The most information a measurement of one copy can give about which state it is, in bits.

        I = sum_xk p_x q_k|x log2(q_k|x / q_k),    q_k|x = <psi_x|M_k|psi_x>

    The lower bound is the best of several ascents from random measurements with dimension^2 outcomes (as many as are
    ever needed; Davies 1978), along R_k = sum_x p_x |psi_x><psi_x| log2(q_k|x / q_k) (Rehacek, Englert & Kaszlikowski
    2005); it is reached, and as a rule the optimum. The upper one is Holevo's.

    Args:
        states: kets (n_states, dimension), of length 1.
        prior: how probable each is, (n_states,); None: all alike.
        seed: of the random measurements.

    Raises:
        InputError: as `pretty_good`.
    """
    psi, p = _ensemble(states, prior)
    vectors = _coordinates(_gram(psi, p, 1)) / np.sqrt(p)[:, None]
    if vectors.shape[1] > MOST_DIMENSIONS:
        raise InputError(
            f"accessible information is searched in at most {MOST_DIMENSIONS} dimensions; got {vectors.shape[1]}: "
            "Holevo's bound is there in any"
        )
    found = max(_ascent(vectors, p, _random_measurement(vectors, checked_seed(seed), k)) for k in range(STARTS))
    return Bounds(max(found, 0.0), max(found, holevo(psi, p), 0.0))


def _ascent(psi: Vectors, p: Array, outcome: Vectors) -> float:
    """Information at the end of an ascent; `outcome` (n_outcomes, rank) are the vectors of the measurement."""
    pace, now, slope = 1.0, *_information(psi, p, outcome)
    for _ in range(ROUNDS):
        tried = _complete(outcome + pace * slope)
        then, new_slope = _information(psi, p, tried)
        if then < now:
            pace /= 2
            if pace < 1e-6:
                break
            continue
        gained, outcome, now, slope = then - now, tried, then, new_slope
        pace *= 1.2
        if gained < 1e-11:
            break
    return now


def _information(psi: Vectors, p: Array, outcome: Vectors) -> tuple[float, Vectors]:
    """I in bits, and R_k v_k."""
    amplitude = psi @ outcome.conj().T  # <v_k|psi_x>, (n, K)
    q = np.abs(amplitude) ** 2
    mean = p @ q
    ratio = np.divide(q, mean, out=np.ones_like(q), where=(q > 1e-300) & (mean > 1e-300))
    bits = np.log2(ratio)
    return float((p[:, None] * q * bits).sum()), (p[:, None] * amplitude.conj() * bits).T @ psi


def _random_measurement(psi: Vectors, seed: int, start: int) -> Vectors:
    rank = psi.shape[1]
    parts = stream(seed, start, Purpose.MEASUREMENT).standard_normal((2, rank * rank, rank))
    return _complete(parts[0] + 1j * parts[1])


def _complete(outcome: Vectors) -> Vectors:
    """Vectors with sum_k |v_k><v_k| = 1."""
    return outcome @ _inverse_root(outcome.T @ outcome.conj()).T


def _dual(vectors: Vectors, measured: Vectors, overlap: NDArray[np.complex128]) -> float:
    """c Tr K for the least c with c K >= p_x |psi_x><psi_x|: c = max_x p_x <psi_x|K^-1|psi_x>."""
    k = vectors.T @ (overlap[:, None] * measured.conj())
    k = (k + k.conj().T) / 2
    if np.linalg.eigvalsh(k)[0] <= 1e-14:
        return 1.0
    c = np.einsum("xi,ix->x", vectors.conj(), np.linalg.solve(k, vectors.T)).real.max()
    return float(c * np.trace(k).real)


def _gram(psi: Vectors, p: Array, copies: int) -> NDArray[np.complex128]:
    root = np.sqrt(p)
    return np.outer(root, root) * (psi.conj() @ psi.T).astype(np.complex128) ** copies


def _coordinates(gram: NDArray[np.complex128]) -> Vectors:
    """Vectors with this Gram matrix <v_x|v_y>, one a row, in as many dimensions as they span."""
    value, vector = np.linalg.eigh(gram)
    there = value > 1e-13 * value[-1]
    return (vector[:, there].conj() * np.sqrt(value[there])).astype(np.complex128)


def _root(matrix: NDArray[np.complex128]) -> NDArray[np.complex128]:
    value, vector = np.linalg.eigh(matrix)
    return (vector * np.sqrt(np.where(value > 1e-14 * value[-1], value, 0))) @ vector.conj().T


def _inverse_root(matrix: NDArray[np.complex128]) -> NDArray[np.complex128]:
    value, vector = np.linalg.eigh(matrix)
    there = value > 1e-14 * value[-1]
    return ((vector[:, there] / np.sqrt(value[there])) @ vector[:, there].conj().T).astype(np.complex128)


def _entropy(p: NDArray[np.floating]) -> float:
    there = p[p > 1e-15]
    return float(-(there * np.log2(there)).sum())


def _ensemble(states: Any, prior: Any) -> tuple[Vectors, Array]:
    """Kets that occur, and how often."""
    try:
        psi = np.asarray(states, np.complex128)
        p = np.full(len(psi), 1.0) if prior is None else np.asarray(prior, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError("states are kets, numbers (n_states, dimension), and their prior (n_states,)") from None
    if psi.ndim != 2 or not psi.size or not np.allclose((np.abs(psi) ** 2).sum(1), 1, atol=1e-6):
        raise InputError(f"states are kets of length 1, (n_states, dimension); got shape {psi.shape}, or lengths not 1")
    if p.shape != (len(psi),) or not np.isfinite(p).all() or (p < 0).any() or not p.max(initial=0) > 0:
        raise InputError(f"a prior is a number of at least 0 for each of {len(psi)} states, not all 0; got {p!s:.40}")
    p = p / p.max()  # the sum may be beyond all numbers
    return psi[p > 0], p[p > 0] / p.sum()


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InputError(f"{name} is a whole number of at least 1; got {shown(value, 40)}")
    return int(value)
