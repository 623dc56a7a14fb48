"""Gradients that samplers can give: from features at other angles, never from inside.

Parameter shift: every gate is exp(-i a P/2), P^2 = 1, so that features are a + b cos + c sin of each angle of each gate
and two of them give the slope exactly (Mitarai et al. 2018; Schuld et al. 2019). An angle acts at every chord s:

    dF/dtheta_k = sum_s [F(theta_k(s) + pi/2) - F(theta_k(s) - pi/2)]/2                          whole pieces
    df_t/dtheta, df_t/da by the same shifts,  da/d<Z> = -pi/2,  then backwards through time      chord by chord

Simultaneous perturbation (SPSA): all angles at once, for two evaluations whatever their number,

    dF/dtheta_k ~ [F(theta + c Delta) - F(theta - c Delta)] / (2 c Delta_k),    Delta_k = +-1    (Spall 1992, eq. 2.2)

Shots scatter, and both rules stay without bias (SPSA to order c^2) for an F that is linear in the features. What a rule
costs is known before anything runs: `circuits_of`.
"""

from collections.abc import Callable
from math import pi
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from encoding import InputError
from encoding.errors import shown
from encoding.memory import check_room
from quantum.block import reencoded
from quantum.given import checked_numbers
from quantum.ladder import checked_count
from quantum.sources import Real, Sizes, Source, check_draw, chord_by_chord, features_of, pieces_at

RULES = ("parameter-shift", "spsa")
SHIFTS = np.array([pi / 2, -pi / 2])


class Slope(NamedTuple):
    """dL/d angles, (n_angles,), and the features (n_slots, n_f) seen at the angles themselves."""

    gradient: Real
    features: Real


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
        InputError: angles of another shape or not finite, or errors that are.

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
    theta = checked_numbers("angles of the ladder", angles, (source.block.ladder.n_angles,))
    check_draw(draw)
    played = _chord_by_chord if chord_by_chord(source) else _whole
    return played(source, theta, error_of_features, draw)


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
        InputError: angles of another shape or not finite, a c that is no distance, or no pair.
    """
    theta = checked_numbers("angles of the ladder", angles, (source.block.ladder.n_angles,))
    check_draw(draw)
    checked_count("n, the number of pairs of evaluations,", n)
    if isinstance(c, bool) or not isinstance(c, int | float | np.number) or not 0 < c < np.inf:
        raise InputError(f"c is a distance in radians, above 0 and finite; got {shown(c, 40)}")
    signs = draw.choice([-1.0, 1.0], (n, len(theta)))
    seen = features_of(source, np.concatenate([theta + c * signs, theta - c * signs]), draw)
    losses = np.array([float(loss_of_features(features)) for features in seen])
    return ((losses[:n] - losses[n:]) / (2 * c)) @ signs / n  # 1 / Delta is Delta


def circuits_of(rule: str, source: Source | Sizes, *, n: int = 1) -> Plan:
    """What one gradient takes, without running anything: a circuit is a piece, or a chord, with its angles, in a basis.

    Args:
        rule: "parameter-shift" or "spsa".
        source: a Source, or the `Sizes` of one that is still to be made.
        n: pairs of evaluations of SPSA.

    Raises:
        InputError: a rule that a sampler cannot give.

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
    checked_count("n, the number of pairs of evaluations,", n)
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


def _whole(source: Source, theta: Real, error_of_features: Callable[[Real], Real], draw: np.random.Generator) -> Slope:
    """All angles at all chords, one job."""
    n, times = len(theta), source.n_times
    n_variants = 1 + 2 * n * times
    check_room(
        8.0 * n_variants * (times * n + 2 * source.n_slots * source.n_features), f"{n_variants} shifts of angles"
    )
    angles = np.broadcast_to(theta, (n_variants, times, n)).copy()
    shifted = angles[1:].reshape(times, n, 2, times, n)
    for time in range(times):
        for k in range(n):
            shifted[time, k, :, time, k] += SHIFTS
    base, *_ = seen = source.whole(angles, draw)
    error, apart = _errors(error_of_features, base), seen[1:].reshape(times, n, 2, *base.shape)
    gradient = np.zeros(n)
    for time, first in enumerate(source.offsets[:-1]):  # what sounded before cannot change, and would add its scatter
        later = apart[time, :, 0, first:] - apart[time, :, 1, first:]
        gradient += np.einsum("ksf,sf->k", later, error[first:]) / 2
    return Slope(gradient, base)


def _chord_by_chord(
    source: Source, theta: Real, error_of_features: Callable[[Real], Real], draw: np.random.Generator
) -> Slope:
    """A job a chord, with all shifts of its angles and of the turns that re-encode the chord before."""
    averages, seen, slopes = np.ones((pieces_at(source, 0), source.block.n_history)), [], []
    for time in range(source.n_times):
        turns = reencoded(averages[: pieces_at(source, time)])  # (b, n_H)
        angles, apart = _shifted(theta, turns, first=time == 0)
        features, found = source.chord(time, angles, apart, draw)
        averages = found[0]
        seen.append(features[0])
        slopes.append((features[1::2] - features[2::2]) / 2)  # (n_angles + n_H, b, n_f)
    base = np.concatenate(seen)
    error, gradient = _errors(error_of_features, base), np.zeros(len(theta))
    history = slice(source.block.n_data, source.block.n_qubits)
    after = np.zeros((0, source.block.n_history))
    for time in reversed(range(source.n_times)):
        upstream = error[source.offsets[time] : source.offsets[time + 1]].copy()
        upstream[: len(after), history] += after  # pieces that go on
        along = np.einsum("abf,bf->ab", slopes[time], upstream)
        gradient += along[: len(theta)].sum(1)
        after = -pi / 2 * along[len(theta) :].T
    return Slope(gradient, base)


def _shifted(theta: Real, turns: Real, *, first: bool) -> tuple[Real, Real]:
    """Angles (V, n_angles) and turns (V, b, n_H): as they are, then each angle and each turn, up and down."""
    n, n_history = len(theta), 0 if first else turns.shape[1]
    n_variants = 1 + 2 * (n + n_history)
    angles, apart = np.repeat(theta[None], n_variants, 0), np.repeat(turns[None], n_variants, 0)
    for k in range(n):
        angles[1 + 2 * k : 3 + 2 * k, k] += SHIFTS
    for j in range(n_history):
        place = 1 + 2 * (n + j)
        apart[place : place + 2, :, j] += SHIFTS[:, None]
    return angles, apart


def _errors(error_of_features: Callable[[Real], Real], features: Real) -> Real:
    return checked_numbers("dL/d features", error_of_features(features.copy()), features.shape)
