"""What can be chosen about deep perceptrons that learn by Monte Carlo, checked where it is said."""

import hashlib
from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import ClassVar

import numpy as np

from classical.perceptron.profile import MOST_LAYERS
from encoding import InputError, checked_seed
from encoding.asked import asked
from encoding.errors import shown
from encoding.given import is_number, whole

MOST_WIDTH = 4095  # beyond, the sum of so many weights does not fit into 32 bits
DELTA = 1e-4, 1e6  # below, rounding to 2^-16 adds over 2^-32/(12 delta^2) = 0.2 % to <(dJ)^2>; beyond, a redraw
CHOICES = {"scenario": ("teacher", "random"), "start": ("learning", "unlearning"), "move": ("tilt", "redraw")}


@dataclass(frozen=True, kw_only=True)
class DeepPerceptronSettings:
    """The settings of a DeepPerceptron; defaults are those of Yoshino's simulation (seminar, 2021) where he gives them.

    Attributes:
        depth, width: number of layers L, and of spins in each, N.
        alpha: patterns over width; there are M = alpha N of them, rounded.
        scenario: outputs are those of a `"teacher"` of the same shape, or inputs and outputs are `"random"`.
        r: how much of the teacher the data keep: at input and output a spin is flipped with probability (1 - r)/2.
        start: `"learning"` from machines drawn at random, or `"unlearning"` from the teacher.
        temperature: T, in the unit of E, in which one wrong output spin costs 4. At 0, E never rises.
        move: `"tilt"`, J -> (J + delta x)/sqrt(1 + delta^2), or `"redraw"`, J -> x; x is normal.
        delta: width of the tilt, from 1e-4, below which weights, whole multiples of 2^-16, are too coarse, to 1e6.
        disorder: seed of teacher and patterns, the same for all replicas.
    """

    choices: ClassVar[dict[str, tuple[str, ...]]] = CHOICES

    depth: int
    width: int
    alpha: float
    scenario: str = "teacher"
    r: float = 1.0
    start: str = "learning"
    temperature: float = 0.0
    move: str = "tilt"
    delta: float = 0.3
    disorder: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no machine, or nothing to learn.

        Raises:
            InputError: a name that is not known, a size or number out of its range, less than one pattern, a teacher
                asked for where there is none.
        """
        for name, choices in CHOICES.items():
            said = getattr(self, name)
            if not isinstance(said, str) or said not in choices:
                raise InputError(f"{name} is one of {', '.join(choices)}; got {shown(said)}")
        for name, letter, most in (("depth", "L", MOST_LAYERS), ("width", "N", MOST_WIDTH)):
            object.__setattr__(self, name, whole(f"{name} {letter}", getattr(self, name), most=most))
        ranges = (("alpha", 0, inf, ">"), ("r", 0, 1, ""), ("temperature", 0, inf, ""), ("delta", *DELTA, ""))
        for name, low, high, above in ranges:
            object.__setattr__(self, name, _number(name, getattr(self, name), low, high, bool(above)))
        object.__setattr__(self, "disorder", checked_seed(self.disorder, "disorder"))
        if not 0.5 < self.alpha * self.width < 2**62:
            raise InputError(f"M = alpha N is from 1 pattern to 2^62; got alpha = {self.alpha:g}, N = {self.width}")
        if self.scenario == "random" and (self.start == "unlearning" or self.r != 1):
            said = "start is unlearning" if self.start == "unlearning" else f"r is {self.r}"
            raise InputError(f"random data have no teacher, and {said}: take scenario teacher, or leave that out")

    @property
    def n_patterns(self) -> int:
        """M."""
        return round(self.alpha * self.width)

    @property
    def n_weights(self) -> int:
        """Weights of one machine, L N^2: proposals of a sweep."""
        return self.depth * self.width**2

    @property
    def keeps(self) -> float:
        """What a proposal keeps of a weight, c in J' = c J + s x."""
        return 0.0 if self.move == "redraw" else 1 / sqrt(1 + self.delta**2)

    @property
    def draws(self) -> float:
        """What a proposal draws anew, s in J' = c J + s x; c^2 + s^2 = 1 keeps weights normal."""
        return 1.0 if self.move == "redraw" else self.delta / sqrt(1 + self.delta**2)

    @property
    def fingerprint(self) -> np.uint64:
        """Eight bytes that tell these settings from others."""
        return np.frombuffer(hashlib.sha256(repr(sorted(asked(self).items())).encode()).digest()[:8], "<u8")[0]


def _number(name: str, value: float, low: float, high: float, above: bool) -> float:
    """A number from `low`, or above it, to `high`, and finite."""
    found = float(value) if is_number(value) else nan
    if not low <= found <= high or found == inf or (above and found == low):
        where = f"from {low:g} to {high:g}" if high < inf else f"finite and {'above' if above else 'at least'} {low}"
        raise InputError(f"{name} is a number, {where}; got {shown(value)}")
    return found
