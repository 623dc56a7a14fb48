"""When to look: a cadence is a sequence of proper times without an end, so a longer run has the same looks first.

Looks are pure functions of proper time: `after(time)` is the first look beyond `time`. A look counts as reached within
one part in 10^9, so that tau = n * rate meets the look it was meant for.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import count
from math import floor, inf, log10
from numbers import Integral, Real
from typing import Any, Protocol

from encoding import InputError

NEAR = 1e-9
MOST = 10**6  # looks a decade
LAST = 1e300  # proper time after which there is no look: numbers end soon
SOONEST = 1e-100  # first look: numbers begin soon before
DECADES = 300  # of looks


class Cadence(Protocol):
    """A sequence of proper times."""

    def after(self, time: float) -> float:
        """The first look beyond `time`, or infinity."""
        ...

    def describe(self) -> dict[str, Any]:
        """The cadence as plain data, for the key of a Task."""
        ...


@dataclass(frozen=True)
class Logarithmic:
    """first * 10^(k / per_decade), k = 0, 1, 2, ..., counted from `since`."""

    first: float
    per_decade: int
    since: float = 0.0

    def after(self, time: float) -> float:
        """The first look beyond `time`."""
        if time > LAST:
            return inf
        lag = (time * (1 + NEAR)) - self.since
        if lag < self.first:
            return self.since + self.first
        guess = floor((log10(lag) - log10(self.first)) * self.per_decade) - 1
        return next(look for k in count(max(guess, 0)) if (look := self._look(k)) > time * (1 + NEAR))

    def _look(self, k: int) -> float:
        decades = k / self.per_decade
        return self.since + self.first * 10**decades if decades < DECADES else inf

    def describe(self) -> dict[str, Any]:
        """The cadence as plain data."""
        return {"kind": "logarithmic", **asdict(self)}


@dataclass(frozen=True)
class Linear:
    """every, 2 every, 3 every, ..."""

    every: float

    def after(self, time: float) -> float:
        """The first look beyond `time`."""
        return inf if time > LAST else (floor(time * (1 + NEAR) / self.every) + 1) * self.every

    def describe(self) -> dict[str, Any]:
        """The cadence as plain data."""
        return {"kind": "linear", **asdict(self)}


@dataclass(frozen=True)
class At:
    """These times and no others."""

    times: tuple[float, ...]

    def after(self, time: float) -> float:
        """The first look beyond `time`, infinity after the last."""
        return min((look for look in self.times if look > time * (1 + NEAR)), default=inf)

    def describe(self) -> dict[str, Any]:
        """The cadence as plain data."""
        return {"kind": "at", "times": list(self.times)}


@dataclass(frozen=True)
class Union:
    """All looks of several cadences."""

    cadences: tuple[Cadence, ...]

    def after(self, time: float) -> float:
        """The first look beyond `time`."""
        return min(cadence.after(time) for cadence in self.cadences)

    def describe(self) -> dict[str, Any]:
        """The cadence as plain data."""
        return {"kind": "union", "of": [cadence.describe() for cadence in self.cadences]}


NEVER = At(())


@dataclass(frozen=True)
class Looks:
    """Three cadences in proper time: when the loss, the noise Gamma, and the weights are written down.

    Every row holds the loss; there is a row at time 0 with all three.
    """

    loss: Cadence = field(default_factory=lambda: logarithmic())
    noise: Cadence = NEVER
    weights: Cadence = NEVER

    @property
    def cadences(self) -> tuple[Cadence, Cadence, Cadence]:
        """Loss, noise, weights."""
        return self.loss, self.noise, self.weights

    def describe(self) -> dict[str, Any]:
        """The three cadences as plain data."""
        return {name: getattr(self, name).describe() for name in ("loss", "noise", "weights")}


def logarithmic(first: float = 0.1, per_decade: int = 20) -> Cadence:
    """Looks evenly spaced in the logarithm of proper time, from `first` on.

    Raises:
        InputError: `first` is not positive or below 1e-100, or `per_decade` no whole number from 1 to 10^6.
    """
    return Logarithmic(soon("first", first), _often(per_decade))


def linear(every: float) -> Cadence:
    """Looks evenly spaced in proper time.

    Raises:
        InputError: `every` is not positive.
    """
    _positive("every", every)
    return Linear(float(every))


def at(times: Iterable[float]) -> Cadence:
    """Looks at these times and no others.

    Raises:
        InputError: a time that is not positive (time 0 is always looked at).
    """
    return At(_times("a look", times))


def aging_looks(waiting: Iterable[float], per_decade: int = 10, first: float = 0.1) -> Cadence:
    """Every waiting time tau_w, and lags log-spaced from `first` after each, so that all tau_w come from one file.

    >>> cadence = aging_looks([80, 160], per_decade=1, first=1.0)
    >>> [cadence.after(79), cadence.after(80), cadence.after(81), cadence.after(155)]
    [80.0, 81.0, 90.0, 160.0]

    Raises:
        InputError: no waiting time, or one that is not positive.
    """
    times = _times("a waiting time", waiting)
    if not times:
        raise InputError("aging is looked at from at least one waiting time; got none")
    first, per_decade = soon("first", first), _often(per_decade)
    return Union((At(times), *(Logarithmic(first, per_decade, since=time) for time in times)))


def _times(name: str, times: Iterable[float]) -> tuple[float, ...]:
    """The times in order, each of them positive."""
    if isinstance(times, str | bytes) or not isinstance(times, Iterable):
        raise InputError(f"{name} comes in a list of positive numbers; got {times!r}")
    given = list(times)
    for time in given:
        _positive(name, time)
    return tuple(sorted(float(time) for time in given))


def _often(per_decade: int) -> int:
    if isinstance(per_decade, bool) or not isinstance(per_decade, Integral) or not 1 <= per_decade <= MOST:
        raise InputError(
            f"looks a decade (per_decade) are a whole number, at least 1 and at most {MOST}; got {per_decade!r}"
        )
    return int(per_decade)


def soon(name: str, value: float) -> float:
    """A first look: positive, and not so early that the later ones leave the numbers.

    Raises:
        InputError: something else.
    """
    _positive(name, value)
    if value < SOONEST:
        raise InputError(f"{name} is a proper time of at least {SOONEST:g}; got {value!r}")
    return float(value)


def _positive(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < inf:
        raise InputError(f"{name} is a positive number; got {value!r}")
