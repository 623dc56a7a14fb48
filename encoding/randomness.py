"""Counter-based randomness: every draw is a function of its key, so that no draw depends on order or on threads.

Philox (Salmon et al. 2011) maps (key, counter) to random bits. The key is (seed, replica), the counter (purpose, step):
replicas 0-3 together draw what 0-1 and 2-3 draw apart, and a run that goes on from step n draws what an unbroken one
does.
"""

from enum import IntEnum
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from encoding.errors import InputError, shown


class Purpose(IntEnum):
    """What a stream is for: streams of different purposes never overlap."""

    START = 1
    BATCH = 2
    DISORDER = 3
    MUSIC = 4
    MEASUREMENT = 5
    READOUT = 6
    PROBE = 7
    OUTCOME = 8
    CALL = 9
    PROPOSAL = 10


def checked_seed(seed: int, name: str = "seed") -> int:
    """A seed as a plain whole number.

    Raises:
        InputError: not a whole number from 0 to 2^63 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**63:
        raise InputError(f"{name} is a whole number of at least 0, below 2^63; got {shown(seed)}")
    return int(seed)


def stream(seed: int, replica: int, purpose: Purpose, step: int = 0) -> np.random.Generator:
    """The generator of replica `replica` at `step`, independent of every other (seed, replica, purpose, step)."""
    return np.random.Generator(np.random.Philox(key=[seed, replica], counter=[0, 0, step, int(purpose)]))


def words(seed: int, replica: int, purpose: Purpose, first: int, n: int) -> NDArray[np.uint64]:
    """Blocks of four random words, numbers `first` to `first + n` of an endless sequence, (n, 4).

    >>> together = words(1, 0, Purpose.PROPOSAL, 0, 5)
    >>> bool((words(1, 0, Purpose.PROPOSAL, 3, 2) == together[3:]).all())
    True
    """
    philox = np.random.Philox(key=[seed, replica], counter=[first, 0, 0, int(purpose)])
    return philox.random_raw(4 * n).reshape(n, 4)
