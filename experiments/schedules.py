"""How fast to learn: a Schedule is a pure function (its state, losses) -> (order, its state).

Its state is a dict of arrays with the replicas along the first axis, kept in the checkpoint of the run; so a schedule
has no memory of its own, and going on is exact. The order says at which rate each replica moves, for how many steps
until the schedule is asked again, whose present state is worth keeping, and who goes back to what was kept.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import inf
from numbers import Integral, Real
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from encoding import InputError

State = dict[str, NDArray[Any]]

FOREVER = 1e18  # steps
HIGHEST = 1e100  # rate: proper time stays a number


class Order(NamedTuple):
    """What a schedule asks for.

    Attributes:
        rate: eta of each replica, (n_replicas,).
        n_steps: steps until the schedule is asked again; 0: never.
        keep: replicas whose present state is good, and to be kept, (n_replicas,).
        rewind: replicas that go back to their kept state (and time), (n_replicas,).
    """

    rate: NDArray[np.float64]
    n_steps: int
    keep: NDArray[np.bool_]
    rewind: NDArray[np.bool_]


@runtime_checkable
class Schedule(Protocol):
    """A pure function of its state and the losses seen since it was last asked, those of now last, (n, n_replicas)."""

    @property
    def listens(self) -> bool:
        """Whether the losses matter to it; if not it is given none."""
        ...

    def start(self, n_replicas: int) -> State:
        """Its state before the first step."""
        ...

    def __call__(self, state: State, losses: NDArray[np.float64]) -> tuple[Order, State]:
        """The next order, and the state after it."""
        ...

    def describe(self) -> dict[str, Any]:
        """The schedule as plain data, for the key of a Task."""
        ...


@dataclass(frozen=True)
class Constant:
    """One rate for all time."""

    rate: float
    listens = False

    def start(self, n_replicas: int) -> State:
        """Nothing to remember but how many replicas there are."""
        return {"halvings": np.zeros(n_replicas, np.int64)}

    def __call__(self, state: State, losses: NDArray[np.float64]) -> tuple[Order, State]:
        """The same rate, never to be asked again."""
        n_replicas = len(state["halvings"])
        return _plain_order(np.full(n_replicas, self.rate), 0), state

    def describe(self) -> dict[str, Any]:
        """The schedule as plain data."""
        return {"kind": "constant", **asdict(self)}


@dataclass(frozen=True)
class Piecewise:
    """A rate for each stretch of proper time; the last one lasts."""

    rates: tuple[float, ...]
    times: tuple[float, ...]  # where each rate but the first begins
    listens = False

    def start(self, n_replicas: int) -> State:
        """Which stretch is next, and when it begins, for each replica alike."""
        return {"stretch": np.zeros(n_replicas, np.int64), "begun": np.zeros(n_replicas)}

    def __call__(self, state: State, losses: NDArray[np.float64]) -> tuple[Order, State]:
        """The rate of the next stretch, for the steps that it takes."""
        stretch, begun = int(state["stretch"][0]), float(state["begun"][0])
        edges = (*self.times, inf)
        length = (edges[stretch] - begun) / self.rates[stretch]
        n_steps = 0 if length > FOREVER else round(length)
        after = {"stretch": state["stretch"] + 1, "begun": state["begun"] + n_steps * self.rates[stretch]}
        if n_steps <= 0 and length <= FOREVER:  # less than half a step: on to the next stretch
            return self(after | {"begun": state["begun"]}, losses)
        return _plain_order(np.full(len(state["stretch"]), self.rates[stretch]), n_steps), after

    def describe(self) -> dict[str, Any]:
        """The schedule as plain data."""
        return {"kind": "piecewise", "rates": list(self.rates), "times": list(self.times)}


@dataclass(frozen=True)
class HalveAtSpikes:
    """Back to the last good state and half the rate, whenever the loss spikes (Appendix B's procedure, by itself).

    A replica spikes where a loss of the last `window` steps exceeds `spike` times the lowest loss before it, or is not
    finite. Its state is good, and kept, where no loss of the window exceeded the lowest before it by more than `calm`.
    """

    rate: float
    window: int
    spike: float
    calm: float
    listens = True
    hopeless = 40  # halvings after which a replica is given up

    def start(self, n_replicas: int) -> State:
        """No loss seen yet, no halving."""
        lowest = np.full(n_replicas, inf)
        return {"lowest": lowest, "kept_lowest": lowest.copy(), "halvings": np.zeros(n_replicas, np.int64)}

    def __call__(self, state: State, losses: NDArray[np.float64]) -> tuple[Order, State]:
        """Each replica: go on, keep and go on, or go back and halve."""
        excess, lowest = _excess(losses, state["lowest"])
        spiked = (excess > self.spike) & (state["halvings"] <= self.hopeless)
        keep = excess <= self.calm
        lowest = np.where(spiked, state["kept_lowest"], lowest)  # what was left behind is no measure for what comes
        kept_lowest = np.where(keep, lowest, state["kept_lowest"])
        halvings = state["halvings"] + spiked
        rate = np.where(halvings <= self.hopeless, self.rate * 0.5**halvings, 0.0)
        order = Order(rate, self.window, keep, spiked)
        return order, {"lowest": lowest, "kept_lowest": kept_lowest, "halvings": halvings}

    def describe(self) -> dict[str, Any]:
        """The schedule as plain data."""
        return {"kind": "halve_at_spikes", **asdict(self)}


def constant(rate: float) -> Schedule:
    """One rate eta for all time.

    Raises:
        InputError: a rate that is not positive.
    """
    return Constant(_checked(rate))


def piecewise(rates: Sequence[float], times: Sequence[float]) -> Schedule:
    """`rates[0]` from time 0, `rates[k]` from proper time `times[k-1]` on.

    Every change comes within half a step of its time, at the rate before it; such roundings do not add up.

    Raises:
        InputError: times that do not rise, or not one less than rates.
    """
    listed = all(isinstance(given, Sequence) and not isinstance(given, str) for given in (rates, times))
    rising = listed and all(isinstance(time, Real) for time in times)
    rising = rising and all(0 <= a < b < inf for a, b in pairwise([0.0, *times]))
    if not rising or len(times) != len(rates) - 1:
        raise InputError(f"piecewise: one rate more than times, times rising from above 0; got {rates} and {times}")
    return Piecewise(tuple(_checked(rate) for rate in rates), tuple(float(time) for time in times))


def halve_at_spikes(rate: float, *, window: int = 200, spike: float = 1.5, calm: float = 1.2) -> Schedule:
    """Start at `rate`; at every spike of the loss go back to the last good state and halve.

    The factors are for losses that fall towards a positive floor, seen on all the data at each step.

    Raises:
        InputError: a rate that is not positive, a window below 1, or not 1 < calm <= spike, both finite.
    """
    numbers = isinstance(window, Integral) and isinstance(calm, Real) and isinstance(spike, Real)
    if not numbers or window < 1 or not 1 < calm <= spike < inf:
        raise InputError(
            "halve_at_spikes: window is a whole number of at least 1, and 1 < calm <= spike; got "
            f"{window!r}, {calm!r} and {spike!r}"
        )
    return HalveAtSpikes(_checked(rate), window, spike, calm)


def _checked(rate: float) -> float:
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 < rate <= HIGHEST:
        raise InputError(f"a rate is a positive number of at most {HIGHEST:g}; got {rate!r}")
    return float(rate)


def _plain_order(rate: NDArray[np.float64], n_steps: int) -> Order:
    no = np.zeros(len(rate), bool)
    return Order(rate, n_steps, no, no)


def _excess(
    losses: NDArray[np.float64], lowest: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By which factor a loss exceeded the lowest before it, at most; and the lowest so far. Not finite is infinite."""
    seen = np.where(np.isfinite(losses), losses, inf)
    least = np.minimum.accumulate(np.concatenate([lowest[None], seen]))  # (n + 1, n_replicas)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.where((seen == least[1:]) & np.isfinite(seen), 1.0, np.nan_to_num(seen / least[1:], nan=inf))
    return excess.max(0, initial=1.0), least[-1]
