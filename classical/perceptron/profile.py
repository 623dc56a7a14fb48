"""A solution: overlaps of all layers; and what is looked at before one is made, or taken from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError
from encoding.errors import shown
from encoding.given import number, real_numbers, whole

Array = NDArray[np.float64]

MOST_LAYERS, MOST_LEVELS, MOST_ALPHA = 1000, 200, 1e8
LEAST = -1e-9  # of an overlap, and of what it rises from level to level, to rounding


@dataclass(frozen=True)
class Profile:
    """Overlaps of all layers.

    Attributes:
        alpha: patterns over width.
        q: of spins, (L + 1, k + 1), those of input and output included.
        Q: of bonds, (L, k + 1); Q[0] is that of layer 1.
        m: the levels m_1 .. m_k; none where replica symmetry holds.
        r: of spins with the teacher, (L + 1,); None without one.
        R: of bonds with the teacher, (L,); None without one.
        residual: of the equations.
        n_steps: of the iteration.
    """

    alpha: float
    q: Array
    Q: Array
    m: Array
    residual: float
    n_steps: int
    r: Array | None = None
    R: Array | None = None

    @property
    def depth(self) -> int:
        """L."""
        return len(self.Q)

    @property
    def q_ea(self) -> Array:
        """The Edwards-Anderson parameter, the largest overlap, of each spin layer, (L + 1,)."""
        return self.q[:, -1]

    @property
    def shares(self) -> Array:
        """The share of pairs at each level, m_(i+1) - m_i, (k + 1,): P(q) = sum_i share_i delta(q - q_i)."""
        return np.diff(np.concatenate([[0.0], self.m, [1.0]]))

    @property
    def mean_q(self) -> Array:
        """The mean overlap of two machines, (L + 1,)."""
        return self.q @ self.shares


def checked_problem(alpha: float, depth: int) -> tuple[float, int]:
    """The number of patterns over width, and of layers.

    Raises:
        InputError: alpha that is no positive number, or no layer.
    """
    return number("alpha = M/N", alpha, above=0, most=MOST_ALPHA), checked_depth(depth)


def checked_profile(what: str, profile: Any) -> Profile:
    """A profile whose numbers are overlaps, and belong together.

    Raises:
        InputError: something else, or one that was damaged.
    """
    if not isinstance(profile, Profile):
        raise InputError(f"{what} of a profile; got {shown(profile)}")
    if not isinstance(profile.m, np.ndarray) or profile.m.ndim != 1 or (profile.r is None) != (profile.R is None):
        raise InputError(f"m of a profile is an array (k,), and r and R are both there or none; got {shown(profile.m)}")
    k, depth = profile.m.size, len(profile.Q) if isinstance(profile.Q, np.ndarray) and profile.Q.ndim else 0
    wanted = {"q": (depth + 1, k + 1), "Q": (depth, k + 1), "r": (depth + 1,), "R": (depth,)}
    number("alpha of a profile", profile.alpha, above=0, most=MOST_ALPHA)
    if k:
        checked_levels(profile.m)
    for name, shape in wanted.items():
        overlaps = getattr(profile, name)
        if overlaps is not None or name in "qQ":
            check_overlaps(f"{name} of a profile", overlaps, shape)
    return profile


def check_overlaps(name: str, overlaps: Any, wanted: tuple[int, ...]) -> None:
    """Refuse what stands in the place of overlaps.

    Raises:
        InputError: another shape, or numbers that are not overlaps, rising with the level.
    """
    good = isinstance(overlaps, np.ndarray) and overlaps.dtype.kind == "f" and overlaps.shape == wanted
    if not good or not ((overlaps >= LEAST) & (overlaps <= 1)).all() or _falls(overlaps):
        rising = ", rising with the level" if len(wanted) > 1 else ""
        raise InputError(f"{name} is an array {wanted} of overlaps from 0 to 1{rising}; got {shown(overlaps)}")


def _falls(overlaps: Array) -> bool:
    return overlaps.ndim > 1 and bool((np.diff(overlaps, axis=-1) < LEAST).any())


def checked_depth(depth: int) -> int:
    """The number of layers.

    Raises:
        InputError: none, or more than memory is meant for.
    """
    return whole("the depth L", depth, most=MOST_LAYERS)


def checked_levels(levels: int | Sequence[float] | ArrayLike) -> Array:
    """m_1 .. m_k: as given, or for a number k of steps (i - 1/2)/k.

    Raises:
        InputError: fewer than one step, more than memory is meant for, or levels out of order.

    >>> checked_levels(2)
    array([0.25, 0.75])
    """
    if isinstance(levels, int | np.integer) and not isinstance(levels, bool):
        if not 1 <= levels <= MOST_LEVELS:
            raise InputError(f"steps k of replica symmetry breaking are 1 to {MOST_LEVELS}; got {shown(levels)}")
        return (np.arange(levels) + 0.5) / levels
    m = real_numbers(levels)
    if m is None or m.ndim != 1 or not 1 <= m.size <= MOST_LEVELS or not (np.diff(m, prepend=0, append=1) > 0).all():
        raise InputError(
            f"levels are a number k of steps, or 0 < m_1 < .. < m_k < 1, up to {MOST_LEVELS}; got {shown(levels)}"
        )
    return m
