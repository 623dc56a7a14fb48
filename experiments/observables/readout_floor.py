"""What a readout that is frozen leaves of the loss, whatever it is given to read.

A random K reads n_f features that lie between -1 and 1 (averages of qubits, tanh of hidden units). Whatever machine
makes them, slots with equal histories have equal features; else they are free. So the least NLL is a convex problem for
each history h by itself, in n_f numbers,

    NLL_min = 1/(n N) sum_h min_{-1 <= z <= 1} sum_i [n_h log2(1 + e^{2 H_i}) - 2 s_hi H_i / ln 2],   H = K z + h_0

n_h how often the history occurs, s_hi how often key i sounds next, n = sum_h n_h, N keys (B1 of Hertz & Tyrcha 2024,
with z in the place of the features). If h_0 is learned, all of it is one convex problem in all z and h_0. For a trained
K there is no such problem: `irreducible_loss` is a lower bound, which n_f dimensions may keep a machine from. Where <Z>
and <X> of one qubit are read, <Z>^2 + <X>^2 <= 1, and the box gives a lower bound too.

A point z is the minimum where moving to any corner of the box does not help (KKT). By convexity

    E(z) - E_min <= max_{-1 <= y <= 1} g (z - y) = sum_j (g_j z_j + |g_j|),    g = dE/dz        (Frank & Wolfe 1956)

so this sum says how far from it one is: it is seen to be below 1e-6 bits per unit.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import N_KEYS, InputError, multi_hot
from encoding.transitions import Piece
from experiments.observables.given import numbers
from experiments.observables.irreducible import Encoding, after_histories

Array = NDArray[np.float64]

GAP = 1e-6  # bits per unit that a minimum may lie below what is returned
ATTEMPTS = 20
FAR = 20.0  # of h_0 beyond the largest field of K: what is left at its ends is e^-40
MOST = 1e4  # of a field: beyond, rounding is larger than the gap


def readout_floor(
    chorales: Sequence[Piece], k: ArrayLike, h0: ArrayLike | None = None, *, encoding: Encoding = multi_hot
) -> float:
    """The lowest NLL of a K that cannot learn, over all features in [-1, 1]^n_f, in bits per unit per time step.

    Args:
        chorales: what is to be learned.
        k: K, (54, n_f).
        h0: h_0, (54,), frozen as well; None: learned.
        encoding: what the machine hears of a chorale, see `irreducible_loss`.

    Raises:
        InputError: a readout of other shapes, or of fields beyond 10^4, or see `irreducible_loss`.

    Without K the fields are h_0, whatever is heard:

    >>> from encoding import load_chorales
    >>> readout_floor(load_chorales(first=1, excerpt=4), np.zeros((54, 1)), np.zeros(54))
    1.0
    """
    k, bias = _checked(k, h0)
    followed = after_histories(chorales, encoding=encoding)
    times = np.array([len(chords) for chords in followed], np.float64)  # (n_histories,)
    sounds = np.array([chords.sum(0) for chords in followed], np.float64)  # (n_histories, 54)
    n = times.sum() * N_KEYS * np.log(2)
    if bias is None:
        return _with_bias(times, sounds, k, n) / n
    tolerance = GAP * n / len(times)
    return float(sum(_of_history(each, s, k, bias, tolerance) for each, s in zip(times, sounds, strict=True)) / n)


def _checked(k: ArrayLike, h0: ArrayLike | None) -> tuple[Array, Array | None]:
    """K (54, n_f) and h_0 (54,) or None, of fields that can be told apart."""
    matrix = numbers(k, "the entries of k", "n_keys", "n_features", any_size=True)
    bias = None if h0 is None else numbers(h0, "the entries of h0", "n_keys", any_size=True)
    if len(matrix) != N_KEYS or (bias is not None and len(bias) != N_KEYS):
        name, came = ("k", matrix.shape) if len(matrix) != N_KEYS or bias is None else ("h0", bias.shape)
        raise InputError(f"{name} has a row for each of {N_KEYS} keys; got shape {came}")
    for name, part in (("k", matrix), ("h0", bias)):
        largest = 0.0 if part is None else float(np.abs(part).max()) * (part.shape[1] if part.ndim > 1 else 1)
        if largest > MOST:
            raise InputError(f"{name} gives fields of at most {MOST:g}; got up to {largest:.3g}: take another unit")
    return matrix, bias


def _of_history(times: float, sounds: Array, k: Array, h0: Array, tolerance: float) -> float:
    """min over z of one history, in nats."""
    ends = np.ones(k.shape[1])

    def cost(z: Array) -> tuple[float, Array]:
        value, slope = _nats(times, sounds, k @ z + h0)
        return float(value), slope @ k

    return _least(cost, ends, tolerance)


def _with_bias(times: Array, sounds: Array, k: Array, n: float) -> float:
    """min over z of all histories and over h_0, in nats."""
    n_free = len(times) * k.shape[1]
    far = float(np.abs(k).sum(1).max()) + FAR

    def cost(x: Array) -> tuple[float, Array]:
        z, h0 = x[:n_free].reshape(len(times), -1), x[n_free:]
        value, slope = _nats(times[:, None], sounds, z @ k.T + h0)
        return float(value), np.concatenate([(slope @ k).ravel(), slope.sum(0)])

    return _least(cost, np.concatenate([np.ones(n_free), np.full(N_KEYS, far)]), GAP * n)


def _nats(times, sounds: Array, fields: Array) -> tuple[float, Array]:
    """E of keys that sound in `sounds` of `times` slots, and dE/dH."""
    from scipy.special import expit

    value = (times * np.logaddexp(0, 2 * fields) - 2 * sounds * fields).sum()
    return value, 2 * (times * expit(2 * fields) - sounds)


def _least(cost: Callable[[Array], tuple[float, Array]], ends: Array, tolerance: float) -> float:
    """The least value between -ends and ends, to a gap of `tolerance`."""
    from scipy.optimize import minimize

    x, bounds = np.zeros(len(ends)), list(zip(-ends, ends, strict=True))
    for _ in range(ATTEMPTS):
        found = minimize(
            cost, x, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 0.0, "gtol": 1e-10, "maxiter": 10_000}
        )
        x = found.x
        value, slope = cost(x)
        if slope @ x + np.abs(slope) @ ends <= tolerance:
            return value
    raise InputError("k has fields too steep for a floor to be told to 1e-6 bits: scale k and h0 down")
