"""How large a learning rate may be: the curve in proper time must be that of small rates.

Gradient descent at rate eta follows the gradient flow, in tau = sum of eta, up to terms of order eta; beyond some rate
it leaves it, and beyond another it diverges. Here the curves are compared replica by replica (same start, same seed),
which takes out what replicas differ by.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import number
from experiments.observables.estimate import NORMAL
from experiments.observables.given import entries, numbers


class Stability(NamedTuple):
    """How far the curve of one rate lies from the reference.

    Attributes:
        rate: of the curve.
        time: proper times at which it was compared, (n,).
        deviation: mean over replicas of ln(loss / reference loss), (n,).
        error: its standard error, (n,); NaN for a single replica.
        within: whether |deviation| stays below the tolerance, everywhere.
        surely: whether it does with 95 % confidence at each time: |deviation| + 1.96 errors.
    """

    rate: float
    time: NDArray[np.float64]
    deviation: NDArray[np.float64]
    error: NDArray[np.float64]
    within: bool
    surely: bool


def compare_curves(
    rate: float,
    time: NDArray[np.float64],
    loss: NDArray[np.float64],
    reference_time: NDArray[np.float64],
    reference_loss: NDArray[np.float64],
    *,
    since: float,
    tolerance: float = 0.02,
) -> Stability:
    """Compare a learning curve with that of a smaller rate, from proper time `since` to the end of both.

        deviation(tau) = < ln L(tau) - ln L_reference(tau) >_replicas

    The reference is interpolated linearly in ln L against ln tau. A loss that is not finite is an infinite deviation.

    Args:
        rate: of the curve.
        time: (n_looks,), its proper times.
        loss: (n_looks, n_replicas), positive.
        reference_time: (n_reference_looks,), those of the reference.
        reference_loss: (n_reference_looks, n_replicas), the same replicas.
        since: times before are left out: there the loss falls too fast for a comparison.
        tolerance: allowed deviation, 0.02 for 2 %.

    Raises:
        InputError: no numbers, other shapes, times that do not rise, other replicas, losses that are not positive, or
            no common times.
    """
    rate, since = number("rate", rate), number("since", since)
    tolerance = number("tolerance", tolerance, least=0)
    time, loss = _curve("", time, loss)
    reference_time, reference_loss = _curve("reference ", reference_time, reference_loss)
    _check(loss, reference_loss)
    common, ratio = _log_ratio(time, loss, reference_time, reference_loss, since)
    deviation, n_replicas = ratio.mean(1), ratio.shape[1]
    finite = np.isfinite(deviation)
    error = np.full(len(ratio), np.nan)
    if n_replicas > 1:
        error[finite] = ratio[finite].std(1, ddof=1) / np.sqrt(n_replicas)
    outer = np.abs(deviation) + NORMAL * np.nan_to_num(error, nan=np.inf)
    allowed = np.log1p(tolerance)
    return Stability(
        rate, time[common], deviation, error, bool((np.abs(deviation) <= allowed).all()), bool((outer <= allowed).all())
    )


def _curve(whose: str, time: Any, loss: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rising times (n,) and losses (n, R) of a curve; losses may have diverged."""
    times = numbers(time, f"{whose}times", "n_looks")
    losses = numbers(loss, f"{whose}losses", "n_looks", "n_replicas", diverging=True)
    if len(times) != len(losses) or (np.diff(times) < 0).any():
        raise InputError(f"{whose}times rise, one for each look; got {len(times)} times of {len(losses)} looks")
    return times, losses


def _check(loss: NDArray[np.float64], reference_loss: NDArray[np.float64]) -> None:
    if loss.shape[1] != reference_loss.shape[1]:
        shapes = f"{loss.shape} and {reference_loss.shape}"
        raise InputError(f"curves are compared replica by replica, (n_looks, n_replicas); got {shapes}")
    if (loss <= 0).any() or (reference_loss <= 0).any():
        raise InputError("curves are compared by the logarithms of losses, which must be positive; got energies?")


def _log_ratio(
    time: NDArray[np.float64],
    loss: NDArray[np.float64],
    reference_time: NDArray[np.float64],
    reference_loss: NDArray[np.float64],
    since: float,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which looks both curves share from `since` on, and ln(loss / reference) there, (n, R); infinite if not finite."""
    known = (reference_time > 0) & np.isfinite(reference_loss).all(1)
    last = reference_time[known].max(initial=0) * (1 + 1e-9)
    common = (time >= since) & (time <= last) & (time > 0)
    if not common.any() or not known.any():
        raise InputError(f"the curves have no common times from {since:g} on: let both learn longer")
    at, x = np.log(time[common]), np.log(reference_time[known])
    wanted = np.stack([np.interp(at, x, np.log(column[known])) for column in reference_loss.T], 1)
    seen = loss[common]
    good = np.isfinite(seen) & (seen > 0)
    return common, np.where(good, np.log(np.where(good, seen, 1.0)) - wanted, np.inf)


def largest_stable_rate(compared: Sequence[Stability]) -> float | None:
    """The largest rate within the tolerance, all smaller ones being so too; None if there is none.

    Raises:
        InputError: something that was not compared.
    """
    largest, compared = None, entries("compared", compared)
    wrong = [each for each in compared if not isinstance(each, Stability)]
    if wrong:
        raise InputError(f"compared are what compare_curves returns; got {shown(wrong[0])}")
    for each in sorted(compared, key=lambda each: each.rate):
        if not each.within:
            break
        largest = each.rate
    return largest
