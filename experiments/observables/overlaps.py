"""How alike replicas have become: overlaps between machines that learned the same data.

Two configurations of a glass are compared spin by spin (Edwards & Anderson 1975; Parisi 1983),

    q_ab = (1/n) sum_i x_i^a x_i^b,

two networks by their weights or by what their hidden units do on the same music. Hidden units bear no names: networks
that differ by the order of their units, and for tanh by signs, are the same machine. Yoshino (seminar, 2021) compares
all pairs of units; here they may also be matched, or compared as a space.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import flag, number
from experiments.observables.given import is_word, numbers

KINDS = ("normalised", "raw", "centred")
ACTIVATION_KINDS = ("raw", "matched", "kernel", "pairs")
ROUNDING = 1e-12  # a deviation below this share of the largest value is no deviation


def overlaps(values: ArrayLike, *, kind: str = "normalised", period: float | None = None) -> NDArray[np.float64]:
    """Overlaps q_ab between all replicas, (R, R), of anything that has the replicas along its first axis.

        raw:         q_ab = (1/n) sum_i x_i^a x_i^b
        normalised:  q_ab / sqrt(q_aa q_bb)
        centred:     normalised, of x^a less its own mean over i (Pearson's correlation)
        of angles:   q_ab = (1/n) sum_i cos(2 pi [x_i^a - x_i^b] / period), the unit vectors that they are

    Replicas drawn independently give 0 on average. NaN for a replica that is zero (constant, if centred): it points
    nowhere.

    Args:
        values: (R, ...), weights (R, n_weights) or activations (R, n_samples, width); at least two replicas.
        kind: one of the first three.
        period: of angles (`layout()[group].period`), in the unit of the values; None for what is no angle.

    Raises:
        InputError: fewer than two replicas, values that are no finite numbers, an unknown kind, a period that is not
            positive, or a kind beside it.
    """
    _check_kind(kind, KINDS)
    x = numbers(_flat(values), "values of replicas", "n_replicas", "n_values")
    _check_replicas(len(x))
    if period is not None:
        return _of_angles(x, number("period", period, above=0), kind)
    if kind == "centred":
        x = _without_mean(x, axis=1)
    q = x @ x.T / x.shape[1]
    return q if kind == "raw" else _cosine(q)


def activation_overlap(activations: ArrayLike, *, kind: str = "matched", signs: bool = True) -> NDArray[np.float64]:
    """Overlaps between the hidden layers of all replicas on the same samples, (R, R).

        raw:      q_ab = (1/NM) sum_mu,i x_i^a x_i^b                   unit i with unit i, as if they had names
        matched:  q_ab = max_pi (1/N) sum_i |C_i,pi(i)|                each unit with its best partner
        kernel:   q_ab = |X_a^T X_b|^2 / (|X_a^T X_a| |X_b^T X_b|)     any rotation of the units leaves it
        pairs:    q_ab = (1/N) sum_ij q_ij^2 - N/M                     Yoshino's q^2; q_ij = (1/M) sum_mu x_i^a x_j^b

    C is Pearson's correlation over the M samples between a unit of a and one of b, X are the activations less their
    means over samples. The best permutation is Kuhn's and Munkres'; a unit that never changes has no partner and
    counts 0. `kernel` is the RV coefficient (Robert & Escoufier 1976), or linear centred kernel alignment (Kornblith
    et al. 2019). Independent replicas give 0 for raw and pairs, but about sqrt(2 ln N / M) for matched and N/(N + M)
    for kernel: the best of many is never zero, so take M well above N. `pairs` is made for spins, x = +-1.

    Weights into a layer are compared in the same way, whatever its units are called: a row of J0 is a hidden unit, and
    its 54 inputs take the place of the samples.

    Args:
        activations: (R, n_samples, width), at least two replicas.
        kind: one of the above.
        signs: whether a matched unit may be turned over, as tanh allows (mu -> -mu); without, C takes the place of |C|.

    Raises:
        InputError: other shapes, fewer than two replicas, no finite numbers, an unknown kind.

    >>> J0 = np.random.default_rng(0).normal(size=(1, 7, 54))  # (R, w, 54), as layout()["J0"] has it
    >>> J0 = np.concatenate([J0, J0[:, ::-1]])  # the same machine, its hidden units in the opposite order
    >>> round(float(overlaps(J0)[0, 1]), 2)
    0.12
    >>> round(float(activation_overlap(J0.transpose(0, 2, 1))[0, 1]), 2)
    1.0
    """
    _check_kind(kind, ACTIVATION_KINDS)
    signs = flag("signs", signs)
    x = numbers(activations, "activations", "n_replicas", "n_samples", "width")
    _check_replicas(len(x))
    _, n_samples, width = x.shape
    if kind == "raw":
        return overlaps(x, kind="raw")
    if kind == "pairs":
        return _pairwise(x, lambda a, b: np.sum((a.T @ b / n_samples) ** 2) / width - width / n_samples)
    x = _without_mean(x, axis=1)
    if kind == "kernel":
        scale = np.abs(x).max() or 1.0
        return _cosine(_pairwise(x / scale, lambda a, b: np.sum((a.T @ b) ** 2)))
    length = np.sqrt((x**2).sum(1, keepdims=True))
    unit = x / np.where(length > 0, length, 1.0)
    return _pairwise(unit, lambda a, b: _best_match(a.T @ b, signs))


def _of_angles(x: NDArray[np.float64], period: float, kind: str) -> NDArray[np.float64]:
    """Mean cosine of the differences, by cos(a - b) = cos a cos b + sin a sin b."""
    if kind != KINDS[0]:
        raise InputError(f"angles are unit vectors, nothing is normalised or centred: leave kind out; got {kind!r}")
    turned = 2 * np.pi * (np.remainder(x, period) / period)
    c, s = np.cos(turned), np.sin(turned)
    return (c @ c.T + s @ s.T) / x.shape[1]


def _best_match(correlation: NDArray[np.float64], signs: bool) -> float:
    """Mean correlation of the units under the best permutation."""
    from scipy.optimize import linear_sum_assignment

    gain = np.abs(correlation) if signs else correlation
    return float(gain[linear_sum_assignment(gain, maximize=True)].mean())


def _pairwise(
    x: NDArray[np.float64], overlap: Callable[[NDArray[np.float64], NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    """A symmetric function of all pairs of replicas, themselves included, (R, R)."""
    q = np.empty((len(x), len(x)))
    for a, one in enumerate(x):
        for b in range(a + 1):
            q[a, b] = q[b, a] = overlap(one, x[b])
    return q


def _cosine(q: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.sqrt(np.diag(q))
    length = np.where(length > 0, length, np.nan)
    return q / length[:, None] / length


def _without_mean(x: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """Less the mean along `axis`; exactly zero where nothing varies but by rounding."""
    apart = x - x.mean(axis, keepdims=True)
    varies = np.abs(apart).max(axis, keepdims=True) > ROUNDING * np.abs(x).max(axis, keepdims=True)
    return np.where(varies, apart, 0.0)


def _flat(values: ArrayLike) -> ArrayLike:
    """All axes after the first as one, where these are arrays at all."""
    try:
        array = np.asarray(values)
    except Exception:  # which `numbers` refuses
        return values
    return array.reshape(len(array), -1) if array.ndim > 1 and array.size else array


def _check_kind(kind: str, kinds: tuple[str, ...]) -> None:
    if not is_word(kind, kinds):
        raise InputError(f"kind is one of {', '.join(kinds)}; got {shown(kind)}")


def _check_replicas(n_replicas: int) -> None:
    if n_replicas < 2:
        raise InputError(f"an overlap needs at least two replicas along the first axis; got {n_replicas}")
