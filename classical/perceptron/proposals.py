"""The moves of Metropolis' Monte Carlo, each a function of its key: (seed, replica, number of the proposal).

Of four random words of Philox one names the weight, two make a normal number x (Box & Muller 1958), and the last, u,
says by how much the energy may rise:

    J' = c J + s x,  c^2 + s^2 = 1,          accepted where  dE <= -T ln u

which happens with probability min(1, e^(-dE/T)) (Metropolis et al. 1953). Without data, weights that were normal stay
so, and a move is as likely as its opposite: at temperature T machines are met as often as e^(-E/T) of those drawn at
random. At T = 0 the energy may not rise. Each wrong output spin costs 4, (S - S*)^2, so what is given to the kernel is
how many more of them there may be.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classical.perceptron.bits import ONE
from classical.perceptron.machine_settings import DeepPerceptronSettings
from encoding.randomness import Purpose, words

COST = 4  # (S - S*)^2 of a wrong spin
ANY = 1 << 40  # more spins than there are
AT_ONCE = 1 << 14  # proposals that are drawn in one go
NEAR = 1e-9  # proposals; a rate of 0.1, ten times, is a sweep


class Proposals(NamedTuple):
    """Moves, one after the other.

    Attributes:
        site: which weight, counted through (L, N, N), (n,).
        kick: 2^16 s x, (n,).
        allowed: by how many the wrong spins may become more, (n,).
        keeps: c.
    """

    site: NDArray[np.int64]
    kick: NDArray[np.float64]
    allowed: NDArray[np.int64]
    keeps: float

    def part(self, start: int, stop: int) -> "Proposals":
        """Some of them."""
        return Proposals(self.site[start:stop], self.kick[start:stop], self.allowed[start:stop], self.keeps)


def proposals(settings: DeepPerceptronSettings, seed: int, replica: int, first: int, n: int) -> Proposals:
    """Proposals number `first` to `first + n` of a replica."""
    drawn = words(seed, replica, Purpose.PROPOSAL, first, n)  # (n, 4)
    u = (drawn >> np.uint64(11)) * 2.0**-53  # in [0, 1)
    site = (u[:, 0] * settings.n_weights).astype(np.int64)
    x = np.sqrt(-2 * np.log1p(-u[:, 1])) * np.cos(2 * np.pi * u[:, 2])
    allowed = np.zeros(n, np.int64)
    if settings.temperature > 0:
        with np.errstate(over="ignore"):  # of the largest temperatures: any move is taken
            rise = -settings.temperature / COST * np.log1p(-u[:, 3])
        allowed = np.floor(np.minimum(rise, ANY)).astype(np.int64)
    return Proposals(site, ONE * settings.draws * x, allowed, settings.keeps)


def counted(owed: float, rate: float, n: int) -> tuple[NDArray[np.int64], float]:
    """Proposals of each of `n` steps, `rate` on average, and what is owed then: it goes from one to the next."""
    counts = np.empty(n, np.int64)
    for step in range(n):
        owed += rate
        counts[step] = np.floor(owed + NEAR)
        owed -= counts[step]
    return counts, owed


class Queue:
    """So many proposals of a replica, from number `first` on; those of many short steps are drawn together."""

    def __init__(self, settings: DeepPerceptronSettings, seed: int, replica: int, first: int, n: int) -> None:
        """Nothing is drawn yet."""
        self._key, self._next, self._left = (settings, seed, replica), first, n
        self._drawn, self._used = proposals(*self._key, 0, 0), 0

    def take(self, count: int) -> Iterator[Proposals]:
        """The next ones, in parts."""
        while count:
            if self._used == len(self._drawn.site):
                n = min(self._left, AT_ONCE)
                self._drawn, self._used = proposals(*self._key, self._next, n), 0
                self._next, self._left = self._next + n, self._left - n
            stop = min(self._used + count, len(self._drawn.site))
            yield self._drawn.part(self._used, stop)
            count, self._used = count - (stop - self._used), stop
