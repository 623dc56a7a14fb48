"""How many shots it takes to read a note: copies measured along X and Z, then the likeliest or the nearest note.

Shots are split equally over the axes. Of one qubit on two axes the chance to be right is a sum over all counts,

    P = sum_(a, b) max_x p_x Bin(a; S/2, z_x) Bin(b; S/2, x_x),    z_x = (1 + <Z>_x)/2

and is made exactly up to 1024 shots; beyond, and for more qubits, outcomes are drawn, and P has a standard error. The
nearest of N = 12 hours with many shots: Var theta = (2/S)(cos^4 + sin^4), so S = 2 (12 z/pi)^2 at the hours 0, 3, 6, 9,
z the normal quantile of the error. The likeliest needs about half of it: there one axis hardly ever errs.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.decoding import Alphabet, checked_axes, outcome_probabilities
from encoding.errors import InputError, shown
from encoding.qubits import Encoding
from encoding.randomness import Purpose, checked_seed, stream

Array = NDArray[np.float64]
MOST = 1 << 16  # shots
EXACT = 1 << 10  # shots
MOST_DRAWS = 10**6
DECODERS = ("likeliest", "nearest")


class Success(NamedTuple):
    """Probability to name the note; `error` is its standard error, 0 where it was computed and not drawn."""

    probability: float
    error: float


def success_with_shots(
    encoding: Encoding,
    n_shots: int,
    *,
    notes: Iterable[int] | None = None,
    prior: ArrayLike | None = None,
    axes: str = "ZX",
    decoder: str = "likeliest",
    n_draws: int = 20_000,
    seed: int = 0,
) -> Success:
    """Probability that the name decoded is right, after `n_shots` copies measured qubit by qubit.

    Args:
        encoding: of the note.
        n_shots: S, a multiple of the number of axes.
        notes: among which to choose; None: all it is made for.
        prior: how frequent each note is; None: all alike.
        axes: measured, each on S / n_axes copies.
        decoder: "likeliest" (as `decode_counts`) or "nearest" (as `decode_expectations` on the averages).
        n_draws: notes drawn, where the sum over all counts is too long.
        seed: of the draws.

    Raises:
        InputError: as `Alphabet.of` and `outcome_probabilities`; shots that the axes do not divide, or above 65536.
    """
    alphabet = Alphabet.of(encoding, notes, prior)
    up = outcome_probabilities(encoding, alphabet.notes, axes=axes)  # (names, qubits, axes)
    each = _each(n_shots, len(checked_axes(axes)))
    up = np.clip(up.reshape(len(up), -1), 0, 1)
    if not isinstance(decoder, str) or decoder not in DECODERS:
        raise InputError(f"decoders are {', '.join(DECODERS)}; got {shown(decoder, 40)}")
    if isinstance(n_draws, bool) or not isinstance(n_draws, int) or not 2 <= n_draws <= MOST_DRAWS:
        raise InputError(f"n_draws is a whole number of at least 2, at most {MOST_DRAWS}; got {shown(n_draws, 40)}")
    seed = checked_seed(seed)
    if up.shape[1] <= 2 and n_shots <= EXACT:
        return Success(_exactly(up, alphabet.prior, each, decoder), 0.0)
    return _drawn(up, alphabet.prior, each, decoder, n_draws, seed)


def shots_needed(encoding: Encoding, error: float, *, axes: str = "ZX", **options: Any) -> int | None:
    """Shots (a multiple of the number of axes) from which on the name decoded is wrong at most so often.

    More shots make the likeliest name ever surer. The nearest one errs a little more often at numbers that put an
    average half-way between two notes: a few shots less than this may do by chance, one step less does not.

    Args:
        encoding: of the note.
        error: allowed probability to be wrong, above 0 and below 1.
        axes: measured.
        options: notes, prior, decoder, n_draws, seed, as in `success_with_shots`.

    Returns:
        The number; None where 65536 shots are not enough, or any number: names that look the same on these axes.

    Raises:
        InputError: an error that is none; and as `success_with_shots`.
    """
    if isinstance(error, bool) or not isinstance(error, int | float) or not 0 < error < 1:
        raise InputError(f"an error is a probability above 0 and below 1; got {shown(error, 40)}")

    unknown = set(options) - {"notes", "prior", "decoder", "n_draws", "seed"}
    if unknown:
        raise InputError(f"options are notes, prior, decoder, n_draws and seed; got {', '.join(sorted(unknown))}")
    if _never(encoding, error, axes, options):
        return None

    def enough(each: int) -> bool:
        reached = success_with_shots(encoding, each * len(axes), axes=axes, **options)
        return 1 - reached.probability <= error

    high = 1
    while not enough(high):
        high *= 2
        if high * len(axes) > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high * len(axes)


def _each(n_shots: Any, n_axes: int) -> int:
    if isinstance(n_shots, bool) or not isinstance(n_shots, int | np.integer) or not 0 < n_shots <= MOST:
        raise InputError(f"n_shots is a whole number from 1 to {MOST}; got {shown(n_shots, 40)}")
    if n_shots % n_axes:
        raise InputError(f"shots are split equally over {n_axes} axes: a multiple of it; got {n_shots}")
    return int(n_shots) // n_axes


def _never(encoding: Encoding, error: float, axes: str, options: dict[str, Any]) -> bool:
    """Whether names that look the same on these axes are too frequent for any number of shots."""
    alphabet = Alphabet.of(encoding, options.get("notes"), options.get("prior"))
    seen: dict[bytes, float] = {}
    for probabilities, p in zip(
        outcome_probabilities(encoding, alphabet.notes, axes=axes), alphabet.prior, strict=True
    ):
        look = (np.round(probabilities, 9) + 0.0).tobytes()
        seen[look] = max(seen.get(look, 0.0), float(p))
    return 1 - sum(seen.values()) > error + 1e-12


def _exactly(up: Array, prior: Array, n: int, decoder: str) -> float:
    """The sum over all counts on one or two axes; up (names, axes)."""
    count = np.arange(n + 1)
    chance = np.stack([_binomial(n, axis) for axis in up.T])  # (axes, names, n + 1)
    right = 0.0
    for first in count if len(chance) == 2 else count[:1]:
        if len(chance) == 2:
            joint = prior[:, None] * chance[0, :, first, None] * chance[1]  # (names, n + 1)
            counts = np.stack([np.full(n + 1, first), count], 1)
        else:
            joint, counts = prior[:, None] * chance[0], count[:, None]
        if decoder == "likeliest":
            right += joint.max(0).sum()
        else:
            right += joint[_nearest(counts, up, n), count].sum()
    return float(right)


def _nearest(counts: NDArray[np.integer], up: Array, n: int) -> NDArray[np.intp]:
    """The name whose expectation values are nearest to the averages."""
    return (((counts / n)[:, None] - up) ** 2).sum(-1).argmin(1)


def _binomial(n: int, p: Array) -> Array:
    """Bin(k; n, p) for k = 0..n, (len(p), n + 1)."""
    k = np.arange(n + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    ways = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    return np.exp(ways + _times_log(k, p[:, None]) + _times_log(n - k, 1 - p[:, None]))


def _times_log(k: NDArray[np.integer], p: Array) -> Array:
    """k ln p, and 0 ln 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(k > 0, k * np.log(p), 0.0)


def _drawn(up: Array, prior: Array, n: int, decoder: str, n_draws: int, seed: int) -> Success:
    rng = stream(seed, 0, Purpose.MEASUREMENT)
    names = rng.choice(len(prior), n_draws, p=prior)
    counts = rng.binomial(n, up[names])  # (draws, axes of all qubits)
    if decoder == "nearest":
        right = _nearest(counts, up, n) == names
    else:
        with np.errstate(divide="ignore"):
            score = np.log(prior) + sum(
                _times_log(k[:, None], p) + _times_log(n - k[:, None], 1 - p)
                for k, p in zip(counts.T, up.T, strict=True)
            )
        right = score.argmax(1) == names
    return Success(float(right.mean()), float(right.std() / np.sqrt(n_draws)))
