"""How far each replica moves in a step."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding.errors import InputError, shown
from encoding.memory import check_room

MOST_STEPS = 1 << 31  # in one call
MANY, BYTES = 10**6, 24  # losses for which room is asked, and what each takes, with what is made on the way


def checked_replicas(n_replicas: int) -> int:
    """How many replicas, as a plain whole number.

    Raises:
        InputError: not a whole number from 1 to 2^31.
    """
    if isinstance(n_replicas, bool) or not isinstance(n_replicas, int | np.integer) or not 1 <= n_replicas <= 1 << 31:
        raise InputError(f"n_replicas is a whole number of at least 1, at most 2^31; got {shown(n_replicas)}")
    return int(n_replicas)


def rate_of_each(rate: ArrayLike, n: int, n_replicas: int) -> NDArray[np.float64]:
    """The rate of each replica, (n_replicas,), for `n` steps.

    Args:
        rate: one number, or one a replica.
        n: number of steps; checked here, and not used.
        n_replicas: how many rates are wanted.

    Raises:
        InputError: rates of another shape, negative or not finite; `n` not a whole number of at least 0, or one whose
            losses have no room.

    >>> rate_of_each(0.5, 1, 2)
    array([0.5, 0.5])
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 0 <= n <= MOST_STEPS:
        raise InputError(f"n is a whole number of steps, at least 0 and at most 2^31; got {n!r}")
    if n * n_replicas > MANY:
        check_room(BYTES * n * n_replicas, f"losses of {n} steps", "take fewer steps at once")
    try:
        given = np.asarray(rate)
        if given.dtype.kind not in "fiuO":  # words and truth values would be made numbers
            raise TypeError
        rates = np.broadcast_to(np.asarray(given, np.float64), n_replicas)
    except OverflowError:  # a whole number that no float can hold
        raise InputError(f"a rate is finite and not negative; got {shown(rate)}") from None
    except (TypeError, ValueError):
        came = rate if isinstance(rate, str) else f"shape {np.shape(rate)}" if np.ndim(rate) else type(rate).__name__
        raise InputError(f"a rate is one number or {n_replicas}, one a replica; got {came}") from None
    wrong = ~np.isfinite(rates) | (rates < 0)
    if wrong.any():
        raise InputError(f"a rate is finite and not negative; got {rates[wrong][0]}")
    return rates
