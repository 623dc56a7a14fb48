"""The parameter-shift rule: what it asks for, and what it makes of that.

Every gate is exp(-i a P/2), P^2 = 1, so that features are a + b cos + c sin of each angle of each gate and two of them
give the slope exactly (Mitarai et al. 2018; Schuld et al. 2019). An angle acts at every chord s:

    dF/dtheta_k = sum_s [F(theta_k(s) + pi/2) - F(theta_k(s) - pi/2)]/2                          whole pieces
    df_t/dtheta, df_t/da by the same shifts,  da/d<Z> = -pi/2,  then backwards through time      chord by chord
"""

from math import pi
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from encoding.memory import check_room
from quantum.block import reencoded
from quantum.given import checked_numbers
from quantum.sources import Real, Source, check_draw, check_source, chord_by_chord, pieces_at

SHIFTS = np.array([pi / 2, -pi / 2])


class Shifts(NamedTuple):
    """What a job has shown at the angles themselves and at their shifts.

    Attributes:
        features: at the angles, (n_slots, n_f).
        slopes: of features at each time: whole pieces, of all chords from there on, (n_angles, slots, n_f); chord by
            chord, of those of the time, along angles and turns, (n_angles + n_H, b, n_f).
        of: what was asked.
    """

    features: Real
    slopes: list[Real]
    of: Source

    def gradient(self, error: Real) -> Real:
        """dL/d angles, (n_angles,), from dL/d features, (n_slots, n_f)."""
        back = _back_through_chords if chord_by_chord(self.of) else _back
        return back(self.of, self.slopes, error)


def shifts_shown(source: Source, angles: ArrayLike, draw: np.random.Generator) -> Shifts:
    """All that the parameter-shift rule asks for, in one job, or a job a chord.

    Raises:
        InputError: no source, angles of another shape or not finite.
    """
    check_source(source)
    theta = checked_numbers("angles of the ladder", angles, (source.block.ladder.n_angles,))
    check_draw(draw)
    return (_chord_by_chord if chord_by_chord(source) else _whole)(source, theta, draw)


def _whole(source: Source, theta: Real, draw: np.random.Generator) -> Shifts:
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
    apart = seen[1:].reshape(times, n, 2, *base.shape)
    later = zip(apart, source.offsets, strict=False)  # what sounded before cannot change, and would add its scatter
    return Shifts(base, [(each[:, 0, first:] - each[:, 1, first:]) / 2 for each, first in later], source)


def _back(source: Source, slopes: list[Real], error: Real) -> Real:
    """Of whole pieces: the sum over the chords that were shifted."""
    gradient = np.zeros(source.block.ladder.n_angles)
    for slope, first in zip(slopes, source.offsets, strict=False):
        gradient += np.einsum("ksf,sf->k", slope, error[first:])
    return gradient


def _chord_by_chord(source: Source, theta: Real, draw: np.random.Generator) -> Shifts:
    """A job a chord, with all shifts of its angles and of the turns that re-encode the chord before."""
    averages, seen, slopes = np.ones((pieces_at(source, 0), source.block.n_history)), [], []
    for time in range(source.n_times):
        turns = reencoded(averages[: pieces_at(source, time)])  # (b, n_H)
        angles, apart = _shifted(theta, turns, first=time == 0)
        features, found = source.chord(time, angles, apart, draw)
        averages = found[0]
        seen.append(features[0])
        slopes.append((features[1::2] - features[2::2]) / 2)  # (n_angles + n_H, b, n_f)
    return Shifts(np.concatenate(seen), slopes, source)


def _back_through_chords(source: Source, slopes: list[Real], error: Real) -> Real:
    """Chord by chord: backwards through the turns."""
    n = source.block.ladder.n_angles
    gradient, after = np.zeros(n), np.zeros((0, source.block.n_history))
    history = slice(source.block.n_data, source.block.n_qubits)
    for time in reversed(range(source.n_times)):
        upstream = error[source.offsets[time] : source.offsets[time + 1]].copy()
        upstream[: len(after), history] += after  # pieces that go on
        along = np.einsum("abf,bf->ab", slopes[time], upstream)
        gradient += along[:n].sum(1)
        after = -pi / 2 * along[n:].T
    return gradient


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
