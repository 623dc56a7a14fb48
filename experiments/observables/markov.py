"""What the last few chords tell of the next: Markov chains over chords, key by key.

A chain of order k remembers the last k chords, and, as a machine that starts at rest does, whether the piece has begun
within them. On the pieces it has learned its loss is the entropy that is left; on others most histories are new, and it
falls back on shorter ones.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, multi_hot
from encoding.errors import shown
from encoding.given import is_number, whole
from encoding.transitions import Piece
from experiments.observables.given import SMALLEST, pieces
from experiments.observables.irreducible import irreducible_loss

STRENGTHS = 2.0 ** np.arange(-6, 9)
MOST_CHORDS = 100  # remembered: memory grows with the square of the order, and histories are all different long before

Counts = tuple[NDArray[np.float64], NDArray[np.float64]]  # n(h), (n_slots, 1), and n_i(h), (n_slots, n_keys)


def markov_loss(
    chorales: Sequence[Piece], order: int, other: Sequence[Piece] | None = None, *, strength: float | None = None
) -> float:
    """NLL of a chain that remembers `order` chords, in bits per output unit per time step.

        p_i(h) = [n_i(h) + c p_i(h')] / [n(h) + c],    p_i() = [n_i + 1/2] / [n + 1]

    n_i(h) of the n(h) occasions of history h were followed by key i; h' is h less its oldest chord (less the knowledge
    that the piece began there). c is the strength of the Dirichlet prior in imagined occasions. On `chorales`
    themselves c = 0, the maximum of the likelihood: `irreducible_loss(chorales, order)`.

    Args:
        chorales: what the chain has learned.
        order: number of chords remembered, from 1 to 100; for 0 see `h0_loss`.
        other: pieces to be scored instead.
        strength: c; None: the power of 2 between 2^-6 and 2^8 with the lowest loss on `chorales`, each scored by what
            the others taught (1 where there is a single piece). Used on `other` only.

    Raises:
        InputError: an order below 1 or above 100, a strength that is not positive, or no transitions.
    """
    order = whole("order (h0_loss is order 0, irreducible_loss remembers all)", order, most=MOST_CHORDS)
    if strength is not None and not (is_number(strength) and SMALLEST < strength < np.inf):
        raise InputError(f"the strength of the prior is positive; got {shown(strength)}")
    chorales = pieces("chorales", chorales)
    if other is None:
        return irreducible_loss(chorales, order)
    learned, scored = _Slots(chorales, order), _Slots(pieces("other", other), order)
    if strength is None:
        strength = _chosen_strength(learned)
    counts = [_counts(learned.histories[level], learned.sounds, scored.histories[level]) for level in range(order + 1)]
    return _loss(counts, scored, strength)


class _Slots:
    """All transitions of some pieces, with their histories of 0, 1 .. order chords."""

    def __init__(self, chorales: Sequence[Piece], order: int) -> None:
        rolls = [multi_hot(piece.pitches) > 0 for piece in chorales]
        if all(len(roll) < 2 for roll in rolls):
            raise InputError("a chain needs at least one transition; got none")
        self.sounds = np.concatenate([roll[1:] for roll in rolls])
        self.piece = np.repeat(np.arange(len(rolls)), [max(len(roll) - 1, 0) for roll in rolls])
        self.time = np.concatenate([np.arange(max(len(roll) - 1, 0)) for roll in rolls])
        self.histories = [
            [roll[max(0, t + 1 - level) : t + 1].tobytes() for roll in rolls for t in range(len(roll) - 1)]
            for level in range(order + 1)
        ]


def _counts(learned: list[bytes], sounds: NDArray[np.bool_], asked: list[bytes]) -> Counts:
    """n(h) and n_i(h) of each history asked for; 0 where it never came."""
    numbers = {history: number for number, history in enumerate(dict.fromkeys(learned))}
    times, after = _tallied(np.array([numbers[history] for history in learned]), sounds)
    place = np.array([numbers.get(history, -1) for history in asked])
    known = place[:, None] >= 0
    return np.where(known, times[place], 0.0), np.where(known, after[place], 0.0)


def _tallied(group: NDArray[np.integer], sounds: NDArray[np.bool_]) -> Counts:
    """How many slots each group has, (n_groups, 1), and in how many each key sounds, (n_groups, n_keys)."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(group.max() + 1))
    return np.bincount(group)[:, None].astype(float), np.add.reduceat(sounds[order].astype(float), starts, axis=0)


def _chosen_strength(learned: _Slots) -> float:
    """The strength with which pieces are best predicted from one another."""
    if len(np.unique(learned.piece)) < 2:
        return 1.0
    counts = [_without_own(histories, learned) for histories in learned.histories]
    losses = [_loss(counts, learned, strength) for strength in STRENGTHS]
    return float(STRENGTHS[np.argmin(losses)])


def _without_own(histories: list[bytes], learned: _Slots) -> Counts:
    """Counts over all pieces but the slot's own."""
    own = np.unique(
        [learned.piece, np.unique(np.array(histories, object), return_inverse=True)[1]], axis=1, return_inverse=True
    )[1]
    own_times, own_after = _tallied(own.ravel(), learned.sounds)
    times, after = _counts(histories, learned.sounds, histories)
    return times - own_times[own.ravel()], after - own_after[own.ravel()]


def _loss(counts: Sequence[Counts], scored: _Slots, strength: float) -> float:
    """NLL of the slots under the chain, in bits per output unit."""
    # Followed is the chance of what did follow, sound or silence: 1 - p would lose the last digits.
    times, after = counts[0]
    followed = (np.where(scored.sounds, after, times - after) + 0.5) / (times + 1)
    for level, (times, after) in enumerate(counts[1:], 1):
        agreed = np.where(scored.sounds, after, times - after)
        # A history that reaches back beyond the beginning is the same at all higher levels: it counts once.
        new = (level <= scored.time + 2)[:, None]
        followed = np.where(new, (agreed + strength * followed) / (times + strength), followed)
    return float(-np.log2(followed).mean())
