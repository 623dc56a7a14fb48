"""What no machine can learn: where the same past was followed by different chords."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from encoding import InputError, multi_hot
from encoding.errors import shown
from encoding.given import whole
from encoding.transitions import Piece
from experiments.observables.given import pieces

Encoding = Callable[[NDArray[np.integer]], NDArray]


def irreducible_loss(chorales: Sequence[Piece], memory: int | None = None, *, encoding: Encoding = multi_hot) -> float:
    """The lowest NLL that a machine with this memory can reach, in bits per output unit per time step.

        NLL_min = sum_h n_h sum_i H_2(p_i(h)) / (n N),    H_2(p) = -p log2 p - (1 - p) log2(1 - p)

    h runs over the different histories, n_h how often each occurs, p_i(h) how often key i sounds next. 0.00253 for the
    80 chorales of Hertz & Tyrcha 2024, 0.138 if only the present chord is remembered.

    Args:
        chorales: what is to be learned.
        memory: number of chords remembered, the present one included; None: all since the beginning. A machine that
            remembers k chords knows that a piece has begun less than k chords ago.
        encoding: what the machine hears of a chorale, (n_steps, 4) pitches -> (n_steps, ...): chords with the same
            image are the same to it (lambda pitches: pitches % 12 hears no octaves). What it is to say stays the keys.

    Raises:
        InputError: a memory below 1, no transitions, or an encoding without a row of finite numbers for each chord.
    """
    followed = after_histories(chorales, memory, encoding=encoding)
    entropies = [len(next_chords) * _entropy(next_chords.mean(0)) for next_chords in followed]
    return float(np.sum(entropies) / sum(next_chords.size for next_chords in followed))


def after_histories(
    chorales: Sequence[Piece], memory: int | None = None, *, encoding: Encoding = multi_hot
) -> list[NDArray[np.bool_]]:
    """The chords that followed each different history, (n_h, 54) with True where a key sounds, for every h.

    Args:
        chorales: what is to be learned.
        memory: see `irreducible_loss`.
        encoding: see `irreducible_loss`.

    Raises:
        InputError: as `irreducible_loss`.
    """
    memory = None if memory is None else whole("memory (in chords, the present one included; None: all)", memory)
    if not callable(encoding):
        raise InputError(f"encoding is a function of pitches (n_steps, n_voices); got {shown(encoding)}")
    followers: dict[bytes, list[NDArray[np.bool_]]] = defaultdict(list)
    for chorale in pieces("chorales", chorales, least=0):
        roll, heard = multi_hot(chorale.pitches) > 0, _heard(chorale, encoding)
        if heard.shape[:1] != roll.shape[:1] or heard.dtype.hasobject:
            raise InputError(f"an encoding gives a row for each of {len(roll)} chords; got {heard.dtype} {heard.shape}")
        if heard.dtype.kind in "fc" and not np.isfinite(heard).all():
            raise InputError("an encoding gives finite numbers, equal where chords are alike; got NaN or infinity")
        for t in range(len(roll) - 1):
            start = 0 if memory is None else max(0, t + 1 - memory)
            followers[heard[start : t + 1].tobytes()].append(roll[t + 1])
    if not followers:
        raise InputError("chorales have, all together, at least one transition; got none")
    return [np.array(next_chords) for next_chords in followers.values()]


def _heard(chorale: Piece, encoding: Encoding) -> NDArray:
    try:
        return np.ascontiguousarray(encoding(chorale.pitches))
    except (TypeError, ValueError) as error:
        raise InputError(f"encoding is a function of pitches (n_steps, n_voices); on them it fails: {error}") from error


def _entropy(p: NDArray[np.floating]) -> float:
    """Sum over the keys of the binary entropy, in bits."""
    inside = p[(p > 0) & (p < 1)]
    return float(-np.sum(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)))
