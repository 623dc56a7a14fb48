"""Gradients that samplers can give: from features at other angles, never from inside.

Parameter shift (`quantum.shifts`): features at +-pi/2 off give the slope along each angle of each gate, exactly.

Simultaneous perturbation (SPSA): all angles at once, for two evaluations whatever their number,

    dF/dtheta_k ~ [F(theta + c Delta) - F(theta - c Delta)] / (2 c Delta_k),    Delta_k = +-1    (Spall 1992, eq. 2.2)

Shots scatter, and both rules stay without bias (SPSA to order c^2) for an F that is linear in the features. What a rule
costs is known before anything runs: `circuits_of`. All that a rule asks for is one job (a job a chord, chord by chord),
and the features at the angles themselves are part of it: `Shifts` and `Pairs` are what it has shown, before any loss.
"""

from collections.abc import Callable
from math import isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from encoding import InputError
from encoding.errors import shown
from encoding.memory import check_room
from quantum.given import checked_numbers, checked_shift
from quantum.ladder import checked_count
from quantum.shifts import shifts_shown
from quantum.sources import Real, Sizes, Source, check_draw, check_source, chord_by_chord, features_of, pieces_at

RULES = ("parameter-shift", "spsa")
FEWER = "average fewer pairs"


class Slope(NamedTuple):
    """dL/d angles, (n_angles,), and the features (n_slots, n_f) seen at the angles themselves."""

    gradient: Real
    features: Real


class Pairs(NamedTuple):
    """What a job has shown at angles +-c off.

    Attributes:
        features: at the angles themselves, (n_slots, n_f); None: not asked for.
        apart: at angle + c signs, then at angle - c signs, (2 n, n_slots, n_f).
        signs: Delta, (n, n_angles).
        c: in radians.
    """

    features: Real | None
    apart: Real
    signs: Real
    c: float

    def gradient(self, loss_of_features: Callable[[Real], float]) -> Real:
        """An estimate of dL/d angles, (n_angles,)."""
        n, losses = len(self.signs), np.array([float(loss_of_features(features)) for features in self.apart])
        return ((losses[:n] - losses[n:]) / (2 * self.c)) @ self.signs / n  # 1 / Delta is Delta


class Plan(NamedTuple):
    """What one gradient takes: circuits, jobs one after the other, shots of all circuits (None: exact averages)."""

    circuits: int
    jobs: int
    shots: int | None


def parameter_shift(
    source: Source, angles: ArrayLike, error_of_features: Callable[[Real], Real], draw: np.random.Generator
) -> Slope:
    """The slope of a loss along the angles by shifts of pi/2.

    Args:
        source: what shows features.
        angles: of the ladder, (n_angles,), in radians.
        error_of_features: gives dL/d features, (n_slots, n_f), where they are as seen.
        draw: a source of shots draws from it.

    Raises:
        InputError: no source, angles of another shape or not finite, or errors that are.

    >>> import torch
    >>> from quantum import Block, Ladder
    >>> from quantum.channel import Music
    >>> from quantum.exact import Exact
    >>> chord = Music(torch.tensor([[1.0, 0.0]]), torch.tensor([0]), (0, 1))  # a chord of one voice, |0>
    >>> source = Exact(Block(Ladder(2), n_data=1, schedule="coherent"), chord)
    >>> angles = np.array([0.5, 0, 0, 0, 0, 0, 0])  # RX(0.5): <Z> = cos 0.5
    >>> slope = parameter_shift(source, angles, np.ones_like, np.random.default_rng(0))
    >>> round(slope.gradient[0], 6) == round(-np.sin(0.5), 6)
    np.True_
    """
    if not callable(error_of_features):
        raise InputError(f"error_of_features is a function of features that gives dL/d; got {shown(error_of_features)}")
    seen = shifts_shown(source, angles, draw)
    error = checked_numbers("dL/d features", error_of_features(seen.features.copy()), seen.features.shape)
    return Slope(seen.gradient(error), seen.features)


def spsa(
    source: Source,
    loss_of_features: Callable[[Real], float],
    angles: ArrayLike,
    c: float,
    draw: np.random.Generator,
    *,
    n: int = 1,
) -> Real:
    """An estimate of dL/d angles, (n_angles,), from losses at angles +-c off in random directions.

    Args:
        source: what shows features.
        loss_of_features: gives L from features (n_slots, n_f).
        angles: of the ladder, (n_angles,), in radians.
        c: how far off, in radians, above 0. The bias goes as c^2, the scatter that shots make as 1/c.
        draw: signs are drawn from it, and a source of shots draws its outcomes.
        n: pairs of evaluations that are averaged.

    Raises:
        InputError: no source, angles of another shape or not finite, a c below 1e-3 or above pi, no pair, more pairs
            than there is room for, or a loss that is no finite number.
    """
    if not callable(loss_of_features):
        raise InputError(f"a loss is a function of features that gives a number; got {shown(loss_of_features)}")
    check_source(source)
    theta = checked_numbers("angles of the ladder", angles, (source.block.ladder.n_angles,))
    check_draw(draw)
    signs = directions(len(theta), draw, n=n)
    return pairs_shown(source, theta, c, signs, draw).gradient(lambda seen: _checked_loss(loss_of_features(seen)))


def directions(n_angles: int, draw: np.random.Generator, *, n: int = 1) -> Real:
    """Delta, +-1 at random, (n, n_angles)."""
    n = checked_count("n, the number of pairs of evaluations,", n)
    check_room(16.0 * n * n_angles, f"({n}, {n_angles}) signs of SPSA", FEWER)
    return draw.choice([-1.0, 1.0], (n, n_angles))


def pairs_shown(
    source: Source, angles: ArrayLike, c: float, signs: Real, draw: np.random.Generator, *, centre: bool = False
) -> Pairs:
    """All that SPSA asks for, in one job, or a job a chord.

    Args:
        source: what shows features.
        angles: of the ladder, (n_angles,), in radians.
        c: how far off, in radians.
        signs: `directions`.
        draw: a source of shots draws from it.
        centre: features at the angles themselves too, the first that are shown.

    Raises:
        InputError: no source, angles of another shape or not finite, a c below 1e-3 or above pi, or no room.
    """
    block, c = check_source(source).block, checked_shift("c", c)
    theta = checked_numbers("angles of the ladder", angles, (block.ladder.n_angles,))
    each = len(theta) * (2 if chord_by_chord(source) else 2 + source.n_times) + source.n_slots * source.n_features
    check_room(16.0 * len(signs) * each, f"{len(signs)} pairs of evaluations", FEWER)
    variants = np.concatenate([theta[None][:centre], theta + c * signs, theta - c * signs])
    seen = features_of(source, variants, draw)
    return Pairs(seen[0] if centre else None, seen[int(centre) :], signs, c)


def _checked_loss(given: Any) -> float:
    """A loss that can be compared.

    Raises:
        InputError: no number, an array of several, NaN or infinity.
    """
    try:
        loss = float(given)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # a RuntimeError: a tensor of several numbers
        loss = nan
    if not isfinite(loss):
        raise InputError(f"a loss is a finite number; got {shown(given)} for features that a source has shown")
    return loss


def circuits_of(rule: str, source: Source | Sizes, *, n: int = 1) -> Plan:
    """What one gradient takes, without running anything: a circuit is a piece, or a chord, with its angles, in a basis.

    Args:
        rule: "parameter-shift" or "spsa".
        source: a Source, or the `Sizes` of one that is still to be made.
        n: pairs of evaluations of SPSA.

    Raises:
        InputError: a rule that a sampler cannot give, or no source.

    >>> from quantum import Block, Ladder
    >>> sizes = Sizes(Block(Ladder(6, 2), n_data=4, schedule="coherent"), range(0, 17, 2), "Z", 1000)
    >>> circuits_of("parameter-shift", sizes), circuits_of("spsa", sizes)
    (Plan(circuits=1538, jobs=1, shots=1538000), Plan(circuits=4, jobs=1, shots=4000))
    """
    if not isinstance(rule, str) or rule not in RULES:
        raise InputError(
            f"a sampler shows outcomes and no states: its rules are {', '.join(RULES)}; got {shown(rule, 40)} (exact "
            "simulation has the slope itself, without a rule: leave shots out)"
        )
    n = checked_count("n, the number of pairs of evaluations,", n)
    check_source(source)
    shifts, first = 2 * source.block.ladder.n_angles, pieces_at(source, 0)
    if rule == "spsa":
        played = 2 * n * (source.n_slots if chord_by_chord(source) else first)
    elif chord_by_chord(source):  # before the first chord nothing was averaged: no turn is shifted there
        played = source.n_slots * (1 + shifts) + (source.n_slots - first) * 2 * source.block.n_history
    else:
        played = first * (1 + shifts * source.n_times)
    circuits = played * len(source.observables)
    jobs = source.n_times if chord_by_chord(source) else 1
    return Plan(circuits, jobs, None if source.shots is None else circuits * source.shots)
